#!/usr/bin/python3
"""Thousands of dead orders sent again after their fault is gone; the command is killed half-way and repeated.

    tests/why/retry.py [--orders 5000] [--seed S]

The account refuses every order (422) until all are dead. Then it takes them again, with a limit of calls, and
`bigfusion retry --store BC --reason refused` is started, killed (SIGKILL) when about half of the orders are in `orders.payloads` a second time,
and started again. At the end the judge (tests/oracle.py) finds each order created once, no call was answered with 429, and
the console's list of dead orders is empty. Last line:
    retry: dead=5000 delivered=5000 lost=0 duplicated=0 answers_429=0 left=0 kills=1
"""

import argparse
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE, os.path.join(os.path.dirname(HERE), "e2e")]

import market  # noqa: E402
import why  # noqa: E402
from asker import Console  # noqa: E402
from processes import RUNS, Kafka, Tail, binary, die_with_parent, read_topic, wait_until  # noqa: E402
from shop import mail, order  # noqa: E402
from stack import Stack  # noqa: E402

CHOICE = ("--store", "BC", "--reason", "refused")
LIMIT_S = 300


class Retry:
    def __init__(self, args, stack, console, address):
        self.args, self.stack, self.console = args, stack, console
        self.client, self.problems, self.kills = Console(address), [], 0

    def expect(self, condition, text):
        if not condition:
            self.problems.append(text)
            print(f"    ! {text}", flush=True)

    def fill(self):
        """Every order dead, in the topic and in the console's list."""
        self.stack.fault(side="is", method="POST", path="/orders", kind="status", status=422)
        for begin in range(0, self.args.orders, 50):
            some = [order(mail("again")) for _ in range(min(50, self.args.orders - begin))]
            self.stack.call("POST", "/sandbox/stores/abc123/orders", some)
        dead = self.stack.tails["dead"]
        wait_until(lambda: len({r.key for r in list(dead.records)}) >= self.args.orders, 600,
                   lambda: f"{self.args.orders} dead, there are {dead.count}; {self.stack.trouble()}", 0.2)
        why.wait_caught_up(self.client, self.console)
        self.expect(self.total() == self.args.orders, f"the list of dead orders has {self.total()}")
        self.stack.clear_faults()
        self.stack.sandbox_settings(quota={"per_s": LIMIT_S + 50, "per_min": 0, "per_day": 0})

    def total(self):
        return self.client.get("/api/v1/orders?list=dead&limit=1")[1]["total"]

    def retry(self, *words):
        return subprocess.Popen([binary("bigfusion"), "retry", *CHOICE, *words, "--why", "the fault is gone", "--config",
                                 self.stack.config], env=self.stack.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)

    def again(self):
        """The command three times: without effect, killed half-way, to its end."""
        before = len(read_topic(self.stack.broker.address, self.stack.topic("orders.payloads")))
        trial = self.retry("--dry-run", "--json")
        text = trial.communicate(timeout=120)[0]
        self.expect(trial.returncode == 0 and str(self.args.orders) in text, f"--dry-run: {trial.returncode} {text[-300:]}")
        raw = Tail(self.stack.broker.address, self.stack.topic("orders.payloads"), "payloads")
        wait_until(lambda: raw.count >= before, 60, "the records of orders.payloads")
        self.expect(raw.count == before, f"--dry-run sent {raw.count - before} records")
        half = self.retry()
        wait_until(lambda: raw.count > before + self.args.orders // 2 or half.poll() is not None, 120, "half of the orders")
        if half.poll() is None:
            self.kills += 1
        half.send_signal(signal.SIGKILL)
        half.wait()
        print(f"killed after {raw.count - before} records", flush=True)
        whole = self.retry()
        text = whole.communicate(timeout=400)[0]
        print(f"retry ended with {whole.returncode}: {text.strip().splitlines()[-1] if text.strip() else ''}", flush=True)
        self.expect(whole.returncode == 0, f"retry: {whole.returncode} {text[-500:]}")
        raw.stop()

    def left(self):
        """Orders that the topic `dead` still has, by its last record for each."""
        last = {r.key: r.value for r in read_topic(self.stack.broker.address, self.stack.topic("dead"))}
        return sum(value is not None for value in last.values())

    def run(self):
        self.fill()
        self.again()
        self.stack.wait_drained(600)
        wait_until(lambda: self.left() == 0, 120, lambda: f"{self.left()} in dead; {self.stack.trouble()}", 1)
        wait_until(lambda: self.total() == 0, 60, lambda: f"the console's list to empty itself: {self.total()}", 0.5)
        judge = self.stack.judge()
        self.problems += judge.violations
        refused = sum(1 for entry in self.stack.journal() if entry["side"] == "is" and entry["status"] == 429)
        created = sum(len(one) for one in judge.creates.values())
        print(f"retry: dead={self.args.orders} delivered={created} lost={judge.lost} duplicated={judge.duplicated}"
              f" answers_429={refused} left={self.left()} kills={self.kills}")
        return 0 if not self.problems and not refused else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = os.path.join(RUNS, "retry-kafka")
    os.makedirs(run, exist_ok=True)
    kafka = Kafka(run)
    try:
        with Stack("retry", broker=kafka, prefix="retry", seed=args.seed, account={"rate_per_s": LIMIT_S},
                   settings={"pusher": {"workers": 32}}) as stack:
            stack.settings["console"], address = market.console_settings(stack.run)
            stack.start()
            console = why.start_console(stack, address)
            return Retry(args, stack, console, address).run()
    finally:
        kafka.stop()


if __name__ == "__main__":
    sys.exit(main())
