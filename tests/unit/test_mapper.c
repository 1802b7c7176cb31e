#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapping/mapper.h"

#define ORDER(id, status, total) ORDER_OF(id, status, total, "A")
#define ORDER_OF(id, status, total, sku)                                                           \
    "{\"id\":" id ",\"status_id\":" status                                                         \
    ",\"date_created\":\"Tue, 05 Mar 2019 21:40:11 +0000\","                                       \
    "\"total_inc_tax\":\"" total "\",\"default_currency_code\":\"USD\",\"billing_address\":{"      \
    "\"email\":\"Jane@Example.com\"},\"consignments\":{\"shipping\":[{\"line_items\":[{\"sku\":"   \
    "\"" sku "\",\"quantity\":1,\"total_ex_tax\":\"10.0000\"}]}]}}"

static struct config_store store = {.name = (char *)(uintptr_t) "main",
                                    .code = (char *)(uintptr_t) "BC",
                                    .hash = (char *)(uintptr_t) "abc123",
                                    .account = (char *)(uintptr_t) "second",
                                    .account_index = 1,
                                    .group_tag = (char *)(uintptr_t) "{code}: {group}",
                                    .sku_tag = (char *)(uintptr_t) "off",
                                    .coupon_tag = (char *)(uintptr_t) "off",
                                    .lead_affiliate_id = (char *)(uintptr_t) ""};
static struct config_account accounts[2] = {
    {.name = (char *)(uintptr_t) "first", .currency = (char *)(uintptr_t) "EUR"},
    {.name = (char *)(uintptr_t) "second", .currency = (char *)(uintptr_t) "USD"},
};

struct bench {
    struct config config;
    struct topics topics;
    struct stage_settings settings;
    struct regions *regions;
    struct mapper mapper;
};

static int setup(void **state)
{
    static struct bench bench;
    struct error err = {0};

    bench = (struct bench){.config = {.stores = &store,
                                      .store_count = 1,
                                      .accounts = accounts,
                                      .account_count = 2,
                                      .kafka = {.topic_prefix = (char *)(uintptr_t) "bigfusion"}}};
    topics_init(&bench.topics, &bench.config);
    bench.settings = (struct stage_settings){
        .config = &bench.config, .service = "mapper", .topics = &bench.topics};
    bench.regions = regions_new(REGION_FOLDER, &err);
    mapper_init(&bench.mapper, &bench.settings, bench.regions);
    *state = &bench;
    return bench.regions != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    mapper_clear(&bench->mapper);
    regions_free(bench->regions);
    topics_clear(&bench->topics);
    return 0;
}

/* Maps one record with the headers that the filter gives it. */
static struct result map_with(struct bench *bench, const char *key, const char *value,
                              struct text leave_out)
{
    struct event in = {.key = text_of(key),
                       .value = text_of(value),
                       .topic = bench->topics.lanes[TOPIC_LANE_ORDERS].eligible};
    struct result result = {.output_count = 0};

    in.headers[HEADER_KIND] = text_of("order");
    in.headers[HEADER_MODIFIED_AT] = text_of("1552317445000");
    in.headers[HEADER_SOURCE] = text_of("poll");
    in.headers[HEADER_POLLED_AT] = text_of("1552317446000");
    in.headers[HEADER_LEAVE_OUT] = leave_out;
    mapper_handle(&bench->mapper, &in, &result);
    return result;
}

static struct result map(struct bench *bench, const char *key, const char *value)
{
    return map_with(bench, key, value, (struct text){0});
}

static void test_order(void **state)
{
    struct bench *bench = *state;
    struct result result = map(bench, "abc123/order/7", ORDER("7", "11", "10.0000"));
    const struct output *output = &result.outputs[0];

    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_int_equal(result.output_count, 1);
    assert_ptr_equal(output->topic, bench->topics.lanes[TOPIC_LANE_ORDERS].payloads);
    assert_true(text_is(output->key, "abc123/order/7"));
    assert_ptr_equal(output->value.data, output->owned_value); /* outlives the handler's memory */
    assert_non_null(memmem(output->value.data, output->value.length,
                           "\"modified_at\":1552317445000",
                           strlen("\"modified_at\":1552317445000")));
    assert_true(text_is(output->headers[HEADER_KIND], "order"));
    assert_true(text_is(output->headers[HEADER_STORE], "abc123"));
    assert_true(text_is(output->headers[HEADER_ACCOUNT], "second"));
    assert_true(text_is(output->headers[HEADER_SOURCE], "poll"));
    assert_true(text_is(output->headers[HEADER_POLLED_AT], "1552317446000"));
    assert_true(text_is(output->headers[HEADER_MODIFIED_AT], "1552317445000"));
    assert_int_equal(output->partition_hash,
                     event_hash_contact(text_of("second"), text_of("jane@example.com")));
    free(output->owned_value);
}

static int has(const struct output *output, const char *text)
{
    return memmem(output->value.data, output->value.length, text, strlen(text)) != NULL;
}

/* What a backfill does not ask for is not in the payload, and the header goes on with it. */
static void test_leave_out(void **state)
{
    struct result result =
        map_with(*state, "abc123/order/7", ORDER("7", "11", "10.0000"), text_of("goals,tags"));

    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_true(has(&result.outputs[0], "\"tags\":[],\"goals\":[]"));
    assert_true(text_is(result.outputs[0].headers[HEADER_LEAVE_OUT], "goals,tags"));
    free(result.outputs[0].owned_value);
    result = map_with(*state, "abc123/order/7", ORDER("7", "11", "10.0000"), text_of("tags"));
    assert_true(has(&result.outputs[0], "\"BCORDER\""));
    free(result.outputs[0].owned_value);
}

static void test_withdrawn(void **state)
{
    struct result result = map(*state, "abc123/order/7", ORDER("7", "5", "99.0000"));

    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_true(text_is(result.outputs[0].headers[HEADER_KIND], "withdrawn"));
    free(result.outputs[0].owned_value);
}

static struct result map_contact(struct bench *bench, const char *value)
{
    struct event in = {.key = text_of("abc123/contact/7"),
                       .value = text_of(value),
                       .topic = bench->topics.lanes[TOPIC_LANE_CONTACTS].eligible};
    struct result result = {.output_count = 0};

    mapper_handle(&bench->mapper, &in, &result);
    return result;
}

static void test_contact(void **state)
{
    static const char good[] =
        "{\"id\":7,\"date_modified\":\"2026-03-02T10:15:30Z\",\"email\":\"j@x.co\",\"first_name\":"
        "\"Jane\",\"phone\":\"\",\"accepts_product_review_abandoned_cart_emails\":true,"
        "\"addresses\":"
        "[{\"address1\":\"1 East St\",\"country_code\":\"XX\"},{\"city\":\"Austin\"}]}";
    struct bench *bench = *state;
    struct result result = map_contact(bench, good);
    const struct output *output = &result.outputs[0];

    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_ptr_equal(output->topic, bench->topics.lanes[TOPIC_LANE_CONTACTS].payloads);
    assert_true(text_is(output->headers[HEADER_KIND], "contact"));
    assert_true(text_is(
        output->value,
        "{\"format\":1,\"kind\":\"contact\",\"account\":\"second\",\"store\":\"abc123\","
        "\"modified_at\":1772446530000,\"contact\":{\"email_addresses\":[{\"email\":\"j@x.co\","
        "\"field\":\"EMAIL1\"}],\"given_name\":\"Jane\",\"addresses\":[{\"field\":\"BILLING\","
        "\"line1\":\"1 East St\"},{\"field\":\"SHIPPING\",\"locality\":\"Austin\"}]},\"tags\":[],"
        "\"left_out\":[\"billing country_code: not known\"]}"));
    free(output->owned_value);
    result = map_contact(bench, "{\"id\":8,\"email\":\"j@x.co\"}");
    assert_int_equal(result.reason, REASON_MALFORMED);
    result = map_contact(bench, "{\"id\":7,\"email\":\"j@x.co\"}");
    assert_int_equal(result.reason, REASON_MALFORMED);
}

/* A customer has no goals and no fields of an order, so nothing is said of them, whatever the order before
 * it had. */
static void test_a_customer_after_an_order(void **state)
{
    static struct config_field field = {(char *)(uintptr_t) "Paid", (char *)(uintptr_t) "no_such"};
    static const char said[] =
        "\"left_out\":[\"field no_such: not in the order\",\"goal sku: neither letter nor digit\"]";
    struct result result;

    store.fields = (struct config_fields){&field, 1};
    store.goal_call_names = GOAL_CALL_NAMES_LETTERS_DIGITS;
    result = map(*state, "abc123/order/7", ORDER_OF("7", "11", "10.0000", "--"));
    assert_non_null(
        memmem(result.outputs[0].value.data, result.outputs[0].value.length, said, strlen(said)));
    free(result.outputs[0].owned_value);
    result = map_contact(
        *state, "{\"id\":7,\"date_modified\":\"2026-03-02T10:15:30Z\",\"email\":\"j@x.co\"}");
    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_null(memmem(result.outputs[0].value.data, result.outputs[0].value.length, "left_out",
                       strlen("left_out")));
    free(result.outputs[0].owned_value);
    store.fields.count = 0;
    store.goal_call_names = GOAL_CALL_NAMES_AS_IS;
}

/* The customer group, which the poller names; the store's own answer has its id alone. */
static void test_group_tag(void **state)
{
    static const struct {
        const char *member, *tags;
    } rows[] = {
        {",\"bigfusion\":{\"customer_group\":\" VIP, gold \"}", "[{\"name\":\"BC: VIP_ gold\"}]"},
        {",\"bigfusion\":{\"customer_group\":\"\"}", "[]"},
        {",\"bigfusion\":{\"customer_group\":{}}", "[]"},
        {",\"bigfusion\":[]", "[]"},
        {"", "[]"},
    };
    char value[256], wanted[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct result result;

        snprintf(value, sizeof(value),
                 "{\"id\":7,\"date_modified\":\"2026-03-02T10:15:30Z\",\"email\":\"j@x.co\","
                 "\"customer_group_id\":3%s}",
                 rows[i].member);
        snprintf(wanted, sizeof(wanted), ",\"tags\":%s}", rows[i].tags);
        result = map_contact(*state, value);
        assert_int_equal(result.verdict, VERDICT_PASS);
        assert_non_null(strstr(result.outputs[0].owned_value, wanted));
        free(result.outputs[0].owned_value);
    }
}

static struct result map_product(struct bench *bench, const char *modified_at, const char *value)
{
    struct event in = {.key = text_of("abc123/product/9"),
                       .value = text_of(value),
                       .topic = bench->topics.lanes[TOPIC_LANE_PRODUCTS].eligible};
    struct result result = {.output_count = 0};

    in.headers[HEADER_MODIFIED_AT] = text_of(modified_at);
    mapper_handle(&bench->mapper, &in, &result);
    return result;
}

static void test_product(void **state)
{
    static const char good[] = "{\"id\":9,\"name\":\"x\",\"sku\":\"J\",\"price\":1.5,"
                               "\"bigfusion\":{\"currency\":\"USD\"}}";
    struct bench *bench = *state;
    struct result result = map_product(bench, "1790000000000", good);
    const struct output *output = &result.outputs[0];

    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_ptr_equal(output->topic, bench->topics.lanes[TOPIC_LANE_PRODUCTS].payloads);
    assert_true(text_is(output->headers[HEADER_KIND], "product"));
    assert_true(text_is(output->headers[HEADER_ACCOUNT], "second"));
    assert_true(text_is(
        output->value, "{\"format\":1,\"kind\":\"product\",\"account\":\"second\",\"store\":"
                       "\"abc123\",\"modified_at\":1790000000000,\"currency\":\"USD\",\"products\":"
                       "[{\"sku\":\"J\",\"body\":{\"sku\":\"J\",\"name\":\"x\","
                       "\"short_description\":\"x\",\"price\":150}}]}"));
    free(output->owned_value);
    result = map_product(bench, "x", good);
    assert_int_equal(result.reason, REASON_MALFORMED);
    result = map_product(bench, "1790000000000", "{\"id\":8}");
    assert_int_equal(result.reason, REASON_MALFORMED);
    result = map_product(bench, "1790000000000", "{\"id\":9,\"bigfusion\":{\"currency\":\"EUR\"}}");
    assert_int_equal(result.reason, REASON_CURRENCY_MISMATCH);
}

static void test_dead(void **state)
{
    static const struct {
        const char *key;
        const char *value;
        enum reason reason;
    } cases[] = {
        {"abc123/order/7", ORDER("7", "11", "99.0000"), REASON_TOTAL_MISMATCH},
        {"abc123/order/8", ORDER("7", "11", "10.0000"), REASON_MALFORMED},
        {"other/order/7", ORDER("7", "11", "10.0000"), REASON_MALFORMED},
        {"nonsense", ORDER("7", "11", "10.0000"), REASON_MALFORMED},
        {NULL, ORDER("7", "11", "10.0000"), REASON_MALFORMED},
        {"abc123/order/7", "{", REASON_MALFORMED},
        {"abc123/order/7", NULL, REASON_MALFORMED},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result = map(bench, cases[i].key, cases[i].value);

        assert_int_equal(result.verdict, VERDICT_DEAD);
        assert_int_equal(result.reason, cases[i].reason);
        assert_true(strlen(result.detail) > 0);
        assert_ptr_equal(result.outputs[0].topic, bench->topics.dead);
        if (cases[i].value != NULL)
            assert_memory_equal(result.outputs[0].value.data, cases[i].value,
                                strlen(cases[i].value));
        free(result.outputs[0].owned_value);
    }
}

static void test_currency(void **state)
{
    struct result result;

    store.account_index = 0;
    result = map(*state, "abc123/order/7", ORDER("7", "11", "10.0000"));
    store.account_index = 1;
    assert_int_equal(result.verdict, VERDICT_DEAD);
    assert_int_equal(result.reason, REASON_CURRENCY_MISMATCH);
    free(result.outputs[0].owned_value);
}

/* The same record, mapped again after others, gives the same bytes. */
static void test_repeated(void **state)
{
    struct bench *bench = *state;
    struct result first = map(bench, "abc123/order/7", ORDER("7", "11", "10.0000"));

    for (int i = 0; i < 3; i++) {
        struct result other = map(bench, "abc123/order/8", i == 1 ? "{" : ORDER("8", "4", "1"));
        struct result again = map(bench, "abc123/order/7", ORDER("7", "11", "10.0000"));

        assert_int_equal(again.outputs[0].value.length, first.outputs[0].value.length);
        assert_memory_equal(again.outputs[0].value.data, first.outputs[0].value.data,
                            first.outputs[0].value.length);
        free(other.outputs[0].owned_value);
        free(again.outputs[0].owned_value);
    }
    free(first.outputs[0].owned_value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_leave_out),
        cmocka_unit_test(test_withdrawn), cmocka_unit_test(test_contact),
        cmocka_unit_test(test_group_tag), cmocka_unit_test(test_product),
        cmocka_unit_test(test_dead),      cmocka_unit_test(test_currency),
        cmocka_unit_test(test_repeated),  cmocka_unit_test(test_a_customer_after_an_order),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
