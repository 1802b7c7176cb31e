/* contacts.c - contacts of the account: list, create with upsert, get, patch. */
#include "infusionsoft/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "world.h"

static const char *const address_fields[] = {"ADDRESS_FIELD_UNSPECIFIED", "BILLING", "SHIPPING",
                                             "OTHER", NULL};
static const char *const email_fields[] = {"EMAIL_FIELD_UNSPECIFIED", "EMAIL1", "EMAIL2", "EMAIL3",
                                           NULL};
static const char *const phone_fields[] = {
    "PHONE_NUMBER_FIELD_UNSPECIFIED", "PHONE1", "PHONE2", "PHONE3", "PHONE4", "PHONE5", NULL};
static const char *const fax_fields[] = {"FAX_NUMBER_FIELD_UNSPECIFIED", "FAX1", "FAX2", NULL};
static const char *const source_types[] = {"SOURCE_TYPE_UNSPECIFIED",
                                           "API",
                                           "APPOINTMENT",
                                           "FORM_API_HOSTED",
                                           "FORM_API_INTERNAL",
                                           "IMPORT",
                                           "INTERNAL_FORM",
                                           "LANDING_PAGE",
                                           "MANUAL",
                                           "OTHER",
                                           "UNKNOWN",
                                           "WEBFORM",
                                           NULL};
static const char *const social_types[] = {"SOCIAL_ACCOUNT_TYPE_UNSPECIFIED",
                                           "FACEBOOK",
                                           "LINKED_IN",
                                           "TWITTER",
                                           "INSTAGRAM",
                                           "SNAPCHAT",
                                           "YOUTUBE",
                                           "PINTEREST",
                                           NULL};

#define STRING(name, max)                                                                          \
    {                                                                                              \
        name, SCHEMA_STRING, 0, max, NULL, NULL                                                    \
    }

static const struct schema_member address_members[] = {
    STRING("country", 0),      STRING("line1", 0),
    STRING("line2", 0),        STRING("locality", 0),
    STRING("region", 0),       {"field", SCHEMA_STRING, SCHEMA_REQUIRED, 0, address_fields, NULL},
    STRING("country_code", 0), STRING("postal_code", 0),
    STRING("region_code", 0),  STRING("zip_code", 0),
    STRING("zip_four", 0),     {0}};
static const struct schema_member company_members[] = {
    STRING("id", 0), STRING("company_name", 0), {0}};
static const struct schema_member origin_members[] = {STRING("ip_address", 0), {0}};
static const struct schema_member custom_members[] = {
    {"id", SCHEMA_ID, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"content", SCHEMA_ANY, 0, 0, NULL, NULL},
    {0}};
static const struct schema_member email_members[] = {
    {"email", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 100, NULL, NULL},
    {"field", SCHEMA_STRING, SCHEMA_REQUIRED, 0, email_fields, NULL},
    {"opt_in_reason", SCHEMA_STRING, SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {0}};
static const struct schema_member phone_members[] = {
    STRING("extension", 0),   {"number", SCHEMA_STRING, SCHEMA_NOT_BLANK, 40, NULL, NULL},
    STRING("type", 0),        {"field", SCHEMA_STRING, SCHEMA_REQUIRED, 0, phone_fields, NULL},
    STRING("number_e164", 0), {0}};
static const struct schema_member fax_members[] = {
    STRING("number", 0), STRING("type", 0), {"field", SCHEMA_STRING, 0, 0, fax_fields, NULL}, {0}};
static const struct schema_member social_members[] = {
    STRING("name", 0), {"type", SCHEMA_STRING, SCHEMA_REQUIRED, 0, social_types, NULL}, {0}};
static const struct schema_member utm_members[] = {
    {"keap_source_id", SCHEMA_STRING, SCHEMA_REQUIRED, 0, NULL, NULL},
    STRING("utm_source", 0),
    STRING("utm_medium", 0),
    STRING("utm_term", 0),
    STRING("utm_campaign", 0),
    STRING("utm_content", 0),
    {0}};

static const struct schema_member contact_members[] = {
    {"addresses", SCHEMA_OBJECTS, 0, 0, NULL, address_members},
    {"company", SCHEMA_OBJECT, 0, 0, NULL, company_members},
    {"origin", SCHEMA_OBJECT, 0, 0, NULL, origin_members},
    STRING("prefix", 0),
    STRING("suffix", 0),
    STRING("website", 100),
    STRING("anniversary_date", 0),
    STRING("birth_date", 0),
    STRING("contact_type", 0),
    {"custom_fields", SCHEMA_OBJECTS, 0, 0, NULL, custom_members},
    {"email_addresses", SCHEMA_OBJECTS, 0, 0, NULL, email_members},
    {"family_name", SCHEMA_STRING, SCHEMA_NOT_BLANK, 40, NULL, NULL},
    {"fax_numbers", SCHEMA_OBJECTS, 0, 0, NULL, fax_members},
    {"given_name", SCHEMA_STRING, SCHEMA_NOT_BLANK, 40, NULL, NULL},
    STRING("job_title", 255),
    STRING("leadsource_id", 0),
    STRING("middle_name", 100),
    STRING("owner_id", 0),
    {"phone_numbers", SCHEMA_OBJECTS, 0, 0, NULL, phone_members},
    STRING("preferred_locale", 0),
    STRING("preferred_name", 100),
    STRING("referral_code", 0),
    {"social_accounts", SCHEMA_OBJECTS, 0, 0, NULL, social_members},
    {"source_type", SCHEMA_STRING, 0, 0, source_types, NULL},
    STRING("spouse_name", 100),
    STRING("time_zone", 0),
    {"utm_parameters", SCHEMA_OBJECT, 0, 0, NULL, utm_members},
    STRING("assistant_name", 20),
    STRING("assistant_phone", 15),
    STRING("billing_information", 100),
    {0}};

/* The members that a reply has always; others must be asked for by `fields`. */
static const char *const usual_fields[] = {"id",
                                           "given_name",
                                           "middle_name",
                                           "family_name",
                                           "email_addresses",
                                           "phone_numbers",
                                           "addresses",
                                           "company",
                                           "create_time",
                                           "update_time",
                                           NULL};
static const char *const other_fields[] = {"links",   "notes",           "score_value",
                                           "tag_ids", "account_id",      "created_by",
                                           "groups",  "last_updated_by", NULL};

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static int refuse(const struct call *call, const char *field, const char *what)
{
    return reply_is_error(call->reply, 400, "%s %s is invalid", field, what);
}

static int check_address(const struct call *call, const json_t *address)
{
    const struct geo *geo = &call->world->geo;
    const char *field = text_at(address, "field");
    const char *country = text_at(address, "country_code");
    const char *region = text_at(address, "region_code");
    size_t line = 100, locality = 100, postal = 15;

    if (strcmp(field, "BILLING") == 0)
        line = 75, locality = 50;
    else if (strcmp(field, "SHIPPING") == 0)
        postal = 20;
    if (text_characters(text_at(address, "line1")) > line)
        return refuse(call, field, "Line1 (too long)");
    if (text_characters(text_at(address, "line2")) > line)
        return refuse(call, field, "Line2 (too long)");
    if (text_characters(text_at(address, "locality")) > locality)
        return refuse(call, field, "Locality (too long)");
    if (text_characters(text_at(address, "postal_code")) > postal)
        return refuse(call, field, "Postal code (too long)");
    if (json_object_get(address, "country_code") != NULL && !geo_country(geo, country))
        return refuse(call, field, "Country");
    if (json_object_get(address, "region_code") != NULL && !geo_region_code(geo, country, region))
        return refuse(call, field, "Region");
    if (json_object_get(address, "region") != NULL && *country == '\0')
        return refuse(call, field, "Region");
    return 0;
}

static int check_email(const struct call *call, const json_t *json)
{
    const char *email = text_at(json, "email"), *at = strchr(email, '@');

    if (at == NULL || at == email || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        email[strcspn(email, " \t\r\n")] != '\0')
        return reply_is_error(call->reply, 400, "Invalid email address");
    if (strcmp(text_at(json, "field"), "EMAIL1") == 0 && text_characters(email) > 75)
        return reply_is_error(call->reply, 400, "EMAIL1 must be at most 75 characters");
    return 0;
}

static int check_phone(const struct call *call, const json_t *json)
{
    const char *field = text_at(json, "field");

    if ((strcmp(field, "PHONE4") == 0 || strcmp(field, "PHONE5") == 0) &&
        text_characters(text_at(json, "number")) > 20)
        return reply_is_error(call->reply, 400, "%s must be at most 20 characters", field);
    return 0;
}

/* Runs check over the members of a list. Each of them must name another field. */
static int check_list(const struct call *call, const json_t *list,
                      int (*check)(const struct call *, const json_t *))
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (check(call, item) != 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (strcmp(text_at(json_array_get(list, k), "field"), text_at(item, "field")) == 0)
                return reply_is_error(call->reply, 400, "%s is given twice",
                                      text_at(item, "field"));
    }
    return 0;
}

static int check_contact(const struct call *call, const json_t *body)
{
    if (check_list(call, json_object_get(body, "addresses"), check_address) != 0 ||
        check_list(call, json_object_get(body, "email_addresses"), check_email) != 0 ||
        check_list(call, json_object_get(body, "phone_numbers"), check_phone) != 0)
        return -1;
    return call_custom_fields(call, &call->account->contact_model,
                              json_object_get(body, "custom_fields"));
}

/* E-mail addresses in their stored form. The opt_in_reason decides whether they may be written to;
 * it survives a rewrite. */
static json_t *stored_emails(const json_t *given, const json_t *before)
{
    json_t *list = json_deep_copy(given);

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *email = json_array_get(list, i);
        for (size_t k = 0; k < json_array_size(before); k++) {
            const json_t *old = json_array_get(before, k);
            if (strcasecmp(text_at(old, "email"), text_at(email, "email")) == 0 &&
                json_object_get(email, "opt_in_reason") == NULL &&
                json_object_get(old, "opt_in_reason") != NULL)
                json_object_set(email, "opt_in_reason", json_object_get(old, "opt_in_reason"));
        }
        json_object_set_new(email, "is_opt_in",
                            json_boolean(json_object_get(email, "opt_in_reason") != NULL));
        json_object_set_new(email, "email_opt_status",
                            json_string(json_object_get(email, "opt_in_reason") != NULL
                                            ? "SINGLE_OPT_IN"
                                            : "NON_MARKETABLE"));
    }
    return list;
}

/* Makes the contact findable by these addresses from now on. */
static void index_contact(const struct call *call, struct object *object, const json_t *contact)
{
    static const char *const names[] = {"given_name", "family_name", "middle_name", NULL};
    struct collection *contacts = &call->account->contacts;
    const json_t *emails = json_object_get(contact, "email_addresses");
    const json_t *phones = json_object_get(contact, "phone_numbers");

    object_drop_values(contacts, object, "email", NULL);
    object_drop_values(contacts, object, "phone_number", NULL);
    for (size_t i = 0; i < json_array_size(emails); i++)
        object_add_value(contacts, object, "email", text_at(json_array_get(emails, i), "email"),
                         call->now_ms);
    for (size_t i = 0; i < json_array_size(phones); i++)
        object_add_value(contacts, object, "phone_number",
                         text_at(json_array_get(phones, i), "number"), call->now_ms);
    for (const char *const *name = names; *name != NULL; name++) {
        object_drop_values(contacts, object, *name, NULL);
        if (json_object_get(contact, *name) != NULL)
            object_add_value(contacts, object, *name, text_at(contact, *name), call->now_ms);
    }
    call_index_custom_fields(call, contacts, object, &call->account->contact_model,
                             json_object_get(contact, "custom_fields"));
}

/* Puts the members of body that mask names (all, when it is empty) into the contact. A list is
 * replaced as a whole. */
static void merge(const struct call *call, struct object *object, const json_t *body,
                  const json_t *mask)
{
    json_t *contact = object->text == NULL ? json_object() : object_json(object);
    char date[DATE_SIZE], id[24];

    snprintf(id, sizeof id, "%lld", (long long)object->id);
    json_object_set_new(contact, "id", json_string(id));
    for (const struct schema_member *member = contact_members; member->name != NULL; member++) {
        json_t *value = json_object_get(body, member->name);
        int named = json_array_size(mask) == 0;
        for (size_t i = 0; i < json_array_size(mask); i++)
            named |= strcmp(json_string_value(json_array_get(mask, i)), member->name) == 0;
        if (!named)
            continue;
        if (value == NULL && json_array_size(mask) > 0)
            json_object_del(contact, member->name);
        else if (value != NULL && strcmp(member->name, "email_addresses") == 0)
            json_object_set_new(contact, member->name,
                                stored_emails(value, json_object_get(contact, member->name)));
        else if (value != NULL)
            json_object_set(contact, member->name, value);
    }
    if (json_object_get(contact, "create_time") == NULL)
        json_object_set_new(contact, "create_time", json_string(date_iso(date, call->now_ms)));
    json_object_set_new(contact, "update_time", json_string(date_iso(date, call->now_ms)));
    object->updated_ms = call->now_ms;
    index_contact(call, object, contact);
    object_set_json(object, contact);
}

static int in_names(const char *const *names, const char *name, size_t length)
{
    for (; *names != NULL; names++)
        if (strlen(*names) == length && strncmp(*names, name, length) == 0)
            return 1;
    return 0;
}

static int is_contact_field(const char *name, size_t length)
{
    for (const struct schema_member *member = contact_members; member->name != NULL; member++)
        if (strlen(member->name) == length && strncmp(member->name, name, length) == 0)
            return 1;
    return in_names(usual_fields, name, length) || in_names(other_fields, name, length);
}

/* Reads and checks the comma list `fields`. */
static int check_fields(const struct call *call, const char **fields)
{
    *fields = request_parameter(call->request, "fields");
    for (const char *name = *fields; name != NULL && *name != '\0';) {
        size_t length = strcspn(name, ",");
        if (!is_contact_field(name, length))
            return reply_is_error(call->reply, 400, "Invalid field: %.50s", name);
        name += length;
        if (*name == ',')
            name++;
    }
    return 0;
}

static json_t *tag_ids(const struct object *object)
{
    json_t *list = json_array();

    for (size_t i = 0; i < object->value_count; i++)
        if (strcmp(object->values[i].field, "tag_id") == 0)
            json_array_append_new(list, json_string(object->values[i].value));
    return list;
}

static int field_wanted(const char *fields, const char *name)
{
    if (fields == NULL)
        return in_names(usual_fields, name, strlen(name));
    if (strcmp(name, "id") == 0)
        return 1;
    for (const char *field = fields; *field != '\0';) {
        size_t length = strcspn(field, ",");
        if (strlen(name) == length && strncmp(name, field, length) == 0)
            return 1;
        field += length;
        if (*field == ',')
            field++;
    }
    return 0;
}

/* A contact with the members that were asked for. data is the list of fields, or NULL. */
static char *shape_contact(const struct object *object, void *data)
{
    json_t *contact = object_json(object), *shaped = json_object(), *value;
    const char *name;
    char *text;

    json_object_set_new(contact, "tag_ids", tag_ids(object));
    json_object_foreach(contact, name, value)
    {
        if (field_wanted(data, name))
            json_object_set(shaped, name, value);
    }
    text = json_text(shaped);
    json_decref(contact);
    json_decref(shaped);
    return text;
}

static void reply_contact(const struct call *call, int status, const struct object *object,
                          const char *fields)
{
    char *text = shape_contact(object, (void *)fields);

    reply_text(call->reply, status, text, strlen(text));
    free(text);
}

void contacts_list(const struct call *call)
{
    static const struct filter_field fields[] = {{"email", NULL, FILTER_TEXT_WILDCARD},
                                                 {"given_name", NULL, FILTER_TEXT_WILDCARD},
                                                 {"family_name", NULL, FILTER_TEXT_WILDCARD},
                                                 {"middle_name", NULL, FILTER_TEXT_WILDCARD},
                                                 {"phone_number", NULL, FILTER_TEXT},
                                                 {"contact_id", NULL, FILTER_ID},
                                                 {"ids", NULL, FILTER_IDS},
                                                 {"contact_ids", NULL, FILTER_IDS},
                                                 {"start_update_time", NULL, FILTER_UPDATED_SINCE},
                                                 {"end_update_time", NULL, FILTER_UPDATED_UNTIL},
                                                 {0}};
    static const char *const order_by[] = {"id", "create_time", "email", "update_time", NULL};
    const char *wanted;
    struct list_query query = {.fields = fields, .order_by = order_by, .shape = shape_contact};

    if (check_fields(call, &wanted) != 0)
        return;
    query.custom_fields = &call->account->contact_model.by_name;
    query.visible_until_ms = call_visible_until(call);
    query.shape_data = (void *)wanted;
    collection_list(&call->account->contacts, call->request, &query, call->reply);
}

/* Finds the contact that duplicate_option means: by e-mail address, or by address and names. */
static struct object *find_duplicate(const struct call *call, const json_t *body,
                                     const char *option)
{
    const json_t *emails = json_object_get(body, "email_addresses");

    for (size_t i = 0; option != NULL && i < json_array_size(emails); i++) {
        struct object *object = collection_find(&call->account->contacts, "email",
                                                text_at(json_array_get(emails, i), "email"));
        if (object == NULL)
            continue;
        if (strcmp(option, "Email") == 0 ||
            (object_has(object, "given_name", text_at(body, "given_name")) &&
             object_has(object, "family_name", text_at(body, "family_name"))))
            return object;
    }
    return NULL;
}

void contacts_create(const struct call *call)
{
    static const char *const options[] = {"Email", "EmailAndName", "EmailAndNameAndCompany", NULL};
    const char *option = request_parameter(call->request, "duplicate_option");
    const json_t *body = call_body(call, contact_members);
    const char *fields;
    struct object *object;
    int made;

    if (body == NULL || check_fields(call, &fields) != 0 || check_contact(call, body) != 0)
        return;
    if (option != NULL && !in_names(options, option, strlen(option))) {
        reply_is_error(call->reply, 400, "Invalid duplicate_option: %.50s", option);
        return;
    }
    if (json_array_size(json_object_get(body, "email_addresses")) == 0 &&
        json_array_size(json_object_get(body, "phone_numbers")) == 0 &&
        json_array_size(json_object_get(body, "addresses")) == 0) {
        reply_is_error(call->reply, 400,
                       "A contact needs at least one email address, phone number or address");
        return;
    }
    object = find_duplicate(call, body, option);
    made = object == NULL;
    if (made)
        object = collection_add(&call->account->contacts, call->now_ms);
    merge(call, object, body, NULL);
    reply_contact(call, made ? 201 : 200, object, fields);
    reply_effect(call->reply, made ? "made" : "changed", "contact", object->text);
}

void contacts_get(const struct call *call)
{
    const struct object *object = collection_get_text(&call->account->contacts, call->id);
    const char *fields;

    if (object == NULL)
        call_not_found(call, "Contact");
    else if (check_fields(call, &fields) == 0)
        reply_contact(call, 200, object, fields);
}

void contacts_patch(const struct call *call)
{
    struct object *object = collection_get_text(&call->account->contacts, call->id);
    const json_t *body;
    const char *fields;
    json_t *mask;

    if (object == NULL) {
        call_not_found(call, "Contact");
        return;
    }
    body = call_body(call, contact_members);
    if (body == NULL || check_fields(call, &fields) != 0 || check_contact(call, body) != 0)
        return;
    mask = call_update_mask(call, contact_members);
    if (mask == NULL)
        return;
    merge(call, object, body, mask);
    json_decref(mask);
    reply_contact(call, 200, object, fields);
    reply_effect(call->reply, "changed", "contact", object->text);
}
