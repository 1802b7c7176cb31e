"""The console's index: how fast it is rebuilt, how large it is, how long a look-up takes, what the console costs when idle.

    tests/bench/index.py [--orders 2000000] [--kafka 150000] [--idle 30]

1. One order runs through the whole pipeline on a real Kafka. Copies of what it left, under other ids, are the records of KAFKA
   orders in four topics. A console with an empty index reads them, on one core; Kafka has the others.
2. When it has caught up, 100 orders a second are written into the same topics for IDLE seconds; the console's share of a core is that of
   this time.
3. `bench-index` puts four records of each of ORDERS orders through the index, without Kafka, on one core, and looks 2,000 orders up,
   after the system has forgotten the file.

records_s are records by the clock, from the start of the process on; records_cpu_s by the time that the process had on a core. On a
machine that does other work too, only the second says what one core can do. A line for each figure that has a target says
whether it is met, and exit status 1 says that one is missed. Last line:
    index: orders=N records=N records_s=R records_cpu_s=R peak_mb=P file_mb=F lookup_ms=P99 kafka_records_s=R kafka_records_cpu_s=R \
kafka_peak_mb=P idle_cpu_pct=C missed=M
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from measure import cpu_seconds, memory_mb  # noqa: E402
from processes import RUNS, Kafka, Process, binary, read_topic, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

PARTITIONS = 12
FIRST = 987654321  # no other number of an order is like it
TOPICS = ("orders.raw", "orders.eligible", "orders.payloads", "delivered")
RATE = 100
TARGETS = {  # figure: (least, most)
    "records_s": (50_000, None), "kafka_records_s": (50_000, None), "lookup_ms": (None, 50), "peak_mb": (None, 60),
    "kafka_peak_mb": (None, 60), "idle_cpu_pct": (None, 2)}


@contextlib.contextmanager
def one_core():
    """Programs that are started meanwhile stay on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def judge(figures):
    """Prints a line for each target. Returns how many are missed."""
    missed = 0
    for name, (least, most) in TARGETS.items():
        good = figures[name] >= least if least is not None else figures[name] <= most
        missed += not good
        print(f"{'met   ' if good else 'MISSED'} {name}={figures[name]} wanted: "
              + (f"at least {least}" if least is not None else f"at most {most}"))
    print(f"The machine's load average is {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores.")
    return missed


class Bench:
    def __init__(self, args):
        self.args = args
        self.stack = Stack("bench-index", partitions=PARTITIONS)
        self.stack.broker, self.stack.own_broker = Kafka(os.path.join(RUNS, "bench-index")), False

    def in_process(self):
        path = f"{self.stack.run}/in-process.sqlite"
        env = {**self.stack.environment(), "BENCH_ORDERS": str(self.args.orders), "BENCH_INDEX": path}
        with one_core():
            answer = subprocess.run([binary("bench-index")], env=env, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise RuntimeError(answer.stderr)
        print(answer.stdout.strip(), flush=True)
        os.remove(path)
        return json.loads(answer.stdout)

    def generators(self, count, first, rate=None):
        """Writes copies of the one order into all topics, at the same time."""
        running = []
        for topic in TOPICS:
            env = {**self.stack.environment(), "BENCH_ORDERS": str(count), "BENCH_FIRST": str(first),
                   "BENCH_TOPIC": self.stack.topic(topic), "BENCH_TEMPLATE": self.template(topic)}
            if rate:
                env["BENCH_RATE"] = str(rate)
            running.append(Process(f"generate-{topic}", [binary("bench-generate")], self.stack.run, env=env))
        for process in running:
            if process.popen.wait(900) != 0:
                raise RuntimeError(f"generate: {process.tail()}")

    def template(self, topic):
        """The value of the one order's record there, as a template for others."""
        path = f"{self.stack.run}/template-{topic}"
        if not os.path.exists(path):
            record, = (r for r in read_topic(self.stack.broker.address, self.stack.topic(topic)) if r.key.endswith(str(FIRST)))
            with open(path, "wb") as file:
                file.write(record.value.replace(b"$", b"").replace(str(FIRST).encode(), b"$i"))
        return path

    def prepare(self):
        """The topics as they are when a console is started for the first time."""
        stack = self.stack
        stack.start_servers()
        stack.start_services(("filter", "mapper", "pusher"))
        env = {**stack.environment(), "BENCH_ORDERS": "1", "BENCH_FIRST": str(FIRST)}
        subprocess.run([binary("bench-generate")], env=env, check=True)
        wait_until(lambda: stack.tails["delivered"].count >= 1, 60, stack.trouble)
        for name in ("filter", "mapper", "pusher"):
            stack.services[name].stop()
        for tail in stack.tails.values():
            tail.stop()
        self.generators(self.args.kafka, 1)

    def metric(self, name):
        try:
            found = re.search(rf"^bigfusion_console_{name} (\d+)$", self.stack.metrics("console"), re.M)
        except OSError:
            return None
        return int(found[1]) if found else None

    def read_all(self):
        begun = time.monotonic()
        with one_core():
            self.stack.start_service("console", env={"BIGFUSION_CONSOLE_INDEX_FILE": f"{self.stack.run}/console.sqlite",
                                                     "BIGFUSION_CONSOLE_LISTEN": "127.0.0.1:0"})
        wanted = self.args.kafka * len(TOPICS)
        wait_until(lambda: (self.metric("records_total") or 0) >= wanted, 900, self.stack.trouble, interval=0.05)
        seconds, cpu = time.monotonic() - begun, cpu_seconds(self.stack.services["console"].pid)
        records = self.metric("records_total")
        wait_until(lambda: "index complete" in self.stack.services["console"].text(), 60, self.stack.trouble)
        return {"kafka_records_s": int(records / seconds), "kafka_records_cpu_s": int(records / cpu),
                "kafka_peak_mb": round(memory_mb(self.stack.services["console"].pid, "VmHWM"), 1)}

    def idle(self):
        wait_until(lambda: self.metric("behind_seconds") == 0, 60, self.stack.trouble)  # only what comes now is measured
        cpu, begun = cpu_seconds(self.stack.services["console"].pid), time.monotonic()
        self.generators(RATE * self.args.idle, 10_000_000, RATE)
        seconds, cpu = time.monotonic() - begun, cpu_seconds(self.stack.services["console"].pid) - cpu
        return {"idle_cpu_pct": round(100 * cpu / seconds, 2)}

    def run(self):
        try:
            self.prepare()
            kafka = {**self.read_all(), **self.idle()}
        finally:
            self.stack.stop()
            self.stack.broker.stop()
        found = self.in_process()
        figures = {"orders": found["orders"], "records": found["records"],
                   "records_s": int(found["records"] / found["wall_s"]),
                   "records_cpu_s": int(found["records"] / found["cpu_s"]), "peak_mb": found["peak_mb"],
                   "file_mb": found["file_mb"], "lookup_ms": found["lookup_p99_ms"], **kafka}
        figures["missed"] = judge(figures)
        print("index: " + " ".join(f"{name}={value}" for name, value in figures.items()))
        return 1 if figures["missed"] else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=2_000_000)
    parser.add_argument("--kafka", type=int, default=150_000)
    parser.add_argument("--idle", type=int, default=30)
    return Bench(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
