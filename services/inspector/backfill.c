/* backfill.c - `bigfusion backfill`: orders of the past, on a way of their own. */
#include "backfill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "history/duration.h"
#include "history/store_position.h"

#include "act_line.h"
#include "command.h"

/* A reading of the topic `cursors`. */
struct saved {
    struct store_position store;
    const char *key;
    struct backfill_position *position;
    int is_found;
};

static int visit(void *context, const struct event *event, struct error *err)
{
    struct saved *saved = context;

    (void)err;
    store_position_add(&saved->store, event);
    if (text_is(event->key, saved->key))
        saved->is_found = backfill_position_parse(event->value, saved->position) == 0;
    return 0;
}

static int read_saved(struct survey *survey, struct saved *saved, struct error *err)
{
    struct survey_spans spans = {0};
    int rc = survey_add_topic(survey, survey->topics.cursors, 0, &spans, err);

    if (rc == 0)
        rc = survey_read(survey, &spans, "reading positions", visit, saved, err);
    survey_spans_clear(&spans);
    return rc;
}

/* Reads the window. What was placed since start_from is the poller's: it would get its goals and tags
 * there, so it must not be taken from it. */
static int find_window(struct backfill *backfill, const struct command_line *line,
                       struct error *err)
{
    const char *from = command_line_value(line, COMMAND_OPTION_FROM);
    const char *to = command_line_value(line, COMMAND_OPTION_TO);
    struct backfill_position ignored;
    struct saved saved = {.key = "", .position = &ignored};
    char start[DATE_ISO_BYTES];

    if (from == NULL)
        return error_set(err, ERROR_PERMANENT, "--from DATE says where the past begins");
    store_position_init(&saved.store, backfill->store->hash);
    if (read_saved(backfill->survey, &saved, err) != 0)
        return -1;
    if (saved.store.fence < 0)
        return error_set(
            err, ERROR_PERMANENT,
            "store %.40s was not polled yet, so it is not known which of its orders are "
            "of the past: start the poller first",
            backfill->store->code);
    if (saved.store.start_from_ms == 0)
        return error_set(err, ERROR_PERMANENT,
                         "store %.40s has start_from = all: the poller brings all its orders",
                         backfill->store->code);
    backfill->start_from_ms = backfill->to_ms = saved.store.start_from_ms;
    backfill->from_ms = since_parse(from, 0);
    if (to != NULL && since_parse(to, 0) <= backfill->to_ms)
        backfill->to_ms = since_parse(to, 0);
    else if (to != NULL)
        fprintf(stderr,
                "bigfusion: what was placed since %s is the poller's; the backfill ends there\n",
                date_print_iso(start, backfill->to_ms));
    if (backfill->from_ms >= backfill->to_ms)
        return error_set(err, ERROR_PERMANENT, "there is nothing between %.20s and %s", from,
                         date_print_iso(start, backfill->to_ms));
    backfill_position_key(backfill->key, backfill->store->hash, backfill->from_ms, backfill->to_ms);
    return 0;
}

/* Where an earlier run of the same backfill ended. */
static int find_position(struct backfill *backfill, const struct command_line *line,
                         struct error *err)
{
    struct backfill_position found;
    struct saved saved = {.key = backfill->key, .position = &found};
    int no_goals = !command_line_has(line, COMMAND_OPTION_GOALS);
    int no_tags = !command_line_has(line, COMMAND_OPTION_TAGS);

    backfill_position_init(&backfill->position, no_goals && no_tags ? "goals,tags"
                                                : no_goals          ? "goals"
                                                : no_tags           ? "tags"
                                                                    : "");
    if (backfill->is_dry)
        return 0;
    store_position_init(&saved.store, backfill->store->hash);
    if (read_saved(backfill->survey, &saved, err) != 0)
        return -1;
    if (!saved.is_found)
        return 0;
    if (strcmp(found.leave_out, backfill->position.leave_out) != 0)
        return error_set(
            err, ERROR_PERMANENT,
            "an earlier backfill of the same time was begun with other --goals and --tags "
            "and is not finished: give the same ones, or other dates");
    backfill->position = found;
    fprintf(stderr,
            "bigfusion: goes on behind order %" PRId64 "; %" PRId64 " were published before\n",
            found.last_id, found.orders);
    return 0;
}

/* What the audit and programs are told. New. */
static json_t *about(const struct backfill *backfill)
{
    char from[DATE_ISO_BYTES], to[DATE_ISO_BYTES];

    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "store", backfill->store->hash, "from",
                     date_print_iso(from, backfill->from_ms), "to",
                     date_print_iso(to, backfill->to_ms), "leave_out", backfill->position.leave_out,
                     "behind", (json_int_t)backfill->position.last_id);
}

static json_t *result_of(const struct backfill *backfill)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "published", (json_int_t)backfill->published, "dead",
                     (json_int_t)backfill->dead, "gone", (json_int_t)backfill->gone, "unreadable",
                     (json_int_t)backfill->unreadable);
}

static int carry_out(struct backfill *backfill, const struct command_line *line, struct error *err)
{
    int rc = -1;

    backfill->act = act_line_new(backfill->config, line, err);
    if (backfill->act != NULL && act_begin(backfill->act, "backfill", about(backfill), err) == 0) {
        rc = backfill_read(backfill, err);
        if (rc == 0 && backfill->is_cancelled)
            rc = act_end(backfill->act, "cancelled", result_of(backfill), err);
        else
            rc = act_finish(backfill->act, rc, result_of(backfill), err);
    }
    act_free(backfill->act);
    backfill->act = NULL;
    return rc;
}

static void print_result(const struct backfill *backfill, json_t *answer, int is_json)
{
    if (is_json) {
        json_object_update_new(answer, result_of(backfill));
        json_object_set_new(answer, "dry_run", json_boolean(backfill->is_dry));
        json_object_set_new(answer, "cancelled", json_boolean(backfill->is_cancelled));
        json_dumpf(answer, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
        printf("\n");
        return;
    }
    printf("%" PRId64 " orders %s%s\n", backfill->published,
           backfill->is_dry ? "would be published" : "were published",
           backfill->is_cancelled ? "; cancelled. The same command goes on" : "");
    if (backfill->dead > 0)
        printf("%" PRId64 " are dead: bigfusion dead --store %s\n", backfill->dead,
               backfill->store->code);
    if (backfill->gone > 0)
        printf("%" PRId64 " are gone: the store does not have them any more\n", backfill->gone);
    if (backfill->unreadable > 0)
        printf("%" PRId64 " could not be read\n", backfill->unreadable);
}

/* Takes what a run must have that publishes. The position is read after that: another run may have
 * moved it. */
static int begin(struct backfill *backfill, struct backfill_lock *lock, struct error *err)
{
    if (backfill->is_dry)
        return 0;
    if (backfill_check_pause(backfill, err) != 0)
        return error_prefix(err, "store %.40s: ", backfill->store->code);
    backfill->lease = &lock->lease;
    return backfill_lock(lock, backfill->config, backfill->store, err);
}

static int fill_back(struct backfill *backfill, const struct command_line *line, struct error *err)
{
    json_t *answer;
    int rc;

    if (find_position(backfill, line, err) != 0)
        return -1;
    answer = about(backfill);
    rc = backfill->is_dry ? backfill_read(backfill, err) : carry_out(backfill, line, err);
    if (rc == 0)
        print_result(backfill, answer, line->json);
    json_decref(answer);
    return rc;
}

int backfill_run(const struct config *config, const struct command_line *line, struct error *err)
{
    const char *word = command_line_value(line, COMMAND_OPTION_STORE);
    struct survey survey;
    struct backfill_lock lock = {0};
    struct backfill backfill = {.config = config,
                                .survey = &survey,
                                .is_dry = command_line_has(line, COMMAND_OPTION_DRY_RUN)};
    int rc;

    if (word != NULL)
        backfill.store = config_store_named(config, word, err);
    else if (config->store_count == 1)
        backfill.store = &config->stores[0];
    else
        error_set(err, ERROR_PERMANENT, "there are several stores: name one by --store");
    if (backfill.store == NULL)
        return -1;
    survey_init(&survey, config);
    rc = find_window(&backfill, line, err);
    if (rc == 0)
        rc = begin(&backfill, &lock, err);
    if (rc == 0)
        rc = fill_back(&backfill, line, err);
    backfill_unlock(&lock);
    survey_clear(&survey);
    return rc;
}
