/* A payload record: the pusher's check, and for what passes it the bodies that are made of it. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../services/pusher/goal.h"
#include "../../services/pusher/order.h"
#include "../../services/pusher/payload.h"
#include "../../services/pusher/merge.h"

const struct fuzz_target fuzz_target = {"payload", 1};

static void check_json(char *body, size_t length)
{
    yyjson_doc *doc = yyjson_read(body, length, YYJSON_READ_NUMBER_AS_RAW);

    fuzz_check(doc != NULL);
    yyjson_doc_free(doc);
    free(body);
}

/* The bodies of every call, as the steps make them. */
static void make_bodies(struct delivery *d)
{
    struct merge merge;
    const struct payload *payload = &d->payload;
    size_t length;
    char *body;

    for (int i = 0; i < payload->product_count; i++)
        fuzz_check(payload->products[i].name.length > 0 && payload->products[i].sku.length > 0);
    for (int i = 0; i < payload->goal_count; i++) {
        struct text text = goal_body(d, &payload->goals[i]);

        check_json((char *)(uintptr_t)text.data, text.length);
    }
    if (payload->kind == PAYLOAD_ORDER)
        check_json(order_body(d, 0, &length), length);
    if (payload->contact == NULL)
        return;
    body = merge_create_body(payload->contact, 0, &length);
    check_json(body, length);
    merge_contact(NULL, payload->contact, 1, 0, &merge);
    merge_clear(&merge);
}

static void read_as(const char *key, const uint8_t *data, size_t size)
{
    static struct delivery d;
    struct event event = {.key = text_of(key), .value = {(const char *)data, size}};
    struct payload_head head;
    struct error err = {0};

    event.headers[HEADER_ATTEMPT] = event.headers[HEADER_MODIFIED_AT] = text_of("999999999999999");
    payload_open(&event, &head);
    if (payload_read(&event, &head, INT64_C(1800000000000), &d.payload, &err) != 0)
        fuzz_check(err.kind == ERROR_PERMANENT);
    else if (d.payload.kind != PAYLOAD_WITHDRAWN)
        make_bodies(&d);
    fuzz_check(err.kind != ERROR_NONE || d.payload.attempt < INT32_MAX);
    yyjson_doc_free(head.doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as("abc123/order/149", data, size);
    read_as("abc123/contact/149", data, size);
    read_as("abc123/product/149", data, size);
    return 0;
}
