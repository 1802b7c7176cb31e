"""The decisions of docs/decisions.md through the real programs and a real Kafka, as in test_rows.py."""

import pytest
from asked import name_of
from processes import read_topic, wait_until
from shop import item, mail, order


def test_d01_paid_later_is_synced_then(shop):
    placed = shop.place_and_wait(order(mail("d01"), status=7), wanted=("skipped", "status"))
    shop.change(placed["id"], status_id=11)
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    assert len(shop.created(placed["id"])) == 1
    record = [r for r in shop.fate_records(f"abc123/order/{placed['id']}") if r.topic == "delivered"][-1].json()
    assert record["times"]["placed"] < record["times"]["created"], "both times are shown"


def test_d02_later_refunded_or_cancelled_is_left_alone(shop):
    placed = shop.place_and_wait(order(mail("d02")))
    mark = shop.mark()
    shop.change(placed["id"], status_id=4)
    witness = shop.place_and_wait(order(mail("d02witness")))
    assert witness["id"] != placed["id"]
    touched = [e for e in shop.requests_since(mark) if e["method"] in ("DELETE", "PATCH") and "/orders" in e["path"]]
    assert touched == []
    assert len(shop.created(placed["id"])) == 1
    assert shop.fate(placed["id"]) == ("delivered", None)


def test_d02_a_later_refund_leaves_a_note_where_the_store_asks_for_one(shop):
    placed = shop.place_and_wait(order(mail("d02note")), "abc124")
    shop.change(placed["id"], "abc124", status_id=4, refunded_amount="3.5000")
    path = f"/contacts/{shop.contact(placed['billing_address']['email'])['id']}/notes"
    found = wait_until(lambda: shop.infusionsoft("GET", path)["notes"], 30, lambda: f"the note; {shop.trouble()}")
    assert [one["title"] for one in found] == [f"bc-abc124-{placed['id']} Refunded 3.5 USD"]
    assert shop.fate(placed["id"], "abc124") == ("delivered", None) and len(shop.created(placed["id"], "abc124")) == 1


def test_d02_a_later_cancellation_leaves_a_tag_where_the_store_asks_for_one(shop):
    placed = shop.place_and_wait(order(mail("d02tag")), "abc125")
    shop.change(placed["id"], "abc125", status_id=5)
    path = f"/contacts/{shop.contact(placed['billing_address']['email'])['id']}/tags"

    def named():
        return [one for one in shop.infusionsoft("GET", path)["tags"] if one["tag"]["name"] == "Order Cancelled"]
    assert len(wait_until(named, 30, lambda: f"the tag; {shop.trouble()}")) == 1
    assert shop.fate(placed["id"], "abc125") == ("delivered", None) and len(shop.created(placed["id"], "abc125")) == 1


def test_d03_before_the_start_is_not_synced_even_when_it_changes(shop):
    old = order(mail("d03"), date_created="Wed, 31 Dec 2025 23:59:59 +0000")
    placed = shop.place_and_wait(old, "abc125", ("skipped", "before_start"))
    records = len(shop.fate_records(f"abc125/order/{placed['id']}"))
    shop.change(placed["id"], "abc125", status_id=10)
    key = f"abc125/order/{placed['id']}"
    wait_until(lambda: len(shop.fate_records(key)) > records, 30, "an answer for the changed order")
    assert shop.fate(placed["id"], "abc125") == ("skipped", "before_start")
    migrated = order(mail("d03"), external_source="M-MIG")
    moved = shop.place_and_wait(migrated, "abc125", ("skipped", "before_start"))
    first = shop.place_and_wait(order(mail("d03"), date_created="Thu, 01 Jan 2026 00:00:00 +0000"), "abc125")
    assert shop.created(placed["id"], "abc125") == []
    assert shop.created(moved["id"], "abc125") == []
    assert len(shop.created(first["id"], "abc125")) == 1


def test_d03_a_backfill_carries_them_without_goals(shop):
    emails = [mail("d03old") for _ in range(3)]
    old = {"date_created": "Tue, 05 Mar 2024 10:00:00 +0000", "date_modified": "Tue, 05 Mar 2024 10:00:00 +0000"}
    placed = [shop.place(order(email, **old), "abc125") for email in emails]
    shop.place_and_wait(order(mail("d03live")), "abc125")
    assert all(shop.created(one["id"], "abc125") == [] for one in placed)
    third, = [one for one in shop.stores if one["hash"] == "abc125"]
    third["backfill_from"] = "2020-01-01T00:00:00Z"  # for the judge
    shop.write_expectation(existing_contacts=shop.existing_contacts)
    shop.command("backfill", "--store", "S2", "--from", "2020-01-01")
    for email, one in zip(emails, placed):
        assert shop.wait_fate(one["id"], "abc125", 60) == ("delivered", None)
        assert len(shop.created(one["id"], "abc125")) == 1
        assert shop.goals(shop.contact(email)["id"]) == []


def test_d04_a_guest_with_an_email_is_synced(shop):
    placed = shop.place_and_wait(order(mail("d04"), customer_id=0))
    assert len(shop.created(placed["id"])) == 1


def test_d05_keep_fills_only_empty_fields(shop):
    email = mail("d05keep")
    shop.existing_contacts.append(email)
    shop.infusionsoft("POST", "/contacts", {"given_name": "Kept", "email_addresses": [
        {"field": "EMAIL1", "email": email}]})
    shop.place_and_wait(order(email, billing={"first_name": "New", "last_name": "Filled", "phone": "5550001"}))
    contact = shop.contact(email)
    assert (contact["given_name"], contact["family_name"]) == ("Kept", "Filled")
    assert [p["number"] for p in contact["phone_numbers"]] == ["5550001"]
    mark = shop.mark()
    shop.place_and_wait(order(email, billing={"first_name": "Newer", "last_name": "Other", "phone": "5550002"}))
    assert (shop.contact(email)["given_name"], shop.contact(email)["family_name"]) == ("Kept", "Filled")
    assert shop.requests_since(mark, "PATCH") == [], "nothing to fill: no call"


def test_d05_overwrite_replaces_what_differs(shop):
    email = mail("d05over")
    shop.existing_contacts.append(email)
    shop.infusionsoft("POST", "/contacts", {"given_name": "Old", "family_name": "Name", "email_addresses": [
        {"field": "EMAIL1", "email": email}]})
    shop.place_and_wait(order(email, billing={"first_name": "New", "last_name": "Name"}), "abc124")
    contact = shop.contact(email)
    assert (contact["given_name"], contact["family_name"]) == ("New", "Name")


def test_d05_the_same_customer_in_capitals_is_the_same_contact(shop):
    email = mail("d05case")
    shop.place_and_wait(order(email.replace("d05case", "D05Case")))
    shop.place_and_wait(order(email))
    shop.contact(email)


def test_d06_a_total_that_does_not_add_up_is_never_sent(shop):
    email = mail("d06")
    one = order(email)
    one["total_inc_tax"] = "99.0000"
    placed = shop.place_and_wait(one, wanted=("dead", "total_mismatch"))
    assert shop.created(placed["id"]) == []
    assert shop.no_contact(email)


def test_d06_a_rounding_of_one_cent_a_line_goes_to_the_tax(shop):
    one = order(mail("d06r"), [item("A", "Apple", 1, "1.00"), item("B", "Banana", 1, "2.00")], tax="0.30")
    one["total_inc_tax"] = "3.3200"
    placed = shop.place_and_wait(one)
    created, = shop.created(placed["id"])
    assert [str(i["price_per_unit"]) for i in created["order_items"] if i["item_type"] == "TAX"] == ["0.32"]


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_d07_a_goal_whose_answer_was_lost_is_not_repeated(shop, faults, kind):
    email = mail("d07")
    sku = f"D07-{kind}"
    faults(side="is", method="POST", path="/automations/goals/achieve", kind=kind, match=sku, count=1)
    placed = shop.place_and_wait(order(email, [item(sku, "Doubtful")]), timeout=60)
    contact = shop.contact(email)["id"]
    achieved = shop.goals(contact)
    assert achieved.count(("BCORDER", "BC")) == 1
    assert achieved.count(("BCSKU", sku)) == (1 if kind == "drop_after" else 0)
    asked = shop.requests_since(0, "POST", "/goals/achieve", sku)
    assert len(asked) == 1, "an in-doubt goal is not sent again"
    record = [r for r in shop.fate_records(f"abc123/order/{placed['id']}") if r.topic == "delivered"][-1]
    assert sku in str(record.json().get("in_doubt")), "and it is shown"


def attempts_of(shop, number):
    """The attempts that the order's records carried into the retry topics, one by one."""
    return [int(r.headers["attempt"]) for name in ("retry-1m", "retry-10m", "retry-1h")
            for r in read_topic(shop.broker.address, shop.topic(name)) if r.key == f"abc123/order/{number}"]


def test_d08_an_account_that_fails_as_a_whole_gives_no_order_up(shop, faults):
    faults(side="is", kind="status", status=503)
    placed = [shop.place(order(mail("d08"))) for _ in range(3)]
    for one in placed:
        shop.answer(name_of(one), "waiting", "account_closed")
    shop.clear_faults()
    for one in placed:
        shop.wait_fate(one["id"], timeout=60, wanted=("delivered", None))
        record = [r for r in shop.fate_records(f"abc123/order/{one['id']}") if r.topic == "delivered"][-1].json()
        assert record["attempts"] == 1, "waiting is nobody's failure"
        assert len(shop.created(one["id"])) == 1


def test_d08_an_order_that_fails_alone_is_parked_after_26_attempts(shop, faults):
    email = mail("d08alone")
    faults(side="is", method="POST", path="/contacts", kind="status", status=500, match=email)
    placed = shop.place(order(email))
    shop.place_and_wait(order(mail("d08other")))
    shop.wait_fate(placed["id"], timeout=120, wanted=("dead", "gave_up"))
    assert attempts_of(shop, placed["id"]) == list(range(1, 26))
    assert len(shop.requests_since(0, "POST", "/contacts", email)) == 26
    assert shop.created(placed["id"]) == []
    shop.clear_faults()
    shop.command("retry", name_of(placed), "--why", "it is repaired")
    shop.wait_fate(placed["id"], timeout=60, wanted=("delivered", None))
    assert len(shop.created(placed["id"])) == 1


def test_d09_an_email_that_is_none_is_skipped(shop):
    mark = shop.mark()
    placed = [shop.place(order(address)) for address in ("nobody", "two words@example.com", "x" * 70 + "@example.com")]
    for one in placed:
        assert shop.wait_fate(one["id"]) == ("skipped", "invalid_email")
        assert shop.created(one["id"]) == []
    assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == []


def test_d09_seventy_five_characters_are_an_address(shop):
    address = mail("d09").rjust(75, "y")
    assert len(address) == 75
    shop.place_and_wait(order(address))
    shop.contact(address)


def test_d10_marketing_permission(shop):
    cases = [("abc125", True, False),  # never
             ("abc123", True, True), ("abc123", False, False),  # opted_in, the default
             ("abc124", False, True)]  # always
    mark = shop.mark()
    placed = [(shop.place(order(mail("d10"), is_email_opt_in=said), store), store, permitted)
              for store, said, permitted in cases]
    for one, store, permitted in placed:
        assert shop.wait_fate(one["id"], store) == ("delivered", None)
        address = one["billing_address"]["email"]
        made = [shop.body(e) for e in shop.requests_since(mark, "POST", "/contacts", address)]
        assert ["opt_in_reason" in body["email_addresses"][0] for body in made] == [permitted]


def test_d11_another_currency_is_never_sent(shop):
    email = mail("d11")
    # what is shown to the shopper does not count, only the currency that the amounts are in
    placed = shop.place_and_wait(order(email, default_currency_code="EUR", currency_code="USD"),
                                 wanted=("dead", "currency_mismatch"))
    assert shop.created(placed["id"]) == []
    shop.place_and_wait(order(mail("d11"), default_currency_code="USD", currency_code="EUR"))
