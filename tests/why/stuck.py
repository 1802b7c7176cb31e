#!/usr/bin/python3
"""`stuck --older 5m` against the judge's list, in a run where the mapper is stopped and 1 % of the payloads are held.

    tests/why/stuck.py [--orders 2000] [--seed S] [--wait]

Nobody waits five minutes: half of the orders were seen ten minutes ago by the header polled_at, from which the age of an order
counts everywhere. This program writes their records itself, the poller those of the other half now. One in a hundred is
held by a fault: most fail at the account and wait in a retry topic, some hang in the pusher's hands. Then the mapper is
stopped and as many orders again follow; only a part of them is to be synced. The list comes from the console, from the
command, and from the command that reads the topics (--scan); keys, stage and reason must be those of this program's judge,
which reads stores and topics by itself. --wait: the five minutes do pass, and it asks once more when the orders of the
second half are old too and what hung was given up. Last line:
    stuck: orders=N listed=L right=L missing=0 extra=0 wrong=0
"""

import argparse
import collections
import email.utils
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE, os.path.join(os.path.dirname(HERE), "e2e")]

import market  # noqa: E402
import reference  # noqa: E402
import why  # noqa: E402
from asker import Console  # noqa: E402
from expected import RETRY  # noqa: E402
from processes import RUNS, Kafka, read_topic, wait_until  # noqa: E402
from shop import mail, order  # noqa: E402
from stack import Stack  # noqa: E402

HELD, HANGS = "held.mail", "hangs.mail"
OLD_S, OLDER_S = 600, 300
FIRST_OLD = 4000000
STATUSES = (11, 2, 7, 10, 5, 3, 9, 0)  # five of eight are to be synced


class Stuck:
    def __init__(self, args, stack, address):
        self.args, self.stack, self.client = args, stack, Console(address)
        self.next_old, self.own = FIRST_OLD, {}
        self.missing = self.extra = self.wrong = self.listed = 0

    # -- orders ----------------------------------------------------------------------------------------------------

    def orders(self, count, word, held=True):
        """count orders; one in a hundred of those that are to be synced is held."""
        made = []
        for number in range(count):
            who = word
            if held and number % 100 == 50:
                who = HANGS if number % 400 == 350 else HELD
            made.append(order(mail(who), status=11 if who != word else STATUSES[number % len(STATUSES)]))
        return made

    def write_old(self, orders):
        """Into `raw` as a poller would have ten minutes ago. Returns the keys."""
        now = int(time.time())
        stamp = email.utils.formatdate(now - OLD_S - 60)
        lines, keys = [], []
        for one in orders:
            number, self.next_old = self.next_old, self.next_old + 1
            key = f"abc123/order/{number}"
            self.own[key] = {"id": number, **one, "date_created": stamp, "date_modified": stamp}
            lines.append(f"{key}\x1f{json.dumps(self.own[key])}\n")
            keys.append(key)
        version = int(reference.instant(stamp).timestamp() * 1000)
        subprocess.run(["kcat", "-b", self.stack.broker.address, "-P", "-t", self.stack.topic("orders.raw"), "-K", "\x1f",
                        "-H", "store=abc123", "-H", "source=poll", "-H", "kind=order", "-H", f"modified_at={version}",
                        "-H", f"polled_at={(now - OLD_S) * 1000}", "-H", "start_from=0"],
                       input="".join(lines).encode(), check=True, timeout=60)
        return keys

    def place(self, orders):
        keys = []
        for begin in range(0, len(orders), 50):
            ids = self.stack.call("POST", "/sandbox/stores/abc123/orders", orders[begin:begin + 50])["ids"]
            keys += [f"abc123/order/{number}" for number in ids]
        return keys

    def fill(self):
        """Returns the keys of all orders, when nothing moves any more."""
        half = self.args.orders // 4
        self.stack.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match=HELD)
        self.stack.fault(side="is", method="POST", path="/contacts", kind="delay", delay_ms=3600_000, match=HANGS)
        keys = self.write_old(self.orders(half, "old")) + self.place(self.orders(half, "new"))
        self.wait_at_rest(keys)
        self.stack.services["mapper"].stop()
        keys += self.write_old(self.orders(half, "later", False)) + self.place(self.orders(half, "latest", False))
        self.wait_at_rest(keys)
        return keys

    def wait_at_rest(self, keys):
        """Until every order has its fate, or is where it must stay: so the topics do not change for three seconds."""
        state = {"sizes": None, "since": 0.0}

        def rested():
            records = self.read_topics()
            sizes = {name: len(found) for name, found in records.items()}
            raw = {r.key for r in records["orders.raw"]}
            if sizes != state["sizes"] or not set(keys) <= raw:
                state.update(sizes=sizes, since=time.monotonic())
            return time.monotonic() - state["since"] > 3
        wait_until(rested, 240, lambda: f"the topics to be at rest: {state['sizes']}; {self.stack.trouble()}", 0.5)

    def read_topics(self):
        names = ["orders.raw", "orders.eligible", "orders.payloads", *RETRY, "skipped", "delivered", "dead",
                 "waiting.main", "waiting-orders.main"]
        return {name: read_topic(self.stack.broker.address, self.stack.topic(name)) for name in names}

    # -- the judge's list ------------------------------------------------------------------------------------------

    def wanted(self, keys, older_s):
        """{key: (stage, reason)} of the orders without a fate that were seen longer ago than that."""
        records = self.read_topics()
        places, seen, ended = collections.defaultdict(set), {}, set()
        for name, found in records.items():
            for record in found:
                places[record.key].add(name)
                if name in ("skipped", "delivered", "dead"):
                    ended.add(record.key)
                elif record.headers.get("polled_at"):
                    seen[record.key] = min(seen.get(record.key, 1 << 62), int(record.headers["polled_at"]))
        orders = {f"abc123/order/{one['id']}": one for one in self.stack.orders()} | self.own
        settings, listed = self.stack.judge_settings()["abc123"], {}
        for key in keys:
            stage, reason, _ = reference.fate_of(orders[key], "abc123", settings)
            if key in ended:
                continue
            if stage != "delivered" and "orders.eligible" not in places[key]:
                raise RuntimeError(f"{key} is {stage} {reason} by the rules and has no fate")
            if seen[key] <= (time.time() - older_s) * 1000:
                listed[key] = self.place_of(places[key])
        return listed

    @staticmethod
    def place_of(places):
        """A contact's create that hung until it was given up puts no order in doubt: each attempt looks the contact up first."""
        for name in RETRY:
            if name in places:
                return name, "retrying"
        for name in ("orders.payloads", "orders.eligible", "orders.raw"):
            if name in places:
                return name.removeprefix("orders."), "queued"
        raise RuntimeError(f"in {places} only")

    # -- comparing -------------------------------------------------------------------------------------------------

    def compare(self, how, got, wanted):
        """got: {key: (stage, reason)}"""
        missing, extra = wanted.keys() - got.keys(), got.keys() - wanted.keys()
        wrong = {key for key in wanted.keys() & got.keys() if got[key] != wanted[key]}
        self.missing += len(missing)
        self.extra += len(extra)
        self.wrong += len(wrong)
        self.listed = len(wanted)
        kinds = collections.Counter(f"{stage}/{reason}" for stage, reason in wanted.values())
        print(f"{how}: listed={len(got)} expected={len(wanted)} {dict(kinds)}", flush=True)
        for key in sorted(missing)[:5]:
            print(f"    ! {key} is missing, expected {wanted[key]}")
        for key in sorted(extra)[:5]:
            print(f"    ! {key} {got[key]} is not expected")
        for key in sorted(wrong)[:5]:
            print(f"    ! {key}: expected {wanted[key]}, got {got[key]}")

    def compare_all(self, keys, older_s):
        wanted = self.wanted(keys, older_s)
        older = f"{older_s}s"
        orders, page = self.client.list("stuck", older=older)
        self.compare(f"console --older {older}", places(orders), wanted)
        if page["total"] != len(wanted) or sum(page["counts"].values()) != len(wanted):
            self.wrong += 1
            print(f"    ! total {page['total']}, counts {page['counts']}, expected {len(wanted)}")
        for words in (("stuck",), ("stuck", "--scan")):
            done = self.stack.command(*words, "--older", older, "--json", check=False)
            if done.returncode != 0:
                self.wrong += 1
                print(f"    ! bigfusion {' '.join(words)}: {done.returncode} {done.stderr[:300]}")
                continue
            self.compare(f"bigfusion {' '.join(words)} --older {older}", places(json.loads(done.stdout)["orders"]), wanted)

    def run(self, console):
        keys = self.fill()
        why.wait_caught_up(self.client, console)
        self.compare_all(keys, OLDER_S)
        self.compare_all(keys, 0 if self.args.wait else 1)
        if self.args.wait:
            newest = time.time()
            wait_until(lambda: time.time() > newest + OLDER_S + 5, OLDER_S + 60, "the new ones to be old", 5)
            self.compare_all(keys, OLDER_S)
        print(f"stuck: orders={len(keys)} listed={self.listed} right={self.listed - self.missing - self.wrong}"
              f" missing={self.missing} extra={self.extra} wrong={self.wrong}")
        return 0 if self.listed and not self.missing + self.extra + self.wrong else 1


def places(orders):
    return {one["key"]: (one.get("stage"), one.get("reason")) for one in orders}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wait", action="store_true", help="five minutes more")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = os.path.join(RUNS, "stuck-kafka")
    os.makedirs(run, exist_ok=True)
    kafka = Kafka(run)
    settings = {"pusher": {"workers": 16, "retry_delays_s": "3600,3600,3600", "http_timeout_s": 290, "lease_s": 300,
                           "visibility_delay_s": 290}}
    try:
        with Stack("stuck", broker=kafka, prefix="stuck", seed=args.seed, settings=settings) as stack:
            stack.settings["console"], address = market.console_settings(stack.run)
            stack.start()
            console = why.start_console(stack, address)
            return Stuck(args, stack, address).run(console)
    finally:
        kafka.stop()


if __name__ == "__main__":
    sys.exit(main())
