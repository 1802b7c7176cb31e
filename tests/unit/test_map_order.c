#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mapping/map.h"

#include "../../services/pusher/payload_check.h"
#include "cases.h"

/* What all cases share; settings that a case does not name have their defaults. */
struct bench {
    struct regions *regions;
    struct order_reader reader;
    struct map map;
};

static int choose(const char *value, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    fail_msg("unknown setting %s", value);
    return 0;
}

/* {label: path, ...}; no test needs more at a time. */
static void read_fields(yyjson_val *object, struct config_fields *fields)
{
    static struct config_field list[CONFIG_FIELDS_MAX];
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key;

    *fields = (struct config_fields){.list = list};
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        assert_true(fields->count < CONFIG_FIELDS_MAX);
        list[fields->count++] = (struct config_field){
            .label = (char *)(uintptr_t)yyjson_get_str(key),
            .path = (char *)(uintptr_t)yyjson_get_str(yyjson_obj_iter_get_val(key))};
    }
}

static void read_settings(yyjson_val *settings, struct config_store *store,
                          struct config_account *account)
{
    static const char *const signs[] = {"negative", "positive"};
    static const char *const regions[] = {"name", "code", "off"};
    static const char *const notes[] = {"off", "customer_message"};
    static const char *const goals[] = {"as_is", "letters_digits"};
    static const char *const payments[] = {"off", "paid", "all"};
    static const char *const after[] = {"ignore", "note", "tag"};
    static const char *const opt_ins[] = {"opted_in", "never", "always"};

    store->code = (char *)(uintptr_t)case_string(settings, "code", "BC");
    store->hash = (char *)(uintptr_t)case_string(settings, "hash", "abc123");
    store->opt_in = choose(case_string(settings, "opt_in", "opted_in"), opt_ins, 3);
    store->payments = choose(case_string(settings, "payments", "off"), payments, 3);
    store->order_notes = choose(case_string(settings, "order_notes", "off"), notes, 2);
    store->goal_call_names = choose(case_string(settings, "goal_call_names", "as_is"), goals, 2);
    store->lead_affiliate_id = (char *)(uintptr_t)case_string(settings, "lead_affiliate_id", "");
    read_fields(yyjson_obj_get(settings, "fields"), &store->fields);
    store->payment_type = (char *)(uintptr_t)case_string(settings, "payment_type", "");
    store->after_sync = choose(case_string(settings, "after_sync", "ignore"), after, 3);
    store->after_sync_tag =
        (char *)(uintptr_t)case_string(settings, "after_sync_tag", "Order {status}");
    store->sku_tag = (char *)(uintptr_t)case_string(settings, "sku_tag", "off");
    store->coupon_tag = (char *)(uintptr_t)case_string(settings, "coupon_tag", "off");
    account->name = (char *)(uintptr_t)case_string(settings, "account", "main");
    account->currency = (char *)(uintptr_t)case_string(settings, "currency", "");
    account->discount_sign = choose(case_string(settings, "discount_sign", "negative"), signs, 2);
    account->shipping_region = choose(case_string(settings, "shipping_region", "name"), regions, 3);
    account->opt_in_reason = (char *)(uintptr_t)case_string(
        settings, "opt_in_reason", "Opted in at checkout in the online store");
}

/* What the mapper writes is a payload by the pusher's own check. */
static void assert_payload(const struct map_settings *settings, struct text id,
                           const struct buffer *payload)
{
    yyjson_doc *doc = yyjson_read(payload->data, payload->length, YYJSON_READ_NUMBER_AS_RAW);
    char *key = mem_printf("%s/order/%.*s", settings->store->hash, (int)id.length, id.data);
    enum payload_kind kind;
    struct error err = {0};

    if (payload_check(yyjson_doc_get_root(doc), text_of(key), &kind, &err) != 0)
        fail_msg("%s: %s", err.text, payload->data);
    free(key);
    yyjson_doc_free(doc);
}

/* The mapping's answer as JSON: the payload, or {"dead": reason}. */
static void map_text(struct bench *bench, const struct map_settings *settings, struct text value,
                     struct text id, struct buffer *answer)
{
    struct error err = {0};
    struct order order;
    enum reason reason = REASON_MALFORMED;

    if (order_open(&bench->reader, value, id, &order, &err) == 0) {
        /* an order that says nothing of its version has one in its header */
        int64_t modified_at_ms =
            order.modified_at_ms < ORDER_EARLIEST_MS ? ORDER_EARLIEST_MS : order.modified_at_ms;

        if (order_is_withdrawn(&order))
            reason = map_withdrawn(&bench->map, settings, &order, modified_at_ms, answer, &err);
        else
            reason = map_order(&bench->map, settings, &bench->reader, &order, modified_at_ms,
                               answer, &err);
        order_close(&order);
    }
    if (reason == REASON_NONE && settings->store->hash != NULL)
        assert_payload(settings, id, answer);
    if (reason == REASON_NONE)
        return;
    assert_int_equal(err.kind, ERROR_PERMANENT);
    assert_true(strlen(err.text) > 0);
    buffer_reset(answer);
    buffer_printf(answer, "{\"dead\":\"%s\"}", reason_name(reason));
}

static int check_case(const struct test_case *test, void *context)
{
    struct bench *bench = context;
    struct config_store store = {0};
    struct config_account account = {0};
    struct map_settings settings = {
        .store = &store, .account = &account, .regions = bench->regions};
    struct buffer answer = {0};
    size_t length;
    char *value = case_record(test->input, &length);
    yyjson_doc *got;
    int same;

    read_settings(yyjson_obj_get(test->input, "settings"), &store, &account);
    map_text(bench, &settings, (struct text){value, length},
             text_of(case_string(test->input, "id", "118")), &answer);
    got = yyjson_read(answer.data, answer.length, YYJSON_READ_NUMBER_AS_RAW);
    same = yyjson_equals(yyjson_doc_get_root(got), test->expected);
    if (!same)
        fprintf(stderr, "got %s\n", answer.data);
    yyjson_doc_free(got);
    buffer_clear(&answer);
    free(value);
    return same;
}

static void test_cases(void **state) { cases_run("mapper", 40, check_case, *state); }

/* Cuts a good order at every byte, and puts every byte to nonsense: no crash, a reason or a whole
 * payload. */
static void test_damaged_orders(void **state)
{
    static const char good[] =
        "{\"id\":118,\"status_id\":11,\"status\":\"x\",\"date_created\":\"Tue, 05 Mar 2019 "
        "21:40:11 "
        "+0000\",\"date_modified\":\"\",\"total_inc_tax\":\"10.0000\",\"total_tax\":0,"
        "\"default_currency_code\":\"EUR\",\"billing_address\":{\"email\":\"a@b.example\"},"
        "\"fees\":"
        "[{\"cost_ex_tax\":\"1\"}],\"consignments\":{\"shipping\":[{\"state\":\"Texas\","
        "\"country_iso2\":\"US\",\"line_items\":[{\"name\":\"\\u00fcber\",\"sku\":\"A\","
        "\"quantity\":"
        "3,\"product_id\":7,\"total_ex_tax\":9.00,\"applied_discounts\":[{\"code\":\"c\"}]}]}]}}";
    static const char *const nonsense[] = {"\"", "{", "[", "9", "\xff", "}", "-", "\x01"};
    struct bench *bench = *state;
    struct config_store store = {0};
    struct config_account account = {0};
    struct map_settings settings = {
        .store = &store, .account = &account, .regions = bench->regions};
    struct buffer answer = {0};
    char damaged[sizeof(good)];

    read_settings(NULL, &store, &account);
    for (size_t at = 0; at < sizeof(good); at++) {
        buffer_reset(&answer);
        map_text(bench, &settings, (struct text){good, at}, text_of("118"), &answer);
        assert_int_equal(strstr(answer.data, "\"dead\"") == NULL, at == sizeof(good) - 1);
        for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
            yyjson_doc *doc;

            memcpy(damaged, good, sizeof(good));
            damaged[at] = nonsense[i][0];
            buffer_reset(&answer);
            map_text(bench, &settings, (struct text){damaged, sizeof(good) - 1}, text_of("118"),
                     &answer);
            doc = yyjson_read(answer.data, answer.length, YYJSON_READ_NUMBER_AS_RAW);
            assert_non_null(doc);
            yyjson_doc_free(doc);
        }
    }
    buffer_clear(&answer);
}

/* Large and deep records: an answer, in time. */
static void test_huge_orders(void **state)
{
    struct bench *bench = *state;
    struct config_store store = {0};
    struct config_account account = {0};
    struct map_settings settings = {
        .store = &store, .account = &account, .regions = bench->regions};
    struct buffer answer = {0}, huge = {0};

    read_settings(NULL, &store, &account);
    for (int i = 0; i < 1 << 20; i++)
        buffer_append(&huge, "[", 1);
    map_text(bench, &settings, (struct text){huge.data, huge.length}, text_of("118"), &answer);
    assert_string_equal(answer.data, "{\"dead\":\"malformed\"}");

    /* More lines than an order may have, and as many as it may, whose sum is beyond 64 bits. */
    for (int lines = 20000; lines >= MAP_ITEMS_MAX; lines -= 20000 - MAP_ITEMS_MAX) {
        buffer_reset(&huge);
        buffer_printf(&huge,
                      "{\"id\":118,\"status_id\":11,\"date_created\":\"Tue, 05 Mar 2019 21:40:11 "
                      "+0000\",\"total_inc_tax\":\"0\",\"default_currency_code\":\"EUR\","
                      "\"billing_address\":{\"email\":\"a@b.example\"},\"bigfusion\":{"
                      "\"products\":[{\"sku\":\"S0\",\"quantity\":1,\"total_ex_tax\":0}");
        for (int i = 1; i < lines; i++)
            buffer_printf(&huge, ",{\"sku\":\"S%d\",\"quantity\":1,\"total_ex_tax\":999999999999}",
                          i);
        buffer_printf(&huge, "]}}");
        buffer_reset(&answer);
        map_text(bench, &settings, (struct text){huge.data, huge.length}, text_of("118"), &answer);
        assert_string_equal(answer.data, "{\"dead\":\"malformed\"}");
    }
    buffer_clear(&answer);
    buffer_clear(&huge);
}

int main(void)
{
    static struct bench bench;
    struct error err = {0};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_cases, &bench),
        cmocka_unit_test_prestate(test_damaged_orders, &bench),
        cmocka_unit_test_prestate(test_huge_orders, &bench),
    };
    int failed;

    bench.regions = regions_new(REGION_FOLDER, &err);
    if (bench.regions == NULL) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    order_reader_init(&bench.reader);
    map_init(&bench.map);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    map_clear(&bench.map);
    order_reader_clear(&bench.reader);
    regions_free(bench.regions);
    return failed;
}
