"""Under which lease, fence and key the poller works: clocks that were set back, orders that nobody can read."""

import hashlib
import json
import time

import pytest
from processes import http_call, read_topic, wait_until, write_topic
from shop import mail, order
from shop_stack import Shop

SOON_S = 30  # a lease, of 10 s in tests/stack.py, and more on a busy machine; what was saved is a day ahead or a year
YEAR_US = 365 * 86400 * 1_000_000


@pytest.fixture
def poller(request):
    """A poller alone, not started yet."""
    with Shop("e2e-poller-identity", **getattr(request, "param", {})) as stack:
        stack.start_servers()
        yield stack


def poll(stack):
    return stack.start_services(services=("poller",), setup=False)


def published(stack, number, store="abc123"):
    return [r for r in stack.raw_records() if r.key == f"{store}/order/{number}"]


def positions(stack):
    """{store: the newest position that a poller saved}"""
    records = read_topic(stack.broker.address, stack.topic("cursors"))
    return {r.key: r.json() for r in sorted(records, key=lambda r: r.json()["saved_at"]) if r.json()["saved_at"] > 1}


@pytest.mark.parametrize("poller", [{"stores": 3}], indirect=True)
def test_saved_fence_ahead_of_the_clock_of_redis_is_polled_within_a_lease(poller):
    fences = {"abc123": int(time.time() * 1_000_000) + YEAR_US, "abc124": 2**53 + 1, "abc125": 2**63 - 1}
    for store, fence in fences.items():
        saved = {"cursor": None, "start_from": 0, "fence": fence, "saved_at": 1}
        write_topic(poller.broker.address, poller.topic("cursors"), store, json.dumps(saved).encode())
    placed = {store: poller.place(order(mail("fence")), store) for store in fences}
    poll(poller)
    for store in fences:
        wait_until(lambda: published(poller, placed[store]["id"], store), SOON_S, lambda: f"the order; {poller.trouble()}")
    saved = wait_until(lambda: len(found := positions(poller)) == 3 and found, 30, "the positions")
    for store, fence in fences.items():
        assert saved[store]["start_from"] == 0, "what was saved goes on"
        assert saved[store]["fence"] == min(fence + 1, 2**63 - 1), "the next fence is the greater one"
    assert "the lease is lost" not in poller.services["poller"].text()


def test_lease_and_pollers_from_before_the_clock_of_redis_was_set_back_hold_nobody_up(poller):
    ahead_ms = int(time.time() * 1000) + 86400_000
    poller.redis.command("HSET", "bigfusion:poller:abc123:lease", "owner", "gone", "fence", "7", "until", str(ahead_ms))
    for number in range(3):
        poller.redis.command("ZADD", "bigfusion:pollers", str(ahead_ms), f"gone-{number}")
    placed = poller.place(order(mail("back")))
    poll(poller)
    wait_until(lambda: published(poller, placed["id"]), SOON_S, lambda: f"the order; {poller.trouble()}")
    assert poller.redis.command("ZCARD", "bigfusion:pollers") == b"1"


def test_lost_lease_has_a_text_and_shows_in_readyz(poller):
    poll(poller)
    poller.fault(side="bc", method="GET", path="/orders", kind="delay", delay_ms=4000)
    text = "the lease is lost: another process has the store"
    wait_until(lambda: "lease taken store=abc123" in poller.services["poller"].text(), 30, poller.trouble)

    def lost():
        # Another poller takes the lease while the store's answer is awaited.
        until_ms = int(time.time() * 1000) + 20000
        poller.redis.command("HSET", "bigfusion:poller:abc123:lease", "owner", "other", "until", str(until_ms))
        return f'not ready part="store abc123" why="{text}"' in poller.services["poller"].text()
    wait_until(lost, 30, poller.trouble)
    wait_until(lambda: f'round given up store=abc123 error="{text}"' in poller.services["poller"].text(), 30, poller.trouble)
    poller.wait_ready("poller")  # the store is in other hands, which is no trouble


def broken(stack, number, own_id=True):
    """Makes an order unreadable: members with ids of their own first, half a character in a name. Returns its bytes."""
    shown = json.loads(stack.raw(number))
    consignments = {"shipping": [{"id": 51, **(shown["consignments"]["shipping"] or [{}])[0]}]}
    members = {"consignments": consignments, **shown, "billing_address": {**shown["billing_address"], "first_name": "Gr?ace"}}
    members["consignments"] = consignments
    members["id"] = members.pop("id")
    if not own_id:
        del members["id"]
    text = json.dumps(members).replace("Gr?ace", "Gr\\ud83dace")
    status, answer = http_call(stack.address, "PUT", f"/sandbox/stores/abc123/orders/{number}/raw", text.encode())
    assert status < 300, answer
    return text.encode()


def dead(stack, key):
    return wait_until(lambda: [r for r in list(stack.tails["dead"].records) if r.key == key], 30,
                      lambda: f"{key} to be dead; {[r.key for r in stack.tails['dead'].records]}; {stack.trouble()}")[0]


def test_unreadable_order_is_named_by_its_own_id_else_by_its_digest(poller):
    named = poller.place(order(mail("broken")))
    nameless = poller.place(order(mail("broken")))
    good = poller.place(order(mail("behind")))
    named_bytes = broken(poller, named["id"])
    nameless_bytes = broken(poller, nameless["id"], own_id=False)
    assert named_bytes.index(b'"id": 51') < named_bytes.index(f'"id": {named["id"]}'.encode())
    poll(poller)
    record = dead(poller, f"abc123/order/{named['id']}")
    assert record.headers["reason"] == "malformed" and record.value == named_bytes
    record = dead(poller, f"abc123/unreadable/{hashlib.sha256(nameless_bytes).hexdigest()[:32]}")
    assert record.headers["reason"] == "malformed" and record.value == nameless_bytes
    wait_until(lambda: published(poller, good["id"]), 30, lambda: f"the order behind them; {poller.trouble()}")
    assert {r.key for r in poller.tails["dead"].records} == {f"abc123/order/{named['id']}", record.key}


def test_unreadable_order_that_is_tried_again_stays_under_its_key(poller):
    key = f"abc123/unreadable/{'0123456789abcdef' * 2}"
    poller.start_services(services=("filter",), setup=False)
    write_topic(poller.broker.address, poller.topic("orders.raw"), key, b'{"n":"Gr\\ud83dace"}')
    assert dead(poller, key).headers["stage"] == "filter"
