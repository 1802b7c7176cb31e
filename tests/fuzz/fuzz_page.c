/* A page of the store's orders, and one order alone: cut into the bytes that came, with what is
 * missing added; and the store's time. */
#include "fuzz.h"

#include <string.h>
#include <yyjson.h>

#include "bigcommerce/bigcommerce.h"
#include "bigcommerce/cursor.h"
#include "bigcommerce/page.h"
#include "../../services/poller/scan.h"

const struct fuzz_target fuzz_target = {"page", 1};

static void check_inside(struct text part, struct text body)
{
    fuzz_check(part.data >= body.data && part.data + part.length <= body.data + body.length);
}

/* An order that can be read is one still when its lines were added. */
static void splice(const struct page_row *row, const struct buffer *lines,
                   const struct page_lines *told)
{
    static struct buffer target;
    yyjson_doc *doc;

    if (row->fault != NULL) {
        fuzz_check(row->id == -1 || row->id > 0);
        (void)scan_id(row->bytes);
        return;
    }
    fuzz_check(row->id > 0 && row->bytes.length > 0);
    fuzz_check(row->coupon_discount != 0 || !page_coupons_missing(row, told));
    buffer_reset(&target);
    page_splice(&target, row->bytes, lines, lines);
    doc = yyjson_read(target.data, target.length, YYJSON_READ_NUMBER_AS_RAW);
    fuzz_check(yyjson_obj_get(yyjson_doc_get_root(doc), "bigfusion") != NULL);
    yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct page page;
    static struct buffer lines;
    static struct cursor_row rows[PAGE_ROWS_MAX];
    struct text body = {(const char *)data, size};
    struct cursor cursor;
    struct page_row row;
    struct page_lines told = {0};
    struct error err = {0};
    int64_t time_ms;
    int count;

    if (bigcommerce_read_time(body, &time_ms) == 0)
        fuzz_check(time_ms > 0);
    buffer_reset(&lines);
    buffer_append(&lines, "", 0);
    if (page_join_array(&lines, body, &told, &count, &err) != 0)
        buffer_reset(&lines);
    if (page_slice(&page, body, &err) == 0 && page.count > 0) {
        cursor_init(&cursor, 1000, PAGE_ROWS_MAX);
        cursor_begin(&cursor, 1790000000000, 2000, 0);
        for (int i = 0; i < page.count; i++) {
            check_inside(page.rows[i].bytes, body);
            splice(&page.rows[i], &lines, &told);
            rows[i] = (struct cursor_row){page.rows[i].id, page.rows[i].modified_ms};
        }
        (void)cursor_page(&cursor, rows, page.count);
    }
    page_read_order(&row, body);
    if (row.bytes.length > 0)
        check_inside(row.bytes, body);
    splice(&row, &lines, &told);
    check_inside(page_strip_brackets(body), body);
    return 0;
}
