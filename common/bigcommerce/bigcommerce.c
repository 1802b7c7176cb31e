#include "bigcommerce/bigcommerce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/retry.h"
#include "base/text.h"
#include "net/health.h"
#include "net/http.h"

enum {
    TIMEOUT_MAX_MS = 30000,
    ANSWER_MAX_BYTES = 32 << 20,
    /* What is parsed as a whole takes up to nine times its bytes then. */
    PARSED_MAX_BYTES = 4 << 20,
    HALF_SECOND_MS = 500,
};

#define INCLUDES "include=consignments.line_items,fees&consignment_structure=object"

struct bigcommerce {
    const struct config_store *store;
    struct http *http;
    struct http_answer answer;
    struct buffer url;
    size_t base_length;  /* of the part of url that stands before the path */
    int64_t timeout_ms;  /* the longest time that a request may ever take */
    int64_t limit_ms;    /* how long the next requests may take */
    int throttled;       /* answers 429 in a row */
    int64_t ready_at_ms; /* monotonic: no request is sent before */
    struct bigcommerce_clock clock;
    int scarce;          /* whether the last answer said that little is left of the quota */
    int64_t whole_at_ms; /* monotonic: when the window of the last answer ends */
    struct metric *requests;
    struct metric *failures;
    struct metric *throttles;
    struct metric *quota_left, *quota_limit; /* NULL before an answer tells them */
    struct metric *clock_skew;               /* the same */
};

int64_t bigcommerce_timeout_ms(int64_t lease_ms)
{
    int64_t timeout_ms = lease_ms * 3 / 5;

    return timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;
}

struct bigcommerce *bigcommerce_new(const struct config_store *store,
                                    const struct http_settings *http, int64_t timeout_ms)
{
    struct bigcommerce *client = mem_alloc(sizeof(*client));
    char *label = mem_printf("store=\"%s\"", store->hash);

    client->store = store;
    client->timeout_ms = client->limit_ms = timeout_ms;
    client->http = http_new("bigcommerce", http);
    client->requests =
        metric_counter("bigfusion_store_requests_total", "Requests sent to the store", label);
    client->failures =
        metric_counter("bigfusion_store_failures_total", "Requests without a usable answer", label);
    client->throttles =
        metric_counter("bigfusion_store_throttled_total", "Answers 429 of the store", label);
    free(label);
    return client;
}

void bigcommerce_free(struct bigcommerce *client)
{
    if (client == NULL)
        return;
    http_free(client->http);
    http_answer_clear(&client->answer);
    buffer_clear(&client->url);
    free(client);
}

int64_t bigcommerce_requests_left(const struct bigcommerce *client)
{
    return client->quota_left != NULL ? metric_value(client->quota_left) : -1;
}

static struct metric *store_gauge(const struct bigcommerce *client, const char *name,
                                  const char *help)
{
    char labels[128];

    snprintf(labels, sizeof(labels), "store=\"%.80s\"", client->store->hash);
    return metric_gauge(name, help, labels);
}

/* Shows what is left of the store's quota. Nothing is shown of what no answer told. */
static void show_quota(struct bigcommerce *client, const struct bigcommerce_quota *quota)
{
    if (quota->left < 0 || quota->quota <= 0)
        return;
    if (client->quota_left == NULL) {
        client->quota_left = store_gauge(client, "bigfusion_store_quota_left",
                                         "Requests that the store still allows in its window");
        client->quota_limit = store_gauge(client, "bigfusion_store_quota_limit",
                                          "Requests that the store allows in its window");
    }
    metric_set(client->quota_left, quota->left);
    metric_set(client->quota_limit, quota->quota);
}

/* Shows how far the store's clock is ahead of ours. Its header is in whole seconds, so on average
 * it is half a second behind. Proxies answer mostly with 5xx, and their clock is not the store's.
 */
static void show_clock(struct bigcommerce *client, int64_t date_ms)
{
    char labels[128];

    if (client->answer.status >= 500)
        return;
    snprintf(labels, sizeof(labels), "store=\"%.80s\"", client->store->hash);
    if (client->clock_skew == NULL)
        client->clock_skew = metric_gauge_ms("bigfusion_store_clock_skew_seconds",
                                             "How far the store's clock is ahead of ours", labels);
    metric_set(client->clock_skew, date_ms + HALF_SECOND_MS - clock_now_ms());
}

/* Reads what the headers say about the quota, which every answer may tell whatever its status is,
 * and about the store's clock. */
static void read_headers(struct bigcommerce *client)
{
    const struct http_answer *answer = &client->answer;
    struct bigcommerce_quota quota;
    int64_t date_ms, now_ms = clock_monotonic_ms();

    bigcommerce_read_quota(answer, &quota);
    client->throttled = answer->status == 429 ? client->throttled + 1 : 0;
    client->ready_at_ms =
        now_ms + bigcommerce_quota_pause_ms(&quota, client->throttled, retry_chance());
    client->scarce = bigcommerce_quota_is_scarce(&quota);
    client->whole_at_ms = now_ms + (quota.reset_ms > 0 ? quota.reset_ms : 0);
    show_quota(client, &quota);
    if (date_parse_rfc2822(http_answer_header(answer, "Date"), &date_ms) == 0) {
        bigcommerce_clock_learn(&client->clock, answer->status, date_ms - now_ms);
        show_clock(client, date_ms);
    }
}

static int begins_with(struct text body, enum bigcommerce_shape shape)
{
    body = text_trim(body);
    return body.length > 0 && body.data[0] == (char)shape;
}

enum bigcommerce_answer bigcommerce_classify(int status, struct text body,
                                             enum bigcommerce_shape shape)
{
    if ((status == 200 && begins_with(body, shape)) || (status == 204 && shape == BIGCOMMERCE_LIST))
        return BIGCOMMERCE_OK;
    /* None of these is an answer to our request. If one were taken for an empty list, the position
     * would jump over orders that were not read yet. */
    if ((status >= 200 && status < 300) || status == 304)
        return BIGCOMMERCE_TROUBLE;
    if (status == 429)
        return BIGCOMMERCE_THROTTLED;
    if (status == 401 || status == 403)
        return BIGCOMMERCE_CLOSED;
    if (status == 404)
        return BIGCOMMERCE_GONE;
    if (status == 413)
        return BIGCOMMERCE_TOO_LARGE;
    if (status == 503)
        return BIGCOMMERCE_UNAVAILABLE;
    if (status == 408 || status == 423 || status >= 500)
        return BIGCOMMERCE_TROUBLE;
    return BIGCOMMERCE_REFUSED;
}

/* Puts the name of the request, without its query, before the error's text: "bigcommerce GET
 * /v2/orders: ". */
static void name_request(const struct bigcommerce *client, struct error *err)
{
    const char *path = client->url.data + client->base_length;

    error_prefix(err, "bigcommerce GET %.*s: ", (int)strcspn(path, "?"), path);
}

/* Says in err why an answer that came whole is of no use. */
static void tell_why(const struct bigcommerce *client, enum bigcommerce_answer meaning,
                     enum bigcommerce_shape shape, struct error *err)
{
    int status = client->answer.status;
    const char *missing = status != 200 && status != 204 ? ""
                          : shape == BIGCOMMERCE_LIST    ? " without a list"
                                                         : " without an object";

    error_set(err,
              meaning == BIGCOMMERCE_REFUSED || meaning == BIGCOMMERCE_GONE ? ERROR_PERMANENT
                                                                            : ERROR_TEMPORARY,
              "HTTP %d%s", status, missing);
    name_request(client, err);
}

/* What a request asks for: a word for its path. */
static const char *object_of(const char *path, size_t length)
{
    static const char *const words[][2] = {{"/v2/time", "time"},
                                           {"/v2/store", "store"},
                                           {"/v2/orders", "orders"},
                                           {"/v3/customers", "customers"},
                                           {"/v3/catalog/products", "products"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (text_is((struct text){path, length}, words[i][0]))
            return words[i][1];
    return memchr(path + 11, '/', length - 11) != NULL ? "order_part" : "order";
}

/* Counts how long a request took, by what it asked for. */
static void measure_request(const struct bigcommerce *client)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const char *path = client->url.data + client->base_length;
    const char *object = object_of(path, strcspn(path, "?"));
    int status = client->answer.status;
    char labels[128];

    snprintf(labels, sizeof(labels), "object=\"%s\",status=\"%s\"", object,
             status == 429                   ? "429"
             : status >= 100 && status < 600 ? classes[status / 100]
                                             : "none");
    metric_observe_ms(metric_histogram("bigfusion_bigcommerce_request_seconds",
                                       "Time of requests to the stores until their answer was "
                                       "whole",
                                       labels, &metric_buckets_call),
                      client->answer.elapsed_ms);
}

/* Sends GET for client->url. */
static enum bigcommerce_answer ask(struct bigcommerce *client, enum bigcommerce_shape shape,
                                   size_t max_bytes, struct text *body, struct error *err)
{
    const struct http_header headers[] = {
        {"X-Auth-Token", client->store->token},
        {"Accept", "application/json"},
    };
    const struct http_request request = {
        .method = "GET",
        .url = client->url.data,
        .headers = headers,
        .header_count = 2,
        .timeout_ms = client->limit_ms,
        .max_answer_bytes = max_bytes < ANSWER_MAX_BYTES ? max_bytes : ANSWER_MAX_BYTES,
    };
    enum bigcommerce_answer meaning;
    struct text came;
    int rc;

    *body = (struct text){NULL, 0};
    metric_add(client->requests, 1);
    rc = http_perform(client->http, &request, &client->answer, err);
    measure_request(client);
    came = (struct text){client->answer.body.data, client->answer.body.length};
    if (rc != 0) {
        metric_add(client->failures, 1);
        name_request(client, err);
        /* A long page of a proxy, or long headers, tell nothing about an order. */
        return client->answer.too_large && begins_with(came, shape) ? BIGCOMMERCE_TOO_LARGE
                                                                    : BIGCOMMERCE_TROUBLE;
    }
    read_headers(client);
    meaning = bigcommerce_classify(client->answer.status, came, shape);
    if (meaning == BIGCOMMERCE_OK) {
        if (client->answer.status == 200)
            *body = came;
        return meaning;
    }
    metric_add(meaning == BIGCOMMERCE_THROTTLED ? client->throttles : client->failures, 1);
    tell_why(client, meaning, shape, err);
    return meaning;
}

static void begin_url_of(struct bigcommerce *client, const char *version)
{
    buffer_reset(&client->url);
    buffer_printf(&client->url, "%s/stores/%s", client->store->api_url, client->store->hash);
    client->base_length = client->url.length;
    buffer_printf(&client->url, "%s", version);
}

static void begin_url(struct bigcommerce *client) { begin_url_of(client, "/v2"); }

enum bigcommerce_answer bigcommerce_orders(struct bigcommerce *client,
                                           const struct cursor_query *query, int slim,
                                           struct text *body, struct error *err)
{
    char date[DATE_ISO_BYTES];

    begin_url(client);
    buffer_printf(&client->url, "/orders?max_date_modified=%s",
                  date_print_iso(date, query->max_ms));
    if (query->min_ms >= 0)
        buffer_printf(&client->url, "&min_date_modified=%s", date_print_iso(date, query->min_ms));
    if (query->min_id >= 0)
        buffer_printf(&client->url, "&min_id=%lld", (long long)query->min_id);
    buffer_printf(&client->url, "&sort=%s&page=%d&limit=%d%s",
                  query->by_id ? "id:asc" : "date_modified:asc", query->page, query->limit,
                  slim ? "" : "&" INCLUDES);
    return ask(client, BIGCOMMERCE_LIST, ANSWER_MAX_BYTES, body, err);
}

enum bigcommerce_answer bigcommerce_newest(struct bigcommerce *client, int page, int limit,
                                           struct text *body, struct error *err)
{
    begin_url(client);
    buffer_printf(&client->url, "/orders?sort=id:desc&page=%d&limit=%d&" INCLUDES, page, limit);
    return ask(client, BIGCOMMERCE_LIST, ANSWER_MAX_BYTES, body, err);
}

static void begin_placed(struct bigcommerce *client, const struct cursor_query *query)
{
    char date[DATE_ISO_BYTES];

    begin_url(client);
    buffer_printf(&client->url, "/orders?max_date_created=%s", date_print_iso(date, query->max_ms));
    if (query->min_ms >= 0)
        buffer_printf(&client->url, "&min_date_created=%s", date_print_iso(date, query->min_ms));
}

enum bigcommerce_answer bigcommerce_placed(struct bigcommerce *client,
                                           const struct cursor_query *query, int slim,
                                           struct text *body, struct error *err)
{
    begin_placed(client, query);
    if (query->min_id >= 0)
        buffer_printf(&client->url, "&min_id=%lld", (long long)query->min_id);
    buffer_printf(&client->url, "&sort=id:asc&page=%d&limit=%d%s", query->page, query->limit,
                  slim ? "" : "&" INCLUDES);
    return ask(client, BIGCOMMERCE_LIST, ANSWER_MAX_BYTES, body, err);
}

enum bigcommerce_answer bigcommerce_placed_last(struct bigcommerce *client,
                                                const struct cursor_query *query, struct text *body,
                                                struct error *err)
{
    begin_placed(client, query);
    buffer_printf(&client->url, "&sort=id:desc&page=1&limit=1");
    return ask(client, BIGCOMMERCE_LIST, ANSWER_MAX_BYTES, body, err);
}

enum bigcommerce_answer bigcommerce_order(struct bigcommerce *client, int64_t id, size_t max_bytes,
                                          struct text *body, struct error *err)
{
    begin_url(client);
    buffer_printf(&client->url, "/orders/%lld?" INCLUDES, (long long)id);
    return ask(client, BIGCOMMERCE_OBJECT, max_bytes, body, err);
}

enum bigcommerce_answer bigcommerce_part(struct bigcommerce *client, int64_t id, const char *what,
                                         int page, size_t max_bytes, struct text *body,
                                         struct error *err)
{
    begin_url(client);
    buffer_printf(&client->url, "/orders/%lld/%s?page=%d&limit=%d", (long long)id, what, page,
                  BIGCOMMERCE_LINES_MAX);
    return ask(client, BIGCOMMERCE_LIST, max_bytes, body, err);
}

enum bigcommerce_answer bigcommerce_catalog(struct bigcommerce *client, int64_t after_id, int limit,
                                            int slim, struct text *body, struct error *err)
{
    begin_url_of(client, "/v3");
    buffer_printf(&client->url,
                  "/catalog/products?id:greater=%lld&sort=id&direction=asc&limit=%d&%s",
                  (long long)after_id, limit,
                  slim ? "include_fields=name"
                       : "include=variants&include_fields=name,sku,price,description");
    return ask(client, BIGCOMMERCE_OBJECT, PARSED_MAX_BYTES, body, err);
}

/* The dates are sent as they are: encoded colons were reported not to match. */
enum bigcommerce_answer bigcommerce_customers(struct bigcommerce *client,
                                              const struct cursor_query *query, struct text after,
                                              int limit, int slim, struct text *body,
                                              struct error *err)
{
    char date[DATE_ISO_BYTES];

    begin_url_of(client, "/v3");
    buffer_printf(&client->url, "/customers?%slimit=%d&date_modified:max=%s",
                  slim ? "" : "include=addresses&", limit, date_print_iso(date, query->max_ms));
    if (query->min_ms > 0)
        buffer_printf(&client->url, "&date_modified:min=%s", date_print_iso(date, query->min_ms));
    if (after.length > 0) {
        buffer_printf(&client->url, "&after=");
        http_append_escaped(&client->url, after);
    }
    return ask(client, BIGCOMMERCE_OBJECT, PARSED_MAX_BYTES, body, err);
}

enum bigcommerce_answer bigcommerce_groups(struct bigcommerce *client, int page, struct text *body,
                                           struct error *err)
{
    begin_url(client);
    buffer_printf(&client->url, "/customer_groups?page=%d&limit=%d", page, BIGCOMMERCE_LINES_MAX);
    return ask(client, BIGCOMMERCE_LIST, PARSED_MAX_BYTES, body, err);
}

enum bigcommerce_answer bigcommerce_store(struct bigcommerce *client, struct text *body,
                                          struct error *err)
{
    begin_url(client);
    buffer_printf(&client->url, "/store");
    return ask(client, BIGCOMMERCE_OBJECT, PARSED_MAX_BYTES, body, err);
}

enum bigcommerce_answer bigcommerce_time(struct bigcommerce *client, struct error *err)
{
    struct text body;
    enum bigcommerce_answer answer;
    int64_t time_ms;

    begin_url(client);
    buffer_printf(&client->url, "/time");
    client->clock.known = 0;
    answer = ask(client, BIGCOMMERCE_OBJECT, ANSWER_MAX_BYTES, &body, err);
    if (client->clock.known || answer != BIGCOMMERCE_OK)
        return answer;
    if (bigcommerce_read_time(body, &time_ms) == 0)
        bigcommerce_clock_learn(&client->clock, client->answer.status,
                                time_ms - clock_monotonic_ms());
    if (client->clock.known)
        return BIGCOMMERCE_OK;
    error_set(err, ERROR_TEMPORARY, "no answer tells the store's clock");
    return BIGCOMMERCE_TROUBLE;
}

int64_t bigcommerce_clock_ms(const struct bigcommerce *client)
{
    return client->clock.known ? clock_monotonic_ms() + bigcommerce_clock_lead_ms(&client->clock)
                               : -1;
}

int64_t bigcommerce_pause_ms(const struct bigcommerce *client)
{
    int64_t pause_ms = client->ready_at_ms - clock_monotonic_ms();

    return pause_ms > 0 ? pause_ms : 0;
}

int bigcommerce_is_scarce(const struct bigcommerce *client) { return client->scarce; }

int64_t bigcommerce_scarce_ms(const struct bigcommerce *client)
{
    int64_t left_ms = client->whole_at_ms - clock_monotonic_ms();

    if (!client->scarce)
        return 0;
    return left_ms > 0 ? left_ms : 1;
}

void bigcommerce_limit_ms(struct bigcommerce *client, int64_t limit_ms)
{
    client->limit_ms =
        limit_ms > 0 && limit_ms < client->timeout_ms ? limit_ms : client->timeout_ms;
}

int bigcommerce_status(const struct bigcommerce *client) { return client->answer.status; }

void bigcommerce_take_body(struct bigcommerce *client, struct buffer *target)
{
    struct buffer mine = *target;

    *target = client->answer.body;
    client->answer.body = mine;
}
