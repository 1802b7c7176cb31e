"""Money from the store to the account: whatever the store means by its amounts, the order's total there is the store's."""

import os
import re
import subprocess
import sys
from decimal import Decimal

import pytest
from processes import ROOT
from shop import item, mail, order
from shop_stack import Shop

WITH_TAX = {"is_tax_inclusive_pricing": True}


def taxed(sku, name, ex, inc, quantity=1):
    """A line whose two totals are given."""
    each = Decimal(ex) / quantity
    return item(sku, name, quantity, price=str(each), total_ex_tax=ex, total_inc_tax=inc)


def tea():
    return [taxed("TEA", "Tea", "10.0000", "12.0000")]


def mug():
    return [item("MUG", "Mug", 2, "12.50", total_inc_tax="27.0000")]


CREDITED = {"tax": "2.40", "shipping": "5.00", "shipping_cost_inc_tax": "5.4000"}  # 32.40 in all
FEE = {"display_name_customer": "Surcharge", "cost_ex_tax": "2.5000", "cost_inc_tax": "3.0000"}

# name: (order, the lines besides the products)
SHAPES = {
    "tax_inclusive_without_discount": (
        lambda: order(mail(), tea(), tax="2", **WITH_TAX), [("TAX", 2)]),
    "tax_inclusive_with_manual_discount": (
        lambda: order(mail(), [taxed("BOTTLE-1", "Bottle", "227.2727", "250.0000", 10)], tax="20.91", discount="20",
                      total_inc_tax="230.0000", **WITH_TAX), [("TAX", 20.91), ("Discount", -18.18)]),
    "tax_inclusive_with_coupon": (
        lambda: order(mail(), tea(), tax="1.80", coupons=[("TEN", "1.2000")], total_inc_tax="10.8000", **WITH_TAX),
        [("TAX", 1.8), ("Discount", -1)]),
    "tax_inclusive_with_shipping_coupon": (
        lambda: order(mail(), tea(), tax="2", shipping="5", shipping_cost_inc_tax="6.0000", coupons=[("FREE", "6.0000")],
                      total_inc_tax="12.0000", **WITH_TAX), [("SHIPPING", 5), ("TAX", 2), ("Discount", -5)]),
    "shipping_coupon": (
        lambda: order(mail(), tea(), tax="2", shipping="5", coupons=[("FREE", "5.0000")]),
        [("SHIPPING", 5), ("TAX", 2), ("Discount", -5)]),
    "fees_with_tax": (
        lambda: order(mail(), tea(), tax="4", discount="3", handling_cost_ex_tax="2.0000", handling_cost_inc_tax="2.4000",
                      wrapping_cost_ex_tax="3.0000", wrapping_cost_inc_tax="3.6000", fees=[FEE],
                      total_inc_tax="18.0000", **WITH_TAX),
        [("TAX", 3.5), ("FEE", 2), ("FEE", 3), ("FEE", 2.5), ("Discount", -3)]),
    "total_net_of_store_credit_in_part": (
        lambda: order(mail(), mug(), **CREDITED, store_credit_amount="10.0000", total_inc_tax="22.4000"),
        [("SHIPPING", 5), ("TAX", 2.4), ("Store credit", -10)]),
    "total_net_of_gift_certificate_in_part": (
        lambda: order(mail(), mug(), **CREDITED, gift_certificate_amount="20.0000", total_inc_tax="12.4000"),
        [("SHIPPING", 5), ("TAX", 2.4), ("Gift certificate", -20)]),
    "total_net_of_both_in_full": (
        lambda: order(mail(), mug(), **CREDITED, store_credit_amount="12.4000", gift_certificate_amount="20.0000",
                      total_inc_tax="0.0000"),
        [("SHIPPING", 5), ("TAX", 2.4), ("Store credit", -12.4), ("Gift certificate", -20)]),
    "credits_of_both_kinds_as_payment": (
        lambda: order(mail(), mug(), **CREDITED, store_credit_amount="12.4000", gift_certificate_amount="20.0000"),
        [("SHIPPING", 5), ("TAX", 2.4)]),
}


def differing(shop):
    """How often the account's total was not ours."""
    return sum(map(int, re.findall(r'^bigfusion_alarms_total\{kind="total_differs"[^}]*\} (\d+)',
                                   shop.metrics("pusher"), re.M)))


def account_total(shop, title):
    """(amount in smallest units, currency) of the one order of that title, as the account computed it."""
    found, = [one["total"] for one in shop.call("GET", "/sandbox/account/orders") if one["title"] == title]
    return int(found["amount"]), found["currency_code"]


@pytest.fixture(scope="module")
def dollars():
    with Shop("e2e-money-usd", orders=253) as stack:  # the three samples, and five times fifty: every shape's variants
        yield stack.start()


@pytest.mark.parametrize("shape", SHAPES)
def test_order_is_delivered_with_the_stores_total(dollars, shape):
    make, extras = SHAPES[shape]
    placed = dollars.place_and_wait(make())
    body, = dollars.created(placed["id"])
    sent = [(one["name"] if one["item_type"] == "DISCOUNT" else one["item_type"], float(one["price_per_unit"]))
            for one in body["order_items"] if one["item_type"] != "PRODUCT"]
    assert sent == extras
    assert account_total(dollars, f"BC #{placed['id']}") == (int(Decimal(placed["total_inc_tax"]) * 100), "USD")
    assert differing(dollars) == 0


def test_one_cent_too_much_per_line_parks_the_order(dollars):
    placed = dollars.place_and_wait(order(mail(), [item("P", "Pin", 1, "1.00") for _ in range(12)], total_inc_tax="12.1100"),
                                    wanted=("dead", "total_mismatch"))
    assert dollars.created(placed["id"]) == []


def test_generated_orders_of_every_shape_have_the_stores_total(dollars):
    """After the tests above: what they placed is judged with the rest."""
    dollars.wait_drained(90)
    verdict = dollars.judge()
    assert verdict.violations == []
    assert verdict.eligible == verdict.created > 150
    totals = {one["title"]: int(one["total"]["amount"]) for one in dollars.call("GET", "/sandbox/account/orders")}
    stores = {f"BC #{one['id']}": int(Decimal(one["total_inc_tax"]) * 100) for one in dollars.orders()}
    assert totals == {title: stores[title] for title in totals}
    assert differing(dollars) == 0


# currency: (order, its lines, its total in smallest units, prices of its products)
FOREIGN = {
    "JPY": (lambda: order(mail(), [taxed("SEN", "Fan", "2728.0000", "3000.0000", 3)], tax="245", discount="300",
                          total_inc_tax="2700.0000", default_currency_code="JPY", **WITH_TAX),
            [("PRODUCT", 2728), ("TAX", 245), ("DISCOUNT", -273)], 2700, {"SEN": 909}),
    "KWD": (lambda: order(mail(), [item("LAMP", "Lamp", 3, "1.555")], tax="0.467", default_currency_code="KWD"),
            [("PRODUCT", 1.555), ("TAX", 0.467)], 5132, {"LAMP": 1555}),
}


@pytest.mark.parametrize("currency", FOREIGN)
def test_currencies_without_cents_or_with_three_decimals(currency):
    """One order by hand, and every shape of the generator, judged."""
    make, lines, total, prices = FOREIGN[currency]
    with Shop(f"e2e-money-{currency.lower()}", orders=53, sandbox=("--currency", currency),
              account={"currency": currency}) as shop:
        shop.start()
        placed = shop.place_and_wait(make())
        body, = shop.created(placed["id"])
        assert [(one["item_type"], float(one["price_per_unit"])) for one in body["order_items"]] == lines
        assert account_total(shop, f"BC #{placed['id']}") == (total, currency)
        products = {one["sku"]: int(one["price"]["amount"]) for one in shop.call("GET", "/sandbox/account/products")}
        assert {sku: products[sku] for sku in prices} == prices
        shop.wait_drained(60)
        assert differing(shop) == 0
        verdict = shop.judge()
        assert verdict.violations == []
        assert verdict.eligible == verdict.created > 25


def test_money_of_made_and_real_orders_through_the_mapper():
    """The small form of `make money`: only the 27th of the real ones is parked, and nothing is wrong."""
    answer = subprocess.run([sys.executable, f"{ROOT}/tests/money.py", "--orders", "600", "--seed", "7"],
                            capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ))
    said = answer.stdout.splitlines()
    assert re.fullmatch(r"money: orders=627 equal=\d+ parked=\d+ wrong=0 unexplained=0", said[-1]), answer.stdout[-2000:]
    assert said[-2] == "worked examples: 3 of 3 equal"
    assert [one.split(":")[1].strip() for one in said if "real_" in one] == ["real_027"]
    assert answer.returncode == 0
