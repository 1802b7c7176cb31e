#!/usr/bin/python3
"""A catalogue of 1,000 products with variants through the real programs: does each change arrive within one sweep?

    tests/bench/products.py [--products 1000] [--changes 100]

The store's catalogue is brought into an empty account; then it is swept without a change; then the price of one variant of
some products changes, all between two sweeps, and the next sweep must bring them. The judge computes SKU, name and price of
each variant by itself. Prints what each step cost, then one line:

    products: products=N skus=S made=M unchanged_calls=C changed=K updated=U calls=K wrong=W

unchanged_calls: calls of the sweep without a change; calls: those of the sweep with changes. Exit status 0, or 1 when an
unchanged product cost a call, a change needed more than one sweep or one call, or something in the account is wrong.
"""

import argparse
import os
import sys
import time
from decimal import ROUND_HALF_UP, Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

from processes import wait_until  # noqa: E402
from shop_stack import Shop  # noqa: E402


def expected(products, store="abc123"):
    """{SKU in lower case: (name, price in cents)} that the account must have."""
    found = {}
    for product in products:
        for variant in product["variants"]:
            labels = [one["label"] for one in variant["option_values"]]
            sku = variant["sku"].strip() or (product["sku"].strip() if not labels else "")
            sku = sku or f"bc-{store}-{product['id']}-{variant['id'] if labels else 0}"
            price = variant["price"] if isinstance(variant["price"], (int, float, Decimal)) else product["price"]
            tail = " - " + " / ".join(labels) if labels else ""
            name = product["name"].strip()[:200 - len(tail)].rstrip() + tail
            cents = int((Decimal(str(price)) * 100).quantize(Decimal(1), ROUND_HALF_UP))
            found.setdefault(sku.lower(), (name, cents))
    return found


def wrong_in(stack):
    """The SKUs that the account does not have once, or not as the store has them."""
    shown = {}
    for one in stack.call("GET", "/sandbox/account/products"):
        shown.setdefault(one["sku"].lower(), []).append((one["name"], one["price"]["amount"]))
    wanted = expected(stack.call("GET", "/sandbox/stores/abc123/products"))
    return sorted({sku for sku in wanted.keys() | shown.keys() if shown.get(sku) != [wanted.get(sku)]})


def calls(stack, mark):
    return len(stack.requests_since(mark))


def sweeps(stack):
    return [line for line in stack.services["poller"].text().splitlines() if "products swept" in line]


def await_sweep(stack, what):
    """Waits for the end of the next sweep that begins after now. Returns its line."""
    before = len(sweeps(stack))
    wait_until(lambda: len(sweeps(stack)) >= before + 2, 120, lambda: f"{what}; {stack.trouble()}")
    return sweeps(stack)[before:]


def changed_in(lines):
    return [int(line.split("changed=")[1].split()[0]) for line in lines]


def run(stack, count, changes):
    begun = time.monotonic()
    wait_until(lambda: not wrong_in(stack), 300, lambda: f"{len(wrong_in(stack))} SKUs are wrong; {stack.trouble()}", 1)
    made, first_calls = len(stack.call("GET", "/sandbox/account/products")), calls(stack, 0)
    print(f"first: {count} products, {made} SKUs made, {first_calls} calls, {time.monotonic() - begun:.1f} s")
    await_sweep(stack, "a sweep")
    mark = stack.mark()
    await_sweep(stack, "a sweep without a change")
    unchanged_calls = calls(stack, mark)
    print(f"unchanged: {unchanged_calls} calls")
    products = [one for one in stack.call("GET", "/sandbox/stores/abc123/products") if one["variants"][0]["option_values"]]
    before, mark, begun = len(sweeps(stack)), stack.mark(), time.monotonic()
    changes = min(changes, len(products))
    for product in products[:changes]:
        variant = product["variants"][0]
        stack.call("PATCH", f"/sandbox/stores/abc123/products/{product['id']}/variants/{variant['id']}", {"price": 123.45})
    wait_until(lambda: not wrong_in(stack), 120, lambda: f"{len(wrong_in(stack))} SKUs are wrong; {stack.trouble()}", 0.2)
    arrived, updates = time.monotonic() - begun, calls(stack, mark)
    await_sweep(stack, "a last sweep")
    used = [number for number in changed_in(sweeps(stack)[before:]) if number]
    updated = sum(one["method"] == "PATCH" for one in stack.requests_since(mark))
    print(f"changed: {changes} variants, seen by sweeps as {used}, {updated} PATCHes, {calls(stack, mark)} calls, {arrived:.1f} s")
    wrong = wrong_in(stack)
    print(f"products: products={count} skus={made} made={made} unchanged_calls={unchanged_calls} changed={changes} "
          f"updated={updated} calls={updates} wrong={len(wrong)}")
    # The changes are written one by one while a sweep may run: each is in the first sweep that asks for it afterwards.
    return not wrong and unchanged_calls == 0 and updated == updates == changes and sum(used) == changes and len(used) <= 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=100)
    arguments = parser.parse_args()
    with Shop("bench-products", orders=0, sandbox=("--products", str(arguments.products)),
              store={"products": "on", "products_interval_s": 5}) as stack:
        stack.start()
        return 0 if run(stack, arguments.products, arguments.changes) else 1


sys.exit(main())
