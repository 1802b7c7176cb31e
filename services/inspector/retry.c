/* retry.c - `bigfusion retry`: dead, retrying or waiting orders once more. */
#include "retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "history/duration.h"

#include "act_line.h"
#include "command.h"

enum { REFUSED_SHOWN_MAX = 20 };

/* One choice for each word of the command line: words that are no options are orders. */
static int read_keys(const struct config *config, const struct command_line *line,
                     struct retry_choice *choice, char (*keys)[ORDER_KEY_BYTES], struct error *err)
{
    for (int i = 0; i < line->word_count; i++)
        if (record_name_parse(config, &line->words[i], 1, keys[i], err) != 0)
            return -1;
    choice->keys = line->word_count > 0 ? (const char(*)[ORDER_KEY_BYTES])keys : NULL;
    choice->key_count = line->word_count;
    return 0;
}

static int read_choice(const struct config *config, const struct command_line *line,
                       struct retry_choice *choice, char (*keys)[ORDER_KEY_BYTES],
                       struct error *err)
{
    const struct config_store *store = NULL;
    const char *name = command_line_value(line, COMMAND_OPTION_STORE);
    const char *reason = command_line_value(line, COMMAND_OPTION_REASON);
    const char *since = command_line_value(line, COMMAND_OPTION_SINCE);

    if (command_line_has(line, COMMAND_OPTION_RETRYING))
        choice->from |= RETRY_RETRYING;
    if (command_line_has(line, COMMAND_OPTION_WAITING))
        choice->from |= RETRY_WAITING;
    if (choice->from == 0)
        choice->from =
            line->word_count > 0 ? RETRY_DEAD | RETRY_RETRYING | RETRY_WAITING : RETRY_DEAD;
    if (reason != NULL)
        choice->reason = reason_of(reason, strlen(reason));
    if (since != NULL)
        choice->since_ms = since_parse(since, clock_now_ms());
    if (name != NULL && (store = config_store_named(config, name, err)) == NULL)
        return -1;
    choice->store = store != NULL ? store->hash : NULL;
    if (line->word_count == 0 && store == NULL && reason == NULL && since == NULL)
        return error_set(err, ERROR_PERMANENT,
                         "name orders, or choose some by --store, --reason or --since");
    return read_keys(config, line, choice, keys, err);
}

/* Orders that were named and are in none of the topics. */
static int64_t tell_missing(const struct retry *retry, json_t *missing)
{
    int64_t count = 0;

    for (int i = 0; i < retry->choice.key_count; i++) {
        if (retry_item_of(retry, retry->choice.keys[i]) != NULL)
            continue;
        json_array_append_new(missing, json_string(retry->choice.keys[i]));
        fprintf(stderr, "bigfusion: %s is neither dead nor retrying nor waiting\n",
                retry->choice.keys[i]);
        count++;
    }
    return count;
}

static json_t *refused_json(const struct retry *retry)
{
    json_t *refused = json_array();

    for (size_t i = 0; i < retry->slot_count; i++) {
        const struct retry_item *item = retry->slots[i];

        if (item != NULL && item->topic != NULL && item->is_chosen && item->refusal != NULL)
            json_array_append_new(refused,
                                  json_pack("{s:s, s:s}", "key", item->key, "why", item->refusal));
    }
    return refused;
}

static void print_found(const struct retry *retry, const json_t *about, const json_t *refused)
{
    json_t *reasons = json_object_get(about, "reasons");
    int64_t count = retry->chosen - retry->refused;
    const char *name;
    json_t *value;

    printf("%" PRId64 " order%s can be tried again", count, count == 1 ? "" : "s");
    json_object_foreach(reasons, name, value)
    {
        printf(", %s %" JSON_INTEGER_FORMAT, name, json_integer_value(value));
    }
    printf("\n");
    for (size_t i = 0; i < json_array_size(refused); i++) {
        const json_t *one = json_array_get(refused, i);

        if (i == REFUSED_SHOWN_MAX) {
            printf("... and %zu more\n", json_array_size(refused) - i);
            break;
        }
        printf("not %s: %s\n", json_string_value(json_object_get(one, "key")),
               json_string_value(json_object_get(one, "why")));
    }
    fflush(stdout);
}

/* Carries the act out. */
static int carry_out(struct retry *retry, const struct command_line *line, json_t *about,
                     struct error *err)
{
    struct act *act = act_line_new(retry->config, line, err);
    int rc = -1;

    if (act != NULL && act_begin(act, "retry", json_copy(about), err) == 0) {
        json_t *result;

        rc = retry_send(retry, act, err);
        result = json_pack("{s:I}", "sent", (json_int_t)retry->sent);
        if (rc == 0 && retry->is_cancelled)
            rc = act_end(act, "cancelled", result, err);
        else
            rc = act_finish(act, rc, result, err);
    }
    if (act != NULL)
        json_object_set_new(about, "audit", json_integer(act->entry));
    act_free(act);
    return rc;
}

static void print_result(const struct retry *retry, int is_json, json_t *about)
{
    if (is_json) {
        json_object_set_new(about, "sent", json_integer(retry->sent));
        json_object_set_new(about, "cancelled", json_boolean(retry->is_cancelled));
        json_dumpf(about, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
        printf("\n");
    } else if (retry->act != NULL) {
        printf("%" PRId64 " of %" PRId64 " orders were sent again%s\n", retry->sent,
               retry->chosen - retry->refused,
               retry->is_cancelled ? "; cancelled. The same command goes on" : "");
    }
}

static int retry_all(const struct config *config, const struct command_line *line,
                     const struct retry_choice *choice, struct error *err)
{
    struct retry retry;
    json_t *about = NULL, *refused = NULL, *missing = json_array();
    int is_dry = command_line_has(line, COMMAND_OPTION_DRY_RUN);
    int rc;

    retry_init(&retry, config, choice);
    rc = retry_find(&retry, err);
    if (rc == 0) {
        about = retry_about(&retry);
        refused = refused_json(&retry);
        if (!line->json)
            print_found(&retry, about, refused);
        if (tell_missing(&retry, missing) > 0 && retry.chosen == 0)
            rc = error_set(err, ERROR_PERMANENT, "there is nothing to try again");
        if (rc == 0 && !is_dry && retry.chosen > retry.refused)
            rc = carry_out(&retry, line, about, err);
        json_object_set(about, "refused", refused);
        json_object_set(about, "missing", missing);
        json_object_set_new(about, "dry_run", json_boolean(is_dry));
        print_result(&retry, line->json, about);
    }
    json_decref(about);
    json_decref(refused);
    json_decref(missing);
    retry_clear(&retry);
    return rc;
}

int retry_run(const struct config *config, const struct command_line *line, struct error *err)
{
    char(*keys)[ORDER_KEY_BYTES] = mem_alloc(((size_t)line->word_count + 1) * sizeof(*keys));
    struct retry_choice choice = {0};
    int rc = read_choice(config, line, &choice, keys, err);

    if (rc == 0)
        rc = command_line_has(line, COMMAND_OPTION_EDIT) ? retry_edit(config, line, &choice, err)
                                                         : retry_all(config, line, &choice, err);
    free(keys);
    return rc;
}
