/* An order as the store sent it, through filter and mapper. What the mapper writes must be a
 * payload by the pusher's check, and what the filter writes about a skipped order must be JSON. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "mapping/filter.h"
#include "mapping/mapper.h"
#include "../../services/pusher/payload_check.h"

const struct fuzz_target fuzz_target = {"order", 1};

#define TEXT(literal) ((char *)(uintptr_t)(literal))
#define KEY "abc123/order/118"

static struct config_field fields[] = {
    {TEXT("Paid with"), TEXT("payment_method")},
    {TEXT("City"), TEXT("consignments.shipping.0.city")},
    {TEXT("Fee"), TEXT("fees.1.display_name_customer")},
};
static struct config_store store = {.name = TEXT("main"),
                                    .code = TEXT("BC"),
                                    .hash = TEXT("abc123"),
                                    .account = TEXT("main"),
                                    .statuses = 0x4f0c,
                                    .sku_tag = TEXT("{code}: {name} {sku}"),
                                    .coupon_tag = TEXT("{coupon}"),
                                    .lead_affiliate_id = TEXT("12"),
                                    .goal_call_names = GOAL_CALL_NAMES_LETTERS_DIGITS,
                                    .fields = {fields, 3}};
static struct config_account account = {
    .name = TEXT("main"), .currency = TEXT(""), .opt_in_reason = TEXT("Asked at checkout")};
static struct config config = {.stores = &store,
                               .store_count = 1,
                               .accounts = &account,
                               .account_count = 1,
                               .kafka = {.topic_prefix = TEXT("bigfusion")}};
static struct topics topics;
static struct stage_settings settings = {.config = &config, .service = "fuzz", .topics = &topics};
static struct filter filter;
static struct mapper mapper;

static void set_up(void)
{
    struct error err = {0};
    struct regions *regions = regions_new(REGION_FOLDER, &err);

    fuzz_check(regions != NULL);
    topics_init(&topics, &config);
    filter_init(&filter, &settings);
    mapper_init(&mapper, &settings, regions);
}

static void clear(struct result *result)
{
    for (int i = 0; i < result->output_count; i++)
        free(result->outputs[i].owned_value);
}

static void check_payload(struct text value)
{
    yyjson_doc *doc = yyjson_read(value.data, value.length, YYJSON_READ_NUMBER_AS_RAW);
    enum payload_kind kind;
    struct error err = {0};

    fuzz_check(payload_check(yyjson_doc_get_root(doc), text_of(KEY), &kind, &err) == 0);
    yyjson_doc_free(doc);
}

static void check_json(struct text value)
{
    yyjson_doc *doc = yyjson_read(value.data, value.length, 0);

    fuzz_check(doc != NULL);
    yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event in = {.key = text_of(KEY), .value = {(const char *)data, size}};
    struct result filtered = {0}, mapped = {0};

    if (topics.lanes[TOPIC_LANE_ORDERS].raw == NULL)
        set_up();
    in.topic = topics.lanes[TOPIC_LANE_ORDERS].raw;
    filter_handle(&filter, &in, &filtered);
    fuzz_check(filtered.verdict == VERDICT_PASS || filtered.verdict == VERDICT_SKIP ||
               filtered.verdict == VERDICT_DEAD);
    if (filtered.verdict == VERDICT_SKIP)
        check_json(filtered.outputs[0].value);
    /* The mapper's own checks must do without the filter's. */
    in.topic = topics.lanes[TOPIC_LANE_ORDERS].eligible;
    mapper_handle(&mapper, &in, &mapped);
    if (mapped.verdict == VERDICT_PASS && mapped.output_count > 0)
        check_payload(mapped.outputs[0].value);
    clear(&filtered);
    clear(&mapped);
    return 0;
}
