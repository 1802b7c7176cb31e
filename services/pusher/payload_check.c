#include "payload_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "record/event.h"
#include "record/order.h"
#include "payload_format.h"

/* The member that is checked, for the error: "order.order_items[3].product". */
struct place {
    char text[96];
    size_t length;
    struct error *err;
};

enum { DECIMAL_DIGITS_MAX = 15, NOTE_BYTES_MAX = 100 };

static size_t place_enter(struct place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Goes into a member. @returns what place_leave() needs to go back */
static size_t place_enter(struct place *place, const char *format, ...)
{
    size_t before = place->length, room = sizeof(place->text) - before;
    va_list args;
    int written;

    va_start(args, format);
    written = vsnprintf(place->text + before, room, format, args);
    va_end(args);
    place->length += written < 0 ? 0 : (size_t)written >= room ? room - 1 : (size_t)written;
    return before;
}

static void place_leave(struct place *place, size_t before)
{
    place->length = before;
    place->text[before] = '\0';
}

static int wrong(const struct place *place, const char *what)
{
    return error_set(place->err, ERROR_PERMANENT, "the record is not a payload: %s %s", place->text,
                     what);
}

static int has_control(struct text text, int with_lines)
{
    for (size_t i = 0; i < text.length; i++)
        if (((unsigned char)text.data[i] < ' ' && !(with_lines && text.data[i] == '\n')) ||
            text.data[i] == 0x7f)
            return 1;
    return 0;
}

static int is_word(struct text text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (text_is(text, *words))
            return 1;
    return 0;
}

static int is_letters(struct text text, int64_t min, int64_t max)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return 0;
    return (int64_t)text.length >= min && (int64_t)text.length <= max;
}

/* A time in the form that date_print_iso() writes. That such a day exists is not checked here: the
 * account would refuse it. */
static int is_time(struct text text)
{
    static const char form[] = "0000-00-00T00:00:00Z";

    if (text.length != sizeof(form) - 1)
        return 0;
    for (size_t i = 0; i < text.length; i++)
        if (form[i] == '0' ? text.data[i] < '0' || text.data[i] > '9' : text.data[i] != form[i])
            return 0;
    return 1;
}

static int is_decimal(struct text text)
{
    size_t at = text.length > 0 && text.data[0] == '-', whole = 0, rest = 0;

    for (; at < text.length && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        whole++;
    if (at < text.length && text.data[at] == '.')
        for (at++; at < text.length && text.data[at] >= '0' && text.data[at] <= '9'; at++)
            rest++;
    return at == text.length && whole >= 1 && whole <= DECIMAL_DIGITS_MAX && rest <= 4;
}

static int check_text(yyjson_val *value, const struct payload_rule *rule, const struct place *place)
{
    struct text text = json_text(value);
    size_t count;

    if (!yyjson_is_str(value))
        return wrong(place, "is not a text");
    if (has_control(text, rule->type == PAYLOAD_LINES))
        return wrong(place, "has control characters");
    if (rule->type == PAYLOAD_WORD)
        return is_word(text, rule->words) ? 0 : wrong(place, "is none of the words it may be");
    if (rule->type == PAYLOAD_LETTERS)
        return is_letters(text, rule->min, rule->max) ? 0 : wrong(place, "is no such code");
    if (rule->type == PAYLOAD_TIME)
        return is_time(text) ? 0 : wrong(place, "is no time in UTC");
    if (rule->type == PAYLOAD_EMAIL)
        return order_check_email(text) == EMAIL_USABLE ? 0 : wrong(place, "is no e-mail address");
    count = text_count_chars(text);
    if (rule->min > 0 && text_trim(text).length == 0)
        return wrong(place, "is blank");
    if ((int64_t)count < rule->min)
        return wrong(place, "is too short");
    return (int64_t)count <= rule->max ? 0 : wrong(place, "is too long");
}

static int check_number(yyjson_val *value, const struct payload_rule *rule,
                        const struct place *place)
{
    int64_t number;

    if (!yyjson_is_raw(value))
        return wrong(place, "is not a number");
    if (rule->type == PAYLOAD_AMOUNT && json_text(value).data[0] == '-')
        return wrong(place, "is negative");
    if (rule->type == PAYLOAD_DECIMAL || rule->type == PAYLOAD_AMOUNT)
        return is_decimal(json_text(value)) ? 0 : wrong(place, "is no amount");
    if (text_to_int(json_text(value), &number) != 0)
        return wrong(place, "is not a whole number");
    return number >= rule->min && number <= rule->max ? 0 : wrong(place, "is out of range");
}

static int check_object(yyjson_val *object, const struct payload_shape *shape, struct place *place);

static int check_list(yyjson_val *value, const struct payload_rule *rule, struct place *place)
{
    yyjson_arr_iter iter;
    yyjson_val *one;
    size_t index = 0;

    if (!yyjson_arr_iter_init(value, &iter))
        return wrong(place, "is not a list");
    if ((int64_t)yyjson_arr_size(value) < rule->min)
        return wrong(place, "is empty");
    if ((int64_t)yyjson_arr_size(value) > rule->max)
        return wrong(place, "has too many entries");
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        size_t before = place_enter(place, "[%zu]", index++);

        if (check_object(one, rule->shape, place) != 0)
            return -1;
        place_leave(place, before);
    }
    return 0;
}

static int check_notes(yyjson_val *value, const struct payload_rule *rule,
                       const struct place *place)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_: ";
    yyjson_arr_iter iter;
    yyjson_val *one;

    if (!yyjson_arr_iter_init(value, &iter))
        return wrong(place, "is not a list");
    if ((int64_t)yyjson_arr_size(value) < rule->min || (int64_t)yyjson_arr_size(value) > rule->max)
        return wrong(place, "has too many entries or none");
    while ((one = yyjson_arr_iter_next(&iter)) != NULL)
        if (!yyjson_is_str(one) || yyjson_get_len(one) > NOTE_BYTES_MAX ||
            strspn(yyjson_get_str(one), allowed) != yyjson_get_len(one))
            return wrong(place, "holds what is no note");
    return 0;
}

static int check_member(yyjson_val *value, const struct payload_rule *rule, struct place *place)
{
    switch (rule->type) {
    case PAYLOAD_INT:
    case PAYLOAD_DECIMAL:
    case PAYLOAD_AMOUNT:
        return check_number(value, rule, place);
    case PAYLOAD_OR_NULL:
        if (yyjson_is_null(value))
            return 0;
        return check_object(value, rule->shape, place);
    case PAYLOAD_OBJECT:
        return check_object(value, rule->shape, place);
    case PAYLOAD_LIST:
        return check_list(value, rule, place);
    case PAYLOAD_NOTES:
        return check_notes(value, rule, place);
    default:
        return check_text(value, rule, place);
    }
}

/* The index of the member in the shape; shape->count when the shape does not know it. */
static unsigned find_member(const struct payload_shape *shape, yyjson_val *name)
{
    unsigned i = 0;

    while (i < shape->count && !text_is(json_text(name), shape->rules[i].name))
        i++;
    return i;
}

static int check_object(yyjson_val *object, const struct payload_shape *shape, struct place *place)
{
    uint32_t seen = 0;
    yyjson_obj_iter iter;
    yyjson_val *name;
    size_t before;

    if (!yyjson_obj_iter_init(object, &iter))
        return wrong(place, "is not an object");
    while ((name = yyjson_obj_iter_next(&iter)) != NULL) {
        unsigned i = find_member(shape, name);

        if (i == shape->count)
            continue;
        before = place_enter(place, "%s%s", place->length > 0 ? "." : "", shape->rules[i].name);
        if ((seen >> i & 1) != 0)
            return wrong(place, "stands twice");
        seen |= 1u << i;
        if (check_member(yyjson_obj_iter_get_val(name), &shape->rules[i], place) != 0)
            return -1;
        place_leave(place, before);
    }
    for (unsigned i = 0; i < shape->count; i++) {
        if ((seen >> i & 1) != 0 || shape->rules[i].presence == PAYLOAD_OPTIONAL)
            continue;
        place_enter(place, "%s%s", place->length > 0 ? "." : "", shape->rules[i].name);
        return wrong(place, "is missing");
    }
    return 0;
}

/* A product is looked up by `sku` and made from `body`, so both must have the same SKU. */
static int check_products(yyjson_val *root, struct place *place)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(root, "products"));
    yyjson_val *one;

    for (size_t i = 0; (one = yyjson_arr_iter_next(&iter)) != NULL; i++) {
        yyjson_val *sku = yyjson_obj_get(one, "sku");

        if (yyjson_equals(sku, yyjson_obj_get(yyjson_obj_get(one, "body"), "sku")))
            continue;
        place_enter(place, "products[%zu].body.sku", i);
        return wrong(place, "is not the product's");
    }
    return 0;
}

/* A line of type PRODUCT has an index into products, and no other line has one. */
static int check_items(yyjson_val *root, struct place *place)
{
    yyjson_val *list = yyjson_obj_get(yyjson_obj_get(root, "order"), "order_items");
    size_t product_count = yyjson_arr_size(yyjson_obj_get(root, "products"));
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *one;

    for (size_t i = 0; (one = yyjson_arr_iter_next(&iter)) != NULL; i++) {
        yyjson_val *product = yyjson_obj_get(one, "product");
        int is_product = text_is(json_text(yyjson_obj_get(one, "item_type")), "PRODUCT");
        int64_t index = -1;

        if (product == NULL && !is_product)
            continue;
        if (product != NULL && is_product && text_to_int(json_text(product), &index) == 0 &&
            (size_t)index < product_count)
            continue;
        place_enter(place, "order.order_items[%zu].product", i);
        return wrong(place, product == NULL ? "is missing"
                            : is_product    ? "is no index into products"
                                            : "stands on a line that is no PRODUCT");
    }
    return 0;
}

static int is_same(struct text a, struct text b)
{
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* The external key is "bc-<store hash>-<order id>", both as in the record key. */
static int is_external_key(struct text text, const struct event_key *key)
{
    size_t store_length = key->store.length;

    if (text.length != 3 + store_length + 1 + key->id.length || memcmp(text.data, "bc-", 3) != 0)
        return 0;
    return is_same((struct text){text.data + 3, store_length}, key->store) &&
           text.data[3 + store_length] == '-' &&
           is_same((struct text){text.data + 4 + store_length, key->id.length}, key->id);
}

/* A kind of payload. The record key names an order, a contact or a product: its entity. */
struct kind {
    const char *word;
    const char *entity;
    const struct payload_shape *shape;
};

static const struct kind kinds[PAYLOAD_KIND_COUNT] = {
    [PAYLOAD_ORDER] = {"order", "order", &payload_order},
    [PAYLOAD_WITHDRAWN] = {"withdrawn", "order", &payload_withdrawn},
    [PAYLOAD_CONTACT] = {"contact", "contact", &payload_contact},
    [PAYLOAD_PRODUCT] = {"product", "product", &payload_product},
};

/* The kind that the payload names. One that it does not name well is found by the entity of the
 * key, so that the error names the member `kind`. @returns PAYLOAD_KIND_COUNT: none */
static enum payload_kind find_kind(yyjson_val *root, const struct event_key *key)
{
    struct text word = json_text(yyjson_obj_get(root, "kind"));
    enum payload_kind found = PAYLOAD_KIND_COUNT;

    for (unsigned i = 0; i < PAYLOAD_KIND_COUNT; i++) {
        int is_named = text_is(word, kinds[i].word);

        if (text_is(key->entity, kinds[i].entity) && (is_named || found == PAYLOAD_KIND_COUNT))
            found = (enum payload_kind)i;
    }
    return found;
}

/* The payload has to be about what the record key names. */
static int check_identity(yyjson_val *root, const struct event_key *key, struct place *place)
{
    yyjson_val *store = yyjson_obj_get(root, "store");

    if (text_is(key->entity, "order") &&
        !is_external_key(json_text(yyjson_obj_get(root, "external_key")), key)) {
        place_enter(place, "external_key");
        return wrong(place, "is not that of the record key");
    }
    if (store != NULL && !is_same(json_text(store), key->store)) {
        place_enter(place, "store");
        return wrong(place, "is not that of the record key");
    }
    return 0;
}

int payload_check(yyjson_val *root, struct text key, enum payload_kind *kind, struct error *err)
{
    struct place place = {.err = err};
    struct event_key parts;

    *kind = event_key_parse(key, &parts) == 0 ? find_kind(root, &parts) : PAYLOAD_KIND_COUNT;
    if (*kind == PAYLOAD_KIND_COUNT)
        return error_set(err, ERROR_PERMANENT, "the key names no order, contact or product");
    if (!yyjson_is_obj(root))
        return error_set(err, ERROR_PERMANENT, "the record is not a payload: it is no JSON object");
    if (check_object(root, kinds[*kind].shape, &place) != 0 ||
        check_identity(root, &parts, &place) != 0)
        return -1;
    if (*kind == PAYLOAD_WITHDRAWN || *kind == PAYLOAD_CONTACT)
        return 0;
    if (check_products(root, &place) != 0)
        return -1;
    return *kind == PAYLOAD_ORDER ? check_items(root, &place) : 0;
}
