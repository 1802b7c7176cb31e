#!/usr/bin/python3
"""What load on the console and on /metrics costs the deliveries: paired runs, without and with it.

    tests/why/load.py [--pairs 3] [--orders 600] [--paced 15] [--rate 200] [--slow 200]

The account answers after 50 ms, as a real one does at best. Each run places orders at an even rate of 20 a second for so many
seconds (their time from placed to created is the delay), then many at once (orders a second until the last is created is
the throughput). The load (attack.py): 200 requests a second to the console, 200 a second to the /metrics of filter, mapper and
pusher, 200 slow connections to each of the four, and bad requests. Last line:
    load: throughput_ratio=R (least..greatest) p99_ratio=S (least..greatest) answered=N unanswered=0 bad=B bad_open=0 alive=yes
R is the median over the pairs of a run with load / the run without it just before (at least 0.95 is wanted).
"""

import argparse
import json
import os
import signal
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE, os.path.join(os.path.dirname(HERE), "e2e"),
                os.path.join(os.path.dirname(HERE), "bench")]

import market  # noqa: E402
import why  # noqa: E402
from asker import Console  # noqa: E402
from measure import cpu_seconds, memory_mb  # noqa: E402
from processes import RUNS, Kafka, Process, ticks, wait_until  # noqa: E402
from shop import mail, order  # noqa: E402
from stack import Stack  # noqa: E402

PACE, LEAST_RATIO = 20, 0.95
READERS = ("filter", "mapper", "pusher")


class Load:
    def __init__(self, args, stack, console, address):
        self.args, self.stack, self.console, self.address = args, stack, console, address
        self.placed_at, self.reports = {}, []

    def attack(self):
        numbers = [int(key.split("-")[2]) for key in self.placed_at] or [1, 2]
        targets = [f"{self.address}=console"] + [f"127.0.0.1:{self.stack.ports[name]}=metrics" for name in READERS]
        return Process("attack", [sys.executable, f"{HERE}/attack.py", "--rate", str(self.args.rate), "--slow",
                                  str(self.args.slow), "--orders", f"{min(numbers)}-{max(numbers)}", *targets],
                       self.stack.run, stdout_line="attacking")

    def place(self, count):
        now = time.time()
        ids = self.stack.call("POST", "/sandbox/stores/abc123/orders", [order(mail("load")) for _ in range(count)])["ids"]
        self.placed_at.update((f"bc-abc123-{number}", now) for number in ids)
        return {f"bc-abc123-{number}" for number in ids}

    def created_at(self):
        """{external key: when it was created}, read from where the last reading ended."""
        state = self.__dict__.setdefault("_journal", {"offset": 0, "found": {}})
        with open(f"{self.stack.run}/journal.jsonl", "rb") as file:
            file.seek(state["offset"])
            data = file.read()
        data = data[:data.rfind(b"\n") + 1]
        state["offset"] += len(data)
        for line in data.splitlines():
            if b'"made":"order"' in line:
                entry = json.loads(line)
                fields = (entry.get("body") or {}).get("custom_fields")
                if entry["side"] == "is" and fields:
                    state["found"][fields[0]["content"]] = float(entry["t"])
        return state["found"]

    def wait_created(self, names):
        wait_until(lambda: names <= self.created_at().keys(), 180,
                   lambda: f"{len(names - self.created_at().keys())} orders; {self.stack.trouble()}", 0.1)

    def one_run(self, loaded):
        """(orders a second, p99 of placed to created in ms)"""
        attack = self.attack() if loaded else None
        paced = set()
        for _ in ticks(PACE, self.args.paced):
            paced |= self.place(1)
        self.wait_created(paced)
        created = self.created_at()
        delays = sorted((created[name] - self.placed_at[name]) * 1000 for name in paced)
        start = time.time()
        many = set()
        for _ in range(max(1, self.args.orders // 50)):
            many |= self.place(50)
        self.wait_created(many)
        created = self.created_at()
        rate = len(many) / (max(created[name] for name in many) - start)
        if attack is not None:
            attack.terminate()
            attack.wait(20)
            self.reports.append(json.loads(attack.text().splitlines()[-1]))
        return rate, delays[int(len(delays) * 0.99)]

    def run(self):
        self.one_run(False)  # everything is warm from here on
        found = {False: [], True: []}
        for number in range(self.args.pairs * 2):
            loaded = number % 2 == 1
            cpu, start = cpu_seconds(self.console.pid), time.monotonic()
            rate, p99 = self.one_run(loaded)
            share = (cpu_seconds(self.console.pid) - cpu) / (time.monotonic() - start) * 100
            found[loaded].append((rate, p99))
            print(f"{'with' if loaded else 'without':8} orders_s={rate:.1f} placed_to_created_p99_ms={p99:.0f}"
                  f" console_cpu_pct={share:.1f} {self.reports[-1] if loaded else ''}", flush=True)
        return self.judge(found)

    def judge(self, found):
        def ratios(index):
            return sorted(loaded[index] / free[index] for free, loaded in zip(found[False], found[True]))
        total = {name: sum(one[name] for one in self.reports) for name in ("answered", "unanswered", "bad", "bad_open")}
        strange = sum(n for one in self.reports for status, n in one["statuses"].items() if not status.startswith("2"))
        alive = all(process.alive() for process in (*self.stack.services.values(), self.console))
        print(f"console: rss_mb={memory_mb(self.console.pid, 'VmRSS'):.1f} peak_mb={memory_mb(self.console.pid, 'VmHWM'):.1f}"
              f" other_statuses={strange}")
        rates, delays = ratios(0), ratios(1)
        print(f"load: throughput_ratio={statistics.median(rates):.3f} ({rates[0]:.3f}..{rates[-1]:.3f})"
              f" p99_ratio={statistics.median(delays):.3f} ({delays[0]:.3f}..{delays[-1]:.3f}) "
              + " ".join(f"{name}={number}" for name, number in total.items()) + f" alive={'yes' if alive else 'NO'}")
        good = statistics.median(rates) >= LEAST_RATIO and alive and not strange and not total["unanswered"] and not total["bad_open"]
        return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pairs", 3), ("orders", 600), ("paced", 15), ("rate", 200), ("slow", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = os.path.join(RUNS, "load-kafka")
    os.makedirs(run, exist_ok=True)
    kafka = Kafka(run)
    try:
        with Stack("load", broker=kafka, prefix="load", sandbox=("--answer-delay-ms", "50"),
                   settings={"pusher": {"workers": 16, "lease_s": 20, "http_timeout_s": 10, "visibility_delay_s": 10}}) as stack:
            stack.settings["console"], address = market.console_settings(stack.run)
            stack.start()
            console = why.start_console(stack, address)
            why.wait_caught_up(Console(address), console)
            return Load(args, stack, console, address).run()
    finally:
        kafka.stop()


if __name__ == "__main__":
    sys.exit(main())
