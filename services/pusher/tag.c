#include "tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "call.h"
#include "contact.h"
#include "decide.h"
#include "entry.h"
#include "shared.h"

const char *const tag_results[TAG_RESULT_COUNT] = {"applied", "refused", "gave_up"};

enum match tag_match(yyjson_val *tag, struct text name)
{
    yyjson_val *theirs = yyjson_obj_get(tag, "name");

    if (!yyjson_is_str(theirs))
        return MATCH_UNCLEAR;
    return text_equal_nocase(text_trim(json_text(theirs)), name) ? MATCH_YES : MATCH_NO;
}

/* Puts the lowest id of the tags with that name into id. -1: a tag does not show its name. */
static int pick_tag(yyjson_val *tags, struct text name, char id[64])
{
    yyjson_arr_iter iter;
    yyjson_val *tag;

    yyjson_arr_iter_init(tags, &iter);
    while ((tag = yyjson_arr_iter_next(&iter)) != NULL) {
        enum match match = tag_match(tag, name);
        char its[32];

        if (match == MATCH_UNCLEAR)
            return -1;
        if (match == MATCH_YES)
            lookup_take_lower(id, infusionsoft_id(tag, its));
    }
    return 0;
}

/* Looks a tag up by its name; tag->id stays "" when there is none. */
static enum progress find_tag(struct delivery *d, struct tag *tag)
{
    struct lookup_pages pages = {.path = "/tags", .member = "tags"};
    yyjson_val *tags = NULL;
    enum progress progress = PROGRESS_OK;

    buffer_reset(&d->texts.query);
    infusionsoft_append_filter(&d->texts.query, "name", tag->name, 0);
    buffer_printf(&d->texts.query, "&page_size=%d", lookup_page_size(&pages));
    while (tag->id[0] == '\0' && (progress = lookup_next_page(d, &pages, &tags)) == PROGRESS_OK &&
           tags != NULL)
        if (pick_tag(tags, tag->name, tag->id) != 0) {
            tag->id[0] = '\0';
            progress = call_says_nothing(d, "with a tag without a name");
            break;
        }
    buffer_clear(&pages.token);
    return progress;
}

static struct text create_body(const struct tag *tag)
{
    yyjson_mut_doc *doc = mem_check(yyjson_mut_doc_new(NULL));
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    struct text body;

    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strn(doc, root, "name", tag->name.data, tag->name.length);
    body.data = mem_check(yyjson_mut_write(doc, 0, &body.length));
    yyjson_mut_doc_free(doc);
    return body;
}

/* Looks for the tag after a create that did not tell its id. The answer to the create is what the
 * record tells, also where the look-up was answered well. */
static enum progress find_after_create(struct delivery *d, struct tag *tag)
{
    char answer[DELIVERY_ANSWER_BYTES], detail[DELIVERY_DETAIL_BYTES];
    enum progress progress;

    call_keep_answer(d);
    memcpy(answer, d->answer, sizeof(answer));
    memcpy(detail, d->detail, sizeof(detail));
    progress = find_tag(d, tag);
    if (progress == PROGRESS_OK) {
        memcpy(d->answer, answer, sizeof(answer));
        memcpy(d->detail, detail, sizeof(detail));
    }
    return progress;
}

static enum progress create_tag(struct delivery *d, struct tag *tag, struct ledger_grant *grant)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    struct text body = create_body(tag);
    enum progress progress = call_write(d, grant, "tag", 0, "/tags", NULL, body, &outcome);
    char id[32];

    free((void *)(uintptr_t)body.data);
    if (progress != PROGRESS_OK)
        return progress;
    if (outcome == INFUSIONSOFT_OK && infusionsoft_object_id(d->client, id) != NULL) {
        snprintf(tag->id, sizeof(tag->id), "%s", id);
        return PROGRESS_OK; /* shared_release() records the end of the step */
    }
    if (outcome == INFUSIONSOFT_OK || outcome == INFUSIONSOFT_IN_DOUBT) {
        progress = find_after_create(d, tag);
        return progress != PROGRESS_OK || tag->id[0] != '\0' ? progress : call_failed_or_closed(d);
    }
    progress = entry_end(d, grant, "tag", NULL, NULL, 0);
    if (progress != PROGRESS_OK)
        return progress;
    if (outcome != INFUSIONSOFT_REFUSED)
        return call_failed(d, outcome);
    /* Names are unique. Somebody else may have made it since the look-up; which status the account
     * answers then is not documented. */
    progress = find_after_create(d, tag);
    d->reason = REASON_REFUSED;
    return progress != PROGRESS_OK || tag->id[0] != '\0' ? progress : PROGRESS_REFUSED;
}

/* Sets the tag's id: the ledger knows it, or the tag is looked up, or made. */
static enum progress settle_tag(struct delivery *d, struct tag *tag)
{
    struct ledger_request request = {.kind = LEDGER_TAG,
                                     .account = d->job->head.account,
                                     .id = text_of(tag->digest),
                                     .owner = d->pusher->owner,
                                     .digest = tag->digest};
    struct ledger_grant grant = {0};
    enum progress progress;

    if (tag->id[0] != '\0')
        return PROGRESS_OK;
    progress = shared_take(d, &request, "tag", &grant, tag->id);
    tag->is_cached = tag->id[0] != '\0';
    if (progress == PROGRESS_OK && !tag->is_cached) {
        progress = find_tag(d, tag);
        if (progress == PROGRESS_OK && tag->id[0] == '\0')
            progress = shared_wait_until_visible(d, &grant, "tag");
        if (progress == PROGRESS_OK && tag->id[0] == '\0')
            progress = create_tag(d, tag, &grant);
        progress = shared_release(d, &request, &grant, "tag", progress, tag->id);
    }
    ledger_grant_clear(&grant);
    return progress;
}

/* Whether the contact has the tag, as the account lists it. The items of that list have no id of their
 * own; the tag is inside. Its name is unique, so the first page is enough. */
static enum progress check_applied(struct delivery *d, const struct tag *tag, int *is_applied)
{
    yyjson_val *tags;
    yyjson_arr_iter iter;
    yyjson_val *one;
    char path[64], its[32];
    enum progress progress;

    *is_applied = 0;
    snprintf(path, sizeof(path), "/contacts/%.20s/tags", d->contact_id);
    buffer_reset(&d->texts.query);
    infusionsoft_append_filter(&d->texts.query, "name", tag->name, 0);
    buffer_printf(&d->texts.query, "&page_size=%d", LOOKUP_PAGE_SIZE);
    metric_add(d->pusher->lookups, 1);
    progress = call_read(d, "GET", path, d->texts.query.data, (struct text){0});
    if (progress != PROGRESS_OK)
        return progress;
    tags = yyjson_obj_get(infusionsoft_answer(d->client)->root, "tags");
    if (!yyjson_arr_iter_init(tags, &iter))
        return call_says_nothing(d, "without the list of the contact's tags");
    while ((one = yyjson_arr_iter_next(&iter)) != NULL)
        *is_applied |= strcmp(infusionsoft_id(yyjson_obj_get(one, "tag"), its), tag->id) == 0;
    return PROGRESS_OK;
}

/* Applies the tag to the contact. The call may be repeated. The account answers 200 also where it
 * did not do it, and its words for a success are not documented: where the answer is none of those
 * that are known, the contact's tags are read. */
static enum progress apply_tag(struct delivery *d, const struct tag *tag)
{
    struct buffer path = {0}, body = {0};
    enum progress progress;
    int is_applied = 0;

    buffer_printf(&path, "/tags/%s/contacts:applyTags", tag->id);
    buffer_printf(&body, "{\"contact_ids\":[\"%s\"]}", d->contact_id);
    progress = call_read(d, "POST", path.data, NULL, (struct text){body.data, body.length});
    buffer_clear(&path);
    buffer_clear(&body);
    if (progress != PROGRESS_OK)
        return progress;
    switch (decide_applied(infusionsoft_answer(d->client)->root, d->contact_id)) {
    case APPLIED_YES:
        return PROGRESS_OK;
    case APPLIED_UNKNOWN:
        return call_says_nothing(d, "without the result of the contact");
    default:
        call_keep_answer(d);
        snprintf(d->detail, sizeof(d->detail), "the account says that the tag was not applied");
        d->reason = REASON_REFUSED;
        progress = check_applied(d, tag, &is_applied);
        return progress != PROGRESS_OK || is_applied ? progress : PROGRESS_REFUSED;
    }
}

/* Asks for a tag whose id came from the ledger. Where it is gone, or has another name, the id is
 * forgotten. It is not just looked up anew: the account's list need not show a young tag yet. */
static enum progress check_cached(struct delivery *d, struct tag *tag)
{
    yyjson_val *theirs;
    enum progress progress = lookup_object(d, "/tags", tag->id, NULL, &theirs);
    enum match match = theirs != NULL ? tag_match(theirs, tag->name) : MATCH_NO;

    if (match == MATCH_UNCLEAR)
        return call_says_nothing(d, "with a tag without a name");
    if (progress == PROGRESS_OK && match == MATCH_NO) {
        progress = entry_forget(d, LEDGER_TAG, tag->digest, tag->id);
        tag->id[0] = '\0';
    }
    tag->is_cached = 0;
    return progress;
}

/* The tag was refused, and the ids of it or of its contact came from the ledger: somebody may have
 * deleted one of them. Makes sure of them and applies the tag once more. */
static enum progress apply_again(struct delivery *d, struct tag *tag)
{
    enum progress progress = tag->is_cached ? check_cached(d, tag) : PROGRESS_OK;

    if (progress == PROGRESS_OK && d->contact_cached)
        progress = contact_refresh(d);
    d->failed_step = "tag";
    if (progress == PROGRESS_OK)
        progress = settle_tag(d, tag);
    return progress == PROGRESS_OK ? apply_tag(d, tag) : progress;
}

/* Keeps what became of a tag: in the entry, in the metric and, if it was not applied, in the log. */
static void record_tag(struct delivery *d, const struct tag *tag, enum tag_result result)
{
    metric_add(d->pusher->tags[result], 1);
    delivery_set_pending(d, d->texts.tag.data,
                         result == TAG_APPLIED ? tag->id : tag_results[result]);
    if (result == TAG_APPLIED)
        return;
    delivery_add_incomplete(d, d->texts.tag.data, NULL);
    log_warn("tag_%s step=%s error=\"%s\"", tag_results[result], d->texts.tag.data, d->detail);
    d->answer[0] = d->detail[0] = '\0'; /* a later failure has a cause of its own */
}

/* The step's name is in d->texts.tag. */
static enum progress give_named(struct delivery *d, struct tag *tag)
{
    enum progress progress = settle_tag(d, tag);

    if (progress == PROGRESS_OK) {
        progress = apply_tag(d, tag);
        if (progress == PROGRESS_REFUSED && (tag->is_cached || d->contact_cached))
            progress = apply_again(d, tag);
    }
    switch (progress) {
    case PROGRESS_OK:
        record_tag(d, tag, TAG_APPLIED);
        return PROGRESS_OK;
    case PROGRESS_REFUSED:
        record_tag(d, tag, TAG_REFUSED);
        return PROGRESS_OK;
    case PROGRESS_FAILED: /* the steps behind it must not be lost with it */
        if (d->payload.attempt + 1 < d->pusher->config->pusher.max_attempts)
            return progress;
        record_tag(d, tag, TAG_GAVE_UP);
        return PROGRESS_OK;
    default:
        return progress;
    }
}

enum progress tag_give(struct delivery *d, struct tag *tag)
{
    enum progress progress;
    int begun;

    d->failed_step = "tag";
    buffer_reset(&d->texts.tag);
    buffer_printf(&d->texts.tag, "tag:%.*s", (int)tag->name.length, tag->name.data);
    if (entry_result(d, d->texts.tag.data) != NULL)
        return PROGRESS_OK;
    progress = entry_end_pending(d, NULL, &begun);
    return progress == PROGRESS_OK ? give_named(d, tag) : progress;
}

enum progress tag_step(struct delivery *d)
{
    for (int i = 0; i < d->payload.tag_count; i++) {
        enum progress progress = tag_give(d, &d->payload.tags[i]);

        if (progress != PROGRESS_OK)
            return progress;
    }
    return PROGRESS_OK; /* the end of the last one is recorded with what comes next */
}
