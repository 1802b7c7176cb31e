/* collection.h - all objects of one kind in the account: contacts, products, orders or tags.
 *
 * An object is kept as the JSON text of its reply, together with the few values by which it can be
 * found. So a list is made by joining texts, and a look-up by value needs no scan. Objects never
 * move in memory. */
#ifndef SANDBOX_COLLECTION_H
#define SANDBOX_COLLECTION_H

#include <stdint.h>

#include <jansson.h>

#include "request.h"
#include "table.h"

struct object_value {
    char *field;
    char *value;
    int64_t when_ms;
};

struct object {
    int64_t id;
    int64_t created_ms;
    int64_t updated_ms;
    char *text; /* the object in reply form; NULL when it was deleted */
    size_t length;
    struct object_value *values;
    size_t value_count;
    int64_t amount; /* price of a product or total of an order, in smallest units */
    int64_t paid;   /* order: the sum of its payments, in smallest units */
    json_t *extra;  /* order: its payments; else NULL */
};

struct collection {
    const char *plural; /* name of the list in a reply, e.g. "contacts" */
    int64_t first_id;
    struct object **objects; /* objects[i] has the id first_id + i */
    size_t count;
    size_t capacity;
    size_t deleted;
    struct table values; /* "field=value" -> object */
};

void collection_init(struct collection *collection, const char *plural, int64_t first_id);
void collection_clear(struct collection *collection);

/** @brief Adds an object with the next id and without a text. Borrowed. */
struct object *collection_add(struct collection *collection, int64_t now_ms);

/** @brief Finds an object by its id, as a number or as text. @returns borrowed, NULL when it does
 * not exist (any more) */
struct object *collection_get(const struct collection *collection, int64_t id);
struct object *collection_get_text(const struct collection *collection, const char *id);

/** @brief Finds the oldest object with that value, compared without case, or NULL. Borrowed. */
struct object *collection_find(const struct collection *collection, const char *field,
                               const char *value);

/** @brief Sets the text of the reply (takes json). */
void object_set_json(struct object *object, json_t *json);

/** @brief The reply as JSON. New. */
json_t *object_json(const struct object *object);

void object_add_value(struct collection *collection, struct object *object, const char *field,
                      const char *value, int64_t when_ms);

/** @brief Removes the values of that field (NULL: of all fields). Where value is not NULL, only
 * that value. */
void object_drop_values(struct collection *collection, struct object *object, const char *field,
                        const char *value);

/** @brief First value of the field, or NULL. Borrowed. */
const char *object_value(const struct object *object, const char *field);

/** @brief Whether the object has this value (compared without case). */
int object_has(const struct object *object, const char *field, const char *value);

/** @brief Deletes the object. Its id is not used again. */
void object_delete(struct collection *collection, struct object *object);

enum filter_kind {
    FILTER_TEXT = 0,      /* the filters == and != on a value */
    FILTER_TEXT_WILDCARD, /* also a prefix, written with `*` at the end */
    FILTER_TEXT_CONTAINS, /* == matches anywhere in the value; with `*` at the end it is a prefix */
    FILTER_ID,            /* the filters == != < <= > >= */
    FILTER_IDS,           /* the filter == with a comma list */
    FILTER_CREATED_SINCE, /* the filter == with a time */
    FILTER_CREATED_UNTIL,
    FILTER_UPDATED_SINCE,
    FILTER_UPDATED_UNTIL,
};

/* What a filter of a kind of object may name. The list ends with a NULL name. A custom field is
 * FILTER_TEXT_WILDCARD under its own name. */
struct filter_field {
    const char *name;
    const char *field; /* the name among the object's values; NULL: same as name */
    enum filter_kind kind;
};

struct list_query {
    const struct filter_field *fields;
    const char *const *order_by;         /* the allowed fields; ends with NULL */
    const struct table *custom_fields;   /* field_name -> anything, or NULL */
    int64_t visible_until_ms;            /* objects that are younger are not listed */
    const char *only_field, *only_value; /* only objects with this value are listed; NULL: all */
    char *(*shape)(const struct object *,
                   void *); /* returns the text of a listed object, new; NULL: its text as it is */
    void *shape_data;
};

/** @brief Answers a list call: filter, order_by, page_size, page_token. It answers 400 for anything
 * that the account does not know. */
void collection_list(const struct collection *collection, const struct request *request,
                     const struct list_query *query, struct reply *reply);

#endif
