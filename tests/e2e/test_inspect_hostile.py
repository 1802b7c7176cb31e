"""`bigfusion status --scan`, `stuck --scan` and `trace` among records that anybody could have written, and where reading or writing fails."""

import json
import re
import subprocess
import time

import pytest
from processes import binary, read_topic, write_topic
from shop_stack import Shop
from test_kafka import kafka_tool

INPUTS = ("orders.raw", "orders.eligible", "orders.payloads", "retry-1m", "waiting.main")
FATES = ("skipped", "delivered", "dead")
LONG = "é" * 5000
# kcat takes its arguments as bytes; \udcff is the byte ff
HOSTILE = {"attempt": "4294967295", "modified_at": "999999999999999999", "polled_at": "999999999999999",
           "not_before": "999999999999999", "reason": "\x1b[2Jred", "detail": "xx" + LONG + "\udcff", "account": LONG,
           "answer": "\x1b[31mdoe@example.org", "origin": LONG, "stage": "\x9b31m", "kind": LONG, "source": "\x07"}
VALUE = (b'{"detail":"\\u001b[2J\\u009b","modified_at":9223372036854775807,"order_id":"\\u001b[31m",'
         b'"incomplete":[{"step":"tags","answer":"\\u001b\\u009b doe@example.org"}]}')


def partition_of(key, partitions):
    """Where the pipeline puts a key: FNV-1a, its halves mixed."""
    value = 2166136261
    for byte in key.encode():
        value = (value ^ byte) * 16777619 & 0xffffffff
    return (value ^ value >> 16) % partitions


@pytest.fixture(scope="module")
def stack(kafka):
    """Order 5 is in every input topic, order 6 in every topic. No service runs."""
    with Shop("e2e-inspect-hostile", broker=kafka, prefix="inspect4") as shop:
        shop.start_servers()
        shop.write_config()
        shop.command("topics", "create")
        shop.command("setup")

        def write(name, key, value, headers=None):
            place = partition_of(key, shop.partitions) if key and "\udcff" not in key else 0
            write_topic(kafka.address, shop.topic(name), key, value, headers, place)

        for name in INPUTS + FATES:
            if name in INPUTS:  # a compacted topic takes no record without a key
                write(name, None, b"no key")
            write(name, "\x1b]0;evil\x07\x1b[2J/order/1", b"{}", HOSTILE)
            write(name, "abc123/order/\udcff", b"\xff", HOSTILE)
            write(name, "abc123/order/6", VALUE, HOSTILE)
            write(name, "abc123/order/7", None)
        for name in INPUTS:
            write(name, "abc123/order/5", VALUE, HOSTILE)
        yield shop


def ask(stack, *words, **more):
    return subprocess.run([binary("bigfusion"), *words, "--config", stack.config], env=stack.environment(),
                          stdout=more.get("stdout", subprocess.PIPE), stderr=subprocess.PIPE, timeout=60, check=False)


@pytest.mark.parametrize("words", ["status --scan", "stuck --scan", "trace abc123/order/5", "trace abc123/order/6", "trace abc123/order/7",
                                   "peek abc123/order/5", "peek abc123/order/6", "peek abc123/order/7"])
def test_what_is_printed_is_clean_whatever_the_records_say(stack, words):
    text = ask(stack, *words.split())
    document = ask(stack, *words.split(), "--json")
    for answer in (text, document):
        assert (answer.returncode, answer.stderr) == (0, b""), "the ledger was asked, too"
        printed = answer.stdout.decode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", printed)
        assert "example.org" not in printed and max(len(line) for line in printed.splitlines()) < 15000
    json.loads(document.stdout)


def test_only_the_order_without_a_fate_is_stuck(stack):
    orders = {one["key"]: one for one in json.loads(ask(stack, "stuck", "--scan", "--json").stdout)["orders"]}
    assert set(orders) == {"abc123/order/5", "abc123/order/7"}
    assert orders["abc123/order/5"]["attempt"] == 4294967295 and orders["abc123/order/5"]["version"] is None
    answer = json.loads(ask(stack, "trace", "abc123/order/6", "--json").stdout)
    assert len(answer["records"]) == len(INPUTS + FATES) and answer["fate"]["stage"] == "delivered"


def test_stuck_says_that_the_ledger_was_not_asked(stack):
    """Its marker is gone, so nothing in it is believed until a pusher has rebuilt it."""
    marker = f"{stack.prefix}:ledger"
    stack.redis.command("RENAME", marker, "kept")
    try:
        answer = ask(stack, "stuck", "--scan", "--json")
    finally:
        stack.redis.command("RENAME", "kept", marker)
    assert b"the ledger was not asked (it is to be rebuilt or checked by a pusher)" in answer.stderr
    assert json.loads(answer.stdout)["count"] == 2


@pytest.mark.parametrize("words", ["status --scan", "stuck --scan --json", "trace BC/6", "help stuck"])
def test_an_answer_that_cannot_be_written_is_no_success(stack, words):
    with open("/dev/full", "w", encoding="utf-8") as full:
        answer = ask(stack, *words.split(), stdout=full)
    assert answer.returncode == 111 and b"cannot be written to standard output" in answer.stderr


def test_records_that_retention_has_taken_are_not_waited_for(stack, kafka):
    """The committed offset is below what the topic keeps, in one partition nothing is left at all."""
    group, topic = f"{stack.prefix}.mapper", stack.topic("orders.eligible")
    keys = [f"abc123/order/{number}" for number in range(1000, 1040)]
    kept = [key for key in keys if partition_of(key, stack.partitions) == 1]
    lost = [key for key in keys if partition_of(key, stack.partitions) == 2]
    now = int(time.time() * 1000)
    for key in kept + lost:
        write_topic(kafka.address, topic, key, b"{}", {"modified_at": now}, partition_of(key, stack.partitions))
    broker = ("--bootstrap-server", kafka.address)
    kafka_tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", *broker, "--group", group, "--topic", topic,
               "--reset-offsets", "--to-earliest", "--execute")
    path = f"{stack.run}/delete.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": 1, "partitions": [{"topic": topic, "partition": 2, "offset": -1}]}, file)
    kafka_tool("org.apache.kafka.tools.DeleteRecordsCommand", *broker, "--offset-json-file", path)
    found = {one["key"] for one in json.loads(ask(stack, "stuck", "--scan", "--json").stdout)["orders"]}
    assert set(kept) <= found and not set(lost) & found and kept and lost
    document = json.loads(ask(stack, "status", "--scan", "--json").stdout)
    mapper = next(one for one in document["services"] if one["service"] == "mapper")
    assert mapper["lag_records"] == len(read_topic(kafka.address, topic)) > len(kept)


def test_a_topic_that_is_missing_is_named(stack, kafka):
    kafka_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", kafka.address, "--delete", "--topic",
               stack.topic("waiting-orders.main"))
    for words in (["status", "--scan"], ["stuck", "--scan"], ["trace", "BC/6"]):
        answer = ask(stack, *words)
        assert answer.returncode == 111
        assert b"inspect4.waiting-orders.main does not exist; run `bigfusion topics create`" in answer.stderr
