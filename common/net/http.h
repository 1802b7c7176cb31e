/* http.h - HTTP client: libcurl with our defaults. A handle keeps its connections and belongs to
 * one thread. TLS is verified, redirects are not followed, answers are bounded in size and time.
 * Only a GET is ever sent twice within one call (libcurl does that where a kept connection turns
 * out to be dead). Looks at the stop flag: a running request is given up when a second has passed
 * since a stop was asked for only if its method is GET. A request that was given up does not arrive
 * later: its connection is closed with a reset, also where the process is killed, so that the
 * kernel drops what it has not delivered yet. */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

struct http;

struct http_header {
    const char *name;  /* "X-Auth-Token" */
    const char *value; /* may be a secret: never logged */
};

struct http_request {
    const char *method; /* GET, POST, PATCH, PUT */
    const char *url;
    const struct http_header *headers;
    int header_count;
    struct text body;         /* {NULL, 0}: none */
    const char *content_type; /* with a body; NULL: application/json */
    int64_t timeout_ms;
    size_t max_answer_bytes;
};

/* What happened to a request that got no usable answer. */
enum http_sent {
    HTTP_NOT_SENT = 0, /* certainly not processed: no connection was made */
    HTTP_MAYBE_SENT,   /* bytes went out: the effect is in doubt unless an answer says otherwise */
};

struct http_answer {
    int status; /* 0: no complete answer */
    struct buffer body;
    struct buffer headers; /* raw header lines of the final answer, see http_answer_header() */
    enum http_sent sent;
    int too_large; /* given up because it was longer than max_answer_bytes; status is 0 */
    int64_t elapsed_ms;
};

/** @brief New. name stands in logs and user agent. Free with http_free(). */
struct http *http_new(const char *name);
void http_free(struct http *http);

/** @brief Once per process, before threads are started; and once at the end. */
int http_global_init(struct error *err);
void http_global_cleanup(void);

/**
 * @brief Performs one request. The answer's buffers are reused from call to call; release with
 * http_answer_clear().
 * @returns 0 with any complete answer, whatever its status; -1 with a temporary error when there is
 * none (answer->sent tells whether it may have had an effect); its text is the cause alone, the
 * caller names the request
 */
int http_perform(struct http *http, const struct http_request *request, struct http_answer *answer,
                 struct error *err);

/** @brief Value of a header of the answer, trimmed, names compared without case; absent {NULL, 0}.
 * Borrowed. */
struct text http_answer_header(const struct http_answer *answer, const char *name);
void http_answer_clear(struct http_answer *answer);

/** @brief Appends text percent-encoded for a query value (all but A-Z a-z 0-9 - _ . ~). */
void http_append_escaped(struct buffer *buffer, struct text text);

#endif
