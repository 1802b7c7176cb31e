#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mapping/map.h"

/* Members of `consignments`, and of the member `bigfusion` that replaces them. */
enum consignment_field {
    CONSIGNMENT_SHIPPING = 0,
    CONSIGNMENT_PICKUPS,
    CONSIGNMENT_DOWNLOADS,
    CONSIGNMENT_EMAIL,
    CONSIGNMENT_FIELD_COUNT
};

static const char *const consignment_names[CONSIGNMENT_FIELD_COUNT] = {
    [CONSIGNMENT_SHIPPING] = "shipping",
    [CONSIGNMENT_PICKUPS] = "pickups",
    [CONSIGNMENT_DOWNLOADS] = "downloads",
    [CONSIGNMENT_EMAIL] = "email",
};

enum line_field {
    LINE_NAME = 0,
    LINE_SKU,
    LINE_PRODUCT_ID,
    LINE_VARIANT_ID,
    LINE_QUANTITY,
    LINE_TOTAL,
    LINE_TOTAL_INC_TAX,
    LINE_PRICE,
    LINE_PARENT,
    LINE_DISCOUNTS,
    LINE_FIELD_COUNT
};

static const char *const line_names[LINE_FIELD_COUNT] = {
    [LINE_NAME] = "name",
    [LINE_SKU] = "sku",
    [LINE_PRODUCT_ID] = "product_id",
    [LINE_VARIANT_ID] = "variant_id",
    [LINE_QUANTITY] = "quantity",
    [LINE_TOTAL] = "total_ex_tax",
    [LINE_TOTAL_INC_TAX] = "total_inc_tax",
    [LINE_PRICE] = "price_ex_tax",
    [LINE_PARENT] = "parent_order_product_id",
    [LINE_DISCOUNTS] = "applied_discounts",
};

void map_names_init(struct map *map)
{
    json_names_init(&map->consignment_names, consignment_names, CONSIGNMENT_FIELD_COUNT);
    json_names_init(&map->line_names, line_names, LINE_FIELD_COUNT);
}

void *map_grow(void *elements, int count, int *capacity, size_t size)
{
    if (count < *capacity)
        return elements;
    *capacity = *capacity > 0 ? *capacity * 2 : 16;
    return mem_realloc(elements, (size_t)*capacity * size);
}

int map_read_money(yyjson_val *value, const char *what, money *amount, struct error *err)
{
    *amount = 0;
    if (json_is_absent(value))
        return 0;
    if (money_parse(json_text(value), amount) != 0)
        return error_set(err, ERROR_PERMANENT, "%s is not an amount of money", what);
    return 0;
}

static int read_int(yyjson_val *value, const char *what, int64_t *number, struct error *err)
{
    *number = 0;
    if (json_is_absent(value))
        return 0;
    if (!yyjson_is_raw(value) || text_to_int(json_text(value), number) != 0)
        return error_set(err, ERROR_PERMANENT, "%s of a line is not a whole number", what);
    return 0;
}

/* The price of a bundle is on the line of the bundle, so its components are left out, unless one
 * has a price of its own. */
static int is_bundle_child(yyjson_val **fields)
{
    money total, price;
    struct error ignored = {0};
    struct text parent = json_text(fields[LINE_PARENT]);

    return parent.length > 0 && !text_is(parent, "0") &&
           map_read_money(fields[LINE_TOTAL], "", &total, &ignored) == 0 && total == 0 &&
           map_read_money(fields[LINE_PRICE], "", &price, &ignored) == 0 && price == 0;
}

static int read_line(yyjson_val **fields, struct map_line *line, struct error *err)
{
    if (yyjson_is_raw(fields[LINE_SKU]))
        return error_set(err, ERROR_PERMANENT, "sku of a line is not a string");
    if (order_read_text(fields[LINE_NAME], "name of a line", &line->name, err) != 0 ||
        order_read_text(fields[LINE_SKU], "sku of a line", &line->sku, err) != 0 ||
        read_int(fields[LINE_PRODUCT_ID], "product_id", &line->product_id, err) != 0 ||
        read_int(fields[LINE_VARIANT_ID], "variant_id", &line->variant_id, err) != 0 ||
        read_int(fields[LINE_QUANTITY], "quantity", &line->quantity, err) != 0)
        return -1;
    if (line->quantity <= 0 || line->quantity > INT32_MAX)
        return error_set(err, ERROR_PERMANENT, "quantity of a line is %lld",
                         (long long)line->quantity);
    if (json_is_absent(fields[LINE_TOTAL]))
        return error_set(err, ERROR_PERMANENT, "a line has no total_ex_tax");
    if (map_read_money(fields[LINE_TOTAL], "total_ex_tax of a line", &line->total, err) != 0 ||
        map_read_money(fields[LINE_TOTAL_INC_TAX], "total_inc_tax of a line", &line->total_inc_tax,
                       err) != 0 ||
        map_read_money(fields[LINE_PRICE], "price_ex_tax of a line", &line->price, err) != 0)
        return -1;
    if (json_is_absent(fields[LINE_TOTAL_INC_TAX]))
        line->total_inc_tax = line->total;
    if (json_is_absent(fields[LINE_PRICE]))
        line->price = line->total / line->quantity;
    return 0;
}

static int is_same_product(const struct map_line *a, const struct map_line *b)
{
    if (a->sku.length > 0 || b->sku.length > 0)
        return text_equal_nocase(a->sku, b->sku);
    return a->product_id == b->product_id && (a->product_id == 0 || a->variant_id == b->variant_id);
}

static uint32_t product_hash(const struct map_line *line)
{
    if (line->sku.length > 0)
        return text_hash_nocase(line->sku);
    return (uint32_t)line->product_id * 2654435761u +
           (line->product_id == 0 ? 0 : (uint32_t)line->variant_id);
}

/* Finds the product of the last line among the products of the lines before it, or adds it. */
static void find_product(struct map *map)
{
    struct map_line *line = &map->lines[map->line_count - 1];
    uint32_t hash = product_hash(line);

    for (line->product = 0; line->product < map->product_count; line->product++) {
        const struct map_product *product = &map->products[line->product];

        if (product->hash == hash && is_same_product(&map->lines[product->line], line))
            return;
    }
    map->products =
        map_grow(map->products, map->product_count, &map->product_capacity, sizeof(*map->products));
    map->products[map->product_count++] =
        (struct map_product){.line = map->line_count - 1, .hash = hash};
}

static int add_coupon(struct map *map, yyjson_val *code, struct error *err)
{
    struct text text;
    uint32_t hash;

    if (order_read_text(code, "code of a coupon", &text, err) != 0)
        return -1;
    if (text.length == 0)
        return 0;
    hash = text_hash_nocase(text);
    for (int i = 0; i < map->coupon_count; i++)
        if (map->coupons[i].hash == hash && map->coupons[i].code.length == text.length &&
            memcmp(map->coupons[i].code.data, text.data, text.length) == 0)
            return 0;
    if (map->coupon_count == MAP_ITEMS_MAX)
        return error_set(err, ERROR_PERMANENT, "more than %d coupons", MAP_ITEMS_MAX);
    map->coupons =
        map_grow(map->coupons, map->coupon_count, &map->coupon_capacity, sizeof(*map->coupons));
    map->coupons[map->coupon_count++] = (struct map_coupon){.code = text, .hash = hash};
    return 0;
}

/* Reads the codes of a list of {"code": ...}: the applied_discounts of a line, or the coupons of
 * the order. */
static int read_coupons(struct map *map, yyjson_val *list, const char *what, struct error *err)
{
    yyjson_arr_iter iter;
    yyjson_val *discount;

    if (json_is_absent(list))
        return 0;
    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_PERMANENT, "%s is not a list", what);
    while ((discount = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!yyjson_is_obj(discount))
            return error_set(err, ERROR_PERMANENT, "%s holds something else than objects", what);
        if (add_coupon(map, yyjson_obj_get(discount, "code"), err) != 0)
            return -1;
    }
    return 0;
}

static int add_line(struct map *map, yyjson_val *item, int with_coupons, struct error *err)
{
    yyjson_val *fields[LINE_FIELD_COUNT];

    if (!yyjson_is_obj(item))
        return error_set(err, ERROR_PERMANENT, "a line is not an object");
    json_pick(&map->line_names, item, fields);
    if (with_coupons && read_coupons(map, fields[LINE_DISCOUNTS], "applied_discounts", err) != 0)
        return -1;
    if (is_bundle_child(fields))
        return 0;
    if (map->line_count == MAP_ITEMS_MAX)
        return error_set(err, ERROR_PERMANENT, "more than %d lines", MAP_ITEMS_MAX);
    map->lines = map_grow(map->lines, map->line_count, &map->line_capacity, sizeof(*map->lines));
    if (read_line(fields, &map->lines[map->line_count], err) != 0)
        return -1;
    map->line_count++;
    find_product(map);
    return 0;
}

static int add_lines(struct map *map, yyjson_val *list, int with_coupons, struct error *err)
{
    yyjson_arr_iter iter;
    yyjson_val *item;

    if (json_is_absent(list))
        return 0;
    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_PERMANENT, "line_items is not a list");
    while ((item = yyjson_arr_iter_next(&iter)) != NULL)
        if (add_line(map, item, with_coupons, err) != 0)
            return -1;
    return 0;
}

/* What is read from the consignments. The rest comes from `bigfusion`. */
struct wanted {
    int lines;
    int coupons;
};

static int read_consignments(struct map *map, yyjson_val *list, const char *what,
                             const struct wanted *wanted, struct error *err)
{
    yyjson_arr_iter iter;
    yyjson_val *consignment;

    if (json_is_absent(list))
        return 0;
    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_PERMANENT, "consignments: %s is not a list", what);
    while ((consignment = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!yyjson_is_obj(consignment))
            return error_set(err, ERROR_PERMANENT, "consignments: %s holds no objects", what);
        if (wanted->lines &&
            add_lines(map, yyjson_obj_get(consignment, "line_items"), wanted->coupons, err) != 0)
            return -1;
    }
    return 0;
}

/* A shipping consignment has an address beside its lines. The address of the first one is used. */
static int read_shipping(struct map *map, const struct order_reader *reader, yyjson_val *list,
                         struct error *err)
{
    yyjson_val *first = yyjson_arr_get_first(list);

    map->has_shipping = yyjson_is_obj(first);
    if (!map->has_shipping)
        return 0;
    return order_read_address(reader, first, "shipping", &map->shipping, err);
}

static int is_empty_list(yyjson_val *value)
{
    return yyjson_is_arr(value) && yyjson_arr_size(value) == 0;
}

static int read_all_consignments(struct map *map, const struct order_reader *reader,
                                 yyjson_val *consignments, const struct wanted *wanted,
                                 struct error *err)
{
    yyjson_val *fields[CONSIGNMENT_FIELD_COUNT];
    yyjson_val *email;

    json_pick(&map->consignment_names, consignments, fields);
    email = fields[CONSIGNMENT_EMAIL];
    if (wanted->lines && fields[CONSIGNMENT_SHIPPING] == NULL &&
        fields[CONSIGNMENT_PICKUPS] == NULL && fields[CONSIGNMENT_DOWNLOADS] == NULL &&
        email == NULL)
        return error_set(err, ERROR_PERMANENT, "consignments has no line items");
    if (!json_is_absent(email) && !yyjson_is_obj(email) && !is_empty_list(email))
        return error_set(err, ERROR_PERMANENT, "consignments: email is not an object");
    for (int i = CONSIGNMENT_SHIPPING; i <= CONSIGNMENT_DOWNLOADS; i++)
        if (read_consignments(map, fields[i], consignment_names[i], wanted, err) != 0)
            return -1;
    if (read_consignments(map, yyjson_obj_get(email, "gift_certificates"), "gift_certificates",
                          wanted, err) != 0)
        return -1;
    return read_shipping(map, reader, fields[CONSIGNMENT_SHIPPING], err);
}

int map_read_lines(struct map *map, const struct order_reader *reader, const struct order *order,
                   struct error *err)
{
    yyjson_val *completion = order->fields[ORDER_COMPLETION];
    yyjson_val *consignments = order->fields[ORDER_CONSIGNMENTS];
    yyjson_val *products, *coupons;
    struct wanted wanted;

    map->line_count = map->product_count = map->coupon_count = 0;
    map->has_shipping = 0;
    if (!json_is_absent(completion) && !yyjson_is_obj(completion))
        return error_set(err, ERROR_PERMANENT, "bigfusion is not an object");
    /* An empty list in `bigfusion` replaces nothing: what the order itself has is used. */
    products = yyjson_obj_get(completion, "products");
    coupons = yyjson_obj_get(completion, "coupons");
    wanted.lines = json_is_absent(products) || is_empty_list(products);
    wanted.coupons = json_is_absent(coupons) || is_empty_list(coupons);
    if (wanted.lines && !yyjson_is_obj(consignments))
        return error_set(err, ERROR_PERMANENT, "the order has no consignments");
    if (!wanted.lines && add_lines(map, products, wanted.coupons, err) != 0)
        return -1;
    if (!wanted.coupons && read_coupons(map, coupons, "coupons", err) != 0)
        return -1;
    return yyjson_is_obj(consignments)
               ? read_all_consignments(map, reader, consignments, &wanted, err)
               : 0;
}

void map_write_identity(const struct config_store *store, struct text sku, int64_t product_id,
                        int64_t variant_id, struct buffer *out)
{
    if (sku.length > 0) {
        json_write_part(out, sku, SIZE_MAX);
        return;
    }
    json_write_literal(out, "bc-");
    json_write_part(out, text_of(store->hash), SIZE_MAX);
    if (product_id == 0) {
        json_write_literal(out, "-custom");
    } else {
        json_write_literal(out, "-");
        json_write_int(out, product_id);
        json_write_literal(out, "-");
        json_write_int(out, variant_id);
    }
}

static void write_identity(const struct map_settings *settings, const struct map_line *line,
                           struct buffer *out)
{
    json_write_literal(out, "\"");
    map_write_identity(settings->store, line->sku, line->product_id, line->variant_id, out);
    json_write_literal(out, "\"");
}

void map_write_line_name(const struct map_settings *settings, const struct map_line *line,
                         int64_t prefix, struct buffer *out)
{
    struct text name = line->name.length > 0 ? line->name : line->sku;
    char times[32] = "";

    if (name.length == 0) {
        write_identity(settings, line, out);
        return;
    }
    if (prefix > 1)
        snprintf(times, sizeof(times), "%lld x ", (long long)prefix);
    json_write_literal(out, "\"");
    json_write_raw(out, times, strlen(times));
    json_write_part(out, name, MAP_NAME_CHARS_MAX - strlen(times));
    json_write_literal(out, "\"");
}

void map_write_products(const struct map *map, const struct map_settings *settings,
                        struct buffer *out)
{
    json_write_literal(out, "[");
    for (int i = 0; i < map->product_count; i++) {
        const struct map_line *line = &map->lines[map->products[i].line];
        int64_t price = money_to_minor(line->price, map->digits);

        if (i > 0)
            json_write_literal(out, ",");
        json_write_literal(out, "{\"sku\":");
        write_identity(settings, line, out);
        json_write_literal(out, ",\"body\":{\"sku\":");
        write_identity(settings, line, out);
        json_write_literal(out, ",\"name\":");
        map_write_line_name(settings, line, 1, out);
        json_write_literal(out, ",\"short_description\":");
        map_write_line_name(settings, line, 1, out);
        json_write_literal(out, ",\"price\":");
        json_write_int(out, price > 0 ? price : 0);
        json_write_literal(out, "}}");
    }
    json_write_literal(out, "]");
}
