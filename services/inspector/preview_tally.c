/* preview_tally.c - counts what would become of the orders, and what another configuration changes.
 * Pure. */
#include <stdio.h>

#include "preview.h"

enum { WORDS_BYTES = 64 };

void preview_init(struct preview *preview, const struct config_store *store)
{
    *preview = (struct preview){.store = store,
                                .orders = mem_check(json_array()),
                                .moves = mem_check(json_object()),
                                .parts = mem_check(json_object())};
}

void preview_clear(struct preview *preview)
{
    json_decref(preview->orders);
    json_decref(preview->moves);
    json_decref(preview->parts);
}

static void count(struct preview_tally *tally, const struct preview_answer *answer)
{
    tally->kinds[answer->kind]++;
    tally->reasons[answer->kind][answer->reason]++;
}

static json_t *answer_json(const struct preview_answer *answer)
{
    json_t *object = mem_check(json_pack("{s:s}", "becomes", preview_kind_name(answer->kind)));

    if (answer->reason != REASON_NONE) {
        json_object_set_new(object, "reason", json_string(reason_name(answer->reason)));
        json_object_set_new(object, "detail", json_string(answer->detail));
    }
    return object;
}

/* "skipped status" */
static void print_words(char words[WORDS_BYTES], const struct preview_answer *answer)
{
    snprintf(words, WORDS_BYTES, "%s%s%s", preview_kind_name(answer->kind),
             answer->reason != REASON_NONE ? " " : "",
             answer->reason != REASON_NONE ? reason_name(answer->reason) : "");
}

static void add_difference(struct preview *preview, const struct preview_answer *now,
                           const struct preview_answer *other, json_t *entry)
{
    json_t *parts;

    if (now->kind != other->kind || now->reason != other->reason) {
        char from[WORDS_BYTES], to[WORDS_BYTES], move[2 * WORDS_BYTES + 8];
        json_int_t so_far;

        print_words(from, now);
        print_words(to, other);
        snprintf(move, sizeof(move), "%s -> %s", from, to);
        so_far = json_integer_value(json_object_get(preview->moves, move));
        json_object_set_new(preview->moves, move, json_integer(so_far + 1));
        json_object_set_new(entry, "against", answer_json(other));
        preview->changed++;
        return;
    }
    if (now->kind != PREVIEW_SYNCED)
        return;
    parts = mem_check(json_object());
    if (preview_compare(parts, (struct text){now->payload.data, now->payload.length},
                        (struct text){other->payload.data, other->payload.length}) > 0) {
        json_t *names = mem_check(json_array()), *value;
        const char *name;

        json_object_foreach(parts, name, value)
        {
            json_int_t so_far = json_integer_value(json_object_get(preview->parts, name));

            json_array_append_new(names, json_string(name));
            json_object_set_new(preview->parts, name, json_integer(so_far + 1));
        }
        json_object_set_new(entry, "differs", names);
        preview->altered++;
    }
    json_decref(parts);
}

void preview_add(struct preview *preview, const struct whole_order *order,
                 const struct preview_answer *now, const struct preview_answer *other)
{
    json_t *entry = answer_json(now);
    char name[96] = "unreadable";

    if (order->id > 0)
        snprintf(name, sizeof(name), "%.60s #%lld", preview->store->code, (long long)order->id);
    json_object_set_new(entry, "order", json_string(name));
    if (order->id > 0)
        json_object_set_new(entry, "id", json_integer(order->id));
    count(&preview->now, now);
    if (other != NULL) {
        count(&preview->other, other);
        add_difference(preview, now, other, entry);
    }
    json_array_append_new(preview->orders, entry);
}
