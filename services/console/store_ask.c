#include "store_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/text.h"
#include "bigcommerce/bigcommerce.h"
#include "net/http.h"
#include "record/event.h"

enum {
    TIMEOUT_MS = 5000,
    ANSWER_MAX_BYTES = 8 << 20,
    KEEP_MS = 2000,
    TURN_WAIT_MS = 20,
    TURN_LIMIT_MS = 2000,
};

struct store_ask {
    struct store_ask_group *group; /* borrowed */
    struct http *http;
};

void store_ask_group_init(struct store_ask_group *group, const struct config *config)
{
    *group = (struct store_ask_group){.config = config};
    group->limits = mem_alloc((size_t)config->store_count * sizeof(*group->limits));
    pthread_mutex_init(&group->lock, NULL);
}

void store_ask_group_clear(struct store_ask_group *group)
{
    pthread_mutex_destroy(&group->lock);
    free(group->limits);
}

struct store_ask *store_ask_new(struct store_ask_group *group)
{
    struct store_ask *ask = mem_alloc(sizeof(*ask));

    ask->group = group;
    ask->http = http_new("bigfusion-console", &group->config->http);
    return ask;
}

void store_ask_free(struct store_ask *ask)
{
    if (ask == NULL)
        return;
    http_free(ask->http);
    free(ask);
}

static struct store_ask_kept *slot_of(struct store_ask_group *group, const char *key)
{
    return &group->kept[event_hash(0, text_of(key)) % STORE_ASK_KEPT];
}

/* @returns 1 when the answer is known from a moment ago */
static int recall(struct store_ask_group *group, const char *key, struct store_order *order)
{
    const struct store_ask_kept *kept = slot_of(group, key);
    int is_known;

    pthread_mutex_lock(&group->lock);
    is_known = strcmp(kept->key, key) == 0 && clock_monotonic_ms() < kept->until_ms;
    if (is_known)
        *order = kept->order;
    pthread_mutex_unlock(&group->lock);
    return is_known;
}

static void keep(struct store_ask_group *group, const char *key, const struct store_order *order)
{
    struct store_ask_kept *kept = slot_of(group, key);

    pthread_mutex_lock(&group->lock);
    snprintf(kept->key, sizeof(kept->key), "%s", key);
    kept->until_ms = clock_monotonic_ms() + KEEP_MS;
    kept->order = *order;
    pthread_mutex_unlock(&group->lock);
}

/* Waits until one more question is allowed. @returns 0, or -1 with the order's error */
static int wait_turn(struct store_ask_group *group, struct store_limit *limit,
                     struct store_order *order)
{
    int64_t until_ms = clock_monotonic_ms() + TURN_LIMIT_MS;

    for (;;) {
        int64_t now_ms = clock_monotonic_ms();
        enum store_turn turn;

        pthread_mutex_lock(&group->lock);
        turn = store_limit_begin(limit, now_ms);
        if (turn == STORE_TURN_REFUSED)
            snprintf(order->error, sizeof(order->error), "%s", limit->error);
        pthread_mutex_unlock(&group->lock);
        if (turn == STORE_TURN_GO)
            return 0;
        if (turn == STORE_TURN_REFUSED)
            return -1;
        if (now_ms > until_ms || stop_wait_ms(TURN_WAIT_MS)) {
            snprintf(order->error, sizeof(order->error), "too many orders are asked for at once");
            return -1;
        }
    }
}

static void end_turn(struct store_ask_group *group, struct store_limit *limit,
                     const struct http_answer *answer, const struct store_order *order)
{
    struct bigcommerce_quota told;

    bigcommerce_read_quota(answer, &told);
    pthread_mutex_lock(&group->lock);
    store_limit_end(limit, &told, order->error, clock_monotonic_ms());
    pthread_mutex_unlock(&group->lock);
}

/* Checks that it is that order at all, and reads date_modified and is_deleted. */
static void read_order(const struct http_answer *answer, struct text id, struct store_order *order)
{
    yyjson_doc *doc = yyjson_read(answer->body.data, answer->body.length, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *number = yyjson_obj_get(root, "id");
    const char *modified = yyjson_get_str(yyjson_obj_get(root, "date_modified"));
    int64_t wanted = -1;

    order->modified_ms = -1;
    if (text_to_int(id, &wanted) == 0 && yyjson_is_uint(number) &&
        yyjson_get_uint(number) == (uint64_t)wanted) {
        order->has = STORE_HAS;
        order->is_archived = yyjson_is_true(yyjson_obj_get(root, "is_deleted"));
        if (modified == NULL || date_parse_rfc2822(text_of(modified), &order->modified_ms) != 0)
            order->modified_ms = -1;
    } else {
        snprintf(order->error, sizeof(order->error), "its answer is not the order");
    }
    yyjson_doc_free(doc);
}

static void ask_now(struct store_ask *ask, const struct config_store *store,
                    struct store_limit *limit, struct text id, struct store_order *order)
{
    const struct http_header headers[] = {
        {"X-Auth-Token", store->token},
        {"Accept", "application/json"},
    };
    char *url = mem_printf("%s/stores/%s/v2/orders/%.*s", store->api_url, store->hash,
                           (int)id.length, id.data);
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .headers = headers,
                                         .header_count = 2,
                                         .timeout_ms = TIMEOUT_MS,
                                         .max_answer_bytes = ANSWER_MAX_BYTES};
    struct http_answer answer = {0};
    struct error err = {0};

    if (http_perform(ask->http, &request, &answer, &err) != 0)
        snprintf(order->error, sizeof(order->error), "%s", err.text);
    else if (answer.status == 404)
        order->has = STORE_HAS_NOT;
    else if (answer.status == 200)
        read_order(&answer, id, order);
    else
        snprintf(order->error, sizeof(order->error), "it answers HTTP %d", answer.status);
    end_turn(ask->group, limit, &answer, order);
    error_clear(&err);
    http_answer_clear(&answer);
    free(url);
}

void store_ask_order(struct store_ask *ask, const struct config_store *store, struct text id,
                     struct store_order *order)
{
    struct store_limit *limit = &ask->group->limits[store - ask->group->config->stores];
    char key[STORE_ASK_KEY_BYTES];

    *order = (struct store_order){.has = STORE_SILENT, .modified_ms = -1};
    snprintf(key, sizeof(key), "%s/%.*s", store->hash, (int)id.length, id.data);
    if (recall(ask->group, key, order))
        return;
    if (store->token == NULL)
        snprintf(order->error, sizeof(order->error), "its token_file cannot be read");
    else if (wait_turn(ask->group, limit, order) == 0)
        ask_now(ask, store, limit, id, order);
    if (order->has != STORE_SILENT)
        keep(ask->group, key, order);
}
