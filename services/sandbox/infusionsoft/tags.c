/* tags.c - tags of the account, and the goals of its automations. */
#include "infusionsoft/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "world.h"

#define STRING(name, max)                                                                          \
    {                                                                                              \
        name, SCHEMA_STRING, 0, max, NULL, NULL                                                    \
    }

static const struct schema_member category_reference[] = {
    {"id", SCHEMA_ID, SCHEMA_REQUIRED, 0, NULL, NULL}, {0}};
static const struct schema_member tag_members[] = {
    {"name", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 255, NULL, NULL},
    STRING("description", 0),
    {"category", SCHEMA_OBJECT, 0, 0, NULL, category_reference},
    {0}};
static const struct schema_member category_members[] = {
    {"name", SCHEMA_STRING, SCHEMA_REQUIRED | SCHEMA_NOT_BLANK, 0, NULL, NULL},
    STRING("description", 0),
    {0}};
static const struct schema_member apply_members[] = {
    {"contact_ids", SCHEMA_STRINGS, SCHEMA_REQUIRED, 0, NULL, NULL}, {0}};
static const struct schema_member goal_members[] = {
    STRING("integration", 0),
    STRING("call_name", 0),
    {"automation_id", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"goal_id", SCHEMA_INTEGER, 0, 0, NULL, NULL},
    {"contact_id", SCHEMA_INTEGER, SCHEMA_REQUIRED, 0, NULL, NULL},
    {0}};

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static void list(const struct call *call, const struct collection *collection)
{
    static const struct filter_field fields[] = {{"name", NULL, FILTER_TEXT},
                                                 {"description", NULL, FILTER_TEXT},
                                                 {"category_id", NULL, FILTER_TEXT},
                                                 {"tag_ids", NULL, FILTER_IDS},
                                                 {"since_create_time", NULL, FILTER_CREATED_SINCE},
                                                 {"until_create_time", NULL, FILTER_CREATED_UNTIL},
                                                 {"since_update_time", NULL, FILTER_UPDATED_SINCE},
                                                 {"until_update_time", NULL, FILTER_UPDATED_UNTIL},
                                                 {0}};
    static const char *const order_by[] = {"name", "create_time", "update_time", NULL};
    struct list_query query = {.fields = fields, .order_by = order_by};

    query.visible_until_ms = call_visible_until(call);
    collection_list(collection, call->request, &query, call->reply);
}

/* The names of tags and of categories must be unique. */
static void create(const struct call *call, struct collection *collection, const char *kind,
                   const struct schema_member *members)
{
    const json_t *body = call_body(call, members);
    const json_t *category = json_object_get(body, "category");
    struct object *object;
    char id[24], date[DATE_SIZE];
    json_t *stored;

    if (body == NULL)
        return;
    if (collection_find(collection, "name", text_at(body, "name")) != NULL) {
        reply_is_error(call->reply, 400, "A %s with this name exists", kind);
        return;
    }
    if (category != NULL &&
        collection_get_text(&call->account->tag_categories, text_at(category, "id")) == NULL) {
        reply_is_error(call->reply, 400, "Category does not exist: %.50s", text_at(category, "id"));
        return;
    }
    object = collection_add(collection, call->now_ms);
    snprintf(id, sizeof id, "%lld", (long long)object->id);
    date_iso(date, call->now_ms);
    stored =
        mem_check(json_pack("{s:s,s:s,s:s}", "id", id, "create_time", date, "update_time", date));
    json_object_update(stored, (json_t *)body);
    object_add_value(collection, object, "name", text_at(body, "name"), call->now_ms);
    if (category != NULL)
        object_add_value(collection, object, "category_id", text_at(category, "id"), call->now_ms);
    object_set_json(object, stored);
    call_reply_object(call, 201, object);
    reply_effect(call->reply, "made", kind, object->text);
}

void tags_list(const struct call *call) { list(call, &call->account->tags); }

void tags_create(const struct call *call)
{
    create(call, &call->account->tags, "tag", tag_members);
}

void tag_categories_list(const struct call *call) { list(call, &call->account->tag_categories); }

void tag_categories_create(const struct call *call)
{
    create(call, &call->account->tag_categories, "tag_category", category_members);
}

void tags_get(const struct call *call)
{
    const struct object *tag = collection_get_text(&call->account->tags, call->id);

    if (tag == NULL)
        call_not_found(call, "Tag");
    else
        call_reply_object(call, 200, tag);
}

/* Lists the contacts that have the tag. */
void tags_contacts(const struct call *call)
{
    const struct collection *contacts = &call->account->contacts;
    json_t *tagged = mem_check(json_array());

    if (collection_get_text(&call->account->tags, call->id) == NULL) {
        json_decref(tagged);
        call_not_found(call, "Tag");
        return;
    }
    for (size_t i = 0; i < contacts->count; i++) {
        if (!object_has(contacts->objects[i], "tag_id", call->id))
            continue;
        json_t *contact = object_json(contacts->objects[i]);
        json_array_append_new(tagged, json_pack("{s:O}", "id", json_object_get(contact, "id")));
        json_decref(contact);
    }
    reply_json(call->reply, 200,
               mem_check(json_pack("{s:o,s:s}", "contacts", tagged, "next_page_token", "")));
}

void contact_tags(const struct call *call)
{
    const struct object *contact = collection_get_text(&call->account->contacts, call->id);
    json_t *applied = mem_check(json_array());
    char date[DATE_SIZE];

    if (contact == NULL) {
        json_decref(applied);
        call_not_found(call, "Contact");
        return;
    }
    for (size_t i = 0; i < contact->value_count; i++) {
        const struct object_value *value = &contact->values[i];
        const struct object *tag;
        if (strcmp(value->field, "tag_id") != 0)
            continue;
        tag = collection_get_text(&call->account->tags, value->value);
        json_array_append_new(applied, json_pack("{s:o,s:s}", "tag", object_json(tag),
                                                 "applied_time", date_iso(date, value->when_ms)));
    }
    reply_json(call->reply, 200,
               mem_check(json_pack("{s:o,s:s}", "tags", applied, "next_page_token", "")));
}

/* Answers 200 even when some contacts do not exist; the results say which. */
void tags_apply(const struct call *call)
{
    struct collection *contacts = &call->account->contacts;
    const json_t *body, *ids;
    json_t *results;
    char *text, *effect;

    if (collection_get_text(&call->account->tags, call->id) == NULL) {
        call_not_found(call, "Tag");
        return;
    }
    body = call_body(call, apply_members);
    if (body == NULL)
        return;
    ids = json_object_get(body, "contact_ids");
    results = mem_check(json_object());
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct object *contact = collection_get_text(contacts, id);
        const char *result = "FAILURE";
        if (contact != NULL) {
            result = object_has(contact, "tag_id", call->id) ? "DUPLICATE" : "SUCCESS";
            object_add_value(contacts, contact, "tag_id", call->id, call->now_ms);
        }
        json_object_set_new(results, id, json_string(result));
    }
    text = json_text(results);
    effect = mem_printf("{\"id\":\"%s\",\"results\":%s}", call->id, text);
    reply_json(call->reply, 200, mem_check(json_pack("{s:o}", "results", results)));
    reply_effect(call->reply, "made", "tagging", effect);
    free(text);
    free(effect);
}

void tags_remove(const struct call *call)
{
    struct collection *contacts = &call->account->contacts;
    const json_t *body = call_body(call, apply_members), *ids;
    char *effect;

    if (body == NULL)
        return;
    ids = json_object_get(body, "contact_ids");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        struct object *contact =
            collection_get_text(contacts, json_string_value(json_array_get(ids, i)));
        if (contact != NULL)
            object_drop_values(contacts, contact, "tag_id", call->id);
    }
    effect = json_text(body);
    reply_text(call->reply, 204, "", 0);
    reply_effect(call->reply, "removed", "tagging", effect);
    free(effect);
}

static void reply_goal(const struct call *call, int success, const char *message, int64_t id)
{
    reply_json(
        call->reply, 200,
        mem_check(json_pack("{s:[{s:b,s:s,s:I,s:I,s:[],s:[]}]}", "results", "success", success,
                            "message", message, "automation_id", (json_int_t)1, "goal_id",
                            (json_int_t)id, "flow_start_results", "flow_stop_results")));
}

/* Every achieve counts, because in a real account the automation may start again. */
void goals_achieve(const struct call *call)
{
    const json_t *body = call_body(call, goal_members);
    const char *integration, *call_name;
    int64_t contact_id;
    int by_name, by_id;
    json_t *stored;
    char *effect;

    if (body == NULL)
        return;
    integration = json_string_value(json_object_get(body, "integration"));
    call_name = json_string_value(json_object_get(body, "call_name"));
    contact_id = json_integer_value(json_object_get(body, "contact_id"));
    by_name = integration != NULL || call_name != NULL;
    by_id =
        json_object_get(body, "automation_id") != NULL || json_object_get(body, "goal_id") != NULL;
    if (by_name && by_id) {
        reply_is_error(call->reply, 400,
                       "Give integration and call_name, or automation_id and "
                       "goal_id, not both");
        return;
    }
    if (collection_get(&call->account->contacts, contact_id) == NULL) {
        reply_is_error(call->reply, 400, "Contact does not exist: %lld", (long long)contact_id);
        return;
    }
    if (integration == NULL || call_name == NULL || *integration == '\0' || *call_name == '\0') {
        reply_goal(call, 0, "No goal matches", 0);
        return;
    }
    call->account->goals++;
    reply_goal(call, 1, "Goal achieved", call->account->goals);
    stored =
        mem_check(json_pack("{s:s,s:s,s:o,s:o}", "integration", integration, "call_name", call_name,
                            "contact_id", json_sprintf("%lld", (long long)contact_id), "id",
                            json_sprintf("%lld", (long long)call->account->goals)));
    effect = json_text(stored);
    reply_effect(call->reply, "made", "goal", effect);
    free(effect);
    json_decref(stored);
}
