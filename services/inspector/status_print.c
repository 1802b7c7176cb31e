#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "history/outside_text.h"

#include "history/duration.h"

static double per_second(const struct flow *flow, int64_t records)
{
    return flow->window_ms > 0 ? (double)records * 1000 / (double)flow->window_ms : 0;
}

static double in_per_s(const struct flow *flow, const struct flow_topic *topic)
{
    return per_second(flow, topic->end_end - topic->begin_end);
}

static double done_per_s(const struct flow *flow, const struct flow_topic *topic)
{
    return per_second(flow, topic->end_committed - topic->begin_committed);
}

/* How old the oldest unread record is, in ms; -1: there is none. */
static int64_t lag_ms(const struct status *status, const struct flow_topic *topic)
{
    if (topic->oldest_ms < 0)
        return -1;
    return status->now_ms > topic->oldest_ms ? status->now_ms - topic->oldest_ms : 0;
}

/* Text */

static void print_flow(const struct status *status)
{
    const struct flow *flow = &status->flow;

    printf("%-8s %-7s  %-24s %10s  %-14s %9s %9s\n", "SERVICE", "MEMBERS", "STAGE", "LAG", "OLDEST",
           "IN/S", "DONE/S");
    for (int i = 0; i < flow->count; i++) {
        const struct flow_topic *topic = &flow->topics[i];
        int is_first = i == 0 || flow->topics[i - 1].group != topic->group;
        char members[16] = "", oldest[DURATION_TEXT_BYTES] = "-";

        if (is_first && flow->members[topic->group] < 0)
            snprintf(members, sizeof(members), "?");
        else if (is_first)
            snprintf(members, sizeof(members), "%d", flow->members[topic->group]);
        if (topic->oldest_ms >= 0)
            duration_print(lag_ms(status, topic), oldest);
        printf("%-8s %-7s  %-24s %10" PRId64 "  %-14s %9.1f %9.1f\n",
               is_first ? spot_groups[topic->group] : "", members,
               spot_name(&status->survey.topics, topic->topic), topic->unread, oldest,
               in_per_s(flow, topic), done_per_s(flow, topic));
    }
    printf("rates: records per second over the last %.1f s\n", (double)flow->window_ms / 1000);
}

static void print_reasons(const int64_t *by_reason)
{
    int written = 0;

    for (int i = 0; i < REASON_COUNT; i++)
        if (by_reason[i] > 0)
            printf("%s%s %" PRId64, written++ ? ", " : " (",
                   i == REASON_NONE ? "unknown" : reason_name((enum reason)i), by_reason[i]);
    printf("%s\n", written > 0 ? ")" : "");
}

static void print_fates(const struct status *status)
{
    struct fate_numbers orders, nameless;

    fate_count_sum(&status->fates, &orders);
    fate_count_sum(&status->nameless, &nameless);
    printf("\nfates of orders so far\n");
    printf("  delivered  %10" PRId64 "\n", orders.delivered);
    printf("  skipped    %10" PRId64, orders.skipped);
    print_reasons(orders.skipped_by);
    printf("  dead       %10" PRId64, orders.dead);
    print_reasons(orders.dead_by);
    if (nameless.dead > 0) {
        printf("  dead records that name no order %" PRId64, nameless.dead);
        print_reasons(nameless.dead_by);
    }
}

static void print_stores(const struct status *status)
{
    printf("\nstores\n");
    for (int i = 0; i < status->survey.config->store_count; i++) {
        const struct config_store *store = &status->survey.config->stores[i];
        const struct store_position *position = &status->stores[i];
        char at[DATE_ISO_BYTES], age[DURATION_TEXT_BYTES];

        printf("  %-12s %-12s ", store->code, store->hash);
        if (position->fence < 0) {
            printf("never polled\n");
            continue;
        }
        if (position->cursor_ms >= 0)
            printf("read up to %s (%s ago)", date_print_iso(at, position->cursor_ms),
                   duration_print(status->now_ms - position->cursor_ms, age));
        else
            printf("nothing read yet");
        if (position->saved_ms >= 0)
            printf(", saved %s ago", duration_print(status->now_ms - position->saved_ms, age));
        if (position->has_history)
            printf(", history under way");
        if (position->held > 0)
            printf(", %d orders held", position->held);
        printf("\n");
    }
}

static void print_accounts(const struct status *status)
{
    int troubles = 0;

    for (int i = 0; i < status->flow.count; i++) {
        const struct flow_topic *topic = &status->flow.topics[i];
        struct spot spot = spot_of(&status->survey.topics, topic->topic);

        if (spot.kind < SPOT_WAITING || topic->unread == 0)
            continue;
        printf("%s  %-12s %" PRId64 " records in %s; newest: %s\n",
               troubles++ == 0 ? "\naccounts in trouble\n" : "",
               status->survey.config->accounts[spot.index].name, topic->unread,
               spot_name(&status->survey.topics, topic->topic),
               topic->newest_why != NULL ? topic->newest_why : "no reason told");
    }
    if (troubles == 0)
        printf("\naccounts in trouble: none\n");
}

void status_print_text(const struct status *status)
{
    print_flow(status);
    print_fates(status);
    print_stores(status);
    print_accounts(status);
    printf("\n");
    survey_print_cost(&status->survey, stdout);
    printf("from the topics\n");
}

/* JSON */

static json_t *lag_json(int64_t ms) { return ms >= 0 ? json_real((double)ms / 1000) : json_null(); }

static json_t *topic_json(const struct status *status, const struct flow_topic *topic)
{
    return mem_check(json_pack(
        "{s:s, s:s, s:I, s:o, s:o, s:f, s:f}", "stage",
        spot_name(&status->survey.topics, topic->topic), "topic", topic->topic, "lag_records",
        (json_int_t)topic->unread, "lag_s", lag_json(lag_ms(status, topic)), "oldest",
        outside_time_json(topic->oldest_ms), "in_per_s", in_per_s(&status->flow, topic),
        "done_per_s", done_per_s(&status->flow, topic)));
}

static json_t *service_json(const struct status *status, int group)
{
    const struct flow *flow = &status->flow;
    json_t *topics = mem_check(json_array());
    int64_t unread = 0, longest_ms = -1;
    double done = 0;

    for (int i = 0; i < flow->count; i++) {
        const struct flow_topic *topic = &flow->topics[i];

        if (topic->group != group)
            continue;
        json_array_append_new(topics, topic_json(status, topic));
        unread += topic->unread;
        done += done_per_s(flow, topic);
        if (lag_ms(status, topic) > longest_ms)
            longest_ms = lag_ms(status, topic);
    }
    return mem_check(
        json_pack("{s:s, s:o, s:s, s:I, s:o, s:f, s:o}", "service", spot_groups[group], "members",
                  flow->members[group] >= 0 ? json_integer(flow->members[group]) : json_null(),
                  "state", flow->states[group], "lag_records", (json_int_t)unread, "lag_s",
                  lag_json(longest_ms), "done_per_s", done, "stages", topics));
}

static json_t *reasons_json(const int64_t *by_reason)
{
    json_t *reasons = mem_check(json_object());

    for (int i = 0; i < REASON_COUNT; i++)
        if (by_reason[i] > 0)
            json_object_set_new(reasons, i == REASON_NONE ? "unknown" : reason_name((enum reason)i),
                                json_integer(by_reason[i]));
    return reasons;
}

static json_t *fates_json(const struct status *status)
{
    struct fate_numbers orders, nameless;

    fate_count_sum(&status->fates, &orders);
    fate_count_sum(&status->nameless, &nameless);
    return mem_check(json_pack(
        "{s:I, s:{s:I, s:o}, s:{s:I, s:o}, s:{s:I, s:o}}", "delivered",
        (json_int_t)orders.delivered, "skipped", "count", (json_int_t)orders.skipped, "reasons",
        reasons_json(orders.skipped_by), "dead", "count", (json_int_t)orders.dead, "reasons",
        reasons_json(orders.dead_by), "dead_without_order", "count", (json_int_t)nameless.dead,
        "reasons", reasons_json(nameless.dead_by)));
}

static json_t *store_json(const struct status *status, int index)
{
    const struct config_store *store = &status->survey.config->stores[index];
    const struct store_position *position = &status->stores[index];

    return mem_check(json_pack(
        "{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:b, s:i}", "store", store->name, "code", store->code,
        "hash", store->hash, "polled", position->fence >= 0, "read_up_to",
        outside_time_json(position->cursor_ms), "age_s",
        position->cursor_ms >= 0 ? json_real((double)(status->now_ms - position->cursor_ms) / 1000)
                                 : json_null(),
        "saved_at", outside_time_json(position->saved_ms), "history", position->has_history, "held",
        position->held));
}

static json_t *account_json(const struct status *status, int index)
{
    json_t *account =
        mem_check(json_pack("{s:s}", "account", status->survey.config->accounts[index].name));

    for (int i = 0; i < status->flow.count; i++) {
        const struct flow_topic *topic = &status->flow.topics[i];
        struct spot spot = spot_of(&status->survey.topics, topic->topic);

        if (spot.kind < SPOT_WAITING || spot.index != index)
            continue;
        json_object_set_new(
            account, spot.kind == SPOT_WAITING ? "waiting" : "waiting_orders",
            mem_check(json_pack("{s:I, s:o, s:o}", "records", (json_int_t)topic->unread, "oldest",
                                outside_time_json(topic->oldest_ms), "newest_why",
                                topic->newest_why != NULL ? json_string(topic->newest_why)
                                                          : json_null())));
    }
    return account;
}

void status_print_json(const struct status *status)
{
    json_t *services = mem_check(json_array()), *stores = mem_check(json_array());
    json_t *accounts = mem_check(json_array()), *root;

    for (int i = 0; i < SPOT_GROUP_COUNT; i++)
        json_array_append_new(services, service_json(status, i));
    for (int i = 0; i < status->survey.config->store_count; i++)
        json_array_append_new(stores, store_json(status, i));
    for (int i = 0; i < status->survey.config->account_count; i++)
        json_array_append_new(accounts, account_json(status, i));
    root = mem_check(json_pack("{s:s, s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "source", "topics",
                               "time", outside_time_json(status->now_ms), "services", services,
                               "window_s", (double)status->flow.window_ms / 1000, "fates",
                               fates_json(status), "stores", stores, "accounts", accounts, "cost",
                               survey_cost_json(&status->survey)));
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(root);
}
