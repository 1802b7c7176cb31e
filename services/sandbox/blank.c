#include "blank.h"

#include <string.h>

#include "base/mem.h"

/* Name of the first list in an answer, or NULL. An object with an id is not a list answer; the
 * lists in it are its own members. */
static const char *list_name(json_t *object)
{
    const char *name;
    json_t *value;

    if (json_object_get(object, "id") != NULL)
        return NULL;
    json_object_foreach(object, name, value)
    {
        if (json_is_array(value))
            return name;
    }
    return NULL;
}

/* New. */
static json_t *without_members(const json_t *list)
{
    json_t *items = mem_check(json_array());

    for (size_t i = 0; i < json_array_size(list); i++)
        json_array_append_new(items, json_object());
    return items;
}

/* The value that replaces a list, or a member of an object without a list. New. */
static json_t *instead_of(const json_t *value, enum blank blank)
{
    return blank == BLANK_ITEMS && json_is_array(value) ? without_members(value) : json_null();
}

/* New. */
static json_t *blank_json(json_t *json, enum blank blank)
{
    const char *list = list_name(json), *name;
    json_t *blanked, *value;

    if (blank == BLANK_OTHER && list == NULL)
        return mem_check(json_pack("{s:O}", "data", json));
    if (!json_is_object(json))
        return instead_of(json, blank);
    blanked = mem_check(json_object());
    json_object_foreach(json, name, value)
    {
        if (blank == BLANK_TOKEN && strcmp(name, "next_page_token") == 0)
            json_object_set_new(blanked, name, json_integer(7));
        else if (blank == BLANK_TOKEN || (list != NULL && strcmp(name, list) != 0))
            json_object_set(blanked, name, value);
        else if (blank == BLANK_OTHER)
            json_object_set(blanked, "data", value);
        else
            json_object_set_new(blanked, name, instead_of(value, blank));
    }
    return blanked;
}

void blank_reply(struct reply *reply, enum blank blank)
{
    int status = reply->status == 204 ? 200 : reply->status;
    json_t *json = NULL;

    if (status < 200 || status > 299)
        return;
    if (reply->body.length > 0)
        json = json_loadb(reply->body.data, reply->body.length, 0, NULL);
    if (blank == BLANK_OBJECT)
        reply_json(reply, status, mem_check(json_object()));
    else if (blank == BLANK_EMPTY || json == NULL)
        reply_text(reply, status, "", 0);
    else if (blank != BLANK_TOKEN || json_is_object(json))
        reply_json(reply, status, blank_json(json, blank));
    json_decref(json);
}
