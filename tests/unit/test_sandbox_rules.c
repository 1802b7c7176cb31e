/* The pure rules of the sandbox: dates, quotas, faults, bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "blank.h"
#include "dates.h"
#include "faults.h"
#include "limits.h"
#include "infusionsoft/schema.h"

static void dates_of_both_vendors_are_read(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t seconds;
    } cases[] = {
        {"Tue, 05 Mar 2019 21:40:11 +0000", 0, 1551822011},
        {"Tue, 05 Mar 2019 23:40:11 +0200", 0, 1551822011},
        {"2019-03-05T21:40:11Z", 0, 1551822011},
        {"2019-03-05T16:40:11.000-05:00", 0, 1551822011},
        {"2019-03-05T21:40:11", 0, 1551822011},
        {"2019-03-05", 0, 1551744000},
        {"2019-03-05T16:40:11.000 05:00", -1, 0},
        {"Tue, 05 Mar 2019 21:40:11  0000", -1, 0},
        {"yesterday", -1, 0},
        {"", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = 0;
        if (date_parse(cases[i].text, &seconds) != cases[i].result || seconds != cases[i].seconds)
            fail_msg("%s gives %lld", cases[i].text, (long long)seconds);
    }
}

static void account_times_need_a_zone(void **state)
{
    char text[DATE_SIZE];
    int64_t ms;

    (void)state;
    assert_int_equal(date_parse_iso("2019-03-05T21:40:11.5Z", &ms), 0);
    assert_string_equal(date_iso(text, ms), "2019-03-05T21:40:11.500Z");
    assert_int_equal(date_parse_iso("2019-03-05T21:40:11", &ms), -1);
    assert_int_equal(date_parse_iso("Tue, 05 Mar 2019 21:40:11 +0000", &ms), -1);
}

static void windows_roll(void **state)
{
    struct limits_used quota = {0};
    struct limits limits = {2, 3, 4};

    (void)state;
    assert_int_equal(limits_take(&quota, &limits, 0), LIMITS_OK);
    assert_int_equal(limits_take(&quota, &limits, 500), LIMITS_OK);
    assert_int_equal(limits_take(&quota, &limits, 900), LIMITS_SPIKE);
    assert_int_equal(limits_take(&quota, &limits, 1000), LIMITS_OK);
    assert_int_equal(limits_take(&quota, &limits, 5000), LIMITS_MINUTE);
    assert_int_equal(limits_take(&quota, &limits, 60000), LIMITS_OK);
    assert_int_equal(limits_take(&quota, &limits, 130000), LIMITS_DAY);
    assert_int_equal(quota.accepted, 4);
    assert_int_equal(quota.refused, 3);
    limits_clear(&quota);
}

static void a_store_counts_by_windows_of_30_s(void **state)
{
    struct limits_fixed quota = {0};
    int64_t reset_ms;
    int left;

    (void)state;
    assert_int_equal(limits_fixed_take(&quota, 2, 1000, &left, &reset_ms), 0);
    assert_int_equal(left, 1);
    assert_int_equal(limits_fixed_take(&quota, 2, 11000, &left, &reset_ms), 0);
    assert_int_equal(reset_ms, 20000);
    assert_int_equal(limits_fixed_take(&quota, 2, 12000, &left, &reset_ms), -1);
    assert_int_equal(limits_fixed_take(&quota, 2, 31000, &left, &reset_ms), 0);
}

static void a_fault_meets_the_requests_it_names(void **state)
{
    struct faults faults = {0};
    struct request request = {0};
    char message[256];
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:i,s:i}", "side", "is", "method", "POST", "path",
                             "/orders", "kind", "drop_after", "every", 2, "count", 2);
    int fired = 0;

    (void)state;
    assert_int_equal(faults_add(&faults, json, message, sizeof message), 1);
    json_decref(json);
    request_open(&request, "POST", "/crm/rest/v2/orders");
    assert_null(faults_meet(&faults, SIDE_BIGCOMMERCE, &request, "/orders", ""));
    assert_null(faults_meet(&faults, SIDE_INFUSIONSOFT, &request, "/contacts", ""));
    for (int i = 0; i < 10; i++)
        fired += faults_meet(&faults, SIDE_INFUSIONSOFT, &request, "/orders", "") != NULL;
    assert_int_equal(fired, 2);
    json = json_pack("{s:s,s:i}", "kind", "status", "colour", 3);
    assert_int_equal(faults_add(&faults, json, message, sizeof message), -1);
    assert_string_equal(message, "Unrecognized property: colour");
    json_decref(json);
    request_close(&request);
    faults_clear(&faults);
}

static void a_blank_answer_says_nothing_of_what_was_asked(void **state)
{
    static const char list[] = "{\"next_page_token\":\"x\",\"orders\":[{\"id\":\"1\"}]}";
    static const struct {
        enum blank blank;
        int status;
        const char *body;
        int wanted_status;
        const char *wanted;
    } cases[] = {
        {BLANK_EMPTY, 200, list, 200, ""},
        {BLANK_OBJECT, 200, list, 200, "{}"},
        {BLANK_NULL, 200, list, 200, "{\"next_page_token\":\"x\",\"orders\":null}"},
        {BLANK_OTHER, 200, list, 200, "{\"next_page_token\":\"x\",\"data\":[{\"id\":\"1\"}]}"},
        {BLANK_ITEMS, 200, list, 200, "{\"next_page_token\":\"x\",\"orders\":[{}]}"},
        {BLANK_TOKEN, 200, list, 200, "{\"next_page_token\":7,\"orders\":[{\"id\":\"1\"}]}"},
        {BLANK_NULL, 201, "{\"id\":\"1\",\"items\":[1]}", 201, "{\"id\":null,\"items\":null}"},
        {BLANK_OTHER, 201, "{\"id\":\"1\"}", 201, "{\"data\":{\"id\":\"1\"}}"},
        {BLANK_NULL, 200, "[{\"id\":1}]", 200, "null"},
        {BLANK_OTHER, 200, "[{\"id\":1}]", 200, "{\"data\":[{\"id\":1}]}"},
        {BLANK_ITEMS, 200, "[{\"id\":1}]", 200, "[{}]"},
        {BLANK_OBJECT, 204, "", 200, "{}"},
        {BLANK_NULL, 204, "", 200, ""},
        {BLANK_EMPTY, 404, "[]", 404, "[]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reply reply = {0};
        reply_text(&reply, cases[i].status, cases[i].body, strlen(cases[i].body));
        blank_reply(&reply, cases[i].blank);
        if (reply.status != cases[i].wanted_status || strcmp(reply.body.data, cases[i].wanted) != 0)
            fail_msg("case %zu gives %d %s", i, reply.status, reply.body.data);
        reply_clear(&reply);
    }
}

static void a_blank_fault_draws_how(void **state)
{
    struct faults faults = {0};
    struct request request = {0};
    char message[256];
    json_t *json = json_pack("{s:s,s:f}", "kind", "blank", "share", 0.5);
    int drawn[BLANK_TOKEN + 1] = {0};

    (void)state;
    assert_int_equal(faults_add(&faults, json, message, sizeof message), 1);
    json_decref(json);
    request_open(&request, "GET", "/crm/rest/v2/orders");
    for (int i = 0; i < 400; i++) {
        const struct fault *fault =
            faults_meet(&faults, SIDE_INFUSIONSOFT, &request, "/orders", "");
        if (fault != NULL)
            drawn[fault->drawn]++;
    }
    for (int i = BLANK_EMPTY; i <= BLANK_OTHER; i++)
        assert_in_range(drawn[i], 30, 70);
    assert_int_equal(drawn[BLANK_ANY] + drawn[BLANK_ITEMS] + drawn[BLANK_TOKEN], 0);
    json = json_pack("{s:s,s:s}", "kind", "blank", "blank", "all");
    assert_int_equal(faults_add(&faults, json, message, sizeof message), -1);
    json_decref(json);
    request_close(&request);
    faults_clear(&faults);
}

static void a_fault_of_a_store_counts_with_and_without_version(void **state)
{
    struct faults faults = {0};
    struct request request = {0};
    char message[256];
    json_t *json = json_pack("{s:s,s:s,s:s}", "side", "bc", "path", "/orders", "kind", "html");

    (void)state;
    faults_add(&faults, json, message, sizeof message);
    json_decref(json);
    request_open(&request, "GET", "/stores/abc123/v2/orders");
    assert_non_null(faults_meet(&faults, SIDE_BIGCOMMERCE, &request, "/v2/orders", "abc123"));
    assert_null(faults_meet(&faults, SIDE_BIGCOMMERCE, &request, "/v2/time", "abc123"));
    request_close(&request);
    faults_clear(&faults);
}

static void bodies_are_checked(void **state)
{
    static const char *const colours[] = {"RED", NULL};
    static const struct schema_member members[] = {
        {"name", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 3, NULL, NULL},
        {"colour", SCHEMA_STRING, 0, 0, colours, NULL},
        {"count", SCHEMA_INTEGER, 0, 0, NULL, NULL},
        {"id", SCHEMA_ID, 0, 0, NULL, NULL},
        {0}};
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"{\"name\":\"a\"}", 0},
        {"{\"name\":\"\xC3\xA9\xC3\xA9\xC3\xA9\"}", 0},
        {"{\"name\":\"abcd\"}", -1},
        {"{\"name\":\" \"}", -1},
        {"{\"name\":null}", -1},
        {"{\"name\":1}", -1},
        {"{}", -1},
        {"[]", -1},
        {"{\"name\":\"a\",\"other\":1}", -1},
        {"{\"name\":\"a\",\"colour\":\"RED\"}", 0},
        {"{\"name\":\"a\",\"colour\":\"red\"}", -1},
        {"{\"name\":\"a\",\"count\":1}", 0},
        {"{\"name\":\"a\",\"count\":1.0}", -1},
        {"{\"name\":\"a\",\"id\":\"12\"}", 0},
        {"{\"name\":\"a\",\"id\":\"x\"}", -1},
    };
    char message[256];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *json = json_loads(cases[i].text, 0, NULL);
        if (schema_check(members, json, message, sizeof message) != cases[i].result)
            fail_msg("%s", cases[i].text);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_both_vendors_are_read),
        cmocka_unit_test(account_times_need_a_zone),
        cmocka_unit_test(windows_roll),
        cmocka_unit_test(a_store_counts_by_windows_of_30_s),
        cmocka_unit_test(a_fault_meets_the_requests_it_names),
        cmocka_unit_test(a_blank_answer_says_nothing_of_what_was_asked),
        cmocka_unit_test(a_blank_fault_draws_how),
        cmocka_unit_test(a_fault_of_a_store_counts_with_and_without_version),
        cmocka_unit_test(bodies_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
