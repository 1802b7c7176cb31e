#!/usr/bin/python3
"""Every member of a valid payload in every wrong type, through the real pusher.

    tests/payloads.py [--each N]      N: every N-th change only (1: all)

Three payloads, an order with everything that one can have, a withdrawn one and a contact, are changed at one value at a time: absent,
null, another type, empty, blank, huge, negative, doubled, nested. Whether the result is a payload still is told by this
file's own reading of docs/mapping.md ("The payload record"), which shares nothing with the pusher. What is none must become
dead `malformed`; what is harmless must have another fate. Prints

    payloads: harmless=H delivered=D skipped=S refused=R
    payloads: tried=N dead=N crashes=0

tried: those that are no payload. Exit status 0, or 1 when a fate is wrong or missing or the pusher ended.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from decimal import Decimal

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from stack import Stack  # noqa: E402

FIRST_ID = 800001
HUGE = 20000
DEADLINE_S = 300


class Object(list):
    """A JSON object as its (name, value) pairs, so that a member can stand twice."""


def objects(value):
    """The same with every dict as an Object."""
    if isinstance(value, dict):
        return Object((name, objects(one)) for name, one in value.items())
    return [objects(one) for one in value] if isinstance(value, list) else value


def write(value):
    if isinstance(value, Object):
        return "{" + ",".join(f"{json.dumps(name)}:{write(one)}" for name, one in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(one) for one in value) + "]"
    return json.dumps(value)


# -- what is a payload: read from docs/mapping.md ------------------------------------------------------------------


def text(low=1, high=None):
    def check(value):
        return (isinstance(value, str) and all(ord(sign) >= 32 and ord(sign) != 127 for sign in value)
                and len(value) >= low and (high is None or len(value) <= high) and (low == 0 or value.strip() != ""))
    return check


def whole(low, high):
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def word(*words):
    return lambda value: isinstance(value, str) and value in words


def amount(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    number = Decimal(repr(value))
    return abs(number) < 10**15 and number == round(number, 4)


def address(value):
    if not text(3, 75)(value) or value.count("@") != 1 or value.startswith("@") or value.endswith("@"):
        return False
    return not any(sign.isspace() or sign in ",;:<>()" for sign in value)


def letters(value):
    return isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()


def instant(value):
    if not isinstance(value, str):
        return False
    try:
        time.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return False
    return len(value) == 20


def positive(value):
    return amount(value) and not repr(value).startswith("-")


def nullable(check):
    return lambda value: value is None or check(value)


def many(check, low=0, high=10**5):
    return lambda value: (isinstance(value, list) and not isinstance(value, Object) and low <= len(value) <= high
                          and all(check(one) for one in value))


def members(required, optional=None):
    known = {**required, **(optional or {})}

    def check(value):
        if not isinstance(value, Object):
            return False
        names = [name for name, _ in value if name in known]
        return (len(names) == len(set(names)) and set(required) <= set(names)
                and all(known[name](one) for name, one in value if name in known))
    return check


WHEN = whole(0, 253402300799999)
VERSION = whole(946684800000, 253402300799999)
MANY_DIGITS = 10**16 - 1
CONTACT = members(
    {"email_addresses": many(members({"email": address, "field": word("EMAIL1")}, {"opt_in_reason": text()}), 1, 1)},
    {"given_name": text(1, 40), "family_name": text(1, 40),
     "phone_numbers": many(members({"number": text(1, 40), "field": word("PHONE1")}), 1, 1),
     "addresses": many(members({"field": word("BILLING", "SHIPPING")},
                               {"line1": text(1, 100), "line2": text(1, 100), "locality": text(1, 100),
                                "postal_code": text(1, 20), "country_code": letters, "region_code": text(1, 10)}), 1, 2)})
HEAD = {"format": whole(1, 1), "account": word("main"), "external_key": text(), "placed_at": WHEN, "modified_at": VERSION,
        "contact": CONTACT}
HEAD_OPTIONAL = {"store": text(), "status": members({"id": whole(-2**63, 2**63 - 1), "name": text(0, 200)})}
BODY = members({"sku": text(), "name": text(1, 200), "short_description": text(1, 200), "price": whole(0, MANY_DIGITS)})
ITEM = members({"item_type": word("PRODUCT", "SHIPPING", "TAX", "FEE", "DISCOUNT"), "name": text(1, 200),
                "quantity": whole(1, 2**31 - 1), "price_per_unit": amount}, {"product": whole(0, 10**5)})
PLACE = members({}, {**{name: text() for name in ("first_name", "last_name", "company", "phone", "line1", "line2",
                                                  "locality", "zip_code", "region")}, "country_code": letters})
PAYMENT = members({"payment_amount": positive, "payment_method_type": text(1, 200), "payment_time": instant})
ORDER = members(
    {**HEAD, "kind": word("order"), "currency": text(3, 3), "total": whole(-MANY_DIGITS, MANY_DIGITS),
     "products": many(members({"sku": text(), "body": BODY})),
     "order": members({"order_title": text(), "order_time": instant, "order_type": word("ONLINE"),
                       "order_items": many(ITEM)}, {"shipping_address": PLACE, "notes": text(1, 2000), "lead_affiliate_id": text(1, 20)}),
     "goals": many(members({"integration": word("BCORDER", "BCSKU", "BCCOUPON"), "call_name": text()}))},
    {**HEAD_OPTIONAL, "fields": many(members({"label": text(1, 200), "content": text(1, 2000)}), 1, 20), "payment": nullable(PAYMENT), "tags": many(members({"name": text(1, 255)}))})
WITHDRAWN = members({**HEAD, "kind": word("withdrawn")}, HEAD_OPTIONAL)
CUSTOMER = members({"format": whole(1, 1), "kind": word("contact"), "account": word("main"), "modified_at": VERSION,
                    "contact": CONTACT}, {"store": text(), "tags": many(lambda one: False, 0, 0)})
ENTITIES = {"order": "order", "withdrawn": "order", "contact": "contact"}


def is_payload(value, key):
    if not isinstance(value, Object):
        return False
    root = dict(value)
    _, entity, number = key.split("/")
    if entity == "contact":
        return CUSTOMER(value) and root.get("store", "abc123") == "abc123"
    if not (WITHDRAWN if root.get("kind") == "withdrawn" else ORDER)(value):
        return False
    if root["external_key"] != f"bc-abc123-{number}" or root.get("store", "abc123") != "abc123":
        return False
    if root["kind"] == "withdrawn":
        return True
    products = [dict(one) for one in root["products"]]
    items = [dict(one) for one in dict(root["order"])["order_items"]]
    return (all(one["sku"] == dict(one["body"])["sku"] for one in products)
            and all(("product" in one) == (one["item_type"] == "PRODUCT") for one in items)
            and all(one.get("product", -1) < len(products) for one in items))


# -- the changes ---------------------------------------------------------------------------------------------------


def whole_payload(kind, number):
    head = {"format": 1, "kind": kind, "account": "main", "store": "abc123", "modified_at": 1795622300000}
    if kind != "contact":
        head |= {"external_key": f"bc-abc123-{number}", "placed_at": 1795622300000,
                 "status": {"id": 11 if kind == "order" else 5, "name": "Awaiting Fulfillment"}}
    mail = {"email": f"payload{number}@example.com", "field": "EMAIL1"}
    if kind == "withdrawn":
        return objects({**head, "contact": {"email_addresses": [mail]}})
    place = {"line1": "555 East Street", "line2": "Apt 3", "locality": "Austin", "country_code": "USA"}
    coded = {**place, "postal_code": "78108", "region_code": "US-TX"}
    contact = {"email_addresses": [{**mail, "opt_in_reason": "Asked"}], "given_name": "Jane", "family_name": "Doe",
               "phone_numbers": [{"number": "1234567890", "field": "PHONE1"}],
               "addresses": [{"field": "BILLING", **coded}, {"field": "SHIPPING", **coded}]}
    if kind == "contact":
        return objects({**head, "contact": contact, "tags": []})
    return objects({
        **head, "currency": "USD", "total": 7223, "contact": contact,
        "products": [{"sku": "S-1", "body": {"sku": "S-1", "name": "Towel", "short_description": "Towel", "price": 5599}}],
        "order": {"order_title": f"BC #{number}", "order_time": "2026-11-25T00:00:00Z", "order_type": "ONLINE",
                  "order_items": [
                      {"item_type": "PRODUCT", "product": 0, "name": "Towel", "quantity": 1, "price_per_unit": 55.99},
                      {"item_type": "SHIPPING", "name": "Shipping", "quantity": 1, "price_per_unit": 11.09},
                      {"item_type": "TAX", "name": "Tax", "quantity": 1, "price_per_unit": 10.15},
                      {"item_type": "FEE", "name": "Handling", "quantity": 1, "price_per_unit": 0.01},
                      {"item_type": "DISCOUNT", "name": "Discount", "quantity": 1, "price_per_unit": -5.01}],
                  "notes": "Leave it with the neighbour.",
                  "shipping_address": {"first_name": "Jane", "last_name": "Doe", "company": "Doe Ltd", "phone": "1234567890",
                                       **place, "zip_code": "78108", "region": "Texas"}},
        "payment": {"payment_amount": 72.23, "payment_method_type": "Cash", "payment_time": "2026-11-25T00:00:00Z"}, "tags": [{"name": "Bought S-1"}],
        "goals": [{"integration": "BCORDER", "call_name": "BC"}, {"integration": "BCSKU", "call_name": "S-1"}]})


def paths(value, path=()):
    """The place of every value, the whole included."""
    yield path
    if isinstance(value, Object):
        for index, (_, one) in enumerate(value):
            yield from paths(one, (*path, index))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from paths(one, (*path, index))


CHANGES = {
    "absent": None, "doubled": None,  # below
    "null": lambda value: None, "true": lambda value: True, "number": lambda value: 7, "negative": lambda value: -7,
    "fraction": lambda value: 1.5, "huge number": lambda value: 10**30, "text": lambda value: "x",
    "empty text": lambda value: "", "blank text": lambda value: "  ", "huge text": lambda value: "x" * HUGE,
    "control characters": lambda value: "a\n\u0000b", "list": lambda value: [], "object": lambda value: Object(),
    "in a list": lambda value: [value], "in an object": lambda value: Object([("x", value)]),
    "deep": lambda value: json.loads("[" * 200 + "]" * 200),
    "as text": lambda value: value if isinstance(value, str) else write(value),
    "as number": lambda value: int(value) if isinstance(value, str) and value.isdigit() else 0,
}


def changed(value, path, change):
    """The payload with one value changed."""
    if not path:
        return CHANGES[change](value) if CHANGES[change] else value
    index, rest = path[0], path[1:]
    copy = type(value)(value)
    if not rest and change == "absent":
        del copy[index]
    elif not rest and change == "doubled":
        copy.insert(index, copy[index])
    elif isinstance(value, Object):
        copy[index] = (value[index][0], changed(value[index][1], rest, change))
    else:
        copy[index] = changed(value[index], rest, change)
    return copy


def name_of(value, path):
    name = ""
    for index in path:
        name += f".{value[index][0]}" if isinstance(value, Object) else f"[{index}]"
        value = value[index][1] if isinstance(value, Object) else value[index]
    return name.lstrip(".") or "the whole"


def variants(each=1):
    """[(record key, what was changed, text, whether it is a payload still)] of every kind."""
    found, count = [], 0
    for kind, entity in ENTITIES.items():
        for path in paths(whole_payload(kind, 0)):
            for change in CHANGES:
                count += 1
                if count % each:
                    continue
                number = FIRST_ID + len(found)
                good = whole_payload(kind, number)
                value, key = changed(good, path, change), f"abc123/{entity}/{number}"
                found.append((key, f"{kind}: {name_of(good, path)} {change}", write(value), is_payload(value, key)))
    return found


# -- through the pusher --------------------------------------------------------------------------------------------


def send(stack, found):
    lines = "".join(f"{key}\x1f{value}\n" for key, _, value, _ in found)
    subprocess.run(["kcat", "-b", stack.broker.address, "-P", "-t", stack.topic("orders.payloads"), "-K", "\x1f",
                    "-H", "store=abc123"], input=lines.encode(), check=True, timeout=120)


def judge(key, what, good, fate):
    """None, or what is wrong with the fate."""
    if fate is None:
        return f"{what}: no fate ({key})"
    if not good:
        return None if fate == ("dead", "malformed") else f"{what}: {fate}, expected dead malformed"
    if fate[0] in ("delivered", "skipped") or fate == ("dead", "refused"):
        return None
    return f"{what}: {fate}, though it is a payload"


def try_all(stack, each=1):
    """Sends every change; returns (harmless fates, tried, dead, crashes, complaints)."""
    found = variants(each)
    pusher = stack.services["pusher"]
    send(stack, found)
    deadline = time.monotonic() + DEADLINE_S
    fates, waiting = {}, {key for key, _, _, _ in found}
    while waiting and pusher.alive() and time.monotonic() < deadline:
        time.sleep(0.2)
        there = {record.key for tail in stack.tails.values() for record in list(tail.records)}
        for key in waiting & there:
            fates[key] = stack.fate_of(key)
            waiting.discard(key)
    crashes = 0 if pusher.alive() else 1
    complaints = [wrong for key, what, _, good in found if (wrong := judge(key, what, good, fates.get(key)))]
    harmless = [fates.get(key) for key, _, _, good in found if good]
    tried = [key for key, _, _, good in found if not good]
    dead = sum(fates.get(key) == ("dead", "malformed") for key in tried)
    return harmless, len(tried), dead, crashes, complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=1)
    words = parser.parse_args()
    with Stack("payloads") as stack:
        stack.start(services=("pusher",))
        harmless, tried, dead, crashes, complaints = try_all(stack, words.each)
    for wrong in complaints:
        print(f"payloads: {wrong}")
    kinds = [fate[0] for fate in harmless if fate]
    print(f"payloads: harmless={len(harmless)} delivered={kinds.count('delivered')} skipped={kinds.count('skipped')}"
          f" refused={kinds.count('dead')}")
    print(f"payloads: tried={tried} dead={dead} crashes={crashes}", flush=True)
    return 1 if complaints or crashes or tried == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
