#!/usr/bin/python3
"""Asks `why` about thousands of orders in every state, and judges each answer by an oracle that shares no code.

    tests/why/why.py [--orders 10000] [--seed S] [--cli 200] [--rate SECONDS]

Real Kafka, Redis, sandboxes and programs make the orders (market.py); expected.py says what is right. Each order is asked
for over the console's HTTP; --cli of them also with `bigfusion why`. --rate measures the console for so long while 100
orders a second pass (0: not). Answers and what was expected stay in build/out/why/. Wrong answers are listed. Last line:
    why: asked=10000 right=10000 none=0 p99_ms=P
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE, os.path.join(os.path.dirname(HERE), "bench")]

import asker  # noqa: E402
import market  # noqa: E402
from expected import Expected  # noqa: E402
from measure import cpu_seconds, memory_mb  # noqa: E402
from processes import RUNS, Kafka, Process, binary, http_call, ticks, wait_until  # noqa: E402

P99_MS = 100
EXIT = {"synced": 0, "waiting": 10, "retrying": 11, "skipped": 12, "dead": 13, "unknown": 14}
RATE = 100


class Run:
    def __init__(self, args):
        self.args, self.start = args, time.monotonic()
        self.wrong, self.none, self.right, self.asked = [], 0, 0, 0
        self.run = os.path.join(RUNS, "why-kafka")
        os.makedirs(self.run, exist_ok=True)

    def say(self, text):
        print(f"{time.monotonic() - self.start:6.1f} s  {text}", flush=True)

    def go(self):
        kafka = Kafka(self.run)
        try:
            with market.Market("why", kafka, self.args.orders, self.args.seed, "why") as stack:
                self.settings, self.address = market.console_settings(stack.run)
                stack.settings["console"] = self.settings
                stack.start()
                # when a retry is due is worked out as a record is read, so with the delays that the pusher has in the end
                console = start_console(stack, self.address, env=market.LONG_DELAYS)
                stack.fill(self.say)
                self.ask_all(stack, console)
                self.measure(stack, console)
                if console.stop(30) != 0:
                    self.wrong.append(f"the console was asked to stop and ended with {console.popen.returncode}")
        finally:
            kafka.stop()
        print(f"why: asked={self.asked} right={self.right} none={self.none} p99_ms={self.p99:.1f}")
        return 0 if not self.wrong and self.right == self.asked >= self.args.orders and self.p99 < P99_MS else 1

    def client(self):
        return asker.Console(self.address)

    # -- asking ----------------------------------------------------------------------------------------------------

    def ask_all(self, stack, console):
        expected = Expected(stack, market.HOUR_S)
        rights = {key: expected.right(key, plan) for key, plan in stack.plans.items()}
        self.say("what is right: " + " ".join(f"{word.replace(' ', '_')}={n}" for word, n in sorted(tally(rights).items())))
        for problem in expected.problems[:20]:
            print(f"    ! the run itself: {problem}")
        self.wrong += expected.problems
        client = self.client()
        wait_caught_up(client, console)
        answers = {}
        for number, (key, right) in enumerate(rights.items()):
            status, document = client.why(name_of(stack, key, number))
            answers[key] = document
            self.take(key, right, status, document, private_of(expected.orders.get(key)), "http")
        self.p99 = client.p99_ms()
        self.say(f"asked over HTTP: p50={sorted(client.took_ms)[len(client.took_ms) // 2]:.1f} ms p99={self.p99:.1f} ms"
                 f" max={max(client.took_ms):.1f} ms; console rss_mb={memory_mb(console.pid, 'VmRSS'):.0f}")
        keep(stack, rights, answers)
        self.ask_by_command(stack, rights)
        self.ask_otherwise(client, rights, expected)
        for line in self.wrong[:40]:
            print(f"    ! {line}")
        if len(self.wrong) > 40:
            print(f"    ! ... and {len(self.wrong) - 40} more")

    def take(self, key, right, status, document, private, how):
        faults = asker.faults_of(key, right, status, document, private)
        if how == "http":
            self.asked += 1
            self.right += not faults
            self.none += not (isinstance(document, dict) and document.get("orders"))
        if faults:
            self.wrong.append(f"{how} {key}: {'; '.join(faults)}")

    def ask_by_command(self, stack, rights):
        """A sample over all states, by the command line: the same answers."""
        keys = sample_of(rights, self.args.cli)
        for number, key in enumerate(keys):
            done = stack.command("why", name_of(stack, key, number), "--json", check=False)
            try:
                document = json.loads(done.stdout)
            except ValueError:
                document = f"{done.returncode} {done.stdout[:100]} {done.stderr[:200]}"
            self.take(key, rights[key], 200, document, (), "command")
            if done.returncode != EXIT[rights[key].verdict]:
                self.wrong.append(f"command {key}: exit status {done.returncode} for {rights[key].verdict}")
        self.say(f"asked by the command: {len(keys)}")

    def ask_otherwise(self, client, rights, expected):
        """By the id in the account, and by the customer's address."""
        synced = [key for key, right in rights.items() if right.verdict == "synced"]
        synced = synced[::max(1, len(synced) // 50)][:50]
        for key in synced:
            account = next(one.get("account", "main") for one in expected.market.stores if one["hash"] == key.split("/")[0])
            status, document = client.get(f"/api/v1/why?infusionsoft={rights[key].order_id}&account={account}")
            self.take(key, rights[key], status, document, (), "by id")
            address = expected.orders[key]["billing_address"]["email"]
            status, body = http_call(self.address, "POST", "/api/v1/why", {"email": address})
            found = [one.get("key") for one in json.loads(body).get("orders", [])] if status == 200 else []
            if key not in found:
                self.wrong.append(f"by e-mail {key}: HTTP {status}, {found[:3]} {body[:200] if status != 200 else ''}")
        self.say(f"asked by id and by e-mail: {len(synced)}")

    # -- what it costs ---------------------------------------------------------------------------------------------

    def measure(self, stack, console):
        """The console's share of a core, and memory, while 100 orders a second pass the pipeline."""
        if not self.args.rate:
            return
        stack.start_service("mapper")
        stack.wait_ready("mapper")
        client = self.client()
        wait_caught_up(client, console)
        start = cpu = None
        for tick in ticks(4, self.args.rate + 5):
            stack.generate(RATE // 4)
            if tick == 20:
                start, cpu = time.monotonic(), cpu_seconds(console.pid)
        share = (cpu_seconds(console.pid) - cpu) / (time.monotonic() - start) * 100
        behind = (client.get("/api/v1/status")[1] or {}).get("index")
        self.say(f"at {RATE} orders/s the index is {behind}")
        print(f"console: cpu_pct={share:.2f} rss_mb={memory_mb(console.pid, 'VmRSS'):.1f}"
              f" peak_mb={memory_mb(console.pid, 'VmHWM'):.1f}")


def start_console(stack, address, name="console", env=None):
    console = Process(name, [binary("bigfusion-console"), "--config", stack.config], stack.run,
                      env={**stack.environment(), **(env or {})})
    wait_until(lambda: is_ready(console, address), 60, lambda: f"the console: {console.tail()}")
    return console


def is_ready(console, address):
    if not console.alive():
        raise RuntimeError(f"the console ended with {console.popen.returncode}: {console.tail()}")
    try:
        return http_call(address, "GET", "/healthz", timeout=2)[0] == 200
    except OSError:
        return False


def wait_caught_up(client, console, timeout=120):
    """Twice in a row, so that an answer from before the last records does not count."""
    state = {"good": 0, "index": None}

    def there():
        state["index"] = (client.get("/api/v1/orders?list=dead&limit=1")[1] or {}).get("index") or {}
        state["good"] = state["good"] + 1 if state["index"].get("is_caught_up") else 0
        return state["good"] > 3
    wait_until(there, timeout, lambda: f"the index to catch up: {state['index']}; {console.tail()}", 0.5)


def tally(rights):
    found = {}
    for right in rights.values():
        found[right.words()] = found.get(right.words(), 0) + 1
    return found


def sample_of(rights, count):
    """Some orders of every answer, the rare ones first."""
    groups = {}
    for key, right in rights.items():
        groups.setdefault(right.words(), []).append(key)
    chosen, turn = [], 0
    while len(chosen) < min(count, len(rights)):
        for keys in groups.values():
            if turn < len(keys) and len(chosen) < count:
                chosen.append(keys[turn * 7 % len(keys)] if len(keys) % 7 else keys[turn])
        turn += 1
    return chosen


def name_of(stack, key, number):
    """One of the names that an order may be asked by, in turn."""
    store, _, order_id = key.split("/")
    code = next(one["code"] for one in stack.stores if one["hash"] == store)
    return (f"{code}/{order_id}", f"{code} #{order_id}", key)[number % 3]


def private_of(order):
    """What an answer must never show of the customer."""
    billing = (order or {}).get("billing_address")
    if not isinstance(billing, dict):
        return ()
    address = billing.get("email")
    return (address,) if isinstance(address, str) and "@" in address else ()


def keep(stack, rights, answers):
    with open(f"{stack.run}/expected.json", "w", encoding="utf-8") as file:
        json.dump({key: {"verdict": right.verdict, "reason": right.reason, "stage": right.stage, "plan": stack.plans[key],
                         "order_id": right.order_id} for key, right in rights.items()}, file, indent=0)
    with open(f"{stack.run}/answers.jsonl", "w", encoding="utf-8") as file:
        for key, document in answers.items():
            file.write(json.dumps({"key": key, "answer": document}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cli", type=int, default=200, help="how many are asked by the command as well")
    parser.add_argument("--rate", type=int, default=20, help="seconds at 100 orders a second; 0: none")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    return Run(parser.parse_args()).go()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error} {error.stderr}")
