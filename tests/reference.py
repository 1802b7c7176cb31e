"""What one BigCommerce order must become in Infusionsoft, written from the requirements and the mapping table alone.

This is the judge's own reading of the rules, for tests/oracle.py. It shares no code with the services and must never be
changed to agree with one of them: where they differ, the documented rule decides. Amounts are Decimal until they are
compared in smallest units (amounts.py); nothing is a float.

Where the rules leave two ways open that are worth the same to a merchant, both are accepted and the place says so.
"""

import datetime
import decimal
import email.utils
import itertools
import json
import re
import unicodedata
from decimal import Decimal

import amounts
from reference_places import PLACES

ELIGIBLE = {2, 3, 8, 9, 10, 11, 14}
KNOWN_STATUSES = set(range(15))
WITHDRAWN = {4, 5, 6, 12, 13}
STATUS_NAMES = dict(enumerate((
    "Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment",
    "Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required", "Disputed",
    "Partially Refunded")))
OPT_IN_REASON = "Opted in at checkout in the online store"


class Malformed(Exception):
    """The order cannot be read: its fate is dead, reason malformed."""


class Mismatch(Exception):
    """The lines do not add up to the order's total: its fate is dead, reason total_mismatch."""


# -- small readings ------------------------------------------------------------------------------------------------


def load_json(text):
    """JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def money(value):
    """An amount; an absent one is zero. Beyond a trillion it is no amount."""
    if value is None:
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise Malformed(f"money {value!r}")
    try:
        amount = Decimal(value)
    except decimal.InvalidOperation:
        raise Malformed(f"money {value!r}") from None
    if not amount.is_finite() or abs(amount) >= 10**12:
        raise Malformed(f"money {value!r}")
    return amount


def clean(value, limit):
    """Control characters to blanks, trimmed, at most limit characters. None when nothing is left."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # a ZIP that came as a number
    if not isinstance(value, str):
        raise Malformed(f"text {value!r}")
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in value).strip()[:limit]
    return text.rstrip() or None


def place_text(value, limit):
    """A text of an address: what is neither text nor number is left out, because no order is lost for a bad phone number."""
    return clean(value, limit) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def instant(value):
    """An RFC 2822 date as a UTC datetime."""
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        raise Malformed(f"date {value!r}") from None
    return when.astimezone(datetime.timezone.utc)


def iso_instant(value):
    """An ISO 8601 date or time with zone Z, as a UTC datetime."""
    when = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)


# -- countries and regions -----------------------------------------------------------------------------------------


def typed(value, kind):
    """The value when it is of that type, an empty one for null; anything else is malformed."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise Malformed(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def number_of(value):
    """A whole number that fits 64 bits, 0 for null."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not -2**63 <= value < 2**63:
        raise Malformed(f"number {value!r}")
    return value


def address(source, line_limit, locality_limit, postal_limit, postal_name="postal_code"):
    """Expected members of an address; region_code is a set of acceptable values. None: nothing to send."""
    alpha2 = (place_text(source.get("country_iso2"), 10) or "").upper()
    country = PLACES.alpha3.get(alpha2)
    wanted = {
        "line1": place_text(source.get("street_1"), line_limit),
        "line2": place_text(source.get("street_2"), line_limit),
        "locality": place_text(source.get("city"), locality_limit),
        postal_name: place_text(source.get("zip"), postal_limit),
        "country_code": country,
    }
    if not any(wanted.values()):
        return None
    wanted["region_code"] = PLACES.regions(alpha2, place_text(source.get("state"), 1000)) if country else {None}
    return wanted


# -- what is inside an order ---------------------------------------------------------------------------------------


def consignments_of(order):
    found = order.get("consignments")
    if not isinstance(found, dict) or "url" in found:
        raise Malformed("no consignments, so no lines")
    return found


def shipping_consignment(order):
    shipping = typed(consignments_of(order).get("shipping"), list)
    return shipping[0] if shipping else None


def line_items(order):
    """Every line, completed ones first: the member `bigfusion` replaces a truncated or empty list."""
    extra = typed(order.get("bigfusion"), dict)
    lines = list(typed(extra.get("products"), list))
    if not lines:
        consignments = consignments_of(order)
        groups = [typed(consignments.get(kind), list) for kind in ("shipping", "pickups", "downloads")]
        mailed = consignments.get("email") or {}  # an empty list where there is none
        groups.append(typed(typed(mailed, dict).get("gift_certificates"), list))
        for consignment in itertools.chain(*groups):
            lines += typed(typed(consignment, dict).get("line_items"), list)
    return [typed(line, dict) for line in lines]


def is_free_child(line):
    return bool(line.get("parent_order_product_id")) and money(line.get("total_ex_tax")) == 0 \
        and money(line.get("price_ex_tax")) == 0


def sku_of(line):
    return typed(line.get("sku"), str).strip()


def product_identity(store_hash, line):
    """(identity compared, sku as it is sent)"""
    sku = sku_of(line)
    if not sku:
        product, variant = number_of(line.get("product_id")), number_of(line.get("variant_id"))
        sku = f"bc-{store_hash}-{product}-{variant}" if product else f"bc-{store_hash}-custom"
    return sku.lower(), sku


def coupon_codes(order):
    """Each distinct code: of the completed list where there is one, else as the lines name them."""
    listed = list(typed(typed(order.get("bigfusion"), dict).get("coupons"), list))
    if not listed:
        for line in line_items(order):
            listed += typed(line.get("applied_discounts"), list)
    codes = [coupon.get("code") for coupon in listed]
    codes = [code.strip() for code in codes if isinstance(code, str) and code.strip()]
    return list(dict.fromkeys(codes))


def product_line(store_hash, line, digits):
    """One PRODUCT line: `ways` lists the acceptable (names, quantity, price in smallest units)."""
    quantity = line.get("quantity")
    if isinstance(quantity, str) and quantity.isdigit():
        quantity = int(quantity)
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity < 2**31:
        raise Malformed(f"quantity {quantity!r}")
    if line.get("total_ex_tax") is None:
        raise Malformed("a line without its total")
    total = money(line["total_ex_tax"])
    number_of(line.get("product_id"))
    name = clean(line.get("name"), 200)
    names = {name} if name else None  # a blank name: anything that is not blank
    several = None
    if name:
        several = {f"{quantity} x {name}"[:200].rstrip(), f"{quantity} x {name[:200]}"}
    unit = total / quantity
    whole = amounts.units(total, digits)
    if unit * 10**digits == (unit * 10**digits).to_integral_value():
        ways = [(names, quantity, amounts.units(unit, digits))]
    elif quantity == 1:
        ways = [(names, 1, whole), (several, 1, whole)]
    else:
        ways = [(several, 1, whole)]
        if whole % quantity == 0:  # rounded first and divided then: the same sum
            ways.append((names, quantity, whole // quantity))
    identity, sku = product_identity(store_hash, line)
    price = amounts.units(money(line.get("price_ex_tax")), digits)
    return {
        "ways": ways,
        "identity": identity,
        "product": {"sku": sku, "name": name, "price": max(0, price)},
    }


def with_tax(source, ex, inc):
    """(amount without tax, amount with it); the store does not always tell the second."""
    return money(source.get(ex)), money(source.get(ex) if source.get(inc) is None else source[inc])


def amounts_of(order, lines, digits):
    """The order's amounts, for the judge of money."""
    costs = [("SHIPPING", *with_tax(order, "shipping_cost_ex_tax", "shipping_cost_inc_tax"))]
    costs += [("FEE", *with_tax(order, f"{what}_cost_ex_tax", f"{what}_cost_inc_tax")) for what in ("handling", "wrapping")]
    listed = order.get("fees")  # a link where they were not asked for
    for fee in [] if isinstance(listed, dict) else typed(listed, list):
        name = "cost_exc_tax" if typed(fee, dict).get("cost_ex_tax") is None else "cost_ex_tax"
        if fee.get(name) is None:
            raise Malformed("a fee without its cost")
        costs.append(("FEE", *with_tax(fee, name, "cost_inc_tax")))
    if order.get("total_inc_tax") is None:
        raise Malformed("no total")
    return amounts.Amounts(
        digits, [with_tax(line, "total_ex_tax", "total_inc_tax") for line in lines], costs,
        money(order.get("total_tax")), money(order.get("discount_amount")) + money(order.get("coupon_discount")),
        {"Store credit": money(order.get("store_credit_amount")),
         "Gift certificate": money(order.get("gift_certificate_amount"))}, money(order["total_inc_tax"]))


def letters_digits(names):
    """Call names by that rule, each once whatever its case; a name of which nothing is left has no goal."""
    first = {}
    for name in names:
        short = re.sub("[^A-Za-z0-9]", "", name)[:40]
        if short:
            first.setdefault(short.lower(), short)
    return list(first.values())


def goals_of(order, code, rule):
    """(integration, call name) of each goal, in line order. SKUs are one SKU without regard to case, as products are."""
    first = {}
    for line in line_items(order):
        if not is_free_child(line) and sku_of(line):
            first.setdefault(sku_of(line).lower(), sku_of(line))
    skus = list(first.values())
    coupons = coupon_codes(order)
    if rule == "letters_digits":
        skus, coupons = letters_digits(skus), letters_digits(coupons)
    goals = [("BCORDER", code)] + [("BCSKU", sku) for sku in skus]
    return goals + [("BCCOUPON", coupon) for coupon in coupons]


def tag_name(template, words):
    """A tag's name; None where something that the template names is missing."""
    missing = [word for word in words if f"{{{word}}}" in template and not words[word]]
    if missing:
        return None
    pieces = re.split(r"{(\w+)}", template)
    name = "".join(words[piece] if i % 2 else piece for i, piece in enumerate(pieces))
    name = "".join(" " if unicodedata.category(c) == "Cc" else "_" if c in ";,*" else c for c in name)
    return name.strip()[:255].strip() or None


def tags_of(order, store):
    """The names of the tags that the order asks for, the case of ASCII letters ignored."""
    names = []
    if store["sku_tag"] != "off":
        for line in line_items(order):
            if not is_free_child(line):
                name = clean(line.get("name"), 10**6) or sku_of(line)
                names.append(tag_name(store["sku_tag"], {"sku": sku_of(line), "name": name, "code": store["code"]}))
    if store["coupon_tag"] != "off":
        for code in coupon_codes(order):
            names.append(tag_name(store["coupon_tag"], {"coupon": code, "code": store["code"]}))
    found = {}
    for name in filter(None, names):
        found.setdefault(lower(name), name)  # spelled as where it comes first
    return found


def lower(text):
    return "".join(c.lower() if c.isascii() else c for c in text)


def contact_of(order, store):
    billing = order.get("billing_address") or {}
    mail = billing["email"].strip()
    permitted = store["opt_in"] == "always" or (
        store["opt_in"] == "opted_in" and order.get("is_email_opt_in") is True)
    addresses = {}
    wanted = address(billing, 75, 50, 15)
    if wanted:
        addresses["BILLING"] = wanted
    consignment = shipping_consignment(order)
    if consignment:
        wanted = address(consignment, 100, 100, 20)
        if wanted:
            addresses["SHIPPING"] = wanted
    return {
        "email": mail,
        "identity": mail.encode().lower().decode(),
        "given_name": place_text(billing.get("first_name"), 40),
        "family_name": place_text(billing.get("last_name"), 40),
        "phone": place_text(billing.get("phone"), 40),
        "opt_in_reason": store["opt_in_reason"] if permitted else None,
        "addresses": addresses,
    }


def order_address(order, store):
    consignment = shipping_consignment(order)
    if not consignment:
        return None
    wanted = address(consignment, 1000, 1000, 1000, "zip_code") or {"region_code": {None}}
    regions = wanted.pop("region_code")
    if store["shipping_region"] == "name":
        regions = {place_text(consignment.get("state"), 1000)}
    elif store["shipping_region"] == "off":
        regions = {None}
    for name in ("first_name", "last_name", "company", "phone"):
        wanted[name] = place_text(consignment.get(name), 1000)
    wanted["region"] = regions
    return wanted if any(wanted[name] for name in wanted if name != "region") else None


def notes_of(order, store):
    message = order.get("customer_message")
    if store["order_notes"] == "off" or not isinstance(message, (str, int)) or isinstance(message, bool):
        return None
    return clean(message, 2000)


def named(value, path):
    """What a path of the settings names; None: nothing."""
    for word in path.split("."):
        if isinstance(value, list):
            value = value[int(word)] if word.isdigit() and int(word) < len(value) else None
        else:
            value = value.get(word) if isinstance(value, dict) else None
    return value


def fields_of(order, store):
    """{label: content} of the custom fields beside the key's."""
    found = {}
    for label, path in store["fields"].items():
        value = named(order, path)
        if isinstance(value, bool):
            value = str(value).lower()
        text = clean(str(value), 2000) if isinstance(value, (str, int, Decimal)) else None
        if text:
            found[label] = text
    return found


PAID = {"paid", "captured", "partially refunded"}


def paid_of(order, stated, store):
    """The amounts in smallest units that may stand as paid; several where the store may have meant its amounts in several ways."""
    if store["payments"] == "off":
        return {0}
    total = max(0, stated.units(stated.total))
    if store["payments"] == "all" or (place_text(order.get("payment_status"), 100) or "").lower() in PAID:
        return {total}
    credits = stated.units(sum(stated.credits.values()))
    return {0 if taken_off else min(total, credits) for _, _, taken_off in stated.best_ways()}


def map_order(order, store_hash, store):
    """The Infusionsoft side of an order that is to be synced. Raises Malformed or Mismatch."""
    digits = amounts.digits_of(order.get("default_currency_code"))
    sold = [line for line in line_items(order) if not is_free_child(line)]
    lines = [product_line(store_hash, line, digits) for line in sold]
    stated = amounts_of(order, sold, digits)
    if not stated.adds_up():
        raise Mismatch(stated.why_not())
    return {
        "key": f"bc-{store_hash}-{order['id']}",
        "title": f"{store['code']} #{order['id']}",
        "time": instant(order.get("date_created")),
        "lines": lines,
        "amounts": stated,
        "contact": contact_of(order, store),
        "shipping_address": order_address(order, store),
        "notes": notes_of(order, store),
        "fields": fields_of(order, store),
        "lead_affiliate_id": store["lead_affiliate_id"] or None,
        "goals": [] if is_backfilled(order, store) else goals_of(order, store["code"], store["goal_call_names"]),
        "paid": paid_of(order, stated, store),
        "tags": [] if is_backfilled(order, store) else tags_of(order, store),
    }


# -- what is to become of it ---------------------------------------------------------------------------------------


def usable_email(order):
    """None, or why the e-mail cannot be used."""
    billing = order.get("billing_address")  # anything but an object holds no e-mail
    return why_no_email(billing.get("email") if isinstance(billing, dict) else None)


def why_no_email(mail):
    """None, or why this text is no e-mail address."""
    if not isinstance(mail, str) or not mail.strip():
        return "no_email"
    mail = mail.strip()
    halves = mail.split("@")
    if len(halves) != 2 or "" in halves or any(c.isspace() for c in mail) or len(mail) > 75 or set(mail) & set("<>(),:;"):
        return "invalid_email"
    return None


def is_out_of_reach(order, store):
    """Not touched since the store's start: no poll ever sees such an order, so it has no fate."""
    return store["start_from"] != "all" and instant(order.get("date_modified")) < iso_instant(store["start_from"]) \
        and not is_backfilled(order, store)


def is_backfilled(order, store):
    """Placed before the store's start, and somebody asked for a backfill from a date before that, without goals."""
    return "backfill_from" in store \
        and iso_instant(store["backfill_from"]) <= instant(order.get("date_created")) < iso_instant(store["start_from"])


def fate_of(order, store_hash, store):
    """(stage, reason, mapping): ("delivered", None, mapping), ("skipped", reason, None) or ("dead", reason, None)."""
    try:
        number_of(order["id"]), number_of(order["status_id"])
        created = instant(order.get("date_created"))
    except (Malformed, KeyError):
        return "dead", "malformed", None
    status = order["status_id"]
    if status in WITHDRAWN:
        return "skipped", "status", None
    if order.get("is_deleted"):
        return "skipped", "archived", None
    is_asked_for = is_backfilled(order, store)
    if order.get("external_source") == "M-MIG" and not is_asked_for:
        return "skipped", "before_start", None
    if store["start_from"] != "all" and created < iso_instant(store["start_from"]) and not is_asked_for:
        return "skipped", "before_start", None
    if status not in KNOWN_STATUSES:
        return "skipped", "unknown_status", None
    if status not in store["statuses"]:
        return "skipped", "status", None
    reason = usable_email(order)
    if reason:
        return "skipped", reason, None
    try:
        if not typed(order.get("default_currency_code"), str):
            raise Malformed("no currency")
        mapping = map_order(order, store_hash, store)
    except Malformed:
        return "dead", "malformed", None
    except Mismatch:
        return "dead", "total_mismatch", None
    if order.get("default_currency_code") != store["currency"]:
        return "dead", "currency_mismatch", None
    return "delivered", None, mapping
