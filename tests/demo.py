#!/usr/bin/python3
"""The demo: a store with 500 orders, the four services, an Infusionsoft account, all private and on this machine.

    python3 tests/demo.py [--orders N] [--seed S] [--keep]

Most orders are in the store when it starts; the last third is placed while everything runs, and some change their
status. Runs until every order has its answer, has the run judged and prints what became of it. --keep leaves
everything running afterwards, until Ctrl-C, and says what to look at.
"""

import argparse
import collections
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle  # noqa: E402
from processes import TimedOut, ticks  # noqa: E402
from stack import KEY, TOKEN, Stack, as_fate  # noqa: E402

PARTITIONS = 8
# The in-memory broker keeps 5 MiB per partition; an order takes up to 12 KB in its largest topic, keys spread unevenly.
ORDERS_MAX = 2000
DEADLINE = 240


class Progress:
    """One line that renews itself on a terminal, one line every two seconds elsewhere."""

    def __init__(self):
        self.started, self.said = time.monotonic(), 0

    def __call__(self, done, wanted):
        now = time.monotonic()
        terminal = sys.stdout.isatty()
        if now - self.said < (0.2 if terminal else 2) and done != wanted:
            return
        self.said = now
        text = f"{now - self.started:5.1f} s   {done:5d} of {wanted} orders have their answer"
        print(("\r" + text) if terminal else text, end="" if terminal else "\n", flush=True)

    def end(self):
        if sys.stdout.isatty():
            print()


def answers(stack):
    """{order key: (topic, reason)} of every order in every store; None where there is none."""
    records = collections.defaultdict(list)
    for tail in stack.tails.values():
        for record in list(tail.records):
            records[record.key].append(as_fate(record))
    return {key: oracle.final_fate(records[key]) for key in stack.wanted_fates()}


def row(name, value):
    print(f"  {name:<32}{value:>8}")


def table(stack, judge, found):
    counts = collections.Counter(found.values())
    reasons = collections.Counter(found.values())
    polled = len({r.key for r in stack.raw_records()})
    print()
    row("polled", polled)
    for (topic, reason), count in sorted(reasons.items(), key=lambda x: str(x[0])):
        if topic == "skipped":
            row(f"skipped {reason}", count)
    row("delivered", counts[("delivered", None)])
    for (topic, reason), count in sorted(reasons.items(), key=lambda x: str(x[0])):
        if topic == "dead":
            row(f"dead {reason}", count)
    delays = judge.delays()
    if delays:
        row("placed to created, p50", f"{delays[len(delays) // 2]:.2f} s")
        row("placed to created, p99", f"{delays[min(len(delays) - 1, len(delays) * 99 // 100)]:.2f} s")
        print(f"  (over the {len(delays)} orders that were placed, or paid, while everything ran)")
    print()


def look_at(stack):
    kcat = f"kcat -b {stack.broker.address} -C -e -q -o beginning"
    print("Everything is left running. Look at:")
    for name in ("orders.raw", "orders.eligible", "orders.payloads", "skipped", "delivered", "dead"):
        print(f"  {kcat} -t {stack.topic(name)} -f '%k %s\\n'")
    print(f"  curl {stack.url}/sandbox/state")
    print(f"  curl -H 'X-Auth-Token: {TOKEN}' '{stack.url}/stores/{stack.stores[0]['hash']}/v2/orders?limit=3'")
    print(f"  curl -H 'X-Keap-API-Key: {KEY}' '{stack.url}/crm/rest/v2/orders?page_size=3'")
    for name, port in stack.ports.items():
        print(f"  curl http://127.0.0.1:{port}/metrics    # {name}")
    print(f"  place one more order:  curl -X POST -d '{{\"generate\": 1, \"seed\": 7}}'"
          f" {stack.url}/sandbox/stores/{stack.stores[0]['hash']}/orders")
    print(f"  journal, configuration, logs: {stack.run}")
    print("Ctrl-C ends it.", flush=True)


def place_orders(stack, count):
    """Customers who buy while everything runs: ten orders at a time, a moment between."""
    print(f"placing {count} orders more, ten at a time ...", flush=True)
    for number, _ in zip(range(0, count, 10), ticks(10)):
        stack.call("POST", f"/sandbox/stores/{stack.stores[0]['hash']}/orders",
                   {"generate": min(10, count - number), "seed": number + 1})


def run(stack, count):
    print("starting a private Redis, an in-memory broker, the sandbox and four services ...", flush=True)
    stack.start()
    progress = Progress()
    try:
        place_orders(stack, count // 3)
        stack.wait_drained(DEADLINE, progress)
        progress.end()
    except TimedOut as late:
        progress.end()
        print(f"not finished: {late}")
    judge = stack.judge()
    found = answers(stack)
    table(stack, judge, found)
    topics = collections.Counter(answer[0] for answer in found.values() if answer)
    finished = sum(topics.values())
    if len(found) != count:
        print(f"the store has {len(found)} orders instead of {count}")
    return judge, found, topics, finished


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=500, help="orders in the store (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other orders")
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    options = parser.parse_args()
    if not 1 <= options.orders <= ORDERS_MAX:
        print(f"demo: --orders takes 1 to {ORDERS_MAX}: the in-memory broker keeps only 5 MiB per partition and would"
              " lose older records without a word; a real Kafka (make dev) takes any number", file=sys.stderr)
        return 100
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(111))
    placed = options.orders // 3
    with Stack("demo", orders=options.orders - placed, seed=options.seed, partitions=PARTITIONS,
               sandbox=["--changes", str(min(30, options.orders // 10))]) as stack:
        judge, found, topics, finished = run(stack, options.orders)
        waiting = len(found) - finished
        last = (f"demo: store_orders={len(found)} delivered={topics['delivered']} skipped={topics['skipped']}"
                f" dead={topics['dead']} waiting={waiting} lost={judge.lost} duplicated={judge.duplicated}")
        if options.keep:
            print(last)
            look_at(stack)
            try:
                signal.pause()
            except KeyboardInterrupt:
                pass
        elif waiting == 0:
            late = {name: status for name, status in stack.stop().items() if status != 0}
            if late:
                print(f"these did not stop as asked: {late}")
                judge.blame("a service did not stop cleanly")
    print(last)
    right = len(found) == options.orders and finished == options.orders and not judge.violations
    return 0 if right else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(111)
