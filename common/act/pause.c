#include "act/pause.h"

#include <stdlib.h>
#include <string.h>

#include "act/audit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const kind_words[] = {[PAUSED_STORE] = "store", [PAUSED_ACCOUNT] = "account"};

/* Takes "store:" or "account:" off the word. @returns the kind, or -1 where none is named */
static int take_kind(const char **word)
{
    for (int i = 0; i <= PAUSED_ACCOUNT; i++) {
        size_t length = strlen(kind_words[i]);

        if (strncmp(*word, kind_words[i], length) == 0 && (*word)[length] == ':') {
            *word += length + 1;
            return i;
        }
    }
    return -1;
}

static int is_store(const struct config_store *store, const char *word)
{
    return strcmp(store->hash, word) == 0 || text_equal_nocase(text_of(store->code), text_of(word));
}

int pause_target_find(const struct config *config, const char *word, struct pause_target *target,
                      struct error *err)
{
    const char *name = word;
    int kind = take_kind(&name), count = 0;

    for (int i = 0; i < config->store_count && kind != PAUSED_ACCOUNT; i++) {
        const struct config_store *store = &config->stores[i];

        if (!is_store(store, name))
            continue;
        count++;
        *target = (struct pause_target){PAUSED_STORE, store->hash, store->code};
    }
    for (int i = 0; i < config->account_count && kind != PAUSED_STORE; i++) {
        if (strcmp(config->accounts[i].name, name) != 0)
            continue;
        count++;
        *target = (struct pause_target){PAUSED_ACCOUNT, config->accounts[i].name,
                                        config->accounts[i].name};
    }
    if (count == 1)
        return 0;
    if (count == 0)
        return error_set(err, ERROR_PERMANENT,
                         "%.60s is neither a store (its code or hash) nor an account", word);
    return error_set(err, ERROR_PERMANENT,
                     "%.60s is more than one store or account; write store:HASH or account:NAME",
                     word);
}

/* Writes the record, or a tombstone. */
static int write_record(struct act *act, const char *key, int is_paused, struct error *err)
{
    struct output output = {.topic = act->topics.paused, .key = text_of(key)};
    json_t *value;
    char *text = NULL;
    int rc;

    if (is_paused) {
        value = mem_check(json_pack("{s:I, s:s, s:s?, s:I}", "since", (json_int_t)clock_now_ms(),
                                    "who", audit_actor(act->audit), "why", act->why, "audit",
                                    (json_int_t)act->entry));
        text = mem_check(json_dumps(value, JSON_COMPACT));
        output.value = text_of(text);
        json_decref(value);
    }
    rc = send_one(act->send, &output, err);
    free(text);
    return rc;
}

int pause_set(struct act *act, const struct pause_target *target, int is_paused, int *changed,
              struct error *err)
{
    struct paused paused = {0};
    char key[PAUSED_KEY_BYTES];
    int rc;

    paused_key(key, target->kind, target->name);
    *changed = 0;
    rc = paused_read(act->config, &paused, err);
    if (rc == 0)
        *changed = is_paused != (paused_find(&paused, target->kind, target->name) != NULL);
    paused_clear(&paused);
    if (rc != 0 || !*changed)
        return rc;
    if (act_begin(
            act, is_paused ? "pause" : "resume",
            json_pack("{s:s, s:s}", kind_words[target->kind], target->name, "shown", target->shown),
            err) != 0)
        return -1;
    return act_finish(act, write_record(act, key, is_paused, err), json_object(), err);
}
