/* status_answer.c - the console's answer of /api/v1/status as text. */
#include "answer_print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history/duration.h"

/* How long ago, or in how long, an instant is: "7 s ago", "in 12 s"; "-" where there is none. */
static const char *distance(const json_t *object, const char *name, int64_t now_ms,
                            char text[DURATION_TEXT_BYTES + 8])
{
    int64_t at_ms = answer_time(object, name);
    char duration[DURATION_TEXT_BYTES];

    if (at_ms < 0)
        snprintf(text, DURATION_TEXT_BYTES + 8, "-");
    else if (at_ms > now_ms)
        snprintf(text, DURATION_TEXT_BYTES + 8, "in %s", duration_print(at_ms - now_ms, duration));
    else
        snprintf(text, DURATION_TEXT_BYTES + 8, "%s ago", duration_print(now_ms - at_ms, duration));
    return text;
}

/* A number with so many decimals, or what stands for none. */
static const char *number(const json_t *object, const char *name, int decimals, const char *none,
                          char text[32])
{
    if (json_is_number(json_object_get(object, name)))
        snprintf(text, 32, "%.*f", decimals, answer_number(object, name, 0));
    else
        snprintf(text, 32, "%s", none);
    return text;
}

static void print_stages(const json_t *stages, int64_t now_ms, struct buffer *target)
{
    const char *before = "";

    buffer_printf(target, "%-8s %-7s  %-24s %10s %9s  %-16s %9s %9s\n", "SERVICE", "MEMBERS",
                  "STAGE", "LAG", "LAG/S", "OLDEST", "IN/S", "DONE/S");
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        const char *service = answer_text(stage, "service");
        int is_first = strcmp(service, before) != 0;
        char members[32], lag[32], lag_s[32], in[32], done[32], oldest[DURATION_TEXT_BYTES + 8];

        buffer_printf(target, "%-8s %-7s  %-24s %10s %9s  %-16s %9s %9s\n", is_first ? service : "",
                      is_first ? number(stage, "members", 0, "?", members) : "",
                      answer_text(stage, "stage"), number(stage, "lag_records", 0, "?", lag),
                      number(stage, "lag_s", 1, "-", lag_s),
                      distance(stage, "oldest", now_ms, oldest), number(stage, "in_s", 1, "?", in),
                      number(stage, "done_s", 1, "?", done));
        before = service;
    }
}

/* How many orders had a fate: a number, or an object with one number for each reason. */
static double count_of(json_t *fate)
{
    double sum = 0;

    if (json_is_number(fate))
        return json_number_value(fate);
    for (void *at = json_object_iter(fate); at != NULL; at = json_object_iter_next(fate, at))
        sum += json_number_value(json_object_iter_value(at));
    return sum;
}

static void print_fates(const json_t *fates, struct buffer *target)
{
    static const char *const names[] = {"delivered", "skipped", "dead"};
    const json_t *hour = json_object_get(fates, "last_hour"),
                 *total = json_object_get(fates, "total");

    buffer_printf(target, "\n%-20s %12s %12s\n", "fates of orders", "last hour", "in all");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        json_t *reasons = json_object_get(total, names[i]);
        int written = 0;

        buffer_printf(target, "  %-18s %12.0f %12.0f", names[i],
                      count_of(json_object_get(hour, names[i])), count_of(reasons));
        for (void *at = json_is_object(reasons) ? json_object_iter(reasons) : NULL; at != NULL;
             at = json_object_iter_next(reasons, at))
            buffer_printf(target, "%s%s %.0f", written++ > 0 ? ", " : " (",
                          json_object_iter_key(at), json_number_value(json_object_iter_value(at)));
        buffer_printf(target, "%s\n", written > 0 ? ")" : "");
    }
}

static void print_stores(const json_t *stores, int64_t now_ms, struct buffer *target)
{
    buffer_printf(target, "\n%-12s %-12s %-18s %-18s %-18s %-10s %s\n", "STORE", "HASH",
                  "READ UP TO", "LAST POLL", "NEXT POLL", "QUOTA LEFT", "TROUBLE");
    for (size_t i = 0; i < json_array_size(stores); i++) {
        const json_t *store = json_array_get(stores, i);
        const char *trouble = answer_text(store, "trouble");
        char read[DURATION_TEXT_BYTES + 8], last[DURATION_TEXT_BYTES + 8],
            next[DURATION_TEXT_BYTES + 8], quota[32];

        buffer_printf(
            target, "%-12s %-12s %-18s %-18s %-18s %-10s %s\n", answer_text(store, "code"),
            answer_text(store, "hash"), distance(store, "read_up_to", now_ms, read),
            distance(store, "last_poll", now_ms, last), distance(store, "next_poll", now_ms, next),
            number(store, "quota_left", 0, "?", quota), trouble[0] != '\0' ? trouble : "none");
    }
}

static void print_accounts(const json_t *accounts, int64_t now_ms, struct buffer *target)
{
    buffer_printf(target, "\n%-12s %-8s %-18s %10s  %s\n", "ACCOUNT", "STATE", "SINCE", "WAITING",
                  "WHY");
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        const json_t *account = json_array_get(accounts, i);
        char since[DURATION_TEXT_BYTES + 8], waiting[32];

        buffer_printf(target, "%-12s %-8s %-18s %10s  %s\n", answer_text(account, "name"),
                      answer_text(account, "state"), distance(account, "since", now_ms, since),
                      number(account, "waiting", 0, "?", waiting), answer_text(account, "why"));
    }
}

/* An alarm is a text, or an object that has one. */
static void print_alarms(const json_t *alarms, struct buffer *target)
{
    static const char *const names[] = {"sentence", "text", "why", "name"};

    buffer_printf(target, "\nalarms: %s\n", json_array_size(alarms) > 0 ? "" : "none");
    for (size_t i = 0; i < json_array_size(alarms); i++) {
        const json_t *alarm = json_array_get(alarms, i);
        const char *text = json_is_string(alarm) ? json_string_value(alarm) : "";

        for (size_t j = 0; j < sizeof(names) / sizeof(*names) && text[0] == '\0'; j++)
            text = answer_text(alarm, names[j]);
        buffer_printf(target, "  %s\n", text);
    }
}

void status_answer_print(const json_t *answer, int64_t now_ms, struct buffer *target)
{
    print_stages(json_object_get(answer, "stages"), now_ms, target);
    print_fates(json_object_get(answer, "fates"), target);
    print_stores(json_object_get(answer, "stores"), now_ms, target);
    print_accounts(json_object_get(answer, "accounts"), now_ms, target);
    print_alarms(json_object_get(answer, "alarms"), target);
    buffer_printf(target, "\n");
    index_print(answer, target);
}
