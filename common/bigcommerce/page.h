/* page.h - cuts an answer of the store into its orders, each as the exact bytes that came, and
 * finds out what is missing in each. This is the one place where the poller parses orders and line
 * items: everything that it needs to know about them later is noted here. Pure: no I/O. */
#ifndef COMMON_PAGE_H
#define COMMON_PAGE_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/money.h"

enum { PAGE_ROWS_MAX = 250 }; /* the store's own limit for one page */

/* One order of a page. */
struct page_row {
    struct text bytes;     /* from its `{` to its `}`; borrowed from the answer's body */
    int64_t id;            /* -1: unknown */
    int64_t modified_ms;   /* date_modified; -1: unknown */
    int64_t placed_ms;     /* date_created; -1: unknown */
    const char *fault;     /* static: why it is malformed; NULL: id and date_modified are known */
    int lines_missing;     /* the store truncated its line items or left them out */
    int coupons_missing;   /* all lines are there, and page_coupons_missing() says so of them */
    money coupon_discount; /* 0 when the order names none, or no amount */
};

/* What the line items of an order tell. Zero-initialised. */
struct page_lines {
    int64_t quantity;
    money coded; /* sum of the discounts that carry a coupon code */
    int warned;  /* a consignment says that not all lines are there */
    int odd;     /* something was not of the documented shape */
};

struct page {
    struct page_row rows[PAGE_ROWS_MAX];
    int count;
};

/**
 * @brief Cuts an answer of GET /v2/orders into rows. A value that is not an order becomes a row
 * with a fault.
 * @param body  kept by the page's rows; a blank body is an empty page
 * @returns 0, or -1 with a permanent error when the body is not a JSON array of at most
 * PAGE_ROWS_MAX values
 */
int page_slice(struct page *page, struct text body, struct error *err);

/** @brief Reads an answer of GET /v2/orders/{id}. If it cannot be read, row->fault says why. */
void page_read_order(struct page_row *row, struct text body);

/**
 * @brief Whether the order's coupons must be asked for, because the discounts of its lines that
 * carry a coupon code do not add up to its coupon_discount.
 * @param row    the order, as page_read_order() read it
 * @param lines  what page_join_array() counted in all its line items
 */
int page_coupons_missing(const struct page_row *row, const struct page_lines *lines);

/**
 * @brief Appends the values of a JSON array (an answer of /products or /coupons), without its
 * brackets, to joined.
 * @param lines  the line items in the array are added to it; NULL where they are coupons
 * @param count  out: how many values there were
 * @returns 0, or -1 with a temporary error when body is not an array, or a value has no id
 */
int page_join_array(struct buffer *joined, struct text body, struct page_lines *lines, int *count,
                    struct error *err);

/**
 * @brief Writes the order with one more member `bigfusion` before its last brace. All other bytes
 * stay as they came.
 * @param products, coupons  joined values; NULL where they were not asked for
 */
void page_splice(struct buffer *target, struct text order, const struct buffer *products,
                 const struct buffer *coupons);

/** @brief What stands between the brackets of an unreadable list, or all of body where it has no
 * brackets. Borrowed. */
struct text page_strip_brackets(struct text body);

#endif
