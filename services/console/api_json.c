/* api_json.c - the JSON of requests and replies. */
#include "api_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void api_give(struct reply *reply, json_t *answer)
{
    char *text = mem_check(json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9)));

    buffer_append(&reply->body, text, strlen(text));
    buffer_append(&reply->body, "\n", 1);
    free(text);
    json_decref(answer);
}

json_t *api_read_body(const struct request *request, const char *names, struct reply *reply)
{
    json_error_t where;
    json_t *body = json_loadb(request->body.length > 0 ? request->body.data : "",
                              request->body.length, JSON_REJECT_DUPLICATES, &where);
    char wanted[64];

    if (!json_is_object(body)) {
        reply_error(reply, 400, "bad_body", "The body must be one JSON object.");
        json_decref(body);
        return NULL;
    }
    for (void *at = json_object_iter(body); at != NULL; at = json_object_iter_next(body, at)) {
        snprintf(wanted, sizeof(wanted), "|%.50s|", json_object_iter_key(at));
        if (strlen(json_object_iter_key(at)) > 50 ||
            strchr(json_object_iter_key(at), '|') != NULL || strstr(names, wanted) == NULL) {
            reply_error(reply, 400, "unknown_member",
                        "The body has a member that this path does not take; see "
                        "/api/v1/openapi.json.");
            json_decref(body);
            return NULL;
        }
    }
    return body;
}
