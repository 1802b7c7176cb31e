/* models.c - custom fields, and the calls by which the account describes itself. */
#include "infusionsoft/account.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "world.h"

static const char *const field_types[] = {
    "CURRENCY",  "DATE",         "DATE_TIME",    "DAY_OF_WEEK", "DECIMAL_NUMBER",
    "DRILLDOWN", "DROPDOWN",     "EMAIL",        "LIST_BOX",    "MONTH",
    "NAME",      "PERCENT",      "PHONE_NUMBER", "RADIO",       "SOCIAL_SECURITY_NUMBER",
    "STATE",     "TEXT",         "TEXT_AREA",    "USER",        "USER_LIST_BOX",
    "WEBSITE",   "WHOLE_NUMBER", "YEAR",         "YES_NO",      NULL};

static const struct schema_member option_members[] = {{"label", SCHEMA_STRING, 0, 0, NULL, NULL},
                                                      {0}};

static const struct schema_member field_members[] = {
    {"label", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 0, NULL, NULL},
    {"options", SCHEMA_OBJECTS, 0, 0, NULL, option_members},
    {"field_type", SCHEMA_STRING, SCHEMA_REQUIRED, 0, field_types, NULL},
    {"group_id", SCHEMA_STRING, 0, 0, NULL, NULL},
    {"user_group_id", SCHEMA_STRING, 0, 0, NULL, NULL},
    {0}};

static void model_get(const struct call *call, const struct model *model)
{
    reply_json(
        call->reply, 200,
        mem_check(json_pack("{s:O,s:[]}", "custom_fields", model->fields, "optional_properties")));
}

/* Makes the name of a field: "_" and the letters and digits of the label, with a number behind it
 * when that name is taken. */
static void make_name(const struct model *model, const char *label, char *name, size_t size)
{
    size_t length = 0;

    name[length++] = '_';
    for (; *label != '\0' && length + 8 < size; label++)
        if (isalnum((unsigned char)*label) && (unsigned char)*label < 0x80)
            name[length++] = *label;
    name[length] = '\0';
    for (int i = 0; table_get(&model->by_name, name) != NULL; i++)
        snprintf(name + length, size - length, "%d", i);
}

static void model_create(const struct call *call, struct model *model)
{
    const json_t *body = call_body(call, field_members);
    char id[24], name[64], *effect;
    json_t *field;

    if (body == NULL)
        return;
    make_name(model, json_string_value(json_object_get(body, "label")), name, sizeof name);
    snprintf(id, sizeof id, "%lld", (long long)++call->account->custom_field_id);
    field = mem_check(json_pack("{s:s,s:O,s:s,s:O,s:s,s:s,s:s}", "id", id, "label",
                                json_object_get(body, "label"), "record_type", model->record_type,
                                "field_type", json_object_get(body, "field_type"), "group_id", "1",
                                "group_name", "Custom Fields", "field_name", name));
    json_array_append_new(model->fields, field);
    table_add(&model->by_name, name,
              (void *)json_string_value(json_object_get(field, "field_name")));
    table_add(&model->by_id, id, (void *)json_string_value(json_object_get(field, "field_name")));
    reply_json(call->reply, 201, json_incref(field));
    effect = json_text(field);
    reply_effect(call->reply, "made",
                 strcmp(model->record_type, "ORDER") == 0 ? "order_custom_field"
                                                          : "contact_custom_field",
                 effect);
    free(effect);
}

void model_contacts_get(const struct call *call) { model_get(call, &call->account->contact_model); }

void model_contacts_create(const struct call *call)
{
    model_create(call, &call->account->contact_model);
}

void model_orders_get(const struct call *call) { model_get(call, &call->account->order_model); }

void model_orders_create(const struct call *call)
{
    model_create(call, &call->account->order_model);
}

void info_user(const struct call *call)
{
    reply_json(
        call->reply, 200,
        mem_check(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:s}", "email", "owner@example.com",
                            "sub", "1", "id", "1", "keap_id", "owner@example.com", "given_name",
                            "Sandbox", "family_name", "Owner", "is_admin", 1, "tenant_id",
                            call->world->settings.tenant)));
}

void info_business(const struct call *call)
{
    reply_json(call->reply, 200,
               mem_check(json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s}}", "name",
                                   "bigfusion sandbox", "email", "owner@example.com", "time_zone",
                                   "UTC", "currency_code", call->world->settings.currency,
                                   "language_tag", "en-US", "address", "line1", "1 Sandbox Road",
                                   "locality", "Austin", "country_code", "USA")));
}

void info_enabled(const struct call *call)
{
    reply_json(call->reply, 200, mem_check(json_pack("{s:b}", "isEnabled", 1)));
}

void info_configuration(const struct call *call)
{
    static const char *const known[] = {
        "AFFILIATE", "APPOINTMENT", "CONTACT",     "ECOMMERCE", "EMAIL",    "FORMS", "FULFILLMENT",
        "INVOICE",   "NOTE",        "OPPORTUNITY", "TASK",      "TEMPLATE", NULL};
    json_t *reply = mem_check(json_pack("{s:{s:s,s:{s:s}}}", "application", "time_zone", "UTC",
                                        "company", "name", "bigfusion sandbox"));

    for (int i = 0; i < call->request->parameter_count; i++) {
        const struct parameter *parameter = &call->request->parameters[i];
        const char *const *name = known;
        if (strcmp(parameter->name, "fields") != 0)
            continue;
        while (*name != NULL && strcmp(*name, parameter->value) != 0)
            name++;
        if (*name == NULL) {
            json_decref(reply);
            reply_is_error(call->reply, 400, "Invalid field: %.50s", parameter->value);
            return;
        }
        if (strcmp(*name, "ECOMMERCE") == 0)
            json_object_set_new(reply, "ecommerce",
                                json_pack("{s:s,s:s,s:s}", "currency",
                                          call->world->settings.currency, "default_country",
                                          "United States", "payment_types",
                                          "Credit Card (Manual),Check,Cash,Adjustment"));
    }
    reply_json(call->reply, 200, reply);
}

void info_provinces(const struct call *call)
{
    if (!geo_country(&call->world->geo, call->id)) {
        call_not_found(call, "Country");
        return;
    }
    reply_json(
        call->reply, 200,
        mem_check(json_pack("{s:o,s:s}", "provinces", geo_provinces(&call->world->geo, call->id),
                            "next_page_token", "")));
}
