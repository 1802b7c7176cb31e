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
    yyjson_arr_iter iter = yyjson_arr_iter_with(d->goals);
    yyjson_val *goal;
    size_t length;
    char *body;

    for (int i = 0; i < d->product_count; i++) {
        struct text name = payload_member(d->products[i].body, "name");

        fuzz_check(name.length > 0 && d->products[i].sku.length > 0);
    }
    while ((goal = yyjson_arr_iter_next(&iter)) != NULL) {
        struct text text = goal_body(d, goal);

        check_json((char *)(uintptr_t)text.data, text.length);
    }
    body = order_body(d, 0, &length);
    check_json(body, length);
    body = merge_create_body(d->contact_body, 0, &length);
    check_json(body, length);
    merge_contact(NULL, d->contact_body, 1, 0, &merge);
    merge_clear(&merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct delivery d;
    struct event event = {.key = text_of("abc123/order/149"), .value = {(const char *)data, size}};
    struct job job = {.event = &event};
    struct error err = {0};

    event.headers[HEADER_ATTEMPT] = event.headers[HEADER_MODIFIED_AT] = text_of("999999999999999");
    payload_open(&job, &event);
    d.job = &job;
    if (payload_read(&d, &err) == 0 && !d.withdrawn)
        make_bodies(&d);
    else
        fuzz_check(d.withdrawn || err.kind == ERROR_PERMANENT);
    fuzz_check(err.kind != ERROR_NONE || d.attempt < INT32_MAX);
    yyjson_doc_free(job.doc);
    return 0;
}
