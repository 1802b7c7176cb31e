#!/usr/bin/python3
"""The judge of a run: reads what the sandbox wrote down and says whether every order arrived, once, and right.

    python3 tests/oracle.py build/out/<run>

The run folder holds
    journal.jsonl        every request and every change in a store, written by the sandbox
    orders-<hash>.json   every order of the store at the end, as the sandbox has it, lines and coupons complete;
                         orders-<hash>-start.json: the same before anything was synced
    expect.json          the settings that matter: {"stores": {hash: {"code", ...}}, ...}, see settings()
    customers-<hash>.json, customer_groups-<hash>.json, products-<hash>.json, each also with -start
                         the same of what else a store has, where its lanes are on; each may be absent
    fates.jsonl          optional: {"topic", "key", "timestamp_ms", "headers", "value"} of delivered, skipped and dead

It prints one line `orders=N created=N lost=0 duplicated=0` (N: orders that were to be synced) and one line per
violation, and exits 1 when there is any. It shares no code with the pipeline: reference.py says what is right.
"""

import collections
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import amounts  # noqa: E402
import judge_after  # noqa: E402
import reference  # noqa: E402
from evidence import KEY_FIELD, Evidence, final_fate  # noqa: E402
from oracle_goals import Goals  # noqa: E402
from oracle_lanes import Lanes, digest  # noqa: E402

# Members that a request may carry beside those which are compared.
CONTACT_EXTRA = {"source_type"}
CONTACT_KNOWN = {"given_name", "family_name", "email_addresses", "phone_numbers", "addresses"} | CONTACT_EXTRA


class Judge(Goals, Lanes, Evidence):
    def __init__(self, run):
        super().__init__(run)
        self.violations = []
        self.lost = 0
        self.duplicated = 0

    def blame(self, text):
        self.violations.append(text)

    # -- orders ----------------------------------------------------------------------------------------------------

    def judge(self):
        self.eligible = 0
        self.accepted = {}  # (hash, id) -> mappings of the versions that were to be synced
        for key, versions in self.versions.items():
            self.judge_order(key, versions)
        known = {f"bc-{store}-{number}" for store, number in self.versions}
        for external in self.creates:
            if external not in known:
                self.blame(f"order {external!r} was created, no store has it")
        self.was_refused = any(entry["side"] == "is" and entry.get("status") == 400
                               and "/contacts" in entry.get("path", "") for entry in self.journal)
        self.read_customers()
        self.read_catalogue()
        self.judge_contacts()
        self.judge_customers()
        self.judge_products()
        self.judge_catalogue()
        self.judge_payments()
        self.judge_tags()
        judge_after.judge_notes(self)
        self.judge_goals()
        return not self.violations

    def judge_order(self, key, versions):
        store_hash, number = key
        store = self.stores[store_hash]
        name = f"{store_hash}/order/{number}"
        answers = [reference.fate_of(version, store_hash, store) for version in versions]
        mappings = [mapping for _, _, mapping in answers if mapping]
        self.accepted[key] = mappings
        creates = self.creates.get(f"bc-{store_hash}-{number}", [])
        final_stage, final_reason, _ = answers[-1]
        self.eligible += 1 if final_stage == "delivered" or creates else 0
        if len(creates) > 1:
            self.duplicated += len(creates) - 1
            self.blame(f"{name}: created {len(creates)} times")
        if not creates and final_stage == "delivered":
            self.lost += 1
            self.blame(f"{name}: lost, nothing was created")
        if creates and not mappings:
            self.blame(f"{name}: created though it is {final_stage} {final_reason}")
        elif creates:
            for entry, effect, body in creates:
                complaints = [self.compare_order(body, effect, mapping, store) for mapping in mappings]
                if all(complaints):
                    self.blame(f"{name}: {min(complaints, key=len)[0]}")
            if len(creates) == 1 and self.titles[creates[0][2].get("order_title")] > 1:
                self.blame(f"{name}: its title stands on more than one order")
        self.judge_fate(name, answers[-1], creates, versions)

    def compare_order(self, body, effect, mapping, store):
        """What is wrong with the created order: a list of sentences, empty when it is right."""
        wrong = []
        if body.get("order_title") != mapping["title"]:
            wrong.append(f"title {body.get('order_title')!r}, expected {mapping['title']!r}")
        fields = body.get("custom_fields") or []
        got = sorted((str(self.label_of(f)), f.get("content")) for f in fields)
        if got != sorted([(KEY_FIELD, mapping["key"]), *mapping["fields"].items()]):
            wrong.append(f"custom fields {fields}, expected {mapping['key']!r} and {mapping['fields']}")
        if body.get("lead_affiliate_id") != mapping["lead_affiliate_id"]:
            wrong.append(f"affiliate {body.get('lead_affiliate_id')!r}")
        if body.get("order_type") != "ONLINE":
            wrong.append(f"order_type {body.get('order_type')!r}")
        wrong += self.compare_time(body.get("order_time"), mapping["time"])
        wrong += self.compare_lines(body.get("order_items") or [], mapping, store)
        wrong += self.compare_place("shipping_address", body.get("shipping_address"),
                                    mapping["shipping_address"], "region")
        if body.get("notes") != mapping["notes"]:
            wrong.append("the notes are not the customer's message")
        mails = self.contact_mails.get(str(body.get("contact_id")))
        if mails is None or mapping["contact"]["identity"] not in mails:
            wrong.append(f"contact {body.get('contact_id')} is not the customer's")
        extra = set(body) - {"order_title", "custom_fields", "order_type", "order_time", "order_items",
                             "shipping_address", "notes", "lead_affiliate_id", "contact_id"}
        if extra:
            wrong.append(f"members that nobody asked for: {sorted(extra)}")
        return wrong

    @staticmethod
    def compare_time(got, expected):
        if not isinstance(got, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.0+)?Z", got):
            return [f"order_time {got!r} is not ISO 8601 in UTC"]
        if reference.iso_instant(re.sub(r"\.0+Z", "Z", got)) != expected:
            return [f"order_time {got}, expected {expected:%Y-%m-%dT%H:%M:%SZ}"]
        return []

    def compare_lines(self, items, mapping, store):
        wrong = []
        stated = mapping["amounts"]
        sent = []
        products = [item for item in items if item.get("item_type", "PRODUCT") == "PRODUCT"]
        others = [item for item in items if item.get("item_type", "PRODUCT") != "PRODUCT"]
        if len(products) != len(mapping["lines"]):
            wrong.append(f"{len(products)} product lines, expected {len(mapping['lines'])}")
        for item, line in zip(products, mapping["lines"]):
            price = self.price_units(item, stated.digits)
            if not any((names is None or item.get("name") in names) and item.get("quantity") == quantity
                       and price == wanted for names, quantity, wanted in line["ways"]):
                wrong.append(f"line {item.get('quantity')} x {item.get('name')!r} at {item.get('price_per_unit')},"
                             f" expected {line['ways'][0]}")
            if not (item.get("name") or "").strip() or len(item["name"]) > 200:
                wrong.append(f"line name {item.get('name')!r}")
            identities = self.product_identities.get(str(item.get("product_id")))
            if identities is not None and line["identity"] not in identities:
                wrong.append(f"line {item.get('name')!r} has the product {sorted(identities)},"
                             f" expected {line['identity']}")
            if identities is None and not self.expect.get("existing_products"):
                wrong.append(f"line {item.get('name')!r} has an unknown product {item.get('product_id')!r}")
            sent.append(("PRODUCT", None, (price or 0) * (item.get("quantity") or 0)))
        for item in others:
            price = self.price_units(item, stated.digits)
            kind = item.get("item_type")
            if price is None:
                wrong.append(f"{kind} line at {item.get('price_per_unit')}")
                price = 0
            if kind == "DISCOUNT" and store["discount_sign"] == "positive":
                price = -price
            if item.get("quantity") != 1:
                wrong.append(f"{kind} line with quantity {item.get('quantity')}")
            if "name" in item and not (item["name"] or "").strip():
                wrong.append(f"{kind} line with a blank name")
            sent.append((kind, item.get("name"), price))
        wrong += stated.faults(sent)
        kinds = [item.get("item_type") for item in others if item.get("name") != "Rounding"]
        if kinds != sorted(kinds, key=["SHIPPING", "TAX", "FEE", "DISCOUNT"].index):
            wrong.append(f"lines in the order {kinds}")
        if items != products + others:
            wrong.append("product lines do not come first")
        return wrong

    @staticmethod
    def price_units(item, digits):
        """The price in smallest units; None where it is no whole number of them."""
        try:
            price = reference.money(item.get("price_per_unit")) * 10**digits
        except reference.Malformed:
            return None
        return int(price) if price == int(price) and item.get("price_per_unit") is not None else None

    @staticmethod
    def compare_place(what, got, expected, region_name):
        """An address that was sent against the expected one; region in the expected one is a set."""
        if expected is None:
            return [f"{what}: not expected"] if got else []
        if not isinstance(got, dict):
            only_country = not any(v for k, v in expected.items() if k not in ("country_code", region_name))
            return [] if only_country else [f"{what}: missing"]
        wrong = []
        for name in set(got) | set(expected):
            value = got.get(name)
            if name == region_name:
                if value not in expected[name]:
                    wrong.append(f"{what} {name} {value!r}, expected one of {expected[name]}")
            elif name not in expected:
                wrong.append(f"{what}: unexpected member {name}")
            elif (value.rstrip() if isinstance(value, str) else value) != expected[name]:
                wrong.append(f"{what} {name} {value!r}, expected {expected[name]!r}")
        return wrong

    def judge_fate(self, name, answer, creates, versions):
        """The order's one answer against the rules; and no create after its withdrawal was answered."""
        stage, reason, _ = answer
        if self.fates is None:
            return
        fates = self.fates.get(name, [])
        final = final_fate(fates)
        if final is None and not creates and reference.is_out_of_reach(versions[-1], self.stores[name.split("/")[0]]):
            return
        if final is None:
            self.blame(f"{name}: no fate, expected {stage} {reason or ''}".rstrip())
            return
        got, why = final
        if creates:
            stage, reason = "delivered", None
        if (got, why) != (stage, reason):
            self.blame(f"{name}: {got} {why or ''}, expected {stage} {reason or ''}".replace(" ,", ","))
        if creates and versions[-1]["status_id"] in reference.WITHDRAWN:
            modified = reference.instant(versions[-1].get("date_modified")).timestamp() * 1000
            for fate in fates:
                if fate["topic"] == "skipped" and fate["value"] and fate["value"].get("reason") == "status" \
                        and fate["value"].get("modified_at") == modified \
                        and creates[0][0]["t"] * 1000 > fate["timestamp_ms"]:
                    self.blame(f"{name}: created after its withdrawal was answered")

    # -- payments --------------------------------------------------------------------------------------------------

    def judge_payments(self):
        """Each order has at most one payment, of what was paid; what was paid has one, unless the account refused it."""
        asked = {}
        for (store_hash, number), mappings in self.accepted.items():
            for _, effect, _ in self.creates.get(f"bc-{store_hash}-{number}", []):
                asked[str(effect["id"])] = (store_hash, number, mappings)
        for order_id in self.payments.keys() - asked.keys():
            self.blame(f"order {order_id} of the account has a payment, and nobody asked for that order")
        for order_id, (store_hash, number, mappings) in asked.items():
            name, store = f"{store_hash}/order/{number}", self.stores[store_hash]
            made = self.payments.get(order_id, [])
            paid = set().union(*(mapping["paid"] for mapping in mappings))
            if len(made) > 1:
                self.blame(f"{name}: {len(made)} payments")
            if not made and 0 not in paid and not self.payment_was_refused(name):
                self.blame(f"{name}: no payment, {sorted(paid)} were paid")
            for body in made:
                self.judge_payment(name, body, paid, mappings, store)

    def judge_payment(self, name, body, paid, mappings, store):
        digits = mappings[0]["amounts"].digits
        amount = amounts.units(reference.money(body.get("payment_amount")), digits)
        if amount not in paid or amount == 0:
            self.blame(f"{name}: a payment of {amount}, {sorted(paid)} were paid")
        if body.get("payment_method_type") != store["payment_type"]:
            self.blame(f"{name}: payment of type {body.get('payment_method_type')!r}, expected {store['payment_type']!r}")
        if reference.iso_instant(body.get("payment_time")) != mappings[0]["time"]:
            self.blame(f"{name}: payment_time {body.get('payment_time')!r}")
        if body.get("notes") != mappings[0]["key"] or body.get("apply_to_commissions") is not False:
            self.blame(f"{name}: payment with {body}")
        extra = set(body) - {"payment_amount", "payment_method_type", "payment_time", "notes", "apply_to_commissions"}
        if extra:
            self.blame(f"{name}: members of the payment that nobody asked for: {sorted(extra)}")

    def payment_was_refused(self, name):
        """Whether the order's record in `delivered` says that the account did not take the payment."""
        values = [fate["value"] for fate in (self.fates or {}).get(name, [])
                  if fate["topic"] == "delivered" and fate["value"]]
        return any(one["step"] == "payment" for value in values for one in value.get("incomplete", []))

    # -- contacts, products, goals ---------------------------------------------------------------------------------

    def judge_contacts(self):
        self.order_wishes = collections.defaultdict(list)
        for (store_hash, _), mappings in self.accepted.items():
            for mapping in mappings:
                self.order_wishes[mapping["contact"]["identity"]].append(mapping["contact"])
                self.asking[mapping["contact"]["identity"]].add(self.stores[store_hash]["existing_contact"])
        known = set(self.expect.get("existing_contacts", []))
        for identity, posts in self.contact_posts.items():
            if len(posts) > 1:
                self.blame(f"contact {digest(identity)}: created {len(posts)} times")
            if identity in known:
                continue
            wanted = self.order_wishes[identity] + self.customer_wishes[identity]
            if not wanted:
                self.blame(f"contact {digest(identity)}: created for no order or customer that is to be synced")
                continue
            number, body = posts[0]
            complaints = [self.compare_contact(body, c) for c in wanted]
            if all(complaints):
                self.blame(f"contact {digest(identity)}: {min(complaints, key=len)[0]}")
            self.judge_contact_end(identity, self.contacts[number], wanted)

    def compare_contact(self, body, expected):
        wrong = []
        mails = body.get("email_addresses") or []
        mail = {"field": "EMAIL1", "email": expected["email"]}
        if expected["opt_in_reason"]:
            mail["opt_in_reason"] = expected["opt_in_reason"]
        if mails != [mail]:
            wrong.append("its e-mail entry is not the expected one"
                         + (" (with opt_in_reason)" if expected["opt_in_reason"] else ""))
        for name in ("given_name", "family_name"):
            got = body.get(name)
            if (got.rstrip() if isinstance(got, str) else got) != expected[name]:
                wrong.append(f"{name} differs")
        phones = [(p.get("field"), (p.get("number") or "").rstrip()) for p in body.get("phone_numbers") or []]
        if phones != ([("PHONE1", expected["phone"])] if expected["phone"] else []):
            wrong.append("phone differs")
        places = {a.get("field"): a for a in body.get("addresses") or []}
        for field in set(places) | set(expected["addresses"]):
            got = {k: v for k, v in places.get(field, {}).items() if k != "field"} or None
            target = expected["addresses"].get(field)
            if target and self.was_refused:
                target = {**target, "region_code": target["region_code"] | {None}}
            wrong += self.compare_place(field, got, target, "region_code")
        if len(places) != len(body.get("addresses") or []):
            wrong.append("the same address field twice")
        if set(body) - CONTACT_KNOWN:
            wrong.append(f"members that nobody asked for: {sorted(set(body) - CONTACT_KNOWN)}")
        return wrong

    def judge_contact_end(self, identity, state, wanted):
        """At the end each name is one that the customer or one of its orders gave, and not empty when any gave one."""
        for name in ("given_name", "family_name"):
            values = {c[name] for c in wanted}
            allowed = values - {None} or {None}
            got = state.get(name)
            if ((got or "").rstrip() or None) not in allowed:
                self.blame(f"contact {digest(identity)}: {name} at the end is none that was given")

    def judge_products(self):
        wanted = collections.defaultdict(list)
        for mappings in self.accepted.values():
            for mapping in mappings:
                for line in mapping["lines"]:
                    wanted[line["identity"]].append(line["product"])
        known = self.known_products()
        for identity, made in self.products.items():
            if len(made) > max(1, known[identity]):
                self.blame(f"product {identity}: created {len(made)} times")
            if identity in known:
                continue
            if identity not in wanted and identity not in self.catalogue_wishes:
                self.blame(f"product {identity}: created for no line or product that is to be synced")
                continue
            body = made[0][1]
            if not self.is_of_catalogue(identity, body) and not any(self.product_is(body, product) for product in wanted[identity]):
                self.blame(f"product {identity}: {body}, expected like"
                           f" {(wanted[identity] + self.catalogue_wishes[identity])[0]}")

    def known_products(self):
        """SKU -> how many products somebody else made with it."""
        return collections.Counter(sku.lower() for sku in self.expect.get("existing_products") or [])

    @staticmethod
    def product_is(body, product):
        name = product["name"]
        if name is None:
            name = body.get("name")
        return bool((name or "").strip()) and body.get("name") == name and body.get("short_description") == name \
            and body.get("price") == product["price"] and (body.get("sku") or "").strip() == product["sku"]

    @staticmethod
    def split(name):
        store, _, number = name.split("/")
        return store, int(number)

    # -- figures ---------------------------------------------------------------------------------------------------

    def delays(self):
        """Seconds from the change that made an order eligible to its create, for those placed during the run."""
        found = []
        for (store, number), at in self.placed_at.items():
            creates = self.creates.get(f"bc-{store}-{number}", [])
            if creates:
                found.append(float(creates[0][0]["t"] - at))
        return sorted(found)

    @property
    def created(self):
        return sum(len(entries) for entries in self.creates.values())

    def line(self):
        return (f"orders={self.eligible} created={self.created}"
                f" lost={self.lost} duplicated={self.duplicated}")


def main():
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) == 2 else 100
    judge = Judge(sys.argv[1])
    judge.judge()
    for violation in judge.violations[:50]:
        print(violation)
    if len(judge.violations) > 50:
        print(f"... and {len(judge.violations) - 50} more")
    print(judge.line())
    return 1 if judge.violations else 0


if __name__ == "__main__":
    sys.exit(main())
