"""`bigfusion preview`: what it says before the pipeline runs is what the pipeline then does; what another configuration would change."""

import json
import re

import pytest
from shop import item, mail, order
from stack import Stack

# How an order's fate is called by the preview.
WORDS = {"delivered": "synced", "skipped": "skipped", "dead": "parked"}
COUPONS = [("SPRING", "1.00")]


@pytest.fixture(scope="module")
def stack():
    """A store with orders of every kind, and no service yet."""
    with Stack("e2e-preview", orders=150, seed=7) as stack:
        stack.start_servers()
        for one in (order(mail("plain")), order(""), order("a@b.co,c@d.co"), order(mail("status"), status=0), order(mail("back"), status=4),
                    order(mail("archived"), is_deleted=True), order(mail("sum"), total_inc_tax="99.0000"),
                    order(mail("money"), default_currency_code="EUR"), order(mail("migrated"), external_source="M-MIG"),
                    order(mail("coupon"), coupons=COUPONS),
                    order(mail("many"), items=[item(f"SKU-{i}", f"Thing {i}") for i in range(60)])):
            stack.place(one)
        stack.write_config()
        yield stack


def preview(stack, *words, status=0):
    answer = stack.command("preview", "--store", "BC", "--json", *words, check=False)
    assert answer.returncode == status, answer.stderr
    return json.loads(answer.stdout)


def other_config(stack, **changes):
    """The configuration with other settings, in a file of its own."""
    with open(stack.config, encoding="utf-8") as file:
        text = file.read()
    for name, value in changes.items():
        text = re.sub(rf"(?m)^{name} = .*\n", "", text).replace("[store main]\n", f"[store main]\n{name} = {value}\n")
    path = f"{stack.run}/other.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def calls_into_the_account(stack):
    return [e for e in stack.journal() if e["side"] == "is"]


def test_settings_that_change_nothing(stack):
    said = preview(stack, "--against", stack.config)
    assert said["against"]["changed"] == said["against"]["altered"] == 0
    assert said["against"]["then"] == said["now"]


def test_what_another_configuration_changes(stack):
    before = {o["id"]: o for o in preview(stack)["orders"]}
    said = preview(stack, "--against", other_config(stack, code="NEW", statuses="0,11", opt_in="never"), status=10)
    moved = {o["id"]: o["against"] for o in said["orders"] if "against" in o}
    assert said["against"]["changed"] == len(moved) == sum(said["against"]["moves"].values()) > 0
    assert said["against"]["moves"]["skipped status -> synced"] >= 1
    assert said["against"]["moves"]["synced -> skipped status"] >= 1
    assert {o["id"]: o["becomes"] for o in said["orders"]} == {number: o["becomes"] for number, o in before.items()}
    assert said["against"]["parts"]["order.order_title"] == said["against"]["altered"] > 0
    for entry in said["orders"]:
        if "differs" in entry:
            assert "order.order_title" in entry["differs"]
    for address in ("Grace", "example.com", "1 Main Street"):
        assert address not in json.dumps(said), "names of parts only"


def test_the_last_orders_are_the_newest(stack):
    numbers = sorted((o["id"] for o in stack.orders() if not o.get("is_deleted")), reverse=True)
    everything = [o["id"] for o in preview(stack)["orders"]]
    assert everything == sorted(everything, reverse=True)
    assert set(numbers) <= set(everything)
    assert [o["id"] for o in preview(stack, "--last", "3")["orders"]] == everything[:3]


def test_text_names_what_is_parked(stack):
    said = stack.command("preview").stdout
    assert re.search(r"^  synced +\d+", said, re.M) and re.search(r"^  parked +\d+ .*total_mismatch \d", said, re.M), said
    assert re.search(r"^  BC #\d+ +total_mismatch", said, re.M), said


def test_what_cannot_be_asked_for_is_refused(stack):
    assert "no store has the code or hash XX" in stack.command("preview", "--store", "XX", check=False).stderr
    answer = stack.command("preview", "--against", "/nowhere.conf", check=False)
    assert answer.returncode == 100 and "/nowhere.conf" in answer.stderr
    assert stack.command("preview", "--last", "0", check=False).returncode == 100


def test_an_answer_that_cannot_be_read_stops_nothing(stack):
    """The first page breaks off twice; fewer orders are asked for, and all are there in the end."""
    whole = [o["id"] for o in preview(stack)["orders"]]
    stack.fault(side="bc", method="GET", path="/orders", kind="cut", count=2)
    assert [o["id"] for o in preview(stack)["orders"]] == whole
    stack.clear_faults()


def test_the_pipeline_then_does_what_the_preview_said(stack):
    """Last: it starts the services."""
    said = preview(stack)
    assert calls_into_the_account(stack) == []
    assert said["now"]["counts"]["synced"] > 50 and said["now"]["counts"]["parked"] >= 2
    stack.start_services()
    for entry in said["orders"]:
        topic, reason = stack.wait_fate(entry["id"], timeout=90)
        assert (WORDS[topic], reason) == (entry["becomes"], entry.get("reason")), entry
    assert preview(stack)["start_from_source"] == "saved"
    assert calls_into_the_account(stack) != [], "they are told apart"
