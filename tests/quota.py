#!/usr/bin/python3
"""The quota governor: pushers that share one credential use what the account allows, and never more.

    tests/quota.py [--pushers 1,4,16] [--limits key,oauth] [--seconds 60] [--kafka]

For each number of pushers a stack with work waiting for longer than the measurement, against a sandbox that enforces
the limits (key: 10 a second, 240 a minute; oauth: 25 and 1,500). Prints one line each:

    quota: pushers=16 calls=239 refused_429=0 used=99% limits=key

`calls` were accepted within the measured minute, `used` is their part of what the limits allow in that time. Exit
status 0, or 1 when a call was refused or less than 95 % was used. The broker is the in-memory one; --kafka takes a
real Apache Kafka.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from processes import RUNS, Kafka, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

# limits of the sandbox, and what the account is configured with
LIMITS = {
    "key": {"per_s": 10, "per_min": 240, "account": {"rate_per_s": 10, "rate_per_min": 240}},
    "oauth": {"per_s": 25, "per_min": 1500, "account": {"rate_per_s": 25, "rate_per_min": 1500}},
}
ALLOWED_S = 60
TOO_LITTLE = 95


def oauth_settings(stack):
    """Writes the secrets of an OAuth account; returns its settings."""
    for name, secret in (("client_secret", "sandbox-secret"), ("refresh_token", "sandbox-refresh-1")):
        with open(os.open(f"{stack.run}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secret + "\n")
    return {"auth": "oauth", "client_id": "sandbox-client", "client_secret_file": f"{stack.run}/client_secret",
            "refresh_token_file": f"{stack.run}/refresh_token", "token_state_file": f"{stack.run}/token_state",
            "token_url": f"{stack.url}/token"}


def account_calls(stack):
    """(time, status) of each call to the account."""
    return [(float(entry["t"]), entry["status"]) for entry in stack.journal()
            if entry["side"] == "is" and not entry["path"].endswith("/token")]


def measure(limits, pushers, seconds, broker=None):
    """One line's figures: (calls accepted in the time, calls refused in the whole run, percent of what was allowed)."""
    about = LIMITS[limits]
    allowed = min(about["per_s"] * seconds, about["per_min"] * max(1, seconds // ALLOWED_S))
    orders = allowed // 2 + 20  # each takes more than two calls: there is work to the end
    names = ["pusher"] + [f"pusher-{n}" for n in range(2, pushers + 1)]
    with Stack(f"quota-{limits}-{pushers}-{os.getpid()}", orders=orders, partitions=16, broker=broker,
               prefix=f"q{os.getpid()}{limits}{pushers}" if broker else "bigfusion",
               account=about["account"]) as stack:
        stack.start_servers()
        if limits == "oauth":
            stack.account.update(oauth_settings(stack))
        stack.start_services(("poller", "filter", "mapper"))
        wait_until(lambda: len(stack.raw_records()) >= orders, 60, "the orders to be polled")
        stack.sandbox_settings(quota={"per_s": about["per_s"], "per_min": about["per_min"], "per_day": 0})
        before = len(account_calls(stack))
        for name in names:
            stack.start_service(name)
        for name in names:
            stack.wait_ready(name, 120)
        wait_until(lambda: len(account_calls(stack)) > before + 4 * pushers, 60, lambda: f"calls; {stack.trouble()}")
        start = time.time()
        wait_until(lambda: time.time() >= start + seconds, seconds + 5, "the time to pass", interval=0.2)
        calls = account_calls(stack)
        delivered = len({record.key for record in stack.tails["delivered"].records})
    if delivered >= orders * 2 // 3:
        raise RuntimeError(f"{delivered} orders were delivered: the work ran out")
    accepted = sum(1 for when, status in calls if start <= when < start + seconds and status not in (429, 0))
    refused = sum(1 for _, status in calls if status == 429)
    return accepted, refused, 100 * accepted / allowed


def line(limits, pushers, figures):
    accepted, refused, used = figures
    return f"quota: pushers={pushers} calls={accepted} refused_429={refused} used={int(used)}% limits={limits}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushers", default="1,4,16")
    parser.add_argument("--limits", default="key,oauth")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--kafka", action="store_true", help="a real Apache Kafka")
    options = parser.parse_args()
    broker, failed = None, False
    if options.kafka:
        folder = os.path.join(RUNS, f"quota-kafka-{os.getpid()}")
        os.makedirs(folder, exist_ok=True)
        broker = Kafka(folder)
    try:
        for limits in options.limits.split(","):
            for pushers in map(int, options.pushers.split(",")):
                figures = measure(limits, pushers, options.seconds, broker)
                print(line(limits, pushers, figures), flush=True)
                failed |= figures[1] > 0 or figures[2] < TOO_LITTLE
    finally:
        if broker:
            broker.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
