"""An order needs a contact or a product that a record of another lane has in hand, or failed with."""

import itertools
import json
import time

import pytest
from processes import wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop
from test_account import digest, ledger_key
from test_contacts import payload
from test_products import body, product_of, push

PER_DAY = 1000
_ids = itertools.count(9001)


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-bulk-and-orders", account={"rate_per_day": PER_DAY}) as stack:
        stack.start()
        stack.place_and_wait(order(mail("first")))
        yield stack
        assert set(stack.stop().values()) == {0}


@pytest.fixture(autouse=True)
def new_day(shop):
    use_day(shop, 0)


def use_day(shop, calls):
    """So many calls were made today, and, should the day end meanwhile, tomorrow."""
    day = int(time.time()) // 86400 + 1
    for number in (day, day + 1):
        shop.redis.command("SET", f"{shop.prefix}:quota:main:day:{number}", str(calls))


def write(shop, lane, value):
    key = f"abc123/{value['kind']}/{next(_ids)}"
    write_topic(shop.broker.address, shop.topic(f"{lane}.payloads"), key, json.dumps(value).encode(),
                {"store": "abc123", "kind": value["kind"]})
    return key


def test_a_lane_that_used_its_part_of_the_day_up_holds_up_no_order_of_the_same_contact_or_product(shop):
    email, sku = mail("bulk"), "BULK-1"
    use_day(shop, PER_DAY * 95 // 100)  # contacts may use 90 %, products 80 %
    bulk = [write(shop, "contacts", payload(email)),
            write(shop, "products", {"format": 1, "kind": "product", "account": "main", "store": "abc123", "currency": "USD",
                                     "modified_at": 1795622300000, "products": [{"sku": sku, "body": body(sku)}]})]
    entries = [ledger_key(shop, rest) for rest in (f"contact:{digest(email)}", f"product:{digest(sku)}")]
    wait_until(lambda: all(shop.redis.command("EXISTS", one) == b"1" for one in entries), 20,
               lambda: f"both to have been in hand; {shop.trouble()}")
    shop.place_and_wait(order(email))
    shop.place_and_wait(order(mail("bulk"), [item(sku, "Jar")]))
    assert shop.contact(email) and product_of(shop, sku)
    assert [shop.fate_of(key) for key in bulk] == [None, None], "they wait for the next day"


@pytest.mark.parametrize("known", [None, "no id"])
def test_an_order_takes_the_product_that_the_catalogue_failed_with(shop, known):
    """Its entry is open and has an id; the account does not show the product under its SKU any more."""
    number, sku = next(_ids), f"FAILED-{known}"
    push(shop, number, body(sku))
    made = product_of(shop, sku)["id"]
    shop.fault(side="is", method="PATCH", kind="status", status=400, match=sku)
    assert push(shop, number, body(sku, 990), count=2).topic == "dead"
    shop.clear_faults()
    shop.call("PATCH", f"/sandbox/account/products/{made}", {"sku": f"RENAMED-{known}"})
    if known is not None:
        shop.redis.command("HSET", ledger_key(shop, f"product:{digest(sku)}"), "s:product", known)
    placed = shop.place_and_wait(order(mail("failed"), [item(sku, "Jar")]))
    bought = [one["product_id"] for one in shop.created(placed["id"])[0]["order_items"] if "product_id" in one]
    assert bought == [made if known is None else product_of(shop, sku)["id"]]
