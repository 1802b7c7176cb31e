#include "stage/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The headers of the input that are copied into its fate. */
static const enum header fate_headers[] = {
    HEADER_KIND,       HEADER_LANE,        HEADER_LEAVE_OUT,   HEADER_STORE,
    HEADER_ACCOUNT,    HEADER_SOURCE,      HEADER_MODIFIED_AT, HEADER_POLLED_AT,
    HEADER_START_FROM, HEADER_REPLAYED_AT, HEADER_TRACEPARENT,
};

static struct text reason_text(enum reason reason) { return text_of(reason_name(reason)); }

static void set_reason(struct result *result, enum verdict verdict, enum reason reason,
                       const char *detail)
{
    result->verdict = verdict;
    result->reason = reason;
    if (detail != result->detail)
        snprintf(result->detail, sizeof(result->detail), "%s", detail != NULL ? detail : "");
    if (result->output_count < 1)
        result->output_count = 1;
}

static void pass_headers_on(struct output *output, const struct event *in)
{
    for (size_t i = 0; i < sizeof(fate_headers) / sizeof(*fate_headers); i++)
        output->headers[fate_headers[i]] = in->headers[fate_headers[i]];
}

/* The texts that a dead record needs are behind its value, in the memory that the output owns. */
static void make_dead(struct result *result, const struct stage_settings *settings,
                      const struct event *in, struct text value)
{
    struct output *output = &result->outputs[0];
    char origin[320];
    size_t origin_length, detail_length = strlen(result->detail);
    char *memory;

    origin_length = (size_t)snprintf(origin, sizeof(origin), "%s/%d/%lld", in->topic, in->partition,
                                     (long long)in->offset);
    if (origin_length >= sizeof(origin))
        origin_length = sizeof(origin) - 1;
    memory = mem_alloc(value.length + origin_length + detail_length);
    if (value.length > 0)
        memcpy(memory, value.data, value.length);
    memcpy(memory + value.length, origin, origin_length);
    memcpy(memory + value.length + origin_length, result->detail, detail_length);
    *output = (struct output){.topic = settings->topics->dead, .owned_value = memory};
    /* An input without a value becomes one with an empty value. With no value the fate would be a
     * tombstone, which means that there is no fate. */
    output->value = (struct text){memory, value.length};
    pass_headers_on(output, in);
    output->headers[HEADER_REASON] = reason_text(result->reason);
    output->headers[HEADER_STAGE] = text_of(settings->service);
    output->headers[HEADER_ORIGIN] = (struct text){memory + value.length, origin_length};
    if (detail_length > 0)
        output->headers[HEADER_DETAIL] =
            (struct text){memory + value.length + origin_length, detail_length};
    output->key = event_key_is_usable(in->key) ? in->key : output->headers[HEADER_ORIGIN];
    output->partition_hash = event_hash(0, output->key);
}

void result_dead(struct result *result, const struct stage_settings *settings,
                 const struct event *in, enum reason reason, const char *detail)
{
    set_reason(result, VERDICT_DEAD, reason, detail);
    make_dead(result, settings, in, in->value);
}

void result_too_large(struct result *result, const struct stage_settings *settings,
                      const struct event *in, size_t size_bytes)
{
    struct event_key parts;
    char value[80], detail[80];
    int length;

    if (event_key_parse(in->key, &parts) != 0)
        parts.id = (struct text){"", 0};
    length = snprintf(value, sizeof(value), "{\"id\":\"%.*s\",\"size\":%zu}", (int)parts.id.length,
                      parts.id.data, size_bytes);
    snprintf(detail, sizeof(detail), "a record of %zu bytes is larger than its topic takes",
             size_bytes);
    set_reason(result, VERDICT_DEAD, REASON_TOO_LARGE, detail);
    make_dead(result, settings, in, (struct text){value, (size_t)length});
}

void result_skip(struct result *result, const struct stage_settings *settings,
                 const struct event *in, enum reason reason, const char *detail, char *value,
                 size_t value_length)
{
    struct output *output = &result->outputs[0];

    set_reason(result, VERDICT_SKIP, reason, detail);
    *output = (struct output){
        .topic = settings->topics->skipped,
        .key = in->key,
        .value = {value, value_length},
        .owned_value = value,
        .partition_hash = event_hash(0, in->key),
    };
    pass_headers_on(output, in);
    output->headers[HEADER_REASON] = reason_text(reason);
    if (text_is(in->headers[HEADER_SOURCE], "replay")) {
        result->outputs[1] = (struct output){
            .topic = settings->topics->dead,
            .key = in->key,
            .partition_hash = event_hash(0, in->key),
        };
        result->output_count = 2;
    }
}
