/* Single values: an amount, a date, a number, an e-mail address, a text that is written as JSON. */
#include "fuzz.h"

#include <string.h>
#include <yyjson.h>

#include "base/currency.h"
#include "base/date.h"
#include "base/json.h"
#include "base/money.h"
#include "base/text.h"
#include "record/order.h"

const struct fuzz_target fuzz_target = {"value", 0};

static int is_utf8(struct text text)
{
    static struct buffer quoted;
    yyjson_doc *doc;
    int valid;

    buffer_reset(&quoted);
    buffer_printf(&quoted, "\"");
    for (size_t i = 0; i < text.length; i++) {
        int plain =
            text.data[i] != '"' && text.data[i] != '\\' && (unsigned char)text.data[i] >= ' ';

        buffer_append(&quoted, plain ? text.data + i : "x", 1);
    }
    buffer_printf(&quoted, "\"");
    doc = yyjson_read(quoted.data, quoted.length, 0);
    valid = doc != NULL;
    yyjson_doc_free(doc);
    return valid;
}

/* What is written of a valid text is JSON, and no longer than it may be. */
static void write_text(struct text text)
{
    static struct buffer out;
    yyjson_doc *doc;

    buffer_reset(&out);
    json_write_text(&out, text, 10);
    doc = yyjson_read(out.data, out.length, 0);
    fuzz_check(doc != NULL);
    fuzz_check(text_count_chars(json_text(yyjson_doc_get_root(doc))) <= 10);
    yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size};
    char printed[DATE_ISO_BYTES], minor[32];
    money amount;
    int64_t number;

    if (money_parse(text, &amount) == 0)
        for (int digits = 0; digits <= 4; digits++)
            (void)money_print_minor(minor, money_to_minor(amount, digits), digits);
    if (date_parse_rfc2822(text, &number) == 0)
        (void)date_print_iso(printed, number);
    (void)text_to_int(text, &number);
    (void)currency_digits(text);
    text = text_trim(text);
    if (order_check_email(text) == EMAIL_USABLE)
        fuzz_check(memchr(text.data, '@', text.length) == memrchr(text.data, '@', text.length));
    if (is_utf8((struct text){(const char *)data, size}))
        write_text((struct text){(const char *)data, size});
    return 0;
}
