"""The rows of docs/requirements.md through the real programs and a real Kafka: an order is placed in the store and the effect is
looked at inside the account. tests/requirements/requirements.py finds the tests of a row by their names."""

import json
import os
import re
import time

import pytest
from asked import name_of
from processes import ROOT, http_call, read_topic, wait_until
from reference import ELIGIBLE
from shop import item, mail, order

NOT_SYNCED = [0, 1, 4, 5, 6, 7, 12, 13]


def alarms(shop, kind):
    found = re.findall(rf'^bigfusion_alarms_total\{{kind="{kind}"[^}}]*\}} (\d+)', shop.metrics("pusher"), re.M)
    return sum(map(int, found))


def only(found):
    one, = found
    return one


def test_r01_a_product_and_an_order_arrive_each_once(shop):
    """Of the store `full`, whose catalogue is synced. Whether the order or the catalogue makes the product is open."""
    sku, email = "R01-JAR", mail("r01")
    made = shop.call("POST", "/sandbox/stores/abc127/products", {"name": "Jar", "price": 12.5, "sku": sku, "description": "<p>Glass</p>"})
    placed = shop.place_and_wait(order(email, [{**item(sku, "Jar", 2, "12.50"), "product_id": made["id"]}]), "abc127")

    def products():
        return [one for one in shop.call("GET", "/sandbox/account/products") if one["sku"] == sku and one.get("description") == "Glass"]
    wait_until(products, 30, lambda: f"the product; {shop.trouble()}")
    product = only(one for one in shop.call("GET", "/sandbox/account/products") if one["sku"] == sku)
    assert (product["name"], product["price"]["amount"]) == ("Jar", 1250)
    contact = shop.contact(email)
    assert (contact["given_name"], contact["family_name"]) == ("Grace", "Hopper")
    made_order = only(shop.created(placed["id"], "abc127"))
    assert str(made_order["contact_id"]) == str(contact["id"])
    assert [(str(line["product_id"]), line["quantity"], str(line["price_per_unit"])) for line in made_order["order_items"]] == [
        (str(product["id"]), 2, "12.5")]


def test_r01_a_customer_without_an_order_arrives_once(shop):
    email = mail("r01customer")
    shop.existing_contacts.append(email)  # not made from an order
    shop.call("POST", "/sandbox/stores/abc127/customers", {"email": email, "first_name": "Ada", "last_name": "Lovelace",
                                                           "phone": "555-123-4567", "addresses": []})
    made = wait_until(lambda: shop.infusionsoft("GET", f"/contacts?filter=email=={email}")["contacts"], 30,
                      lambda: f"the contact; {shop.trouble()}")
    contact = shop.contact(email)
    assert (contact["given_name"], contact["family_name"]) == ("Ada", "Lovelace") and len(made) == 1
    shop.place_and_wait(order(email, billing={"first_name": "Ada", "last_name": "Lovelace"}), "abc127")
    assert len([e for e in shop.requests_since(0, "POST", "/contacts", email) if e.get("effect")]) == 1, "the order finds it"
    assert shop.contact(email)["id"] == contact["id"]


def test_r02_without_the_ecommerce_module_orders_wait_and_the_rest_arrives(shop):
    before = alarms(shop, "ecommerce_unavailable")
    shop.sandbox_settings(ecommerce=False)
    try:
        placed = [shop.place(order(mail("r02"))) for _ in range(3)]
        keys = {f"abc123/order/{one['id']}" for one in placed}

        def waiting():
            records = {r.key: r for r in read_topic(shop.broker.address, shop.topic("waiting-orders.main"))}
            return keys <= set(records) and records
        records = wait_until(waiting, 30, lambda: f"orders to wait; {shop.trouble()}")
        for one in placed:
            contact = shop.contact(one["billing_address"]["email"])["id"]
            assert shop.goals(contact) == [("BCORDER", "BC"), ("BCSKU", "APPLE")]
            assert shop.created(one["id"]) == [] and shop.fate(one["id"]) is None
            assert records[f"abc123/order/{one['id']}"].headers["reason"] == "ecommerce_unavailable"
        shop.answer(name_of(placed[0]), "waiting", "ecommerce_unavailable", says="e-commerce")
        assert alarms(shop, "ecommerce_unavailable") == before + 1, "one alarm"
        # Nothing loops: the probe asks, the orders are not tried.
        mark = shop.mark()
        shop.place_and_wait(order(""), wanted=("skipped", "no_email"))
        assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == []
    finally:
        shop.sandbox_settings(ecommerce=True)
    for one in placed:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
        assert len(shop.created(one["id"])) == 1
        contact = shop.contact(one["billing_address"]["email"])["id"]
        assert shop.goals(contact) == [("BCORDER", "BC"), ("BCSKU", "APPLE")], "not a second time"


def test_r03_every_order_of_a_run_with_faults_arrives_within_fifteen_minutes(shop, faults):
    faults(side="is", method="POST", path="/orders", kind="status", status=503, count=5)
    faults(side="is", method="GET", path="/contacts", kind="delay", delay_ms=300, share=0.2)
    faults(side="bc", method="GET", path="/orders", kind="status", status=500, count=2)
    placed = [shop.place(order(mail("r03")), store) for _ in range(12) for store in ("abc123", "abc124")]
    for number, one in enumerate(placed):
        shop.wait_fate(one["id"], ("abc123", "abc124")[number % 2], 60, ("delivered", None))
    judge = shop.judge()
    delays = judge.delays()
    print(f"placed to created: p50 {delays[len(delays) // 2]:.2f} s, p99 {delays[len(delays) * 99 // 100]:.2f} s,"
          f" max {delays[-1]:.2f} s over {len(delays)} orders")
    assert len(delays) >= 24
    assert delays[-1] < 900
    assert (judge.lost, judge.duplicated) == (0, 0)


def test_r04_equal_ids_of_two_stores_are_two_orders(shop):
    first = shop.place(order(mail("r04")), "abc123")
    number = max(first["id"], *(o["id"] for o in shop.orders("abc124")), 0) + 500
    for store in ("abc123", "abc124"):
        shop.place(order(mail("r04"), id=number), store)
    for store in ("abc123", "abc124"):
        assert shop.wait_fate(number, store) == ("delivered", None)
        assert len(shop.created(number, store)) == 1


def test_r05_the_title_starts_with_the_store_code(shop):
    for store, code in (("abc124", "S1"), ("abc125", "S2")):
        placed = shop.place_and_wait(order(mail("r05")), store)
        assert [c["order_title"] for c in shop.created(placed["id"], store)] == [f"{code} #{placed['id']}"]


def test_r06_two_stores_of_one_account_with_one_code_are_refused(shop):
    mark = shop.mark()
    for service in ("poller", "pusher"):
        process = shop.start_service(f"{service}-same", {"BIGFUSION_STORE_SECOND_CODE": "LATE"})
        assert process.popen.wait(20) == 100
        process.forget()
        del shop.services[f"{service}-same"]
        assert "[store second]" in process.text() and "[store late]" in process.text(), process.text()
    assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == []


def test_r07_an_order_just_placed_waits_for_the_next_poll(shop):
    shop.wait_for_poll("abc126")
    placed = shop.place(order(mail("r07")), "abc126")
    found = shop.answer(name_of(placed, "LATE"), "waiting", "next_poll")
    assert re.search(r"The next poll is in (\d+) s\.", found["sentence"]), found["sentence"]
    shop.wait_fate(placed["id"], "abc126", 60, ("delivered", None))
    shop.answer(name_of(placed, "LATE"), "synced")
    assert len(shop.created(placed["id"], "abc126")) == 1


def test_r08_no_email_is_not_synced(shop):
    orders = []
    for address in ("missing", None, "", "   ", "\t"):
        one = order(address, billing={"first_name": "Nomail"})
        if address == "missing":
            del one["billing_address"]["email"]
        orders.append(one)
    mark = shop.mark()
    placed = [shop.place(one) for one in orders]
    for one in placed:
        assert shop.wait_fate(one["id"]) == ("skipped", "no_email")
        assert shop.created(one["id"]) == []
    assert shop.requests_since(mark, path="/contacts") == []
    assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == [], "no call to the account"


def test_r09_statuses_that_are_not_synced(shop):
    mark = shop.mark()
    emails = {status: mail("r09") for status in NOT_SYNCED}
    placed = {status: shop.place(order(emails[status], status=status, custom_status="Completed"))
              for status in NOT_SYNCED}
    for status, one in placed.items():
        assert shop.wait_fate(one["id"]) == ("skipped", "status")
        assert shop.created(one["id"]) == []
        assert shop.no_contact(emails[status])
        record = [r for r in shop.fate_records(f"abc123/order/{one['id']}") if r.topic == "skipped"][-1]
        assert f'"id":{status},' in record.value.decode().replace(" ", ""), "the fate names the status"
    assert [e for e in shop.requests_since(mark) if e["method"] != "GET"] == []


def test_r09_withdrawn_while_it_waits_for_delivery(shop, faults):
    emails = {status: mail("r09w") for status in (4, 5, 6, 12, 13)}
    faults(side="is", method="POST", path="/contacts", kind="status", status=503)
    mark = shop.mark()
    placed = {status: shop.place(order(email)) for status, email in emails.items()}
    for email in emails.values():
        wait_until(lambda e=email: shop.requests_since(mark, "POST", "/contacts", e), 20, "a failed contact")
    for status, one in placed.items():
        shop.change(one["id"], status_id=status)
    for one in placed.values():
        assert shop.wait_fate(one["id"], timeout=60) == ("skipped", "status")
    shop.clear_faults()
    witness = shop.place_and_wait(order(mail("r09witness")), timeout=60)
    assert len(shop.created(witness["id"])) == 1
    for status, one in placed.items():
        assert shop.created(one["id"]) == []
        assert shop.fate(one["id"]) == ("skipped", "status")


def test_r10_statuses_that_are_synced(shop):
    placed = [shop.place(order(mail("r10"), status=status, custom_status="Cancelled")) for status in sorted(ELIGIBLE)]
    for one in placed:
        assert shop.wait_fate(one["id"]) == ("delivered", None)
        assert len(shop.created(one["id"])) == 1


def test_r10_an_unknown_status_is_not_synced_and_reported(shop):
    placed = shop.place_and_wait(order(mail("r10u"), status=47, custom_status="Completed"),
                                 wanted=("skipped", "unknown_status"))
    assert shop.created(placed["id"]) == []


def test_r11_no_other_goal_is_imitated(shop):
    email = mail("r11")
    shop.place_and_wait(order(email, [item("ONE", "One")]))
    assert {integration for integration, _ in shop.goals(shop.contact(email)["id"])} == {"BCORDER", "BCSKU"}


@pytest.mark.parametrize("store, code", [("abc123", "BC"), ("abc124", "S1")])
def test_r12_order_goal_is_called_by_the_store_code(shop, store, code):
    email = mail("r12")
    shop.place_and_wait(order(email), store)
    goals = shop.goals(shop.contact(email)["id"])
    assert [goal for goal in goals if goal[0] == "BCORDER"] == [("BCORDER", code)]


def test_r13_any_order_fires_the_order_goal(shop):
    email = mail("r13")
    shop.place_and_wait(order(email, [item("", "Something without a SKU")]))
    assert shop.goals(shop.contact(email)["id"]) == [("BCORDER", "BC")]


def test_r14_each_sku_fires_once(shop):
    email = mail("r14")
    shop.place_and_wait(order(email, [item("A", "Apple"), item("A", "Apple, wrapped"), item("B", "Banana")]))
    assert shop.goals(shop.contact(email)["id"]) == [("BCORDER", "BC"), ("BCSKU", "A"), ("BCSKU", "B")]


def test_r15_product_goals_come_in_line_order(shop):
    email = mail("r15")
    shop.place_and_wait(order(email, [item("Z-LAST", "Zucchini"), item("A-FIRST", "Artichoke")]))
    goals = shop.goals(shop.contact(email)["id"])
    assert goals == [("BCORDER", "BC"), ("BCSKU", "Z-LAST"), ("BCSKU", "A-FIRST")]


def test_r16_each_order_has_exactly_one_answer(shop, faults):
    """answer() asserts that the command gives one answer, with the exit status of its verdict."""
    email = mail("r16")
    faults(side="is", method="POST", path="/contacts", kind="status", status=500, match=email)
    placed = {"retrying": shop.place(order(email)), "synced": shop.place_and_wait(order(mail("r16"))),
              "skipped": shop.place_and_wait(order(mail("r16"), status=0), wanted=("skipped", "status")),
              "dead": shop.place_and_wait(order(mail("r16"), total_inc_tax="99.0000"), wanted=("dead", "total_mismatch")),
              "unknown": {"id": 5000001}}
    for verdict, reason, says in (("synced", None, "is in Infusionsoft"), ("skipped", "status", "Incomplete"),
                                  ("dead", "total_mismatch", "do not add up"), ("unknown", None, "does not know"),
                                  ("retrying", "retrying", "contact: infusionsoft POST /contacts: HTTP 500")):
        found = shop.answer(name_of(placed[verdict]), verdict, reason, says=says)
        assert (found["infusionsoft"] is not None) == (verdict == "synced")
    shop.clear_faults()
    shop.services["mapper"].stop()
    try:
        waiting = shop.place(order(mail("r16")))
        shop.answer(name_of(waiting), "waiting", "queued", says="waits for the mapper")
    finally:
        shop.restart("mapper")
    for one in (waiting, placed["retrying"]):
        shop.answer(name_of(one), "synced", timeout=60)
    # the page of the console gives the same
    address = shop.settings["console"]["listen"]
    status, answer = http_call(address, "GET", f"/api/v1/why?order=BC/{waiting['id']}")
    assert status == 200 and [one["verdict"] for one in json.loads(answer)["orders"]] == ["synced"], answer


def test_r17_each_coupon_fires_once(shop):
    email = mail("r17")
    shop.place_and_wait(order(email, [item("A", "Apple", 4)], coupons=[("SPRING", "1.00"), ("SUN", "2.50"),
                                                                       ("SPRING", "0.50")]))
    goals = shop.goals(shop.contact(email)["id"])
    assert sorted(goal for goal in goals if goal[0] == "BCCOUPON") == [("BCCOUPON", "SPRING"), ("BCCOUPON", "SUN")]


def test_r18_the_customer_group_becomes_a_tag_of_the_contact(shop):
    """Of the store `full`, whose customers are synced."""
    group = shop.call("POST", "/sandbox/stores/abc127/customer_groups", {"name": "R18 Wholesale"})["id"]
    emails = [mail("r18"), mail("r18")]
    shop.existing_contacts.extend(emails)  # not made from an order
    for email in emails:
        shop.call("POST", "/sandbox/stores/abc127/customers", {"email": email, "customer_group_id": group, "addresses": []})

    def tagged(email):
        found = shop.infusionsoft("GET", f"/contacts?filter=email=={email}")["contacts"]
        shop.tagged_by_others.extend(one["id"] for one in found)  # the tag is of no order
        return found and [one["tag"]["name"] for one in
                          shop.infusionsoft("GET", f"/contacts/{only(found)['id']}/tags")["tags"]] == ["R18 Wholesale"]
    for email in emails:
        wait_until(lambda address=email: tagged(address), 30, lambda: f"the tag; {shop.trouble()}")
    made = [e for e in shop.journal() if (e.get("effect") or {}).get("made") == "tag" and e["effect"]["name"] == "R18 Wholesale"]
    assert len(made) == 1


def test_r19_skus_and_coupons_become_tags_where_the_store_asks_for_them(shop):
    for store, wanted in (("abc125", ["Bought R19-A", "Used R19-TEN"]), ("abc123", [])):
        email = mail("r19")
        shop.place_and_wait(order(email, [item("R19-A", "A", 2)], coupons=[("R19-TEN", "1")]), store)
        contact = shop.contact(email)["id"]
        listed = shop.infusionsoft("GET", f"/contacts/{contact}/tags")["tags"]
        assert sorted(one["tag"]["name"] for one in listed) == wanted
        assert [goal[0] for goal in shop.goals(contact)] == ["BCORDER", "BCSKU", "BCCOUPON"], "goals need no tags"


def test_r20_the_default_store_code_is_bc(shop):
    with open(shop.config, encoding="utf-8") as file:
        section = file.read().split("[store main]")[1].split("[")[0]
    assert "code" not in section
    placed = shop.place_and_wait(order(mail("r20")))
    assert shop.created(placed["id"])[0]["order_title"] == f"BC #{placed['id']}"


def test_r21_custom_field_and_missing_products(shop):
    sku = f"NEW-{time.monotonic_ns()}"
    mark = shop.mark()
    placed = shop.place_and_wait(order(mail("r21"), [item(sku, "Brand new", 2, "4.25"), item("", "Nameless SKU")]))
    created = shop.created(placed["id"])
    assert [field["content"] for field in created[0]["custom_fields"]] == [f"bc-abc123-{placed['id']}"]
    products = [shop.body(e) for e in shop.requests_since(mark, "POST", "/products")]
    made = [p for p in products if p.get("sku") == sku]
    assert made == [{"name": "Brand new", "short_description": "Brand new", "sku": sku, "price": 425}] or (
        len(made) == 1 and {k: made[0][k] for k in ("name", "short_description", "sku", "price")}
        == {"name": "Brand new", "short_description": "Brand new", "sku": sku, "price": 425})
    again = shop.mark()
    shop.place_and_wait(order(mail("r21"), [item(sku.lower(), "Brand new", 1, "4.25")]))
    assert shop.requests_since(again, "POST", "/products") == [], "a SKU is compared without case"


def test_r21_worked_order_149_figure_by_figure(shop):
    with open(os.path.join(ROOT, "tests/e2e/data/order_149.json"), encoding="utf-8") as file:
        one = json.load(file)
    del one["date_modified"]  # placed now, as far as the poller can see
    placed = shop.place_and_wait(one)
    assert placed["id"] == 149
    created, = shop.created(149)
    lines = [(line["item_type"], line["quantity"], str(line["price_per_unit"])) for line in created["order_items"]]
    assert lines == [("PRODUCT", 1, "55.99"), ("SHIPPING", 1, "11.09"), ("TAX", 1, "10.15"), ("DISCOUNT", 1, lines[3][2])]
    assert float(lines[3][2]) == -5
    assert created["order_title"] == "BC #149"
    assert created["order_time"] == "2019-03-05T21:40:11Z"
    assert [field["content"] for field in created["custom_fields"]] == ["bc-abc123-149"]
    assert shop.goals(created["contact_id"]) == [("BCORDER", "BC"), ("BCSKU", "S-ORAN"), ("BCCOUPON", "S2549JM0Y")]
