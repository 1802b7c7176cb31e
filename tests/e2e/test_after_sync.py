"""after_sync (D2): what a refund or cancellation of a delivered order leaves on its contact: a note, a tag, or nothing."""

import json
import re
import time

import pytest
from processes import read_topic, wait_until, write_topic
from shop import mail, order
from shop_stack import Shop
from test_account import newest

STORES = [
    {"name": "main", "hash": "abc123", "after_sync": "note"},
    {"name": "tags", "hash": "abc124", "code": "S1", "after_sync": "tag"},
    {"name": "named", "hash": "abc125", "code": "S2", "after_sync": "tag", "after_sync_tag": "{code} order: {status}"},
]
SETTINGS = {"pusher": {"http_timeout_s": 1, "visibility_delay_s": 1, "retry_delays_s": "1,1,1"}}


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-after-sync", stores=STORES, settings=SETTINGS) as stack:
        stack.account["note_user_id"] = 1
        stack.start()
        yield stack
        stack.clear_faults()
        stack.wait_drained(60)
        stack.assert_right()
        assert set(stack.stop().values()) == {0}


def notes(shop, placed):
    """{title: text} of the notes of the order's contact."""
    contact = shop.contact(placed["billing_address"]["email"])["id"]
    found = shop.infusionsoft("GET", f"/contacts/{contact}/notes")["notes"]
    assert len({one["title"] for one in found}) == len(found), "one for each state"
    return {one["title"]: one["text"] for one in found}


def tags(shop, placed):
    contact = shop.contact(placed["billing_address"]["email"])["id"]
    return sorted(one["tag"]["name"] for one in shop.infusionsoft("GET", f"/contacts/{contact}/tags")["tags"])


def change_and_wait(shop, placed, store="abc123", **members):
    """Changes the order and waits until the pusher has published its answer for this version."""
    key = f"{store}/order/{placed['id']}"

    def newest_answer():
        return max((r for r in shop.fate_records(key) if r.topic == "delivered"), key=lambda r: int(r.headers["modified_at"]))
    before = newest_answer().headers["modified_at"]
    wait_until(lambda: time.time() * 1000 > int(before) + 1000, 5, "the next second, or the store gives it the same version")
    shop.change(placed["id"], store, **members)
    wait_until(lambda: newest_answer().headers["modified_at"] > before, 30, lambda: f"an answer of {key}; {shop.trouble()}")
    return newest_answer()


def test_d02_a_refund_leaves_one_note_and_nothing_else(shop):
    placed = shop.place_and_wait(order(mail("note")))
    mark = shop.mark()
    record = change_and_wait(shop, placed, status_id=4, refunded_amount="12.5000")
    title = f"bc-abc123-{placed['id']} Refunded 12.5 USD"
    found = notes(shop, placed)
    assert list(found) == [title]
    assert re.fullmatch(rf"BC #{placed['id']} became Refunded in the store at \S+Z\. Refunded so far: 12\.5 USD\.", found[title])
    assert shop.fate(placed["id"]) == ("delivered", None) and record.json()["incomplete"] == []
    asked = [e for e in shop.requests_since(mark) if e["method"] != "GET"]
    assert {e["path"].rsplit("/", 1)[1] for e in asked} == {"notes"}  # a call that timed out is made again
    assert shop.body(asked[0])["user_id"] == "1"


def test_the_same_state_again_costs_no_call(shop):
    placed = shop.place_and_wait(order(mail("same")))
    change_and_wait(shop, placed, status_id=5)
    mark = shop.mark()
    change_and_wait(shop, placed, staff_notes="nothing that matters")
    assert shop.requests_since(mark) == []
    assert list(notes(shop, placed)) == [f"bc-abc123-{placed['id']} Cancelled"]


def test_each_further_refund_leaves_a_note(shop):
    placed = shop.place_and_wait(order(mail("parts")))
    for amount in ("1.00", "2.50"):
        change_and_wait(shop, placed, status_id=14, refunded_amount=amount)
    change_and_wait(shop, placed, status_id=4, refunded_amount="10.00")
    change_and_wait(shop, placed, status_id=14, refunded_amount="1.00")  # back to a state that it had before
    key = f"bc-abc123-{placed['id']}"
    assert sorted(notes(shop, placed)) == [f"{key} Partially Refunded 1 USD", f"{key} Partially Refunded 2.5 USD",
                                           f"{key} Refunded 10 USD"]
    assert len(shop.created(placed["id"])) == 1


def test_an_order_that_is_first_seen_partially_refunded_leaves_nothing(shop):
    placed = shop.place_and_wait(order(mail("first"), status_id=14, refunded_amount="3.00"))
    assert notes(shop, placed) == {}


def test_an_order_that_was_never_synced_leaves_nothing(shop):
    placed = shop.place(order(mail("never"), status_id=5))
    assert shop.wait_fate(placed["id"]) == ("skipped", "status")
    assert [e for e in shop.requests_since(0) if placed["billing_address"]["email"] in str(e["body"])] == []


def test_a_tag_is_made_once_and_named_by_the_setting(shop):
    first, second = (shop.place_and_wait(order(mail("tag")), "abc124") for _ in range(2))
    for placed in (first, second):
        change_and_wait(shop, placed, "abc124", status_id=5)
        assert tags(shop, placed) == ["Order Cancelled"] and notes(shop, placed) == {}
    change_and_wait(shop, first, "abc124", status_id=4)
    assert tags(shop, first) == ["Order Cancelled", "Order Refunded"]
    named = shop.place_and_wait(order(mail("tag")), "abc125")
    change_and_wait(shop, named, "abc125", status_id=13)
    assert tags(shop, named) == ["S2 order: Disputed"]
    made = [e["effect"]["name"] for e in shop.journal() if (e.get("effect") or {}).get("made") == "tag"]
    assert sorted(made) == ["Order Cancelled", "Order Refunded", "S2 order: Disputed"]


def payload_of(shop, placed):
    key = f"abc123/order/{placed['id']}"
    return next(r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key == key)


def test_the_newest_version_counts_whatever_the_order_of_arrival(shop):
    """Shipped again after a cancellation; the cancellation comes late, by way of a retry topic, say."""
    placed = shop.place_and_wait(order(mail("late")))
    record = payload_of(shop, placed)
    value = json.loads(record.value)
    cancelled = {k: value[k] for k in ("format", "account", "store", "external_key", "placed_at")} | {
        "kind": "withdrawn", "status": {"id": 5, "name": "Cancelled"}, "contact": {"email_addresses": [
            {k: v for k, v in value["contact"]["email_addresses"][0].items() if k != "opt_in_reason"}]},
        "after": {"note": {"title": f"{value['external_key']} Cancelled", "text": "cancelled"}}}
    at = value["modified_at"]

    def write(body, version):
        before = len(shop.fate_records(record.key)) + shop.services["pusher"].text().count("superseded")
        body = {**body, "modified_at": version}
        write_topic(shop.broker.address, shop.topic("orders.payloads"), record.key, json.dumps(body).encode(),
                    {**record.headers, "kind": body["kind"], "modified_at": str(version)})
        wait_until(lambda: len(shop.fate_records(record.key)) + shop.services["pusher"].text().count("superseded") > before, 20,
                   shop.trouble)
    write(value, at + 60000)
    write(cancelled, at + 30000)
    assert notes(shop, placed) == {}
    write(cancelled, at + 90000)
    assert list(notes(shop, placed)) == [f"{value['external_key']} Cancelled"]
    shop.change(placed["id"], status_id=5)  # for the judge, who sees the store alone


def test_an_order_that_is_taken_back_in_the_same_second_leaves_its_note(shop):
    placed = shop.place_and_wait(order(mail("second")))
    shop.change(placed["id"], status_id=5, date_modified=placed["date_modified"])
    title = f"bc-abc123-{placed['id']} Cancelled"
    wait_until(lambda: list(notes(shop, placed)) == [title], 30, shop.trouble)


@pytest.mark.parametrize("fault", [{"kind": "drop_after"}, {"kind": "drop_before"}, {"kind": "status", "status": 500},
                                   {"kind": "status", "status": 503}, {"kind": "status", "status": 429}],
                         ids=lambda fault: str(fault.get("status", fault["kind"])))
def test_a_lost_or_failed_call_leaves_one_note(shop, fault):
    placed, mark = shop.place_and_wait(order(mail("fault"))), shop.mark()
    shop.fault(side="is", method="POST", path="/contacts/", count=2, **fault)
    shop.change(placed["id"], status_id=5)
    try:
        wait_until(lambda: list(notes(shop, placed)) == [f"bc-abc123-{placed['id']} Cancelled"], 40, shop.trouble)
        shop.wait_drained(30)
    finally:
        shop.clear_faults()
    assert any(e["fault"] for e in shop.requests_since(mark, "POST", "/notes"))
    made = [e for e in shop.journal() if (e.get("effect") or {}).get("made") == "note"
            and e["effect"]["title"].startswith(f"bc-abc123-{placed['id']} ")]
    assert len(made) == 1 and shop.fate(placed["id"]) == ("delivered", None)
    assert newest(shop, placed["id"]).json()["incomplete"] == []


def test_a_note_that_is_refused_is_listed(shop):
    placed = shop.place_and_wait(order(mail("refused")))
    shop.fault(side="is", method="POST", path="/contacts/", kind="status", status=400)
    try:
        record = change_and_wait(shop, placed, status_id=5)
    finally:
        shop.clear_faults()
    step = f"note:bc-abc123-{placed['id']} Cancelled"
    assert [one["step"] for one in record.json()["incomplete"]] == [step]
    assert shop.fate(placed["id"]) == ("delivered", None)


def test_a_deleted_contact_is_looked_up_again(shop):
    placed = shop.place_and_wait(order(mail("deleted")))
    contact = shop.contact(placed["billing_address"]["email"])["id"]
    shop.fault(side="is", method="GET", path=f"/contacts/{contact}/notes", kind="status", status=404, count=1)
    mark = shop.mark()
    try:
        change_and_wait(shop, placed, status_id=5)
    finally:
        shop.clear_faults()
    assert any(e["fault"] for e in shop.requests_since(mark, "GET", "/notes"))
    assert list(notes(shop, placed)) == [f"bc-abc123-{placed['id']} Cancelled"]


def test_it_waits_while_the_account_is_closed(shop):
    placed = shop.place_and_wait(order(mail("closed")))
    closed = shop.services["pusher"].text().count("account_closed")
    shop.fault(side="is", kind="status", status=503)
    shop.change(placed["id"], status_id=5)
    wait_until(lambda: shop.services["pusher"].text().count("account_closed") > closed, 30, shop.trouble)
    shop.clear_faults()
    wait_until(lambda: list(notes(shop, placed)) == [f"bc-abc123-{placed['id']} Cancelled"], 60, shop.trouble)
    assert shop.fate(placed["id"]) == ("delivered", None)


def test_a_lost_redis_leaves_no_second_note(shop):
    placed = shop.place_and_wait(order(mail("lost")))
    change_and_wait(shop, placed, status_id=5)
    count = shop.services["pusher"].text().count("rebuild ended")
    shop.redis.command("FLUSHALL")
    change_and_wait(shop, placed, staff_notes="after the loss")
    wait_until(lambda: shop.services["pusher"].text().count("rebuild ended") > count, 60, shop.trouble)
    change_and_wait(shop, placed, staff_notes="once more")
    assert list(notes(shop, placed)) == [f"bc-abc123-{placed['id']} Cancelled"]


@pytest.fixture(scope="module")
def lagging():
    """With retries that come back before a note must be visible, as with the defaults after an account was closed."""
    settings = {"pusher": {"http_timeout_s": 12, "visibility_delay_s": 14, "lease_s": 25, "retry_delays_s": "3,3,3"}}
    with Shop("e2e-after-sync-lag", stores=STORES[:1], settings=settings) as stack:
        stack.account["note_user_id"] = 1
        stack.start()
        yield stack
        stack.clear_faults()
        stack.assert_right()


def test_looks_before_a_note_must_be_visible_put_its_create_off_once(lagging):
    placed, mark = lagging.place_and_wait(order(mail("doubt"))), lagging.mark()
    lagging.fault(side="is", method="POST", path="/contacts/", kind="drop_before", count=1)
    lagging.change(placed["id"], status_id=5)
    wait_until(lambda: list(notes(lagging, placed)) == [f"bc-abc123-{placed['id']} Cancelled"], 60, lagging.trouble)
    assert [e["fault"] for e in lagging.requests_since(mark, "POST", "/notes")] == ["drop_before", None]
    assert len(lagging.requests_since(mark, "GET", "/notes", "title")) >= 4, "before, at once, too early, when it must be visible"


def test_a_note_that_the_list_does_not_show_yet_is_made_once(lagging):
    """Redis is lost behind the note, and the account's list lags: it is looked up until it must be visible."""
    placed, mark = lagging.place_and_wait(order(mail("lag"))), lagging.mark()
    lagging.fault(side="is", method="GET", path="/contacts/", kind="status", status=200, count=2,
                  body='{"notes":[],"next_page_token":""}')
    lagging.fault(side="is", method="POST", path="/contacts/", kind="delay", delay_ms=6500, count=1)
    lagging.change(placed["id"], status_id=5)
    wait_until(lambda: lagging.requests_since(mark, "POST", "/notes"), 30, lagging.trouble)
    lagging.redis.command("FLUSHALL")
    key = f"abc123/order/{placed['id']}"
    wait_until(lambda: len([r for r in lagging.fate_records(key) if r.topic == "delivered"]) > 1, 60, lagging.trouble)
    assert list(notes(lagging, placed)) == [f"bc-abc123-{placed['id']} Cancelled"]
    assert len(lagging.requests_since(mark, "POST", "/notes")) == 1
    assert [e["fault"] for e in lagging.requests_since(mark, "GET", "/notes", "title")][:3] == ["status", "status", None]


def test_a_note_needs_its_user():
    with Shop("e2e-after-sync-user", stores=STORES[:1]) as stack:
        stack.start_servers()
        stack.write_config()
        for name in ("mapper", "pusher"):
            process = stack.start_service(name)
            assert process.wait(30) == 100
            assert "note_user_id is missing" in process.text() and "[store main] after_sync = note" in process.text()
