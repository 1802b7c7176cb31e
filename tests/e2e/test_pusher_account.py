"""What an account refuses of a delivery, and what it says with a 200 that is no success."""

import re

import pytest
from processes import read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop

SETTINGS = {
    # A call may take longer than a busy machine keeps anybody waiting: here calls and attempts are counted.
    "pusher": {"http_timeout_s": 6, "visibility_delay_s": 6, "retry_delays_s": "1,1,1", "max_attempts": 8},
}


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-pusher-account", settings=SETTINGS) as stack:
        stack.start()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


@pytest.fixture(autouse=True)
def no_faults_left(shop):
    yield
    shop.clear_faults()


def delivered(shop, number):
    """The order's records in `delivered`, oldest first."""
    return [r for r in shop.fate_records(f"abc123/order/{number}") if r.topic == "delivered"]


def known_contact(shop, email, addresses):
    """A contact that is in the account with addresses which no call would take today."""
    known = shop.infusionsoft("POST", "/contacts", {"email_addresses": [{"field": "EMAIL1", "email": email}]})
    shop.call("PATCH", f"/sandbox/account/contacts/{known['id']}", {"addresses": addresses})
    return known["id"]


def patches(shop, contact):
    return shop.requests_since(0, "PATCH", f"/contacts/{contact}")


# -- a refused PATCH of an existing contact ------------------------------------------------------------------------


def test_a_refused_patch_uses_the_found_contact_and_is_listed(shop):
    """An address of the account's own is too long for it: the whole list is refused, the order is not."""
    email = mail("old.address")
    contact = known_contact(shop, email, [{"field": "OTHER", "line1": "x" * 200, "country_code": "USA"}])
    placed = shop.place_and_wait(order(email))
    assert [entry["status"] for entry in patches(shop, contact)] == [400]
    body, = shop.created(placed["id"])
    assert body["contact_id"] == contact
    assert shop.goals(contact) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]
    record = delivered(shop, placed["id"])[-1].json()
    assert record["contact_id"] == contact
    one, = record["incomplete"]
    assert one["step"] == "contact" and one["answer"].startswith("HTTP 400") and "fields=other,line1" in one["answer"]


def test_a_region_that_the_account_had_before_is_left_out_of_what_is_sent_again(shop):
    email = mail("old.region")
    contact = known_contact(shop, email, [{"field": "OTHER", "line1": "1 Old Road", "country_code": "USA",
                                           "region_code": "US-XX"}])
    placed = shop.place_and_wait(order(email))
    assert [entry["status"] for entry in patches(shop, contact)] == [400, 200]
    regions = {a["field"]: a.get("region_code") for a in shop.contact(email)["addresses"]}
    assert regions == {"OTHER": None, "BILLING": "US-TX", "SHIPPING": "US-TX"}, "what was not refused stays"
    assert delivered(shop, placed["id"])[-1].json()["incomplete"] == []


# -- a 200 that is no success --------------------------------------------------------------------------------------


def goals_counted(shop, result):
    found = re.search(rf'^bigfusion_goals_total\{{result="{result}"\}} (\d+)', shop.metrics("pusher"), re.M)
    return int(found[1])


@pytest.mark.parametrize("result, answer", [
    ("not_achieved", '{"results":[{"success":false,"message":"No goal is named so"}]}'),
    ("in_doubt", '{"code":0}'),
])
def test_a_goal_that_a_200_does_not_call_achieved(shop, result, answer):
    """`success` false is recorded as not_achieved with the answer; a 200 without results says nothing."""
    sku, before = f"UNKNOWN-{result}", goals_counted(shop, result)
    shop.fault(side="is", method="POST", path="/automations/goals", kind="status", status=200, match=sku, body=answer)
    placed = shop.place_and_wait(order(mail("goal"), [item(sku, "Nobody's goal"), item("APPLE", "Apple")]))
    first = delivered(shop, placed["id"])[-1]
    assert first.json()["steps"][f"goal:BCSKU/{sku}"] == result
    assert first.json()["steps"]["goal:BCSKU/APPLE"] == "sent"
    if result == "not_achieved":
        one, = first.json()["incomplete"]
        assert one["step"] == f"goal:BCSKU/{sku}" and one["answer"] == "HTTP 200"
    else:
        assert first.json()["in_doubt"] == [f"BCSKU/{sku}"]
    assert goals_counted(shop, result) == before + 1
    shop.clear_faults()
    shop.change(placed["id"], status_id=2)
    wait_until(lambda: delivered(shop, placed["id"])[-1].offset > first.offset, 30, "its fate once more")
    assert len(shop.requests_since(0, "POST", "/goals/achieve", sku)) == 1, "never sent again"


# -- what the ledger knew ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ["enough", "too little"])
def test_a_record_carries_what_the_ledger_knew_where_there_is_room_for_it(shop, room):
    """One that nearly fills its topic's limit is not dead for its header: it goes without."""
    placed = shop.place_and_wait(order(mail("pattern")))
    payload, = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads"))
                if r.key == f"abc123/order/{placed['id']}"]
    number, email = f"{placed['id']}000", mail("room")
    value = payload.value.replace(str(placed["id"]).encode(), number.encode()).replace(
        re.search(rb"pattern\.\d+@example\.com", payload.value)[0], email.encode())
    if room == "too little":
        value = value[:-1] + b',"more":"' + b"x" * (2 * 1048576 - 600 - len(value)) + b'"}'
    shop.fault(side="is", method="GET", path="/contacts", kind="status", status=503, match=email.split("@")[0], count=2)
    key = f"abc123/order/{number}"
    write_topic(shop.broker.address, shop.topic("orders.payloads"), key, value, {**payload.headers, "ledger": "of old"})
    assert shop.wait_fate(number) == ("delivered", None)
    retried = [r for r in read_topic(shop.broker.address, shop.topic("retry-1m")) if r.key == key]
    assert retried and [r.headers.get("ledger", "")[:7] for r in retried] == \
        ['{"v":1,' if room == "enough" else ""] * len(retried)
    assert "ledger" not in delivered(shop, number)[-1].headers


# -- the second look -----------------------------------------------------------------------------------------------


def test_a_look_again_that_is_refused_for_good_ends(shop):
    """It comes through retry-1h only to be looked up once more: the account refuses to be asked, as it will each time."""
    placed = shop.place_and_wait(order(mail("look")))
    key, name = f"abc123/order/{placed['id']}", f"bc-abc123-{placed['id']}"
    shop.fault(side="is", method="GET", path="/orders", kind="status", status=400, match=name, body='{"message":"no"}')
    payload, = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key == key]
    write_topic(shop.broker.address, shop.topic("retry-1h"), key, payload.value, {**payload.headers, "reason": "in_doubt"})
    wait_until(lambda: re.search(f"look_again_refused key={key} ", shop.services["pusher"].text()), 20, shop.trouble)
    shop.place_and_wait(order(mail("look.after")))
    assert len(shop.requests_since(0, "GET", "/orders", name)) == 1
    assert len([r for r in read_topic(shop.broker.address, shop.topic("retry-1h")) if r.key == key]) == 1


# -- evidence ------------------------------------------------------------------------------------------------------


EVIDENCE = ("digest", "contact_id", "order_id", "steps", "in_doubt", "incomplete", "calls", "attempts", "times")


def evidence(record):
    return {name: record.json()[name] for name in EVIDENCE}


def test_later_versions_keep_the_evidence_of_the_delivery(shop):
    """The order's goal is forbidden at first, so one delivery makes it and another one ends it; then it changes, twice."""
    email = mail("evidence")
    contact = known_contact(shop, email, [{"field": "OTHER", "line1": "x" * 200, "country_code": "USA"}])
    shop.fault(side="is", method="POST", path="/automations/goals", kind="status", status=400, match="EVIDENCE-1",
               body='{"message":"this goal is closed"}')
    shop.fault(side="is", method="POST", path="/automations/goals", kind="status", status=403, match="EVIDENCE-2", count=1)
    mark = shop.mark()
    placed = shop.place_and_wait(order(email, [item("EVIDENCE-1", "One"), item("EVIDENCE-2", "Two")]), timeout=60)
    first = delivered(shop, placed["id"])[-1]
    value = first.json()
    answers = {one["step"]: one["answer"] for one in value["incomplete"]}
    assert set(answers) == {"contact", "goal:BCSKU/EVIDENCE-1"} and value["contact_id"] == contact
    assert "line1" in answers["contact"] and answers["goal:BCSKU/EVIDENCE-1"] == "HTTP 400"
    create, = [e for e in shop.requests_since(mark, "POST", "/orders") if e["status"] == 201]
    assert abs(value["times"]["created"] - 1000 * float(create["t"])) < 30000
    own = [e for e in shop.requests_since(mark) if not e["path"].endswith(("/userinfo", "/businessProfile"))]
    assert value["calls"] >= len([e for e in own if e["method"] != "GET"]), "of both deliveries"
    for status in (2, 10):
        before = len(delivered(shop, placed["id"]))
        if status == 10:  # the ledger is filled in again from Kafka
            rebuilt = shop.services["pusher"].text().count("rebuild ended")
            shop.command("ledger", "distrust")
            wait_until(lambda n=rebuilt: shop.services["pusher"].text().count("rebuild ended") > n, 30, shop.trouble)
        shop.change(placed["id"], status_id=status)
        wait_until(lambda n=before: len(delivered(shop, placed["id"])) > n, 30, "its fate once more")
        assert evidence(delivered(shop, placed["id"])[-1]) == evidence(first)
