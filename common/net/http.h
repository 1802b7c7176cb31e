/* http.h - HTTP client: libcurl with our defaults. A handle keeps its connections and belongs to
 * one thread. TLS is 1.2 or newer and verified, redirects are not followed, answers are limited in
 * size and time. A proxy is used only where the settings name one; the environment decides nothing.
 *
 * Within one call only a GET is ever sent twice (libcurl does that where a kept connection turns
 * out to be dead). After a stop was asked for, a running GET is given up after one second; requests
 * with other methods go on to their end. A request that was given up does not arrive later: its
 * connection is closed with a reset, so the kernel drops what it has not delivered yet. The same
 * happens when the process is killed. */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"

struct http;
struct http_settings; /* see config.h */

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
    const char *content_type; /* content type of the body; NULL: application/json */
    int64_t timeout_ms;
    size_t max_answer_bytes;
};

/* How far a request went that got no usable answer. */
enum http_sent {
    HTTP_NOT_SENT = 0, /* no connection was made: the request was certainly not processed */
    HTTP_MAYBE_SENT,   /* bytes were sent: the request may have had its effect, unless an answer
                          says otherwise */
};

struct http_answer {
    int status; /* HTTP status; 0: there is no complete answer */
    struct buffer body;
    struct buffer headers; /* raw header lines of the final answer, see http_answer_header() */
    enum http_sent sent;
    int too_large; /* the answer was given up because it was longer than max_answer_bytes; status
                      is 0 */
    int64_t elapsed_ms;
};

/** @brief New. name appears in logs and as user agent. settings: not kept; NULL: none. Free with
 * http_free(). */
struct http *http_new(const char *name, const struct http_settings *settings);
void http_free(struct http *http);

/** @brief Call once per process, before threads are started; and the second one once at the end.
 * SSLKEYLOGFILE is taken out of the environment: libcurl would write the keys of connections there.
 */
int http_global_init(struct error *err);
void http_global_cleanup(void);

/**
 * @brief Performs one request. The answer's buffers are used again by each call; release them with
 * http_answer_clear().
 * @returns 0 with any complete answer, whatever its status; -1 with a temporary error when there is
 * none. answer->sent then tells whether the request may have had an effect. The error's text is the
 * cause alone; the caller adds which request it was
 */
int http_perform(struct http *http, const struct http_request *request, struct http_answer *answer,
                 struct error *err);

/** @brief Value of a header of the answer, trimmed. Names are compared without case. {NULL, 0} when
 * absent. Borrowed. */
struct text http_answer_header(const struct http_answer *answer, const char *name);
void http_answer_clear(struct http_answer *answer);

/** @brief Appends text percent-encoded for the value of a query: all characters but A-Z a-z 0-9 - _
 * . ~ */
void http_append_escaped(struct buffer *buffer, struct text text);

#endif
