#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../services/inspector/preview.h"

struct compare_case {
    const char *name;
    const char *before;
    const char *after;
    const char *parts; /* what is counted, as compact JSON with sorted names */
};

static const struct compare_case compare_cases[] = {
    {"the same", "{\"a\":1}", "{\"a\":1}", "{}"},
    {"the same in another order", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "{}"},
    {"a member", "{\"a\":{\"b\":\"x\"}}", "{\"a\":{\"b\":\"y\"}}", "{\"a.b\":1}"},
    {"a member more", "{\"a\":{}}", "{\"a\":{\"b\":null}}", "{\"a.b\":1}"},
    {"a member less", "{\"a\":1,\"b\":[]}", "{\"a\":1}", "{\"b\":1}"},
    {"elements count once", "{\"a\":[{\"b\":1},{\"b\":2}]}", "{\"a\":[{\"b\":3},{\"b\":4}]}",
     "{\"a[].b\":1}"},
    {"an element more", "{\"a\":[1]}", "{\"a\":[1,2]}", "{\"a[]\":1}"},
    {"another type", "{\"a\":[1]}", "{\"a\":{\"b\":1}}", "{\"a\":1}"},
    {"several", "{\"a\":1,\"b\":1,\"c\":1}", "{\"a\":2,\"b\":1,\"c\":2}", "{\"a\":1,\"c\":1}"},
    {"not JSON", "{\"a\":1}", "{", "{\"\":1}"},
};

static void test_compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(compare_cases) / sizeof(*compare_cases); i++) {
        const struct compare_case *one = &compare_cases[i];
        json_t *parts = json_object();
        int count = preview_compare(parts, text_of(one->before), text_of(one->after));
        char *text = json_dumps(parts, JSON_COMPACT | JSON_SORT_KEYS);

        print_message("%s\n", one->name);
        assert_string_equal(text, one->parts);
        assert_int_equal(count, json_object_size(parts));
        free(text);
        json_decref(parts);
    }
}

static struct preview_answer answer_of(enum preview_kind kind, enum reason reason,
                                       const char *payload)
{
    struct preview_answer answer = {.kind = kind, .reason = reason};

    buffer_append(&answer.payload, payload, strlen(payload));
    return answer;
}

/* An order that changes its fate counts as a move; one that is synced by both counts by its parts. */
static void test_tally(void **state)
{
    static const struct config_store store = {.code = (char *)(uintptr_t) "BC"};
    struct preview_answer a = answer_of(PREVIEW_SYNCED, REASON_NONE, "{\"tags\":[]}");
    struct preview_answer b = answer_of(PREVIEW_SYNCED, REASON_NONE, "{\"tags\":[1]}");
    struct preview_answer c = answer_of(PREVIEW_SKIPPED, REASON_STATUS, "");
    struct preview_answer d = answer_of(PREVIEW_SKIPPED, REASON_NO_EMAIL, "");
    struct whole_order order = {.id = 118};
    struct preview preview;

    (void)state;
    preview_init(&preview, &store);
    preview_add(&preview, &order, &a, &a);
    preview_add(&preview, &order, &a, &b);
    preview_add(&preview, &order, &a, &c);
    preview_add(&preview, &order, &c, &d);
    order.id = -1;
    preview_add(&preview, &order, &c, &c);
    assert_int_equal(preview.now.kinds[PREVIEW_SYNCED], 3);
    assert_int_equal(preview.now.reasons[PREVIEW_SKIPPED][REASON_STATUS], 2);
    assert_int_equal(preview.other.kinds[PREVIEW_SYNCED], 2);
    assert_int_equal(preview.changed, 2);
    assert_int_equal(preview.altered, 1);
    assert_int_equal(json_integer_value(json_object_get(preview.parts, "tags[]")), 1);
    assert_int_equal(json_integer_value(json_object_get(preview.moves, "synced -> skipped status")),
                     1);
    assert_int_equal(
        json_integer_value(json_object_get(preview.moves, "skipped status -> skipped no_email")),
        1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(preview.orders, 0), "order")), "BC #118");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(preview.orders, 4), "order")),
        "unreadable");
    preview_clear(&preview);
    buffer_clear(&a.payload);
    buffer_clear(&b.payload);
    buffer_clear(&c.payload);
    buffer_clear(&d.payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_tally),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
