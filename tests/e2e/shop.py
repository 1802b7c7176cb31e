"""Orders as a store has them, made for tests: totals that add up unless a test says otherwise."""

import itertools
from decimal import Decimal

_customers = itertools.count(1)
DATE = "%a, %d %b %Y %H:%M:%S +0000"


def mail(word="customer"):
    """An address that no other test uses."""
    return f"{word}.{next(_customers)}@example.com"


def item(sku, name, quantity=1, price="10.00", **more):
    total = Decimal(price) * quantity
    return {"product_id": 7 if sku else 0, "variant_id": None, "name": name, "sku": sku, "type": "physical",
            "quantity": quantity, "base_price": f"{Decimal(price):.4f}", "price_ex_tax": f"{Decimal(price):.4f}",
            "price_inc_tax": f"{Decimal(price):.4f}", "price_tax": "0.0000", "base_total": f"{total:.4f}",
            "total_ex_tax": f"{total:.4f}", "total_inc_tax": f"{total:.4f}", "total_tax": "0.0000",
            "parent_order_product_id": None, "is_bundled_product": False, "applied_discounts": [],
            "product_options": [], **more}


def order(email, items=None, status=11, tax="0", shipping="0", coupons=(), discount="0", billing=None, **more):
    """coupons: (code, amount) pairs. Members in more replace or add."""
    items = [item("APPLE", "Apple")] if items is None else items
    coupon_sum = sum((Decimal(amount) for _, amount in coupons), Decimal(0))
    lines = []
    for number, line in enumerate(items):
        line = {"id": 9000 + number, **line}
        if number == 0:
            line["applied_discounts"] = [{"id": "total-coupon", "amount": amount, "name": code, "code": code,
                                          "target": "order"} for code, amount in coupons]
        lines.append(line)
    subtotal = sum((Decimal(line["total_ex_tax"]) for line in lines), Decimal(0))
    total = subtotal + Decimal(tax) + Decimal(shipping) - coupon_sum - Decimal(discount)
    place = {"first_name": "Grace", "last_name": "Hopper", "company": "", "street_1": "1 Main Street", "street_2": "",
             "city": "Austin", "state": "Texas", "zip": "73301", "country": "United States", "country_iso2": "US",
             "phone": "5551234", "form_fields": []}
    return {
        "customer_id": 0, "status_id": status, "status": "", "custom_status": "",
        "subtotal_ex_tax": f"{subtotal:.4f}", "subtotal_inc_tax": f"{subtotal:.4f}", "subtotal_tax": "0.0000",
        "shipping_cost_ex_tax": f"{Decimal(shipping):.4f}", "shipping_cost_inc_tax": f"{Decimal(shipping):.4f}",
        "shipping_cost_tax": "0.0000", "handling_cost_ex_tax": "0.0000", "wrapping_cost_ex_tax": "0.0000",
        "total_ex_tax": f"{total - Decimal(tax):.4f}", "total_inc_tax": f"{total:.4f}", "total_tax": f"{Decimal(tax):.4f}",
        "discount_amount": f"{Decimal(discount):.4f}", "coupon_discount": f"{coupon_sum:.4f}",
        "store_credit_amount": "0.0000", "gift_certificate_amount": "0.0000", "is_tax_inclusive_pricing": False,
        "items_total": sum(line["quantity"] for line in lines), "items_shipped": 0, "order_is_digital": False,
        "currency_code": "USD", "default_currency_code": "USD", "payment_method": "Test", "payment_status": "captured",
        "is_email_opt_in": False, "order_source": "www", "channel_id": 1, "external_source": None, "is_deleted": False,
        "billing_address": {**place, "email": email, **(billing or {})},
        "consignments": {
            "pickups": [], "downloads": [], "email": {"gift_certificates": []},
            "shipping": [{"id": 51, **place, "shipping_method": "Flat Rate", "line_items": lines}],
        },
        "fees": [],
        **more,
    }
