"""`bigfusion status --scan`, `stuck --scan` and `trace` on a real Kafka: what they say against what the judge and the topics say."""

import concurrent.futures
import json
import os
import re
import subprocess
import time

import pytest
from processes import ROOT, binary, read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop

ORDERS = 120
HOUR_MS = 3600_000


def ask(stack, *words, **more):
    """The command's JSON document."""
    answer = stack.command(*words, "--json", **more)
    return json.loads(answer.stdout)


def stuck(stack, *words):
    """{record key: entry of the list}"""
    answer = ask(stack, "stuck", "--scan", *words)
    assert answer["count"] == len(answer["orders"]) == sum(answer["stages"].values())
    return {one["key"]: one for one in answer["orders"]}


def pending(stack):
    """The judge's list: orders whose answer is not there yet."""
    return set(stack.pending_fates(stack.wanted_fates()))


def services(stack):
    return {one["service"]: one for one in ask(stack, "status", "--scan")["services"]}


def stages(service):
    return {one["stage"]: one for one in service["stages"]}


def key(placed):
    return f"abc123/order/{placed['id']}"


def test_stuck_is_exactly_what_has_no_fate(kafka):
    """First the poller alone, then without the mapper, then all: the list is the judge's each time."""
    with Shop("e2e-inspect-stuck", broker=kafka, prefix="inspect1", orders=ORDERS) as stack:
        stack.start(services=["poller"])
        wanted = set(stack.wanted_fates())
        wait_until(lambda: {r.key for r in stack.raw_records()} >= wanted, 60, stack.trouble)
        found = stuck(stack)
        assert set(found) == wanted == pending(stack), "no group has ever committed"
        assert {(one["stage"], one["reason"]) for one in found.values()} == {("raw", "queued")}
        before = services(stack)
        assert {name: one["members"] for name, one in before.items()} == {"filter": 0, "mapper": 0, "pusher": 0}
        assert before["filter"]["lag_records"] == len(stack.raw_records())
        oldest = min(r.timestamp_ms for r in stack.raw_records()) / 1000
        assert 0 < before["filter"]["lag_s"] <= time.time() - oldest
        assert before["mapper"]["lag_records"] == 0 and before["mapper"]["lag_s"] is None

        for name in ("filter", "filter-2", "pusher"):
            stack.start_service(name)
        for name in ("filter", "filter-2", "pusher"):
            stack.wait_ready(name)
        wait_until(lambda: {one["stage"] for one in stuck(stack).values()} == {"eligible"}, 60, stack.trouble)
        found = stuck(stack)
        wait_until(lambda: pending(stack) == set(found), 30,
                   lambda: f"the judge's list to be {len(found)} orders, it has {len(pending(stack))}")
        assert stuck(stack).keys() == found.keys()
        entry = next(one for one in found.values() if one["kind"] == "order")
        number = entry["key"].split("/")[2]
        assert entry["order"] == f"BC #{number}" and entry["topic"] == stack.topic("orders.eligible")
        # A stage commits a moment after it has handed a record on.
        now = wait_until(lambda: (said := services(stack))["filter"]["lag_records"] == 0 and said, 30, stack.trouble)
        assert {name: one["members"] for name, one in now.items()} == {"filter": 2, "mapper": 0, "pusher": 1}
        eligible = read_topic(kafka.address, stack.topic("orders.eligible"))
        assert now["mapper"]["lag_records"] == len(eligible)
        assert now["filter"]["lag_records"] == 0 == now["pusher"]["lag_records"]
        text = stack.command("stuck", "--scan").stdout
        assert re.search(rf"^BC #{number} +abc123/order/{number} +eligible +queued +\d+ (s|min)", text, re.M), text
        assert f"{len(found)} orders without a fate: eligible {len(found)}\nread " in text

        # a newer version, seen an hour ago
        record = next(r for r in stack.raw_records() if r.key == entry["key"])
        headers = {**record.headers, "modified_at": int(record.headers["modified_at"]) + 1000,
                   "polled_at": int(time.time() * 1000) - HOUR_MS}
        write_topic(kafka.address, stack.topic("orders.raw"), record.key, record.value, headers, record.partition)
        wait_until(lambda: set(stuck(stack, "--older", "30m")) == {record.key}, 30, stack.trouble)
        assert stuck(stack, "--older", "2h") == {}
        assert set(stuck(stack)) == set(found)
        answer = stack.command("stuck", "--scan", "--older", "30", check=False)
        assert answer.returncode == 100 and "a duration is a number with a unit" in answer.stderr

        stack.start_service("mapper")
        stack.wait_drained(60)
        wait_until(lambda: not stuck(stack), 30, stack.trouble)
        assert "0 orders without a fate\n" in stack.command("stuck", "--scan").stdout
        stack.assert_right()
        check_status(stack)


def check_status(stack):
    """What status says of fates, stores and lag when everything is done."""
    wait_until(lambda: all(one["lag_records"] == 0 for one in services(stack).values()), 30, stack.trouble)
    answer = ask(stack, "status", "--scan")
    assert {one["service"]: one["members"] for one in answer["services"]} == {"filter": 2, "mapper": 1, "pusher": 1}
    fates = [stack.fate(name.split("/")[2]) for name in stack.wanted_fates()]
    wanted = {"delivered": 0, "skipped": {}, "dead": {}}
    for fate, reason in fates:
        if fate == "delivered":
            wanted["delivered"] += 1
        else:
            wanted[fate][reason] = wanted[fate].get(reason, 0) + 1
    got = answer["fates"]
    assert got["delivered"] == wanted["delivered"]
    for name in ("skipped", "dead"):
        assert got[name] == {"count": sum(wanted[name].values()), "reasons": wanted[name]}
    [store] = answer["stores"]
    saved = stack.cursors()["abc123"]
    assert (store["code"], store["hash"], store["polled"]) == ("BC", "abc123", True)
    assert abs(store["age_s"] - (time.time() - saved["cursor"] / 1000)) < 60
    assert answer["cost"]["records"] >= len(fates)
    text = stack.command("status", "--scan").stdout
    assert re.search(r"^filter +2 +raw +0 +- ", text, re.M) and re.search(r"^ +retry-1h +0 +- ", text, re.M), text
    assert re.search(rf"^  delivered +{wanted['delivered']}$", text, re.M), text
    assert "accounts in trouble: none" in text


# -- one order's way -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(kafka):
    """Retries come late, so that an order stays where it is looked at; no call is to time out, for its order would stay there too."""
    settings = {"pusher": {"retry_delays_s": "3600,3600,3600", "http_timeout_s": 10, "visibility_delay_s": 10}}
    with Shop("e2e-inspect-trace", broker=kafka, prefix="inspect2", settings=settings) as stack:
        stack.start()
        yield stack


def trace(stack, name):
    answer = ask(stack, "trace", name)
    times = [one["time"] for one in answer["records"]]
    assert times == sorted(times)
    return answer


def way(answer):
    return [one["stage"] for one in answer["records"]]


def test_trace_of_a_delivered_order(shop):
    placed = shop.place_and_wait(order(mail("trace"), billing={"first_name": "Rumpelstilzchen"}))
    answer = trace(shop, f"BC/{placed['id']}")
    assert way(answer) == ["raw", "eligible", "payloads", "delivered"]
    last = answer["records"][-1]
    assert last["order_id"].isdigit() and last["contact_id"].isdigit()
    assert answer["fate"] == last and answer["waiting"] is None
    text = shop.command("trace", "BC", f"#{placed['id']}").stdout
    assert text.startswith(f"BC #{placed['id']} ({key(placed)})\n") and "\nfate: delivered\n" in text
    assert len(re.findall(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  ", text, re.M)) == 4
    for output in (text, json.dumps(answer)):
        assert "Rumpelstilzchen" not in output and "example.com" not in output


def test_trace_of_a_skipped_order(shop):
    placed = shop.place_and_wait(order(mail("skipped"), status=7), wanted=("skipped", "status"))
    answer = trace(shop, f"BC #{placed['id']}")
    assert way(answer) == ["raw", "skipped"]
    assert answer["fate"]["reason"] == "status" and "status 7" in answer["fate"]["detail"]
    assert "\nfate: skipped status\n" in shop.command("trace", key(placed)).stdout


def test_trace_of_a_retrying_order(shop):
    shop.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match="retrying.order")
    placed = shop.place(order(mail("retrying.order")))
    wait_until(lambda: "retry-1m" in way(trace(shop, key(placed))), 60, shop.trouble)
    shop.clear_faults()
    answer = trace(shop, key(placed))
    assert way(answer) == ["raw", "eligible", "payloads", "retry-1m"]
    last = answer["records"][-1]
    assert last["reason"] == "retrying" and last["attempt"] == 1 and "HTTP 500" in last["detail"]
    assert last["not_before"] > last["time"]
    assert answer["fate"] is None and answer["waiting"] == {"stage": "retry-1m", "reason": "retrying"}
    entry = stuck(shop)[key(placed)]
    assert (entry["stage"], entry["reason"], entry["step"], entry["attempt"]) == ("retry-1m", "retrying", "contact", 1)
    assert "HTTP 500" in entry["detail"] and entry["next_try"] > last["time"]
    line = next(line for line in shop.command("stuck", "--scan").stdout.splitlines() if key(placed) in line)
    assert "attempt 1; next try in 59 min" in line


def test_trace_of_a_dead_order(shop):
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=422, match="DEADLINE",
               body='{"message":"no such thing","of":"RUMPELSTILZCHEN Miller","to":"someone@example.com"}')
    placed = shop.place_and_wait(order(mail("dead"), [item("DEADLINE", "DEADLINE")],
                                       billing={"first_name": "Rumpelstilzchen", "last_name": "Miller"}),
                                 wanted=("dead", "refused"))
    shop.clear_faults()
    answer = trace(shop, key(placed))
    assert way(answer) == ["raw", "eligible", "payloads", "dead"]
    payload, last = answer["records"][-2:]
    assert last["reason"] == "refused" and last["by"] == "pusher" and last["answer"] == "HTTP 422"
    for output in (shop.command("trace", key(placed)).stdout, json.dumps(answer)):
        assert not re.search("rumpelstilzchen|miller|example.com", output, re.I) and "HTTP 422" in output
    assert last["origin"] == f"{payload['topic']}/{payload['partition']}/{payload['offset']}"
    assert key(placed) not in stuck(shop)


def test_an_order_in_doubt(shop):
    """The answer to its create was lost, and it cannot be looked up."""
    numbers = [one["id"] for one in shop.orders()]
    name = f"bc-abc123-{max(numbers) + 1}"
    shop.fault(side="is", method="POST", path="/orders", kind="drop_after", match=name, count=1)
    shop.fault(side="is", method="GET", path="/orders", kind="status", status=500, match=name)
    placed = shop.place(order(mail("doubt")))
    assert name == f"bc-abc123-{placed['id']}"
    wait_until(lambda: stuck(shop).get(key(placed), {}).get("reason") == "in_doubt", 60, shop.trouble)
    shop.clear_faults()
    entry = stuck(shop)[key(placed)]
    assert entry["step"] == "order" and entry["stage"] == "retry-1m"


def test_an_order_that_is_sent_again_is_on_its_way_again(shop):
    """A dead order, published again with source = replay while the filter is stopped."""
    dead = shop.place_and_wait(order(mail("again"), tax="5.00", total_inc_tax="99.0000"), wanted=("dead", "total_mismatch"))
    delivered = shop.place_and_wait(order(mail("again")))
    shop.services["filter"].stop()
    try:
        for placed in (dead, delivered):
            record = next(r for r in shop.raw_records() if r.key == key(placed))
            write_topic(shop.broker.address, shop.topic("orders.raw"), record.key, record.value,
                        {**record.headers, "source": "replay"}, record.partition)
        found = stuck(shop)
        assert (found[key(dead)]["stage"], found[key(dead)]["replay"]) == ("raw", True)
        assert key(delivered) not in found, "what was delivered is delivered"
        assert trace(shop, key(delivered))["waiting"] is None
        # without the ledger: the same, by reading all of `delivered`
        newer = {**record.headers, "modified_at": int(record.headers["modified_at"]) + 86400_000}
        write_topic(shop.broker.address, shop.topic("orders.raw"), record.key, record.value, newer, record.partition)
        assert key(delivered) not in stuck(shop)
        shop.env["BIGFUSION_REDIS_URL"] = "redis://127.0.0.1:1/0"
        answer = shop.command("stuck", "--scan", "--json")
        assert "the ledger was not asked" in answer.stderr
        assert {one["key"] for one in json.loads(answer.stdout)["orders"]} == set(found)
    finally:
        shop.env.clear()
        shop.restart("filter")
    wait_until(lambda: key(dead) not in stuck(shop), 30, shop.trouble)


@pytest.mark.parametrize("path, stage, reason", [
    ("/orders", "waiting-orders.main", "ecommerce_unavailable"),
    ("/contacts", "waiting.main", "account_closed"),
])
def test_an_account_in_trouble(shop, path, stage, reason):
    shop.fault(side="is", method="POST", path=path, kind="status", status=403)
    placed = shop.place(order(mail("closed")))
    wait_until(lambda: stuck(shop).get(key(placed), {}).get("stage") == stage, 60, shop.trouble)
    assert stuck(shop)[key(placed)]["reason"] == reason
    answer = ask(shop, "status", "--scan")
    [account] = answer["accounts"]
    waiting = account["waiting" if stage == "waiting.main" else "waiting_orders"]
    assert waiting["records"] == 1 and waiting["newest_why"].startswith(reason)
    assert re.search(rf"main +1 records in {re.escape(stage)}; newest: {reason}", shop.command("status", "--scan").stdout)
    shop.clear_faults()
    shop.wait_fate(placed["id"], wanted=("delivered", None), timeout=60)
    wait_until(lambda: key(placed) not in stuck(shop), 30, shop.trouble)
    assert way(trace(shop, key(placed)))[-2:] == [stage, "delivered"]


def test_a_trace_shows_every_record_of_an_order(shop):
    """Of each order that the tests above placed, against all topics read by kcat."""
    shop.place_and_wait(order(mail("every")))
    changed = shop.place_and_wait(order(mail("every")))
    shop.change(changed["id"], status_id=5)
    wait_until(lambda: way(trace(shop, key(changed))).count("delivered") == 2, 30, shop.trouble)
    traced, there = {}, {}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        names = [name for name in shop.topics() if not re.search(r"\.(contacts|products|history|cursors)", name)]
        for name, records in zip(names, pool.map(lambda one: read_topic(shop.broker.address, one), names)):
            for record in records:
                there.setdefault(record.key, set()).add((name, record.partition, record.offset))
    for name in there:
        answer = trace(shop, name)
        traced[name] = {(one["topic"], one["partition"], one["offset"]) for one in answer["records"]}
        assert answer["cost"]["records"] >= len(answer["records"])
    assert traced == there and len(there) >= 2


def test_orders_that_nobody_knows(shop):
    answer = shop.command("trace", "BC/999999")
    assert "no record: no poll has seen it yet" in answer.stdout
    assert ask(shop, "trace", "999999")["records"] == []
    for words, message in ((["XX/1"], "no store has the code XX. Codes and hashes: BC (abc123)"),
                           (["BC/one"], "BC/one is no order"), ([], "something is missing; usage: bigfusion trace ORDER"),
                           (["BC/1", "--older", "5m"], "--older DURATION is no option of trace")):
        refused = shop.command("trace", *words, check=False)
        assert refused.returncode == 100 and message in refused.stderr, refused.stderr


# -- the page ------------------------------------------------------------------------------------------------------


def page_commands(title):
    """The commands of a section of docs/inspecting.md: its indented lines, or those that begin with `$ `."""
    with open(f"{ROOT}/docs/inspecting.md", encoding="utf-8") as file:
        section = re.split(r"^## ", file.read(), flags=re.M)
    text = next(part for part in section if part.startswith(title))
    return [line[4:] for line in text.splitlines() if line.startswith("    ")]


def test_the_commands_of_the_page(kafka):
    """Each command of docs/inspecting.md is run as it stands there; only the addresses are this test's."""
    with Shop("e2e-inspect-page", broker=kafka, prefix="bigfusion", orders=50) as stack:
        stack.start()
        stack.wait_drained(60)
        bins = f"{stack.run}/bin"
        os.makedirs(bins)
        os.symlink(binary("bigfusion"), f"{bins}/bigfusion")
        with open(f"{bins}/kafka-consumer-groups.sh", "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec java -Xmx128m -XX:TieredStopAtLevel=1 -cp '{ROOT}/build/kafka/lib/*'"
                       ' org.apache.kafka.tools.consumer.group.ConsumerGroupCommand "$@"\n')
            os.fchmod(file.fileno(), 0o755)
        env = {**stack.environment(), "PATH": f"{bins}:{os.environ['PATH']}"}

        def run(script):
            answer = subprocess.run(["bash", "-eu", "-c", script], env=env, capture_output=True, text=True, timeout=120,
                                    check=False)
            assert answer.returncode == 0, f"{script}: {answer.stdout}{answer.stderr}"
            return answer.stdout

        for title in ("One order", "Orders without an answer", "All of them"):
            commands = [line[2:] for line in page_commands(title) if line.startswith("$ ")]
            assert commands, title
            for command in commands:
                assert run(command), command
        lines = "\n".join(page_commands("The same with kcat"))
        lines = re.sub(r"(?m)^B=.*$", f"B={kafka.address}", lines)
        lines = re.sub(r"(?m)^R=.*$", f"R={stack.redis.url}", lines)
        lines = re.sub(r"(?m)^T=.*$", f"T={bins}", lines)
        lines = re.sub(r"(?m)^P=.*$", "P=0; O=0", lines)
        output = run(lines)
        for text in ("bigfusion.orders.raw/", "bigfusion.delivered/", "CURRENT-OFFSET", "state\n", "\nabc123 {", " reason=status\n"):
            assert text in output, text
        assert {one["lag_records"] for one in services(stack).values()} == {0}, "no group was moved"
