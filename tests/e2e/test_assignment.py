"""Every partition that a stage is assigned is read."""

import signal

from processes import Tail, wait_until, write_topic
from stack import Stack

PARTITIONS = 4


def test_partitions_are_read_where_their_committed_offsets_were_refused():
    """The broker was not the group's coordinator just then. librdkafka 2.0.2 does not ask again."""
    with Stack("e2e-offset-fetch", partitions=PARTITIONS) as stack:
        stack.start_servers()
        stack.write_config()
        for partition in range(PARTITIONS):
            write_topic(stack.broker.address, stack.topic("orders.raw"), f"abc123/order/{partition}", b"no order",
                        partition=partition)
        stack.tails["dead"] = Tail(stack.broker.address, stack.topic("dead"), "dead")
        stack.broker.process.signal(signal.SIGUSR2)
        wait_until(lambda: "offset fetch is refused" in stack.broker.process.text(), 10, "the broker to be ready")
        filter_ = stack.start_service("filter")
        wait_until(lambda: {r.key for r in list(stack.tails["dead"].records)} ==
                   {f"abc123/order/{partition}" for partition in range(PARTITIONS)}, 40, filter_.tail)
        assert "the group is joined again" in filter_.text()
        assert set(stack.stop().values()) == {0}
