/* sweep_page.h - takes one page of the catalogue: compares its products with what was published, and
 * publishes those that changed. */
#ifndef POLLER_SWEEP_PAGE_H
#define POLLER_SWEEP_PAGE_H

#include "sweep.h"

/**
 * @brief Takes a page, waits until Kafka has what changed, marks it, and moves sweep->last_id.
 * @param count  out: products of the page; 0: the catalogue ends here; -1: the answer is no page, err
 * says why
 * @returns OUTCOME_OK; TROUBLE: Kafka does not take a record; LOST, STOPPED. Nothing is marked then,
 * so the page is read again
 */
enum outcome sweep_take_page(struct sweep *sweep, struct text body, int *count, struct error *err);

/** @brief Reads the currency out of an answer of GET /v2/store. Pure. @returns 0, or -1 with a
 * temporary error */
int sweep_read_currency(struct text body, char currency[4], struct error *err);

/** @brief The id of the first product of an answer; -1: it has none. Pure. */
int64_t sweep_read_id(struct text body);

#endif
