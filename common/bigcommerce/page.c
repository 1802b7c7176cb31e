#include "bigcommerce/page.h"

#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/date.h"
#include "base/json.h"
#include "base/text.h"

static const yyjson_read_flag read_flags = YYJSON_READ_NUMBER_AS_RAW;

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* yyjson takes a char * because it can parse in place; without that flag it only reads. */
static yyjson_doc *read_value(const char *data, size_t length)
{
    return length == 0 ? NULL
                       : yyjson_read_opts((char *)(uintptr_t)data, length, read_flags, NULL, NULL);
}

static void count_line(struct page_lines *lines, yyjson_val *line)
{
    yyjson_val *discounts = yyjson_obj_get(line, "applied_discounts");
    yyjson_val *discount;
    struct text quantity = json_text(yyjson_obj_get(line, "quantity"));
    size_t index, count;
    int64_t number = 1; /* a gift certificate may have no quantity */
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

static void count_array(struct page_lines *lines, yyjson_val *array)
{
    yyjson_val *line;
    size_t index, count;

    yyjson_arr_foreach(array, index, count, line) { count_line(lines, line); }
}

static void count_kind(struct page_lines *lines, yyjson_val *consignments)
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

static void count_consignments(struct page_lines *lines, yyjson_val *consignments)
{
    count_kind(lines, yyjson_obj_get(consignments, "shipping"));
    count_kind(lines, yyjson_obj_get(consignments, "pickups"));
    count_kind(lines, yyjson_obj_get(consignments, "downloads"));
    count_kind(lines, yyjson_obj_get(yyjson_obj_get(consignments, "email"), "gift_certificates"));
}

int page_coupons_missing(const struct page_row *row, const struct page_lines *lines)
{
    return row->coupon_discount != 0 && (lines->odd || row->coupon_discount != lines->coded);
}

static void read_facts(struct page_row *row, yyjson_val *order)
{
    struct page_lines lines = {0};
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
    if (date_parse_rfc2822(json_text(yyjson_obj_get(order, "date_created")), &row->placed_ms) != 0)
        row->placed_ms = -1;
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
    if (money_parse(json_text(yyjson_obj_get(order, "coupon_discount")), &row->coupon_discount) !=
        0)
        row->coupon_discount = 0;
    /* Where lines are missing, the sum of their discounts says nothing yet. Whoever fetches them
     * calls page_coupons_missing() again. */
    row->coupons_missing = !row->lines_missing && page_coupons_missing(row, &lines);
}

static void clear_row(struct page_row *row)
{
    *row = (struct page_row){.id = -1, .modified_ms = -1, .placed_ms = -1};
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
    doc = read_value(at, (size_t)(end - at));
    if (doc == NULL)
        row->fault = "not JSON";
    else
        read_facts(row, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
}

/* A page while it is cut. yyjson parses in place, in a copy of the page, for it writes into what it
 * parses. If it made the copy itself, it would copy at each order all the bytes that follow in the
 * page as well, since it does not know where the order ends. */
struct slicing {
    const char *at, *end; /* of the page; the rows point into it */
    char *copy;           /* of everything up to end; what lies before at may be overwritten */
    const char *begin;    /* of the page */
};

static void skip(struct slicing *slicing) { slicing->at = skip_blanks(slicing->at, slicing->end); }

/* The next character, which is taken; 0 at the end. */
static char take_char(struct slicing *slicing)
{
    skip(slicing);
    return slicing->at < slicing->end ? *slicing->at++ : '\0';
}

/* Reads the order at the place where the slicing is, and moves behind it. */
static int slice_row(struct slicing *slicing, struct page_row *row)
{
    size_t left = (size_t)(slicing->end - slicing->at);
    char *parsed = slicing->copy + (slicing->at - slicing->begin);
    yyjson_doc *doc =
        left == 0 ? NULL
                  : yyjson_read_opts(parsed, left,
                                     read_flags | YYJSON_READ_INSITU | YYJSON_READ_STOP_WHEN_DONE,
                                     NULL, NULL);

    if (doc == NULL)
        return -1;
    clear_row(row);
    row->bytes = (struct text){slicing->at, yyjson_doc_get_read_size(doc)};
    read_facts(row, yyjson_doc_get_root(doc));
    slicing->at += row->bytes.length;
    yyjson_doc_free(doc);
    return 0;
}

/* The orders of a list, behind its opening bracket. */
static int slice_rows(struct slicing *slicing, struct page *page, struct error *err)
{
    char after;

    skip(slicing);
    if (slicing->at < slicing->end && *slicing->at == ']') {
        slicing->at++;
        return 0;
    }
    do {
        if (page->count == PAGE_ROWS_MAX)
            return error_set(err, ERROR_PERMANENT, "the answer holds more than %d orders",
                             PAGE_ROWS_MAX);
        skip(slicing);
        if (slice_row(slicing, &page->rows[page->count]) != 0)
            return error_set(err, ERROR_PERMANENT, "order %d of the answer is not JSON",
                             page->count + 1);
        page->count++;
        after = take_char(slicing);
        if (after != ',' && after != ']')
            return error_set(err, ERROR_PERMANENT, "the answer breaks off after order %d",
                             page->count);
    } while (after == ',');
    return 0;
}

int page_slice(struct page *page, struct text body, struct error *err)
{
    struct slicing slicing = {0};
    int answer;

    page->count = 0;
    if (body.length == 0)
        return 0;
    slicing.begin = slicing.at = body.data;
    slicing.end = body.data + body.length;
    skip(&slicing);
    if (slicing.at == slicing.end)
        return 0;
    if (take_char(&slicing) != '[')
        return error_set(err, ERROR_PERMANENT, "the answer is not a JSON array");
    slicing.copy = mem_alloc(body.length + YYJSON_PADDING_SIZE);
    memcpy(slicing.copy, body.data, body.length);
    answer = slice_rows(&slicing, page, err);
    free(slicing.copy);
    skip(&slicing);
    if (answer == 0 && slicing.at != slicing.end)
        return error_set(err, ERROR_PERMANENT, "the answer goes on after its end");
    return answer;
}

/* Every line item and every coupon has an id. A value without one is neither: if it were taken, the
 * order would be published with an empty line. */
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

int page_join_array(struct buffer *joined, struct text body, struct page_lines *lines, int *count,
                    struct error *err)
{
    yyjson_doc *doc = read_value(body.data, body.length);
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
    if (lines != NULL && readable)
        count_array(lines, root);
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
