"""Measurements beside the rows: p99 of good orders beside bad ones, and beside a closed account; soak."""

import re
import statistics
import time

from processes import Process, binary, http_call, ticks
from shop import item, order

PAIRS = 5


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def polled_at(rig, store):
    """{order id: when the poller's record of it was in Kafka}: when in the poll's interval it was placed is chance."""
    found = {}
    for record in rig.raw_records():
        hash_of_store, _, number = record.key.split("/")
        if hash_of_store == store:
            found.setdefault(int(number), record.timestamp_ms / 1000)
    return found


def created_at(journal, store):
    """{order id: when the account made it}"""
    found = {}
    for entry in journal:
        fields = entry.get("body", {}).get("custom_fields") if isinstance(entry.get("body"), dict) else None
        if entry["side"] == "is" and (entry.get("effect") or {}).get("made") == "order" and fields:
            match = re.fullmatch(rf"bc-{store}-(\d+)", fields[0].get("content") or "")
            if match:
                found.setdefault(int(match[1]), float(entry["t"]))
    return found


def pace(rig, seconds, per_second, make):
    """Places orders at an even rate; make(number) is (store, order, is it a good one). Returns the good ones' ids by store."""
    good = {}
    for number in ticks(per_second, seconds):
        store, one, is_good = make(number)
        placed = rig.place(one, store)
        if is_good:
            good.setdefault(store, set()).add(int(placed["id"]))
        rig.supervise()
    return good


def warm_up(rig, stores):
    """Everybody has worked once: groups are formed, connections made, the product is known."""
    for number, store in enumerate(stores * 5):
        rig.place(order(f"warm.{number}@example.com", [item("PEAR", "Warm")]), store)
    rig.wait_delivered(5 * len(stores))


def delays_ms(rig, store, numbers):
    polled, created = polled_at(rig, store), created_at(rig.journal(), store)
    return [1000 * (created[n] - polled[n]) for n in numbers if n in created]


# -- bad orders beside good ones -----------------------------------------------------------------------------------


def one_p99(trial, name, seconds, with_bad):
    """p99 in ms of the good orders of one run; every twentieth order fails for good, every twentieth for now."""
    with trial.rig(name, sandbox=("--answer-delay-ms", "15"), settings={"pusher": {"workers": 16}}) as rig:
        rig.start()
        warm_up(rig, ["abc123"])
        if with_bad:
            rig.fault(side="is", method="POST", path="/orders", match="REFUSED-", kind="status", status=400)
            rig.fault(side="is", method="POST", path="/orders", match="LATER-", kind="status", status=503, share=0.7,
                      seed=trial.seed)

        def make(number):
            word = {3: "REFUSED", 13: "LATER"}.get(number % 20, "GOOD") if with_bad else "GOOD"
            return "abc123", order(f"p99.{number}@example.com", [item("PEAR", f"{word}-{number}")]), word == "GOOD"
        good = pace(rig, seconds, 15, make)["abc123"]
        rig.wait_for(lambda: len(created_at(rig.journal(), "abc123").keys() & good) == len(good), 120, "the good ones")
        trial.orders += len(good)
        if with_bad:
            trial.faults += sum(1 for e in rig.order_posts() if e.get("fault") == "status")
        return percentile(delays_ms(rig, "abc123", good), 0.99)


def one_closed(trial, name, seconds, closed):
    """p99 in ms of the open account's orders, with the other account closed for most of the time or not."""
    stores = [{"name": "main", "code": "BC", "hash": "abc123"}, {"name": "other", "code": "OT", "hash": "abc124",
                                                                 "account": "other"}]
    with trial.rig(name, stores=stores, sandbox=("--answer-delay-ms", "15"), settings={"pusher": {"workers": 16}}) as rig:
        rig.start_servers()
        other = Process("sandbox-other", [binary("bigfusion-sandbox"), "--listen", "127.0.0.1:0", "--orders", "0", "--journal",
                                          f"{rig.run}/journal-other.jsonl", "--answer-delay-ms", "15"], rig.run,
                        stdout_line="listening on ")
        address = other.address.removeprefix("http://")
        rig.settings["infusionsoft other"] = {**rig.account, "api_url": f"{other.address}/crm/rest/v2", "auth": "key",
                                              "key_file": f"{rig.run}/infusionsoft_key"}
        rig.start_services()
        warm_up(rig, ["abc123", "abc124"])
        if closed:
            http_call(address, "POST", "/sandbox/faults", {"side": "is", "kind": "status", "status": 503})
        try:
            good = pace(rig, seconds, 20, lambda n: (("abc123", "abc124")[n % 2], order(f"two.{n}@example.com"), True))
            if closed:
                http_call(address, "DELETE", "/sandbox/faults")
                trial.faults += 1
            rig.wait_for(lambda: len(created_at(rig.journal(), "abc123").keys() & good["abc123"]) == len(good["abc123"]),
                         120, lambda: f"the open account's orders; {rig.trouble()}")
            rig.wait_for(lambda: len(created_at(other_journal(rig), "abc124").keys() & good["abc124"]) ==
                         len(good["abc124"]), 180, lambda: f"the closed account's orders; {rig.trouble()}")
            made = len([e for e in other_journal(rig) if (e.get("effect") or {}).get("made") == "order"])
            wanted = len(good["abc124"]) + 5
            trial.expect(made == wanted, f"{made} creates for {wanted} orders after it opened")
            trial.expect(not rig.tails["dead"].records, f"{len(rig.tails['dead'].records)} orders are dead")
            trial.orders += sum(map(len, good.values()))
            return percentile(delays_ms(rig, "abc123", good["abc123"]), 0.99)
        finally:
            other.stop()


def other_journal(rig):
    import reference
    with open(f"{rig.run}/journal-other.jsonl", "rb") as file:
        data = file.read()
    return [reference.load_json(line) for line in data[:data.rfind(b"\n") + 1].splitlines()]


def paired(trial, what, run, seconds):
    """Pairs of runs without and with; the median of the differences rises by less than 10 % or 50 ms."""
    rows = []
    for pair in range(trial.pick(1, PAIRS, PAIRS)):
        order_of = (False, True) if pair % 2 == 0 else (True, False)
        result = {bad: run(trial, f"{what}-{pair}-{'with' if bad else 'without'}", seconds, bad) for bad in order_of}
        rows.append((result[False], result[True]))
        trial.fact(f"{what} pair {pair + 1}: p99 without {result[False]:.0f} ms, with {result[True]:.0f} ms")
    without, with_bad = (statistics.median(row[i] for row in rows) for i in (0, 1))
    rise = statistics.median(b - a for a, b in rows)
    trial.fact(f"{what} median of {len(rows)}: without {without:.0f} ms, with {with_bad:.0f} ms, rise {rise:+.0f} ms")
    trial.expect(rise < max(50, 0.1 * without), f"{what}: p99 rises by {rise:.0f} ms")


def bad_orders(trial):
    """What one bad order in ten costs the good ones."""
    paired(trial, "bad-orders", one_p99, trial.pick(6, 15, 60))


def closed_account(trial):
    """What a closed account costs the other one."""
    paired(trial, "closed-account", one_closed, trial.pick(6, 20, 120))


# -- soak ----------------------------------------------------------------------------------------------------------


def rss_kb(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def slope(points):
    """KB a minute, by least squares over (seconds, KB)."""
    mean_x, mean_y = (statistics.fmean(p[i] for p in points) for i in (0, 1))
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in points) / below if below else 0.0


def soak(trial):
    """Ten times a busy shop's rate: 10 orders a second."""
    minutes = trial.minutes
    samples, lags = {}, []
    with trial.rig(settings={"pusher": {"workers": 16}}, sandbox=("--answer-delay-ms", "10")) as rig:
        rig.start()
        start = time.monotonic()
        for number in ticks(1, minutes * 60):
            rig.generate(10, trial.seed)
            if number % 5 == 0:
                for name, process in rig.services.items():
                    samples.setdefault(name, []).append((time.monotonic() - start, rss_kb(process)))
                lags.append(sum(max(0, rig.metric("bigfusion_lag_records", name)) for name in ("filter", "mapper", "pusher")))
            rig.supervise()
        rig.drain(300)
        trial.judge(rig)
        trial.faults = rig.restarts
    for name, points in samples.items():
        late = [point for point in points if point[0] > minutes * 60 / 3]  # once it is warm
        kb = slope(late)
        grown = kb * minutes * 2 / 3
        trial.fact(f"soak: {name} rss first={points[0][1]} KB last={points[-1][1]} KB slope={kb:+.0f} KB/min over the last"
                   f" {minutes * 2 / 3:.1f} min")
        trial.expect(grown < 4096, f"{name} grew by {grown:.0f} KB at {kb:.0f} KB a minute")
    trial.fact(f"soak: minutes={minutes} orders={trial.orders} largest lag={max(lags):.0f} records, last={lags[-1]:.0f}")
    trial.expect(max(lags) < 1000, f"lag reached {max(lags):.0f} records")


SCENES = {"p99": bad_orders, "closed": closed_account, "soak": soak}
