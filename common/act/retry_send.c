/* retry_send.c - the second reading of a retry: it sends what the first one chose. */
#include "act/retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stop.h"
#include "history/spot.h"

enum {
    IN_FRONT_MAX = 500, /* records that the services may have in front of them */
    ASK_AGAIN_MS = 300,
};

/* How many records filter, mapper and pusher have not finished of the lanes that records are sent to.
 */
static int count_in_front(const struct retry *retry, int64_t *in_front, struct error *err)
{
    const struct topics *topics = &retry->survey.topics;
    const char **inputs = mem_alloc(SPOT_INPUTS((size_t)topics->account_count) * sizeof(*inputs));
    int rc = 0;

    *in_front = 0;
    for (int i = 0; rc == 0 && i < SPOT_GROUP_COUNT; i++) {
        /* The lanes come first among the inputs of each group. */
        spot_inputs(topics, i, inputs);
        rc = survey_unread(retry->config, spot_groups[i], inputs, TOPIC_LANE_COUNT, in_front, err);
    }
    free(inputs);
    return rc;
}

/* Waits until there is room for at least one record. @returns 0; -1 with an error, or where the act
 * was cancelled */
static int wait_for_room(struct retry *retry, struct error *err)
{
    while (retry->room <= 0) {
        int64_t in_front = 0;

        retry->is_cancelled = act_is_cancelled();
        if (retry->is_cancelled || send_wait(retry->act->send, err) != 0 ||
            count_in_front(retry, &in_front, err) != 0)
            return -1;
        retry->room = IN_FRONT_MAX - in_front;
        if (retry->room <= 0)
            stop_wait_ms(ASK_AGAIN_MS);
    }
    return 0;
}

static struct retry_item *wanted(struct retry *retry, const struct event *event)
{
    char *key = event->key.data != NULL ? mem_strndup(event->key.data, event->key.length) : NULL;
    struct retry_item *item =
        key != NULL ? (struct retry_item *)(uintptr_t)retry_item_of(retry, key) : NULL;

    free(key);
    if (item == NULL || !item->is_chosen || item->refusal != NULL || item->is_sent ||
        item->partition != event->partition || item->offset != event->offset ||
        strcmp(item->topic, event->topic) != 0)
        return NULL;
    return item;
}

static int visit(void *context, const struct event *event, struct error *err)
{
    struct retry *retry = context;
    struct retry_item *item = wanted(retry, event);
    struct text value = retry->edited.data != NULL ? retry->edited : event->value;
    struct output output;
    char now[24];

    snprintf(now, sizeof(now), "%" PRId64, clock_now_ms());
    retry->is_cancelled |= act_is_cancelled();
    if (retry->is_cancelled)
        return error_set(err, ERROR_TEMPORARY, "cancelled");
    if (item == NULL || again_make(&retry->survey.topics, event, value, now, &output) != NULL)
        return 0;
    if (wait_for_room(retry, err) != 0) {
        if (retry->is_cancelled && err->kind == ERROR_NONE)
            error_set(err, ERROR_TEMPORARY, "cancelled");
        return -1;
    }
    if (send_queue(retry->act->send, &output, err) != 0)
        return -1;
    item->is_sent = 1;
    retry->room--;
    progress_step(&retry->progress);
    return 0;
}

int retry_send(struct retry *retry, struct act *act, struct error *err)
{
    int64_t before = send_count(act->send);
    struct error own = {0};
    int rc = 0;

    retry->act = act;
    progress_begin(&retry->progress, "sending again", retry->chosen - retry->refused);
    if (retry->spans.count > 0)
        rc = kafka_read_spans(retry->config, retry->spans.spans, retry->spans.count, visit, retry,
                              err);
    progress_end(&retry->progress);
    if (retry->is_cancelled) {
        error_clear(err);
        rc = 0;
    }
    if (send_wait(act->send, &own) != 0 && rc == 0) {
        *err = own;
        rc = -1;
    }
    retry->sent = send_count(act->send) - before;
    return rc;
}
