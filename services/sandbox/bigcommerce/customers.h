/* customers.h - the customers of one BigCommerce store with their addresses, and its customer
 * groups: GET /v3/customers, GET /v2/customer_groups and /{id}. */
#ifndef SANDBOX_CUSTOMERS_H
#define SANDBOX_CUSTOMERS_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "request.h"

/* Zero-initialised. Both are arrays of objects sorted by id; NULL: empty. */
struct customers {
    json_t *list; /* complete, with `addresses` */
    json_t *groups;
    int64_t last_address_id;
};

void customers_clear(struct customers *customers);

/** @brief The one with that id in such an array, borrowed, or NULL. */
json_t *customers_find(const json_t *list, int64_t id);

/**
 * @brief Adds a customer, or replaces the one with its id. What is missing is filled in.
 * @param customer  JSON object, borrowed
 * @param now_s     the store's clock: the dates that are not given
 * @returns borrowed; or NULL with a permanent error when it is none, or its e-mail address is taken
 */
json_t *customers_put(struct customers *customers, const json_t *customer, int64_t now_s,
                      struct error *err);

/** @brief Replaces members of a customer and sets its date_modified to now. @returns as
 * customers_put() */
json_t *customers_change(struct customers *customers, int64_t id, const json_t *members,
                         int64_t now_s, struct error *err);

/** @brief Adds a group, or replaces the one with its id. @returns borrowed, or NULL with an error */
json_t *customers_put_group(struct customers *customers, const json_t *group, struct error *err);

void customers_remove(json_t *list, int64_t id);

/**
 * @brief Answers GET /v3/customers.
 * @param page_cap  a page has at most so many customers, whatever limit asks for; 0: no such limit
 */
void customers_answer(const struct customers *customers, const struct request *request,
                      int page_cap, struct reply *reply);

#endif
