#!/usr/bin/python3
"""Runs docker-compose.yml on a Docker engine and puts it through what happens to a stack in months.

    tests/stacktest/stacktest.py [--orders N] [--keep]        `make stack-test`

First the demo is started as README.md says. Then 5,000 orders in all are placed while stages are scaled up and down,
every service is restarted container by container, Kafka and Redis are restarted and killed, the mapper is taken away, and
the whole stack is taken down and started again on its volumes. The oracle judges what the sandbox wrote down.

Last line: stack: orders=5000 delivered=N skipped=M dead=K lost=0 duplicated=0 restarts=R image_mb=I
Exit status 0 when everything holds, 1 when not. --keep leaves the stack running until Ctrl-C.
"""

import argparse
import contextlib
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import scenes  # noqa: E402
import secrets_in_layers  # noqa: E402
import bad_input  # noqa: E402
from engine import CACHE, Engine, Failed  # noqa: E402
from images import Images  # noqa: E402
from processes import TimedOut  # noqa: E402
from project import copy_sources  # noqa: E402

IMAGE_MAX_MB = 110
ORDERS = 5000


def say(text):
    print(f"stack: {text}", flush=True)


class Run:
    """What the parts of the test find: faults in sentences, figures, and how much time each part took."""

    def __init__(self, engine, folder, orders):
        self.engine, self.folder, self.orders = engine, folder, orders
        self.faults, self.restarts = [], 0
        self.starts = []  # {service: seconds to ready}, one for each start of the whole stack
        self.counts, self.lost, self.duplicated, self.image_mb = {}, 0, 0, 0

    def blame(self, text):
        self.faults.append(text)
        say(f"FAULT {text}")

    def check(self, holds, text):
        """Prints what was found; it is a fault where it does not hold."""
        if holds:
            say(text)
        else:
            self.blame(text)

    @contextlib.contextmanager
    def part(self, name):
        began = time.monotonic()
        yield
        say(f"[{time.monotonic() - began:5.1f} s] {name}")

    def judge(self, demo):
        """Adds the oracle's finding about this stack to those before it."""
        judge = demo.judge()
        for name, count in demo.counts().items():
            self.counts[name] = self.counts.get(name, 0) + count
        self.lost, self.duplicated = self.lost + judge.lost, self.duplicated + judge.duplicated
        for violation in judge.violations:
            self.faults.append(violation)

    def last_line(self):
        counts = {name: self.counts.get(name, 0) for name in ("delivered", "skipped", "dead")}
        return (f"stack: orders={sum(counts.values())} " + " ".join(f"{name}={n}" for name, n in counts.items())
                + f" lost={self.lost} duplicated={self.duplicated} restarts={self.restarts} image_mb={self.image_mb}")


def build(run):
    with run.part("image built"):
        run.engine.build_project("bigfusion-stack/build", "--target", "build", source=run.folder)
        run.engine.build_project("bigfusion:0.1.0", source=run.folder)
        run.engine.build_project("bigfusion-sandbox:0.1.0", "--target", "sandbox", source=run.folder)
    size = int(run.engine.docker("image", "inspect", "--format", "{{.Size}}", "bigfusion:0.1.0"))
    found = run.engine.docker("run", "--rm", "bigfusion:0.1.0", "sh", "-c", "ls /usr/local/bin")
    run.check("bigfusion-pusher" in found and "sandbox" not in found, f"the product's image has no sandbox: {found}")
    run.image_mb = round(size / 1e6)
    run.check(run.image_mb <= IMAGE_MAX_MB, f"the image has {run.image_mb} MB, at most {IMAGE_MAX_MB} are allowed")


def whole(run, keep):
    with run.part("secrets placed into deploy/local"):
        secrets = secrets_in_layers.Secrets(run.folder)
    build(run)
    with run.part("layers searched for the secrets"):
        secrets.search(run)
    with run.part("bad input"):
        bad_input.run_all(run)
    scenes.as_the_readme_says(run)
    scenes.months_in_minutes(run, keep)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"in all (default {ORDERS}, at least 3000)")
    parser.add_argument("--keep", action="store_true", help="leave the stack running at the end")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(111))
    began, run = time.monotonic(), None
    try:
        with Engine(say) as engine, Images(engine):
            folder = f"{CACHE}/source"
            copy_sources(folder)
            run = Run(engine, folder, options.orders)
            whole(run, options.keep)
    except (Failed, TimedOut, RuntimeError) as failure:
        if run is None:
            print(f"stack: {failure}", file=sys.stderr)
            return 1
        run.blame(str(failure))
    for fault in run.faults[:20]:
        say(f"did not hold: {fault.splitlines()[0]}")
    say(f"took {time.monotonic() - began:.0f} s")
    print(run.last_line(), flush=True)
    right = not run.faults and sum(run.counts.values()) == options.orders
    return 0 if right else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(111)
