/* A record of any topic as the console's index keeps it. */
#include "fuzz.h"

#include <string.h>

#include "history/history_step.h"
#include "history/order_record.h"
#include "history/order_state.h"

const struct fuzz_target fuzz_target = {"history", 1};

static char *waiting[] = {(char *)(uintptr_t) "p.waiting.main"};
static char *waiting_orders[] = {(char *)(uintptr_t) "p.waiting-orders.main"};
static struct topics topics = {
    .lanes = {[TOPIC_LANE_ORDERS] = {(char *)(uintptr_t) "p.orders.raw",
                                     (char *)(uintptr_t) "p.orders.eligible",
                                     (char *)(uintptr_t) "p.orders.payloads"}},
    .retry = {(char *)(uintptr_t) "p.retry-1m", (char *)(uintptr_t) "p.retry-10m",
              (char *)(uintptr_t) "p.retry-1h"},
    .skipped = (char *)(uintptr_t) "p.skipped",
    .delivered = (char *)(uintptr_t) "p.delivered",
    .dead = (char *)(uintptr_t) "p.dead",
    .cursors = (char *)(uintptr_t) "p.cursors",
    .waiting = waiting,
    .waiting_orders = waiting_orders,
    .account_count = 1};
static const int64_t delays_s[] = {60, 600, 3600};

static void check_state(struct order_state *state, const struct order_record *record)
{
    unsigned char packed[ORDER_STATE_PACKED_BYTES_MAX], again[ORDER_STATE_PACKED_BYTES_MAX];
    struct order_state read;
    size_t length;

    order_state_apply(state, record);
    length = order_state_pack(state, packed);
    fuzz_check(length <= sizeof(packed));
    fuzz_check(order_state_unpack(&read, packed, length) == 0);
    fuzz_check(order_state_pack(&read, again) == length && memcmp(packed, again, length) == 0);
    order_state_apply(&read, record);
    fuzz_check(order_state_pack(&read, again) == length && memcmp(packed, again, length) == 0);
    fuzz_check(order_state_list(&read) < ORDER_LIST_COUNT);
}

static void check_record(const struct order_record *record, const char *topic)
{
    struct history_steps steps = {0};
    const char *facts = record->facts.length > 0 ? record->facts.data : "";
    json_t *parsed = record->facts.length > 0 ? json_loads(facts, 0, NULL) : json_object();

    fuzz_check(json_is_object(parsed));
    fuzz_check(strchr(facts, '@') == NULL && strchr(record->detail, '@') == NULL);
    fuzz_check(strchr(record->account, '@') == NULL && strchr(record->order_id, '@') == NULL);
    history_steps_add_short(&steps, &topics, (struct history_step){.kind = record->kind}, topic,
                            facts);
    fuzz_check(steps.count == 1 && json_is_object(steps.steps[0].facts));
    history_steps_clear(&steps);
    json_decref(parsed);
}

/* Which topic an input is tried in. Neighbouring inputs go to different ones; all would take minutes. */
static size_t choose(const uint8_t *data, size_t size, size_t count)
{
    size_t sum = size;

    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum % count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const names[] = {topics.lanes[TOPIC_LANE_ORDERS].raw,
                                 topics.lanes[TOPIC_LANE_ORDERS].eligible,
                                 topics.lanes[TOPIC_LANE_ORDERS].payloads,
                                 topics.retry[1],
                                 topics.skipped,
                                 topics.dead,
                                 waiting[0],
                                 waiting_orders[0],
                                 topics.delivered};
    const char *topic = names[choose(data, size, sizeof(names) / sizeof(*names))];
    const struct text nothing = {0};
    struct order_record_reader reader;
    struct order_state state;
    struct event event = {.topic = topic,
                          .key = text_of("abc123/order/149"),
                          .value = {(const char *)data, size},
                          .timestamp_ms = (int64_t)size};

    order_record_reader_init(&reader, &topics, delays_s);
    order_state_init(&state);
    for (int turn = 0; turn < 2; turn++) {
        const struct order_record *record;

        event.offset++;
        for (int j = 0; j < HEADER_COUNT; j++)
            event.headers[j] = turn == 0 ? nothing : event.value;
        record = order_record_read(&reader, &event);
        fuzz_check(record != NULL);
        check_record(record, topic);
        check_state(&state, record);
    }
    order_record_reader_clear(&reader);
    return 0;
}
