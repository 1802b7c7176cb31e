"""The orders of one contact are made in the order of their payloads, however many workers there are."""

from processes import read_topic, wait_until
from shop import item, mail, order
from stack import Stack

CONTACTS, ORDERS = 12, 4
LOOKUPS = 5  # of unknown products, before the list is read


def numbers(orders):
    return [number for _, number in sorted(orders)]


def test_the_orders_of_one_contact_are_made_in_the_order_of_their_payloads():
    """Every other order needs more calls, for products that nobody knows: with a worker of its own the next one would overtake
    it. No product is in two orders, and the account's list of products is read before, for an order that waits for either is set
    aside, and so is one whose call timed out."""
    with Stack("e2e-contact-order", settings={"pusher": {"workers": 4, "http_timeout_s": 10, "visibility_delay_s": 10}}) as stack:
        stack.start()
        stack.place(order(mail("before"), [item(f"before-{i}", "New") for i in range(LOOKUPS + 1)]))
        wait_until(lambda: "complete=yes" in stack.services["pusher"].text(), 30, "the list of products")
        stack.wait_drained(60)
        stack.services["poller"].stop()
        addresses = [mail("ordered") for _ in range(CONTACTS)]
        placed = {}
        for address in addresses:
            for number in range(ORDERS):
                items = [item(f"{address}-{number}-{i}", "New") for i in range(1 if number % 2 else 4)]
                placed[stack.place(order(address, items))["id"]] = address
        stack.sandbox_settings(answer_delay_ms=10)
        stack.restart("poller")
        stack.wait_drained(60)
        wanted, made = {}, {}
        for record in read_topic(stack.broker.address, stack.topic("orders.payloads")):
            number = int(record.key.rpartition("/")[2])
            if number in placed:
                wanted.setdefault(placed[number], []).append(((record.partition, record.offset), number))
        for entry in stack.journal():
            effect = entry["effect"] or {}
            if entry["side"] == "is" and effect.get("made") == "order":
                number = int(entry["body"]["order_title"].rpartition("#")[2])
                if number in placed:
                    made.setdefault(placed[number], []).append(number)
        assert {address: len(found) for address, found in made.items()} == dict.fromkeys(addresses, ORDERS)
        assert made == {address: numbers(found) for address, found in wanted.items()}
        stack.assert_right()
