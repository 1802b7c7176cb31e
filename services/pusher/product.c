#include "product.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "call.h"
#include "known_products.h"
#include "decide.h"
#include "entry.h"
#include "shared.h"

enum match product_match(yyjson_val *product, struct text sku, int by_sku)
{
    yyjson_val *theirs = yyjson_obj_get(product, "sku");

    if (!yyjson_is_str(theirs))
        return by_sku || !json_is_absent(theirs) ? MATCH_UNCLEAR : MATCH_NO;
    return text_equal_nocase(text_trim(json_text(theirs)), sku) ? MATCH_YES : MATCH_NO;
}

/* A member of the body is a text or, with its number as text, a whole number. The account shows a
 * price as an object with its amount. */
static int is_same_value(yyjson_val *theirs, yyjson_val *ours)
{
    struct text text = json_text(ours);
    int64_t number;

    if (yyjson_is_str(ours))
        return yyjson_equals_strn(theirs, text.data, text.length);
    if (yyjson_is_obj(theirs))
        theirs = yyjson_obj_get(theirs, "amount");
    return yyjson_is_int(theirs) && text_to_int(text, &number) == 0 &&
           yyjson_get_sint(theirs) == number;
}

int product_is_same(yyjson_val *theirs, yyjson_val *body)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(body);
    yyjson_val *name;

    while ((name = yyjson_obj_iter_next(&iter)) != NULL)
        if (!is_same_value(yyjson_obj_get(theirs, yyjson_get_str(name)),
                           yyjson_obj_iter_get_val(name)))
            return 0;
    return 1;
}

/* Puts the lowest id of the products with that SKU into product->id. -1: a product does not show its
 * SKU. */
static int pick_product(yyjson_val *products, struct product *wanted, int by_sku)
{
    yyjson_arr_iter iter;
    yyjson_val *product;

    yyjson_arr_iter_init(products, &iter);
    while ((product = yyjson_arr_iter_next(&iter)) != NULL) {
        enum match match = product_match(product, wanted->sku, by_sku);
        char its[32];

        if (match == MATCH_UNCLEAR)
            return -1;
        if (match == MATCH_YES && lookup_take_lower(wanted->id, infusionsoft_id(product, its)))
            wanted->is_same = product_is_same(product, wanted->body);
    }
    return 0;
}

/* Writes the filter of the look-up.
 * @param by_sku  out: whether it filters by SKU, so that each product of the answer must have one
 * @returns 0, or -1 when neither SKU nor name can be asked for */
static int write_filter(struct delivery *d, const struct product *product,
                        struct lookup_pages *pages, int *by_sku)
{
    struct lookup lookup = decide_lookup(product->sku);
    const char *field = "sku";

    if (lookup.value.length == 0) { /* this SKU cannot be asked for, so ask for the name */
        lookup = decide_lookup(product->name);
        field = "name";
    }
    buffer_reset(&d->texts.query);
    if (lookup.value.length == 0)
        return -1;
    pages->prefix = lookup.prefix;
    infusionsoft_append_filter(&d->texts.query, field, lookup.value, lookup.prefix);
    buffer_printf(&d->texts.query, "&page_size=%d", lookup_page_size(pages));
    *by_sku = strcmp(field, "sku") == 0;
    return 0;
}

/* The product may be there, but it cannot be searched to the end, or nothing stands before that
 * character. The account makes a second one of the same SKU when it is asked to. A later attempt would find out no more. */
static enum progress refuse_search(struct delivery *d)
{
    snprintf(d->detail, sizeof(d->detail),
             "a SKU with ; , or * in it cannot be looked up: more than %d products begin alike",
             LOOKUP_PREFIX_PAGES_MAX * LOOKUP_PREFIX_PAGE_SIZE);
    d->reason = REASON_REFUSED;
    return PROGRESS_REFUSED;
}

enum progress product_find(struct delivery *d, struct product *product)
{
    struct lookup_pages pages = {.path = "/products", .member = "products"};
    yyjson_val *products = NULL;
    enum progress progress = PROGRESS_OK;
    int by_sku, cut;

    if (write_filter(d, product, &pages, &by_sku) != 0)
        return refuse_search(d);
    while (product->id[0] == '\0' &&
           (progress = lookup_next_page(d, &pages, &products)) == PROGRESS_OK && products != NULL)
        if (pick_product(products, product, by_sku) != 0) {
            product->id[0] = '\0';
            progress = call_says_nothing(d, "with a product without a SKU");
            break;
        }
    cut = pages.cut && progress == PROGRESS_OK && product->id[0] == '\0';
    buffer_clear(&pages.token);
    return cut ? refuse_search(d) : progress;
}

enum progress product_create(struct delivery *d, struct product *product,
                             struct ledger_grant *grant)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    size_t length;
    char *body = mem_check(yyjson_val_write(product->body, 0, &length));
    enum progress progress = call_write(d, grant, "product", 0, "/products", NULL,
                                        (struct text){body, length}, &outcome);
    char id[32];

    free(body);
    if (progress != PROGRESS_OK)
        return progress;
    if (outcome == INFUSIONSOFT_OK && infusionsoft_object_id(d->client, id) != NULL) {
        snprintf(product->id, sizeof(product->id), "%s", id);
        return PROGRESS_OK; /* shared_release() records the end of the step */
    }
    if (outcome != INFUSIONSOFT_OK && outcome != INFUSIONSOFT_IN_DOUBT) {
        progress = entry_end(d, grant, "product", NULL, NULL, 0);
        return progress != PROGRESS_OK ? progress : call_failed(d, outcome);
    }
    /* The answer was lost. Look the product up now; if it is not listed yet, the next attempt looks
     * again when it must be visible. */
    call_keep_answer(d);
    progress = product_find(d, product);
    return progress != PROGRESS_OK || product->id[0] != '\0' ? progress : call_failed_or_closed(d);
}

enum progress product_locate(struct delivery *d, struct product *product,
                             const struct ledger_grant *grant)
{
    struct known_products *known = d->pusher->known_products[d->job->account_index];
    const char *ours = ledger_grant_step(grant, "product");
    int is_sure = 0;
    enum progress progress;

    if (ours != NULL) { /* while the ledger has it, no create can be begun */
        snprintf(product->id, sizeof(product->id), "%s", ours);
        product->is_cached = 1;
        return PROGRESS_OK;
    }
    progress = known_products_find(d, known, product->digest, ledger_fence_epoch(grant->fence),
                                   product->id, &is_sure);
    product->is_cached = product->id[0] != '\0';
    /* What is in doubt is always looked up itself. */
    is_sure &= grant->answer == LEDGER_GRANT && grant->doubt == NULL;
    if (progress == PROGRESS_OK && product->id[0] == '\0' && !is_sure)
        progress = product_find(d, product);
    return progress;
}

/* Looks the product up, or makes it. Its lease is ours. */
static enum progress settle_product(struct delivery *d, struct product *product,
                                    struct ledger_grant *grant)
{
    enum progress progress = product_locate(d, product, grant);

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
                                     .digest = product->digest};
    struct ledger_grant grant = {0};
    enum progress progress = shared_take(d, &request, "product", &grant, product->id);

    if (product->id[0] != '\0') {
        product->is_cached = 1;
    } else if (progress == PROGRESS_OK) {
        progress = settle_product(d, product, &grant);
        progress = shared_release(d, &request, &grant, "product", progress, product->id);
    }
    ledger_grant_clear(&grant);
    return progress;
}

enum progress product_step(struct delivery *d)
{
    d->failed_step = "product";
    for (int i = 0; i < d->payload.product_count; i++) {
        enum progress progress;

        if (d->payload.products[i].id[0] != '\0')
            continue;
        progress = claim_and_settle(d, &d->payload.products[i]);
        if (progress == PROGRESS_REFUSED && infusionsoft_answer(d->client)->status == 403)
            return call_no_orders(d);
        if (progress != PROGRESS_OK)
            return progress;
    }
    return PROGRESS_OK;
}

int product_any_is_cached(const struct delivery *d)
{
    int is_any = 0;

    for (int i = 0; i < d->payload.product_count; i++)
        is_any |= d->payload.products[i].is_cached;
    return is_any;
}

/* Asks for a product by its id. is_ours: out: the account has it, with its SKU */
static enum progress check_cached(struct delivery *d, const struct product *product, int *is_ours)
{
    yyjson_val *theirs;
    enum progress progress = lookup_object(d, "/products", product->id, NULL, &theirs);
    enum match match = theirs != NULL ? product_match(theirs, product->sku, 0) : MATCH_NO;

    if (match == MATCH_UNCLEAR)
        return call_says_nothing(d, "with a product whose SKU is no text");
    *is_ours = match == MATCH_YES;
    return progress;
}

enum progress product_forget(struct delivery *d, struct product *product)
{
    enum progress progress = entry_forget(d, LEDGER_PRODUCT, product->digest, product->id);

    known_products_forget(d->pusher->known_products[d->job->account_index], product->digest);
    product->id[0] = '\0';
    product->is_cached = 0;
    return progress;
}

enum progress product_refresh(struct delivery *d)
{
    for (int i = 0; i < d->payload.product_count; i++) {
        struct product *product = &d->payload.products[i];
        enum progress progress;
        int is_ours = 0;

        if (!product->is_cached)
            continue;
        progress = check_cached(d, product, &is_ours);
        if (progress == PROGRESS_REFUSED && infusionsoft_answer(d->client)->status == 403)
            return call_no_orders(d);
        if (progress == PROGRESS_OK && !is_ours)
            progress = product_forget(d, product);
        if (progress != PROGRESS_OK)
            return progress;
        product->is_cached = 0;
    }
    return PROGRESS_OK;
}
