"""The payment of an order: what was really paid stands at the order in the account, once."""

import json
import time

import pytest
from processes import read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop
from test_account import ledger_key

STORE = {"payments": "paid", "payment_type": "Cash", "order_notes": "customer_message"}
# A call may take longer than a busy machine keeps anybody waiting: one that is given up costs an attempt, or leaves a doubt.
SETTINGS = {"pusher": {"http_timeout_s": 6, "visibility_delay_s": 6, "retry_delays_s": "1,1,1"}}


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-payment", store=STORE, settings=SETTINGS) as stack:
        stack.start()
        yield stack
        stack.assert_right()


@pytest.fixture(autouse=True)
def no_faults_left(shop):
    yield
    shop.clear_faults()


def delivered(stack, placed):
    key = f"abc123/order/{placed['id']}"
    return [json.loads(r.value) for r in read_topic(stack.broker.address, stack.topic("delivered")) if r.key == key][-1]


def payments(stack, placed):
    number = delivered(stack, placed)["order_id"]
    return stack.infusionsoft("GET", f"/orders/{number}/payments")["invoice_order_payments"]


def in_the_account(stack, placed):
    return stack.infusionsoft("GET", f"/orders/{delivered(stack, placed)['order_id']}")


def posts(stack, mark):
    return [r for r in stack.requests_since(mark, "POST") if r["path"].endswith("/payments")]


def test_an_order_that_was_paid_shows_as_paid(shop):
    mark = shop.mark()
    placed = shop.place_and_wait(order(mail("paid"), [item("A", "A thing", 3, "10.33")], tax="2.47", shipping="5"))
    one, = payments(shop, placed)
    assert one["amount"] == 38.46 and one["note"] == f"bc-abc123-{placed['id']}"
    assert in_the_account(shop, placed)["status"] == "PAID"
    assert delivered(shop, placed)["steps"]["payment"] == one["id"]
    calls = [r["path"].rsplit("/", 1)[-1] for r in shop.requests_since(mark, "POST")]
    assert calls.index("orders") < calls.index("payments") < calls.index("achieve")


def test_the_message_of_the_customer_is_in_the_notes_of_the_order(shop):
    placed = shop.place_and_wait(order(mail("notes"), customer_message=" Leave it with\nthe neighbour. "))
    assert shop.created(placed["id"])[0]["notes"] == "Leave it with the neighbour."
    silent = shop.place_and_wait(order(mail("notes"), customer_message=""))
    assert "notes" not in shop.created(silent["id"])[0]


@pytest.mark.parametrize("status", ["authorized", "pending", ""])
def test_an_order_that_was_not_paid_has_no_payment(shop, status):
    placed = shop.place_and_wait(order(mail("open"), payment_status=status))
    assert not payments(shop, placed) and in_the_account(shop, placed)["status"] != "PAID"


def test_an_order_that_costs_nothing_has_no_payment(shop):
    placed = shop.place_and_wait(order(mail("free"), discount="10.00"))
    assert not payments(shop, placed)


def test_a_gift_certificate_pays_its_part_of_an_unpaid_order(shop):
    placed = shop.place_and_wait(order(mail("gift"), payment_status="pending", gift_certificate_amount="4.0000"))
    assert [one["amount"] for one in payments(shop, placed)] == [4.0]


def test_credit_that_the_total_leaves_out_is_paid_by_no_payment(shop):
    wanted = order(mail("net"), payment_status="pending", store_credit_amount="4.0000")
    wanted["total_inc_tax"] = "6.0000"
    placed = shop.place_and_wait(wanted)
    assert not payments(shop, placed)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_lost_answer_makes_no_second_payment(shop, kind):
    shop.fault(side="is", method="POST", path="/orders/", kind=kind, count=1)
    placed = shop.place_and_wait(order(mail("lost")))
    assert len(payments(shop, placed)) == 1
    assert len([g for g in delivered(shop, placed)["steps"] if g.startswith("goal:")]) == 2


def test_a_refused_payment_is_told_and_the_goals_go_on(shop):
    mark = shop.mark()
    shop.fault(side="is", method="POST", path="/orders/", kind="status", status=400, count=1,
               body='{"code":400,"message":"Unknown payment_method_type","status":"INVALID_ARGUMENT","details":[]}')
    placed = shop.place_and_wait(order(mail("refused")))
    value = delivered(shop, placed)
    assert [one["step"] for one in value["incomplete"]] == ["payment"] and value["steps"]["payment"] == "refused"
    assert value["steps"]["goal:BCORDER/BC"] == "sent"
    assert len(posts(shop, mark)) == 1 and not payments(shop, placed)


def test_a_payment_that_fails_for_now_is_tried_again_and_the_order_is_not(shop):
    mark = shop.mark()
    shop.fault(side="is", method="POST", path="/orders/", kind="status", status=503, count=1)
    placed = shop.place_and_wait(order(mail("later")))
    assert len(payments(shop, placed)) == 1
    assert len(shop.requests_since(mark, "POST", "/orders")) == 1


def test_a_pusher_that_is_killed_while_it_pays_leaves_one_payment(shop):
    fault = shop.fault(side="is", method="POST", path="/orders/", kind="delay", delay_ms=700, count=1)
    placed = shop.place(order(mail("killed")))
    wait_until(lambda: shop.call("GET", f"/sandbox/faults/{fault['id']}")["fired"], 30, shop.trouble)
    shop.kill("pusher")
    shop.start_service("pusher")
    assert shop.wait_fate(placed["id"], timeout=60) == ("delivered", None)
    assert len(payments(shop, placed)) == 1


def test_a_payment_that_never_gets_through_is_given_up_and_the_goals_go_on():
    """Each answer leaves it in doubt: after the last attempt it is looked up once more, and not sent again."""
    settings = {"pusher": {**SETTINGS["pusher"], "max_attempts": 2}}
    with Shop("e2e-payment-never", store={**STORE, "sku_tag": "Bought {sku}"}, settings=settings) as stack:
        stack.start()
        stack.fault(side="is", method="POST", path="/orders/", kind="status", status=503)
        placed = stack.place_and_wait(order(mail("never")))
        value = delivered(stack, placed)
        told, = value["incomplete"]
        assert told["step"] == "payment" and "503" in told["answer"]
        assert value["steps"]["payment"] == "gave_up" and value["steps"]["tag:Bought APPLE"]
        assert [value["steps"][goal] for goal in ("goal:BCORDER/BC", "goal:BCSKU/APPLE")] == ["sent", "sent"]
        assert len(posts(stack, 0)) == 2 and not payments(stack, placed)


def test_goals_behind_one_that_is_given_up_go_on():
    """The last attempt: a goal is refused, and whether its contact is still there cannot be asked."""
    settings = {"pusher": {**SETTINGS["pusher"], "max_attempts": 2}}
    with Shop("e2e-goal-given-up", store=STORE, settings=settings) as stack:
        stack.start()
        stack.fault(side="is", method="POST", path="/orders/", kind="status", status=503, count=1)
        stack.fault(side="is", method="POST", path="/automations", match="BCORDER", kind="status", status=400)
        # The first attempt looks the contact up before it makes it.
        stack.fault(side="is", method="GET", path="/contacts", match="behind", kind="status", status=500, every=2)
        placed = stack.place(order(mail("behind")))
        assert stack.wait_fate(placed["id"]) == ("delivered", None)
        value = delivered(stack, placed)
        assert (value["steps"]["goal:BCORDER/BC"], value["steps"]["goal:BCSKU/APPLE"]) == ("gave_up", "sent")
        told, = value["incomplete"]
        assert told["step"] == "goal:BCORDER/BC" and "500" in told["answer"]


def test_a_later_attempt_pays_what_the_account_calculated():
    """The account adds what is to be a discount; the delivery that made the order is not the one that pays it."""
    with Shop("e2e-payment-total", store=STORE, settings=SETTINGS, account={"discount_sign": "positive"}) as stack:
        stack.start()
        stack.fault(side="is", method="POST", path="/orders/", kind="status", status=503, count=1)
        placed = stack.place_and_wait(order(mail("total"), discount="1.00"))
        assert delivered(stack, placed)["attempts"] == 2
        assert [one["amount"] for one in payments(stack, placed)] == [11.0]
        assert in_the_account(stack, placed)["status"] == "PAID"


def in_doubt_after_a_loss(stack, number):
    """An open entry that was filled in after a loss: what it does not say may have been done all the same."""
    fields = {"state": "open", "modified_at": "0", "digest": "x", "lease": "0", "goals": "1",
              "epoch": stack.redis.command("HGET", f"{stack.prefix}:ledger", "born_at").decode()}
    key = ledger_key(stack, f"abc123/order/{number}")
    stack.redis.command("HSET", key, *[word for pair in fields.items() for word in pair])
    return key


def test_an_order_that_was_made_is_written_down_before_its_record_is_set_aside():
    """Its lane has used up the day when the payment is to be looked up or made: the order must not be made again later."""
    settings = {"pusher": {"http_timeout_s": 10, "visibility_delay_s": 10, "lease_s": 20}}
    with Shop("e2e-payment-set-aside", store=STORE, settings=settings, account={"rate_per_day": 10000}) as stack:
        stack.start(services=("poller", "filter", "mapper"))
        live = stack.place(order(mail("live")))
        record, = wait_until(lambda: read_topic(stack.broker.address, stack.topic("orders.payloads")), 20, stack.trouble)
        old = json.loads(record.value)
        old["external_key"] = "bc-abc123-900001"
        entry = in_doubt_after_a_loss(stack, 900001)
        stack.fault(side="is", method="POST", path="/orders", kind="delay", delay_ms=6000, match="900001")
        stack.start_service("pusher")
        stack.wait_fate(live["id"])
        write_topic(stack.broker.address, stack.topic("history.payloads"), "abc123/order/900001", json.dumps(old).encode(),
                    {**record.headers, "source": "backfill"})
        begun = lambda: stack.redis.command("HEXISTS", entry, "doubt") == b"1"  # noqa: E731
        wait_until(begun, 20, lambda: f"the order to be begun; {stack.trouble()}")
        day = int(time.time() // 86400) + 1
        stack.redis.command("SET", f"{stack.prefix}:quota:main:day:{day}", "8000")
        wait_until(lambda: stack.created(900001), 20, lambda: f"the order; {stack.trouble()}")
        wait_until(lambda: not begun(), 20, lambda: f"the end of the order's step; {stack.trouble()}")
        assert stack.redis.command("HEXISTS", entry, "s:order") == b"1" and stack.fate(900001) is None


def test_a_payment_that_the_list_does_not_show_yet_is_made_once():
    """Redis is lost behind the payment of a part, and the account's list lags: it is looked up until it must be visible."""
    settings = {"pusher": {"http_timeout_s": 5, "visibility_delay_s": 8, "lease_s": 20}}
    with Shop("e2e-payment-lag", store=STORE, settings=settings) as stack:
        stack.start()
        goal = stack.fault(side="is", method="POST", path="/automations", kind="delay", delay_ms=1500, count=1)
        stack.fault(side="is", method="GET", path="/orders/", kind="status", status=200, count=1,
                    body='{"invoice_order_payments":[],"next_page_token":""}')
        placed = stack.place(order(mail("lag"), payment_status="pending", gift_certificate_amount="4.0000"))
        wait_until(lambda: stack.call("GET", f"/sandbox/faults/{goal['id']}")["fired"], 30, stack.trouble)
        stack.redis.command("FLUSHALL")
        assert stack.wait_fate(placed["id"], timeout=60) == ("delivered", None)
        one, = payments(stack, placed)
        assert one["amount"] == 4.0 and delivered(stack, placed)["steps"]["payment"] == one["id"]


def test_a_lost_redis_makes_no_second_payment():
    with Shop("e2e-payment-loss", store=STORE, settings=SETTINGS) as stack:
        stack.start()
        stack.fault(side="is", method="POST", path="/goals/achieve", kind="status", status=503, count=50)
        placed = stack.place(order(mail("loss")))
        wait_until(lambda: [e for e in stack.journal() if (e.get("effect") or {}).get("made") == "payment"], 30, stack.trouble)
        stack.redis.command("FLUSHALL")
        stack.clear_faults()
        assert stack.wait_fate(placed["id"], timeout=60) == ("delivered", None)
        assert len(payments(stack, placed)) == 1
        stack.write_expectation(goals="at_most_once")
        stack.assert_right()


def test_a_type_that_the_account_does_not_have_is_refused_at_start():
    with Shop("e2e-payment-type", store={"payments": "all", "payment_type": "Barter"}, settings=SETTINGS) as stack:
        stack.start_servers()
        stack.write_config()
        stack.command("setup")
        pusher = stack.start_service("pusher")
        assert pusher.wait(30) == 100
        assert 'payment_type = Barter: allowed: one of the account\'s Manual Payment Types, Credit Card (Manual)' in pusher.text()
        said = stack.command("doctor", check=False)
        assert said.returncode == 100 and "account payment types" in said.stdout and "Barter" in said.stdout
