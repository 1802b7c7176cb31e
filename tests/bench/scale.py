"""How a stage scales, and what a store costs the poller.

    tests/bench/scale.py [--replicas 1,2,4,8] [--orders 300]      pushers
    tests/bench/scale.py --restart                                each stage restarted, replica by replica, under load
    tests/bench/scale.py --stores 1000                            one poller for so many stores

Pushers: real Kafka, real Redis (appendfsync always), a sandbox that answers after 50 ms, contacts and products known. For each
number of replicas so many orders per replica are put in front of the pushers, which have their partitions by then. Each pusher
has 4 workers, so that the waiting for answers is the limit and not two cores that Kafka, Redis, sandbox and all pushers share;
with more workers the same table would show the cores. Orders a second count from the sandbox's journal while every pusher has
work: from a second after the first orders on, until one of them has less than a second's work left.

Order per contact: within a partition of `orders.payloads` the orders of one contact are created in the order of their offsets,
judged from the journal over all orders. That follows from one partition for each contact, one pusher for each partition, and
one worker at a time for each contact. It does not cover the way to that topic: `orders.raw` and `orders.eligible` are
partitioned by order, so two orders of one contact can overtake each other while filter or mapper lags (the line `as placed`
tells how many did). Nor does it cover retries and a rebalance in mid-work; there the ledger alone counts.

Exit status 0, or 1 where a target is missed: 0.8 of linear and order kept; a stall of at most 10 s. Last lines:
    scale: replicas=1,2,4,8 orders_s=a,b,c,d linear=1.00,x,y,z order_kept=1
    restart: stages=filter,mapper,pusher stall_s=a,b,c delivered=N lost=0 duplicated=0
    stores: stores=N threads=T descriptors=D rss_mb=M kb_per_store=K calls_s=C cpu_percent=P
"""

import argparse
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from measure import count_records, cpu_seconds, descriptors, memory_mb, threads  # noqa: E402
from processes import RUNS, Kafka, Process, binary, read_topic, ticks, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

DELAY_MS, WORKERS, PARTITIONS, CUSTOMERS = 50, 4, 16, 500
TARGET_LINEAR, TARGET_STALL_S = 0.8, 10
WARM_S, LEAST_S = 1.0, 4.0
SPARE = 24  # a pusher's work for a second, for the lag is measured once a second


class Bench:
    def __init__(self, name, workers=WORKERS, **options):
        self.stack = Stack(name, settings={"kafka": {"session_timeout_ms": 10000},
                                           "pusher": {"workers": workers, "lease_s": 60, "http_timeout_s": 20,
                                                      "visibility_delay_s": 30}}, partitions=PARTITIONS, **options)
        self.stack.broker, self.stack.own_broker = Kafka(os.path.join(RUNS, name)), False
        self.stack.start_servers()
        self.next_order = 1
        self.read = 0  # bytes of the journal
        self.made = []  # (time, id) of each order made in the account, in the journal's order
        self.calls = 0

    def generate(self, count, rate=0, wait=True):
        """Orders into orders.raw, of each customer in turn."""
        env = {**self.stack.environment(), "BENCH_ORDERS": str(count), "BENCH_FIRST": str(self.next_order),
               "BENCH_CUSTOMERS": str(CUSTOMERS), "BENCH_RATE": str(rate)}
        self.next_order += count
        process = Process("generate", [binary("bench-generate")], self.stack.run, env=env)
        if wait and process.popen.wait(300) != 0:
            raise RuntimeError(f"generate: {process.tail()}")
        return process

    def read_journal(self):
        """Takes in what was added to the journal. Returns the number of orders made so far."""
        with open(f"{self.stack.run}/journal.jsonl", "rb") as file:
            file.seek(self.read)
            lines = file.read()
        lines = lines[:lines.rfind(b"\n") + 1]
        self.read += len(lines)
        for line in lines.splitlines():
            entry = json.loads(line)
            if entry["side"] != "is":
                continue
            self.calls += 1
            effect = entry["effect"] or {}
            if effect.get("made") == "order":
                number = int(re.search(r'"bc-abc123-(\d+)"', line.decode())[1])
                self.made.append((float(entry["t"]), number))
        return len(self.made)

    def wait_made(self, count, timeout=240):
        wait_until(lambda: self.read_journal() >= count, timeout,
                   lambda: f"{count} orders, there are {len(self.made)}; {self.stack.trouble()}", 0.1)

    def stop(self):
        self.stack.stop()
        self.stack.broker.stop()


# -- pushers -------------------------------------------------------------------------------------------------------


class Scale(Bench):
    def __init__(self, args):
        super().__init__("bench-scale")
        self.args = args
        self.rows = []

    def lags(self, names):
        """Unfinished payloads of each pusher."""
        return [int(re.search(r'^bigfusion_lag_records\{[^}]*orders\.payloads"\} (\d+)', self.stack.metrics(name), re.M)[1])
                for name in names]

    def prepare(self):
        """Every contact and product is known to the account, so that all orders need the same calls."""
        self.stack.start_services(("filter", "mapper", "pusher"))
        self.generate(CUSTOMERS)
        self.wait_made(CUSTOMERS)
        wait_until(lambda: self.stack.tails["delivered"].count >= CUSTOMERS, 60, self.stack.trouble)
        self.stack.sandbox_settings(answer_delay_ms=DELAY_MS)

    def assigned(self, names):
        """Partitions that the pushers have, by the last line of each log about it."""
        found = [re.findall(r" (assigned|revoked) partitions=(\d+)", self.stack.services[name].text()) for name in names]
        return [int(lines[-1][1]) if lines and lines[-1][0] == "assigned" else 0 for lines in found]

    def start_pushers(self, count):
        names = ["pusher"] + [f"pusher-{n}" for n in range(2, count + 1)]
        for name in names:
            if name not in self.stack.services:
                self.stack.start_service(name)
        for name in names:
            self.stack.wait_ready(name)
        # a group of several topics: with the assignment `range` each pusher gets its part of every topic
        wait_until(lambda: len(set(self.assigned(names))) == 1 and self.assigned(names)[0] > 0, 60,
                   lambda: f"the partitions to be shared, they are {self.assigned(names)}")
        return names

    def measure(self, count):
        names = self.start_pushers(count)
        before, orders = len(self.made), self.args.orders * count
        cpu = sum(cpu_seconds(self.stack.services[name].pid) for name in names)
        self.generate(orders)
        wait_until(lambda: min(self.lags(names)) > SPARE, 60, lambda: f"work for all, there is {self.lags(names)}")
        self.wait_made(before + count)
        begun = time.time() + WARM_S
        wait_until(lambda: min(self.lags(names)) <= SPARE, 300, "a pusher to run out of work", 0.1)
        ended = time.time()
        self.wait_made(before + orders)
        cpu = sum(cpu_seconds(self.stack.services[name].pid) for name in names) - cpu
        seconds = ended - begun
        if seconds < LEAST_S:
            raise RuntimeError(f"the work lasted {seconds:.1f} s: more --orders are needed")
        rate = sum(1 for when, _ in self.made[before:] if begun <= when < ended) / seconds
        peak = max(memory_mb(self.stack.services[name].pid, "VmHWM") for name in names)
        self.rows.append((count, rate, seconds, cpu / orders * 1000, peak))
        print(f"replicas={count}: {rate:.1f} orders/s over {seconds:.0f} s", flush=True)

    def order_kept(self):
        """1 where each contact's orders were made in the order of their payloads, each once."""
        wanted, partitions = {}, {}
        places = {}
        for record in read_topic(self.stack.broker.address, self.stack.topic("orders.payloads")):
            email = record.json()["contact"]["email_addresses"][0]["email"]
            partitions.setdefault(email, set()).add(record.partition)
            wanted.setdefault(email, []).append((record.offset, int(record.key.rpartition("/")[2])))
            places[int(record.key.rpartition("/")[2])] = email
        made = {}
        for _, number in self.made:
            made.setdefault(places[number], []).append(number)
        wanted = {email: [number for _, number in sorted(records)] for email, records in wanted.items()}
        spread = sum(len(found) != 1 for found in partitions.values())
        other = sum(made.get(email) != numbers for email, numbers in wanted.items())
        overtaken = sum(numbers != sorted(numbers) for numbers in wanted.values())
        print(f"\ncontacts={len(wanted)} orders={len(self.made)}: in several partitions {spread}, made in another order than"
              f" their payloads {other}, payloads in another order than as placed {overtaken}")
        return int(spread == 0 and other == 0 and len(self.made) == len(places) == self.next_order - 1)

    def report(self):
        kept, single = self.order_kept(), self.rows[0][1] / self.rows[0][0]
        possible = WORKERS * 1000 / DELAY_MS / (self.calls / len(self.made))
        print(f"\n{'replicas':>8} {'orders/s':>9} {'linear':>7} {'CPU ms/order':>13} {'peak MB':>8}   ({WORKERS} workers each, answers"
              f" after {DELAY_MS} ms, {self.calls / len(self.made):.1f} calls an order: at most {possible:.0f} orders/s each)")
        linear = [rate / count / single for count, rate, *_ in self.rows]
        for (count, rate, _, cpu, peak), part in zip(self.rows, linear):
            print(f"{count:8} {rate:9.1f} {part:7.2f} {cpu:13.1f} {peak:8.1f}")
        good = kept and min(linear) >= TARGET_LINEAR
        print(f"\n{'met   ' if good else 'MISSED'} {TARGET_LINEAR} of linear, order per contact kept")
        print("scale: replicas={} orders_s={} linear={} order_kept={}".format(
            ",".join(str(row[0]) for row in self.rows), ",".join(f"{row[1]:.1f}" for row in self.rows),
            ",".join(f"{part:.2f}" for part in linear), kept), flush=True)
        return bool(good)

    def run(self):
        self.prepare()
        for count in self.args.replicas:
            self.measure(count)
        return self.report()


# -- restarts ------------------------------------------------------------------------------------------------------


class Restart(Bench):
    """Two replicas of each stage, 50 orders a second; each replica is stopped and started again while the other goes on."""

    STAGES, RATE, QUIET_S = ("filter", "mapper", "pusher"), 50, 3

    def __init__(self):
        super().__init__("bench-restart", workers=16)

    def run(self):
        names = [name for stage in self.STAGES for name in (stage, f"{stage}-2")]
        self.stack.start_services(names)
        generate = self.generate(self.RATE * 600, self.RATE, wait=False)
        self.wait_made(200)
        stalls = [self.restart(stage) for stage in self.STAGES]
        generate.stop()
        placed = count_records(self.stack.broker.address, self.stack.topic("orders.raw"), PARTITIONS)
        self.wait_made(placed)
        numbers = [number for _, number in self.made]
        lost, duplicated = placed - len(set(numbers)), len(numbers) - len(set(numbers))
        good = max(stalls) < TARGET_STALL_S and lost == duplicated == 0
        print(f"{'met   ' if good else 'MISSED'} longest stall < {TARGET_STALL_S} s")
        print("restart: stages={} stall_s={} delivered={} lost={} duplicated={}".format(
            ",".join(self.STAGES), ",".join(f"{stall:.1f}" for stall in stalls), len(set(numbers)), lost, duplicated), flush=True)
        return good

    def restart(self, stage):
        """The longest time without a new order while the replicas of a stage are restarted one after the other."""
        begun = time.time()
        for name in (stage, f"{stage}-2"):
            if self.stack.services[name].stop(60) != 0:
                raise RuntimeError(f"{name} did not stop well: {self.stack.services[name].tail()}")
            self.stack.start_service(name)
            self.stack.wait_ready(name)
            self.wait_made(len(self.made) + self.RATE)  # it goes on before the next one ends
        ended = time.time()
        self.wait_made(len(self.made) + self.RATE * self.QUIET_S)
        times = [when for when, _ in self.made if begun <= when <= ended]
        return max(after - before for before, after in zip([begun, *times], [*times, ended]))


# -- stores --------------------------------------------------------------------------------------------------------


class Stores:
    """One poller with so many quiet stores, each polled every poll_interval_s (30 s)."""

    INTERVAL_S = 30

    def __init__(self, count):
        self.count = count
        self.stack = Stack("bench-stores", stores=count, orders=0, partitions=4, store={"poll_interval_s": self.INTERVAL_S,
                                                                                      "start_from": "now"},
                           settings={"poller": {"settle_s": 5, "lease_s": 30}})

    def polls(self):
        """How often the stores were asked for orders, by the poller's metrics; 0 for one that was not asked yet."""
        text = self.stack.metrics("poller")
        return [int(n) for n in re.findall(r"^bigfusion_store_requests_total\{[^}]*\} (\d+)", text, re.M)]

    def run(self):
        stack = self.stack
        stack.collect_orders = lambda when="": None  # they are empty
        stack.start_servers()
        stack.write_config()
        stack.start_service("poller")
        pid = stack.services["poller"].pid
        stack.wait_ready("poller", 120)
        wait_until(lambda: len(polls := self.polls()) == self.count and min(polls) >= 2, 180, lambda: stack.trouble())
        cpu, asked, begun = cpu_seconds(pid), sum(self.polls()), time.monotonic()
        figures = []
        for _ in ticks(1, 2 * self.INTERVAL_S):
            figures.append((threads(pid), descriptors(pid), memory_mb(pid, "VmRSS")))
        seconds = time.monotonic() - begun
        cpu, asked = cpu_seconds(pid) - cpu, sum(self.polls()) - asked
        most = [max(column) for column in zip(*figures)]
        stack.services["poller"].stop(60)
        print(f"stores: stores={self.count} threads={most[0]} descriptors={most[1]} rss_mb={most[2]:.1f}"
              f" kb_per_store={most[2] * 1024 / self.count:.0f} calls_s={asked / seconds:.1f} cpu_percent={100 * cpu / seconds:.1f}",
              flush=True)
        return True

    def stop(self):
        self.stack.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2, 4, 8])
    parser.add_argument("--orders", type=int, default=300, help="for each replica")
    parser.add_argument("--restart", action="store_true")
    parser.add_argument("--stores", type=int)
    args = parser.parse_args()
    bench = Restart() if args.restart else Stores(args.stores) if args.stores else Scale(args)
    try:
        good = bench.run()
    finally:
        bench.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
