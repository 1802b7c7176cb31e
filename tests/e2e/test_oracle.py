"""The judge itself on trial: it must accept a right journal and refuse every wrong one.

The right journal is written by hand from the worked example (order 149) and two more orders of one customer; each wrong
one differs from it in one thing.
"""

import copy
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "..", "oracle.py")

with open(f"{HERE}/data/order_149.json", encoding="utf-8") as file:
    ORDER_149 = json.load(file)


def line(number, sku, name, quantity, price, total, **more):
    return {"id": number, "product_id": 100 + number, "variant_id": None, "sku": sku, "name": name, "quantity": quantity,
            "price_ex_tax": price, "total_ex_tax": total, "parent_order_product_id": None, "applied_discounts": [],
            **more}


def simple_order(number, status, mail, lines, total, **more):
    return {"id": number, "status_id": status, "date_created": "Wed, 06 Mar 2019 08:00:00 +0000",
            "date_modified": "Wed, 06 Mar 2019 08:00:00 +0000", "default_currency_code": "USD",
            "billing_address": {"first_name": "Ada", "last_name": "Byron", "email": mail, "phone": "", "street_1": "",
                                "street_2": "", "city": "", "state": "", "zip": "", "country_iso2": ""},
            "total_tax": "0.0000", "total_inc_tax": total, "is_email_opt_in": False, "fees": [],
            "consignments": {"shipping": [], "pickups": [], "downloads": [{"line_items": lines}],
                             "email": {"gift_certificates": []}}, **more}


def right_run():
    """(journal, orders, expect, fates) of a run in which everything went right."""
    orders = [
        ORDER_149,
        # 3 for 10.00 is not whole cents each; 2 x 4.55 is; the last line has no SKU
        simple_order(150, 10, " Ada@Example.com", [line(1, "A", "Apple", 3, "3.3333", "10.0000"),
                                                   line(2, "a ", "Apple again", 2, "4.5500", "9.1000"),
                                                   line(3, "", "Pear", 1, "1.0000", "1.0000", product_id=9)], "20.1000"),
        simple_order(151, 2, "ada@example.com", [line(4, "A", "Apple", 1, "3.3300", "3.3300")], "3.3400"),
        simple_order(152, 5, "carl@example.com", [line(5, "C", "Cherry", 1, "1.0000", "1.0000")], "1.0000"),
        simple_order(153, 11, "  ", [line(6, "D", "Date", 1, "1.0000", "1.0000")], "1.0000"),
        simple_order(154, 11, "dora@example.com", [line(7, "E", "Elder", 1, "1.0000", "1.0000")], "9.0000"),
    ]
    journal = []

    def add(path, body, kind=None, number=None, **state):
        effect = {"made": kind, "id": number, **body, **state} if kind else {"made": "goal", "id": "1"}
        journal.append({"n": len(journal) + 1, "t": 1790000000.5 + len(journal), "side": "is", "method": "POST",
                        "path": f"/crm/rest/v2/{path}", "query": "", "body": body, "status": 201, "effect": effect,
                        "fault": None})

    def goal(integration, name, contact):
        add("automations/goals/achieve", {"integration": integration, "call_name": name, "contact_id": contact})

    def order(number, contact, title, key, time, items, **more):
        add("orders", {"contact_id": contact, "order_title": title, "order_time": time, "order_type": "ONLINE",
                       "order_items": items, "custom_fields": [{"id": "7", "content": key}], **more}, "order", number)

    place = {"line1": "555 East Street", "locality": "Austin", "country_code": "USA"}
    coded = {**place, "postal_code": "78108", "region_code": "US-TX"}
    add("contacts", {"given_name": "Jane", "family_name": "Doe",
                     "email_addresses": [{"field": "EMAIL1", "email": "janedoe@example.com",
                                          "opt_in_reason": "Opted in at checkout in the online store"}],
                     "phone_numbers": [{"field": "PHONE1", "number": "1234567890"}],
                     "addresses": [{"field": "BILLING", **coded}, {"field": "SHIPPING", **coded}]}, "contact", "41")
    name = "Fog Linen Chambray Towel - Beige Stripe"
    add("products", {"name": name, "short_description": name, "sku": "S-ORAN", "price": 5599}, "product", "51")
    order("61", "41", "BC #149", "bc-abc123-149", "2019-03-05T21:40:11Z", [
        {"item_type": "PRODUCT", "product_id": "51", "name": name, "quantity": 1, "price_per_unit": 55.99},
        {"item_type": "SHIPPING", "name": "Shipping", "quantity": 1, "price_per_unit": 11.09},
        {"item_type": "TAX", "name": "Tax", "quantity": 1, "price_per_unit": 10.15},
        {"item_type": "DISCOUNT", "name": "Discount", "quantity": 1, "price_per_unit": -5.00}],
        shipping_address={**place, "zip_code": "78108", "region": "US-TX", "first_name": "Jane", "last_name": "Doe",
                          "phone": "1234567890"})
    goal("BCORDER", "BC", 41)
    goal("BCSKU", "S-ORAN", 41)
    goal("BCCOUPON", "S2549JM0Y", 41)

    add("contacts", {"given_name": "Ada", "family_name": "Byron",
                     "email_addresses": [{"field": "EMAIL1", "email": "Ada@Example.com"}]}, "contact", "42")
    add("products", {"name": "Apple", "short_description": "Apple", "sku": "A", "price": 333}, "product", "52")
    add("products", {"name": "Pear", "short_description": "Pear", "sku": "bc-abc123-9-0", "price": 100}, "product", "53")
    order("62", "42", "BC #150", "bc-abc123-150", "2019-03-06T08:00:00Z", [
        {"item_type": "PRODUCT", "product_id": "52", "name": "3 x Apple", "quantity": 1, "price_per_unit": 10},
        {"item_type": "PRODUCT", "product_id": "52", "name": "Apple again", "quantity": 2, "price_per_unit": 4.55},
        {"item_type": "PRODUCT", "product_id": "53", "name": "Pear", "quantity": 1, "price_per_unit": 1.00}])
    goal("BCORDER", "BC", 42)
    goal("BCSKU", "A", 42)
    order("63", "42", "BC #151", "bc-abc123-151", "2019-03-06T08:00:00Z", [
        {"item_type": "PRODUCT", "product_id": "52", "name": "Apple", "quantity": 1, "price_per_unit": 3.33},
        {"item_type": "FEE", "name": "Rounding", "quantity": 1, "price_per_unit": 0.01}])
    goal("BCORDER", "BC", 42)
    goal("BCSKU", "A", 42)

    def fate(topic, number, reason=None):
        value = {"reason": reason} if topic == "skipped" else {"modified_at": 1}
        headers = {"reason": reason} if topic == "dead" else {}
        return {"topic": topic, "key": f"abc123/order/{number}", "timestamp_ms": 1790000100000 + number,
                "headers": headers, "value": value}

    fates = [fate("delivered", n) for n in (149, 150, 151)]
    fates += [fate("skipped", 152, "status"), fate("skipped", 153, "no_email"), fate("dead", 154, "total_mismatch")]
    return {"journal": journal, "orders": orders, "expect": {"stores": {"abc123": {}}}, "fates": fates}


def judge(run, folder):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/journal.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in run["journal"])
    with open(f"{folder}/fates.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in run["fates"])
    files = [("orders-abc123", run["orders"]), ("expect", run["expect"]), ("orders-abc123-start", run.get("start", []))]
    for name, value in files:
        with open(f"{folder}/{name}.json", "w", encoding="utf-8") as file:
            json.dump(value, file)
    return subprocess.run([sys.executable, ORACLE, folder], capture_output=True, text=True, check=False)


def made(run, kind, number):
    return next(e for e in run["journal"] if e["effect"].get("made") == kind and e["effect"]["id"] == number)


def item(run, number, index):
    return made(run, "order", number)["body"]["order_items"][index]


def again(run, entry, **effect):
    copied = copy.deepcopy(entry)
    copied["effect"].update(effect)
    run["journal"].append(copied)


def goals(run, call_name):
    return [e for e in run["journal"] if e["body"].get("call_name") == call_name]


def lose(run):
    run["journal"].remove(made(run, "order", "61"))


def double(run):
    again(run, made(run, "order", "62"), id="99")


def wrong_cent(run):
    item(run, "61", 0)["price_per_unit"] = 55.98


def moved_cent(run):
    item(run, "61", 0)["price_per_unit"], item(run, "61", 2)["price_per_unit"] = 55.98, 10.16


def half_cent(run):
    item(run, "61", 0)["price_per_unit"] = 55.985


def wrong_sign(run):
    item(run, "61", 3)["price_per_unit"] = 5.00


def wrong_quantity(run):
    item(run, "62", 1)["quantity"] = 3


def wrong_line_name(run):
    item(run, "62", 0)["name"] = "Apple"


def missing_line(run):
    del made(run, "order", "62")["body"]["order_items"][2]


def swapped_lines(run):
    made(run, "order", "62")["body"]["order_items"].reverse()


def bundle_child_sent(run):
    made(run, "order", "61")["body"]["order_items"].insert(
        1, {"item_type": "PRODUCT", "product_id": "51", "name": "Able Brewing System", "quantity": 1, "price_per_unit": 0})


def no_rounding_line(run):
    del made(run, "order", "63")["body"]["order_items"][1]


def wrong_product_on_line(run):
    item(run, "62", 2)["product_id"] = "51"


def wrong_goal(run):
    goals(run, "S-ORAN")[0]["body"]["call_name"] = "S-BLUE"


def missing_goal(run):
    run["journal"].remove(goals(run, "S2549JM0Y")[0])


def doubled_goal(run):
    again(run, goals(run, "BC")[0])


def doubled_goal_of_two_orders(run):
    again(run, goals(run, "A")[0])


def goals_out_of_order(run):
    first, second = goals(run, "S-ORAN")[0], goals(run, "S2549JM0Y")[0]
    first["body"], second["body"] = second["body"], first["body"]


def wrong_store_code_goal(run):
    goals(run, "BC")[0]["body"]["call_name"] = "abc123"


def wrong_title(run):
    made(run, "order", "61")["body"]["order_title"] = "149"


def wrong_custom_field(run):
    made(run, "order", "61")["body"]["custom_fields"][0]["content"] = "bc-abc124-149"


def custom_field_that_nobody_asked_for(run):
    made(run, "order", "61")["body"]["custom_fields"].append({"id": "8", "content": "Cash"})


def no_custom_field(run):
    del made(run, "order", "61")["body"]["custom_fields"]


def wrong_contact_name(run):
    made(run, "contact", "41")["body"]["family_name"] = "Roe"


def contact_doubled(run):
    again(run, made(run, "contact", "42"), id="49")


def other_customers_contact(run):
    made(run, "order", "61")["body"]["contact_id"] = "42"


def missing_consent(run):
    del made(run, "contact", "41")["body"]["email_addresses"][0]["opt_in_reason"]


def consent_never_given(run):
    made(run, "contact", "42")["body"]["email_addresses"][0]["opt_in_reason"] = "Opted in at checkout in the online store"


def product_doubled(run):
    again(run, made(run, "product", "52"), id="59", sku="a")


def wrong_product_price(run):
    made(run, "product", "51")["body"]["price"] = 55


def created_though_cancelled(run):
    run["orders"][0] = {**run["orders"][0], "status_id": 5}


def created_though_mismatched(run):
    run["orders"][2] = {**run["orders"][2], "total_inc_tax": "3.9900"}


def unknown_order(run):
    run["orders"].pop(1)


def wrong_country(run):
    made(run, "contact", "41")["body"]["addresses"][0]["country_code"] = "US"


def wrong_region(run):
    made(run, "contact", "41")["body"]["addresses"][1]["region_code"] = "US-CA"


def wrong_shipping_address(run):
    made(run, "order", "61")["body"]["shipping_address"]["zip_code"] = "78109"


def missing_address(run):
    made(run, "contact", "41")["body"]["addresses"].pop()


def wrong_order_time(run):
    made(run, "order", "61")["body"]["order_time"] = "2019-03-05T20:40:11Z"


def order_time_without_zone(run):
    made(run, "order", "61")["body"]["order_time"] = "2019-03-05T21:40:11"


def wrong_fate(run):
    run["fates"][4]["value"]["reason"] = "invalid_email"


def dead_reason_wrong(run):
    run["fates"][5]["headers"]["reason"] = "refused"


def no_fate(run):
    run["fates"].pop(0)


WRONG = [lose, double, wrong_cent, moved_cent, half_cent, wrong_sign, wrong_quantity, wrong_line_name, missing_line,
         swapped_lines, bundle_child_sent, no_rounding_line, wrong_product_on_line, wrong_goal, missing_goal, doubled_goal,
         doubled_goal_of_two_orders, goals_out_of_order, wrong_store_code_goal, wrong_title, wrong_custom_field,
         custom_field_that_nobody_asked_for, no_custom_field, wrong_contact_name, contact_doubled, other_customers_contact, missing_consent,
         consent_never_given, product_doubled, wrong_product_price, created_though_cancelled, created_though_mismatched,
         unknown_order, wrong_country, wrong_region, wrong_shipping_address, missing_address, wrong_order_time,
         order_time_without_zone, wrong_fate, dead_reason_wrong, no_fate]


def test_oracle_accepts_the_right_journal(tmp_path):
    answer = judge(right_run(), str(tmp_path))
    assert answer.stdout == "orders=3 created=3 lost=0 duplicated=0\n"
    assert answer.returncode == 0


def test_oracle_accepts_an_in_doubt_goal_that_was_not_repeated(tmp_path):
    run = right_run()
    missing_goal(run)
    run["fates"][0]["value"]["in_doubt"] = [{"integration": "BCCOUPON", "call_name": "S2549JM0Y"}]
    answer = judge(run, str(tmp_path))
    assert (answer.returncode, answer.stdout) == (0, "orders=3 created=3 lost=0 duplicated=0\n")


@pytest.mark.parametrize("mutate", WRONG, ids=lambda f: f.__name__)
def test_oracle_refuses(mutate, tmp_path):
    run = right_run()
    mutate(run)
    answer = judge(run, str(tmp_path))
    assert answer.returncode == 1, answer.stdout
    assert len(answer.stdout.splitlines()) >= 2, "it names no violation"
    assert answer.stderr == ""


def test_oracle_counts_the_lost_and_the_doubled(tmp_path):
    run = right_run()
    lose(run)
    double(run)
    assert judge(run, str(tmp_path)).stdout.splitlines()[-1] == "orders=3 created=3 lost=1 duplicated=1"
