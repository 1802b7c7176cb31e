/* lines.c - the catalogue, line items and their amounts. */
#include "generate/draft.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct product catalogue[] = {
    {"S-ORAN", "Fog Linen Chambray Towel - Beige Stripe", 77, 0, 559900},
    {"ABS", "Able Brewing System", 86, 0, 2250000},
    {"MUG-01", "Mug, 12 oz. / 350 ml", 101, 201, 129900},
    {"MUG-02", "Mug \"Second Cup\"", 101, 202, 139900},
    {"TEE-S", "T-Shirt S", 102, 210, 199500},
    {"TEE-M", "T-Shirt M", 102, 211, 199500},
    {"TEE-L", "T-Shirt L", 102, 212, 199500},
    {"tee-xl", "T-Shirt XL", 102, 213, 219500},
    {"CAND.LE", "Candle & Holder", 103, 0, 84900},
    {"SOAP 3", "Soap, box of 3", 104, 0, 74900},
    {"CRÈME-50", "Crème Brûlée Körperlotion 50 ml", 105, 0, 249900},
    {"SKU_108", "Garden Chair", 108, 0, 899900},
    {"00123", "Spare Part No. 00123", 109, 0, 45000},
    {"TEA-GRN", "Grüner Tee ☕", 110, 220, 62500},
    {"TEA-BLK", "Black Tea", 110, 221, 62500},
    {"BAG/LRG", "Bag <large>", 111, 0, 349900},
    {"PEN", "Pen", 112, 0, 9900},
    {"PAPER-A4", "Paper A4, 500 sheets", 113, 0, 65000},
    {"LAMP+", "Lamp with bulb", 114, 0, 459000},
    {"KEY-1", "日本語キーボード", 115, 0, 789900},
};

int64_t draft_draw(struct draft *draft, int64_t limit)
{
    uint64_t z = (draft->chance += 0x9E3779B97F4A7C15ULL); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)limit);
}

const char *money_text(char target[MONEY_TEXT_SIZE], int64_t amount, int style)
{
    const char *sign = amount < 0 ? "-" : "";
    long long whole, rest;

    amount = amount < 0 ? -amount : amount;
    whole = amount / 10000;
    rest = amount % 10000;
    if (style == 2 && rest == 0)
        snprintf(target, MONEY_TEXT_SIZE, "%s%lld", sign, whole);
    else if (style >= 1 && rest % 100 == 0)
        snprintf(target, MONEY_TEXT_SIZE, "%s%lld.%02lld", sign, whole, rest / 100);
    else
        snprintf(target, MONEY_TEXT_SIZE, "%s%lld.%04lld", sign, whole, rest);
    return target;
}

/* Prices are in ten-thousandths of a dollar; in another currency the same number of smallest units
 * is taken: 55.99 dollars, 5599 yen, 5.599 dinars. */
static int64_t scaled(const struct draft *draft, int64_t amount)
{
    int64_t half = amount < 0 ? -1 : 1;

    for (int digits = draft->digits; digits < 2; digits++)
        amount *= 10;
    for (int digits = 2; digits < draft->digits; digits++)
        amount = (amount + half * 5) / 10;
    return amount;
}

json_t *draft_money(const struct draft *draft, int64_t amount)
{
    char text[MONEY_TEXT_SIZE];

    return mem_check(json_string(money_text(text, scaled(draft, amount), draft->money_style)));
}

json_t *draft_number(const struct draft *draft, int64_t amount)
{
    return mem_check(json_real((double)scaled(draft, amount) / 10000.0));
}

/* Where prices include tax, the price without tax is rounded to four decimals; else the tax is in
 * whole smallest units. */
void draft_split_tax(const struct draft *draft, int64_t price, int64_t *ex, int64_t *tax)
{
    if (draft->inclusive) {
        *ex = (price * 10000 + (10000 + draft->rate) / 2) / (10000 + draft->rate);
        *tax = price - *ex;
    } else {
        *ex = price;
        *tax = (price * draft->rate / 10000 + 50) / 100 * 100;
    }
}

int64_t draft_tax(const struct draft *draft)
{
    int64_t tax = draft->subtotal_tax + draft->shipping_tax + draft->handling_tax +
                  draft->wrapping_tax + draft->fees_tax;

    if (draft->inclusive)
        tax -= (draft->discount + draft->coupon) * draft->rate / (10000 + draft->rate);
    return (tax + 50) / 100 * 100;
}

int64_t draft_total(const struct draft *draft)
{
    int64_t sum = draft->subtotal_ex + draft->shipping_ex + draft->handling_ex +
                  draft->wrapping_ex + draft->fees_ex - draft->discount - draft->coupon;

    if (!draft->inclusive)
        return sum + draft_tax(draft);
    return sum + draft->subtotal_tax + draft->shipping_tax + draft->handling_tax +
           draft->wrapping_tax + draft->fees_tax;
}

const struct product *product_at(size_t i)
{
    return &catalogue[i % (sizeof catalogue / sizeof catalogue[0])];
}

const struct product *product_any(struct draft *draft)
{
    return product_at((size_t)draft_draw(draft, sizeof catalogue / sizeof catalogue[0]));
}

struct line line_of(const struct product *product, int64_t quantity)
{
    return (struct line){.sku = product->sku,
                         .name = product->name,
                         .type = "physical",
                         .product_id = product->id,
                         .variant_id = product->variant_id,
                         .quantity = quantity,
                         .total = product->price * quantity,
                         .target = "order"};
}

static void set_money(const struct draft *draft, json_t *object, const char *name, int64_t amount)
{
    json_object_set_new(object, name, draft_money(draft, amount));
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, mem_check(json_string(text)));
}

static void set_integer(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

static void set_integer_or_null(json_t *object, const char *name, int64_t value)
{
    json_object_set_new(object, name, value == 0 ? json_null() : json_integer(value));
}

static json_t *discounts_of(const struct draft *draft, const struct line *line)
{
    json_t *list = mem_check(json_array()), *discount;

    if (line->discount > 0) {
        discount = json_object();
        set_text(discount, "id", line->code != NULL ? "total-coupon" : "manual-discount");
        set_money(draft, discount, "amount", line->discount);
        set_text(discount, "name", line->code != NULL ? "Coupon" : "Manual Discount");
        if (line->code != NULL)
            set_text(discount, "code", line->code);
        else
            json_object_set_new(discount, "code", json_null());
        set_text(discount, "target", line->target);
        json_array_append_new(list, discount);
    }
    return list;
}

static void set_amounts(const struct draft *draft, json_t *json, const struct line *line,
                        int64_t ex, int64_t tax)
{
    int64_t quantity = line->quantity > 0 ? line->quantity : 1;

    set_money(draft, json, "base_price", line->total / quantity);
    set_money(draft, json, "price_ex_tax", ex / quantity);
    set_money(draft, json, "price_inc_tax", (ex + tax) / quantity);
    set_money(draft, json, "price_tax", tax / quantity);
    set_money(draft, json, "base_total", line->total);
    set_money(draft, json, "total_ex_tax", ex);
    set_money(draft, json, "total_inc_tax", ex + tax);
    set_money(draft, json, "total_tax", tax);
    set_money(draft, json, "discounted_total_inc_tax", ex + tax - line->discount);
    set_money(draft, json, "base_wrapping_cost", line->wrapping);
    set_money(draft, json, "wrapping_cost_ex_tax", line->wrapping);
    set_money(draft, json, "wrapping_cost_inc_tax", line->wrapping);
    set_money(draft, json, "wrapping_cost_tax", 0);
}

int64_t draft_add_line(struct draft *draft, json_t *lines, const struct line *line)
{
    json_t *json = mem_check(json_object());
    int64_t id = draft->id * 100 + draft->lines++, ex, tax;

    draft_split_tax(draft, line->total, &ex, &tax);
    draft->subtotal_ex += ex;
    draft->subtotal_tax += tax;
    draft->wrapping_ex += line->wrapping;
    draft->items_total += line->quantity;
    set_integer(json, "id", id);
    set_integer(json, "order_id", draft->id);
    set_integer(json, "product_id", line->product_id);
    set_integer(json, "order_address_id", line->address_id);
    set_integer_or_null(json, "variant_id", line->variant_id);
    set_text(json, "name", line->name);
    set_text(json, "name_customer", line->name);
    set_text(json, "name_merchant", line->name);
    if (line->sku != NULL)
        set_text(json, "sku", line->sku);
    set_text(json, "upc", "");
    set_text(json, "type", line->type);
    set_amounts(draft, json, line, ex, tax);
    set_integer(json, "quantity", line->quantity);
    set_text(json, "weight", "1.0000");
    set_integer(json, "wrapping_id", line->wrapping > 0);
    set_text(json, "wrapping_name", line->wrapping > 0 ? "Gift wrap" : "");
    set_text(json, "wrapping_message",
             line->wrapping > 0 ? "Happy birthday! \xF0\x9F\x8E\x81" : "");
    json_object_set_new(json, "is_refunded", json_false());
    set_integer(json, "quantity_refunded", 0);
    set_money(draft, json, "refund_amount", 0);
    set_integer(json, "return_id", 0);
    set_integer(json, "quantity_shipped", 0);
    set_integer_or_null(json, "parent_order_product_id", line->parent);
    json_object_set_new(json, "is_bundled_product", json_boolean(line->parent != 0));
    json_object_set_new(json, "external_id", json_null());
    set_text(json, "brand", "");
    json_object_set_new(json, "applied_discounts", discounts_of(draft, line));
    json_object_set_new(json, "product_options", json_array());
    json_object_set_new(json, "configurable_fields", json_array());
    set_integer_or_null(json, "gift_certificate_id",
                        strcmp(line->type, "giftcertificate") == 0 ? id : 0);
    json_array_append_new(lines, json);
    return id;
}
