/* test_scan.c - whose bytes these are that no JSON parser reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/poller/scan.h"

#define LONE "\"n\":\"Gr\\ud83dace\""
#define INSIDE "\"consignments\":{\"shipping\":[{\"id\":51,\"line_items\":[{\"id\":9000}]}]}"

static void finds_the_orders_own_id(void **state)
{
    static const struct {
        const char *name, *bytes;
        int64_t id;
    } cases[] = {
        {"id first", "{\"id\": 118, \"x\":NaN}", 118},
        {"id behind the consignments", "{" INSIDE "," LONE ",\"id\":1001}", 1001},
        {"id before what is broken", "{\"id\":1001," INSIDE "," LONE, 1001},
        {"id as text", "{" INSIDE ",\"id\":\"1001\"," LONE "}", 1001},
        {"only a consignment's", "{" INSIDE "," LONE "}", -1},
        {"inside a list", "[{\"id\":1001," LONE "}]", -1},
        {"a text that looks like it", "{\"n\":\"\\\"id\\\":5\",\"m\":\"id\",\"id\":7}", 7},
        {"a name that ends like it", "{\"product_id\":5,\"id\":7," LONE "}", 7},
        {"a value with a backslash at its end", "{\"n\":\"a\\\\\",\"id\":7}", 7},
        {"invalid UTF-8", "{\"n\":\"\xff\xfe\",\"id\":7}", 7},
        {"a control character", "{\"n\":\"\x01\",\"id\":7}", 7},
        {"words that are none", "{\"a\":Infinity,\"b\":-,\"c\":0x1f,\"id\":7}", 7},
        {"empty objects and arrays", "{\"a\":{},\"b\":[],\"c\":[[],{}],\"id\":7}", 7},
        {"blanks", " {\n\"a\" : [ 1 , { } ] ,\t\"id\" : 7 } ", 7},
        {"the same twice", "{\"id\":7,\"id\":7}", 7},
        {"two that differ", "{\"id\":7," LONE ",\"id\":8}", -1},
        {"no number", "{\"id\":\"x\"}", -1},
        {"an object", "{\"id\":{\"id\":7}}", -1},
        {"null", "{\"id\":null,\"x\":{\"id\":7}}", -1},
        {"zero", "{\"id\":0}", -1},
        {"negative", "{\"id\":-7}", -1},
        {"beyond 64 bits", "{\"id\":99999999999999999999}", -1},
        {"cut in the id's text", "{\"id\":\"10", -1},
        {"behind a missing comma", "{\"a\":1 \"id\":7}", -1},
        {"behind a missing value", "{\"a\":,\"id\":7}", -1},
        {"behind a missing colon", "{\"a\",\"id\":7}", -1},
        {"behind a quote too many", "{\"n\":\"a\"b\",\"x\":{\"id\":51},\"id\":7}", -1},
        {"behind a bracket of another kind", "{\"x\":[{\"a\":1],\"id\":7}", -1},
        {"behind a bracket too many", "{\"x\":{}},\"id\":7}", -1},
        {"cut", "{\"a\":\"", -1},
        {"cut behind a backslash", "{\"a\":\"b\\", -1},
        {"only a bracket", "{", -1},
        {"HTML", "<html>\"id\":7</html>", -1},
        {"nothing", "", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        /* A copy of exactly its size: reading beyond it is seen by the address sanitizer. */
        size_t length = strlen(cases[i].bytes);
        char *bytes = malloc(length + (length == 0));
        int64_t id;

        memcpy(bytes, cases[i].bytes, length);
        id = scan_id((struct text){bytes, length});
        if (id != cases[i].id)
            fail_msg("%s: %lld, wanted %lld", cases[i].name, (long long)id, (long long)cases[i].id);
        free(bytes);
    }
    assert_int_equal(scan_id((struct text){NULL, 0}), -1);
}

static void is_not_led_astray_by_depth(void **state)
{
    struct buffer bytes = {0};

    (void)state;
    buffer_printf(&bytes, "{\"id\":7,\"deep\":");
    for (int i = 0; i < 100000; i++)
        buffer_append(&bytes, "[", 1);
    assert_int_equal(scan_id((struct text){bytes.data, bytes.length}), 7);
    buffer_clear(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_orders_own_id),
        cmocka_unit_test(is_not_led_astray_by_depth),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
