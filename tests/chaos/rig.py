"""What the fault rows share: a stack on a real Kafka that is supervised, and the account of a row.

A Rig is a Stack (tests/stack.py) with short times. A Trial is one run of one row: its seed, its size, its rigs, and
what came of them; it judges each rig by the oracle (pass line L of docs/testing-faults.md) and by the row's own claims.
"""

import collections
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE, os.path.join(os.path.dirname(HERE), "e2e")]

import oracle  # noqa: E402
import processes  # noqa: E402
from processes import Process, Tail, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

# Short times, printed at the start of every run; chaos-full uses the same.
SESSION_MS, LEASE_S, HTTP_S, VISIBLE_S = 3000, 6, 2, 2
SHORT = {
    "kafka": {"session_timeout_ms": SESSION_MS},
    "poller": {"lease_s": 5, "overlap_s": 60},
    "pusher": {"workers": 8, "lease_s": LEASE_S, "http_timeout_s": HTTP_S, "visibility_delay_s": VISIBLE_S,
               "retry_delays_s": "1,2,3"},
}
# What an order may leave besides itself: a payment, tags, and a note where it is taken back later.
EVERYTHING = {"payments": "paid", "payment_type": "Cash", "sku_tag": "Bought {sku}", "coupon_tag": "Used {coupon}",
              "after_sync": "note"}
RSS_MAX_KB, DESCRIPTORS_MAX = 256 * 1024, 256
GROUPS = ("filter", "mapper", "pusher")


def merged(*layers):
    """Settings on top of settings."""
    result = {}
    for layer in layers:
        for section, values in (layer or {}).items():
            result.setdefault(section, {}).update(values)
    return result


def crash_pusher():
    """A pusher with crash points: that of the build under test, or one that is built beside it."""
    own = processes.binary("bigfusion-pusher")
    with open(own, "rb") as file:
        if b"BIGFUSION_CRASH_AT" in file.read():
            return own
    build = os.path.relpath(f"{processes.BUILD}/crash", processes.ROOT)  # as make spells it
    subprocess.run(["make", "-s", f"BUILD={build}", f"{build}/bin/bigfusion-pusher"], cwd=processes.ROOT, check=True,
                   env={**os.environ, "CPPFLAGS": "-DBIGFUSION_CRASH_POINTS", "MAKEFLAGS": ""}, timeout=300)
    return f"{processes.BUILD}/crash/bin/bigfusion-pusher"


class Rig(Stack):
    """A stack whose services are supervised: one that ended by 111 or by us is started again, any other end is a fault."""

    def __init__(self, name, broker, settings=None, **arguments):
        super().__init__(name, broker=broker, settings=merged(SHORT, settings), **arguments)
        self.problems, self.restarts, self.down = [], 0, set()
        self.brokers_of = {}  # service -> Kafka's address for that one
        self.programs = {}  # service -> another binary of it
        self.placed = 0

    # -- services --------------------------------------------------------------------------------------------------

    def environment(self, name=None):
        env = super().environment(name)
        if name in self.brokers_of:
            env["BIGFUSION_KAFKA_BROKERS"] = self.brokers_of[name]
        return env

    def start_service(self, name, env=None):
        program = self.programs.get(name)
        if program is None:
            return super().start_service(name, env)
        self.ports.setdefault(name, processes.free_port())
        self.services[name] = Process(name, [program, "--config", self.config], self.run,
                                      env={**self.environment(name), **(env or {})})
        return self.services[name]

    def supervise(self):
        """Starts again what ended with 111, as an init system would; anything else is reported."""
        for name, tail in self.tails.items():
            if tail.popen.poll() is not None:  # kcat gives up where a broker is busy with itself
                self.tails[name] = Tail(self.broker.address, self.topic(name), name)
        for name, process in list(self.services.items()):
            if process.alive() or name in self.down:
                continue
            code = process.popen.returncode
            if code != 111:
                self.problems.append(f"{name} ended with {code}: {process.tail(3)}")
            self.restarts += 1
            self.start_service(name)

    def take_down(self, name, number=signal.SIGKILL):
        """Ends a service on purpose; supervise() leaves it alone until bring_up()."""
        self.down.add(name)
        self.services[name].signal(number)
        if number == signal.SIGKILL:
            self.services[name].popen.wait()
        else:
            code = self.services[name].wait(30)
            if code != 0:
                self.problems.append(f"{name} was asked to stop and ended with {code}")

    def bring_up(self, name, env=None):
        self.down.discard(name)
        return self.start_service(name, env)

    def wait_for(self, condition, timeout, what):
        """wait_until with the services supervised."""
        def met():
            self.supervise()
            return condition()
        return wait_until(met, timeout, what)

    def metric(self, name, service, labels=""):
        """Sum of a service's metric over its labels; -1 when it does not answer."""
        try:
            text = self.metrics(service)
        except OSError:
            return -1
        found = re.findall(rf"^{name}(\{{[^}}]*\}})? ([0-9.e+-]+)$", text, re.M)
        return sum(float(value) for label, value in found if labels in label)

    def progress(self, service):
        """Records that this process has finished since its start."""
        name = "bigfusion_poller_published_total" if service.startswith("poller") else "bigfusion_records_total"
        return self.metric(name, service)

    def log_lines(self, service, pattern):
        """Lines of a service's whole log, over its restarts."""
        path = os.path.join(self.run, f"{service}.log")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in file if re.search(pattern, line)]

    def all_log_lines(self, pattern, program="pusher"):
        names = {name for name in self.services if name.startswith(program)}
        return [line for name in sorted(names) for line in self.log_lines(name, pattern)]

    def check_processes(self):
        """No growth of memory or descriptors, no sanitizer's word."""
        for name, process in self.services.items():
            if not process.alive():
                continue
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                rss = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
            descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
            if rss > RSS_MAX_KB and "asan" not in processes.BUILD:
                self.problems.append(f"{name} holds {rss // 1024} MB")
            if descriptors > DESCRIPTORS_MAX:
                self.problems.append(f"{name} holds {descriptors} descriptors")

    # -- orders ----------------------------------------------------------------------------------------------------

    def generate(self, count, seed, store="abc123"):
        """The sandbox places that many orders of all kinds."""
        self.placed += 1
        return self.call("POST", f"/sandbox/stores/{store}/orders", {"generate": count, "seed": seed * 1000 + self.placed})

    def delivered(self):
        return len({record.key for record in list(self.tails["delivered"].records)})

    def fates(self):
        return len({record.key for tail in self.tails.values() for record in list(tail.records) if record.key})

    def wait_delivered(self, count, timeout=90):
        self.wait_for(lambda: self.delivered() >= count, timeout,
                      lambda: f"{count} delivered, there are {self.delivered()}; {self.trouble()}")

    def drain(self, timeout=180):
        """Waits until every order has the answer it should have."""
        total = sum(len(self.orders(one["hash"])) for one in self.stores)
        self.wait_for(lambda: self.fates() >= total, timeout,
                      lambda: f"a fate of {total} orders, {self.fates()} have one; {self.trouble()}")
        return self.wait_drained(timeout, progress=lambda done, all_of_them: self.supervise())

    # -- the journal -----------------------------------------------------------------------------------------------

    def account_calls(self, method=None, path=None):
        for entry in self.journal():
            if entry["side"] == "is" and (method is None or entry["method"] == method) \
                    and (path is None or entry["path"].endswith(path)):
                yield entry

    def order_posts(self):
        return list(self.account_calls("POST", "/orders"))

    def lookups(self):
        """Look-ups of an order by its external key."""
        return sum(1 for entry in self.account_calls("GET", "/orders") if "filter" in (entry.get("query") or ""))


class Trial:
    """One run of one row."""

    def __init__(self, row, seed, size, kafka):
        self.row, self.seed, self.size, self.kafka = row, seed, size, kafka
        self.rng = random.Random(f"{row}/{seed}")
        self.orders = self.faults = self.lost = self.duplicated = 0
        self.contacts_doubled = self.products_doubled = self.goals_doubled = 0
        self.lookups = self.longest_stall_ms = 0
        self.problems, self.facts, self.rigs = [], [], 0
        self.counts = collections.Counter()

    def pick(self, short, usual, full):
        """The figure of this size."""
        return {"short": short, "usual": usual, "full": full}[self.size]

    def expect(self, condition, text):
        if not condition:
            self.problems.append(text)

    def count(self, **figures):
        """Figures that only this row has; they stand in its line and in the last one."""
        self.counts.update(figures)

    def fact(self, text):
        """Something that the row measured; printed under its line."""
        self.facts.append(text)

    @contextlib.contextmanager
    def rig(self, name="", broker=None, kind=Rig, **arguments):
        """A rig with its own topics; its services are told to stop at the end, and must do so with 0."""
        self.rigs += 1
        label = f"chaos-{self.row}{'-' + name if name else ''}-seed{self.seed}"
        rig = kind(label, broker or self.kafka, prefix=f"c{os.getpid()}r{self.row}n{self.rigs}", seed=self.seed, **arguments)
        try:
            yield rig
        finally:
            statuses = rig.stop()
            if not sys.exc_info()[0]:
                for service, status in statuses.items():
                    self.expect(status == 0, f"{service} was asked to stop and ended with {status}")
                self.problems += rig.problems

    def judge(self, rig, stall=True):
        """Pass line L on what the rig did so far."""
        rig.check_processes()
        rig.collect()
        judge = oracle.Judge(rig.run)
        judge.judge()
        self.orders += judge.eligible
        self.lost += judge.lost
        self.duplicated += judge.duplicated
        self.contacts_doubled += sum(len(posts) - 1 for posts in judge.contact_posts.values())
        self.products_doubled += sum(len(made) - 1 for made in judge.products.values())
        for violation in judge.violations:
            more = re.search(r"achieved (\d+) times, expected (\d+)", violation)
            self.goals_doubled += max(0, int(more[1]) - int(more[2])) if more else 0
        self.problems += judge.violations
        self.lookups += rig.lookups()
        if stall:
            self.longest_stall_ms = max(self.longest_stall_ms, self.stall_ms(rig))
        return judge

    @staticmethod
    def stall_ms(rig, start=0.0, end=float("inf")):
        """The longest time between two order creates one after the other."""
        times = [float(entry["t"]) for entry in rig.order_posts() if start <= float(entry["t"]) <= end]
        return int(max((b - a for a, b in zip(times, times[1:])), default=0) * 1000)

    @property
    def passed(self):
        return not self.problems

    def line(self):
        words = [f"row={self.row}", f"orders={self.orders}", f"faults={self.faults}"]
        words += [f"{name}={getattr(self, name)}" for name in (
            "lost", "duplicated", "contacts_doubled", "products_doubled", "goals_doubled", "lookups", "longest_stall_ms")]
        words += [f"{name}={value}" for name, value in self.counts.items() if name != "lookups"]
        return " ".join(words + ["passed" if self.passed else "FAILED"])


__all__ = ["GROUPS", "HTTP_S", "LEASE_S", "SESSION_MS", "VISIBLE_S", "Process", "Rig", "Trial", "crash_pusher", "merged",
           "time", "wait_until"]
