#include "act/audit_chain.h"

#include <stdlib.h>
#include <string.h>

static const char none[DIGEST_WHOLE_BYTES] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* Notes the place behind the last entry. */
static void note_place(struct audit_chain *chain)
{
    if (chain->n - chain->first >= chain->capacity) {
        chain->capacity = chain->capacity * 2 + 64;
        chain->places =
            mem_realloc(chain->places, (size_t)chain->capacity * sizeof(*chain->places));
    }
    memcpy(chain->places[chain->n - chain->first], chain->head, DIGEST_WHOLE_BYTES);
}

void audit_chain_init(struct audit_chain *chain)
{
    *chain = (struct audit_chain){.broken_offset = -1, .broken_n = -1};
    memcpy(chain->head, none, DIGEST_WHOLE_BYTES);
    note_place(chain);
}

void audit_chain_clear(struct audit_chain *chain)
{
    free(chain->places);
    *chain = (struct audit_chain){0};
}

/* Whether the entry was made for a place that another one has taken. */
static int is_void(const struct audit_chain *chain, int64_t n, const char *before)
{
    return n > chain->first && n <= chain->n &&
           strcmp(chain->places[n - 1 - chain->first], before) == 0;
}

/* Notes the first fault, and has the chain go on behind this entry. */
static void break_at(struct audit_chain *chain, const struct event *event, int64_t n,
                     const char *why)
{
    if (chain->broken_why == NULL) {
        chain->broken_why = why;
        chain->broken_offset = event->offset;
        chain->broken_n = chain->n + 1;
    }
    chain->n = n > chain->n ? n : chain->n + 1;
    chain->first = chain->n;
    digest_whole_hex(chain->head, event->value);
    note_place(chain);
}

static const char *fault_of(const struct audit_chain *chain, const json_t *entry, int64_t n,
                            const char *before)
{
    if (!json_is_object(entry) || n <= 0 || before == NULL)
        return "it is no entry";
    if (n != chain->n + 1)
        return n > chain->n ? "entries before it are missing" : "its number was there before";
    if (strcmp(before, chain->head) != 0)
        return chain->n == 0 ? "entries before it are missing"
                             : "the entry before it was changed or replaced";
    return NULL;
}

enum audit_link audit_chain_add(struct audit_chain *chain, const struct event *event,
                                json_t **entry)
{
    json_t *json = json_loadb(event->value.data != NULL ? event->value.data : "",
                              event->value.length, JSON_REJECT_DUPLICATES, NULL);
    int64_t n = json_integer_value(json_object_get(json, "n"));
    const char *before = json_string_value(json_object_get(json, "before"));
    const char *fault = fault_of(chain, json, n, before);
    enum audit_link link = AUDIT_LINK_PART;

    if (fault == NULL) {
        chain->n = n;
        chain->parts++;
        digest_whole_hex(chain->head, event->value);
        note_place(chain);
    } else if (before != NULL && is_void(chain, n, before)) {
        chain->voids++;
        link = AUDIT_LINK_VOID;
    } else {
        break_at(chain, event, n, fault);
        link = AUDIT_LINK_BROKEN;
    }
    if (entry != NULL)
        *entry = json;
    else
        json_decref(json);
    return link;
}

char *audit_chain_write(const struct audit_chain *chain, json_t *entry)
{
    json_object_set_new(entry, "n", json_integer(chain->n + 1));
    json_object_set_new(entry, "before", json_string(chain->head));
    return mem_check(json_dumps(entry, JSON_COMPACT | JSON_SORT_KEYS));
}
