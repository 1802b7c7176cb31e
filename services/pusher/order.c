#include "order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "call.h"
#include "contact.h"
#include "entry.h"
#include "product.h"

enum match order_match(yyjson_val *order, const struct infusionsoft_field *field, struct text key)
{
    enum match match = MATCH_UNCLEAR;
    yyjson_arr_iter iter;
    yyjson_val *custom;

    yyjson_arr_iter_init(yyjson_obj_get(order, "custom_fields"), &iter);
    while ((custom = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *content = yyjson_obj_get(custom, "content");
        char id[32];

        if (strcmp(infusionsoft_id(custom, id), field->id) != 0 || !yyjson_is_str(content))
            continue;
        if (yyjson_get_len(content) == key.length &&
            memcmp(yyjson_get_str(content), key.data, key.length) == 0)
            return MATCH_YES;
        match = MATCH_NO;
    }
    return match;
}

/* Counts the orders of a page that have the key, and keeps the lowest id. -1: an order does not
 * show its key. */
static int pick_order(const struct delivery *d, yyjson_val *orders, char id[64], int *count)
{
    yyjson_arr_iter iter;
    yyjson_val *order;

    yyjson_arr_iter_init(orders, &iter);
    while ((order = yyjson_arr_iter_next(&iter)) != NULL) {
        enum match match = order_match(order, &d->field, d->payload.external_key);
        char its[32];

        if (match == MATCH_UNCLEAR)
            return -1;
        if (match == MATCH_NO)
            continue;
        ++*count;
        lookup_take_lower(id, infusionsoft_id(order, its));
    }
    return 0;
}

enum progress order_find(struct delivery *d, char id[64], int *count)
{
    struct lookup_pages pages = {.path = "/orders", .member = "orders"};
    yyjson_val *orders = NULL;
    enum progress progress;

    id[0] = '\0';
    *count = 0;
    if (d->field.id[0] == '\0')
        return PROGRESS_NO_ORDERS; /* without the module there is nothing to ask */
    buffer_reset(&d->texts.query);
    infusionsoft_append_filter(&d->texts.query, d->field.name, d->payload.external_key, 0);
    buffer_printf(&d->texts.query, "&page_size=%d", LOOKUP_PAGE_SIZE);
    while ((progress = lookup_next_page(d, &pages, &orders)) == PROGRESS_OK && orders != NULL)
        if (pick_order(d, orders, id, count) != 0) {
            id[0] = '\0';
            progress = call_says_nothing(d, "with an order without the field it was found by");
            break;
        }
    buffer_clear(&pages.token);
    if (progress == PROGRESS_REFUSED && infusionsoft_answer(d->client)->status == 403)
        return call_no_orders(d);
    if (progress == PROGRESS_OK && *count > 1) {
        metric_add(d->pusher->alarms_double_found, 1);
        log_error("double_found count=%d lowest=%s", *count, id);
    }
    return progress;
}

enum progress order_look_again(struct delivery *d)
{
    const char *ours = entry_result(d, "order");
    char id[64];
    int count;
    enum progress progress;

    d->failed_step = "look_again";
    if (account_config(d->account)->orders == ORDERS_OFF)
        return PROGRESS_OK;
    progress = order_find(d, id, &count);
    if (progress == PROGRESS_REFUSED) {
        log_warn("look_again_refused error=\"%s\" answer=\"%s\"", d->detail, d->answer);
        return PROGRESS_OK;
    }
    if (progress != PROGRESS_OK)
        return progress;
    log_info("looked_again found=%d", count);
    if (count == 1 && ours != NULL && strcmp(id, ours) != 0) { /* ours is not there any more */
        metric_add(d->pusher->alarms_double_found, 1);
        log_error("double_found count=1 lowest=%s recorded=%s", id, ours);
    }
    return PROGRESS_OK;
}

/* Adds the fields of the stores' settings. Only a payload that was mapped with other settings than
 * this pusher's can name a field whose id is not known. */
static void add_fields(struct delivery *d, yyjson_mut_doc *doc, yyjson_mut_val *list)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(d->payload.fields);
    yyjson_val *one;

    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *field;
        char id[32];

        if (account_field_id(d->account, json_text(yyjson_obj_get(one, "label")), id) != 0) {
            evidence_leave_out(&d->job->evidence,
                               text_of("order custom field: no setting names it"));
            continue;
        }
        field = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_strcpy(doc, field, "id", id);
        yyjson_mut_obj_add_val(doc, field, "content",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(one, "content")));
    }
}

char *order_body(struct delivery *d, int without_region, size_t *length)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_val_mut_copy(doc, d->payload.order);
    yyjson_mut_val *list, *field, *item;
    yyjson_mut_arr_iter items;
    char *body;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "contact_id", d->contact_id);
    list = yyjson_mut_obj_add_arr(doc, root, "custom_fields");
    field = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_str(doc, field, "id", d->field.id);
    yyjson_mut_obj_add_strn(doc, field, "content", d->payload.external_key.data,
                            d->payload.external_key.length);
    add_fields(d, doc, list);
    yyjson_mut_arr_iter_init(yyjson_mut_obj_get(root, "order_items"), &items);
    while ((item = yyjson_mut_arr_iter_next(&items)) != NULL) {
        yyjson_mut_val *product = yyjson_mut_obj_remove_key(item, "product");
        int64_t index;

        /* payload_check() has checked the index; reading it safely costs nothing */
        if (yyjson_mut_is_raw(product) &&
            text_to_int((struct text){yyjson_mut_get_raw(product), yyjson_mut_get_len(product)},
                        &index) == 0 &&
            index >= 0 && index < d->payload.product_count)
            yyjson_mut_obj_add_str(doc, item, "product_id", d->payload.products[index].id);
    }
    if (without_region)
        yyjson_mut_obj_remove_key(yyjson_mut_obj_get(root, "shipping_address"), "region");
    body = mem_check(yyjson_mut_write(doc, 0, length));
    yyjson_mut_doc_free(doc);
    return body;
}

int order_read_total(yyjson_val *answer, int64_t *total)
{
    yyjson_val *amount = yyjson_obj_get(yyjson_obj_get(answer, "total"), "amount");

    if (!yyjson_is_int(amount))
        return text_to_int(json_text(amount), total);
    *total = yyjson_get_sint(amount);
    return 0;
}

/* Compares the total that the account calculated with ours. If they differ, people have to look at
 * it; the order exists either way. Both are in the smallest unit of the same currency. */
static void compare_total(struct delivery *d)
{
    int64_t theirs, ours = d->payload.total;

    if (order_read_total(infusionsoft_answer(d->client)->root, &theirs) != 0)
        return;
    d->order_total = theirs;
    if (theirs == ours)
        return;
    metric_add(d->pusher->alarms_total_differs, 1);
    log_error("total_differs ours=%" PRId64 " theirs=%" PRId64 " unit=smallest currency=%s", ours,
              theirs, d->currency);
}

/* POST /orders was sent, but its answer was lost. Looks the order up at once. If the account does
 * not list it, it may not be visible yet: this attempt counts as failed and the step stays in
 * doubt, so that the next attempt looks again before it makes an order. */
static enum progress find_lost_order(struct delivery *d, char id[64])
{
    int count;
    enum progress progress;

    call_keep_answer(d);
    log_warn("in_doubt step=order error=\"%s\"", d->detail);
    delivery_set_doubt(d, "order");
    progress = order_find(d, id, &count);
    return progress != PROGRESS_OK || id[0] != '\0' ? progress : call_failed_or_closed(d);
}

/* Counts how long the order took. A history that is read, and a replay, say nothing about how long
 * an order takes today. */
static void measure_created(const struct delivery *d)
{
    int64_t created_ms = d->job->evidence.created_at;

    if (d->payload.replay || text_is(d->job->event->headers[HEADER_SOURCE], "backfill"))
        return;
    metric_observe_ms(d->pusher->placed_to_created, created_ms - d->payload.placed_at);
    metric_observe_ms(d->pusher->modified_to_created,
                      created_ms - (d->payload.modified_at > d->payload.placed_at
                                        ? d->payload.modified_at
                                        : d->payload.placed_at));
}

/* Sends POST /orders once. PROGRESS_OK: id is set, and the end of the step is still to be recorded.
 * PROGRESS_REFUSED: the call had no effect, and the step may be begun again. */
static enum progress create_order(struct delivery *d, int without_region, int begun, char id[64])
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    size_t length;
    char *body = order_body(d, without_region, &length);
    char its[32];
    enum progress progress = call_write(d, d->grant, "order", begun, "/orders", NULL,
                                        (struct text){body, length}, &outcome);

    free(body);
    if (progress != PROGRESS_OK)
        return progress;
    if (outcome == INFUSIONSOFT_OK && infusionsoft_object_id(d->client, its) != NULL) {
        snprintf(id, 64, "%s", its);
        d->job->evidence.created_at = clock_now_ms();
        measure_created(d);
        compare_total(d);
        return PROGRESS_OK;
    }
    if (outcome == INFUSIONSOFT_OK || outcome == INFUSIONSOFT_IN_DOUBT)
        return find_lost_order(d, id);
    progress = entry_end(d, d->grant, "order", NULL, NULL, 0);
    if (progress != PROGRESS_OK)
        return progress;
    return outcome == INFUSIONSOFT_FORBIDDEN ? call_no_orders(d) : call_failed(d, outcome);
}

/* The account refused the order, and ids of its contact or products came from the ledger: somebody
 * may have deleted one of them. Looks them up, so that the order can be sent once more. */
static enum progress refresh_ids(struct delivery *d)
{
    enum progress progress = contact_forget(d);

    if (progress == PROGRESS_OK)
        progress = product_refresh(d);
    if (progress == PROGRESS_OK)
        progress = contact_step(d);
    if (progress == PROGRESS_OK)
        progress = product_step(d);
    d->failed_step = "order";
    return progress;
}

/* Records the contact and begins the order, in one round trip. Where the order's call may have to
 * wait for the account's quota, it is not begun here, because nothing may wait between a begin and
 * its call. */
static enum progress begin_order(struct delivery *d, int *begun)
{
    const char *known = entry_result(d, "contact");

    *begun = 0;
    if (known != NULL && strcmp(known, d->contact_id) == 0)
        return PROGRESS_OK;
    *begun = d->calls.are_free;
    return entry_end(d, d->grant, "contact", d->contact_id, *begun ? "order" : NULL, 0);
}

enum progress order_step(struct delivery *d)
{
    int without_region = 0, refreshed = 0, begun = 0;
    char id[64] = "";
    enum progress progress;

    d->failed_step = "order";
    if (entry_result(d, "order") != NULL)
        return PROGRESS_OK;
    progress = begin_order(d, &begun);
    if (progress == PROGRESS_OK)
        progress = create_order(d, without_region, begun, id);
    begun = 0; /* a refused call has ended the step, so the next call begins it again */
    while (progress == PROGRESS_REFUSED) {
        if (!without_region && call_refused_regions(d) != 0) {
            without_region = 1;
            delivery_leave_region_out(d, "order shipping");
        } else if (!refreshed && (d->contact_cached || product_any_is_cached(d))) {
            refreshed = 1;
            progress = refresh_ids(d);
            if (progress != PROGRESS_OK)
                return progress;
            progress = begin_order(d, &begun);
            if (progress != PROGRESS_OK)
                return progress;
        } else {
            return progress;
        }
        progress = create_order(d, without_region, begun, id);
        begun = 0;
    }
    if (progress != PROGRESS_OK)
        return progress;
    snprintf(d->order_id, sizeof(d->order_id), "%s", id);
    d->contact_cached = 0; /* the account accepted the contact's id, so it need not be doubted */
    return PROGRESS_OK;    /* goal_step() or the finish records the end of the step */
}
