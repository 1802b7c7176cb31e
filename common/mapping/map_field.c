#include <string.h>

#include "base/text.h"
#include "mapping/map.h"

/* The member that a path names; NULL: the order has none there. */
static yyjson_val *find(yyjson_val *value, const char *path)
{
    while (value != NULL) {
        size_t length = strcspn(path, ".");
        int64_t index;

        if (!yyjson_is_arr(value))
            value = yyjson_obj_getn(value, path, length);
        else if (text_to_int((struct text){path, length}, &index) == 0 && index >= 0)
            value = yyjson_arr_get(value, (size_t)index);
        else
            value = NULL;
        path += length;
        if (*path++ == '\0')
            return value;
    }
    return NULL;
}

enum map_field_state map_read_field(const struct order *order, const struct config_field *field,
                                    struct text *content)
{
    yyjson_val *value = find(yyjson_doc_get_root(order->doc), field->path);

    *content = (struct text){NULL, 0};
    if (value == NULL)
        return MAP_FIELD_ABSENT;
    if (yyjson_is_bool(value))
        *content = text_of(yyjson_get_bool(value) ? "true" : "false");
    else if (yyjson_is_str(value) || yyjson_is_raw(value))
        *content = text_trim(json_text(value));
    else if (!yyjson_is_null(value))
        return MAP_FIELD_NO_TEXT;
    return content->length > 0 ? MAP_FIELD_FILLED : MAP_FIELD_EMPTY;
}

void map_write_fields(const struct map_settings *settings, const struct order *order,
                      struct buffer *out)
{
    const struct config_fields *fields = &settings->store->fields;
    size_t start = out->length, head;
    struct text content;

    json_write_literal(out, ",\"fields\":");
    head = out->length;
    for (int i = 0; i < fields->count; i++) {
        if (map_read_field(order, &fields->list[i], &content) != MAP_FIELD_FILLED)
            continue;
        json_write_literal(out, ",{\"label\":");
        json_write_text(out, text_of(fields->list[i].label), SIZE_MAX);
        json_write_literal(out, ",\"content\":");
        json_write_text(out, content, MAP_FIELD_CHARS_MAX);
        json_write_literal(out, "}");
    }
    if (out->length == head) {
        out->length = start;
        return;
    }
    out->data[head] = '['; /* overwrites the first comma */
    json_write_literal(out, "]");
}
