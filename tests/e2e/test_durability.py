"""Nothing lost and nothing doubled, on a real Apache Kafka, whatever is killed, cut or emptied."""

import itertools
import signal
import time

import pytest
from processes import Tail, wait_until
from shop import mail, order
from shop_stack import Shop
from stack import SERVICES

ORDERS = 2000
_prefixes = itertools.count(1)

# a service's progress shows in the topic that it writes
OUTPUT = {"poller": "orders.raw", "filter": "orders.eligible", "mapper": "orders.payloads", "pusher": "delivered"}


@pytest.fixture
def start(kafka, request):
    """start(**arguments of Stack): a stack with its own topics on the shared Kafka, stopped after the test.

    paced: until clear_faults() the store lists a hundred orders a second at most, so that what is done meanwhile comes
    in the middle of them, however fast the services are.
    """
    stacks = []

    def make(services=SERVICES, paced=False, **arguments):
        settings = {"pusher": {"workers": 16}, **({"poller": {"page_size": 10}} if paced else {}),
                    **arguments.pop("settings", {})}
        stack = Shop(f"e2e-{request.node.name}", broker=kafka, prefix=f"t{next(_prefixes)}", settings=settings,
                     **arguments)
        stacks.append(stack)
        stack.start_servers()
        if paced:
            stack.fault(side="bc", path="/orders", match="sort=", kind="delay", delay_ms=100)
        return stack.start_services(services)

    yield make
    for stack in stacks:
        stack.stop()


@pytest.mark.parametrize("service", OUTPUT)
def test_kill_9_in_the_middle_loses_and_doubles_nothing(start, service):
    others = [name for name in OUTPUT if name != service]
    stack = start(services=others, paced=True, orders=ORDERS)
    progress = Tail(stack.broker.address, stack.topic(OUTPUT[service]), service)
    try:
        for share in (16, 6):  # twice: soon after its start, and again with the inheritance of the first
            stack.start_service(service)
            wait_until(lambda n=share: progress.count >= ORDERS // n, 90, f"{service} to be in the middle")
            stack.kill(service)
            killed_ms = time.time() * 1000
        stack.clear_faults()
        stack.start_service(service)
        stack.wait_drained(150)
        stack.assert_right(lost=0, duplicated=0)
        before = {record.key for record in progress.records if record.timestamp_ms <= killed_ms}
        after = {record.key for record in progress.records} - before
        assert before and after, "killed too early or too late to show anything"
    finally:
        progress.stop()


def test_lost_answers_of_order_creates(start):
    stack = start(services=["poller", "filter", "mapper"], orders=1000)
    stack.fault(side="is", method="POST", path="/orders", kind="drop_after", share=0.05)
    stack.fault(side="is", method="POST", path="/orders", kind="status", status=503, share=0.05)
    stack.start_service("pusher")
    stack.wait_drained(150)
    judge = stack.assert_right(lost=0, duplicated=0)
    dropped = [e for e in judge.journal if e.get("fault") == "drop_after"]
    assert len(dropped) >= 10, "the fault did happen"


def test_flushall_in_the_middle(start):
    stack = start(orders=300, store={"start_from": "now"}, settings={"pusher": {"workers": 4}},
                  sandbox=["--answer-delay-ms", "20"])
    old = [one["id"] for one in stack.orders()]
    stack.expect_resolved_starts()
    # what is placed from now on is to be synced; everything before it is not, even where it changes
    for number in range(400):
        stack.place(order(mail("flush")))
        if number < 40:
            stack.change(old[number], status_id=11)
    wait_until(lambda: len(stack.tails["delivered"].records) >= 100, 90, "a third to be delivered")
    assert stack.redis.command("FLUSHALL") == b"OK"
    assert len(stack.tails["delivered"].records) < 400, "emptied too late to show anything"
    for number in old[40:80]:
        stack.change(number, status_id=10)
    stack.wait_drained(180)
    judge = stack.assert_right(lost=0, duplicated=0)
    assert judge.created == 400
    assert len(old) == 300
    assert not [number for number in old if f"bc-abc123-{number}" in judge.creates], "an order of before the start"


def freeze(kafka, seconds):
    """Kafka answers nobody for a while."""
    kafka.process.signal(signal.SIGSTOP)
    try:
        frozen = time.monotonic()
        wait_until(lambda: time.monotonic() - frozen > seconds, seconds + 5, "Kafka to be frozen long enough")
    finally:
        kafka.process.signal(signal.SIGCONT)


def test_kafka_frozen_while_orders_are_on_their_way(start, kafka):
    copies = [*OUTPUT, "filter-2", "mapper-2"]
    stack = start(services=copies, paced=True, stores=3, orders=700)
    wait_until(lambda: len(stack.tails["delivered"].records) >= 20, 60, "some orders to be delivered")
    stack.start_service("pusher-2")  # its joining takes partitions away from the first while that waits for Kafka
    for seconds in (4, 5, 9):  # the last one is longer than a session: every group loses its members
        freeze(kafka, seconds)
        moved = len(stack.tails["delivered"].records)
        more = stack.place(order(mail("frozen")))["id"]  # all others may be delivered by now
        wait_until(lambda n=moved, m=more: len(stack.tails["delivered"].records) > n or stack.fate(m), 60, "deliveries to go on")
    kafka.wait_ready()
    stack.clear_faults()
    stack.wait_drained(120)
    stack.assert_right(lost=0, duplicated=0)


def test_three_stores_with_equal_ids_and_several_copies_of_each_service(start):
    copies = ["poller", "poller-2", "filter", "filter-2", "mapper", "mapper-2", "mapper-3", "pusher", "pusher-2"]
    stack = start(services=copies, stores=3, orders=900)
    stack.wait_drained(150)
    stack.assert_right(lost=0, duplicated=0)
    ids = [{order["id"] for order in stack.orders(one["hash"])} for one in stack.stores]
    assert len(ids[0] & ids[1] & ids[2]) >= 250, "the stores have equal order ids"
    for name in ("filter", "mapper", "pusher"):
        assert stack.services[f"{name}-2"].alive()


def test_published_bytes_are_the_stores_bytes(start):
    stack = start(services=["poller", "filter", "mapper", "pusher"], orders=150)
    stack.wait_drained(60)
    newest = {record.key: record.value for record in stack.raw_records()}
    assert len(newest) == 150
    completed = 0
    for key, value in newest.items():
        own = stack.raw(key.split("/")[2])
        if value != own:
            head, mark, _ = value.rpartition(b',"bigfusion":')
            assert mark and head + b"}" == own, f"{key}: other bytes than the store's"
            completed += 1
    assert completed >= 1, "some had to be completed, and only by the member `bigfusion`"
