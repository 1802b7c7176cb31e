#!/usr/bin/python3
"""The native stack for development, in the foreground: a real Kafka, Redis, the sandbox and the four services.

    python3 tests/dev.py [--orders N]

A service is stopped and started again when its binary changes, so `make` in another terminal is all that a change
takes. Ctrl-C ends everything. Logs, journal and configuration are in build/out/dev.
"""

import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from processes import RUNS, Kafka, binary  # noqa: E402
from stack import SERVICES, Stack  # noqa: E402


def changed_at(name):
    """When the service's binary was last written, or None while a build is replacing it."""
    try:
        return os.stat(binary(f"bigfusion-{name}")).st_mtime_ns
    except OSError:
        return None


def watch(stack):
    seen = {name: changed_at(name) for name in SERVICES}
    ended = set()
    while True:
        time.sleep(0.5)
        for name in SERVICES:
            now = changed_at(name)
            if now is not None and now != seen[name]:
                # The linker writes for a moment: the file counts as changed once it stays the same.
                time.sleep(0.3)
                if changed_at(name) != now:
                    continue
                seen[name] = now
                print(f"dev: {name} has a new binary, starting it again", flush=True)
                stack.restart(name, wait=False)
                ended.discard(name)
            elif not stack.services[name].alive() and name not in ended:
                ended.add(name)
                print(f"dev: {name} ended with {stack.services[name].popen.returncode}; it is started again when its"
                      f" binary changes. Last words:\n{stack.services[name].tail(3)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=200, help="orders in the store (default 200)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = os.path.join(RUNS, "dev-kafka")
    os.makedirs(folder, exist_ok=True)
    kafka = Kafka(folder)
    # Its own prefix at every start: the topics of the last one stay readable and do not mix with a new sandbox.
    prefix = f"dev{int(time.time())}"
    with Stack("dev", orders=options.orders, broker=kafka, prefix=prefix) as stack:
        stack.start()
        print(f"dev: Kafka {kafka.address}, Redis {stack.redis.url}, sandbox {stack.url}, topics {prefix}.*")
        print(f"dev: export BIGFUSION_CONFIG={stack.config}")
        for name in SERVICES:
            print(f"dev: {name:<8} log {stack.services[name].log}  metrics http://127.0.0.1:{stack.ports[name]}/metrics")
        sys.stdout.flush()
        try:
            watch(stack)
        except KeyboardInterrupt:
            print("dev: ending")
    kafka.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
