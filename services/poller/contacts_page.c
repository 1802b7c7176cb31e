/* contacts_page.c - takes one page of customers: compares them with what was published, and
 * publishes those that changed. */
#include "contacts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "mapping/customer.h"

/* The customers of a page. */
struct rows {
    struct changed list[CONTACTS_PAGE_MAX];
    int64_t group_ids[CONTACTS_PAGE_MAX]; /* 0: none */
    int count;
};

/* A customer's own date says that it was stored again, not that something changed that is synced:
 * the digest is that of everything else. */
static void make_digest(const struct contacts *contacts, yyjson_val *customer,
                        char digest[DIGEST_BYTES])
{
    static const char *const members[] = {"email", "first_name", "last_name",
                                          "phone", "addresses",  "customer_group_id"};
    struct buffer all = {0};
    struct text parts[2] = {text_of(contacts->with->store->account)};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        yyjson_val *value = yyjson_obj_get(customer, members[i]);
        size_t length = 0;
        char *json = value == NULL ? NULL : mem_check(yyjson_val_write(value, 0, &length));

        buffer_append(&all, members[i], strlen(members[i]) + 1);
        if (json != NULL)
            buffer_append(&all, json, length);
        free(json);
    }
    parts[1] = (struct text){all.data, all.length};
    digest_hex(digest, parts, 2);
    buffer_clear(&all);
}

/* Writes the name of its group into a customer, before all that the store says of it, as the member
 * {"bigfusion":{"customer_group":name}}. */
static void add_group(struct buffer *value, const char *name)
{
    struct buffer with = {0};

    json_write_literal(&with, "{\"bigfusion\":{\"customer_group\":");
    json_write_text(&with, text_of(name), SIZE_MAX);
    json_write_literal(&with, "},");
    buffer_append(&with, value->data + 1, value->length - 1);
    buffer_clear(value);
    *value = with;
}

/* Names the groups of those customers that changed, where the store wants a tag of them. */
static enum outcome name_groups(struct contacts *contacts, struct rows *rows, struct error *err)
{
    enum outcome outcome = OUTCOME_OK;

    if (strcmp(contacts->with->store->group_tag, "off") == 0)
        return OUTCOME_OK;
    for (int i = 0; i < rows->count && outcome == OUTCOME_OK; i++) {
        const char *name;

        if (!rows->list[i].is_changed || rows->group_ids[i] == 0)
            continue;
        outcome = groups_prepare(&contacts->groups, contacts->with->asker, rows->group_ids[i],
                                 contacts->pace.paged_ms, err);
        name = groups_name(&contacts->groups, rows->group_ids[i]);
        if (outcome == OUTCOME_OK && name != NULL)
            add_group(&rows->list[i].value, name);
    }
    return outcome;
}

static int read_rows(struct contacts *contacts, yyjson_val *list, struct rows *rows,
                     struct error *err)
{
    int64_t now_ms = clock_now_ms();
    yyjson_arr_iter iter;
    yyjson_val *one;

    if (!yyjson_arr_iter_init(list, &iter))
        return error_set(err, ERROR_TEMPORARY, "the store's answer has no list of customers");
    if (yyjson_arr_size(list) > CONTACTS_PAGE_MAX)
        return error_set(err, ERROR_TEMPORARY, "the store's answer has more customers than asked");
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        struct changed *row = &rows->list[rows->count];
        struct error ignored = {0};
        struct customer customer;
        size_t length;
        char *json;

        /* One that cannot be read goes on all the same, and the filter says what is wrong. */
        (void)customer_read(&customer, one, &ignored);
        if (customer.id < 1)
            return error_set(err, ERROR_TEMPORARY, "the store's answer has a customer without id");
        rows->group_ids[rows->count++] = customer.group_id;
        row->mark.id = customer.id;
        row->version_ms = customer.modified_at_ms >= 0 ? customer.modified_at_ms : now_ms;
        json = mem_check(yyjson_val_write(one, 0, &length));
        buffer_append(&row->value, json, length);
        free(json);
        make_digest(contacts, one, row->mark.digest);
    }
    return 0;
}

static enum outcome take_rows(struct contacts *contacts, struct rows *rows, struct error *err)
{
    int published = 0;
    enum outcome outcome = changed_find(&contacts->lane, rows->list, rows->count, err);

    if (outcome == OUTCOME_OK)
        outcome = name_groups(contacts, rows, err);
    if (outcome == OUTCOME_OK)
        outcome = changed_publish(&contacts->lane, rows->list, rows->count, &published, err);
    contacts->changed += published;
    return outcome;
}

static struct text end_cursor(yyjson_val *root)
{
    yyjson_val *paging = yyjson_obj_get(yyjson_obj_get(root, "meta"), "cursor_pagination");

    return json_text(yyjson_obj_get(paging, "end_cursor"));
}

static yyjson_doc *parse(struct text body)
{
    return body.length == 0 ? NULL : yyjson_read(body.data, body.length, YYJSON_READ_NUMBER_AS_RAW);
}

int contacts_read_one(struct text body, int64_t *id, struct buffer *after)
{
    yyjson_doc *doc = parse(body);
    yyjson_val *root = yyjson_doc_get_root(doc), *list = yyjson_obj_get(root, "data");
    struct text cursor = end_cursor(root);
    struct text word = json_text(yyjson_obj_get(yyjson_arr_get_first(list), "id"));
    int rc =
        yyjson_arr_size(list) == 1 && text_to_int(word, id) == 0 && *id > 0 && cursor.length > 0
            ? 0
            : -1;

    if (rc == 0)
        buffer_append(after, cursor.data, cursor.length);
    yyjson_doc_free(doc);
    return rc;
}

int contacts_is_page(struct text body)
{
    yyjson_doc *doc = parse(body);
    int is_page = yyjson_is_arr(yyjson_obj_get(yyjson_doc_get_root(doc), "data"));

    yyjson_doc_free(doc);
    return is_page;
}

/* Whether a cursor leads on: it is there, and is not the one that was asked with. */
static int leads_on(const struct contacts *contacts, struct text cursor)
{
    const struct buffer *before = &contacts->after;

    return cursor.length > 0 && (cursor.length != before->length ||
                                 memcmp(cursor.data, before->data, cursor.length) != 0);
}

enum outcome contacts_take_page(struct contacts *contacts, struct text body, int *count,
                                struct error *err)
{
    struct rows *rows = mem_alloc(sizeof(*rows));
    yyjson_doc *doc = parse(body);
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct text after = end_cursor(root);
    enum outcome outcome = OUTCOME_OK;
    int usable = read_rows(contacts, yyjson_obj_get(root, "data"), rows, err) == 0;

    if (usable && rows->count > 0 && !leads_on(contacts, after)) {
        error_set(err, ERROR_TEMPORARY, "the store's answer does not say where to go on");
        usable = 0;
    }
    if (usable && rows->count > 0)
        outcome = take_rows(contacts, rows, err);
    if (usable && rows->count > 0 && outcome == OUTCOME_OK) {
        buffer_reset(&contacts->after);
        buffer_append(&contacts->after, after.data, after.length);
    }
    *count = usable ? rows->count : -1;
    for (int i = 0; i < CONTACTS_PAGE_MAX; i++)
        buffer_clear(&rows->list[i].value);
    yyjson_doc_free(doc);
    free(rows);
    return outcome;
}
