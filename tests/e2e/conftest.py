"""What the end-to-end tests share: one stack on the in-memory broker for the rows, one real Kafka for durability."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from processes import RUNS, Kafka  # noqa: E402
from shop_stack import Shop  # noqa: E402

# Settings differ per store, so one stack serves most rows. They all sync into one account.
ROW_STORES = [
    {"name": "main", "hash": "abc123"},  # every default; the code is not configured (R20)
    {"name": "second", "hash": "abc124", "code": "S1", "existing_contact": "overwrite", "opt_in": "always"},
    {"name": "third", "hash": "abc125", "code": "S2", "opt_in": "never", "start_from": "2026-01-01"},
]


@pytest.fixture(scope="session")
def shop():
    """The shared stack on the in-memory broker. At the end its whole journal is judged."""
    with Shop("e2e-rows", stores=ROW_STORES) as stack:
        stack.existing_contacts = []
        stack.start()
        yield stack
        stack.clear_faults()
        stack.write_expectation(existing_contacts=stack.existing_contacts)
        stack.wait_drained(30)
        stack.assert_right()
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


@pytest.fixture
def faults(shop):
    """The shared stack's faults, cleared again after the test."""
    yield shop.fault
    shop.clear_faults()


@pytest.fixture(scope="session")
def kafka():
    folder = os.path.join(RUNS, "e2e-kafka")
    os.makedirs(folder, exist_ok=True)
    broker = Kafka(folder)
    yield broker
    broker.stop()
