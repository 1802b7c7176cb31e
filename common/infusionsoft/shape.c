#include "infusionsoft/infusionsoft.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MISSING_BYTES = 96 };

int infusionsoft_is_id(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return 0;
    return length > 0 && length <= 20;
}

const char *infusionsoft_id(yyjson_val *object, char target[32])
{
    yyjson_val *id = yyjson_obj_get(object, "id");

    target[0] = '\0';
    if (yyjson_is_str(id) && infusionsoft_is_id(yyjson_get_str(id), yyjson_get_len(id)))
        snprintf(target, 32, "%s", yyjson_get_str(id));
    else if (yyjson_is_uint(id))
        snprintf(target, 32, "%" PRIu64, yyjson_get_uint(id));
    return target;
}

/* Checks a list of that name. NULL: it is good; else what it lacks, written into missing. */
static const char *list_fault(yyjson_val *root, const char *name, char missing[MISSING_BYTES])
{
    yyjson_val *list = yyjson_obj_get(root, name), *item;
    yyjson_val *next = yyjson_obj_get(root, "next_page_token");
    yyjson_arr_iter iter;

    if (!yyjson_is_arr(list)) {
        snprintf(missing, MISSING_BYTES, "without the list \"%s\"", name);
        return missing;
    }
    if (next != NULL && !yyjson_is_null(next) && !yyjson_is_str(next))
        return "with a next_page_token that is no text";
    yyjson_arr_iter_init(list, &iter);
    while ((item = yyjson_arr_iter_next(&iter)) != NULL) {
        char id[32];

        if (infusionsoft_id(item, id)[0] == '\0') {
            snprintf(missing, MISSING_BYTES, "with an item without an id in \"%s\"", name);
            return missing;
        }
    }
    return NULL;
}

yyjson_val *infusionsoft_list(struct infusionsoft *client, const char *name)
{
    yyjson_val *root = infusionsoft_answer(client)->root;
    char missing[MISSING_BYTES];
    const char *fault = list_fault(root, name, missing);

    if (fault == NULL)
        return yyjson_obj_get(root, name);
    infusionsoft_says_nothing(client, fault);
    return NULL;
}

const char *infusionsoft_object_id(struct infusionsoft *client, char id[32])
{
    if (infusionsoft_id(infusionsoft_answer(client)->root, id)[0] != '\0')
        return id;
    infusionsoft_says_nothing(client, "without an id");
    return NULL;
}

enum infusionsoft_outcome infusionsoft_check_user(struct infusionsoft *client)
{
    static const char *const names[] = {"sub", "id", "email"};
    const struct infusionsoft_answer *answer = infusionsoft_answer(client);

    if (answer->outcome != INFUSIONSOFT_OK)
        return answer->outcome;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (yyjson_is_str(yyjson_obj_get(answer->root, names[i])))
            return INFUSIONSOFT_OK;
    return infusionsoft_says_nothing(client, "without a user");
}

/* A field whose label, type or name cannot be read might be ours, so the answer is not used. */
static int is_readable(yyjson_val *field)
{
    return yyjson_is_str(yyjson_obj_get(field, "label")) &&
           yyjson_is_str(yyjson_obj_get(field, "field_type")) &&
           yyjson_is_str(yyjson_obj_get(field, "field_name"));
}

enum infusionsoft_outcome infusionsoft_find_field(struct infusionsoft *client,
                                                  struct infusionsoft_field *field)
{
    infusionsoft_call(client, "GET", "/orders/model", NULL, (struct text){0});
    return infusionsoft_read_field(client, INFUSIONSOFT_FIELD_LABEL, field);
}

enum infusionsoft_outcome infusionsoft_read_field(struct infusionsoft *client, const char *label,
                                                  struct infusionsoft_field *field)
{
    enum infusionsoft_outcome outcome = infusionsoft_answer(client)->outcome;
    yyjson_arr_iter iter;
    yyjson_val *list, *one;
    int unreadable = 0;

    memset(field, 0, sizeof(*field));
    if (outcome != INFUSIONSOFT_OK)
        return outcome;
    list = infusionsoft_list(client, "custom_fields");
    if (list == NULL)
        return INFUSIONSOFT_IN_DOUBT;
    yyjson_arr_iter_init(list, &iter);
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!is_readable(one)) {
            unreadable = 1;
        } else if (yyjson_equals_str(yyjson_obj_get(one, "label"), label) &&
                   yyjson_equals_str(yyjson_obj_get(one, "field_type"), "TEXT")) {
            infusionsoft_id(one, field->id);
            snprintf(field->name, sizeof(field->name), "%s",
                     yyjson_get_str(yyjson_obj_get(one, "field_name")));
            return INFUSIONSOFT_OK;
        }
    }
    return unreadable ? infusionsoft_says_nothing(client, "with a custom field without its name")
                      : INFUSIONSOFT_OK;
}
