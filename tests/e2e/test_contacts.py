"""Customers of a store become contacts of the account."""

import itertools
import json

import pytest
from processes import wait_until, write_topic
from shop import mail
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
