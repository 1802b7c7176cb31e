"""The catalogue of a store becomes products of the account."""

import itertools
import json

import pytest
from processes import read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop
from test_account import digest, ledger_key

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


def test_refused_skus_are_told_whole(pushed):
    """They begin alike, and a cut in the middle of a character would leave a record that is no JSON."""
    skus = ["x" + "é" * 40 + end for end in "ab"]
    pushed.fault(side="is", method="POST", path="/products", kind="status", status=400, match="Refused long")
    fate = push(pushed, next(_ids), *(body(sku, name="Refused long") for sku in skus), body("GOOD-2"))
    pushed.clear_faults()
    assert [one["step"] for one in fate.json()["incomplete"]] == [f"product:{sku}" for sku in skus]


def test_a_lost_answer_makes_no_second_product(pushed):
    pushed.fault(side="is", method="POST", path="/products", kind="drop_after", count=1, match="LOST-1")
    assert push(pushed, next(_ids), body("LOST-1")).topic == "delivered"
    assert product_of(pushed, "LOST-1")


@pytest.mark.parametrize("known", ["999999", "no id"])
def test_a_product_that_somebody_deleted_is_made_anew(pushed, known):
    """The ledger knows an id that the account does not have any more, or that is none."""
    number, sku = next(_ids), f"GONE-{known.split()[0]}"
    push(pushed, number, body(sku, 100))
    pushed.call("PATCH", f"/sandbox/account/products/{product_of(pushed, sku)['id']}", {"sku": "RENAMED"})
    pushed.redis.command("HSET", ledger_key(pushed, f"product:{digest(sku)}"), "s:product", known)
    # What the account has is not found by the SKU that it had: the sandbox's look-up alone still brings it.
    pushed.fault(side="is", method="GET", path="/products", kind="status", status=200, match=sku,
                 body='{"products":[],"next_page_token":""}')
    mark = pushed.mark()
    assert push(pushed, number, body(sku, 200), count=2).topic == "delivered"
    pushed.clear_faults()
    assert product_of(pushed, sku)["price"]["amount"] == 200
    asked = [one["method"] for one in pushed.requests_since(mark)]
    assert (asked.count("PATCH"), asked.count("POST")) == (known == "999999", 1) and len(asked) <= 3, "each is asked once"
    mark = pushed.mark()
    push(pushed, number, body(sku, 300), count=3)
    assert [one["method"] for one in pushed.requests_since(mark)] == ["PATCH"], "the fresh id is known"


def test_another_currency_is_never_sent(pushed):
    fate = push(pushed, next(_ids), body("EUR-1"), currency="EUR")
    assert (fate.topic, fate.headers["reason"]) == ("dead", "currency_mismatch")
    assert "EUR-1" not in str(pushed.call("GET", "/sandbox/account/products"))


# -- the whole way: store, poller, filter, mapper, pusher ---------------------------------------------------------------

@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-products", orders=0, store={"products": "on", "products_interval_s": 1}) as stack:
        yield stack.start()
        stack.clear_faults()
        stack.wait_drained(30)
        stack.assert_right()


def put(stack, **product):
    return stack.call("POST", "/sandbox/stores/abc123/products", product)


def change(stack, number, variant=None, **members):
    tail = f"/variants/{variant}" if variant else ""
    return stack.call("PATCH", f"/sandbox/stores/abc123/products/{number}{tail}", members)


def wait_product(stack, sku, **shown):
    """Waits until the account shows the SKU so; then there is exactly one of it."""
    def right():
        found = [one for one in stack.call("GET", "/sandbox/account/products") if one.get("sku") == sku]
        return found and all((one[k]["amount"] if k == "price" else one.get(k)) == v for one in found for k, v in shown.items())
    wait_until(right, 30, lambda: f"{sku} {shown}; {stack.trouble()}")
    return product_of(stack, sku)


def sweeps(stack):
    return stack.services["poller"].text().count("products swept")


def wait_sweeps(stack, count=2):
    """Waits until so many sweeps are complete that began after now."""
    before = sweeps(stack)
    wait_until(lambda: sweeps(stack) >= before + count, 30, lambda: f"sweeps; {stack.trouble()}")


def test_r01_a_new_product_with_variants_arrives_and_a_variants_price_follows(shop):
    made = put(shop, name="Le Parfait Jar", price=7.95, sku="", description="<p>Glass &amp; steel</p><ul><li>1 l</li></ul>",
               variants=[{"sku": "JAR-B", "price": 10, "option_values": [{"label": "Beige"}]},
                         {"sku": "JAR-G", "option_values": [{"label": "Grey"}, {"label": "Large"}]},
                         {"sku": "", "price": 0.5, "option_values": [{"label": "Black"}]}])
    number, variants = made["id"], [one["id"] for one in made["variants"]]
    wait_product(shop, "JAR-B", price=1000, name="Le Parfait Jar - Beige", description="Glass & steel\n- 1 l")
    wait_product(shop, "JAR-G", price=795, name="Le Parfait Jar - Grey / Large")
    wait_product(shop, f"bc-abc123-{number}-{variants[2]}", price=50, name="Le Parfait Jar - Black")
    raw = lambda: [r for r in read_topic(shop.broker.address, shop.topic("products.raw")) if r.key == f"abc123/product/{number}"]  # noqa: E731
    before = len(raw())
    change(shop, number, variants[0], price=11.5)
    wait_product(shop, "JAR-B", price=1150)
    published = raw()[before].timestamp_ms / 1000
    entries = shop.journal()
    changed = [n for n, e in enumerate(entries) if e["side"] == "store" and e["method"] == "CHANGE"][-1]
    begun = [e for e in entries[changed:] if "greater=0&" in str(e.get("query")) and float(e["t"]) < published]
    assert len(begun) <= 1, "it was in the first sweep that saw the change"
    assert product_of(shop, "JAR-G")["price"]["amount"] == 795
    change(shop, number, price=8.25)
    wait_product(shop, "JAR-G", price=825)


def test_what_did_not_change_costs_no_call_and_no_record(shop):
    made = put(shop, name="Quiet", price=1, sku="QUIET")
    wait_product(shop, "QUIET", price=100)
    wait_until(lambda: shop.fate_records(f"abc123/product/{made['id']}"), 30, lambda: f"its fate; {shop.trouble()}")
    wait_sweeps(shop)
    mark, records = shop.mark(), len(shop.fate_records(f"abc123/product/{made['id']}"))
    change(shop, made["id"], inventory_level=5, sale_price=0.5, view_count=9)
    wait_sweeps(shop)
    assert shop.requests_since(mark) == [], "nothing that is synced changed"
    assert len(shop.fate_records(f"abc123/product/{made['id']}")) == records == 1


def test_r21_an_order_and_the_catalogue_meet_in_one_product(shop):
    """Also of a product without SKU, and when both come at the same time."""
    shop.fault(side="is", method="POST", path="/products", kind="delay", delay_ms=400)
    for i in range(4):
        sku = "" if i % 2 else f"MEET-{i}"
        made = put(shop, name=f"Meeting {i}", price=3, sku=sku)
        line = {**item(sku, f"Meeting {i}"), "product_id": made["id"], "variant_id": None}
        shop.place_and_wait(order(mail(f"meet{i}"), [line]))
        wait_product(shop, sku or f"bc-abc123-{made['id']}-0", price=300, name=f"Meeting {i}")
    shop.clear_faults()


def test_a_name_that_is_too_long_is_cut(shop):
    made = put(shop, name="é" * 250, price=1, sku="", variants=[{"sku": "LONG", "option_values": [{"label": "Blue"}]}])
    assert len(wait_product(shop, "LONG", price=100)["name"]) == 200 and made["id"]
    assert product_of(shop, "LONG")["name"].endswith("é - Blue")


def test_a_refused_catalogue_stops_no_order(shop):
    shop.fault(side="bc", path="/v3/catalog", kind="status", status=403)
    put(shop, name="Later", price=2, sku="LATER")
    wait_until(lambda: "alarm store refuses its catalogue" in shop.services["poller"].text(), 30, "the refusal to be told")
    shop.place_and_wait(order(mail("meanwhile"), [item("MEANWHILE", "Meanwhile")]))
    assert "LATER" not in str(shop.call("GET", "/sandbox/account/products"))
    shop.clear_faults()
    wait_product(shop, "LATER", price=200)


def test_a_killed_poller_begins_anew_and_publishes_nothing_twice(shop):
    wait_sweeps(shop)
    mark = shop.mark()
    shop.services["poller"].kill()
    shop.start_service("poller")
    shop.wait_ready("poller")
    wait_until(lambda: sweeps(shop) >= 1, 40, lambda: f"a sweep; {shop.trouble()}")
    made = put(shop, name="After", price=4, sku="AFTER")
    wait_product(shop, "AFTER", price=400)
    assert {str(shop.body(one)["sku"]) for one in shop.requests_since(mark, "POST", "/products")} == {"AFTER"} and made["id"]
    assert shop.requests_since(mark, "PATCH") == []


def test_r02_products_wait_for_the_ecommerce_module(shop):
    shop.sandbox_settings(ecommerce=False)
    made = put(shop, name="Waiting", price=5, sku="WAITING")
    wait_until(lambda: "ecommerce_unavailable" in shop.services["pusher"].text(), 30, lambda: f"the alarm; {shop.trouble()}")
    wait_sweeps(shop)
    assert shop.fate_records(f"abc123/product/{made['id']}") == [], "it waits and has no fate"
    shop.sandbox_settings(ecommerce=True)
    wait_product(shop, "WAITING", price=500)
