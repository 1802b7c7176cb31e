/* answer_orders.c - lists of orders: stuck, waiting, retrying, skipped, dead. */
#include "answer_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "history/duration.h"
#include "history/order_name.h"
#include "history/outside_text.h"
#include "history/why.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 500 };

static const struct {
    const char *name;
    unsigned lists;
} lists[] = {
    {"stuck", 1U << ORDER_LIST_QUEUED | 1U << ORDER_LIST_RETRYING | 1U << ORDER_LIST_WAITING},
    {"waiting", 1U << ORDER_LIST_QUEUED | 1U << ORDER_LIST_WAITING},
    {"retrying", 1U << ORDER_LIST_RETRYING},
    {"skipped", 1U << ORDER_LIST_SKIPPED},
    {"dead", 1U << ORDER_LIST_DEAD},
};

/* Reads the place after which the next page begins, as place_print() wrote it. */
static int place_parse(const char *text, struct index_place *place)
{
    int length = 0;

    *place = (struct index_place){.is_set = 1};
    return sscanf(text, "%" SCNd64 "_%" SCNd64 "%n", &place->since_ms, &place->number, &length) ==
                       2 &&
                   text[length] == '\0'
               ? 0
               : -1;
}

static json_t *place_json(const struct index_place *place)
{
    char text[64];

    if (!place->is_set)
        return json_null();
    snprintf(text, sizeof(text), "%" PRId64 "_%" PRId64, place->since_ms, place->number);
    return json_string(text);
}

static json_t *bad(struct answer_fault *fault, const char *what, const char *allowed)
{
    return answer_refuse(fault, 400, "bad_argument", "%s: allowed is %s.", what, allowed);
}

/* Reads the question. @returns 0, or -1 with a fault */
static int read_question(const struct answerer *answerer, const struct answer_orders *question,
                         int64_t now_ms, struct index_filter *filter, struct index_place *after,
                         int *limit, struct answer_fault *fault)
{
    const struct config_store *store = NULL;
    int64_t number = LIMIT_DEFAULT, older_ms = 0;
    struct error err = {0};

    *filter = (struct index_filter){0};
    *after = (struct index_place){0};
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        if (question->list != NULL && strcmp(question->list, lists[i].name) == 0)
            filter->lists = lists[i].lists;
    if (filter->lists == 0)
        bad(fault, "list", "stuck, waiting, retrying, skipped or dead");
    else if (question->store != NULL &&
             (store = config_store_named(answerer->answers->config, question->store, &err)) == NULL)
        answer_refuse(fault, 400, "unknown_store", "%s", err.text);
    else if (question->reason != NULL &&
             (filter->reason = reason_of(question->reason, strlen(question->reason))) ==
                 REASON_NONE)
        bad(fault, "reason", "a reason of docs/operations.md");
    else if (question->since != NULL &&
             (filter->since_ms = since_parse(question->since, now_ms)) < 0)
        bad(fault, "since", "an instant such as 2026-01-31T12:00:00Z, or a duration such as 2h");
    else if (question->older != NULL && (older_ms = duration_parse(question->older)) < 0)
        bad(fault, "older", "a duration such as 30s, 5m, 2h or 3d");
    else if (question->limit != NULL &&
             (text_to_int(text_of(question->limit), &number) != 0 || number < 1))
        bad(fault, "limit", "a number from 1 to 500");
    else if (question->after != NULL && place_parse(question->after, after) != 0)
        bad(fault, "after", "what `next` of the page before says");
    if (fault->status != 0)
        return -1;
    filter->store_hash = store != NULL ? store->hash : NULL;
    filter->before_ms = question->older != NULL ? now_ms - older_ms : 0;
    *limit = number < LIMIT_MAX ? (int)number : LIMIT_MAX;
    return 0;
}

/* "raw", "retry-1m" ... for an order on its way; for a fate its topic's name. */
static const char *stage_of(const struct order_state *state, enum order_list list, char text[80])
{
    static const char *const retries[] = {"retry-1m", "retry-10m", "retry-1h"};
    static const char *const stages[] = {
        [SPOT_RAW] = "raw", [SPOT_ELIGIBLE] = "eligible", [SPOT_PAYLOADS] = "payloads"};
    const struct order_progress *progress = &state->progress;

    if (list == ORDER_LIST_SKIPPED || list == ORDER_LIST_DEAD)
        return order_list_name(list);
    if (progress->kind == SPOT_RETRY)
        return progress->spot_index >= 0 && progress->spot_index < TOPIC_RETRY_COUNT
                   ? retries[progress->spot_index]
                   : "retry";
    if (progress->kind == SPOT_WAITING || progress->kind == SPOT_WAITING_ORDERS) {
        snprintf(text, 80, "%s.%s", progress->kind == SPOT_WAITING ? "waiting" : "waiting-orders",
                 progress->account);
        return text;
    }
    return progress->kind >= SPOT_RAW && progress->kind <= SPOT_PAYLOADS ? stages[progress->kind]
                                                                         : "";
}

/* The account that the order's record names, else the one of its store; NULL: none is known. */
static const char *account_of(const struct config *config, const struct index_order *order)
{
    const struct config_store *store = NULL;
    struct event_key parts;

    if (order->state.progress.account[0] != '\0')
        return order->state.progress.account;
    if (event_key_parse(text_of(order->key), &parts) == 0)
        store = config_store_by_hash(config, parts.store);
    return store != NULL ? store->account : NULL;
}

static json_t *order_json(struct answerer *answerer, const struct index_order *order,
                          int64_t now_ms)
{
    const struct order_state *state = &order->state;
    enum order_list list = order_state_list(state);
    const struct order_fate *fate = order_state_fate(state);
    int64_t since_ms = order_state_since_ms(state);
    const char *detail = fate != NULL ? fate->detail : state->progress.detail;
    char name[ORDER_NAME_BYTES], stage[80];
    struct why_facts facts = {.name = order_name_print(answerer->answers->config, order->key, name),
                              .state = state,
                              .next_poll_ms = -1,
                              .account = account_of(answerer->answers->config, order),
                              .now_ms = now_ms};
    struct why_answer why;

    facts.is_account_paused = answer_is_paused(answerer, PAUSED_ACCOUNT, facts.account);
    why_decide(&facts, &why);
    return mem_check(json_pack(
        "{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "order",
        outside_text_json(text_of(name)), "key", outside_text_json(text_of(order->key)), "verdict",
        why_verdict_name(why.verdict), "reason",
        outside_text_json(text_of(reason_name(why.reason))), "sentence",
        outside_text_json(text_of(why.sentence)), "stage",
        outside_text_json(text_of(stage_of(state, list, stage))), "since",
        outside_time_json(since_ms), "age_s",
        since_ms >= 0 ? json_real((double)(now_ms - since_ms) / 1000) : json_null(), "detail",
        detail[0] != '\0' ? outside_text_json(text_of(detail)) : json_null(), "next_try",
        outside_time_json(list == ORDER_LIST_RETRYING ? state->progress.next_try_ms : -1)));
}

static json_t *counts_json(const struct index_counts *counts)
{
    json_t *reasons = mem_check(json_object());

    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        if (counts->reasons[i] > 0)
            json_object_set_new(reasons, reason_name((enum reason)i),
                                json_integer((json_int_t)counts->reasons[i]));
    if (counts->reasons[REASON_NONE] > 0)
        json_object_set_new(reasons, "other",
                            json_integer((json_int_t)counts->reasons[REASON_NONE]));
    return reasons;
}

json_t *answer_orders(struct answerer *answerer, const struct answer_orders *question,
                      struct answer_fault *fault)
{
    int64_t now_ms = clock_now_ms();
    struct index_filter filter;
    struct index_place after;
    struct index_counts counts;
    struct index_page page = {0};
    struct error err = {0};
    json_t *orders;
    int limit;

    *fault = (struct answer_fault){0};
    if (read_question(answerer, question, now_ms, &filter, &after, &limit, fault) != 0)
        return NULL;
    if (index_counts(answerer->reader, &filter, &counts, &err) != 0 ||
        index_list(answerer->reader, &filter, after.is_set ? &after : NULL, limit, &page, &err) !=
            0) {
        index_page_clear(&page);
        return answer_no_index(fault, &err);
    }
    orders = mem_check(json_array());
    for (int i = 0; i < page.count; i++)
        json_array_append_new(orders, order_json(answerer, &page.orders[i], now_ms));
    orders = mem_check(json_pack("{s:I, s:o, s:o, s:o, s:o}", "total", (json_int_t)counts.total,
                                 "counts", counts_json(&counts), "orders", orders, "next",
                                 place_json(&page.next), "index", answer_index(answerer)));
    index_page_clear(&page);
    return orders;
}
