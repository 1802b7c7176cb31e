/* answer_why.c - where an order is: facts from the index, the ledger and the store; why.h decides. */
#include "answer_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "history/order_name.h"
#include "history/outside_text.h"
#include "history/why.h"

enum { LEDGER_AGAIN_MS = 3000, NAME_WORDS_MAX = 2, NAME_BYTES_MAX = 200 };

static const struct config_store *store_of(const struct answerer *answerer, const char *key,
                                           struct event_key *parts)
{
    if (event_key_parse(text_of(key), parts) != 0)
        return NULL;
    return config_store_by_hash(answerer->answers->config, parts->store);
}

/* Asks the ledger about an order that the topics do not call delivered. Where Redis does not answer,
 * the topics alone decide, and Redis is left alone for a moment. */
static void ask_ledger(struct answerer *answerer, struct ledger_order *order)
{
    struct error err = {0};

    order->is_done = 0;
    order->doubt[0] = '\0';
    if (order->account == NULL || clock_monotonic_ms() < answerer->ledger_again_ms)
        return;
    if (ledger_orders_read(answerer->ledger, order, 1, &err) != 0)
        answerer->ledger_again_ms = clock_monotonic_ms() + LEDGER_AGAIN_MS;
    error_clear(&err);
}

/* What is asked about an order that the pipeline never saw. */
struct unseen {
    struct store_order order;
    struct poll_state poll;
};

/* What the order's age means, by how far its store was read: the poller saved that; before the first
 * poll the settings tell when the store starts. */
static enum why_store place_of(struct answerer *answerer, const struct config_store *store,
                               struct text id, const struct store_order *order)
{
    struct store_position position;
    struct error ignored = {0};
    int64_t start_from_ms = store->start_from_ms, number = -1;

    if (order->is_archived)
        return WHY_STORE_ARCHIVED;
    store_position_init(&position, store->hash);
    if (index_store_position(answerer->reader, store->hash, &position, &ignored) != 0)
        error_clear(&ignored);
    if (position.fence >= 0)
        start_from_ms = position.start_from_ms;
    if (order->modified_ms < 0)
        return WHY_STORE_HAS;
    if (order->modified_ms < start_from_ms)
        return WHY_STORE_BEFORE_START;
    if (position.has_history && order->modified_ms <= position.cursor_ms &&
        text_to_int(id, &number) == 0 && number > position.history_id)
        return WHY_STORE_HISTORY;
    return WHY_STORE_HAS;
}

static void ask_store(struct answerer *answerer, const struct config_store *store,
                      const struct event_key *parts, struct unseen *unseen, struct why_facts *facts)
{
    if (store == NULL || !text_is(parts->entity, "order")) {
        facts->store = WHY_STORE_NONE;
        return;
    }
    store_ask_order(answerer->stores, store, parts->id, &unseen->order);
    if (unseen->order.has != STORE_HAS) {
        facts->store_error = unseen->order.error;
        facts->store = unseen->order.has == STORE_HAS_NOT ? WHY_STORE_HAS_NOT : WHY_STORE_SILENT;
        return;
    }
    facts->store = place_of(answerer, store, parts->id, &unseen->order);
    answer_poll_state(answerer, store->hash, &unseen->poll);
    facts->next_poll_ms = facts->store == WHY_STORE_HAS ? unseen->poll.next_ms : -1;
    facts->poll_trouble = unseen->poll.trouble;
}

/* The goals of a delivered order with their results: the last record of `delivered` has them. */
static json_t *goals_of(const struct history_steps *history)
{
    json_t *goals = NULL;

    for (int i = 0; i < history->count; i++)
        if (history->steps[i].kind == SPOT_DELIVERED)
            goals = json_object_get(history->steps[i].facts, "goals");
    return json_is_array(goals) ? json_incref(goals) : mem_check(json_array());
}

static json_t *history_json(const struct history_steps *history)
{
    json_t *list = mem_check(json_array());

    for (int i = 0; i < history->count; i++)
        json_array_append(list, history->steps[i].facts);
    return list;
}

static json_t *infusionsoft_json(const struct index_order *found)
{
    const struct order_fate *fate = &found->state.delivered;

    if (!fate->is_there || fate->order_id[0] == '\0')
        return json_null();
    return mem_check(
        json_pack("{s:s, s:o}", "order_id", fate->order_id, "contact_id",
                  fate->contact_id[0] != '\0' ? json_string(fate->contact_id) : json_null()));
}

static const char *account_of(const struct index_order *found, const struct config_store *store)
{
    if (found->state.delivered.is_there && found->state.delivered.account[0] != '\0')
        return found->state.delivered.account;
    if (found->state.progress.account[0] != '\0')
        return found->state.progress.account;
    return store != NULL ? store->account : NULL;
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? outside_text_json(text_of(text)) : json_null();
}

static json_t *next_json(const struct why_answer *why)
{
    if (why->next[0] == '\0')
        return json_null();
    return mem_check(json_pack("{s:o, s:o}", "what", outside_text_json(text_of(why->next)), "at",
                               outside_time_json(why->next_at_ms)));
}

/* The answer about one order. found: without a key where the index does not know the order. */
static json_t *order_json(struct answerer *answerer, const char *key,
                          const struct index_order *found, int is_known)
{
    struct event_key parts = {{0}, {0}, {0}};
    const struct config_store *store = store_of(answerer, key, &parts);
    struct ledger_order entry = {.account = account_of(found, store), .key = key};
    struct index_progress progress;
    struct unseen unseen = {0};
    char name[ORDER_NAME_BYTES];
    struct why_facts facts = {.name = order_name_print(answerer->answers->config, key, name),
                              .state = is_known ? &found->state : NULL,
                              .next_poll_ms = -1,
                              .account = entry.account,
                              .now_ms = clock_now_ms()};
    struct why_answer why;

    index_progress(answerer->answers->index, &progress);
    facts.is_behind = !progress.is_caught_up;
    facts.is_store_paused =
        answer_is_paused(answerer, PAUSED_STORE, store != NULL ? store->hash : NULL);
    facts.is_account_paused = answer_is_paused(answerer, PAUSED_ACCOUNT, entry.account);
    if (!is_known || order_state_list(&found->state) != ORDER_LIST_DELIVERED) {
        ask_ledger(answerer, &entry);
        facts.is_done = entry.is_done;
        facts.doubt = entry.doubt;
    }
    if (!facts.is_done && (!is_known || order_state_list(&found->state) == ORDER_LIST_NONE))
        ask_store(answerer, store, &parts, &unseen, &facts);
    why_decide(&facts, &why);
    return mem_check(json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "order",
        outside_text_json(text_of(name)), "key", outside_text_json(text_of(key)), "store",
        outside_text_json(parts.store), "code", text_or_null(store != NULL ? store->code : NULL),
        "verdict", why_verdict_name(why.verdict), "reason", text_or_null(reason_name(why.reason)),
        "sentence", outside_text_json(text_of(why.sentence)), "next", next_json(&why), "account",
        text_or_null(entry.account), "infusionsoft", infusionsoft_json(found), "goals",
        goals_of(&found->history), "history", history_json(&found->history)));
}

/* Adds the answer about one key. @returns 0, or -1 with a fault */
static int add_order(struct answerer *answerer, const char *key, json_t *orders,
                     struct answer_fault *fault)
{
    struct index_order *found = mem_alloc(sizeof(*found));
    struct error err = {0};
    int is_known;

    order_state_init(&found->state);
    is_known = index_find(answerer->reader, key, found, &err);
    if (is_known < 0)
        answer_no_index(fault, &err);
    else
        json_array_append_new(orders, order_json(answerer, key, found, is_known));
    index_order_clear(found);
    free(found);
    return is_known < 0 ? -1 : 0;
}

/* Finds the key of a named order. A bare number is asked of all stores that have it. @returns 0, or
 * -1 with a fault */
static int find_named(struct answerer *answerer, const char *order, struct index_keys *keys,
                      struct answer_fault *fault)
{
    char text[NAME_BYTES_MAX + 1], key[ORDER_KEY_BYTES];
    char *words[] = {text};
    struct error err = {0};
    int64_t id;

    if (strlen(order) > NAME_BYTES_MAX) {
        answer_refuse(fault, 400, "bad_order", "The order's name is too long.");
        return -1;
    }
    snprintf(text, sizeof(text), "%s", order);
    if (order_name_parse(answerer->answers->config, words, 1, key, &err) == 0) {
        snprintf(keys->keys[keys->count++], sizeof(keys->keys[0]), "%s", key);
        return 0;
    }
    if (text_to_int(text_of(order), &id) == 0 && id >= 0 &&
        index_find_number(answerer->reader, id, keys, &err) == 0 && keys->count > 0) {
        error_clear(&err);
        return 0;
    }
    answer_refuse(fault, 400, "unknown_store", "%s", err.text);
    error_clear(&err);
    return -1;
}

static int is_digest(const char *text)
{
    return strlen(text) == DIGEST_BYTES - 1 && strspn(text, "0123456789abcdef") == DIGEST_BYTES - 1;
}

/* Finds which orders are meant. @returns 0, or -1 with a fault */
static int find_keys(struct answerer *answerer, const struct answer_why *question,
                     struct index_keys *keys, struct answer_fault *fault)
{
    int ways = (question->order != NULL) + (question->infusionsoft != NULL) +
               (question->email != NULL) + (question->email_digest != NULL);
    char digest[DIGEST_BYTES];
    struct error err = {0};
    int rc;

    if (ways != 1 || (question->account != NULL && question->infusionsoft == NULL)) {
        answer_refuse(fault, 400, "bad_question",
                      "Name the order in one way: order, infusionsoft (with account), email or "
                      "email_digest.");
        return -1;
    }
    if (question->order != NULL)
        return find_named(answerer, question->order, keys, fault);
    if (question->email_digest != NULL && !is_digest(question->email_digest)) {
        answer_refuse(fault, 400, "bad_digest", "email_digest has 32 hex digits.");
        return -1;
    }
    if (question->infusionsoft != NULL) {
        rc = index_find_infusionsoft(answerer->reader, question->account, question->infusionsoft,
                                     keys, &err);
    } else {
        if (question->email != NULL)
            digest_hex_nocase(digest, text_trim(text_of(question->email)));
        rc =
            index_find_email(answerer->reader,
                             question->email != NULL ? digest : question->email_digest, keys, &err);
    }
    if (rc != 0)
        answer_no_index(fault, &err);
    return rc;
}

json_t *answer_why(struct answerer *answerer, const struct answer_why *question,
                   struct answer_fault *fault)
{
    struct index_keys *keys = mem_alloc(sizeof(*keys));
    json_t *orders = mem_check(json_array());
    int rc = find_keys(answerer, question, keys, fault);

    for (int i = 0; rc == 0 && i < keys->count; i++)
        rc = add_order(answerer, keys->keys[i], orders, fault);
    if (rc != 0) {
        json_decref(orders);
        free(keys);
        return NULL;
    }
    orders = mem_check(json_pack("{s:o, s:b, s:o}", "orders", orders, "is_more", keys->is_more,
                                 "index", answer_index(answerer)));
    free(keys);
    return orders;
}
