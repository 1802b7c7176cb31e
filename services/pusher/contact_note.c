#include "contact_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "call.h"
#include "contact.h"
#include "entry.h"
#include "lookup.h"

int contact_note_has_title(yyjson_val *note, struct text title)
{
    struct text theirs = json_text(yyjson_obj_get(note, "title"));

    return theirs.data != NULL && theirs.length == title.length &&
           memcmp(theirs.data, title.data, title.length) == 0;
}

static void set_path(struct delivery *d)
{
    buffer_reset(&d->texts.path);
    buffer_printf(&d->texts.path, "/contacts/%s/notes", d->contact_id);
}

/* Looks in the contact's list. id: out, "": it has no note with that title */
static enum progress find_note(struct delivery *d, struct text title, char id[64])
{
    struct lookup_pages pages = {.member = "notes"};
    yyjson_val *list = NULL, *one;
    enum progress progress;

    id[0] = '\0';
    set_path(d);
    pages.path = d->texts.path.data;
    buffer_reset(&d->texts.query);
    infusionsoft_append_filter(&d->texts.query, "title", title, 0);
    buffer_printf(&d->texts.query, "&page_size=%d", LOOKUP_PAGE_SIZE);
    while ((progress = lookup_next_page(d, &pages, &list)) == PROGRESS_OK && list != NULL) {
        yyjson_arr_iter iter = yyjson_arr_iter_with(list);
        char its[32];

        while ((one = yyjson_arr_iter_next(&iter)) != NULL)
            if (contact_note_has_title(one, title))
                lookup_take_lower(id, infusionsoft_id(one, its));
    }
    buffer_clear(&pages.token);
    return progress;
}

/* The contact's id came from the ledger, so the contact may have been deleted. Then it is looked up
 * and asked once more. */
static enum progress find_note_of_contact(struct delivery *d, struct text title, char id[64])
{
    enum progress progress = find_note(d, title, id);

    if (progress != PROGRESS_REFUSED || !d->contact_cached)
        return progress;
    progress = contact_refresh(d);
    return progress == PROGRESS_OK ? find_note(d, title, id) : progress;
}

static struct text note_body(const struct delivery *d, struct text title, struct text text)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    struct text body;
    char user[24];

    snprintf(user, sizeof(user), "%lld", (long long)account_config(d->account)->note_user_id);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strn(doc, root, "title", title.data, title.length);
    yyjson_mut_obj_add_strn(doc, root, "text", text.data, text.length);
    yyjson_mut_obj_add_str(doc, root, "user_id", user);
    body.data = mem_check(yyjson_mut_write(doc, 0, &body.length));
    yyjson_mut_doc_free(doc);
    return body;
}

/* The answer was lost. Looks the note up now; where it is not listed yet, the next attempt looks again
 * when it must be visible. */
static enum progress find_lost_note(struct delivery *d, const char *step, struct text title)
{
    char id[64];
    enum progress progress;

    call_keep_answer(d);
    progress = find_note(d, title, id);
    if (progress != PROGRESS_OK)
        return progress;
    if (id[0] == '\0')
        return call_failed_or_closed(d);
    delivery_set_pending(d, step, id);
    return PROGRESS_OK;
}

static enum progress create_note(struct delivery *d, const char *step, struct text title,
                                 struct text text)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    struct text body = note_body(d, title, text);
    enum progress progress;
    char id[32];

    set_path(d);
    progress = call_write(d, d->grant, step, 0, d->texts.path.data, NULL, body, &outcome);
    free((void *)(uintptr_t)body.data);
    if (progress != PROGRESS_OK)
        return progress;
    if (outcome == INFUSIONSOFT_OK && infusionsoft_object_id(d->client, id) != NULL) {
        delivery_set_pending(d, step, id);
        return PROGRESS_OK;
    }
    if (outcome == INFUSIONSOFT_OK || outcome == INFUSIONSOFT_IN_DOUBT)
        return find_lost_note(d, step, title);
    progress = entry_end(d, d->grant, step, NULL, NULL, 0);
    return progress != PROGRESS_OK ? progress : call_failed(d, outcome);
}

enum progress contact_note_step(struct delivery *d, struct text text)
{
    const char *step = d->texts.note_step.data;
    struct text title = text_of(step + strlen(NOTE_STEP));
    enum progress progress;
    char id[64];

    if (entry_result(d, step) != NULL)
        return PROGRESS_OK;
    /* A state that the order had before left its note already, and a rebuilt ledger knows none. */
    progress = find_note_of_contact(d, title, id);
    if (progress != PROGRESS_OK)
        return progress;
    /* One that was made just before the ledger was lost may not be visible yet. */
    if (id[0] == '\0' && d->grant->doubt_visible_in_ms > 0)
        return delivery_look_later(d);
    if (id[0] == '\0')
        return create_note(d, step, title, text);
    delivery_set_pending(d, step, id);
    return PROGRESS_OK;
}

enum progress contact_note_reconcile(struct delivery *d)
{
    char *step = mem_strdup(d->grant->doubt); /* entry_end() frees grant->doubt */
    char id[64];
    enum progress progress = find_note_of_contact(d, text_of(step + strlen(NOTE_STEP)), id);

    if (progress == PROGRESS_REFUSED) /* without its contact there is no note */
        progress = PROGRESS_OK;
    if (progress == PROGRESS_OK) {
        CRASH_POINT("looked_up", "note");
        if (id[0] != '\0') {
            log_info("adopted note=%s", id);
            progress = entry_end(d, d->grant, step, id, NULL, 0);
        } else if (d->grant->doubt_visible_in_ms > 0) {
            progress = delivery_look_later(d);
        } else {
            progress = entry_end(d, d->grant, step, NULL, NULL, 0);
        }
    }
    free(step);
    return progress;
}
