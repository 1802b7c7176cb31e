/* lookup.h - reads the lists by which contacts, products and orders are looked up. */
#ifndef PUSHER_LOOKUP_H
#define PUSHER_LOOKUP_H

#include <yyjson.h>

#include "base/mem.h"
#include "delivery.h"

enum {
    LOOKUP_PAGES_MAX = 50,
    LOOKUP_PAGE_SIZE = 100,
    /* A name with a `*`, which a shopper can choose, is searched by its beginning. What such a
     * search costs must not depend on the shopper, so it ends after so many pages, which are as
     * large as the account gives them. */
    LOOKUP_PREFIX_PAGES_MAX = 3,
    LOOKUP_PREFIX_PAGE_SIZE = 1000,
};

/* A list call, page by page; d->texts.query holds its query. Embedded: release with
 * buffer_clear(&pages.token). */
struct lookup_pages {
    const char *path;
    const char *member;  /* of the answer that holds the list */
    int prefix;          /* the search is for the beginning of a name */
    struct buffer token; /* of the next page */
    size_t query_length; /* of d->texts.query without the token */
    int read_count;
    int ended;
    int cut; /* out: the search by a beginning ended before the last page */
};

/* Whether an item of a list is the one that is looked for. */
enum match {
    MATCH_NO = 0,
    MATCH_YES,
    MATCH_UNCLEAR, /* the item does not show what would have to be compared */
};

/**
 * @brief Reads the next page.
 * @param list  out: borrowed until the next call; NULL after the last page, and, with pages->cut set,
 * after LOOKUP_PREFIX_PAGES_MAX pages of a search by a beginning
 * @returns as call_read(). An answer without the list is a failure, and so is a list of more than
 * LOOKUP_PAGES_MAX pages: what is searched for may be on a page that was not read
 */
enum progress lookup_next_page(struct delivery *d, struct lookup_pages *pages, yyjson_val **list);

/**
 * @brief Reads one object by its id. Unlike a list, it is shown as soon as it is made.
 * @param list    "/products", below which it stands
 * @param query   as for infusionsoft_call(), or NULL
 * @param object  out, when OK: borrowed until the next call; NULL: the account does not have it any
 * more, which is no failure
 * @returns as call_read(). An answer with another id, or none, is a failure
 */
enum progress lookup_object(struct delivery *d, const char *list, const char *id, const char *query,
                            yyjson_val **object);

/** @brief The page size of such a search. Pure. */
int lookup_page_size(const struct lookup_pages *pages);

/** @brief Copies the token of the page after this one into pages. No I/O.
 * @param root  the answer that this page came in
 * @param list  its list
 * @returns 1; or 0 when this was the last page: it has no new token, or the list is empty */
int lookup_take_next(struct lookup_pages *pages, yyjson_val *root, yyjson_val *list);

/** @brief Where several items match, the one with the lowest id counts; ids are numbers in text.
 * @param id  in, out: the lowest one so far; "": none yet
 * @returns 1 when its is lower and was copied into id. Pure */
int lookup_take_lower(char id[64], const char *its);

#endif
