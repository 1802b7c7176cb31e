#include "backfill_position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

void backfill_position_init(struct backfill_position *position, const char *leave_out)
{
    *position = (struct backfill_position){.first_id = -1, .last_id = -1};
    snprintf(position->leave_out, sizeof(position->leave_out), "%s", leave_out);
}

void backfill_position_key(char key[BACKFILL_KEY_BYTES], const char *store, int64_t from_ms,
                           int64_t to_ms)
{
    char from[DATE_ISO_BYTES], to[DATE_ISO_BYTES];

    snprintf(key, BACKFILL_KEY_BYTES, "%s/backfill/%s/%s", store, date_print_iso(from, from_ms),
             date_print_iso(to, to_ms));
}

void backfill_position_print(const struct backfill_position *position, int64_t saved_ms,
                             struct buffer *target)
{
    buffer_printf(target,
                  "{\"first_id\":%" PRId64 ",\"last_id\":%" PRId64 ",\"orders\":%" PRId64
                  ",\"leave_out\":\"%s\",\"saved_at\":%" PRId64 "}",
                  position->first_id, position->last_id, position->orders, position->leave_out,
                  saved_ms);
}

static int read_number(const json_t *object, const char *name, int64_t *number)
{
    const json_t *value = json_object_get(object, name);

    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= 0 ? 0 : -1;
}

int backfill_position_parse(struct text value, struct backfill_position *position)
{
    json_t *root = value.data != NULL ? json_loadb(value.data, value.length, 0, NULL) : NULL;
    const char *leave_out = json_string_value(json_object_get(root, "leave_out"));
    struct backfill_position found;
    int answer = -1;

    if (leave_out != NULL && strlen(leave_out) < sizeof(found.leave_out)) {
        backfill_position_init(&found, leave_out);
        if (read_number(root, "first_id", &found.first_id) == 0 &&
            read_number(root, "last_id", &found.last_id) == 0 &&
            read_number(root, "orders", &found.orders) == 0) {
            *position = found;
            answer = 0;
        }
    }
    json_decref(root);
    return answer;
}
