/* Whether a record is a payload: a valid one of each kind, and what may be wrong with a member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/pusher/payload_check.h"

#define KEY "abc123/order/149"

#define HEAD(kind)                                                                                 \
    "{\"format\":1,\"kind\":\"" kind "\",\"account\":\"main\",\"store\":\"abc123\","               \
    "\"external_key\":\"bc-abc123-149\",\"status\":{\"id\":11,\"name\":\"Awaiting "                \
    "Fulfillment\"},"                                                                              \
    "\"placed_at\":1551822011000,\"modified_at\":1552317445000,"

static const char whole[] = HEAD(
    "order") "\"currency\":\"USD\",\"total\":7223,\"contact\":{\"email_addresses\":[{\"email\":"
             "\"jane@"
             "example.com\",\"field\":\"EMAIL1\",\"opt_in_reason\":\"Asked\"}],\"given_name\":"
             "\"Jane\","
             "\"family_name\":\"Doe\",\"phone_numbers\":[{\"number\":\"555\",\"field\":\"PHONE1\"}]"
             ","
             "\"addresses\":[{\"field\":\"BILLING\",\"line1\":\"1 East "
             "Street\",\"line2\":\"b\",\"locality\":"
             "\"Austin\",\"postal_code\":\"73301\",\"country_code\":\"USA\",\"region_code\":\"US-"
             "TX\"},"
             "{\"field\":\"SHIPPING\",\"line1\":\"2 East Street\"}]},"
             "\"products\":[{\"sku\":\"S-1\",\"body\":{\"sku\":\"S-1\",\"name\":\"Towel\","
             "\"short_description\":\"Towel\",\"price\":5599}}],"
             "\"order\":{\"order_title\":\"BC "
             "#149\",\"order_time\":\"2019-03-05T21:40:11Z\",\"order_type\":"
             "\"ONLINE\",\"order_items\":[{\"item_type\":\"PRODUCT\",\"product\":0,\"name\":"
             "\"Towel\","
             "\"quantity\":1,\"price_per_unit\":55.99},{\"item_type\":\"DISCOUNT\",\"name\":"
             "\"Discount\","
             "\"quantity\":1,\"price_per_unit\":-5}],\"shipping_address\":{\"first_name\":\"Jane\","
             "\"country_code\":\"USA\"}},\"payment\":null,\"tags\":[],"
             "\"goals\":[{\"integration\":\"BCORDER\",\"call_name\":\"BC\"}]}";

static const char withdrawn[] = HEAD("withdrawn") "\"contact\":{\"email_addresses\":[{\"email\":"
                                                  "\"jane@example.com\",\"field\":\"EMAIL1\"}]}}";

#define RECORD(kind)                                                                               \
    "{\"format\":1,\"kind\":\"" kind "\",\"account\":\"main\",\"store\":\"abc123\","               \
    "\"modified_at\":1552317445000,"

static const char contact[] = RECORD("contact") "\"contact\":{\"email_addresses\":[{\"email\":"
                                                "\"jane@example.com\",\"field\":\"EMAIL1\"}],"
                                                "\"given_name\":\"Jane\"},\"tags\":[]}";

static const char product[] = RECORD(
    "product") "\"currency\":\"USD\",\"products\":[{\"sku\":\"S-1\",\"body\":{\"sku\":\"S-1\","
               "\"name\":\"Towel\","
               "\"short_description\":\"Towel\",\"price\":5599,\"description\":\"One\\nTwo\"}}]}";

/* What payload_check() says: "" when it is a payload. */
static const char *check(const char *text, size_t length, const char *key, struct error *err)
{
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)text, length, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    enum payload_kind kind;
    int rc;

    *err = (struct error){0};
    rc = payload_check(yyjson_doc_get_root(doc), text_of(key), &kind, err);
    assert_int_equal(rc, err->kind == ERROR_NONE ? 0 : -1);
    yyjson_doc_free(doc);
    return err->text;
}

/* The text with its first `from` replaced. New. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    if (at == NULL)
        fail_msg("%s is not in the payload", from);
    return mem_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

struct wrong_case {
    const char *from, *to;
    const char *member; /* that the error names; NULL: it is a payload all the same */
};

static void check_cases(const char *base, const char *key, const struct wrong_case *cases,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = replaced(base, cases[i].from, cases[i].to);
        struct error err;
        const char *got = check(text, strlen(text), key, &err);
        char *wanted = cases[i].member == NULL
                           ? mem_strdup("")
                           : mem_printf("the record is not a payload: %s ", cases[i].member);

        if (cases[i].member == NULL ? got[0] != '\0' : strncmp(got, wanted, strlen(wanted)) != 0)
            fail_msg("%s -> %s: \"%s\", expected %s", cases[i].from, cases[i].to, got, wanted);
        free(wanted);
        free(text);
    }
}

static void all_kinds_are_payloads(void **state)
{
    static const char none[] = "the key names no order, contact or product";
    struct error err;

    (void)state;
    assert_string_equal(check(whole, strlen(whole), KEY, &err), "");
    assert_string_equal(check(withdrawn, strlen(withdrawn), KEY, &err), "");
    assert_string_equal(check(contact, strlen(contact), "abc123/contact/7", &err), "");
    assert_string_equal(check(product, strlen(product), "abc123/product/7", &err), "");
    assert_string_equal(check(whole, strlen(whole), "nonsense", &err), none);
    assert_string_equal(check(whole, strlen(whole), "abc123/coupon/149", &err), none);
    assert_string_equal(check("[]", 2, KEY, &err),
                        "the record is not a payload: it is no JSON object");
    assert_string_equal(check("{", 1, KEY, &err),
                        "the record is not a payload: it is no JSON object");
}

static void a_wrong_member_is_named(void **state)
{
    static const struct wrong_case cases[] = {
        {"\"product\":0", "\"product\":\"0\"", "order.order_items[0].product"},
        {"\"product\":0", "\"product\":1", "order.order_items[0].product"},
        {"\"product\":0", "\"product\":-1", "order.order_items[0].product"},
        {"\"product\":0", "\"product\":0.0", "order.order_items[0].product"},
        {"\"product\":0", "\"product\":null", "order.order_items[0].product"},
        {"\"product\":0,", "", "order.order_items[0].product"},
        {"\"DISCOUNT\",", "\"DISCOUNT\",\"product\":0,", "order.order_items[1].product"},
        {"\"total\":7223", "\"total\":\"100\"", "total"},
        {"\"total\":7223", "\"total\":99999999999999999999", "total"},
        {"\"total\":7223", "\"total\":1,\"total\":1", "total"},
        {"\"total\":7223,", "", "total"},
        {"\"format\":1", "\"format\":2", "format"},
        {"\"kind\":\"order\"", "\"kind\":\"other\"", "kind"},
        {"bc-abc123-149", "bc-abc123-14", "external_key"},
        {"bc-abc123-149", "bc-abc123-150", "external_key"},
        {"\"store\":\"abc123\"", "\"store\":\"abc124\"", "store"},
        {"\"status\":{\"id\":11", "\"status\":{\"id\":{}", "status.id"},
        {"\"status\":{", "\"status\":null,\"x\":{", "status"},
        {"1552317445000", "-1", "modified_at"},
        {"1551822011000", "\"\"", "placed_at"},
        {"jane@example.com", "a@b.co,c@d.co", "contact.email_addresses[0].email"},
        {"jane@example.com", " jane@example.com", "contact.email_addresses[0].email"},
        {"\"email_addresses\":[", "\"email_addresses\":[{},", "contact.email_addresses"},
        {"\"Jane\"", "\" \"", "contact.given_name"},
        {"\"Jane\"", "\"J\\u0000e\"", "contact.given_name"},
        {"\"Jane\"", "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddE\"", "contact.given_name"},
        {"\"BILLING\"", "\"OTHER\"", "contact.addresses[0].field"},
        {"\"USA\"", "\"usa\"", "contact.addresses[0].country_code"},
        {"[{\"sku\":\"S-1\"", "[{\"sku\":\"S-2\"", "products[0].body.sku"},
        {"\"price\":5599", "\"price\":55.99", "products[0].body.price"},
        {"\"price\":5599", "\"price\":-1", "products[0].body.price"},
        {"\"body\":{", "\"body\":[],\"x\":{", "products[0].body"},
        {"\"products\":[", "\"products\":{},\"x\":[", "products"},
        {"\"products\":[", "\"products\":[[],", "products[0]"},
        {"\"2019-03-05T21:40:11Z\"", "\"2019-03-05\"", "order.order_time"},
        {"\"ONLINE\"", "\"OFFLINE\"", "order.order_type"},
        {"\"PRODUCT\"", "\"OTHER\"", "order.order_items[0].item_type"},
        {"\"quantity\":1", "\"quantity\":0", "order.order_items[0].quantity"},
        {"\"quantity\":1", "\"quantity\":2147483648", "order.order_items[0].quantity"},
        {"55.99", "1e400", "order.order_items[0].price_per_unit"},
        {"55.99", "\"55.99\"", "order.order_items[0].price_per_unit"},
        {"\"payment\":null", "\"payment\":{}", "payment.payment_amount"},
        {"\"payment\":null", "\"payment\":[]", "payment"},
        {"\"payment\":null",
         "\"payment\":{\"payment_amount\":-1,\"payment_method_type\":\"Cash\",\"payment_time\":"
         "\"2026-03-02T10:15:30Z\"}",
         "payment.payment_amount"},
        {"\"payment\":null",
         "\"payment\":{\"payment_amount\":1,\"payment_method_type\":\"\",\"payment_time\":"
         "\"2026-03-02T10:15:30Z\"}",
         "payment.payment_method_type"},
        {"\"payment\":null",
         "\"payment\":{\"payment_amount\":1.25,\"payment_method_type\":\"Cash\",\"payment_time\":"
         "\"2026-03-02T10:15:30Z\"}",
         NULL},
        {"\"tags\":[]", "\"tags\":[1]", "tags[0]"},
        {"\"tags\":[]", "\"tags\":[{}]", "tags[0].name"},
        {"\"tags\":[]", "\"tags\":[{\"name\":\" \"}]", "tags[0].name"},
        {"\"tags\":[]", "\"tags\":[{\"name\":7}]", "tags[0].name"},
        {"\"tags\":[]", "\"tags\":{}", "tags"},
        {"\"BCORDER\"", "\"OTHER\"", "goals[0].integration"},
        {"\"call_name\":\"BC\"", "\"call_name\":\"\"", "goals[0].call_name"},
        {"\"USD\"", "\"US\"", "currency"},
        /* what may be absent, and what is not known */
        {"\"store\":\"abc123\",", "", NULL},
        {"\"payment\":null,\"tags\":[],", "", NULL},
        {"\"tags\":[]", "\"tags\":[{\"name\":\"VIP\"},{\"name\":\"VIP\",\"new\":1}]", NULL},
        {"\"opt_in_reason\":\"Asked\"", "\"other\":[[1]]", NULL},
        {"\"format\":1", "\"format\":1,\"new\":1,\"new\":2", NULL},
        {"55.99", "999999999999999.9999", NULL},
    };

    (void)state;
    check_cases(whole, KEY, cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_withdrawn_one_needs_less(void **state)
{
    static const struct wrong_case cases[] = {
        {"\"contact\"", "\"order\":1,\"contact\"", NULL},
        {"\"contact\"", "\"contacts\"", "contact"},
        {"jane@example.com", "", "contact.email_addresses[0].email"},
        {"\"placed_at\":", "\"placed_at\":-", "placed_at"},
        {"\"kind\":\"withdrawn\"", "\"kind\":\"order\"", "currency"},
    };

    (void)state;
    check_cases(withdrawn, KEY, cases, sizeof(cases) / sizeof(cases[0]));
}

static void the_key_and_the_kind_belong_together(void **state)
{
    static const struct {
        const char *value, *key;
    } cases[] = {{whole, "abc123/product/149"},     {whole, "abc123/contact/149"},
                 {withdrawn, "abc123/contact/149"}, {contact, KEY},
                 {contact, "abc123/product/7"},     {product, KEY},
                 {product, "abc123/contact/7"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error err;

        assert_string_equal(check(cases[i].value, strlen(cases[i].value), cases[i].key, &err),
                            "the record is not a payload: kind is none of the words it may be");
    }
}

static void a_contact_has_its_members(void **state)
{
    static const struct wrong_case cases[] = {
        {"\"contact\":{", "\"contacts\":{", "contact"},
        {"\"contact\":{", "\"contact\":null,\"x\":{", "contact"},
        {"jane@example.com", "jane", "contact.email_addresses[0].email"},
        {"\"Jane\"", "7", "contact.given_name"},
        {"\"tags\":[]", "\"tags\":[{}]", "tags[0].name"},
        {"\"store\":\"abc123\"", "\"store\":\"abc124\"", "store"},
        {"1552317445000", "15523174450", "modified_at"},
        {"\"account\"", "\"accounts\"", "account"},
        /* what an order has, a contact may have in any form */
        {"\"format\":1", "\"format\":1,\"products\":7,\"placed_at\":\"x\",\"order\":[]", NULL},
        {",\"tags\":[]", "", NULL},
    };

    (void)state;
    check_cases(contact, "abc123/contact/7", cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_product_has_its_members(void **state)
{
    static const struct wrong_case cases[] = {
        {"\"products\":[{", "\"products\":[],\"x\":[{", "products"},
        {"\"products\"", "\"product\"", "products"},
        {"[{\"sku\":\"S-1\"", "[{\"sku\":\"S-2\"", "products[0].body.sku"},
        {"5599", "\"5599\"", "products[0].body.price"},
        {"One\\n", "One\\t", "products[0].body.description"},
        {"One\\nTwo", " \\n ", "products[0].body.description"},
        {"\"Towel\"", "\"To\\nwel\"", "products[0].body.name"},
        {"\"currency\":\"USD\",", "", "currency"},
        {"\"format\":1", "\"format\":1,\"contact\":7", NULL},
    };

    (void)state;
    check_cases(product, "abc123/product/7", cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_are_payloads),
        cmocka_unit_test(a_wrong_member_is_named),
        cmocka_unit_test(a_withdrawn_one_needs_less),
        cmocka_unit_test(the_key_and_the_kind_belong_together),
        cmocka_unit_test(a_contact_has_its_members),
        cmocka_unit_test(a_product_has_its_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
