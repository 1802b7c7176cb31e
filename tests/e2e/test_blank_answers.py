"""A good answer without what was asked says nothing, least of all that something is not there: it is asked for again."""

import pytest
from shop import item, mail, order
from shop_stack import Shop

KINDS = ("empty", "object", "null", "other", "items", "token")
SHORT = {"pusher": {"http_timeout_s": 1, "lease_s": 5, "visibility_delay_s": 1, "retry_delays_s": "1,1,1"}}


@pytest.fixture(scope="module")
def blank():
    with Shop("e2e-blank", settings=SHORT) as stack:
        yield stack.start()


@pytest.fixture(autouse=True)
def no_faults_are_left(request):
    yield
    if "blank" in request.fixturenames:
        request.getfixturevalue("blank").clear_faults()


def released(stack, orders, faults, side="is"):
    """Places each order as one that is not to be synced yet, switches on its faults, lets it go; waits for all."""
    placed = [stack.place({**one, "status_id": 7}) for one in orders]
    for one, wanted in zip(placed, faults):
        stack.wait_fate(one["id"], wanted=("skipped", "status"))
        for fault in wanted(one):
            stack.fault(side=side, **fault)
    for one in placed:
        stack.change(one["id"], status_id=11)
    for one in placed:
        stack.wait_fate(one["id"], timeout=60, wanted=("delivered", None))
    return placed


def met(stack):
    """Every fault was met as often as it was to be."""
    return all(fault["count"] == 0 for fault in stack.call("GET", "/sandbox/faults"))


def test_a_lost_create_whose_look_ups_are_answered_blank_is_not_made_twice(blank):
    def faults(kind):
        return lambda one: ({"method": "POST", "path": "/orders", "match": f"bc-abc123-{one['id']}", "kind": "drop_after",
                             "count": 1},
                            {"method": "GET", "path": "/orders", "match": f"bc-abc123-{one['id']}", "kind": "blank",
                             "blank": kind, "count": 3})
    placed = released(blank, [order(mail("look.up")) for _ in KINDS], [faults(kind) for kind in KINDS])
    assert met(blank)
    assert [len(blank.created(one["id"])) for one in placed] == [1] * len(KINDS)


def test_a_product_whose_look_up_is_answered_blank_is_not_made_again(blank):
    skus = [f"BLANK{kind.upper()}" for kind in KINDS]
    for sku in skus:
        blank.infusionsoft("POST", "/products", {"name": sku, "short_description": sku, "price": 1000, "sku": sku})
    # The list of all products is answered blank too, so it says nothing, and each is looked up by itself.
    blank.fault(side="is", method="GET", path="/products", match="page_size=1000", kind="blank", blank=KINDS[0], count=1)
    released(blank, [order(mail("product"), [item(sku, sku)]) for sku in skus],
             [lambda _, k=kind, s=sku: [{"method": "GET", "path": "/products", "match": s, "kind": "blank", "blank": k,
                                         "count": 1}] for kind, sku in zip(KINDS, skus)])
    assert met(blank)
    have = [product["sku"] for product in blank.call("GET", "/sandbox/account/products")]
    assert [have.count(sku) for sku in skus] == [1] * len(KINDS)


def test_a_contact_whose_look_up_is_answered_blank_is_kept_as_it_is(blank):
    mails = [mail(f"known.{kind}") for kind in KINDS]
    for email in mails:
        blank.infusionsoft("POST", "/contacts", {"given_name": "Old", "family_name": "Name", "email_addresses": [
            {"field": "EMAIL1", "email": email}]})
    released(blank, [order(email, billing={"first_name": "New"}) for email in mails],
             [lambda _, k=kind, e=email: [{"method": "GET", "path": "/contacts", "match": e.split("@")[0], "kind": "blank",
                                           "blank": k, "count": 1}] for kind, email in zip(KINDS, mails)])
    assert met(blank)
    assert [blank.contact(email)["given_name"] for email in mails] == ["Old"] * len(KINDS)


def test_a_contact_asked_for_by_its_id_is_not_forgotten_over_a_blank_answer(blank):
    email = mail("by.id")
    blank.sandbox_settings(visibility_delay_ms=3600000)  # the list does not show it, its id does
    try:
        blank.place_and_wait(order(email))
        blank.fault(side="is", method="GET", path="/contacts/", kind="blank", blank="object", count=1)
        blank.place_and_wait(order(email, billing={"first_name": "New"}))
    finally:
        blank.sandbox_settings(visibility_delay_ms=0)
    assert met(blank)
    assert blank.contact(email)["given_name"] == "Grace"


@pytest.mark.parametrize("path", ["/contacts", "/products", "/orders"])
def test_a_create_that_is_answered_without_an_id_is_looked_up(blank, path):
    kinds = ("empty", "object", "null", "other")
    word = path.strip("/")
    skus = [f"MADE-{word}-{kind}" for kind in kinds]
    mails = [mail(f"made.{word}.{kind}") for kind in kinds]
    texts = {"/contacts": [m.split("@")[0] for m in mails], "/products": skus}.get(path)
    placed = released(blank, [order(m, [item(s, s)]) for m, s in zip(mails, skus)],
                      [lambda one, k=kind, i=i: [{"method": "POST", "path": path, "kind": "blank", "blank": k, "count": 1,
                                                  "match": texts[i] if texts else f"bc-abc123-{one['id']}"}]
                       for i, kind in enumerate(kinds)])
    assert met(blank)
    assert [len(blank.created(one["id"])) for one in placed] == [1] * len(kinds)
    have = [product["sku"] for product in blank.call("GET", "/sandbox/account/products")]
    assert [have.count(sku) for sku in skus] == [1] * len(kinds)
    for email in mails:
        blank.contact(email)


def test_a_page_of_orders_that_is_blank_is_no_end_and_no_dead_order(blank):
    dead = len(blank.tails["dead"].records)
    for kind in ("empty", "object", "null", "other", "items"):
        blank.fault(side="bc", method="GET", path="/orders", kind="blank", blank=kind, count=1)
    placed = blank.place_and_wait(order(mail("page")), timeout=60)
    assert met(blank) and len(blank.created(placed["id"])) == 1
    assert list(blank.tails["dead"].records)[dead:] == []


def test_lines_and_orders_that_are_answered_blank_are_asked_for_again(blank):
    """First the order's own call is blank, then the one for its lines."""
    kinds = ("empty", "object", "null", "other", "items")
    lines = [item("LINE-A", "A line"), item("LINE-B", "Another line")]
    placed = released(blank, [order(mail("lines"), lines, sandbox={"hide_lines": True}) for _ in kinds],
                      [lambda one, k=kind: [{"method": "GET", "path": f"/orders/{one['id']}{part}", "kind": "blank",
                                             "blank": k, "count": 1} for part in ("/products", "")] for kind in kinds],
                      side="bc")
    assert met(blank)
    for one in placed:
        (body,) = blank.created(one["id"])
        assert [line["name"] for line in body["order_items"]] == ["A line", "Another line"]
        assert "dead" not in [record.topic for record in blank.fate_records(f"abc123/order/{one['id']}")]


def test_the_account_is_not_used_before_its_facts_are_told(blank):
    for path in ("/oauth/connect/userinfo", "/orders/model"):
        blank.fault(side="is", method="GET", path=path, kind="blank", blank="null", count=1)
    blank.start_service("pusher-2", {"BIGFUSION_INFUSIONSOFT_MAIN_CURRENCY": "",
                                     "BIGFUSION_INFUSIONSOFT_MAIN_TENANT": "sandbox.infusionsoft.com"})
    blank.wait_ready("pusher-2", 60)
    assert met(blank)
    text = blank.services["pusher-2"].text()
    assert "userinfo: HTTP 200 without a user" in text, text
    assert blank.services["pusher-2"].stop() == 0
    del blank.services["pusher-2"]


def test_setup_makes_no_field_and_starts_no_ledger_over_a_blank_answer():
    with Shop("e2e-blank-setup") as stack:
        stack.start_servers()
        stack.write_config()
        for kinds, field in ((("empty", "null"), 0), (("object", "other", "items"), 1)):
            for kind in kinds:
                stack.fault(side="is", method="GET", path="/orders/model", kind="blank", blank=kind, count=1)
                answer = stack.command("setup", check=False)
                assert answer.returncode == 111 and "infusionsoft GET /orders/model: HTTP 200 with" in answer.stderr, answer
                assert "ledger" not in answer.stdout and fields_made(stack) == field
            answer = stack.command("setup")
            assert ("ledger: started" in answer.stdout) == (field == 0) and fields_made(stack) == 1
            stack.redis.command("FLUSHALL")  # what an account with a field must not be taken for: a beginning


def fields_made(stack):
    return sum((entry.get("effect") or {}).get("made") == "order_custom_field" for entry in stack.journal())
