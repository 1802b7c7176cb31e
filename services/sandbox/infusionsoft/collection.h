/* collection.h - the objects of one kind in the account: contacts, products, orders, tags.
 * An object is kept as the JSON text that a reply carries, beside the few values it can be looked
 * up by, so that a list is a concatenation and a look-up by value needs no scan. Objects are never
 * moved. */
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
    int64_t amount; /* product: price; order: total; in smallest units */
    int64_t paid;   /* order: sum of its payments, in smallest units */
    json_t *extra;  /* order: payments; else NULL */
};

struct collection {
    const char *plural; /* the member of a list reply, "contacts" */
    int64_t first_id;
    struct object **objects; /* objects[i] has the id first_id + i */
    size_t count;
    size_t capacity;
    size_t deleted;
    struct table values; /* "field=value" -> object */
};

void collection_init(struct collection *collection, const char *plural, int64_t first_id);
void collection_clear(struct collection *collection);

/** @brief A new object with the next id and no text. Borrowed. */
struct object *collection_add(struct collection *collection, int64_t now_ms);

/** @brief By id as a number or as text. @returns borrowed, NULL when there is none (any more) */
struct object *collection_get(const struct collection *collection, int64_t id);
struct object *collection_get_text(const struct collection *collection, const char *id);

/** @brief The oldest object with that value, compared without case, or NULL. Borrowed. */
struct object *collection_find(const struct collection *collection, const char *field,
                               const char *value);

/** @brief Sets the reply form (takes json). */
void object_set_json(struct object *object, json_t *json);

/** @brief The reply form, parsed. New. */
json_t *object_json(const struct object *object);

void object_add_value(struct collection *collection, struct object *object, const char *field,
                      const char *value, int64_t when_ms);

/** @brief Removes the values of that field, or all when field is NULL; only that value when value
 * is not NULL. */
void object_drop_values(struct collection *collection, struct object *object, const char *field,
                        const char *value);

/** @brief First value of the field, or NULL. Borrowed. */
const char *object_value(const struct object *object, const char *field);

/** @brief Whether the object has this value (compared without case). */
int object_has(const struct object *object, const char *field, const char *value);

/** @brief Forgets the object; its id is not used again. */
void object_delete(struct collection *collection, struct object *object);

enum filter_kind {
    FILTER_TEXT = 0,      /* == on a value, or != */
    FILTER_TEXT_WILDCARD, /* and with a trailing `*` a prefix */
    FILTER_ID,            /* == != < <= > >= */
    FILTER_IDS,           /* == with a comma list */
    FILTER_CREATED_SINCE, /* == with a time */
    FILTER_CREATED_UNTIL,
    FILTER_UPDATED_SINCE,
    FILTER_UPDATED_UNTIL,
};

/* What a filter of a kind may name; ends with a NULL name. A custom field is FILTER_TEXT_WILDCARD
 * by its own name. */
struct filter_field {
    const char *name;
    const char *field; /* of the object's values; NULL: same as name */
    enum filter_kind kind;
};

struct list_query {
    const struct filter_field *fields;
    const char *const *order_by;       /* allowed fields, ends with NULL */
    const struct table *custom_fields; /* field_name -> anything, or NULL */
    int64_t visible_until_ms;          /* younger objects are not listed */
    char *(*shape)(const struct object *,
                   void *); /* text of a listed object, new; NULL: its text as it is */
    void *shape_data;
};

/** @brief Answers a list call: filter, order_by, page_size, page_token; 400 for what the account
 * does not know. */
void collection_list(const struct collection *collection, const struct request *request,
                     const struct list_query *query, struct reply *reply);

#endif
