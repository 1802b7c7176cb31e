/* catalog_list.h - GET /v3/catalog/products, /{id} and /{id}/variants. */
#ifndef SANDBOX_CATALOG_LIST_H
#define SANDBOX_CATALOG_LIST_H

#include "bigcommerce/catalog.h"
#include "request.h"

/**
 * @brief Answers a request below /v3/catalog.
 * @param segment   index of the path's segment behind `catalog`
 * @param page_cap  a page has at most so many products, whatever limit asks for; 0: no such limit
 * @param now_s     the store's clock, for dates without a time
 */
void catalog_answer(const struct catalog *catalog, const struct request *request, int segment,
                    int page_cap, int64_t now_s, struct reply *reply);

#endif
