#include "history/order_state.h"

#include <string.h>

void order_state_init(struct order_state *state)
{
    memset(state, 0, sizeof(*state));
    state->since_version = state->since_replay_ms = state->since_ms = -1;
    state->tombstone_offset = state->tombstone_partition = -1;
    state->last_ms = state->digest_version = -1;
}

/* Compares lists of numbers. @returns < 0, 0 or > 0 */
static int compare(const int64_t *a, const int64_t *b, int count)
{
    for (int i = 0; i < count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static int rank_of(enum spot_kind kind) { return kind > SPOT_RETRY ? SPOT_RETRY : (int)kind; }

static int is_further(const struct order_record *record, const struct order_progress *progress)
{
    const int64_t a[] = {record->version,   record->replay_ms, rank_of(record->kind),
                         record->time_ms,   record->kind,      record->spot_index,
                         record->partition, record->offset};
    const int64_t b[] = {progress->version,   progress->replay_ms, rank_of(progress->kind),
                         progress->time_ms,   progress->kind,      progress->spot_index,
                         progress->partition, progress->offset};

    return progress->kind == SPOT_NONE || compare(a, b, 8) > 0;
}

static void apply_progress(struct order_state *state, const struct order_record *record)
{
    struct order_progress *progress = &state->progress;

    if (!is_further(record, progress))
        return;
    *progress = (struct order_progress){.kind = record->kind,
                                        .spot_index = record->spot_index,
                                        .partition = record->partition,
                                        .offset = record->offset,
                                        .time_ms = record->time_ms,
                                        .version = record->version,
                                        .replay_ms = record->replay_ms,
                                        .next_try_ms = record->next_try_ms,
                                        .attempt = record->attempt,
                                        .reason = record->reason,
                                        .is_withdrawn = record->is_withdrawn};
    memcpy(progress->account, record->account, sizeof(progress->account));
    memcpy(progress->detail, record->detail, sizeof(progress->detail));
}

/* The earliest time of the newest version. */
static void apply_since(struct order_state *state, const struct order_record *record)
{
    const int64_t a[] = {record->version, record->replay_ms};
    const int64_t b[] = {state->since_version, state->since_replay_ms};
    int order = compare(a, b, 2);

    if (order > 0 || (order == 0 && record->since_ms < state->since_ms)) {
        state->since_version = record->version;
        state->since_replay_ms = record->replay_ms;
        state->since_ms = record->since_ms;
    }
}

/* The version that a fate is about. One that does not say it is about what the store had when the
 * fate was written; the version is a time of the store, so the two can be compared. */
static int64_t version_of_fate(const struct order_record *record)
{
    return record->version >= 0 ? record->version : record->time_ms;
}

static void apply_fate(struct order_fate *fate, const struct order_record *record)
{
    const int64_t a[] = {version_of_fate(record), record->replay_ms, record->time_ms,
                         record->partition, record->offset};
    const int64_t b[] = {fate->version, fate->replay_ms, fate->time_ms, fate->partition,
                         fate->offset};

    if (fate->is_there && compare(a, b, 5) <= 0)
        return;
    *fate = (struct order_fate){.is_there = 1,
                                .partition = record->partition,
                                .offset = record->offset,
                                .time_ms = record->time_ms,
                                .version = version_of_fate(record),
                                .replay_ms = record->replay_ms,
                                .reason = record->reason,
                                .placed_ms = record->placed_ms,
                                .created_ms = record->created_ms};
    memcpy(fate->account, record->account, sizeof(fate->account));
    memcpy(fate->order_id, record->order_id, sizeof(fate->order_id));
    memcpy(fate->contact_id, record->contact_id, sizeof(fate->contact_id));
    memcpy(fate->detail, record->detail, sizeof(fate->detail));
}

static void apply_tombstone(struct order_state *state, const struct order_record *record)
{
    const int64_t a[] = {record->partition, record->offset};
    const int64_t b[] = {state->tombstone_partition, state->tombstone_offset};

    if (compare(a, b, 2) > 0) {
        state->tombstone_partition = record->partition;
        state->tombstone_offset = record->offset;
    }
}

static void apply_digest(struct order_state *state, const struct order_record *record)
{
    if (!record->has_digest || (state->has_digest && record->version < state->digest_version) ||
        (state->has_digest && record->version == state->digest_version &&
         memcmp(record->email_digest, state->email_digest, ORDER_DIGEST_BYTES) <= 0))
        return;
    state->has_digest = 1;
    state->digest_version = record->version;
    memcpy(state->email_digest, record->email_digest, ORDER_DIGEST_BYTES);
}

/* What is known besides a delivery decides nothing any more, so it is not kept. */
static void drop_the_rest(struct order_state *state)
{
    static const struct order_progress no_progress;
    static const struct order_fate no_fate;

    if (!state->delivered.is_there)
        return;
    state->progress = no_progress;
    state->skipped = state->dead = no_fate;
    state->since_version = state->since_replay_ms = state->since_ms = -1;
    state->tombstone_offset = state->tombstone_partition = -1;
}

void order_state_apply(struct order_state *state, const struct order_record *record)
{
    if (record->time_ms > state->last_ms)
        state->last_ms = record->time_ms;
    apply_digest(state, record);
    if (record->kind == SPOT_DELIVERED && !record->is_tombstone)
        apply_fate(&state->delivered, record);
    else if (record->kind == SPOT_SKIPPED && !record->is_tombstone)
        apply_fate(&state->skipped, record);
    else if (record->kind == SPOT_DEAD && !record->is_tombstone)
        apply_fate(&state->dead, record);
    else if (record->kind == SPOT_DEAD)
        apply_tombstone(state, record);
    else if (record->kind < SPOT_SKIPPED && !record->is_tombstone) {
        apply_progress(state, record);
        apply_since(state, record);
    }
    drop_the_rest(state);
}

static int is_dead(const struct order_state *state)
{
    const int64_t dead[] = {state->dead.partition, state->dead.offset};
    const int64_t tombstone[] = {state->tombstone_partition, state->tombstone_offset};

    return state->dead.is_there && compare(dead, tombstone, 2) > 0;
}

const struct order_fate *order_state_fate(const struct order_state *state)
{
    const struct order_fate *fate = state->skipped.is_there ? &state->skipped : NULL;
    const struct order_fate *dead = is_dead(state) ? &state->dead : NULL;

    if (state->delivered.is_there)
        return &state->delivered;
    if (fate == NULL) {
        fate = dead;
    } else if (dead != NULL) {
        const int64_t a[] = {dead->version, dead->replay_ms, dead->time_ms};
        const int64_t b[] = {fate->version, fate->replay_ms, fate->time_ms};

        if (compare(a, b, 3) > 0)
            fate = dead;
    }
    if (fate != NULL && state->progress.kind != SPOT_NONE) {
        const int64_t a[] = {fate->version, fate->replay_ms};
        const int64_t b[] = {state->progress.version, state->progress.replay_ms};

        if (compare(a, b, 2) < 0)
            return NULL;
    }
    return fate;
}

enum order_list order_state_list(const struct order_state *state)
{
    const struct order_fate *fate = order_state_fate(state);

    if (fate != NULL)
        return fate == &state->delivered ? ORDER_LIST_DELIVERED
               : fate == &state->skipped ? ORDER_LIST_SKIPPED
                                         : ORDER_LIST_DEAD;
    switch (state->progress.kind) {
    case SPOT_NONE:
        return ORDER_LIST_NONE;
    case SPOT_RETRY:
        return ORDER_LIST_RETRYING;
    case SPOT_WAITING:
    case SPOT_WAITING_ORDERS:
        return ORDER_LIST_WAITING;
    default:
        return ORDER_LIST_QUEUED;
    }
}

enum reason order_state_reason(const struct order_state *state)
{
    const struct order_fate *fate = order_state_fate(state);

    if (fate != NULL)
        return fate == &state->delivered ? REASON_NONE : fate->reason;
    if (state->progress.kind == SPOT_NONE)
        return REASON_NONE;
    return state->progress.reason != REASON_NONE ? state->progress.reason : REASON_QUEUED;
}

int64_t order_state_since_ms(const struct order_state *state)
{
    const struct order_fate *fate = order_state_fate(state);

    if (fate != NULL)
        return fate->time_ms;
    return state->progress.kind != SPOT_NONE ? state->since_ms : state->last_ms;
}

const char *order_list_name(enum order_list list)
{
    static const char *const names[] = {"none",    "queued", "retrying", "waiting",
                                        "skipped", "dead",   "delivered"};

    return names[list];
}
