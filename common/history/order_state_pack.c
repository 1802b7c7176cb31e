/* order_state_pack.c - an order's state as bytes. Numbers are written with seven bits in each byte,
 * so that small ones are short; texts with their length in front. */
#include "history/order_state.h"

#include <string.h>

enum {
    FORMAT = 1,
    HAS_PROGRESS = 1,
    HAS_DELIVERED = 2,
    HAS_SKIPPED = 4,
    HAS_DEAD = 8,
    HAS_DIGEST = 16
};

struct writer {
    unsigned char *at;
};

/* Negative numbers are rare (-1: not known), so they become small odd ones. */
static void put(struct writer *writer, int64_t value)
{
    uint64_t rest = value < 0 ? (uint64_t)(-(value + 1)) << 1 | 1 : (uint64_t)value << 1;

    for (; rest >= 0x80; rest >>= 7)
        *writer->at++ = (unsigned char)(rest | 0x80);
    *writer->at++ = (unsigned char)rest;
}

static void put_text(struct writer *writer, const char *text)
{
    size_t length = strlen(text);

    put(writer, (int64_t)length);
    memcpy(writer->at, text, length);
    writer->at += length;
}

static void put_progress(struct writer *writer, const struct order_progress *progress)
{
    put(writer, progress->kind);
    put(writer, progress->spot_index);
    put(writer, progress->partition);
    put(writer, progress->offset);
    put(writer, progress->time_ms);
    put(writer, progress->version);
    put(writer, progress->replay_ms);
    put(writer, progress->next_try_ms);
    put(writer, progress->attempt);
    put(writer, progress->reason);
    put(writer, progress->is_withdrawn);
    put_text(writer, progress->account);
    put_text(writer, progress->detail);
}

static void put_fate(struct writer *writer, const struct order_fate *fate)
{
    put(writer, fate->partition);
    put(writer, fate->offset);
    put(writer, fate->time_ms);
    put(writer, fate->version);
    put(writer, fate->replay_ms);
    put(writer, fate->reason);
    put(writer, fate->placed_ms);
    put(writer, fate->created_ms);
    put_text(writer, fate->account);
    put_text(writer, fate->order_id);
    put_text(writer, fate->contact_id);
    put_text(writer, fate->detail);
}

size_t order_state_pack(const struct order_state *state,
                        unsigned char packed[ORDER_STATE_PACKED_BYTES_MAX])
{
    struct writer writer = {packed};

    *writer.at++ = FORMAT;
    *writer.at++ = (unsigned char)((state->progress.kind != SPOT_NONE ? HAS_PROGRESS : 0) |
                                   (state->delivered.is_there ? HAS_DELIVERED : 0) |
                                   (state->skipped.is_there ? HAS_SKIPPED : 0) |
                                   (state->dead.is_there ? HAS_DEAD : 0) |
                                   (state->has_digest ? HAS_DIGEST : 0));
    put(&writer, state->last_ms);
    put(&writer, state->since_version);
    put(&writer, state->since_replay_ms);
    put(&writer, state->since_ms);
    put(&writer, state->tombstone_partition);
    put(&writer, state->tombstone_offset);
    if (state->progress.kind != SPOT_NONE)
        put_progress(&writer, &state->progress);
    if (state->delivered.is_there)
        put_fate(&writer, &state->delivered);
    if (state->skipped.is_there)
        put_fate(&writer, &state->skipped);
    if (state->dead.is_there)
        put_fate(&writer, &state->dead);
    if (state->has_digest) {
        put(&writer, state->digest_version);
        memcpy(writer.at, state->email_digest, ORDER_DIGEST_BYTES);
        writer.at += ORDER_DIGEST_BYTES;
    }
    return (size_t)(writer.at - packed);
}

struct reader {
    const unsigned char *at, *end;
    int is_bad;
};

static int64_t get(struct reader *reader)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        unsigned char byte;

        if (reader->at == reader->end)
            break;
        byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value & 1 ? -(int64_t)(value >> 1) - 1 : (int64_t)(value >> 1);
    }
    reader->is_bad = 1;
    return 0;
}

static int get_below(struct reader *reader, int limit)
{
    int64_t value = get(reader);

    if (value < 0 || value >= limit)
        reader->is_bad = 1;
    return reader->is_bad ? 0 : (int)value;
}

static void get_text(struct reader *reader, char *text, size_t size)
{
    int64_t length = get(reader);

    if (length < 0 || length >= (int64_t)size || length > reader->end - reader->at)
        reader->is_bad = 1;
    if (reader->is_bad)
        return;
    memcpy(text, reader->at, (size_t)length);
    text[length] = '\0';
    reader->at += length;
}

static void get_progress(struct reader *reader, struct order_progress *progress)
{
    progress->kind = (enum spot_kind)get_below(reader, SPOT_SKIPPED);
    progress->spot_index = get_below(reader, TOPIC_RETRY_COUNT);
    progress->partition = (int32_t)get(reader);
    progress->offset = get(reader);
    progress->time_ms = get(reader);
    progress->version = get(reader);
    progress->replay_ms = get(reader);
    progress->next_try_ms = get(reader);
    progress->attempt = get(reader);
    progress->reason = (enum reason)get_below(reader, REASON_COUNT);
    progress->is_withdrawn = get_below(reader, 2);
    get_text(reader, progress->account, sizeof(progress->account));
    get_text(reader, progress->detail, sizeof(progress->detail));
}

static void get_fate(struct reader *reader, struct order_fate *fate)
{
    fate->is_there = 1;
    fate->partition = (int32_t)get(reader);
    fate->offset = get(reader);
    fate->time_ms = get(reader);
    fate->version = get(reader);
    fate->replay_ms = get(reader);
    fate->reason = (enum reason)get_below(reader, REASON_COUNT);
    fate->placed_ms = get(reader);
    fate->created_ms = get(reader);
    get_text(reader, fate->account, sizeof(fate->account));
    get_text(reader, fate->order_id, sizeof(fate->order_id));
    get_text(reader, fate->contact_id, sizeof(fate->contact_id));
    get_text(reader, fate->detail, sizeof(fate->detail));
}

static void get_digest(struct reader *reader, struct order_state *state)
{
    state->has_digest = 1;
    state->digest_version = get(reader);
    if (reader->end - reader->at < ORDER_DIGEST_BYTES)
        reader->is_bad = 1;
    if (reader->is_bad)
        return;
    memcpy(state->email_digest, reader->at, ORDER_DIGEST_BYTES);
    reader->at += ORDER_DIGEST_BYTES;
}

int order_state_unpack(struct order_state *state, const unsigned char *packed, size_t length)
{
    struct reader reader = {packed + 2, packed + length, 0};

    order_state_init(state);
    if (length < 2 || packed[0] != FORMAT)
        return -1;
    state->last_ms = get(&reader);
    state->since_version = get(&reader);
    state->since_replay_ms = get(&reader);
    state->since_ms = get(&reader);
    state->tombstone_partition = (int32_t)get(&reader);
    state->tombstone_offset = get(&reader);
    if (packed[1] & HAS_PROGRESS)
        get_progress(&reader, &state->progress);
    if (packed[1] & HAS_DELIVERED)
        get_fate(&reader, &state->delivered);
    if (packed[1] & HAS_SKIPPED)
        get_fate(&reader, &state->skipped);
    if (packed[1] & HAS_DEAD)
        get_fate(&reader, &state->dead);
    if (packed[1] & HAS_DIGEST)
        get_digest(&reader, state);
    return reader.is_bad || reader.at != reader.end ? -1 : 0;
}
