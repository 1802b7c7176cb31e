"""What the tests of the requirements and decisions share: one stack on a real Kafka, whose whole journal is judged at the end."""

import os
import sys

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "e2e")]

from asked import Asked  # noqa: E402
from processes import RUNS, Kafka  # noqa: E402

# Settings differ per store, so one stack serves all rows. They all sync into one account.
STORES = [
    {"name": "main", "hash": "abc123"},  # every default; the code is not configured (R20)
    {"name": "second", "hash": "abc124", "code": "S1", "existing_contact": "overwrite", "opt_in": "always",
     "after_sync": "note"},
    {"name": "third", "hash": "abc125", "code": "S2", "opt_in": "never", "start_from": "2026-01-01",
     "sku_tag": "Bought {sku}", "coupon_tag": "Used {coupon}", "after_sync": "tag"},
    {"name": "late", "hash": "abc126", "code": "LATE", "poll_interval_s": 15},
    {"name": "full", "hash": "abc127", "code": "FULL", "contacts": "on", "products": "on", "products_interval_s": 1},
]


@pytest.fixture(scope="session")
def kafka():
    folder = os.path.join(RUNS, "requirements-kafka")
    os.makedirs(folder, exist_ok=True)
    broker = Kafka(folder)
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def shop(kafka):
    # retry_delays_s: 26 attempts (D8) take half a minute, not a day
    settings = {"pusher": {"retry_delays_s": "1,1,1"}}
    with Asked("requirements", stores=STORES, broker=kafka, prefix="requirements", settings=settings) as stack:
        stack.account["note_user_id"] = 1
        stack.existing_contacts, stack.tagged_by_others = [], []
        stack.start()
        stack.start_console()
        yield stack
        stack.clear_faults()
        stack.write_expectation(existing_contacts=stack.existing_contacts, existing_tags=["r18 wholesale"],
                                tagged_by_others=stack.tagged_by_others)
        stack.wait_drained(60)
        stack.assert_right()
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


@pytest.fixture
def faults(shop):
    """The stack's faults, cleared again after the test."""
    yield shop.fault
    shop.clear_faults()
