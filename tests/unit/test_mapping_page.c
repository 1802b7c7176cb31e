/* test_mapping_page.c - docs/mapping.md lists every member of the payloads, with what it may be, as
 * the tables of payload_format.c have them; and none besides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "../../services/pusher/payload_format.h"

enum { MANY = 100000, PAGE_BYTES = 1 << 20 };

static void write_words(struct buffer *out, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        buffer_printf(out, "%s`%s`", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
}

static void write_text(struct buffer *out, const struct payload_rule *rule)
{
    buffer_printf(out, "text");
    if (rule->min == rule->max)
        buffer_printf(out, " of %lld", (long long)rule->max);
    else if (rule->max < INT32_MAX)
        buffer_printf(out, ", at most %lld", (long long)rule->max);
    if (rule->min == 0)
        buffer_printf(out, ", may be empty");
}

static void write_number(struct buffer *out, const struct payload_rule *rule)
{
    buffer_printf(out, "whole number");
    if (rule->min == rule->max)
        buffer_printf(out, " %lld", (long long)rule->min);
    else if (rule->min >= 0)
        buffer_printf(out, ", at least %lld", (long long)rule->min);
}

static void write_list(struct buffer *out, const struct payload_rule *rule)
{
    buffer_printf(out, "list");
    if (rule->max == 0)
        buffer_printf(out, ", empty");
    else if (rule->min == rule->max)
        buffer_printf(out, " of %lld", (long long)rule->max);
    else if (rule->max < MANY)
        buffer_printf(out, " of %lld to %lld", (long long)rule->min, (long long)rule->max);
    else if (rule->min > 0)
        buffer_printf(out, ", not empty");
}

/* What a member may be, in the words of the page. */
static void write_kind(struct buffer *out, const struct payload_rule *rule)
{
    switch (rule->type) {
    case PAYLOAD_TEXT:
    case PAYLOAD_LINES:
        write_text(out, rule);
        buffer_printf(out, "%s", rule->type == PAYLOAD_LINES ? ", of several lines" : "");
        break;
    case PAYLOAD_WORD:
        write_words(out, rule->words);
        break;
    case PAYLOAD_INT:
        write_number(out, rule);
        break;
    case PAYLOAD_LIST:
        write_list(out, rule);
        break;
    case PAYLOAD_LETTERS:
        buffer_printf(out, "%lld capital letters", (long long)rule->max);
        break;
    default:
        buffer_printf(out, "%s",
                      rule->type == PAYLOAD_EMAIL     ? "e-mail address"
                      : rule->type == PAYLOAD_TIME    ? "time in UTC"
                      : rule->type == PAYLOAD_DECIMAL ? "amount"
                      : rule->type == PAYLOAD_AMOUNT  ? "amount, not negative"
                      : rule->type == PAYLOAD_OBJECT  ? "object"
                      : rule->type == PAYLOAD_OR_NULL ? "object or null"
                                                      : "list of notes");
    }
}

/* Checks that the page has a row for each member of the shape, and of what is in it where the page
 * explains that in this place. @returns how many rows that are */
static int check_shape(const char *page, const struct payload_shape *shape, const char *prefix,
                       int with_inside, int *wrong)
{
    int count = 0;

    for (unsigned i = 0; i < shape->count; i++) {
        const struct payload_rule *rule = &shape->rules[i];
        struct buffer row = {0}, path = {0};

        buffer_printf(&path, "%s%s%s", prefix, rule->name,
                      rule->type == PAYLOAD_LIST || rule->type == PAYLOAD_NOTES ? "[]" : "");
        buffer_printf(&row, "\n| `%s` | %s | ", path.data,
                      rule->presence == PAYLOAD_OPTIONAL ? "yes" : "no");
        write_kind(&row, rule);
        buffer_printf(&row, " | ");
        if (strstr(page, row.data) == NULL) {
            print_error("docs/mapping.md, Every member, lacks the row:%s...\n", row.data);
            (*wrong)++;
        }
        count++;
        if (rule->shape != NULL && with_inside) {
            buffer_printf(&path, ".");
            count += check_shape(page, rule->shape, path.data, 1, wrong);
        }
        buffer_clear(&row);
        buffer_clear(&path);
    }
    return count;
}

/* The page's section of that heading; the text is new. */
static char *read_section(const char *heading)
{
    char *page = calloc(1, PAGE_BYTES), *start, *end;
    FILE *file = fopen("docs/mapping.md", "r");

    assert_non_null(page);
    assert_non_null(file);
    assert_in_range(fread(page, 1, PAGE_BYTES - 1, file), 1, PAGE_BYTES - 2);
    fclose(file);
    start = strstr(page, heading);
    assert_non_null(start);
    end = strstr(start + strlen(heading), "\n## ");
    if (end != NULL)
        *end = '\0';
    memmove(page, start, strlen(start) + 1);
    return page;
}

/* The page explains objects and lists once, for orders. So those of other kinds have to be the same. */
static void objects_of_all_kinds_are_those_of_orders(void **state)
{
    static const struct payload_shape *const others[] = {&payload_withdrawn, &payload_contact,
                                                         &payload_product};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (unsigned j = 0; j < others[i]->count; j++) {
            const struct payload_rule *rule = &others[i]->rules[j];
            int found = rule->shape == NULL;

            for (unsigned k = 0; k < payload_order.count; k++)
                found |= payload_order.rules[k].shape == rule->shape;
            assert_true(found);
        }
}

static void the_page_lists_every_member_and_no_other(void **state)
{
    char *page = read_section("\n## Every member\n");
    static const struct {
        const char *heading;
        const struct payload_shape *shape;
    } kinds[] = {
        {"\n### Of an order\n", &payload_order},
        {"\n### Of an order that was withdrawn\n", &payload_withdrawn},
        {"\n### Of a contact\n", &payload_contact},
        {"\n### Of a product\n", &payload_product},
    };
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char *part = strstr(page, kinds[i].heading), *end, kept;
        int wanted, rows = 0;

        if (part == NULL)
            print_error("docs/mapping.md has no%s", kinds[i].heading);
        assert_non_null(part);
        end = strstr(part + 1, "\n### ");
        end = end == NULL ? part + strlen(part) : end;
        kept = *end;
        *end = '\0';
        wanted = check_shape(part, kinds[i].shape, "", kinds[i].shape == &payload_order, &wrong);
        for (const char *at = part; (at = strstr(at, "\n| `")) != NULL; at++)
            rows++;
        if (rows != wanted)
            print_error("%d rows, but the format has %d members:%s", rows, wanted,
                        kinds[i].heading);
        wrong += rows != wanted;
        *end = kept;
    }
    free(page);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_of_all_kinds_are_those_of_orders),
        cmocka_unit_test(the_page_lists_every_member_and_no_other),
    };

    return cmocka_run_group_tests_name("mapping_page", tests, NULL, NULL);
}
