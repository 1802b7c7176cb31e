"""How long a page is decides nothing: a store may give fewer orders, lines and coupons at once than it is asked for."""

import json

import pytest
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop

HISTORY = ["--history", "7200"]


def run(name, **more):
    """A poller alone, with its servers."""
    stack = Shop(name, **more)
    stack.start_servers()
    return stack


def published(stack):
    return {record.key for record in stack.raw_records()}


def wait_all(stack, timeout=60):
    wanted = {f"abc123/order/{each['id']}" for each in stack.orders()}
    wait_until(lambda: wanted <= published(stack), timeout,
               lambda: f"{len(wanted - published(stack))} of {len(wanted)} orders; {stack.trouble()}", interval=0.2)


@pytest.mark.parametrize("page_size, cap, count, exclusive", [
    (250, 50, 160, False), (250, 50, 160, True), (50, 1, 15, True), (1, 0, 15, False)])
def test_short_page_that_is_not_empty_is_no_end_of_the_orders(page_size, cap, count, exclusive):
    with run("e2e-poller-pages", orders=count, sandbox=HISTORY,
             settings={"poller": {"page_size": page_size}}) as stack:
        stack.sandbox_settings(page_cap=cap, min_id_exclusive=exclusive)
        stack.start_services(services=("poller",), setup=False)
        wait_all(stack)
        # a bulk edit: many orders within one second, between the orders of other seconds
        changed = stack.orders()[5:count - 5]
        for one in changed:
            stack.change(one["id"], staff_notes="edited together")
        wait_until(lambda: len(edited(stack)) == len(changed), 60,
                   lambda: f"{len(edited(stack))} of {len(changed)} edited orders; {stack.trouble()}", interval=0.2)


def edited(stack):
    return {record.key for record in stack.raw_records() if b"edited together" in record.value}


def test_short_page_of_products_or_coupons_is_no_end_of_them():
    with run("e2e-poller-parts", sandbox=HISTORY) as stack:
        stack.sandbox_settings(page_cap=7)
        lines = [item(f"SKU{number}", f"Thing {number}", price="1.00") for number in range(30)]
        coupons = [{"id": n, "coupon_id": n, "code": f"C{n}", "amount": "0.1000", "type": 0, "discount": 0.1}
                   for n in range(1, 26)]
        # no line has a coupon, so the coupons are asked for as well
        placed = stack.place(order(mail("parts"), items=lines, coupon_discount="2.5000",
                                   sandbox={"hide_lines": True, "coupons": coupons}))
        stack.start_services(services=("poller",), setup=False)
        record = wait_until(lambda: stack.raw_records(), 30, lambda: f"the order; {stack.trouble()}")[0]
        assert record.key == f"abc123/order/{placed['id']}"
        added = json.loads(record.value)["bigfusion"]
        assert [line["sku"] for line in added["products"]] == [line["sku"] for line in lines]
        assert [coupon["code"] for coupon in added["coupons"]] == [coupon["code"] for coupon in coupons]
