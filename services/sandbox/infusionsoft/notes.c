/* notes.c - notes on contacts. The account lists them for one contact only. */
#include "infusionsoft/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dates.h"
#include "world.h"

/* The only user of the account. */
#define USER_ID "1"

#define STRING(name)                                                                               \
    {                                                                                              \
        name, SCHEMA_STRING, 0, 0, NULL, NULL                                                      \
    }

static const struct schema_member note_members[] = {
    STRING("title"),
    STRING("text"),
    STRING("type"),
    {"user_id", SCHEMA_ID, SCHEMA_REQUIRED, 0, NULL, NULL},
    {"is_pinned", SCHEMA_BOOLEAN, 0, 0, NULL, NULL},
    {0}};

void notes_list(const struct call *call)
{
    static const struct filter_field fields[] = {{"id", NULL, FILTER_ID},
                                                 {"ids", NULL, FILTER_IDS},
                                                 {"title", NULL, FILTER_TEXT_CONTAINS},
                                                 {"contact_id", NULL, FILTER_TEXT},
                                                 {"since_time", NULL, FILTER_UPDATED_SINCE},
                                                 {"until_time", NULL, FILTER_UPDATED_UNTIL},
                                                 {0}};
    static const char *const order_by[] = {"id", "create_time", "update_time", NULL};
    struct list_query query = {
        .fields = fields, .order_by = order_by, .only_field = "contact_id", .only_value = call->id};

    if (collection_get_text(&call->account->contacts, call->id) == NULL) {
        call_not_found(call, "Contact");
        return;
    }
    query.visible_until_ms = call_visible_until(call);
    collection_list(&call->account->notes, call->request, &query, call->reply);
}

void notes_create(const struct call *call)
{
    const json_t *body;
    const char *title, *type, *user;
    struct object *note;
    char id[24], date[DATE_SIZE];
    json_t *stored;

    if (collection_get_text(&call->account->contacts, call->id) == NULL) {
        call_not_found(call, "Contact");
        return;
    }
    body = call_body(call, note_members);
    if (body == NULL)
        return;
    title = json_string_value(json_object_get(body, "title"));
    type = json_string_value(json_object_get(body, "type"));
    user = json_string_value(json_object_get(body, "user_id"));
    if ((title == NULL || *title == '\0') && (type == NULL || *type == '\0')) {
        reply_is_error(call->reply, 400, "title or type is required");
        return;
    }
    if (strcmp(user, USER_ID) != 0) {
        reply_is_error(call->reply, 400, "User does not exist: %.50s", user);
        return;
    }
    note = collection_add(&call->account->notes, call->now_ms);
    snprintf(id, sizeof id, "%lld", (long long)note->id);
    date_iso(date, call->now_ms);
    stored = mem_check(json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", id, "title",
                                 title == NULL ? "" : title, "contact_id", call->id, "create_time",
                                 date, "update_time", date, "created_by_user_id", user,
                                 "last_updated_by_user_id", user));
    if (json_object_get(body, "text") != NULL)
        json_object_set(stored, "text", json_object_get(body, "text"));
    if (type != NULL)
        json_object_set_new(stored, "type", json_string(type));
    object_add_value(&call->account->notes, note, "title", title == NULL ? "" : title,
                     call->now_ms);
    object_add_value(&call->account->notes, note, "contact_id", call->id, call->now_ms);
    object_set_json(note, stored);
    call_reply_object(call, 201, note);
    reply_effect(call->reply, "made", "note", note->text);
}
