"""What the end-to-end tests share: one stack on the in-memory broker for the rows, one real Kafka for durability."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from processes import RUNS, Kafka, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

# Settings differ per store, so one stack serves most rows. They all sync into one account.
ROW_STORES = [
    {"name": "main", "hash": "abc123"},  # every default; the code is not configured (R20)
    {"name": "second", "hash": "abc124", "code": "S1", "existing_contact": "overwrite", "opt_in": "always"},
    {"name": "third", "hash": "abc125", "code": "S2", "opt_in": "never", "start_from": "2026-01-01"},
]


class Shop(Stack):
    """A stack with the questions that the rows ask."""

    def place_and_wait(self, order, store="abc123", wanted=("delivered", None), timeout=30):
        """Places an order, waits for its answer and asserts it. Returns the order as the store has it."""
        placed = self.place(order, store)
        fate = self.wait_fate(placed["id"], store, timeout)
        assert fate == wanted
        return placed

    def mark(self):
        """The journal's length now, for requests_since."""
        return len(self.journal())

    def requests_since(self, mark, method=None, path=None, text=None):
        """Requests to the account after the mark: by method, end of the path, and a text in body or query."""
        found = []
        for entry in self.journal()[mark:]:
            if entry["side"] != "is" or (method and entry["method"] != method):
                continue
            if path and not entry["path"].endswith(path):
                continue
            if text and text.lower() not in f"{entry.get('body')} {entry.get('query')}".lower():
                continue
            found.append(entry)
        return found

    def created(self, number, store="abc123"):
        """The bodies of every order create for this order, whatever the client got to see."""
        key = f"bc-{store}-{number}"
        found = []
        for entry in self.journal():
            effect = entry.get("effect") or {}
            if entry["side"] == "is" and effect.get("made") == "order" and key in str(entry.get("body")):
                found.append(self.body(entry))
        return found

    @staticmethod
    def body(entry):
        import oracle
        return oracle.Judge.body(entry)

    def goals(self, contact_id):
        """(integration, call name) of every goal achieved for the contact, in order."""
        found = []
        for entry in self.journal():
            if entry["side"] == "is" and entry["path"].endswith("/goals/achieve") and entry.get("effect"):
                body = self.body(entry)
                if str(body.get("contact_id")) == str(contact_id):
                    found.append((body.get("integration"), body.get("call_name")))
        return found

    def contact(self, email):
        """The contact of that address as the account has it now; asserts that there is just one."""
        from urllib.parse import quote
        found = self.infusionsoft("GET", f"/contacts?filter={quote('email==' + email, safe='')}&page_size=10"
                                         "&fields=given_name,family_name,email_addresses,phone_numbers,addresses")
        assert len(found["contacts"]) == 1, f"{len(found['contacts'])} contacts"
        return found["contacts"][0]

    def no_contact(self, email):
        from urllib.parse import quote
        return not self.infusionsoft("GET", f"/contacts?filter={quote('email==' + email, safe='')}")["contacts"]


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


__all__ = ["Shop", "wait_until"]
