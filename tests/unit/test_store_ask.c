/* test_store_ask.c - asking a store for an order that the pipeline never saw: what its answer means,
 * and how the store's quota is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/console/store_ask.h"
#include "base/mem.h"
#include "http_server.h"

static const struct bigcommerce_quota plenty = {200, 900, 1000, 30000, -1};

/* How many questions in a row are allowed, each answered at once with told. */
static int ask_until_refused(struct store_limit *limit, const struct bigcommerce_quota *told,
                             int64_t now_ms, enum store_turn *end)
{
    int count = 0;

    while (count < 1000 && (*end = store_limit_begin(limit, now_ms)) == STORE_TURN_GO) {
        store_limit_end(limit, told, "it answers with an error", now_ms);
        count++;
    }
    return count;
}

static void test_rates(void **unused)
{
    static const struct {
        const char *name;
        struct bigcommerce_quota told;
        int allowed; /* in the second after the first answer */
        enum store_turn end;
    } cases[] = {
        {"plenty is left", {200, 900, 1000, 30000, -1}, STORE_LIMIT_PER_S, STORE_TURN_WAIT},
        {"less than half is left",
         {200, 74, 150, 30000, -1},
         STORE_LIMIT_PER_S_LOW,
         STORE_TURN_WAIT},
        {"less than a quarter is left", {200, 37, 150, 30000, -1}, 0, STORE_TURN_REFUSED},
        {"not found tells the quota too", {404, 37, 150, 30000, -1}, 0, STORE_TURN_REFUSED},
        {"the quota is not told", {200, -1, -1, -1, -1}, STORE_LIMIT_PER_S_UNTOLD, STORE_TURN_WAIT},
        {"a half of it is told",
         {200, 10, -1, 30000, -1},
         STORE_LIMIT_PER_S_UNTOLD,
         STORE_TURN_WAIT},
        {"throttled", {429, 0, 150, 9000, -1}, 0, STORE_TURN_REFUSED},
        {"no answer", {0, -1, -1, -1, -1}, 0, STORE_TURN_REFUSED},
        {"the store is down", {503, -1, -1, -1, -1}, 0, STORE_TURN_REFUSED},
        {"the token is refused", {401, -1, -1, -1, -1}, 0, STORE_TURN_REFUSED},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store_limit limit = {0};
        enum store_turn end;
        int allowed;

        assert_int_equal(store_limit_begin(&limit, 500), STORE_TURN_GO);
        store_limit_end(&limit, &cases[i].told, "it answers with an error", 500);
        allowed = ask_until_refused(&limit, &cases[i].told, 1000, &end);
        if (allowed != cases[i].allowed || end != cases[i].end)
            fail_msg("%s: %d were allowed, then %d", cases[i].name, allowed, (int)end);
        if (end == STORE_TURN_REFUSED)
            assert_true(limit.error[0] != '\0');
    }
}

/* A store that was left alone is asked again: after an error, after a 429, in its next window. */
static void test_again(void **unused)
{
    static const struct {
        struct bigcommerce_quota told;
        int64_t again_ms;
    } cases[] = {
        {{0, -1, -1, -1, -1}, 3000},       {{500, -1, -1, -1, -1}, 3000},
        {{429, -1, -1, 9000, -1}, 9000},   {{429, -1, -1, 1000, 9000}, 9000},
        {{429, -1, -1, -1, -1}, 15000},    {{429, -1, -1, 1000000000, -1}, 60000},
        {{200, 0, 150, 20000, -1}, 20000}, {{429, 0, 150, 20000, -1}, 20000},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store_limit limit = {0};

        assert_int_equal(store_limit_begin(&limit, 500), STORE_TURN_GO);
        store_limit_end(&limit, &cases[i].told, "it answers with an error", 500);
        print_message("case %zu\n", i);
        assert_int_equal(store_limit_begin(&limit, 500 + cases[i].again_ms - 1),
                         STORE_TURN_REFUSED);
        assert_int_equal(store_limit_begin(&limit, 500 + cases[i].again_ms), STORE_TURN_GO);
    }
}

static void test_at_once(void **unused)
{
    struct store_limit limit = {0};

    (void)unused;
    for (int i = 0; i < STORE_LIMIT_AT_ONCE; i++)
        assert_int_equal(store_limit_begin(&limit, 1000), STORE_TURN_GO);
    assert_int_equal(store_limit_begin(&limit, 9000), STORE_TURN_WAIT);
    store_limit_end(&limit, &plenty, "", 9000);
    assert_int_equal(store_limit_begin(&limit, 9000), STORE_TURN_GO);
}

#define OK                                                                                         \
    "200 OK\r\nX-Rate-Limit-Requests-Left: 900\r\nX-Rate-Limit-Requests-Quota: 1000\r\n"           \
    "X-Rate-Limit-Time-Reset-Ms: 30000\r\nContent-Type: application/json"

/* A configuration with one store at the server. */
static struct config config_at(struct config_store *store, int port)
{
    static char hash[] = "abc123", token[] = "sesame", none[] = "";
    struct config config = {.stores = store, .store_count = 1};

    *store = (struct config_store){
        .hash = hash, .token = token, .api_url = mem_printf("http://127.0.0.1:%d", port)};
    config.http.ca_file = config.http.proxy = none;
    return config;
}

static void test_answers(void **unused)
{
    static const struct {
        const char *head, *body;
        enum store_has has;
        int64_t modified_ms;
        int is_archived;
        const char *error;
    } cases[] = {
        {OK, "{\"id\":1042,\"date_modified\":\"Tue, 05 Mar 2019 21:40:11 +0000\"}", STORE_HAS,
         INT64_C(1551822011000), 0, ""},
        {OK, "{\"id\":1042, \"is_deleted\": true}", STORE_HAS, -1, 1, ""},
        {OK, "{\"id\":1042,\"date_modified\":7,\"is_deleted\":0}", STORE_HAS, -1, 0, ""},
        {OK, "{\"id\":1043}", STORE_SILENT, -1, 0, "its answer is not the order"},
        {OK, "{\"id\":\"1042\"}", STORE_SILENT, -1, 0, "its answer is not the order"},
        {OK, "[{\"id\":1042}]", STORE_SILENT, -1, 0, "its answer is not the order"},
        {OK, "<html>", STORE_SILENT, -1, 0, "its answer is not the order"},
        {OK, "", STORE_SILENT, -1, 0, "its answer is not the order"},
        {"404 Not Found", "[]", STORE_HAS_NOT, -1, 0, ""},
        {"401 Unauthorized", "", STORE_SILENT, -1, 0, "it answers HTTP 401"},
        {"503 Service Unavailable", "", STORE_SILENT, -1, 0, "it answers HTTP 503"},
        {"302 Found\r\nLocation: http://127.0.0.1:1/", "", STORE_SILENT, -1, 0,
         "it answers HTTP 302"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        static struct store_ask_group group;
        struct server server;
        struct config_store store;
        struct config config;
        struct store_ask *ask;
        struct store_order order;
        char *reply = mem_printf("HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", cases[i].head,
                                 strlen(cases[i].body), cases[i].body);

        server_start(&server, (const char *const *)&reply, 1);
        config = config_at(&store, server.port);
        store_ask_group_init(&group, &config);
        ask = store_ask_new(&group);
        store_ask_order(ask, &store, text_of("1042"), &order);
        print_message("%zu: %d %s\n", i, (int)order.has, order.error);
        assert_int_equal(order.has, cases[i].has);
        assert_int_equal(order.modified_ms, cases[i].modified_ms);
        assert_int_equal(order.is_archived, cases[i].is_archived);
        assert_string_equal(order.error, cases[i].error);
        assert_non_null(strstr(server.seen[0], "GET /stores/abc123/v2/orders/1042 HTTP/1.1\r\n"));
        assert_non_null(strstr(server.seen[0], "\r\nX-Auth-Token: sesame\r\n"));
        if (order.has != STORE_SILENT) { /* the server has no second reply: this one was kept */
            store_ask_order(ask, &store, text_of("1042"), &order);
            assert_int_equal(order.has, cases[i].has);
            assert_int_equal(order.modified_ms, cases[i].modified_ms);
        }
        store_ask_free(ask);
        store_ask_group_clear(&group);
        server_stop(&server);
        free(store.api_url);
        free(reply);
    }
}

/* One store that does not answer costs one question, not one for each order that is asked for. */
static void test_silent_store(void **unused)
{
    static const char *const script[] = {NULL, NULL, NULL, NULL};
    static struct store_ask_group group;
    struct server server;
    struct config_store store;
    struct config config;
    struct store_ask *ask;
    struct store_order order;

    (void)unused;
    server_start(&server, script, 4);
    config = config_at(&store, server.port);
    store_ask_group_init(&group, &config);
    ask = store_ask_new(&group);
    for (int i = 0; i < 20; i++) {
        char id[8];

        snprintf(id, sizeof(id), "%d", 1000 + i);
        store_ask_order(ask, &store, text_of(id), &order);
        assert_int_equal(order.has, STORE_SILENT);
        assert_true(order.error[0] != '\0');
    }
    assert_true(server.requests <= 2); /* libcurl may repeat a GET once */
    store.token = NULL;
    store_ask_order(ask, &store, text_of("7"), &order);
    assert_string_equal(order.error, "its token_file cannot be read");
    store_ask_free(ask);
    store_ask_group_clear(&group);
    server_stop(&server);
    free(store.api_url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),        cmocka_unit_test(test_again),
        cmocka_unit_test(test_at_once),      cmocka_unit_test(test_answers),
        cmocka_unit_test(test_silent_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
