#include "history/history_step.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/fate_version.h"
#include "history/outside_text.h"
#include "record/trace.h"

/* The headers that are shown as texts. Those with the times are shown as times. */
static const struct {
    enum header header;
    const char *name;
} shown[] = {
    {HEADER_KIND, "kind"},     {HEADER_SOURCE, "source"}, {HEADER_ACCOUNT, "account"},
    {HEADER_REASON, "reason"}, {HEADER_DETAIL, "detail"}, {HEADER_STAGE, "by"},
    {HEADER_STEP, "step"},     {HEADER_ORIGIN, "origin"}, {HEADER_ANSWER, "answer"},
};

enum { FACT_MAX_BYTES = 2000 }; /* the services write shorter ones */

static void set_time(json_t *facts, const char *name, int64_t at_ms)
{
    if (at_ms >= 0)
        json_object_set_new(facts, name, outside_time_json(at_ms));
}

static json_t *safe_text(const char *text)
{
    return outside_text_json(outside_text_begin(text_of(text), FACT_MAX_BYTES));
}

/* Copies a member of a fate's value, where it says something. */
static void copy_member(json_t *facts, const json_t *value, const char *name)
{
    json_t *member = json_object_get(value, name);

    if (json_string_length(member) > 0)
        json_object_set_new(facts, name, safe_text(json_string_value(member)));
    else if (json_array_size(member) > 0)
        json_object_set(facts, name, member);
}

/* The results of goals as they stand in `steps`, and how they are shown. */
static const char *const goal_words[][2] = {
    {"sent", "achieved"},     {"not_achieved", "no automation listens"},
    {"in_doubt", "in doubt"}, {"refused", "refused"},
    {"gave_up", "given up"},
};

static const char *goal_word(const char *result)
{
    for (size_t i = 0; i < sizeof(goal_words) / sizeof(*goal_words); i++)
        if (strcmp(result, goal_words[i][0]) == 0)
            return goal_words[i][1];
    return result;
}

/* Each goal of a delivered order: "goal:BCSKU/ABS" in steps is integration BCSKU, call name ABS. */
static void add_goals(json_t *facts, json_t *steps)
{
    json_t *goals = mem_check(json_array()), *result;
    const char *name;

    json_object_foreach(steps, name, result)
    {
        const char *slash = strchr(name, '/'), *word = json_string_value(result);
        json_t *goal;

        if (strncmp(name, "goal:", 5) != 0 || slash == NULL || word == NULL)
            continue;
        goal = mem_check(json_object());
        json_object_set_new(
            goal, "integration",
            outside_text_json(outside_text_begin(
                (struct text){name + 5, (size_t)(slash - name - 5)}, FACT_MAX_BYTES)));
        json_object_set_new(goal, "call_name", safe_text(slash + 1));
        json_object_set_new(goal, "result", safe_text(goal_word(word)));
        json_array_append_new(goals, goal);
    }
    if (json_array_size(goals) > 0)
        json_object_set(facts, "goals", goals);
    json_decref(goals);
}

static void add_status(json_t *facts, const json_t *status)
{
    const json_t *id = json_object_get(status, "id");
    const char *name = json_string_value(json_object_get(status, "name"));

    if (json_is_integer(id) && name != NULL)
        json_object_set_new(facts, "status",
                            mem_check(json_pack("{s:I, s:o}", "id", json_integer_value(id), "name",
                                                safe_text(name))));
}

/* How long it took and how often it was tried. */
static void add_effort(json_t *facts, const json_t *value)
{
    static const char *const times[] = {"placed", "eligible", "modified", "polled", "created"};
    const json_t *list = json_object_get(value, "times");

    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        const json_t *at = json_object_get(list, times[i]);
        char name[24];

        snprintf(name, sizeof(name), "%s_at", times[i]);
        if (json_is_integer(at) && json_integer_value(at) > 0)
            set_time(facts, name, json_integer_value(at));
    }
    if (json_is_integer(json_object_get(value, "calls")))
        json_object_set(facts, "calls", json_object_get(value, "calls"));
    if (json_is_integer(json_object_get(value, "attempts")))
        json_object_set(facts, "attempts", json_object_get(value, "attempts"));
}

static void add_value(json_t *facts, enum spot_kind kind, struct text text)
{
    json_t *value;

    if (kind != SPOT_DELIVERED && kind != SPOT_SKIPPED)
        return;
    value = json_loadb(text.data != NULL ? text.data : "", text.length, 0, NULL);
    if (kind == SPOT_SKIPPED) {
        copy_member(facts, value, "detail");
        add_status(facts, json_object_get(value, "status"));
    } else {
        copy_member(facts, value, "order_id");
        copy_member(facts, value, "contact_id");
        copy_member(facts, value, "in_doubt");
        copy_member(facts, value, "incomplete");
        copy_member(facts, value, "left_out");
        add_goals(facts, json_object_get(value, "steps"));
        add_effort(facts, value);
    }
    json_decref(value);
}

/* What each step has: when and where. */
static json_t *place_facts(const struct topics *topics, const char *topic,
                           const struct history_step *step)
{
    json_t *facts =
        mem_check(json_pack("{s:o, s:s, s:s, s:i, s:I}", "time", outside_time_json(step->time_ms),
                            "stage", spot_name(topics, topic), "topic", topic, "partition",
                            (int)step->partition, "offset", (json_int_t)step->offset));

    set_time(facts, "version", step->version);
    return facts;
}

static json_t *facts_of(const struct topics *topics, const struct event *event,
                        const struct history_step *step)
{
    json_t *facts = place_facts(topics, event->topic, step);
    int64_t attempt = event_header_int(event, HEADER_ATTEMPT, 0);

    struct text trace = trace_id(event->headers[HEADER_TRACEPARENT]);

    if (trace.length > 0)
        json_object_set_new(facts, "trace", mem_check(json_stringn(trace.data, trace.length)));
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
        if (event->headers[shown[i].header].length > 0)
            json_object_set_new(facts, shown[i].name,
                                outside_text_json(outside_text_begin(
                                    event->headers[shown[i].header], FACT_MAX_BYTES)));
    if (attempt > 0)
        json_object_set_new(facts, "attempt", json_integer(attempt));
    set_time(facts, "not_before", event_header_int(event, HEADER_NOT_BEFORE, -1));
    add_value(facts, step->kind, event->value);
    if (step->kind >= SPOT_SKIPPED && event->value.data == NULL)
        json_object_set_new(facts, "taken_back", json_true());
    return facts;
}

void history_steps_add(struct history_steps *list, const struct topics *topics,
                       const struct event *event)
{
    struct history_step step = {.time_ms = event->timestamp_ms,
                                .offset = event->offset,
                                .partition = event->partition,
                                .version = fate_version(event),
                                .kind = spot_of(topics, event->topic).kind};

    if (step.kind != SPOT_DELIVERED && step.kind != SPOT_SKIPPED)
        step.version = event_header_int(event, HEADER_MODIFIED_AT, -1);
    step.facts = facts_of(topics, event, &step);
    list->steps = mem_realloc(list->steps, ((size_t)list->count + 1) * sizeof(step));
    list->steps[list->count++] = step;
}

/* "BCORDER/BC", or "in_doubt:BCSKU/A-1" with its result. */
static void add_short_goals(json_t *facts, const json_t *list)
{
    json_t *goals = mem_check(json_array());

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        size_t word = name != NULL ? strspn(name, "abcdefghijklmnopqrstuvwxyz_") : 0;
        const char *goal = name != NULL && name[word] == ':' ? name + word + 1 : name;
        const char *slash = goal != NULL ? strchr(goal, '/') : NULL;
        char result[32] = "sent";

        if (slash == NULL)
            continue;
        if (goal != name)
            snprintf(result, sizeof(result), "%.*s", (int)(word < 31 ? word : 31), name);
        json_array_append_new(goals, json_pack("{s:s%, s:s, s:s}", "integration", goal,
                                               (size_t)(slash - goal), "call_name", slash + 1,
                                               "result", goal_word(result)));
    }
    json_object_set_new(facts, "goals", goals);
}

void history_steps_add_short(struct history_steps *list, const struct topics *topics,
                             struct history_step step, const char *topic, const char *text)
{
    static const char *const times[] = {"not_before",  "replayed_at", "placed_at",
                                        "eligible_at", "polled_at",   "created_at"};
    json_t *facts = json_loads(text, 0, NULL);

    step.facts = place_facts(topics, topic, &step);
    if (json_is_object(facts))
        json_object_update(step.facts, facts);
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        json_t *at = json_object_get(facts, times[i]);

        if (json_is_integer(at))
            set_time(step.facts, times[i], json_integer_value(at));
    }
    if (json_object_get(facts, "goals") != NULL)
        add_short_goals(step.facts, json_object_get(facts, "goals"));
    json_decref(facts);
    list->steps = mem_realloc(list->steps, ((size_t)list->count + 1) * sizeof(step));
    list->steps[list->count++] = step;
}

void history_steps_clear(struct history_steps *list)
{
    for (int i = 0; i < list->count; i++)
        json_decref(list->steps[i].facts);
    free(list->steps);
    *list = (struct history_steps){0};
}

static void hide_in(json_t *object, const char *name, const struct personal *personal)
{
    const char *text = json_string_value(json_object_get(object, name));
    char *copy;

    if (text == NULL)
        return;
    copy = mem_strdup(text);
    personal_hide(personal, copy);
    json_object_set_new(object, name, mem_check(json_string(copy)));
    free(copy);
}

static void hide_in_list(json_t *list, const struct personal *personal)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *one = json_array_get(list, i);

        if (personal->count == 0 && json_object_get(one, "answer") != NULL)
            json_object_set_new(one, "answer", json_string("not shown: it may name the customer"));
        hide_in(one, "answer", personal);
    }
}

void history_steps_hide(struct history_steps *list, const struct personal *personal)
{
    for (int i = 0; i < list->count; i++) {
        hide_in(list->steps[i].facts, "answer", personal);
        hide_in_list(json_object_get(list->steps[i].facts, "incomplete"), personal);
    }
}

static int compare(const void *a, const void *b)
{
    const struct history_step *one = a, *two = b;

    if (one->time_ms != two->time_ms)
        return one->time_ms < two->time_ms ? -1 : 1;
    if (one->kind != two->kind)
        return one->kind < two->kind ? -1 : 1;
    if (one->partition != two->partition)
        return one->partition < two->partition ? -1 : 1;
    return (one->offset > two->offset) - (one->offset < two->offset);
}

void history_steps_sort(struct history_steps *list)
{
    if (list->count > 0)
        qsort(list->steps, (size_t)list->count, sizeof(*list->steps), compare);
}

const struct history_step *history_steps_fate(const struct history_steps *list)
{
    const struct history_step *delivered = NULL, *skipped = NULL, *dead = NULL;

    for (int i = 0; i < list->count; i++) {
        const struct history_step *step = &list->steps[i];
        int is_taken_back = json_is_true(json_object_get(step->facts, "taken_back"));

        if (step->kind == SPOT_DELIVERED && !is_taken_back)
            delivered = step;
        else if (step->kind == SPOT_SKIPPED && !is_taken_back &&
                 (skipped == NULL || step->version >= skipped->version))
            skipped = step;
        else if (step->kind == SPOT_DEAD && is_taken_back)
            dead = NULL;
        else if (step->kind == SPOT_DEAD && (dead == NULL || step->version >= dead->version))
            dead = step;
    }
    if (delivered != NULL)
        return delivered;
    if (skipped == NULL || dead == NULL)
        return skipped != NULL ? skipped : dead;
    if (skipped->version != dead->version)
        return skipped->version > dead->version ? skipped : dead;
    return skipped->time_ms > dead->time_ms ? skipped : dead;
}

static const char *text_fact(const struct history_step *step, const char *name)
{
    return json_string_value(json_object_get(step->facts, name));
}

/* Appends "; name text". */
static void print_fact(struct buffer *target, const struct history_step *step, const char *name,
                       const char *words)
{
    const char *text = text_fact(step, name);

    if (text != NULL)
        buffer_printf(target, "%s%s%s%s", target->length > 0 ? "; " : "", words,
                      words[0] != '\0' ? " " : "", text);
}

static void print_list(struct buffer *target, const struct history_step *step, const char *name,
                       const char *words)
{
    json_t *list = json_object_get(step->facts, name);
    char *text;

    if (list == NULL)
        return;
    text = mem_check(json_dumps(list, JSON_COMPACT | JSON_ENSURE_ASCII));
    buffer_printf(target, "%s%s %s", target->length > 0 ? "; " : "", words, text);
    free(text);
}

/* Appends "; goal BCORDER/BC achieved" for each goal. */
static void print_goals(struct buffer *target, const json_t *goals)
{
    for (size_t i = 0; i < json_array_size(goals); i++) {
        const json_t *goal = json_array_get(goals, i);

        buffer_printf(target, "%sgoal %s/%s %s", target->length > 0 ? "; " : "",
                      json_string_value(json_object_get(goal, "integration")),
                      json_string_value(json_object_get(goal, "call_name")),
                      json_string_value(json_object_get(goal, "result")));
    }
}

void history_step_print(const struct history_step *step, FILE *target)
{
    struct buffer words = {0};
    json_t *attempt = json_object_get(step->facts, "attempt");
    const char *kind = text_fact(step, "kind");
    char *place = mem_printf("%s/%" PRId32 "/%" PRId64, text_fact(step, "topic"), step->partition,
                             step->offset);

    if (json_is_true(json_object_get(step->facts, "taken_back")))
        buffer_printf(&words, "taken back");
    print_fact(&words, step, "reason", "");
    print_fact(&words, step, "detail", "");
    print_fact(&words, step, "order_id", "order");
    print_fact(&words, step, "contact_id", "contact");
    print_list(&words, step, "in_doubt", "in doubt");
    print_list(&words, step, "incomplete", "incomplete");
    print_list(&words, step, "left_out", "left out");
    print_goals(&words, json_object_get(step->facts, "goals"));
    if (attempt != NULL)
        buffer_printf(&words, "; attempt %" JSON_INTEGER_FORMAT, json_integer_value(attempt));
    print_fact(&words, step, "not_before", "not before");
    print_fact(&words, step, "by", "by");
    print_fact(&words, step, "origin", "from");
    print_fact(&words, step, "answer", "answer");
    if (kind != NULL && strcmp(kind, "order") != 0)
        print_fact(&words, step, "kind", "");
    if (step->kind == SPOT_RAW)
        print_fact(&words, step, "source", "source");
    print_fact(&words, step, "version", "version");
    fprintf(target, "%-24s  %-16s  %-36s  %s\n", step->time_ms >= 0 ? text_fact(step, "time") : "-",
            text_fact(step, "stage"), place, words.data != NULL ? words.data : "");
    buffer_clear(&words);
    free(place);
}
