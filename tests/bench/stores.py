"""What a store in trouble and a noisy one cost the others: 50 stores into 5 accounts, the same order numbers everywhere.

    tests/bench/stores.py [--pairs 3] [--seconds 60] [--times 10] [--rate 25] [--per-store 0.2]

Runs come in pairs on one real Kafka; which of the two is first changes from pair to pair. In the one every store gets the same
load. In the other one store refuses its token from the start, and another one, of another account, gets --times the load; the orders
of the other 48 stores are the same ones at the same moments. An account allows --rate calls a second (`rate_per_s`) and answers
after 50 ms; customers and products are known, so an order makes three calls. The time of an order is from the moment when it was
placed to that when it was made, both from the sandbox's journal; half a second of it is the poll, on the average
(poll_interval_s = 1).

A poll takes the orders of the seconds that are over, so runs whose polls come at other parts of a second differ by up to one. The
polls of every run are put at the same part, and orders are placed at random moments.

Printed are p50, p99 and max of the other stores, those of the noisy store's account (`beside`) and those of other accounts
(`elsewhere`), of each run and of all runs of a kind. Each account is judged by its own journal. Last lines:
    crosstalk: stores=50 accounts=5 orders=N violations=0
    stores: pairs=3 p99_ms=A p99_with_ms=B beside_p99_ms=C,D elsewhere_p99_ms=E,F
Exit status 1 where there was a violation, or where the p99 of all the others grew by more than 10 % and more than 50 ms.
"""

import argparse
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e"), HERE]

from many_stores import ManyStores  # noqa: E402
from processes import RUNS, Kafka, http_call, ticks  # noqa: E402
from shop import item, order  # noqa: E402

STORES, ACCOUNTS, CUSTOMERS, DELAY_MS = 50, 5, 100, 50
NOISY, DEAD = 1, 2  # numbers of stores; store n is of account n % ACCOUNTS


def one_order(number):
    return order(f"customer{number % CUSTOMERS}@example.com", [item("MUG", "Mug")])


class Run(ManyStores):
    def __init__(self, name, kafka, args):
        super().__init__(name, STORES, ACCOUNTS, broker=kafka, prefix=name, account={"rate_per_s": args.rate},
                         settings={"pusher": {"workers": 32, "http_timeout_s": 20, "lease_s": 60, "visibility_delay_s": 30}})
        self.args = args

    def prepare(self):
        """Every customer and the product are known to each account."""
        for account in range(ACCOUNTS):
            store = self.stores[account]["hash"]
            self.call("POST", f"/sandbox/stores/{store}/orders", [one_order(n) for n in range(CUSTOMERS)])
        self.wait_drained(120)
        for account in self.accounts:
            status, _ = http_call(self.sandboxes[account].address.removeprefix("http://"), "PUT", "/sandbox/settings",
                                  {"answer_delay_ms": DELAY_MS})
            assert status == 200, status

    def load(self, trouble):
        """The n-th tick places an order in store n % STORES. The noisy one gets its further ones evenly between them, of other
        customers: the orders of one contact wait for each other."""
        per_second = self.args.per_store * STORES
        every = STORES / (self.args.times - 1)
        extra = 0.0
        noisy = 0
        for tick in ticks(per_second, self.args.seconds, random.Random(STORES)):
            self.place(one_order(tick % (CUSTOMERS // 2)), self.stores[tick % STORES]["hash"])
            extra += 1 / every if trouble else 0
            while extra >= 1:
                extra -= 1
                noisy += 1
                self.place(one_order(CUSTOMERS // 2 + noisy % (CUSTOMERS // 2)), self.stores[NOISY]["hash"])

    def measure(self, trouble):
        """({store number: [seconds]}, orders made, violations)"""
        self.start()
        self.prepare()
        if trouble:
            dead = self.stores[DEAD]["hash"]
            status, _ = http_call(self.address_of(dead), "POST", "/sandbox/faults",
                                  {"side": "bc", "store": dead, "kind": "status", "status": 401})
            assert status < 300, status
        self.poll_at(0.2)
        prepared = {key for judge in self.judges().values() for key in judge.placed_at}
        self.load(trouble)
        self.drain(trouble)
        numbers = {one["hash"]: number for number, one in enumerate(self.stores)}
        times, made, violations = {}, 0, []
        for judge in self.judges().values():
            made += judge.created
            violations += [text for text in judge.violations
                           if not (trouble and text.startswith(f"{self.stores[DEAD]['hash']}/order/"))]
            for (store, number), at in judge.placed_at.items():
                creates = judge.creates.get(f"bc-{store}-{number}", [])
                if creates and (store, number) not in prepared:
                    times.setdefault(numbers[store], []).append(float(creates[0][0]["t"] - at))
        return times, made, violations

    def drain(self, trouble):
        """The dead store's orders never arrive, and are not waited for."""
        stores = self.stores
        if trouble:
            self.stores = [one for number, one in enumerate(stores) if number != DEAD]
        self.wait_drained(300)
        self.stores = stores


def part(sorted_times, share):
    return sorted_times[min(len(sorted_times) - 1, int(len(sorted_times) * share))] * 1000


def groups(times):
    """{name: sorted times} of the stores that are neither noisy nor dead."""
    others = {n: values for n, values in times.items() if n not in (NOISY, DEAD)}
    beside = [v for n, values in others.items() if n % ACCOUNTS == NOISY % ACCOUNTS for v in values]
    elsewhere = [v for n, values in others.items() if n % ACCOUNTS != NOISY % ACCOUNTS for v in values]
    return {"all": sorted(beside + elsewhere), "beside": sorted(beside), "elsewhere": sorted(elsewhere)}


def line(name, found):
    print(f"{name:<22}" + "".join(f"{len(v):>8}{part(v, 0.5):>8.0f}{part(v, 0.99):>8.0f}{v[-1] * 1000:>8.0f}"
                                  for v in found.values()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--per-store", type=float, default=0.2)
    args = parser.parse_args()
    folder = os.path.join(RUNS, "bench-stores-kafka")
    os.makedirs(folder, exist_ok=True)
    kafka = Kafka(folder)
    kinds = {False: {"all": [], "beside": [], "elsewhere": []}, True: {"all": [], "beside": [], "elsewhere": []}}
    made, violations, rows = 0, [], []
    try:
        for pair in range(args.pairs):
            for trouble in (False, True) if pair % 2 == 0 else (True, False):
                with Run(f"bench-stores-{pair}-{'with' if trouble else 'without'}", kafka, args) as run:
                    times, count, wrong = run.measure(trouble)
                made, violations = made + count, violations + wrong
                found = groups(times)
                rows.append((f"pair {pair + 1} {'with' if trouble else 'without'}", found))
                for name, values in found.items():
                    kinds[trouble][name] += values
    finally:
        kafka.stop()
    print(f"\n{'ms':<22}" + "".join(f"{name:>10}{'p50':>6}{'p99':>8}{'max':>8}" for name in kinds[False]))
    for name, found in rows:
        line(name, found)
    for trouble, found in kinds.items():
        line("all with" if trouble else "all without", {name: sorted(values) for name, values in found.items()})
    p99 = {trouble: {name: part(sorted(values), 0.99) for name, values in found.items()} for trouble, found in kinds.items()}
    grown = p99[True]["all"] - p99[False]["all"]
    good = grown <= max(50, 0.1 * p99[False]["all"])
    print(f"\n{'met   ' if good else 'MISSED'} p99 of the others changes by less than 10 % or 50 ms: {grown:+.0f} ms")
    print("\n".join(violations[:10]))
    print(f"crosstalk: stores={STORES} accounts={ACCOUNTS} orders={made} violations={len(violations)}")
    print(f"stores: pairs={args.pairs} p99_ms={p99[False]['all']:.0f} p99_with_ms={p99[True]['all']:.0f}"
          f" beside_p99_ms={p99[False]['beside']:.0f},{p99[True]['beside']:.0f}"
          f" elsewhere_p99_ms={p99[False]['elsewhere']:.0f},{p99[True]['elsewhere']:.0f}", flush=True)
    return 0 if good and not violations else 1


if __name__ == "__main__":
    sys.exit(main())
