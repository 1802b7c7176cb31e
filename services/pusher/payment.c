#include "payment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/currency.h"
#include "base/json.h"
#include "base/log.h"
#include "base/money.h"
#include "call.h"
#include "entry.h"
#include "lookup.h"
#include "order.h"

/* The id of the order at the account; NULL where there is none yet. */
static const char *order_of(const struct delivery *d)
{
    const char *known = entry_result(d, "order");

    if (d->order_id[0] != '\0')
        return d->order_id;
    /* Others may have written it, into `delivered`; it goes into the path of a request. */
    return known != NULL && infusionsoft_is_id(known, strlen(known)) ? known : NULL;
}

static void set_path(struct delivery *d, const char *order)
{
    buffer_reset(&d->texts.path);
    buffer_printf(&d->texts.path, "/orders/%s/payments", order);
}

int payment_is_ours(yyjson_val *payment, struct text external_key)
{
    struct text note = json_text(yyjson_obj_get(payment, "note"));

    return note.data != NULL && note.length == external_key.length &&
           memcmp(note.data, external_key.data, note.length) == 0;
}

/* Looks in the order's list. id: out, "": there is no such payment */
static enum progress find_payment(struct delivery *d, const char *order, char id[64])
{
    struct lookup_pages pages = {.path = d->texts.path.data, .member = "invoice_order_payments"};
    yyjson_val *list = NULL, *one;
    enum progress progress;

    id[0] = '\0';
    set_path(d, order);
    pages.path = d->texts.path.data;
    buffer_reset(&d->texts.query);
    buffer_printf(&d->texts.query, "page_size=%d", LOOKUP_PAGE_SIZE);
    while ((progress = lookup_next_page(d, &pages, &list)) == PROGRESS_OK && list != NULL) {
        yyjson_arr_iter iter = yyjson_arr_iter_with(list);
        char its[32];

        while ((one = yyjson_arr_iter_next(&iter)) != NULL)
            if (payment_is_ours(one, d->payload.external_key))
                lookup_take_lower(id, infusionsoft_id(one, its));
    }
    buffer_clear(&pages.token);
    return progress;
}

/* The amount, in the form of the payload. Where the account calculated another total than ours and the
 * order was paid as a whole, that total is what the order leaves open. */
static void put_amount(const struct delivery *d, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    struct text amount = json_text(yyjson_obj_get(d->payload.payment, "payment_amount"));
    int digits = currency_digits(d->payload.currency);
    char ours[24], theirs[24];

    money_print_minor(ours, d->payload.total, digits);
    if (d->order_total >= 0 && d->order_total != d->payload.total && text_is(amount, ours)) {
        money_print_minor(theirs, d->order_total, digits);
        amount = text_of(theirs);
    }
    yyjson_mut_obj_add_val(doc, root, "payment_amount",
                           yyjson_mut_rawncpy(doc, amount.data, amount.length));
}

static void put_text(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *name, struct text text)
{
    yyjson_mut_obj_add_strn(doc, root, name, text.data, text.length);
}

/* Only members that are known are sent: one of the others, `payment_method_id`, charges a card. */
struct text payment_body(const struct delivery *d)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    const yyjson_val *payment = d->payload.payment;
    struct text body;

    yyjson_mut_doc_set_root(doc, root);
    put_amount(d, doc, root);
    yyjson_mut_obj_add_bool(doc, root, "apply_to_commissions", 0);
    put_text(doc, root, "payment_method_type",
             json_text(yyjson_obj_get((yyjson_val *)(uintptr_t)payment, "payment_method_type")));
    put_text(doc, root, "payment_time",
             json_text(yyjson_obj_get((yyjson_val *)(uintptr_t)payment, "payment_time")));
    put_text(doc, root, "notes", d->payload.external_key);
    body.data = mem_check(yyjson_mut_write(doc, 0, &body.length));
    yyjson_mut_doc_free(doc);
    return body;
}

/* The order stays without its payment, and the record in `delivered` says so. result: "refused" or
 * "gave_up" */
static enum progress leave_unpaid(struct delivery *d, const char *result)
{
    int begun;
    enum progress progress = entry_end_pending(d, NULL, &begun);

    if (progress == PROGRESS_OK)
        progress = entry_end(d, d->grant, "payment", result, NULL, 0);
    if (progress != PROGRESS_OK)
        return progress;
    log_warn("payment_%s error=\"%s\"", result, d->detail);
    delivery_add_incomplete(d, "payment", d->answer[0] != '\0' ? d->answer : d->detail);
    d->answer[0] = d->detail[0] = '\0'; /* a later failure has a cause of its own */
    return PROGRESS_OK;
}

/* The answer was lost. Looks the payment up now; where it is not listed yet, the step stays in doubt,
 * and the next attempt looks again when the payment must be visible. */
static enum progress find_lost_payment(struct delivery *d, const char *order)
{
    char id[64];
    enum progress progress;

    call_keep_answer(d);
    delivery_set_doubt(d, "payment");
    progress = find_payment(d, order, id);
    if (progress != PROGRESS_OK)
        return progress;
    if (id[0] == '\0')
        return call_failed_or_closed(d);
    delivery_set_pending(d, "payment", id);
    return PROGRESS_OK;
}

static enum progress send_payment(struct delivery *d, const char *order, int begun)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    struct text body = payment_body(d);
    enum progress progress;
    char id[32];

    set_path(d, order);
    progress = call_write(d, d->grant, "payment", begun, d->texts.path.data, NULL, body, &outcome);
    free((void *)(uintptr_t)body.data);
    if (progress != PROGRESS_OK)
        return progress;
    if (outcome == INFUSIONSOFT_OK && infusionsoft_object_id(d->client, id) != NULL) {
        delivery_set_pending(d, "payment", id);
        return PROGRESS_OK;
    }
    if (outcome == INFUSIONSOFT_OK || outcome == INFUSIONSOFT_IN_DOUBT)
        return find_lost_payment(d, order);
    progress = entry_end(d, d->grant, "payment", NULL, NULL, 0);
    return progress != PROGRESS_OK ? progress : call_failed(d, outcome);
}

/* After a loss the ledger cannot tell whether the payment was made, so the account is asked. An order
 * that was made just now has none. id: out, "": it has none */
static enum progress look_before(struct delivery *d, const char *order, char id[64])
{
    enum progress progress;

    id[0] = '\0';
    if (!d->grant->goals_in_doubt || d->order_id[0] != '\0')
        return PROGRESS_OK;
    progress = find_payment(d, order, id);
    if (progress == PROGRESS_OK && id[0] == '\0' && d->grant->doubt_visible_in_ms > 0)
        return delivery_look_later(d);
    return progress;
}

/* Where another delivery made the order, nobody knows here what it is to pay. */
static enum progress ask_total(struct delivery *d, const char *order)
{
    yyjson_val *theirs = NULL;
    enum progress progress = PROGRESS_OK;

    if (d->order_total < 0)
        progress = lookup_object(d, "/orders", order, NULL, &theirs);
    if (progress == PROGRESS_OK && theirs != NULL)
        (void)order_read_total(theirs, &d->order_total);
    return progress;
}

static enum progress settle_payment(struct delivery *d, const char *order)
{
    char id[64];
    int begun;
    enum progress progress = look_before(d, order, id);

    if (progress == PROGRESS_OK && id[0] == '\0')
        progress = ask_total(d, order);
    if (progress == PROGRESS_OK)
        progress = entry_end_pending(d, id[0] == '\0' ? "payment" : NULL, &begun);
    if (progress != PROGRESS_OK)
        return progress;
    if (id[0] == '\0')
        return send_payment(d, order, begun);
    delivery_set_pending(d, "payment", id);
    return PROGRESS_OK;
}

enum progress payment_step(struct delivery *d)
{
    const char *order = order_of(d);
    int64_t max_attempts = d->pusher->config->pusher.max_attempts;
    enum progress progress;

    d->failed_step = "payment";
    if (d->payload.payment == NULL || order == NULL || entry_result(d, "payment") != NULL)
        return PROGRESS_OK;
    /* The attempts may have run out while the payment was in doubt. It is not there, so give it up. */
    if (d->payload.attempt >= max_attempts && d->job->payment_missed) {
        delivery_recall_cause(d);
        return leave_unpaid(d, "gave_up");
    }
    progress = settle_payment(d, order);
    if (progress == PROGRESS_REFUSED && d->grant->doubt == NULL)
        return leave_unpaid(d, "refused");
    /* The steps behind it must not be lost with it. */
    if (progress == PROGRESS_FAILED && d->grant->doubt == NULL &&
        d->payload.attempt + 1 >= max_attempts)
        return leave_unpaid(d, "gave_up");
    return progress;
}

enum progress payment_reconcile(struct delivery *d)
{
    const char *order = order_of(d);
    char id[64] = "";
    enum progress progress = PROGRESS_OK;

    d->failed_step = "payment";
    if (order != NULL)
        progress = find_payment(d, order, id);
    if (progress == PROGRESS_REFUSED) /* the order was deleted, and its payments with it */
        return leave_unpaid(d, "refused");
    if (progress != PROGRESS_OK)
        return progress;
    CRASH_POINT("looked_up", "payment");
    if (id[0] != '\0') {
        log_info("adopted payment=%s", id);
        return entry_end(d, d->grant, "payment", id, NULL, 0);
    }
    if (order != NULL && d->grant->doubt_visible_in_ms > 0)
        return delivery_look_later(d);
    d->job->payment_missed = 1;
    return entry_end(d, d->grant, "payment", NULL, NULL, 0);
}
