#include "steps.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "after_sync.h"
#include "catalog.h"
#include "contact.h"
#include "entry.h"
#include "goal.h"
#include "order.h"
#include "payment.h"
#include "product.h"
#include "reconcile.h"
#include "tag.h"

int steps_set_peeks(struct delivery *d)
{
    const struct payload *payload = &d->payload;
    int tags = payload->product_count, contact = tags + payload->tag_count;
    int count = contact + (payload->contact != NULL);

    if (payload->kind == PAYLOAD_WITHDRAWN)
        return 0;
    if (count > d->peek_capacity) {
        d->peek_capacity = count + 16;
        d->peeks = mem_realloc(d->peeks, (size_t)d->peek_capacity * sizeof(*d->peeks));
    }
    for (int i = 0; i < payload->product_count; i++)
        d->peeks[i] = (struct ledger_peek){
            .kind = LEDGER_PRODUCT,
            .id = text_of(payload->products[i].digest),
            .digest = payload->kind == PAYLOAD_PRODUCT ? payload->products[i].body_digest : NULL};
    for (int i = 0; i < payload->tag_count; i++)
        d->peeks[tags + i] =
            (struct ledger_peek){.kind = LEDGER_TAG, .id = text_of(payload->tags[i].digest)};
    if (payload->contact != NULL)
        d->peeks[contact] = (struct ledger_peek){.kind = LEDGER_CONTACT,
                                                 .id = text_of(payload->contact_digest),
                                                 .digest = payload->contact_body_digest};
    return count;
}

/* Takes an id that the ledger knows. What cannot be an id of the account, others wrote there, by
 * hand or into `delivered`, from which the ledger is rebuilt: it goes into no request. */
static void take_id(char target[64], const char *id)
{
    snprintf(target, 64, "%s", infusionsoft_is_id(id, strlen(id)) ? id : "");
}

/* Takes the ids of contact, products and tags that the ledger knows, so that they need no call. A job
 * that was set aside asks the ledger again. */
static enum progress use_cache(struct delivery *d)
{
    const char *contact = entry_result(d, "contact");
    int tags = d->payload.product_count;
    enum progress progress = d->peeked ? PROGRESS_OK : entry_peek(d, d->peeks, steps_set_peeks(d));

    if (progress != PROGRESS_OK)
        return progress;
    d->peeked = 0;
    if (d->payload.contact != NULL)
        take_id(d->contact_id,
                contact != NULL ? contact : d->peeks[tags + d->payload.tag_count].result);
    d->contact_cached = d->contact_id[0] != '\0';
    for (int i = 0; i < d->payload.product_count; i++) {
        struct product *product = &d->payload.products[i];

        /* An order needs no more than the id, whatever becomes of the catalogue's newest version. */
        take_id(product->id,
                d->payload.kind == PAYLOAD_PRODUCT ? d->peeks[i].result : d->peeks[i].known_id);
        product->is_cached = product->id[0] != '\0';
    }
    for (int i = 0; i < d->payload.tag_count; i++) {
        struct tag *tag = &d->payload.tags[i];

        take_id(tag->id, d->peeks[tags + i].result);
        tag->is_cached = tag->id[0] != '\0';
    }
    return PROGRESS_OK;
}

static int has_orders(const struct delivery *d)
{
    return account_config(d->account)->orders == ORDERS_ON;
}

static enum progress check_currency(struct delivery *d)
{
    struct text currency = d->payload.currency;

    if (!has_orders(d) || text_equal_nocase(currency, text_of(d->currency)))
        return PROGRESS_OK;
    d->failed_step = "currency";
    d->reason = REASON_CURRENCY_MISMATCH;
    snprintf(d->detail, sizeof(d->detail), "the currency is %.*s, the account's is %s",
             currency.length > 8 ? 8 : (int)currency.length, currency.data, d->currency);
    return PROGRESS_REFUSED;
}

/* Whether the order can still be made. While a step was in doubt the record was not given up, even
 * when its attempts had run out. Nothing is in doubt any more, so give it up now. */
static enum progress check_before_order(struct delivery *d)
{
    if (d->payload.attempt < d->pusher->config->pusher.max_attempts)
        return check_currency(d);
    d->failed_step = "order";
    d->reason = REASON_GAVE_UP;
    delivery_recall_cause(d);
    return PROGRESS_REFUSED;
}

/* Whether the account takes orders. It may have begun to while the contact was settled, so the
 * custom field of the orders is read only now. */
static int orders_usable(struct delivery *d)
{
    if (!account_enter(d->account, ACCOUNT_ORDERS, d->job->trials))
        return 0;
    account_facts(d->account, d->currency, &d->field);
    return 1;
}

/* The account has orders = off: no order will be made. That is written down as the result of the step,
 * so that nobody makes the order later, with another setting. */
static enum progress leave_order_off(struct delivery *d)
{
    enum progress progress = PROGRESS_OK;

    if (entry_result(d, "contact") == NULL)
        progress = entry_end(d, d->grant, "contact", d->contact_id, NULL, 0);
    if (progress == PROGRESS_OK)
        progress = entry_end(d, d->grant, "order", ORDER_OFF, NULL, 0);
    return progress;
}

/* An order: each step does nothing where the ledger has its result already. */
static enum progress take_order(struct delivery *d)
{
    enum progress progress, orders = PROGRESS_OK;

    if (entry_result(d, "order") == NULL && (progress = check_before_order(d)) != PROGRESS_OK)
        return progress;
    if ((progress = use_cache(d)) != PROGRESS_OK)
        return progress;
    if ((progress = contact_step(d)) != PROGRESS_OK)
        return progress;
    if (entry_result(d, "order") == NULL && !has_orders(d)) {
        if ((progress = leave_order_off(d)) != PROGRESS_OK)
            return progress;
    } else if (entry_result(d, "order") == NULL) {
        orders = orders_usable(d) ? product_step(d) : PROGRESS_NO_ORDERS;
        if (orders == PROGRESS_OK)
            orders = order_step(d);
        if (orders != PROGRESS_OK && orders != PROGRESS_NO_ORDERS)
            return orders;
    }
    /* Without the order nobody has recorded the contact in its entry yet. */
    if (orders == PROGRESS_NO_ORDERS && entry_result(d, "contact") == NULL)
        delivery_set_pending(d, "contact", d->contact_id);
    if (d->order_id[0] != '\0' && entry_result(d, "order") == NULL)
        delivery_set_pending(d, "order", d->order_id);
    if ((progress = payment_step(d)) != PROGRESS_OK)
        return progress;
    if ((progress = tag_step(d)) != PROGRESS_OK)
        return progress;
    if ((progress = goal_step(d)) != PROGRESS_OK)
        return progress;
    return orders;
}

/* A customer of the store. */
static enum progress take_contact(struct delivery *d)
{
    enum progress progress;

    if ((progress = use_cache(d)) != PROGRESS_OK || (progress = contact_step(d)) != PROGRESS_OK)
        return progress;
    if (entry_result(d, "contact") == NULL)
        delivery_set_pending(d, "contact", d->contact_id);
    return tag_step(d);
}

/* A product of the store, with its variants. */
static enum progress take_product(struct delivery *d)
{
    enum progress progress = check_currency(d);

    if (!has_orders(d))
        return PROGRESS_OK;
    if (progress != PROGRESS_OK || (progress = use_cache(d)) != PROGRESS_OK)
        return progress;
    return orders_usable(d) ? catalog_step(d) : PROGRESS_NO_ORDERS;
}

enum progress steps_take(struct delivery *d)
{
    enum progress progress = reconcile_step(d);

    if (progress != PROGRESS_OK)
        return progress;
    switch (d->payload.kind) {
    case PAYLOAD_ORDER:
        return take_order(d);
    case PAYLOAD_CONTACT:
        return take_contact(d);
    case PAYLOAD_PRODUCT:
        return take_product(d);
    default: /* a withdrawn order: there is nothing to make */
        return entry_result(d, "order") != NULL && after_sync_applies(d) ? after_sync_step(d)
                                                                         : PROGRESS_OK;
    }
}

int steps_have_effect(const struct delivery *d)
{
    if (d->payload.kind == PAYLOAD_CONTACT)
        return d->pending.step.length > 0 || entry_result(d, "contact") != NULL;
    if (d->payload.kind == PAYLOAD_PRODUCT)
        return d->pending.step.length > 0 || entry_result(d, "product") != NULL;
    return d->order_id[0] != '\0' || entry_result(d, "order") != NULL;
}
