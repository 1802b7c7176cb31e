#include "scan.h"

#include <string.h>

#include "base/text.h"

enum { DEPTH_MAX = 64 };

struct scan {
    const char *at, *end;
    char open[DEPTH_MAX]; /* the bracket of each level that is open */
    int depth;
    int64_t id;
};

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Moves scan->at to the next character that is no blank. @returns it, or 0 at the end */
static char next_char(struct scan *scan)
{
    while (scan->at < scan->end && is_blank(*scan->at))
        scan->at++;
    return scan->at < scan->end ? *scan->at : '\0';
}

/* Reads a text with its quotes. @returns it, or an empty text when its closing quote is missing */
static struct text read_text(struct scan *scan)
{
    const char *first = scan->at++;

    while (scan->at < scan->end && *scan->at != '"')
        scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
    if (scan->at == scan->end)
        return (struct text){NULL, 0};
    scan->at++;
    return (struct text){first, (size_t)(scan->at - first)};
}

/* Reads a number, a word such as null, or whatever stands in its place. */
static struct text read_word(struct scan *scan)
{
    const char *first = scan->at;

    while (scan->at < scan->end && !is_blank(*scan->at) && strchr("{}[]:,\"", *scan->at) == NULL)
        scan->at++;
    return (struct text){first, (size_t)(scan->at - first)};
}

static int take_id(struct scan *scan, struct text value)
{
    int64_t id = 0;

    if (value.length > 2 && value.data[0] == '"')
        value = (struct text){value.data + 1, value.length - 2};
    if (text_to_int(value, &id) != 0 || id <= 0 || (scan->id > 0 && scan->id != id)) {
        scan->id = -1;
        return -1;
    }
    scan->id = id;
    return 0;
}

/* Reads a value, or the bracket that opens it. @returns 0, or -1 where the scan has to stop */
static int read_value(struct scan *scan, int is_id)
{
    char c = next_char(scan);
    struct text value = {NULL, 0};

    if (c == '{' || c == '[') {
        if (scan->depth == DEPTH_MAX)
            return -1;
        scan->open[scan->depth++] = c;
        scan->at++;
    } else {
        value = c == '"' ? read_text(scan) : read_word(scan);
        if (value.length == 0)
            return -1;
    }
    return is_id ? take_id(scan, value) : 0;
}

/* Inside an object, reads the name and the colon before a value. @returns as read_value() */
static int read_name(struct scan *scan, int *is_id)
{
    struct text name;

    *is_id = 0;
    if (scan->open[scan->depth - 1] == '[')
        return 0;
    if (next_char(scan) != '"')
        return -1;
    name = read_text(scan);
    if (name.length == 0 || next_char(scan) != ':')
        return -1;
    scan->at++;
    *is_id = scan->depth == 1 && text_is(name, "\"id\"");
    return 0;
}

/* Reads the brackets that close behind a value, and the comma before the next value. @returns as
 * read_value() */
static int read_end(struct scan *scan)
{
    for (;;) {
        char c = next_char(scan);

        if (c == ',') {
            scan->at++;
            return 0;
        }
        if (c != '}' && c != ']')
            return -1;
        if (scan->open[--scan->depth] != (c == '}' ? '{' : '[') || scan->depth == 0)
            return -1;
        scan->at++;
    }
}

/* Reads one member or element, and the brackets that close behind it. @returns as read_value() */
static int read_step(struct scan *scan)
{
    int depth = scan->depth, is_id;
    char c;

    if (read_name(scan, &is_id) != 0 || read_value(scan, is_id) != 0)
        return -1;
    c = next_char(scan);
    if (scan->depth > depth && c != '}' && c != ']')
        return 0; /* the value is an object or list with something in it, which comes next */
    return read_end(scan);
}

int64_t scan_id(struct text order)
{
    struct scan scan = {.at = order.data, .id = -1};

    if (order.length == 0)
        return -1;
    scan.end = order.data + order.length;
    if (next_char(&scan) != '{')
        return -1;
    scan.open[scan.depth++] = *scan.at++;
    while (read_step(&scan) == 0)
        ;
    return scan.id;
}
