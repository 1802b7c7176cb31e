/* test_answer.c - the console's answers: how `bigfusion` asks for them and prints them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/inspector/answer_print.h"
#include "../../services/inspector/console.h"
#include "http_server.h"

static const int64_t now_ms = INT64_C(1790000000000); /* 2026-09-21T14:13:20.000Z */

#define INDEX                                                                                      \
    "\"index\":{\"is_caught_up\":true,\"behind_s\":0.0,\"as_of\":\"2026-09-21T14:13:20.000Z\"}"

static json_t *read_json(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    assert_non_null(value);
    return value;
}

/* Compares what a printer says of an answer. */
static void check_text(const struct buffer *text, const char *wanted)
{
    assert_string_equal(text->data != NULL ? text->data : "", wanted);
}

static void test_why_status(void **state)
{
    static const struct {
        const char *answer;
        int status;
    } cases[] = {
        {"{\"orders\":[{\"verdict\":\"synced\"}]}", 0},
        {"{\"orders\":[{\"verdict\":\"waiting\"}]}", 10},
        {"{\"orders\":[{\"verdict\":\"retrying\"}]}", 11},
        {"{\"orders\":[{\"verdict\":\"skipped\"}]}", 12},
        {"{\"orders\":[{\"verdict\":\"dead\"}]}", 13},
        {"{\"orders\":[{\"verdict\":\"unknown\"}]}", 14},
        {"{\"orders\":[{\"verdict\":\"dead\"},{\"verdict\":\"synced\"}]}", 13},
        {"{\"orders\":[{\"verdict\":\"something\"}]}", 14},
        {"{\"orders\":[{\"verdict\":7}]}", 14},
        {"{\"orders\":[7]}", 14},
        {"{\"orders\":[]}", 14},
        {"{\"orders\":{}}", 14},
        {"{}", 14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *answer = read_json(cases[i].answer);

        print_message("%s\n", cases[i].answer);
        assert_int_equal(why_status(answer), cases[i].status);
        json_decref(answer);
    }
}

static const char retrying[] =
    "{\"orders\":[{\"order\":\"BC "
    "#1042\",\"key\":\"abc123/order/1042\",\"store\":\"abc123\",\"code\":"
    "\"BC\",\"verdict\":\"retrying\",\"reason\":\"retrying\",\"sentence\":\"Infusionsoft refused "
    "the "
    "contact for now.\",\"next\":{\"what\":\"The order is tried again\",\"at\":"
    "\"2026-09-21T14:13:32.500Z\"},\"account\":\"main\",\"infusionsoft\":null,\"goals\":[],"
    "\"history\":[{\"time\":\"2026-09-21T14:13:00.000Z\",\"stage\":\"raw\",\"topic\":"
    "\"bigfusion.orders.raw\",\"partition\":2,\"offset\":25,\"kind\":\"order\",\"source\":\"poll\"}"
    ","
    "{\"time\":\"2026-09-21T14:13:02.000Z\",\"stage\":\"retry-1m\",\"topic\":\"bigfusion.retry-"
    "1m\","
    "\"partition\":0,\"offset\":3,\"reason\":\"retrying\",\"detail\":\"contact: HTTP 500\","
    "\"attempt\":1,\"not_before\":\"2026-09-21T14:13:32.500Z\",\"taken_back\":true}]}]," INDEX "}";

static const char synced[] =
    "{\"orders\":[{\"order\":\"BC "
    "#7\",\"key\":\"abc123/order/7\",\"verdict\":\"synced\",\"reason\":"
    "null,\"sentence\":\"BC #7 is in Infusionsoft.\",\"next\":null,\"account\":\"main\","
    "\"infusionsoft\":{\"order_id\":\"977\",\"contact_id\":\"42\"},\"goals\":[{\"integration\":"
    "\"BCORDER\",\"call_name\":\"BC\",\"result\":\"achieved\"}],\"history\":[]}],\"index\":{"
    "\"is_caught_up\":false,\"behind_s\":65.5,\"as_of\":\"2026-09-21T14:13:20.000Z\"}}";

static void test_why_print(void **state)
{
    static const struct {
        const char *answer, *text;
    } cases[] = {
        {retrying,
         "BC #1042: Infusionsoft refused the contact for now.\n"
         "next: The order is tried again (in 12 s, at 2026-09-21T14:13:32.500Z)\n\n"
         "  order     BC #1042, record key abc123/order/1042\n"
         "  verdict   retrying retrying\n"
         "  account   main\n\n"
         "  2026-09-21T14:13:00.000Z  raw               bigfusion.orders.raw/2/25             "
         "source "
         "poll\n"
         "  2026-09-21T14:13:02.000Z  retry-1m          bigfusion.retry-1m/0/3                "
         "retrying; contact: HTTP 500; attempt 1; not before 2026-09-21T14:13:32.500Z; taken "
         "back\n\n"
         "as of 2026-09-21T14:13:20.000Z\n"},
        {synced,
         "BC #7 is in Infusionsoft.\n\n"
         "  order     BC #7, record key abc123/order/7\n"
         "  verdict   synced\n"
         "  account   main\n"
         "  there     order 977, contact 42\n"
         "  goal      BCORDER BC: achieved\n\n"
         "as of 2026-09-21T14:13:20.000Z; the console has not read everything yet, it is 1 min 5 s "
         "behind\n"},
        {"{\"orders\":[{\"order\":\"BC #7\",\"key\":\"k\",\"verdict\":\"synced\",\"sentence\":\"It "
         "is.\","
         "\"history\":[{\"time\":\"t\",\"stage\":\"delivered\",\"topic\":\"x\",\"partition\":0,"
         "\"offset\":1,"
         "\"order_id\":\"977\",\"in_doubt\":[\"BCORDER/BC\",\"BCSKU/"
         "A\"],\"kind\":\"withdrawn\",\"goals\":[{"
         "\"integration\":\"BCSKU\",\"call_name\":\"A\",\"attempts\":2,\"sent\":true},7],\"calls\":"
         "{\"x\":[]}}]}]}",
         "BC #7: It is.\n\n  order     BC #7, record key k\n  verdict   synced\n\n"
         "  t                         delivered         x/0/1                                 "
         "order 977; "
         "in doubt BCORDER/BC, BCSKU/A; withdrawn\n"
         "                            goals: integration BCSKU; call name A; attempts 2; sent\n"
         "                            goals: 7\n"
         "                            calls: x \n\n"},
        {"{\"orders\":[]}", "No such order is known.\n"},
        {"{\"orders\":[{\"order\":7,\"sentence\":null,\"history\":[{}],\"goals\":7,\"next\":\"\"}]"
         "}",
         "\n\n  order     , record key \n  verdict   \n\n"
         "                                              /-1/-1\n\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *answer = read_json(cases[i].answer);
        struct buffer text = {0};

        why_print(answer, now_ms, &text);
        check_text(&text, cases[i].text);
        buffer_clear(&text);
        json_decref(answer);
    }
}

static void test_orders_print(void **state)
{
    json_t *answer = read_json(
        "{\"total\":3,\"counts\":{\"queued\":2,\"retrying\":1},\"orders\":[{\"order\":\"BC "
        "#1\",\"key\":"
        "\"abc123/order/1\",\"verdict\":\"waiting\",\"reason\":\"queued\",\"stage\":\"eligible\","
        "\"since\":\"2026-09-21T14:13:00.000Z\",\"age_s\":20.4,\"detail\":null,\"next_try\":null},{"
        "\"order\":\"BC "
        "#2\",\"key\":\"abc123/order/2\",\"reason\":\"retrying\",\"stage\":\"retry-1m\","
        "\"age_s\":3,\"detail\":\"HTTP 500\",\"next_try\":\"2026-09-21T14:14:00.000Z\"}],\"next\":"
        "\"x\"," INDEX "}");
    json_t *none = read_json("{\"total\":0,\"counts\":{},\"orders\":[],\"next\":null}");
    struct buffer text = {0};

    (void)state;
    orders_print(answer, 1, &text);
    orders_print_end(answer, 2, &text);
    check_text(
        &text,
        "ORDER          KEY                        STAGE              REASON                 "
        "AGE            DETAIL\n"
        "BC #1          abc123/order/1             eligible           queued                 "
        "20 s\n"
        "BC #2          abc123/order/2             retry-1m           retrying               "
        "3 s            HTTP 500; next try 2026-09-21T14:14:00.000Z\n"
        "3 orders: queued 2, retrying 1; the first 2 are listed\n"
        "as of 2026-09-21T14:13:20.000Z\n");
    buffer_reset(&text);
    orders_print(none, 1, &text);
    orders_print_end(none, 0, &text);
    check_text(&text, "0 orders\n");
    buffer_clear(&text);
    json_decref(none);
    json_decref(answer);
}

static void test_status_print(void **state)
{
    json_t *answer = read_json(
        "{\"stages\":[{\"service\":\"pusher\",\"stage\":\"payloads\",\"members\":2,\"lag_records\":"
        "5,"
        "\"lag_s\":1.25,\"oldest\":\"2026-09-21T14:13:18.750Z\",\"in_s\":1.5,\"done_s\":2},{"
        "\"service\":"
        "\"pusher\",\"stage\":\"retry-1m\",\"members\":2,\"lag_records\":0,\"lag_s\":null,"
        "\"oldest\":"
        "null,\"in_s\":0,\"done_s\":0}],\"stores\":[{\"code\":\"BC\",\"hash\":\"abc123\","
        "\"read_up_to\":\"2026-09-21T14:13:10.000Z\",\"last_poll\":\"2026-09-21T14:13:10.000Z\","
        "\"next_poll\":\"2026-09-21T14:13:40.000Z\",\"quota_left\":149,\"trouble\":null}],"
        "\"accounts\":[{\"name\":\"main\",\"state\":\"closed\",\"since\":\"2026-09-21T14:12:20."
        "000Z\","
        "\"why\":\"HTTP "
        "401\",\"waiting\":12}],\"fates\":{\"last_hour\":{\"delivered\":7,\"skipped\":0,"
        "\"dead\":0},\"total\":{\"delivered\":70,\"skipped\":{\"status\":3,\"no_email\":1},"
        "\"dead\":0}},"
        "\"alarms\":[\"one\",{\"name\":\"two\"}]," INDEX "}");
    json_t *empty = read_json("{}");
    struct buffer text = {0};

    (void)state;
    status_answer_print(answer, now_ms, &text);
    check_text(&text, "SERVICE  MEMBERS  STAGE                           LAG     LAG/S  OLDEST     "
                      "           IN/S  "
                      "  DONE/S\n"
                      "pusher   2        payloads                          5       1.2  1 s ago    "
                      "            1.5  "
                      "     2.0\n"
                      "                  retry-1m                          0         -  -          "
                      "            0.0  "
                      "     0.0\n"
                      "\nfates of orders         last hour       in all\n"
                      "  delivered                     7           70\n"
                      "  skipped                       0            4 (status 3, no_email 1)\n"
                      "  dead                          0            0\n"
                      "\nSTORE        HASH         READ UP TO         LAST POLL          NEXT POLL "
                      "         QUOTA "
                      "LEFT TROUBLE\n"
                      "BC           abc123       10 s ago           10 s ago           in 20 s     "
                      "       149      "
                      "  none\n"
                      "\nACCOUNT      STATE    SINCE                 WAITING  WHY\n"
                      "main         closed   1 min 0 s ago              12  HTTP 401\n"
                      "\nalarms: \n  one\n  two\n\nas of 2026-09-21T14:13:20.000Z\n");
    buffer_reset(&text);
    status_answer_print(empty, now_ms, &text);
    assert_non_null(strstr(text.data, "alarms: none"));
    buffer_clear(&text);
    json_decref(empty);
    json_decref(answer);
}

static void test_argument(void **state)
{
    struct buffer path = {0};

    (void)state;
    buffer_printf(&path, "/x");
    console_add_argument(&path, "none", NULL);
    console_add_argument(&path, "order", "BC #1/ä&");
    console_add_argument(&path, "empty", "");
    assert_string_equal(path.data, "/x?order=BC%20%231%2F%C3%A4%26&empty=");
    buffer_clear(&path);
}

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void test_ask(void **state)
{
    static const struct {
        const char *reply;
        enum error_kind kind; /* ERROR_NONE: an answer */
        const char *says, *code;
    } cases[] = {
        {OK "Content-Length: 11\r\n\r\n{\"total\":1}", ERROR_NONE, NULL, ""},
        {OK "Content-Length: 2\r\n\r\n[]", ERROR_PERMANENT, "is it bigfusion-console?", ""},
        {OK "Content-Length: 1\r\n\r\n{", ERROR_PERMANENT, "is it bigfusion-console?", ""},
        {"HTTP/1.1 400 Bad Request\r\nContent-Length: 46\r\n\r\n"
         "{\"error\":\"no store has that\",\"code\":\"unknown\"}",
         ERROR_PERMANENT, "no store has that", "unknown"},
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}", ERROR_PERMANENT, "token_file",
         ""},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 34\r\n\r\n"
         "{\"error\":\"busy\",\"code\":\"overload\"}",
         ERROR_TEMPORARY, "busy", "overload"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", ERROR_PERMANENT, "HTTP 404",
         ""},
        {NULL, ERROR_TEMPORARY, "no console answers at http://127.0.0.1:", ""},
    };
    static char token[] = "sesame", none[] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config config = {0};
        struct server server;
        struct error err = {0};
        struct console *console;
        json_t *answer;

        server_start(&server, &cases[i].reply, 1);
        config.console.url = mem_printf("http://127.0.0.1:%d", server.port);
        config.console.token = token;
        config.http.ca_file = config.http.proxy = none;
        console = console_new(&config, 5000, "do something else");
        answer = console_ask(console, "/api/v1/x?y=1", NULL, &err);
        print_message("%zu: %s\n", i, err.text);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(answer != NULL, err.kind == ERROR_NONE);
        if (cases[i].says != NULL)
            assert_non_null(strstr(err.text, cases[i].says));
        if (cases[i].reply == NULL)
            assert_non_null(strstr(err.text, "; do something else"));
        assert_string_equal(console_error_code(console), cases[i].code);
        assert_int_equal(strncmp(server.seen[0], "GET /api/v1/x?y=1 HTTP/1.1\r\n", 28), 0);
        assert_non_null(strstr(server.seen[0], "\r\nAuthorization: Bearer sesame\r\n"));
        json_decref(answer);
        console_free(console);
        server_stop(&server);
        free(config.console.url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_why_status),   cmocka_unit_test(test_why_print),
        cmocka_unit_test(test_orders_print), cmocka_unit_test(test_status_print),
        cmocka_unit_test(test_argument),     cmocka_unit_test(test_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
