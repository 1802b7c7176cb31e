/* answer_status.c - how the pipeline does: stages, stores, accounts, fates, alarms; and the fates over
 * time. */
#include "answer_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "history/duration.h"
#include "history/outside_text.h"

enum {
    HOUR_MS = 3600000,
    HOURS_MAX = 24 * 31,
    STEPS = 48, /* in which the time of /api/v1/series is cut */
    LATE_MS = 15 * 60000,
    SILENT_INTERVALS = 5, /* a store that was not polled for so many intervals is silent */
};

static json_t *reasons_json(const struct index_counts *counts)
{
    json_t *reasons = mem_check(json_object());

    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        if (counts->reasons[i] > 0)
            json_object_set_new(reasons, reason_name((enum reason)i),
                                json_integer((json_int_t)counts->reasons[i]));
    return reasons;
}

/* {"last_hour": {...}, "total": {...}}: of skipped and dead by reason. @returns new, or NULL with an
 * error */
static json_t *fates_json(struct answerer *answerer, int64_t now_ms, struct error *err)
{
    static const enum order_list fates[] = {ORDER_LIST_SKIPPED, ORDER_LIST_DEAD};
    struct index_filter delivered = {.lists = 1U << ORDER_LIST_DELIVERED};
    struct index_counts counts;
    struct index_time_step hour;
    json_t *total = mem_check(json_object());

    for (size_t i = 0; i < sizeof(fates) / sizeof(*fates); i++) {
        struct index_filter filter = {.lists = 1U << fates[i]};

        if (index_counts(answerer->reader, &filter, &counts, err) != 0)
            break;
        json_object_set_new(total, order_list_name(fates[i]), reasons_json(&counts));
    }
    if (err->kind != ERROR_NONE || index_counts(answerer->reader, &delivered, &counts, err) != 0 ||
        index_series(answerer->reader, now_ms - HOUR_MS, HOUR_MS, 1, &hour, err) != 0) {
        json_decref(total);
        return NULL;
    }
    json_object_set_new(total, "delivered", json_integer((json_int_t)counts.total));
    return mem_check(json_pack("{s:{s:I, s:I, s:I}, s:o}", "last_hour", "delivered",
                               (json_int_t)hour.delivered, "skipped", (json_int_t)hour.skipped,
                               "dead", (json_int_t)hour.dead, "total", total));
}

/* Adds an alarm: a name for programs and a sentence. */
static void alarm_add(json_t *alarms, const char *name, const char *sentence)
{
    json_array_append_new(alarms, mem_check(json_pack("{s:s, s:o}", "name", name, "sentence",
                                                      outside_text_json(text_of(sentence)))));
}

static json_t *store_json(struct answerer *answerer, const struct config_store *store,
                          int64_t now_ms, json_t *alarms)
{
    int is_paused = answer_is_paused(answerer, PAUSED_STORE, store->hash);
    struct store_position position;
    struct poll_state poll;
    struct error ignored = {0};
    char sentence[256];

    store_position_init(&position, store->hash);
    if (index_store_position(answerer->reader, store->hash, &position, &ignored) != 0)
        error_clear(&ignored);
    answer_poll_state(answerer, store->hash, &poll);
    if (poll.trouble[0] != '\0') {
        snprintf(sentence, sizeof(sentence), "Store %s is in trouble: %s", store->code,
                 poll.trouble);
        alarm_add(alarms, "store_trouble", sentence);
    } else if (!is_paused && poll.polled_ms >= 0 &&
               now_ms - poll.polled_ms > SILENT_INTERVALS * store->poll_interval_s * 1000) {
        snprintf(sentence, sizeof(sentence), "Store %s was not polled for %" PRId64 " s",
                 store->code, (now_ms - poll.polled_ms) / 1000);
        alarm_add(alarms, "store_silent", sentence);
    }
    return mem_check(json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:b}", "code", outside_text_json(text_of(store->code)),
        "hash", store->hash, "read_up_to",
        outside_time_json(position.fence >= 0 ? position.cursor_ms : -1), "last_poll",
        outside_time_json(poll.polled_ms), "next_poll",
        outside_time_json(is_paused ? -1 : poll.next_ms), "quota_left",
        poll.quota_left >= 0 ? json_integer((json_int_t)poll.quota_left) : json_null(), "trouble",
        poll.trouble[0] != '\0' ? outside_text_json(text_of(poll.trouble)) : json_null(),
        "is_paused", is_paused));
}

static json_t *stores_json(struct answerer *answerer, int64_t now_ms, json_t *alarms)
{
    const struct config *config = answerer->answers->config;
    json_t *stores = mem_check(json_array());

    for (int i = 0; i < config->store_count; i++)
        json_array_append_new(stores, store_json(answerer, &config->stores[i], now_ms, alarms));
    return stores;
}

/* Adds to the measured accounts whether they are paused, and an alarm for each that is closed. */
static void finish_accounts(struct answerer *answerer, json_t *accounts, json_t *alarms)
{
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        json_t *account = json_array_get(accounts, i);
        const char *name = json_string_value(json_object_get(account, "name"));
        const char *why = json_string_value(json_object_get(account, "why"));
        int is_paused = answer_is_paused(answerer, PAUSED_ACCOUNT, name);
        char sentence[512];

        json_object_set_new(account, "is_paused", json_boolean(is_paused));
        if (is_paused || why == NULL)
            continue;
        snprintf(sentence, sizeof(sentence), "Orders wait for account %s: %s", name, why);
        alarm_add(alarms, "account_closed", sentence);
    }
}

/* Stages that nobody works on although records wait there. */
static void add_stage_alarms(const json_t *stages, json_t *alarms)
{
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        const json_t *members = json_object_get(stage, "members");
        char sentence[256];

        if (!json_is_integer(members) || json_integer_value(members) > 0 ||
            json_integer_value(json_object_get(stage, "lag_records")) == 0)
            continue;
        snprintf(sentence, sizeof(sentence),
                 "No %s runs, and %" JSON_INTEGER_FORMAT " records wait in %s",
                 json_string_value(json_object_get(stage, "service")),
                 json_integer_value(json_object_get(stage, "lag_records")),
                 json_string_value(json_object_get(stage, "stage")));
        alarm_add(alarms, "stage_without_members", sentence);
    }
}

/* Orders that have been on their way for too long. Those in a retry topic have a time, and those of a
 * closed account an alarm of their own. */
static int add_late_alarm(struct answerer *answerer, int64_t now_ms, json_t *alarms,
                          struct error *err)
{
    struct index_filter filter = {.lists = 1U << ORDER_LIST_QUEUED, .before_ms = now_ms - LATE_MS};
    struct index_counts counts;
    char sentence[160];

    if (index_counts(answerer->reader, &filter, &counts, err) != 0)
        return -1;
    if (counts.total == 0)
        return 0;
    snprintf(sentence, sizeof(sentence),
             "%" PRId64 " orders have been on their way for more than "
             "15 minutes: bigfusion stuck --older 15m",
             counts.total);
    alarm_add(alarms, "orders_late", sentence);
    return 0;
}

json_t *answer_status(struct answerer *answerer, struct answer_fault *fault)
{
    int64_t now_ms = clock_now_ms();
    struct live_view view;
    struct error err = {0};
    json_t *fates, *alarms, *stores, *answer;

    *fault = (struct answer_fault){0};
    fates = fates_json(answerer, now_ms, &err);
    if (fates == NULL)
        return answer_no_index(fault, &err);
    alarms = mem_check(json_array());
    if (add_late_alarm(answerer, now_ms, alarms, &err) != 0) {
        json_decref(alarms);
        json_decref(fates);
        return answer_no_index(fault, &err);
    }
    live_view(answerer->answers->live, &view);
    if (view.trouble[0] != '\0')
        alarm_add(alarms, "services_not_measured", view.trouble);
    add_stage_alarms(view.stages, alarms);
    stores = stores_json(answerer, now_ms, alarms);
    finish_accounts(answerer, view.accounts, alarms);
    answer = mem_check(json_pack("{s:O, s:o, s:O, s:o, s:o, s:o, s:o}", "stages", view.stages,
                                 "stores", stores, "accounts", view.accounts, "fates", fates,
                                 "alarms", alarms, "measured", outside_time_json(view.measured_ms),
                                 "index", answer_index(answerer)));
    live_view_clear(&view);
    return answer;
}

static json_t *seconds_or_null(int64_t ms)
{
    return ms >= 0 ? json_real((double)ms / 1000) : json_null();
}

json_t *answer_series(struct answerer *answerer, const char *hours, struct answer_fault *fault)
{
    struct index_time_step steps[STEPS];
    int64_t count = 24, step_ms, from_ms;
    struct error err = {0};
    json_t *list;

    *fault = (struct answer_fault){0};
    if (hours != NULL &&
        (text_to_int(text_of(hours), &count) != 0 || count < 1 || count > HOURS_MAX))
        return answer_refuse(fault, 400, "bad_argument", "hours: allowed is a number from 1 to %d.",
                             HOURS_MAX);
    step_ms = count * HOUR_MS / STEPS;
    from_ms = (clock_now_ms() / step_ms + 1 - STEPS) * step_ms;
    if (index_series(answerer->reader, from_ms, step_ms, STEPS, steps, &err) != 0)
        return answer_no_index(fault, &err);
    list = mem_check(json_array());
    for (int i = 0; i < STEPS; i++)
        json_array_append_new(list, mem_check(json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o}",
                                                        "from", outside_time_json(steps[i].from_ms),
                                                        "delivered", (json_int_t)steps[i].delivered,
                                                        "skipped", (json_int_t)steps[i].skipped,
                                                        "dead", (json_int_t)steps[i].dead, "p50_s",
                                                        seconds_or_null(steps[i].p50_ms), "p95_s",
                                                        seconds_or_null(steps[i].p95_ms), "max_s",
                                                        seconds_or_null(steps[i].max_ms))));
    return mem_check(json_pack("{s:I, s:I, s:o, s:o}", "hours", (json_int_t)count, "step_s",
                               (json_int_t)(step_ms / 1000), "steps", list, "index",
                               answer_index(answerer)));
}
