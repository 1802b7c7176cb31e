"""What a backfill costs live orders: paired runs of the same live orders, without a backfill and beside one.

    tests/bench/backfill.py [--pairs 3] [--history 20000] [--seconds 60] [--per-s 4] [--rate 0]

One store, one account that answers after 50 ms, a real Kafka, a pusher with 32 workers. In the second run of a pair
`bigfusion backfill` reads --history orders of the past while the same live orders come at the same moments. The live orders begin
once the history is being delivered, and end with --seconds, or with the history where that lasts longer. --rate limits the account's
calls a second (`rate_per_s`; 0: no limit). Customers of the history are not those of the live orders.

A poll takes the orders of the seconds that are over, so runs whose polls come at other parts of a second differ by up to one. The
polls of every run are put at the same part, and orders are placed at random moments.

The time of an order is from the moment when it was placed to that when it was made, both from the sandbox's journal; half a second
of it is the poll, on the average. Each run is judged: every order made once, and no goal of the history. Last line:
    backfill: pairs=3 history=20000 per_s=A p99_ms=B p99_with_ms=C ratio=D goals_of_history=0 violations=0
Exit status 1 where there was a violation, or where the p99 grew by more than 10 %.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e"), HERE]

from processes import RUNS, Kafka, binary, ticks, wait_until  # noqa: E402
from shop import DATE, item, order  # noqa: E402
from stack import Stack  # noqa: E402

CUSTOMERS, PAST_CUSTOMERS, DELAY_MS, DAY_S, CHUNK = 50, 500, 50, 86400, 2000


def one_order(who, number, **more):
    return order(f"{who}{number}@example.com", [item("MUG", "Mug")], **more)


class Run(Stack):
    def __init__(self, name, kafka, args):
        self.begin = int(time.time()) - 2 * DAY_S
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.begin))
        super().__init__(name, broker=kafka, prefix=name, store={"start_from": start, "backfill_from": "2020-01-01T00:00:00Z"},
                         account={"rate_per_s": args.rate},
                         settings={"pusher": {"workers": 32, "http_timeout_s": 20, "lease_s": 60, "visibility_delay_s": 30}})
        self.args = args

    def prepare(self):
        """The live customers and the product are known to the account; the history is in the store in both runs of a pair."""
        self.call("POST", "/sandbox/stores/abc123/orders", [one_order("live", n) for n in range(CUSTOMERS)])
        for first in range(0, self.args.history, CHUNK):
            dates = [time.strftime(DATE, time.gmtime(self.begin - 900 * DAY_S + 60 * n))
                     for n in range(first, min(first + CHUNK, self.args.history))]
            self.call("POST", "/sandbox/stores/abc123/orders",
                      [one_order("past", n % PAST_CUSTOMERS, date_created=date, date_modified=date) for n, date in enumerate(dates)])
        wait_until(lambda: len(self.tails["delivered"].records) >= CUSTOMERS, 60, lambda: f"known customers; {self.trouble()}")
        self.sandbox_settings(answer_delay_ms=DELAY_MS)

    def delivered(self):
        return len(self.tails["delivered"].records)

    def load(self, backfill):
        """Returns (the numbers of the live orders, the history delivered each second beside them)."""
        before = self.delivered()
        if backfill:
            wait_until(lambda: self.delivered() > before, 120, lambda: f"the history to be delivered; {self.trouble()}")
        self.poll_at(0.2)
        begun, at_begin, live = time.monotonic(), self.delivered(), []
        for tick in ticks(self.args.per_s, self.args.seconds, random.Random(self.args.per_s)):
            live.append(self.place(one_order("live", tick % CUSTOMERS))["id"])
        rate = (self.delivered() - at_begin) / (time.monotonic() - begun) - self.args.per_s
        return live, rate

    def measure(self, backfill):
        """(seconds of each live order, history delivered a second, goals of the history, violations)"""
        self.start()
        self.prepare()
        command = None
        if backfill:
            command = subprocess.Popen([binary("bigfusion"), "backfill", "--from", "2020-01-01", "--config", self.config],
                                       env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        else:
            del self.stores[0]["backfill_from"]
            self.write_expectation()
        live, rate = self.load(backfill)
        if command is not None and command.wait(3600) != 0:
            raise RuntimeError(f"the backfill ended with {command.returncode}")
        self.wait_drained(3600)
        judge = self.judge()
        times = [float(judge.creates[f"bc-abc123-{number}"][0][0]["t"] - judge.placed_at["abc123", number])
                 for number in live]
        return times, rate, self.goals_of_history(judge, live), judge.violations

    def goals_of_history(self, judge, live):
        """Goals that were achieved for contacts that only the history has."""
        contacts = {str(judge.creates[f"bc-abc123-{number}"][0][2].get("contact_id")) for number in live}
        goals = [e for e in self.journal() if e["side"] == "is" and e["path"].endswith("/goals/achieve")]
        bodies = [e["body"] if isinstance(e["body"], dict) else json.loads(e["body"]) for e in goals]
        return sum(str(body.get("contact_id")) not in contacts for body in bodies)


def part(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--history", type=int, default=20000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--per-s", type=float, default=4)
    parser.add_argument("--rate", type=int, default=0)
    args = parser.parse_args()
    folder = os.path.join(RUNS, "bench-backfill-kafka")
    os.makedirs(folder, exist_ok=True)
    kafka = Kafka(folder)
    times, rates, goals, violations = {False: [], True: []}, [], 0, []
    print(f"{'ms':<18}{'orders':>8}{'p50':>8}{'p99':>8}{'max':>8}", flush=True)
    try:
        for pair in range(args.pairs):
            for backfill in (False, True):
                name = "with" if backfill else "without"
                with Run(f"bench-backfill-{pair}-{name}", kafka, args) as run:
                    found, rate, fired, wrong = run.measure(backfill)
                times[backfill] += found
                rates += [rate] if backfill else []
                goals, violations = goals + (fired if backfill else 0), violations + wrong
                print(f"{f'pair {pair + 1} {name}':<18}{len(found):>8}{part(found, 0.5):>8.0f}{part(found, 0.99):>8.0f}"
                      f"{max(found) * 1000:>8.0f}", flush=True)
    finally:
        kafka.stop()
    without, beside = part(times[False], 0.99), part(times[True], 0.99)
    print("\n".join(violations[:10]))
    print(f"{'met   ' if beside <= 1.1 * without else 'MISSED'} p99 of live orders beside a backfill within 10 %")
    print(f"backfill: pairs={args.pairs} history={args.history} per_s={sum(rates) / len(rates):.0f} p99_ms={without:.0f}"
          f" p99_with_ms={beside:.0f} ratio={beside / without:.2f} goals_of_history={goals} violations={len(violations)}", flush=True)
    return 0 if beside <= 1.1 * without and not violations and goals == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
