/* customer.h - reads a customer of the V3 API, and turns it into the payload of a contact. Pure.
 * The reader puts the customer's texts into a struct order without lines, so that a contact comes
 * out in the same form whether a customer or an order brought it. */
#ifndef COMMON_CUSTOMER_H
#define COMMON_CUSTOMER_H

#include "mapping/map.h"
#include "record/event.h"

/* Texts are borrowed from the document. */
struct customer {
    yyjson_doc *doc;
    int64_t id;
    int64_t modified_at_ms; /* date_modified; -1: the customer does not tell it */
    struct order person;    /* only `billing` is set: name, phone, e-mail, the first address */
    struct address shipping;
    int has_shipping;  /* it has a second address */
    int64_t group_id;  /* its customer group; 0: none */
    struct text group; /* the group's name, which the poller adds; empty: none */
};

/**
 * @brief Reads a customer.
 * @param id  what the record key says; empty: any
 * @returns 0: release with customer_close(); or -1 with a permanent error: nothing to release
 */
int customer_open(struct customer *customer, struct text value, struct text id, struct error *err);
void customer_close(struct customer *customer);

/** @brief The same for a customer that was parsed already, with numbers as text. doc stays NULL. */
int customer_read(struct customer *customer, yyjson_val *root, struct error *err);

/** @brief Which version of the customer a record is, as order_version() says it of an order. */
int64_t customer_version(const struct customer *customer, const struct event *event);

/** @brief Writes the payload record of kind `contact`. map: its memory is used */
void map_customer(struct map *map, const struct map_settings *settings,
                  const struct customer *customer, int64_t modified_at_ms, struct buffer *out);

#endif
