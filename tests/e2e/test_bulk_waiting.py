"""Bulk that waited for its closed account, and comes back through the topic that all lanes share, stops no live order."""

import collections
import json
import subprocess

import pytest
from processes import read_topic, wait_until
from shop import mail, order
from shop_stack import Shop


def payload(number):
    address = {"email": f"bulk.{number}@example.com", "field": "EMAIL1"}
    value = {"format": 1, "kind": "contact", "account": "main", "store": "abc123", "modified_at": 1795622300000,
             "contact": {"email_addresses": [address]}, "tags": []}
    return f"abc123/contact/{number}\x1f{json.dumps(value)}\n"


def fill_waiting(stack, contacts):
    """Pauses the account and writes contacts as the mapper would: they wait."""
    stack.command("pause", "account:main")
    wait_until(lambda: "account_paused account=main" in stack.services["pusher"].text(), 20, stack.trouble)
    lines = [payload(number) for number in range(contacts)]
    subprocess.run(["kcat", "-b", stack.broker.address, "-P", "-t", stack.topic("contacts.payloads"), "-K", "\x1f",
                    "-H", "store=abc123", "-H", "kind=contact"], input="".join(lines).encode(), check=True, timeout=60)
    wait_until(lambda: len(read_topic(stack.broker.address, stack.topic("waiting.main"))) >= len(lines), 60, stack.trouble,
               interval=0.5)


def made(stack):
    """What the account made, oldest first: ("contact" or "order", the request's body)."""
    return [(one["effect"]["made"], str(one["body"])) for one in stack.journal()
            if one["side"] == "is" and (one.get("effect") or {}).get("made") in ("contact", "order")]


def contacts_made(stack):
    return sum(what == "contact" and "bulk." in body for what, body in made(stack))


def contacts_before(stack, placed):
    """How many contacts of the bulk were made before the order."""
    count = 0
    for what, body in made(stack):
        if what == "order" and f"bc-abc123-{placed['id']}" in body:
            return count
        count += what == "contact" and "bulk." in body
    raise AssertionError("the order was not made")


def finish_without_limit(stack, contacts):
    """The rest of the bulk arrives, each contact once."""
    stack.account.update(rate_per_s=0, rate_per_day=0)
    stack.write_config()
    stack.restart("pusher")

    def there():
        return {r.key for r in list(stack.tails["delivered"].records) if "/contact/" in r.key}
    wait_until(lambda: len(there()) == contacts, 120, lambda: f"all of {len(there())} contacts; {stack.trouble()}", interval=0.5)
    counts = collections.Counter(body for what, body in made(stack) if what == "contact" and "bulk." in body)
    assert len(counts) == contacts and set(counts.values()) == {1}


@pytest.mark.parametrize("name, value, contacts, bound", [("rate_per_s", 15, 400, 180), ("rate_per_day", 300, 500, 250)])
def test_a_live_order_passes_the_bulk_that_waited(name, value, contacts, bound):
    """By the second: eight workers hold 48 records of the lane, and those that were read from Kafka before the order are more
    than 200. By the day: the lane's part of 270 calls is used up, so what is in hand stays there, and the rest of the quota
    is for orders."""
    with Shop("e2e-bulk-waiting", account={name: value}) as stack:
        stack.start()
        fill_waiting(stack, contacts)
        stack.command("resume", "account:main")
        if name == "rate_per_s":
            wait_until(lambda: contacts_made(stack) > 0, 30, stack.trouble)
        else:
            wait_until(lambda: "day_quota_low" in stack.services["pusher"].text(), 60, stack.trouble)
        placed = stack.place(order(mail("live")))
        assert stack.wait_fate(placed["id"], timeout=60) == ("delivered", None)
        assert contacts_before(stack, placed) < bound, "most of the bulk still waits"
        finish_without_limit(stack, contacts)
