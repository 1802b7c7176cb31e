#include "catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/http.h"
#include "call.h"
#include "entry.h"
#include "product.h"
#include "shared.h"

/* Writes the whole body over the account's product: a PATCH sets values, so repeating it does no
 * harm. That costs one call; to read first what differs would cost one more.
 * @param gone  out: 1 when the account does not have the product any more */
static enum progress patch_product(struct delivery *d, const struct product *product, int *gone)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(product->body);
    enum progress progress;
    yyjson_val *name;
    size_t length;
    char id[32], *body = mem_check(yyjson_val_write(product->body, 0, &length));

    buffer_reset(&d->texts.path);
    buffer_printf(&d->texts.path, "/products/");
    http_append_escaped(&d->texts.path, text_of(product->id));
    buffer_reset(&d->texts.query);
    while ((name = yyjson_obj_iter_next(&iter)) != NULL) {
        buffer_printf(&d->texts.query, "%supdate_mask=", d->texts.query.length > 0 ? "&" : "");
        http_append_escaped(&d->texts.query, text_of(yyjson_get_str(name)));
    }
    progress =
        call_read(d, "PATCH", d->texts.path.data, d->texts.query.data, (struct text){body, length});
    free(body);
    *gone = progress == PROGRESS_REFUSED && call_is_gone(d);
    if (*gone)
        d->answer[0] = d->detail[0] = '\0';
    return progress != PROGRESS_OK || infusionsoft_object_id(d->client, id) != NULL
               ? progress
               : call_says_nothing(d, NULL);
}

/* Brings the product up to date, or makes it. Its lease is ours. */
static enum progress settle(struct delivery *d, struct product *product, struct ledger_grant *grant)
{
    enum progress progress;
    int gone = 0;

    product->is_same = 0;
    progress = product_locate(d, product, grant);
    if (progress == PROGRESS_OK && product->id[0] != '\0' && !product->is_same)
        progress = patch_product(d, product, &gone);
    if (gone) { /* the ledger or the list knew it, and somebody deleted it: ask the account itself */
        gone = 0;
        progress = product_forget(d, product);
        if (progress == PROGRESS_OK)
            progress = product_find(d, product);
        if (progress == PROGRESS_OK && product->id[0] != '\0' && !product->is_same)
            progress = patch_product(d, product, &gone);
    }
    if (progress != PROGRESS_OK || product->id[0] != '\0')
        return progress;
    progress = shared_wait_until_visible(d, grant, "product");
    return progress != PROGRESS_OK ? progress : product_create(d, product, grant);
}

static enum progress claim_and_settle(struct delivery *d, struct product *product)
{
    struct ledger_request request = {.kind = LEDGER_PRODUCT,
                                     .account = d->job->head.account,
                                     .id = text_of(product->digest),
                                     .owner = d->pusher->owner,
                                     .digest = product->body_digest};
    struct ledger_grant grant = {0};
    enum progress progress = shared_take(d, &request, "product", &grant, product->id);

    if (progress == PROGRESS_OK && product->id[0] == '\0') {
        progress = settle(d, product, &grant);
        progress = shared_release(d, &request, &grant, "product", progress, product->id);
    }
    ledger_grant_clear(&grant);
    return progress;
}

/* Lists a product that the account refused, by its SKU, so that the others go on. */
static void leave_out(struct delivery *d, const struct product *product)
{
    char *step = mem_printf("product:%.*s", (int)product->sku.length, product->sku.data);

    delivery_add_incomplete(d, step, NULL);
    free(step);
}

enum progress catalog_step(struct delivery *d)
{
    const char *made = NULL;

    d->failed_step = "product";
    for (int i = 0; i < d->payload.product_count; i++) {
        struct product *product = &d->payload.products[i];
        enum progress progress =
            product->id[0] != '\0' ? PROGRESS_OK : claim_and_settle(d, product);

        if (progress == PROGRESS_REFUSED && infusionsoft_answer(d->client)->status == 403)
            return call_no_orders(d);
        if (progress != PROGRESS_OK && progress != PROGRESS_REFUSED)
            return progress;
        if (progress == PROGRESS_REFUSED && d->payload.product_count > 1)
            leave_out(d, product);
        else if (progress == PROGRESS_OK && made == NULL)
            made = product->id;
    }
    if (made == NULL)
        return PROGRESS_REFUSED;
    delivery_set_pending(d, "product", made);
    d->answer[0] = d->detail[0] = '\0';
    return PROGRESS_OK;
}
