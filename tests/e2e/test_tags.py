"""Product, SKU and coupon tags (R19): made once, applied to the right contact, and goals without them; call names of goals."""

import pytest
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop
from test_account import digest, ledger_key, newest

STORES = [
    {"name": "main", "hash": "abc123", "sku_tag": "Bought {sku}", "coupon_tag": "Coupon {coupon}"},
    {"name": "plain", "hash": "abc124", "code": "S1"},  # every default: no tags
    {"name": "names", "hash": "abc125", "code": "S2", "sku_tag": "{code}: {name}"},
    {"name": "short", "hash": "abc126", "code": "S3", "sku_tag": "{sku}", "goal_call_names": "letters_digits"},
]


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-tags", stores=STORES) as stack:
        stack.start()
        yield stack
        stack.clear_faults()
        stack.wait_drained(30)
        stack.assert_right()
        assert set(stack.stop().values()) == {0}


def tags_of(shop, contact_id):
    """The names of the tags that the contact has in the account."""
    return sorted(one["tag"]["name"] for one in shop.infusionsoft("GET", f"/contacts/{contact_id}/tags")["tags"])


def made(shop, name):
    return [e for e in shop.journal() if e["side"] == "is" and (e.get("effect") or {}).get("made") == "tag"
            and e["effect"]["name"].lower() == name.lower()]


def applied(shop, mark=0):
    return shop.requests_since(mark, "POST", "contacts:applyTags")


def test_r19_each_sku_and_coupon_becomes_a_tag(shop):
    email = mail("tags")
    placed = shop.place_and_wait(order(email, [item("T-A", "Apple", 4), item("t-a", "Apple, wrapped"), item("T-B", "Banana"),
                                               item("", "Without a SKU")], coupons=[("SPRING", "1.00"), ("SUN", "0.50")]))
    contact = shop.contact(email)["id"]
    assert tags_of(shop, contact) == ["Bought T-A", "Bought T-B", "Coupon SPRING", "Coupon SUN"]
    assert [goal for goal in shop.goals(contact) if goal[0] == "BCSKU"] == [("BCSKU", "T-A"), ("BCSKU", "T-B")]
    record = newest(shop, placed["id"]).json()
    ids = {one["name"]: one["id"] for one in shop.infusionsoft("GET", "/tags?page_size=1000")["tags"]}
    assert record["steps"]["tag:Bought T-A"] == ids["Bought T-A"]
    assert record["incomplete"] == []


def test_r19_known_tags_cost_one_call_each(shop):
    email = mail("known")
    shop.place_and_wait(order(email, [item("T-K", "Kiwi")]))
    again = shop.place_and_wait(order(email, [item("T-K", "Kiwi")]))
    assert newest(shop, again["id"]).json()["calls"] == 4, "the order, its tag and two goals"


def test_r19_switched_off_goals_work_without_tags(shop):
    email = mail("off")
    mark = shop.mark()
    shop.place_and_wait(order(email, [item("T-OFF", "Offal")], coupons=[("SPRING", "1.00")]), "abc124")
    contact = shop.contact(email)["id"]
    assert tags_of(shop, contact) == [] and made(shop, "Bought T-OFF") == []
    assert [e for e in shop.requests_since(mark) if "/tags" in e["path"] and e["method"] == "POST"] == []
    assert shop.goals(contact) == [("BCORDER", "S1"), ("BCSKU", "T-OFF"), ("BCCOUPON", "SPRING")]


def test_call_names_of_letters_and_digits_alone(shop):
    email = mail("short")
    items = [item("T-1/blue", "Tie"), item("t 1 BLUE", "Tie, wrapped"), item("--", "Nameless"), item("T-1/" + "b" * 50, "Long")]
    placed = shop.place_and_wait(order(email, items, coupons=[("SPRING 20%", "1.00"), ("spring-20", "0.50")]), "abc126")
    contact = shop.contact(email)["id"]
    assert shop.goals(contact) == [("BCORDER", "S3"), ("BCSKU", "T1blue"), ("BCSKU", "T1" + "b" * 38), ("BCCOUPON", "SPRING20")]
    assert tags_of(shop, contact) == sorted(["T-1/blue", "t 1 BLUE", "--", "T-1/" + "b" * 50]), "tags keep the whole SKU"
    fate = [record for record in shop.fate_records(f"abc126/order/{placed['id']}") if record.topic == "delivered"][-1].json()
    assert fate["left_out"] == ["goal sku: neither letter nor digit"]


def test_tags_come_after_the_order_and_before_the_goals(shop):
    email = mail("sequence")
    mark = shop.mark()
    shop.place_and_wait(order(email, [item("T-S", "Salad")]))
    calls = [e["path"].rsplit("/", 1)[1] for e in shop.requests_since(mark, "POST")
             if e["path"].rsplit("/", 1)[1] in ("orders", "contacts:applyTags", "achieve")]
    assert calls == ["orders", "contacts:applyTags", "achieve", "achieve"]


def test_a_name_is_cut_and_cleaned(shop):
    email = mail("names")
    long = "Ünderground " * 30
    shop.place_and_wait(order(email, [item("T-L", long), item("T-M", "One;two,three*")]), "abc125")
    names = tags_of(shop, shop.contact(email)["id"])
    assert names == sorted([f"S2: {long}"[:255].strip(), "S2: One_two_three_"])


def test_a_tag_of_that_name_is_used(shop):
    """The account has it already, in other letters."""
    theirs = shop.infusionsoft("POST", "/tags", {"name": "bought t-old"})
    email = mail("old")
    shop.place_and_wait(order(email, [item("T-OLD", "Old")]))
    assert tags_of(shop, shop.contact(email)["id"]) == ["bought t-old"]
    assert len(made(shop, "Bought T-OLD")) == 1 and theirs["id"]


def test_a_deleted_tag_is_made_anew(shop):
    """The ledger knows an id that the account does not have any more: it is forgotten, and the tag applied once more."""
    email = mail("deleted")
    shop.place_and_wait(order(email, [item("T-D", "Date")]))
    name = ledger_key(shop, f"tag:{digest('Bought T-D')}")
    assert shop.redis.command("EXISTS", name) == b"1"
    real = made(shop, "Bought T-D")[0]["effect"]["id"]
    shop.redis.command("HSET", name, "s:tag", "999999")
    placed = shop.place_and_wait(order(mail("deleted"), [item("T-D", "Date")]))
    record = newest(shop, placed["id"]).json()
    assert record["steps"]["tag:Bought T-D"] == real and record["incomplete"] == []
    assert len(made(shop, "Bought T-D")) == 1
    third = shop.place_and_wait(order(email, [item("T-D", "Date")]))
    assert newest(shop, third["id"]).json()["calls"] == 4, "the fresh id is known"


def test_a_young_tag_that_was_refused_once_is_kept(shop):
    """The account's lists do not show it yet, so it could not be found again, and its name cannot be made twice."""
    shop.place_and_wait(order(mail("young"), [item("T-Y", "Yam")]))
    email = mail("young")
    shop.fault(side="is", method="POST", path="/tags", match="contact_ids", kind="status", status=400, count=1)
    shop.sandbox_settings(visibility_delay_ms=600000)
    placed = shop.place_and_wait(order(email, [item("T-Y", "Yam")]))
    shop.sandbox_settings(visibility_delay_ms=0)
    record = newest(shop, placed["id"]).json()
    assert record["incomplete"] == [] and record["steps"]["tag:Bought T-Y"] == made(shop, "Bought T-Y")[0]["effect"]["id"]
    assert tags_of(shop, shop.contact(email)["id"]) == ["Bought T-Y"]


def test_a_refused_tag_is_listed_and_the_next_ones_go_on(shop):
    shop.fault(side="is", method="POST", path="/tags", match="T-R1", kind="status", status=400, count=1)
    email = mail("refused")
    placed = shop.place_and_wait(order(email, [item("T-R1", "Radish"), item("T-R2", "Rhubarb")]))
    contact = shop.contact(email)["id"]
    record = newest(shop, placed["id"]).json()
    assert [one["step"] for one in record["incomplete"]] == ["tag:Bought T-R1"]
    assert "400" in record["incomplete"][0]["answer"]
    assert record["steps"]["tag:Bought T-R1"] == "refused"
    assert tags_of(shop, contact) == ["Bought T-R2"]
    assert len(shop.goals(contact)) == 3
    assert 'bigfusion_tags_total{result="refused"} 1' in shop.metrics("pusher")


@pytest.mark.parametrize("is_there", [False, True])
def test_an_answer_of_other_words_is_looked_up(shop, is_there):
    """200, and a word for the contact that nobody knows: whether the contact has the tag decides."""
    email, sku = mail("words"), f"T-W{is_there}"
    shop.place_and_wait(order(email, [item("T-W", "Word")]))
    contact = shop.contact(email)["id"]
    if is_there:
        tag = shop.infusionsoft("POST", "/tags", {"name": f"Bought {sku}"})
        shop.infusionsoft("POST", f"/tags/{tag['id']}/contacts:applyTags", {"contact_ids": [contact]})
    shop.fault(side="is", method="POST", path="/tags", match="contact_ids", kind="status", status=200, count=1,
               body='{"results": {"%s": "ODD"}}' % contact)
    placed = shop.place_and_wait(order(email, [item(sku, "Word")]))
    shop.clear_faults()
    record = newest(shop, placed["id"]).json()
    assert record["attempts"] == 1
    assert [one["step"] for one in record["incomplete"]] == ([] if is_there else [f"tag:Bought {sku}"])
    assert (f"Bought {sku}" in tags_of(shop, contact)) == is_there


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("call", ["create", "apply"])
def test_a_lost_answer_loses_no_tag_and_makes_none_twice(shop, call, kind):
    sku = f"T-{call}-{kind}"
    shop.fault(side="is", method="POST", path="/tags", match="name" if call == "create" else "contact_ids", kind=kind,
               count=1)
    email = mail("lost")
    shop.place_and_wait(order(email, [item(sku, "Lost")]), timeout=60)
    shop.clear_faults()
    contact = shop.contact(email)["id"]
    assert tags_of(shop, contact) == [f"Bought {sku}"]
    assert len(made(shop, f"Bought {sku}")) == 1
    assert shop.goals(contact) == [("BCORDER", "BC"), ("BCSKU", sku)]


def test_a_killed_pusher_goes_on_with_the_missing_tag(shop):
    """Between two tags: the first one is not applied again, because its step is recorded."""
    shop.fault(side="is", method="POST", path="/tags", match="contact_ids", kind="drop_before", every=2)
    email = mail("killed")
    mark = shop.mark()
    placed = shop.place(order(email, [item("T-X1", "One"), item("T-X2", "Two")]))
    wait_until(lambda: len(applied(shop, mark)) >= 2, 30, "the call for the second tag")
    shop.kill("pusher")
    shop.clear_faults()
    shop.restart("pusher")
    shop.wait_fate(placed["id"], timeout=60)
    contact = shop.contact(email)["id"]
    assert tags_of(shop, contact) == ["Bought T-X1", "Bought T-X2"]
    assert len(shop.created(placed["id"])) == 1
    first, second = (made(shop, f"Bought {sku}")[0]["effect"]["id"] for sku in ("T-X1", "T-X2"))
    assert len(shop.requests_since(mark, "POST", f"/tags/{first}/contacts:applyTags")) == 1, "the second tag alone is applied again"
    assert len(shop.requests_since(mark, "POST", f"/tags/{second}/contacts:applyTags")) > 1


def test_sixteen_pushers_make_each_tag_once():
    with Shop("e2e-tags-16", stores=[STORES[0]], settings={"pusher": {"workers": 4}}) as stack:
        names = ["pusher"] + [f"pusher-{i}" for i in range(2, 17)]
        stack.start(("poller", "filter", "mapper", *names))
        orders = [order(mail("many"), [item(f"S-{n % 10}", f"Thing {n % 10}"), item(f"S-{(n + 3) % 10}", "Other")])
                  for n in range(160)]
        stack.call("POST", "/sandbox/stores/abc123/orders", orders)
        stack.wait_drained(120)
        stack.assert_right(created=160)
        for n in range(10):
            assert len(made(stack, f"Bought S-{n}")) == 1
        assert set(stack.stop().values()) == {0}


@pytest.mark.parametrize("template", ["on", "", "{nothing}", "Bought {sku", "Bought sku}", "{sku} {SKU}", "{coupon}"])
def test_a_template_that_names_nothing_is_refused_at_start(shop, template):
    process = shop.start_service("mapper-2", {"BIGFUSION_STORE_MAIN_SKU_TAG": template})
    assert process.popen.wait(20) == 100
    process.forget()
    assert "sku_tag" in process.text().lower() and "allowed: off, or a text with {sku}, {name} or {code}" in process.text()
    del shop.services["mapper-2"]
