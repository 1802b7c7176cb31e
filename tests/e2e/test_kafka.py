"""Kafka's edges: batches and limits, what a topic is like, long settings, and ends that do not wait for ever."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest
from processes import ROOT, RUNS, Process, Tail, binary, free_port, http_call, read_topic, wait_until, write_topic
from shop import mail, order
from stack import Stack
from test_stage import StageRun

STOP_WITHIN_S = 30  # STOP_LIMIT_S of common/base/stop.h, and what a busy machine adds


def kafka_tool(name, *words):
    """One of Kafka's own command line tools."""
    answer = subprocess.run(["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{ROOT}/build/kafka/lib/*", name, *words],
                            capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0 and "Error" not in answer.stdout, answer.stdout + answer.stderr
    return answer.stdout


def set_topic(kafka, topic, setting):
    kafka_tool("kafka.admin.ConfigCommand", "--bootstrap-server", kafka.address, "--alter", "--entity-type", "topics",
               "--entity-name", topic, "--add-config", setting)


@pytest.fixture
def run(kafka, request):
    """The stage alone, with topics of its own on the real Kafka."""
    stack = StageRun(f"e2e-{request.node.name}", kafka)
    yield stack
    stack.stop()


# -- batches -------------------------------------------------------------------------------------------------------


def test_a_batch_is_never_larger_than_its_topic_takes(kafka):
    """60 orders of 6 KB where a topic takes 64 KB: all delivered, none is called too large."""
    with Stack("e2e-batch", broker=kafka, prefix="batch", settings={"kafka": {"max_record_bytes": 65536}}) as stack:
        stack.start_servers()
        numbers = [stack.place(order(mail(), staff_notes="x" * 4000))["id"] for _ in range(60)]
        stack.start_services()
        for number in numbers:
            assert stack.wait_fate(number, timeout=60) == ("delivered", None)
        assert stack.tails["dead"].records == []
        texts = "".join(service.text() for service in stack.services.values())
        assert "one by one" not in texts, "a batch was refused"
        assert set(stack.stop().values()) == {0}


def test_a_batch_that_the_broker_refuses_is_sent_again_record_by_record(run, kafka):
    """The limit of a topic was lowered after it was made."""
    run.create_topics()
    set_topic(kafka, run.topic("delivered"), "max.message.bytes=16000")
    run.generate(2000)
    output = run.follow_output()
    copy = run.start_copy()
    wait_until(lambda: output.count >= 2000, 60, lambda: f"{output.count} records; {copy.tail()}")
    assert "its records are sent one by one" in copy.text()
    assert run.stop() == [0]
    run.assert_all_there(2000)
    assert read_topic(kafka.address, run.topic("dead")) == []


def test_batch_size_is_not_to_be_overridden(run):
    with open(run.config, "a", encoding="utf-8") as file:
        file.write("[librdkafka]\nbatch.size = 900000\n")
    answer = subprocess.run([binary("bench-stage")], env=run.environment(), capture_output=True, text=True, timeout=30,
                            check=False)
    assert answer.returncode == 100
    assert "[librdkafka] batch.size: set by the program" in answer.stderr


# -- topics --------------------------------------------------------------------------------------------------------


def test_topics_create_sets_min_insync_replicas_and_names_what_differs(run, kafka):
    run.create_topics()
    described = kafka_tool("kafka.admin.ConfigCommand", "--bootstrap-server", kafka.address, "--describe", "--entity-type",
                           "topics", "--entity-name", run.topic("retry-1m"))
    assert "min.insync.replicas=1 " in described and "message.timestamp.type=LogAppendTime " in described
    again = run.command("topics", "create")
    assert "topics: 0 created" in again.stdout and "differs" not in again.stdout
    set_topic(kafka, run.topic("delivered"), "max.message.bytes=4000000")
    set_topic(kafka, run.topic("orders.raw"), "retention.ms=-1")
    more = run.command("topics", "create")
    for line in (f"differs {run.topic('delivered')}: max.message.bytes is 4000000, expected 2097152 (more: accepted)",
                 f"differs {run.topic('orders.raw')}: retention.ms is -1, expected 2592000000 (more: accepted)"):
        assert line in more.stdout, more.stdout
    set_topic(kafka, run.topic("orders.raw"), "max.message.bytes=500000,retention.ms=3600000")
    run.settings = {"kafka": {"partitions": 5}}
    run.write_config()
    answer = run.command("topics", "create", check=False)
    assert answer.returncode == 100, answer.stderr
    raw = run.topic("orders.raw")
    for line in (f"differs {raw}: max.message.bytes is 500000, expected 1048576",
                 f"differs {raw}: retention.ms is 3600000, expected 2592000000",
                 f"differs {raw}: partitions is 4, expected 5"):
        assert line in answer.stdout
    assert "nothing was changed" in answer.stderr
    after = kafka_tool("kafka.admin.ConfigCommand", "--bootstrap-server", kafka.address, "--describe", "--entity-type",
                       "topics", "--entity-name", raw)
    assert "max.message.bytes=500000 " in after


# -- settings ------------------------------------------------------------------------------------------------------


def test_a_list_of_many_brokers_is_read_whole(run, kafka):
    """Only the last of the list answers."""
    run.create_topics()
    run.generate(10)
    run.settings = {"kafka": {"brokers": "127.0.0.1:1," * 40 + kafka.address}}
    run.write_config()
    output = run.follow_output()
    copy = run.start_copy()
    wait_until(lambda: output.count == 10, 60, copy.tail)
    assert run.stop() == [0]


# -- ends ----------------------------------------------------------------------------------------------------------


def under_way(stack):
    """Work for every program, of which some is done."""
    for _ in range(60):
        stack.place(order(mail()))
    wait_until(lambda: stack.services["pusher"].text().count(" delivered ") > 10, 60, stack.trouble)


def delete_topics(kafka, pattern):
    kafka_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", kafka.address, "--delete", "--topic", pattern)


def term_ends_all(stack):
    """TERM to every program; asserts that each ends within its limit, by itself."""
    start = time.monotonic()
    for process in stack.services.values():
        process.terminate()
    ends = {name: (process.wait(STOP_WITHIN_S), time.monotonic() - start) for name, process in stack.services.items()}
    print(f"ends: {ends}")
    assert all(status in (0, 111) for status, _ in ends.values()), f"{ends}; {stack.trouble()}"
    return ends


@pytest.mark.parametrize("remade", [False, True], ids=["deleted", "made-anew"])
def test_term_ends_every_program_while_its_topics_are_deleted(kafka, remade):
    with Stack(f"e2e-deleted-{remade}", broker=kafka, prefix=f"deleted{int(remade)}") as stack:
        stack.start()
        under_way(stack)
        delete_topics(kafka, rf"{stack.prefix}\.(orders\.eligible|orders\.payloads|retry.*|delivered|cursors)")
        for _ in range(20):
            stack.place(order(mail()))
        if remade:
            stack.command("topics", "create")
        else:  # the mapper or the filter has a record for a topic that is not there
            wait_until(lambda: "is missing" in stack.services["filter"].text() + stack.services["mapper"].text(), 60,
                       stack.trouble)
        term_ends_all(stack)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "frozen"])
def test_term_ends_every_program_while_the_broker_is(kafka, how):
    with Stack(f"e2e-broker-{how.name}", broker=kafka, prefix=f"broker{how.value}") as stack:
        stack.start()
        under_way(stack)
        try:
            kafka.process.signal(how)
            for _ in range(20):
                stack.place(order(mail()))
            term_ends_all(stack)
        finally:
            if how == signal.SIGKILL:
                kafka.process.kill()
                kafka.start()
            else:
                kafka.process.signal(signal.SIGCONT)


@pytest.mark.parametrize("name", ["poller", "filter", "pusher"])
def test_a_fatal_producer_ends_the_program_with_111(name):
    """The pusher's fates have a producer of their own: it is the one that meets the error there."""
    with Stack(f"e2e-fatal-{name}") as stack:
        stack.start_servers()
        stack.write_config()
        stack.command("setup")
        stack.fault(side="is", method="POST", path="/orders", kind="status", status=400)
        stack.place(order(mail()))
        before = {"poller": [], "filter": ["poller"], "pusher": ["poller", "filter", "mapper"]}[name]
        for service in before:
            stack.start_service(service)
        output = {"filter": "orders.raw", "pusher": "orders.payloads"}
        if before:
            wait_until(lambda: read_topic(stack.broker.address, stack.topic(output[name])), 60, stack.trouble)
            for service in before:
                assert stack.services[service].stop() == 0
        stack.broker.process.signal(signal.SIGUSR1)
        wait_until(lambda: "is refused" in stack.broker.process.text(), 10, "the broker to take the signal")
        process = stack.start_service(name)
        wait_until(lambda: not process.alive(), 60, process.tail)
        assert process.popen.returncode == 111, process.tail()
        assert "producer is fatal" in process.text()
        process.forget()


# -- poison --------------------------------------------------------------------------------------------------------

SHORT_SESSION = {"BIGFUSION_KAFKA_SESSION_TIMEOUT_MS": "2000"}  # a killed copy's partitions come back soon


def start_until_poison(run, workers, key, starts_most):
    """Starts copies that end at the record with that key until one sets it aside. Returns how many ended."""
    dead = run.tails["dead"] = Tail(run.broker.address, run.topic("dead"), "dead")
    for ended in range(starts_most + 1):
        copy = run.start_copy(workers, BENCH_DIES_AT=key, **SHORT_SESSION)
        wait_until(lambda: not copy.alive() or dead.count > 0, 60, copy.tail)
        if dead.count > 0:
            assert "poison set aside" in copy.text() and " error " in copy.text()
            return ended
        assert copy.popen.returncode == -signal.SIGKILL
        copy.forget()
    raise AssertionError(f"{starts_most} starts ended; {copy.tail()}")


def assert_only_dead(run, key):
    dead = read_topic(run.broker.address, run.topic("dead"))
    assert [(r.key, r.headers["reason"], r.headers["stage"]) for r in dead] == [(key, "poison", "pass")]
    return dead[0]


@pytest.mark.parametrize("workers", [0, 8])
def test_a_record_that_ends_a_program_three_times_is_dead_poison(run, workers):
    run.create_topics()
    raw = run.topic("orders.raw")
    for number, partition in ((1, 0), (2, 0), (3, 1)):
        write_topic(run.broker.address, raw, f"abc123/order/{number}", b"value %d" % number, {"store": "abc123"}, partition)
    assert start_until_poison(run, workers, "abc123/order/1", 3) == 3
    record = assert_only_dead(run, "abc123/order/1")
    assert record.value == b"value 1" and record.headers["origin"] == f"{raw}/0/0" and record.headers["store"] == "abc123"
    output = run.follow_output()
    wait_until(lambda: {r.key for r in list(output.records)} == {"abc123/order/2", "abc123/order/3"}, 30, run.copies[-1].tail)
    assert run.copies[-1].stop() == 0


@pytest.mark.parametrize("workers", [0, 8])
def test_poison_among_many_records_is_found_and_no_other_is_condemned(run, workers):
    run.create_topics()
    run.generate(400)
    output = run.follow_output()
    ended = start_until_poison(run, workers, "abc123/order/99", 30)
    print(f"workers={workers} starts that ended: {ended}")
    wait_until(lambda: len({r.key for r in list(output.records)}) == 399, 60, run.copies[-1].tail)
    assert run.copies[-1].stop() == 0
    assert_only_dead(run, "abc123/order/99")


def test_a_program_that_is_killed_while_it_has_nothing_condemns_no_record(run):
    run.create_topics()
    for _ in range(4):
        copy = run.start_copy(**SHORT_SESSION)
        wait_until(lambda: "assigned" in copy.text(), 60, copy.tail)
        copy.kill()
    write_topic(run.broker.address, run.topic("orders.raw"), "abc123/order/1", b"good", partition=0)
    output = run.follow_output()
    copy = run.start_copy(**SHORT_SESSION)
    wait_until(lambda: output.count == 1, 60, copy.tail)
    assert "poison" not in copy.text()
    assert copy.stop() == 0


def test_a_record_under_which_the_pusher_ends_is_dead_poison(kafka):
    """Ended by SIGKILL, three times, each time while the order is under way; other orders are delivered."""
    settings = {"kafka": {"session_timeout_ms": 2000},
                "pusher": {"lease_s": 7, "workers": 4, "http_timeout_s": 6, "visibility_delay_s": 6}}
    with Stack("e2e-poison-pusher", broker=kafka, prefix="poison", settings=settings) as stack:
        stack.start(("poller", "filter", "mapper"))
        bad = mail("poison")
        stack.fault(side="is", method="GET", path="/contacts", match=bad.split("@")[0], kind="delay", delay_ms=5500)
        number = stack.place(order(bad))["id"]
        for _ in range(3):
            fired = stack.call("GET", "/sandbox/faults")[0]["fired"]
            pusher = stack.start_service("pusher")
            wait_until(lambda: stack.call("GET", "/sandbox/faults")[0]["fired"] > fired, 60, pusher.tail)
            pusher.kill()
        good = stack.place(order(mail("good")))["id"]
        stack.start_service("pusher")
        assert stack.wait_fate(number, timeout=60) == ("dead", "poison")
        assert stack.wait_fate(good, timeout=60) == ("delivered", None)
        assert 'bigfusion_alarms_total{kind="poison"} 1' in stack.metrics("pusher")


# -- health --------------------------------------------------------------------------------------------------------


def seconds_beside_half_asked(port, path):
    """How long an answer takes beside 300 connections whose requests do not end."""
    half = []
    try:
        for number in range(300):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\nX-Number: %d\r\n" % number)
            half.append(connection)
        start = time.monotonic()
        assert http_call(f"127.0.0.1:{port}", "GET", path, timeout=20)[0] == 200
        took_s = time.monotonic() - start
        half[0].settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            while half[0].recv(1024):  # it is told that it was too slow, or just closed
                pass
        return took_s
    finally:
        for connection in half:
            connection.close()


def test_healthz_does_not_wait_for_300_half_asked_connections(run):
    """They are dropped after 3 s. Of three answers one at least comes before that, however busy the machine is."""
    port = free_port()
    copy = run.start_copy(BIGFUSION_HEALTH_LISTEN=f"127.0.0.1:{port}")
    wait_until(lambda: "listening for=health" in copy.text(), 20, copy.tail)
    for path in ("/healthz", "/metrics"):
        assert any(seconds_beside_half_asked(port, path) < 2.5 for _ in range(3)), path
