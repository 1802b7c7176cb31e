#include "shown_value.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "history/outside_text.h"

static const char mask[] = "***";

static int is_in(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

#define IS_IN(name, names) is_in(name, names, sizeof(names) / sizeof(*(names)))

static int ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);

    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

/* Members whose texts are words of bigfusion or of the vendors, ids, amounts or times. */
static int is_harmless(const char *name)
{
    static const char *const names[] = {
        "account",
        "call_name",
        "cart_id",
        "code",
        "contact_id",
        "coupons",
        "currency",
        "currency_code",
        "custom_status",
        "customer_locale",
        "default_currency_code",
        "external_key",
        "external_order_id",
        "external_source",
        "goals",
        "hash",
        "id",
        "in_doubt",
        "integration",
        "item_type",
        "kind",
        "order_id",
        "order_source",
        "order_title",
        "order_type",
        "payment_status",
        "price",
        "reason",
        "quantity",
        "result",
        "sku",
        "status",
        "step",
        "steps",
        "store",
        "target",
        "total",
        "type",
    };
    static const char *const ends[] = {"_tax",  "_amount", "_cost", "_price",    "_total",
                                       "_date", "_time",   "_rate", "_discount", "_at"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (ends_with(name, ends[i]))
            return 1;
    return IS_IN(name, names) || strncmp(name, "date_", 5) == 0;
}

/* Members that describe a person, with everything inside them. */
static int is_of_person(const char *name)
{
    static const char *const names[] = {"contact", "customer",  "recipient",  "from",
                                        "to",      "addresses", "form_fields"};

    return IS_IN(name, names) || strstr(name, "address") != NULL || strstr(name, "phone") != NULL ||
           strstr(name, "email") != NULL || strstr(name, "zip") != NULL ||
           strstr(name, "postal") != NULL || strstr(name, "birth") != NULL;
}

/* Of a person only what says where a country is, and which of several fields it is. */
static int is_public(const char *name)
{
    static const char *const names[] = {"field", "country_code", "region_code", "country_iso2"};

    return IS_IN(name, names);
}

/* Names of members are texts as well; ours and the vendors' have these characters. */
static int is_plain_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               length;
}

static json_t *printable_text(const json_t *text)
{
    return outside_text_json((struct text){json_string_value(text), json_string_length(text)});
}

static json_t *shown(const json_t *value, const char *name, int is_person);

static json_t *shown_members(json_t *object, int is_person)
{
    json_t *copy = mem_check(json_object());

    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);

        json_object_set_new(
            copy, is_plain_name(name) ? name : mask,
            shown(json_object_iter_value(at), name, is_person || is_of_person(name)));
    }
    return copy;
}

static json_t *shown_text(const json_t *text, const char *name, int is_person)
{
    if (json_string_length(text) == 0)
        return json_string("");
    if (is_person ? is_public(name) : is_harmless(name))
        return printable_text(text);
    return json_string(mask);
}

/* jansson reads no deeper than its own limit, so neither does this. */
static json_t *shown(const json_t *value, const char *name, int is_person)
{
    json_t *copy;

    if (json_is_object(value))
        return shown_members((json_t *)(uintptr_t)value, is_person);
    if (json_is_string(value))
        return mem_check(shown_text(value, name, is_person));
    if (json_is_number(value) && is_person)
        return mem_check(json_string(mask));
    if (!json_is_array(value))
        return json_incref((json_t *)(uintptr_t)value);
    copy = mem_check(json_array());
    for (size_t i = 0; i < json_array_size(value); i++)
        json_array_append_new(copy, shown(json_array_get(value, i), name, is_person));
    return copy;
}

json_t *shown_value(struct text value, int show_personal)
{
    json_t *read, *result;

    if (value.data == NULL)
        return json_null();
    read = json_loadb(value.data, value.length, JSON_ALLOW_NUL, NULL);
    if (read == NULL) {
        char about[64];

        snprintf(about, sizeof(about), "%zu bytes that are no JSON", value.length);
        return show_personal ? outside_text_json(value) : mem_check(json_string(about));
    }
    result = show_personal ? outside_json(read) : shown(read, "", 0);
    json_decref(read);
    return result;
}
