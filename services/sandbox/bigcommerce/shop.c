#include "bigcommerce/shop.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "order_text.h"

#define LINES_WARNING                                                                              \
    "Not all line items of this consignment are returned with this response, only 50 are "         \
    "included. Please use the `/v2/orders/{order_id}/products` endpoint to fetch all line items."

struct shop *shop_new(const char *hash)
{
    struct shop *shop = mem_alloc(sizeof *shop);

    shop->hash = mem_strdup(hash);
    shop->last_id = 1000; /* so the first order that is placed is 1001 */
    return shop;
}

static void free_order(struct shop_order *order)
{
    free(order->email);
    free(order->text);
    free(order->products);
    free(order->coupons);
    free(order);
}

void shop_free(struct shop *shop)
{
    if (shop == NULL)
        return;
    for (size_t i = 0; i < shop->count; i++)
        free_order(shop->by_id[i]);
    catalog_clear(&shop->catalog);
    customers_clear(&shop->customers);
    free(shop->by_id);
    free(shop->by_created);
    free(shop->by_modified);
    free(shop->hash);
    free(shop);
}

static int64_t key_id(const struct shop_order *order)
{
    (void)order;
    return 0; /* lists are sorted by key, then by id: this one needs no key but the id */
}

static int64_t key_created(const struct shop_order *order) { return order->created_s; }

static int64_t key_modified(const struct shop_order *order) { return order->modified_s; }

/* Index of the first order whose (key, id) is not smaller. */
static size_t lower_bound(struct shop_order *const *orders, size_t count,
                          int64_t (*key_of)(const struct shop_order *), int64_t key, int64_t id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t found = key_of(orders[middle]);
        if (found < key || (found == key && orders[middle]->id < id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_at(struct shop_order **orders, size_t count, struct shop_order *order,
                      int64_t (*key_of)(const struct shop_order *))
{
    size_t i = lower_bound(orders, count, key_of, key_of(order), order->id);

    memmove(orders + i + 1, orders + i, (count - i) * sizeof *orders);
    orders[i] = order;
}

static void remove_at(struct shop_order **orders, size_t count, const struct shop_order *order,
                      int64_t (*key_of)(const struct shop_order *))
{
    size_t i = lower_bound(orders, count, key_of, key_of(order), order->id);

    memmove(orders + i, orders + i + 1, (count - i - 1) * sizeof *orders);
}

static void insert(struct shop *shop, struct shop_order *order)
{
    if (shop->count == shop->capacity) {
        size_t size;
        shop->capacity = shop->capacity == 0 ? 256 : shop->capacity * 2;
        size = shop->capacity * sizeof *shop->by_id;
        shop->by_id = mem_realloc(shop->by_id, size);
        shop->by_created = mem_realloc(shop->by_created, size);
        shop->by_modified = mem_realloc(shop->by_modified, size);
    }
    insert_at(shop->by_id, shop->count, order, key_id);
    insert_at(shop->by_created, shop->count, order, key_created);
    insert_at(shop->by_modified, shop->count, order, key_modified);
    shop->count++;
    if (order->id > shop->last_id)
        shop->last_id = order->id;
}

static void take_out(struct shop *shop, const struct shop_order *order)
{
    remove_at(shop->by_id, shop->count, order, key_id);
    remove_at(shop->by_created, shop->count, order, key_created);
    remove_at(shop->by_modified, shop->count, order, key_modified);
    shop->count--;
}

struct shop_order *shop_find(const struct shop *shop, int64_t id)
{
    size_t i = lower_bound(shop->by_id, shop->count, key_id, 0, id);

    return i < shop->count && shop->by_id[i]->id == id ? shop->by_id[i] : NULL;
}

size_t shop_first_modified(const struct shop *shop, int64_t seconds)
{
    return lower_bound(shop->by_modified, shop->count, key_modified, seconds, INT64_MIN);
}

static void append_lines(json_t *lines, const json_t *consignments)
{
    for (size_t i = 0; i < json_array_size(consignments); i++)
        json_array_extend(lines, json_object_get(json_array_get(consignments, i), "line_items"));
}

json_t *shop_lines(const json_t *order)
{
    const json_t *consignments = json_object_get(order, "consignments");
    json_t *lines = mem_check(json_array());

    append_lines(lines, json_object_get(consignments, "shipping"));
    append_lines(lines, json_object_get(consignments, "pickups"));
    append_lines(lines, json_object_get(consignments, "downloads"));
    append_lines(lines,
                 json_object_get(json_object_get(consignments, "email"), "gift_certificates"));
    return lines;
}

/* Cuts the lines of one kind of consignments to what the vendor shows. Returns how many lines were
 * cut. */
static size_t cut_lines(json_t *consignments, int hide)
{
    size_t cut = 0;

    for (size_t i = 0; i < json_array_size(consignments); i++) {
        json_t *consignment = json_array_get(consignments, i);
        json_t *lines = json_object_get(consignment, "line_items");
        size_t keep = hide ? 0 : SHOP_LINES_MAX;
        if (json_array_size(lines) <= keep)
            continue;
        cut += json_array_size(lines) - keep;
        while (json_array_size(lines) > keep)
            json_array_remove(lines, json_array_size(lines) - 1);
        if (!hide)
            json_object_set_new(consignment, "__warning__",
                                json_pack("{s:s}", "message", LINES_WARNING));
    }
    return cut;
}

static size_t cut_order(json_t *order, int hide)
{
    json_t *consignments = json_object_get(order, "consignments");

    return cut_lines(json_object_get(consignments, "shipping"), hide) +
           cut_lines(json_object_get(consignments, "pickups"), hide) +
           cut_lines(json_object_get(consignments, "downloads"), hide) +
           cut_lines(json_object_get(json_object_get(consignments, "email"), "gift_certificates"),
                     hide);
}

static double amount_of(const json_t *discount)
{
    const char *text = json_string_value(json_object_get(discount, "amount"));

    return text == NULL ? json_number_value(json_object_get(discount, "amount"))
                        : strtod(text, NULL);
}

/* The coupon with that code; it is created when it is new. Amounts add up over the lines. */
static void add_coupon(json_t *coupons, const char *code, double amount, int64_t order_id)
{
    for (size_t i = 0; i < json_array_size(coupons); i++) {
        json_t *coupon = json_array_get(coupons, i);
        if (strcmp(json_string_value(json_object_get(coupon, "code")), code) == 0) {
            amount += json_real_value(json_object_get(coupon, "discount"));
            json_object_set_new(coupon, "amount", json_real(amount));
            json_object_set_new(coupon, "discount", json_real(amount));
            return;
        }
    }
    json_array_append_new(coupons, json_pack("{s:I,s:i,s:I,s:s,s:f,s:i,s:f}", "id",
                                             order_id * 10 + (json_int_t)json_array_size(coupons),
                                             "coupon_id", 1, "order_id", order_id, "code", code,
                                             "amount", amount, "type", 2, "discount", amount));
}

/* The coupons that the lines show. New array. */
static json_t *coupons_of_lines(const json_t *lines, int64_t order_id)
{
    json_t *coupons = mem_check(json_array());

    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *discounts = json_object_get(json_array_get(lines, i), "applied_discounts");
        for (size_t k = 0; k < json_array_size(discounts); k++) {
            const json_t *discount = json_array_get(discounts, k);
            const char *code = json_string_value(json_object_get(discount, "code"));
            if (code != NULL && *code != '\0')
                add_coupon(coupons, code, amount_of(discount), order_id);
        }
    }
    return coupons;
}

static char *array_text(const json_t *array)
{
    struct buffer buffer = {0};

    if (json_array_size(array) == 0)
        return NULL;
    order_text_write(&buffer, array, 0);
    return buffer.data;
}

static int64_t integer_at(const json_t *json, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(json, name));
}

/* Reads what lists and filters need. A date that is missing or cannot be read counts as 1970. */
static void read_keys(struct shop_order *order, const json_t *json)
{
    const char *created = json_string_value(json_object_get(json, "date_created"));
    const char *modified = json_string_value(json_object_get(json, "date_modified"));
    const char *total = json_string_value(json_object_get(json, "total_inc_tax"));
    const json_t *billing = json_object_get(json, "billing_address");

    order->id = integer_at(json, "id");
    order->status_id = (int)integer_at(json, "status_id");
    order->customer_id = integer_at(json, "customer_id");
    order->channel_id = integer_at(json, "channel_id");
    order->total = total == NULL ? 0 : strtod(total, NULL);
    order->email = mem_strdup(json_string_value(json_object_get(billing, "email")));
    if (created != NULL)
        date_parse(created, &order->created_s);
    order->modified_s = order->created_s;
    if (modified != NULL)
        date_parse(modified, &order->modified_s);
}

static struct shop_order *replace(struct shop *shop, struct shop_order *order)
{
    struct shop_order *old = shop_find(shop, order->id);

    if (old != NULL) {
        take_out(shop, old);
        free_order(old);
    }
    insert(shop, order);
    return order;
}

struct shop_order *shop_put(struct shop *shop, json_t *json, const struct shop_extra *extra,
                            struct error *err)
{
    struct buffer text = {0};
    struct shop_order *order;
    json_t *lines, *coupons;

    if (!json_is_object(json) || !json_is_integer(json_object_get(json, "id")) ||
        integer_at(json, "id") <= 0) {
        error_set(err, ERROR_PERMANENT, "an order needs an id, a whole number above 0");
        return NULL;
    }
    order = mem_alloc(sizeof *order);
    read_keys(order, json);
    order->style = extra->style;
    lines = shop_lines(json);
    coupons = extra->coupons != NULL ? json_incref((json_t *)extra->coupons)
                                     : coupons_of_lines(lines, order->id);
    order->coupons = array_text(coupons);
    if (extra->products != NULL)
        order->products = array_text(extra->products);
    if (cut_order(json, extra->hide_lines) > 0 && order->products == NULL)
        order->products = array_text(lines);
    order_text_write(&text, json, extra->style);
    order->text = text.data;
    order->length = text.length;
    json_decref(lines);
    json_decref(coupons);
    return replace(shop, order);
}

struct shop_order *shop_put_text(struct shop *shop, const json_t *json, const char *text,
                                 size_t length)
{
    struct shop_order *order = mem_alloc(sizeof *order);
    json_t *lines = shop_lines(json);
    json_t *coupons;

    read_keys(order, json);
    coupons = coupons_of_lines(lines, order->id);
    order->coupons = array_text(coupons);
    order->text = mem_strndup(text, length);
    order->length = length;
    order->style = 1;
    json_decref(lines);
    json_decref(coupons);
    return replace(shop, order);
}

void shop_set_text(struct shop *shop, struct shop_order *order, const char *text, size_t length,
                   int64_t modified_s)
{
    char *copy = mem_strndup(text, length);

    take_out(shop, order);
    free(order->text);
    order->text = copy;
    order->length = length;
    order->modified_s = modified_s;
    insert(shop, order);
}

void shop_remove(struct shop *shop, struct shop_order *order)
{
    take_out(shop, order);
    free_order(order);
}

json_t *shop_order_products(const struct shop_order *order)
{
    json_t *json, *lines;

    if (order->products != NULL)
        return mem_check(json_loads(order->products, 0, NULL));
    json = json_loadb(order->text, order->length, 0, NULL);
    lines = shop_lines(json);
    json_decref(json);
    return lines;
}

char *shop_effect(const struct shop *shop, const struct shop_order *order, const char *verb)
{
    struct buffer text = {0}, effect = {0};
    json_t *json = json_loadb(order->text, order->length, 0, NULL);

    buffer_printf(&effect, "{\"%s\":\"order\",\"store\":\"%s\"", verb, shop->hash);
    if (json_object_size(json) > 0) {
        order_text_write(&text, json, 0);
        buffer_printf(&effect, ",%.*s", (int)text.length - 2, text.data + 1);
    } else { /* bytes that are not an order: a test put them there */
        buffer_printf(&effect, ",\"id\":%lld,\"status_id\":%d", (long long)order->id,
                      order->status_id);
    }
    if (order->products != NULL || order->coupons != NULL)
        buffer_printf(&effect, ",\"bigfusion\":{%s%s%s%s%s}",
                      order->products == NULL ? "" : "\"products\":",
                      order->products == NULL ? "" : order->products,
                      order->products != NULL && order->coupons != NULL ? "," : "",
                      order->coupons == NULL ? "" : "\"coupons\":",
                      order->coupons == NULL ? "" : order->coupons);
    buffer_append(&effect, "}", 1);
    buffer_clear(&text);
    json_decref(json);
    return effect.data;
}
