/* A product of a store's catalogue, and its HTML. What is made of a product is JSON within the
 * limits; what is made of HTML has no control character but the line feed. */
#include "fuzz.h"

#include "base/text.h"
#include "mapping/html_text.h"
#include "mapping/map_catalog.h"

const struct fuzz_target fuzz_target = {"catalog", 1};

static struct config_store store = {.hash = (char *)(uintptr_t) "abc123"};
static struct config_account account = {.name = (char *)(uintptr_t) "main",
                                        .currency = (char *)(uintptr_t) ""};

static void check_payload(const struct buffer *out)
{
    yyjson_doc *doc = yyjson_read(out->data, out->length, 0);
    yyjson_val *products = yyjson_obj_get(yyjson_doc_get_root(doc), "products"), *one;
    yyjson_arr_iter iter;

    fuzz_check(doc != NULL && yyjson_arr_size(products) > 0);
    yyjson_arr_iter_init(products, &iter);
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        yyjson_val *body = yyjson_obj_get(one, "body");
        size_t length = text_count_chars(json_text(yyjson_obj_get(body, "description")));

        fuzz_check(text_count_chars(json_text(yyjson_obj_get(body, "name"))) <= MAP_NAME_CHARS_MAX);
        fuzz_check(length <= MAP_DESCRIPTION_CHARS_MAX);
        fuzz_check(yyjson_get_len(yyjson_obj_get(body, "sku")) > 0);
    }
    yyjson_doc_free(doc);
}

static void check_text(const struct buffer *out)
{
    for (size_t i = 0; i < out->length; i++)
        fuzz_check((unsigned char)out->data[i] >= ' ' || out->data[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct map_catalog map;
    static struct buffer out;
    const struct map_settings settings = {.store = &store, .account = &account};
    struct text value = {(const char *)data, size};
    struct error err = {0};

    buffer_reset(&out);
    if (map_catalog_open(&map, value, (struct text){0}, &err) == 0 &&
        map_catalog_write(&map, &settings, 1790000000000, &out, &err) == REASON_NONE)
        check_payload(&out);
    map_catalog_close(&map);
    buffer_reset(&out);
    html_to_text(value, &out); /* any bytes: it reads none behind them */
    check_text(&out);
    return 0;
}
