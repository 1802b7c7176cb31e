/* call.c - functions that several handlers of the account use: bodies, masks, money, custom
 * fields. */
#include "infusionsoft/account.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/currency.h"
#include "base/mem.h"
#include "world.h"

const json_t *call_body(const struct call *call, const struct schema_member *members)
{
    const struct request *request = call->request;
    char message[256];

    if (request->content_type == NULL ||
        strncasecmp(request->content_type, "application/json", 16) != 0) {
        reply_is_error(call->reply, 400, "Content-Type must be application/json");
        return NULL;
    }
    if (request->json == NULL) {
        reply_is_error(call->reply, 400, "Malformed JSON: %s",
                       request->json_error[0] != '\0' ? request->json_error : "no body");
        return NULL;
    }
    if (schema_check(members, request->json, message, sizeof message) != 0) {
        reply_is_error(call->reply, 400, "%s", message);
        return NULL;
    }
    return request->json;
}

int call_digits(const struct call *call)
{
    return currency_digits(text_of(call->world->settings.currency));
}

json_t *call_money(const struct call *call, int64_t minor)
{
    int digits = call_digits(call);
    char text[48];

    snprintf(text, sizeof text, "%.*f", digits, (double)minor / pow(10, digits));
    return mem_check(json_pack("{s:I,s:s,s:s}", "amount", minor, "currency_code",
                               call->world->settings.currency, "formatted_amount", text));
}

int64_t call_visible_until(const struct call *call)
{
    return call->now_ms - call->world->settings.visibility_delay_ms;
}

void call_reply_object(const struct call *call, int status, const struct object *object)
{
    reply_text(call->reply, status, object->text, object->length);
}

int call_not_found(const struct call *call, const char *kind)
{
    return reply_is_error(call->reply, 404, "%s not found", kind);
}

static int is_member(const struct schema_member *members, const char *name)
{
    for (; members->name != NULL; members++)
        if (strcmp(members->name, name) == 0)
            return 1;
    return 0;
}

static int in_list(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
            return 1;
    return 0;
}

json_t *call_update_mask(const struct call *call, const struct schema_member *members)
{
    json_t *mask = mem_check(json_array());

    for (int i = 0; i < call->request->parameter_count; i++) {
        const struct parameter *parameter = &call->request->parameters[i];
        if (strcmp(parameter->name, "update_mask") != 0)
            continue;
        if (!is_member(members, parameter->value) || in_list(mask, parameter->value)) {
            reply_is_error(call->reply, 400, "Invalid update_mask: %.100s", parameter->value);
            json_decref(mask);
            return NULL;
        }
        json_array_append_new(mask, mem_check(json_string(parameter->value)));
    }
    return mask;
}

int call_custom_fields(const struct call *call, const struct model *model, const json_t *fields)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *id = json_string_value(json_object_get(field, "id"));
        if (id == NULL || table_get(&model->by_id, id) == NULL)
            return reply_is_error(call->reply, 400, "Custom field does not exist: %.50s",
                                  id == NULL ? "(no id)" : id);
        for (size_t k = 0; k < i; k++)
            if (strcmp(json_string_value(json_object_get(json_array_get(fields, k), "id")), id) ==
                0)
                return reply_is_error(call->reply, 400, "Custom field given twice: %.50s", id);
    }
    return 0;
}

void call_index_custom_fields(const struct call *call, struct collection *collection,
                              struct object *object, const struct model *model,
                              const json_t *fields)
{
    for (size_t i = 0; i < json_array_size(model->fields); i++)
        object_drop_values(
            collection, object,
            json_string_value(json_object_get(json_array_get(model->fields, i), "field_name")),
            NULL);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name =
            table_get(&model->by_id, json_string_value(json_object_get(field, "id")));
        const json_t *content = json_object_get(field, "content");
        char *text = json_is_string(content) || content == NULL ? NULL : json_text(content);
        if (content != NULL)
            object_add_value(collection, object, name,
                             text == NULL ? json_string_value(content) : text, call->now_ms);
        free(text);
    }
}

int call_price(const struct call *call, const char *name, const json_t *number, int64_t *minor)
{
    int digits = call_digits(call);
    double value = json_number_value(number) * pow(10, digits);

    if (!(fabs(value) < 1e14) || fabs(value - round(value)) > 1e-6 * (1 + fabs(value) * 1e-8))
        return reply_is_error(call->reply, 400, "%s must have at most %d decimals", name, digits);
    *minor = (int64_t)llround(value);
    return 0;
}
