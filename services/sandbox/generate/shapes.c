/* shapes.c - decides which kind of order comes at which place in a run, and makes each kind. */
#include "generate/shapes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define CYCLE 50
#define BAD_EMAILS 12

struct plan plan_make(int64_t index)
{
    static const int refused[] = {0, 1, 4, 5, 6, 7, 12, 13};
    static const int taken[] = {11, 2, 10, 11, 3, 9, 8, 14};
    int slot = (int)(index % CYCLE);
    int64_t round = index / CYCLE;
    struct plan plan = {.status_id = taken[(index + round) % 8], .shape = SHAPE_PLAIN};

    /* The places are mixed: i is multiplied by a number that has no common divisor with 50, so that
     * a short run has some of everything. */
    slot = slot * 13 % CYCLE;
    plan.variant = (int)(round % 1000);
    if (slot < 8)
        plan.status_id = refused[slot];
    else if (slot == 8)
        plan.status_id = 99;
    else if (slot < 15)
        plan.bad_email = 1 + (int)((round * 6 + slot - 9) % BAD_EMAILS);
    else if (slot == 15)
        plan.oddity = (enum oddity)(ODD_CURRENCY + round % (ODD_END - ODD_CURRENCY));
    else
        plan.shape = (enum shape)(slot - 16);
    if (plan.shape == SHAPE_MANY_LINES && round % 2 == 1)
        plan.shape = SHAPE_PLAIN; /* such orders are large: one in a hundred is enough */
    return plan;
}

json_t *plan_email(const struct plan *plan, const struct person *person)
{
    char text[160];

    switch (plan->bad_email) {
    case 0:
        return json_string(person->email);
    case 1:
        return NULL;
    case 2:
        return json_null();
    case 3:
        return json_string("");
    case 4:
        return json_string("   ");
    case 5:
        return json_string("not-an-address.example.com");
    case 6:
        return json_string("jane doe@example.com");
    case 7:
        snprintf(text, sizeof text, "%s,other@example.com", person->email);
        return json_string(text);
    case 8:
        return json_string("<script>@x");
    case 9:
        return json_string("jane@home@example.com");
    case 10:
        return json_string("mailto:jane;doe@example.com");
    case 11:
        return json_string("jane(work)@example.com");
    default:
        /* one is one character longer than an address may be, the other much longer */
        snprintf(text, sizeof text, "%0*d%s",
                 person->email[0] % 2 == 0 ? 76 - (int)strlen(person->email) : 90, 0,
                 person->email);
        return json_string(text);
    }
}

static json_t *lines_of(json_t *consignment) { return json_object_get(consignment, "line_items"); }

/* A shipping consignment with one to three ordinary lines. */
static json_t *add_ordinary(struct draft *draft, const struct person *person)
{
    json_t *consignment = draft_consignment(draft, person, 50000 + draft_draw(draft, 10) * 9900);
    int64_t first = draft_draw(draft, 20), count = 1 + draft_draw(draft, 3);

    for (int64_t i = 0; i < count; i++) {
        struct line line = line_of(product_at((size_t)(first + i * 3)), 1 + draft_draw(draft, 2));
        line.address_id = json_integer_value(json_object_get(consignment, "id"));
        draft_add_line(draft, lines_of(consignment), &line);
    }
    return consignment;
}

static void add_bundle(struct draft *draft, json_t *lines)
{
    struct line parent = line_of(product_at(0), 1), child = line_of(product_at(1), 1);

    child.parent = draft_add_line(draft, lines, &parent);
    child.total = 0;
    draft_add_line(draft, lines, &child);
}

static void add_download(struct draft *draft, const struct person *person)
{
    struct line line = {.sku = "EBOOK-1",
                        .name = "E-book",
                        .type = "digital",
                        .product_id = 177,
                        .quantity = 1,
                        .total = 149900,
                        .target = "order"};
    json_t *lines = json_array();

    draft_add_line(draft, lines, &line);
    json_array_append_new(draft->downloads, json_pack("{s:s,s:o}", "recipient_email", person->email,
                                                      "line_items", lines));
}

static void add_gift_certificate(struct draft *draft)
{
    struct line line = {.sku = "",
                        .name = "$25.00 Gift Certificate",
                        .type = "giftcertificate",
                        .quantity = 1,
                        .total = 250000,
                        .target = "order"};
    json_t *lines = json_array();

    draft_add_line(draft, lines, &line);
    json_array_append_new(draft->gifts, json_pack("{s:s,s:o}", "recipient_email",
                                                  "friend@example.com", "line_items", lines));
}

static void add_pickup(struct draft *draft)
{
    struct line line = line_of(product_any(draft), 1);
    json_t *lines = json_array();

    draft_add_line(draft, lines, &line);
    json_array_append_new(
        draft->pickups,
        json_pack("{s:I,s:i,s:s,s:s,s:s,s:{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s},s:o}", "id",
                  draft->id, "pickup_method_id", 1, "pickup_method_display_name",
                  "Pick up in store", "collection_instructions", "Bring your receipt",
                  "collection_time_description", "9 to 5", "location", "id", 1, "name", "Main shop",
                  "code", "MAIN", "address_line_1", "1 High Street", "address_line_2", "", "city",
                  "Austin", "state", "Texas", "postal_code", "78701", "country_alpha2", "US",
                  "phone", "5550100", "line_items", lines));
}

static void add_fees(struct draft *draft)
{
    static const int64_t costs[] = {25000, 4900};

    for (int i = 0; i < 2; i++) {
        int64_t ex, tax;
        json_t *fee;
        draft_split_tax(draft, costs[i], &ex, &tax);
        draft->fees_ex += ex;
        draft->fees_tax += tax;
        fee = json_pack("{s:I,s:s,s:s,s:s,s:s}", "id", draft->id * 10 + i, "type", "custom_fee",
                        "display_name_customer", i == 0 ? "Small order fee" : "Recycling",
                        "display_name_merchant", "Fee", "source", "AA");
        json_object_set_new(fee, "base_cost", draft_money(draft, costs[i]));
        /* stores use both spellings of this member */
        json_object_set_new(fee, draft->id % 2 == 0 ? "cost_ex_tax" : "cost_exc_tax",
                            i == 0 ? draft_money(draft, ex) : draft_number(draft, ex));
        json_object_set_new(fee, "cost_inc_tax", draft_money(draft, ex + tax));
        json_object_set_new(fee, "cost_tax", draft_money(draft, tax));
        json_object_set_new(fee, "tax_class_id", json_null());
        json_array_append_new(draft->fees, fee);
    }
}

/* Adds a line with a discount on it. code NULL: a manual discount. */
static void add_discounted(struct draft *draft, json_t *lines, const char *code, const char *target,
                           int64_t amount)
{
    struct line line = line_of(product_at(1 + (size_t)draft_draw(draft, 2) * 10), 1);

    line.discount = amount;
    line.code = code;
    line.target = target;
    draft_add_line(draft, lines, &line);
    if (code != NULL)
        draft->coupon += amount;
    else
        draft->discount += amount;
}

static json_t *free_shipping(struct draft *draft)
{
    int64_t amount = draft->shipping_ex + (draft->inclusive ? draft->shipping_tax : 0);

    draft->coupon += amount;
    return json_pack("[{s:I,s:i,s:I,s:s,s:i,s:i,s:o}]", "id", draft->id, "coupon_id", 7, "order_id",
                     draft->id, "code", "FREESHIP", "amount", 0, "type", 4, "discount",
                     draft_number(draft, amount));
}

static void add_odd_line(struct draft *draft, json_t *lines, enum shape shape)
{
    static const char *const odd_skus[] = {"A;B-1", "C,D-2", "E*F-3", "  PAD-4  ", "g h\xC3\xBC-5"};
    struct line line = line_of(product_any(draft), 1);

    if (shape == SHAPE_ODD_QUANTITY) {
        line.quantity = 3;
        line.total = 100000;
    } else if (shape == SHAPE_NO_SKU) {
        line.sku = draft_draw(draft, 2) == 0 ? "" : NULL;
    } else if (shape == SHAPE_CUSTOM_LINE) {
        line.sku = "";
        line.product_id = line.variant_id = 0;
        line.name = "Engraving \"for you\"";
    } else if (shape == SHAPE_ODD_SKU) {
        line.sku = odd_skus[draft->id % 5];
        line.name = "Oddly named part";
        line.product_id = 300 + draft->id % 5;
        line.variant_id = 0;
    } else if (shape == SHAPE_GIFT_WRAP) {
        line.wrapping = 45000;
    }
    draft_add_line(draft, lines, &line);
}

static void add_many_lines(struct draft *draft, json_t *lines)
{
    int64_t count = SHAPE_COUNT / 2 + 35 + draft_draw(draft, 6); /* 52 to 57 */

    for (int64_t i = 0; i < count; i++) {
        struct line line = line_of(product_at((size_t)i), 1);
        draft_add_line(draft, lines, &line);
    }
}

/* Prices that include tax: without a discount, with one discount of each kind, and with every kind
 * of cost. */
static void vary_inclusive(struct draft *draft, json_t *lines, int variant,
                           struct generated *output)
{
    struct line wrapped = line_of(product_at(2), 1);

    switch (variant % 5) {
    case 1:
        add_discounted(draft, lines, NULL, "order", 40000);
        break;
    case 2:
        add_discounted(draft, lines, "SAVE5", "order", 50000);
        break;
    case 3:
        output->coupons = free_shipping(draft);
        break;
    case 4:
        draft_split_tax(draft, 35000, &draft->handling_ex, &draft->handling_tax);
        add_fees(draft);
        wrapped.wrapping = 45000;
        draft_add_line(draft, lines, &wrapped);
        add_discounted(draft, lines, NULL, "order", 25000);
        break;
    default:
        break;
    }
}

/* Store credit or a gift certificate pays a part or all, or both pay a part. The total is what
 * remains, or not. */
static void vary_credit(struct draft *draft, int variant, int64_t *credit)
{
    int64_t total = draft_total(draft);

    variant %= 5;
    draft->net = variant != 2 && variant != 3;
    *credit = variant == 1 || variant == 3 ? total : total / 3 / 100 * 100;
    if (variant == 4)
        draft->store_credit = draft->gift_certificate = *credit;
}

/* Adds the shapes that are about costs, discounts and credits. */
static void vary_money(struct draft *draft, const struct plan *plan, json_t *lines,
                       struct generated *output)
{
    switch (plan->shape) {
    case SHAPE_TAX_INCLUSIVE:
        vary_inclusive(draft, lines, plan->variant, output);
        break;
    case SHAPE_STORE_CREDIT:
        vary_credit(draft, plan->variant, &draft->store_credit);
        break;
    case SHAPE_GIFT_CERTIFICATE_PAID:
        vary_credit(draft, plan->variant, &draft->gift_certificate);
        break;
    case SHAPE_HANDLING:
        draft_split_tax(draft, 35000, &draft->handling_ex, &draft->handling_tax);
        break;
    case SHAPE_FEES:
        add_fees(draft);
        break;
    case SHAPE_COUPON_TOTAL:
        add_discounted(draft, lines, "SAVE5", "order", 30000);
        add_discounted(draft, lines, "SAVE5", "order", 20000);
        break;
    case SHAPE_COUPON_ITEM:
        add_discounted(draft, lines, "ITEM-10%", "product", 12500);
        add_discounted(draft, lines, "S2549JM0Y", "product", 10000);
        break;
    case SHAPE_FREE_SHIPPING:
        output->coupons = free_shipping(draft);
        break;
    case SHAPE_DISCOUNTS:
        add_discounted(draft, lines, NULL, "order", 40000);
        add_discounted(draft, lines, "SAVE5", "order", 50000);
        break;
    default:
        break;
    }
}

/* Adds the shapes that are about products and about how the order is shown. */
static void vary_goods(struct draft *draft, const struct plan *plan, struct person *person,
                       json_t *lines, struct generated *output)
{
    switch (plan->shape) {
    case SHAPE_GIFT_CERTIFICATE_BOUGHT:
        add_gift_certificate(draft);
        break;
    case SHAPE_BUNDLE:
        add_bundle(draft, lines);
        break;
    case SHAPE_MANY_ADDRESSES:
        person_abroad(draft, person);
        add_ordinary(draft, person);
        add_ordinary(draft, person);
        break;
    case SHAPE_MANY_LINES:
        add_many_lines(draft, lines);
        break;
    case SHAPE_HIDDEN_LINES:
        output->hide_lines = 1;
        break;
    case SHAPE_SKU_TWICE:
        for (int i = 0; i < 2; i++) {
            struct line line = line_of(product_at(2), 1 + i);
            draft_add_line(draft, lines, &line);
        }
        break;
    case SHAPE_ODD_QUANTITY:
    case SHAPE_NO_SKU:
    case SHAPE_CUSTOM_LINE:
    case SHAPE_ODD_SKU:
    case SHAPE_GIFT_WRAP:
        add_odd_line(draft, lines, plan->shape);
        break;
    default:
        break;
    }
}

void plan_build(struct draft *draft, const struct plan *plan, struct person *person,
                struct generated *output)
{
    json_t *consignment, *lines;

    if (plan->shape == SHAPE_DIGITAL)
        add_download(draft, person);
    else if (plan->shape == SHAPE_PICKUP)
        add_pickup(draft);
    if (plan->shape == SHAPE_DIGITAL || plan->shape == SHAPE_PICKUP)
        return;
    if (plan->shape == SHAPE_ZERO_TOTAL) {
        draft->rate = 0;
        consignment = draft_consignment(draft, person, 0);
        add_discounted(draft, lines_of(consignment), NULL, "order", product_at(1)->price);
        draft->discount = draft->subtotal_ex;
        return;
    }
    consignment = add_ordinary(draft, person);
    lines = lines_of(consignment);
    vary_goods(draft, plan, person, lines, output);
    vary_money(draft, plan, lines, output);
}

void plan_person(struct draft *draft, const struct plan *plan, struct person *person)
{
    if (plan->shape == SHAPE_RETURNING)
        person_returning(draft, person);
    else
        person_any(draft, person);
    if (plan->shape == SHAPE_PADDED_EMAIL) {
        memmove(person->email + 1, person->email, strlen(person->email) + 1);
        person->email[0] = ' ';
    }
    if (plan->shape >= SHAPE_EMOJI && plan->shape <= SHAPE_COMBINING)
        person_rename(person, (int)plan->shape - SHAPE_EMOJI);
    if (plan->shape == SHAPE_CONTROL_CHARACTERS || plan->shape == SHAPE_LONG_NAMES)
        person_rename(person, plan->shape == SHAPE_LONG_NAMES ? 4 : 3);
    if (plan->shape == SHAPE_ABROAD)
        person_abroad(draft, person);
    if (plan->shape == SHAPE_UNKNOWN_REGION)
        person_nowhere(draft, person);
}
