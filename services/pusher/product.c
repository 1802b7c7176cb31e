#include "delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide.h"
#include "text.h"

enum { FIND_PAGES_MAX = 10, FIND_PAGE_SIZE = 100 };

/* Puts the lowest id of a page's products with that SKU into id. */
static void pick_product(yyjson_val *products, struct text sku, char id[64])
{
    yyjson_arr_iter iter;
    yyjson_val *product;

    yyjson_arr_iter_init(products, &iter);
    while ((product = yyjson_arr_iter_next(&iter)) != NULL) {
        const char *theirs = yyjson_get_str(yyjson_obj_get(product, "sku"));
        char its[32];
        size_t length = strlen(infusionsoft_id(product, its));

        if (length == 0 || theirs == NULL || !text_equal_nocase(text_trim(text_of(theirs)), sku))
            continue;
        if (id[0] == '\0' || length < strlen(id) || (length == strlen(id) && strcmp(its, id) < 0))
            snprintf(id, 64, "%s", its);
    }
}

static void write_filter(struct delivery *d, const struct product *product)
{
    struct lookup lookup = decide_lookup(product->sku);
    const char *field = "sku";

    if (lookup.value.length == 0) { /* nothing of the SKU can be asked for: by name then */
        yyjson_val *name = yyjson_obj_get(product->body, "name");

        lookup = decide_lookup((struct text){yyjson_get_str(name), yyjson_get_len(name)});
        field = "name";
    }
    buffer_reset(&d->query);
    if (lookup.value.length > 0) { /* else all products are read */
        infusionsoft_append_filter(&d->query, field, lookup.value, lookup.prefix);
        buffer_printf(&d->query, "&");
    }
    buffer_printf(&d->query, "page_size=%d", FIND_PAGE_SIZE);
}

/* Looks a product up by its SKU; product->id stays "" when there is none. */
static enum step find_product(struct delivery *d, struct product *product)
{
    struct buffer page_token = {0};
    enum step step = STEP_OK;

    for (int page = 0; page < FIND_PAGES_MAX && product->id[0] == '\0'; page++) {
        yyjson_val *products;
        const char *next;

        write_filter(d, product);
        if (page > 0) {
            buffer_printf(&d->query, "&page_token=");
            http_append_escaped(&d->query, (struct text){page_token.data, page_token.length});
        }
        metric_add(d->pusher->lookups, 1);
        step = delivery_read(d, "GET", "/products", d->query.data, (struct text){0});
        if (step != STEP_OK)
            break;
        products = yyjson_obj_get(infusionsoft_answer(d->client)->root, "products");
        pick_product(products, product->sku, product->id);
        next =
            yyjson_get_str(yyjson_obj_get(infusionsoft_answer(d->client)->root, "next_page_token"));
        if (next == NULL || next[0] == '\0' || yyjson_arr_size(products) == 0 ||
            (page_token.data != NULL && strcmp(page_token.data, next) == 0))
            break;
        buffer_reset(&page_token);
        buffer_append(&page_token, next, strlen(next));
    }
    buffer_clear(&page_token);
    return step;
}

static enum step create_product(struct delivery *d, struct product *product,
                                struct ledger_grant *grant)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    size_t length;
    char *body = mem_check(yyjson_val_write(product->body, 0, &length));
    enum step step = delivery_write(d, grant, "product", 0, "/products", NULL,
                                    (struct text){body, length}, &outcome);
    char id[32];

    free(body);
    if (step != STEP_OK)
        return step;
    if (outcome == INFUSIONSOFT_OK &&
        infusionsoft_id(infusionsoft_answer(d->client)->root, id)[0] != '\0') {
        snprintf(product->id, sizeof(product->id), "%s", id);
        return STEP_OK; /* the finish that follows ends the step */
    }
    if (outcome != INFUSIONSOFT_OK && outcome != INFUSIONSOFT_IN_DOUBT) {
        step = delivery_end(d, grant, "product", NULL, NULL, 0);
        return step != STEP_OK ? step : delivery_failed(d, outcome);
    }
    /* Lost answer: looked for at once, and again by the next attempt, when it must be visible. */
    delivery_keep_answer(d);
    step = find_product(d, product);
    return step != STEP_OK || product->id[0] != '\0' ? step : delivery_failed_or_closed(d);
}

/* Under the product's own lease: look up, else create. */
static enum step settle_product(struct delivery *d, struct product *product,
                                struct ledger_grant *grant)
{
    enum step step = find_product(d, product);

    if (step != STEP_OK || product->id[0] != '\0')
        return step;
    if (grant->doubt != NULL && grant->doubt_visible_in_ms > 0) {
        d->wait_ms = grant->doubt_visible_in_ms;
        return STEP_LATER;
    }
    if (grant->doubt != NULL)
        step = delivery_end(d, grant, "product", NULL, NULL, 0);
    return step != STEP_OK ? step : create_product(d, product, grant);
}

static enum step acquire_and_settle(struct delivery *d, struct product *product)
{
    struct ledger_request request = {.kind = LEDGER_PRODUCT,
                                     .account = d->job->account,
                                     .id = text_of(product->digest),
                                     .digest = product->digest};
    struct ledger_grant grant = {0};
    enum step step = delivery_acquire(d, &request, &grant);

    if (step == STEP_OK && grant.answer == LEDGER_BUSY) {
        d->wait_ms = grant.wait_ms;
        step = STEP_LATER;
    } else if (step == STEP_OK && grant.answer == LEDGER_DONE) {
        const char *id = ledger_grant_step(&grant, "product");

        snprintf(product->id, sizeof(product->id), "%s", id != NULL ? id : "");
        d->products_cached = 1;
    } else if (step == STEP_OK) {
        step = settle_product(d, product, &grant);
        if (step == STEP_OK)
            step = delivery_finish(d, &grant, LEDGER_FINISH_DONE, "product", product->id, NULL, 0);
        else if (step != STEP_LATER && step != STEP_AGAIN)
            (void)delivery_finish(d, &grant, LEDGER_FINISH_RETRY, NULL, NULL, NULL, 0);
    }
    ledger_grant_clear(&grant);
    if (step == STEP_OK && product->id[0] == '\0')
        step = STEP_AGAIN;
    return step;
}

enum step product_step(struct delivery *d)
{
    d->failed_step = "product";
    for (int i = 0; i < d->product_count; i++) {
        enum step step;

        if (d->products[i].id[0] != '\0')
            continue;
        step = acquire_and_settle(d, &d->products[i]);
        if (step == STEP_REFUSED && infusionsoft_answer(d->client)->status == 403) {
            account_close_orders(d->account, d->detail);
            return STEP_NO_ORDERS;
        }
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

enum step product_forget(struct delivery *d)
{
    for (int i = 0; i < d->product_count; i++) {
        enum step step =
            delivery_forget(d, LEDGER_PRODUCT, d->products[i].digest, d->products[i].id);

        if (step != STEP_OK)
            return step;
        d->products[i].id[0] = '\0';
    }
    d->products_cached = 0;
    return STEP_OK;
}
