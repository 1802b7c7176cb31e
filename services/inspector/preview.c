/* preview.c - `bigfusion preview`: what the settings would do with the newest orders of a store, and
 * what another configuration would change. */
#include "preview.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "history/store_position.h"
#include "history/survey.h"

#include "command.h"

enum { LAST_DEFAULT = 1000, CHANGES = 10 };

/* The work of one call. */
struct work {
    struct preview preview;
    struct preview_judge now, other;
    struct preview_answer now_answer, other_answer;
};

static const struct config_store *find_store(const struct config *config, const char *word,
                                             struct error *err)
{
    if (word == NULL && config->store_count == 1)
        return &config->stores[0];
    if (word != NULL)
        return config_store_named(config, word, err);
    error_set(err, ERROR_PERMANENT, "there are several stores: name one by --store");
    return NULL;
}

static int add_position(void *context, const struct event *event, struct error *err)
{
    (void)err;
    store_position_add(context, event);
    return 0;
}

/* Once the poller has saved the store's start_from, that one counts, whatever the configuration
 * says. Where Kafka cannot be read, it is not known. */
static int read_saved_start(const struct config *config, struct store_position *position,
                            struct error *err)
{
    struct survey survey;
    struct survey_spans spans = {0};
    int rc;

    survey_init(&survey, config);
    rc = survey_add_topic(&survey, survey.topics.cursors, 0, &spans, err);
    if (rc == 0)
        rc = survey_read(&survey, &spans, "reading positions", add_position, position, err);
    survey_spans_clear(&spans);
    survey_clear(&survey);
    return rc;
}

static int64_t configured_start(const struct config_store *store)
{
    return store->start_from_ms < 0 ? clock_now_ms() / 1000 * 1000 : store->start_from_ms;
}

static void find_start(struct preview *preview, const struct config *config,
                       const struct config_store *other)
{
    struct store_position position;
    struct error err = {0};

    store_position_init(&position, preview->store->hash);
    if (read_saved_start(config, &position, &err) != 0)
        fprintf(stderr, "bigfusion: %s; the start_from of the configuration is used\n", err.text);
    preview->start_from_source = position.fence >= 0 ? "saved" : "configuration";
    preview->start_from_ms = preview->other_start_from_ms = position.start_from_ms;
    if (position.fence >= 0)
        return;
    preview->start_from_ms = configured_start(preview->store);
    if (other != NULL)
        preview->other_start_from_ms = configured_start(other);
}

static void visit(void *context, const struct whole_order *order)
{
    struct work *work = context;

    preview_judge_order(&work->now, order, &work->now_answer);
    if (work->preview.has_other)
        preview_judge_order(&work->other, order, &work->other_answer);
    preview_add(&work->preview, order, &work->now_answer,
                work->preview.has_other ? &work->other_answer : NULL);
}

static void warn_currency(const struct config *config, const struct config_store *store)
{
    if (config->accounts[store->account_index].currency[0] == '\0')
        fprintf(stderr,
                "bigfusion: [infusionsoft %s] has no currency, so it is not known which "
                "orders have another one than the account\n",
                store->account);
}

static int look(struct work *work, const struct config *config, const struct config *other,
                const struct config_store *other_store, int64_t last, struct error *err)
{
    const struct config_store *store = work->preview.store;
    struct regions *regions = regions_new(REGION_FOLDER, err);
    int rc;

    if (regions == NULL)
        return -1;
    warn_currency(config, store);
    find_start(&work->preview, config, other_store);
    preview_judge_init(&work->now, config, store, work->preview.start_from_ms, regions);
    if (other != NULL)
        preview_judge_init(&work->other, other, other_store, work->preview.other_start_from_ms,
                           regions);
    rc = preview_read(config, store, last, visit, work, err);
    buffer_clear(&work->now_answer.payload);
    buffer_clear(&work->other_answer.payload);
    preview_judge_clear(&work->now);
    if (other != NULL)
        preview_judge_clear(&work->other);
    regions_free(regions);
    return rc;
}

/* Reads the configuration of --against. It needs no secret, because nothing is called by it. */
static int read_other(struct config *other, const char *path, const char *hash,
                      const struct config_store **store, struct error *err)
{
    if (config_read(other, PROGRAM_FILTER, path, err) != 0)
        return -1;
    *store = config_store_by_hash(other, text_of(hash));
    if (*store == NULL)
        return error_set(err, ERROR_PERMANENT, "%.120s: no store has the hash %s", path, hash);
    return 0;
}

int preview_run(const struct config *config, const struct command_line *line, struct error *err)
{
    const char *last_word = command_line_value(line, COMMAND_OPTION_LAST);
    const char *path = command_line_value(line, COMMAND_OPTION_AGAINST);
    const struct config_store *other_store = NULL,
                              *store = find_store(
                                  config, command_line_value(line, COMMAND_OPTION_STORE), err);
    struct config other = {0};
    struct work work = {0};
    int64_t last = LAST_DEFAULT;
    int rc;

    if (store == NULL)
        return -1;
    if (last_word != NULL)
        text_to_int(text_of(last_word), &last); /* the option was checked */
    preview_init(&work.preview, store);
    work.preview.has_other = path != NULL;
    work.preview.other_path = path;
    rc = path != NULL ? read_other(&other, path, store->hash, &other_store, err) : 0;
    if (rc == 0)
        rc = look(&work, config, path != NULL ? &other : NULL, other_store, last, err);
    if (rc == 0 && line->json)
        preview_print_json(&work.preview);
    else if (rc == 0)
        preview_print_text(&work.preview);
    if (rc == 0 && work.preview.changed + work.preview.altered > 0)
        rc = CHANGES;
    preview_clear(&work.preview);
    config_free(&other);
    return rc;
}
