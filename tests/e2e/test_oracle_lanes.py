"""The judge of customers and catalogue on trial: it must accept a right journal and refuse every wrong one.

The right journal is that of test_oracle.py and, in the same store, three customers and two products of the catalogue: one customer
without an order, one whose contact an order made, one without an address; a product with variants, and one that an order made.
"""

import copy

import pytest
from test_oracle import judge, made, right_run

DATE = "2019-03-06T08:00:00Z"
AUSTIN = {"address1": "555 East Street", "address2": "", "city": "Austin", "state_or_province": "Texas", "postal_code": "78108",
          "country_code": "US"}
HILO = {**AUSTIN, "address1": "8 Aloha Lane", "city": "Hilo", "state_or_province": "Hawaii", "postal_code": "96720"}
BILLING = {"field": "BILLING", "line1": "555 East Street", "locality": "Austin", "postal_code": "78108", "country_code": "USA",
           "region_code": "US-TX"}
SHIPPING = {"field": "SHIPPING", "line1": "8 Aloha Lane", "locality": "Hilo", "postal_code": "96720", "country_code": "USA",
            "region_code": "US-HI"}
HTML = "<p>Glass &amp; steel</p>\n<ul><li>1&nbsp;l</li><li><p>two</p></li></ul><style>p { color: red }</style><script>'<p>'</script>end"


def customer(number, email, **more):
    return {"id": number, "email": email, "first_name": "Grace", "last_name": "Hopper", "phone": "", "customer_group_id": 0,
            "date_modified": DATE, "addresses": [], **more}


def variant(number, sku, price, *labels):
    return {"id": number, "sku": sku, "price": price, "option_values": [{"label": label} for label in labels]}


def right_lanes(existing_contact="keep"):
    run = right_run()
    run["expect"]["stores"]["abc123"] = {"contacts": "on", "products": "on", "existing_contact": existing_contact}

    def stored(what, thing, method="PLACE"):
        run["journal"].append({"n": len(run["journal"]) + 1, "t": 1790000500.5, "side": "store", "method": method, "query": "",
                               "path": f"/stores/abc123/{what}/{thing['id']}", "body": None, "status": 200, "effect": thing})

    def call(method, path, kind, number, body, **state):
        effect = {"made" if method == "POST" else "changed": kind, "id": number, **copy.deepcopy(body), **copy.deepcopy(state)}
        run["journal"].append({"n": len(run["journal"]) + 1, "t": 1790000600.5, "side": "is", "method": method, "query": "",
                               "path": f"/crm/rest/v2/{path}", "body": body, "status": 200, "effect": effect, "fault": None})

    def fate(kind, number, topic="delivered", **value):
        run["fates"].append({"topic": topic, "key": f"abc123/{kind}/{number}", "timestamp_ms": 1790000700000, "headers": {},
                             "value": {"modified_at": 1, **value}})

    stored("customer_groups", {"id": 4, "name": "VIP, gold"})
    grace = customer(1, " Grace@Example.com ", addresses=[AUSTIN, HILO], customer_group_id=4)
    stored("customers", grace)
    stored("customers", customer(2, "ada@example.com", first_name="Augusta", last_name="King"))
    stored("customers", customer(3, None))
    body = {"email_addresses": [{"field": "EMAIL1", "email": "Grace@Example.com"}], "given_name": "Grace", "family_name": "Hopper",
            "addresses": [BILLING, SHIPPING]}
    call("POST", "contacts", "contact", "43", body)
    call("POST", "tags", "tag", "71", {"name": "VIP_ gold"})
    call("POST", "tags/71/contacts:applyTags", "tagging", "71", {"contact_ids": ["43"]}, results={"43": "SUCCESS"})
    stored("customers", {**grace, "last_name": "Murray", "phone": "555-1"}, "CHANGE")
    change = {"phone_numbers": [{"field": "PHONE1", "number": "555-1"}]}
    change |= {"family_name": "Murray"} if existing_contact == "overwrite" else {}
    call("PATCH", "contacts/43", "contact", "43", change)

    jar = {"id": 10, "name": "Jar", "sku": "", "price": 7.95, "description": HTML,
           "variants": [variant(1, "JAR-B", 10, "Beige"), variant(2, "jar-b", 99, "Again"), variant(3, "JAR-G", None, "Grey", "Large"),
                        variant(4, "", 0.5, "Black")]}
    stored("products", jar)
    text = "Glass & steel\n- 1 l\n- two\nend"
    for number, sku, name, price in (("54", "JAR-B", "Jar - Beige", 1000), ("55", "JAR-G", "Jar - Grey / Large", 795),
                                     ("56", "bc-abc123-10-4", "Jar - Black", 50)):
        call("POST", "products", "product", number, {"name": name, "short_description": name, "sku": sku, "price": price,
                                                     "description": text})
    apple = {"id": 11, "name": "Apple", "sku": "A", "price": 3.33, "variants": [variant(5, "A", None)]}
    stored("products", apple)
    stored("products", {**apple, "price": 3.505}, "CHANGE")
    call("PATCH", "products/52", "product", "52", {"name": "Apple", "short_description": "Apple", "sku": "A"}, price={"amount": 351})
    for number in (1, 2):
        fate("contact", number)
    fate("contact", 3, "skipped", reason="no_email")
    for number in (10, 11):
        fate("product", number)
    return run


def changed(run, path):
    """The one PATCH of such a path."""
    return next(e for e in run["journal"] if e["method"] == "PATCH" and e["path"].endswith(path))


def again(run, kind, number, other):
    entry = copy.deepcopy(made(run, kind, number))
    entry["effect"]["id"] = other
    run["journal"].append(entry)


def wrong(run, kind, number, **members):
    """What was made has other members, in the request and in the account."""
    entry = made(run, kind, number)
    for part in ("body", "effect"):
        entry[part].update(copy.deepcopy(members))


def missing_contact(run):
    run["journal"].remove(made(run, "contact", "43"))
    run["journal"].remove(changed(run, "contacts/43"))


def double_contact(run):
    again(run, "contact", "43", "44")


def second_contact_of_the_address(run):
    """Somebody's contact got the address later."""
    changed(run, "contacts/43")["effect"]["email_addresses"] = [{"email": "grace@example.com"}]
    entry = copy.deepcopy(changed(run, "contacts/43"))
    entry["effect"]["id"] = "41"
    run["journal"].append(entry)


def contact_of_nobody(run):
    wrong(run, "contact", "43", email_addresses=[{"field": "EMAIL1", "email": "nobody@example.com"}])


def wrong_given_name(run):
    wrong(run, "contact", "43", given_name="Ada")


def missing_shipping_address(run):
    wrong(run, "contact", "43", addresses=[BILLING])


def swapped_addresses(run):
    wrong(run, "contact", "43", addresses=[{**SHIPPING, "field": "BILLING"}, {**BILLING, "field": "SHIPPING"}])


def wrong_region(run):
    wrong(run, "contact", "43", addresses=[{**BILLING, "region_code": "US-CA"}, SHIPPING])


def permission_never_given(run):
    wrong(run, "contact", "43", email_addresses=[{"field": "EMAIL1", "email": "Grace@Example.com",
                                                  "opt_in_reason": "Opted in at checkout in the online store"}])


def phone_never_filled(run):
    run["journal"].remove(changed(run, "contacts/43"))


def wrong_phone(run):
    changed(run, "contacts/43")["effect"]["phone_numbers"][0]["number"] = "555-2"


def kept_name_overwritten(run):
    changed(run, "contacts/43")["effect"]["family_name"] = "Murray"


def name_of_an_order_overwritten(run):
    state = made(run, "contact", "42")["effect"]
    entry = copy.deepcopy(changed(run, "contacts/43"))
    entry["effect"] = {**state, "changed": "contact", "given_name": "Augusta"}
    entry["effect"].pop("made")
    run["journal"].append(entry)


def customer_without_fate(run):
    run["fates"] = [one for one in run["fates"] if one["key"] != "abc123/contact/1"]


def customer_with_a_wrong_reason(run):
    next(one for one in run["fates"] if one["key"] == "abc123/contact/3")["value"]["reason"] = "invalid_email"


def customer_skipped(run):
    run["fates"] = [one for one in run["fates"] if one["key"] != "abc123/contact/1"]
    run["fates"].append({"topic": "skipped", "key": "abc123/contact/1", "timestamp_ms": 1, "headers": {}, "value": {"reason": "no_email"}})


def missing_group_tag(run):
    run["journal"] = [e for e in run["journal"] if "applyTags" not in e["path"]]


def double_tag(run):
    again(run, "tag", "71", "72")


def tag_of_another_customer(run):
    entry = copy.deepcopy(next(e for e in run["journal"] if "applyTags" in e["path"]))
    entry["effect"]["results"] = {"42": "SUCCESS"}
    run["journal"].append(entry)


def missing_product(run):
    run["journal"].remove(made(run, "product", "55"))


def missing_product_without_a_sku(run):
    run["journal"].remove(made(run, "product", "56"))


def double_product(run):
    again(run, "product", "54", "57")


def double_product_in_other_letters(run):
    again(run, "product", "54", "57")
    run["journal"][-1]["effect"]["sku"] = run["journal"][-1]["body"]["sku"] = "jar-b"


def product_of_nobody(run):
    wrong(run, "product", "54", sku="JAR-X")


def wrong_price(run):
    wrong(run, "product", "54", price=999)


def price_of_the_product(run):
    """The variant has a price of its own."""
    wrong(run, "product", "54", price=795)


def price_of_the_second_variant(run):
    wrong(run, "product", "54", price=9900)


def changed_price_never_arrived(run):
    run["journal"].remove(changed(run, "products/52"))


def wrong_rounding(run):
    changed(run, "products/52")["effect"]["price"]["amount"] = 350


def wrong_name(run):
    wrong(run, "product", "55", name="Jar - Grey", short_description="Jar - Grey")


def wrong_short_description(run):
    wrong(run, "product", "55", short_description="Jar")


def wrong_description(run):
    wrong(run, "product", "55", description=HTML)


def missing_description(run):
    del made(run, "product", "55")["body"]["description"], made(run, "product", "55")["effect"]["description"]


def description_with_a_style_sheet(run):
    wrong(run, "product", "54", description="Glass & steel\n- 1 l\n- two\np { color: red }\nend")


def product_without_fate(run):
    run["fates"] = [one for one in run["fates"] if one["key"] != "abc123/product/10"]


WRONG = [missing_contact, double_contact, second_contact_of_the_address, contact_of_nobody, wrong_given_name, missing_shipping_address,
         swapped_addresses, wrong_region, permission_never_given, phone_never_filled, wrong_phone, kept_name_overwritten,
         name_of_an_order_overwritten, customer_without_fate, customer_with_a_wrong_reason, customer_skipped, missing_group_tag,
         double_tag, tag_of_another_customer, missing_product, missing_product_without_a_sku, double_product,
         double_product_in_other_letters, product_of_nobody, wrong_price, price_of_the_product, price_of_the_second_variant,
         changed_price_never_arrived, wrong_rounding, wrong_name, wrong_short_description, wrong_description, missing_description,
         description_with_a_style_sheet, product_without_fate]


def accept(run, folder):
    answer = judge(run, str(folder))
    assert (answer.returncode, answer.stdout) == (0, "orders=3 created=3 lost=0 duplicated=0\n")


@pytest.mark.parametrize("existing_contact", ["keep", "overwrite"])
def test_oracle_accepts_the_right_lanes(existing_contact, tmp_path):
    accept(right_lanes(existing_contact), tmp_path)


def test_oracle_accepts_what_the_lanes_left_out(tmp_path):
    """A customer of before the start, one that was removed, a SKU that the account refused, a description that was removed."""
    run = right_lanes()
    run["expect"]["stores"]["abc123"]["start_from"] = "2019-03-01"
    early = next(e for e in run["journal"] if e["path"].endswith("/customers/3"))
    run["journal"].append({**early, "path": "/stores/abc123/customers/4",
                           "effect": customer(4, "early@example.com", date_modified="2019-02-01T00:00:00Z")})
    run["journal"].append({**early, "path": "/stores/abc123/customers/5", "effect": customer(5, "gone@example.com")})
    run["journal"].append({**early, "path": "/stores/abc123/customers/5", "method": "REMOVE", "effect": {"removed": "customer"}})
    run["journal"].remove(made(run, "product", "55"))
    next(one for one in run["fates"] if one["key"] == "abc123/product/10")["value"]["incomplete"] = [{"step": "product:JAR-G"}]
    accept(run, tmp_path)


@pytest.mark.parametrize("setting", ["contacts", "products"])
def test_what_a_lane_made_that_is_off_is_nobodys(setting, tmp_path):
    run = right_lanes()
    run["expect"]["stores"]["abc123"][setting] = "off"
    assert judge(run, str(tmp_path)).returncode == 1


def test_an_overwritten_contact_has_the_newest_fields(tmp_path):
    run = right_lanes("overwrite")
    del changed(run, "contacts/43")["effect"]["family_name"]
    answer = judge(run, str(tmp_path))
    assert answer.returncode == 1 and "family_name" in answer.stdout


@pytest.mark.parametrize("mutate", WRONG, ids=lambda f: f.__name__)
def test_oracle_refuses(mutate, tmp_path):
    run = right_lanes()
    mutate(run)
    answer = judge(run, str(tmp_path))
    assert answer.returncode == 1, answer.stdout
    assert len(answer.stdout.splitlines()) >= 2, "it names no violation"
    assert answer.stderr == ""
