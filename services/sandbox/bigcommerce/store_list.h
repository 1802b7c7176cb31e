/* store_list.h - reads the query of GET /v2/orders and finds the orders that it asks for. Pure. */
#ifndef SANDBOX_STORE_LIST_H
#define SANDBOX_STORE_LIST_H

#include <stdint.h>

#include "request.h"
#include "bigcommerce/shop.h"

struct include {
    int consignments;
    int line_items;
    int fees;
    int structured; /* consignment_structure=object */
};

struct order_query {
    int64_t min_id, max_id;
    int64_t min_created_s, max_created_s;
    int64_t min_modified_s, max_modified_s;
    int64_t status_id, customer_id, channel_id; /* -1: any */
    double min_total, max_total;
    const char *email; /* NULL: any; borrowed from the request */
    const char *sort;  /* name of a field, may end in `:asc` or `:desc`; borrowed */
    int descending;
    int64_t page, limit;
    struct include include;
};

struct order_page {
    const struct shop_order **orders; /* a new array of borrowed orders */
    size_t count;
};

/** @brief Reads `include` and `consignment_structure`.
 * @returns 0, or -1 when it has answered 400 */
int include_read(struct include *include, const struct request *request, struct reply *reply);

/** @brief Removes from a complete order what was not asked for; links take its place. */
void include_apply(const struct include *include, const char *hash, json_t *order);

/** @brief Reads `page` and `limit`. @returns 0, or -1 when it has answered 400 or 413 */
int paging_read(const struct request *request, struct reply *reply, int64_t *page, int64_t *limit);

/** @brief Reads the whole query. @returns 0, or -1 when it has answered */
int order_query_read(struct order_query *query, const struct request *request, struct reply *reply);

int order_query_matches(const struct order_query *query, const struct shop_order *order);

/** @brief Finds the page; the caller frees page->orders. */
void order_page_find(struct order_page *page, const struct shop *shop,
                     const struct order_query *query);

#endif
