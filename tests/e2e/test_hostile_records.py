"""Records that only a hostile or broken program writes: each becomes dead with a reason that names the member, the programs go on."""

import copy
import itertools
import json

import pytest
from processes import wait_until, write_topic
from shop import mail, order
from shop_stack import Shop

_ids = itertools.count(900001)

# Smallest payloads of both faults that ended the pusher by a null pointer, one of the good one beside them.
GOOD = {
    "format": 1, "kind": "order", "account": "main", "currency": "USD", "total": 100, "modified_at": 1795622300000,
    "placed_at": 1795622300000, "contact": {"email_addresses": [{"email": "", "field": "EMAIL1"}], "given_name": "Eve"},
    "products": [{"sku": "S", "body": {"sku": "S", "name": "Ss", "short_description": "Ss", "price": 100}}],
    "order": {"order_title": "X", "order_time": "2026-11-25T00:00:00Z", "order_type": "ONLINE", "order_items": [
        {"item_type": "PRODUCT", "product": 0, "name": "x", "quantity": 1, "price_per_unit": 1}]}, "goals": []}


@pytest.fixture(scope="module")
def plain():
    with Shop("e2e-hostile-records") as stack:
        yield stack.start()


def forged(number, **members):
    one = copy.deepcopy(GOOD)
    one["external_key"] = f"bc-abc123-{number}"
    one["contact"]["email_addresses"][0]["email"] = mail("forged")
    one.update(members)
    return one


def send(stack, topic, number, value):
    key = f"abc123/order/{number}"
    write_topic(stack.broker.address, stack.topic(topic), key, json.dumps(value).encode(), {"store": "abc123"})
    return wait_until(lambda: stack.fate_records(key), 20, lambda: f"{key} to have a fate; {stack.trouble()}")[0]


def test_a_number_written_as_a_text_does_not_end_the_pusher(plain):
    pid = plain.services["pusher"].pid
    number = next(_ids)
    product = forged(number)
    product["order"]["order_items"][0]["product"] = "0"
    dead = send(plain, "orders.payloads", number, product)
    assert (dead.topic, dead.headers["reason"]) == ("dead", "malformed")
    assert "order.order_items[0].product is not a number" in dead.headers["detail"]
    number = next(_ids)
    dead = send(plain, "orders.payloads", number, forged(number, total="100"))
    assert (dead.topic, dead.headers["reason"]) == ("dead", "malformed")
    assert "total is not a number" in dead.headers["detail"]
    number = next(_ids)
    assert send(plain, "orders.payloads", number, forged(number)).topic == "delivered"
    assert plain.services["pusher"].alive() and plain.services["pusher"].pid == pid
    plain.place_and_wait(order(mail("beside")))


def test_nothing_is_begun_for_a_payload_with_a_wrong_member_at_its_end(plain):
    mark = plain.mark()
    number = next(_ids)
    bad = forged(number, goals=[{"integration": "BCORDER", "call_name": 7}])
    dead = send(plain, "orders.payloads", number, bad)
    assert "goals[0].call_name is not a text" in dead.headers["detail"]
    assert plain.requests_since(mark, "POST") == []
    assert plain.redis.command("KEYS", f"*abc123/order/{number}*") == b"0", "no entry in the ledger"
