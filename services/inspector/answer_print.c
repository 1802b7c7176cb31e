#include "answer_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history/duration.h"

const char *answer_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

double answer_number(const json_t *object, const char *name, double missing)
{
    const json_t *value = json_object_get(object, name);

    return json_is_number(value) ? json_number_value(value) : missing;
}

int64_t answer_time(const json_t *object, const char *name)
{
    struct tm parts = {0};
    const char *end = strptime(answer_text(object, name), "%Y-%m-%dT%H:%M:%S", &parts);

    if (end == NULL || (*end != '.' && *end != 'Z'))
        return -1;
    return (int64_t)timegm(&parts) * 1000 + (*end == '.' ? strtol(end + 1, NULL, 10) % 1000 : 0);
}

int why_status(const json_t *answer)
{
    static const struct {
        const char *verdict;
        int status;
    } statuses[] = {{"synced", WHY_SYNCED},
                    {"waiting", WHY_WAITING},
                    {"retrying", WHY_RETRYING},
                    {"skipped", WHY_SKIPPED},
                    {"dead", WHY_DEAD}};
    const json_t *orders = json_object_get(answer, "orders");
    int highest = json_array_size(orders) == 0 ? WHY_UNKNOWN : WHY_SYNCED;

    for (size_t i = 0; i < json_array_size(orders); i++) {
        const char *verdict = answer_text(json_array_get(orders, i), "verdict");
        int status = WHY_UNKNOWN;

        for (size_t j = 0; j < sizeof(statuses) / sizeof(*statuses); j++)
            if (strcmp(verdict, statuses[j].verdict) == 0)
                status = statuses[j].status;
        if (status > highest)
            highest = status;
    }
    return highest;
}

void index_print(const json_t *answer, struct buffer *target)
{
    const json_t *index = json_object_get(answer, "index");
    double behind_s = answer_number(index, "behind_s", 0);
    char behind[DURATION_TEXT_BYTES];

    if (!json_is_object(index))
        return;
    buffer_printf(target, "as of %s", answer_text(index, "as_of"));
    if (!json_is_true(json_object_get(index, "is_caught_up")))
        buffer_printf(target, "; the console has not read everything yet, it is %s behind",
                      duration_print((int64_t)(behind_s * 1000), behind));
    buffer_printf(target, "\n");
}

/* A text stands as it is, a list of texts with commas, everything else as JSON. */
static void print_value(const json_t *value, struct buffer *target)
{
    char *text;

    if (json_is_string(value)) {
        buffer_printf(target, "%s", json_string_value(value));
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buffer_printf(target, "%s", i > 0 ? ", " : "");
            print_value(json_array_get(value, i), target);
        }
    } else {
        text = mem_check(json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII));
        buffer_printf(target, "%s", text);
        free(text);
    }
}

/* One fact: "name value". Some names say nothing that the value does not; what is true has none. */
static void print_fact(const char *name, const json_t *value, struct buffer *target)
{
    static const struct {
        const char *name, *words;
    } known[] = {{"reason", ""}, {"detail", ""},     {"order_id", "order"},
                 {"kind", ""},   {"origin", "from"}, {"contact_id", "contact"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strcmp(name, known[i].name) == 0)
            name = known[i].words;
    for (const char *at = name; *at != '\0'; at++)
        buffer_printf(target, "%c", *at == '_' ? ' ' : *at);
    if (json_is_true(value))
        return;
    buffer_printf(target, "%s", name[0] != '\0' ? " " : "");
    print_value(value, target);
}

/* What a line of facts has no room for: a list of objects, such as the goals with their results. */
static int is_nested(const json_t *value)
{
    return json_is_object(value) || json_is_object(json_array_get(value, 0));
}

/* Whether a fact of a record is shown in its line of facts. */
static int is_shown(const json_t *step, const char *name, const json_t *value)
{
    static const char *const apart[] = {"time", "stage", "topic", "partition", "offset", "key"};

    for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++)
        if (strcmp(name, apart[i]) == 0)
            return 0;
    if (strcmp(name, "kind") == 0 && strcmp(answer_text(step, "kind"), "order") == 0)
        return 0;
    return !json_is_null(value) && !json_is_false(value) && !is_nested(value);
}

/* The facts of an object with semicolons between them. */
static void print_facts(json_t *object, struct buffer *target)
{
    int written = 0;

    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);

        if (!is_shown(object, name, value))
            continue;
        buffer_printf(target, "%s", written++ > 0 ? "; " : "");
        print_fact(name, value, target);
    }
}

/* A line for each object of a nested fact. */
static void print_nested(const char *name, json_t *value, struct buffer *target)
{
    size_t count = json_is_object(value) ? 1 : json_array_size(value);

    for (size_t i = 0; i < count; i++) {
        json_t *one = json_is_object(value) ? value : json_array_get(value, i);

        buffer_printf(target, "%28s", "");
        print_fact(name, json_true(), target);
        buffer_printf(target, ": ");
        if (json_is_object(one))
            print_facts(one, target);
        else
            print_value(one, target);
        buffer_printf(target, "\n");
    }
}

/* One record of an order: when, where, and what it says. */
static void print_step(json_t *step, struct buffer *target)
{
    char *place =
        mem_printf("%s/%.0f/%.0f", answer_text(step, "topic"), answer_number(step, "partition", -1),
                   answer_number(step, "offset", -1));

    buffer_printf(target, "  %-24s  %-16s  %-36s  ", answer_text(step, "time"),
                  answer_text(step, "stage"), place);
    print_facts(step, target);
    while (target->data[target->length - 1] == ' ')
        target->data[--target->length] = '\0';
    buffer_printf(target, "\n");
    for (void *at = json_object_iter(step); at != NULL; at = json_object_iter_next(step, at))
        if (is_nested(json_object_iter_value(at)))
            print_nested(json_object_iter_key(at), json_object_iter_value(at), target);
    free(place);
}

static void print_next(const json_t *order, int64_t now_ms, struct buffer *target)
{
    const json_t *next = json_object_get(order, "next");
    int64_t at_ms = answer_time(next, "at");
    char when[DURATION_TEXT_BYTES];

    if (answer_text(next, "what")[0] == '\0')
        return;
    buffer_printf(target, "next: %s", answer_text(next, "what"));
    if (at_ms > now_ms)
        buffer_printf(target, " (in %s, at %s)", duration_print(at_ms - now_ms, when),
                      answer_text(next, "at"));
    else if (at_ms >= 0)
        buffer_printf(target, " (due since %s)", answer_text(next, "at"));
    buffer_printf(target, "\n");
}

static void print_ids(const json_t *order, struct buffer *target)
{
    const json_t *ids = json_object_get(order, "infusionsoft");

    buffer_printf(target, "\n  order     %s, record key %s\n", answer_text(order, "order"),
                  answer_text(order, "key"));
    buffer_printf(target, "  verdict   %s%s%s\n", answer_text(order, "verdict"),
                  answer_text(order, "reason")[0] != '\0' ? " " : "", answer_text(order, "reason"));
    if (answer_text(order, "account")[0] != '\0')
        buffer_printf(target, "  account   %s\n", answer_text(order, "account"));
    if (answer_text(ids, "order_id")[0] != '\0')
        buffer_printf(target, "  there     order %s, contact %s\n", answer_text(ids, "order_id"),
                      answer_text(ids, "contact_id"));
}

static void print_goals(const json_t *order, struct buffer *target)
{
    const json_t *goals = json_object_get(order, "goals");

    for (size_t i = 0; i < json_array_size(goals); i++) {
        const json_t *goal = json_array_get(goals, i);

        buffer_printf(target, "  goal      %s %s: %s\n", answer_text(goal, "integration"),
                      answer_text(goal, "call_name"), answer_text(goal, "result"));
    }
}

static void print_order(const json_t *order, int64_t now_ms, struct buffer *target)
{
    const char *name = answer_text(order, "order"), *sentence = answer_text(order, "sentence");
    const json_t *history = json_object_get(order, "history");

    if (strstr(sentence, name) == NULL)
        buffer_printf(target, "%s: ", name);
    buffer_printf(target, "%s\n", sentence);
    print_next(order, now_ms, target);
    print_ids(order, target);
    print_goals(order, target);
    if (json_array_size(history) > 0)
        buffer_printf(target, "\n");
    for (size_t i = 0; i < json_array_size(history); i++)
        print_step(json_array_get(history, i), target);
    buffer_printf(target, "\n");
}

void why_print(const json_t *answer, int64_t now_ms, struct buffer *target)
{
    const json_t *orders = json_object_get(answer, "orders");

    for (size_t i = 0; i < json_array_size(orders); i++)
        print_order(json_array_get(orders, i), now_ms, target);
    if (json_array_size(orders) == 0)
        buffer_printf(target, "No such order is known.\n");
    index_print(answer, target);
}

void orders_print(const json_t *answer, int is_first, struct buffer *target)
{
    const json_t *orders = json_object_get(answer, "orders");

    if (is_first && json_array_size(orders) > 0)
        buffer_printf(target, "%-14s %-26s %-18s %-22s %-14s %s\n", "ORDER", "KEY", "STAGE",
                      "REASON", "AGE", "DETAIL");
    for (size_t i = 0; i < json_array_size(orders); i++) {
        const json_t *order = json_array_get(orders, i);
        const char *detail = answer_text(order, "detail"), *next = answer_text(order, "next_try");
        char age[DURATION_TEXT_BYTES];

        duration_print((int64_t)(answer_number(order, "age_s", 0) * 1000), age);
        buffer_printf(target, "%-14s %-26s %-18s %-22s %s", answer_text(order, "order"),
                      answer_text(order, "key"), answer_text(order, "stage"),
                      answer_text(order, "reason"), age);
        if (detail[0] != '\0' || next[0] != '\0')
            buffer_printf(target, "%*s %s%s%s%s", (int)(strlen(age) < 14 ? 14 - strlen(age) : 0),
                          "", detail, detail[0] != '\0' && next[0] != '\0' ? "; " : "",
                          next[0] != '\0' ? "next try " : "", next);
        buffer_printf(target, "\n");
    }
}

void orders_print_end(const json_t *first, int64_t shown, struct buffer *target)
{
    json_t *counts = json_object_get(first, "counts");
    double total = answer_number(first, "total", 0);
    int written = 0;

    buffer_printf(target, "%.0f order%s", total, total == 1 ? "" : "s");
    for (void *at = json_object_iter(counts); at != NULL; at = json_object_iter_next(counts, at))
        buffer_printf(target, "%s%s %.0f", written++ > 0 ? ", " : ": ", json_object_iter_key(at),
                      json_number_value(json_object_iter_value(at)));
    if ((double)shown < total)
        buffer_printf(target, "; the first %lld are listed", (long long)shown);
    buffer_printf(target, "\n");
    index_print(first, target);
}
