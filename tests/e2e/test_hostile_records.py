"""Records that only a hostile or broken program writes: each becomes dead with a reason that names the member, the programs go on."""

import copy
import itertools
import json
import subprocess

import payloads
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


def test_members_of_a_payload_in_wrong_types_are_dead_malformed(plain):
    pid = plain.services["pusher"].pid
    harmless, tried, dead, crashes, complaints = payloads.try_all(plain, each=7)
    assert (complaints, crashes) == ([], 0)
    assert tried == dead and tried > 200 and len(harmless) > 10
    assert plain.services["pusher"].pid == pid


WRONG = [None, True, 7, -7, 10**30, "x", "", [], {}, [[]], {"id": {}}]


def wrong_orders():
    """Orders with one member in a wrong type, those of the parts included."""
    for path in ("id", "status_id", "status", "date_created", "date_modified", "total_inc_tax", "total_tax", "fees",
                 "discount_amount", "default_currency_code", "is_deleted", "external_source", "billing_address",
                 "billing_address.email", "billing_address.first_name", "consignments", "consignments.shipping",
                 "consignments.shipping.0", "consignments.shipping.0.line_items", "consignments.shipping.0.line_items.0",
                 "consignments.shipping.0.line_items.0.quantity", "consignments.shipping.0.line_items.0.sku",
                 "consignments.shipping.0.line_items.0.total_ex_tax", "consignments.shipping.0.line_items.0.product_id",
                 "consignments.shipping.0.line_items.0.applied_discounts", "consignments.downloads", "consignments.email"):
        for value in WRONG:
            number = next(_ids)
            one = {"id": number, "date_created": "Mon, 02 Mar 2026 10:15:30 +0000",
                   "date_modified": "Mon, 02 Mar 2026 10:16:00 +0000", **order(mail("wrong"))}
            place = one
            for name in path.split(".")[:-1]:
                place = place[int(name) if name.isdigit() else name]
            last = path.split(".")[-1]
            place[int(last) if last.isdigit() else last] = value
            yield f"abc123/order/{number}", one


def test_orders_with_members_in_wrong_types_have_a_fate_and_the_stages_go_on(plain):
    pids = {name: service.pid for name, service in plain.services.items()}
    for topic in ("orders.raw", "orders.eligible"):
        sent = dict(wrong_orders())
        lines = "".join(f"{key}\x1f{json.dumps(one)}\n" for key, one in sent.items())
        subprocess.run(["kcat", "-b", plain.broker.address, "-P", "-t", plain.topic(topic), "-K", "\x1f",
                        "-H", "store=abc123", "-H", "modified_at=1772446560000"], input=lines.encode(), check=True, timeout=60)
        wait_until(lambda: set(sent) <= {r.key for tail in plain.tails.values() for r in list(tail.records)}, 60,
                   lambda: f"a fate of each; {plain.trouble()}")
        fates = [plain.fate(key.rsplit("/", 1)[1]) for key in sent]
        assert {fate[0] for fate in fates} <= {"dead", "skipped", "delivered"}
        assert sum(fate == ("dead", "malformed") for fate in fates) > len(sent) // 2
        assert {fate[1] for fate in fates if fate[0] == "dead"} <= {"malformed", "total_mismatch", "currency_mismatch"}
    assert {name: service.pid for name, service in plain.services.items()} == pids
    assert all(service.alive() for service in plain.services.values())


def test_headers_with_wrong_values_do_not_end_the_pusher(plain):
    pid = plain.services["pusher"].pid
    hostile = ["9" * 15, "9" * 18, "9" * 40, "-1", "1e9", " ", "x" * 5000, "a\tb", "\u2603", "%s%n"]
    numbers = {}
    for name in ("attempt", "modified_at", "polled_at", "kind", "source", "reason", "detail", "account", "traceparent"):
        for value in hostile:
            number = next(_ids)
            numbers[number] = (name, value)
            write_topic(plain.broker.address, plain.topic("orders.payloads"), f"abc123/order/{number}",
                        json.dumps(forged(number)).encode(), {"store": "abc123", name: value})
    for number, (name, value) in numbers.items():
        fate = plain.wait_fate(number)
        wanted = ("dead", "malformed") if name in ("attempt", "modified_at", "polled_at", "account") else ("delivered", None)
        assert fate == wanted, (name, value)
    assert plain.services["pusher"].alive() and plain.services["pusher"].pid == pid


def test_nothing_is_begun_for_a_payload_with_a_wrong_member_at_its_end(plain):
    mark = plain.mark()
    number = next(_ids)
    bad = forged(number, goals=[{"integration": "BCORDER", "call_name": 7}])
    dead = send(plain, "orders.payloads", number, bad)
    assert "goals[0].call_name is not a text" in dead.headers["detail"]
    assert plain.requests_since(mark, "POST") == []
    assert plain.redis.command("KEYS", f"*abc123/order/{number}*") == b"0", "no entry in the ledger"
