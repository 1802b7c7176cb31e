"""Attack 1: a store whose own calls for an order bring far more than any record can hold."""

import json
import re
import sys

import pytest
from hostile_store import HostileStore
from processes import ROOT, wait_until
from shop import mail, order
from shop_stack import Shop

sys.path.insert(0, f"{ROOT}/tests/bench")
from measure import memory_mb  # noqa: E402

PAGE_BYTES, PEAK_MB = 29_500_000, 64
COUPON = {"id": 1, "coupon_id": 1, "code": "HID", "amount": "1.0000", "type": 0, "discount": 1.0}


def pages(path):
    """A page of the number in the path: small line items, whose parsed form takes many times their bytes."""
    first = int(re.search(r"page=(\d+)", path)[1]) * 10_000_000
    item = b'{"id":%d},' % first
    return [b"["] + [item * 1000] * (PAGE_BYTES // len(item) // 1000) + [item[:-1] + b"]"]


def small_pages(path):
    """Pages that are never the last one. Each of them is small."""
    number = int(re.search(r"page=(\d+)", path)[1])
    return [json.dumps([{"id": number * 1000 + i, "name": "x" * 200} for i in range(250)]).encode()]


@pytest.mark.parametrize("kind, answer", [("products", pages), ("products", small_pages), ("coupons", pages), ("coupons", small_pages)])
def test_attack_1_pages_of_one_order_take_no_more_memory_than_a_record(kind, answer):
    with Shop(f"e2e-attack-1-{kind}-{answer.__name__}", settings={"poller": {"overlap_s": 2}}) as stack:
        stack.start_servers()
        store = HostileStore(stack.url, rf"/orders/\d+/{kind}", answer)
        stack.stores[0]["api_url"] = store.url
        hints = {"hide_lines": True} if kind == "products" else {"coupons": [COUPON]}
        placed = order(mail("large"), sandbox=hints)
        if kind == "coupons":
            placed["coupon_discount"] = "1.0000"
        number = stack.place(placed)["id"]
        stack.start_services(services=("poller",), setup=False)
        assert stack.wait_fate(number, timeout=60) == ("dead", "too_large")
        assert memory_mb(stack.services["poller"].pid, "VmHWM") < PEAK_MB
        record = stack.fate_records(f"abc123/order/{number}")[0]
        told = json.loads(record.value)
        assert told["id"] == number and 1 << 20 < told["size"] < 4 << 20
        # It is not held any longer, so neither time nor a restart brings it again.
        wait_until(lambda: not (stack.cursors().get("abc123") or {}).get("held"), 30, stack.trouble)
        stack.services["poller"].stop()
        asked = store.asked
        other = stack.place(order(mail("good")))["id"]
        stack.start_service("poller")
        wait_until(lambda: [r for r in stack.raw_records() if r.key == f"abc123/order/{other}"], 30, stack.trouble)
        assert store.asked == asked and len(stack.fate_records(f"abc123/order/{number}")) == 1
        assert memory_mb(stack.services["poller"].pid, "VmHWM") < PEAK_MB
        store.stop()
