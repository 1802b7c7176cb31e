#include "act/retry.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "history/outside_text.h"
#include "history/spot.h"
#include "net/kafka_group.h"

enum { SLOTS_MIN = 1024, AUDITED_KEYS_MAX = 100 };

void retry_init(struct retry *retry, const struct config *config, const struct retry_choice *choice)
{
    *retry = (struct retry){.config = config, .choice = *choice};
    survey_init(&retry->survey, config);
}

void retry_clear(struct retry *retry)
{
    for (size_t i = 0; i < retry->slot_count; i++) {
        if (retry->slots[i] == NULL)
            continue;
        free(retry->slots[i]->key);
        free(retry->slots[i]->value);
        free(retry->slots[i]);
    }
    free(retry->slots);
    survey_spans_clear(&retry->spans);
    survey_clear(&retry->survey);
    *retry = (struct retry){0};
}

/* The slot of a key: its item, or where it belongs. */
static struct retry_item **slot_of(const struct retry *retry, struct text key)
{
    size_t at = event_hash(0, key) & (retry->slot_count - 1);

    while (retry->slots[at] != NULL && !text_is(key, retry->slots[at]->key))
        at = (at + 1) & (retry->slot_count - 1);
    return &retry->slots[at];
}

static void grow(struct retry *retry)
{
    struct retry_item **before = retry->slots;
    size_t count = retry->slot_count;

    retry->slot_count = count > 0 ? count * 2 : SLOTS_MIN;
    retry->slots = mem_alloc(retry->slot_count * sizeof(struct retry_item *));
    for (size_t i = 0; i < count; i++)
        if (before[i] != NULL)
            *slot_of(retry, text_of(before[i]->key)) = before[i];
    free(before);
}

static struct retry_item *item_at(struct retry *retry, struct text key)
{
    struct retry_item **slot;

    if (retry->item_count * 2 >= retry->slot_count)
        grow(retry);
    slot = slot_of(retry, key);
    if (*slot == NULL) {
        *slot = mem_alloc(sizeof(**slot));
        (*slot)->key = mem_strndup(key.data, key.length);
        (*slot)->version = -1;
        retry->item_count++;
    }
    return *slot;
}

const struct retry_item *retry_item_of(const struct retry *retry, const char *key)
{
    const struct retry_item *item = retry->slot_count > 0 ? *slot_of(retry, text_of(key)) : NULL;

    return item != NULL && item->topic != NULL ? item : NULL;
}

static int has_key(const struct retry_choice *choice, struct text key)
{
    for (int i = 0; i < choice->key_count; i++)
        if (text_is(key, choice->keys[i]))
            return 1;
    return choice->keys == NULL;
}

static int is_chosen(const struct retry_choice *choice, const struct event *event,
                     enum reason reason)
{
    struct event_key key;

    if (choice->store != NULL &&
        (event_key_parse(event->key, &key) != 0 || !text_is(key.store, choice->store)))
        return 0;
    return (choice->reason == REASON_NONE || choice->reason == reason) &&
           event->timestamp_ms >= choice->since_ms;
}

/* Keeps the newest record of each order; a tombstone in `dead` takes that one back. */
static int note(void *context, const struct event *event, struct error *err)
{
    struct retry *retry = context;
    struct spot spot = spot_of(&retry->survey.topics, event->topic);
    int64_t version = event_header_int(event, HEADER_MODIFIED_AT, -1);
    struct text word = event->headers[HEADER_REASON];
    struct output output;
    struct retry_item *item;

    (void)err;
    if (event->key.length == 0 || memchr(event->key.data, '\0', event->key.length) != NULL ||
        !has_key(&retry->choice, event->key))
        return 0;
    item = item_at(retry, event->key);
    if (event->value.data == NULL) {
        if (item->topic == spot.topic)
            item->topic = NULL;
        return 0;
    }
    if (item->topic != NULL && item->topic != spot.topic &&
        (version < item->version ||
         (version == item->version && event->timestamp_ms < item->time_ms)))
        return 0;
    item->topic = spot.topic;
    item->partition = event->partition;
    item->offset = event->offset;
    item->version = version;
    item->time_ms = event->timestamp_ms;
    item->reason = word.data != NULL ? reason_of(word.data, word.length) : REASON_NONE;
    item->is_chosen = is_chosen(&retry->choice, event, item->reason);
    item->refusal = again_make(&retry->survey.topics, event, event->value, "0", &output);
    if (retry->keep_value) {
        free(item->value);
        item->value = mem_strndup(event->value.data, event->value.length);
        item->value_length = event->value.length;
    }
    return 0;
}

/* Adds what the pushers have not finished of the retry or waiting topics. */
static int add_unfinished(struct retry *retry, struct error *err)
{
    const struct topics *topics = &retry->survey.topics;
    const char **names =
        mem_alloc((TOPIC_RETRY_COUNT + 2 * (size_t)topics->account_count) * sizeof(*names));
    char *group = mem_printf("%s.pusher", retry->config->kafka.topic_prefix);
    struct kafka_place *places = NULL;
    int name_count = 0, count = 0, rc;

    for (int i = 0; i < TOPIC_RETRY_COUNT && retry->choice.from & RETRY_RETRYING; i++)
        names[name_count++] = topics->retry[i];
    for (int i = 0; i < topics->account_count && retry->choice.from & RETRY_WAITING; i++) {
        names[name_count++] = topics->waiting[i];
        names[name_count++] = topics->waiting_orders[i];
    }
    rc = kafka_group_places(retry->config, group, names, name_count, &places, &count, err);
    for (int i = 0; i < count; i++)
        survey_spans_add(&retry->spans, spot_of(topics, places[i].topic).topic, places[i].partition,
                         survey_unread_from(&places[i]), places[i].end);
    kafka_places_free(places, count);
    free(group);
    free(names);
    return rc;
}

int retry_find(struct retry *retry, struct error *err)
{
    if (retry->choice.from & RETRY_DEAD &&
        survey_add_topic(&retry->survey, retry->survey.topics.dead, 0, &retry->spans, err) != 0)
        return -1;
    if (retry->choice.from & (RETRY_RETRYING | RETRY_WAITING) && add_unfinished(retry, err) != 0)
        return -1;
    if (survey_read(&retry->survey, &retry->spans, "reading what can be sent again", note, retry,
                    err) != 0)
        return -1;
    for (size_t i = 0; i < retry->slot_count; i++) {
        const struct retry_item *item = retry->slots[i];

        if (item == NULL || item->topic == NULL || !item->is_chosen)
            continue;
        retry->chosen++;
        retry->refused += item->refusal != NULL;
    }
    return 0;
}

static json_t *filter_json(const struct retry_choice *choice)
{
    char at[OUTSIDE_TIME_BYTES];
    json_t *filter = json_object(), *from = json_array();

    if (choice->from & RETRY_DEAD)
        json_array_append_new(from, json_string("dead"));
    if (choice->from & RETRY_RETRYING)
        json_array_append_new(from, json_string("retrying"));
    if (choice->from & RETRY_WAITING)
        json_array_append_new(from, json_string("waiting"));
    json_object_set_new(filter, "from", from);
    if (choice->store != NULL)
        json_object_set_new(filter, "store", json_string(choice->store));
    if (choice->reason != REASON_NONE)
        json_object_set_new(filter, "reason", json_string(reason_name(choice->reason)));
    if (choice->since_ms > 0)
        json_object_set_new(filter, "since", json_string(outside_time_print(at, choice->since_ms)));
    return filter;
}

/* How many of the records that can be sent have which reason. */
static json_t *reasons_json(const struct retry *retry)
{
    json_t *reasons = json_object();

    for (size_t i = 0; i < retry->slot_count; i++) {
        const struct retry_item *item = retry->slots[i];
        const char *name;

        if (item == NULL || item->topic == NULL || !item->is_chosen || item->refusal != NULL)
            continue;
        name = item->reason != REASON_NONE ? reason_name(item->reason) : "unknown";
        json_object_set_new(reasons, name,
                            json_integer(json_integer_value(json_object_get(reasons, name)) + 1));
    }
    return reasons;
}

json_t *retry_about(const struct retry *retry)
{
    const struct retry_choice *choice = &retry->choice;
    json_t *about = json_object();

    if (choice->keys != NULL) {
        json_t *keys = json_array();

        for (int i = 0; i < choice->key_count && i < AUDITED_KEYS_MAX; i++)
            json_array_append_new(keys, json_string(choice->keys[i]));
        json_object_set_new(about, "keys", keys);
    } else {
        json_object_set_new(about, "filter", filter_json(choice));
    }
    json_object_set_new(about, "count", json_integer(retry->chosen - retry->refused));
    json_object_set_new(about, "reasons", reasons_json(retry));
    return about;
}
