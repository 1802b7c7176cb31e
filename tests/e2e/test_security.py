"""Forged records in the pipeline's own topics: whoever may write there must not damage the ledger or reach another account."""

import hashlib
import json
import os
import re
import signal
import sys

import pytest
from hostile_store import HostileStore
from processes import ROOT, read_topic, wait_until, write_topic
from secure import redis_client
from shop import item, mail, order
from shop_stack import Shop
from stack import KEY

sys.path.insert(0, f"{ROOT}/tests/bench")
from measure import memory_mb  # noqa: E402

FUTURE = "253402300799999"


class TwoAccounts(Shop):
    """The store delivers into the account main. The account other is configured too, and `other` notes what it is asked."""

    other = None

    def topics(self):
        return super().topics() + [self.topic("waiting.other"), self.topic("waiting-orders.other")]

    def start(self):
        self.start_servers()
        self.other = HostileStore(self.url, "^$", None)
        with open(f"{self.run}/other_key", "w", encoding="ascii") as file:
            file.write(KEY)
        self.settings["infusionsoft other"] = {"api_url": f"{self.other.url}/crm/rest/v2", "auth": "key", "currency": "USD",
                                               "key_file": f"{self.run}/other_key", "rate_per_s": 0}
        return self.start_services()

    def stop(self):
        if self.other is not None:
            self.other.stop()
        return super().stop()


@pytest.fixture(scope="module")
def shop(kafka):
    """It is not judged: forged records make no order that a store has. On a real Kafka, because the in-memory broker keeps 5 MiB
    of a partition only."""
    with TwoAccounts("e2e-security", broker=kafka, prefix="security", stores=[{"name": "main", "hash": "abc123"}]) as stack:
        yield stack.start()


@pytest.fixture(autouse=True)
def no_faults_are_left(request):
    yield
    if "shop" in request.fixturenames:
        request.getfixturevalue("shop").clear_faults()


@pytest.fixture(scope="module")
def pattern(shop):
    placed = shop.place_and_wait(order(mail("pattern")))
    record, = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key.endswith(f"/{placed['id']}")]
    return placed["id"], record


def forge(shop, pattern, number, headers=None, key=None, **members):
    """A payload like the pattern's, of another order; headers that are None are left out."""
    old, record = pattern
    value = json.loads(record.value.replace(str(old).encode(), str(number).encode()))
    value.update(members)
    headers = {name: text for name, text in {**record.headers, **(headers or {})}.items() if text is not None}
    write_topic(shop.broker.address, shop.topic("orders.payloads"), key or f"abc123/order/{number}", json.dumps(value).encode(), headers)


@pytest.mark.parametrize("number, headers, members", [
    (900301, {"modified_at": "999999999999999999"}, {}), (900302, {"modified_at": FUTURE}, {}), (900303, {"modified_at": "1"}, {}),
    (900304, {"modified_at": None}, {"modified_at": int(FUTURE)}), (900305, {"attempt": "4294967295"}, {}),
    (900306, {"attempt": "9" * 30}, {}), (900307, {"attempt": "-1"}, {}), (900308, {"attempt": "1001"}, {}), (900310, {"polled_at": FUTURE}, {}),
    (900311, {"polled_at": "9" * 15}, {}), (900312, {"polled_at": "1"}, {})])
def test_attack_3_numbers_out_of_range_are_dead_before_anything_is_written(shop, pattern, number, headers, members):
    forge(shop, pattern, number, headers, **members)
    assert shop.wait_fate(number, timeout=60) == ("dead", "malformed")
    assert not shop.created(number)
    forge(shop, pattern, number)  # the ledger has no trace of it: the real order goes through
    assert shop.wait_fate(number, wanted=("delivered", None), timeout=60) and len(shop.created(number)) == 1


def test_attack_3_the_orders_own_date_counts_where_the_header_cannot_be_its(shop, pattern):
    old, record = pattern
    raw, = [r for r in read_topic(shop.broker.address, shop.topic("orders.raw")) if r.key == record.key]
    value = raw.value.replace(b'"id":%d,' % old, b'"id":900309,', 1)
    for wrong in (FUTURE, "999999999999999999", "5"):
        write_topic(shop.broker.address, shop.topic("orders.raw"), "abc123/order/900309", value, {**raw.headers, "modified_at": wrong})
    assert shop.wait_fate(900309, wanted=("delivered", None), timeout=60)
    payloads = [r for r in read_topic(shop.broker.address, shop.topic("orders.payloads")) if r.key.endswith("/900309")]
    own = str(record.json()["modified_at"])
    assert {r.headers["modified_at"] for r in payloads} == {own} == {str(r.json()["modified_at"]) for r in payloads}


@pytest.mark.parametrize("number, headers, key, members", [
    (900401, {}, None, {"account": "other"}), (900402, {"account": "other"}, None, {}), (900403, {"store": "abc124"}, None, {}),
    (900404, {"store": "zzz999"}, "zzz999/order/900404", {"store": "zzz999", "external_key": "bc-zzz999-900404"})])
def test_attack_4_a_record_cannot_name_another_account_or_store(shop, pattern, number, headers, key, members):
    forge(shop, pattern, number, headers, key, **members)
    store = (key or "abc123").partition("/")[0]
    assert shop.wait_fate(number, store=store, timeout=60) == ("dead", "malformed")
    assert not shop.created(number, store=store)
    # The account other is known and open, and was asked for nothing but its own facts.
    assert shop.other.requests
    assert not [(method, path) for method, path in shop.other.requests if method != "GET" or "contacts" in path or "filter" in path]
    assert shop.wait_fate(number, store=store, timeout=1) == ("dead", "malformed")


def test_attack_11_headers_count_toward_the_bytes_under_way(shop, pattern):
    """Records with 700 KB of headers, while the account does not answer: the pusher takes as many as fit into its 8 MB."""
    count, size = 40, 700_000

    def counted():
        """How many records were handed over, and how many of them are under way."""
        text = shop.metrics("pusher")
        handed, finished = (sum(float(found) for found in re.findall(
            rf'^bigfusion_record_{word}_seconds_count{{stage="pusher".*}} (\S+)$', text, re.M)) for word in ("waiting", "processing"))
        return handed, handed - finished
    before = counted()
    shop.fault(side="is", kind="delay", delay_ms=1500, method="POST", path="/orders")
    for number in range(901100, 901100 + count):
        forge(shop, pattern, number, {f"x{part}": "d" * (size // 7) for part in range(7)})
    last = {"handed": -1, "times": 0, "most": 0}

    def comes_to_rest():
        """The same number in ten looks: no more are taken for now."""
        now, under_way = (count - old for count, old in zip(counted(), before))
        last.update(handed=now, times=last["times"] + 1 if now == last["handed"] and now > 5 else 0, most=max(last["most"], under_way))
        return last["times"] >= 10
    wait_until(comes_to_rest, 60, lambda: f"the pusher to take no more, it took {last['handed']}", interval=0.02)
    assert last["most"] <= 8 * 1024 * 1024 / size + 8 + 2, "beyond the 8 MB only what is being delivered"
    shop.clear_faults()
    for number in range(901100, 901100 + count):
        assert shop.wait_fate(number, timeout=60) == ("delivered", None)


def test_attack_11_headers_count_toward_what_is_fetched_ahead(shop, pattern):
    """200 MB of headers while the pusher has stopped for a moment. librdkafka counts values alone, and took all of them at once."""
    count, size, pid = 300, 700_000, shop.services["pusher"].pid
    shop.fault(side="is", kind="delay", delay_ms=1500, method="POST", path="/orders")
    os.kill(pid, signal.SIGSTOP)
    for number in range(902100, 902100 + count):
        forge(shop, pattern, number, {f"x{part}": "d" * (size // 7) for part in range(7)})
    os.kill(pid, signal.SIGCONT)
    shop.clear_faults()
    for number in range(902100, 902100 + count):
        assert shop.wait_fate(number, timeout=120) == ("delivered", None)
    assert memory_mb(pid, "VmHWM") < 250


HOSTILE_IDS = ("42/../../users", "42?access=1", "", " 7", "-7", 7.5, None, {"id": 7}, "\u0664\u0662", "9" * 21)


@pytest.mark.parametrize("method, path, made", [("POST", "/contacts", None), ("GET", "/contacts", "contacts"),
                                                ("POST", "/products", None), ("GET", "/products", "products"),
                                                ("POST", "/orders", None)])
def test_attack_11_what_is_no_number_is_no_id_of_the_account(shop, method, path, made):
    mark = shop.mark()
    for one in HOSTILE_IDS:
        answer = {"id": one, "sku": "HOSTILE", "email_addresses": [{"email": "x@example.com", "field": "EMAIL1"}]}
        shop.fault(side="is", method=method, path=path, kind="status", status=200, count=1,
                   body=json.dumps({made: [answer]} if made else answer))
        sku = f"HOSTILE{HOSTILE_IDS.index(one)}{method}{path[1:]}"
        placed = shop.place(order(mail("hostile"), [item(sku, sku)]))
        assert shop.wait_fate(placed["id"], timeout=60) == ("delivered", None) and len(shop.created(placed["id"])) == 1
    assert all(fault["count"] == 0 for fault in shop.call("GET", "/sandbox/faults"))
    for entry in shop.requests_since(mark):
        assert not re.search(r"users|access=|9{21}|/-?7|D9%A4", entry["path"] + str(entry.get("query"))), entry
        found = re.findall(r'"(?:contact_id|product_id)": ?([^,}]*)', str(entry.get("body")))
        assert all(re.fullmatch('"?[0-9]{1,20}"?', one) for one in found), entry


def test_attack_11_what_is_no_number_is_no_id_in_the_ledger(shop):
    email = mail("ledger.id")
    first = shop.place_and_wait(order(email))
    digest = hashlib.sha256(email.encode() + b"\0").hexdigest()[:32]
    key = f"{shop.prefix}:ledger:main:contact:{digest}"
    right = redis_client(shop.redis).hget(key, "s:contact").decode()
    assert right == str(shop.created(first["id"])[0]["contact_id"])
    assert shop.redis.command("HSET", key, "s:contact", "42/../users") == b"0"
    mark = shop.mark()
    second = shop.place_and_wait(order(email), timeout=60)
    assert [str(body["contact_id"]) for body in shop.created(second["id"])] == [right]
    assert not [entry for entry in shop.requests_since(mark) if "users" in entry["path"] + str(entry.get("body"))]


@pytest.mark.parametrize("number, is_made", [(900501, True), (900502, False)])
def test_a_replay_of_an_older_version_takes_its_dead_record_away_only_where_the_order_was_made(shop, pattern, number, is_made):
    key, version = f"abc123/order/{number}", pattern[1].json()["modified_at"]
    if not is_made:
        shop.fault(side="is", method="POST", path="/orders", match=f"bc-abc123-{number}", kind="status", status=400)
    forge(shop, pattern, number)
    shop.wait_fate(number, wanted=("delivered", None) if is_made else ("dead", "refused"), timeout=60)
    if is_made:
        write_topic(shop.broker.address, shop.topic("dead"), key, b"{}", {"reason": "refused"})
        wait_until(lambda: any(r.topic == "dead" for r in shop.fate_records(key)), 30, "the dead record")
    forge(shop, pattern, number, {"source": "replay", "modified_at": str(version - 1000)})
    wait_until(lambda: re.search(f"superseded key={key} ", shop.services["pusher"].text()), 30, shop.trouble)
    gone = lambda: [r for r in shop.fate_records(key) if r.topic == "dead"][-1].value is None  # noqa: E731
    if is_made:
        wait_until(gone, 30, "the dead record to be removed")
    else:  # the next order's fate is written behind it
        forge(shop, pattern, number + 10)
        shop.wait_fate(number + 10, wanted=("delivered", None), timeout=60)
        assert not gone()
