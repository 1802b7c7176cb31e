/* Products of a catalogue become products of the account; HTML becomes text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "mapping/html_text.h"
#include "mapping/map_catalog.h"

#define USD ",\"bigfusion\":{\"currency\":\"USD\"}}"

static struct config_store store = {.hash = (char *)(uintptr_t) "abc123"};
static struct config_account account = {.name = (char *)(uintptr_t) "main",
                                        .currency = (char *)(uintptr_t) "USD"};

static void test_html(void **state)
{
    static const struct {
        const char *html;
        const char *text;
    } cases[] = {
        {"", ""},
        {"Plain text", "Plain text"},
        {"<p>Linen towel.</p>", "Linen towel."},
        {"<P>One</P>\n<p class=\"a>b\">Two<br/>Three</p>", "One\nTwo\nThree"},
        {"<ul>\n <li>Red</li>\n <li> Blue </li>\n</ul>", "- Red\n- Blue"},
        {"<ul><li></li><li>x</li></ul>", "- x"},
        {"<ul><li><p>x</p><p>y</p></li><li><p></p></li></ul><p>z</p>", "- x\ny\nz"},
        {"<ul><li><p>Red</p></li><li><div><p>Blue</p><p>Dark</p></div></li></ul><p>End</p>",
         "- Red\n- Blue\nDark\nEnd"},
        {"<ul><li></ul><p>x</p>", "x"},
        {"It&#146;s 5&#x96;7 &#128;&#129;9 &#151;", "It\xe2\x80\x99s 5\xe2\x80\x93"
                                                    "7 \xe2\x82\xac 9 \xe2\x80\x94"},
        {"<table><tr><td>Size</td><td>M</td></tr><tr><td>Colour</td></tr></table>",
         "Size M\nColour"},
        {"  a \t b&nbsp;&nbsp;c  ", "a b c"},
        {"Tom &amp; Jerry &lt;3 &quot;x&quot; &#39;y&#x27; &euro;5 &Auml;&auml;",
         "Tom & Jerry <3 \"x\" 'y' \xe2\x82\xac"
         "5 \xc3\x84\xc3\xa4"},
        {"&amp;lt;b&amp;gt;", "&lt;b&gt;"},
        {"&unknown; & &copy=1 &#; &#x; &#0; &#xD800; &#99999999999;",
         "&unknown; & &copy=1 &#; &#x; \xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"},
        {"5 < 6 and 7 > 3, <3", "5 < 6 and 7 > 3, <3"},
        {"a<!-- <p>no</p> -->b<!doctype html><?php x ?>c", "abc"},
        {"a<script>var x = '<p>';</script>b<STYLE>p{}</STYLE >c", "abc"},
        {"a<script>no end", "a"},
        {"a<b title='x", "a"},
        {"a<!-- no end", "a"},
        {"a<", "a<"},
        {"<b>bo</b>ld<i>er</i>", "bolder"},
        {"tab\x01\x7f\xc2\x85"
         "end",
         "tab end"},
        {"\xe2\x9c\x93 \xf0\x9f\x8e\x81<br>\xe6\x97\xa5",
         "\xe2\x9c\x93 \xf0\x9f\x8e\x81\n\xe6\x97\xa5"},
        {"&#x1F381;&#233;", "\xf0\x9f\x8e\x81\xc3\xa9"},
        {"<p>&nbsp;</p><p> </p>", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = {0};
        html_to_text(text_of(cases[i].html), &out);
        if (!text_is((struct text){out.data == NULL ? "" : out.data, out.length}, cases[i].text))
            fail_msg("%s: \"%.*s\"", cases[i].html, (int)out.length, out.data);
        buffer_clear(&out);
    }
}

static void test_products(void **state)
{
    static const struct {
        const char *name;
        const char *product;
        const char *expected;
    } cases[] = {
        {"no variants",
         "{\"id\":77,\"name\":\" Towel \",\"sku\":\"S-ORAN\",\"price\":55.99,\"description\":"
         "\"<p>Linen<br>towel.</p>\",\"variants\":[]" USD,
         "[{\"sku\":\"S-ORAN\",\"body\":{\"sku\":\"S-ORAN\",\"name\":\"Towel\","
         "\"short_description\":\"Towel\",\"price\":5599,\"description\":\"Linen\\ntowel.\"}}]"},
        {"a variant that stands for the product",
         "{\"id\":77,\"name\":\"T\",\"sku\":\"A\",\"price\":1,\"variants\":[{\"id\":5,\"sku\":\"\","
         "\"price\":null,\"option_values\":[]}]" USD,
         "[{\"sku\":\"A\",\"body\":{\"sku\":\"A\",\"name\":\"T\",\"short_description\":\"T\","
         "\"price\":100}}]"},
        {"no SKU",
         "{\"id\":77,\"name\":\"T\",\"sku\":\"\",\"price\":0.005,\"variants\":[{\"id\":5,"
         "\"option_values\":[]}]" USD,
         "[{\"sku\":\"bc-abc123-77-0\",\"body\":{\"sku\":\"bc-abc123-77-0\",\"name\":\"T\","
         "\"short_description\":\"T\",\"price\":1}}]"},
        {"variants: own price, the product's price, no SKU, a SKU twice",
         "{\"id\":9,\"name\":\"Jar\",\"price\":7.95,\"variants\":["
         "{\"id\":1,\"sku\":\"J-1\",\"price\":10,\"option_values\":[{\"label\":\"Beige\"},"
         "{\"label\":\"Large\"}]},"
         "{\"id\":2,\"sku\":\"J-2\",\"price\":{},\"option_values\":[{\"label\":\"Grey\"}]},"
         "{\"id\":3,\"sku\":\" \",\"price\":null,\"option_values\":[{\"label\":\"Black\"}]},"
         "{\"id\":4,\"sku\":\"j-1\",\"price\":5,\"option_values\":[{\"label\":\"Red\"}]}]" USD,
         "[{\"sku\":\"J-1\",\"body\":{\"sku\":\"J-1\",\"name\":\"Jar - Beige / Large\","
         "\"short_description\":\"Jar - Beige / Large\",\"price\":1000}},"
         "{\"sku\":\"J-2\",\"body\":{\"sku\":\"J-2\",\"name\":\"Jar - Grey\","
         "\"short_description\":\"Jar - Grey\",\"price\":795}},"
         "{\"sku\":\"bc-abc123-9-3\",\"body\":{\"sku\":\"bc-abc123-9-3\",\"name\":\"Jar - Black\","
         "\"short_description\":\"Jar - Black\",\"price\":795}}]"},
        {"no SKU and twice the same id, twice without options",
         "{\"id\":9,\"name\":\"x\",\"price\":1,\"variants\":["
         "{\"id\":1,\"option_values\":[{\"label\":\"a\"}]},{\"id\":1,\"option_values\":[{\"label\":"
         "\"b\"}]},"
         "{\"id\":2},{\"id\":3,\"price\":5}]" USD,
         "[{\"sku\":\"bc-abc123-9-1\",\"body\":{\"sku\":\"bc-abc123-9-1\",\"name\":\"x - a\","
         "\"short_description\":\"x - a\",\"price\":100}},"
         "{\"sku\":\"bc-abc123-9-0\",\"body\":{\"sku\":\"bc-abc123-9-0\",\"name\":\"x\","
         "\"short_description\":\"x\",\"price\":100}}]"},
        {"yen, no name",
         "{\"id\":9,\"sku\":\"J\",\"price\":795,\"bigfusion\":{\"currency\":\"JPY\"}}",
         "[{\"sku\":\"J\",\"body\":{\"sku\":\"J\",\"name\":\"J\",\"short_description\":\"J\","
         "\"price\":795}}]"},
        {"negative price", "{\"id\":9,\"name\":\"x\",\"sku\":\"J\",\"price\":-1" USD,
         "[{\"sku\":\"J\",\"body\":{\"sku\":\"J\",\"name\":\"x\",\"short_description\":\"x\","
         "\"price\":0}}]"},
    };
    struct map_catalog map = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = {0};
        struct error err = {0};
        if (map_catalog_open(&map, text_of(cases[i].product), (struct text){0}, &err) != 0)
            fail_msg("%s: %s", cases[i].name, err.text);
        map_catalog_write_products(&map, &store, &out);
        map_catalog_close(&map);
        if (strcmp(out.data, cases[i].expected) != 0)
            fail_msg("%s: %s", cases[i].name, out.data);
        buffer_clear(&out);
    }
    map_catalog_clear(&map);
}

static void test_malformed(void **state)
{
    static const char *const cases[][2] = {
        {"", "not JSON"},
        {"[]", "not a JSON object"},
        {"{\"id\":9" USD, NULL},
        {"{\"id\":8" USD, "the key names another product"},
        {"{\"id\":\"9\"" USD, "id of the product"},
        {"{\"id\":0" USD, "id of the product"},
        {"{\"id\":9,\"name\":5" USD, "name is not a string"},
        {"{\"id\":9,\"sku\":[]" USD, "sku is not a string"},
        {"{\"id\":9,\"description\":5" USD, "description is not a string"},
        {"{\"id\":9,\"price\":\"x\"" USD, "price is not an amount"},
        {"{\"id\":9,\"variants\":{}" USD, "variants is not a list"},
        {"{\"id\":9,\"variants\":[5]" USD, "something else than objects"},
        {"{\"id\":9,\"variants\":[{\"id\":-1}]" USD, "id of a variant"},
        {"{\"id\":9,\"variants\":[{\"id\":1,\"price\":1e99}]" USD, "price of a variant"},
        {"{\"id\":9}", "currency of the store"},
        {"{\"id\":9,\"bigfusion\":{\"currency\":\"US\"}}", "currency of the store"},
    };
    struct map_catalog map = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        int refused = map_catalog_open(&map, text_of(cases[i][0]), text_of("9"), &err);
        map_catalog_close(&map);
        if ((refused != 0) != (cases[i][1] != NULL) ||
            (refused != 0 && strstr(err.text, cases[i][1]) == NULL))
            fail_msg("%s: \"%s\"", cases[i][0], err.text);
    }
    map_catalog_clear(&map);
}

static size_t chars_of(yyjson_val *body, const char *name)
{
    return text_count_chars(json_text(yyjson_obj_get(body, name)));
}

/* Too long texts are cut, and the payload stays JSON. The options of a variant stay whole. */
static void test_limits(void **state)
{
    struct map_settings settings = {.store = &store, .account = &account};
    struct map_catalog map = {0};
    struct buffer product = {0}, out = {0};
    struct error err = {0};
    yyjson_doc *doc;
    yyjson_val *body;

    (void)state;
    buffer_printf(&product, "{\"id\":9,\"price\":1,\"name\":\"");
    for (int i = 0; i < 250; i++)
        buffer_printf(&product, "\xc3\xa9");
    buffer_printf(&product, "\",\"description\":\"");
    for (int i = 0; i < 3000; i++)
        buffer_printf(&product, "<p>\xc3\xa9 \\\"</p>");
    buffer_printf(&product,
                  "\",\"variants\":[{\"id\":1,\"sku\":\"A\",\"option_values\":[{\"label\":"
                  "\"Blue\"}]}]" USD);
    assert_int_equal(
        map_catalog_open(&map, (struct text){product.data, product.length}, text_of("9"), &err), 0);
    assert_int_equal(map_catalog_write(&map, &settings, 1790000000000, &out, &err), REASON_NONE);
    map_catalog_close(&map);
    doc = yyjson_read(out.data, out.length, 0);
    body = yyjson_obj_get(
        yyjson_arr_get_first(yyjson_obj_get(yyjson_doc_get_root(doc), "products")), "body");
    assert_int_equal(chars_of(body, "name"), MAP_NAME_CHARS_MAX);
    assert_non_null(strstr(yyjson_get_str(yyjson_obj_get(body, "name")), "\xc3\xa9 - Blue"));
    assert_in_range(chars_of(body, "description"), MAP_DESCRIPTION_CHARS_MAX - 4,
                    MAP_DESCRIPTION_CHARS_MAX);
    yyjson_doc_free(doc);
    buffer_clear(&product);
    buffer_clear(&out);
    map_catalog_clear(&map);
}

static void test_currency(void **state)
{
    struct map_settings settings = {.store = &store, .account = &account};
    struct map_catalog map = {0};
    struct buffer out = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(map_catalog_open(&map,
                                      text_of("{\"id\":9,\"bigfusion\":{\"currency\":\"EUR\"}}"),
                                      text_of("9"), &err),
                     0);
    assert_int_equal(map_catalog_write(&map, &settings, 1790000000000, &out, &err),
                     REASON_CURRENCY_MISMATCH);
    assert_string_equal(err.text, "the product's currency is not the account's USD");
    map_catalog_close(&map);
    map_catalog_clear(&map);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_html),      cmocka_unit_test(test_products),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_currency),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
