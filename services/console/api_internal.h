/* api_internal.h - what the files of api.h share. */
#ifndef CONSOLE_API_INTERNAL_H
#define CONSOLE_API_INTERNAL_H

#include <jansson.h>

#include "settings/config.h"

#include "answer.h"
#include "request.h"

/* What a thread of the lanes has. */
struct worker {
    const struct config *config;
    struct answers *answers;
    struct answerer *answerer; /* NULL: the index could not be opened yet */
};

/* api_json.c */

/** @brief Takes the answer and makes it the reply. */
void api_give(struct reply *reply, json_t *answer);

/** @brief The body as an object whose members are all among the names ("|orders|why|"). New; or NULL
 * with the reply made. */
json_t *api_read_body(const struct request *request, const char *names, struct reply *reply);

/* api_act.c: see serve_answer */
void api_retry(void *worker, const struct request *request, struct reply *reply);
void api_drop(void *worker, const struct request *request, struct reply *reply);
void api_pause(void *worker, const struct request *request, struct reply *reply);
void api_resume(void *worker, const struct request *request, struct reply *reply);

#endif
