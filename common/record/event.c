#include "record/event.h"

#include <string.h>

#include "record/trace.h"

static const char *const header_names[HEADER_COUNT] = {
    [HEADER_KIND] = "kind",
    [HEADER_STORE] = "store",
    [HEADER_ACCOUNT] = "account",
    [HEADER_SOURCE] = "source",
    [HEADER_LANE] = "lane",
    [HEADER_MODIFIED_AT] = "modified_at",
    [HEADER_POLLED_AT] = "polled_at",
    [HEADER_START_FROM] = "start_from",
    [HEADER_REASON] = "reason",
    [HEADER_ATTEMPT] = "attempt",
    [HEADER_NOT_BEFORE] = "not_before",
    [HEADER_DETAIL] = "detail",
    [HEADER_STEP] = "step",
    [HEADER_STAGE] = "stage",
    [HEADER_ORIGIN] = "origin",
    [HEADER_ANSWER] = "answer",
    [HEADER_LEDGER] = "ledger",
    [HEADER_LEAVE_OUT] = "leave_out",
    [HEADER_REPLAYED_AT] = "replayed_at",
    [HEADER_TRACEPARENT] = "traceparent",
};

const char *header_name(enum header header) { return header_names[header]; }

enum header header_of(const char *name)
{
    for (int i = 0; i < HEADER_COUNT; i++)
        if (header_names[i][0] == name[0] && strcmp(header_names[i], name) == 0)
            return (enum header)i;
    return HEADER_COUNT;
}

struct log_about event_about(const struct event *event)
{
    return (struct log_about){event->key, trace_id(event->headers[HEADER_TRACEPARENT])};
}

size_t output_bytes(const struct output *output)
{
    size_t bytes = output->key.length + output->value.length;

    for (int i = 0; i < HEADER_COUNT; i++)
        if (output->headers[i].data != NULL)
            bytes += output->headers[i].length + strlen(header_names[i]);
    return bytes;
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"pass", "skip", "retry", "dead"};

    return names[verdict];
}

static int is_store_hash(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!((text.data[i] >= 'a' && text.data[i] <= 'z') ||
              (text.data[i] >= '0' && text.data[i] <= '9')))
            return 0;
    return text.length > 0 && text.length <= EVENT_STORE_BYTES_MAX;
}

static int is_number(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
    return text.length > 0;
}

/* Splits a key at its two slashes. */
static int split_key(struct text key, struct event_key *parts)
{
    const char *end, *first, *second;

    if (key.data == NULL)
        return -1;
    end = key.data + key.length;
    first = memchr(key.data, '/', key.length);
    if (first == NULL)
        return -1;
    second = memchr(first + 1, '/', (size_t)(end - first - 1));
    if (second == NULL)
        return -1;
    parts->store = (struct text){key.data, (size_t)(first - key.data)};
    parts->entity = (struct text){first + 1, (size_t)(second - first - 1)};
    parts->id = (struct text){second + 1, (size_t)(end - second - 1)};
    return is_store_hash(parts->store) ? 0 : -1;
}

int event_key_parse(struct text key, struct event_key *parts)
{
    if (split_key(key, parts) != 0 || !is_number(parts->id) || parts->id.length > 20)
        return -1;
    if (!text_is(parts->entity, "order") && !text_is(parts->entity, "contact") &&
        !text_is(parts->entity, "product"))
        return -1;
    return 0;
}

int event_key_is_usable(struct text key)
{
    struct event_key parts;

    if (event_key_parse(key, &parts) == 0)
        return 1;
    if (split_key(key, &parts) != 0 || !text_is(parts.entity, "unreadable") ||
        parts.id.length != 32)
        return 0;
    for (size_t i = 0; i < parts.id.length; i++)
        if (strchr("0123456789abcdef", parts.id.data[i]) == NULL || parts.id.data[i] == '\0')
            return 0;
    return 1;
}

int64_t event_header_int(const struct event *event, enum header header, int64_t missing)
{
    struct text text = event->headers[header];
    int64_t value = 0;

    if (!is_number(text) || text.length > EVENT_NUMBER_DIGITS_MAX)
        return missing;
    for (size_t i = 0; i < text.length; i++)
        value = value * 10 + (text.data[i] - '0');
    return value;
}

int event_header_range(const struct event *event, enum header header, int64_t min, int64_t max,
                       int64_t *value)
{
    int64_t number = event_header_int(event, header, -1);

    if (event->headers[header].data == NULL)
        return 0;
    if (number < 0 || number < min || number > max)
        return -1;
    *value = number;
    return 0;
}

uint32_t event_hash(uint32_t seed, struct text text)
{
    uint32_t hash = seed ^ 2166136261u;

    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash ^ (hash >> 16);
}

uint32_t event_hash_contact(struct text account, struct text email)
{
    char lower[80];
    size_t length = 0;

    for (size_t i = 0; i < email.length && length < sizeof(lower); i++) {
        char c = email.data[i];

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        lower[length++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return event_hash(event_hash(0, account), (struct text){lower, length});
}
