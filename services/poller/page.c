#include "page.h"

#include <string.h>

#include <yyjson.h>

#include "base/date.h"
#include "base/json.h"
#include "base/money.h"
#include "base/text.h"

static const yyjson_read_flag read_flags = YYJSON_READ_NUMBER_AS_RAW;

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* yyjson takes a char * for its in-place mode only, which we do not use. */
static yyjson_doc *read_value(const char *data, size_t length, yyjson_read_flag flags)
{
    return length == 0 ? NULL
                       : yyjson_read_opts((char *)(uintptr_t)data, length, flags, NULL, NULL);
}

/* What the line items of an order tell. */
struct lines {
    int64_t quantity;
    money coded; /* sum of the discounts that carry a coupon code */
    int warned;  /* a consignment says that not all lines are there */
    int odd;     /* something was not of the documented shape */
};

static void count_line(struct lines *lines, yyjson_val *line)
{
    yyjson_val *discounts = yyjson_obj_get(line, "applied_discounts");
    yyjson_val *discount;
    struct text quantity = json_text(yyjson_obj_get(line, "quantity"));
    size_t index, count;
    int64_t number = 1; /* gift certificates may carry none */
    money amount;

    if (quantity.data != NULL && text_to_int(quantity, &number) != 0)
        lines->odd = 1;
    if (number > 0 && number < INT32_MAX)
        lines->quantity += number;
    yyjson_arr_foreach(discounts, index, count, discount)
    {
        if (json_text(yyjson_obj_get(discount, "code")).length == 0)
            continue;
        if (money_parse(json_text(yyjson_obj_get(discount, "amount")), &amount) != 0)
            lines->odd = 1;
        else
            lines->coded += amount;
    }
}

static void count_array(struct lines *lines, yyjson_val *array)
{
    yyjson_val *line;
    size_t index, count;

    yyjson_arr_foreach(array, index, count, line) { count_line(lines, line); }
}

static void count_kind(struct lines *lines, yyjson_val *consignments)
{
    yyjson_val *consignment;
    size_t index, count;

    yyjson_arr_foreach(consignments, index, count, consignment)
    {
        if (yyjson_obj_get(consignment, "__warning__") != NULL)
            lines->warned = 1;
        count_array(lines, yyjson_obj_get(consignment, "line_items"));
    }
}

static void count_consignments(struct lines *lines, yyjson_val *consignments)
{
    count_kind(lines, yyjson_obj_get(consignments, "shipping"));
    count_kind(lines, yyjson_obj_get(consignments, "pickups"));
    count_kind(lines, yyjson_obj_get(consignments, "downloads"));
    count_kind(lines, yyjson_obj_get(yyjson_obj_get(consignments, "email"), "gift_certificates"));
}

static int is_coupons_missing(yyjson_val *order, const struct lines *lines)
{
    struct text discount = json_text(yyjson_obj_get(order, "coupon_discount"));
    money wanted = 0;

    if (discount.data == NULL || money_parse(discount, &wanted) != 0)
        return 0;
    return wanted != 0 && (lines->odd || wanted != lines->coded);
}

static void read_facts(struct page_row *row, yyjson_val *order)
{
    struct lines lines = {0};
    int64_t items_total = 0;

    if (!yyjson_is_obj(order)) {
        row->fault = "not a JSON object";
        return;
    }
    if (text_to_int(json_text(yyjson_obj_get(order, "id")), &row->id) != 0 || row->id <= 0) {
        row->id = -1;
        row->fault = "id is not a whole number above 0";
        return;
    }
    if (date_parse_rfc2822(json_text(yyjson_obj_get(order, "date_modified")), &row->modified_ms) !=
        0) {
        row->modified_ms = -1;
        row->fault = "date_modified is not a date";
        return;
    }
    count_consignments(&lines, yyjson_obj_get(order, "consignments"));
    if (text_to_int(json_text(yyjson_obj_get(order, "items_total")), &items_total) != 0)
        items_total = 0;
    row->lines_missing = lines.warned || lines.quantity < items_total;
    /* With lines missing the sum says nothing yet: page_coupons_missing() decides when they are
     * there. */
    row->coupons_missing = !row->lines_missing && is_coupons_missing(order, &lines);
}

static void clear_row(struct page_row *row)
{
    *row = (struct page_row){.id = -1, .modified_ms = -1};
}

void page_read_order(struct page_row *row, struct text body)
{
    const char *at, *end;
    yyjson_doc *doc;

    clear_row(row);
    if (body.length == 0) {
        row->fault = "empty";
        return;
    }
    end = body.data + body.length;
    at = skip_blanks(body.data, end);
    while (end > at && is_blank(end[-1]))
        end--;
    row->bytes = (struct text){at, (size_t)(end - at)};
    doc = read_value(at, (size_t)(end - at), read_flags);
    if (doc == NULL)
        row->fault = "not JSON";
    else
        read_facts(row, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
}

/* One value at *at; moves *at behind it. */
static int slice_row(struct page_row *row, const char **at, const char *end)
{
    yyjson_doc *doc = read_value(*at, (size_t)(end - *at), read_flags | YYJSON_READ_STOP_WHEN_DONE);

    if (doc == NULL)
        return -1;
    clear_row(row);
    row->bytes = (struct text){*at, yyjson_doc_get_read_size(doc)};
    read_facts(row, yyjson_doc_get_root(doc));
    *at += row->bytes.length;
    yyjson_doc_free(doc);
    return 0;
}

int page_slice(struct page *page, struct text body, struct error *err)
{
    const char *at, *end;

    page->count = 0;
    if (body.length == 0)
        return 0;
    end = body.data + body.length;
    at = skip_blanks(body.data, end);
    if (at == end)
        return 0;
    if (*at++ != '[')
        return error_set(err, ERROR_PERMANENT, "the answer is not a JSON array");
    at = skip_blanks(at, end);
    if (at < end && *at == ']')
        at++;
    else
        for (char after = ','; after == ',';) {
            if (page->count == PAGE_ROWS_MAX)
                return error_set(err, ERROR_PERMANENT, "the answer holds more than %d orders",
                                 PAGE_ROWS_MAX);
            at = skip_blanks(at, end);
            if (slice_row(&page->rows[page->count], &at, end) != 0)
                return error_set(err, ERROR_PERMANENT, "order %d of the answer is not JSON",
                                 page->count + 1);
            page->count++;
            at = skip_blanks(at, end);
            after = at < end ? *at++ : '\0';
            if (after != ',' && after != ']')
                return error_set(err, ERROR_PERMANENT, "the answer breaks off after order %d",
                                 page->count);
        }
    if (skip_blanks(at, end) != end)
        return error_set(err, ERROR_PERMANENT, "the answer goes on after its end");
    return 0;
}

/* Lines and coupons have one. What has none would be taken for a line of nothing. */
static int have_ids(yyjson_val *array)
{
    yyjson_val *item;
    size_t index, count;

    yyjson_arr_foreach(array, index, count, item)
    {
        if (json_text(yyjson_obj_get(item, "id")).length == 0)
            return 0;
    }
    return 1;
}

int page_join_array(struct buffer *joined, struct text body, int *count, struct error *err)
{
    yyjson_doc *doc = read_value(body.data, body.length, read_flags);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *first, *last;
    int readable;

    *count = 0;
    if (!yyjson_is_arr(root)) {
        yyjson_doc_free(doc);
        return error_set(err, ERROR_TEMPORARY, "the answer is not a JSON array");
    }
    *count = (int)yyjson_arr_size(root);
    readable = have_ids(root);
    yyjson_doc_free(doc);
    if (!readable)
        return error_set(err, ERROR_TEMPORARY, "the answer has an item without an id");
    if (*count == 0)
        return 0;
    first = (const char *)memchr(body.data, '[', body.length) + 1;
    last = (const char *)memrchr(body.data, ']', body.length);
    if (joined->length > 0)
        buffer_append(joined, ",", 1);
    buffer_append(joined, first, (size_t)(last - first));
    return 0;
}

int page_coupons_missing(struct text order, struct text products)
{
    struct buffer array = {0};
    struct lines lines = {0};
    yyjson_doc *order_doc = read_value(order.data, order.length, read_flags);
    yyjson_doc *lines_doc;
    int missing;

    buffer_append(&array, "[", 1);
    buffer_append(&array, products.data, products.length);
    buffer_append(&array, "]", 1);
    lines_doc = read_value(array.data, array.length, read_flags);
    count_array(&lines, yyjson_doc_get_root(lines_doc));
    missing = is_coupons_missing(yyjson_doc_get_root(order_doc), &lines);
    yyjson_doc_free(order_doc);
    yyjson_doc_free(lines_doc);
    buffer_clear(&array);
    return missing;
}

static void add_list(struct buffer *target, const char *name, const struct buffer *values,
                     const char *before)
{
    buffer_printf(target, "%s\"%s\":[", before, name);
    buffer_append(target, values->data, values->length);
    buffer_append(target, "]", 1);
}

void page_splice(struct buffer *target, struct text order, const struct buffer *products,
                 const struct buffer *coupons)
{
    size_t brace = order.length;

    while (brace > 0 && order.data[brace - 1] != '}')
        brace--;
    if (brace == 0)
        brace = 1;
    buffer_append(target, order.data, brace - 1);
    buffer_printf(target, ",\"bigfusion\":{");
    if (products != NULL)
        add_list(target, "products", products, "");
    if (coupons != NULL)
        add_list(target, "coupons", coupons, products != NULL ? "," : "");
    buffer_append(target, "}", 1);
    buffer_append(target, order.data + brace - 1, order.length - (brace - 1));
}

struct text page_strip_brackets(struct text body)
{
    const char *first, *end;

    if (body.length == 0)
        return body;
    end = body.data + body.length;
    first = skip_blanks(body.data, end);
    while (end > first && is_blank(end[-1]))
        end--;
    if (end - first < 2 || *first != '[' || end[-1] != ']')
        return body;
    return (struct text){first + 1, (size_t)(end - first) - 2};
}
