#include "mapping/map_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/currency.h"
#include "base/text.h"
#include "mapping/html_text.h"

enum {
    LABELS_CHARS_MAX = 100, /* of a name, for the options of the variant */
    LABELS_MAX = 20,
};

void map_catalog_clear(struct map_catalog *map)
{
    json_memory_clear(&map->memory);
    free(map->variants);
    buffer_clear(&map->description);
    buffer_clear(&map->labels);
    *map = (struct map_catalog){0};
}

void map_catalog_close(struct map_catalog *map)
{
    yyjson_doc_free(map->doc);
    map->doc = NULL;
}

static int read_id(yyjson_val *object, const char *what, int64_t *id, struct error *err)
{
    yyjson_val *value = yyjson_obj_get(object, "id");

    if (!yyjson_is_raw(value) || text_to_int(json_text(value), id) != 0 || *id <= 0)
        return error_set(err, ERROR_PERMANENT, "id of %s is not a whole number above 0", what);
    return 0;
}

/* A text that may be absent or null, trimmed. */
static int read_text(yyjson_val *object, const char *name, struct text *text, struct error *err)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    *text = (struct text){0};
    if (json_is_absent(value))
        return 0;
    if (!yyjson_is_str(value))
        return error_set(err, ERROR_PERMANENT, "%s is not a string", name);
    *text = text_trim(json_text(value));
    return 0;
}

/* Adds a product of the account. Of two with the same identity, which is the SKU or else the id of the
 * variant, the first one counts, as in the account an identity stands for one product. */
static void add_variant(struct map_catalog *map, const struct map_variant *variant)
{
    for (int i = 0; i < map->variant_count; i++)
        if (map->variants[i].hash == variant->hash &&
            text_equal_nocase(map->variants[i].sku, variant->sku) &&
            (variant->sku.length > 0 || map->variants[i].variant_id == variant->variant_id))
            return;
    map->variants =
        map_grow(map->variants, map->variant_count, &map->variant_capacity, sizeof(*map->variants));
    map->variants[map->variant_count++] = *variant;
}

/* A price that is no number (null, and in the vendor's own examples `{}`) is the product's. */
static int read_price(const struct map_catalog *map, yyjson_val *object, money *price,
                      struct error *err)
{
    yyjson_val *value = yyjson_obj_get(object, "price");

    *price = map->price;
    return yyjson_is_raw(value) ? map_read_money(value, "price of a variant", price, err) : 0;
}

/* The variant without options stands for the product itself: order lines name no variant then. */
static int read_variant(struct map_catalog *map, yyjson_val *object, struct text sku,
                        struct error *err)
{
    struct map_variant variant = {.options = yyjson_obj_get(object, "option_values")};

    if (!yyjson_is_obj(object))
        return error_set(err, ERROR_PERMANENT, "variants holds something else than objects");
    if (read_id(object, "a variant", &variant.variant_id, err) != 0 ||
        read_text(object, "sku", &variant.sku, err) != 0 ||
        read_price(map, object, &variant.price, err) != 0)
        return -1;
    if (yyjson_arr_size(variant.options) == 0) {
        variant.variant_id = 0;
        variant.options = NULL;
        if (variant.sku.length == 0)
            variant.sku = sku;
    }
    variant.hash = text_hash_nocase(variant.sku);
    add_variant(map, &variant);
    return 0;
}

static int read_variants(struct map_catalog *map, yyjson_val *product, struct error *err)
{
    yyjson_val *list = yyjson_obj_get(product, "variants"), *object;
    yyjson_arr_iter iter;
    struct text sku;

    map->variant_count = 0;
    if (read_text(product, "sku", &sku, err) != 0)
        return -1;
    if (!json_is_absent(list) && !yyjson_is_arr(list))
        return error_set(err, ERROR_PERMANENT, "variants is not a list");
    if (yyjson_arr_size(list) > MAP_VARIANTS_MAX)
        return error_set(err, ERROR_PERMANENT, "more than %d variants", MAP_VARIANTS_MAX);
    if (yyjson_arr_size(list) == 0) {
        add_variant(map, &(struct map_variant){
                             .sku = sku, .hash = text_hash_nocase(sku), .price = map->price});
        return 0;
    }
    yyjson_arr_iter_init(list, &iter);
    while ((object = yyjson_arr_iter_next(&iter)) != NULL)
        if (read_variant(map, object, sku, err) != 0)
            return -1;
    return 0;
}

static int read_product(struct map_catalog *map, yyjson_val *product, struct text id,
                        struct error *err)
{
    yyjson_val *completion = yyjson_obj_get(product, "bigfusion");
    struct text description;

    if (read_id(product, "the product", &map->id, err) != 0 ||
        read_text(product, "name", &map->name, err) != 0 ||
        read_text(product, "description", &description, err) != 0 ||
        map_read_money(yyjson_obj_get(product, "price"), "price", &map->price, err) != 0)
        return -1;
    if (id.data != NULL && !text_equal_nocase(id, json_text(yyjson_obj_get(product, "id"))))
        return error_set(err, ERROR_PERMANENT, "the key names another product");
    if (read_text(completion, "currency", &map->currency, err) != 0 || map->currency.length != 3)
        return error_set(err, ERROR_PERMANENT, "the currency of the store is not told");
    buffer_reset(&map->description);
    html_to_text(description, &map->description);
    return read_variants(map, product, err);
}

int map_catalog_open(struct map_catalog *map, struct text value, struct text id, struct error *err)
{
    const char *why = "it is empty";
    size_t where = 0;

    map->doc = value.data == NULL ? NULL : json_read(&map->memory, value, &why, &where);
    if (map->doc == NULL)
        return error_set(err, ERROR_PERMANENT, "the product is not JSON: %s at byte %zu", why,
                         where);
    if (!yyjson_is_obj(yyjson_doc_get_root(map->doc)))
        return error_set(err, ERROR_PERMANENT, "the product is not a JSON object");
    return read_product(map, yyjson_doc_get_root(map->doc), id, err);
}

/* The options of a variant: `Beige / Large`. */
static struct text labels_of(struct map_catalog *map, const struct map_variant *variant)
{
    yyjson_arr_iter iter;
    yyjson_val *option;
    int count = 0;

    buffer_reset(&map->labels);
    if (!yyjson_arr_iter_init(variant->options, &iter))
        return (struct text){0};
    while ((option = yyjson_arr_iter_next(&iter)) != NULL && count < LABELS_MAX) {
        yyjson_val *value = yyjson_obj_get(option, "label");
        struct text label = text_trim(json_text(value));

        if (!yyjson_is_str(value) || label.length == 0)
            continue;
        if (count++ > 0)
            buffer_append(&map->labels, " / ", 3);
        buffer_append(&map->labels, label.data, label.length);
    }
    return (struct text){map->labels.data, map->labels.length};
}

static size_t at_most(size_t count, size_t most) { return count < most ? count : most; }

/* Writes the name in quotes. Where it is too long, the product's name is cut, and the options stay,
 * as they tell the variants apart. */
static void write_name(struct map_catalog *map, const struct config_store *store,
                       const struct map_variant *variant, struct buffer *out)
{
    struct text labels = labels_of(map, variant);
    size_t room = MAP_NAME_CHARS_MAX;

    json_write_literal(out, "\"");
    if (map->name.length == 0) {
        map_write_identity(store, variant->sku, map->id, variant->variant_id, out);
    } else {
        if (labels.length > 0)
            room -= at_most(text_count_chars(labels), LABELS_CHARS_MAX) + strlen(" - ");
        json_write_part(out, map->name, room);
        if (labels.length > 0) {
            json_write_literal(out, " - ");
            json_write_part(out, labels, LABELS_CHARS_MAX);
        }
    }
    json_write_literal(out, "\"");
}

/* Writes the member `description`, where the product has one. Its line feeds stay, unlike those of
 * other texts. */
static void write_description(const struct map_catalog *map, struct buffer *out)
{
    struct text rest = {map->description.data, map->description.length};
    size_t room = MAP_DESCRIPTION_CHARS_MAX;

    if (rest.length == 0)
        return;
    json_write_literal(out, ",\"description\":\"");
    while (rest.length > 0 && room > 0) {
        const char *end = memchr(rest.data, '\n', rest.length);
        struct text line = {rest.data, end == NULL ? rest.length : (size_t)(end - rest.data)};
        size_t taken = at_most(line.length + 1, rest.length);

        if (rest.data != map->description.data)
            json_write_literal(out, "\\n");
        json_write_part(out, line, room);
        room -= at_most(text_count_chars(line) + 1, room);
        rest = (struct text){rest.data + taken, rest.length - taken};
    }
    json_write_literal(out, "\"");
}

void map_catalog_write_products(struct map_catalog *map, const struct config_store *store,
                                struct buffer *out)
{
    int digits = currency_digits(map->currency);

    json_write_literal(out, "[");
    for (int i = 0; i < map->variant_count; i++) {
        const struct map_variant *variant = &map->variants[i];
        int64_t price = money_to_minor(variant->price, digits);

        if (i > 0)
            json_write_literal(out, ",");
        json_write_literal(out, "{\"sku\":\"");
        map_write_identity(store, variant->sku, map->id, variant->variant_id, out);
        json_write_literal(out, "\",\"body\":{\"sku\":\"");
        map_write_identity(store, variant->sku, map->id, variant->variant_id, out);
        json_write_literal(out, "\",\"name\":");
        write_name(map, store, variant, out);
        json_write_literal(out, ",\"short_description\":");
        write_name(map, store, variant, out);
        json_write_literal(out, ",\"price\":");
        json_write_int(out, price > 0 ? price : 0);
        write_description(map, out);
        json_write_literal(out, "}}");
    }
    json_write_literal(out, "]");
}

enum reason map_catalog_write(struct map_catalog *map, const struct map_settings *settings,
                              int64_t modified_at_ms, struct buffer *out, struct error *err)
{
    enum reason reason = map_check_currency(settings, map->currency, "product", err);

    if (reason != REASON_NONE)
        return reason;
    json_write_literal(out, "{\"format\":1,\"kind\":\"product\",\"account\":");
    json_write_text(out, text_of(settings->account->name), SIZE_MAX);
    json_write_literal(out, ",\"store\":");
    json_write_text(out, text_of(settings->store->hash), SIZE_MAX);
    json_write_literal(out, ",\"modified_at\":");
    json_write_int(out, modified_at_ms);
    json_write_literal(out, ",\"currency\":");
    json_write_text(out, map->currency, SIZE_MAX);
    json_write_literal(out, ",\"products\":");
    map_catalog_write_products(map, settings->store, out);
    json_write_literal(out, "}");
    return REASON_NONE;
}
