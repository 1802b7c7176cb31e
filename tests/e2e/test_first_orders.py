"""The first orders of a shop, its customers and its catalogue, all at once: 16 pushers race for the same new contacts and products."""

import collections

from processes import read_topic, wait_until
from shop import item, mail, order
from shop_stack import Shop

PUSHERS, ORDERS, CUSTOMERS, PRODUCTS = 16, 1000, 100, 50
QUIET = 20  # customers, and products of the catalogue, that are in no order


def made(stack, kind):
    """The ids of everything of that kind that the account made."""
    return [entry["effect"]["id"] for entry in stack.journal() if entry["side"] == "is" and (entry.get("effect") or {}).get("made") == kind]


def fill(stack, customers):
    """The customers of the orders and their products, and some that are in no order; prices are not those of the orders."""
    for number, email in enumerate(customers + [mail("quiet") for _ in range(QUIET)]):
        stack.call("POST", "/sandbox/stores/abc123/customers", {"email": email, "first_name": f"Ada {number}", "last_name": "King",
                                                                "phone": "555-1"})
    for number in range(PRODUCTS + QUIET):
        stack.call("POST", "/sandbox/stores/abc123/products", {"name": f"Thing {number}", "sku": f"NEW-{number}", "price": 12.5,
                                                               "description": "<p>A <b>thing</b></p>"})


def payloads(stack, lane):
    """The keys of the records that wait for the pushers."""
    return {record.key for record in read_topic(stack.broker.address, stack.topic(f"{lane}.payloads")) if record.key}


def test_each_customer_product_and_tag_is_made_once(kafka):
    with Shop("e2e-first-orders", broker=kafka, prefix="first", partitions=PUSHERS,
              store={"payments": "paid", "payment_type": "Cash", "contacts": "on", "products": "on",
                     "sku_tag": "Bought {sku}"},
              settings={"pusher": {"workers": 8, "lease_s": 20, "http_timeout_s": 10, "visibility_delay_s": 10}}) as stack:
        stack.start_servers()
        customers = [mail("first") for _ in range(CUSTOMERS)]
        fill(stack, customers)
        stack.start_services(services=("poller", "filter", "mapper"))
        for number in range(ORDERS):
            skus = {f"NEW-{number % PRODUCTS}", f"NEW-{number * 7 % PRODUCTS}"}
            stack.place(order(customers[number * 3 % CUSTOMERS], [item(sku, f"Thing {sku}") for sku in sorted(skus)]))
        waiting = {"orders": ORDERS, "contacts": CUSTOMERS + QUIET, "products": PRODUCTS + QUIET}
        for lane, count in waiting.items():
            wait_until(lambda: len(payloads(stack, lane)) >= count, 120, stack.trouble)
        names = ["pusher"] + [f"pusher-{number}" for number in range(2, PUSHERS + 1)]
        for name in names:
            stack.start_service(name)
        stack.wait_drained(300)
        lanes = payloads(stack, "contacts") | payloads(stack, "products")
        wait_until(lambda: all(stack.fate_of(key) for key in lanes), 60, stack.trouble)
        counts = collections.Counter({kind: len(made(stack, kind)) for kind in ("contact", "product", "tag", "order", "payment")})
        assert counts == {"contact": CUSTOMERS + QUIET, "product": PRODUCTS + QUIET, "tag": PRODUCTS, "order": ORDERS,
                          "payment": ORDERS}
        stack.assert_right(created=ORDERS, lost=0, duplicated=0)
