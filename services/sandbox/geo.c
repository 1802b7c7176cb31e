#include "geo.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static json_t *load(const char *folder, const char *name, const char *member, struct error *err)
{
    char path[512];
    json_error_t error;
    json_t *json, *list;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    json = json_load_file(path, 0, &error);
    list = json_object_get(json, member);
    if (!json_is_array(list)) {
        error_set(err, ERROR_PERMANENT, "%s: %s (is the package iso-codes installed?)", path,
                  json == NULL ? error.text : "not the expected data");
        json_decref(json);
        return NULL;
    }
    json_incref(list);
    json_decref(json);
    return list;
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

int geo_load(struct geo *geo, const char *folder, struct error *err)
{
    json_t *item;
    size_t i;

    geo->countries = load(folder, "iso_3166-1.json", "3166-1", err);
    geo->regions = load(folder, "iso_3166-2.json", "3166-2", err);
    if (geo->countries == NULL || geo->regions == NULL)
        return -1;
    json_array_foreach(geo->countries, i, item)
    {
        table_add(&geo->alpha3, text_at(item, "alpha_3"), (void *)text_at(item, "alpha_2"));
    }
    json_array_foreach(geo->regions, i, item)
    {
        const char *code = text_at(item, "code");
        char country[3] = {0};
        memcpy(country, code, strnlen(code, 2));
        table_add(&geo->codes, code, (void *)code);
        table_add(&geo->by_country, country, item);
    }
    return 0;
}

void geo_clear(struct geo *geo)
{
    table_clear(&geo->alpha3);
    table_clear(&geo->codes);
    table_clear(&geo->by_country);
    json_decref(geo->countries);
    json_decref(geo->regions);
    *geo = (struct geo){0};
}

static const char *alpha2_of(const struct geo *geo, const char *alpha3)
{
    if (strspn(alpha3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || alpha3[3] != '\0')
        return NULL;
    return table_get(&geo->alpha3, alpha3);
}

int geo_country(const struct geo *geo, const char *alpha3)
{
    return alpha2_of(geo, alpha3) != NULL;
}

int geo_region_code(const struct geo *geo, const char *alpha3, const char *code)
{
    const char *alpha2 = alpha2_of(geo, alpha3);
    const char *known = table_get(&geo->codes, code);

    return alpha2 != NULL && known != NULL && strcmp(known, code) == 0 &&
           strncmp(code, alpha2, 2) == 0 && code[2] == '-';
}

int geo_region_name(const struct geo *geo, const char *alpha3, const char *name)
{
    const char *alpha2 = alpha2_of(geo, alpha3);
    const struct table_entry *entry = alpha2 == NULL ? NULL : table_find(&geo->by_country, alpha2);

    for (size_t i = 0; entry != NULL && i < entry->count; i++)
        if (strcasecmp(text_at(entry->values[i], "name"), name) == 0)
            return 1;
    return 0;
}

json_t *geo_provinces(const struct geo *geo, const char *alpha3)
{
    const char *alpha2 = alpha2_of(geo, alpha3);
    const struct table_entry *entry = alpha2 == NULL ? NULL : table_find(&geo->by_country, alpha2);
    json_t *list = mem_check(json_array());

    for (size_t i = 0; entry != NULL && i < entry->count; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s,s:s}", "code", text_at(entry->values[i], "code"), "name",
                            text_at(entry->values[i], "name"), "country", alpha3));
    return list;
}
