#include "bigcommerce/v3.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "dates.h"
#include "order_text.h"

enum { LIMIT_DEFAULT = 50, PAGE_MAX = 1000000000 };

int v3_wrong(struct reply *reply, const char *name)
{
    char title[96];

    snprintf(title, sizeof title, "The filter(s): %.60s are not valid.", name);
    reply_bc_title(reply, 422, title);
    return -1;
}

int v3_list_has(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t part = strcspn(at, ",");
        if (part == length && strncasecmp(at, word, length) == 0)
            return 1;
        at += part + (at[part] == ',');
    }
    return 0;
}

int v3_read_integer(const struct request *request, struct reply *reply, const char *name,
                    int64_t *value)
{
    const char *text = request_parameter(request, name);

    return text == NULL || parse_integer(text, value) == 0 ? 0 : v3_wrong(reply, name);
}

int v3_read_date(const struct request *request, struct reply *reply, const char *name,
                 int64_t *seconds)
{
    const char *text = request_parameter(request, name);

    return text == NULL || date_parse(text, seconds) == 0 ? 0 : v3_wrong(reply, name);
}

int v3_read_include(const struct request *request, struct reply *reply, const char *const *includes)
{
    const char *text = request_parameter(request, "include");

    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, ","), i = 0;
        while (includes[i] != NULL &&
               (strlen(includes[i]) != length || strncmp(includes[i], text, length) != 0))
            i++;
        if (includes[i] == NULL)
            return v3_wrong(reply, "include");
        text += length + (text[length] == ',');
    }
    return 0;
}

int v3_read_page(const struct request *request, struct reply *reply, int64_t *page, int64_t *limit)
{
    *page = 1;
    *limit = LIMIT_DEFAULT;
    if (v3_read_integer(request, reply, "page", page) != 0 ||
        v3_read_integer(request, reply, "limit", limit) != 0)
        return -1;
    if (*page < 1 || *page > PAGE_MAX)
        return v3_wrong(reply, "page");
    return *limit >= 1 ? 0 : v3_wrong(reply, "limit");
}

const char *v3_text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

int64_t v3_id_of(const json_t *object)
{
    return (int64_t)json_integer_value(json_object_get(object, "id"));
}

void v3_set_default(json_t *object, const char *name, json_t *value)
{
    if (json_object_get(object, name) == NULL)
        json_object_set_new(object, name, mem_check(value));
    else
        json_decref(value);
}

json_t *v3_date_json(int64_t seconds, const char *zone)
{
    char date[DATE_SIZE];

    date_iso(date, seconds * 1000);
    return json_sprintf("%.19s%s", date, zone); /* 2019-03-11T15:17:25 */
}

void v3_reply(struct reply *reply, json_t *body)
{
    reply->status = 200;
    order_text_write(&reply->body, body, 0);
    json_decref(body);
}
