"""Customers of a store become contacts of the account."""

import itertools
import json

import pytest
from processes import wait_until, write_topic
from shop import mail, order
from shop_stack import Shop

_ids = itertools.count(7001)


@pytest.fixture(scope="module")
def pushed():
    """A pusher alone: the test writes what the mapper would."""
    with Shop("e2e-contact-payloads") as stack:
        yield stack.start(services=("pusher",))


def payload(email, modified_at=1795622300000, **contact):
    return {"format": 1, "kind": "contact", "account": "main", "store": "abc123", "modified_at": modified_at,
            "contact": {"email_addresses": [{"email": email, "field": "EMAIL1"}], **contact}, "tags": []}


def push(stack, number, value, count=1, **headers):
    """Writes a payload and waits for the record's fate number `count`; returns that record."""
    key = f"abc123/contact/{number}"
    write_topic(stack.broker.address, stack.topic("orders.payloads"), key, json.dumps(value).encode(),
                {"store": "abc123", "kind": "contact", **headers})
    return wait_until(lambda: len(found := stack.fate_records(key)) >= count and
                      max(found, key=lambda record: record.timestamp_ms), 20, lambda: f"{key} to have a fate; {stack.trouble()}")


def test_each_version_of_a_contact_is_delivered_and_the_same_one_costs_no_call(pushed):
    number, email = next(_ids), mail("version")
    first = push(pushed, number, payload(email, given_name="Ada"))
    assert (first.topic, first.headers["kind"]) == ("delivered", "contact")
    found = pushed.contact(email)
    assert found["given_name"] == "Ada" and first.json()["contact_id"] == str(found["id"])
    assert first.json()["steps"] == {"contact": str(found["id"])} and "order_id" not in first.json()
    mark = pushed.mark()
    again = push(pushed, number, payload(email, given_name="Ada"), count=2)
    assert again.topic == "delivered" and again.json()["contact_id"] == str(found["id"])
    same = push(pushed, number, payload(email, 1795622301000, given_name="Ada"), count=3)
    assert same.json()["modified_at"] == 1795622301000
    assert pushed.requests_since(mark) == [], "nothing of the contact changed"
    push(pushed, number, payload(email, 1795622302000, given_name="Ada", family_name="Lovelace"), count=4)
    assert pushed.contact(email)["family_name"] == "Lovelace", "an empty field is filled"


def test_an_older_version_changes_nothing(pushed):
    number, email = next(_ids), mail("older")
    push(pushed, number, payload(email, 1795622302000, given_name="New"))
    other, beside = next(_ids), mail("older")
    mark = pushed.mark()
    write_topic(pushed.broker.address, pushed.topic("orders.payloads"), f"abc123/contact/{number}",
                json.dumps(payload(email, family_name="Old")).encode(), {"store": "abc123"})
    wait_until(lambda: "superseded" in pushed.services["pusher"].text(), 20, "the older version to be passed over")
    push(pushed, other, payload(beside))
    assert pushed.requests_since(mark, text=email) == []
    assert len(pushed.fate_records(f"abc123/contact/{number}")) == 1


def test_a_contact_that_the_account_refuses_is_dead_and_a_newer_version_arrives(pushed):
    number, email = next(_ids), mail("refused")
    pushed.fault(side="is", method="POST", path="/contacts", kind="status", status=400, count=1)
    dead = push(pushed, number, payload(email, given_name="Bad"))
    pushed.clear_faults()
    assert (dead.topic, dead.headers["reason"], dead.headers["step"]) == ("dead", "refused", "contact")
    assert push(pushed, number, payload(email, 1795622301000, given_name="Good"), count=2).topic == "delivered"
    assert pushed.contact(email)["given_name"] == "Good"


# From the store to the account


PLACE = {"first_name": "Ada", "last_name": "King", "address1": "555 East Street", "address2": "Apt 3", "city": "Austin",
         "state_or_province": "Texas", "postal_code": "78108", "country": "United States", "country_code": "US",
         "phone": "555-1"}


def customer(email, **more):
    return {"email": email, "first_name": "Ada", "last_name": "Lovelace", "phone": "555-123-4567", "addresses": [PLACE],
            **more}


class CustomerShop(Shop):
    """A stack whose store `abc123` syncs its customers."""

    def add(self, **members):
        return self.call("POST", "/sandbox/stores/abc123/customers", members)

    def edit(self, number, **members):
        return self.call("PATCH", f"/sandbox/stores/abc123/customers/{number}", members)

    def wait_contact(self, number, count=1, topic="delivered"):
        key = f"abc123/contact/{number}"
        return wait_until(lambda: len(found := [r for r in self.fate_records(key) if r.topic == topic]) >= count and found[-1],
                          30, lambda: f"{key} in {topic} {count} times; {self.trouble()}")

    def polls(self):
        return sum(e["side"] == "bc" and e["path"].endswith("/v3/customers") and e["status"] == 200 for e in self.journal())

    def wait_polls(self, count=2):
        """Waits until the customers were asked for so often from now on."""
        before = self.polls()
        wait_until(lambda: self.polls() >= before + count, 20, lambda: f"polls of the customers; {self.trouble()}")


@pytest.fixture(scope="module")
def store():
    with CustomerShop("e2e-customers", store={"contacts": "on"}, settings={"poller": {"overlap_s": 5}}) as stack:
        yield stack.start()
        stack.clear_faults()
        stack.wait_drained(30)
        stack.assert_right()


def address(found, field):
    return next(({k: v for k, v in one.items() if v} for one in found["addresses"] if one["field"] == field), None)


def test_r01_a_customer_of_the_store_becomes_one_contact_with_all_its_fields(store):
    email = mail("r01")
    second = {**PLACE, "address1": "8 Aloha Lane", "city": "Honolulu", "state_or_province": "Hawaii", "postal_code": "96815"}
    placed = store.add(**customer(f"  {email} ", addresses=[PLACE, second]))
    record = store.wait_contact(placed["id"])
    found = store.contact(email)
    assert record.json()["contact_id"] == str(found["id"])
    assert (found["given_name"], found["family_name"]) == ("Ada", "Lovelace")
    assert found["phone_numbers"][0]["number"] == "555-123-4567"
    billing, shipping = address(found, "BILLING"), address(found, "SHIPPING")
    assert (billing["line1"], billing["line2"], billing["locality"]) == ("555 East Street", "Apt 3", "Austin")
    assert (billing["postal_code"], billing["country_code"], billing["region_code"]) == ("78108", "USA", "US-TX")
    assert (shipping["line1"], shipping["region_code"]) == ("8 Aloha Lane", "US-HI")
    made = [e for e in store.journal() if (e.get("effect") or {}).get("made") == "contact" and email in str(e["body"])]
    assert len(made) == 1


def test_r08_a_customer_without_a_usable_address_is_skipped_without_a_call(store):
    mark = store.mark()
    for email, reason in ((None, "no_email"), ("   ", "no_email"), ("no address", "invalid_email"),
                          ("a@b@c.com", "invalid_email"), ("x" * 70 + "@example.com", "invalid_email")):
        placed = store.add(**customer(email))
        assert store.wait_contact(placed["id"], topic="skipped").headers["reason"] == reason
    assert [e for e in store.requests_since(mark) if "/contacts" in e["path"]] == []


def test_an_unchanged_customer_is_published_once_and_costs_no_call(store):
    placed = store.add(**customer(mail("same")))
    store.wait_contact(placed["id"])
    mark = store.mark()
    store.edit(placed["id"], notes="nothing that is synced")
    store.wait_polls(3)
    assert store.requests_since(mark, path="/contacts") == []
    assert len(store.fate_records(f"abc123/contact/{placed['id']}")) == 1


def test_d05_a_changed_customer_fills_only_what_is_empty(store):
    email = mail("keep")
    placed = store.add(**customer(email, phone=""))
    store.wait_contact(placed["id"])
    store.edit(placed["id"], first_name="Augusta", phone="555-77")
    store.wait_contact(placed["id"], count=2)
    found = store.contact(email)
    assert found["given_name"] == "Ada" and found["phone_numbers"][0]["number"] == "555-77"


def group(store, name):
    return store.call("POST", "/sandbox/stores/abc123/customer_groups", {"name": name})["id"]


def tags_of(store, email):
    """The names of the tags of the contact with that address."""
    path = f"/contacts/{store.contact(email)['id']}/tags"
    return sorted(one["tag"]["name"] for one in store.infusionsoft("GET", path)["tags"])


def alarms(store):
    return store.services["poller"].text().count("alarm store refuses its customers")


def group_calls(store):
    return sum(e["side"] == "bc" and e["path"].endswith("/v2/customer_groups") for e in store.journal())


def test_r18_the_group_of_a_customer_becomes_a_tag_which_is_made_once(store):
    vip, email, other = group(store, "VIP, gold"), mail("vip"), mail("vip")
    for one in (email, other):
        store.wait_contact(store.add(**customer(one, customer_group_id=vip))["id"])
        assert tags_of(store, one) == ["VIP_ gold"], "a comma cannot be asked for"
    made = [e for e in store.journal() if (e.get("effect") or {}).get("made") == "tag"]
    assert len(made) == 1
    none = store.add(**customer(mail("none")))
    store.wait_contact(none["id"])
    assert tags_of(store, none["email"]) == []


def test_r18_a_customer_that_moves_gets_the_tag_of_the_other_group_too(store):
    first, email = group(store, "Wholesale"), mail("moves")
    placed = store.add(**customer(email, customer_group_id=first))
    store.wait_contact(placed["id"])
    second = group(store, "Retail \u00e9")  # the list is old, and this group is not in it
    store.edit(placed["id"], customer_group_id=second)
    store.wait_contact(placed["id"], count=2)
    assert tags_of(store, email) == ["Retail \u00e9", "Wholesale"]


def test_a_group_that_is_gone_gives_no_tag_and_loses_no_customer(store):
    placed = store.add(**customer(mail("gone"), customer_group_id=987654))
    store.wait_contact(placed["id"])
    assert tags_of(store, placed["email"]) == []


def test_customers_wait_for_groups_that_cannot_be_read(store):
    known = group(store, "Behind the wall")
    before = alarms(store)
    store.fault(side="bc", path="/v2/customer_groups", kind="status", status=403)
    placed = store.add(**customer(mail("wall"), customer_group_id=known))
    wait_until(lambda: alarms(store) > before, 20, "the alarm")
    store.place_and_wait(order(mail("beside")))
    assert store.fate_records(f"abc123/contact/{placed['id']}") == []
    store.clear_faults()
    store.wait_contact(placed["id"])
    assert tags_of(store, placed["email"]) == ["Behind the wall"]


def test_every_page_of_the_groups_is_read(store):
    for i in range(260):
        last = group(store, f"Group {i}")
    placed = store.add(**customer(mail("last"), customer_group_id=last))
    store.wait_contact(placed["id"])
    assert tags_of(store, placed["email"]) == ["Group 259"]


def test_commands_take_the_key_of_a_customer_or_say_that_they_do_not(store):
    placed = store.add(**customer(mail("asked")))
    store.wait_contact(placed["id"])
    key = f"abc123/contact/{placed['id']}"
    shown = json.loads(store.command("trace", key, "--json").stdout)
    assert (shown["order"], shown["fate"]["stage"], shown["waiting"]) == (f"BC customer {placed['id']}", "delivered", None)
    assert [one["stage"] for one in shown["records"]] == ["contacts.raw", "contacts.eligible", "contacts.payloads", "delivered"]
    assert len(json.loads(store.command("peek", key, "--json").stdout)["records"]) == 4
    assert "@" not in store.command("peek", key).stdout, "nothing of a person is shown"
    again = store.command("retry", key, "--dry-run", check=False)
    assert f"{key} is neither dead nor retrying nor waiting" in again.stderr
    for words in (("drop", key, "--why", "no"), ("retry", "--edit", key)):
        refused = store.command(*words, check=False)
        assert refused.returncode == 100 and refused.stderr, words
    # A version that is under way is not hidden behind the fate of the one before.
    store.kill("pusher")
    store.edit(placed["id"], last_name="Byron")
    wait_until(lambda: (found := json.loads(store.command("trace", key, "--json").stdout)["waiting"]) and
               found["stage"] == "contacts.payloads", 30, lambda: store.command("trace", key).stdout, interval=0.5)
    store.restart("pusher")
    store.wait_contact(placed["id"], count=2)


def test_a_refused_list_of_customers_stops_no_order(store):
    before = alarms(store)
    store.fault(side="bc", path="/v3/customers", kind="status", status=403)
    wait_until(lambda: alarms(store) > before, 20, "the alarm")
    store.place_and_wait(order(mail("beside")))
    placed = store.add(**customer(mail("later")))
    store.place_and_wait(order(mail("beside")))
    assert alarms(store) == before + 1
    store.clear_faults()
    store.wait_contact(placed["id"])


def test_a_customer_and_the_order_of_the_same_address_make_one_contact(store):
    for _ in range(5):
        email = mail("both")
        placed, bought = store.add(**customer(email)), store.place(order(email.upper()))
        assert store.wait_fate(bought["id"]) == ("delivered", None)
        record = store.wait_contact(placed["id"])
        assert record.json()["contact_id"] == str(store.contact(email)["id"])


def test_a_killed_poller_loses_no_customer_and_makes_none_twice(store):
    emails = [mail("killed") for _ in range(30)]
    store.fault(side="bc", path="/v3/customers", kind="delay", delay_ms=300)
    placed = [store.add(**customer(email)) for email in emails]
    store.kill("poller")
    store.clear_faults()
    store.restart("poller")
    for one in placed:
        store.wait_contact(one["id"])
    for email in emails:
        store.contact(email)


def test_d03_and_d10_customers_of_before_the_start_stay_out_and_only_always_gives_a_permission():
    with CustomerShop("e2e-customers-start", store={"contacts": "on", "start_from": "now", "opt_in": "always",
                                                    "existing_contact": "overwrite", "group_tag": "off"}) as stack:
        stack.start_servers()
        early = stack.add(**customer(mail("early"), date_created="2020-01-01T00:00:00Z", date_modified="2020-01-01T00:00:00Z"))
        stack.start_services()
        stack.wait_polls(1)
        email = mail("now")
        placed = stack.add(**customer(email, customer_group_id=group(stack, "Off")))
        stack.wait_contact(placed["id"])
        assert group_calls(stack) == 0 and tags_of(stack, email) == []
        assert stack.fate_records(f"abc123/contact/{early['id']}") == []
        made = next(Shop.body(e) for e in stack.journal() if (e.get("effect") or {}).get("made") == "contact")
        assert made["email_addresses"][0]["opt_in_reason"] == "Opted in at checkout in the online store"
        stack.edit(placed["id"], first_name="Augusta", addresses=[{**PLACE, "city": "Dallas"}])
        stack.wait_contact(placed["id"], count=2)
        found = stack.contact(email)
        assert found["given_name"] == "Augusta" and address(found, "BILLING")["locality"] == "Dallas"
        stack.expect_resolved_starts()
        stack.assert_right()
