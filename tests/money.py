#!/usr/bin/python3
"""Orders of every shape of money through the real mapper, each judged by arithmetic that is not the mapper's.

    python3 tests/money.py [--orders N] [--seed S]

N orders (10,000) are made: a part by the sandbox's generator in dollars, yen and Kuwaiti dinars, the rest here, by a maker
who knows of each how its store meant it, and makes some whose total is wrong. The amounts of 27 real orders follow, and
three worked examples beside them (cases of tests/cases/mapper). Every order is written to orders.eligible, the mapper's
answer is read from orders.payloads or dead, and tests/amounts.py says whether it is right.

    money: orders=N equal=N parked=N wrong=N unexplained=N

equal: the lines make the order's total, each amount is explained; parked: dead total_mismatch, and no reading of its
amounts makes its total; wrong: sent and not right; unexplained: not sent though its amounts add up. 0 of the last two, or
the status is 1.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import amounts  # noqa: E402
import reference  # noqa: E402
from evidence import STORE_DEFAULTS  # noqa: E402
from oracle import Judge  # noqa: E402
from processes import Process, Tail, binary, http_call, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases", "mapper")
REAL = [f"real_{number:03}" for number in range(1, 28)]
WORKED = ["inclusive_no_discount", "inclusive_manual_discount", "inclusive_coupon"]
SANDBOX = ["USD", "JPY", "KWD"]  # the stores abc123, abc124, abc125
PAYMENTS = {"payments": "paid", "payment_type": "Cash"}
STORE = {**STORE_DEFAULTS, **PAYMENTS}
PAYMENT_STATUSES = ["captured", "captured", "paid", "partially refunded", "authorized", "pending", ""]
CURRENCIES = ["USD", "EUR", "GBP", "INR", "JPY", "KRW", "CLP", "KWD", "BHD", "TND"]
BATCH = 1000


# -- orders that are made here -------------------------------------------------------------------------------------


def plain_text(amount):
    """The amount with four decimals, as stores write it."""
    whole = amounts.units(amount, 4)
    return f"{'-' if whole < 0 else ''}{abs(whole) // 10000}.{abs(whole) % 10000:04}"


class Maker:
    """Makes one order after the other. What it knows of an order is in made["meant"]: fits, or wrong."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def order(self, number):
        """(order, whether its total is right)"""
        while True:
            order, fits = self.draw(number)
            if fits or not self.adds_up(order):  # a wrong total may happen to be right in another way
                return order, fits

    @staticmethod
    def adds_up(order):
        sold = reference.line_items(order)
        return reference.amounts_of(order, sold, amounts.digits_of(order["default_currency_code"])).adds_up()

    def draw(self, number):
        chance = self.chance
        self.currency = chance.choice(CURRENCIES)
        self.digits = amounts.digits_of(self.currency)
        self.unit = Fraction(1, 10**self.digits)
        self.rate = chance.choice([Fraction(0), *(Fraction(r, 10000) for r in (550, 700, 825, 1000, 1900, 2000, 2500))])
        self.inclusive = chance.random() < 0.5
        self.untold = self.rate == 0 or not self.inclusive  # amounts with tax may be left out
        lines = [self.line(i) for i in range(chance.choice([1, 1, 2, 2, 3, 4, 6, 9, 14, 40]))]
        costs = {name: self.split(self.price(30)) if chance.random() < share else (Fraction(0), Fraction(0))
                 for name, share in (("shipping", 0.6), ("handling", 0.2), ("wrapping", 0.2))}
        fees = [self.split(self.price(10)) for _ in range(chance.choice([0, 0, 0, 1, 2]))]
        self.sums = [sum(pair[i] for pair in [*(line["pair"] for line in lines), *costs.values(), *fees]) for i in (0, 1)]
        manual, coupon = self.discounts(costs["shipping"])
        total, tax = self.total_and_tax(manual + coupon)
        store, certificate, net = self.credits(total)
        fits = chance.random() >= 0.02
        total -= store + certificate if net else 0
        total += self.deviation(fits, len(lines))
        if total < 0:
            return self.draw(number)
        order = {
            "id": number, "status_id": 11, "status": "", "date_created": "Mon, 02 Mar 2026 10:15:30 +0000",
            "date_modified": "Mon, 02 Mar 2026 10:16:00 +0000", "default_currency_code": self.currency,
            "billing_address": {"email": f"buyer{number}@example.com"}, "total_tax": plain_text(tax),
            "payment_status": chance.choice(PAYMENT_STATUSES),
            "total_inc_tax": plain_text(total), "discount_amount": plain_text(manual),
            "coupon_discount": plain_text(coupon), "store_credit_amount": plain_text(store),
            "gift_certificate_amount": plain_text(certificate),
            "consignments": {"shipping": [], "downloads": [{"line_items": [self.told_line(line) for line in lines]}]},
            "fees": [self.told("cost", fee, display_name_customer="Fee") for fee in fees],
        }
        for name, pair in costs.items():
            order.update(self.told(f"{name}_cost", pair))
        flag = chance.choice([self.inclusive, self.inclusive, None, None, not self.inclusive])
        if flag is not None:
            order["is_tax_inclusive_pricing"] = flag
        return order, fits

    def price(self, most):
        """Whole smallest units, up to about that many dollars."""
        return self.chance.randint(1, most * 100) * self.unit

    def rounded(self, amount):
        return amounts.units(amount, self.digits) * self.unit

    def split(self, price):
        """(without tax, with tax) as the store has them: one is exact, the other an estimate with four decimals."""
        if self.inclusive:
            return Fraction(amounts.units(price / (1 + self.rate), 4), 10000), price
        return price, Fraction(amounts.units(price * (1 + self.rate), 4), 10000)

    def line(self, number):
        quantity = self.chance.choice([1, 1, 1, 2, 3, 7, 12])
        price = self.price(200) * quantity
        if self.chance.random() < 0.1:  # a price of one with parts of a cent
            price = Fraction(amounts.units(price / 3, 4), 10000)
        return {"name": f"Thing {number}", "sku": f"T-{number}", "quantity": quantity, "pair": self.split(price)}

    def told(self, name, pair, **more):
        found = {f"{name}_ex_tax": plain_text(pair[0]), **more}
        if not (self.untold and pair[0] == pair[1] and self.chance.random() < 0.5):
            found[f"{name}_inc_tax"] = plain_text(pair[1])
        return found

    def told_line(self, line):
        pair, quantity = line["pair"], line["quantity"]
        return {"name": line["name"], "sku": line["sku"], "quantity": quantity, "product_id": 7,
                "price_ex_tax": plain_text(pair[0] / quantity), **self.told("total", pair)}

    def discounts(self, shipping):
        """(manual, coupon): of the prices as the store has them."""
        manual = coupon = Fraction(0)
        most = self.sums[self.inclusive]
        kind = self.chance.choice(["none", "none", "manual", "coupon", "both", "shipping"])
        if kind in ("manual", "both"):
            manual = self.rounded(most * self.chance.randint(1, 45) / 100)
        if kind in ("coupon", "both"):
            coupon = self.rounded(most * self.chance.randint(1, 45) / 100)
        if kind == "shipping":
            coupon = self.rounded(shipping[self.inclusive])
        return manual, coupon

    def total_and_tax(self, discount):
        if self.inclusive:
            total = self.rounded(self.sums[1] - discount)
            hidden = discount == 0 and self.chance.random() < 0.05  # the store does not tell the tax
            return total, Fraction(0) if hidden else self.rounded(total * self.rate / (1 + self.rate))
        tax = self.rounded((self.sums[0] - discount) * self.rate)
        return self.rounded(self.sums[0] - discount + tax), tax

    def credits(self, total):
        """(store credit, gift certificate, whether the total is net of them)"""
        kind = self.chance.choice(["none", "none", "store", "certificate", "both"])
        if kind == "none" or total <= 0:
            return Fraction(0), Fraction(0), False
        paid = total if self.chance.random() < 0.3 else self.rounded(total * self.chance.randint(1, 99) / 100)
        store = paid if kind == "store" else self.rounded(paid / 2) if kind == "both" else Fraction(0)
        return store, paid - store, self.chance.random() < 0.6

    def deviation(self, fits, lines):
        """What the total is wrong by: a little is allowed, one unit more is not."""
        allowed = min(lines, 10)
        sign = self.chance.choice([-1, 1])
        if fits:  # a unit less than allowed: the amounts themselves may be off by parts of one
            return sign * (allowed - 1) * self.unit if self.chance.random() < 0.05 else 0
        return sign * self.unit * (allowed + self.chance.choice([2, 3, 11, 50, 1000]))


# -- orders from elsewhere -----------------------------------------------------------------------------------------


def sandbox_orders(run, currency, count, seed):
    """[order] of the sandbox's generator in that currency, without those that do not come to the mapper."""
    sandbox = Process(f"sandbox-{currency}", [
        binary("bigfusion-sandbox"), "--listen", "127.0.0.1:0", "--orders", str(count * 2 + 100), "--seed", str(seed),
        "--currency", currency], run, stdout_line="listening on ")
    try:
        status, answer = http_call(sandbox.address.removeprefix("http://"), "GET",
                                   "/sandbox/stores/abc123/orders?complete=1")
    finally:
        sandbox.stop()
    assert status == 200
    found = []
    for entry in json.loads(answer)[3:]:  # after the vendor's three samples
        order = entry["order"]
        order["bigfusion"] = {"products": entry["products"], "coupons": entry["coupons"] or []}
        if order["default_currency_code"] == currency and reaches_the_mapper(order):
            found.append(order)
    assert len(found) >= count, f"{len(found)} orders of {count} in {currency}"
    return found[:count]


def reaches_the_mapper(order):
    store = {**STORE, "currency": order["default_currency_code"]}
    stage, reason, _ = reference.fate_of(reference.load_json(json.dumps(order)), "abc123", store)
    return stage == "delivered" or reason == "total_mismatch"


def case_order(name, number):
    with open(f"{CASES}/{name}/input.json", encoding="utf-8") as file:
        return {**json.load(file)["order"], "id": number}


# -- through the mapper --------------------------------------------------------------------------------------------


def through_the_mapper(stack, orders):
    """{key: ("payload", value) or ("dead", reason)} for orders {key: text}."""
    answers = {}
    payloads = Tail(stack.broker.address, stack.topic("orders.payloads"), "payloads")
    keys, done = list(orders), 0

    def answered():
        answers.update({r.key: ("payload", r.value) for r in list(payloads.records)})
        answers.update({r.key: ("dead", r.headers.get("reason")) for r in list(stack.tails["dead"].records)})
        return len(answers) >= done

    try:
        for start in range(0, len(keys), BATCH):  # the in-memory broker keeps little
            batch = keys[start:start + BATCH]
            done += len(batch)
            text = "".join(f"{key}\x1f{orders[key]}\n" for key in batch)
            subprocess.run(["kcat", "-b", stack.broker.address, "-P", "-t", stack.topic("orders.eligible"), "-K", "\x1f"],
                           input=text.encode(), check=True, capture_output=True, timeout=60)
            wait_until(answered, 60, lambda: f"{done} answers, there are {len(answers)}: {stack.services['mapper'].tail()}")
    finally:
        payloads.stop()
    return answers


# -- judging -------------------------------------------------------------------------------------------------------


def judge_payload(order, value, mapping):
    """What is wrong with a payload: list of texts."""
    payload = reference.load_json(value)
    digits = mapping["amounts"].digits
    judge = Judge.__new__(Judge)
    judge.expect = {}
    judge.product_identities = {str(i): {p["body"]["sku"].lower()} for i, p in enumerate(payload["products"])}
    items = [{**item, "product_id": str(item["product"])} if "product" in item else item
             for item in payload["order"]["order_items"]]
    wrong = judge.compare_lines(items, mapping, STORE)
    wanted = amounts.units(reference.money(order["total_inc_tax"]), digits)
    if payload["total"] != wanted or payload["currency"] != order["default_currency_code"]:
        wrong.append(f"total {payload['total']} {payload['currency']}, expected {wanted}")
    payment = payload["payment"] or {"payment_amount": 0}
    paid = amounts.units(reference.money(payment["payment_amount"]), digits)
    if paid not in mapping["paid"]:
        wrong.append(f"it leaves {wanted - paid} open, what was not paid is {sorted(wanted - one for one in mapping['paid'])}")
    if payload["payment"] and payment.get("payment_method_type") != STORE["payment_type"]:
        wrong.append(f"payment {payment}")
    products = {line["identity"]: line["product"] for line in reversed(mapping["lines"])}
    for product in payload["products"]:
        if not judge.product_is(product["body"], products[product["body"]["sku"].lower()]):
            wrong.append(f"product {product['body']}")
    return wrong


def judge_order(store, text, answer, fits):
    """("equal" | "parked" | "wrong" | "unexplained", why)"""
    order = reference.load_json(text)
    what, value = answer
    try:
        mapping = reference.map_order(order, store, STORE)
    except reference.Mismatch as why:
        if what == "payload":
            return "wrong", f"sent, but: {why}"
        if value != "total_mismatch" or fits:
            return "unexplained", f"dead {value}; {why}"
        return "parked", str(why)
    if what == "dead":
        return "unexplained", f"dead {value}, but it adds up"
    wrong = judge_payload(order, value, mapping)
    if fits is False:
        wrong.append("its maker says that it is wrong")
    return ("wrong", "; ".join(wrong)) if wrong else ("equal", "")


def make_orders(run, count, seed):
    """{key: (text, whether its maker says that it fits; None: nobody says, name)}"""
    orders = {}

    def add(store, order, fits, name):
        orders[f"{store}/order/{order['id']}"] = (json.dumps(order, ensure_ascii=False), fits, name)

    share = count * 3 // 20
    for number, currency in enumerate(SANDBOX):
        for order in sandbox_orders(run, currency, share, seed):
            add(f"abc{123 + number}", order, None, f"sandbox {currency} {order['id']}")
    maker = Maker(seed)
    for number in range(1, count - share * len(SANDBOX) + 1):
        order, fits = maker.order(number)
        add("abc126", order, fits, f"made {order['default_currency_code']} {number}")
    for number, name in enumerate(REAL, 1):
        add("abc127", case_order(name, number), number != 27, name)
    for number, name in enumerate(WORKED, 101):
        add("abc127", case_order(name, number), True, name)
    return orders


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts = dict.fromkeys(("equal", "parked", "wrong", "unexplained"), 0)
    currencies, worked = {}, 0
    with Stack("money", stores=5, store=PAYMENTS, account={"currency": ""}, partitions=16) as stack:
        stack.start(services=("mapper",), setup=False)
        orders = make_orders(stack.run, options.orders, options.seed)
        answers = through_the_mapper(stack, {key: text for key, (text, _, _) in orders.items()})
    for key, (text, fits, name) in orders.items():
        verdict, why = judge_order(key.split("/")[0], text, answers.get(key, ("dead", "(no answer)")), fits)
        currency = json.loads(text)["default_currency_code"]
        currencies[currency] = currencies.get(currency, 0) + 1
        if why:
            print(f"{verdict}: {name}: {why}")
        if name in WORKED and verdict == "equal":
            worked += 1
        else:
            counts[verdict] += 1
    print("currencies: " + " ".join(f"{name}={count}" for name, count in sorted(currencies.items())))
    print(f"worked examples: {worked} of {len(WORKED)} equal")
    total = len(orders) - len(WORKED)
    print(f"money: orders={total} " + " ".join(f"{name}={count}" for name, count in counts.items()))
    return 1 if counts["wrong"] or counts["unexplained"] or sum(counts.values()) != total else 0


if __name__ == "__main__":
    sys.exit(main())
