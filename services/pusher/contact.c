#include "contact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "call.h"
#include "decide.h"
#include "entry.h"
#include "merge.h"
#include "shared.h"

static const char contact_fields[] =
    "given_name,family_name,email_addresses,phone_numbers,addresses";

static const char no_addresses[] = "with a contact without e-mail addresses";

enum match contact_match(yyjson_val *contact, struct text email)
{
    enum match match = MATCH_UNCLEAR;
    yyjson_arr_iter iter;
    yyjson_val *address;

    yyjson_arr_iter_init(yyjson_obj_get(contact, "email_addresses"), &iter);
    while ((address = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *theirs = yyjson_obj_get(address, "email");

        if (!yyjson_is_str(theirs))
            continue;
        if (text_equal_nocase(text_trim(json_text(theirs)), email))
            return MATCH_YES;
        match = MATCH_NO;
    }
    return match;
}

/* Looks the contact up by its e-mail address. d->contact_id becomes the lowest id, or "" when there
 * is none. The account's contact is copied to *body (new, or NULL), because the answer lives only
 * until the next call.
 * @param cut  out: 1 when it may be there although it was not found: the address holds a `*`, and too
 * many others begin as it does, or nothing stands before the `*` */
static enum progress find_contact(struct delivery *d, char **body, int *cut)
{
    struct lookup lookup = decide_lookup(d->job->head.email);
    struct lookup_pages pages = {
        .path = "/contacts", .member = "contacts", .prefix = lookup.prefix};
    yyjson_val *contacts = NULL, *contact;
    enum progress progress;

    d->contact_id[0] = '\0';
    *cut = lookup.value.length == 0;
    if (*cut)
        return PROGRESS_OK;
    buffer_reset(&d->texts.query);
    infusionsoft_append_filter(&d->texts.query, "email", lookup.value, lookup.prefix);
    buffer_printf(&d->texts.query, "&fields=%s&page_size=%d", contact_fields,
                  lookup_page_size(&pages));
    while ((progress = lookup_next_page(d, &pages, &contacts)) == PROGRESS_OK && contacts != NULL) {
        yyjson_arr_iter iter;

        yyjson_arr_iter_init(contacts, &iter);
        while ((contact = yyjson_arr_iter_next(&iter)) != NULL) {
            enum match match = contact_match(contact, d->job->head.email);
            char id[32];

            if (match == MATCH_UNCLEAR) {
                progress = call_says_nothing(d, no_addresses);
                goto out;
            }
            if (match == MATCH_NO ||
                !lookup_take_lower(d->contact_id, infusionsoft_id(contact, id)))
                continue;
            free(*body);
            *body = mem_check(yyjson_val_write(contact, 0, NULL));
        }
    }
out:
    *cut = pages.cut && *body == NULL;
    buffer_clear(&pages.token);
    return progress;
}

/* The ledger knows a contact that the look-up did not list: it was deleted, or its address was
 * changed, or the list does not show it yet. Asks for that contact alone. If it does not have this
 * address any more, its id is forgotten. */
static enum progress find_known(struct delivery *d, const char *known, char **body)
{
    yyjson_val *contact;
    enum progress progress;

    buffer_reset(&d->texts.query);
    buffer_printf(&d->texts.query, "fields=%s", contact_fields);
    progress = lookup_object(d, "/contacts", known, d->texts.query.data, &contact);
    if (progress != PROGRESS_OK)
        return progress;
    if (contact != NULL && !yyjson_is_arr(yyjson_obj_get(contact, "email_addresses")))
        return call_says_nothing(d, no_addresses);
    if (contact == NULL || contact_match(contact, d->job->head.email) != MATCH_YES)
        return entry_forget(d, LEDGER_CONTACT, d->payload.contact_digest, known);
    snprintf(d->contact_id, sizeof(d->contact_id), "%s", known);
    *body = mem_check(yyjson_val_write(contact, 0, NULL));
    return PROGRESS_OK;
}

static enum progress patch_contact(struct delivery *d, const struct merge *merge)
{
    enum progress progress;
    char id[32];

    buffer_reset(&d->texts.path);
    buffer_printf(&d->texts.path, "/contacts/");
    http_append_escaped(&d->texts.path, text_of(d->contact_id));
    buffer_reset(&d->texts.query);
    for (int i = 0; i < merge->mask_count; i++)
        buffer_printf(&d->texts.query, "%supdate_mask=%s", i > 0 ? "&" : "", merge->mask[i]);
    progress = call_read(d, "PATCH", d->texts.path.data, d->texts.query.data,
                         (struct text){merge->body, merge->length});
    return progress != PROGRESS_OK || infusionsoft_object_id(d->client, id) != NULL
               ? progress
               : call_says_nothing(d, NULL);
}

/* Notes that these addresses are sent without their region: the account refused it.
 * @returns the bits */
static unsigned leave_regions_out(struct delivery *d, unsigned regions)
{
    static const char *const addresses[] = {"billing", "shipping", "other"};

    for (int i = 0; i < 3; i++)
        if ((regions >> i & 1) != 0)
            delivery_leave_region_out(d, addresses[i]);
    return regions;
}

/* Fills or overwrites the contact that was found. A PATCH sets values and adds none, so repeating
 * it does no harm. Lists are written whole, so the account may refuse an entry that it had before.
 * The contact is then used as it is, because the order must not fail because of it. */
static enum progress update_contact(struct delivery *d, char *body)
{
    yyjson_doc *doc = mem_check(yyjson_read(body, strlen(body), 0));
    int overwrite = d->store != NULL && d->store->existing_contact == EXISTING_OVERWRITE;
    unsigned regions = 0, refused;
    enum progress progress;

    do {
        struct merge merge;

        merge_contact(yyjson_doc_get_root(doc), d->payload.contact, overwrite, regions, &merge);
        progress = merge.mask_count > 0 ? patch_contact(d, &merge) : PROGRESS_OK;
        merge_clear(&merge);
        refused = progress == PROGRESS_REFUSED ? call_refused_regions(d) & ~regions : 0;
        regions |= leave_regions_out(d, refused);
    } while (refused != 0);
    yyjson_doc_free(doc);
    if (progress != PROGRESS_REFUSED || infusionsoft_answer(d->client)->status == 403)
        return progress;
    if (call_is_gone(d))
        return call_failed_or_closed(d); /* it was deleted after the look-up: look again later */
    log_warn("contact_not_updated contact=%s error=\"%s\"", d->contact_id, d->detail);
    delivery_add_incomplete(d, "contact", NULL);
    d->answer[0] = d->detail[0] = '\0'; /* a later failure has a cause of its own */
    return PROGRESS_OK;
}

/* Makes the contact. The account itself finds a contact by its e-mail address before it makes one;
 * the step is begun in the ledger nevertheless.
 * @param address_only  1: nothing but the address is sent, see adopt_contact() */
static enum progress create_contact(struct delivery *d, struct ledger_grant *grant,
                                    int address_only)
{
    enum infusionsoft_outcome outcome = INFUSIONSOFT_REFUSED;
    unsigned regions = 0, refused = MERGE_REGIONS_ALL;
    enum progress progress = PROGRESS_OK;

    while (refused != 0) {
        size_t length;
        char *body = address_only ? merge_address_body(d->payload.contact, &length)
                                  : merge_create_body(d->payload.contact, regions, &length);
        char id[32];

        progress = call_write(d, grant, "contact", 0, "/contacts", "duplicate_option=Email",
                              (struct text){body, length}, &outcome);
        free(body);
        if (progress != PROGRESS_OK)
            return progress;
        if (outcome == INFUSIONSOFT_OK && infusionsoft_object_id(d->client, id) != NULL) {
            snprintf(d->contact_id, sizeof(d->contact_id), "%s", id);
            return PROGRESS_OK; /* shared_release() records the end of the step */
        }
        if (outcome == INFUSIONSOFT_OK || outcome == INFUSIONSOFT_IN_DOUBT)
            return call_failed(
                d, INFUSIONSOFT_IN_DOUBT); /* the doubt stays; the next look-up settles it */
        progress = entry_end(d, grant, "contact", NULL, NULL, 0);
        if (progress != PROGRESS_OK)
            return progress;
        refused = outcome == INFUSIONSOFT_REFUSED ? call_refused_regions(d) & ~regions : 0;
        regions |= leave_regions_out(d, refused);
    }
    return call_failed(d, outcome);
}

/* The contact could not be searched to the end. The account itself finds a contact by its address
 * before it makes one. It would overwrite what it finds, so only the address is sent; the contact
 * is then read, and filled as any other that was found.
 * @param body  out: new: the account's contact */
static enum progress adopt_contact(struct delivery *d, struct ledger_grant *grant, char **body)
{
    char id[sizeof(d->contact_id)];
    enum progress progress = create_contact(d, grant, 1);

    if (progress != PROGRESS_OK)
        return progress;
    snprintf(id, sizeof(id), "%s", d->contact_id);
    d->contact_id[0] = '\0';
    progress = find_known(d, id, body);
    return progress == PROGRESS_OK && *body == NULL
               ? call_says_nothing(d, "with a contact of another e-mail address")
               : progress;
}

/* Looks the contact up, then fills or makes it. Its lease is ours. */
static enum progress settle_contact(struct delivery *d, struct ledger_grant *grant)
{
    const char *known = ledger_grant_step(grant, "contact");
    char *body = NULL;
    int by_prefix = decide_lookup(d->job->head.email).prefix, cut = 0;
    enum progress progress = PROGRESS_OK;

    /* A search by a beginning costs more than a look at the contact that the ledger knows. */
    if (by_prefix && known != NULL)
        progress = find_known(d, known, &body);
    if (progress == PROGRESS_OK && body == NULL)
        progress = find_contact(d, &body, &cut);
    if (progress == PROGRESS_OK && body == NULL && known != NULL && !by_prefix)
        progress = find_known(d, known, &body);
    if (progress == PROGRESS_OK && body == NULL)
        progress = shared_wait_until_visible(d, grant, "contact");
    if (progress == PROGRESS_OK && body == NULL && cut)
        progress = adopt_contact(d, grant, &body);
    if (progress == PROGRESS_OK)
        progress = body != NULL ? update_contact(d, body) : create_contact(d, grant, 0);
    free(body);
    return progress;
}

static enum progress claim_and_settle(struct delivery *d)
{
    struct ledger_request request = {.kind = LEDGER_CONTACT,
                                     .account = d->job->head.account,
                                     .id = text_of(d->payload.contact_digest),
                                     .owner = d->pusher->owner,
                                     .digest = d->payload.contact_body_digest};
    struct ledger_grant grant = {0};
    enum progress progress = shared_take(d, &request, "contact", &grant, d->contact_id);

    d->contact_cached = d->contact_id[0] != '\0';
    if (progress == PROGRESS_OK && !d->contact_cached) {
        progress = settle_contact(d, &grant);
        progress = shared_release(d, &request, &grant, "contact", progress, d->contact_id);
    }
    ledger_grant_clear(&grant);
    return progress;
}

enum progress contact_step(struct delivery *d)
{
    enum progress progress;

    d->failed_step = "contact";
    if (d->contact_id[0] != '\0')
        return PROGRESS_OK;
    progress = claim_and_settle(d);
    return progress == PROGRESS_REFUSED && infusionsoft_answer(d->client)->status == 403
               ? call_forbidden(d)
               : progress;
}

enum progress contact_refresh(struct delivery *d)
{
    char before[sizeof(d->contact_id)];
    enum progress progress;

    memcpy(before, d->contact_id, sizeof(before));
    progress = contact_forget(d);
    if (progress == PROGRESS_OK)
        progress = contact_step(d);
    d->contact_cached = 0;
    if (progress == PROGRESS_OK)
        return entry_end(d, d->grant, "contact", d->contact_id, NULL, 0);
    /* The step may be given up, and those behind it go on with the contact that is known. */
    memcpy(d->contact_id, before, sizeof(before));
    return progress;
}

enum progress contact_forget(struct delivery *d)
{
    enum progress progress;

    if (!d->contact_cached || d->contact_id[0] == '\0')
        return PROGRESS_OK;
    progress = entry_forget(d, LEDGER_CONTACT, d->payload.contact_digest, d->contact_id);
    d->contact_id[0] = '\0';
    d->contact_cached = 0;
    return progress;
}
