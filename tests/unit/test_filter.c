#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mapping/filter.h"

#include "cases.h"

/* A filter for one store and one account, as the program sets it up. */
struct bench {
    struct config config;
    struct config_store store;
    struct config_account account;
    struct topics topics;
    struct stage_settings settings;
    struct filter filter;
};

static void bench_init(struct bench *bench)
{
    bench->store.name = bench->store.code = (char *)(uintptr_t) "BC";
    bench->store.hash = (char *)(uintptr_t) "abc123";
    bench->store.account = bench->account.name = (char *)(uintptr_t) "main";
    bench->config.stores = &bench->store;
    bench->config.accounts = &bench->account;
    bench->config.store_count = bench->config.account_count = 1;
    bench->config.kafka.topic_prefix = (char *)(uintptr_t) "bigfusion";
    topics_init(&bench->topics, &bench->config);
    bench->settings.config = &bench->config;
    bench->settings.service = "filter";
    bench->settings.topics = &bench->topics;
    filter_init(&bench->filter, &bench->settings);
}

static void bench_clear(struct bench *bench)
{
    filter_clear(&bench->filter);
    topics_clear(&bench->topics);
}

static void result_clear(struct result *result)
{
    for (int i = 0; i < result->output_count; i++)
        free(result->outputs[i].owned_value);
}

static void read_input(struct bench *bench, yyjson_val *input, struct event *in)
{
    yyjson_val *statuses = yyjson_obj_get(input, "statuses");
    yyjson_arr_iter status_iter = yyjson_arr_iter_with(statuses);
    yyjson_obj_iter header_iter = yyjson_obj_iter_with(yyjson_obj_get(input, "headers"));
    yyjson_val *item;

    bench->store.statuses = statuses == NULL ? 0x4f0c : 0;
    while ((item = yyjson_arr_iter_next(&status_iter)) != NULL)
        bench->store.statuses |= 1u << strtoul(yyjson_get_raw(item), NULL, 10);
    in->key = text_of(case_string(input, "key", "abc123/order/118"));
    in->topic = bench->topics.lanes[TOPIC_LANE_ORDERS].raw;
    while ((item = yyjson_obj_iter_next(&header_iter)) != NULL) {
        enum header header = header_of(yyjson_get_str(item));

        assert_int_not_equal(header, HEADER_COUNT);
        in->headers[header] = text_of(yyjson_get_str(yyjson_obj_iter_get_val(item)));
    }
}

/* {"verdict", "reason", "kind", "value", "tombstone"}: what was answered, as a case writes it down.
 */
static void print_answer(const struct event *in, const struct result *result, struct buffer *answer)
{
    const struct output *output = &result->outputs[0];

    buffer_printf(answer, "{\"verdict\":\"%s\"", verdict_name(result->verdict));
    if (result->reason != REASON_NONE)
        buffer_printf(answer, ",\"reason\":\"%s\"", reason_name(result->reason));
    if (result->verdict == VERDICT_PASS)
        buffer_printf(answer, ",\"kind\":\"%.*s\",\"modified_at\":\"%.*s\"",
                      (int)output->headers[HEADER_KIND].length, output->headers[HEADER_KIND].data,
                      (int)output->headers[HEADER_MODIFIED_AT].length,
                      output->headers[HEADER_MODIFIED_AT].data);
    if (result->verdict == VERDICT_SKIP)
        buffer_printf(answer, ",\"value\":%.*s", (int)output->value.length, output->value.data);
    if (result->output_count > 1)
        buffer_printf(answer, ",\"tombstone\":true");
    buffer_printf(answer, "}");
    if (result->verdict != VERDICT_SKIP)
        assert_memory_equal(output->value.data, in->value.data, in->value.length);
}

static void check_outputs(const struct bench *bench, const struct event *in,
                          const struct result *result)
{
    const struct output *output = &result->outputs[0];

    assert_true(result->output_count >= 1);
    if (result->verdict == VERDICT_PASS) {
        assert_ptr_equal(output->topic, bench->topics.lanes[TOPIC_LANE_ORDERS].eligible);
        assert_ptr_equal(output->value.data, in->value.data); /* the very bytes */
        assert_int_equal(output->value.length, in->value.length);
        assert_int_equal(output->partition_hash, event_hash(0, in->key));
        assert_true(text_is(output->headers[HEADER_STORE], "abc123"));
        assert_true(text_is(output->headers[HEADER_ACCOUNT], "main"));
    }
    if (result->output_count > 1) {
        assert_ptr_equal(result->outputs[1].topic, bench->topics.dead);
        assert_null(result->outputs[1].value.data);
    }
}

static int check_case(const struct test_case *test, void *context)
{
    struct bench *bench = context;
    struct event in = {.topic = NULL};
    struct result result = {.output_count = 0};
    struct buffer answer = {0};
    char *record = case_record(test->input, &in.value.length);
    yyjson_doc *got;
    int same;

    in.value.data = record;
    read_input(bench, test->input, &in);
    filter_handle(&bench->filter, &in, &result);
    check_outputs(bench, &in, &result);
    print_answer(&in, &result, &answer);
    got = yyjson_read(answer.data, answer.length, YYJSON_READ_NUMBER_AS_RAW);
    same = yyjson_equals(yyjson_doc_get_root(got), test->expected);
    if (!same)
        fprintf(stderr, "got %s\n", answer.data);
    yyjson_doc_free(got);
    buffer_clear(&answer);
    result_clear(&result);
    free(record);
    return same;
}

static void test_cases(void **state)
{
    struct bench bench = {.store = {.line = 0}};

    (void)state;
    bench_init(&bench);
    cases_run("filter", 20, check_case, &bench);
    bench_clear(&bench);
}

/* A record without a value, or with a key that names no order of ours, is answered too. */
static void test_strange_records(void **state)
{
    static const char good[] =
        "{\"id\":118,\"status_id\":11,\"date_created\":\"Tue, 05 Mar 2019 21:40:11 +0000\"}";
    static const struct {
        const char *key;
        const char *value;
    } cases[] = {
        {"abc123/order/118", NULL},
        {NULL, good},
        {"", good},
        {"abc123/order/", good},
        {"abc123/thing/118", good},
        {"other/order/118", good},
        {"abc123/order/119", good},
        {"abc123/order/118", good}, /* no date_modified */
    };
    struct bench bench = {.store = {.line = 0}};

    (void)state;
    bench_init(&bench);
    bench.store.statuses = 0x4f0c;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event in = {.key = text_of(cases[i].key),
                           .value = text_of(cases[i].value),
                           .topic = bench.topics.lanes[TOPIC_LANE_ORDERS].raw};
        struct result result = {.output_count = 0};

        filter_handle(&bench.filter, &in, &result);
        assert_int_equal(result.verdict, VERDICT_DEAD);
        assert_int_equal(result.reason, REASON_MALFORMED);
        assert_true(strlen(result.detail) > 0);
        assert_ptr_equal(result.outputs[0].topic, bench.topics.dead);
        assert_non_null(result.outputs[0].value.data); /* else it would be a tombstone */
        result_clear(&result);
    }
    bench_clear(&bench);
}

/* Every product of a store is passed on as it came, in its own lane. */
static void test_product(void **state)
{
    static const char value[] = "{\"id\":77}";
    struct bench bench = {.store = {.line = 0}};
    struct result result = {.output_count = 0};
    struct event in = {.key = text_of("abc123/product/77"), .value = text_of(value)};

    (void)state;
    bench_init(&bench);
    in.topic = bench.topics.lanes[TOPIC_LANE_PRODUCTS].raw;
    in.headers[HEADER_MODIFIED_AT] = text_of("1790000000000");
    filter_handle(&bench.filter, &in, &result);
    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_ptr_equal(result.outputs[0].topic, bench.topics.lanes[TOPIC_LANE_PRODUCTS].eligible);
    assert_ptr_equal(result.outputs[0].value.data, value);
    assert_true(text_is(result.outputs[0].headers[HEADER_KIND], "product"));
    assert_true(text_is(result.outputs[0].headers[HEADER_MODIFIED_AT], "1790000000000"));
    result_clear(&result);
    bench_clear(&bench);
}

/* A customer is passed on as it came, or skipped by the rule of e-mail addresses. */
static void test_customer(void **state)
{
    static const struct {
        const char *value;
        enum verdict verdict;
        enum reason reason;
    } cases[] = {
#define CUSTOMER(more) "{\"id\":7,\"date_modified\":\"2026-03-02T10:15:30Z\"" more "}"
        {CUSTOMER(",\"email\":\" jane@example.com \""), VERDICT_PASS, REASON_NONE},
        {CUSTOMER(",\"email\":\"  \""), VERDICT_SKIP, REASON_NO_EMAIL},
        {CUSTOMER(",\"email\":null"), VERDICT_SKIP, REASON_NO_EMAIL},
        {CUSTOMER(""), VERDICT_SKIP, REASON_NO_EMAIL},
        {CUSTOMER(",\"email\":\"a@b@c\""), VERDICT_SKIP, REASON_INVALID_EMAIL},
        {CUSTOMER(",\"email\":7"), VERDICT_DEAD, REASON_MALFORMED},
        {CUSTOMER(",\"addresses\":{}"), VERDICT_DEAD, REASON_MALFORMED},
        {"{\"id\":8,\"email\":\"a@b.co\"}", VERDICT_DEAD, REASON_MALFORMED},
        {"{\"id\":7,\"email\":\"a@b.co\",\"date_modified\":\"2026-13-02T10:15:30Z\"}", VERDICT_DEAD,
         REASON_MALFORMED},
        {"[]", VERDICT_DEAD, REASON_MALFORMED},
        {"{", VERDICT_DEAD, REASON_MALFORMED},
    };
    struct bench bench = {.store = {.line = 0}};

    (void)state;
    bench_init(&bench);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result = {.output_count = 0};
        struct event in = {.key = text_of("abc123/contact/7"), .value = text_of(cases[i].value)};

        in.topic = bench.topics.lanes[TOPIC_LANE_CONTACTS].raw;
        filter_handle(&bench.filter, &in, &result);
        if (result.verdict != cases[i].verdict || result.reason != cases[i].reason)
            fail_msg("%s: %s %s", cases[i].value, verdict_name(result.verdict), result.detail);
        if (result.verdict == VERDICT_PASS) {
            assert_ptr_equal(result.outputs[0].topic,
                             bench.topics.lanes[TOPIC_LANE_CONTACTS].eligible);
            assert_true(text_is(result.outputs[0].headers[HEADER_KIND], "contact"));
            assert_true(text_is(result.outputs[0].headers[HEADER_MODIFIED_AT], "1772446530000"));
        }
        result_clear(&result);
    }
    bench_clear(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_strange_records),
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_customer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
