#include "act/again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "history/spot.h"
#include "record/forgotten.h"

/* Headers that belong to the version of the order, and to no attempt. */
static const enum header kept_headers[] = {
    HEADER_KIND,        HEADER_LANE,      HEADER_LEAVE_OUT,  HEADER_STORE,  HEADER_ACCOUNT,
    HEADER_MODIFIED_AT, HEADER_POLLED_AT, HEADER_START_FROM, HEADER_LEDGER, HEADER_TRACEPARENT,
};

static again_refusal check_poller(const struct event *event)
{
    struct text reason = event->headers[HEADER_REASON];

    if (text_is(reason, reason_name(REASON_MALFORMED)))
        return NULL;
    return "the store did not show the whole order, so there is nothing to try again; the order's "
           "next change in the store is read again";
}

/* The topic for a record of `dead`, by the program that gave it up. */
static again_refusal find_topic(const struct topics *topics, const struct event *event,
                                const char **topic)
{
    const struct lane_topics *lane = &topics->lanes[topic_lane_of(event)];
    struct text stage = event->headers[HEADER_STAGE];

    *topic = NULL;
    if (text_is(stage, "filter") || text_is(stage, "poller"))
        *topic = lane->raw;
    else if (text_is(stage, "mapper"))
        *topic = lane->eligible;
    else if (text_is(stage, "pusher"))
        *topic = lane->payloads;
    else
        return "it does not say which program gave it up";
    return text_is(stage, "poller") ? check_poller(event) : NULL;
}

static again_refusal check_dead(const struct topics *topics, const struct event *event,
                                const char **topic)
{
    if (text_is(event->headers[HEADER_REASON], reason_name(REASON_TOO_LARGE)))
        return "the order was too large to be kept; only its id and size were";
    if (forgotten_read(event->value, NULL))
        return "its text was forgotten";
    return find_topic(topics, event, topic);
}

/* The partition of a payload: by its account and e-mail address, as everywhere. */
static uint32_t payload_hash(const struct event *event, struct text value)
{
    yyjson_doc *doc = yyjson_read(value.data, value.length, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *addresses = yyjson_obj_get(yyjson_obj_get(root, "contact"), "email_addresses");
    yyjson_val *email = yyjson_obj_get(yyjson_arr_get_first(addresses), "email");
    yyjson_val *account = yyjson_obj_get(root, "account");
    uint32_t hash = event_hash(0, event->key);

    if (yyjson_is_str(account) && yyjson_is_str(email))
        hash = event_hash_contact(json_text(account), json_text(email));
    yyjson_doc_free(doc);
    return hash;
}

again_refusal again_make(const struct topics *topics, const struct event *event, struct text value,
                         const char *now, struct output *output)
{
    struct spot spot = spot_of(topics, event->topic);
    again_refusal refusal = NULL;
    struct event_key key;

    *output = (struct output){.key = event->key, .value = value};
    if (event_key_parse(event->key, &key) != 0)
        return "its id could not be read, so it names no order";
    if (spot.kind == SPOT_DEAD)
        refusal = check_dead(topics, event, &output->topic);
    else if (text_is(event->headers[HEADER_REASON], reason_name(REASON_IN_DOUBT)))
        refusal = "it only waits for its order to be looked up once more";
    else
        output->topic = topics->lanes[topic_lane_of(event)].payloads;
    if (refusal != NULL)
        return refusal;
    for (size_t i = 0; i < sizeof(kept_headers) / sizeof(*kept_headers); i++)
        output->headers[kept_headers[i]] = event->headers[kept_headers[i]];
    output->headers[HEADER_SOURCE] = text_of("replay");
    output->headers[HEADER_REPLAYED_AT] = text_of(now);
    output->partition_hash = spot_of(topics, output->topic).kind == SPOT_PAYLOADS
                                 ? payload_hash(event, value)
                                 : event_hash(0, event->key);
    return NULL;
}
