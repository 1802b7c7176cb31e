/* test_order_state.c - the newest state of an order does not depend on the order in which its records
 * come, nor on how often they come; and it is what people expect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "history/order_state.h"

enum { RECORDS_MAX = 12, ROUNDS = 4000, ORDERS_OF_ARRIVAL = 12 };

/* A record in a test's words. */
struct row {
    enum spot_kind kind;
    int64_t version, time_ms, offset;
    int64_t replay_ms;
    int is_tombstone;
};

static struct order_record record_of(const struct row *row)
{
    struct order_record record = {.kind = row->kind,
                                  .version = row->version,
                                  .time_ms = row->time_ms,
                                  .since_ms = row->time_ms - 1,
                                  .offset = row->offset,
                                  .replay_ms = row->replay_ms,
                                  .next_try_ms = -1,
                                  .placed_ms = -1,
                                  .created_ms = -1,
                                  .is_tombstone = row->is_tombstone};

    if (row->kind == SPOT_RETRY)
        record.reason = REASON_RETRYING;
    if (row->kind == SPOT_SKIPPED)
        record.reason = REASON_STATUS;
    if (row->kind == SPOT_DEAD)
        record.reason = REASON_REFUSED;
    return record;
}

static const struct {
    const char *name;
    struct row rows[8];
    enum order_list list;
    enum reason reason;
} cases[] = {
    {"nothing is known", {{0}}, ORDER_LIST_NONE, REASON_NONE},
    {"in raw", {{SPOT_RAW, 10, 100, 1, 0, 0}}, ORDER_LIST_QUEUED, REASON_QUEUED},
    {"delivered",
     {{SPOT_RAW, 10, 100, 1, 0, 0}, {SPOT_DELIVERED, 10, 120, 1, 0, 0}},
     ORDER_LIST_DELIVERED,
     REASON_NONE},
    {"delivered stays delivered when a refund comes",
     {{SPOT_DELIVERED, 10, 120, 1, 0, 0},
      {SPOT_RAW, 20, 200, 2, 0, 0},
      {SPOT_SKIPPED, 20, 220, 2, 0, 0}},
     ORDER_LIST_DELIVERED,
     REASON_NONE},
    {"skipped, and a newer version is on its way",
     {{SPOT_SKIPPED, 10, 120, 1, 0, 0}, {SPOT_RAW, 20, 200, 2, 0, 0}},
     ORDER_LIST_QUEUED,
     REASON_QUEUED},
    {"an older version does not hide a newer fate",
     {{SPOT_SKIPPED, 20, 120, 1, 0, 0}, {SPOT_RAW, 10, 200, 2, 0, 0}},
     ORDER_LIST_SKIPPED,
     REASON_STATUS},
    {"the furthest stage counts, whatever the clocks say",
     {{SPOT_RETRY, 10, 90, 1, 0, 0}, {SPOT_RAW, 10, 100, 1, 0, 0}},
     ORDER_LIST_RETRYING,
     REASON_RETRYING},
    {"of retry and waiting the later one counts",
     {{SPOT_WAITING, 10, 130, 1, 0, 0}, {SPOT_RETRY, 10, 140, 1, 0, 0}},
     ORDER_LIST_RETRYING,
     REASON_RETRYING},
    {"dead",
     {{SPOT_RAW, 10, 100, 1, 0, 0}, {SPOT_DEAD, 10, 110, 1, 0, 0}},
     ORDER_LIST_DEAD,
     REASON_REFUSED},
    {"dead without a version is about what the store had then",
     {{SPOT_RAW, 10, 100, 1, 0, 0}, {SPOT_DEAD, -1, 110, 1, 0, 0}},
     ORDER_LIST_DEAD,
     REASON_REFUSED},
    {"dead, and sent again",
     {{SPOT_RETRY, 10, 100, 1, 0, 0},
      {SPOT_DEAD, 10, 110, 1, 0, 0},
      {SPOT_PAYLOADS, 10, 200, 2, 200, 0}},
     ORDER_LIST_QUEUED,
     REASON_QUEUED},
    {"sent again, and dead again, by a clock that is behind",
     {{SPOT_DEAD, 10, 110, 1, 0, 0},
      {SPOT_PAYLOADS, 10, 200, 2, 200, 0},
      {SPOT_DEAD, 10, 150, 2, 200, 0}},
     ORDER_LIST_DEAD,
     REASON_REFUSED},
    {"sent again for the second time",
     {{SPOT_RETRY, 10, 210, 2, 200, 0},
      {SPOT_DEAD, 10, 250, 2, 200, 0},
      {SPOT_PAYLOADS, 10, 300, 3, 300, 0}},
     ORDER_LIST_QUEUED,
     REASON_QUEUED},
    {"the tombstone takes dead back",
     {{SPOT_DEAD, 10, 110, 1, 0, 0}, {SPOT_DEAD, -1, 120, 2, 0, 1}},
     ORDER_LIST_NONE,
     REASON_NONE},
    {"dead after a tombstone",
     {{SPOT_DEAD, -1, 120, 2, 0, 1}, {SPOT_DEAD, 10, 110, 3, 0, 0}},
     ORDER_LIST_DEAD,
     REASON_REFUSED},
    {"skipped after dead",
     {{SPOT_DEAD, 10, 110, 1, 0, 0}, {SPOT_SKIPPED, 20, 210, 1, 0, 0}},
     ORDER_LIST_SKIPPED,
     REASON_STATUS},
};

static void test_cases(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct order_state state;

        order_state_init(&state);
        for (const struct row *row = cases[i].rows; row->kind != SPOT_NONE; row++) {
            struct order_record record = record_of(row);

            order_state_apply(&state, &record);
        }
        if (order_state_list(&state) != cases[i].list)
            fail_msg("%s: on the list %s", cases[i].name,
                     order_list_name(order_state_list(&state)));
        if (order_state_reason(&state) != cases[i].reason)
            fail_msg("%s: reason %s", cases[i].name, reason_name(order_state_reason(&state)));
    }
}

static uint32_t chance = 1;

static uint32_t draw(uint32_t limit)
{
    chance = chance * 1664525u + 1013904223u;
    return (chance >> 8) % limit;
}

static struct order_record invent(int index)
{
    static const enum spot_kind kinds[] = {SPOT_RAW,     SPOT_ELIGIBLE,       SPOT_PAYLOADS,
                                           SPOT_RETRY,   SPOT_WAITING,        SPOT_WAITING_ORDERS,
                                           SPOT_SKIPPED, SPOT_DEAD,           SPOT_DEAD,
                                           SPOT_SKIPPED, SPOT_WAITING_ORDERS, SPOT_DELIVERED};
    struct row row = {.kind = kinds[draw(draw(4) == 0 ? 12 : 11)],
                      .version = (int64_t)draw(4) - 1,
                      .time_ms = 100 + draw(20),
                      .offset = index,
                      .replay_ms = draw(3) == 0 ? 1 + draw(2) : 0};
    struct order_record record;

    row.is_tombstone = row.kind >= SPOT_SKIPPED && draw(3) == 0;
    record = record_of(&row);
    record.partition = (int32_t)draw(2);
    record.spot_index = row.kind == SPOT_RETRY ? (int)draw(3) : 0;
    record.attempt = draw(5);
    record.has_digest = row.kind <= SPOT_WAITING_ORDERS && draw(2) == 0;
    record.email_digest[0] = (unsigned char)draw(3);
    strcpy(record.account, draw(2) == 0 ? "main" : "other");
    strcpy(record.detail, draw(2) == 0 ? "" : "HTTP 500");
    strcpy(record.order_id, row.kind == SPOT_DELIVERED ? "977" : "");
    return record;
}

/* Which list the plain definition gives: it looks at the whole set at once. */
static int is_less(int64_t a1, int64_t a2, int64_t b1, int64_t b2)
{
    return a1 != b1 ? a1 < b1 : a2 < b2;
}

static enum order_list plain_list(const struct order_record *records, int count)
{
    int64_t version = -2, replay = 0, tombstone_partition = -1, tombstone_offset = -1;
    const struct order_record *fate = NULL, *last = NULL, *dead = NULL;
    enum order_list list = ORDER_LIST_NONE;
    int rank = 0;

    for (int i = 0; i < count; i++) {
        const struct order_record *one = &records[i];

        if (one->kind == SPOT_DELIVERED && !one->is_tombstone)
            return ORDER_LIST_DELIVERED;
        if (one->kind == SPOT_DEAD && one->is_tombstone &&
            is_less(tombstone_partition, tombstone_offset, one->partition, one->offset)) {
            tombstone_partition = one->partition;
            tombstone_offset = one->offset;
        }
        if (one->kind < SPOT_SKIPPED && is_less(version, replay, one->version, one->replay_ms)) {
            version = one->version;
            replay = one->replay_ms;
        }
    }
    /* of the dead records the one of the newest version, unless it was taken back */
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < count; i++) {
            const struct order_record *one = &records[i];
            const struct order_record **best = turn == 0 ? &dead : &fate;
            int64_t mine = one->version >= 0 ? one->version : one->time_ms, its;

            if (one->kind != (turn == 0 ? SPOT_DEAD : SPOT_SKIPPED) || one->is_tombstone)
                continue;
            its = *best == NULL ? 0 : (*best)->version >= 0 ? (*best)->version : (*best)->time_ms;
            if (*best == NULL || is_less(its, (*best)->replay_ms, mine, one->replay_ms) ||
                (its == mine && (*best)->replay_ms == one->replay_ms &&
                 ((*best)->time_ms < one->time_ms ||
                  ((*best)->time_ms == one->time_ms &&
                   is_less((*best)->partition, (*best)->offset, one->partition, one->offset)))))
                *best = one;
        }
    if (dead != NULL &&
        !is_less(tombstone_partition, tombstone_offset, dead->partition, dead->offset))
        dead = NULL;
    list = fate != NULL ? ORDER_LIST_SKIPPED : ORDER_LIST_NONE;
    if (dead != NULL) {
        int64_t a = dead->version >= 0 ? dead->version : dead->time_ms;
        int64_t b = fate == NULL ? -2 : fate->version >= 0 ? fate->version : fate->time_ms;

        if (fate == NULL || is_less(b, fate->replay_ms, a, dead->replay_ms) ||
            (a == b && dead->replay_ms == fate->replay_ms && dead->time_ms > fate->time_ms)) {
            fate = dead;
            list = ORDER_LIST_DEAD;
        }
    }
    if (fate != NULL && !is_less(fate->version >= 0 ? fate->version : fate->time_ms,
                                 fate->replay_ms, version, replay))
        return list;
    for (int i = 0; i < count; i++) {
        const struct order_record *one = &records[i];
        int its_rank = one->kind >= SPOT_RETRY ? SPOT_RETRY : (int)one->kind;

        if (one->kind >= SPOT_SKIPPED || one->is_tombstone || one->version != version ||
            one->replay_ms != replay || its_rank < rank)
            continue;
        if (its_rank > rank || last == NULL || one->time_ms > last->time_ms ||
            (one->time_ms == last->time_ms && one->kind > last->kind))
            last = one;
        rank = its_rank;
    }
    if (last == NULL)
        return list = ORDER_LIST_NONE;
    return last->kind == SPOT_RETRY  ? ORDER_LIST_RETRYING
           : last->kind > SPOT_RETRY ? ORDER_LIST_WAITING
                                     : ORDER_LIST_QUEUED;
}

/* Applies the records in a random order, some of them several times. */
static void apply_shuffled(const struct order_record *records, int count, struct order_state *state)
{
    int order[RECORDS_MAX];

    order_state_init(state);
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int other = (int)draw((uint32_t)i + 1), kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
    for (int i = 0; i < count; i++) {
        order_state_apply(state, &records[order[i]]);
        while (draw(3) == 0)
            order_state_apply(state, &records[order[draw((uint32_t)i + 1)]]);
    }
}

static void test_any_order_of_arrival(void **unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        struct order_record records[RECORDS_MAX];
        struct order_state first, other;
        int count = 1 + (int)draw(RECORDS_MAX);
        enum order_list plain;

        for (int i = 0; i < count; i++)
            records[i] = invent(i);
        plain = plain_list(records, count);
        apply_shuffled(records, count, &first);
        if (order_state_list(&first) != plain)
            fail_msg("round %d: %s, and by the definition %s", round,
                     order_list_name(order_state_list(&first)), order_list_name(plain));
        for (int i = 0; i < ORDERS_OF_ARRIVAL; i++) {
            unsigned char one[ORDER_STATE_PACKED_BYTES_MAX], two[ORDER_STATE_PACKED_BYTES_MAX];
            size_t length = order_state_pack(&first, one);

            apply_shuffled(records, count, &other);
            if (order_state_pack(&other, two) != length || memcmp(one, two, length) != 0)
                fail_msg("round %d: another order of arrival gives another state", round);
        }
    }
}

static void test_pack(void **unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        unsigned char packed[ORDER_STATE_PACKED_BYTES_MAX], again[ORDER_STATE_PACKED_BYTES_MAX];
        struct order_record records[RECORDS_MAX];
        struct order_state state, read;
        int count = 1 + (int)draw(RECORDS_MAX);
        size_t length;

        for (int i = 0; i < count; i++) {
            records[i] = invent(i);
            if (draw(4) == 0)
                records[i].time_ms += INT64_C(999999999999000);
        }
        apply_shuffled(records, count, &state);
        length = order_state_pack(&state, packed);
        assert_int_equal(order_state_unpack(&read, packed, length), 0);
        assert_int_equal(order_state_pack(&read, again), length);
        assert_memory_equal(packed, again, length);
        assert_int_equal(order_state_list(&read), order_state_list(&state));
        /* cut or changed, it is refused or read as something else, and nothing worse happens */
        assert_int_equal(order_state_unpack(&read, packed, draw((uint32_t)length)), -1);
        packed[draw((uint32_t)length)] ^= (unsigned char)(1 + draw(255));
        order_state_unpack(&read, packed, length);
    }
}

static void test_longest(void **unused)
{
    unsigned char packed[ORDER_STATE_PACKED_BYTES_MAX];
    struct order_state state, read;
    struct order_fate *fates[] = {&state.skipped, &state.dead, &state.delivered};

    (void)unused;
    order_state_init(&state);
    state.progress.kind = SPOT_RETRY;
    state.progress.offset = state.progress.time_ms = state.last_ms = INT64_MAX / 2;
    memset(state.progress.detail, 'x', ORDER_TEXT_BYTES - 1);
    memset(state.progress.account, 'x', ORDER_ID_BYTES);
    for (int i = 0; i < 3; i++) {
        *fates[i] = (struct order_fate){.is_there = 1,
                                        .partition = INT32_MAX,
                                        .offset = INT64_MAX / 2,
                                        .time_ms = INT64_MAX / 2,
                                        .version = INT64_MAX / 2,
                                        .replay_ms = INT64_MAX / 2,
                                        .placed_ms = INT64_MAX / 2,
                                        .created_ms = INT64_MAX / 2};
        memset(fates[i]->detail, 'x', ORDER_TEXT_BYTES - 1);
        memset(fates[i]->account, 'x', ORDER_ID_BYTES);
        memset(fates[i]->order_id, 'x', ORDER_ID_BYTES - 1);
        memset(fates[i]->contact_id, 'x', ORDER_ID_BYTES - 1);
    }
    state.has_digest = 1;
    assert_true(order_state_pack(&state, packed) <= sizeof(packed));
    assert_int_equal(order_state_unpack(&read, packed, order_state_pack(&state, packed)), 0);
    assert_string_equal(read.dead.detail, state.dead.detail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_any_order_of_arrival),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
