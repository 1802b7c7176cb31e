"""Rows in which a store or its data misbehave: 7, 14."""

import contextlib
import glob
import os
import re
import subprocess
import time

import processes
from processes import read_topic, wait_until, write_topic
from shop import item, order


# -- the store's pages ---------------------------------------------------------------------------------------------

STORE_FAULTS = {
    "pages shift": None,  # every round places and changes orders while the poller reads
    "429": ({"kind": "status", "status": 429, "share": 0.3},),
    "429-headers": ({"kind": "status", "status": 429, "share": 0.3, "headers": {"X-Rate-Limit-Time-Reset-Ms": "700"}},),
    "5xx": ({"kind": "status", "status": 500, "share": 0.2}, {"kind": "html", "status": 502, "share": 0.2}),
    "cut": ({"kind": "cut", "share": 0.2}, {"kind": "drop_before", "share": 0.2}),
    "garbage": ({"kind": "garbage", "share": 0.3},),
    "304": ({"kind": "status", "status": 304, "share": 0.2},),
    "[]": {"empty_page": "[]"},
    "clock behind": {"clock_skew_s": -30},  # what is placed now looks older than what was there
    "clock ahead": {"clock_skew_s": 20},
}


def long_order(number, lines):
    """More lines than a list call shows."""
    items = [item(f"LONG-{number}-{i}", f"Line {i}", price="1.00") for i in range(lines)]
    return order(f"long.{number}@example.com", items, sandbox={"hide_lines": number % 3 == 0})


def row_7(trial):
    """Pages shift while read, ties in one second, clock skew, 204/[]/304, 429, 5xx, lines missing or cut at 50."""
    count = trial.pick(20, 60, 600)
    with trial.rig(orders=count, settings={"poller": {"page_size": 10, "overlap_s": 90}}) as rig:
        rig.start()
        known = [one["id"] for one in rig.orders()]
        for number, (name, fault) in enumerate(STORE_FAULTS.items()):
            settings = fault if isinstance(fault, dict) else {}
            if settings:
                rig.sandbox_settings(**settings)
            for one in fault if isinstance(fault, tuple) else ():
                rig.fault(side="bc", method="GET", path="/orders", seed=trial.seed + number, **one)
            for part in range(4):
                known += rig.generate(count // 4, trial.seed + 10 * number + part)["ids"]  # all in one second
                rig.place(long_order(10 * number + part, 60))
                wait_round(rig)
                if settings.get("clock_skew_s", 0) >= 0:  # a version with an older date than the last one is an old version
                    shift(rig, trial, known)
            met = wait_met(rig, number) if isinstance(fault, tuple) else 1
            trial.faults += met
            trial.fact(f"{name}: {met}")
            rig.clear_faults()
            rig.drain(120)
            rig.sandbox_settings(empty_page="204", clock_skew_s=0)
        rig.drain(240)
        trial.judge(rig, stall=False)
        check_raw(rig, trial)


def wait_round(rig):
    """Waits for the next list call of the poller, for two seconds at most: it may be waiting itself."""
    before = list_calls(rig)
    with contextlib.suppress(processes.TimedOut):
        wait_until(lambda: list_calls(rig) > before, 2, "a list call")


def list_calls(rig):
    return rig.metric("bigfusion_store_requests_total", "poller")


def wait_met(rig, number):
    """Waits until the fault was met a few times, with orders coming in. Returns how often."""
    def met():
        rig.place(long_order(1000 + number, 3))
        return sum(one["fired"] for one in fault_list(rig)) >= 2
    rig.wait_for(met, 120, lambda: f"the poller to meet the fault: {rig.trouble()}")
    return sum(one["fired"] for one in fault_list(rig))


def fault_list(rig):
    answer = rig.call("GET", "/sandbox/faults")
    return answer["faults"] if isinstance(answer, dict) else answer


def shift(rig, trial, ids):
    """Some of the orders change between two pages: they move to the end of the list."""
    for number in trial.rng.sample(ids, min(5, len(ids))):
        rig.change(number, status_id=trial.rng.choice((2, 9, 10)))


def check_raw(rig, trial):
    """Every order of the store is in the raw topic, as it is now and with all its lines."""
    raw = {}
    for record in rig.raw_records():
        raw.setdefault(record.key, []).append(record.value)
    store = {f"abc123/order/{one['id']}": one for one in rig.complete_orders("abc123")}
    missing = sorted(set(store) - set(raw))
    trial.expect(not missing, f"{len(missing)} orders are not in the raw topic, e.g. {missing[:3]}")
    stale = [key for key, one in store.items() if key in raw
             and not any(str(one["date_modified"]).encode() in value or newest(value, one) for value in raw[key])]
    trial.expect(not stale, f"{len(stale)} orders are there, but not as they are now, e.g. {stale[:3]}")
    trial.fact(f"{len(store)} orders in the store, {len(set(store) & set(raw))} of them in the raw topic,"
               f" {sum(map(len, raw.values()))} records")


def newest(value, one):
    """Whether a published order has the status that it has now: dates may be spelled in other ways."""
    return re.search(rb'"status_id"\s*:\s*%d\b' % int(one["status_id"]), value) is not None


# -- poison --------------------------------------------------------------------------------------------------------

DEEP = b"[" * 100000 + b"]" * 100000
POISON = {
    "not_json": b"hello",
    "half": b'{"id": 1, "status_id": 11',
    "array": b"[]",
    "empty": b"",
    "empty_object": b"{}",
    "invalid_utf8": b'{"id": 1, "status_id": 11, "billing_address": {"email": "\xff\xfe\xc0@x.com"}}',
    "a_megabyte": b'{"id": 1, "status_id": 11, "customer_message": "' + b"x" * 1000000 + b'"}',
    "deep": b'{"id": 1, "status_id": 11, "fees": ' + DEEP + b"}",
    "nan": b'{"id": NaN, "status_id": 11}',
    "infinite": b'{"id": 1, "status_id": 11, "total_inc_tax": Infinity}',
    "beyond_64_bits": b'{"id": 99999999999999999999999999, "status_id": 11}',
    "wrong_types": b'{"id": [], "status_id": "eleven", "billing_address": 5, "consignments": "none"}',
    "missing_fields": b'{"id": 1, "status_id": 11, "date_created": "Wed, 06 Mar 2019 08:00:00 +0000"}',
    "nul": b"\x00\x00\x00\x00",
}
FIRST_FUZZED = 9_000_000
RECORD, KEY = b"\x1e", b"\x1f"


@contextlib.contextmanager
def sanitized():
    """The programs that were built with the address and undefined-behaviour sanitizers, where they are there."""
    usual = processes.BUILD
    if os.path.exists(f"{usual}-asan/bin/bigfusion-mapper"):
        processes.BUILD = f"{usual}-asan"
    try:
        yield processes.BUILD.endswith("-asan")
    finally:
        processes.BUILD = usual


def mutate(rng, document):
    """One to five random changes: bytes, pieces cut, doubled, moved, numbers made monstrous."""
    data = bytearray(document)
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(data))
        length = rng.randint(1, 40)
        choice = rng.randrange(7)
        if choice == 0:
            data[at] = rng.randrange(256)
        elif choice == 1:
            del data[at:at + length]
        elif choice == 2:
            data[at:at] = data[at:at + length]
        elif choice == 3:
            other = rng.randrange(len(data))
            data[at:at + length] = data[other:other + length]
        elif choice == 4:
            data[at:at] = rng.choice((b"null", b"-1", b"1e999", b"99999999999999999999", b'"', b"{", b"]", b"\\u0000",
                                      b"\\ud800", b"\xf0\x9f", b"true", b"0.00000000001", b"-0"))
        elif choice == 5:
            data[at:] = b"" if rng.random() < 0.3 else data[at:]
        else:
            match = re.compile(rb"\d+").search(bytes(data), at)
            if match:
                data[match.start():match.end()] = rng.choice((b"-5", b"null", b"1e5", b"9" * 30, b'"7"', b"[]", b"0"))
        if not data:
            data = bytearray(b"{")
    return bytes(data).replace(RECORD, b" ").replace(KEY, b" ")


def fuzzed(rng, documents, number):
    """One of the documents as the order of that number, changed at random."""
    own, document = rng.choice(documents)
    return mutate(rng, re.sub(rb'("id"\s*:\s*)' + own + rb"\b", rb"\g<1>%d" % number, document, count=1))


def write_many(rig, topic, records, headers):
    """(key, value) pairs, by one kcat."""
    path = os.path.join(rig.run, "fuzz.bin")
    with open(path, "wb") as file:
        file.write(RECORD.join(key.encode() + KEY + value for key, value in records) + RECORD)
    command = ["kcat", "-b", rig.broker.address, "-P", "-t", rig.topic(topic), "-D", RECORD.decode(), "-K", KEY.decode(),
               "-l", path, "-X", "message.max.bytes=4000000"]
    for name, text in headers.items():
        command += ["-H", f"{name}={text}"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def row_14(trial):
    """Poison in every topic and fuzzed documents: each ends dead or skipped with a reason; good orders are not delayed."""
    count = trial.pick(2000, 20000, 1000000)
    with sanitized() as asan, trial.rig(orders=60, partitions=4) as rig:
        trial.expect(asan, "the sanitized programs are not built: make crash-build")
        rig.start()
        rig.drain(120)
        samples = read_topic(rig.broker.address, rig.topic("orders.raw"))
        headers = {name: text for name, text in samples[0].headers.items() if name != "traceparent"}
        # another currency: whatever survives the changes is dead by that, and nothing of it reaches the account
        documents = [(record.key.split("/")[2].encode(), record.value.replace(b'"USD"', b'"EUR"')) for record in samples]
        poisoned, number = set(), FIRST_FUZZED
        for stage in ("raw", "eligible", "payloads"):
            for value in (*POISON.values(), None):
                key = f"abc123/order/{number}"
                write_topic(rig.broker.address, rig.topic(f"orders.{stage}"), key, value, headers)
                poisoned.add(key)
                number += 1
        start, parts = time.time(), max(4, count // 25000)
        for part in range(parts):
            records = []
            for _ in range(count // parts):
                records.append((f"abc123/order/{number}", fuzzed(trial.rng, documents, number)))
                number += 1
            poisoned.update(key for key, _ in records)
            write_many(rig, ("orders.raw", "orders.eligible")[part % 2], records, headers)
            for beside in range(5):
                rig.place(order(f"beside.{part}.{beside}@example.com"))
            rig.supervise()
        try:
            wait_until(lambda: not unanswered(rig, poisoned), 120 + count // 500, lambda: "every poisoned record's fate, missing "
                       + str(len(unanswered(rig, poisoned))) + " e.g. " + str(list(unanswered(rig, poisoned))[:3]), 0.5)
        finally:
            trial.faults = len(poisoned)
        took = time.time() - start
        rig.drain(120)
        judge_poison(rig, trial, poisoned)
        trial.fact(f"{len(poisoned)} poisoned records in {took:.0f} s, sanitizers: {'on' if asan else 'off'}")


def unanswered(rig, keys):
    answered = {r.key for name in ("skipped", "dead", "delivered") for r in list(rig.tails[name].records)}
    return keys - answered


def judge_poison(rig, trial, poisoned):
    judge = trial.judge(rig, stall=False)
    # what the judge cannot know: orders that no store has, which a fuzzed document may still have become
    made = [violation for violation in judge.violations if re.search(r"bc-abc123-9\d{6}\b", violation)]
    trial.expect(not made, f"poison reached the account: {made[:2]}")
    without = [r.key for name in ("skipped", "dead") for r in rig.tails[name].records if r.key in poisoned
               and not (r.headers.get("reason") or (name == "skipped" and r.json().get("reason")))]
    trial.expect(not without, f"{len(without)} fates without a reason")
    reasons = {}
    for name in ("skipped", "dead", "delivered"):
        for record in rig.tails[name].records:
            if record.key in poisoned:
                reason = record.headers.get("reason") or name
                reasons[reason] = reasons.get(reason, 0) + 1
    trial.fact("reasons: " + ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items())))
    for path in glob.glob(f"{rig.run}/*.log"):
        with open(path, encoding="utf-8", errors="replace") as file:
            words = [line for line in file if "AddressSanitizer" in line or "runtime error" in line]
        trial.expect(not words, f"{os.path.basename(path)}: {words[:1]}")
    delays = judge.delays()[-500:]
    if delays:
        p99 = delays[int(len(delays) * 0.99)] if len(delays) > 1 else delays[0]
        trial.expect(p99 < 15, f"good orders beside the poison waited {p99:.1f} s")
        trial.fact(f"good orders beside: {len(delays)}, p50 {delays[len(delays) // 2]:.1f} s, p99 {p99:.1f} s")


ROWS = {7: row_7, 14: row_14}
