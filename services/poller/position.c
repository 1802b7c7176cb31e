#include "position.h"

#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/kafka.h"

/* Most of a position are places for held orders, and mostly no order is held. Places that are free
 * are not touched, so that the system gives them no memory. */
void position_init(struct position *position)
{
    position->cursor_ms = position->history_ms = position->history_id = position->contacts_ms = -1;
    position->start_from_ms = position->fence = 0;
    position->held.count = position->held.changed = 0;
}

void position_copy(struct position *position, const struct position *from)
{
    position->cursor_ms = from->cursor_ms;
    position->start_from_ms = from->start_from_ms;
    position->history_ms = from->history_ms;
    position->history_id = from->history_id;
    position->contacts_ms = from->contacts_ms;
    position->fence = from->fence;
    held_copy(&position->held, &from->held);
}

static void print_held(struct buffer *target, const struct held *held)
{
    for (int i = 0; i < held->count; i++) {
        const struct held_order *order = &held->orders[i];

        buffer_printf(target, "%s[%lld,%lld,%d,%lld]", i == 0 ? ",\"held\":[" : ",",
                      (long long)order->id, (long long)order->modified_ms, order->failures,
                      (long long)order->due_ms);
    }
    if (held->count > 0)
        buffer_append(target, "]", 1);
}

void position_print(struct buffer *target, const struct position *position, int64_t now_ms)
{
    if (position->cursor_ms < 0)
        buffer_printf(target, "{\"cursor\":null");
    else
        buffer_printf(target, "{\"cursor\":%lld", (long long)position->cursor_ms);
    buffer_printf(target, ",\"start_from\":%lld,\"fence\":%lld,\"saved_at\":%lld",
                  (long long)position->start_from_ms, (long long)position->fence,
                  (long long)now_ms);
    if (position->contacts_ms >= 0)
        buffer_printf(target, ",\"contacts\":%lld", (long long)position->contacts_ms);
    if (position->history_ms >= 0)
        buffer_printf(target, ",\"history\":[%lld,", (long long)position->history_ms);
    if (position->history_ms >= 0 && position->history_id >= 0)
        buffer_printf(target, "%lld]", (long long)position->history_id);
    else if (position->history_ms >= 0)
        buffer_printf(target, "null]");
    print_held(target, &position->held);
    buffer_append(target, "}", 1);
}

static int read_number(yyjson_val *value, int64_t *number)
{
    return text_to_int(json_text(value), number) == 0 && *number >= 0 ? 0 : -1;
}

static int member(yyjson_val *object, const char *name, int64_t *value)
{
    return read_number(yyjson_obj_get(object, name), value);
}

static int read_history(struct position *position, yyjson_val *pair)
{
    if (json_is_absent(pair))
        return 0;
    if (read_number(yyjson_arr_get(pair, 0), &position->history_ms) != 0)
        return -1;
    return json_is_absent(yyjson_arr_get(pair, 1))
               ? 0
               : read_number(yyjson_arr_get(pair, 1), &position->history_id);
}

static int read_held(struct held *held, yyjson_val *list)
{
    yyjson_val *one;
    size_t index, count;

    if (json_is_absent(list))
        return 0;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > HELD_MAX)
        return -1;
    yyjson_arr_foreach(list, index, count, one)
    {
        struct held_order *order = &held->orders[held->count];
        int64_t failures;

        *order = (struct held_order){0};
        if (read_number(yyjson_arr_get(one, 0), &order->id) != 0 || order->id == 0 ||
            read_number(yyjson_arr_get(one, 1), &order->modified_ms) != 0 ||
            read_number(yyjson_arr_get(one, 2), &failures) != 0 || failures > INT32_MAX ||
            read_number(yyjson_arr_get(one, 3), &order->due_ms) != 0)
            return -1;
        order->failures = (int)failures;
        held->count++;
    }
    return 0;
}

int position_parse(struct text value, struct position *position)
{
    yyjson_doc *doc = NULL;
    yyjson_val *root;
    int answer = 0;

    position_init(position);
    if (value.length > 0)
        doc = yyjson_read(value.data, value.length, YYJSON_READ_NUMBER_AS_RAW);
    root = yyjson_doc_get_root(doc);
    if (member(root, "start_from", &position->start_from_ms) != 0 ||
        member(root, "fence", &position->fence) != 0 || position->fence == 0)
        answer = -1;
    if (!json_is_absent(yyjson_obj_get(root, "cursor")) &&
        member(root, "cursor", &position->cursor_ms) != 0)
        answer = -1;
    if (!json_is_absent(yyjson_obj_get(root, "contacts")) &&
        member(root, "contacts", &position->contacts_ms) != 0)
        answer = -1;
    if (read_history(position, yyjson_obj_get(root, "history")) != 0)
        answer = -1;
    if (read_held(&position->held, yyjson_obj_get(root, "held")) != 0)
        answer = -1;
    yyjson_doc_free(doc);
    return answer;
}

void position_merge(struct position *position, struct text value)
{
    struct position found;

    if (value.data == NULL)
        position_init(position);
    else if (position_parse(value, &found) == 0 && found.fence >= position->fence)
        position_copy(position, &found);
}

void positions_init(struct positions *positions, const struct config *config,
                    const struct topics *topics)
{
    *positions = (struct positions){.config = config, .topics = topics};
    pthread_mutex_init(&positions->lock, NULL);
    positions->all = mem_alloc((size_t)config->store_count * sizeof(*positions->all));
}

void positions_clear(struct positions *positions)
{
    if (positions->config == NULL)
        return;
    pthread_mutex_destroy(&positions->lock);
    free(positions->all);
    *positions = (struct positions){0};
}

static int visit(void *context, const struct event *event, struct error *err)
{
    struct positions *positions = context;
    const struct config_store *store = config_store_by_hash(positions->config, event->key);
    struct position ignored;

    (void)err;
    if (store == NULL)
        return 0;
    if (event->value.data != NULL && position_parse(event->value, &ignored) != 0)
        log_warn("unreadable cursor store=%s offset=%lld", store->hash, (long long)event->offset);
    position_merge(&positions->all[store - positions->config->stores], event->value);
    return 0;
}

static int read_all(struct positions *positions, struct error *err)
{
    const char *const names[] = {positions->topics->cursors};
    int64_t begun_ms = clock_monotonic_ms();

    for (int i = 0; i < positions->config->store_count; i++)
        position_init(&positions->all[i]);
    positions->read_ms = 0;
    if (kafka_read_all(positions->config, names, 1, visit, positions, err) != 0)
        return error_prefix(err, "read cursors: ");
    positions->read_ms = begun_ms;
    return 0;
}

int positions_read(struct positions *positions, int store_index, int64_t since_ms,
                   struct position *position, struct error *err)
{
    int answer = 0;

    pthread_mutex_lock(&positions->lock);
    /* The poller that had the lease before us may have written until we took it. So only a reading
     * that began later is sure to include all its records. */
    if (positions->read_ms == 0 || positions->read_ms <= since_ms)
        answer = read_all(positions, err);
    if (answer == 0)
        position_copy(position, &positions->all[store_index]);
    pthread_mutex_unlock(&positions->lock);
    return answer;
}
