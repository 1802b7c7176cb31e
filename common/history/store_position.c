#include "history/store_position.h"

#include <jansson.h>

void store_position_init(struct store_position *position, const char *hash)
{
    *position = (struct store_position){
        .hash = hash, .fence = -1, .cursor_ms = -1, .saved_ms = -1, .history_id = -1};
}

static int64_t integer_of(const json_t *value, int64_t missing)
{
    return json_is_integer(value) ? json_integer_value(value) : missing;
}

void store_position_add(struct store_position *position, const struct event *event)
{
    json_t *value, *history;

    if (!text_is(event->key, position->hash))
        return;
    if (event->value.data == NULL) {
        store_position_init(position, position->hash);
        return;
    }
    value = json_loadb(event->value.data, event->value.length, 0, NULL);
    if (json_is_object(value) &&
        integer_of(json_object_get(value, "fence"), 0) >= position->fence) {
        history = json_object_get(value, "history");
        position->fence = integer_of(json_object_get(value, "fence"), 0);
        position->cursor_ms = integer_of(json_object_get(value, "cursor"), -1);
        position->start_from_ms = integer_of(json_object_get(value, "start_from"), 0);
        position->saved_ms = integer_of(json_object_get(value, "saved_at"), -1);
        position->has_history = json_array_size(history) > 0;
        position->history_id = integer_of(json_array_get(history, 1), -1);
        position->held = (int)json_array_size(json_object_get(value, "held"));
    }
    json_decref(value);
}
