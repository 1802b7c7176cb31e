"""The catalogue of a store becomes products of the account."""

import itertools
import json

import pytest
from processes import wait_until, write_topic
from shop_stack import Shop

_ids = itertools.count(7001)
SECONDS = itertools.count(1795622300)


def product_of(stack, sku):
    """The account's product with that SKU; there is exactly one."""
    found = [one for one in stack.call("GET", "/sandbox/account/products") if one.get("sku") == sku]
    assert len(found) == 1, f"{len(found)} products {sku}"
    return found[0]


def body(sku, price=1250, name="Jar", **more):
    return {"sku": sku, "name": name, "short_description": name, "price": price, **more}


@pytest.fixture(scope="module")
def pushed():
    """A pusher alone: the test writes what the mapper would."""
    with Shop("e2e-product-payloads") as stack:
        yield stack.start(services=("pusher",))


def push(stack, number, *bodies, count=1, currency="USD"):
    """Writes a payload of these products, the newest version of that record, and waits for its fate number `count`."""
    key = f"abc123/product/{number}"
    value = {"format": 1, "kind": "product", "account": "main", "store": "abc123", "modified_at": next(SECONDS) * 1000,
             "currency": currency, "products": [{"sku": one["sku"], "body": one} for one in bodies]}
    write_topic(stack.broker.address, stack.topic("products.payloads"), key, json.dumps(value).encode(),
                {"store": "abc123", "kind": "product"})
    return wait_until(lambda: len(found := stack.fate_records(key)) >= count and
                      max(found, key=lambda record: record.timestamp_ms), 20, lambda: f"{key} to have a fate; {stack.trouble()}")


def test_each_variant_is_made_once_and_patched_when_it_changes(pushed):
    number = next(_ids)
    first = push(pushed, number, body("V-1", description="One\nTwo"), body("V-2", 990))
    assert (first.topic, first.headers["kind"]) == ("delivered", "product")
    assert "contact_id" not in first.json() and "order_id" not in first.json()
    made = product_of(pushed, "V-1")
    assert (made["price"]["amount"], made["name"], made["description"]) == (1250, "Jar", "One\nTwo")
    assert first.json()["steps"] == {"product": str(made["id"])}
    mark = pushed.mark()
    push(pushed, number, body("V-1", description="One\nTwo"), body("V-2", 990), count=2)
    assert pushed.requests_since(mark) == [], "nothing of the product changed"
    push(pushed, number, body("V-1", description="One\nTwo"), body("V-2", 1990), count=3)
    changed = pushed.requests_since(mark)
    assert [(one["method"], one["path"].rsplit("/", 1)[1]) for one in changed] == [("PATCH", str(product_of(pushed, "V-2")["id"]))]
    assert product_of(pushed, "V-2")["price"]["amount"] == 1990 and product_of(pushed, "V-1")["price"]["amount"] == 1250


def test_a_product_that_the_account_has_already_is_found(pushed):
    pushed.infusionsoft("POST", "/products", body("old-1", 100))
    pushed.infusionsoft("POST", "/products", body("SAME-1", 100))
    mark = pushed.mark()
    push(pushed, next(_ids), body("OLD-1", 250), body("SAME-1", 100))
    calls = [one["method"] for one in pushed.requests_since(mark)]
    assert "POST" not in calls and calls.count("PATCH") == 1, "one is looked up and patched, the other one is as it should be"
    assert product_of(pushed, "OLD-1")["price"]["amount"] == 250


def test_a_sku_that_the_account_refuses_does_not_stop_the_others(pushed):
    pushed.fault(side="is", method="POST", path="/products", kind="status", status=400, match="BAD-1")
    fate = push(pushed, next(_ids), body("BAD-1"), body("GOOD-1"))
    assert fate.topic == "delivered" and [one["step"] for one in fate.json()["incomplete"]] == ["product:BAD-1"]
    assert product_of(pushed, "GOOD-1")
    alone = push(pushed, number := next(_ids), body("BAD-1"))
    assert (alone.topic, alone.headers["reason"], alone.headers["step"]) == ("dead", "refused", "product")
    pushed.clear_faults()
    assert push(pushed, number, body("BAD-1", 7), count=2).topic == "delivered", "a newer version is tried anew"
    assert product_of(pushed, "BAD-1")["price"]["amount"] == 7


def test_a_lost_answer_makes_no_second_product(pushed):
    pushed.fault(side="is", method="POST", path="/products", kind="drop_after", count=1, match="LOST-1")
    assert push(pushed, next(_ids), body("LOST-1")).topic == "delivered"
    assert product_of(pushed, "LOST-1")


def test_another_currency_is_never_sent(pushed):
    fate = push(pushed, next(_ids), body("EUR-1"), currency="EUR")
    assert (fate.topic, fate.headers["reason"]) == ("dead", "currency_mismatch")
    assert "EUR-1" not in str(pushed.call("GET", "/sandbox/account/products"))
