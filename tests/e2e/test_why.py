"""R16 on a running stack: whatever happened to an order, `bigfusion why` has exactly one answer, as JSON and as an exit status."""

import datetime
import json
import re
import time

import pytest
from asked import EXIT, Asked, name_of, stages
from processes import read_topic, wait_until
from shop import item, mail, order

OLD = "Wed, 31 Dec 2025 10:00:00 +0000"
DELAY_S = HOUR_S = 3600
# BC is polled at once, LATE was polled at the start and not again for an hour, OLD begins with a date
STORES = ({"name": "main", "hash": "abc123", "code": "BC"},
          {"name": "late", "hash": "abc124", "code": "LATE", "poll_interval_s": HOUR_S},
          {"name": "dated", "hash": "abc125", "code": "OLD", "start_from": "2026-01-01"})
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e'; DROP TABLE orders;--"


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def shop(kafka):
    settings = {"pusher": {"retry_delays_s": f"{DELAY_S},{DELAY_S},{DELAY_S}"}}
    with Asked("e2e-why", stores=[dict(one) for one in STORES], broker=kafka, prefix="e2ewhy", settings=settings) as stack:
        stack.start()
        stack.start_console()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


def test_r16_synced(shop):
    email = mail("ann")
    placed = shop.place_and_wait(order(email, [item("APPLE", "Apple"), item("PEAR", "Pear")]))
    key = f"abc123/order/{placed['id']}"
    found = shop.answer(name_of(placed), "synced", last="delivered")  # the ledger knows of it before that record is read
    made = shop.fate_records(key)[0].json()
    assert found["key"] == key and found["account"] == "main" and found["order"] == f"BC #{placed['id']}" and found["next"] is None
    assert found["infusionsoft"] == {"order_id": made["order_id"], "contact_id": made["contact_id"]}
    assert [(goal["integration"], goal["call_name"]) for goal in found["goals"]] == shop.goals(made["contact_id"])
    topics = ("orders.raw", "orders.eligible", "orders.payloads", "delivered")
    written = [(r.topic, r.partition, r.offset) for name in topics for r in read_topic(shop.broker.address, shop.topic(name)) if r.key == key]
    assert [(step["topic"], step["partition"], step["offset"]) for step in found["history"]] == written
    # the same by every other name, and by what only Infusionsoft or the customer knows
    for words in ((f"BC #{placed['id']}",), ("BC", f"#{placed['id']}"), (key,), ("--infusionsoft", made["order_id"], "--account", "main")):
        assert shop.why(*words)[1]["orders"] == [found]
    number = shop.run_why(made["order_id"], "--json")
    assert json.loads(number.stdout)["orders"] == [found] and "this is Infusionsoft's order" in number.stderr
    second = shop.place_and_wait(order(f" {email.upper()} "))
    shop.answer(name_of(second), "synced", last="delivered")
    status, document = shop.why("--email", "-", stdin=f"{email}\n")
    assert status == 0 and [one["key"] for one in document["orders"]] == [f"abc123/order/{second['id']}", key], "the newest first"
    for words in (("--email", "nobody@example.com"), ("--infusionsoft", "1"), ("--infusionsoft", made["order_id"], "--account", "other")):
        status, document = shop.why(*words)
        assert (status, document["orders"]) == (EXIT["unknown"], []), words


def test_r16_waiting_for_the_next_poll(shop):
    placed = shop.place(order(mail()), store="abc124")
    found = shop.answer(name_of(placed, "LATE"), "waiting", "next_poll")
    left = int(re.search(r"The next poll is in (\d+) s\.", found["sentence"])[1])
    assert HOUR_S - 300 < left <= HOUR_S and abs(seconds(found["next"]["at"]) - time.time() - left) < 60
    assert found["history"] == [] and found["infusionsoft"] is None
    shop.command("pause", "LATE", "--why", "stock is counted")
    shop.answer(name_of(placed, "LATE"), "waiting", "next_poll", says="An operator paused its store.")
    shop.command("resume", "LATE")
    shop.answer(name_of(placed, "LATE"), "waiting", "next_poll", says="The next poll is in")


def test_r16_waiting_in_a_queue(shop):
    shop.services["mapper"].stop()
    try:
        placed = shop.place(order(mail()))
        found = shop.answer(name_of(placed), "waiting", "queued", says="waits for the mapper", last="eligible")
        assert stages(found) == ["raw", "eligible"] and "bigfusion status" in found["next"]["what"]
    finally:
        shop.restart("mapper")
    shop.answer(name_of(placed), "synced")


def test_r16_waiting_for_an_account_that_is_paused(shop):
    shop.command("pause", "account:main", "--why", "an import")
    wait_until(lambda: "account_paused account=main" in shop.services["pusher"].text(), 30, "the pusher to hear of it")
    try:
        placed = shop.place(order(mail()))
        found = shop.answer(name_of(placed), "waiting", "account_closed", says="An operator paused its account.", last="waiting.main")
        assert "bigfusion resume" in found["next"]["what"] and found["account"] == "main"
    finally:
        shop.command("resume", "account:main")
    shop.answer(name_of(placed), "synced")


def test_r16_waiting_for_the_ecommerce_module(shop):
    shop.sandbox_settings(ecommerce=False)
    try:
        placed = shop.place(order(mail()))
        found = shop.answer(name_of(placed), "waiting", "ecommerce_unavailable", says="e-commerce", last="waiting-orders.main")
        assert found["next"]["at"] is None
    finally:
        shop.sandbox_settings(ecommerce=True)
    shop.answer(name_of(placed), "synced", timeout=60)


def test_r16_waiting_with_a_lost_answer(shop, faults):
    faults(side="is", method="POST", path="/orders", kind="drop_before", match="DOUBTFUL")
    faults(side="is", method="GET", path="/orders", kind="status", status=500)
    placed = shop.place(order(mail(), [item("PLAIN", "DOUBTFUL")]))
    found = shop.answer(name_of(placed), "waiting", "in_doubt", says="(step order) was lost")
    assert found["infusionsoft"] is None and "looked up by itself" in found["next"]["what"]


def test_r16_retrying(shop, faults):
    wanted = order(mail())
    faults(side="is", method="POST", path="/contacts", kind="status", status=500, match=wanted["billing_address"]["email"])
    placed = shop.place(wanted)
    found = shop.answer(name_of(placed), "retrying", "retrying", says="1 attempt has failed (contact: infusionsoft POST /contacts: HTTP 500)")
    last = found["history"][-1]
    assert (last["stage"], last["step"], last["attempt"]) == ("retry-1m", "contact", 1)
    assert abs(seconds(found["next"]["at"]) - seconds(last["time"]) - DELAY_S) < 60


@pytest.mark.parametrize("members, reason, says", [
    ({"status": 4}, "status", "because its status is Refunded."), ({"status": 77}, "unknown_status", "77"),
    ({"email": ""}, "no_email", "no e-mail address"), ({"email": "nobody at home"}, "invalid_email", "not a usable one"),
    ({"is_deleted": True}, "archived", "archived in the store")])
def test_r16_skipped(shop, members, reason, says):
    placed = shop.place(order(**{"email": mail(), **members}))
    found = shop.answer(name_of(placed), "skipped", reason, says=says, last="skipped")
    assert found["infusionsoft"] is None and found["goals"] == []


def test_r16_skipped_and_never_seen(shop):
    """No poll brings these, so the store is asked what they are."""
    old = shop.place(order(mail(), date_created=OLD, date_modified=OLD), store="abc125")
    archived = shop.place(order(mail(), is_deleted=True), store="abc124")
    for name, reason, says in ((name_of(old, "OLD"), "before_start", "start_from"), (name_of(archived, "LATE"), "archived", "archived")):
        assert shop.answer(name, "skipped", reason, says=says)["history"] == []


def test_r16_dead(shop, faults):
    faults(side="is", method="POST", path="/orders", kind="status", status=422, match="REFUSED", body='{"message": "no such thing"}')
    placed = shop.place(order(mail(), [item("PLAIN", "REFUSED")]))
    found = shop.answer(name_of(placed), "dead", "refused", says="waits for a person", last="dead")
    assert "422" in found["sentence"] and "bigfusion retry" in found["next"]["what"]
    shop.command("drop", name_of(placed), "--why", "a test order")
    shop.answer(name_of(placed), "skipped", "dropped", says="an operator dropped it")


def test_r16_unknown(shop, faults):
    assert shop.answer("BC/5000001", "unknown")["sentence"] == "The store does not know BC #5000001."
    shop.answer("zzz999/order/7", "unknown", says="No store is configured")
    faults(side="bc", path="/orders/5000002", kind="status", status=503)
    shop.answer("BC/5000002", "unknown", says="could not be asked")
    shop.clear_faults()
    shop.answer("BC/5000002", "unknown", says="does not know")


def test_an_order_number_that_two_stores_have(shop):
    """Both are answered; a number that nobody has seen has to be named with its store."""
    placed, others = shop.place(order(mail())), []
    while not others or others[-1]["id"] < placed["id"]:
        others.append(shop.place(order(mail(), status=7), store="abc125"))
    assert others[-1]["id"] == placed["id"], "every store counts alike"
    shop.answer(name_of(placed), "synced", last="delivered")
    shop.answer(name_of(placed, "OLD"), "skipped", "status", says="Awaiting Payment")
    status, document = shop.why(str(placed["id"]))
    assert {one["order"]: one["verdict"] for one in document["orders"]} == {f"BC #{placed['id']}": "synced", f"OLD #{placed['id']}": "skipped"}
    assert status == EXIT["skipped"], "the highest"
    done = shop.run_why("5000003")
    assert done.returncode == 100 and done.stdout == "" and "BC" in done.stderr and "LATE" in done.stderr, done


def test_hostile_names_are_shown_and_obeyed_by_nobody(shop):
    person = {"first_name": HOSTILE, "last_name": HOSTILE, "company": HOSTILE}
    placed = shop.place(order(mail("secret"), [item("\x1b[31mSKU<b>", HOSTILE)], billing=person))
    found = shop.answer(name_of(placed), "synced", last="delivered")
    text = shop.run_why(name_of(placed))
    assert text.returncode == 0 and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text.stdout), ascii(text.stdout)
    assert "SKU<b>" in text.stdout, "the goal's call name is the SKU"
    for said in (text.stdout, json.dumps(found)):
        assert "script" not in said and "secret" not in said, "an answer names no customer"
    for name in (HOSTILE, "BC/1\x1b[2J", "BC/1; rm", "../../etc/passwd", "BC/" + "9" * 300):
        done = shop.run_why(name)
        assert done.returncode in (100, EXIT["unknown"]), done
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.stdout + done.stderr), ascii(done)
