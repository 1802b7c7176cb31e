/* infusionsoft.h - HTTP client of one Infusionsoft account (the product is sold as Keap today):
 * REST API v2. Requests, credential, quota, and what an answer means: one outcome per call, decided
 * here and nowhere else. A client belongs to one thread. Used by pusher and inspector. */
#ifndef COMMON_INFUSIONSOFT_H
#define COMMON_INFUSIONSOFT_H

#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/http.h"
#include "settings/config.h"

struct infusionsoft;
struct infusionsoft_field;
struct quota;
struct quota_news;
struct token;

enum infusionsoft_outcome {
    INFUSIONSOFT_OK = 0,  /* 2xx with a readable body, or none: see infusionsoft_list() */
    INFUSIONSOFT_REFUSED, /* a 4xx about this call: no effect, and the same call never will have one
                           */
    INFUSIONSOFT_FORBIDDEN,    /* 403: permission or edition; no effect */
    INFUSIONSOFT_UNAUTHORIZED, /* 401: the credential; no effect */
    INFUSIONSOFT_THROTTLED,    /* 429: the gateway turned it away, no effect; again after wait_ms */
    INFUSIONSOFT_UNSENT,       /* it never left: no effect; temporary */
    INFUSIONSOFT_IN_DOUBT, /* it left, and no usable answer came (none, 5xx, unreadable): temporary
                              for a read, and a write may have had its effect */
};

/* The last call's answer; borrowed from the client until its next call. */
struct infusionsoft_answer {
    enum infusionsoft_outcome outcome;
    int status;         /* HTTP; 0: none */
    struct text body;   /* as it came */
    yyjson_val *root;   /* OK with a body: the document; else NULL */
    int64_t wait_ms;    /* THROTTLED: when to come again */
    int day_used_up;    /* THROTTLED: the day's quota, see wait_ms */
    struct text tenant; /* x-keap-tenant-id, or absent */
    struct error error; /* anything but OK: "infusionsoft POST /orders: HTTP 500" */
};

struct infusionsoft_settings {
    const struct config_account *account; /* keeps */
    struct http *http;                    /* keeps; shared by the clients of one thread */
    struct quota *quota;                  /* keeps; or NULL: no governor */
    struct token *token; /* keeps; auth = oauth: where access tokens come from; else NULL */
    int64_t timeout_ms;
};

/** @brief New. Free with infusionsoft_free(). */
struct infusionsoft *infusionsoft_new(const struct infusionsoft_settings *settings);
void infusionsoft_free(struct infusionsoft *client);

/** @brief When the work began that the next calls are part of (0, the default: before all): where
 * the governor lets one of several wait, what began first is finished first. */
void infusionsoft_set_since(struct infusionsoft *client, int64_t since_ms);

/**
 * @brief Waits until the governor lets one call pass and there is a credential, for
 * infusionsoft_call() to use. To be asked before ledger_begin(), so that nothing is waited for
 * between the doubt and the call. Asked twice it waits once. Where the day's quota is used up or no
 * credential is to be had, infusionsoft_call() then says so without calling.
 * @returns 0, or -1 when a stop was asked for meanwhile
 */
int infusionsoft_admit(struct infusionsoft *client);

/** @brief Takes infusionsoft_admit() back: the call is not made after all. */
void infusionsoft_dismiss(struct infusionsoft *client);

/**
 * @brief One call. A 401 under OAuth had no effect: the token is refreshed, once. A GET is then
 * repeated at once; anything else is THROTTLED with nothing to wait for, since a refresh takes time
 * and the ledger has to know when a write goes out.
 * @param path   under the API's base: "/orders"
 * @param query  encoded, without '?', see infusionsoft_append_filter(); or NULL
 * @param body   JSON, or {NULL, 0}
 * @returns the answer's outcome
 */
enum infusionsoft_outcome infusionsoft_call(struct infusionsoft *client, const char *method,
                                            const char *path, const char *query, struct text body);

/** @brief The answer of the last call. */
const struct infusionsoft_answer *infusionsoft_answer(const struct infusionsoft *client);

/**
 * @brief Whether the credential is of the configured tenant, by the last answer, one of
 * /oauth/connect/userinfo: a wrong key must not write into somebody else's account.
 * @returns 0, also when none is configured; else -1, with a permanent error where it is another
 * one's, with a temporary one where the answer does not tell
 */
int infusionsoft_check_tenant(const struct infusionsoft *client, struct error *err);

/* What a 2xx must hold (shape.c). An answer without it says nothing, least of all that
 * something is not there: its outcome becomes IN_DOUBT, with a temporary error. Every reader asks
 * these, right after the call. */

/** @brief The list of that name: objects, each with an id; next_page_token is text, null or absent.
 * @returns borrowed until the next call; NULL: the answer says nothing */
yyjson_val *infusionsoft_list(struct infusionsoft *client, const char *name);

/** @brief Id of the object that the answer is. @returns id; NULL: the answer says nothing */
const char *infusionsoft_object_id(struct infusionsoft *client, char id[32]);

/** @brief After GET /oauth/connect/userinfo: the answer is about a user. @returns OK or IN_DOUBT:
 * it says nothing; an outcome that was not OK stays */
enum infusionsoft_outcome infusionsoft_check_user(struct infusionsoft *client);

/** @brief Something that the caller needs is not in the answer. missing: "without a sku".
 * @returns IN_DOUBT */
enum infusionsoft_outcome infusionsoft_says_nothing(struct infusionsoft *client,
                                                    const char *missing);

/** @brief infusionsoft_find_field()'s reading of the last answer. */
enum infusionsoft_outcome infusionsoft_read_field(struct infusionsoft *client,
                                                  struct infusionsoft_field *field);

/** @brief What the last answer's headers say about the quota. Of minute and tenant the one that
 * leaves less counts. */
void infusionsoft_read_quota(const struct infusionsoft *client, struct quota_news *news);

/** @brief An answer that came by another way than HTTP becomes the last call's: for tests. */
void infusionsoft_feed(struct infusionsoft *client, const char *request, int status,
                       struct text headers, struct text body);

/** @brief Calls made so far, repeats included. */
int64_t infusionsoft_call_count(const struct infusionsoft *client);

/** @brief Appends `filter=<field>==<value>` percent-encoded; prefix: `<value>*`. */
void infusionsoft_append_filter(struct buffer *query, const char *field, struct text value,
                                int prefix);

/**
 * @brief The answer's body for people and records: at most size - 1 bytes on one line, control
 * characters and whatever holds an '@' taken out.
 * @returns target
 */
char *infusionsoft_answer_text(char *target, size_t size, struct text body);

/** @brief An object's member id, a string or a whole number (ids are strings, yet not everywhere);
 * "" when absent. */
const char *infusionsoft_id(yyjson_val *object, char target[32]);

/* What the account must have before orders are written: a TEXT order custom field for the external
 * key. */
#define INFUSIONSOFT_FIELD_LABEL "BigCommerce Order"

struct infusionsoft_field {
    char id[32];   /* "": there is none */
    char name[64]; /* for filters */
};

/** @brief Looks for the custom field of the external key. The outcome is OK also when there is
 * none. */
enum infusionsoft_outcome infusionsoft_find_field(struct infusionsoft *client,
                                                  struct infusionsoft_field *field);

#endif
