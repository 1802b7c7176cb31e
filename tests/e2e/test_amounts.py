"""The judge of money on trial: lines that say an order's amounts are taken, lines that differ in one thing are not."""

from fractions import Fraction

import pytest
from amounts import Amounts, digits_of, units


def stated(goods, total, tax="0", discount="0", costs=(), digits=2, store="0", certificate="0"):
    return Amounts(digits, goods, costs, tax, discount, {"Store credit": store, "Gift certificate": certificate}, total)


def products(*amounts):
    return [("PRODUCT", None, amount) for amount in amounts]


def lines(*rest, sold=(1000,)):
    return products(*sold) + [(kind, name, amount) for kind, name, amount in rest]


TAX, DISCOUNT = ("TAX", "Tax"), ("DISCOUNT", "Discount")
STORE, CERTIFICATE = ("DISCOUNT", "Store credit"), ("DISCOUNT", "Gift certificate")

EX = stated([("10", "12")], "11", tax="2", discount="1")  # the discount is taken off amounts without tax
INC = stated([("10", "12")], "10.80", tax="1.80", discount="1.20")  # with tax
HIDDEN = stated([("336.32", "361.95")], "361.95")
NET = stated([("10", "12")], "7", tax="2", store="3", certificate="2")
GROSS = stated([("10", "12")], "12", tax="2", store="3", certificate="2")
SHIPPED = stated([("10", "12")], "18.40", tax="3", costs=[("SHIPPING", "5", "6"), ("FEE", "0.40", "0.40")])
EACH_UP = stated([("1.005", "1.005")] * 50, "50.25")
YEN = stated([("2728", "3000")], "2700", tax="245", discount="300", digits=0)
FILS = stated([("4.665", "4.665")], "5.132", tax="0.467", digits=3)

RIGHT = {
    "ex": (EX, lines((*TAX, 200), (*DISCOUNT, -100))),
    "inc": (INC, lines((*TAX, 180), (*DISCOUNT, -100))),
    "hidden_tax": (HIDDEN, lines((*TAX, 2563), sold=(33632,))),
    "net": (NET, lines((*TAX, 200), (*STORE, -300), (*CERTIFICATE, -200))),
    "gross": (GROSS, lines((*TAX, 200))),
    "shipped": (SHIPPED, lines(("SHIPPING", "Shipping", 500), (*TAX, 300), ("FEE", "Small", 40))),
    "rounding": (EACH_UP, lines(("DISCOUNT", "Rounding", -25), sold=[101] * 50)),
    "yen": (YEN, lines((*TAX, 245), (*DISCOUNT, -273), sold=(2728,))),
    "fils": (FILS, lines((*TAX, 467), sold=(4665,))),
}
WRONG = {
    "total": (EX, lines((*TAX, 201), (*DISCOUNT, -100))),
    "ex_discount_less_than_stated": (EX, lines((*TAX, 150), (*DISCOUNT, -50))),
    "ex_discount_left_out": (EX, lines((*TAX, 100))),
    "inc_discount_whole_and_tax_more": (INC, lines((*TAX, 200), (*DISCOUNT, -120))),
    "inc_discount_more_than_stated": (INC, lines((*TAX, 210), (*DISCOUNT, -130))),
    "rounding_that_the_tax_could_take": (INC, lines((*TAX, 179), (*DISCOUNT, -100), ("FEE", "Rounding", 1))),
    "hidden_tax_as_fee": (HIDDEN, lines(("FEE", "Tax", 2563), sold=(33632,))),
    "negative_tax": (HIDDEN, lines((*TAX, -37), ("FEE", "Rounding", 2600), sold=(33632,))),
    "credit_left_out": (NET, lines((*TAX, 200), (*STORE, -500))),
    "credit_as_discount": (NET, lines((*TAX, 200), (*DISCOUNT, -500))),
    "gross_credit_as_line": (GROSS, lines((*TAX, 700), (*STORE, -300), (*CERTIFICATE, -200))),
    "shipping_changed": (SHIPPED, lines(("SHIPPING", "Shipping", 501), (*TAX, 299), ("FEE", "Small", 40))),
    "fee_left_out": (SHIPPED, lines(("SHIPPING", "Shipping", 500), (*TAX, 340))),
    "line_of_nothing": (GROSS, lines((*TAX, 200), (*DISCOUNT, 0))),
    "line_nobody_asked_for": (GROSS, lines((*TAX, 200), ("DISCOUNT", "Gift", -100), ("FEE", "Rounding", 100))),
    "two_tax_lines": (GROSS, lines((*TAX, 100), (*TAX, 100))),
    "yen_in_hundredths": (YEN, lines((*TAX, 24500), (*DISCOUNT, -27300), sold=(272800,))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_lines_that_say_the_amounts_are_taken(name):
    order, sent = RIGHT[name]
    assert order.adds_up() and order.faults(sent) == []


@pytest.mark.parametrize("name", WRONG)
def test_lines_that_say_something_else_are_refused(name):
    order, sent = WRONG[name]
    assert order.faults(sent) != []


@pytest.mark.parametrize("count, off, fits", [(1, 1, True), (1, 2, False), (10, 10, True), (12, 10, True), (12, 11, False),
                                              (50, 50, False), (3, -3, True), (3, -4, False)])
@pytest.mark.parametrize("digits", [0, 2, 3])
def test_a_unit_per_line_and_ten_in_all_are_forgiven(count, off, fits, digits):
    goods = [("7", "7")] * count
    assert stated(goods, Fraction(7 * count) + Fraction(off, 10**digits), digits=digits).adds_up() is fits


def test_decimals_are_those_of_iso_4217():
    assert [digits_of(code) for code in ("USD", "jpy", "KWD", "CLF", "???", None)] == [2, 0, 3, 4, 2, 2]
    assert [units(Fraction(amount), 2) for amount in ("1.005", "-1.005", "1.0049")] == [101, -101, 100]
