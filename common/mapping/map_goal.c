#include <string.h>

#include "base/text.h"
#include "mapping/map.h"

static void write_goal(struct buffer *out, const char *integration, struct text call_name)
{
    json_write_literal(out, ",{\"integration\":\"");
    json_write_raw(out, integration, strlen(integration));
    json_write_literal(out, "\",\"call_name\":");
    json_write_text(out, call_name, SIZE_MAX);
    json_write_literal(out, "}");
}

/* The ASCII letters and digits of a name, at most MAP_CALL_NAME_CHARS_MAX. */
static struct text keep_letters_digits(struct text name, char target[MAP_CALL_NAME_CHARS_MAX])
{
    size_t length = 0;

    for (size_t i = 0; i < name.length && length < MAP_CALL_NAME_CHARS_MAX; i++) {
        char c = name.data[i];

        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            target[length++] = c;
    }
    return (struct text){target, length};
}

/* Writes one goal. By the rule letters_digits several names may become one, whose goal is written
 * once, and nothing may be left of a name. */
static void add_goal(struct map *map, const struct map_settings *settings, enum map_goal kind,
                     struct text name, struct buffer *out)
{
    char kept[MAP_CALL_NAME_CHARS_MAX];

    if (settings->store->goal_call_names == GOAL_CALL_NAMES_LETTERS_DIGITS) {
        struct tag_value value = {"name", keep_letters_digits(name, kept)};
        int count = map->call_names.count;

        if (value.value.length == 0)
            map->nameless_goals |= 1u << kind;
        tag_list_add(&map->call_names, "{name}", &value, 1);
        if (map->call_names.count == count)
            return;
        name = value.value;
    }
    write_goal(out, kind == MAP_GOAL_SKU ? "BCSKU" : "BCCOUPON", name);
}

void map_write_goals(struct map *map, const struct map_settings *settings, struct buffer *out)
{
    size_t start = out->length;

    map->nameless_goals = 0;
    if (settings->leave_out & MAP_LEAVE_GOALS) {
        json_write_literal(out, "[]");
        return;
    }
    write_goal(out, "BCORDER", text_of(settings->store->code));
    tag_list_reset(&map->call_names);
    for (int i = 0; i < map->product_count; i++)
        if (map->lines[map->products[i].line].sku.length > 0)
            add_goal(map, settings, MAP_GOAL_SKU, map->lines[map->products[i].line].sku, out);
    tag_list_reset(&map->call_names);
    for (int i = 0; i < map->coupon_count; i++)
        add_goal(map, settings, MAP_GOAL_COUPON, map->coupons[i].code, out);
    out->data[start] = '['; /* overwrites the first comma */
    json_write_literal(out, "]");
}
