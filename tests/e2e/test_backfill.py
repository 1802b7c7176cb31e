"""`bigfusion backfill`: the orders of the past, beside live ones, each made once, without goals."""

import json
import os
import re
import subprocess
import time
import urllib.request

import pytest
from hostile_store import HostileStore
from processes import binary, read_topic, wait_until
from shop import DATE, item, mail, order
from shop_stack import Shop

DAY_S = 86400
PAGE = 100
OLD = 430
BACKFILL = ("backfill", "--store", "BC", "--from", "2023-01-01")


def iso(at_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def past(at_s, word="old", **more):
    date = time.strftime(DATE, time.gmtime(at_s))
    return order(mail(word), date_created=date, date_modified=date, **more)


def place_all(stack, orders):
    """Many orders in one call; returns their numbers."""
    before = {one["id"] for one in stack.orders()}
    stack.call("POST", "/sandbox/stores/abc123/orders", orders)
    return sorted({one["id"] for one in stack.orders()} - before)


@pytest.fixture
def stack(kafka, request):
    """A store whose start_from is two days ago, and orders that were placed in the years before."""
    start = int(time.time()) - 2 * DAY_S
    prefix = re.sub("[^A-Za-z0-9]+", "-", request.node.name)[:40]
    with Shop(f"e2e-{prefix}", broker=kafka, prefix=prefix, store={"start_from": iso(start), "backfill_from": "2023-01-01T00:00:00Z"}) as stack:
        stack.begin = start
        stack.start_servers()
        yield stack


def history(stack):
    return [r for r in read_topic(stack.broker.address, stack.topic("history.raw")) if r.key]


def position(stack):
    found = [r for r in read_topic(stack.broker.address, stack.topic("cursors")) if r.key.startswith("abc123/backfill/")]
    return found[-1].json() if found else None


def goals(stack):
    return [e for e in stack.journal() if e["side"] == "is" and e["path"].endswith("/goals/achieve")]


def last_entries(stack):
    found = [one["entry"] for one in json.loads(stack.command("audit", "--json").stdout)["entries"] if one["link"] == "part"]
    return [one for one in found if one["act"] == "backfill"]


def start_backfill(stack):
    return subprocess.Popen([binary("bigfusion"), *BACKFILL, "--config", stack.config], env=stack.environment(),
                            stdout=subprocess.DEVNULL, stderr=open(os.path.join(stack.run, "backfill.log"), "ab"))


def test_killed_in_the_middle_it_goes_on_and_repeats_one_page_at_most(stack):
    first = stack.begin - 900 * DAY_S
    stack.call("POST", "/sandbox/stores/abc123/orders", [past(first + 3600 * i) for i in range(OLD)])
    stack.start_services()
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.fault(side="bc", method="GET", path="/orders", match="min_date_created", kind="delay", delay_ms=3000)
    running = start_backfill(stack)
    live = []
    wait_until(lambda: (position(stack) or {}).get("orders", 0) >= PAGE, 30, lambda: f"the first page; {stack.trouble()}")
    running.kill()
    running.wait()
    saved = position(stack)
    assert saved and PAGE <= saved["orders"] < OLD, "it was killed in the middle"
    stack.clear_faults()
    live += [stack.place(order(mail("live"))) for _ in range(5)]
    said = json.loads(stack.command(*BACKFILL, "--why", "the shop asked for it", "--json").stdout)
    assert said["published"] == OLD - saved["orders"] and said["dead"] == 0
    keys = [r.key for r in history(stack)]
    assert len(set(keys)) == OLD
    assert len(keys) - OLD <= PAGE, "one page at most is repeated"
    assert position(stack) is None, "its position goes with the last page"
    stack.wait_drained(120)
    live_ids = {f"abc123/order/{one['id']}" for one in live}
    assert all(e["body"] and "BC" in str(e["body"]) for e in goals(stack))
    assert len(goals(stack)) == 2 * len(live_ids), "BCORDER and BCSKU of the live ones alone"
    begun, ended = last_entries(stack)[-2:]
    assert (begun["step"], ended["step"], ended["outcome"]) == ("begin", "end", "done")
    assert begun["leave_out"] == "goals,tags" and begun["why"] == "the shop asked for it" and begun["behind"] == saved["last_id"]
    # Once more from its beginning: everything is delivered, so nothing is made and nothing called.
    mark = stack.mark()
    stack.command(*BACKFILL)
    wait_until(lambda: len(history(stack)) >= 2 * OLD, 10, "the second backfill")
    placed = stack.place_and_wait(order(mail("after")))
    wait_until(lambda: len([r for r in list(stack.tails["delivered"].records) if r.key != f"abc123/order/{placed['id']}"])
               >= 2 * OLD + len(live), 60, lambda: f"the second deliveries; {stack.trouble()}")
    assert [e for e in stack.journal()[mark:] if e["side"] == "is" and e["method"] == "POST" and "orders" in e["path"]] \
        == stack.requests_since(mark, "POST", "/orders", f"bc-abc123-{placed['id']}")
    stack.assert_right()


def test_window_rules_and_dry_run(stack):
    begin = stack.begin
    early = place_all(stack, [past(begin - 1300 * DAY_S, "early"), past(begin - 1250 * DAY_S, "early")])
    inside = place_all(stack, [past(begin - 100 * DAY_S), past(begin - 3 * DAY_S, external_source="M-MIG"),
                               past(begin - DAY_S, status=0), past(begin - DAY_S, status=4), past(begin - DAY_S, is_deleted=True),
                               past(begin - 1, items=[item(f"SKU-{i}", f"Thing {i}") for i in range(60)])])
    live = place_all(stack, [past(begin, "live"), past(begin + 60, "live")])
    stack.start_services(services=(), setup=True)
    refused = stack.command(*BACKFILL, check=False)
    assert refused.returncode == 100 and "not polled yet" in refused.stderr
    for name in ("poller", "filter", "mapper", "pusher"):
        stack.start_service(name)
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    mark = len(history(stack))
    dry = json.loads(stack.command("backfill", "--from", iso(begin - 1000 * DAY_S), "--to", "2999-01-01", "--dry-run", "--json").stdout)
    assert dry["published"] == len(inside) and dry["dry_run"] is True
    assert len(history(stack)) == mark and position(stack) is None and last_entries(stack) == []
    said = stack.command("backfill", "--from", iso(begin - 1000 * DAY_S), "--to", "2999-01-01")
    assert "the poller's" in said.stderr
    assert {r.key for r in history(stack)} == {f"abc123/order/{n}" for n in inside}
    for record in history(stack):
        assert record.headers["source"] == "backfill" and record.headers["lane"] == "history"
        assert record.headers["leave_out"] == "goals,tags"
    wanted = [("delivered", None), ("delivered", None), ("skipped", "status"), ("skipped", "status"), ("skipped", "archived"),
              ("delivered", None)]
    for number, fate in zip(inside, wanted):
        stack.wait_fate(number, wanted=fate)
    for number in live:
        stack.wait_fate(number, wanted=("delivered", None))
    assert all(stack.fate(number) is None for number in early), "placed before --from"
    for wrong, why in ((("--from", "2023-13-01"), "allowed: a date"), (("--from", "2h"), "allowed: a date"),
                       ((), "--from DATE"), (("--from", "2024-01-01", "--to", "2024-01-01"), "nothing between")):
        answer = stack.command("backfill", *wrong, check=False)
        assert answer.returncode == 100 and why in answer.stderr, answer.stderr


def test_goals_are_achieved_where_they_are_asked_for(stack):
    number, = place_all(stack, [past(stack.begin - 30 * DAY_S)])
    stack.start_services()
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.command(*BACKFILL, "--goals")
    stack.wait_fate(number, wanted=("delivered", None))
    assert len(goals(stack)) == 2
    assert [r.headers["leave_out"] for r in history(stack)] == ["tags"]


def test_what_the_mapper_gave_up_keeps_its_lane_when_it_is_tried_again(stack):
    number, = place_all(stack, [past(stack.begin - 30 * DAY_S, total_inc_tax="99.0000")])
    stack.start_services()
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.command(*BACKFILL)
    stack.wait_fate(number, wanted=("dead", "total_mismatch"))
    said = stack.command("retry", f"BC/{number}")
    records = wait_until(lambda: (found := read_topic(stack.broker.address, stack.topic("history.eligible")))[1:] and found, 20,
                         lambda: f"the record once more: {said.stdout}{said.stderr}; {[(r.topic, r.headers) for n in ('orders.eligible', 'orders.raw', 'history.raw', 'history.eligible') for r in read_topic(stack.broker.address, stack.topic(n))]}")
    assert [r.headers["source"] for r in records] == ["backfill", "replay"]
    assert {r.headers["leave_out"] for r in records} == {"goals,tags"}
    assert {r.headers["lane"] for r in records} == {"history"}


def test_waits_while_thousands_are_not_delivered(stack):
    """No pusher runs: the backfill stops by itself, far before its end, and the topics are no dump."""
    stack.call("POST", "/sandbox/stores/abc123/orders", [past(stack.begin - 900 * DAY_S + 60 * i) for i in range(4500)])
    stack.start_services(services=("poller", "filter", "mapper"))
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    running = start_backfill(stack)
    with open(os.path.join(stack.run, "backfill.log"), encoding="utf-8") as log:
        wait_until(lambda: "not delivered yet" in log.read(), 60, lambda: f"it to wait; {stack.trouble()}")
    assert running.poll() is None
    assert 4000 <= len(history(stack)) <= 4000 + PAGE
    running.terminate()
    assert running.wait(20) == 0, "cancelled is no failure"
    assert last_entries(stack)[-1]["outcome"] == "cancelled"
    assert position(stack)["orders"] == len(history(stack))


def test_live_orders_go_first(stack):
    """The history has one worker of four, whatever waits: live orders that come later are made while most of it still waits."""
    stack.settings = {"pusher": {"workers": 4}}
    old = place_all(stack, [past(stack.begin - 900 * DAY_S + 60 * i) for i in range(200)])
    stack.start_services(services=("poller", "filter", "mapper"))
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.command(*BACKFILL)
    payloads = lambda: [r for r in read_topic(stack.broker.address, stack.topic("history.payloads")) if r.key]  # noqa: E731
    wait_until(lambda: len(payloads()) == len(old), 30, "the history in front of the pusher")
    stack.fault(side="is", method="POST", path="/orders", kind="delay", delay_ms=200)
    stack.start_service("pusher")
    stack.wait_ready("pusher")
    made = lambda numbers: sum(stack.fate(number) == ("delivered", None) for number in numbers)  # noqa: E731
    wait_until(lambda: made(old) >= 2, 30, lambda: f"the history to begin; {stack.trouble()}")
    live = [stack.place(order(mail("live")))["id"] for _ in range(24)]
    wait_until(lambda: made(live) == len(live), 60, lambda: f"live orders; {stack.trouble()}")
    behind = made(old)
    assert behind < len(old) / 2, f"{behind} of the history were made before the last live order"
    stack.clear_faults()
    stack.wait_drained(120)
    stack.assert_right()


def test_a_store_has_one_backfill_at_a_time(stack):
    place_all(stack, [past(stack.begin - 900 * DAY_S + 3600 * i) for i in range(OLD)])
    stack.start_services(services=("poller",))
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.fault(side="bc", method="GET", path="/orders", match="min_date_created", kind="delay", delay_ms=3500)
    running = start_backfill(stack)
    wait_until(lambda: position(stack), 30, lambda: f"the first page; {stack.trouble()}")
    other = stack.command("backfill", "--from", "2024-01-01", check=False)  # another window, but the same store
    assert other.returncode == 111 and "another backfill of store BC is running" in other.stderr, other.stderr
    waiting = start_backfill(stack)
    words = lambda: open(os.path.join(stack.run, "backfill.log"), encoding="utf-8").read()  # noqa: E731
    wait_until(lambda: "another backfill" in words(), 30, words)
    waiting.terminate()
    assert waiting.wait(10) == 111 and "stopped while another backfill was running" in words()
    assert running.poll() is None, "the first one went on meanwhile"
    assert json.loads(stack.command(*BACKFILL, "--dry-run", "--json").stdout)["published"] == OLD, "counting is no second run"
    stack.clear_faults()
    assert running.wait(60) == 0
    keys = [r.key for r in history(stack)]
    assert len(keys) == len(set(keys)) == OLD, "nothing was published twice"
    assert stack.command(*BACKFILL).returncode == 0, "its end gives the store free at once"


def test_a_paused_store_is_not_asked(stack):
    place_all(stack, [past(stack.begin - 900 * DAY_S + 3600 * i) for i in range(OLD)])
    stack.start_services(services=("poller",))
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.fault(side="bc", method="GET", path="/orders", match="min_date_created", kind="delay", delay_ms=3500)
    running = start_backfill(stack)
    wait_until(lambda: position(stack), 30, lambda: f"the first page; {stack.trouble()}")
    stack.command("pause", "BC", "--why", "stock is counted")
    assert running.wait(30) == 100
    with open(os.path.join(stack.run, "backfill.log"), encoding="utf-8") as log:
        assert "store BC: it is paused" in log.read()
    refused = stack.command(*BACKFILL, check=False)
    assert refused.returncode == 100 and "store BC: it is paused" in refused.stderr
    assert position(stack)["orders"] == len(history(stack)) < OLD
    stack.clear_faults()
    stack.command("resume", "BC")
    stack.command(*BACKFILL)
    assert len({r.key for r in history(stack)}) == OLD


@pytest.mark.parametrize("by_id", [True, False])
def test_in_no_list_but_by_its_id(stack, by_id):
    """A list with that order is cut off, whatever its length. By its id it can be read, or not even so: then it is dead."""
    numbers = place_all(stack, [past(stack.begin - 100 * DAY_S + 3600 * i) for i in range(8)])
    bad = numbers[3]

    def answer(path):
        request = urllib.request.Request(stack.url + path, headers={"X-Auth-Token": "sandbox-bc-token"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            true = reply.read()
        shows = f"/orders/{bad}?" in path or any(one["id"] == bad for one in json.loads(true or b"[]"))
        return [true[:len(true) // 2] if shows and "include=" in path else true or b"[]"]

    store = HostileStore(stack.url, r"/orders\?.*min_date_created" if by_id else rf"/orders(\?.*min_date_created|/{bad}\?)", answer)
    stack.start_services(services=("poller",))
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.stores[0]["api_url"] = store.url
    stack.write_config()
    said = json.loads(stack.command(*BACKFILL, "--json").stdout)
    store.stop()
    wanted = set(numbers) if by_id else set(numbers) - {bad}
    assert {r.key for r in history(stack)} == {f"abc123/order/{number}" for number in wanted}
    assert (said["published"], said["dead"], said["unreadable"]) == (len(wanted), 0 if by_id else 1, 0)
    if not by_id:
        assert wait_until(lambda: stack.fate(bad), 20, "its fate") == ("dead", "gave_up")


def place_some_with_many_lines(stack):
    """Of the orders the third, fourth and last need calls of their own: a list leaves out some of their lines."""
    many = [item(f"SKU-{i}", f"Thing {i}") for i in range(60)]
    return place_all(stack, [past(stack.begin - 100 * DAY_S + 3600 * i, items=many if i in (2, 3, 7) else None) for i in range(8)])


@pytest.mark.parametrize("what", ["orders", "parts", "everything"])
def test_an_outage_makes_no_order_dead(stack, what):
    """A page was read; then the store fails for longer than an order is tried. The next run brings all of that page."""
    numbers = place_some_with_many_lines(stack)
    stack.start_services()
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.fault(side="bc", path="/orders/", kind="status", status=500, **({"match": "page="} if what == "parts" else {}))
    running = start_backfill(stack)
    if what == "everything":
        wait_until(lambda: stack.call("GET", "/sandbox/faults")[0]["fired"], 30, "the page to be read")
        stack.fault(side="bc", kind="drop_before")
    assert running.wait(60) == 111
    assert position(stack) is None, "the page is not behind it"
    stack.clear_faults()
    said = json.loads(stack.command(*BACKFILL, "--json").stdout)
    assert (said["published"], said["dead"]) == (len(numbers), 0)
    for number in numbers:
        stack.wait_fate(number, wanted=("delivered", None))
    assert not read_topic(stack.broker.address, stack.topic("dead"))
    stack.assert_right()


@pytest.mark.parametrize("which", [3, 7])
def test_an_order_that_alone_fails_is_dead_and_stops_no_other(stack, which):
    numbers = place_some_with_many_lines(stack)
    stack.start_services(services=("poller",))
    wait_until(lambda: stack.cursors().get("abc123"), 30, "the poller's first position")
    stack.fault(side="bc", path=f"/orders/{numbers[which]}/products", kind="status", status=500)
    said = json.loads(stack.command(*BACKFILL, "--json").stdout)
    assert (said["published"], said["dead"]) == (len(numbers) - 1, 1)
    assert wait_until(lambda: stack.fate(numbers[which]), 20, "its fate") == ("dead", "gave_up")
