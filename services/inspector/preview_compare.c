/* preview_compare.c - which parts of two payloads differ. Pure. */
#include <stdio.h>
#include <string.h>

#include "preview.h"

enum { PATH_BYTES = 256 };

/* The names of the parts that differ, each once: an object whose values are nothing. */
static void note(json_t *found, const char *path) { json_object_set_new(found, path, json_true()); }

static void compare(json_t *found, const char *path, const json_t *before, const json_t *after);

static void compare_member(json_t *found, const char *path, const char *name, const json_t *before,
                           const json_t *after)
{
    char inner[PATH_BYTES];

    snprintf(inner, sizeof(inner), "%s%s%.60s", path, path[0] != '\0' ? "." : "", name);
    compare(found, inner, json_object_get(before, name), json_object_get(after, name));
}

static void compare_objects(json_t *found, const char *path, const json_t *before,
                            const json_t *after)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)before, name, value)
    {
        compare_member(found, path, name, before, after);
    }
    json_object_foreach((json_t *)(uintptr_t)after, name, value)
    {
        if (json_object_get(before, name) == NULL)
            compare_member(found, path, name, before, after);
    }
}

static void compare_lists(json_t *found, const char *path, const json_t *before,
                          const json_t *after)
{
    size_t count = json_array_size(before) > json_array_size(after) ? json_array_size(before)
                                                                    : json_array_size(after);
    char inner[PATH_BYTES];

    snprintf(inner, sizeof(inner), "%.*s[]", PATH_BYTES - 3, path);
    for (size_t i = 0; i < count; i++)
        compare(found, inner, json_array_get(before, i), json_array_get(after, i));
}

static void compare(json_t *found, const char *path, const json_t *before, const json_t *after)
{
    if (json_is_object(before) && json_is_object(after))
        compare_objects(found, path, before, after);
    else if (json_is_array(before) && json_is_array(after))
        compare_lists(found, path, before, after);
    else if (before == NULL || after == NULL || !json_equal(before, after))
        note(found, path);
}

int preview_compare(json_t *parts, struct text before, struct text after)
{
    json_t *left = json_loadb(before.data, before.length, JSON_DECODE_ANY, NULL);
    json_t *right = json_loadb(after.data, after.length, JSON_DECODE_ANY, NULL);
    json_t *found = mem_check(json_object()), *value;
    const char *name;
    int count;

    if (before.length != after.length || memcmp(before.data, after.data, before.length) != 0)
        compare(found, "", left, right);
    json_object_foreach(found, name, value)
    {
        json_int_t so_far = json_integer_value(json_object_get(parts, name));

        json_object_set_new(parts, name, json_integer(so_far + 1));
    }
    count = (int)json_object_size(found);
    json_decref(found);
    json_decref(left);
    json_decref(right);
    return count;
}
