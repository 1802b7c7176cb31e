"""What the poller makes of a store that shows its orders only in part, late, or not at all."""

import json

import pytest
from processes import wait_until
from shop import mail, order
from shop_stack import Shop

LISTS = "&include="  # in the query of each list call with lines, whatever its limit; not of GET /orders/{id}


@pytest.fixture
def poller(request):
    """A poller alone, with the test's settings."""
    with Shop("e2e-poller", **request.param) as stack:
        stack.start_servers()
        yield stack


def poll(stack):
    return stack.start_services(services=("poller",), setup=False)


def published(stack, number, store="abc123"):
    return [r for r in stack.raw_records() if r.key == f"{store}/order/{number}"]


def calls(stack, path, store="abc123"):
    return [e for e in stack.journal() if e["side"] == "bc" and e["path"] == f"/stores/{store}/v2{path}"]


@pytest.mark.parametrize("poller", [{}], indirect=True)
def test_order_that_no_list_shows_is_completed_from_its_own_bytes(poller):
    placed = poller.place(order(mail("alone"), sandbox={"hide_lines": True}))
    poller.fault(side="bc", method="GET", path="/orders", match=LISTS, kind="status", status=500)
    poll(poller)
    record = wait_until(lambda: published(poller, placed["id"]), 60, lambda: f"the order; {poller.trouble()}")[0]
    raw = poller.raw(placed["id"]).rstrip()
    assert record.value.startswith(raw[:-1]) and raw.endswith(b"}")
    added = json.loads(b"{" + record.value[len(raw) - 1:].lstrip(b","))
    lines = poller.all_pages("abc123", f"/orders/{placed['id']}/products")
    assert [line["id"] for line in added["bigfusion"]["products"]] == [line["id"] for line in lines]


@pytest.mark.parametrize("poller", [{"settings": {"pusher": {"max_attempts": 4}}}], indirect=True)
def test_order_whose_own_calls_fail_is_given_up_by_the_schedule_of_the_settings(poller):
    placed = poller.place(order(mail("failing"), sandbox={"hide_lines": True}))
    path = f"/orders/{placed['id']}/products"
    poller.fault(side="bc", method="GET", path=path, kind="status", status=500)
    poll(poller)
    wait_until(lambda: calls(poller, path), 30, lambda: f"the first call; {poller.trouble()}")
    other = poller.place(order(mail("behind")))
    assert poller.wait_fate(placed["id"], timeout=60) == ("dead", "gave_up")
    assert len(published(poller, other["id"])) == 1, "later orders pass"
    times = [call["t"] for call in calls(poller, path)]
    assert len(times) == 4, "tried once whenever it is due"
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert min(gaps) >= 0.99, f"retry_delays_s = 1,2,3: {gaps}"


@pytest.mark.parametrize("poller", [{"stores": 2, "orders": 20, "sandbox": ["--history", "7200"]}], indirect=True)
def test_answer_that_says_nothing_is_no_end_of_the_orders(poller):
    poller.fault(side="bc", store="abc123", method="GET", path="/orders", kind="status", status=304, count=2)
    poller.fault(side="bc", store="abc124", method="GET", path="/orders", kind="status", status=200, body="", count=2)
    poll(poller)
    wanted = {f"{one}/order/{each['id']}" for one in ("abc123", "abc124") for each in poller.orders(one)}
    wait_until(lambda: wanted <= {r.key for r in poller.raw_records()}, 30, lambda: f"every order; {poller.trouble()}")
    assert [e["status"] for e in calls(poller, "/orders")[:2]] == [304, 304]


@pytest.mark.parametrize("poller", [{}], indirect=True)
def test_clock_that_was_wrong_is_asked_for_when_it_leaves_nothing_to_ask(poller):
    before = poller.place(order(mail("clock")))
    poll(poller)
    wait_until(lambda: published(poller, before["id"]), 30, lambda: f"the order; {poller.trouble()}")
    known = len(calls(poller, "/time"))
    poller.sandbox_settings(clock_skew_s=-3600)  # each window ends before it begins: no list call tells the clock
    wait_until(lambda: len(calls(poller, "/time")) > known, 30, "the clock to be asked for")
    poller.sandbox_settings(clock_skew_s=0)
    after = poller.place(order(mail("clock")))
    wait_until(lambda: published(poller, after["id"]), 30, lambda: f"the next order; {poller.trouble()}")
