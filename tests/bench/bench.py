"""What filter, mapper and pusher cost and reach, each alone on a real Kafka, beside the limits of the same run.

    tests/bench/bench.py [--orders 100000] [--pusher-orders 20000] [--delayed-orders 5000] [--repetitions 3]

Each repetition measures, one after the other on the same records: a bare librdkafka pass-through (tests/bench/passthrough),
the stage loop with a handler that does nothing (tests/bench/stage), filter, mapper; then the pusher against an undelayed
sandbox, libcurl sending the very requests that the pusher sent (tests/bench/http), and the pusher against a sandbox that
answers after 50 ms. Then all three at 100 orders a second. Orders are of 4 KB, made by tests/bench/generate.

Rates count from the first record that arrived to the last; CPU is user + system of the whole process over the same time,
from /proc; memory is VmHWM at the end. Ratios are to the bare pass-through of the same repetition (the median of three).
Figures are min/median/max of the repetitions; a target is met by the median. An idle machine is needed: librdkafka's
producer spins while its broker is slow, the bare one as well. Last line:
    bench: filter_x=A mapper_x=B pusher_orders_s=C pusher_us_per_call=D peak_mb=E
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from measure import count_records, cpu_seconds, memory_mb  # noqa: E402
from processes import ROOT, RUNS, Kafka, Process, binary, ticks, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

PARTITIONS = 12
WORKERS = 32
DELAY_MS = 50
JARS = os.path.join(os.environ.get("BUILD_KAFKA", f"{ROOT}/build/kafka"), "lib", "*")
TARGET_RATE, TARGET_RATIO, TARGET_PUSHER_RATE, TARGET_CALL_US, TARGET_SHARE = 30000, 1.8, 500, 150, 0.9
TARGET_PEAK_MB, TARGET_OWN_MB = 40, 10


class Bench:
    def __init__(self, args):
        self.args = args
        self.figures = {}  # name -> [value of each repetition]
        self.next_order = 1
        run = os.path.join(RUNS, "bench")
        self.stack = Stack("bench", settings={"kafka": {"session_timeout_ms": 10000},
                                              "pusher": {"workers": WORKERS, "lease_s": 60, "http_timeout_s": 20,
                                                         "visibility_delay_s": 30}}, partitions=PARTITIONS)
        self.kafka = Kafka(run)
        self.stack.broker, self.stack.own_broker = self.kafka, False
        self.stack.start_servers()
        self.stack.write_config()
        self.stack.command("topics", "create")
        self.stack.command("setup")
        os.environ.update({k: v for k, v in self.stack.environment().items() if k.startswith("BIGFUSION_")})

    def note(self, name, value):
        self.figures.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.figures[name])

    # -- Kafka -----------------------------------------------------------------------------------------------------

    def count(self, topic):
        return count_records(self.kafka.address, self.stack.topic(topic), PARTITIONS)

    def group_command(self, *words):
        return subprocess.run(["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", JARS,
                               "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                               "--bootstrap-server", self.kafka.address, *words],
                              capture_output=True, text=True, check=True).stdout

    def read_again(self, group):
        """The next start of that group reads from the beginning."""
        self.group_command("--group", f"bigfusion.{group}", "--reset-offsets", "--to-earliest", "--topic",
                           self.stack.topic("orders.raw"), "--execute")

    def assert_no_lag(self, group):
        """Everything that was read is committed."""
        lags = [line.split() for line in self.group_command("--describe", "--group", f"bigfusion.{group}").splitlines()]
        lag = sum(int(words[5]) for words in lags if len(words) > 5 and words[5].isdigit())
        if lag:
            raise RuntimeError(f"{group} left {lag} records uncommitted")

    def generate(self, count, rate=0, wait=True):
        env = {**os.environ, "BENCH_ORDERS": str(count), "BENCH_FIRST": str(self.next_order), "BENCH_RATE": str(rate)}
        self.next_order += count
        process = Process("generate", [binary("bench-generate")], self.stack.run, env=env)
        if wait and process.popen.wait(300) != 0:
            raise RuntimeError(f"generate: {process.tail()}")
        return process

    # -- one program -----------------------------------------------------------------------------------------------

    def measure(self, program, outputs, count, timeout=300):
        """Runs a program until count more records are in the topics outputs. Returns its figures."""
        def arrived():
            return sum(self.count(topic) for topic in outputs)

        before = arrived()
        process = Process(program, [binary(program)], self.stack.run, env=dict(os.environ))
        first = wait_until(lambda: arrived() - before, 60, lambda: f"{program} to begin: {process.tail()}", 0.02)
        begun, cpu = time.monotonic(), cpu_seconds(process.pid)
        wait_until(lambda: arrived() - before >= count or not process.alive(), timeout,
                   lambda: f"{program} to finish: {process.tail()}", 0.1)
        seconds, cpu = time.monotonic() - begun, cpu_seconds(process.pid) - cpu
        peak = memory_mb(process.pid, "VmHWM")
        if process.stop(30) != 0 or arrived() - before < count:
            raise RuntimeError(f"{program}: {process.tail()}")
        return {"rate": (count - first) / seconds, "us": cpu * 1e6 / (count - first), "peak": peak, "cpu": cpu,
                "share": (count - first) / count}

    def stage(self, name, program, outputs, group):
        if group != "mapper":
            self.read_again(group)
        figures = self.measure(program, outputs, self.args.orders)
        self.assert_no_lag(group)
        for key in ("rate", "us", "peak"):
            self.note(f"{name}.{key}", figures[key])

    def repeat_stages(self):
        """The limit is measured before, between and after: on a busy machine it moves."""
        for name, program, outputs, group in (
                ("bare", "bench-passthrough", ["delivered"], "bare"),
                ("stage", "bench-stage", ["delivered"], "pass"),
                ("filter", "bigfusion-filter", ["orders.eligible", "skipped"], "filter"),
                ("bare", "bench-passthrough", ["delivered"], "bare"),
                ("mapper", "bigfusion-mapper", ["orders.payloads", "dead"], "mapper"),
                ("bare", "bench-passthrough", ["delivered"], "bare")):
            self.stage(name, program, outputs, group)
        bare = statistics.median(self.figures["bare.us"][-3:])
        for name in ("stage", "filter", "mapper"):
            self.note(f"{name}.x", self.figures[f"{name}.us"][-1] / bare)

    # -- pusher ----------------------------------------------------------------------------------------------------

    def skip_payloads(self):
        """What the measurements of the mapper left is not for the pusher: it goes on behind it."""
        self.group_command("--group", "bigfusion.pusher", "--reset-offsets", "--to-latest", "--topic",
                           self.stack.topic("orders.payloads"), "--execute")

    def fill_payloads(self, count):
        before = self.count("orders.payloads")
        self.generate(count)
        makers = [Process(f"bigfusion-{name}", [binary(f"bigfusion-{name}")], self.stack.run, env=dict(os.environ))
                  for name in ("filter", "mapper")]
        wait_until(lambda: self.count("orders.payloads") - before >= count, 120, "the payloads")
        for maker in makers:
            maker.stop(30)

    def calls(self, since):
        """The requests to the account in the journal behind byte since: (method, path, body)."""
        found = []
        with open(f"{self.stack.run}/journal.jsonl", "rb") as file:
            file.seek(since)
            for line in file:
                entry = json.loads(line)
                if entry["side"] == "is":
                    path = entry["path"] + ("?" + entry["query"] if entry["query"] else "")
                    body = "" if entry["body"] is None else json.dumps(entry["body"], ensure_ascii=False)
                    found.append((entry["method"], path, body))
        return found

    def push(self, name, count):
        self.fill_payloads(count)
        since = os.path.getsize(f"{self.stack.run}/journal.jsonl")
        figures = self.measure("bigfusion-pusher", ["delivered"], count, timeout=600)
        calls = self.calls(since)
        # CPU was measured over the part of the orders that came after the first look
        per_order = len(calls) / count
        self.note(f"{name}.rate", figures["rate"])
        self.note(f"{name}.us", figures["us"])
        self.note(f"{name}.call_us", figures["us"] / per_order)
        self.note(f"{name}.calls", per_order)
        self.note(f"{name}.peak", figures["peak"])
        return calls

    def curl(self, calls, threads):
        """libcurl sends the same requests, with as many under way."""
        path = f"{self.stack.run}/requests.txt"
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{method} {target} {body}\n" for method, target, body in calls)
        with open(f"{self.stack.run}/infusionsoft_key", "rb") as key:
            answer = subprocess.run([binary("bench-http"), self.stack.url, str(threads), path], stdin=key,
                                    capture_output=True, text=True, check=True).stdout
        figures = dict(part.split("=") for part in answer.split())
        self.note("curl.rate", int(figures["calls"]) / float(figures["seconds"]))
        self.note("curl.call_us", float(figures["cpu_us_per_call"]))

    def repeat_pusher(self):
        self.skip_payloads()
        calls = self.push("pusher", self.args.pusher_orders)
        self.curl(calls, WORKERS)
        self.stack.sandbox_settings(answer_delay_ms=DELAY_MS)
        self.push("delayed", self.args.delayed_orders)
        self.stack.sandbox_settings(answer_delay_ms=0)
        possible = WORKERS / (self.figures["delayed.calls"][-1] * DELAY_MS / 1000)
        self.note("delayed.share", self.figures["delayed.rate"][-1] / possible)

    # -- at 100 orders a second ------------------------------------------------------------------------------------

    def measure_quiet(self, seconds=25):
        """The largest RssAnon of each service in the last 5 s of a while with 100 orders a second."""
        names = ("filter", "mapper", "pusher")
        services = {name: Process(f"bigfusion-{name}", [binary(f"bigfusion-{name}")], self.stack.run,
                                  env=dict(os.environ)) for name in names}
        before = self.count("delivered")
        generate = self.generate(100 * seconds, rate=100, wait=False)
        begun = time.monotonic()
        largest = dict.fromkeys(names, 0.0)
        for _ in ticks(5):
            if not generate.alive():
                break
            if time.monotonic() - begun > seconds - 5:
                for name, process in services.items():
                    largest[name] = max(largest[name], memory_mb(process.pid, "RssAnon"))
        wait_until(lambda: self.count("delivered") - before >= 100 * seconds, 30, "the orders at 100/s to be delivered")
        for name, process in services.items():
            process.stop(30)
            self.note(f"{name}.own", largest[name])

    # -- all of it -------------------------------------------------------------------------------------------------

    def run(self):
        self.generate(self.args.orders)
        for i in range(self.args.repetitions):
            self.repeat_stages()
            self.repeat_pusher_if_wanted()
            print(f"repetition {i + 1} of {self.args.repetitions} done", flush=True)
            self.drop_raw_behind()
        if self.args.pusher_orders:
            self.measure_quiet()

    def repeat_pusher_if_wanted(self):
        if self.args.pusher_orders:
            self.repeat_pusher()

    def drop_raw_behind(self):
        """The pusher's orders are behind the measured ones in the raw topic: the next repetition counts them too."""
        self.args.orders = self.count("orders.raw")

    def row(self, words, name):
        values = self.figures[name]
        print(f"{words:44} {min(values):10.2f} {statistics.median(values):10.2f} {max(values):10.2f}")

    def report(self):
        print(f"\n{'':44} {'min':>10} {'median':>10} {'max':>10}")
        for name, title in (("bare", "bare librdkafka"), ("stage", "stage, no handler"), ("filter", "filter"),
                            ("mapper", "mapper")):
            self.row(f"{title}: orders/s", f"{name}.rate")
            self.row(f"{title}: CPU us per order", f"{name}.us")
            if name != "bare":
                self.row(f"{title}: times the bare CPU", f"{name}.x")
            self.row(f"{title}: peak MB", f"{name}.peak")
        if self.args.pusher_orders:
            self.report_pusher()
        return self.report_targets()

    def report_pusher(self):
        self.row("libcurl alone: calls/s", "curl.rate")
        self.row("libcurl alone: CPU us per call", "curl.call_us")
        for name, title in (("pusher", "pusher"), ("delayed", f"pusher, answers after {DELAY_MS} ms")):
            self.row(f"{title}: orders/s", f"{name}.rate")
            self.row(f"{title}: calls per order", f"{name}.calls")
            self.row(f"{title}: CPU us per order", f"{name}.us")
            self.row(f"{title}: CPU us per call", f"{name}.call_us")
            self.row(f"{title}: peak MB", f"{name}.peak")
        self.row(f"pusher, answers after {DELAY_MS} ms: % of possible",
                 self.scaled("delayed.share", 100))
        for name in ("filter", "mapper", "pusher"):
            self.row(f"{name} at 100 orders/s: RssAnon MB", f"{name}.own")

    def scaled(self, name, factor):
        self.figures[name + ".scaled"] = [factor * value for value in self.figures[name]]
        return name + ".scaled"

    def peak(self):
        """The worst median peak of a program while it caught up."""
        names = [n for n in ("filter.peak", "mapper.peak", "pusher.peak", "delayed.peak") if n in self.figures]
        return max(self.median(name) for name in names)

    def report_targets(self):
        checks = [(f"{name} <= {TARGET_RATIO} x bare CPU", self.median(f"{name}.x") <= TARGET_RATIO)
                  for name in ("filter", "mapper")]
        checks += [(f"{name} > {TARGET_RATE} orders/s", self.median(f"{name}.rate") > TARGET_RATE)
                   for name in ("filter", "mapper")]
        checks += [(f"peak < {TARGET_PEAK_MB} MB", self.peak() < TARGET_PEAK_MB)]
        if self.args.pusher_orders:
            checks += [(f"pusher >= {TARGET_PUSHER_RATE} orders/s", self.median("pusher.rate") >= TARGET_PUSHER_RATE),
                       (f"pusher <= {TARGET_CALL_US} us CPU per call", self.median("pusher.call_us") <= TARGET_CALL_US),
                       (f"pusher >= {TARGET_SHARE:.0%} of possible at {DELAY_MS} ms",
                        self.median("delayed.share") >= TARGET_SHARE)]
            checks += [(f"{name} < {TARGET_OWN_MB} MB RssAnon at 100 orders/s",
                        self.median(f"{name}.own") < TARGET_OWN_MB) for name in ("filter", "mapper", "pusher")]
        print()
        for words, met in checks:
            print(f"{'met   ' if met else 'MISSED'} {words}")
        pusher = "pusher_orders_s={:.0f} pusher_us_per_call={:.0f}".format(
            self.median("pusher.rate"), self.median("pusher.call_us")) if self.args.pusher_orders else \
            "pusher_orders_s=- pusher_us_per_call=-"
        print(f"bench: filter_x={self.median('filter.x'):.2f} mapper_x={self.median('mapper.x'):.2f} {pusher} "
              f"peak_mb={self.peak():.1f}", flush=True)
        return all(met for _, met in checks)

    def stop(self):
        self.stack.stop()
        self.kafka.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=100000)
    parser.add_argument("--pusher-orders", type=int, default=20000)
    parser.add_argument("--delayed-orders", type=int, default=5000)
    parser.add_argument("--repetitions", type=int, default=3)
    bench = Bench(parser.parse_args())
    try:
        bench.run()
        met = bench.report()
    finally:
        bench.stop()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
