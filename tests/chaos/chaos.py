#!/usr/bin/python3
"""The fault runner: every row of docs/testing-faults.md against the real thing.

    tests/chaos/chaos.py [--row N[,N...]] [--seed S] [--full | --short] [--minutes M] [--jobs J]

Prints the settings and the seed, one line a row, and at last `chaos: rows=19 passed=19 orders=N lost=0 duplicated=0
goals_doubled=0`, and behind it the figures that only a row has. Exit status 0, or 1 when a row failed. Journal, orders
and logs of each rig stay in build/out/chaos-<row>-seed<S>/ for another judge: `python3 tests/oracle.py build/out/<run>`.
"""

import argparse
import collections
import concurrent.futures
import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

import rig  # noqa: E402
import rows_account  # noqa: E402
import rows_blank  # noqa: E402
import rows_loss  # noqa: E402
import rows_path  # noqa: E402
import rows_process  # noqa: E402
import rows_redis  # noqa: E402
import rows_server  # noqa: E402
import rows_store  # noqa: E402
import scenes  # noqa: E402
import processes  # noqa: E402
from processes import RUNS, Kafka  # noqa: E402

MODULES = (rows_process, rows_account, rows_store, rows_server, rows_path, rows_redis, rows_blank,
           rows_loss)
ROWS = {str(number): function for module in MODULES for number, function in module.ROWS.items()}
SCENES = scenes.SCENES
SUMMED = ("orders", "lost", "duplicated", "goals_doubled")


class Cluster:
    """The Kafka that rows share, started when the first one asks for it."""

    def __init__(self, name="chaos-kafka"):
        self.name, self.kafka = name, None

    def get(self):
        if self.kafka is None:
            folder = os.path.join(RUNS, f"{self.name}-{os.getpid()}")
            os.makedirs(folder, exist_ok=True)
            self.kafka = Kafka(folder)
        return self.kafka

    def stop(self):
        if self.kafka is not None:
            self.kafka.stop()
            self.kafka = None


class Lent:
    """The Kafka of the run that this one is a part of."""

    real = True

    def __init__(self, address):
        self.address = address

    def get(self):
        return self

    def stop(self):
        pass


def run_beside(names, options, kafka):
    """Each row in a process of its own, so many at a time; they share nothing but the broker. Returns their sums."""
    def one(name):
        command = [sys.executable, os.path.abspath(__file__), "--row", name, "--seed", str(options.seed), "--kafka", kafka.address]
        command += ["--full"] if options.full else ["--short"] if options.short else []
        return name, subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=processes.die_with_parent)
    sums = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as lanes:
        for done in concurrent.futures.as_completed([lanes.submit(one, name) for name in names]):
            name, child = done.result()
            *lines, last = child.stdout.splitlines() or [""]
            if not last.startswith("chaos: "):
                lines, last = [f"row={name} FAILED", child.stdout[-500:], child.stderr[-1500:]], "chaos: rows=1"
            print("\n".join(lines[0 if len(lines) < 2 else 1:]), flush=True)
            sums.update({word.split("=")[0]: int(word.split("=")[1]) for word in last.split()[1:]})
    return sums


def run_row(name, seed, size, kafka, minutes=10):
    """One row; returns its Trial. Whatever goes wrong in it is a problem of the row, not of the run."""
    trial = rig.Trial(name, seed, size, kafka)
    trial.minutes = minutes
    start = time.monotonic()
    try:
        {**ROWS, **SCENES}[name](trial)
    except Exception as error:  # a row that cannot finish has failed; the next ones run all the same
        trial.problems.append(f"{type(error).__name__}: {str(error)[:1500]}")
        if not isinstance(error, rig.processes.TimedOut):
            trial.problems.append(traceback.format_exc(limit=-3))
    trial.seconds = time.monotonic() - start
    return trial


def report(trial):
    print(f"{trial.line()} seconds={trial.seconds:.0f}")
    for fact in trial.facts:
        print(f"    {fact}")
    for problem in trial.problems[:12]:
        print(f"    ! {problem}")
    if len(trial.problems) > 12:
        print(f"    ! ... and {len(trial.problems) - 12} more")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", default="", help="rows, by comma; also p99, closed, soak")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10000)
    parser.add_argument("--full", action="store_true", help="the full figures, without a limit of time")
    parser.add_argument("--short", action="store_true", help="the smallest form")
    parser.add_argument("--minutes", type=int, default=10, help="of the soak")
    parser.add_argument("--jobs", type=int, default=1, help="rows at a time, each in a process of its own (1)")
    parser.add_argument("--kafka", help="use the broker of that address")
    options = parser.parse_args()
    size = "full" if options.full else "short" if options.short else "usual"
    names = options.row.split(",") if options.row else sorted(ROWS, key=int)
    for name in names:
        if name not in ROWS and name not in SCENES:
            parser.error(f"no row {name}: {', '.join(sorted(ROWS, key=int))}, {', '.join(SCENES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"seed={options.seed} size={size} settings: " + " ".join(
        f"{section}.{key}={value}" for section, values in rig.SHORT.items() for key, value in values.items()), flush=True)
    cluster, sums = Lent(options.kafka) if options.kafka else Cluster(), collections.Counter()
    try:
        if options.jobs > 1:
            sums = run_beside(names, options, cluster.get())
        for name in names if options.jobs == 1 else ():
            trial = run_row(name, options.seed, size, cluster.get(), options.minutes)
            report(trial)
            sums.update({"rows": 1, "passed": int(trial.passed), **{word: getattr(trial, word) for word in SUMMED}})
            sums.update(trial.counts)
    finally:
        cluster.stop()
    own = [word for word in sums if word not in ("rows", "passed", *SUMMED)]
    print("chaos: " + " ".join(f"{word}={sums[word]}" for word in ("rows", "passed", *SUMMED, *own)))
    return 0 if sums["passed"] == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
