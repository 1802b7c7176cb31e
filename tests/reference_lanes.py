"""What a customer and a product of the catalogue must become, written from docs/mapping.md alone; see reference.py."""

import html.parser
import re

import amounts
import reference
from reference import Malformed, address, clean, iso_instant, money, place_text, typed

LABELS_LIMIT, NAME_LIMIT, DESCRIPTION_LIMIT, VARIANTS_LIMIT = 100, 200, 2000, 600
BLANKS = re.compile(r"[\s\x00-\x20\x7f-\xa0\u200b\ufeff]+")
HIDDEN = {"script", "style", "template"}
LINES = {"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "table", "section", "article", "aside",
         "blockquote", "header", "footer", "hr", "dl", "dt", "dd", "pre", "figure", "form", "fieldset", "main", "nav", "caption",
         "figcaption", "address", "option", "title"}


# -- customers -----------------------------------------------------------------------------------------------------


def id_of(thing):
    number = thing.get("id")
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise Malformed("no id")
    return number


def address_of(place):
    """An address of a customer under the names that an order uses."""
    place = typed(place, dict)
    return {"street_1": place.get("address1"), "street_2": place.get("address2"), "city": place.get("city"),
            "zip": place.get("postal_code"), "state": place.get("state_or_province"), "country_iso2": place.get("country_code")}


def contact_of(customer, store):
    places = typed(customer.get("addresses"), list)
    wanted = {}
    if places:
        wanted["BILLING"] = address(address_of(places[0]), 75, 50, 15)
    if len(places) > 1:
        wanted["SHIPPING"] = address(address_of(places[1]), 100, 100, 20)
    mail = customer["email"].strip()
    return {
        "email": mail,
        "identity": mail.encode().lower().decode(),
        "given_name": place_text(customer.get("first_name"), 40),
        "family_name": place_text(customer.get("last_name"), 40),
        "phone": place_text(customer.get("phone"), 40),
        "opt_in_reason": store["opt_in_reason"] if store["opt_in"] == "always" else None,
        "addresses": {field: place for field, place in wanted.items() if place},
    }


def fate_of_customer(customer, store):
    """("delivered", None, contact), ("skipped", reason, None) or ("dead", "malformed", None)."""
    try:
        id_of(customer)
        iso_instant(customer["date_modified"])
        typed(customer.get("email"), str)
        typed(customer.get("addresses"), list)
    except (Malformed, KeyError, ValueError, AttributeError):
        return "dead", "malformed", None
    reason = reference.why_no_email(customer.get("email"))
    return ("skipped", reason, None) if reason else ("delivered", None, contact_of(customer, store))


def is_early(customer, store):
    """Not touched since the store's start: no poll ever sees such a customer."""
    return store["start_from"] != "all" and iso_instant(customer["date_modified"]) < iso_instant(store["start_from"])


# -- the catalogue -------------------------------------------------------------------------------------------------


class Text(html.parser.HTMLParser):
    """HTML as lines of text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.hidden, self.is_item = [""], 0, False

    def handle_starttag(self, tag, attrs):
        if tag in HIDDEN:
            self.hidden += 1
        elif tag in LINES:
            self.begin_line(tag, tag == "li")
        elif tag in ("td", "th"):
            self.found[-1] += " "

    def handle_endtag(self, tag):
        if tag in HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        elif tag in LINES:
            self.begin_line(tag, False)
        elif tag in ("td", "th"):
            self.found[-1] += " "

    def begin_line(self, tag, is_item):
        if tag in ("li", "ul", "ol"):  # a paragraph with which an item begins is still the item
            self.is_item = is_item
        self.found.append("")

    def handle_data(self, data):
        if self.hidden:
            return
        if self.is_item and BLANKS.sub("", data):
            self.found[-1] += "- "
            self.is_item = False
        self.found[-1] += data

    def lines(self):
        return [line for line in (BLANKS.sub(" ", one).strip() for one in self.found) if line]


def text_of(markup):
    reader = Text()
    reader.feed(markup)
    reader.close()
    return "\n".join(reader.lines())[:DESCRIPTION_LIMIT].rstrip() or None


def is_amount(value):
    return not isinstance(value, bool) and not isinstance(value, str) and value is not None and not isinstance(value, (dict, list))


def name_of(product, labels, sku):
    name = clean(typed(product.get("name"), str), 10**6)
    if not name:
        return clean(sku, NAME_LIMIT)
    tail = f" - {labels}" if labels else ""
    return (name[:NAME_LIMIT - len(tail)] + tail).rstrip()


def product_of(product, variant, store_hash, digits):
    """One product of the account. variant: {} for a product that has none."""
    options = [clean(one.get("label"), 10**6) for one in typed(variant.get("option_values"), list)
               if isinstance(one.get("label"), str)]
    labels = (clean(" / ".join(one for one in options if one), LABELS_LIMIT) or "")
    has_options = bool(typed(variant.get("option_values"), list))
    sku = typed(variant.get("sku"), str).strip() or ("" if has_options else typed(product.get("sku"), str).strip())
    sku = sku or f"bc-{store_hash}-{id_of(product)}-{id_of(variant) if has_options else 0}"
    price = variant.get("price") if is_amount(variant.get("price")) else product.get("price")
    return {"sku": sku, "identity": sku.lower(), "name": name_of(product, labels, sku),
            "price": max(0, amounts.units(money(price), digits)), "description": text_of(typed(product.get("description"), str))}


def fate_of_product(product, store_hash, store):
    """("delivered", None, [products of the account]) or ("dead", reason, [])."""
    try:
        id_of(product)
        money(product.get("price"))
        variants = typed(product.get("variants"), list) or [{}]
        if len(variants) > VARIANTS_LIMIT:
            raise Malformed("too many variants")
        digits = amounts.digits_of(store["currency"])
        found = {}
        for variant in variants:
            one = product_of(product, typed(variant, dict), store_hash, digits)
            found.setdefault(one["identity"], one)
    except Malformed:
        return "dead", "malformed", []
    return "delivered", None, list(found.values())
