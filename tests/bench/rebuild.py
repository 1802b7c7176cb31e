"""How long the rebuild of a lost ledger takes, and how much memory the pusher needs for it.

    tests/bench/rebuild.py [--fates 1000000] [--waiting 100000]

One order runs through the whole pipeline on a real Kafka; copies of what it left, under other ids, are the records of
`delivered` and of the account's waiting topic. Then Redis is emptied and one pusher is started. Time is that of the pusher's
line `rebuild ended`, memory its VmHWM at that moment. Last line:
    bench-rebuild: fates=F waiting=W seconds=S records_s=R peak_mb=P redis_mb=M
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from measure import memory_mb  # noqa: E402
from processes import RUNS, Kafka, Process, binary, http_call, read_topic, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

PARTITIONS, WORKERS = 12, 32
FIRST = 987654321  # no other number of an order is like it
MARKED = 240  # waiting records that are delivered before, so that the partitions have marks
TARGET_PEAK_MB = 64


class Bench:
    def __init__(self, args):
        self.args = args
        self.stack = Stack("bench-rebuild", settings={"pusher": {"workers": WORKERS}}, partitions=PARTITIONS)
        self.stack.broker, self.stack.own_broker = Kafka(os.path.join(RUNS, "bench-rebuild")), False
        self.kafka = self.stack.broker
        self.next_order = 1

    def generate(self, count, topic=None, template=None, ledger=None, first=None):
        env = {**self.stack.environment(), "BENCH_ORDERS": str(count), "BENCH_FIRST": str(first or self.next_order)}
        if first is None:
            self.next_order += count
        if topic:
            env.update(BENCH_TOPIC=self.stack.topic(topic), BENCH_TEMPLATE=template)
        if ledger:
            env["BENCH_LEDGER"] = ledger
        process = Process("generate", [binary("bench-generate")], self.stack.run, env=env)
        if process.popen.wait(900) != 0:
            raise RuntimeError(f"generate: {process.tail()}")

    def template(self, topic):
        """The value of the one order's record there, as a template for others."""
        record, = (r for r in read_topic(self.kafka.address, self.stack.topic(topic)) if r.key.endswith(str(FIRST)))
        path = f"{self.stack.run}/template-{topic}"
        with open(path, "wb") as file:
            file.write(record.value.replace(b"$", b"").replace(str(FIRST).encode(), b"$i"))
        return path

    def delivered(self):
        return self.stack.tails["delivered"].count

    def prepare(self):
        """The topics as they are when Redis is lost."""
        stack = self.stack
        stack.start_servers()
        stack.start_services(("filter", "mapper", "pusher"))
        self.generate(1, first=FIRST)
        wait_until(lambda: self.delivered() >= 1, 60, stack.trouble)
        delivered, payload = self.template("delivered"), self.template("orders.payloads")
        self.generate(MARKED, "waiting.main", payload)
        wait_until(lambda: self.delivered() >= 1 + MARKED, 60, stack.trouble)
        for name in ("filter", "mapper", "pusher"):
            stack.services[name].stop()
        for tail in stack.tails.values():
            tail.stop()
        self.generate(self.args.fates, "delivered", delivered)
        ledger = ('{"v":1,"state":"open","modified_at":"1552317445000","digest":"0123456789abcdef0123456789abcdef",'
                  '"steps":{"contact":"12345"}}')
        self.generate(self.args.waiting, "waiting.main", payload, ledger)

    def measure(self):
        stack = self.stack
        assert stack.redis.command("FLUSHALL") == b"OK"
        pusher = stack.start_service("pusher")
        told = []

        def ended():
            if not pusher.alive():
                raise RuntimeError(f"the pusher ended: {pusher.tail()}")
            try:
                body = http_call(f"127.0.0.1:{stack.ports['pusher']}", "GET", "/readyz", timeout=5)[1].decode()
            except OSError:
                body = ""
            told.extend(re.findall(r"^ledger: .*", body, re.M))
            return re.search(r" rebuild ended .*", pusher.text())
        line = wait_until(ended, 1800, lambda: f"the rebuild: {pusher.tail()}", 0.5)[0].strip()
        peak = memory_mb(pusher.pid, "VmHWM")
        pusher.stop(60)
        progress = re.findall(r" (rebuild .*records=\d+ of \d+.*)", pusher.text())
        print("\n".join(progress + told[len(told) // 2:len(told) // 2 + 1] + [line]))
        return int(re.search(r"took_ms=(\d+)", line)[1]) / 1000, peak, len(progress)

    def redis_mb(self):
        answer = subprocess.run(["redis-cli", "-p", str(self.stack.redis.port), "INFO", "memory"], capture_output=True,
                                text=True, check=True).stdout
        return int(re.search(r"used_memory:(\d+)", answer)[1]) / 1024 / 1024

    def stop(self):
        self.stack.stop()
        self.kafka.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fates", type=int, default=1000000)
    parser.add_argument("--waiting", type=int, default=100000)
    args = parser.parse_args()
    bench = Bench(args)
    try:
        bench.prepare()
        seconds, peak, lines = bench.measure()
        redis_mb = bench.redis_mb()
    finally:
        bench.stop()
    good = peak < TARGET_PEAK_MB and lines >= int(seconds / 10) - 1
    print(f"{'met   ' if good else 'MISSED'} peak < {TARGET_PEAK_MB} MB, a line of progress every 10 s")
    print(f"bench-rebuild: fates={args.fates} waiting={args.waiting} seconds={seconds:.0f}"
          f" records_s={(args.fates + args.waiting) / seconds:.0f} peak_mb={peak:.0f} redis_mb={redis_mb:.0f}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
