/* What the account answers: every reader of an answer, on any answer. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../services/pusher/decide.h"
#include "../../services/pusher/contact.h"
#include "../../services/pusher/order.h"
#include "../../services/pusher/product.h"
#include "../../services/pusher/merge.h"
#include "infusionsoft/quota.h"

const struct fuzz_target fuzz_target = {"infusionsoft", 1};

static const char wanted_text[] =
    "{\"email_addresses\":[{\"email\":\"jane@example.com\",\"field\":\"EMAIL1\"}],\"given_name\":"
    "\"Jane\",\"phone_numbers\":[{\"number\":\"1\",\"field\":\"PHONE1\"}],\"addresses\":[{"
    "\"field\":\"BILLING\",\"line1\":\"1 East\",\"country_code\":\"USA\",\"region_code\":\"US-TX\"}"
    "]}";

static struct config_account account = {.name = (char *)(uintptr_t) "main",
                                        .tenant = (char *)(uintptr_t) "abc"};
static struct infusionsoft *client;
static yyjson_doc *wanted;

static void set_up(void)
{
    struct infusionsoft_settings settings = {.account = &account};

    client = infusionsoft_new(&settings);
    wanted = yyjson_read(wanted_text, strlen(wanted_text), YYJSON_READ_NUMBER_AS_RAW);
}

/* A contact of the account's, filled and overwritten. */
static void merge(yyjson_val *contact)
{
    for (int overwrite = 0; overwrite < 2; overwrite++) {
        struct merge merged;
        yyjson_doc *doc;

        merge_contact(contact, yyjson_doc_get_root(wanted), overwrite,
                      overwrite ? MERGE_REGIONS_ALL : 0, &merged);
        fuzz_check(merged.mask_count <= MERGE_MASK_MAX);
        if (merged.mask_count > 0) {
            doc = yyjson_read(merged.body, merged.length, YYJSON_READ_NUMBER_AS_RAW);
            fuzz_check(doc != NULL);
            yyjson_doc_free(doc);
        }
        merge_clear(&merged);
    }
}

static void read_items(yyjson_val *list)
{
    static const struct infusionsoft_field field = {.id = "7", .name = "_BigCommerce"};
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    char lowest[64] = "", id[32];
    yyjson_val *item;

    while ((item = yyjson_arr_iter_next(&iter)) != NULL) {
        lookup_take_lower(lowest, infusionsoft_id(item, id));
        fuzz_check(strspn(id, "0123456789") == strlen(id));
        (void)product_match(item, text_of("S-1"), 1);
        (void)order_match(item, &field, text_of("bc-abc123-149"));
        if (contact_match(item, text_of("jane@example.com")) == MATCH_YES)
            merge(item);
    }
}

static void read_lists(yyjson_val *root)
{
    static const char *const names[] = {"contacts", "products", "orders", "custom_fields"};
    struct infusionsoft_field field;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct lookup_pages pages = {.member = names[i]};
        yyjson_val *list = infusionsoft_list(client, names[i]);

        if (list != NULL) {
            (void)lookup_take_next(&pages, root, list);
            read_items(list);
        }
        buffer_clear(&pages.token);
    }
    if (infusionsoft_read_field(client, INFUSIONSOFT_FIELD_LABEL, &field) == INFUSIONSOFT_OK &&
        field.id[0] != '\0')
        fuzz_check(strlen(field.name) < sizeof(field.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text body = {(const char *)data, size};
    struct quota_news news;
    struct error err = {0};
    char text[64], id[32];
    int64_t total;
    yyjson_val *root;

    if (client == NULL)
        set_up();
    infusionsoft_feed(client, "GET /orders", 200, text_of("x-keap-tenant-id: abc\r\n"), body);
    root = infusionsoft_answer(client)->root;
    fuzz_check((infusionsoft_answer(client)->outcome == INFUSIONSOFT_OK) ==
               (root != NULL || size == 0));
    (void)decide_achieved(root);
    (void)order_read_total(root, &total);
    (void)infusionsoft_check_tenant(client, &err);
    if (root != NULL) {
        merge(root);
        read_lists(root);
    }
    (void)infusionsoft_object_id(client, id);
    (void)infusionsoft_check_user(client);
    fuzz_check(strlen(infusionsoft_answer_word(client, text, sizeof(text))) < sizeof(text));
    fuzz_check(strchr(text, '@') == NULL);
    (void)merge_refused_regions(body);
    /* the same as headers of a call that was turned away */
    infusionsoft_feed(client, "POST /orders", 429, body, (struct text){"", 0});
    fuzz_check(infusionsoft_answer(client)->wait_ms >= 0);
    infusionsoft_read_quota(client, &news);
    fuzz_check(news.pause_ms >= 0);
    return 0;
}
