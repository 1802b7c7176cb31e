/* Who may ask the console for what, and which requests it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/console/files.h"
#include "../../services/console/guard.h"
#include "../../services/console/request.h"
#include "../../services/console/routes.h"

#define HERE "127.0.0.1:9180"
#define RIGHT "Bearer sesame"

static const struct {
    const char *name;
    int is_loopback;
    const char *token;
    enum guard_need need;
    struct guard_headers headers;
    const char *code; /* NULL: it may go on */
} cases[] = {
    {"reading on loopback is free", 1, NULL, GUARD_READ, {.host = HERE}, NULL},
    {"a name of this machine", 1, NULL, GUARD_READ, {.host = "localhost:9180"}, NULL},
    {"IPv6", 1, NULL, GUARD_READ, {.host = "[::1]:9180"}, NULL},
    {"a rebound name", 1, NULL, GUARD_READ, {.host = "evil.example:9180"}, "wrong_host"},
    {"a rebound name and a file", 1, NULL, GUARD_OPEN, {.host = "evil.example"}, "wrong_host"},
    {"a name like an address",
     1,
     NULL,
     GUARD_READ,
     {.host = "127.0.0.1.evil.example"},
     "wrong_host"},
    {"a name like localhost",
     1,
     NULL,
     GUARD_READ,
     {.host = "localhost.evil.example"},
     "wrong_host"},
    {"no port but text", 1, NULL, GUARD_READ, {.host = "localhost:80@evil"}, "wrong_host"},
    {"an empty host", 1, NULL, GUARD_READ, {.host = ""}, "wrong_host"},
    {"a foreign page reads",
     1,
     NULL,
     GUARD_READ,
     {.host = HERE, .fetch_site = "cross-site"},
     "other_site"},
    {"our page reads", 1, NULL, GUARD_READ, {.host = HERE, .fetch_site = "same-origin"}, NULL},
    {"a person opens a url", 1, NULL, GUARD_READ, {.host = HERE, .fetch_site = "none"}, NULL},
    {"another port of this machine",
     1,
     NULL,
     GUARD_READ,
     {.host = HERE, .fetch_site = "same-site"},
     "other_site"},
    {"an old browser, foreign page",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE, .origin = "http://evil.example", .authorization = RIGHT},
     "other_site"},
    {"an old browser, our page",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE, .origin = "http://" HERE, .authorization = RIGHT},
     NULL},
    {"a sandboxed page", 1, NULL, GUARD_READ, {.host = HERE, .origin = "null"}, "other_site"},
    {"an act where no token is", 1, NULL, GUARD_ACT, {.host = HERE}, "read_only"},
    {"an act where the token is empty",
     1,
     "",
     GUARD_ACT,
     {.host = HERE, .authorization = "Bearer "},
     "read_only"},
    {"an act without token", 1, "sesame", GUARD_ACT, {.host = HERE}, "token_needed"},
    {"an act with a wrong token",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE, .authorization = "Bearer sesamf"},
     "token_wrong"},
    {"an act with a part of the token",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE, .authorization = "Bearer sesam"},
     "token_wrong"},
    {"an act with another scheme",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE, .authorization = "Basic sesame"},
     "token_wrong"},
    {"an act that is no JSON",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE, .authorization = RIGHT, .has_body = 1, .content_type = "text/plain"},
     "not_json"},
    {"an act",
     1,
     "sesame",
     GUARD_ACT,
     {.host = HERE,
      .authorization = "bearer sesame",
      .has_body = 1,
      .content_type = "application/json; charset=utf-8"},
     NULL},
    {"reading from elsewhere", 0, "sesame", GUARD_READ, {.host = "console:9180"}, "token_needed"},
    {"reading from elsewhere with the token",
     0,
     "sesame",
     GUARD_READ,
     {.host = "console:9180", .authorization = RIGHT},
     NULL},
    {"reading from elsewhere where no token is",
     0,
     NULL,
     GUARD_READ,
     {.host = "console:9180"},
     "closed"},
    {"the page from elsewhere", 0, NULL, GUARD_OPEN, {.host = "console:9180"}, NULL},
};

static void test_guard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard guard = {cases[i].is_loopback, cases[i].token};
        const struct guard_refusal *refusal = guard_check(&guard, cases[i].need, &cases[i].headers);
        const char *code = refusal == NULL ? "(allowed)" : refusal->code;

        if (strcmp(code, cases[i].code == NULL ? "(allowed)" : cases[i].code) != 0)
            fail_msg("%s: %s", cases[i].name, code);
    }
}

static void test_arguments(void **state)
{
    static const struct {
        const char *value;
        size_t length;
        int is_taken;
    } values[] = {
        {"BC/1042", 7, 1},
        {"", 0, 1},
        {"B\xc3\xbc", 3, 1},
        {"a\0b", 3, 0},
        {"a\nb", 3, 0},
        {"\x7f", 1, 0},
        {"\xc3", 1, 0},
        {"\xed\xa0\x80", 3, 0},
        {"\xc0\xaf", 2, 0},
        {"\xff", 1, 0},
        {"\xe2\x82", 2, 0},
        {"\xf4\x90\x80\x80", 4, 0},
        {"\xf0\x9f\x98\x80", 4, 1},
    };
    struct request request = {0};
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        request = (struct request){0};
        if ((request_add_argument(&request, "order", values[i].value, values[i].length, &why) ==
             0) != values[i].is_taken)
            fail_msg("value %zu", i);
        assert_int_equal(request.argument_count, values[i].is_taken);
        assert_true((why == NULL) == values[i].is_taken);
    }
    request = (struct request){0};
    assert_int_equal(request_add_argument(&request, "a", "1", 1, &why), 0);
    assert_int_equal(request_add_argument(&request, "a", "2", 1, &why), -1);
    assert_string_equal(request_argument(&request, "a"), "1");
    assert_null(request_argument(&request, "b"));
}

static void test_errors_are_json(void **state)
{
    struct reply reply = {0};

    (void)state;
    reply_error(&reply, 400, "bad", "%s", "a \"quoted\" \xff text");
    assert_string_equal(reply.body.data,
                        "{\"error\":\"a \\\"quoted\\\" ? text\",\"code\":\"bad\"}\n");
    assert_int_equal(reply.status, 400);
    buffer_clear(&reply.body);
}

static void test_routes_and_files(void **state)
{
    static const serve_answer none[ROUTE_COUNT];
    struct serve_route routes[ROUTE_COUNT];
    const struct file *description = file_find("/api/v1/openapi.json");

    (void)state;
    routes_make(routes, none);
    for (int i = 0; i < ROUTE_COUNT; i++) {
        char *text = mem_strndup((const char *)description->data, description->length);
        char *quoted = mem_printf("\"%s\": {", routes[i].path);

        if (strstr(text, quoted) == NULL)
            fail_msg("openapi.json does not have %s", routes[i].path);
        free(quoted);
        free(text);
    }
    assert_null(file_find("/../console.js"));
    assert_string_not_equal(file_tag(file_find("/console.js")), file_tag(file_find("/chart.js")));
    assert_int_equal(strlen(file_tag(file_find("/chart.js"))), 34);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_errors_are_json),
        cmocka_unit_test(test_routes_and_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
