/* v3.h - what the lists of the V3 interface have in common: reading a request's filters, and the members
 * of their objects. */
#ifndef SANDBOX_BIGCOMMERCE_V3_H
#define SANDBOX_BIGCOMMERCE_V3_H

#include <stdint.h>

#include "request.h"

/** @brief Answers 422: the request's parameter of that name is not valid. @returns -1 */
int v3_wrong(struct reply *reply, const char *name);

/** @brief Whether a list with commas has this word, whatever its case. list: NULL: an empty one */
int v3_list_has(const char *list, const char *word);

/** @brief Reads a parameter; value keeps what it held where the request has none.
 * @returns 0; -1: it is not of that form, and the answer is given */
int v3_read_integer(const struct request *request, struct reply *reply, const char *name,
                    int64_t *value);
int v3_read_date(const struct request *request, struct reply *reply, const char *name,
                 int64_t *seconds);

/** @brief Checks that `include` asks only for what is in the list, which NULL ends. @returns as above */
int v3_read_include(const struct request *request, struct reply *reply,
                    const char *const *includes);

/** @brief Reads `page` (1 where absent) and `limit` (50 where absent). @returns as above */
int v3_read_page(const struct request *request, struct reply *reply, int64_t *page, int64_t *limit);

/** @brief A member's text, or "". Borrowed. */
const char *v3_text_at(const json_t *object, const char *name);
int64_t v3_id_of(const json_t *object);

/** @brief Sets a member that the object does not have. value: taken */
void v3_set_default(json_t *object, const char *name, json_t *value);

/** @brief A date in ISO 8601 in UTC. zone: how the list writes it, "Z" or "+00:00". New. */
json_t *v3_date_json(int64_t seconds, const char *zone);

/** @brief Answers 200 with this body (taken), in the store's spelling of JSON. */
void v3_reply(struct reply *reply, json_t *body);

#endif
