#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "infusionsoft/schema.h"

static const char *const kind_names[] = {"none",       "status",  "delay", "drop_before",
                                         "drop_after", "garbage", "html",  "cut",
                                         "slow",       "blank",   NULL};
static const char *const blank_names[] = {"any",   "empty", "object", "null",
                                          "other", "items", "token",  NULL};
static const char *const side_names[] = {"is", "bc", NULL};

static const struct schema_member fault_members[] = {
    {"side", SCHEMA_STRING, 0, 0, side_names, NULL},
    {"method", SCHEMA_STRING, 0, 0, NULL, NULL},
    {"path", SCHEMA_STRING, 0, 0, NULL, NULL},
    {"store", SCHEMA_STRING, 0, 0, NULL, NULL},
    {"match", SCHEMA_STRING, 0, 0, NULL, NULL},
    {"kind", SCHEMA_STRING, SCHEMA_REQUIRED, 0, kind_names + 1, NULL},
    {"status", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"body", SCHEMA_ANY, 0, 0, NULL, NULL},
    {"blank", SCHEMA_STRING, 0, 0, blank_names, NULL},
    {"headers", SCHEMA_ANY, 0, 0, NULL, NULL},
    {"delay_ms", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"count", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"share", SCHEMA_NUMBER, 0, 0, NULL, NULL},
    {"every", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"seed", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {0},
};

const char *fault_kind_name(enum fault_kind kind) { return kind_names[kind]; }

static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; name != NULL && names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static int64_t integer_at(const json_t *json, const char *name, int64_t missing)
{
    const json_t *value = json_object_get(json, name);

    return value == NULL ? missing : json_integer_value(value);
}

static char *string_at(const json_t *json, const char *name)
{
    return mem_strdup(json_string_value(json_object_get(json, name)));
}

static void free_fault(struct fault *fault)
{
    free(fault->method);
    free(fault->path);
    free(fault->store);
    free(fault->match);
    free(fault->body);
    json_decref(fault->headers);
    free(fault);
}

/* Checks what the table of members cannot express. */
static int check_ranges(const struct fault *fault, char *message, size_t size)
{
    const char *name;
    json_t *value;

    if (fault->status < 100 || fault->status > 599)
        snprintf(message, size, "status must be from 100 to 599");
    else if (fault->delay_ms < 0 || fault->delay_ms > 3600000)
        snprintf(message, size, "delay_ms must be from 0 to 3600000");
    else if (fault->share < 0 || fault->share > 1)
        snprintf(message, size, "share must be from 0 to 1");
    else if (fault->every < 0)
        snprintf(message, size, "every must be 0 or more");
    else if (fault->headers != NULL && !json_is_object(fault->headers))
        snprintf(message, size, "headers must be an object of strings");
    else
        *message = '\0';
    json_object_foreach(fault->headers, name, value)
    {
        if (!json_is_string(value))
            snprintf(message, size, "headers must be an object of strings");
    }
    return *message == '\0' ? 0 : -1;
}

int64_t faults_add(struct faults *faults, const json_t *json, char *message, size_t size)
{
    const json_t *body = json_object_get(json, "body");
    const json_t *share = json_object_get(json, "share");
    struct fault *fault, **tail = &faults->first;

    if (schema_check(fault_members, json, message, size) != 0)
        return -1;
    fault = mem_alloc(sizeof *fault);
    fault->side = index_of(side_names, json_string_value(json_object_get(json, "side")));
    fault->kind =
        (enum fault_kind)index_of(kind_names, json_string_value(json_object_get(json, "kind")));
    fault->method = string_at(json, "method");
    fault->path = string_at(json, "path");
    fault->store = string_at(json, "store");
    fault->match = string_at(json, "match");
    fault->body = json_is_string(body) ? mem_strdup(json_string_value(body))
                  : body == NULL       ? NULL
                                       : json_text(body);
    fault->blank =
        (enum blank)(index_of(blank_names, json_string_value(json_object_get(json, "blank"))));
    if ((int)fault->blank < 0)
        fault->blank = BLANK_ANY;
    fault->headers = json_incref(json_object_get(json, "headers"));
    fault->status = (int)integer_at(json, "status", fault->kind == FAULT_HTML ? 502 : 500);
    fault->delay_ms = integer_at(json, "delay_ms", fault->kind == FAULT_SLOW ? 100 : 0);
    fault->count = integer_at(json, "count", -1);
    fault->every = integer_at(json, "every", 0);
    fault->share = share == NULL ? 1 : json_number_value(share);
    fault->chance = (uint64_t)integer_at(json, "seed", 1);
    if (check_ranges(fault, message, size) != 0) {
        free_fault(fault);
        return -1;
    }
    fault->id = ++faults->last_id;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = fault;
    return fault->id;
}

int faults_remove(struct faults *faults, int64_t id)
{
    int removed = 0;

    for (struct fault **link = &faults->first; *link != NULL;) {
        struct fault *fault = *link;
        if (id == 0 || fault->id == id) {
            *link = fault->next;
            free_fault(fault);
            removed++;
        } else {
            link = &fault->next;
        }
    }
    return removed;
}

json_t *fault_json(const struct fault *fault)
{
    return mem_check(json_pack(
        "{s:I,s:s?,s:s,s:s?,s:s?,s:s?,s:s?,s:i,s:I,s:I,s:f,s:I,s:I,s:I}", "id", fault->id, "side",
        fault->side < 0 ? NULL : side_names[fault->side], "kind", kind_names[fault->kind], "method",
        fault->method, "path", fault->path, "store", fault->store, "match", fault->match, "status",
        fault->status, "delay_ms", fault->delay_ms, "count", fault->count, "share", fault->share,
        "every", fault->every, "seen", fault->seen, "fired", fault->fired));
}

json_t *faults_json(const struct faults *faults)
{
    json_t *list = mem_check(json_array());

    for (const struct fault *fault = faults->first; fault != NULL; fault = fault->next)
        json_array_append_new(list, fault_json(fault));
    return list;
}

/* splitmix64 (public domain, S. Vigna): uniform in [0, 1). */
static double draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ULL);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int contains(const struct request *request, const char *text)
{
    return strstr(request->query, text) != NULL ||
           (request->body.length > 0 &&
            memmem(request->body.data, request->body.length, text, strlen(text)) != NULL);
}

/* Whether the path of a fault is a prefix of the request's path. A store's path may be given with
 * its version (/v2/orders) or without it (/orders). */
static int path_applies(const char *wanted, const char *path)
{
    size_t length = strlen(wanted);

    return strncmp(path, wanted, length) == 0 ||
           (path[0] == '/' && path[1] == 'v' && path[2] >= '2' && path[2] <= '3' &&
            strncmp(path + 3, wanted, length) == 0);
}

static int applies(const struct fault *fault, enum side side, const struct request *request,
                   const char *path, const char *store)
{
    return fault->count != 0 && (fault->side < 0 || fault->side == (int)side) &&
           (fault->method == NULL || strcmp(fault->method, request->method) == 0) &&
           (fault->path == NULL || path_applies(fault->path, path)) &&
           (fault->store == NULL || strcmp(fault->store, store) == 0) &&
           (fault->match == NULL || contains(request, fault->match));
}

struct fault *faults_meet(struct faults *faults, enum side side, const struct request *request,
                          const char *path, const char *store)
{
    for (struct fault *fault = faults->first; fault != NULL; fault = fault->next) {
        if (!applies(fault, side, request, path, store))
            continue;
        fault->seen++;
        if (fault->every > 0 && fault->seen % fault->every != 0)
            continue;
        if (fault->share < 1 && draw(&fault->chance) >= fault->share)
            continue;
        fault->fired++;
        fault->drawn = fault->blank != BLANK_ANY
                           ? fault->blank
                           : (enum blank)(BLANK_EMPTY + (int)(4 * draw(&fault->chance)));
        if (fault->count > 0)
            fault->count--;
        return fault;
    }
    return NULL;
}

void faults_clear(struct faults *faults) { faults_remove(faults, 0); }
