/* stuck.c - `bigfusion stuck --scan`: the orders that entered and have no fate yet, from the topics.
 *
 * It reads in the order in which records move: committed offsets first, ends after them, and the
 * services in the order of the pipeline. So an order that moves on meanwhile is met in the next
 * topic. Fates are read last, so an order that gets one meanwhile falls out. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history/order_name.h"
#include "history/outside_text.h"
#include "history/survey.h"
#include "history/unfinished.h"

#include "history/duration.h"
#include "history/ledger_orders.h"

enum { ASK_AT_ONCE = 1024 };

static int add_unread(void *context, const struct event *event, struct error *err)
{
    (void)err;
    unfinished_add(context, event);
    return 0;
}

static int add_fate(void *context, const struct event *event, struct error *err)
{
    (void)err;
    unfinished_add_fate(context, event);
    return 0;
}

/* Reads what one service has not finished. */
static int read_unread(struct survey *survey, int group, struct unfinished_table *table,
                       struct error *err)
{
    const char **inputs =
        mem_alloc(SPOT_INPUTS((size_t)survey->topics.account_count) * sizeof(*inputs));
    int input_count = spot_inputs(&survey->topics, group, inputs);
    char *name = mem_printf("%s.%s", survey->config->kafka.topic_prefix, spot_groups[group]);
    struct survey_spans spans = {0};
    struct kafka_place *places = NULL;
    int count = 0;
    int rc = kafka_group_places(survey->config, name, inputs, input_count, &places, &count, err);

    for (int i = 0; i < count; i++)
        survey_spans_add(&spans, places[i].topic, places[i].partition,
                         survey_unread_from(&places[i]), places[i].end);
    if (rc == 0)
        rc = survey_read(survey, &spans, "reading unfinished records", add_unread, table, err);
    survey_spans_clear(&spans);
    kafka_places_free(places, count);
    free(name);
    free(inputs);
    return rc;
}

/* Reads the fates that can be about these versions. Where the ledger cannot tell which orders were
 * delivered before, all of `delivered` is read. */
static int read_fates(struct survey *survey, struct unfinished_table *table, int is_ledger_whole,
                      struct error *err)
{
    int64_t since_ms = unfinished_fates_since(table);
    const struct topics *topics = &survey->topics;
    struct survey_spans spans = {0};
    int rc = 0;

    if (table->count == 0)
        return 0;
    if (survey_add_topic(survey, topics->skipped, since_ms, &spans, err) != 0 ||
        survey_add_topic(survey, topics->dead, since_ms, &spans, err) != 0 ||
        survey_add_topic(survey, topics->delivered, is_ledger_whole ? since_ms : 0, &spans, err) !=
            0 ||
        survey_read(survey, &spans, "reading fates", add_fate, table, err) != 0)
        rc = -1;
    survey_spans_clear(&spans);
    return rc;
}

/* The account in whose ledger the order is: as its record says, else as its store is configured. */
static const char *account_of(const struct config *config, const struct unfinished *order)
{
    const struct config_store *store = NULL;
    struct event_key parts;

    if (order->account != NULL)
        return order->account;
    if (event_key_parse(text_of(order->key), &parts) == 0)
        store = config_store_by_hash(config, parts.store);
    return store != NULL ? store->account : NULL;
}

static int ask_some(struct ledger_orders *ledger, struct unfinished **orders,
                    struct ledger_order *asked, int count, struct error *err)
{
    if (ledger_orders_read(ledger, asked, count, err) != 0)
        return -1;
    for (int i = 0; i < count; i++) {
        orders[i]->is_answered |= asked[i].is_done;
        if (asked[i].doubt[0] != '\0')
            orders[i]->doubt = mem_strdup(asked[i].doubt);
    }
    return 0;
}

/* Asks the ledger about the orders that have no fate in Kafka. */
static int ask_ledger(const struct config *config, struct ledger_orders *ledger,
                      struct unfinished_table *table, struct error *err)
{
    struct unfinished *orders[ASK_AT_ONCE];
    struct ledger_order *asked = mem_alloc(ASK_AT_ONCE * sizeof(*asked));
    int count = 0, rc = 0;

    for (size_t i = 0; rc == 0 && i < table->slot_count; i++) {
        struct unfinished *order = table->slots[i];
        const char *account = order != NULL ? account_of(config, order) : NULL;

        if (account == NULL || !unfinished_is_open(order))
            continue;
        asked[count] = (struct ledger_order){.account = account, .key = order->key};
        orders[count++] = order;
        if (count == ASK_AT_ONCE) {
            rc = ask_some(ledger, orders, asked, count, err);
            count = 0;
        }
    }
    if (rc == 0)
        rc = ask_some(ledger, orders, asked, count, err);
    free(asked);
    return rc;
}

static int find(struct survey *survey, struct unfinished_table *table, struct error *err)
{
    const struct config *config = survey->config;
    struct ledger_orders *ledger = ledger_orders_new(config);
    struct error redis_error = {0};
    int whole, rc = 0;

    for (int group = 0; rc == 0 && group < SPOT_GROUP_COUNT; group++)
        rc = read_unread(survey, group, table, err);
    whole = rc == 0 ? ledger_orders_is_whole(ledger, &redis_error) : 0;
    if (rc == 0)
        rc = read_fates(survey, table, whole == 1, err);
    if (rc == 0 && whole == 1 && ask_ledger(config, ledger, table, &redis_error) != 0) {
        /* what the ledger would have told is in the rest of `delivered` */
        whole = -1;
        rc = read_fates(survey, table, 0, err);
    }
    if (rc == 0 && whole != 1)
        fprintf(stderr, "bigfusion: the ledger was not asked (%s); orders in doubt are not shown\n",
                whole < 0 ? redis_error.text : "it is to be rebuilt or checked by a pusher");
    ledger_orders_free(ledger);
    return rc;
}

/* What the reason says in detail: "payment: HTTP 500; attempt 2; next try in 34 s". */
static void print_detail(struct buffer *target, const struct unfinished *order, int64_t now_ms)
{
    char duration[DURATION_TEXT_BYTES];

    if (order->is_withdrawn)
        buffer_printf(target, "withdrawal; ");
    if (order->is_replay)
        buffer_printf(target, "sent again; ");
    if (order->doubt != NULL) {
        buffer_printf(target, "step ");
        outside_text_print(target, text_of(order->doubt));
        buffer_printf(target, "; ");
    }
    if (order->detail != NULL) {
        outside_text_print(target, text_of(order->detail));
        buffer_printf(target, "; ");
    }
    if (order->attempt > 0)
        buffer_printf(target, "attempt %" PRId64 "; ", order->attempt);
    if (order->next_try_ms > now_ms)
        buffer_printf(target, "next try in %s; ",
                      duration_print(order->next_try_ms - now_ms, duration));
    else if (order->next_try_ms >= 0)
        buffer_printf(target, "next try is due; ");
    if (target->length >= 2)
        target->data[target->length -= 2] = '\0';
}

static void print_order(const struct survey *survey, const struct unfinished *order, int64_t now_ms)
{
    struct buffer detail = {0};
    char name[ORDER_NAME_BYTES], age[DURATION_TEXT_BYTES];

    print_detail(&detail, order, now_ms);
    duration_print(now_ms - order->since_ms, age);
    printf("%-14s %-26s %-20s %-22s %s", order_name_print(survey->config, order->key, name),
           order->key, spot_name(&survey->topics, order->spot.topic),
           reason_name(unfinished_reason(order)), age);
    if (detail.length > 0)
        printf("%*s %s", (int)(strlen(age) < 14 ? 14 - strlen(age) : 0), "", detail.data);
    printf("\n");
    buffer_clear(&detail);
}

/* The step that failed stands in front of the detail of a retry. */
static json_t *step_json(const struct unfinished *order)
{
    const char *end = order->detail != NULL ? strstr(order->detail, ": ") : NULL;

    if (order->doubt != NULL)
        return outside_text_json(text_of(order->doubt));
    if (order->spot.kind != SPOT_RETRY || end == NULL)
        return json_null();
    return outside_text_json((struct text){order->detail, (size_t)(end - order->detail)});
}

static json_t *order_json(const struct survey *survey, const struct unfinished *order,
                          int64_t now_ms)
{
    char name[ORDER_NAME_BYTES];

    return mem_check(json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:I, s:s, s:o, s:o, s:I, s:o, s:s, s:b, s:o, s:o, s:I}", "key",
        order->key, "order", order_name_print(survey->config, order->key, name), "stage",
        spot_name(&survey->topics, order->spot.topic), "topic", order->spot.topic, "partition",
        (int)order->partition, "offset", (json_int_t)order->offset, "reason",
        reason_name(unfinished_reason(order)), "step", step_json(order), "detail",
        outside_text_json(text_of(order->detail)), "attempt", (json_int_t)order->attempt,
        "next_try", outside_time_json(order->next_try_ms), "kind",
        order->is_withdrawn ? "withdrawn" : "order", "replay", order->is_replay, "version",
        outside_time_json(order->modified_at), "since", outside_time_json(order->since_ms), "age_s",
        (json_int_t)((now_ms - order->since_ms) / 1000)));
}

/* How many orders wait in each stage: {"eligible": 12}. New. */
static json_t *stages_json(const struct survey *survey, struct unfinished **list, size_t count)
{
    json_t *stages = mem_check(json_object());

    for (size_t i = 0; i < count; i++) {
        const char *name = spot_name(&survey->topics, list[i]->spot.topic);
        json_int_t before = json_integer_value(json_object_get(stages, name));

        json_object_set_new(stages, name, json_integer(before + 1));
    }
    return stages;
}

/* Orders are printed one by one, because there may be a million. */
static void print_json(const struct survey *survey, const struct unfinished_table *table,
                       struct unfinished **list, size_t count, int64_t now_ms)
{
    json_t *rest =
        mem_check(json_pack("{s:I, s:o, s:I, s:o}", "count", (json_int_t)count, "stages",
                            stages_json(survey, list, count), "nameless_records",
                            (json_int_t)table->nameless, "cost", survey_cost_json(survey)));
    char *text = mem_check(json_dumps(rest, JSON_COMPACT | JSON_REAL_PRECISION(9)));

    printf("{\"orders\":[");
    for (size_t i = 0; i < count; i++) {
        json_t *order = order_json(survey, list[i], now_ms);
        char *one = mem_check(json_dumps(order, JSON_COMPACT));

        printf("%s\n%s", i > 0 ? "," : "", one);
        free(one);
        json_decref(order);
    }
    printf("],\n%s\n", text + 1); /* without its opening brace */
    free(text);
    json_decref(rest);
}

static void print_text(const struct survey *survey, const struct unfinished_table *table,
                       struct unfinished **list, size_t count, int64_t now_ms)
{
    json_t *stages = stages_json(survey, list, count);
    int written = 0;

    if (count > 0)
        printf("%-14s %-26s %-20s %-22s %-14s %s\n", "ORDER", "KEY", "STAGE", "REASON", "AGE",
               "DETAIL");
    for (size_t i = 0; i < count; i++)
        print_order(survey, list[i], now_ms);
    printf("%zu order%s without a fate", count, count == 1 ? "" : "s");
    for (void *at = json_object_iter(stages); at != NULL; at = json_object_iter_next(stages, at))
        printf("%s%s %" JSON_INTEGER_FORMAT, written++ ? ", " : ": ", json_object_iter_key(at),
               json_integer_value(json_object_iter_value(at)));
    printf("\n");
    if (table->nameless > 0)
        printf("%" PRId64 " unfinished records name no order\n", table->nameless);
    survey_print_cost(survey, stdout);
    json_decref(stages);
}

int stuck_scan(const struct config *config, const struct command_line *line, struct error *err)
{
    struct survey survey;
    struct unfinished_table table;
    int rc;

    survey_init(&survey, config);
    unfinished_init(&table, &survey.topics, config->pusher.retry_delays_s);
    rc = find(&survey, &table, err);
    if (rc == 0) {
        int64_t now_ms = clock_now_ms();
        int64_t before_ms = line->older_ms > 0 ? now_ms - line->older_ms : INT64_MAX;
        size_t count;
        struct unfinished **list = unfinished_list(&table, before_ms, &count);

        if (line->json)
            print_json(&survey, &table, list, count, now_ms);
        else
            print_text(&survey, &table, list, count, now_ms);
        free(list);
    }
    unfinished_clear(&table);
    survey_clear(&survey);
    return rc;
}
