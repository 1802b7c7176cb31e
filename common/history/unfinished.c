#include "history/unfinished.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/fate_version.h"
#include "history/outside_text.h"

enum {
    FIRST_SLOTS = 1024,
    DAY_MS = 86400000,
    TEXT_MAX_BYTES =
        255, /* the services write no longer details; a record by another may have one */
};

void unfinished_init(struct unfinished_table *table, const struct topics *topics,
                     const int64_t *retry_delays_s)
{
    *table = (struct unfinished_table){.topics = topics, .retry_delays_s = retry_delays_s};
    table->slot_count = FIRST_SLOTS;
    table->slots = mem_alloc(table->slot_count * sizeof(struct unfinished *));
}

static void free_order(struct unfinished *order)
{
    if (order != NULL) {
        free(order->detail);
        free(order->account);
        free(order->doubt);
    }
    free(order);
}

void unfinished_clear(struct unfinished_table *table)
{
    for (size_t i = 0; i < table->slot_count; i++)
        free_order(table->slots[i]);
    free(table->slots);
    *table = (struct unfinished_table){0};
}

/* The slot that has the key, or the free one where it belongs. slot_count is a power of two. */
static size_t slot_of(const struct unfinished_table *table, struct text key)
{
    size_t slot = event_hash(0, key) & (table->slot_count - 1);

    while (table->slots[slot] != NULL && !text_is(key, table->slots[slot]->key))
        slot = (slot + 1) & (table->slot_count - 1);
    return slot;
}

static void grow(struct unfinished_table *table)
{
    struct unfinished **old = table->slots;
    size_t old_count = table->slot_count;

    table->slot_count *= 2;
    table->slots = mem_alloc(table->slot_count * sizeof(struct unfinished *));
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != NULL)
            table->slots[slot_of(table, text_of(old[i]->key))] = old[i];
    free(old);
}

static int64_t next_try_of(const struct unfinished_table *table, const struct event *event,
                           const struct spot *spot)
{
    if (spot->kind != SPOT_RETRY)
        return -1;
    if (event->is_broker_time)
        return event->timestamp_ms + table->retry_delays_s[spot->index] * 1000;
    return event_header_int(event, HEADER_NOT_BEFORE, -1);
}

static char *copy_text(struct text text)
{
    struct text begin = outside_text_begin(text, TEXT_MAX_BYTES);

    return begin.length > 0 ? mem_strndup(begin.data, begin.length) : NULL;
}

/* Makes the entry say what this record says. */
static void take(struct unfinished_table *table, struct unfinished *order,
                 const struct event *event, const struct spot *spot, int64_t version)
{
    free(order->detail);
    free(order->account);
    order->modified_at = version;
    order->time_ms = event->timestamp_ms;
    order->partition = event->partition;
    order->offset = event->offset;
    order->spot = *spot;
    order->next_try_ms = next_try_of(table, event, spot);
    order->attempt = event_header_int(event, HEADER_ATTEMPT, 0);
    order->is_withdrawn = text_is(event->headers[HEADER_KIND], "withdrawn");
    order->is_replay = text_is(event->headers[HEADER_SOURCE], "replay");
    order->detail = copy_text(event->headers[HEADER_DETAIL]);
    order->account = copy_text(event->headers[HEADER_ACCOUNT]);
}

/* Retry and waiting topics are no line but a circle, so among them the later record is further. */
static int is_further(const struct spot *spot, int64_t time_ms, const struct unfinished *order)
{
    enum spot_kind a = spot->kind > SPOT_RETRY ? SPOT_RETRY : spot->kind;
    enum spot_kind b = order->spot.kind > SPOT_RETRY ? SPOT_RETRY : order->spot.kind;

    return a != b ? a > b : time_ms >= order->time_ms;
}

void unfinished_add(struct unfinished_table *table, const struct event *event)
{
    struct spot spot = spot_of(table->topics, event->topic);
    int64_t version = event_header_int(event, HEADER_MODIFIED_AT, -1);
    int64_t since_ms = event_header_int(event, HEADER_POLLED_AT, event->timestamp_ms);
    struct event_key parts;
    struct unfinished *order;
    size_t slot;

    if (event_key_parse(event->key, &parts) != 0 ||
        (!table->takes_all && !text_is(parts.entity, "order"))) {
        table->nameless++;
        return;
    }
    slot = slot_of(table, event->key);
    order = table->slots[slot];
    if (order == NULL) {
        order = mem_alloc(sizeof(*order) + event->key.length + 1);
        memcpy(order->key, event->key.data, event->key.length);
        order->since_ms = since_ms;
        take(table, order, event, &spot, version);
        table->slots[slot] = order;
        if (++table->count * 2 > table->slot_count)
            grow(table);
        return;
    }
    if (version < order->modified_at)
        return;
    if (version > order->modified_at)
        order->since_ms = since_ms;
    else if (since_ms < order->since_ms)
        order->since_ms = since_ms;
    if (version > order->modified_at || is_further(&spot, event->timestamp_ms, order))
        take(table, order, event, &spot, version);
}

/* Whether the fate is about the order's version, or a newer one. Where a version is not known, or
 * the version was sent again after an earlier fate, the times tell. */
static int is_fate_of(const struct unfinished *order, const struct event *event)
{
    int64_t version = fate_version(event);

    if (version < 0 || order->modified_at < 0)
        return event->timestamp_ms >= order->time_ms;
    if (version == order->modified_at && order->is_replay)
        return event->timestamp_ms >= order->time_ms;
    return version >= order->modified_at;
}

/* An order that was delivered stays so. Each version of a customer or a product is delivered. */
static int is_made_once(const struct unfinished *order)
{
    struct event_key parts;

    return event_key_parse(text_of(order->key), &parts) == 0 && text_is(parts.entity, "order");
}

void unfinished_add_fate(struct unfinished_table *table, const struct event *event)
{
    struct spot spot = spot_of(table->topics, event->topic);
    struct unfinished *order;

    if (event->key.data == NULL)
        return;
    order = table->slots[slot_of(table, event->key)];
    if (order == NULL)
        return;
    if (spot.kind == SPOT_DEAD && event->value.data == NULL)
        order->is_dead = 0;
    else if (event->value.data == NULL)
        return;
    else if (spot.kind == SPOT_DELIVERED)
        order->is_answered |= is_made_once(order) || is_fate_of(order, event);
    else if (spot.kind == SPOT_SKIPPED)
        order->is_answered |= is_fate_of(order, event);
    else if (spot.kind == SPOT_DEAD)
        order->is_dead |= is_fate_of(order, event);
}

int unfinished_is_open(const struct unfinished *order)
{
    return !order->is_answered && !order->is_dead;
}

enum reason unfinished_reason(const struct unfinished *order)
{
    switch (order->spot.kind) {
    case SPOT_WAITING:
        return REASON_ACCOUNT_CLOSED;
    case SPOT_WAITING_ORDERS:
        return REASON_ECOMMERCE_UNAVAILABLE;
    case SPOT_RETRY:
        return order->doubt != NULL ? REASON_IN_DOUBT : REASON_RETRYING;
    default:
        return order->doubt != NULL ? REASON_IN_DOUBT : REASON_QUEUED;
    }
}

int64_t unfinished_fates_since(const struct unfinished_table *table)
{
    int64_t oldest = INT64_MAX;

    for (size_t i = 0; i < table->slot_count; i++) {
        const struct unfinished *order = table->slots[i];

        if (order == NULL)
            continue;
        if (order->time_ms < oldest)
            oldest = order->time_ms;
        if (order->modified_at >= 0 && order->modified_at < oldest)
            oldest = order->modified_at;
    }
    if (oldest == INT64_MAX)
        return oldest;
    return oldest > DAY_MS ? oldest - DAY_MS : 0;
}

static int compare(const void *a, const void *b)
{
    const struct unfinished *one = *(struct unfinished *const *)a;
    const struct unfinished *two = *(struct unfinished *const *)b;

    if (one->since_ms != two->since_ms)
        return one->since_ms < two->since_ms ? -1 : 1;
    return strcmp(one->key, two->key);
}

struct unfinished **unfinished_list(const struct unfinished_table *table, int64_t before_ms,
                                    size_t *count)
{
    struct unfinished **list = mem_alloc(table->count * sizeof(struct unfinished *));

    *count = 0;
    for (size_t i = 0; i < table->slot_count; i++) {
        struct unfinished *order = table->slots[i];

        if (order != NULL && unfinished_is_open(order) && order->since_ms < before_ms)
            list[(*count)++] = order;
    }
    qsort(list, *count, sizeof(*list), compare);
    return list;
}
