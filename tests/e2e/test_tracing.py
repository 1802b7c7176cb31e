"""One trace for each version of an order: the same id in every record and in every log line, from the poll to the fate."""

import os
import re
import subprocess

import pytest
from processes import ROOT, read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop
from stack import Stack

FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[0-3]")
ON_THE_WAY = ("orders.raw", "orders.eligible", "orders.payloads", "retry-1m", "retry-10m", "retry-1h",
              "waiting.main", "waiting-orders.main")
FATES = ("skipped", "delivered", "dead")


def key(placed):
    return f"abc123/order/{placed['id']}"


def records(stack, wanted, topics=ON_THE_WAY + FATES):
    return [r for name in topics for r in read_topic(stack.broker.address, stack.topic(name)) if r.key == wanted]


def traces(found):
    """(trace ids, span ids) of records that have a value."""
    parts = [FORM.fullmatch(r.headers.get("traceparent", "")) for r in found if r.value is not None]
    assert all(parts), [(r.topic, r.headers.get("traceparent")) for r in found]
    return {part[1] for part in parts}, [part[2] for part in parts]


def log_text(stack):
    logs = [os.path.join(stack.run, name) for name in sorted(os.listdir(stack.run)) if name.endswith(".log")]
    return "".join(open(log, encoding="utf-8").read() for log in logs)


def follow(stack, word, value):
    """What docs/operations.md says to type to follow an order (word: key or trace), without the containers: here the logs are files."""
    with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as page:
        command = re.search(rf"    docker compose logs --no-log-prefix (\| grep '{word}=)[^' ]*( ?' \| sort)\n", page.read())
    answer = subprocess.run("cat " + command[1] + value + command[2], shell=True, input=log_text(stack), capture_output=True, text=True,
                            timeout=60, check=True)
    return answer.stdout.splitlines()


@pytest.fixture(scope="module")
def shop():
    """Its own stack: records that are written by hand make orders that no store has, so it is not judged."""
    with Shop("e2e-tracing", settings={"pusher": {"retry_delays_s": "1,1,1"}}) as stack:
        stack.start()
        yield stack


@pytest.fixture
def faults(shop):
    yield shop.fault
    shop.clear_faults()


def test_one_trace_from_the_poll_to_the_fate(shop, faults):
    email = mail("traced")
    placed = shop.place(order(email, status=7))
    shop.wait_fate(placed["id"], wanted=("skipped", "status"))
    skipped, = traces(records(shop, key(placed)))[0]
    faults(side="is", method="GET", path="/contacts", kind="status", status=503, match=email.split("@")[0], count=2,
           body='{"code":503,"status":"UNAVAILABLE","message":"ann@example.com"}')
    shop.change(placed["id"], status_id=11)
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    found = records(shop, key(placed))
    way = [r for r in found if r.headers["traceparent"][3:35] != skipped]
    ids, spans = traces(way)
    assert len(ids) == 1, "another version is another trace"
    assert len(set(spans)) == len(spans) == len(way) >= 5, "each record has a span id of its own"
    assert {r.topic.partition(".")[2] for r in way} >= {"orders.raw", "orders.eligible", "orders.payloads", "retry-1m",
                                                       "delivered"}
    retried = [r for r in way if r.topic.endswith("retry-1m")]
    assert [(r.headers["step"], r.headers["answer"]) for r in retried] == [("contact", "HTTP 503 UNAVAILABLE")] * len(retried)
    assert "step" not in way[-1].headers and "answer" not in way[-1].headers

    trace = ids.pop()
    wait_until(lambda: any(" delivered " in line for line in follow(shop, "trace", trace)), 20, "the pusher's line")
    lines = follow(shop, "trace", trace)
    words = [re.match(rf"\S+Z \w+ (\w+) (\w+).* key={key(placed)} trace=", line) for line in lines]
    assert all(words), lines
    assert {word.groups() for word in words} >= {("poller", "published"), ("pusher", "retrying"), ("pusher", "delivered")}
    assert len(follow(shop, "trace", skipped)) == 2, "published, skipped"
    assert len(follow(shop, "key", key(placed))) == len(lines) + 2
    assert shop.command("trace", key(placed), "--json").stdout.count(f'"trace": "{skipped}"') == 2


def test_a_hostile_traceparent_is_replaced(shop):
    placed = shop.place_and_wait(order(mail("pattern")))
    raw = records(shop, key(placed), ["orders.raw"])[0]
    numbers = {}
    for number, hostile in enumerate(["", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "x" * 5000, "00-" + "A" * 32 + "-" + "1" * 16 + "-01",
                                      "00-" + "a" * 32 + "-" + "1" * 16 + "-01-more"], int(f"{placed['id']}100")):
        value = raw.value.replace(b'"id":%d,' % placed["id"], b'"id":%d,' % number, 1)
        wanted = f"abc123/order/{number}"
        write_topic(shop.broker.address, shop.topic("orders.raw"), wanted, value, {**raw.headers, "traceparent": hostile})
        numbers[number] = wanted
    for number in numbers:
        shop.wait_fate(number, wanted=("delivered", None))
    found = [r for name in ON_THE_WAY[1:] + FATES for r in read_topic(shop.broker.address, shop.topic(name))]
    for wanted in numbers.values():
        later = [r for r in found if r.key == wanted]
        ids, spans = traces(later)
        assert len(ids) == 1 and len(set(spans)) == len(later) == 3
        assert "a" * 32 not in ids


def test_a_replay_keeps_the_trace(shop, faults):
    placed = shop.place_and_wait(order(mail("replayed"), [item("R1", "R1")],
                                 default_currency_code="EUR"), wanted=("dead", "currency_mismatch"))
    dead = records(shop, key(placed), ["dead"])[0]
    good = dead.value.replace(b'"EUR"', b'"USD"')
    write_topic(shop.broker.address, shop.topic("orders.payloads" if b'"format"' in good else "orders.raw"), key(placed), good,
                {**dead.headers, "source": "replay"})
    shop.wait_fate(placed["id"], wanted=("delivered", None))
    ids, _ = traces(records(shop, key(placed)))
    assert len(ids) == 1


def test_every_record_that_is_consumed_leaves_a_record_or_a_named_exception():
    """docs/architecture.md, "What each stage writes". Orders of each kind, some of them changed while they wait."""
    with Stack("e2e-tracing-all", orders=60, seed=5, settings={"pusher": {"retry_delays_s": "1,1,1", "workers": 4}}) as stack:
        stack.start_servers()
        stack.fault(side="is", method="POST", path="/orders", kind="status", status=503, every=4, count=10)
        stack.start_services()
        placed = [stack.place(order(mail("consumed"))) for _ in range(6)]
        for one in placed[:3]:
            stack.wait_fate(one["id"], wanted=("delivered", None))
            stack.change(one["id"], status_id=2)
        for one in placed[3:]:
            stack.change(one["id"], status_id=5)
        stack.wait_drained(90)
        # A version that is older than what was delivered, and a record that only looks.
        payload = records(stack, key(placed[0]), ["orders.payloads"])[0]
        late = records(stack, key(placed[3]), ["orders.raw"])[0]
        for name, headers in (("orders.payloads", payload.headers), ("retry-1h", {**payload.headers, "reason": "in_doubt"})):
            write_topic(stack.broker.address, stack.topic(name), payload.key, payload.value, headers)
        write_topic(stack.broker.address, stack.topic("orders.raw"), late.key, late.value, late.headers)
        wait_until(lambda: re.search(rf" superseded key={key(placed[3])} | looked_again ", log_text(stack)), 60, stack.trouble)
        stack.wait_drained(60)
        stack.clear_faults()
        order_of = {stack.topic(name): i for i, name in enumerate(ON_THE_WAY + FATES)}
        everything = [r for name in ON_THE_WAY + FATES for r in read_topic(stack.broker.address, stack.topic(name))
                      if r.value is not None]
        spans = {r.headers["traceparent"] for r in everything}
        log = log_text(stack)
        lost = []
        for one in everything:
            if order_of[one.topic] >= len(ON_THE_WAY):
                continue
            trace = one.headers["traceparent"][3:35]
            later = [r for r in everything if r.headers["traceparent"][3:35] == trace and r.key == one.key
                     and (order_of[r.topic] > min(order_of[one.topic], 2)) and r is not one]
            if not later and not re.search(rf" (superseded|looked_again) key={one.key} trace={trace}", log):
                lost.append((one.topic, one.key))
        assert not lost and len(spans) > 100, lost
