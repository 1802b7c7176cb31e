#include "bigcommerce/customers.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "bigcommerce/v3.h"

void customers_clear(struct customers *customers)
{
    json_decref(customers->list);
    json_decref(customers->groups);
    *customers = (struct customers){0};
}

json_t *customers_find(const json_t *list, int64_t id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (v3_id_of(json_array_get(list, i)) == id)
            return json_array_get(list, i);
    return NULL;
}

void customers_remove(json_t *list, int64_t id)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (v3_id_of(json_array_get(list, i)) == id)
            json_array_remove(list, i);
}

static int64_t last_id(const json_t *list)
{
    return v3_id_of(json_array_get(list, json_array_size(list) - 1));
}

/* Puts the object (taken) where its id belongs. */
static void insert(json_t **list, json_t *object)
{
    size_t i = 0;

    if (*list == NULL)
        *list = mem_check(json_array());
    customers_remove(*list, v3_id_of(object));
    while (i < json_array_size(*list) && v3_id_of(json_array_get(*list, i)) < v3_id_of(object))
        i++;
    json_array_insert_new(*list, i, object);
}

static void complete_addresses(struct customers *customers, json_t *customer)
{
    static const char *const texts[] = {
        "first_name",        "last_name",   "company", "address1",     "address2", "city",
        "state_or_province", "postal_code", "country", "country_code", "phone"};
    json_t *addresses = json_object_get(customer, "addresses");

    for (size_t i = 0; i < json_array_size(addresses); i++) {
        json_t *address = json_array_get(addresses, i);
        v3_set_default(address, "id", json_integer(++customers->last_address_id));
        json_object_set(address, "customer_id", json_object_get(customer, "id"));
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            v3_set_default(address, texts[j], json_string(""));
        v3_set_default(address, "address_type", json_string("residential"));
    }
    json_object_set_new(customer, "address_count",
                        json_integer((json_int_t)json_array_size(addresses)));
}

static void complete(struct customers *customers, json_t *customer, int64_t now_s)
{
    static const char *const texts[] = {
        "first_name", "last_name",           "company", "phone",
        "notes",      "tax_exempt_category", "email",   "registration_ip_address"};

    v3_set_default(customer, "id", json_integer(last_id(customers->list) + 1));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        v3_set_default(customer, texts[i], json_string(""));
    v3_set_default(customer, "customer_group_id", json_integer(0));
    v3_set_default(customer, "date_created", v3_date_json(now_s, "Z"));
    v3_set_default(customer, "date_modified", v3_date_json(now_s, "Z"));
    v3_set_default(customer, "attribute_count", json_integer(0));
    v3_set_default(customer, "accepts_product_review_abandoned_cart_emails", json_false());
    v3_set_default(customer, "origin_channel_id", json_integer(1));
    v3_set_default(customer, "channel_ids", json_pack("[i]", 1));
    v3_set_default(customer, "authentication", json_pack("{s:b}", "force_password_reset", 0));
    v3_set_default(customer, "addresses", json_array());
    complete_addresses(customers, customer);
}

static int check(const struct customers *customers, const json_t *customer, struct error *err)
{
    const char *email = json_string_value(json_object_get(customer, "email"));

    if (!json_is_integer(json_object_get(customer, "id")) || v3_id_of(customer) < 1)
        return error_set(err, ERROR_PERMANENT, "a customer's id is a number from 1");
    for (size_t i = 0; email != NULL && *email != '\0' && i < json_array_size(customers->list);
         i++) {
        const json_t *other = json_array_get(customers->list, i);
        const char *theirs = json_string_value(json_object_get(other, "email"));
        if (v3_id_of(other) != v3_id_of(customer) && theirs != NULL &&
            strcasecmp(email, theirs) == 0)
            return error_set(err, ERROR_PERMANENT, "another customer has this e-mail address");
    }
    return 0;
}

json_t *customers_put(struct customers *customers, const json_t *customer, int64_t now_s,
                      struct error *err)
{
    json_t *copy;

    if (!json_is_object(customer)) {
        error_set(err, ERROR_PERMANENT, "a customer is a JSON object");
        return NULL;
    }
    copy = mem_check(json_deep_copy(customer));
    complete(customers, copy, now_s);
    if (check(customers, copy, err) != 0) {
        json_decref(copy);
        return NULL;
    }
    insert(&customers->list, copy);
    return copy;
}

json_t *customers_change(struct customers *customers, int64_t id, const json_t *members,
                         int64_t now_s, struct error *err)
{
    json_t *customer = customers_find(customers->list, id), *copy, *changed;

    if (customer == NULL || !json_is_object(members)) {
        error_set(err, ERROR_PERMANENT, "a customer's id and its new members are expected");
        return NULL;
    }
    copy = mem_check(json_deep_copy(customer));
    json_object_set_new(copy, "date_modified", v3_date_json(now_s, "Z"));
    json_object_update(copy, (json_t *)members);
    json_object_set_new(copy, "id", json_integer(id));
    changed = customers_put(customers, copy, now_s, err);
    json_decref(copy);
    return changed;
}

json_t *customers_put_group(struct customers *customers, const json_t *group, struct error *err)
{
    json_t *copy;

    if (!json_is_string(json_object_get(group, "name"))) {
        error_set(err, ERROR_PERMANENT, "a customer group has a name");
        return NULL;
    }
    copy = mem_check(json_deep_copy(group));
    v3_set_default(copy, "id", json_integer(last_id(customers->groups) + 1));
    v3_set_default(copy, "is_default", json_false());
    v3_set_default(copy, "category_access", json_pack("{s:s}", "type", "all"));
    v3_set_default(copy, "discount_rules", json_array());
    v3_set_default(copy, "date_created", json_string("2023-07-17 06:30:41"));
    v3_set_default(copy, "date_modified", json_string("2023-07-17 06:30:41"));
    v3_set_default(copy, "is_group_for_guests", json_false());
    insert(&customers->groups, copy);
    return copy;
}
