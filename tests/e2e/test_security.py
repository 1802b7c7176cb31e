"""Forged records in the pipeline's own topics: whoever may write there must not damage the ledger or reach another account."""

import json

import pytest
from processes import read_topic, write_topic
from shop import mail, order
from shop_stack import Shop

FUTURE = "253402300799999"


@pytest.fixture(scope="module")
def shop():
    """Two stores, each with an account of its own name. It is not judged: forged records make no order that a store has."""
    with Shop("e2e-security", stores=[{"name": "main", "hash": "abc123"}]) as stack:
        stack.start()
        yield stack


@pytest.fixture(scope="module")
def pattern(shop):
    placed = shop.place_and_wait(order(mail("pattern")))
    record, = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key.endswith(f"/{placed['id']}")]
    return placed["id"], record


def forge(shop, pattern, number, headers=None, key=None, **members):
    """A payload like the pattern's, of another order; headers that are None are left out."""
    old, record = pattern
    value = json.loads(record.value.replace(str(old).encode(), str(number).encode()))
    value.update(members)
    headers = {name: text for name, text in {**record.headers, **(headers or {})}.items() if text is not None}
    write_topic(shop.broker.address, shop.topic("orders.payloads"), key or f"abc123/order/{number}", json.dumps(value).encode(), headers)


@pytest.mark.parametrize("number, headers, members", [
    (900301, {"modified_at": "999999999999999999"}, {}), (900302, {"modified_at": FUTURE}, {}), (900303, {"modified_at": "1"}, {}),
    (900304, {"modified_at": None}, {"modified_at": int(FUTURE)}), (900305, {"attempt": "4294967295"}, {}),
    (900306, {"attempt": "9" * 30}, {}), (900307, {"attempt": "-1"}, {}), (900308, {"attempt": "1001"}, {})])
def test_03_numbers_out_of_range_are_dead_before_anything_is_written(shop, pattern, number, headers, members):
    forge(shop, pattern, number, headers, **members)
    assert shop.wait_fate(number, timeout=60) == ("dead", "malformed")
    assert not shop.created(number)
    forge(shop, pattern, number)  # the ledger has no trace of it: the real order goes through
    assert shop.wait_fate(number, wanted=("delivered", None), timeout=60) and len(shop.created(number)) == 1


def test_03_the_orders_own_date_counts_where_the_header_cannot_be_its(shop, pattern):
    old, record = pattern
    raw, = [r for r in read_topic(shop.broker.address, shop.topic("orders.raw")) if r.key == record.key]
    value = raw.value.replace(b'"id":%d,' % old, b'"id":900309,', 1)
    for wrong in (FUTURE, "999999999999999999", "5"):
        write_topic(shop.broker.address, shop.topic("orders.raw"), "abc123/order/900309", value, {**raw.headers, "modified_at": wrong})
    assert shop.wait_fate(900309, wanted=("delivered", None), timeout=60)
    payloads = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key.endswith("/900309")]
    own = str(record.json()["modified_at"])
    assert {r.headers["modified_at"] for r in payloads} == {own} == {str(r.json()["modified_at"]) for r in payloads}


@pytest.mark.parametrize("number, headers, key, members", [
    (900401, {}, None, {"account": "other"}), (900402, {"account": "other"}, None, {}), (900403, {"store": "abc124"}, None, {}),
    (900404, {"store": "zzz999"}, "zzz999/order/900404", {"store": "zzz999", "external_key": "bc-zzz999-900404"})])
def test_04_a_record_cannot_name_another_account_or_store(shop, pattern, number, headers, key, members):
    forge(shop, pattern, number, headers, key, **members)
    store = (key or "abc123").partition("/")[0]
    assert shop.wait_fate(number, store=store, timeout=60) == ("dead", "malformed")
    assert not shop.created(number, store=store)
