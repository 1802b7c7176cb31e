#include "generate/generate.h"

#include <stdio.h>
#include <string.h>

#include "base/currency.h"
#include "base/mem.h"
#include "dates.h"
#include "order_text.h"
#include "generate/shapes.h"

const char *status_name(int status_id)
{
    static const char *const names[] = {"Incomplete",
                                        "Pending",
                                        "Shipped",
                                        "Partially Shipped",
                                        "Refunded",
                                        "Cancelled",
                                        "Declined",
                                        "Awaiting Payment",
                                        "Awaiting Pickup",
                                        "Awaiting Shipment",
                                        "Completed",
                                        "Awaiting Fulfillment",
                                        "Manual Verification Required",
                                        "Disputed",
                                        "Partially Refunded"};

    return status_id >= 0 && status_id < 15 ? names[status_id] : "";
}

static void set_sums(const struct draft *draft, json_t *order, const char *name, int64_t ex,
                     int64_t tax)
{
    char member[64];

    snprintf(member, sizeof member, "%s_ex_tax", name);
    json_object_set_new(order, member, draft_money(draft, ex));
    snprintf(member, sizeof member, "%s_inc_tax", name);
    json_object_set_new(order, member, draft_money(draft, ex + tax));
    snprintf(member, sizeof member, "%s_tax", name);
    json_object_set_new(order, member, draft_money(draft, tax));
}

static void set_money(const struct draft *draft, json_t *order, const char *name, int64_t amount)
{
    json_object_set_new(order, name, draft_money(draft, amount));
}

static void set_amounts(const struct draft *draft, json_t *order, int64_t wrong_by)
{
    int64_t tax = draft_tax(draft), total = draft_total(draft);
    int64_t credits = draft->net ? draft->store_credit + draft->gift_certificate : 0;

    set_sums(draft, order, "subtotal", draft->subtotal_ex, draft->subtotal_tax);
    set_money(draft, order, "base_shipping_cost", draft->shipping_ex);
    set_sums(draft, order, "shipping_cost", draft->shipping_ex, draft->shipping_tax);
    set_money(draft, order, "base_handling_cost", draft->handling_ex);
    set_sums(draft, order, "handling_cost", draft->handling_ex, draft->handling_tax);
    set_money(draft, order, "base_wrapping_cost", draft->wrapping_ex);
    set_sums(draft, order, "wrapping_cost", draft->wrapping_ex, draft->wrapping_tax);
    set_sums(draft, order, "total", total - tax, tax);
    set_money(draft, order, "total_inc_tax", total - credits + wrong_by);
    set_money(draft, order, "discount_amount", draft->discount);
    set_money(draft, order, "coupon_discount", draft->coupon);
    set_money(draft, order, "store_credit_amount", draft->store_credit);
    set_money(draft, order, "gift_certificate_amount", draft->gift_certificate);
    set_money(draft, order, "refunded_amount", 0);
}

static void set_text(json_t *order, const char *name, const char *text)
{
    json_object_set_new(order, name, mem_check(json_string(text)));
}

static void set_link(json_t *order, const char *member, const char *hash, int64_t id,
                     const char *resource)
{
    char path[96], url[192];

    snprintf(path, sizeof path, "/orders/%lld/%s", (long long)id, resource);
    snprintf(url, sizeof url, "https://api.bigcommerce.com/stores/%s/v2%s", hash, path);
    json_object_set_new(order, member,
                        mem_check(json_pack("{s:s,s:s}", "url", url, "resource", path)));
}

/* Labels as merchants rename them. Some say the opposite of the status. */
static const char *custom_status(struct draft *draft, int status_id)
{
    static const char *const labels[] = {"Completed",        "Cancelled", "Paid \xE2\x9C\x93",
                                         "Awaiting Payment", "Shipped",   "Refunded"};

    return draft_draw(draft, 2) == 0 ? status_name(status_id) : labels[draft_draw(draft, 6)];
}

static void set_head(struct draft *draft, const struct plan *plan, json_t *order, int64_t placed_s)
{
    char date[DATE_SIZE];

    json_object_set_new(order, "id", json_integer(draft->id));
    json_object_set_new(order, "customer_id",
                        json_integer(plan->shape == SHAPE_GUEST ? 0 : 1 + draft_draw(draft, 500)));
    set_text(order, "date_created", date_rfc2822(date, placed_s));
    set_text(order, "date_modified", date);
    set_text(order, "date_shipped", plan->status_id == 2 || plan->status_id == 10 ? date : "");
    json_object_set_new(order, "status_id", json_integer(plan->status_id));
    set_text(order, "status", status_name(plan->status_id));
    set_text(order, "custom_status", custom_status(draft, plan->status_id));
}

static void set_currency(struct draft *draft, const struct plan *plan, const char *own,
                         json_t *order)
{
    const char *other = strcmp(own, "EUR") == 0 ? "USD" : "EUR";
    int foreign = plan->oddity == ODD_CURRENCY;
    int displayed = foreign || draft_draw(draft, 10) == 0; /* shown in another currency, charged
                                                              in the store's own */

    json_object_set_new(order, "currency_id", json_integer(displayed ? 2 : 1));
    set_text(order, "currency_code", displayed ? other : own);
    set_text(order, "currency_exchange_rate", displayed ? "0.9200000000" : "1.0000000000");
    json_object_set_new(order, "default_currency_id", json_integer(foreign ? 2 : 1));
    set_text(order, "default_currency_code", foreign ? other : own);
    set_text(order, "store_default_currency_code", foreign ? own : "");
    set_text(order, "store_default_to_transactional_exchange_rate",
             foreign ? "0.9200000000" : "1.0000000000");
}

static void set_payment(const struct draft *draft, const struct plan *plan, json_t *order)
{
    static const char *const methods[] = {"Credit Card", "PayPal / Venmo", "Cash",
                                          "Test Payment Gateway", "Bank Deposit"};

    set_text(order, "payment_method", methods[draft->id % 5]);
    set_text(order, "payment_provider_id", "");
    set_text(order, "payment_status", plan->status_id == 4 ? "refunded" : "captured");
    set_text(order, "ip_address", "203.0.113.11");
    set_text(order, "ip_address_v6", "");
    set_text(order, "geoip_country", "United States");
    set_text(order, "geoip_country_iso2", "US");
}

static void set_tail(struct draft *draft, const struct plan *plan, json_t *order)
{
    char cart[48];

    snprintf(cart, sizeof cart, "7e48f7ef-2e88-4817-aea4-%012llx", (unsigned long long)draft->id);
    json_object_set_new(order, "is_tax_inclusive_pricing", json_boolean(draft->inclusive));
    json_object_set_new(order, "items_total", json_integer(draft->items_total));
    json_object_set_new(order, "items_shipped", json_integer(0));
    json_object_set_new(order, "order_is_digital", json_boolean(plan->shape == SHAPE_DIGITAL));
    set_text(order, "staff_notes", "");
    set_text(order, "customer_message",
             draft->id % 7 == 0 ? "Please leave with the neighbour.\nThank you \xF0\x9F\x98\x80"
                                : "");
    json_object_set_new(order, "shipping_address_count",
                        json_integer((json_int_t)json_array_size(draft->shipping)));
    set_text(order, "ebay_order_id", "0");
    set_text(order, "cart_id", cart);
    json_object_set_new(order, "is_email_opt_in", json_boolean(draft_draw(draft, 2) == 0));
    json_object_set_new(order, "credit_card_type", json_null());
    set_text(order, "order_source", draft->id % 5 == 0 ? "manual" : "www");
    json_object_set_new(order, "channel_id", json_integer(1));
    if (plan->oddity == ODD_MIGRATED)
        set_text(order, "external_source", "M-MIG");
    else
        json_object_set_new(order, "external_source", json_null());
    json_object_set_new(order, "external_id", json_null());
    json_object_set_new(order, "external_merchant_id", json_null());
    set_text(order, "tax_provider_id", "BasicTaxProvider");
    set_text(order, "customer_locale", "en");
    set_text(order, "external_order_id", "");
    json_object_set_new(order, "is_deleted", json_boolean(plan->oddity == ODD_ARCHIVED));
}

/* Builds the order's JSON. It takes the draft's consignments and fees. */
static void set_consignments(struct draft *draft, json_t *order)
{
    set_link(order, "products", draft->hash, draft->id, "products");
    set_link(order, "shipping_addresses", draft->hash, draft->id, "shippingaddresses");
    set_link(order, "coupons", draft->hash, draft->id, "coupons");
    json_object_set_new(
        order, "consignments",
        mem_check(json_pack("{s:o,s:o,s:o,s:{s:o}}", "pickups", draft->pickups, "shipping",
                            draft->shipping, "downloads", draft->downloads, "email",
                            "gift_certificates", draft->gifts)));
    json_object_set_new(order, "fees", draft->fees);
}

static void open_draft(struct draft *draft, const struct generate_input *input)
{
    *draft = (struct draft){.id = input->id, .hash = input->hash, .rate = 825};
    draft->digits = currency_digits(text_of(input->currency));
    draft->chance = input->seed * 1000003ULL + (uint64_t)input->id;
    for (const char *c = input->hash; *c != '\0'; c++)
        draft->chance = draft->chance * 31 + (unsigned char)*c;
    draft->money_style = (int)draft_draw(draft, 3);
    draft->shipping = mem_check(json_array());
    draft->pickups = mem_check(json_array());
    draft->downloads = mem_check(json_array());
    draft->gifts = mem_check(json_array());
    draft->fees = mem_check(json_array());
}

/* Makes an order whose only line has quantity 0: such broken data exists in real stores. */
static void break_quantity(const struct draft *draft)
{
    json_t *lines = json_object_get(json_array_get(draft->shipping, 0), "line_items");

    json_object_set_new(json_array_get(lines, 0), "quantity", json_integer(0));
}

void generate_order(const struct generate_input *input, struct generated *output)
{
    struct plan plan = plan_make(input->index);
    struct draft draft;
    struct person person;
    json_t *order = mem_check(json_object()), *email;

    *output = (struct generated){.order = order};
    open_draft(&draft, input);
    if (plan.shape == SHAPE_TAX_INCLUSIVE) {
        draft.inclusive = 1;
        draft.rate = 2000;
    }
    output->style = (int)draft_draw(&draft, STYLE_ALL + 1);
    plan_person(&draft, &plan, &person);
    email = plan_email(&plan, &person);
    set_head(&draft, &plan, order, input->placed_s);
    json_object_set_new(order, "billing_address", person_billing(&person, email));
    json_decref(email);
    plan_build(&draft, &plan, &person, output);
    if (plan.oddity == ODD_QUANTITY)
        break_quantity(&draft);
    set_amounts(&draft, order, plan.oddity == ODD_TOTAL ? 50000 : 0);
    set_currency(&draft, &plan, input->currency, order);
    set_payment(&draft, &plan, order);
    set_tail(&draft, &plan, order);
    set_consignments(&draft, order);
}

void generated_clear(struct generated *output)
{
    json_decref(output->order);
    json_decref(output->coupons);
    *output = (struct generated){0};
}
