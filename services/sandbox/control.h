/* control.h - what the files control*.c share. */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "world.h"

/** @brief {"error": message}. @returns -1 */
int control_error(struct reply *reply, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** @brief /sandbox/settings: GET shows the settings, PUT changes those that it names. */
void settings_answer(struct world *world, const struct request *request, struct reply *reply);

/** @brief /sandbox/stores/{hash}/orders[/{id}[/raw]]. */
void control_orders_answer(struct world *world, const struct request *request, struct reply *reply);

/** @brief /sandbox/stores/{hash}/products[/{id}[/variants/{id}]]. */
void control_products_answer(struct world *world, const struct request *request,
                             struct reply *reply);

/** @brief /sandbox/stores/{hash}/customers[/{id}] and /customer_groups[/{id}]. */
void control_customers_answer(struct world *world, const struct request *request,
                              struct reply *reply);

#endif
