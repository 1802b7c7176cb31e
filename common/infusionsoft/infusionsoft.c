#include "infusionsoft/infusionsoft.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/stop.h"
#include "infusionsoft/measure.h"
#include "infusionsoft/quota.h"
#include "infusionsoft/token.h"
#include "record/trace.h"

enum {
    ANSWER_MAX_BYTES = 8 * 1024 * 1024,
    SPIKE_WAIT_MS = 300,          /* wait after a 429 for too many calls at once */
    MINUTE_WAIT_MS = 3000,        /* wait after a 429 for too many calls in the last minute */
    DAY_WAIT_MS = 15 * 60 * 1000, /* wait when the day's quota is used up and no header says how
                                     long */
    WAIT_MAX_MS = 60 * 60 * 1000,
};

struct infusionsoft {
    struct infusionsoft_settings settings;
    struct http_answer http_answer;
    struct infusionsoft_answer answer;
    yyjson_doc *doc;
    struct buffer url;
    struct buffer request;    /* "POST /orders", for people */
    struct buffer credential; /* value of the header with the credential; secret */
    int admitted;             /* infusionsoft_admit() was called: the next members are about
                                   the next call */
    int64_t quota_id;         /* id of the call at the governor; 0: there is no governor */
    int64_t refused_wait_ms;  /* > 0: the governor allows no call for so long */
    enum quota_answer refused_as;
    struct error no_credential; /* set where no credential can be had */
    int renewed;                /* the token was just refreshed: another 401 is not about an old
                                   token */
    int64_t since_ms;
    enum topic_lane lane;
    uint32_t flow;
    int64_t call_count;
    struct text trace; /* the header traceparent of the work that the calls are part of */
};

struct infusionsoft *infusionsoft_new(const struct infusionsoft_settings *settings)
{
    struct infusionsoft *client = mem_alloc(sizeof(*client));

    client->settings = *settings;
    return client;
}

void infusionsoft_free(struct infusionsoft *client)
{
    if (client == NULL)
        return;
    if (client->credential.data != NULL)
        explicit_bzero(client->credential.data, client->credential.length);
    yyjson_doc_free(client->doc);
    http_answer_clear(&client->http_answer);
    buffer_clear(&client->url);
    buffer_clear(&client->request);
    buffer_clear(&client->credential);
    free(client);
}

const struct infusionsoft_answer *infusionsoft_answer(const struct infusionsoft *client)
{
    return &client->answer;
}

void infusionsoft_set_since(struct infusionsoft *client, int64_t since_ms, enum topic_lane lane,
                            uint32_t flow)
{
    client->lane = lane;
    client->since_ms = since_ms;
    client->flow = flow;
    client->renewed = 0; /* a call of earlier work may have ended without an answer */
}

void infusionsoft_set_trace(struct infusionsoft *client, struct text traceparent)
{
    client->trace = traceparent;
}

int64_t infusionsoft_call_count(const struct infusionsoft *client) { return client->call_count; }

/* Writes the credential into the client. -1: there is none now. */
static int load_credential(struct infusionsoft *client, struct error *err)
{
    const struct config_account *account = client->settings.account;

    if (client->settings.token != NULL) {
        buffer_reset(&client->credential);
        buffer_printf(&client->credential, "Bearer ");
        return token_current(client->settings.token, &client->credential, err);
    }
    if (client->credential.length == 0)
        buffer_printf(&client->credential, "%s%s",
                      account->key_header == KEY_HEADER_BEARER ? "Bearer " : "", account->key);
    return 0;
}

int infusionsoft_admit(struct infusionsoft *client)
{
    if (client->admitted)
        return 0;
    client->quota_id = client->refused_wait_ms = 0;
    error_clear(&client->no_credential);
    if (load_credential(client, &client->no_credential) == 0 && client->settings.quota != NULL) {
        int64_t id = 0, wait_ms = 0;

        client->refused_as = quota_wait(client->settings.quota, client->lane, client->since_ms,
                                        client->flow, &id, &wait_ms);
        switch (client->refused_as) {
        case QUOTA_GO:
            client->quota_id = id;
            break;
        case QUOTA_DAY_USED_UP:
        case QUOTA_LANE_USED_UP:
        case QUOTA_PAUSED:
            client->refused_wait_ms = wait_ms;
            break;
        default:
            return -1;
        }
    }
    client->admitted = 1;
    return 0;
}

void infusionsoft_dismiss(struct infusionsoft *client)
{
    if (client->quota_id != 0)
        quota_give_back(client->settings.quota, client->quota_id);
    client->quota_id = 0;
    client->admitted = 0;
}

enum window { WINDOW_MINUTE, WINDOW_DAY };

/* The number at the beginning of a header's value, or -1. A value may be blank, or hold two windows
 * as "minute|day"; `window` says which one is wanted. */
static int64_t header_number(const struct http_answer *answer, const char *name, enum window window)
{
    struct text value = http_answer_header(answer, name);
    const char *bar = value.length > 0 ? memchr(value.data, '|', value.length) : NULL;
    int64_t number = -1;

    if (bar != NULL && window == WINDOW_DAY) {
        value.length -= (size_t)(bar + 1 - value.data);
        value.data = bar + 1;
    }
    for (size_t i = 0; i < value.length && isdigit((unsigned char)value.data[i]) && i < 15; i++)
        number = (number < 0 ? 0 : number) * 10 + (value.data[i] - '0');
    return number;
}

/* How long to wait after a 429: what the server asks for, else what its counters say, else a guess
 * from its body. */
static void read_throttle(struct infusionsoft *client)
{
    const struct http_answer *http = &client->http_answer;
    struct infusionsoft_answer *answer = &client->answer;
    int64_t retry_after_s = header_number(http, "Retry-After", WINDOW_MINUTE);
    int64_t day = header_number(http, "x-keap-product-quota-available", WINDOW_DAY);
    int64_t minute = header_number(http, "x-keap-product-throttle-available", WINDOW_MINUTE);
    int64_t tenant = header_number(http, "x-keap-tenant-throttle-available", WINDOW_MINUTE);
    struct retry_policy jitter = {0, SPIKE_WAIT_MS, SPIKE_WAIT_MS};

    if (day == 0) {
        int64_t expiry = header_number(http, "x-keap-product-quota-expiry-time", WINDOW_DAY);

        if (expiry > 0 && expiry < INT64_C(100000000000))
            expiry *= 1000; /* the header is in seconds */
        answer->day_used_up = 1;
        answer->wait_ms = expiry > 0 ? expiry - clock_now_ms() : DAY_WAIT_MS;
        if (answer->wait_ms < 1000)
            answer->wait_ms = 1000;
    } else if (retry_after_s >= 0) {
        answer->wait_ms = retry_after_s * 1000;
    } else if (minute == 0 || tenant == 0) {
        answer->wait_ms = MINUTE_WAIT_MS;
    } else {
        answer->wait_ms = SPIKE_WAIT_MS;
    }
    if (answer->wait_ms > WAIT_MAX_MS)
        answer->wait_ms = WAIT_MAX_MS;
    answer->wait_ms += retry_delay_ms(&jitter, 1, retry_chance(), -1);
}

void infusionsoft_read_quota(const struct infusionsoft *client, struct quota_news *news)
{
    const struct http_answer *http = &client->http_answer;
    int64_t tenant = -1;

    *news = (struct quota_news){-1, -1, -1, -1, 0};
    if (client->answer.status != 0) {
        news->minute_limit = header_number(http, "x-keap-product-throttle-limit", WINDOW_MINUTE);
        news->minute_available =
            header_number(http, "x-keap-product-throttle-available", WINDOW_MINUTE);
        news->day_limit = header_number(http, "x-keap-product-quota-limit", WINDOW_DAY);
        news->day_available = header_number(http, "x-keap-product-quota-available", WINDOW_DAY);
        tenant = header_number(http, "x-keap-tenant-throttle-available", WINDOW_MINUTE);
    }
    if (tenant >= 0 && (news->minute_available < 0 || tenant < news->minute_available)) {
        news->minute_limit = header_number(http, "x-keap-tenant-throttle-limit", WINDOW_MINUTE);
        news->minute_available = tenant;
    }
    if (client->answer.outcome == INFUSIONSOFT_THROTTLED && !client->answer.day_used_up)
        news->pause_ms = client->answer.wait_ms;
}

/* Tells the governor that the call has ended and what the headers say about the quota. */
static void report_quota(struct infusionsoft *client)
{
    struct quota_news news;

    if (client->quota_id == 0)
        return;
    infusionsoft_read_quota(client, &news);
    quota_done(client->settings.quota, client->quota_id, &news);
    client->quota_id = 0;
}

/* What a HTTP status means for the caller, by the vendor's description of errors. */
static enum infusionsoft_outcome outcome_of_status(int status)
{
    if (status >= 200 && status < 300)
        return INFUSIONSOFT_OK;
    if (status == 401)
        return INFUSIONSOFT_UNAUTHORIZED;
    if (status == 403)
        return INFUSIONSOFT_FORBIDDEN;
    if (status == 429)
        return INFUSIONSOFT_THROTTLED;
    if (status == 408)
        return INFUSIONSOFT_IN_DOUBT;
    if ((status >= 400 && status < 500) || status == 501)
        return INFUSIONSOFT_REFUSED;
    return INFUSIONSOFT_IN_DOUBT;
}

static enum infusionsoft_outcome judge(struct infusionsoft *client)
{
    struct infusionsoft_answer *answer = &client->answer;
    yyjson_read_err read_error;
    enum infusionsoft_outcome outcome = outcome_of_status(answer->status);

    if (outcome == INFUSIONSOFT_OK && answer->body.length > 0) {
        client->doc = yyjson_read_opts((char *)(uintptr_t)answer->body.data, answer->body.length, 0,
                                       NULL, &read_error);
        if (client->doc == NULL || !yyjson_is_obj(yyjson_doc_get_root(client->doc))) {
            return infusionsoft_says_nothing(client, "with an unreadable answer");
        }
        answer->root = yyjson_doc_get_root(client->doc);
    }
    if (outcome == INFUSIONSOFT_THROTTLED)
        read_throttle(client);
    if (outcome != INFUSIONSOFT_OK)
        error_set(&answer->error,
                  outcome == INFUSIONSOFT_REFUSED || outcome == INFUSIONSOFT_FORBIDDEN
                      ? ERROR_PERMANENT
                      : ERROR_TEMPORARY,
                  "infusionsoft %s: HTTP %d", client->request.data, answer->status);
    return outcome;
}

/* Turns the HTTP answer into the client's answer. */
static enum infusionsoft_outcome take_answer(struct infusionsoft *client)
{
    struct infusionsoft_answer *answer = &client->answer;

    answer->status = client->http_answer.status;
    answer->body = (struct text){client->http_answer.body.data, client->http_answer.body.length};
    answer->tenant = http_answer_header(&client->http_answer, "x-keap-tenant-id");
    answer->date = http_answer_header(&client->http_answer, "Date");
    return judge(client);
}

static void forget_answer(struct infusionsoft *client)
{
    yyjson_doc_free(client->doc);
    client->doc = NULL;
    memset(&client->answer, 0, sizeof(client->answer));
}

/* Makes the call. infusionsoft_admit() was called before. */
static enum infusionsoft_outcome perform(struct infusionsoft *client, const char *method,
                                         const char *path, struct text body)
{
    const struct config_account *account = client->settings.account;
    struct infusionsoft_answer *answer = &client->answer;
    int own_header = client->settings.token == NULL && account->key_header == KEY_HEADER_KEAP;
    char number[24], trace[TRACE_BYTES];
    struct http_header headers[] = {
        {own_header ? "X-Keap-API-Key" : "Authorization", client->credential.data},
        {"traceparent", trace},
    };
    struct http_request request = {.method = method,
                                   .url = client->url.data,
                                   .headers = headers,
                                   .header_count = 1,
                                   .body = body,
                                   .timeout_ms = client->settings.timeout_ms,
                                   .max_answer_bytes = ANSWER_MAX_BYTES};

    int rc;

    client->call_count++;
    snprintf(number, sizeof(number), "%lld", (long long)client->call_count);
    if (trace_continue(trace, client->trace, text_of(number)) == 0)
        request.header_count++;
    rc = http_perform(client->settings.http, &request, &client->http_answer, &answer->error);
    measure_call(account->name, method, path, &client->http_answer);
    if (rc != 0) {
        error_prefix(&answer->error, "infusionsoft %s: ", client->request.data);
        return client->http_answer.sent == HTTP_NOT_SENT ? INFUSIONSOFT_UNSENT
                                                         : INFUSIONSOFT_IN_DOUBT;
    }
    return take_answer(client);
}

void infusionsoft_feed(struct infusionsoft *client, const char *request, int status,
                       struct text headers, struct text body)
{
    forget_answer(client);
    client->http_answer.status = status;
    buffer_reset(&client->request);
    buffer_reset(&client->http_answer.headers);
    buffer_reset(&client->http_answer.body);
    buffer_append(&client->request, request, strlen(request));
    buffer_append(&client->http_answer.headers, headers.data, headers.length);
    buffer_append(&client->http_answer.body, body.data, body.length);
    client->answer.outcome = take_answer(client);
}

/* Gets another token after a 401 under OAuth. @returns 0 when there is one */
static int renew_token(struct infusionsoft *client)
{
    struct text used = {client->credential.data + 7, client->credential.length - 7};
    struct error err = {0};

    if (client->renewed) { /* a new token was refused too */
        client->renewed = 0;
        return -1;
    }
    if (token_refused(client->settings.token, used, &err) != 0) {
        client->answer.error = err;
        return -1;
    }
    client->renewed = 1;
    return 0;
}

static enum infusionsoft_outcome call_once(struct infusionsoft *client, const char *method,
                                           const char *path, struct text body)
{
    struct infusionsoft_answer *answer = &client->answer;

    forget_answer(client);
    if (infusionsoft_admit(client) != 0) {
        error_set(&answer->error, ERROR_TEMPORARY, "infusionsoft %s: stopping",
                  client->request.data);
        return answer->outcome = INFUSIONSOFT_UNSENT;
    }
    client->admitted = 0;
    if (client->no_credential.kind != ERROR_NONE) {
        answer->error = client->no_credential;
        return answer->outcome = INFUSIONSOFT_UNAUTHORIZED;
    }
    if (client->refused_wait_ms > 0) {
        error_set(&answer->error, ERROR_TEMPORARY,
                  client->refused_as == QUOTA_DAY_USED_UP ? "the day's quota is used up"
                  : client->refused_as == QUOTA_LANE_USED_UP
                      ? "the lane's part of the day's quota is used up"
                      : "the account asked for a pause");
        answer->wait_ms = client->refused_wait_ms;
        answer->day_used_up = client->refused_as == QUOTA_DAY_USED_UP;
        answer->lane_used_up = client->refused_as == QUOTA_LANE_USED_UP;
        return answer->outcome = INFUSIONSOFT_THROTTLED;
    }
    answer->outcome = perform(client, method, path, body);
    report_quota(client);
    return answer->outcome;
}

enum infusionsoft_outcome infusionsoft_call(struct infusionsoft *client, const char *method,
                                            const char *path, const char *query, struct text body)
{
    struct infusionsoft_answer *answer = &client->answer;
    const char *base = client->settings.account->api_url;

    buffer_reset(&client->url);
    buffer_append(&client->url, base, strlen(base));
    buffer_append(&client->url, path, strlen(path));
    if (query != NULL) {
        buffer_append(&client->url, "?", 1);
        buffer_append(&client->url, query, strlen(query));
    }
    buffer_reset(&client->request);
    buffer_printf(&client->request, "%s %s", method, path);
    call_once(client, method, path, body);
    if (answer->status != 401 || client->settings.token == NULL) {
        if (answer->status != 0)
            client->renewed = 0;
    } else if (renew_token(client) == 0) {
        if (strcmp(method, "GET") != 0)
            return answer->outcome = INFUSIONSOFT_THROTTLED;
        call_once(client, method, path, body);
        client->renewed = 0;
    }
    return answer->outcome;
}

int infusionsoft_check_tenant(const struct infusionsoft *client, struct error *err)
{
    const struct infusionsoft_answer *answer = &client->answer;
    const struct config_account *account = client->settings.account;
    struct text tenant = answer->tenant;

    if (account->tenant == NULL || account->tenant[0] == '\0')
        return 0;
    if (tenant.length == 0)
        tenant = text_of(yyjson_get_str(yyjson_obj_get(answer->root, "tenant_id")));
    if (text_is(tenant, account->tenant))
        return 0;
    if (tenant.length == 0)
        return error_set(err, ERROR_TEMPORARY,
                         "[infusionsoft %s]: the answer does not tell whose account it is",
                         account->name);
    return error_set(err, ERROR_PERMANENT,
                     "[infusionsoft %s]: the credential is of tenant %.*s, configured is %.60s",
                     account->name, tenant.length > 60 ? 60 : (int)tenant.length, tenant.data,
                     account->tenant);
}

enum infusionsoft_outcome infusionsoft_says_nothing(struct infusionsoft *client,
                                                    const char *missing)
{
    struct infusionsoft_answer *answer = &client->answer;

    error_clear(&answer->error);
    error_set(&answer->error, ERROR_TEMPORARY, "infusionsoft %s: HTTP %d %s", client->request.data,
              answer->status, missing);
    return answer->outcome = INFUSIONSOFT_IN_DOUBT;
}

void infusionsoft_append_filter(struct buffer *query, const char *field, struct text value,
                                int prefix)
{
    buffer_printf(query, "filter=");
    http_append_escaped(query, text_of(field));
    buffer_printf(query, "%%3D%%3D");
    http_append_escaped(query, value);
    if (prefix)
        buffer_printf(query, "%%2A");
}
