"""An account with many products: they are read in pages once, not looked up one by one."""

import pytest
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop

KNOWN = 1200
LOOKUPS = 5  # before the list is read


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-known-products") as stack:
        stack.start(services=("poller", "filter", "mapper"))
        for number in range(KNOWN):
            stack.infusionsoft("POST", "/products", {"sku": f"KNOWN-{number}", "name": "Thing",
                                                    "short_description": "Thing", "price": 1000})
        stack.start_service("pusher")
        yield stack
        stack.write_expectation(existing_products=True)
        # The products that this test put into the account are no order's.
        assert [one for one in stack.judge().violations if not one.startswith("product known-")] == []


def requests(stack, mark):
    """[look-ups by a filter, pages of the list, creates]"""
    asked = stack.requests_since(mark, path="/products")
    looked = [r for r in asked if r["method"] == "GET" and "filter" in r["query"]]
    pages = [r for r in asked if r["method"] == "GET" and "page_size=1000" in r["query"] and r not in looked]
    return len(looked), len(pages), len([r for r in asked if r["method"] == "POST"])


def place_all(stack, orders):
    placed = [stack.place(one) for one in orders]
    for one in placed:
        assert stack.wait_fate(one["id"], timeout=60) == ("delivered", None)


def test_known_products_cost_a_handful_of_calls(shop):
    mark = shop.mark()
    place_all(shop, [order(mail("many"), [item(f"KNOWN-{number + n}", "Thing") for n in range(0, 300, 30)])
                     for number in range(30)])
    looked, pages, creates = requests(shop, mark)
    assert (looked, pages, creates) == (LOOKUPS, 2, 0), "300 products"
    assert "account=main products=1200 complete=yes" in shop.services["pusher"].text()


def test_an_unknown_product_is_made_once_and_a_fresh_list_spares_the_look_up(shop):
    mark = shop.mark()
    place_all(shop, [order(mail("unknown"), [item(f"UNKNOWN-{number % 4}", "Thing")]) for number in range(12)])
    looked, pages, creates = requests(shop, mark)
    assert (pages, creates) == (0, 4) and looked <= 4  # the list may be older than a minute on a slow machine


def test_an_id_of_the_list_that_the_account_refuses_is_looked_up(shop):
    mark = shop.mark()
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=400, count=1, match="Thing",
               body='{"code":400,"message":"Product does not exist","status":"INVALID_ARGUMENT","details":[]}')
    place_all(shop, [order(mail("gone"), [item("KNOWN-1100", "Thing")])])
    assert [r["status"] for r in shop.requests_since(mark, "POST", "/orders")] == [400, 201]
    assert requests(shop, mark) == (1, 0, 0), "the list still has it, and it is not believed any more"


def test_a_list_that_cannot_be_read_delays_no_order():
    with Shop("e2e-known-products-away") as stack:
        stack.start()
        wait_until(lambda: stack.requests_since(0, "GET", "/products"), 30, "the keeper")
        stack.fault(side="is", method="GET", path="/products", kind="status", status=400, match="page_size=1000")
        place_all(stack, [order(mail("away"), [item(f"AWAY-{number}-{n}", "Thing") for n in range(3)]) for number in range(6)])
        looked, pages, creates = requests(stack, 0)
        assert (looked, pages, creates) == (18, 1, 18)
        stack.assert_right()
