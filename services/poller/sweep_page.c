#include "sweep_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

int sweep_read_currency(struct text body, char currency[4], struct error *err)
{
    yyjson_doc *doc = body.length == 0 ? NULL : yyjson_read(body.data, body.length, 0);
    struct text found = json_text(yyjson_obj_get(yyjson_doc_get_root(doc), "currency"));
    int is_code = found.length == 3;

    for (size_t i = 0; is_code && i < found.length; i++)
        is_code = found.data[i] >= 'A' && found.data[i] <= 'Z';
    if (is_code)
        snprintf(currency, 4, "%.3s", found.data);
    yyjson_doc_free(doc);
    return is_code ? 0 : error_set(err, ERROR_TEMPORARY, "the store does not tell its currency");
}

static int64_t id_of(yyjson_val *product)
{
    int64_t id;

    return text_to_int(json_text(yyjson_obj_get(product, "id")), &id) == 0 && id > 0 ? id : -1;
}

int64_t sweep_read_id(struct text body)
{
    yyjson_doc *doc =
        body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    int64_t id = id_of(yyjson_arr_get_first(yyjson_obj_get(yyjson_doc_get_root(doc), "data")));

    yyjson_doc_free(doc);
    return id;
}

/* The product's JSON with one more member, which says what the prices are in. */
static void write_value(const struct sweep *sweep, yyjson_val *product, struct buffer *value)
{
    size_t length;
    char *json = mem_check(yyjson_val_write(product, 0, &length));

    buffer_append(value, json, length - 1);
    buffer_printf(value, "%s\"bigfusion\":{\"currency\":\"%s\"}}", length > 2 ? "," : "",
                  sweep->currency);
    free(json);
}

/* The digest of what is synced of a product: of what the mapper would make of it, and of where it
 * goes. Of a product that cannot be mapped it is the digest of its bytes. */
static void make_digest(struct sweep *sweep, struct text value, char digest[DIGEST_BYTES])
{
    struct text parts[] = {text_of(sweep->with->store->account), text_of(sweep->currency), value};
    struct error ignored = {0};

    buffer_reset(&sweep->digested);
    if (map_catalog_open(&sweep->map, value, (struct text){0}, &ignored) == 0) {
        map_catalog_write_products(&sweep->map, sweep->with->store, &sweep->digested);
        parts[2] = (struct text){sweep->digested.data, sweep->digested.length};
    }
    map_catalog_close(&sweep->map);
    digest_hex(digest, parts, 3);
}

/* Reads the page's products. A product without an id, or one that is not behind the one before it,
 * cannot be passed over by its id, so such a page is no page. @returns 0, or -1 with an error */
static int read_page(struct sweep *sweep, yyjson_val *list, struct changed *page, int *count,
                     struct error *err)
{
    int64_t last_id = sweep->last_id, now_ms = clock_now_ms();
    yyjson_arr_iter iter;
    yyjson_val *product;

    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_TEMPORARY, "the store's answer has no list of products");
    if (yyjson_arr_size(list) > SWEEP_PAGE_MAX)
        return error_set(err, ERROR_TEMPORARY, "the store's answer has more products than asked");
    while ((product = yyjson_arr_iter_next(&iter)) != NULL) {
        struct changed *one = &page[(*count)++];

        one->mark.id = id_of(product);
        if (one->mark.id <= last_id)
            return error_set(err, ERROR_TEMPORARY, "the store's products are not sorted by id");
        last_id = one->mark.id;
        one->version_ms = now_ms;
        write_value(sweep, product, &one->value);
        make_digest(sweep, (struct text){one->value.data, one->value.length}, one->mark.digest);
    }
    return 0;
}

static enum outcome take_products(struct sweep *sweep, struct changed *page, int count,
                                  struct error *err)
{
    int published = 0;
    enum outcome outcome = changed_find(&sweep->lane, page, count, err);

    if (outcome == OUTCOME_OK)
        outcome = changed_publish(&sweep->lane, page, count, &published, err);
    if (outcome == OUTCOME_OK) {
        sweep->products += count;
        sweep->changed += published;
        sweep->last_id = page[count - 1].mark.id;
    }
    return outcome;
}

enum outcome sweep_take_page(struct sweep *sweep, struct text body, int *count, struct error *err)
{
    struct changed *page = mem_alloc(SWEEP_PAGE_MAX * sizeof(*page));
    yyjson_doc *doc =
        body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "data");
    enum outcome outcome = OUTCOME_OK;
    int read = 0, usable = read_page(sweep, list, page, &read, err) == 0;

    if (usable && read > 0)
        outcome = take_products(sweep, page, read, err);
    *count = usable ? read : -1;
    for (int i = 0; i < read; i++)
        buffer_clear(&page[i].value);
    yyjson_doc_free(doc);
    free(page);
    return outcome;
}
