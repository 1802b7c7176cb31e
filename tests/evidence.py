"""The evidence of a run, as it lies in the run folder: read, sorted, not judged. See oracle.py for the files."""

import collections
import json
import os

import reference

STORE_DEFAULTS = {
    "code": "BC",
    "start_from": "all",
    "statuses": sorted(reference.ELIGIBLE),
    "opt_in": "opted_in",
    "payments": "off",
    "payment_type": "",
    "order_notes": "off",
    "goal_call_names": "as_is",
    "lead_affiliate_id": "",
    "fields": {},
    "opt_in_reason": reference.OPT_IN_REASON,
    "currency": "USD",
    "discount_sign": "negative",
    "shipping_region": "code",
    "sku_tag": "off",
    "coupon_tag": "off",
    "after_sync": "ignore",
    "after_sync_tag": "Order {status}",
    "group_tag": "{group}",
    "contacts": "off",
    "products": "off",
    "existing_contact": "keep",
}
LANES = ("customers", "customer_groups", "products")  # what a store has beside its orders


KEY_FIELD = "BigCommerce Order"  # label of the custom field with the external key


class Evidence:
    def __init__(self, run):
        self.run = run
        self.load()
        self.collect_contacts()
        self.collect_products()
        self.collect_tags()
        self.collect_orders()
        self.collect_payments()

    @staticmethod
    def settings(run):
        """{store hash: settings} of expect.json, with the defaults filled in."""
        with open(f"{run}/expect.json", encoding="utf-8") as file:
            stores = json.load(file)["stores"]
        return {h: {**STORE_DEFAULTS, **s, "statuses": set(s.get("statuses", STORE_DEFAULTS["statuses"]))}
                for h, s in stores.items()}

    def load(self):
        with open(f"{self.run}/expect.json", encoding="utf-8") as file:
            self.expect = json.load(file)
        self.stores = self.settings(self.run)
        self.journal = []
        with open(f"{self.run}/journal.jsonl", encoding="utf-8") as file:
            for line in file:
                self.journal.append(reference.load_json(line))
        self.versions = collections.OrderedDict()  # (hash, id) -> versions of the order, oldest first
        self.placed_at = {}  # (hash, id) -> time of the change that first made it eligible
        self.load_orders("-start")
        for entry in self.journal:
            effect = entry.get("effect")
            if entry["side"] == "store" and effect and "consignments" in effect:
                self.add_version(effect.get("store"), effect, entry["t"])
        self.load_orders("")
        self.load_lanes()
        self.fates = None
        if os.path.exists(f"{self.run}/fates.jsonl"):
            self.fates = collections.defaultdict(list)
            with open(f"{self.run}/fates.jsonl", encoding="utf-8") as file:
                for line in file:
                    fate = json.loads(line)
                    self.fates[fate["key"]].append(fate)

    def load_orders(self, when):
        for store in self.stores:
            path = f"{self.run}/orders-{store}{when}.json"
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    for order in reference.load_json(file.read()):
                        self.add_version(store, order, None)

    def load_lanes(self):
        """self.things: customers, customer_groups, products -> (hash, id) -> versions, oldest first; the last one is None where it
        was removed. The files <what>-<hash>-start.json and <what>-<hash>.json may be absent."""
        self.things = {what: collections.OrderedDict() for what in LANES}
        self.load_things("-start")
        for entry in self.journal:
            parts = entry.get("path", "").split("/")
            if entry["side"] == "store" and len(parts) == 5 and parts[3] in LANES:
                version = None if entry["method"] == "REMOVE" else entry["effect"]
                self.things[parts[3]].setdefault((parts[2], int(parts[4])), []).append(version)
        self.load_things("")

    def load_things(self, when):
        for what in LANES:
            for store in self.stores:
                path = f"{self.run}/{what}-{store}{when}.json"
                if os.path.exists(path):
                    with open(path, encoding="utf-8") as file:
                        for one in reference.load_json(file.read()):
                            self.things[what].setdefault((store, one["id"]), []).append(one)

    def add_version(self, store, order, at):
        order = dict(order)
        order["id"] = int(order["id"])
        key = (store, order["id"])
        self.versions.setdefault(key, []).append(order)
        if at is not None and key not in self.placed_at and store in self.stores:
            if reference.fate_of(order, store, self.stores[store])[0] == "delivered":
                self.placed_at[key] = at

    def effects(self, kind):
        """Journal lines of the account that made or changed such a thing."""
        for entry in self.journal:
            effect = entry.get("effect")
            if entry["side"] == "is" and effect and kind in (effect.get("made"), effect.get("changed")):
                yield entry, effect

    @staticmethod
    def body(entry):
        body = entry.get("body")
        return reference.load_json(body) if isinstance(body, str) and body else body or {}

    def collect_orders(self):
        """self.creates: external key -> [(entry, body)] of every order made in the account."""
        self.creates = collections.OrderedDict()
        self.titles = collections.Counter()
        self.labels = {str(effect["id"]): effect["label"] for _, effect in self.effects("order_custom_field")}
        for entry, effect in self.effects("order"):
            if effect.get("made") != "order":
                continue
            body = self.body(entry)
            fields = body.get("custom_fields") or []
            own = [field for field in fields if self.label_of(field) == KEY_FIELD]
            key = own[0].get("content") if len(own) == 1 else None
            self.creates.setdefault(key, []).append((entry, effect, body))
            self.titles[body.get("order_title")] += 1

    def label_of(self, field):
        """The label of an order's custom field. A run that made no fields has the key's alone."""
        return self.labels.get(str(field.get("id"))) if self.labels else KEY_FIELD

    def collect_payments(self):
        """self.payments: order id -> bodies of the payments that were made for it."""
        self.payments = collections.defaultdict(list)
        for entry, effect in self.effects("payment"):
            self.payments[str(effect["order_id"])].append(self.body(entry))

    def collect_contacts(self):
        """self.contacts: id -> last state; self.contact_mails: id -> its addresses in lower case."""
        self.contacts, self.contact_mails = {}, {}
        self.contact_posts = collections.OrderedDict()  # identity -> [(id, body)]
        for entry, effect in self.effects("contact"):
            number = str(effect["id"])
            state = self.contacts.setdefault(number, {})
            state.update({k: v for k, v in effect.items() if k not in ("made", "changed")})
            mails = [e.get("email") or "" for e in state.get("email_addresses") or []]
            self.contact_mails[number] = {m.strip().encode().lower().decode() for m in mails}
            if effect.get("made") == "contact":
                body = self.body(entry)
                mails = [e.get("email") or "" for e in body.get("email_addresses") or []]
                for mail in mails[:1]:
                    self.contact_posts.setdefault(mail.strip().encode().lower().decode(), []).append((number, body))

    def collect_products(self):
        self.product_identities = {}  # product id -> identities
        self.products = collections.OrderedDict()  # identity -> [(id, body)]
        self.product_states = {}  # id -> the product as it is at the end
        for entry, effect in self.effects("product"):
            number = str(effect["id"])
            body = self.body(entry)
            sku = effect.get("sku", body.get("sku")) or ""
            self.product_identities.setdefault(number, set()).add(sku.strip().lower())
            self.product_states.setdefault(number, {}).update(effect)
            if effect.get("made") == "product":
                self.products.setdefault(sku.strip().lower(), []).append((number, body))

    def collect_tags(self):
        """self.tags_made: (name, id) of every tag made; self.tagged: contact id -> names of the tags applied to it."""
        self.tags_made, self.tagged, names = [], collections.defaultdict(set), {}
        for entry, effect in self.effects("tag"):
            names[str(effect["id"])] = reference.lower(effect["name"].strip())
            self.tags_made.append((names[str(effect["id"])], str(effect["id"])))
        for entry, effect in self.effects("tagging"):
            for contact, result in effect["results"].items():
                if result != "FAILURE":
                    self.tagged[str(contact)].add(names.get(str(effect["id"]), f"tag {effect['id']}"))


def final_fate(fates):
    """The one answer of an order from all its fate records: (delivered, None), (skipped, reason), (dead, reason)."""
    if any(fate["topic"] == "delivered" for fate in fates):
        return "delivered", None
    newest = None
    for fate in sorted(fates, key=lambda f: f["timestamp_ms"]):
        if fate["value"] is None and fate["topic"] == "dead":  # a replay took it back
            if newest is not None and newest["topic"] == "dead":
                newest = None
            continue
        if newest is None or modified(fate) >= modified(newest):
            newest = fate
    if newest is None:
        return None
    if newest["topic"] == "dead":
        return "dead", newest["headers"].get("reason")
    return newest["topic"], (newest["value"] or {}).get("reason") if isinstance(newest["value"], dict) else None


def modified(fate):
    value = fate["value"] if isinstance(fate["value"], dict) else {}
    number = fate["headers"].get("modified_at") or value.get("modified_at") or 0
    return int(number) if str(number).isdigit() else 0
