"""Orders that need calls of their own: they hold up no other order, and none of them is forgotten."""

import datetime
import email.utils
import re

import pytest
from processes import wait_until
from shop import mail, order
from shop_stack import Shop


@pytest.fixture
def poller(request):
    """A poller alone, not started yet, with the test's settings."""
    with Shop("e2e-poller-own", **getattr(request, "param", {})) as stack:
        stack.start_servers()
        yield stack


def with_settings(retry_delays_s, poll_interval_s=1, **poller):
    settings = {"pusher": {"retry_delays_s": retry_delays_s}, "poller": poller}
    return pytest.mark.parametrize("poller", [{"settings": settings, "store": {"poll_interval_s": poll_interval_s}}],
                                   indirect=True)


def poll(stack):
    return stack.start_services(services=("poller",), setup=False)


def incomplete(stack):
    """An order whose lines the list does not show."""
    return stack.place(order(mail("own"), sandbox={"hide_lines": True}))["id"]


def published(stack, *numbers):
    wanted = {f"abc123/order/{number}" for number in numbers}
    return [record for record in stack.raw_records() if record.key in wanted]


def wait_published(stack, number, timeout=30):
    return wait_until(lambda: published(stack, number), timeout, lambda: f"order {number}; {stack.trouble()}")[0]


def calls(stack, path=""):
    return [e for e in stack.journal() if e["side"] == "bc" and e["path"].startswith(f"/stores/abc123/v2/orders{path}")]


def held(stack):
    """{id: failures} of the orders that are held, as saved."""
    record = stack.cursors().get("abc123") or {}
    return {one[0]: one[2] for one in record.get("held", [])}


@with_settings("1,2,3", poll_interval_s=3)
def test_broken_order_delays_no_good_one_of_its_store(poller):
    for _ in range(6):
        number = incomplete(poller)
        poller.fault(side="bc", path=f"/orders/{number}", kind="delay", delay_ms=60_000)
    poll(poller)
    wait_until(lambda: len(held(poller)) == 6, 30, lambda: f"the broken orders to be held; {poller.trouble()}")
    delays = []
    for _ in range(4):
        placed = poller.place(order(mail("good")))["id"]
        made = next(float(e["t"]) for e in poller.journal() if e["side"] == "store" and e["path"].endswith(f"/{placed}"))
        delays.append(wait_published(poller, placed).timestamp_ms / 1000 - made)
    # The poll that shows an order is due within 3 s; a call that hangs may end a second later. One hangs for a minute.
    assert max(delays) < 20, f"seconds from placed to published: {delays}"
    assert len(held(poller)) == 6 and calls(poller, "/"), "the broken ones are still asked for"


@with_settings("1,2,3", poll_interval_s=2)
def test_rounds_that_last_longer_than_the_interval_leave_time_for_held_orders(poller):
    """After a rush, the window is so long that the next round is due when it has been read."""
    poller.fault(side="bc", match="min_date_modified", kind="delay", delay_ms=2500)
    numbers = [incomplete(poller) for _ in range(12)]
    poll(poller)
    wait_until(lambda: len(published(poller, *numbers)) == 12, 90, lambda: f"the orders; {poller.trouble()}")
    entries = calls(poller)
    own = [n for n, entry in enumerate(entries) if re.search(r"/orders/\d+", entry["path"])]
    rounds = [entry for entry in entries[own[0]:own[-1]] if "min_date_modified" in entry["query"]]
    assert len(rounds) < 6, f"{len(rounds)} requests for the list between the first held order and the last one"


@with_settings("3,3,3", overlap_s=2)
def test_held_order_costs_no_round_more_than_what_is_new(poller):
    number = incomplete(poller)
    fault = poller.fault(side="bc", path=f"/orders/{number}", kind="status", status=500)
    poll(poller)
    wait_until(lambda: number in held(poller), 30, lambda: f"the order to be held; {poller.trouble()}")
    date = next(one for one in poller.orders() if one["id"] == number)["date_modified"]
    # The position passes it: what is asked for begins behind it.
    wait_until(lambda: oldest_asked(poller) > date_s(date) + 1, 60, lambda: f"the cursor to move on; {poller.trouble()}")
    assert number in held(poller)
    # Neither a restart nor an emptied Redis forgets it, though no list shows it any more.
    poller.kill("poller")
    poller.redis.command("FLUSHALL")
    poller.call("DELETE", f"/sandbox/faults/{fault['id']}")
    poller.start_service("poller")
    wait_published(poller, number)
    wait_until(lambda: not held(poller), 30, lambda: f"{held(poller)} to be empty; {poller.trouble()}")


def date_s(text):
    return email.utils.parsedate_to_datetime(text).timestamp()


def oldest_asked(stack):
    """The lower limit of the newest list call, in seconds."""
    query = [e["query"] for e in calls(stack) if e["path"].endswith("/orders")][-1]
    found = re.search(r"min_date_modified=([0-9T:.-]+)Z?", query.replace("%3A", ":"))
    return datetime.datetime.fromisoformat(found[1]).replace(tzinfo=datetime.timezone.utc).timestamp() if found else 0


FEW_PLACES = {"settings": {"pusher": {"retry_delays_s": "4,4,4"}, "kafka": {"max_record_bytes": 16384}}}


@pytest.mark.parametrize("poller", [FEW_PLACES], indirect=True)
def test_more_than_256_failing_orders_are_all_remembered_and_none_is_tried_in_every_round(poller):
    numbers = poller.call("POST", "/sandbox/stores/abc123/orders", [
        order(mail("own"), sandbox={"hide_lines": True}) for _ in range(500)])["ids"]
    poller.fault(side="bc", path="/orders/", kind="status", status=500)
    poll(poller)
    # The record of a topic for such small records has room for some 450 of them.
    wait_until(lambda: len(held(poller)) > 400 and min(held(poller).values()) >= 2, 60,
               lambda: f"failing orders, two failures each: {len(held(poller))}; {poller.trouble()}", interval=0.2)
    times = {}
    for call in calls(poller, "/"):
        times.setdefault(call["path"], []).append(float(call["t"]))
    gaps = [after - before for each in times.values() for before, after in zip(each, each[1:])]
    assert len(times) == len(held(poller)) < 500 and min(gaps) >= 3.9, f"retry_delays_s = 4,4,4: {min(gaps)}"
    assert not published(poller, *numbers)
    # Those that found no place were not passed.
    poller.clear_faults()
    wait_until(lambda: len({r.key for r in published(poller, *numbers)}) == 500, 90,
               lambda: f"500 orders; {len(published(poller, *numbers))}; {poller.trouble()}", interval=0.3)


@with_settings("1,1,1")
def test_403_on_one_orders_own_call_is_retried_by_schedule(poller):
    number, other = incomplete(poller), incomplete(poller)
    poller.fault(side="bc", path=f"/orders/{number}", kind="status", status=403, count=3)
    poll(poller)
    wait_published(poller, other)
    wait_published(poller, number)
    assert [e["status"] for e in calls(poller, f"/{number}")][:4] == [403, 403, 403, 200]
    assert "refuses the token" not in poller.services["poller"].text()
    assert poller.fate(number) is None, "it is not dead"


@with_settings("1,1,1")
def test_404_on_one_orders_own_call_is_skipped(poller):
    number, other = incomplete(poller), incomplete(poller)
    poller.fault(side="bc", path=f"/orders/{number}", kind="status", status=500)
    poll(poller)
    wait_published(poller, other)
    wait_until(lambda: number in held(poller), 30, lambda: f"the order to be held; {poller.trouble()}")
    poller.call("DELETE", f"/sandbox/stores/abc123/orders/{number}")
    poller.clear_faults()
    assert poller.wait_fate(number) == ("skipped", "archived")
    wait_until(lambda: not held(poller), 30, lambda: f"{held(poller)} to be empty; {poller.trouble()}")
    assert not published(poller, number)
    assert len(poller.fate_records(f"abc123/order/{number}")) == 1
