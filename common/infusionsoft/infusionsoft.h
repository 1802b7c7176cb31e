/* infusionsoft.h - client of one Infusionsoft account (the product is sold as Keap today), REST API
 * v2. It adds the credential, keeps to the quota, and decides what an answer means: each call has
 * one outcome, and only this module decides it. A client belongs to one thread. Used by pusher and
 * inspector. */
#ifndef COMMON_INFUSIONSOFT_H
#define COMMON_INFUSIONSOFT_H

#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/http.h"
#include "record/topic.h"
#include "settings/config.h"

struct infusionsoft;
struct infusionsoft_field;
struct quota;
struct quota_news;
struct token;

enum infusionsoft_outcome {
    INFUSIONSOFT_OK = 0,       /* 2xx with a body that can be read, or without one: see
                                  infusionsoft_list() */
    INFUSIONSOFT_REFUSED,      /* a 4xx about this call: it had no effect, and the same call never
                                  will */
    INFUSIONSOFT_FORBIDDEN,    /* 403: a permission or the account's edition does not allow it;
                                  no effect */
    INFUSIONSOFT_UNAUTHORIZED, /* 401: the credential is refused; no effect */
    INFUSIONSOFT_THROTTLED,    /* 429: the gateway refused it, no effect; try again after wait_ms */
    INFUSIONSOFT_UNSENT,       /* the request was not sent, for example because no connection could
                                  be made. It had no effect and may be sent later */
    INFUSIONSOFT_IN_DOUBT,     /* the request was sent, but no usable answer came (none, 5xx,
                                  unreadable). A read may be repeated; a write may have had its
                                  effect */
};

/* The answer of the last call; borrowed from the client until its next call. */
struct infusionsoft_answer {
    enum infusionsoft_outcome outcome;
    int status;         /* HTTP status; 0: none */
    struct text body;   /* as it came */
    yyjson_val *root;   /* OK with a body: the document; else NULL */
    int64_t wait_ms;    /* THROTTLED: how long to wait */
    int day_used_up;    /* THROTTLED: 1: the day's quota is used up, until wait_ms has passed */
    int lane_used_up;   /* THROTTLED by the governor: the lane may make no more calls on this day */
    struct text tenant; /* x-keap-tenant-id, or absent */
    struct text date;   /* Date, or absent */
    struct error error; /* anything but OK: "infusionsoft POST /orders: HTTP 500" */
};

struct infusionsoft_settings {
    const struct config_account *account; /* keeps */
    struct http *http;                    /* keeps; the clients of one thread share it */
    struct quota *quota;                  /* keeps; or NULL: no governor */
    struct token *token; /* keeps; where access tokens come from with auth = oauth, else NULL */
    int64_t timeout_ms;
};

/** @brief New. Free with infusionsoft_free(). */
struct infusionsoft *infusionsoft_new(const struct infusionsoft_settings *settings);
void infusionsoft_free(struct infusionsoft *client);

/** @brief Sets the time when the work began that the next calls are part of (0, the default: before
 * all others), its lane, and the store that it is for, as a number. Where several callers wait for the
 * governor, lanes go in the order of their list, stores take turns, and of a store the one whose work began first goes first. */
void infusionsoft_set_since(struct infusionsoft *client, int64_t since_ms, enum topic_lane lane,
                            uint32_t flow);

/** @brief Sets the trace that the next calls are part of: they have a header traceparent, each with
 * a span id of its own. {NULL, 0}, the default: they have none. Kept until the next call of this
 * function. */
void infusionsoft_set_trace(struct infusionsoft *client, struct text traceparent);

/**
 * @brief Waits until the governor allows one call and there is a credential. infusionsoft_call()
 * then uses both.
 *
 * Call this before ledger_begin(), so that nothing has to be waited for between the begin and the
 * call itself. A second call of this function waits no second time. Where the day's quota is used
 * up or there is no credential, the next infusionsoft_call() says so and calls nothing.
 * @returns 0, or -1 when a stop was asked for meanwhile
 */
int infusionsoft_admit(struct infusionsoft *client);

/** @brief Undoes infusionsoft_admit(): the call will not be made. */
void infusionsoft_dismiss(struct infusionsoft *client);

/**
 * @brief Makes one call. After a 401 under OAuth, which had no effect, the token is refreshed once.
 * A GET is then repeated at once. Any other call is THROTTLED with wait_ms 0: a refresh takes time,
 * and the ledger has to know when a write is sent.
 * @param path   below the base of the API: "/orders"
 * @param query  encoded, without '?', see infusionsoft_append_filter(); or NULL
 * @param body   JSON, or {NULL, 0}
 * @returns the answer's outcome
 */
enum infusionsoft_outcome infusionsoft_call(struct infusionsoft *client, const char *method,
                                            const char *path, const char *query, struct text body);

/** @brief The answer of the last call. */
const struct infusionsoft_answer *infusionsoft_answer(const struct infusionsoft *client);

/**
 * @brief Whether the credential belongs to the configured tenant. The last call must have been
 * /oauth/connect/userinfo. This keeps a wrong key from writing into somebody else's account.
 * @returns 0, also when no tenant is configured; -1 with a permanent error where it is another
 * tenant, with a temporary one where the answer does not say
 */
int infusionsoft_check_tenant(const struct infusionsoft *client, struct error *err);

/* The next functions check what a 2xx must hold (shape.c). Each reader calls one right after the
 * call. An answer without it does not say that something does not exist: its outcome becomes
 * IN_DOUBT, with a temporary error. */

/**
 * @brief The list of that name: objects that each have an id; next_page_token is text, null or
 * absent.
 * @returns borrowed until the next call; NULL: the answer does not hold it
 */
yyjson_val *infusionsoft_list(struct infusionsoft *client, const char *name);

/** @brief The id of the object that was answered. @returns the id; NULL: the answer does not hold
 * one */
const char *infusionsoft_object_id(struct infusionsoft *client, char id[32]);

/**
 * @brief To be called after GET /oauth/connect/userinfo: whether the answer is about a user.
 * @returns OK, or IN_DOUBT where it is not; any other outcome of the call stays
 */
enum infusionsoft_outcome infusionsoft_check_user(struct infusionsoft *client);

/**
 * @brief Says that something which the caller needs is missing in the answer. missing: "without a
 * sku".
 * @returns IN_DOUBT
 */
enum infusionsoft_outcome infusionsoft_says_nothing(struct infusionsoft *client,
                                                    const char *missing);

/** @brief The part of infusionsoft_find_field() that reads the last answer, for any label. */
enum infusionsoft_outcome infusionsoft_read_field(struct infusionsoft *client, const char *label,
                                                  struct infusionsoft_field *field);

/** @brief What the headers of the last answer say about the quota. Of the limits of the minute and
 * of the tenant, the one that leaves less is used. */
void infusionsoft_read_quota(const struct infusionsoft *client, struct quota_news *news);

/** @brief For tests: takes an answer that did not come by HTTP as that of the last call. */
void infusionsoft_feed(struct infusionsoft *client, const char *request, int status,
                       struct text headers, struct text body);

/** @brief How many calls were made so far, including repeated ones. */
int64_t infusionsoft_call_count(const struct infusionsoft *client);

/** @brief Appends `filter=<field>==<value>` percent-encoded. With prefix set, the value is
 * `<value>*`. */
void infusionsoft_append_filter(struct buffer *query, const char *field, struct text value,
                                int prefix);

/** @brief What may be said of the last answer to anybody: the HTTP status, and the vendor's word for
 * the error where the answer has one, and with a status from 300 on those names of our own members that
 * it holds: "HTTP 500 INTERNAL", "HTTP 400 INVALID_ARGUMENT fields=line1", or "no answer". It repeats
 * nothing else of the answer, so it holds nothing about a person. @returns target */
char *infusionsoft_answer_word(const struct infusionsoft *client, char *target, size_t size);

/** @brief Whether a text can be an id of the account: 1 to 20 digits. Ids are put into paths and
 * bodies, and are compared as numbers, so nothing else is taken for one, from wherever it comes. */
int infusionsoft_is_id(const char *text, size_t length);

/** @brief The id of an object as text: the API has strings, but whole numbers in some places. ""
 * when absent. */
const char *infusionsoft_id(yyjson_val *object, char target[32]);

/* The order custom field of type TEXT that holds the external key. The account must have it before
 * orders are written. */
#define INFUSIONSOFT_FIELD_LABEL CONFIG_KEY_FIELD

struct infusionsoft_field {
    char id[32];   /* "": the account has no such field */
    char name[64]; /* name of the field in filters */
};

/** @brief Looks for the custom field of the external key. The outcome is OK also when the account
 * has none. */
enum infusionsoft_outcome infusionsoft_find_field(struct infusionsoft *client,
                                                  struct infusionsoft_field *field);

#endif
