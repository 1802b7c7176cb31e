#include "mutate.h"

#include <string.h>

enum { VALUES_MAX = 8192, LEVELS_MAX = 256 };

/* Where a value stands in the text, and where its member does: from its name on. */
struct value {
    size_t member, start, end;
    int is_text;
};

struct scan {
    struct text text;
    size_t at;
    size_t count;
    size_t open[LEVELS_MAX]; /* objects and lists that are not closed yet */
    int level;
};

static struct value values[VALUES_MAX];
static struct scan scan;

static void skip_blanks(void)
{
    while (scan.at < scan.text.length && strchr(" \t\r\n", scan.text.data[scan.at]) != NULL &&
           scan.text.data[scan.at] != '\0')
        scan.at++;
}

static int peek(void)
{
    skip_blanks();
    return scan.at < scan.text.length ? (unsigned char)scan.text.data[scan.at] : -1;
}

/* A string at the place; moves behind it. */
static int skip_string(void)
{
    for (scan.at++; scan.at < scan.text.length && scan.text.data[scan.at] != '"'; scan.at++)
        if (scan.text.data[scan.at] == '\\')
            scan.at++;
    return scan.at++ < scan.text.length ? 0 : -1;
}

static int skip_scalar(void)
{
    size_t from = scan.at;

    while (scan.at < scan.text.length && strchr(",]} \t\r\n", scan.text.data[scan.at]) == NULL)
        scan.at++;
    return scan.at > from ? 0 : -1;
}

static int in_object(void)
{
    return scan.level > 0 && scan.text.data[values[scan.open[scan.level - 1]].start] == '{';
}

/* A value, in an object with its name in front. An object or list is left open. */
static int begin_value(void)
{
    struct value *value = &values[scan.count];

    if (scan.count == VALUES_MAX || peek() < 0)
        return -1;
    value->member = scan.at;
    if (in_object()) {
        if (peek() != '"' || skip_string() != 0 || peek() != ':')
            return -1;
        scan.at++;
    }
    value->is_text = peek() == '"';
    value->start = scan.at;
    if (peek() == '{' || peek() == '[') {
        if (scan.level == LEVELS_MAX)
            return -1;
        scan.open[scan.level++] = scan.count++;
        scan.at++;
        return 0;
    }
    if (value->is_text ? skip_string() != 0 : skip_scalar() != 0)
        return -1;
    value->end = scan.at;
    scan.count++;
    return 0;
}

/* What follows a value or an opening: closes, and then a comma or the end. @returns 1: a value
 * follows, 0: the end, -1: no JSON */
static int go_on(int opened)
{
    while (scan.level > 0 && (peek() == '}' || peek() == ']')) {
        values[scan.open[--scan.level]].end = ++scan.at;
        opened = 0;
    }
    if (scan.level == 0)
        return peek() < 0 ? 0 : -1;
    if (opened)
        return 1;
    if (peek() != ',')
        return -1;
    scan.at++;
    return 1;
}

size_t mutate_count(struct text document)
{
    int more;

    scan = (struct scan){.text = document};
    do {
        int level = scan.level;

        if (begin_value() != 0)
            return 0;
        more = go_on(scan.level > level);
    } while (more == 1);
    return more == 0 ? scan.count : 0;
}

/* What stands in the value's place. `huge` and those behind it are made of the value itself. */
static const char *const replacements[] = {
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.5",
    "\"\"",
    "\" \"",
    "\"x\"",
    "[]",
    "{}",
    "[null]",
    "{\"\":null}",
    "[[[[[[[[]]]]]]]]",
    "1e400",
    "-0",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999999999999999999999",
    "\"\\u0000\"",
    "\"-1\"",
    "\"9223372036854775808\"",
    "\"<a@b@c,d>\"",
};

enum special {
    ABSENT = 0,
    DOUBLED,
    IN_LIST,
    IN_OBJECT,
    AS_TEXT,
    NEGATIVE,
    HUGE_TEXT,
    HUGE_LIST,
    SPECIAL_COUNT
};

enum { REPLACEMENT_COUNT = sizeof(replacements) / sizeof(replacements[0]), HUGE_BYTES = 3000 };

int mutate_kinds(void) { return REPLACEMENT_COUNT + SPECIAL_COUNT; }

static void add(struct buffer *target, struct text text, size_t from, size_t to)
{
    buffer_append(target, text.data + from, to - from);
}

/* How much of it can stand between quotes as it is. */
static size_t plain_length(struct text raw)
{
    size_t length = 0;

    while (length < raw.length && memchr("\"\\,}] ", raw.data[length], 6) == NULL)
        length++;
    return length;
}

/* Takes the member out, with the comma behind it or the one in front of it. */
static void write_absent(struct text text, const struct value *value, struct buffer *target)
{
    size_t from = value->member, to = value->end;

    while (to < text.length && strchr(" \t\r\n", text.data[to]) != NULL)
        to++;
    if (to < text.length && text.data[to] == ',') {
        to++;
    } else {
        while (from > 0 && strchr(" \t\r\n", text.data[from - 1]) != NULL)
            from--;
        if (from > 0 && text.data[from - 1] == ',')
            from--;
    }
    add(target, text, 0, from);
    add(target, text, to, text.length);
}

static void write_huge(struct buffer *target, const char *piece, const char *open,
                       const char *close)
{
    buffer_printf(target, "%s", open);
    for (size_t i = 0; i < HUGE_BYTES; i += strlen(piece))
        buffer_printf(target, "%s", piece);
    buffer_printf(target, "%s", close);
}

static void write_special(struct text text, const struct value *value, enum special kind,
                          struct buffer *target)
{
    struct text raw = {text.data + value->start, value->end - value->start};

    switch (kind) {
    case DOUBLED:
        add(target, text, value->start, value->end);
        buffer_append(target, ",", 1);
        add(target, text, value->member, value->end);
        break;
    case IN_LIST:
        buffer_printf(target, "[%.*s]", (int)raw.length, raw.data);
        break;
    case IN_OBJECT:
        buffer_printf(target, "{\"id\":%.*s}", (int)raw.length, raw.data);
        break;
    case AS_TEXT: /* a number becomes a text, a text loses its quotes */
        if (value->is_text)
            add(target, text, value->start + 1, value->end - 1);
        else
            buffer_printf(target, "\"%.*s\"", (int)plain_length(raw), raw.data);
        break;
    case NEGATIVE:
        buffer_printf(target, "-%.*s", (int)raw.length, raw.data);
        break;
    case HUGE_TEXT:
        write_huge(target, "abcdefghij", "\"", "\"");
        break;
    default:
        write_huge(target, "0,", "[", "0]");
    }
}

void mutate_write(struct text document, size_t index, int kind, struct buffer *target)
{
    const struct value *value = &values[index];

    buffer_reset(target);
    if (kind == REPLACEMENT_COUNT + ABSENT) {
        write_absent(document, value, target);
        return;
    }
    add(target, document, 0, value->start);
    if (kind < REPLACEMENT_COUNT)
        buffer_printf(target, "%s", replacements[kind]);
    else
        write_special(document, value, (enum special)(kind - REPLACEMENT_COUNT), target);
    add(target, document, value->end, document.length);
}
