"""What an account may do to an order: refuse, change its mind, lose an answer, forget what it had, close for a while."""

import hashlib
import json
import re

import pytest
from processes import read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop

ATTEMPTS = 8  # the last one is the second through retry-1h
SETTINGS = {
    "pusher": {"http_timeout_s": 5, "visibility_delay_s": 5, "retry_delays_s": "1,1,1", "max_attempts": ATTEMPTS},
}
REGION = '{"code":400,"message":"BILLING Region is invalid","status":"INVALID_ARGUMENT","details":[]}'


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-account", settings=SETTINGS) as stack:
        stack.start()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


@pytest.fixture(autouse=True)
def no_faults_left(shop):
    yield
    shop.clear_faults()


def log_lines(shop, pattern, service="pusher"):
    return [line for line in shop.services[service].text().splitlines() if re.search(pattern, line)]


def left_out(shop, placed):
    """What the order's record in `delivered` says was left out."""
    value, = [json.loads(record.value) for record in read_topic(shop.broker.address, shop.topic("delivered"))
              if record.key == f"abc123/order/{placed['id']}"]
    return value["left_out"]


def alarms(shop, kind):
    found = re.findall(rf'^bigfusion_alarms_total\{{kind="{kind}"[^}}]*\}} (\d+)', shop.metrics("pusher"), re.M)
    return sum(map(int, found))


def newest(shop, number, topic="delivered"):
    return [r for r in shop.fate_records(f"abc123/order/{number}") if r.topic == topic][-1]


def digest(identity):
    return hashlib.sha256(identity.lower().encode() + b"\0").hexdigest()[:32]


def ledger_key(shop, rest):
    return f"{shop.prefix}:ledger:main:{rest}"


def attempts_of(shop, key):
    """{retry topic: attempts that the record carried there}, each as often as it went there."""
    return {name: [int(r.headers.get("attempt", 0)) for r in read_topic(shop.broker.address, shop.topic(name))
                   if r.key == key] for name in ("retry-1m", "retry-10m", "retry-1h")}


def wait_for_log(shop, pattern, timeout=20):
    return wait_until(lambda: log_lines(shop, pattern), timeout, lambda: f"{pattern}; {shop.trouble()}")


# -- one record's own failures -------------------------------------------------------------------------------------


def test_gives_up_after_its_own_attempts_and_takes_the_longer_way_each_time():
    """Three orders fail at once, each in another way; others go on beside them (D8)."""
    # What is in doubt is sent again when it would be visible, so all its attempts take eight times as long.
    settings = {"pusher": {**SETTINGS["pusher"], "http_timeout_s": 2, "visibility_delay_s": 2}}
    with Shop("e2e-account-gives-up", settings=settings) as shop:
        shop.start()
        shop.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match="giveup.contact")
        shop.fault(side="is", method="POST", path="/orders", kind="status", status=503, match="GIVEUP-ORDER")
        shop.fault(side="is", method="POST", path="/products", kind="html", match="GIVEUP-PRODUCT")
        contact = shop.place(order("giveup.contact@example.com"))
        doubtful = shop.place(order(mail("giveup.order"), [item("GIVEUP-ORDER", "GIVEUP-ORDER thing")],
                                    billing={"first_name": "GIVEUP-ORDER"}))
        product = shop.place(order(mail("giveup.product"), [item("GIVEUP-PRODUCT", "Never made")]))
        garbage = shop.place(order(mail("giveup.garbage"), status=7))
        shop.wait_fate(garbage["id"], wanted=("skipped", "status"))
        shop.redis.command("SET", ledger_key(shop, f"abc123/order/{garbage['id']}"), "not a ledger entry")
        shop.change(garbage["id"], status_id=11)
        good = shop.place_and_wait(order(mail("giveup.good")))
        assert shop.fate(doubtful["id"]) is None, "it did not have to wait for the others"
        assert newest(shop, good["id"]).json()["attempts"] <= 2, "a call of its own may time out on a busy machine"
        for placed in (contact, doubtful, product, garbage):
            shop.wait_fate(placed["id"], timeout=90, wanted=("dead", "gave_up"))
            assert shop.created(placed["id"]) == []
        assert "HTTP 500" in newest(shop, contact["id"], "dead").headers["detail"]
        assert attempts_of(shop, f"abc123/order/{contact['id']}") == {
            "retry-1m": [1, 2, 3], "retry-10m": [4, 5, 6], "retry-1h": [7]}
        # in doubt each time: the attempt after the last one only looks whether it is there
        key = f"abc123/order/{doubtful['id']}"
        assert attempts_of(shop, key)["retry-1h"] == [7, 8]
        last = [r for r in read_topic(shop.broker.address, shop.topic("retry-1h")) if r.key == key][-1]
        sent = [float(e["t"]) for e in shop.requests_since(0, "POST", "/orders", f"bc-abc123-{doubtful['id']}")]
        assert sent and max(sent) * 1000 <= last.timestamp_ms
        assert "HTTP 503" in newest(shop, doubtful["id"], "dead").headers["detail"]


def test_refused_for_good_is_dead_with_the_answer(shop):
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=422, match="REFUSEDLINE",
               body='{"code":422,"message":"no such thing"}')
    placed = shop.place_and_wait(order(mail("refused"), [item("REFUSED", "REFUSEDLINE")]), wanted=("dead", "refused"))
    headers = newest(shop, placed["id"], "dead").headers
    assert headers["answer"] == "HTTP 422"
    assert '"state":"dead"' in headers["ledger"]


# -- once more, with something left out or asked anew --------------------------------------------------------------


def test_order_with_a_refused_region_is_sent_without(shop):
    shop.sandbox_settings(order_region="name")  # the stack sends the code
    try:
        placed = shop.place_and_wait(order(mail("region")))
    finally:
        shop.sandbox_settings(order_region="any")
    posts = shop.requests_since(0, "POST", "/orders", f"bc-abc123-{placed['id']}")
    assert [entry["status"] for entry in posts] == [400, 201]
    assert left_out(shop, placed) == ["order shipping region_code: refused by the account"]
    body, = shop.created(placed["id"])
    assert "region" not in body["shipping_address"] and body["shipping_address"]["locality"] == "Austin"


def test_a_lost_answer_to_the_order_without_region_makes_no_second_one(shop):
    """The second create is begun anew: what became of it is asked before another one."""
    placed = shop.place(order(mail("region.lost"), status=7))
    shop.wait_fate(placed["id"], wanted=("skipped", "status"))
    key = f"bc-abc123-{placed['id']}"
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=400, body=REGION, match=key, count=1)
    shop.fault(side="is", method="POST", path="/orders", kind="drop_after", match=key, count=1)
    shop.sandbox_settings(visibility_delay_ms=700)  # not found by the look that follows at once
    try:
        shop.change(placed["id"], status_id=11)
        shop.wait_fate(placed["id"], wanted=("delivered", None))
    finally:
        shop.sandbox_settings(visibility_delay_ms=0)
    assert len(shop.created(placed["id"])) == 1


def test_contact_with_a_refused_region_is_made_without(shop):
    email = mail("region.contact")
    shop.fault(side="is", method="POST", path="/contacts", kind="status", status=400, body=REGION, match=email, count=1)
    placed = shop.place_and_wait(order(email))
    address, = [a for a in shop.contact(email)["addresses"] if a["field"] == "BILLING"]
    assert address["locality"] == "Austin" and not address.get("region_code")
    assert "billing region_code: refused by the account" in left_out(shop, placed)


def test_no_order_is_lost_for_a_bad_phone_number_and_what_is_left_out_is_told(shop):
    email = mail("left.out")
    wanted = order(email)
    wanted["billing_address"].update(phone=["555"], zip="9" * 16, country_iso2="XX", state="Nowhere")
    placed = shop.place_and_wait(wanted)
    assert not shop.contact(email).get("phone_numbers")
    told = ["billing phone: neither text nor number", "billing postal_code: cut to 15 characters",
            "billing country_code: not known", "billing region_code: not known"]
    assert [one for one in left_out(shop, placed) if one.startswith("billing")] == told
    assert "left out" in shop.command("trace", "BC", f"#{placed['id']}").stdout


def test_contact_with_a_refused_region_is_filled_without(shop):
    email = mail("region.fill")
    known = shop.infusionsoft("POST", "/contacts", {"email_addresses": [{"field": "EMAIL1", "email": email}]})
    shop.fault(side="is", method="PATCH", path=f"/contacts/{known['id']}", kind="status", status=400, body=REGION, count=1)
    shop.place_and_wait(order(email))
    contact = shop.contact(email)
    assert contact["family_name"] == "Hopper"
    assert [a.get("region_code") for a in contact["addresses"] if a["field"] == "BILLING"] in ([None], [""])


def test_ids_of_what_was_deleted_meanwhile_are_asked_anew(shop):
    """Contact and product are known, and no longer there: a 4xx, fresh ids, once more."""
    email, sku = mail("deleted"), "DELETED-1"
    shop.place_and_wait(order(email, [item(sku, "Kept")]))
    real = shop.contact(email)["id"]
    for key, step in ((f"product:{digest(sku)}", "s:product"), (f"contact:{digest(email)}", "s:contact")):
        assert shop.redis.command("EXISTS", ledger_key(shop, key)) == b"1"
        shop.redis.command("HSET", ledger_key(shop, key), step, "999999")
    placed = shop.place_and_wait(order(email, [item(sku, "Kept")]))
    posts = shop.requests_since(0, "POST", "/orders", f"bc-abc123-{placed['id']}")
    assert [entry["status"] for entry in posts] == [400, 201]
    body, = shop.created(placed["id"])
    assert body["contact_id"] == real
    record = newest(shop, placed["id"]).json()
    assert (record["contact_id"], record["steps"]["contact"]) == (real, real)
    assert [g for g in shop.goals(real) if g[0] == "BCSKU"] == [("BCSKU", sku)] * 2
    third = shop.place_and_wait(order(email, [item(sku, "Kept")]))
    assert newest(shop, third["id"]).json()["calls"] == 3, "one order and two goals: the fresh ids are known"


def test_an_entry_with_an_end_and_no_id_parks_its_order_alone(shop):
    """Others wrote it. To ask the ledger again would bring the same answer for ever."""
    email = mail("no.id")
    shop.place_and_wait(order(email))
    assert shop.redis.command("HDEL", ledger_key(shop, f"contact:{digest(email)}"), "s:contact") == b"1"
    placed = shop.place(order(email))
    shop.place_and_wait(order(mail("beside")))
    shop.wait_fate(placed["id"], wanted=("dead", "gave_up"), timeout=60)
    dead = newest(shop, placed["id"], "dead").headers
    assert dead["step"] == "ledger" and "no id" in dead["detail"]


@pytest.mark.parametrize("how", ["deleted", "another address"])
def test_a_known_contact_that_the_look_up_does_not_bring(shop, how):
    """It comes with a new name, so it is looked up; the entry knows an id that is of nobody, or of another address, now."""
    email = mail("known")
    shop.place_and_wait(order(email))
    first = shop.contact(email)["id"]
    if how == "deleted":
        shop.redis.command("HSET", ledger_key(shop, f"contact:{digest(email)}"), "s:contact", "999999")
    shop.infusionsoft("PATCH", f"/contacts/{first}?update_mask=email_addresses",
                      {"email_addresses": [{"field": "EMAIL1", "email": mail("moved")}]})
    placed = shop.place_and_wait(order(email, billing={"first_name": "Mary"}))
    second = shop.contact(email)["id"]
    assert second != first
    assert newest(shop, placed["id"]).json()["contact_id"] == second


def test_a_known_contact_that_the_list_does_not_show_yet(shop):
    """Asked for by its id, it is there and has the address: filled, not made again."""
    email = mail("lagging")
    shop.sandbox_settings(visibility_delay_ms=60000)
    try:
        shop.place_and_wait(order(email))
        placed = shop.place_and_wait(order(email, billing={"first_name": "Mary"}))
    finally:
        shop.sandbox_settings(visibility_delay_ms=0)
    assert len(shop.requests_since(0, "POST", "/contacts", email)) == 1
    assert newest(shop, placed["id"]).json()["contact_id"] == shop.contact(email)["id"]


# -- what must not be forgotten -----------------------------------------------------------------------------------


def test_a_refused_goal_stays_incomplete_when_the_order_changes(shop):
    placed = shop.place(order(mail("incomplete"), status=7))
    shop.wait_fate(placed["id"], wanted=("skipped", "status"))
    shop.fault(side="is", method="POST", path="/automations/goals", kind="status", status=400, match="BCORDER", count=2)
    shop.change(placed["id"], status_id=11)
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    before = newest(shop, placed["id"])
    assert [one["step"] for one in before.json()["incomplete"]] == ["goal:BCORDER/BC"]
    shop.change(placed["id"], status_id=2)
    wait_until(lambda: newest(shop, placed["id"]).offset > before.offset, 30, "its fate once more")
    assert [one["step"] for one in newest(shop, placed["id"]).json()["incomplete"]] == ["goal:BCORDER/BC"]


# -- alarms --------------------------------------------------------------------------------------------------------


def test_total_that_differs_is_an_alarm_on_a_delivered_order(shop):
    before = alarms(shop, "total_differs")
    shop.sandbox_settings(total_off_by_cents=7)
    try:
        placed = shop.place_and_wait(order(mail("differs")))
    finally:
        shop.sandbox_settings(total_off_by_cents=0)
    line, = log_lines(shop, rf"total_differs key=abc123/order/{placed['id']} ")
    assert "ours=1000 theirs=1007" in line
    assert alarms(shop, "total_differs") == before + 1


def test_two_found_is_an_alarm_and_the_lowest_counts(shop):
    placed = shop.place(order(mail("double"), status=7))
    shop.wait_fate(placed["id"], wanted=("skipped", "status"))
    field, = [f for f in shop.infusionsoft("GET", "/orders/model")["custom_fields"]
              if f["label"] == "BigCommerce Order"]
    stranger = shop.infusionsoft("POST", "/contacts", {"email_addresses": [
        {"field": "EMAIL1", "email": mail("stranger")}]})
    theirs = shop.infusionsoft("POST", "/orders", {
        "contact_id": stranger["id"], "order_title": "by hand", "order_type": "ONLINE", "order_items": [],
        "order_time": "2026-01-02T03:04:05Z",
        "custom_fields": [{"id": field["id"], "content": f"bc-abc123-{placed['id']}"}]})
    before = alarms(shop, "double_found")
    shop.fault(side="is", method="POST", path="/orders", kind="drop_after", match=f"bc-abc123-{placed['id']}", count=1)
    shop.change(placed["id"], status_id=11)
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    assert newest(shop, placed["id"]).json()["order_id"] == theirs["id"]
    assert log_lines(shop, rf"double_found key=abc123/order/{placed['id']} trace=\S+ count=2 lowest={theirs['id']}")
    assert alarms(shop, "double_found") == before + 1


def test_what_was_not_there_is_looked_for_once_more_later(shop):
    """Rule 2: a doubt that ended as "not there" brings a copy through retry-1h that only looks."""
    email = mail("lookagain")
    placed = shop.place(order(email, status=7))
    shop.wait_fate(placed["id"], wanted=("skipped", "status"))
    key = f"abc123/order/{placed['id']}"
    shop.fault(side="is", method="POST", path="/orders", kind="drop_before", match=f"bc-abc123-{placed['id']}", count=1)
    shop.change(placed["id"], status_id=11)
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    wait_for_log(shop, rf"looked_again key={key} trace=\S+ found=1")
    copies = [r for r in read_topic(shop.broker.address, shop.topic("retry-1h")) if r.key == key]
    assert [r.headers["reason"] for r in copies] == ["in_doubt"]
    assert len(shop.created(placed["id"])) == 1
    assert len([r for r in shop.fate_records(key) if r.topic == "delivered"]) == 1, "the look publishes no fate"
    assert shop.goals(shop.contact(email)["id"]).count(("BCORDER", "BC")) == 1


# -- the account as a whole ----------------------------------------------------------------------------------------


def waiting(shop, topic="waiting.main"):
    return {r.key: r for r in read_topic(shop.broker.address, shop.topic(topic))}


def place_while(shop, topic, count=3):
    """Places orders that end up waiting there; returns them."""
    placed = [shop.place(order(mail("closed"))) for _ in range(count)]
    keys = {f"abc123/order/{one['id']}" for one in placed}
    wait_until(lambda: keys <= set(waiting(shop, topic)), 30, lambda: f"orders to wait; {shop.trouble()}")
    return placed


def assert_delivered_untouched(shop, placed):
    for one in placed:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
        assert newest(shop, one["id"]).json()["attempts"] == 1, "waiting is nobody's failure"
        assert len(shop.created(one["id"])) == 1


def test_refused_key_closes_the_account_and_nothing_is_lost(shop):
    before = alarms(shop, "account_closed")
    shop.sandbox_settings(key_accepted=False)
    try:
        placed = place_while(shop, "waiting.main")
        assert alarms(shop, "account_closed") == before + 1, "one alarm"
        assert waiting(shop)[f"abc123/order/{placed[0]['id']}"].headers["reason"] == "account_closed"
        assert all(shop.fate(one["id"]) is None for one in placed)
    finally:
        shop.sandbox_settings(key_accepted=True)
    assert_delivered_untouched(shop, placed)


def test_an_account_that_fails_as_a_whole_charges_nobody(shop):
    shop.fault(side="is", kind="status", status=503)
    placed = place_while(shop, "waiting.main")
    shop.clear_faults()
    assert_delivered_untouched(shop, placed)


def test_permission_that_is_missing_for_all_is_not_an_orders_fault(shop):
    fault = shop.fault(side="is", path="/contacts", kind="status", status=403)
    assert fault
    placed = place_while(shop, "waiting.main")
    assert all(shop.fate(one["id"]) is None for one in placed)
    shop.clear_faults()
    assert_delivered_untouched(shop, placed)


@pytest.mark.parametrize("available", ["0", "7|0"])
def test_day_quota_that_is_used_up_closes_the_account(shop, available):
    shop.fault(side="is", kind="status", status=429, headers={
        "x-keap-product-quota-limit": "30000", "x-keap-product-quota-available": available,
        "x-keap-product-quota-expiry-time": "1"})
    placed = place_while(shop, "waiting.main")
    assert log_lines(shop, "account_closed account=main why=\"the day's quota is used up")
    shop.clear_faults()
    assert_delivered_untouched(shop, placed)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}, {"x-keap-product-throttle-available": "|"},
                                     {"x-keap-product-quota-available": "0|29000"}])
def test_throttled_is_waited_for_and_not_counted(shop, headers):
    closed = alarms(shop, "account_closed")
    shop.fault(side="is", method="POST", kind="status", status=429, count=3, headers=headers,
               body='{"code":"429","message":"Quota Exceeded","status":"Request Throttled","details":null}')
    assert_delivered_untouched(shop, [shop.place(order(mail("throttled")))])
    assert alarms(shop, "account_closed") == closed


def test_a_long_pause_is_not_waited_for_in_a_worker(shop):
    shop.fault(side="is", method="POST", kind="status", status=429, count=1, headers={"Retry-After": "900"})
    placed = place_while(shop, "waiting.main", count=1)
    assert log_lines(shop, r'why="the account asks for a long pause')
    shop.restart("pusher")  # it knows no longer that it has to wait
    assert_delivered_untouched(shop, placed)


# -- versions, the ledger by hand, the wrong account ---------------------------------------------------------------


def test_d02_a_changed_body_of_a_delivered_order_makes_nothing(shop):
    placed = shop.place_and_wait(order(mail("d02body")))
    key = f"abc123/order/{placed['id']}"
    payload = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key == key][-1]
    changed = payload.value.replace(b'"APPLE"', b'"PEAR"')
    assert changed != payload.value
    mark = shop.mark()
    for version in (int(payload.headers["modified_at"]), int(payload.headers["modified_at"]) + 60000):
        before = len(shop.fate_records(key))
        write_topic(shop.broker.address, shop.topic("orders.payloads"), key, changed,
                    {**payload.headers, "modified_at": str(version)})
        wait_until(lambda n=before: len(shop.fate_records(key)) > n, 20, "its answer once more")
    assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == []
    record = newest(shop, placed["id"]).json()
    assert record["order_id"] and record["modified_at"] == int(payload.headers["modified_at"])


def test_distrusted_ledger_is_filled_in_again_and_doubles_nothing(shop):
    placed = [shop.place_and_wait(order(mail("distrust"))) for _ in range(3)]
    before = len(log_lines(shop, "rebuild ended"))
    assert "distrusted" in shop.command("ledger", "distrust").stdout
    line = wait_until(lambda: log_lines(shop, "rebuild ended")[before:], 30, lambda: f"rebuild; {shop.trouble()}")[0]
    assert int(re.search(r"delivered=(\d+)", line)[1]) >= 3
    mark = shop.mark()
    payloads = {r.key: r for r in read_topic(shop.broker.address, shop.topic("orders.payloads"))}
    for one in placed:
        record = payloads[f"abc123/order/{one['id']}"]
        before = len(shop.fate_records(record.key))
        write_topic(shop.broker.address, shop.topic("orders.payloads"), record.key, record.value, record.headers)
        wait_until(lambda n=before, k=record.key: len(shop.fate_records(k)) > n, 20, "the fate again")
        assert len(shop.created(one["id"])) == 1
    assert shop.requests_since(mark, "POST") == []
    email = mail("distrust.after")
    shop.place_and_wait(order(email))
    assert shop.goals(shop.contact(email)["id"]) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]


def test_wrong_tenant_is_refused_at_start(shop):
    wrong = {"BIGFUSION_INFUSIONSOFT_MAIN_TENANT": "xy999.infusionsoft.com"}
    mark = shop.mark()
    process = shop.start_service("pusher-2", wrong)
    assert process.popen.wait(30) == 100
    process.forget()
    del shop.services["pusher-2"]
    assert "configured is xy999.infusionsoft.com" in process.text() and "[infusionsoft main]" in process.text()
    shop.env.update(wrong)
    try:
        answer = shop.command("setup", check=False)
    finally:
        shop.env.clear()
    assert answer.returncode == 100 and "xy999.infusionsoft.com" in answer.stderr + answer.stdout
    assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == []


def test_what_remains_has_its_answer(shop):
    shop.clear_faults()
    posts = [key for entry in shop.journal() if (entry.get("effect") or {}).get("made") == "order"
             for key in re.findall(r"bc-abc123-\d+", str(entry.get("body")))]
    doubled = {key for key in posts if posts.count(key) > 1}
    assert len(doubled) <= 1, "the one that somebody made by hand"
