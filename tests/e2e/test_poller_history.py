"""A first start from the past: the old orders are walked beside the polling, so no new order waits for them."""

import contextlib
import re
import time

from processes import wait_until
from shop import DATE, mail, order
from shop_stack import Shop

DAY_S = 86400


@contextlib.contextmanager
def run(name, orders, page_size, **more):
    """A poller alone, not started yet, and a store with old orders."""
    with Shop(name, settings={"poller": {"page_size": page_size}}, **more) as stack:
        stack.start_servers()
        dates = [time.strftime(DATE, time.gmtime(time.time() - DAY_S - 60 * number)) for number in range(orders)]
        stack.call("POST", "/sandbox/stores/abc123/orders",
                   [order(f"old.{number}@example.com", date_created=date, date_modified=date)
                    for number, date in enumerate(dates)])
        yield stack


def poll(stack):
    return stack.start_services(services=("poller",), setup=False)


def walks(calls):
    """(time, min_id) of the list calls of the history: unlike the polling they have no lower limit of the date."""
    found = [e for e in calls if e["side"] == "bc" and e["path"].endswith("/orders")
             and "min_date_modified" not in e["query"]]
    return [(float(e["t"]), int(m[1]) if (m := re.search(r"min_id=(\d+)", e["query"])) else 0) for e in found]


def wait_published(stack, number, timeout):
    key = f"abc123/order/{number}"
    return wait_until(lambda: [r for r in stack.raw_records() if r.key == key], timeout,
                      lambda: f"order {number}; {stack.trouble()}", interval=0.2)[0]


def position(stack):
    return (stack.cursors().get("abc123") or {}).get("history")


def test_new_orders_do_not_wait_behind_a_long_first_walk_and_marks_stay_few():
    count = 800
    with run("e2e-poller-history", count, 10) as stack:
        stack.fault(side="bc", method="GET", path="/orders", kind="delay", delay_ms=250)
        poll(stack)
        wait_until(lambda: (position(stack) or [0, None])[1], 30, lambda: f"the history to begin; {stack.trouble()}")
        marks = []
        for _ in range(4):
            wait_published(stack, stack.place(order(mail("new")))["id"], 30)
            marks.append(int(stack.redis.command("ZCARD", "bigfusion:poller:abc123:seen")))
        assert position(stack), "the old orders are still on their way"
        assert max(marks) < 100, f"marks of what the overlap shows again, not of {count} old orders: {marks}"
        # Killed in the middle: the walk goes on where it was saved.
        stack.kill("poller")
        before = len(stack.journal())
        saved = position(stack)[1]
        stack.clear_faults()
        stack.start_service("poller")
        wanted = {f"abc123/order/{each['id']}" for each in stack.orders()}
        wait_until(lambda: wanted <= {r.key for r in stack.raw_records()}, 60,
                   lambda: f"every order; {len(stack.raw_records())} records; {stack.trouble()}", interval=0.3)
        wait_until(lambda: position(stack) is None, 20, lambda: f"the history to end: {position(stack)}")
        assert min(first for _, first in walks(stack.journal()[before:])) >= saved > 0
        twice = len(stack.raw_records()) - len(wanted)
        assert twice <= 20, f"{twice} orders were published twice"


def test_old_orders_leave_the_last_quarter_of_the_stores_quota_to_the_polling():
    with run("e2e-poller-history-quota", 600, 5, store={"poll_interval_s": 2}) as stack:
        stack.sandbox_settings(bc_quota=120)
        poll(stack)
        wait_until(lambda: len(walks(stack.journal())) >= 80, 60, lambda: f"the history; {stack.trouble()}")
        placed = stack.place(order(mail("new")))["id"]
        wait_published(stack, placed, 20)
        times = [at for at, _ in walks(stack.journal())]
        # The window of the quota is 30 s long and began with the first call.
        assert 80 <= len([at for at in times if at < times[0] + 25]) <= 91, times
        assert position(stack), "the old orders wait"


def test_old_order_that_cannot_be_had_holds_up_no_new_one():
    with run("e2e-poller-history-trouble", 30, 2) as stack:
        slow = stack.fault(side="bc", method="GET", path="/orders", kind="delay", delay_ms=1000)
        poll(stack)
        until_ms = wait_until(lambda: position(stack), 30, lambda: f"the history to begin; {stack.trouble()}")[0]
        until = time.strftime("max_date_modified=%Y-%m-%dT%H:%M:%SZ", time.gmtime(until_ms // 1000))
        fault = stack.fault(side="bc", method="GET", path="/orders", match=until, kind="status", status=503)
        stack.call("DELETE", f"/sandbox/faults/{slow['id']}")
        wait_until(lambda: "history waits" in stack.services["poller"].text(), 20, lambda: stack.trouble())
        wait_published(stack, stack.place(order(mail("new")))["id"], 30)
        assert position(stack), "the old orders wait"
        stack.call("DELETE", f"/sandbox/faults/{fault['id']}")
        wait_until(lambda: position(stack) is None, 90, lambda: f"the history to end; {stack.trouble()}", interval=0.2)
        assert {f"abc123/order/{each['id']}" for each in stack.orders()} == {r.key for r in stack.raw_records()}
