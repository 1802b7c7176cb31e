/* preview_print.c - prints what `bigfusion preview` found. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"

#include "preview.h"

enum { NAMES_SHOWN_MAX = 10 };

static json_t *tally_json(const struct preview_tally *tally, int64_t start_from_ms)
{
    json_t *counts = mem_check(json_object()), *reasons = mem_check(json_object());
    char date[DATE_ISO_BYTES];

    for (int kind = 0; kind < PREVIEW_KIND_COUNT; kind++) {
        json_object_set_new(counts, preview_kind_name((enum preview_kind)kind),
                            json_integer(tally->kinds[kind]));
        for (int reason = REASON_NONE + 1; kind != PREVIEW_SYNCED && reason < REASON_COUNT;
             reason++)
            if (tally->reasons[kind][reason] > 0)
                json_object_set_new(reasons, reason_name((enum reason)reason),
                                    json_integer(tally->reasons[kind][reason]));
    }
    return mem_check(json_pack("{s:o, s:o, s:s}", "counts", counts, "reasons", reasons,
                               "start_from",
                               start_from_ms > 0 ? date_print_iso(date, start_from_ms) : "all"));
}

void preview_print_json(const struct preview *preview)
{
    json_t *root = mem_check(
        json_pack("{s:s, s:s, s:I, s:s, s:o, s:O}", "store", preview->store->code, "hash",
                  preview->store->hash, "read", (json_int_t)json_array_size(preview->orders),
                  "start_from_source", preview->start_from_source, "now",
                  tally_json(&preview->now, preview->start_from_ms), "orders", preview->orders));

    if (preview->has_other)
        json_object_set_new(
            root, "against",
            json_pack("{s:s, s:o, s:I, s:O, s:I, s:O}", "file", preview->other_path, "then",
                      tally_json(&preview->other, preview->other_start_from_ms), "changed",
                      (json_int_t)preview->changed, "moves", preview->moves, "altered",
                      (json_int_t)preview->altered, "parts", preview->parts));
    json_dumpf(root, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    printf("\n");
    json_decref(root);
}

static void print_tally(const struct preview_tally *tally)
{
    for (int kind = 0; kind < PREVIEW_KIND_COUNT; kind++) {
        int written = 0;

        printf("  %-8s %7" PRId64, preview_kind_name((enum preview_kind)kind), tally->kinds[kind]);
        for (int reason = REASON_NONE + 1; reason < REASON_COUNT; reason++)
            if (tally->reasons[kind][reason] > 0)
                printf("%s%s %" PRId64, written++ > 0 ? ", " : "   ",
                       reason_name((enum reason)reason), tally->reasons[kind][reason]);
        printf("\n");
    }
}

static const char *member(const json_t *entry, const char *name)
{
    const char *value = json_string_value(json_object_get(entry, name));

    return value != NULL ? value : "";
}

/* The orders that a person would have to look at, with what is wrong. */
static void print_parked(const struct preview *preview)
{
    int64_t count = 0;

    for (size_t i = 0; i < json_array_size(preview->orders); i++) {
        const json_t *entry = json_array_get(preview->orders, i);

        if (strcmp(member(entry, "becomes"), "parked") != 0)
            continue;
        if (count++ < NAMES_SHOWN_MAX)
            printf("%s  %-14s %-18s %s\n", count == 1 ? "\nparked:\n" : "", member(entry, "order"),
                   member(entry, "reason"), member(entry, "detail"));
    }
    if (count > NAMES_SHOWN_MAX)
        printf("  ... and %" PRId64 " more; --json lists all\n", count - NAMES_SHOWN_MAX);
}

static void print_changed(const struct preview *preview)
{
    int64_t count = 0;

    for (size_t i = 0; i < json_array_size(preview->orders); i++) {
        const json_t *entry = json_array_get(preview->orders, i);
        const json_t *other = json_object_get(entry, "against");

        if (other == NULL || count++ >= NAMES_SHOWN_MAX)
            continue;
        printf("    %-14s %s %s -> %s %s\n", member(entry, "order"), member(entry, "becomes"),
               member(entry, "reason"), member(other, "becomes"), member(other, "reason"));
    }
    if (count > NAMES_SHOWN_MAX)
        printf("    ... and %" PRId64 " more; --json lists all\n", count - NAMES_SHOWN_MAX);
}

static void print_counts(const json_t *counts)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)counts); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)counts, at))
        printf("    %7" JSON_INTEGER_FORMAT "  %s\n",
               json_integer_value(json_object_iter_value(at)), json_object_iter_key(at));
}

static void print_other(const struct preview *preview)
{
    printf("\nwith %s:\n", preview->other_path);
    print_tally(&preview->other);
    printf("\n  %" PRId64 " order%s would become something else\n", preview->changed,
           preview->changed == 1 ? "" : "s");
    print_counts(preview->moves);
    print_changed(preview);
    printf("  %" PRId64 " order%s would be synced with other content; the parts that differ:\n",
           preview->altered, preview->altered == 1 ? "" : "s");
    print_counts(preview->parts);
}

void preview_print_text(const struct preview *preview)
{
    char date[DATE_ISO_BYTES];

    printf("%s: the newest %zu orders; start_from %s (%s)\n", preview->store->code,
           json_array_size(preview->orders),
           preview->start_from_ms > 0 ? date_print_iso(date, preview->start_from_ms) : "all",
           preview->start_from_source);
    print_tally(&preview->now);
    print_parked(preview);
    if (preview->has_other)
        print_other(preview);
}
