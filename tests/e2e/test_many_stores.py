"""Six stores into two accounts: the same order numbers, customers and SKUs everywhere, and nothing gets into the wrong place."""

import pytest
from many_stores import ManyStores
from shop import item, order

STORES, ACCOUNTS, ORDERS, CUSTOMERS = 6, 2, 12, 4


@pytest.fixture(scope="module")
def market(kafka):
    with ManyStores("e2e-many-stores", STORES, ACCOUNTS, broker=kafka, prefix="many") as stack:
        stack.start()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


def customer(number):
    return f"customer{number % CUSTOMERS}@example.com"


def test_no_crosstalk(market):
    ids = {}
    for one in market.stores:
        placed = [order(customer(n), [item("MUG", f"Mug of {one['code']}"), item(f"ONLY-{one['code']}", "Special")], id=7000 + n)
                  for n in range(ORDERS)]
        ids[one["hash"]] = market.call("POST", f"/sandbox/stores/{one['hash']}/orders", placed)["ids"]
    assert len({tuple(numbers) for numbers in ids.values()}) == 1, "the same numbers in each store"
    assert market.wait_drained(90) == STORES * ORDERS
    for account, judge in market.judges().items():
        assert judge.violations == []
        assert (judge.eligible, judge.created) == (STORES // ACCOUNTS * ORDERS, STORES // ACCOUNTS * ORDERS)
        assert len(judge.contacts) == CUSTOMERS, "a customer of several stores of an account is one contact"
        codes = {one["code"] for one in market.stores if one["account"] == account}
        everything = " ".join(str(entry.get("body")) for entry in judge.journal if entry["side"] == "is")
        for one in market.stores:
            assert (f"ONLY-{one['code']}" in everything) == (one["code"] in codes)
            assert (f"bc-{one['hash']}-" in everything) == (one["code"] in codes)


def test_a_store_that_refuses_its_token_stops_no_other(market):
    dead, *others = market.stores
    market.fault(side="bc", store=dead["hash"], kind="status", status=401)
    waiting = market.place(order(customer(0), [item("MUG", "Mug of S0")]), dead["hash"])
    for one in others:
        placed = market.place(order(customer(1), [item("MUG", f"Mug of {one['code']}")]), one["hash"])
        assert market.wait_fate(placed["id"], one["hash"]) == ("delivered", None)
    assert market.fate(waiting["id"], dead["hash"]) is None
    assert market.created(waiting["id"], dead["hash"]) == []
