"""orders = off: an account that never has the e-commerce module gets contacts and goals, and nobody is alarmed."""

import json
import re
import time

import pytest
from processes import read_topic, wait_until
from shop import mail, order
from shop_stack import Shop

# A call may take longer than a busy machine keeps anybody waiting: one that is given up is an alarm, or a step in doubt.
SETTINGS = {"pusher": {"http_timeout_s": 6, "visibility_delay_s": 6, "retry_delays_s": "1,1,1"}}


@pytest.fixture
def shop(request):
    with Shop(f"e2e-{request.node.name.replace('_', '-')[:60]}", settings=SETTINGS) as stack:
        yield stack


def start_off(shop):
    shop.account["orders"] = "off"
    shop.start_servers()
    shop.sandbox_settings(ecommerce=False)
    shop.start_services()


def set_orders(shop, value):
    shop.account["orders"] = value
    shop.write_config()
    shop.restart("pusher")


def delivered(shop, placed):
    key = f"abc123/order/{placed['id']}"
    return [json.loads(r.value) for r in read_topic(shop.broker.address, shop.topic("delivered")) if r.key == key][-1]


def assert_without_order(shop, placed):
    contact = shop.contact(placed["billing_address"]["email"])["id"]
    record = delivered(shop, placed)
    assert record["order_id"] == "" and record["steps"]["order"] == "off" and record["contact_id"] == contact
    assert shop.goals(contact) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]
    assert shop.created(placed["id"]) == []


def alarms(shop):
    found = re.findall(r"^bigfusion_alarms_total\{[^}]*\} (\d+)", shop.metrics("pusher"), re.M)
    assert found
    return sum(map(int, found))


def test_contacts_and_goals_arrive_and_nothing_asks_for_orders(shop):
    start_off(shop)
    placed = shop.place_and_wait(order(mail("off")))
    assert_without_order(shop, placed)
    foreign = shop.place_and_wait(order(mail("foreign"), currency_code="EUR", default_currency_code="EUR"))
    assert_without_order(shop, foreign)
    assert alarms(shop) == 0
    asked = [e["path"] for e in shop.requests_since(0) if re.search("/(orders|products)", e["path"])]
    assert asked == []
    report = shop.command("doctor", check=False).stdout
    assert re.search(r"skip +account custom field.*orders = off", report) and "HTTP 403" not in report


def test_a_lost_redis_sends_no_goal_twice(shop):
    start_off(shop)
    placed = shop.place_and_wait(order(mail("lost")))
    count = shop.services["pusher"].text().count("rebuild ended")
    shop.redis.command("FLUSHALL")
    shop.change(placed["id"], status_id=2)
    # A goal of an order that was placed before the ledger was rebuilt may have been sent already; so the next one comes after,
    # and in another second, for an order's date has whole ones.
    wait_until(lambda: shop.services["pusher"].text().count("rebuild ended") > count, 60, shop.trouble)
    rebuilt = time.time()
    wait_until(lambda: int(time.time()) > int(rebuilt), 3, "the next second")
    after = shop.place_and_wait(order(mail("after")), timeout=60)
    assert_without_order(shop, after)
    assert_without_order(shop, placed)


def test_orders_that_waited_are_delivered_and_a_later_on_makes_none_of_them(shop):
    shop.start()
    shop.sandbox_settings(ecommerce=False)
    placed = shop.place(order(mail("waited")))
    key = f"abc123/order/{placed['id']}"
    wait_until(lambda: any(r.key == key for r in read_topic(shop.broker.address, shop.topic("waiting-orders.main"))),
               30, shop.trouble)
    set_orders(shop, "off")
    shop.wait_fate(placed["id"], wanted=("delivered", None), timeout=60)
    assert_without_order(shop, placed)
    shop.sandbox_settings(ecommerce=True)
    set_orders(shop, "on")
    shop.change(placed["id"], status_id=2)
    shop.place_and_wait(order(mail("on")))
    assert_without_order(shop, placed)


def test_a_payment_needs_an_order(shop):
    shop.stores[0].update(payments="paid", payment_type="Cash")
    shop.account["orders"] = "off"
    shop.start_servers()
    shop.write_config()
    pusher = shop.start_service("pusher")
    assert pusher.wait(30) == 100
    assert "[store main] payments = paid" in pusher.text() and "orders = off" in pusher.text()
