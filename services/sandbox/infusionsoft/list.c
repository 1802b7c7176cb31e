/* list.c - the list calls of the account: filter, order, pages. */
#include "infusionsoft/collection.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"

#define CLAUSES 8
#define PAGE_SIZE_DEFAULT 100
#define PAGE_SIZE_MAX 1000

enum comparison { EQUAL = 0, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL };

struct clause {
    const char *field; /* the name among the object's values */
    enum filter_kind kind;
    enum comparison comparison;
    char *value;
    int prefix; /* the value ended with a `*`, which was removed */
    int64_t number;
};

struct filter {
    struct clause clauses[CLAUSES];
    int count;
};

/* Reads the operator at text. Returns its length, or 0 when there is none. */
static size_t parse_operator(const char *text, enum comparison *comparison)
{
    static const struct {
        const char *text;
        enum comparison comparison;
    } known[] = {{"==", EQUAL},         {"!=", NOT_EQUAL}, {"<=", LESS_EQUAL},
                 {">=", GREATER_EQUAL}, {"<", LESS},       {">", GREATER}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(text, known[i].text, strlen(known[i].text)) == 0) {
            *comparison = known[i].comparison;
            return strlen(known[i].text);
        }
    }
    return 0;
}

/* Finds what a name in a filter means; -1 when the account does not know it. */
static int resolve_field(const struct list_query *query, const char *name, struct clause *clause)
{
    char *custom;

    for (const struct filter_field *field = query->fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0) {
            clause->field = field->field != NULL ? field->field : field->name;
            clause->kind = field->kind;
            return 0;
        }
    }
    custom = query->custom_fields == NULL ? NULL : table_get(query->custom_fields, name);
    if (custom == NULL)
        return -1;
    clause->field = custom; /* the name with which the field was made */
    clause->kind = FILTER_TEXT_WILDCARD;
    return strcmp(custom, name) == 0 ? 0 : -1;
}

static int check_value(struct clause *clause, const char *name, struct reply *reply)
{
    size_t length = strlen(clause->value);

    if (length == 0)
        return reply_is_error(reply, 400, "Filter value is empty: %s", name);
    if (clause->value[0] == '*')
        return reply_is_error(reply, 400, "Leading wildcard is not supported: %s", name);
    if (clause->comparison != EQUAL && clause->comparison != NOT_EQUAL && clause->kind != FILTER_ID)
        return reply_is_error(reply, 400, "Operator is not supported for filter field: %s", name);
    switch (clause->kind) {
    case FILTER_TEXT_WILDCARD:
    case FILTER_TEXT_CONTAINS:
        if (clause->value[length - 1] == '*') {
            clause->prefix = 1;
            clause->value[length - 1] = '\0';
        }
        return 0;
    case FILTER_TEXT:
        return 0;
    case FILTER_ID:
        return parse_integer(clause->value, &clause->number) == 0
                   ? 0
                   : reply_is_error(reply, 400, "Invalid value for filter field: %s", name);
    case FILTER_IDS:
        return clause->value[strspn(clause->value, "0123456789,")] == '\0'
                   ? 0
                   : reply_is_error(reply, 400, "Invalid value for filter field: %s", name);
    default:
        return date_parse_iso(clause->value, &clause->number) == 0
                   ? 0
                   : reply_is_error(reply, 400, "Invalid time for filter field: %s", name);
    }
}

static int parse_clause(const struct list_query *query, char *text, struct clause *clause,
                        struct reply *reply)
{
    size_t length = strcspn(text, "=<>!");
    size_t used = parse_operator(text + length, &clause->comparison);

    if (used == 0)
        return reply_is_error(reply, 400, "Invalid filter clause: %.100s", text);
    clause->value = text + length + used;
    text[length] = '\0';
    if (resolve_field(query, text, clause) != 0)
        return reply_is_error(reply, 400, "Unknown filter field: %.100s", text);
    return check_value(clause, text, reply);
}

/* Parses a filter. text is split in place and must live as long as the filter. */
static int parse_filter(const struct list_query *query, char *text, struct filter *filter,
                        struct reply *reply)
{
    char *rest = text;

    for (char *part = strsep(&rest, ";"); part != NULL; part = strsep(&rest, ";")) {
        if (filter->count == CLAUSES)
            return reply_is_error(reply, 400, "Too many filter clauses");
        if (parse_clause(query, part, &filter->clauses[filter->count], reply) != 0)
            return -1;
        filter->count++;
    }
    return 0;
}

static int compare(int64_t a, enum comparison comparison, int64_t b)
{
    switch (comparison) {
    case EQUAL:
        return a == b;
    case NOT_EQUAL:
        return a != b;
    case LESS:
        return a < b;
    case LESS_EQUAL:
        return a <= b;
    case GREATER:
        return a > b;
    default:
        return a >= b;
    }
}

static int in_id_list(const char *list, int64_t id)
{
    char *end;

    for (const char *c = list; *c != '\0'; c = *end == ',' ? end + 1 : end)
        if (strtoll(c, &end, 10) == id)
            return 1;
    return 0;
}

static int has_prefix(const struct object *object, const struct clause *clause)
{
    for (size_t i = 0; i < object->value_count; i++)
        if (strcmp(object->values[i].field, clause->field) == 0 &&
            strncasecmp(object->values[i].value, clause->value, strlen(clause->value)) == 0)
            return 1;
    return 0;
}

static int contains(const struct object *object, const struct clause *clause)
{
    for (size_t i = 0; i < object->value_count; i++)
        if (strcmp(object->values[i].field, clause->field) == 0 &&
            strcasestr(object->values[i].value, clause->value) != NULL)
            return 1;
    return 0;
}

static int clause_matches(const struct clause *clause, const struct object *object)
{
    switch (clause->kind) {
    case FILTER_TEXT_CONTAINS:
        return (clause->prefix ? has_prefix(object, clause) : contains(object, clause)) ==
               (clause->comparison == EQUAL);
    case FILTER_TEXT:
    case FILTER_TEXT_WILDCARD:
        return (clause->prefix ? has_prefix(object, clause)
                               : object_has(object, clause->field, clause->value)) ==
               (clause->comparison == EQUAL);
    case FILTER_ID:
        return compare(object->id, clause->comparison, clause->number);
    case FILTER_IDS:
        return in_id_list(clause->value, object->id);
    case FILTER_CREATED_SINCE:
        return object->created_ms >= clause->number;
    case FILTER_CREATED_UNTIL:
        return object->created_ms <= clause->number;
    case FILTER_UPDATED_SINCE:
        return object->updated_ms >= clause->number;
    default:
        return object->updated_ms <= clause->number;
    }
}

struct found {
    struct object **objects;
    size_t count;
    size_t capacity;
};

static void consider(struct found *found, const struct filter *filter,
                     const struct list_query *query, struct object *object)
{
    if (object->text == NULL || object->created_ms > query->visible_until_ms)
        return;
    if (query->only_field != NULL && !object_has(object, query->only_field, query->only_value))
        return;
    for (int i = 0; i < filter->count; i++)
        if (!clause_matches(&filter->clauses[i], object))
            return;
    if (found->count == found->capacity) {
        found->capacity = found->capacity == 0 ? 16 : found->capacity * 2;
        found->objects = mem_realloc(found->objects, found->capacity * sizeof *found->objects);
    }
    found->objects[found->count++] = object;
}

/* Finds the matching objects: through a clause with ==, where there is one, else by a look at all
 * objects. */
static void find(const struct collection *collection, const struct filter *filter,
                 const struct list_query *query, struct found *found)
{
    for (int i = 0; i < filter->count; i++) {
        const struct clause *clause = &filter->clauses[i];
        if (clause->kind <= FILTER_TEXT_WILDCARD && clause->comparison == EQUAL &&
            !clause->prefix) {
            char *key = mem_printf("%s=%s", clause->field, clause->value);
            const struct table_entry *entry = table_find(&collection->values, key);
            for (size_t k = 0; entry != NULL && k < entry->count; k++)
                consider(found, filter, query, entry->values[k]);
            free(key);
            return;
        }
    }
    for (size_t i = 0; i < collection->count; i++)
        consider(found, filter, query, collection->objects[i]);
}

struct order {
    const char *field;
    int descending;
};

static int parse_order(const struct list_query *query, const char *text, struct order *order,
                       struct reply *reply)
{
    size_t length = strcspn(text, " ");

    order->field = NULL;
    for (const char *const *name = query->order_by; *name != NULL; name++)
        if (strlen(*name) == length && strncmp(*name, text, length) == 0)
            order->field = *name;
    if (strcmp(text + length, " desc") == 0)
        order->descending = 1;
    else if (text[length] != '\0' && strcmp(text + length, " asc") != 0)
        order->field = NULL;
    return order->field != NULL ? 0 : reply_is_error(reply, 400, "Invalid order_by: %.100s", text);
}

static int compare_objects(const void *left, const void *right, void *data)
{
    const struct object *a = *(struct object *const *)left, *b = *(struct object *const *)right;
    const struct order *order = data;
    const char *a_value = object_value(a, order->field), *b_value = object_value(b, order->field);
    int result = 0;

    if (a_value != NULL && b_value != NULL)
        result = strcasecmp(a_value, b_value);
    else if (strstr(order->field, "update") != NULL || strstr(order->field, "modif") != NULL)
        result = a->updated_ms < b->updated_ms ? -1 : a->updated_ms > b->updated_ms;
    if (result == 0)
        result = a->id < b->id ? -1 : a->id > b->id;
    return order->descending ? -result : result;
}

/* Appends one page, `{"plural":[...],"next_page_token":"..."}`. The page token is the number of
 * objects before the page. */
static void write_page(const struct collection *collection, const struct found *found,
                       const struct list_query *query, size_t start, size_t size,
                       struct reply *reply)
{
    struct buffer *body = &reply->body;
    size_t end = start + size < found->count ? start + size : found->count;

    reply->status = 200;
    buffer_printf(body, "{\"%s\":[", collection->plural);
    for (size_t i = start; i < end; i++) {
        const struct object *object = found->objects[i];
        char *text = query->shape == NULL ? NULL : query->shape(object, query->shape_data);
        if (i > start)
            buffer_append(body, ",", 1);
        buffer_append(body, text != NULL ? text : object->text,
                      text != NULL ? strlen(text) : object->length);
        free(text);
    }
    if (end < found->count)
        buffer_printf(body, "],\"next_page_token\":\"%zu\"}", end);
    else
        buffer_printf(body, "],\"next_page_token\":\"\"}");
}

void collection_list(const struct collection *collection, const struct request *request,
                     const struct list_query *query, struct reply *reply)
{
    const char *filter_text = request_parameter(request, "filter");
    const char *order_text = request_parameter(request, "order_by");
    const char *size_text = request_parameter(request, "page_size");
    const char *token_text = request_parameter(request, "page_token");
    char *text = filter_text == NULL ? NULL : mem_strdup(filter_text);
    int64_t size = PAGE_SIZE_DEFAULT, start = 0;
    struct order order = {"id", 0};
    struct filter filter = {0};
    struct found found = {0};

    if (size_text != NULL &&
        (parse_integer(size_text, &size) != 0 || size < 0 || size > PAGE_SIZE_MAX)) {
        reply_is_error(reply, 400, "page_size must be from 0 to %d", PAGE_SIZE_MAX);
        goto out;
    }
    if (token_text != NULL && *token_text != '\0' &&
        (parse_integer(token_text, &start) != 0 || start < 0)) {
        reply_is_error(reply, 400, "Invalid page_token");
        goto out;
    }
    if (order_text != NULL && parse_order(query, order_text, &order, reply) != 0)
        goto out;
    if (text != NULL && parse_filter(query, text, &filter, reply) != 0)
        goto out;
    find(collection, &filter, query, &found);
    if (found.count > 1)
        qsort_r(found.objects, found.count, sizeof *found.objects, compare_objects, &order);
    write_page(collection, &found, query, (size_t)start,
               size == 0 ? PAGE_SIZE_DEFAULT : (size_t)size, reply);
out:
    free(found.objects);
    free(text);
}
