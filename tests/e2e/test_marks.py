"""Hand-out marks: where a group stands, what Kafka knows of what was handed out, whoever is killed, reset or replaced."""

import collections
import re
import signal
import subprocess
import types

import pytest
from processes import binary, read_topic, wait_until, write_topic
from shop import mail, order
from stack import Stack
from test_stage import StageRun

BLOCK = 8
MARKS = {"BENCH_MARKS": str(BLOCK), "BIGFUSION_KAFKA_SESSION_TIMEOUT_MS": "2000"}  # a killed copy's partitions come back soon
# Where a record must be handed out once: a copy that is not killed does not lose its partitions, however busy the machine is.
LONG = {"BIGFUSION_KAFKA_SESSION_TIMEOUT_MS": "10000"}
ROUNDS = 5
MISSING = "no hand-out marks found"


class MarkRun(StageRun):
    """Copies of the stage, and a look at where their group stands."""

    def ask_places(self, **env):
        answer = subprocess.run([binary("kafka-places")], capture_output=True, text=True, timeout=60, check=False,
                                env={**self.environment(), "PLACES_GROUP": self.topic("pass"),
                                     "PLACES_TOPICS": self.topic("orders.raw"), **env})
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.splitlines()

    def places(self, **env):
        """By partition: low, end, committed, mark. None: there is none."""
        found = {}
        for line in self.ask_places(**env):
            if not line.startswith("record "):
                _, partition, *numbers = line.split()
                found[int(partition)] = types.SimpleNamespace(**{
                    name: int(number) if int(number) >= 0 else None
                    for name, number in zip(("low", "end", "committed", "mark"), numbers, strict=True)})
        return found

    def between(self):
        """By partition: the offsets from the committed one to the mark, read one by one."""
        found = collections.defaultdict(list)
        for line in self.ask_places(PLACES_READ="1"):
            if line.startswith("record "):
                _, _, partition, offset, key = line.split()
                found[int(partition)].append((int(offset), key))
        return found

    def commit(self, partition, offset, metadata=""):
        """As somebody who knows nothing of marks; the group must have no member."""
        self.ask_places(PLACES_COMMIT=f"{partition} {offset} {metadata}")

    def start_marked(self, workers=8, **env):
        return self.start_copy(workers, **{**MARKS, **env})

    def handed(self):
        """By partition: the first offset above all that any copy handed out so far."""
        found = collections.defaultdict(int)
        for copy in self.copies:
            with open(copy.log, encoding="utf-8", errors="replace") as file:
                for partition, offset in re.findall(r"^handed (\d+) (\d+)$", file.read(), re.M):
                    found[int(partition)] = max(found[int(partition)], int(offset) + 1)
        return found

    def assert_marked(self):
        """What was handed out before the marks are read is below them. Returns the places. Where there is no mark (yet),
        whoever looks for it takes all that is there for handed out."""
        handed = self.handed()
        places = self.places()
        for partition, above in handed.items():
            place = places[partition]
            assert (place.end if place.mark is None else place.mark) >= above, (partition, above, places)
        return places

    def assert_no_room_between(self, places):
        """All was handed over and given back: a rebuild would take no record for begun."""
        for partition, place in places.items():
            assert place.committed == place.mark == place.end, (partition, places)

    def write(self, numbers, partition=0):
        for number in numbers:
            write_topic(self.broker.address, self.topic("orders.raw"), f"abc123/order/{number}", b"value", partition=partition)


@pytest.fixture
def run(kafka, request):
    stack = MarkRun(f"e2e-{request.node.name}", kafka)
    stack.create_topics()
    wait_until(lambda: all(p.end == 0 for p in stack.places(PLACES_TOPICS=stack.topic("delivered")).values()), 20,
               "leaders of the topics")
    yield stack
    stack.stop()


@pytest.fixture
def output(run):
    return run.follow_output()


# -- where a group stands --------------------------------------------------------------------------------------------


def test_the_places_of_a_group_and_what_lies_between(run):
    run.write(range(5), partition=0)
    run.write(range(5, 8), partition=2)
    assert {n: vars(p) for n, p in run.places().items()} == {
        0: {"low": 0, "end": 5, "committed": None, "mark": None}, 1: {"low": 0, "end": 0, "committed": None, "mark": None},
        2: {"low": 0, "end": 3, "committed": None, "mark": None}, 3: {"low": 0, "end": 0, "committed": None, "mark": None}}
    run.commit(0, 1, "v1 offset=1 key=0 deaths=1 state=open mark=3")
    run.commit(2, 1, "from a tool")
    places = run.places()
    assert (places[0].committed, places[0].mark) == (1, 3)
    assert (places[2].committed, places[2].mark) == (1, None)
    # from the committed offset to the mark; without a mark to the end
    assert run.between() == {0: [(1, "abc123/order/1"), (2, "abc123/order/2")],
                             2: [(1, "abc123/order/6"), (2, "abc123/order/7")]}
    run.commit(0, 4, "v1 mark=100")  # beyond the end: there is no record to wait for
    run.commit(2, 3, "v1 mark=3")
    assert run.between() == {0: [(4, "abc123/order/4")]}


# -- the mark goes ahead of the records ------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 8])
def test_the_mark_is_in_kafka_before_a_record_is_worked_at(run, output, workers):
    copy = run.start_marked(workers, **LONG)
    wait_until(lambda: all(p.mark == 0 for p in run.places().values()), 60, copy.tail)
    looks = rounds = 0
    while looks == 0 and rounds < ROUNDS:  # the copy may be done before the first look
        run.generate(3000)
        rounds += 1
        while output.count < 3000 * rounds:
            assert copy.alive(), copy.tail()
            places = run.assert_marked()
            assert all(p.mark is not None for p in places.values())
            ahead = [p.mark - p.committed for p in places.values() if p.mark is not None]
            looks += 0 < max(ahead, default=0)
    assert looks > 0
    assert MISSING not in copy.text()  # empty topics: nobody can have handed out anything
    assert copy.stop() == 0
    run.assert_no_room_between(run.assert_marked())
    assert run.assert_all_there(3000) == 3000 * (rounds - 1)


def test_one_record_moves_the_mark_by_one_block_and_a_clean_stop_gives_it_back(run, output):
    run.write([1], partition=1)
    copy = run.start_marked(**LONG)
    wait_until(lambda: output.count == 1, 60, copy.tail)
    assert MISSING + ", all that is there is taken for handed out partitions=1" in copy.text()
    run.write([2], partition=1)
    wait_until(lambda: output.count == 2, 60, copy.tail)
    assert run.assert_marked()[1].mark == 1 + BLOCK
    assert copy.stop() == 0
    run.assert_no_room_between(run.places())


def test_kills_never_leave_a_mark_below_what_was_handed_out(run, output):
    run.generate(6000)
    for share in range(1, 6):
        copy = run.start_marked()
        wait_until(lambda n=share: output.count >= 800 * n, 60, lambda: f"{output.count}; {copy.tail()}")
        copy.kill()
        run.assert_marked()
    copy = run.start_marked()
    wait_until(lambda: "assigned partitions=4" in copy.text(), 60, copy.tail)
    wait_until(lambda: len({r.key for r in list(output.records)}) == 6000, 60, lambda: f"{output.count}; {copy.tail()}")
    assert copy.stop() == 0
    run.assert_marked()
    assert "no hand-out marks found" not in copy.text(), "the one before left some"
    run.assert_all_there(6000)


def test_copies_that_come_go_and_freeze_keep_the_marks(run, output):
    """Partitions go from one to the other while marks move; a frozen copy wakes up when another one has its partitions."""
    run.generate(12000)
    first = run.start_marked()
    wait_until(lambda: output.count >= 1000, 60, first.tail)
    second = run.start_marked()
    wait_until(lambda: "assigned partitions=2" in second.text(), 60, second.tail)
    run.assert_marked()
    first.signal(signal.SIGSTOP)
    wait_until(lambda: "assigned partitions=4" in second.text(), 60, second.tail)
    run.assert_marked()
    first.signal(signal.SIGCONT)
    wait_until(lambda: second.text().count("assigned partitions=2") >= 2, 60, lambda: first.tail() + second.tail())
    run.assert_marked()
    assert first.stop() == 0
    run.assert_marked()
    second.kill()
    run.assert_marked()
    third = run.start_marked()
    wait_until(lambda: "assigned partitions=4" in third.text(), 60, third.tail)
    wait_until(lambda: len({r.key for r in list(output.records)}) == 12000, 90, lambda: f"{output.count}; {third.tail()}")
    assert third.stop() == 0
    run.assert_marked()
    run.assert_all_there(12000)


def test_a_record_that_outlasts_its_partition_writes_no_claim_any_more(run, output):
    """Kafka takes commits of any member for any partition, so such a claim would take the new owner's offset and mark back."""
    slow, count = "abc123/order/0", 40
    run.write(range(count))
    killed = run.start_marked(BENCH_DIES_AT=slow)
    wait_until(lambda: not killed.alive(), 60, killed.tail)
    killed.forget()
    first = run.start_marked(BENCH_SLEEPS_AT=slow)
    wait_until(lambda: "handed 0 0" in first.text(), 60, first.tail)
    others = [run.start_marked() for _ in range(3)]
    wait_until(lambda: "slept" in first.text(), 60, first.tail)
    wait_until(lambda: len({r.key for r in list(output.records)}) == count, 60, first.tail)
    wait_until(lambda: run.places()[0].committed == count, 30, lambda: f"{run.places()[0]}; {first.tail()}")
    run.assert_marked()
    assert [copy.stop() for copy in (first, *others)] == [0, 0, 0, 0]


def test_poison_is_found_beside_marks(run, output):
    run.generate(400)
    dead = run.topic("dead")
    for _ in range(30):
        copy = run.start_marked(BENCH_DIES_AT="abc123/order/99")
        wait_until(lambda: not copy.alive() or read_topic(run.broker.address, dead), 60, copy.tail, 0.3)
        if copy.alive():
            break
        copy.forget()
        run.assert_marked()
    wait_until(lambda: len({r.key for r in list(output.records)}) == 399, 60, copy.tail)
    assert copy.stop() == 0
    assert [r.key for r in read_topic(run.broker.address, dead)] == ["abc123/order/99"]
    run.assert_marked()


# -- marks that are missing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metadata", ["", "v1 offset=2 key=0 deaths=0 state=open", "v1 mark=1", "v1 mark=99999999999"],
                         ids=["reset", "older", "behind", "absurd"])
def test_a_mark_that_is_missing_or_unreadable_begins_at_the_end(run, output, metadata):
    run.write(range(5), partition=0)
    copy = run.start_marked(**LONG)
    wait_until(lambda: output.count == 5, 60, copy.tail)
    assert copy.stop() == 0
    run.commit(0, 2, metadata)
    run.write(range(5, 10), partition=0)
    copy = run.start_marked(BIGFUSION_KAFKA_SESSION_TIMEOUT_MS="6000")
    wait_until(lambda: output.count == 5 + 8, 60, copy.tail)
    lines = [line for line in copy.text().splitlines() if MISSING in line]
    assert len(lines) == 1 and lines[0].endswith("partitions=1") and " warn " in lines[0]
    wait_until(lambda: 10 < run.assert_marked()[0].mark <= 10 + BLOCK, 20, run.places)  # moved, for the last of them are handed over
    copy.kill()
    copy = run.start_marked()
    wait_until(lambda: "assigned partitions" in copy.text(), 60, copy.tail)
    assert copy.stop() == 0
    assert MISSING not in copy.text()


def test_a_stage_without_marks_writes_none_and_its_commits_take_them_away(run, output):
    run.write([1], partition=0)
    copy = run.start_marked(**LONG)
    wait_until(lambda: output.count == 1, 60, copy.tail)
    assert copy.stop() == 0
    assert run.places()[0].mark == 1
    run.write([2], partition=0)
    copy = run.start_copy()
    wait_until(lambda: output.count == 2, 60, copy.tail)
    assert copy.stop() == 0
    assert vars(run.places()[0]) == {"low": 0, "end": 2, "committed": 2, "mark": None}


# -- who writes marks ------------------------------------------------------------------------------------------------


def group_places(stack, group, topics):
    answer = subprocess.run([binary("kafka-places")], capture_output=True, text=True, timeout=60, check=True,
                            env={**stack.environment(), "PLACES_GROUP": stack.topic(group),
                                 "PLACES_TOPICS": ",".join(stack.topic(topic) for topic in topics)})
    return [line.split() for line in answer.stdout.splitlines()]


def test_the_pusher_marks_every_partition_it_reads_and_filter_and_mapper_none(kafka):
    with Stack("e2e-marks", broker=kafka, prefix="marks") as stack:
        stack.start()
        for number in [stack.place(order(mail()))["id"] for _ in range(10)]:
            assert stack.wait_fate(number, timeout=60) == ("delivered", None)
        inputs = ["orders.payloads", "retry-1m", "retry-10m", "retry-1h", "waiting.main", "waiting-orders.main"]
        places = wait_until(lambda: [p for p in [group_places(stack, "pusher", inputs)]
                                     if all(int(mark) >= 0 for *_, mark in p)], 20, stack.trouble)[0]
        assert len(places) == 4 * len(inputs)
        assert all(int(mark) >= int(end) for _, _, _, end, _, mark in places), places
        assert all(int(mark) == 0 for topic, *_, mark in places if "waiting" in topic or "retry" in topic), places
        assert set(stack.stop().values()) == {0}
        for group, topic in (("filter", "orders.raw"), ("mapper", "orders.eligible")):
            places = group_places(stack, group, [topic])
            assert any(int(committed) > 0 for *_, committed, _ in places)
            assert {mark for *_, mark in places} == {"-1"}
