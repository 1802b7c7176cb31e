#!/usr/bin/env python3
"""make conformance: every kind of request that the services make, through a validating proxy of the vendors' documents.

Usage: tests/conformance/conformance.py [--documents DIR] [--orders N]

N: at least 200; fewer orders do not need every kind of request. DIR holds keap-v2.openapi.yaml and
bigcommerce.openapi.yaml (default: ../shared/apis beside the checkout). Strict copies of them are put in front of the
sandbox by Prism. First the proxies prove themselves: each bad request gives one
violation. Then a store is synced with all its lanes and settings on: orders, payments, tags, notes, goals, customers with and
without an order, a catalogue with variants and HTML; changes of all of them, answers that get lost, and a backfill of a
second store. Prints how often each kind of request occurred, then
`conformance: requests=N kinds=K creates=M violations=0`; exit status 1 when a request breaks a document, or when one of
the kinds did not occur.
"""

import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

import kinds  # noqa: E402
import strict  # noqa: E402
from processes import ROOT, wait_until  # noqa: E402
from proxy import Proxy, install_prism, prove  # noqa: E402
from shop import DATE, item, mail, order  # noqa: E402
from shop_stack import Shop  # noqa: E402
from stack import SERVICES, run_name  # noqa: E402

DAY_S = 86400
CUSTOMERS, GROUPS, PRODUCTS = 150, 260, 90  # more than a page of each
KNOWN = 1010  # products that the account has before: more than a page
LANES = {"contacts": "on", "products": "on", "products_interval_s": 1, "payments": "paid", "payment_type": "Credit Card (Manual)",
         "sku_tag": "Bought {sku}", "coupon_tag": "Coupon {coupon}", "group_tag": "Group {group}",
         "after_sync": "note", "order_notes": "customer_message", "lead_affiliate_id": "12", "field.Paid with": "payment_method"}
PLACE = {"first_name": "Ada", "last_name": "King", "address1": "555 East Street", "address2": "Apt 3", "city": "Austin",
         "state_or_province": "Texas", "postal_code": "78108", "country": "United States", "country_code": "US",
         "phone": "555-1"}


def stores():
    start = time.time() - 2 * DAY_S
    past = {"start_from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start)), "backfill_from": "2015-01-01T00:00:00Z"}
    return [{"name": "main", "code": "BC", "hash": "abc123", **LANES},
            {"name": "past", "code": "OLD", "hash": "abc124", **past}]


def report(name, lines):
    for line in sorted(set(lines))[:10]:
        print(f"  {name}: {lines.count(line)} x {line}")


class Run(Shop):
    """The stores of the run, and what happens in them."""

    def put(self, what, *objects):
        """Puts customers, products or groups into the store; returns them as the store has them."""
        return [self.call("POST", f"/sandbox/stores/abc123/{what}", one) for one in objects]

    def edit(self, what, number, **members):
        self.call("PATCH", f"/sandbox/stores/abc123/{what}/{number}", members)

    def fill(self):
        """What is there before the services start."""
        for number in range(KNOWN):
            self.infusionsoft("POST", "/products", {"sku": f"KNOWN-{number}", "name": "Thing", "short_description": "Thing",
                                                    "price": 1000})
        self.infusionsoft("POST", "/orders/model/customFields", {"label": "Paid with", "field_type": "TEXT"})
        groups = self.put("customer_groups", *({"name": f"Group {i}"} for i in range(GROUPS)))
        places = [[], [PLACE], [PLACE, {**PLACE, "address1": "8 Aloha Lane", "state_or_province": "Hawaii"}]]
        self.customers = self.put("customers", *(
            {"email": mail("shopper"), "first_name": "Ada", "last_name": "Lovelace", "phone": "555-123-4567" if i % 2 else "",
             "addresses": places[i % 3], "customer_group_id": groups[i]["id"] if i % 5 == 0 else 0} for i in range(CUSTOMERS)))
        self.customers += self.put("customers", {"email": f"star*{mail('star')}", "first_name": "Ada", "last_name": "Star", "addresses": [PLACE]},
                                   {"email": "no address", "first_name": "Nobody", "last_name": "Nowhere"})
        self.call("POST", "/sandbox/stores/abc123/products", {"generate": PRODUCTS, "seed": 1})
        old = time.strftime(DATE, time.gmtime(time.time() - 100 * DAY_S))
        for _ in range(20):
            self.place(order(mail("old"), date_created=old, date_modified=old), "abc124")

    def wait_fates(self, what, objects, count=1):
        """Waits until each of these customers or products has been answered so often."""
        def missing():
            return [one["id"] for one in objects if len(self.fate_records(f"abc123/{what}/{one['id']}")) < count]
        wait_until(lambda: not missing(), 120, lambda: f"{what} {missing()[:5]}; {self.trouble()}")

    def sync_changes(self):
        """Changed customers and products, orders of customers, and nothing that is synced changed."""
        products = self.call("GET", "/sandbox/stores/abc123/products")
        self.wait_fates("contact", self.customers)
        self.wait_fates("product", products)
        changed = self.customers[:20] + [self.customers[CUSTOMERS]]  # that one has a star in its address
        for one in changed:
            self.edit("customers", one["id"], last_name="King", phone="555-77", addresses=[PLACE, {**PLACE, "city": "Dallas"}])
        for one in self.customers[40:60]:
            self.edit("customers", one["id"], notes="Nothing that is synced.")
        for one in products[:10]:
            self.edit("products", one["id"], price=17.25, description="<p>New &amp; <b>better</b></p><ul><li>one</li></ul>")
        for one in products[10:20]:
            self.edit("products", one["id"], inventory_level=7)
        variant = next(one for one in products[20:] if len(one["variants"]) > 1)
        self.edit("products", f"{variant['id']}/variants/{variant['variants'][0]['id']}", price=3.5)
        self.wait_fates("contact", changed, 2)
        self.wait_fates("product", [*products[:10], variant], 2)
        for one in self.customers[20:30]:
            placed = self.place_and_wait(order(one["email"].upper(), [item("MUG-1", "A mug")], coupons=[("SPRING", "1.00")],
                                               customer_message="Ring twice,\nplease."))
        self.change(placed["id"], status_id=14, refunded_amount="2.5000")
        self.change(placed["id"] - 1, status_id=5)
        wait_until(lambda: sum((e.get("effect") or {}).get("made") == "note" for e in self.journal()) >= 2, 60,
                   lambda: f"two notes; {self.trouble()}")

    def lose_answers(self):
        """Answers that get lost or say nothing, after which the services look up what happened."""
        for path, text in (("/orders", "order_items"), ("/orders", "apply_to_commissions"), ("/products", "LOST-1"), ("/products", "STAR*1")):
            self.fault(side="is", method="POST", path=path, match=text, kind="drop_after", count=1)
        first = self.place_and_wait(order(mail("lost"), [item("LOST-1", "Lost"), item("STAR*1", "Star"), item("A;B", "Other")]),
                                    timeout=60)
        contact = self.fate_records(f"abc123/order/{first['id']}")[-1].json()["contact_id"]
        self.fault(side="is", method="POST", path="/tags", match="contact_ids", kind="status", status=200, count=1,
                   body='{"results": {"%s": "ODD"}}' % contact)
        self.place_and_wait(order(first["billing_address"]["email"], [item("LOST-2", "Lost too")]))
        self.clear_faults()

    def commands(self):
        """What the services do not ask: the commands of an operator."""
        self.command("doctor")
        self.command("preview", "--store", "BC")
        self.command("backfill", "--store", "OLD", "--from", "2015-01-01")


def prove_proxies(stack, make):
    for side in ("infusionsoft", "bigcommerce"):
        trial = make(side, f"proxy-trial-{side}")
        print(f"conformance: the proxy of {side} proved itself: {prove(trial, side)} bad requests, as many violations")
        trial.process.stop()


def run(stack, proxies):
    stack.account["api_url"] = f"http://{proxies['infusionsoft'].address}/rest/v2"
    for one in stack.stores:
        one["api_url"] = f"http://{proxies['bigcommerce'].address}"
    stack.fill()
    stack.start_services(SERVICES)
    stack.sync_changes()
    stack.lose_answers()
    stack.commands()
    stack.wait_drained(300, progress=lambda done, total: print(f"\r{done} of {total}", end="", file=sys.stderr))
    print(file=sys.stderr)
    stack.write_expectation(existing_products=[f"KNOWN-{number}" for number in range(KNOWN)])
    judge = stack.judge()
    for service in stack.services.values():
        service.stop()
    return judge


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", default=os.path.join(ROOT, os.pardir, "shared", "apis"))
    parser.add_argument("--orders", type=int, default=500)
    arguments = parser.parse_args()
    if arguments.orders < 200:
        parser.error("--orders: at least 200")
    documents = {"infusionsoft": "keap-v2.openapi.yaml", "bigcommerce": "bigcommerce.openapi.yaml"}
    paths = {side: os.path.join(arguments.documents, name) for side, name in documents.items()}
    for path in paths.values():
        if not os.path.exists(path):
            raise SystemExit(f"conformance: {path} is missing; --documents names the folder with the API documents")
    program = install_prism()

    with Run(run_name("conformance"), orders=arguments.orders, stores=stores()) as stack:
        strict.write(paths["infusionsoft"], f"{stack.run}/infusionsoft.json", "X-Keap-API-Key")
        strict.write(paths["bigcommerce"], f"{stack.run}/bigcommerce.json")
        del stack.account["currency"]  # then the account is asked for it
        stack.account["note_user_id"] = 1
        stack.start_servers()
        upstream = {"infusionsoft": f"{stack.url}/crm", "bigcommerce": stack.url}

        def make(side, name):
            return Proxy(name, program, f"{stack.run}/{side}.json", upstream[side], stack.run)
        prove_proxies(stack, make)
        proxies = {side: make(side, f"proxy-{side}") for side in documents}
        judge = run(stack, proxies)
        fields = {effect["field_name"] for _, effect in judge.effects("order_custom_field")}
        proxies["infusionsoft"].queries.custom_fields = fields
        violations, amiss = [], []
        for side, proxy in proxies.items():
            violations += proxy.violations()
            amiss += kinds.count(side, proxy.sent())
            report(f"request to {side}", proxy.violations())
            report(f"answer of the sandbox's {side}", proxy.violations("response"))
            proxy.process.stop()
    for sentence in amiss:
        print(f"conformance: {sentence}")
    requests = sum(proxy.received() for proxy in proxies.values())
    print(f"conformance: requests={requests} kinds={sum(map(len, kinds.KINDS.values()))} creates={judge.created} "
          f"violations={len(violations)}")
    return 1 if violations or amiss or judge.violations or not judge.created else 0


if __name__ == "__main__":
    sys.exit(main())
