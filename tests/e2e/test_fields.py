"""Order custom fields that a store's settings name, and its affiliate."""

import json

import pytest
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop
from test_account import newest

LABEL = "Größe der Firma"
STORES = [
    {"name": "main", "hash": "abc123", "lead_affiliate_id": "12", "field.Paid with": "payment_method",
     "field.Second line": "consignments.shipping.0.line_items.1.sku", f"field.{LABEL}": "billing_address.company"},
    {"name": "plain", "hash": "abc124", "code": "S1", "field.Status": "payment_status"},
]


@pytest.fixture
def shop(kafka):
    with Shop("e2e-fields", stores=STORES, broker=kafka, prefix="fields") as stack:
        yield stack


def make(shop, label, kind="TEXT"):
    return shop.infusionsoft("POST", "/orders/model/customFields", {"label": label, "field_type": kind})["id"]


def found_by_doctor(shop):
    """What the doctor says of the fields: its level and its text."""
    report = json.loads(shop.command("doctor", "--json", check=False).stdout)
    one, = [finding for finding in report["findings"] if finding["check"] == "account mapped fields"]
    return one["level"], one["finding"]


def test_members_of_the_order_fill_custom_fields(shop):
    shop.start_servers()
    ids = {label: make(shop, label) for label in ("Paid with", "Second line", "Status")}
    make(shop, LABEL, "WHOLE_NUMBER")
    shop.start_services(services=())
    level, finding = found_by_doctor(shop)
    assert level == "fail" and LABEL in finding

    for name in ("poller", "filter", "mapper", "pusher"):
        shop.start_service(name)
    log = shop.services["pusher"].text
    wait_until(lambda: "account_closed" in log() and LABEL in log(), 30, "the account to close")
    waiting = shop.place(order(mail("fields"), payment_method=" Visa\n4242 ", billing={"company": "Hopper & Söhne"}))
    ids[LABEL] = make(shop, LABEL)
    assert shop.wait_fate(waiting["id"], timeout=60) == ("delivered", None)
    assert found_by_doctor(shop)[0] == "ok"

    body, = shop.created(waiting["id"])
    got = {one["id"]: one["content"] for one in body["custom_fields"][1:]}
    assert got == {ids["Paid with"]: "Visa 4242", ids[LABEL]: "Hopper & Söhne"}
    assert body["lead_affiliate_id"] == "12"
    assert newest(shop, waiting["id"]).json()["left_out"] == ["field consignments shipping 0 line_items 1 sku: not in the order"]

    two = shop.place_and_wait(order(mail("fields"), [item("F-1", "First"), item("F-2", "Second")], payment_method={"no": "text"}))
    assert [one["content"] for one in shop.created(two["id"])[0]["custom_fields"][1:]] == ["F-2"]
    assert newest(shop, two["id"]).json()["left_out"] == ["field payment_method: neither text nor number"]

    # the pusher's settings are newer than the mapper's
    del shop.stores[1]["field.Status"]
    shop.write_config()
    shop.restart("pusher")
    other = shop.place_and_wait(order(mail("fields")), "abc124")
    assert len(shop.created(other["id"], "abc124")[0]["custom_fields"]) == 1
    fate = [record for record in shop.fate_records(f"abc124/order/{other['id']}") if record.topic == "delivered"][-1].json()
    assert fate["left_out"] == ["order custom field: no setting names it"]
    assert not any("Söhne" in shop.services[name].text() or "4242" in shop.services[name].text() for name in shop.services)
    shop.wait_drained(30)
    shop.assert_right()
    assert set(shop.stop().values()) == {0}
