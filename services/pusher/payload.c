#include "payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "record/reason.h"
#include "payload_check.h"

/* A member's text, or its number as it is written; empty when it is absent. */
static struct text member(yyjson_val *object, const char *name)
{
    return json_text(yyjson_obj_get(object, name));
}

static int64_t member_int(yyjson_val *object, const char *name, int64_t missing)
{
    int64_t value;

    return text_to_int(member(object, name), &value) == 0 ? value : missing;
}

/* A member that is a string. Before the record is checked it may be of any type. */
static struct text string_of(yyjson_val *object, const char *name)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    return yyjson_is_str(value) ? json_text(value) : (struct text){0};
}

static const char *member_string(yyjson_val *object, const char *name)
{
    const char *text = yyjson_get_str(yyjson_obj_get(object, name));

    return text != NULL ? text : "";
}

/* Makes room in a list for count entries of that size. */
static void *make_room(void *list, int *capacity, int count, size_t size)
{
    if (count <= *capacity)
        return list;
    *capacity = count + 16;
    return mem_realloc(list, (size_t)*capacity * size);
}

/* Reads products[], each with the digest that identifies it. */
static void read_products(yyjson_val *list, struct payload *payload)
{
    yyjson_arr_iter iter;
    yyjson_val *one;

    payload->product_count = (int)yyjson_arr_size(list);
    payload->products = make_room(payload->products, &payload->product_capacity,
                                  payload->product_count, sizeof(*payload->products));
    yyjson_arr_iter_init(list, &iter);
    for (int i = 0; (one = yyjson_arr_iter_next(&iter)) != NULL; i++) {
        struct product *product = &payload->products[i];
        yyjson_val *body = yyjson_obj_get(one, "body");

        *product = (struct product){
            .sku = text_trim(member(one, "sku")), .name = member(body, "name"), .body = body};
        digest_hex_nocase(product->digest, product->sku);
    }
}

/* Products of a catalogue. The digest of its body tells whether the account has a product as it is
 * to be. */
static void read_catalog(yyjson_val *root, struct payload *payload)
{
    payload->currency = member(root, "currency");
    read_products(yyjson_obj_get(root, "products"), payload);
    for (int i = 0; i < payload->product_count; i++) {
        struct product *product = &payload->products[i];
        struct text body;

        body.data = mem_check(yyjson_val_write(product->body, 0, &body.length));
        digest_hex(product->body_digest, &body, 1);
        free((void *)(uintptr_t)body.data);
    }
}

static struct tag tag_of(yyjson_val *object)
{
    struct tag tag = {.name = text_trim(member(object, "name"))};

    digest_hex_nocase(tag.digest, tag.name);
    return tag;
}

static void read_tags(yyjson_val *list, struct payload *payload)
{
    yyjson_arr_iter iter;
    yyjson_val *one;

    payload->tag_count = (int)yyjson_arr_size(list);
    payload->tags = make_room(payload->tags, &payload->tag_capacity, payload->tag_count,
                              sizeof(*payload->tags));
    yyjson_arr_iter_init(list, &iter);
    for (int i = 0; (one = yyjson_arr_iter_next(&iter)) != NULL; i++)
        payload->tags[i] = tag_of(one);
}

static void read_goals(yyjson_val *list, struct payload *payload)
{
    yyjson_arr_iter iter;
    yyjson_val *one;

    payload->goal_count = (int)yyjson_arr_size(list);
    payload->goals = make_room(payload->goals, &payload->goal_capacity, payload->goal_count,
                               sizeof(*payload->goals));
    yyjson_arr_iter_init(list, &iter);
    for (int i = 0; (one = yyjson_arr_iter_next(&iter)) != NULL; i++)
        payload->goals[i] = (struct goal){.integration = member_string(one, "integration"),
                                          .call_name = member_string(one, "call_name")};
}

void payload_open(const struct event *event, struct payload_head *head)
{
    yyjson_val *root, *addresses;

    *head = (struct payload_head){0};
    if (event->value.data != NULL)
        head->doc = yyjson_read(event->value.data, event->value.length, YYJSON_READ_NUMBER_AS_RAW);
    root = yyjson_doc_get_root(head->doc);
    addresses = yyjson_obj_get(yyjson_obj_get(root, "contact"), "email_addresses");
    head->account = string_of(root, "account");
    head->email = string_of(yyjson_arr_get_first(addresses), "email");
    head->together = head->email;
    if (head->email.length == 0)
        head->together = string_of(yyjson_arr_get_first(yyjson_obj_get(root, "products")), "sku");
    head->modified_at =
        event_header_int(event, HEADER_MODIFIED_AT, member_int(root, "modified_at", -1));
}

static void read_contact(yyjson_val *root, struct text email, struct payload *payload)
{
    struct text body;

    payload->contact = yyjson_obj_get(root, "contact");
    digest_hex_nocase(payload->contact_digest, email);
    body.data = mem_check(yyjson_val_write(payload->contact, 0, &body.length));
    digest_hex(payload->contact_body_digest, &body, 1);
    free((void *)(uintptr_t)body.data);
}

static void read_after(yyjson_val *after, struct after *target)
{
    yyjson_val *note = yyjson_obj_get(after, "note");
    struct text parts[2];

    *target = (struct after){.title = member(note, "title"),
                             .text = member(note, "text"),
                             .tag = tag_of(yyjson_arr_get_first(yyjson_obj_get(after, "tags")))};
    parts[0] = target->title;
    parts[1] = target->tag.name;
    digest_hex(target->digest, parts, 2);
}

/* What every order has, also one that was withdrawn. */
static void read_facts(yyjson_val *root, struct payload *payload)
{
    yyjson_val *status = yyjson_obj_get(root, "status");

    payload->placed_at = member_int(root, "placed_at", -1);
    payload->external_key = member(root, "external_key");
    payload->status_id = member_int(status, "id", 0);
    payload->status_name = member_string(status, "name");
    read_after(yyjson_obj_get(root, "after"), &payload->after);
}

/* What only an order that is to be made has. */
static void read_order(yyjson_val *root, struct payload *payload)
{
    payload->currency = member(root, "currency");
    payload->total = member_int(root, "total", 0);
    payload->order = yyjson_obj_get(root, "order");
    payload->fields = yyjson_obj_get(root, "fields");
    payload->payment = yyjson_obj_get(root, "payment");
    if (yyjson_is_null(payload->payment))
        payload->payment = NULL;
    read_products(yyjson_obj_get(root, "products"), payload);
    read_goals(yyjson_obj_get(root, "goals"), payload);
}

/* Reads the numbers that decide which version counts and when an order is given up. One that nobody
 * can mean would stay in the ledger for good, so it must not get there. */
static int read_numbers(const struct event *event, yyjson_val *root, int64_t now_ms,
                        struct payload *payload, struct error *err)
{
    int64_t latest = now_ms + PAYLOAD_AHEAD_MS;
    int64_t own = member_int(root, "modified_at", -1);

    payload->modified_at = own;
    payload->attempt = 0;
    if (payload->modified_at < ORDER_EARLIEST_MS || payload->modified_at > latest ||
        event_header_range(event, HEADER_MODIFIED_AT, ORDER_EARLIEST_MS, latest,
                           &payload->modified_at) != 0)
        return error_set(err, ERROR_PERMANENT,
                         "modified_at is no date from the year 2000 to a day from now");
    if (payload->modified_at < own - PAYLOAD_AHEAD_MS ||
        payload->modified_at > own + PAYLOAD_AHEAD_MS)
        payload->modified_at = own; /* the header cannot be about this version */
    if (event_header_range(event, HEADER_ATTEMPT, 0, PAYLOAD_ATTEMPTS_MAX, &payload->attempt) != 0)
        return error_set(err, ERROR_PERMANENT, "the header attempt is no number from 0 to %d",
                         PAYLOAD_ATTEMPTS_MAX);
    payload->polled_at = event->timestamp_ms;
    if (event_header_range(event, HEADER_POLLED_AT, ORDER_EARLIEST_MS, latest,
                           &payload->polled_at) != 0)
        return error_set(err, ERROR_PERMANENT,
                         "the header polled_at is no date from the year 2000 to a day from now");
    return 0;
}

int payload_read(const struct event *event, const struct payload_head *head, int64_t now_ms,
                 struct payload *payload, struct error *err)
{
    yyjson_val *root = yyjson_doc_get_root(head->doc);

    if (payload_check(root, event->key, &payload->kind, err) != 0 ||
        read_numbers(event, root, now_ms, payload, err) != 0)
        return -1;
    payload->replay = text_is(event->headers[HEADER_SOURCE], "replay");
    payload->look_was_asked = text_is(event->headers[HEADER_REASON], reason_name(REASON_IN_DOUBT));
    digest_hex(payload->digest, &event->value, 1);
    payload->placed_at = -1;
    payload->contact = NULL;
    payload->left_out = NULL;
    payload->payment = NULL;
    payload->fields = NULL;
    payload->product_count = payload->tag_count = payload->goal_count = 0;
    /* Members that the format of this kind does not know were not checked, so they are not read. */
    if (payload_is_order(payload))
        read_facts(root, payload);
    if (payload->kind != PAYLOAD_PRODUCT)
        read_contact(root, head->email, payload);
    if (payload->kind == PAYLOAD_ORDER || payload->kind == PAYLOAD_CONTACT) {
        payload->left_out = yyjson_obj_get(root, "left_out");
        read_tags(yyjson_obj_get(root, "tags"), payload);
    }
    if (payload->kind == PAYLOAD_ORDER)
        read_order(root, payload);
    if (payload->kind == PAYLOAD_PRODUCT)
        read_catalog(root, payload);
    return 0;
}

int payload_is_order(const struct payload *payload)
{
    return payload->kind == PAYLOAD_ORDER || payload->kind == PAYLOAD_WITHDRAWN;
}

void payload_clear(struct payload *payload)
{
    free(payload->products);
    free(payload->tags);
    free(payload->goals);
    *payload = (struct payload){0};
}
