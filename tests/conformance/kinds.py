"""The kinds of requests that the services make. A run must show each of them, and none that is not in this list."""

import collections
import re
from urllib.parse import unquote

STORE = "/stores/[^/]+"

# What it is, method, path, query: patterns. The first one that fits names a request.
KINDS = {
    "infusionsoft": (
        ("who we are", "GET", "/oauth/connect/userinfo", ""),
        ("currency of the account", "GET", "/businessProfile", ""),
        ("payment types of the account", "GET", "/settings/applications:getConfiguration", "fields=ECOMMERCE"),
        ("may orders be read", "GET", "/orders", "page_size=1"),
        ("may products be read", "GET", "/products", "page_size=1"),
        ("custom fields of orders", "GET", "/orders/model", ""),
        ("custom field create", "POST", "/orders/model/customFields", ""),
        ("contact look-up", "GET", "/contacts", "filter=email==[^*;]*&.*"),
        ("contact look-up by a beginning", "GET", "/contacts", r"filter=email==[^*]*\*&.*"),
        ("one contact", "GET", "/contacts/[0-9]+", "fields=.*"),
        ("contact create", "POST", "/contacts", "duplicate_option=Email"),
        ("contact patch", "PATCH", "/contacts/[0-9]+", "update_mask=.*"),
        ("product look-up", "GET", "/products", "filter=sku==[^*;]*&.*"),
        ("product look-up by a beginning", "GET", "/products", r"filter=sku==[^*]*\*&.*"),
        ("list of products", "GET", "/products", "page_size=1000"),
        ("list of products, next page", "GET", "/products", "page_size=1000&page_token=.*"),
        ("product create", "POST", "/products", ""),
        ("product patch", "PATCH", "/products/[0-9]+", "update_mask=.*"),
        ("order look-up", "GET", "/orders", "filter=_[^=]*==.*"),
        ("order create", "POST", "/orders", ""),
        ("one order", "GET", "/orders/[0-9]+", ""),
        ("payment create", "POST", "/orders/[0-9]+/payments", ""),
        ("payments of an order", "GET", "/orders/[0-9]+/payments", "page_size=.*"),
        ("tag look-up", "GET", "/tags", "filter=name==.*"),
        ("tag create", "POST", "/tags", ""),
        ("applyTags", "POST", "/tags/[0-9]+/contacts:applyTags", ""),
        ("tags of a contact", "GET", "/contacts/[0-9]+/tags", "filter=name==.*"),
        ("notes of a contact", "GET", "/contacts/[0-9]+/notes", "filter=title==.*"),
        ("note create", "POST", "/contacts/[0-9]+/notes", ""),
        ("goal achieve", "POST", "/automations/goals/achieve", ""),
    ),
    "bigcommerce": (
        ("clock of the store", "GET", "/v2/time", ""),
        ("currency of the store", "GET", "/v2/store", ""),
        ("may orders be read", "GET", "/v2/orders", "min_id=2147483647&limit=1"),
        ("may customers be read", "GET", "/v3/customers", "id:in=2147483647&limit=1"),
        ("may the catalogue be read", "GET", "/v3/catalog/products", "id=2147483647&limit=1"),
        ("orders by change", "GET", "/v2/orders", ".*min_date_modified=.*sort=date_modified:asc.*page=1&.*"),
        ("orders by number", "GET", "/v2/orders", ".*max_date_modified=.*sort=id:asc.*"),
        ("newest orders", "GET", "/v2/orders", "sort=id:desc.*"),
        ("orders of the past", "GET", "/v2/orders", ".*min_date_created=.*sort=id:asc.*"),
        ("last order of the past", "GET", "/v2/orders", ".*min_date_created=.*sort=id:desc&page=1&limit=1"),
        ("one order", "GET", "/v2/orders/[0-9]+", "include=.*"),
        ("lines of an order", "GET", "/v2/orders/[0-9]+/products", "page=1&.*"),
        ("lines of an order, next page", "GET", "/v2/orders/[0-9]+/products", "page=[2-9].*"),
        ("coupons of an order", "GET", "/v2/orders/[0-9]+/coupons", "page=.*"),
        ("customers", "GET", "/v3/customers", "include=addresses&((?!after=).)*"),
        ("customers, next page", "GET", "/v3/customers", "include=addresses&.*&after=.*"),
        ("customer groups", "GET", "/v2/customer_groups", "page=1&.*"),
        ("customer groups, next page", "GET", "/v2/customer_groups", "page=[2-9]&.*"),
        ("catalogue", "GET", "/v3/catalog/products", "id:greater=0&.*include=variants.*"),
        ("catalogue, next page", "GET", "/v3/catalog/products", "id:greater=[1-9].*include=variants.*"),
    ),
}


def kind_of(side, method, path, query):
    """The name of a request's kind, or the request itself where the list has none."""
    path = path.removeprefix("/rest/v2") if side == "infusionsoft" else re.sub(f"^{STORE}", "", path)
    query = unquote(query)
    for name, its, path_pattern, query_pattern in KINDS[side]:
        if its == method and re.fullmatch(path_pattern, path) and re.fullmatch(query_pattern, query):
            return name
    return f"{method} {path}?{query}"


def count(side, requests):
    """Prints a line for each kind. Returns sentences: kinds that did not occur, and requests of no kind."""
    found = collections.Counter(kind_of(side, *request) for request in requests)
    names = [name for name, *_ in KINDS[side]]
    for name in names:
        print(f"  {side:12} {found[name]:6} {name}")
    return [f"{side}: no request of the kind: {name}" for name in names if not found[name]] \
        + [f"{side}: {found[name]} requests of no kind: {name}" for name in found if name not in names]
