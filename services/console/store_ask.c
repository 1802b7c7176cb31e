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
#include "net/http.h"
#include "record/event.h"

enum {
    TIMEOUT_MS = 5000,
    ANSWER_MAX_BYTES = 8 << 20,
    KEEP_MS = 2000,
    TURN_WAIT_MS = 20,
    TURN_LIMIT_MS = 5000,
};

struct store_ask {
    struct store_ask_group *group; /* borrowed */
    struct http *http;
};

void store_ask_group_init(struct store_ask_group *group)
{
    *group = (struct store_ask_group){.asked = 0};
    pthread_mutex_init(&group->lock, NULL);
}

void store_ask_group_clear(struct store_ask_group *group) { pthread_mutex_destroy(&group->lock); }

struct store_ask *store_ask_new(const struct config *config, struct store_ask_group *group)
{
    struct store_ask *ask = mem_alloc(sizeof(*ask));

    ask->group = group;
    ask->http = http_new("bigfusion-console", &config->http);
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

/* Waits until one more question is allowed. @returns 0, or -1 when too many wait */
static int wait_turn(struct store_ask_group *group)
{
    int64_t limit_ms = clock_monotonic_ms() + TURN_LIMIT_MS;

    for (;;) {
        int64_t now_ms = clock_monotonic_ms();
        int is_free;

        pthread_mutex_lock(&group->lock);
        if (group->second != now_ms / 1000) {
            group->second = now_ms / 1000;
            group->asked = 0;
        }
        is_free = group->asked < STORE_ASK_PER_S;
        if (is_free)
            group->asked++;
        pthread_mutex_unlock(&group->lock);
        if (is_free)
            return 0;
        if (now_ms > limit_ms || stop_wait_ms(TURN_WAIT_MS))
            return -1;
    }
}

/* Reads date_modified, and checks that it is an order at all. */
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
        if (modified == NULL || date_parse_rfc2822(text_of(modified), &order->modified_ms) != 0)
            order->modified_ms = -1;
    } else {
        snprintf(order->error, sizeof(order->error), "its answer is not the order");
    }
    yyjson_doc_free(doc);
}

static void ask_now(struct store_ask *ask, const struct config_store *store, struct text id,
                    struct store_order *order)
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
    error_clear(&err);
    http_answer_clear(&answer);
    free(url);
}

void store_ask_order(struct store_ask *ask, const struct config_store *store, struct text id,
                     struct store_order *order)
{
    char key[STORE_ASK_KEY_BYTES];

    *order = (struct store_order){.has = STORE_SILENT, .modified_ms = -1};
    snprintf(key, sizeof(key), "%s/%.*s", store->hash, (int)id.length, id.data);
    if (recall(ask->group, key, order))
        return;
    if (store->token == NULL)
        snprintf(order->error, sizeof(order->error), "its token_file cannot be read");
    else if (wait_turn(ask->group) != 0)
        snprintf(order->error, sizeof(order->error), "too many orders are asked for at once");
    else
        ask_now(ask, store, id, order);
    if (order->has != STORE_SILENT)
        keep(ask->group, key, order);
}
