/* reply.c - the pure parts of the ledger: names, keys, and reading the answers of the scripts. */
#include "ledger/handle.h"
#include "ledger/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *ledger_answer_name(enum ledger_answer answer)
{
    static const char *const names[] = {
        [LEDGER_OK] = "OK",     [LEDGER_GRANT] = "GRANT",       [LEDGER_RECONCILE] = "RECONCILE",
        [LEDGER_BUSY] = "BUSY", [LEDGER_DONE] = "DONE",         [LEDGER_DEAD] = "DEAD",
        [LEDGER_OLD] = "OLD",   [LEDGER_OK_STALE] = "OK_STALE", [LEDGER_FENCED] = "FENCED",
        [LEDGER_LOST] = "LOST",
    };

    return names[answer];
}

const char *ledger_kind_name(enum ledger_kind kind)
{
    static const char *const names[] = {
        [LEDGER_ORDER] = "order", [LEDGER_CONTACT] = "contact", [LEDGER_PRODUCT] = "product",
        [LEDGER_TAG] = "tag",     [LEDGER_AFTER] = "after",
    };

    return names[kind];
}

int ledger_entry_key(char target[LEDGER_KEY_BYTES], const char *prefix, struct text account,
                     enum ledger_kind kind, struct text id, struct error *err)
{
    int length =
        snprintf(target, LEDGER_KEY_BYTES, "%s:ledger:%.*s:%s%s%.*s", prefix, (int)account.length,
                 account.data, kind == LEDGER_ORDER ? "" : ledger_kind_name(kind),
                 kind == LEDGER_ORDER ? "" : ":", (int)id.length, id.data);

    if (length < 0 || length >= LEDGER_KEY_BYTES)
        return error_set(err, ERROR_PERMANENT, "ledger: the key is longer than %d bytes",
                         LEDGER_KEY_BYTES - 1);
    return 0;
}

/* Element i of a reply as text; "" when absent. Replies are arrays of bulk strings. */
static const char *element(const redisReply *reply, size_t i)
{
    if (i < reply->elements && reply->element[i]->type == REDIS_REPLY_STRING)
        return reply->element[i]->str;
    return "";
}

int64_t ledger_element_int(const redisReply *reply, size_t i, int64_t missing)
{
    const char *text = element(reply, i);
    char *end;
    long long value;

    if (text[0] < '0' || text[0] > '9')
        return missing;
    value = strtoll(text, &end, 10);
    return *end == '\0' ? (int64_t)value : missing;
}

int64_t ledger_fence_epoch(const char *fence)
{
    return fence[0] >= '0' && fence[0] <= '9' ? (int64_t)strtoll(fence, NULL, 10) : 0;
}

int ledger_answer_of(const redisReply *reply, enum ledger_answer *answer, struct error *err)
{
    const char *word = element(reply, 0);

    for (int i = LEDGER_OK; i <= LEDGER_LOST; i++) {
        if (strcmp(word, ledger_answer_name((enum ledger_answer)i)) == 0) {
            *answer = (enum ledger_answer)i;
            return 0;
        }
    }
    return error_set(err, ERROR_TEMPORARY, "ledger: unexpected answer from a script");
}

void ledger_grant_clear(struct ledger_grant *grant)
{
    free(grant->doubt);
    for (int i = 0; i < grant->step_count; i++) {
        free(grant->steps[i].name);
        free(grant->steps[i].result);
    }
    free(grant->steps);
    *grant = (struct ledger_grant){0};
}

const char *ledger_grant_step(const struct ledger_grant *grant, const char *name)
{
    for (int i = 0; i < grant->step_count; i++) {
        if (strcmp(grant->steps[i].name, name) == 0)
            return grant->steps[i].result;
    }
    return NULL;
}

/* The positions in acquire's answer; see acquire.lua. */
enum {
    AT_WORD,
    AT_WRITES,
    AT_FENCE,
    AT_VERSION,
    AT_DOUBT,
    AT_AGE,
    AT_WAIT,
    AT_FLAGS,
    AT_REASON,
    AT_STEPS
};

enum { FLAG_GOALS = 1, FLAG_LOOK_AGAIN = 2, FLAG_NEWER = 4 };

int ledger_grant_read(struct ledger_grant *grant, const redisReply *reply,
                      int64_t visibility_delay_ms, struct error *err)
{
    int64_t flags;

    if (ledger_answer_of(reply, &grant->answer, err) != 0)
        return -1;
    if (grant->answer == LEDGER_LOST)
        return 0;
    flags = ledger_element_int(reply, AT_FLAGS, -1);
    if (reply->elements < AT_STEPS || (reply->elements - AT_STEPS) % 2 != 0 || flags < 0 ||
        strlen(element(reply, AT_FENCE)) >= sizeof(grant->fence))
        return error_set(err, ERROR_TEMPORARY, "ledger: unexpected answer from acquire");
    snprintf(grant->fence, sizeof(grant->fence), "%s", element(reply, AT_FENCE));
    snprintf(grant->reason, sizeof(grant->reason), "%.31s", element(reply, AT_REASON));
    grant->modified_at = ledger_element_int(reply, AT_VERSION, 0);
    grant->wait_ms = ledger_element_int(reply, AT_WAIT, 0);
    grant->goals_in_doubt = (flags & FLAG_GOALS) != 0;
    grant->look_again = (flags & FLAG_LOOK_AGAIN) != 0;
    grant->newer = (flags & FLAG_NEWER) != 0;
    if (grant->answer == LEDGER_RECONCILE)
        grant->doubt = mem_strdup(element(reply, AT_DOUBT));
    grant->doubt_age_ms = ledger_element_int(reply, AT_AGE, 0);
    if (grant->doubt_age_ms < visibility_delay_ms)
        grant->doubt_visible_in_ms = visibility_delay_ms - grant->doubt_age_ms;
    grant->step_count = (int)((reply->elements - AT_STEPS) / 2);
    if (grant->step_count > 0)
        grant->steps = mem_alloc((size_t)grant->step_count * sizeof(*grant->steps));
    for (int i = 0; i < grant->step_count; i++) {
        grant->steps[i].name = mem_strdup(element(reply, AT_STEPS + 2 * (size_t)i));
        grant->steps[i].result = mem_strdup(element(reply, AT_STEPS + 2 * (size_t)i + 1));
    }
    return 0;
}

/* The position in step's answer at which the entry's fields begin; see step.lua. */
enum { STEP_AT_FIELDS = 2 };

void ledger_entry_write(const redisReply *reply, struct buffer *target)
{
    struct ledger_note note = {0};

    for (size_t i = STEP_AT_FIELDS; i + 1 < reply->elements; i += 2)
        ledger_note_add(&note, element(reply, i), element(reply, i + 1));
    buffer_reset(target);
    if (note.fields[LEDGER_NOTE_STATE] != NULL)
        ledger_note_write(&note, target);
    ledger_note_clear(&note);
}
