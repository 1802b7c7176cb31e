/* audit.c - `bigfusion audit`, `bigfusion audit verify`. */
#include "act/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history/outside_text.h"

#include "command.h"

/* Members that each entry has; the text form shows them in their own places. */
static const char *const common[] = {"n",   "before", "id",  "at",      "who",
                                     "act", "step",   "why", "outcome", "of"};

static int is_common(const char *name)
{
    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        if (strcmp(common[i], name) == 0)
            return 1;
    return 0;
}

static void print_member(const json_t *json, const char *before, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    struct buffer safe = {0};

    if (text == NULL)
        return;
    outside_text_print(&safe, text_of(text));
    printf("%s%s", before, safe.data != NULL ? safe.data : "");
    buffer_clear(&safe);
}

/* What the act says of itself, as JSON in ASCII, so that nothing in it reaches the terminal. */
static void print_rest(const json_t *json)
{
    json_t *rest = json_object();
    const char *name;
    json_t *value;
    char *text;

    json_object_foreach((json_t *)(uintptr_t)json, name, value)
    {
        if (!is_common(name))
            json_object_set(rest, name, value);
    }
    text = mem_check(json_dumps(rest, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_SORT_KEYS));
    if (json_object_size(rest) > 0)
        printf(" %s", text);
    free(text);
    json_decref(rest);
}

static void show(void *context, const struct event *event, enum audit_link link, const json_t *json)
{
    (void)context;
    if (link == AUDIT_LINK_VOID)
        return;
    printf("%6" JSON_INTEGER_FORMAT " ", json_integer_value(json_object_get(json, "n")));
    print_member(json, " ", "at");
    print_member(json, "  ", "who");
    print_member(json, "  ", "act");
    if (json_object_get(json, "of") != NULL)
        printf(" (entry %" JSON_INTEGER_FORMAT ")",
               json_integer_value(json_object_get(json, "of")));
    print_member(json, " ", "outcome");
    print_member(json, " why: ", "why");
    print_rest(json);
    if (link == AUDIT_LINK_BROKEN)
        printf(" ! THE CHAIN IS BROKEN HERE, at offset %" PRId64, event->offset);
    printf("\n");
}

static void collect(void *context, const struct event *event, enum audit_link link,
                    const json_t *json)
{
    static const char *const words[] = {
        [AUDIT_LINK_PART] = "part", [AUDIT_LINK_VOID] = "void", [AUDIT_LINK_BROKEN] = "broken"};

    json_array_append_new(context,
                          json_pack("{s:I, s:s, s:O?}", "offset", (json_int_t)event->offset, "link",
                                    words[link], "entry", json));
}

int audit_run(const struct config *config, const struct command_line *line, struct error *err)
{
    struct audit_chain chain;
    json_t *entries = json_array();
    int rc = audit_read(config, &chain, line->json ? collect : show, entries, err);

    if (rc == 0 && line->json) {
        json_t *root = json_pack("{s:O}", "entries", entries);

        json_dumpf(root, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
        printf("\n");
        json_decref(root);
    } else if (rc == 0) {
        printf("%" PRId64 " entries\n", chain.parts);
    }
    json_decref(entries);
    audit_chain_clear(&chain);
    return rc;
}

int audit_verify_run(const struct config *config, const struct command_line *line,
                     struct error *err)
{
    struct audit_chain chain;
    int rc = audit_read(config, &chain, NULL, NULL, err);
    int whole = rc == 0 && chain.broken_why == NULL;

    if (rc == 0 && line->json) {
        json_t *root = json_pack("{s:b, s:I, s:I, s:s, s:I, s:s?}", "whole", whole, "entries",
                                 (json_int_t)chain.parts, "void", (json_int_t)chain.voids, "head",
                                 chain.head, "broken_offset", (json_int_t)chain.broken_offset,
                                 "broken_why", chain.broken_why);

        json_dumpf(root, stdout, JSON_INDENT(1));
        printf("\n");
        json_decref(root);
    } else if (whole) {
        printf("audit: %" PRId64 " entries, the chain is whole; last digest %s\n", chain.parts,
               chain.head);
    }
    if (rc == 0 && !whole)
        rc = error_set(err, ERROR_PERMANENT,
                       "the chain of the audit is broken at entry %" PRId64 " (offset %" PRId64
                       "): %s",
                       chain.broken_n, chain.broken_offset, chain.broken_why);
    audit_chain_clear(&chain);
    return rc;
}
