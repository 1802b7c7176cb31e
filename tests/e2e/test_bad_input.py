"""Whatever lies in a topic: unreadable records become dead with reason and original bytes, and the stage goes on."""

import itertools

import pytest
from processes import wait_until, write_topic
from shop import mail, order
from shop_stack import Shop

_ids = itertools.count(700001)

BAD = {
    "not_json": b"hello",
    "half_json": b'{"id": 1, "status_id": 11',
    "array": b"[]",
    "number": b"17",
    "string": b'"order"',
    "empty": b"",
    "empty_object": b"{}",
    "missing_id": b'{"status_id": 11, "date_created": "Wed, 06 Mar 2019 08:00:00 +0000"}',
    "wrong_types": b'{"id": "x", "status_id": [], "billing_address": 5, "date_created": {}}',
    "id_beyond_64_bits": b'{"id": 99999999999999999999999999, "status_id": 11}',
    "not_a_number": b'{"id": NaN, "status_id": 11}',
    "invalid_utf8": b'{"id": 1, "status": "\xff\xfe\xc0", "status_id": 11}',
    "nul_bytes": b"\x00\x00\x00\x00",
    "deep_nesting": b'{"id":' + b"[" * 100000 + b"]" * 100000 + b"}",
    "a_megabyte": b'{"id": "' + b"x" * 900000 + b'"}',
}


@pytest.fixture(scope="module")
def plain():
    with Shop("e2e-bad-input") as stack:
        yield stack.start()


@pytest.mark.parametrize("stage", ["raw", "eligible", "payloads"])
@pytest.mark.parametrize("name", BAD)
def test_unreadable_record_becomes_dead_and_the_stage_goes_on(plain, stage, name):
    key = f"abc123/order/{next(_ids)}"
    write_topic(plain.broker.address, plain.topic(f"orders.{stage}"), key, BAD[name])
    wait_until(lambda: plain.fate_records(key), 20, lambda: f"{key} to be dead; {plain.trouble()}")
    record = plain.fate_records(key)[0]
    assert record.topic == "dead"
    assert (record.value or b"") == BAD[name], "the original bytes"
    assert record.headers["reason"] == "malformed"
    assert record.headers["origin"].startswith(plain.topic(f"orders.{stage}") + "/")


@pytest.mark.parametrize("stage", ["raw", "eligible", "payloads"])
def test_record_without_a_usable_key_is_named_by_its_place(plain, stage):
    topic = plain.topic(f"orders.{stage}")
    before = len(plain.tails["dead"].records)
    write_topic(plain.broker.address, topic, None, b"no key, no order", partition=0)
    write_topic(plain.broker.address, topic, "nonsense key", b"no order", partition=0)
    found = wait_until(lambda: list(plain.tails["dead"].records)[before:][1:] and
                       list(plain.tails["dead"].records)[before:], 20, "two dead records")
    assert {record.value for record in found} == {b"no key, no order", b"no order"}
    for record in found:
        assert record.key == record.headers["origin"]
        assert record.key.startswith(f"{topic}/0/")


def test_good_orders_beside_the_bad_ones_arrive(plain):
    for value in BAD.values():
        write_topic(plain.broker.address, plain.topic("orders.raw"), f"abc123/order/{next(_ids)}", value)
    placed = plain.place_and_wait(order(mail("beside")))
    assert len(plain.created(placed["id"])) == 1
    for name in ("filter", "mapper", "pusher"):
        assert plain.services[name].alive()


@pytest.mark.parametrize("kind", ["garbage", "html", "cut", "drop_before"])
def test_unreadable_answer_of_the_store_is_asked_again(plain, kind):
    plain.fault(side="bc", method="GET", path="/orders", kind=kind, count=2)
    placed = plain.place_and_wait(order(mail("garbage")), timeout=60)
    plain.clear_faults()
    assert len(plain.created(placed["id"])) == 1


@pytest.mark.parametrize("kind", ["garbage", "html", "cut", "drop_before", "drop_after"])
def test_unreadable_answer_to_a_create_doubles_nothing(plain, kind):
    email = mail("unreadable")
    plain.fault(side="is", method="POST", path="/orders", kind=kind, count=1)
    placed = plain.place_and_wait(order(email), timeout=60)
    plain.clear_faults()
    assert len(plain.created(placed["id"])) == 1


def test_what_remains_is_right(plain):
    plain.wait_drained(30)
    plain.assert_right(lost=0, duplicated=0)
