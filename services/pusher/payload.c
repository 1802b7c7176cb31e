#include "payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "record/reason.h"
#include "payload_check.h"

/* No setting allows so many attempts: a header that says more is damaged. */
enum { ATTEMPTS_MAX = 1000000 };

/* The digest of a text in which ASCII capitals are made small, so that an address or a SKU is the
 * same however the shop spells it. */
static void digest_nocase(char target[DIGEST_BYTES], struct text text)
{
    char *lower = mem_strndup(text.data, text.length);
    struct text part = {lower, text.length};

    for (size_t i = 0; i < text.length; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    digest_hex(target, &part, 1);
    free(lower);
}

struct text payload_member(yyjson_val *object, const char *name)
{
    return json_text(yyjson_obj_get(object, name));
}

static int64_t member_int(yyjson_val *object, const char *name, int64_t missing)
{
    int64_t value;

    return text_to_int(payload_member(object, name), &value) == 0 ? value : missing;
}

/* Reads products[], each with the digest that identifies it. */
static void read_products(struct delivery *d)
{
    yyjson_val *list = yyjson_obj_get(d->payload, "products");
    yyjson_arr_iter iter;
    yyjson_val *one;

    d->product_count = (int)yyjson_arr_size(list);
    if (d->product_count + 1 > d->product_capacity) {
        d->product_capacity = d->product_count + 16;
        d->products = mem_realloc(d->products, (size_t)d->product_capacity * sizeof(*d->products));
        d->peeks = mem_realloc(d->peeks, (size_t)d->product_capacity * sizeof(*d->peeks));
    }
    yyjson_arr_iter_init(list, &iter);
    for (int i = 0; (one = yyjson_arr_iter_next(&iter)) != NULL; i++) {
        struct product *product = &d->products[i];

        *product = (struct product){.sku = text_trim(payload_member(one, "sku")),
                                    .body = yyjson_obj_get(one, "body")};
        digest_nocase(product->digest, product->sku);
    }
}

/* A member that is a string. Before the record is checked it may be of any type. */
static struct text string_of(yyjson_val *object, const char *name)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    return yyjson_is_str(value) ? json_text(value) : (struct text){0};
}

void payload_open(struct job *job, const struct event *event)
{
    yyjson_val *root, *addresses;

    job->event = event;
    if (event->value.data != NULL)
        job->doc = yyjson_read(event->value.data, event->value.length, YYJSON_READ_NUMBER_AS_RAW);
    root = yyjson_doc_get_root(job->doc);
    addresses = yyjson_obj_get(yyjson_obj_get(root, "contact"), "email_addresses");
    job->account = string_of(root, "account");
    job->email = string_of(yyjson_arr_get_first(addresses), "email");
    job->contact_hash = event_hash_contact(job->account, job->email);
}

int payload_read(struct delivery *d, struct error *err)
{
    const struct event *event = d->job->event;
    struct text body;

    d->payload = yyjson_doc_get_root(d->job->doc);
    if (payload_check(d->payload, event->key, err) != 0)
        return -1;
    d->withdrawn = text_is(payload_member(d->payload, "kind"), "withdrawn");
    d->external_key = payload_member(d->payload, "external_key");
    d->contact_body = yyjson_obj_get(d->payload, "contact");
    d->order_body = yyjson_obj_get(d->payload, "order");
    d->modified_at =
        event_header_int(event, HEADER_MODIFIED_AT, member_int(d->payload, "modified_at", -1));
    d->placed_at = member_int(d->payload, "placed_at", -1);
    d->polled_at = event_header_int(event, HEADER_POLLED_AT, event->timestamp_ms);
    d->attempt = event_header_int(event, HEADER_ATTEMPT, 0);
    if (d->attempt > ATTEMPTS_MAX)
        d->attempt = ATTEMPTS_MAX;
    d->replay = text_is(event->headers[HEADER_SOURCE], "replay");
    d->look_was_asked = text_is(event->headers[HEADER_REASON], reason_name(REASON_IN_DOUBT));
    digest_hex(d->digest, &event->value, 1);
    digest_nocase(d->contact_digest, d->job->email);
    d->product_count = 0;
    d->goals = NULL;
    if (d->withdrawn)
        return 0;
    body.data = mem_check(yyjson_val_write(d->contact_body, 0, &body.length));
    digest_hex(d->contact_body_digest, &body, 1);
    free((void *)(uintptr_t)body.data);
    d->goals = yyjson_obj_get(d->payload, "goals");
    read_products(d);
    return 0;
}
