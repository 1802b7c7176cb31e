"""What a refund or cancellation leaves on the contact of an order that was synced before (after_sync, D2): the oracle's part.

A note is named by its title. An order whose last version takes it back must have left what that version asks for; an earlier
version may have, because the poller need not have seen it.
"""

import collections

import amounts
import reference

AFTER = reference.WITHDRAWN | {14}


def refunded(order):
    """ " 12.5 USD", or nothing."""
    amount = reference.money(order.get("refunded_amount"))
    currency = order.get("default_currency_code") or ""
    if amount <= 0 or len(currency) != 3:
        return ""
    digits = amounts.digits_of(currency)
    text = f"{amounts.units(amount, digits) / 10**digits:.{digits}f}"
    return f" {text.rstrip('0').rstrip('.') if '.' in text else text} {currency}"


def left_by(order, store_hash, store):
    """("note", title) or ("tag", name) that this version leaves; None: nothing."""
    if order["status_id"] not in AFTER or store["after_sync"] == "ignore":
        return None
    status = reference.STATUS_NAMES[order["status_id"]]
    if store["after_sync"] == "note":
        return "note", f"bc-{store_hash}-{order['id']} {status}{refunded(order)}"
    name = reference.tag_name(store["after_sync_tag"], {"status": status, "code": store["code"]})
    return ("tag", reference.lower(name)) if name else None


def of_orders(judge):
    """For each order that was made: (its contact, all that its versions may have left, what the last one must have left)."""
    for (store_hash, number), versions in judge.versions.items():
        creates = judge.creates.get(f"bc-{store_hash}-{number}", [])
        if not creates or store_hash not in judge.stores:
            continue
        left = [left_by(version, store_hash, judge.stores[store_hash]) for version in versions]
        must = left[-1] if versions[-1]["status_id"] in reference.WITHDRAWN else None
        if must and must in refused(judge, f"{store_hash}/order/{number}"):
            must = None
        yield str(creates[0][2].get("contact_id")), {one for one in left if one}, must


def refused(judge, name):
    """What the order's fates say was refused or given up."""
    steps = {one["step"] for fate in (judge.fates or {}).get(name, [])
             if fate["topic"] == "delivered" and isinstance(fate["value"], dict) for one in fate["value"].get("incomplete") or []}
    return {("note", step[5:]) for step in steps if step.startswith("note:")} | {
        ("tag", reference.lower(step[4:])) for step in steps if step.startswith("tag:")}


def tags(judge):
    """{contact: names that it may have}, {contact: names that it must have}."""
    allowed, wanted = collections.defaultdict(set), collections.defaultdict(set)
    for contact, may, must in of_orders(judge):
        allowed[contact] |= {name for kind, name in may if kind == "tag"}
        if must and must[0] == "tag":
            wanted[contact].add(must[1])
    return allowed, wanted


def judge_notes(judge):
    """Each note is made once, on the contact of its order, and for a state that the order had."""
    made = collections.defaultdict(list)  # title -> contacts
    for _, effect in judge.effects("note"):
        made[effect["title"]].append(str(effect["contact_id"]))
    owner = {}
    for contact, may, must in of_orders(judge):
        owner.update((name, contact) for kind, name in may if kind == "note")
        if must and must[0] == "note" and must[1] not in made:
            judge.blame(f"note {must[1]!r} is missing")
    for title, contacts in made.items():
        if len(contacts) > 1:
            judge.blame(f"note {title!r}: made {len(contacts)} times")
        if title not in owner:
            judge.blame(f"note {title!r}: made for no state that a synced order had")
        elif contacts[0] != owner[title]:
            judge.blame(f"note {title!r}: on contact {contacts[0]}, its order is of {owner[title]}")
