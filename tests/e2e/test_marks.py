"""Hand-out marks: where a group stands, what Kafka knows of what was handed out, whoever is killed, reset or replaced."""

import collections
import subprocess
import types

import pytest
from processes import binary, write_topic
from test_stage import StageRun


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

    def write(self, numbers, partition=0):
        for number in numbers:
            write_topic(self.broker.address, self.topic("orders.raw"), f"abc123/order/{number}", b"value", partition=partition)


@pytest.fixture
def run(kafka, request):
    stack = MarkRun(f"e2e-{request.node.name}", kafka)
    stack.create_topics()
    yield stack
    stack.stop()


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
