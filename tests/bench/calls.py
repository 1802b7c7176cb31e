#!/usr/bin/python3
"""How many calls to the account an order costs.

    tests/bench/calls.py [--orders 1000] [--new-customers 0.2] [--new-products 0.05]

Two runs, both from a store through the real programs to the sandbox, with payments. First customers and products that the
account and the ledger know: such an order must cost its own create, its payment and its goals, and nothing else. Then a
mixed run, in which some orders are of new customers and some hold a product that nobody has seen: every call beyond the
creates, payments and goals that these orders need is overhead, and at most 0.3 of them for each order. A new customer costs one
look-up that nothing can spare, so the share of new customers decides; with 0.3 of them it is about 0.35. Last line:

    calls: returning=R needed=N mixed_overhead=O

R: calls for each order of the first run, N: what it needs, O: overhead for each order of the second. Exit status 0, or 1
when R is not N, or O is above 0.3. The figures are counts, so they do not depend on the machine.
"""

import argparse
import collections
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

from shop import item, order  # noqa: E402
from shop_stack import Shop  # noqa: E402

OVERHEAD_MAX = 0.3
PRODUCTS = 40


def kind_of(entry):
    """The request without its ids: "POST /orders/payments"."""
    parts = [part for part in entry["path"].removeprefix("/crm/rest/v2").split("/") if not part.isdigit()]
    return f"{entry['method']} {'/'.join(parts)}"


def counted(stack, mark):
    """(requests of each kind, things made of each kind) in the account since then."""
    entries = [entry for entry in stack.journal()[mark:] if entry["side"] == "is"]
    made = collections.Counter((entry.get("effect") or {}).get("made") for entry in entries)
    return collections.Counter(map(kind_of, entries)), made


def deliver(stack, orders):
    """Places the orders and waits for them. Returns what counted() says about them."""
    mark = stack.mark()
    for one in orders:
        stack.place(one)
    stack.wait_drained(300)
    return counted(stack, mark)


def customer(number):
    return f"customer.{number}@example.com"


def returning(count):
    """Orders of one to three of the known products."""
    chance = random.Random(1)
    return [order(customer(number % PRODUCTS), [item(f"SKU-{n}", f"Thing {n}") for n in sorted(
        chance.sample(range(PRODUCTS), 1 + number % 3))]) for number in range(count)]


def mixed(count, new_customers, new_products):
    chance = random.Random(2)
    found = []
    for number in range(count):
        who = f"new.{number}@example.com" if chance.random() < new_customers else customer(number % PRODUCTS)
        skus = [f"NEW-{number}"] if chance.random() < new_products else []
        skus += [f"SKU-{n}" for n in chance.sample(range(PRODUCTS), 1 + number % 2)]
        found.append(order(who, [item(sku, f"Thing {sku}") for sku in skus]))
    return found


def table(title, requests, count):
    print(f"\n{title}: {count} orders, {sum(requests.values())} calls")
    for kind, number in sorted(requests.items(), key=lambda pair: -pair[1]):
        print(f"  {kind:34} {number:7} {number / count:8.3f} for each order")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--new-customers", type=float, default=0.2)
    parser.add_argument("--new-products", type=float, default=0.05)
    options = parser.parse_args()
    count = options.orders
    with Shop("bench-calls", store={"payments": "paid", "payment_type": "Cash"}) as stack:
        stack.start()
        deliver(stack, [order(customer(n), [item(f"SKU-{n}", f"Thing {n}")]) for n in range(PRODUCTS)])
        orders = returning(count)
        requests, _ = deliver(stack, orders)
        table("returning customers, known products", requests, count)
        needed = sum(3 + len(one["consignments"]["shipping"][0]["line_items"]) for one in orders)  # order, payment, BCORDER
        spent = sum(requests.values())
        exactly = requests.keys() == {"POST /orders", "POST /orders/payments", "POST /automations/goals/achieve"}
        requests, made = deliver(stack, mixed(count, options.new_customers, options.new_products))
        table("mixed", requests, count)
        creates = sum(made[kind] for kind in ("contact", "product", "order", "payment"))
        overhead = (sum(requests.values()) - creates - requests["POST /automations/goals/achieve"]) / count
        print(f"  made: {made['contact']} contacts, {made['product']} products, {made['order']} orders")
        right = stack.judge().violations == []
    print(f"calls: returning={spent / count:.3f} needed={needed / count:.3f} mixed_overhead={overhead:.3f}")
    return 0 if right and exactly and spent == needed and overhead <= OVERHEAD_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
