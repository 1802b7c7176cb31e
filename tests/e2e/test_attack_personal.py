"""Attack 9: answers of the account that are full of what is personal. None of it is kept anywhere."""

import glob
import json
import re
import urllib.request

import pytest
from processes import read_topic
from shop import item, mail, order
from shop_stack import Shop

PERSONAL = re.compile(r"rumpelstilz|zaphodina|hamelin|4930|901\s*820|straw", re.I)
ANSWER = json.dumps({"code": 422, "status": "Zaphodina", "rumpelstilzchen": 1, "message":
                     "given_name of Zaphodina Rumpelstilzchen, straw%40hamelin.example straw\\u0040hamelin.example straw@hamelin.example "
                     "+49301234567 (030) 901 820 Hamelin", "details": [{"domain": "HAMELIN_STRAW", "resource": "/contacts/straw"}]})
# A call that timed out would be one of the few attempts, and leave another answer.
SETTINGS = {"pusher": {"max_attempts": 2, "retry_delays_s": "1,1,1", "http_timeout_s": 6, "visibility_delay_s": 6}}


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-attack-9", settings=SETTINGS) as stack:
        stack.env["BIGFUSION_LOG_LEVEL"] = "debug"
        yield stack.start()
        stack.clear_faults()
        assert set(stack.stop().values()) == {0}


def refuse(shop, method, path, status, match):
    shop.fault(side="is", method=method, path=path, kind="status", status=status, match=match, body=ANSWER)


def kept(shop, number):
    """Every record of the order, headers and value; none of the texts is the order's own."""
    key = f"abc123/order/{number}"
    topics = ("dead", "delivered", "skipped", "retry-1m", "retry-10m", "retry-1h", "waiting.main", "waiting-orders.main")
    return [r for topic in topics
            for r in read_topic(shop.broker.address, shop.topic(topic)) if r.key == key]


def look(shop, placed):
    records = kept(shop, placed["id"])
    assert records
    for record in records:
        assert not PERSONAL.search(f"{record.headers} {record.value}"), record
    return records


@pytest.mark.parametrize("status, reason", [(422, "refused"), (500, "gave_up")])
def test_attack_9_dead_and_retried_records_keep_status_and_field_names_alone(shop, status, reason):
    sku = f"DEAD{status}"
    refuse(shop, "POST", "/products", status, sku)
    placed = shop.place_and_wait(order(mail("dead"), [item(sku, "Apple")]), wanted=("dead", reason), timeout=60)
    records = look(shop, placed)
    assert {r.headers["answer"] for r in records if "answer" in r.headers} == {f"HTTP {status} fields=given_name"}


def test_attack_9_delivered_keeps_no_more_of_a_refused_goal(shop):
    refuse(shop, "POST", "/automations/goals", 422, "GOAL9")
    placed = shop.place_and_wait(order(mail("goal"), [item("GOAL9", "Apple")]))
    one, = json.loads(look(shop, placed)[-1].value)["incomplete"]
    assert one["answer"] == "HTTP 422 fields=given_name"


def test_attack_9_an_answer_that_cannot_be_read_leaves_nothing(shop):
    shop.fault(side="is", method="POST", path="/products", kind="status", status=200, match="HALF9", body="[" + ANSWER)
    placed = shop.place_and_wait(order(mail("half"), [item("HALF9", "Apple")]), wanted=("dead", "gave_up"), timeout=60)
    look(shop, placed)


def test_attack_9_logs_metrics_readiness_and_trace_hold_none_of_it(shop):
    """After the tests before: every line of every service, at level debug, and what each of them serves."""
    for path in glob.glob(f"{shop.run}/*.log"):
        with open(path, encoding="utf-8", errors="replace") as file:
            found = [line for line in file if PERSONAL.search(line)]
        assert not found, (path, found[:2])
    for name, port in shop.ports.items():
        for what in ("metrics", "readyz"):
            try:
                text = urllib.request.urlopen(f"http://127.0.0.1:{port}/{what}", timeout=10).read().decode()
            except urllib.error.HTTPError as error:
                text = error.read().decode()
            assert text and not PERSONAL.search(text), (name, what)
    assert not PERSONAL.search(shop.command("stuck", "--scan", check=False).stdout)
