/* test_infusionsoft.c - the account's client against a scripted server: what a good answer must
 * hold before it says anything, and what its errors say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "infusionsoft/infusionsoft.h"
#include "infusionsoft/measure.h"
#include "http_server.h"

struct side {
    struct server server;
    struct config_account account;
    struct http *http;
    struct infusionsoft *client;
};

static void side_open(struct side *side, const char *const *script, int count, int64_t timeout_ms)
{
    struct infusionsoft_settings settings = {.account = &side->account, .timeout_ms = timeout_ms};

    memset(&side->account, 0, sizeof(side->account));
    server_start(&side->server, script, count);
    side->account.name = mem_strdup("main");
    side->account.key = mem_strdup("KeapAK-secret");
    side->account.api_url = mem_printf("http://127.0.0.1:%d/crm/rest/v2", side->server.port);
    settings.http = side->http = http_new("test", NULL);
    side->client = infusionsoft_new(&settings);
}

static void side_close(struct side *side)
{
    infusionsoft_free(side->client);
    http_free(side->http);
    server_stop(&side->server);
    free(side->account.name);
    free(side->account.key);
    free(side->account.api_url);
}

/* A whole answer, new. */
static char *answer(int status, const char *body)
{
    return mem_printf("HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
}

/* Asks once, and fails unless what came of it is a temporary error, or OK where text is NULL. */
static void judge(const char *name, const struct infusionsoft *client, const char *text)
{
    const struct infusionsoft_answer *answer = infusionsoft_answer(client);

    if (text == NULL) {
        if (answer->outcome != INFUSIONSOFT_OK || answer->error.kind != ERROR_NONE)
            fail_msg("%s: %s", name, answer->error.text);
    } else if (answer->outcome != INFUSIONSOFT_IN_DOUBT || answer->error.kind != ERROR_TEMPORARY ||
               strcmp(answer->error.text, text) != 0) {
        fail_msg("%s: outcome %d, \"%s\" instead of \"%s\"", name, (int)answer->outcome,
                 answer->error.text, text);
    }
}

#define LIST "infusionsoft GET /orders: HTTP 200 "

static void a_list_is_there_or_nothing_is_said(void **state)
{
    static const struct {
        const char *body;
        const char *text; /* NULL: it is a list */
        int count;
    } cases[] = {
        {"{\"orders\":[]}", NULL, 0},
        {"{\"orders\":[{\"id\":\"1\"},{\"id\":2}],\"next_page_token\":null}", NULL, 2},
        {"{\"next_page_token\":\"x\",\"orders\":[{\"id\":\"1\"}]}", NULL, 1},
        {"", LIST "without the list \"orders\"", 0},
        {"{}", LIST "without the list \"orders\"", 0},
        {"{\"orders\":null}", LIST "without the list \"orders\"", 0},
        {"{\"orders\":{}}", LIST "without the list \"orders\"", 0},
        {"{\"orders\":\"\"}", LIST "without the list \"orders\"", 0},
        {"{\"contacts\":[]}", LIST "without the list \"orders\"", 0},
        {"{\"data\":{\"orders\":[]}}", LIST "without the list \"orders\"", 0},
        {"[]", LIST "with an unreadable answer", 0},
        {"null", LIST "with an unreadable answer", 0},
        {"{\"orders\":[{\"id\":\"1\"}", LIST "with an unreadable answer", 0},
        {"{\"orders\":[{}]}", LIST "with an item without an id in \"orders\"", 0},
        {"{\"orders\":[null]}", LIST "with an item without an id in \"orders\"", 0},
        {"{\"orders\":[{\"id\":\"1\"},7]}", LIST "with an item without an id in \"orders\"", 0},
        {"{\"orders\":[{\"id\":\"\"}]}", LIST "with an item without an id in \"orders\"", 0},
        {"{\"orders\":[{\"id\":[1]}]}", LIST "with an item without an id in \"orders\"", 0},
        {"{\"orders\":[],\"next_page_token\":7}", LIST "with a next_page_token that is no text", 0},
        {"{\"orders\":[],\"next_page_token\":{}}", LIST "with a next_page_token that is no text",
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *script = answer(200, cases[i].body);
        struct side side;
        yyjson_val *list = NULL;

        side_open(&side, (const char *const *)&script, 1, 3000);
        if (infusionsoft_call(side.client, "GET", "/orders", "page_size=1", (struct text){0}) ==
            INFUSIONSOFT_OK)
            list = infusionsoft_list(side.client, "orders");
        judge(cases[i].body, side.client, cases[i].text);
        if ((list != NULL) != (cases[i].text == NULL) ||
            (int)yyjson_arr_size(list) != cases[i].count)
            fail_msg("%s: list of %zu", cases[i].body, yyjson_arr_size(list));
        side_close(&side);
        free(script);
    }
}

static void what_was_made_has_an_id(void **state)
{
    static const struct {
        const char *body, *id;
    } cases[] = {
        {"{\"id\":\"77\"}", "77"},
        {"{\"id\":77}", "77"},
        {"{\"id\":null}", NULL},
        {"{\"id\":\"\"}", NULL},
        {"{}", NULL},
        {"", NULL},
        {"{\"id\":{\"id\":7}}", NULL},
        {"{\"data\":{\"id\":\"7\"}}", NULL},
        {"{\"id\":\"a text that is longer than any id there is\"}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *script = answer(201, cases[i].body), id[32];
        struct side side;
        const char *found;

        side_open(&side, (const char *const *)&script, 1, 3000);
        infusionsoft_call(side.client, "POST", "/orders", NULL, text_of("{}"));
        found = infusionsoft_object_id(side.client, id);
        judge(cases[i].body, side.client,
              cases[i].id != NULL ? NULL : "infusionsoft POST /orders: HTTP 201 without an id");
        if ((found == NULL) != (cases[i].id == NULL) ||
            (found != NULL && strcmp(found, cases[i].id) != 0))
            fail_msg("%s: id %s", cases[i].body, found);
        side_close(&side);
        free(script);
    }
}

#define FIELD(label, type)                                                                         \
    "{\"id\":\"5\",\"label\":" label ",\"field_type\":" type ",\"field_name\":\"_Key\"}"
#define MODEL "infusionsoft GET /orders/model: HTTP 200 "

static void the_field_is_there_or_known_to_be_missing(void **state)
{
    static const struct {
        const char *body, *text, *id;
    } cases[] = {
        {"{\"custom_fields\":[]}", NULL, ""},
        {"{\"custom_fields\":[" FIELD("\"Other\"", "\"TEXT\"") "]}", NULL, ""},
        {"{\"custom_fields\":[" FIELD("\"BigCommerce Order\"", "\"DATE\"") "]}", NULL, ""},
        {"{\"custom_fields\":[" FIELD("\"BigCommerce Order\"", "\"TEXT\"") "]}", NULL, "5"},
        {"{\"custom_fields\":[" FIELD("7", "\"TEXT\"") "," FIELD("\"BigCommerce Order\"",
                                                                 "\"TEXT\"") "]}",
         NULL, "5"},
        {"{\"custom_fields\":[" FIELD("null", "\"TEXT\"") "]}",
         MODEL "with a custom field without its name", ""},
        {"{\"custom_fields\":[{}]}", MODEL "with an item without an id in \"custom_fields\"", ""},
        {"{\"custom_fields\":null}", MODEL "without the list \"custom_fields\"", ""},
        {"{\"fields\":[]}", MODEL "without the list \"custom_fields\"", ""},
        {"{}", MODEL "without the list \"custom_fields\"", ""},
        {"", MODEL "without the list \"custom_fields\"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *script = answer(200, cases[i].body);
        struct infusionsoft_field field;
        struct side side;

        side_open(&side, (const char *const *)&script, 1, 3000);
        infusionsoft_find_field(side.client, &field);
        judge(cases[i].body, side.client, cases[i].text);
        if (strcmp(field.id, cases[i].id) != 0)
            fail_msg("%s: field %s", cases[i].body, field.id);
        side_close(&side);
        free(script);
    }
}

static void a_user_or_tenant_that_is_not_told_is_no_other_one(void **state)
{
    static const struct {
        const char *body, *tenant;
        enum infusionsoft_outcome user;
        enum error_kind kind;
    } cases[] = {
        {"{\"sub\":\"1\",\"tenant_id\":\"ab1\"}", "ab1", INFUSIONSOFT_OK, ERROR_NONE},
        {"{\"email\":\"x\",\"tenant_id\":\"ab2\"}", "ab1", INFUSIONSOFT_OK, ERROR_PERMANENT},
        {"{\"id\":\"1\"}", "ab1", INFUSIONSOFT_OK, ERROR_TEMPORARY},
        {"{\"id\":\"1\"}", "", INFUSIONSOFT_OK, ERROR_NONE},
        {"{\"data\":{\"id\":\"1\"}}", "ab1", INFUSIONSOFT_IN_DOUBT, ERROR_TEMPORARY},
        {"{}", "ab1", INFUSIONSOFT_IN_DOUBT, ERROR_TEMPORARY},
        {"", "ab1", INFUSIONSOFT_IN_DOUBT, ERROR_TEMPORARY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *script = answer(200, cases[i].body);
        struct error err = {0};
        struct side side;

        side_open(&side, (const char *const *)&script, 1, 3000);
        side.account.tenant = mem_strdup(cases[i].tenant);
        infusionsoft_call(side.client, "GET", "/oauth/connect/userinfo", NULL, (struct text){0});
        if (infusionsoft_check_user(side.client) != cases[i].user)
            fail_msg("%s: user", cases[i].body);
        infusionsoft_check_tenant(side.client, &err);
        if (err.kind != cases[i].kind)
            fail_msg("%s: %s", cases[i].body, err.text);
        side_close(&side);
        free(side.account.tenant);
        free(script);
    }
}

/* The request is named once, by its path under the API's base, whatever went wrong. */
static void errors_name_the_request_once(void **state)
{
    static const struct {
        const char *name, *script;
        int64_t timeout_ms;
        const char *text; /* or its beginning: libcurl has words of its own */
    } cases[] = {
        {"refused", "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n", 3000,
         "infusionsoft POST /orders: HTTP 400"},
        {"down", "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", 3000,
         "infusionsoft POST /orders: HTTP 503"},
        {"no answer", NULL, 3000, "infusionsoft POST /orders: "},
        {"half an answer", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{",
         3000, "infusionsoft POST /orders: "},
        {"too late", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 100,
         "infusionsoft POST /orders: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        /* a server that waits for one more request keeps the connection open */
        const char *const script[] = {cases[i].script, NULL};
        struct side side;
        const char *text;

        side_open(&side, script, cases[i].timeout_ms < 3000 ? 2 : 1, cases[i].timeout_ms);
        infusionsoft_call(side.client, "POST", "/orders", "email=x", text_of("{}"));
        text = infusionsoft_answer(side.client)->error.text;
        if (strncmp(text, cases[i].text, strlen(cases[i].text)) != 0 || strstr(text, "/crm") ||
            strstr(text + 17, "POST") || strstr(text, "email") || text[strlen(text) - 1] == ' ')
            fail_msg("%s: %s", cases[i].name, text);
        side_close(&side);
    }
}

static int setup(void **state)
{
    struct error err = {0};

    (void)state;
    return http_global_init(&err);
}

static int teardown(void **state)
{
    (void)state;
    http_global_cleanup();
    return 0;
}

/* Labels have few values, whatever ids are in a path and whatever a server answers. */
static void calls_are_counted_under_few_words(void **state)
{
    static const struct {
        const char *path;
        const char *object;
    } paths[] = {
        {"/orders", "orders"},
        {"/orders/977", "orders"},
        {"/orders/977/payments", "payments"},
        {"/orders/model/customFields", "orders"},
        {"/contacts/42/tags", "contacts"},
        {"/automations/goals/achieve", "goals"},
        {"/oauth/connect/userinfo", "user"},
        {"/order", "other"},
        {"", "other"},
    };
    static const struct {
        int status;
        const char *word;
    } statuses[] = {{0, "none"},  {200, "2xx"}, {204, "2xx"},  {404, "4xx"}, {429, "429"},
                    {503, "5xx"}, {99, "none"}, {600, "none"}, {-1, "none"}};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_string_equal(measure_object(paths[i].path), paths[i].object);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        assert_string_equal(measure_status(statuses[i].status), statuses[i].word);
}

/* Attack 9: of an answer only status, error word and names of our members are told; whatever else stands there may be a name. */
static void test_attack_9_answer_word(void **state)
{
    static const struct {
        int status;
        const char *body, *word;
    } cases[] = {
        {500, "{\"code\":500,\"status\":\"INTERNAL\",\"message\":\"Ann Lee\"}",
         "HTTP 500 INTERNAL"},
        {400, "{\"status\":\"INVALID_ARGUMENT\",\"details\":[]}", "HTTP 400 INVALID_ARGUMENT"},
        {429, "{\"fault\":{\"detail\":{\"errorcode\":\"policies.ratelimit.QuotaViolation\"}}}",
         "HTTP 429 policies.ratelimit.QuotaViolation"},
        {400, "{\"status\":\"Ann\"}", "HTTP 400"},
        {400, "{\"status\":\"ann@shop.example\"}", "HTTP 400"},
        {400, "{\"status\":\"A B\"}", "HTTP 400"},
        {400, "{\"status\":\"+49301234\"}", "HTTP 400"},
        {400, "{\"status\":7}", "HTTP 400"},
        {400,
         "{\"message\":\"OTHER Line1 (too long) of Ann Lee, +49 30 1234, ann%40shop.example\"}",
         "HTTP 400 fields=other,line1"},
        {422, "{\"given_name\":\"Ann\",\"m\":\"ann\\u0040shop.example given_name\"}",
         "HTTP 422 fields=given_name"},
        {200, "{\"given_name\":\"Ann\"}", "HTTP 200"},
        {502, "<html>Ann</html>", "HTTP 502"},
        {503, "", "HTTP 503"},
        {0, "", "no answer"},
    };
    static const struct config_account account = {.name = "main"};
    struct infusionsoft *client =
        infusionsoft_new(&(struct infusionsoft_settings){.account = &account});
    char word[96];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        infusionsoft_feed(client, "POST /orders", cases[i].status, (struct text){"", 0},
                          text_of(cases[i].body));
        assert_string_equal(infusionsoft_answer_word(client, word, sizeof(word)), cases[i].word);
    }
    infusionsoft_free(client);
}

static void only_digits_are_an_id(void **state)
{
    static const struct {
        const char *json, *id;
    } cases[] = {
        {"{\"id\":\"42\"}", "42"},
        {"{\"id\":42}", "42"},
        {"{\"id\":\"18446744073709551615\"}", "18446744073709551615"},
        {"{\"id\":\"184467440737095516150\"}", ""}, /* too long */
        {"{\"id\":\"\"}", ""},
        {"{\"id\":\"42/../../users\"}", ""},
        {"{\"id\":\"42?a=b\"}", ""},
        {"{\"id\":\"4 2\"}", ""},
        {"{\"id\":\"42\\u0000\"}", ""},
        {"{\"id\":\"42\\n\"}", ""},
        {"{\"id\":\"\xd9\xa4\xd9\xa2\"}", ""}, /* Arabic digits */
        {"{\"id\":\"-42\"}", ""},
        {"{\"id\":-42}", ""},
        {"{\"id\":4.2}", ""},
        {"{\"id\":1e300}", ""},
        {"{\"id\":true}", ""},
        {"{\"id\":null}", ""},
        {"{\"id\":[42]}", ""},
        {"{\"id\":{\"id\":42}}", ""},
        {"{}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        yyjson_doc *doc = yyjson_read(cases[i].json, strlen(cases[i].json), 0);
        char id[32];

        if (strcmp(infusionsoft_id(yyjson_doc_get_root(doc), id), cases[i].id) != 0)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].json, id, cases[i].id);
        yyjson_doc_free(doc);
    }
    assert_true(infusionsoft_is_id("7", 1));
    assert_false(infusionsoft_is_id("7/x", 3));
    assert_false(infusionsoft_is_id("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_there_or_nothing_is_said),
        cmocka_unit_test(what_was_made_has_an_id),
        cmocka_unit_test(only_digits_are_an_id),
        cmocka_unit_test(the_field_is_there_or_known_to_be_missing),
        cmocka_unit_test(a_user_or_tenant_that_is_not_told_is_no_other_one),
        cmocka_unit_test(errors_name_the_request_once),
        cmocka_unit_test(calls_are_counted_under_few_words),
        cmocka_unit_test(test_attack_9_answer_word),
    };

    return cmocka_run_group_tests_name("infusionsoft", tests, setup, teardown);
}
