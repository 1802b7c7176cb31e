"""The first orders of a shop, all at once: 16 pushers race for the same new customers and unknown products."""

import collections

from processes import read_topic, wait_until
from shop import item, mail, order
from shop_stack import Shop

PUSHERS, ORDERS, CUSTOMERS, PRODUCTS = 16, 1000, 100, 50


def made(stack, kind):
    """The ids of everything of that kind that the account made."""
    return [entry["effect"]["id"] for entry in stack.journal() if entry["side"] == "is" and (entry.get("effect") or {}).get("made") == kind]


def test_each_customer_and_each_product_is_made_once(kafka):
    with Shop("e2e-first-orders", broker=kafka, prefix="first", partitions=PUSHERS,
              store={"payments": "paid", "payment_type": "Cash"},
              settings={"pusher": {"workers": 8, "lease_s": 20, "http_timeout_s": 10, "visibility_delay_s": 10}}) as stack:
        stack.start(services=("poller", "filter", "mapper"))
        customers = [mail("first") for _ in range(CUSTOMERS)]
        for number in range(ORDERS):
            skus = {f"NEW-{number % PRODUCTS}", f"NEW-{number * 7 % PRODUCTS}"}
            stack.place(order(customers[number * 3 % CUSTOMERS], [item(sku, f"Thing {sku}") for sku in sorted(skus)]))
        wait_until(lambda: len(read_topic(kafka.address, stack.topic("orders.payloads"))) >= ORDERS, 120, stack.trouble)
        names = ["pusher"] + [f"pusher-{number}" for number in range(2, PUSHERS + 1)]
        for name in names:
            stack.start_service(name)
        stack.wait_drained(300)
        counts = collections.Counter({kind: len(made(stack, kind)) for kind in ("contact", "product", "order", "payment")})
        assert counts == {"contact": CUSTOMERS, "product": PRODUCTS, "order": ORDERS, "payment": ORDERS}
        stack.assert_right(created=ORDERS, lost=0, duplicated=0)
