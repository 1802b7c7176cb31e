/* page.h - cuts an answer of the store into its orders, each as the exact bytes that came, and
 * finds out what is missing in each. This is the one place where the poller parses orders and line
 * items: everything that it needs to know about them later is noted here. Pure: no I/O. */
#ifndef POLLER_PAGE_H
#define POLLER_PAGE_H

#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/money.h"

enum { PAGE_ROWS_MAX = 250 }; /* the store's own limit for one page */

/* One order of a page. */
struct page_row {
    struct text bytes;   /* borrowed from the page: from its `{` to its `}` */
    int64_t id;          /* -1: cannot be told */
    int64_t modified_ms; /* date_modified; -1: cannot be told */
    const char *fault;   /* static: why it is malformed; NULL when id and date_modified are there */
    int lines_missing;   /* the store truncated its line items or left them out */
    int coupons_missing; /* the coded discounts of its lines do not add up to coupon_discount */
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
 * @brief Cuts an answer of GET /v2/orders.
 * @param body  kept by the page's rows; blank is an empty page
 * @returns 0, or -1 with a permanent error when it is not a JSON array of at most PAGE_ROWS_MAX
 * values; a value that is not an order is a row with a fault
 */
int page_slice(struct page *page, struct text body, struct error *err);

/** @brief Reads one order that stands alone, as GET /v2/orders/{id} answers. Never fails: see
 * row->fault. */
void page_read_order(struct page_row *row, struct text body);

/**
 * @brief Whether the order's coupons must be asked for when its lines are these.
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
 * @brief Writes the order with one more member `bigfusion` before its last brace; all other bytes
 * stay.
 * @param products, coupons  joined values, or NULL where they were not asked for
 */
void page_splice(struct buffer *target, struct text order, const struct buffer *products,
                 const struct buffer *coupons);

/** @brief The single value inside the brackets of an unreadable page, else all of it. Borrowed. */
struct text page_strip_brackets(struct text body);

#endif
