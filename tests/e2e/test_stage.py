"""The stage loop alone, on a real Apache Kafka: every record handed on, whatever is killed, scaled, late, missing or large.

The subject is tests/bench/stage: a stage whose handler passes records on, by itself or through eight threads.
"""

import collections
import itertools
import json
import os
import signal
import subprocess
import time
from types import SimpleNamespace

import pytest
from processes import Process, Tail, binary, read_topic, wait_until, write_topic
from stack import Stack

RECORDS = 20000
_prefixes = itertools.count(1)


class StageRun(Stack):
    """A stack without sandbox and Redis: topics, a generator and copies of the stage."""

    def __init__(self, run, broker):
        super().__init__(run, broker=broker, prefix=f"stage{next(_prefixes)}")
        self.redis, self.sandbox = SimpleNamespace(url="redis://127.0.0.1:1/0", stop=lambda: None), None
        self.url = "http://127.0.0.1:1"
        self.copies = []
        self.write_config()

    def create_topics(self):
        self.command("topics", "create")

    def generate(self, count):
        subprocess.run([binary("bench-generate")], env={**self.environment(), "BENCH_ORDERS": str(count)}, check=True,
                       timeout=120)

    def start_copy(self, workers=0, **env):
        name = f"pass-{len(self.copies) + 1}"
        self.copies.append(Process(name, [binary("bench-stage")], self.run,
                                   env={**self.environment(), "BENCH_WORKERS": str(workers), **env}))
        return self.copies[-1]

    def follow_output(self):
        self.tails["output"] = Tail(self.broker.address, self.topic("delivered"), "output")
        return self.tails["output"]

    def complaints(self):
        """Log lines about offsets that were skipped."""
        return [line for copy in self.copies for line in open(copy.log, encoding="utf-8")
                if "gap in the offsets" in line or "offsets missing" in line]

    def stop(self):
        statuses = [copy.stop() for copy in self.copies if copy.alive()]
        super().stop()
        return statuses

    def assert_all_there(self, count):
        keys = collections.Counter(r.key for r in read_topic(self.broker.address, self.topic("delivered")))
        wanted = {f"abc123/order/{i}" for i in range(1, count + 1)}
        assert wanted - set(keys) == set(), "lost"
        assert set(keys) - wanted == set()
        assert self.complaints() == []
        return sum(keys.values()) - count


@pytest.fixture
def run(kafka, request):
    stack = StageRun(f"e2e-{request.node.name}", kafka)
    yield stack
    stack.stop()


@pytest.mark.parametrize("workers", [0, 8])
def test_killed_and_scaled_in_the_middle(run, workers):
    run.create_topics()
    output = run.follow_output()
    first = run.start_copy(workers)
    run.generate(RECORDS // 2)
    wait_until(lambda: output.count > RECORDS // 10, 60, "the first records")
    first.kill()
    second = run.start_copy(workers)
    run.start_copy(workers)
    run.start_copy(workers)
    subprocess.run([binary("bench-generate")], check=True, timeout=120, env={
        **run.environment(), "BENCH_ORDERS": str(RECORDS // 2), "BENCH_FIRST": str(RECORDS // 2 + 1)})
    wait_until(lambda: output.count > RECORDS // 2, 60, "half of the records")
    assert second.stop() == 0
    wait_until(lambda: len({r.key for r in list(output.records)}) == RECORDS, 90, lambda: f"{output.count} records")
    assert set(run.stop()) == {0}
    run.assert_all_there(RECORDS)


def test_a_clean_stop_repeats_nothing(run):
    run.create_topics()
    output = run.follow_output()
    run.generate(RECORDS)
    patient = {"BIGFUSION_KAFKA_SESSION_TIMEOUT_MS": "30000"}  # a copy that a busy machine keeps waiting stays in the group
    for _ in range(2):
        copy = run.start_copy(**patient)
        wait_until(lambda: "assigned" in copy.text(), 60, copy.tail)
        assert copy.stop() == 0
    run.start_copy(**patient)
    wait_until(lambda: output.count >= RECORDS, 60, lambda: f"{output.count} records")
    assert run.stop() == [0]
    assert run.assert_all_there(RECORDS) == 0


def test_a_broker_that_is_killed_is_waited_for(run, kafka):
    run.create_topics()
    output = run.follow_output()
    run.generate(RECORDS)
    copy = run.start_copy()
    wait_until(lambda: output.count > RECORDS // 10, 60, "some records")
    copy.signal(signal.SIGSTOP)
    kafka.process.kill()
    copy.signal(signal.SIGCONT)
    kafka.start()
    keys = set()

    def all_there():
        assert copy.alive(), copy.tail()
        keys.update(r.key for r in read_topic(kafka.address, run.topic("delivered")))
        return len(keys) >= RECORDS
    wait_until(all_there, 90, lambda: f"{len(keys)} keys; {copy.tail()}", interval=0.5)
    run.stop()
    run.assert_all_there(RECORDS)


def test_topics_that_are_missing_are_waited_for(run):
    copy = run.start_copy()
    wait_until(lambda: "run bigfusion topics create" in copy.text(), 20, copy.tail)
    run.create_topics()
    run.generate(10)
    output = run.follow_output()
    wait_until(lambda: output.count == 10, 30, copy.tail)
    assert copy.alive()


def test_what_is_too_large_is_dead(run):
    run.create_topics()
    raw, address = run.topic("orders.raw"), run.broker.address
    write_topic(address, raw, "abc123/order/7", b"x" * 100000, {"store": "abc123"}, partition=0)
    write_topic(address, raw, "abc123/order/8", b"{}", partition=0)
    output = run.follow_output()
    dead = run.tails["dead"] = Tail(address, run.topic("dead"), "dead")
    run.start_copy(BIGFUSION_KAFKA_MAX_RECORD_BYTES="16384")
    wait_until(lambda: output.count == 1 and dead.count == 1, 30, run.copies[0].tail)
    record = dead.records[0]
    assert record.key == "abc123/order/7"
    assert json.loads(record.value) == {"id": "7", "size": 100000}
    assert record.headers["reason"] == "too_large" and record.headers["stage"] == "pass"
    assert record.headers["origin"] == f"{raw}/0/0" and record.headers["store"] == "abc123"
    assert run.stop() == [0]


@pytest.mark.parametrize("workers", [0, 8])
def test_a_record_is_not_handed_over_before_its_time(run, workers):
    """A partition's later records wait behind one that is not due; other partitions go on."""
    run.create_topics()
    raw, address = run.topic("orders.raw"), run.broker.address
    output = run.follow_output()
    copy = run.start_copy(workers)
    wait_until(lambda: "assigned" in copy.text(), 60, copy.tail)
    due_ms = int(time.time() * 1000) + 8000
    write_topic(address, raw, "abc123/order/1", b"late", {"not_before": str(due_ms)}, partition=0)
    write_topic(address, raw, "abc123/order/2", b"due", {"not_before": str(due_ms - 60000)}, partition=1)
    wait_until(lambda: output.count == 2, 30, copy.tail)
    by_key = {r.key: r for r in output.records}
    assert by_key["abc123/order/1"].timestamp_ms >= due_ms
    assert by_key["abc123/order/2"].timestamp_ms < due_ms
    # and the partition goes on afterwards
    write_topic(address, raw, "abc123/order/3", b"next", partition=0)
    wait_until(lambda: output.count == 3, 30, copy.tail)
    assert run.stop() == [0]
    assert run.complaints() == []
