"""Customers and products that cannot be read, or are too large: each is dead by itself, and none of the others waits for it."""

import json
import sys
import urllib.request

import pytest
from hostile_store import HostileStore
from processes import ROOT, read_topic, wait_until
from shop import mail, order
from shop_stack import Shop
from test_kafka import set_topic

sys.path.insert(0, f"{ROOT}/tests/bench")
from measure import memory_mb  # noqa: E402

WORDS = ["contacts", "products"]
LISTS = {"contacts": "/v3/customers", "products": "/v3/catalog/products"}
WHOLE = {"contacts": "include=addresses", "products": "include=variants"}
HUGE_BYTES, PEAK_MB = 29_500_000, 80


class Items(Shop):
    """A stack whose store has customers or products, and answers for some of them as a hostile one would."""

    def __init__(self, name, word, answer=None, **more):
        super().__init__(f"e2e-{name}-{word}", store={word: "on", "products_interval_s": 1}, settings={"poller": {"overlap_s": 2}}, **more)
        self.word, self.answer = word, answer
        self.hostile = None

    def start_servers(self):
        super().start_servers()
        if self.answer:
            self.hostile = HostileStore(self.url, LISTS[self.word], lambda path: self.answer(self, path))
            self.stores[0]["api_url"] = self.hostile.url

    def stop(self):
        statuses = super().stop()
        if self.hostile:
            self.hostile.stop()
        return statuses

    def true_answer(self, path):
        request = urllib.request.Request(self.url + path, headers={"X-Auth-Token": "sandbox-bc-token"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read()

    def put(self, count, long=None):
        """Puts items into the store, the one number `long` with a long text. Returns their ids."""
        path, ids = {"contacts": "customers", "products": "products"}[self.word], []
        for i in range(count):
            text = "x" * 20000 if i == long else "short"
            body = {"email": mail(f"c{i}"), "notes": text} if self.word == "contacts" else \
                {"name": f"P {i}", "sku": f"SKU-{i}", "price": 1, "description": text}
            ids.append(self.call("POST", f"/sandbox/stores/abc123/{path}", body)["id"])
        return ids

    def key(self, number):
        return f"abc123/{self.word[:-1]}/{number}"

    def wait_raw(self, numbers):
        wanted = {self.key(number) for number in numbers}
        missing = lambda: wanted - {r.key for r in read_topic(self.broker.address, self.topic(f"{self.word}.raw"))}  # noqa: E731
        wait_until(lambda: not missing(), 120, lambda: f"{sorted(missing())}; {self.trouble()}", interval=0.3)

    def wait_dead(self, number, reason):
        found = wait_until(lambda: self.fate_records(self.key(number)), 120, lambda: f"{number} to be dead; {self.trouble()}")[0]
        assert (found.topic, found.headers["reason"], found.headers["kind"]) == ("dead", reason, self.word[:-1])
        assert found.json()["id"] == number
        return found

    def asked(self):
        """The queries of the lists, in their order."""
        return [e["query"] for e in self.journal() if e["side"] == "bc" and e["path"].endswith(LISTS[self.word])]


@pytest.mark.parametrize("word", WORDS)
def test_one_that_is_larger_than_its_topic_takes_is_dead_and_stops_no_other(kafka, word):
    with Items("larger", word, broker=kafka, prefix=f"e2e-larger-{word}") as stack:
        stack.start(services=())
        set_topic(kafka, stack.topic(f"{word}.raw"), "max.message.bytes=10000")
        numbers = stack.put(4, long=1)
        stack.start_service("poller")
        stack.wait_raw(numbers[:1] + numbers[2:])
        assert stack.wait_dead(numbers[1], "too_large").json()["size"] > 10000


def broken(stack, path):
    """A list that shows stack.bad cannot be read, unless little is asked of it."""
    true = stack.true_answer(path)
    shows = any(one["id"] == stack.bad for one in json.loads(true)["data"])
    return [true[:len(true) // 2]] if shows and WHOLE[stack.word] in path else [true]


def huge(stack, path):
    """The same, but such a list is longer than any answer may be."""
    true = stack.true_answer(path)
    shows = any(one["id"] == stack.bad for one in json.loads(true)["data"])
    return [b'{"data":[{"id":1,"x":"', *[b"y" * (1 << 20)] * 34, b'"}]}'] if shows and WHOLE[stack.word] in path else [true]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("answer, reason", [(broken, "gave_up"), (huge, "too_large")])
def test_one_that_cannot_be_read_even_alone_is_dead_and_stops_no_other(word, answer, reason):
    with Items(f"alone-{reason}", word, answer) as stack:
        stack.start_servers()
        numbers = stack.put(8)
        stack.bad = numbers[3]
        stack.start_services(services=("poller",), setup=False)
        stack.wait_raw(numbers[:3] + numbers[4:])
        stack.wait_dead(stack.bad, reason)
        assert memory_mb(stack.services["poller"].pid, "VmHWM") < PEAK_MB


def test_customers_that_the_store_cannot_show_for_now_are_not_given_up():
    """Every list with addresses fails: that is the store's trouble, and no customer's fault."""
    def fails(stack, path):
        return [b"{"] if stack.is_ill and WHOLE["contacts"] in path else [stack.true_answer(path)]
    with Items("ill", "contacts", fails) as stack:
        stack.is_ill = True
        stack.start_servers()
        numbers = stack.put(3)
        stack.start_services(services=("poller",), setup=False)
        slim = lambda: [path for _, path in stack.hostile.requests if LISTS["contacts"] in path and WHOLE["contacts"] not in path]  # noqa: E731
        wait_until(lambda: len(slim()) >= 2, 120, stack.trouble, interval=0.3)  # it wanted to step over one, and did not
        stack.is_ill = False
        stack.wait_raw(numbers)
        assert not any(stack.fate_records(stack.key(number)) for number in numbers)


@pytest.mark.parametrize("word", WORDS)
def test_a_page_of_many_small_values_takes_little_memory_and_stops_no_order(word):
    def many(_stack, _path):
        return [b'{"data":[', *[b"0," * 500_000] * (HUGE_BYTES // 1_000_000), b"0]}"]
    with Items("many", word, many) as stack:
        stack.start_servers()
        stack.start_services(services=("poller",), setup=False)
        wait_until(lambda: stack.hostile.asked >= 3, 60, stack.trouble)
        number = stack.place(order(mail("beside")))["id"]
        wait_until(lambda: [r for r in stack.raw_records() if r.key == f"abc123/order/{number}"], 30, stack.trouble)
        assert memory_mb(stack.services["poller"].pid, "VmHWM") < PEAK_MB


def test_a_cursor_that_the_store_refuses_is_not_used_again():
    with Items("cursor", "contacts") as stack:
        stack.start_servers()
        numbers = stack.put(130)
        stack.fault(side="bc", path="/v3/customers", match="after=", kind="status", status=422, count=1)
        stack.start_services(services=("poller",), setup=False)
        stack.wait_raw(numbers)
        asked = stack.asked()
        refused = next(i for i, query in enumerate(asked) if "after=" in query)
        assert "after=" not in asked[refused + 1], "the window is read from its beginning"


def test_a_sweep_asks_for_more_again_once_the_store_is_well():
    with Items("grows", "products") as stack:
        stack.start_servers()
        numbers = stack.put(220)
        stack.fault(side="bc", path="/v3/catalog", kind="status", status=500, count=2)
        stack.start_services(services=("poller",), setup=False)
        stack.wait_raw(numbers)
        wait_until(lambda: "products swept" in stack.services["poller"].text(), 60, stack.trouble)
        limits = [int(query.split("limit=")[1].split("&")[0]) for query in stack.asked() if "greater=0&" not in query]
        assert limits[0] < 50 and 50 in limits[:6], limits  # all of them are of the first sweep, which ends after 220 products
