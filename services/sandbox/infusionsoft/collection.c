#include "infusionsoft/collection.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void collection_init(struct collection *collection, const char *plural, int64_t first_id)
{
    *collection = (struct collection){.plural = plural, .first_id = first_id};
}

static void free_object(struct object *object)
{
    for (size_t i = 0; i < object->value_count; i++) {
        free(object->values[i].field);
        free(object->values[i].value);
    }
    free(object->values);
    free(object->text);
    json_decref(object->extra);
    free(object);
}

void collection_clear(struct collection *collection)
{
    for (size_t i = 0; i < collection->count; i++)
        free_object(collection->objects[i]);
    free(collection->objects);
    table_clear(&collection->values);
    *collection = (struct collection){0};
}

struct object *collection_add(struct collection *collection, int64_t now_ms)
{
    struct object *object = mem_alloc(sizeof *object);

    if (collection->count == collection->capacity) {
        collection->capacity = collection->capacity == 0 ? 256 : collection->capacity * 2;
        collection->objects =
            mem_realloc(collection->objects, collection->capacity * sizeof *collection->objects);
    }
    object->id = collection->first_id + (int64_t)collection->count;
    object->created_ms = object->updated_ms = now_ms;
    collection->objects[collection->count++] = object;
    return object;
}

struct object *collection_get(const struct collection *collection, int64_t id)
{
    struct object *object;

    if (id < collection->first_id || id - collection->first_id >= (int64_t)collection->count)
        return NULL;
    object = collection->objects[id - collection->first_id];
    return object->text == NULL ? NULL : object;
}

struct object *collection_get_text(const struct collection *collection, const char *id)
{
    int64_t number;

    return parse_integer(id, &number) != 0 ? NULL : collection_get(collection, number);
}

static char *value_key(const char *field, const char *value)
{
    return mem_printf("%s=%s", field, value);
}

struct object *collection_find(const struct collection *collection, const char *field,
                               const char *value)
{
    char *key = value_key(field, value);
    const struct table_entry *entry = table_find(&collection->values, key);
    struct object *oldest = NULL;

    for (size_t i = 0; entry != NULL && i < entry->count; i++) {
        struct object *object = entry->values[i];
        if (oldest == NULL || object->id < oldest->id)
            oldest = object;
    }
    free(key);
    return oldest;
}

void object_set_json(struct object *object, json_t *json)
{
    free(object->text);
    object->text = json_text(json);
    object->length = strlen(object->text);
    json_decref(json);
}

json_t *object_json(const struct object *object)
{
    return mem_check(json_loadb(object->text, object->length, 0, NULL));
}

void object_add_value(struct collection *collection, struct object *object, const char *field,
                      const char *value, int64_t when_ms)
{
    char *key;

    if (object_has(object, field, value))
        return;
    object->values =
        mem_realloc(object->values, (object->value_count + 1) * sizeof *object->values);
    object->values[object->value_count++] =
        (struct object_value){mem_strdup(field), mem_strdup(value), when_ms};
    key = value_key(field, value);
    table_add(&collection->values, key, object);
    free(key);
}

void object_drop_values(struct collection *collection, struct object *object, const char *field,
                        const char *value)
{
    size_t kept = 0;

    for (size_t i = 0; i < object->value_count; i++) {
        struct object_value *found = &object->values[i];
        if ((field == NULL || strcmp(found->field, field) == 0) &&
            (value == NULL || strcasecmp(found->value, value) == 0)) {
            char *key = value_key(found->field, found->value);
            table_remove(&collection->values, key, object);
            free(key);
            free(found->field);
            free(found->value);
        } else {
            object->values[kept++] = *found;
        }
    }
    object->value_count = kept;
}

const char *object_value(const struct object *object, const char *field)
{
    for (size_t i = 0; i < object->value_count; i++)
        if (strcmp(object->values[i].field, field) == 0)
            return object->values[i].value;
    return NULL;
}

int object_has(const struct object *object, const char *field, const char *value)
{
    for (size_t i = 0; i < object->value_count; i++)
        if (strcmp(object->values[i].field, field) == 0 &&
            strcasecmp(object->values[i].value, value) == 0)
            return 1;
    return 0;
}

void object_delete(struct collection *collection, struct object *object)
{
    object_drop_values(collection, object, NULL, NULL);
    free(object->text);
    object->text = NULL;
    object->length = 0;
    collection->deleted++;
}
