"""An account with many products: they are read in pages once, not looked up one by one."""

import pytest
from processes import read_topic, wait_until
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
        stack.write_expectation(existing_products=[*(f"KNOWN-{number}" for number in range(KNOWN)), "KNOWN-1100"])  # one was made anew
        stack.assert_right()


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


def refuse_one_order(stack):
    stack.fault(side="is", method="POST", path="/orders", kind="status", status=400, count=1, match="Thing",
                body='{"code":400,"message":"Product does not exist","status":"INVALID_ARGUMENT","details":[]}')


def products_of(stack, sku):
    return [one for one in stack.call("GET", "/sandbox/account/products") if one["sku"] == sku]


def test_an_id_of_the_list_that_is_of_another_product_now_is_looked_up(shop):
    mark = shop.mark()
    one, = products_of(shop, "KNOWN-1100")
    shop.call("PATCH", f"/sandbox/account/products/{one['id']}", {"sku": "KNOWN-RENAMED"})
    shop.infusionsoft("POST", "/products", {"sku": "KNOWN-1100", "name": "Thing", "short_description": "Thing", "price": 1000})
    other, = products_of(shop, "KNOWN-1100")
    refuse_one_order(shop)
    shop.fault(side="is", method="GET", path="/products", kind="status", status=200, match="filter=", count=1,
               body='{"products":[{"id":"%s","sku":"KNOWN-1100"}],"next_page_token":""}' % other["id"])
    place_all(shop, [order(mail("gone"), [item("KNOWN-1100", "Thing")])])
    shop.call("PATCH", f"/sandbox/account/products/{one['id']}", {"sku": "KNOWN-1100"})
    asked = shop.requests_since(mark, "POST", "/orders")
    assert [r["status"] for r in asked] == [400, 201]
    assert [shop.body(r)["order_items"][0]["product_id"] for r in asked] == [one["id"], other["id"]]
    assert requests(shop, mark)[:2] == (1, 0), "the list still has it, and it is not believed any more"


def test_an_order_that_is_refused_makes_no_product_a_second_time():
    """Its products were made a moment ago: the list was read before, and the account's lists do not show them yet."""
    with Shop("e2e-known-products-young") as stack:
        stack.start()
        skus = [f"YOUNG-{number}" for number in range(LOOKUPS + 2)]
        place_all(stack, [order(mail("first"), [item(sku, "Thing") for sku in skus])])
        stack.sandbox_settings(visibility_delay_ms=600000)
        refuse_one_order(stack)
        mark = stack.mark()
        place_all(stack, [order(mail("second"), [item(skus[0], "Thing"), item(skus[-1], "Thing")])])
        assert [r["status"] for r in stack.requests_since(mark, "POST", "/orders")] == [400, 201]
        assert {sku: len(products_of(stack, sku)) for sku in skus} == dict.fromkeys(skus, 1)
        assert requests(stack, mark) == (0, 0, 0), "each is asked for by its id"
        stack.assert_right()


@pytest.mark.parametrize("status", [400, 503])
def test_a_list_that_cannot_be_read_delays_no_order(status):
    with Shop(f"e2e-known-products-{status}") as stack:
        stack.start()
        wait_until(lambda: stack.requests_since(0, "GET", "/products"), 30, "the keeper")
        stack.fault(side="is", method="GET", path="/products", kind="status", status=status, match="page_size=1000")
        place_all(stack, [order(mail("away"), [item(f"AWAY-{number}-{n}", "Thing") for n in range(3)]) for number in range(6)])
        looked, pages, creates = requests(stack, 0)
        assert (looked, pages, creates) == (18, 1, 18)
        assert [r for name in ("retry-1m", "dead") for r in read_topic(stack.broker.address, stack.topic(name)) if r.key] == []
        stack.assert_right()


def test_a_list_that_is_slow_holds_up_one_order_alone():
    """Its worker reads on; all others, whose products are not known either, are looked up singly meanwhile."""
    with Shop("e2e-known-products-slow", settings={"pusher": {"http_timeout_s": 25, "visibility_delay_s": 25, "lease_s": 60}}) as stack:
        stack.start()
        wait_until(lambda: stack.requests_since(0, "GET", "/products"), 30, "the keeper")
        page = stack.fault(side="is", method="GET", path="/products", kind="delay", delay_ms=20000, match="page_size=1000", count=1)
        placed = [stack.place(order(mail("slow"), [item(f"SLOW-{number}", "Thing")])) for number in range(24)]
        fates = lambda: [one for one in placed if stack.fate(one["id"])]  # noqa: E731
        wait_until(lambda: len(fates()) == len(placed) - 1, 60, lambda: f"all but one, {len(fates())} are done; {stack.trouble()}")
        assert stack.call("GET", f"/sandbox/faults/{page['id']}")["fired"] == 1
        assert "complete=" not in stack.services["pusher"].text(), "it is still being read"
        assert set(stack.stop().values()) == {0}
