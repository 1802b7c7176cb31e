#include "fate_count.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/fate_version.h"
#include "history/spot.h"

enum { FIRST_SLOTS = 1024, REASON_BITS = 6 };

/* A fate is packed into one number: the version, and below it the reason. Of two fates of one kind
 * the one with the newer version is the greater number. */
struct fate_slot {
    uint64_t hash;      /* 0: free */
    int64_t skipped;    /* 0: none; INT64_MAX: delivered */
    int64_t dead;       /* 0: none */
    uint32_t skipped_s; /* when the record was written, in s: it decides between a skipped and */
    uint32_t dead_s;    /* a dead fate of one version */
};

void fate_count_init(struct fate_count *table)
{
    *table = (struct fate_count){.slot_count = FIRST_SLOTS};
    table->slots = mem_alloc(table->slot_count * sizeof(*table->slots));
}

void fate_count_clear(struct fate_count *table)
{
    free(table->slots);
    *table = (struct fate_count){0};
}

/* FNV-1a with 64 bits, and a last step that mixes its bits. */
static uint64_t hash_of(struct text key)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < key.length; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(1099511628211);
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
    return hash != 0 ? hash : 1;
}

static struct fate_slot *slot_of(struct fate_count *table, uint64_t hash)
{
    size_t slot = hash & (table->slot_count - 1);

    while (table->slots[slot].hash != 0 && table->slots[slot].hash != hash)
        slot = (slot + 1) & (table->slot_count - 1);
    return &table->slots[slot];
}

static void grow(struct fate_count *table)
{
    struct fate_slot *old = table->slots;
    size_t old_count = table->slot_count;

    table->slot_count *= 2;
    table->slots = mem_alloc(table->slot_count * sizeof(*table->slots));
    for (size_t i = 0; i < old_count; i++)
        if (old[i].hash != 0)
            *slot_of(table, old[i].hash) = old[i];
    free(old);
}

static int64_t pack(int64_t version, enum reason reason)
{
    return (version + 1) << REASON_BITS | (reason + 1);
}

static int64_t version_of(int64_t packed) { return packed >> REASON_BITS; }

static enum reason reason_in(int64_t packed)
{
    int64_t reason = (packed & ((1 << REASON_BITS) - 1)) - 1;

    return reason > REASON_NONE && reason < REASON_COUNT ? (enum reason)reason : REASON_NONE;
}

void fate_count_add(struct fate_count *table, const struct topics *topics,
                    const struct event *event)
{
    enum spot_kind kind = spot_of(topics, event->topic).kind;
    struct text reason = event->headers[HEADER_REASON];
    struct fate_slot *slot;
    uint64_t hash;
    int64_t packed;

    if (event->key.data == NULL || kind < SPOT_SKIPPED)
        return;
    hash = hash_of(event->key);
    slot = slot_of(table, hash);
    if (slot->hash == 0) {
        slot->hash = hash;
        if (++table->count * 2 > table->slot_count) {
            grow(table);
            slot = slot_of(table, hash);
        }
    }
    packed = event->value.data == NULL
                 ? 0
                 : pack(kind == SPOT_DEAD ? event_header_int(event, HEADER_MODIFIED_AT, -1)
                                          : fate_version(event),
                        reason_of(reason.data, reason.length));
    if (kind == SPOT_DELIVERED && packed != 0)
        slot->skipped = INT64_MAX;
    if (kind == SPOT_SKIPPED && version_of(packed) >= version_of(slot->skipped)) {
        slot->skipped = packed;
        slot->skipped_s = (uint32_t)(event->timestamp_ms / 1000);
    }
    if (kind == SPOT_DEAD && (packed == 0 || version_of(packed) >= version_of(slot->dead))) {
        slot->dead = packed;
        slot->dead_s = (uint32_t)(event->timestamp_ms / 1000);
    }
}

static int is_dead(const struct fate_slot *slot)
{
    if (slot->dead == 0 || slot->skipped == 0)
        return slot->dead != 0;
    if (version_of(slot->dead) != version_of(slot->skipped))
        return version_of(slot->dead) > version_of(slot->skipped);
    return slot->dead_s > slot->skipped_s;
}

void fate_count_sum(const struct fate_count *table, struct fate_numbers *numbers)
{
    *numbers = (struct fate_numbers){0};
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct fate_slot *slot = &table->slots[i];

        if (slot->skipped == INT64_MAX) {
            numbers->delivered++;
        } else if (is_dead(slot)) {
            numbers->dead++;
            numbers->dead_by[reason_in(slot->dead)]++;
        } else if (slot->skipped != 0) {
            numbers->skipped++;
            numbers->skipped_by[reason_in(slot->skipped)]++;
        }
    }
}
