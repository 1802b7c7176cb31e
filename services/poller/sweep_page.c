#include "sweep_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "record/trace.h"

#define MARKS_KEEP_MS INT64_C(2592000000) /* after a month without a change, marks go */

enum { NUMBER_BYTES = 24 };

/* A product of a page, and the record that it becomes. */
struct swept {
    struct output output;
    struct buffer value; /* the product with its member `bigfusion` */
    struct catalog_mark mark;
    int is_sent; /* it is new or changed */
    int is_dead;
    char key[160];
    char modified_at[NUMBER_BYTES];
    char trace[TRACE_BYTES];
    char size_text[96];
    struct log_about about;
};

int sweep_read_currency(struct text body, char currency[4], struct error *err)
{
    yyjson_doc *doc = body.length == 0 ? NULL : yyjson_read(body.data, body.length, 0);
    struct text found = json_text(yyjson_obj_get(yyjson_doc_get_root(doc), "currency"));
    int is_code = found.length == 3;

    for (size_t i = 0; is_code && i < found.length; i++)
        is_code = found.data[i] >= 'A' && found.data[i] <= 'Z';
    if (is_code)
        snprintf(currency, 4, "%.3s", found.data);
    yyjson_doc_free(doc);
    return is_code ? 0 : error_set(err, ERROR_TEMPORARY, "the store does not tell its currency");
}

static int64_t id_of(yyjson_val *product)
{
    int64_t id;

    return text_to_int(json_text(yyjson_obj_get(product, "id")), &id) == 0 && id > 0 ? id : -1;
}

int64_t sweep_read_id(struct text body)
{
    yyjson_doc *doc =
        body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    int64_t id = id_of(yyjson_arr_get_first(yyjson_obj_get(yyjson_doc_get_root(doc), "data")));

    yyjson_doc_free(doc);
    return id;
}

/* The product's JSON with one more member, which says what the prices are in. */
static void write_value(const struct sweep *sweep, yyjson_val *product, struct buffer *value)
{
    size_t length;
    char *json = mem_check(yyjson_val_write(product, 0, &length));

    buffer_append(value, json, length - 1);
    buffer_printf(value, "%s\"bigfusion\":{\"currency\":\"%s\"}}", length > 2 ? "," : "",
                  sweep->currency);
    free(json);
}

/* The digest of what is synced of a product: of what the mapper would make of it, and of where it
 * goes. Of a product that cannot be mapped it is the digest of its bytes. */
static void make_digest(struct sweep *sweep, struct text value, char digest[DIGEST_BYTES])
{
    struct text parts[] = {text_of(sweep->store->account), text_of(sweep->currency), value};
    struct error ignored = {0};

    buffer_reset(&sweep->digested);
    if (map_catalog_open(&sweep->map, value, (struct text){0}, &ignored) == 0) {
        map_catalog_write_products(&sweep->map, sweep->store, &sweep->digested);
        parts[2] = (struct text){sweep->digested.data, sweep->digested.length};
    }
    map_catalog_close(&sweep->map);
    digest_hex(digest, parts, 3);
}

static void fill_record(const struct sweep *sweep, struct swept *one)
{
    struct output *output = &one->output;
    struct text parts[2];

    snprintf(one->key, sizeof(one->key), "%s/product/%lld", sweep->store->hash,
             (long long)one->mark.id);
    snprintf(one->modified_at, sizeof(one->modified_at), "%lld", (long long)one->mark.version);
    parts[0] = text_of(one->key);
    parts[1] = text_of(one->modified_at);
    trace_begin(one->trace, parts, 2);
    one->about = (struct log_about){parts[0], trace_id(text_of(one->trace))};
    *output = (struct output){.topic = sweep->topics->lanes[TOPIC_LANE_PRODUCTS].raw,
                              .key = parts[0],
                              .value = {one->value.data, one->value.length},
                              .partition_hash = event_hash(0, parts[0])};
    output->headers[HEADER_KIND] = text_of("product");
    output->headers[HEADER_STORE] = text_of(sweep->store->hash);
    output->headers[HEADER_ACCOUNT] = text_of(sweep->store->account);
    output->headers[HEADER_SOURCE] = text_of("poll");
    output->headers[HEADER_MODIFIED_AT] = output->headers[HEADER_POLLED_AT] = parts[1];
    output->headers[HEADER_TRACEPARENT] = text_of(one->trace);
}

static void make_dead(const struct sweep *sweep, struct swept *one, enum reason reason,
                      const char *detail, size_t bytes)
{
    struct output *output = &one->output;
    const struct log_about *before = log_set_about(&one->about);

    one->is_dead = 1;
    snprintf(one->size_text, sizeof(one->size_text), "{\"id\":%lld,\"size\":%zu}",
             (long long)one->mark.id, bytes);
    output->topic = sweep->topics->dead;
    output->value = text_of(one->size_text);
    output->headers[HEADER_REASON] = text_of(reason_name(reason));
    output->headers[HEADER_DETAIL] = text_of(detail);
    output->headers[HEADER_STAGE] = text_of("poller");
    metric_add(sweep->dead, 1);
    log_warn("dead reason=%s detail=\"%s\" bytes=%zu", reason_name(reason), detail, bytes);
    log_set_about(before);
}

enum outcome sweep_bury(struct sweep *sweep, int64_t id, enum reason reason, const char *detail,
                        struct error *err)
{
    struct swept one = {.mark = {.id = id, .version = clock_now_ms()}};

    fill_record(sweep, &one);
    make_dead(sweep, &one, reason, detail, 0);
    return batch_produce_one(sweep->batches, sweep->asker, &one.output, err);
}

/* Fills in the records of those products that are new or changed. A version is greater than the one
 * before, whatever clock it was made with. */
static void compare(struct sweep *sweep, struct swept *page, const struct catalog_mark *known,
                    int count)
{
    int64_t now_ms = clock_now_ms();

    for (int i = 0; i < count; i++) {
        struct swept *one = &page[i];

        one->is_sent = strcmp(one->mark.digest, known[i].digest) != 0;
        if (!one->is_sent)
            continue;
        one->mark.version = now_ms > known[i].version ? now_ms : known[i].version + 1;
        fill_record(sweep, one);
        if ((int64_t)one->value.length + TOPIC_ENVELOPE_BYTES >
            sweep->config->kafka.max_record_bytes)
            make_dead(sweep, one, REASON_TOO_LARGE, "larger than max_record_bytes",
                      one->value.length);
    }
}

/* Sends what changed and waits until Kafka has it. */
static enum outcome publish(struct sweep *sweep, struct swept *page, int count, struct error *err)
{
    struct batch *batch = batch_new(sweep->batches, sweep->asker, count);
    enum outcome outcome = OUTCOME_OK;
    enum batch_answer answer;

    for (int i = 0; i < count && outcome == OUTCOME_OK; i++) {
        if (!page[i].is_sent)
            continue;
        outcome = batch_send(batch, &page[i].output, i, &answer, err);
        if (outcome == OUTCOME_OK && answer != BATCH_OK) {
            error_set(err, ERROR_TEMPORARY, "a product is larger than its topic takes");
            outcome = OUTCOME_TROUBLE;
        }
    }
    if (outcome == OUTCOME_OK)
        outcome = batch_wait(batch, err);
    for (int i = 0; i < count && outcome == OUTCOME_OK; i++)
        if (page[i].is_sent && batch_result(batch, i, err) != BATCH_OK)
            outcome = OUTCOME_TROUBLE;
    batch_drop(batch);
    return outcome;
}

/* Marks what was published, and counts the page. */
static void settle(struct sweep *sweep, struct swept *page, int count)
{
    struct catalog_mark marks[SWEEP_PAGE_MAX];
    struct error err = {0};
    int changed = 0;

    for (int i = 0; i < count; i++) {
        if (!page[i].is_sent) {
            metric_add(sweep->unchanged, 1);
            continue;
        }
        marks[changed++] = page[i].mark;
        if (page[i].is_dead)
            continue;
        metric_add(sweep->published, 1);
        log_set_about(&page[i].about);
        log_info("published modified_at=%s bytes=%zu", page[i].modified_at, page[i].value.length);
        log_set_about(NULL);
    }
    if (changed > 0 && catalog_marks_write(sweep->redis, sweep->marks_key, marks, changed,
                                           MARKS_KEEP_MS, &err) != 0)
        log_warn("marks lost store=%s products=%d error=\"%s\"", sweep->store->hash, changed,
                 err.text); /* then these products will be published once more */
    sweep->products += count;
    sweep->changed += changed;
}

/* Reads the page's products. A product without an id, or one that is not behind the one before it,
 * cannot be passed over by its id, so such a page is no page. @returns 0, or -1 with an error */
static int read_page(struct sweep *sweep, yyjson_val *list, struct swept *page, int *count,
                     struct error *err)
{
    int64_t last_id = sweep->last_id;
    yyjson_arr_iter iter;
    yyjson_val *product;

    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_TEMPORARY, "the store's answer has no list of products");
    if (yyjson_arr_size(list) > SWEEP_PAGE_MAX)
        return error_set(err, ERROR_TEMPORARY, "the store's answer has more products than asked");
    while ((product = yyjson_arr_iter_next(&iter)) != NULL) {
        struct swept *one = &page[(*count)++];

        one->mark.id = id_of(product);
        if (one->mark.id <= last_id)
            return error_set(err, ERROR_TEMPORARY, "the store's products are not sorted by id");
        last_id = one->mark.id;
        write_value(sweep, product, &one->value);
        make_digest(sweep, (struct text){one->value.data, one->value.length}, one->mark.digest);
    }
    return 0;
}

static enum outcome take_products(struct sweep *sweep, struct swept *page, int count,
                                  struct error *err)
{
    struct catalog_mark known[SWEEP_PAGE_MAX];
    enum outcome outcome;

    for (int i = 0; i < count; i++)
        known[i].id = page[i].mark.id;
    if (catalog_marks_read(sweep->redis, sweep->marks_key, known, count, err) != 0)
        return OUTCOME_LOST;
    compare(sweep, page, known, count);
    outcome = publish(sweep, page, count, err);
    if (outcome == OUTCOME_OK) {
        settle(sweep, page, count);
        sweep->last_id = page[count - 1].mark.id;
    }
    return outcome;
}

enum outcome sweep_take_page(struct sweep *sweep, struct text body, int *count, struct error *err)
{
    struct swept *page = mem_alloc(SWEEP_PAGE_MAX * sizeof(*page));
    yyjson_doc *doc =
        body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "data");
    enum outcome outcome = OUTCOME_OK;
    int read = 0, usable = read_page(sweep, list, page, &read, err) == 0;

    if (usable && read > 0)
        outcome = take_products(sweep, page, read, err);
    *count = usable ? read : -1;
    for (int i = 0; i < read; i++)
        buffer_clear(&page[i].value);
    yyjson_doc_free(doc);
    free(page);
    return outcome;
}
