#include "record_view.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/outside_text.h"
#include "history/spot.h"

#include "shown_value.h"

enum {
    HEADER_MAX_BYTES = 2000, /* the services write shorter ones */
    LINE_VALUE_BYTES = 160,
};

static int is_time(enum header header)
{
    return header == HEADER_MODIFIED_AT || header == HEADER_POLLED_AT ||
           header == HEADER_NOT_BEFORE || header == HEADER_START_FROM ||
           header == HEADER_REPLAYED_AT;
}

static json_t *headers_json(const struct event *event)
{
    json_t *headers = mem_check(json_object());

    for (int i = 0; i < HEADER_COUNT; i++) {
        int64_t at_ms = is_time((enum header)i) ? event_header_int(event, (enum header)i, -1) : -1;

        if (event->headers[i].data == NULL)
            continue;
        json_object_set_new(
            headers, header_name((enum header)i),
            at_ms > 0 ? outside_time_json(at_ms)
                      : outside_text_json(outside_text_begin(event->headers[i], HEADER_MAX_BYTES)));
    }
    return headers;
}

json_t *record_view(const struct topics *topics, const struct event *event, int show_personal)
{
    return mem_check(json_pack(
        "{s:o, s:s, s:s, s:i, s:I, s:o, s:o, s:o}", "time", outside_time_json(event->timestamp_ms),
        "stage", spot_name(topics, event->topic), "topic", event->topic, "partition",
        (int)event->partition, "offset", (json_int_t)event->offset, "key",
        outside_text_json(outside_text_begin(event->key, HEADER_MAX_BYTES)), "headers",
        headers_json(event), "value", shown_value(event->value, show_personal)));
}

void record_view_hide(json_t *view, const struct personal *personal)
{
    json_t *headers = json_object_get(view, "headers");
    const char *name = header_name(HEADER_ANSWER);
    const char *answer = json_string_value(json_object_get(headers, name));
    char *copy;

    if (answer == NULL)
        return;
    copy = mem_strdup(personal->count > 0 ? answer : "not shown: it may name the customer");
    if (personal->count > 0)
        personal_hide(personal, copy);
    json_object_set_new(headers, name, mem_check(json_string(copy)));
    free(copy);
}

static const char *text_of_view(const json_t *view, const char *name)
{
    const char *text = json_string_value(json_object_get(view, name));

    return text != NULL ? text : "-";
}

static char *place_of(const json_t *view)
{
    return mem_printf("%s/%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
                      text_of_view(view, "topic"),
                      json_integer_value(json_object_get(view, "partition")),
                      json_integer_value(json_object_get(view, "offset")));
}

/* A text stands as it is; everything else as JSON. New. */
static char *value_text(const json_t *value, size_t flags)
{
    if (json_is_null(value))
        return mem_strdup("no value (a tombstone)");
    if (json_is_string(value))
        return mem_strdup(json_string_value(value));
    return mem_check(json_dumps(value, flags | JSON_ENCODE_ANY));
}

void record_view_print(json_t *view, struct buffer *target)
{
    json_t *headers = json_object_get(view, "headers");
    char *place = place_of(view);
    char *value = value_text(json_object_get(view, "value"), JSON_INDENT(2));

    buffer_printf(target, "%s  %s  %s  %s\n", text_of_view(view, "stage"), place,
                  text_of_view(view, "time"), text_of_view(view, "key"));
    for (void *at = json_object_iter(headers); at != NULL; at = json_object_iter_next(headers, at))
        buffer_printf(target, "  %s: %s\n", json_object_iter_key(at),
                      json_string_value(json_object_iter_value(at)));
    buffer_printf(target, "%s\n\n", value);
    free(value);
    free(place);
}

void record_view_print_line(json_t *view, int is_whole, struct buffer *target)
{
    json_t *headers = json_object_get(view, "headers");
    char *place = place_of(view);
    char *value = value_text(json_object_get(view, "value"), JSON_COMPACT);
    struct text begin = outside_text_begin(text_of(value), LINE_VALUE_BYTES);

    buffer_printf(target, "%s  %-16s  %-36s  %-24s ", text_of_view(view, "time"),
                  text_of_view(view, "stage"), place, text_of_view(view, "key"));
    for (void *at = json_object_iter(headers); at != NULL;
         at = json_object_iter_next(headers, at)) {
        const char *text = json_string_value(json_object_iter_value(at));
        const char *quote = strchr(text, ' ') != NULL || text[0] == '\0' ? "\"" : "";

        buffer_printf(target, " %s=%s%s%s", json_object_iter_key(at), quote, text, quote);
    }
    if (is_whole || begin.length == strlen(value))
        buffer_printf(target, "  %s\n", value);
    else
        buffer_printf(target, "  %.*s...\n", (int)begin.length, begin.data);
    free(value);
    free(place);
}
