/* request.h - one HTTP request and its answer, as the handlers of both APIs and of the control
 * paths see them. There is no server in it. */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include <stdint.h>

#include <jansson.h>

#include "base/mem.h"

#define REQUEST_SEGMENTS 12
#define REQUEST_PARAMETERS 48
#define REPLY_HEADERS 24

struct parameter {
    char *name;
    char *value;
};

struct request {
    char *method;
    char *path;  /* as sent, without the query */
    char *query; /* as sent, without the question mark; "" when there is none */
    char *segments[REQUEST_SEGMENTS]; /* decoded parts of the path */
    int segment_count;
    struct parameter
        parameters[REQUEST_PARAMETERS]; /* decoded, in the order sent; a name may come more than
                                           once */
    int parameter_count;
    struct buffer body;
    json_t *json;         /* the parsed body, NULL when it is not JSON */
    char json_error[128]; /* why the body is not JSON; "" when there is no body */
    const char *api_key;  /* headers, NULL when absent; borrowed from the server */
    const char *bearer;   /* the whole value of Authorization */
    const char *bc_token; /* X-Auth-Token */
    const char *content_type;
    const char *accept;
};

/** @brief Splits "/path?query" into the request, which must be zeroed. */
void request_open(struct request *request, const char *method, const char *uri);

/** @brief Parses the body that was collected. Sets json or json_error. */
void request_parse_body(struct request *request);

void request_close(struct request *request);

/** @brief First value of a query parameter, or NULL. Borrowed. */
const char *request_parameter(const struct request *request, const char *name);

/** @brief Segment i of the path, or "" when the path has fewer. */
const char *request_segment(const struct request *request, int i);

/**
 * @brief Reads a whole number, digits only with an optional minus.
 * @returns 0, or -1 when text is anything else or beyond 18 digits
 */
int parse_integer(const char *text, int64_t *value);

/** @brief Decodes %XX; with plus set, also `+` as a blank. New. */
char *url_decode(const char *text, size_t length, int plus);

/** @brief Makes text valid UTF-8 in place: where it is not, every byte beyond ASCII becomes `?`.
 * @returns text */
char *text_repair(char *text);

struct reply_header {
    char *name;
    char *value;
};

/* Zero-initialised. status 0: no handler has answered yet. */
struct reply {
    int status;
    struct buffer body;
    const char *type; /* content type; NULL is application/json */
    struct reply_header headers[REPLY_HEADERS];
    int header_count;
    struct buffer effect; /* JSON object for the journal; empty where nothing changed */
};

void reply_clear(struct reply *reply);

/** @brief Answers with a JSON value and releases the value. */
void reply_json(struct reply *reply, int status, json_t *json);

/** @brief Answers with bytes that are JSON already. */
void reply_text(struct reply *reply, int status, const char *data, size_t length);

/** @brief Adds or replaces a header. */
void reply_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** @brief Answers with an error in Infusionsoft's form: {"code", "message", "status", "details"}.
 * @returns -1 */
int reply_is_error(struct reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** @brief Answers with an error in the form of the gateway in front of Infusionsoft:
 * {"fault":{"faultstring","detail":{"errorcode"}}}. */
void reply_fault(struct reply *reply, int status, const char *faultstring, const char *errorcode);

/** @brief Answers with an error in the form of BigCommerce V2: [{"status", "message"}]. @returns
 * -1 */
int reply_bc_error(struct reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** @brief Answers with an error in the form of BigCommerce V3 and its gateway: {"status", "title",
 * "type"}. */
void reply_bc_title(struct reply *reply, int status, const char *title);

/** @brief Notes for the journal what changed: {"made": kind, ...the members of object}. object is
 * the text of a JSON object. */
void reply_effect(struct reply *reply, const char *verb, const char *kind, const char *object);

/** @brief Compact JSON text; each number is as short as it can be without losing digits. New; json
 * stays the caller's. */
char *json_text(const json_t *json);

#endif
