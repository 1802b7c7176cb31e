#include "generate/products.h"

#include <stdio.h>
#include <string.h>

#include "base/currency.h"
#include "base/mem.h"
#include "generate/draft.h"

enum { INVENTED_FIRST_ID = 2001, VARIANT_FIRST_ID = 20001, NAME_CHARACTERS = 250 };

/* An amount in hundredths as the catalog has it: a number, in another currency the same number of
 * smallest units. */
static json_t *price_json(const char *currency, int64_t hundredths)
{
    double amount = (double)hundredths;

    for (int digits = currency_digits(text_of(currency)); digits > 0; digits--)
        amount /= 10;
    return mem_check(json_real(amount));
}

/* A product that the generated orders name, with all its variants; NULL when the index is beyond
 * them. */
static json_t *ordered_product(const char *currency, int64_t index)
{
    json_t *product = NULL, *variants = mem_check(json_array());
    const struct product *first = product_at(0);
    int last_id = 0;
    int64_t seen = -1;

    for (size_t i = 0; i == 0 || product_at(i) != first; i++) {
        const struct product *line = product_at(i);
        if (line->id != last_id)
            seen++;
        last_id = line->id;
        if (seen != index)
            continue;
        if (product == NULL)
            product = json_pack("{s:i,s:s,s:s,s:o,s:s}", "id", line->id, "name", line->name, "sku",
                                line->variant_id == 0 ? line->sku : "", "price",
                                price_json(currency, line->price / 100), "description",
                                "<p>From the <b>orders</b>.</p>");
        if (line->variant_id != 0)
            json_array_append_new(variants, json_pack("{s:i,s:s,s:o,s:[{s:i,s:s,s:i,s:s}]}", "id",
                                                      line->variant_id, "sku", line->sku, "price",
                                                      price_json(currency, line->price / 100),
                                                      "option_values", "id", line->variant_id,
                                                      "label", line->name, "option_id", 1,
                                                      "option_display_name", "Kind"));
    }
    if (product != NULL)
        json_object_set(product, "variants", variants);
    json_decref(variants);
    return product;
}

static int64_t ordered_count(void)
{
    const struct product *first = product_at(0);
    int64_t count = 0;
    int last_id = 0;

    for (size_t i = 0; i == 0 || product_at(i) != first; i++) {
        count += product_at(i)->id != last_id;
        last_id = product_at(i)->id;
    }
    return count;
}

/* Two to six variants. Every second one has a price of its own, the others cost what the product
 * costs; of every second product with variants the last variant has no SKU. */
static json_t *variants_of(struct draft *draft, const char *currency, int64_t number)
{
    static const char *const labels[] = {"Small",   "Medium",       "Large",
                                         "X-Large", "Groß & breit", "\xC3\x89t\xC3\xA9"};
    int64_t count = 2 + number % 5;
    json_t *variants = mem_check(json_array());

    for (int64_t i = 0; i < count; i++) {
        char sku[48] = "";
        if (i + 1 < count || number % 2 == 0)
            snprintf(sku, sizeof sku, "INV-%lld-%lld", (long long)number, (long long)i);
        json_array_append_new(
            variants,
            json_pack("{s:I,s:s,s:o,s:[{s:I,s:s,s:i,s:s}]}", "id",
                      (json_int_t)(VARIANT_FIRST_ID + number * 10 + i), "sku", sku, "price",
                      i % 2 == 0 ? json_null()
                                 : price_json(currency, 100 + draft_draw(draft, 9900)),
                      "option_values", "id", (json_int_t)(number * 10 + i), "label", labels[i],
                      "option_id", 1, "option_display_name", "Size"));
    }
    return variants;
}

static void set_name(json_t *product, int64_t number, int is_long)
{
    char name[NAME_CHARACTERS + 1];
    int length = snprintf(name, sizeof name, "Invented product %lld", (long long)number);

    for (int i = length; is_long && i < NAME_CHARACTERS; i++)
        name[i] = i % 7 == 0 ? ' ' : 'x';
    name[is_long ? NAME_CHARACTERS : length] = '\0';
    json_object_set_new(product, "name", json_string(name));
}

static json_t *invented_product(struct draft *draft, const char *currency, int64_t number)
{
    int shape = (int)(number % 10);
    char sku[32] = "";
    json_t *product;

    if (shape != 4 && shape != 1 && shape != 2)
        snprintf(sku, sizeof sku, "INV-%lld", (long long)number);
    product =
        mem_check(json_pack("{s:I,s:s,s:o}", "id", (json_int_t)(INVENTED_FIRST_ID + number), "sku",
                            sku, "price", price_json(currency, 100 + draft_draw(draft, 9900))));
    set_name(product, number, shape == 5);
    if (shape == 1 || shape == 2 || shape == 8)
        json_object_set_new(product, "variants", variants_of(draft, currency, number));
    if (shape != 0)
        json_object_set_new(
            product, "description",
            json_string("<p>Soft &amp; warm &ndash; 100&nbsp;% wool.</p>\n"
                        "<ul><li>Washable</li><li>Gr\xC3\xB6\xC3\x9F"
                        "e: M &lt; L</li></ul>"
                        "<script>var a = '<p>';</script><style>p { color: red }</style>"));
    if (shape == 6)
        json_object_set_new(product, "sale_price", price_json(currency, 99));
    if (shape == 7)
        json_object_set_new(product, "is_visible", json_false());
    return product;
}

json_t *generate_product(uint64_t seed, const char *currency, int64_t index)
{
    int64_t number = index - ordered_count();
    struct draft draft = {.chance = seed * 1000003ULL + (uint64_t)index};

    return number < 0 ? mem_check(ordered_product(currency, index))
                      : invented_product(&draft, currency, number);
}
