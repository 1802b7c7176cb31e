#include "fate_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "record/forgotten.h"

#include "evidence.h"
#include "payload.h"

void fate_clear(struct fate *fate)
{
    for (int i = 0; i < fate->step_count; i++) {
        free(fate->steps[i].name);
        free(fate->steps[i].result);
    }
    free(fate->steps);
    ledger_note_clear(&fate->note);
    *fate = (struct fate){0};
}

/* Reads the steps, whose results are strings; a step with another result is passed over. */
static void read_steps(struct fate *fate, yyjson_val *steps)
{
    yyjson_obj_iter iter;
    yyjson_val *name;

    if (!yyjson_obj_iter_init(steps, &iter) || yyjson_obj_size(steps) == 0)
        return;
    fate->steps = mem_alloc((yyjson_obj_size(steps) + 1) * sizeof(*fate->steps));
    while ((name = yyjson_obj_iter_next(&iter)) != NULL) {
        yyjson_val *result = yyjson_obj_iter_get_val(name);

        if (!yyjson_is_str(result) || yyjson_equals_str(name, EVIDENCE_STEP))
            continue;
        fate->steps[fate->step_count].name = mem_strdup(yyjson_get_str(name));
        fate->steps[fate->step_count++].result = mem_strdup(yyjson_get_str(result));
    }
}

static void copy_text(char *target, size_t size, struct text text)
{
    size_t length = text.length < size ? text.length : size - 1;

    if (text.data != NULL)
        memcpy(target, text.data, length);
    target[text.data != NULL ? length : 0] = '\0';
}

static void read_note(const struct event *event, struct fate *fate)
{
    fate->has_note = event->headers[HEADER_LEDGER].length > 0 &&
                     ledger_note_read(event->headers[HEADER_LEDGER], &fate->note) == 0;
}

/* Only a record that the pusher itself made dead has an entry in the ledger; those of the other
 * programs are passed over. Its value is still the payload, so its digest is that of the entry. */
static int read_dead(const struct event *event, struct fate *fate)
{
    if (!text_is(event->headers[HEADER_STAGE], "pusher") || fate->modified_at < 0)
        return -1;
    fate->state = LEDGER_STATE_DEAD;
    if (!forgotten_read(event->value, fate->digest))
        digest_hex(fate->digest, &event->value, 1);
    copy_text(fate->reason, sizeof(fate->reason), event->headers[HEADER_REASON]);
    read_note(event, fate);
    return 0;
}

/* Keeps everything else that the record says about the delivery as one more step, as the pusher
 * does. read_steps() has left room for it. */
static void read_evidence(struct fate *fate, yyjson_val *root)
{
    struct evidence evidence = {0};

    evidence_read(&evidence, root);
    fate->steps[fate->step_count].name = mem_strdup(EVIDENCE_STEP);
    fate->steps[fate->step_count++].result = evidence_write(&evidence);
    evidence_clear(&evidence);
}

static int read_delivered(yyjson_val *root, struct fate *fate)
{
    yyjson_val *digest = yyjson_obj_get(root, "digest");

    fate->state = LEDGER_STATE_DONE;
    if (yyjson_is_str(digest))
        copy_text(fate->digest, sizeof(fate->digest), json_text(digest));
    read_steps(fate, yyjson_obj_get(root, "steps"));
    if (fate->steps != NULL)
        read_evidence(fate, root);
    return 0;
}

static int read_skipped(const struct event *event, struct fate *fate)
{
    fate->state = LEDGER_STATE_WITHDRAWN;
    if (!text_is(event->headers[HEADER_KIND], "withdrawn"))
        return -1;
    read_note(event, fate);
    return 0;
}

int fate_read(const struct topics *topics, const struct event *event, struct fate *fate)
{
    yyjson_doc *doc;
    yyjson_val *root, *version;
    int64_t modified_at;
    int rc = -1;

    *fate = (struct fate){.modified_at = event_header_int(event, HEADER_MODIFIED_AT, -1)};
    if (event->value.data == NULL)
        return -1; /* a tombstone */
    if (strcmp(event->topic, topics->dead) == 0)
        return read_dead(event, fate);
    doc = yyjson_read(event->value.data, event->value.length,
                      YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_ALLOW_INVALID_UNICODE);
    root = yyjson_doc_get_root(doc);
    version = yyjson_obj_get(root, "modified_at");
    if (yyjson_is_raw(version) && text_to_int(json_text(version), &modified_at) == 0)
        fate->modified_at = modified_at;
    if (yyjson_is_obj(root) && fate->modified_at >= 0)
        rc = strcmp(event->topic, topics->skipped) == 0 ? read_skipped(event, fate)
                                                        : read_delivered(root, fate);
    yyjson_doc_free(doc);
    return rc;
}

/* Whose entry a pusher would have begun, and for which version of the order. */
static int read_payload(const struct event *event, struct fate *fate)
{
    struct payload_head head;
    int rc = -1;

    payload_open(event, &head);
    /* An account with a zero byte in it would be cut there, and so be taken for another. */
    if (head.account.length > 0 && head.account.length < sizeof(fate->account) &&
        memchr(head.account.data, '\0', head.account.length) == NULL) {
        copy_text(fate->account, sizeof(fate->account), head.account);
        rc = 0;
    }
    fate->modified_at = head.modified_at > 0 ? head.modified_at : 0;
    yyjson_doc_free(head.doc);
    return rc;
}

int fate_read_open(const struct event *event, struct fate *fate)
{
    *fate = (struct fate){.state = LEDGER_STATE_OPEN};
    if (event->value.data == NULL || read_payload(event, fate) != 0)
        return -1;
    digest_hex(fate->digest, &event->value, 1);
    read_note(event, fate);
    return 0;
}
