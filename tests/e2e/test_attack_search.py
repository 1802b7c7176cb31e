"""Attack 5: a shopper's address and a SKU that are searched by their beginning, in an account where thousands begin alike."""

import http.client
import json
import threading

import pytest
from shop import item, mail, order
from shop_stack import Shop
from stack import KEY

MANY, THREADS = 3100, 4  # more than three pages of a thousand
SETTINGS = {"pusher": {"http_timeout_s": 6, "visibility_delay_s": 6}}  # requests are counted, and one that timed out is made again


def fill(shop, path, bodies):
    """Makes all of them in the account."""
    def work(part):
        connection = http.client.HTTPConnection(shop.address)
        for body in part:
            connection.request("POST", f"/crm/rest/v2{path}", json.dumps(body),
                               {"X-Keap-API-Key": KEY, "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 201)

    threads = [threading.Thread(target=work, args=(bodies[i::THREADS],)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def person(email, **more):
    return {"email_addresses": [{"field": "EMAIL1", "email": email}], **more}


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-attack-5", settings=SETTINGS) as stack:
        stack.start()
        fill(stack, "/contacts", [person(f"crowd{i}@example.com") for i in range(MANY)])
        fill(stack, "/products", [{"name": f"Crowd {i}", "short_description": "x", "sku": f"CROWD{i}", "price": 100} for i in range(MANY)])
        stack.place_and_wait(order(mail("first")))  # in a young ledger a contact is looked up twice
        yield stack
        assert set(stack.stop().values()) == {0}


def searched(shop, mark, path):
    return [e for e in shop.requests_since(mark, "GET", path) if "filter" in (e["query"] or "")]


@pytest.mark.parametrize("email", ["crowd*@example.com", "*@example.com", "*crowd@example.com"])
def test_attack_5_an_address_with_a_star_costs_three_pages_and_is_delivered(shop, email):
    mark = shop.mark()
    placed = shop.place_and_wait(order(email, is_email_opt_in=True))
    found = searched(shop, mark, "/contacts")
    assert len(found) == (0 if email.startswith("*") else 3), [e["query"] for e in found]
    made = shop.requests_since(mark, "POST", "/contacts")
    assert ["duplicate_option=Email" in e["query"] for e in made] == [True]
    record = json.loads(shop.fate_records(f"abc123/order/{placed['id']}")[-1].value)
    contact = shop.infusionsoft("GET", f"/contacts/{record['contact_id']}?fields=given_name,email_addresses")
    assert (contact["given_name"], contact["email_addresses"][0]["email"]) == ("Grace", email)
    # The next order of this address knows the contact.
    mark = shop.mark()
    shop.place_and_wait(order(email))
    assert shop.requests_since(mark, path="/contacts") == []


def test_attack_5_a_contact_that_the_search_did_not_reach_is_kept(shop):
    email = "crowd9*9@example.com"
    known = shop.infusionsoft("POST", "/contacts", person(email, given_name="Ada"))
    placed = shop.place_and_wait(order(email, is_email_opt_in=True))
    record = json.loads(shop.fate_records(f"abc123/order/{placed['id']}")[-1].value)
    assert record["contact_id"] == str(known["id"])
    contact = shop.infusionsoft("GET", f"/contacts/{known['id']}?fields=given_name,family_name")
    assert (contact["given_name"], contact["family_name"]) == ("Ada", "Hopper")


def test_attack_5_a_contact_that_cannot_be_searched_and_whose_create_was_lost_is_made_once(shop):
    """The create is in doubt, and may be sent again once the contact would be visible."""
    email = "*lost@example.com"
    shop.fault(side="is", method="POST", path="/contacts", kind="drop_after", match=email, count=1)
    mark = shop.mark()
    placed = shop.place_and_wait(order(email), timeout=60)
    made = [one for one in shop.requests_since(mark, "POST", "/contacts", email) if one.get("effect")]
    record = json.loads(shop.fate_records(f"abc123/order/{placed['id']}")[-1].value)
    assert len(made) == 2 and {str(one["effect"]["id"]) for one in made} == {record["contact_id"]}, "the account found its own"


@pytest.mark.parametrize("sku, pages", [("CROWD,1", 3), ("*", 0)])
def test_attack_5_a_sku_that_cannot_be_searched_to_the_end_is_dead_at_once(shop, sku, pages):
    mark = shop.mark()
    placed = shop.place_and_wait(order(mail("sku"), [item(sku, "*odd")]), wanted=("dead", "refused"))
    assert len(searched(shop, mark, "/products")) == pages
    assert not shop.requests_since(mark, "POST", "/products") and shop.created(placed["id"]) == []
    detail = shop.fate_records(f"abc123/order/{placed['id']}")[-1].headers["detail"]
    assert "cannot be looked up" in detail


def test_attack_5_a_sku_with_a_comma_that_can_be_searched_is_delivered(shop):
    for _ in range(2):
        shop.place_and_wait(order(mail("sku"), [item("SHIRT,RED", "Shirt")]))
