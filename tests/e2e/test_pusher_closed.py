"""Accounts that refuse one kind of call and answer all others: one alarm, nothing loops, nothing is lost (R2)."""

import collections
import re

import pytest
from processes import read_topic, wait_until
from shop import item, mail, order
from shop_stack import Shop

SETTINGS = {
    # A call may take longer than a busy machine keeps anybody waiting: one that is given up closes the account too.
    "pusher": {"http_timeout_s": 6, "visibility_delay_s": 6, "retry_delays_s": "1,1,1", "max_attempts": 8},
}


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-pusher-closed", settings=SETTINGS) as stack:
        stack.start()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


@pytest.fixture(autouse=True)
def no_faults_left(shop):
    yield
    shop.clear_faults()


def alarms(shop, kind):
    found = re.findall(rf'^bigfusion_alarms_total\{{kind="{kind}"[^}}]*\}} (\d+)', shop.metrics("pusher"), re.M)
    return sum(map(int, found))


def written(shop, topic):
    """{record key: how often it was written into a waiting topic}"""
    return collections.Counter(r.key for r in read_topic(shop.broker.address, shop.topic(topic)))


@pytest.mark.parametrize("path, alarm, topic", [
    ("/orders", "ecommerce_unavailable", "waiting-orders.main"),
    ("/automations/goals", "account_closed", "waiting.main"),
    ("/contacts", "account_closed", "waiting.main"),
])
def test_a_refused_write_beside_good_lists_is_tried_by_one_record_in_silence(shop, path, alarm, topic):
    before, old, mark = alarms(shop, alarm), written(shop, topic), shop.mark()

    def refusals():
        return [e for e in shop.requests_since(mark, "POST") if e["status"] == 403]

    def waiting(placed):
        now = written(shop, topic) - old
        return all(now[f"abc123/order/{one['id']}"] for one in placed)

    shop.fault(side="is", method="POST", path=path, kind="status", status=403)
    placed = [shop.place(order(mail("closed"))) for _ in range(3)]
    wait_until(lambda: waiting(placed), 30, lambda: f"{written(shop, topic)}; {shop.trouble()}")
    first = len(refusals())
    late = shop.place(order(mail("closed.late")))
    wait_until(lambda: waiting([late]) and len(refusals()) >= first + 2, 40, lambda: f"two trials; {shop.trouble()}")
    now = written(shop, topic) - old
    assert set(now.values()) == {1} and len(now) == 4, f"once per closing, not once per probe: {now}"
    assert alarms(shop, alarm) == before + 1, "one alarm"
    assert all(shop.fate(one["id"]) is None for one in [*placed, late])
    assert len(refusals()) <= first + 4, "a trial is one record's"
    shop.clear_faults()
    for one in [*placed, late]:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
        assert len(shop.created(one["id"])) == 1
        contact = shop.contact(one["billing_address"]["email"])["id"]
        assert shop.goals(contact) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]
    assert alarms(shop, alarm) == before + 1
    assert written(shop, topic) - old == now
    shop.place_and_wait(order(mail("closed.after")))


def test_a_record_that_is_refused_alone_does_not_keep_the_account_closed(shop):
    """It was refused for a reason of its own: others try too, and go on; it ends as it must."""
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=403, match="ALONE")
    alone = shop.place(order(mail("alone"), [item("ALONE-1", "ALONE")], billing={"first_name": "ALONE"}))
    wait_until(lambda: written(shop, "waiting-orders.main")[f"abc123/order/{alone['id']}"], 30, shop.trouble)
    others = [shop.place(order(mail("beside"))) for _ in range(3)]
    for one in others:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
    shop.clear_faults()
    shop.wait_fate(alone["id"], wanted=("delivered", None), timeout=60)
    assert len(shop.created(alone["id"])) == 1


def test_many_failures_in_a_row_are_tried_by_one_record(shop):
    """The account answers its probe and fails every order: closed after twenty; then one record at a time."""
    before, old = alarms(shop, "account_closed"), written(shop, "waiting.main")
    shop.fault(side="is", method="POST", path="/products", kind="status", status=500, match="MANY-")
    mark = shop.mark()
    placed = [shop.place(order(mail("many"), [item(f"MANY-{i}", "Never made")])) for i in range(25)]
    wait_until(lambda: alarms(shop, "account_closed") > before, 30, shop.trouble)
    wait_until(lambda: sum((written(shop, "waiting.main") - old).values()) > 0, 30, shop.trouble)
    posts = len(shop.requests_since(mark, "POST", "/products"))
    wait_until(lambda: len(shop.requests_since(mark, "POST", "/products")) > posts, 30, shop.trouble)
    assert alarms(shop, "account_closed") == before + 1
    shop.clear_faults()
    for one in placed:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
        assert len(shop.created(one["id"])) == 1
    assert alarms(shop, "account_closed") == before + 1
