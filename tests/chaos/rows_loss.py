"""The row in which Redis loses what it knew while orders wait, come back and arrive: 12."""

import os
import re
import shutil
import struct
import subprocess

from processes import read_topic, ticks
from proxy import Proxy
from rig import time
from rows_redis import PairRig
from rows_server import instant, redis_faults
from shop import item, order

WORKERS = 4
PUSHERS = ("pusher", "pusher-2")
STORES = [{"name": "main", "code": "BC", "hash": "abc123"},
          {"name": "other", "code": "OT", "hash": "abc124", "account": "other"}]
LONG = "900,900,900"  # what is in retry stays there until the pushers are started with short delays
# A poller that lost what it had seen publishes what lies in its overlap once more: all those that fail at once would close
# the account.
SETTINGS = {"poller": {"overlap_s": 3}, "pusher": {"workers": WORKERS, "retry_delays_s": LONG}}


class LossRig(PairRig):
    """Two accounts, the second behind a door of its own that can be closed. Both are the same sandbox, with one journal."""

    def start_servers(self):
        super().start_servers()
        self.door = Proxy(int(self.address.rsplit(":", 1)[1]))
        self.settings["infusionsoft other"] = {**self.account, "api_url": f"http://{self.door.address}/crm/rest/v2",
                                               "auth": "key", "key_file": f"{self.run}/infusionsoft_key"}

    def stop(self):
        statuses = super().stop()
        if self.redis is not None:
            self.door.stop()
        return statuses

    def put(self, word, count=1, store="abc123", per_s=0, until=lambda: False):
        """Places orders of customers of that name, all for one product; at an even rate, or as fast as it goes."""
        for _ in ticks(per_s, count / per_s) if per_s else range(count):
            if until():
                return
            self.placed += 1
            self.place(order(f"{word}.{self.placed}@example.com", [item(word.upper(), word.title())]), store)
            self.supervise()

    def written(self, topic):
        """Records that were ever written into a topic."""
        command = ["kcat", "-b", self.broker.address, "-Q"]
        for number in range(self.partitions):
            command += ["-t", f"{self.topic(topic)}:{number}:-1"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return sum(int(number) for number in re.findall(r"offset (\d+)", answer.stdout)) if answer.returncode == 0 else 0

    def rebuilds(self, word):
        return len(self.all_log_lines(rf" rebuild {word}"))

    def restart_pushers(self, delays):
        self.env["BIGFUSION_PUSHER_RETRY_DELAYS_S"] = delays
        for name in PUSHERS:
            self.take_down(name, 15)
        for name in PUSHERS:
            self.bring_up(name)

    def withheld(self):
        """Goals of delivered orders that were not sent, since they may have been sent already."""
        last = {record.key: record for record in list(self.tails["delivered"].records)}
        return sum(len(record.json()["in_doubt"]) for record in last.values())

    def is_idle(self):
        """Nothing is left for the pushers, also no second look that waits in a retry topic."""
        return all(self.metric("bigfusion_lag_records", name) == 0 for name in PUSHERS)


# -- what was in hand ----------------------------------------------------------------------------------------------


def commits(rig):
    """[(seconds, (topic, partition), committed offset, mark or None)] of the pushers' group, in Kafka's own order."""
    found = []
    for record in read_topic(rig.broker.address, "__consumer_offsets"):
        key, value = (record.key or "").encode("latin-1", "replace"), record.value or b""
        if key[:2] not in (b"\0\0", b"\0\1") or len(value) < 10:
            continue
        group, rest = cut_text(key[2:])
        topic, rest = cut_text(rest)
        if group != f"{rig.prefix}.pusher" or len(rest) < 4:
            continue
        mark = re.search(rb"mark=(\d+)", value)
        found.append((record.timestamp_ms / 1000, (topic, struct.unpack(">i", rest[:4])[0]), struct.unpack(">q", value[2:10])[0],
                      int(mark[1]) if mark else None))
    return found


def cut_text(data):
    length = struct.unpack(">h", data[:2])[0]
    return data[2:2 + length].decode(), data[2 + length:]


def in_hand(rig, moments):
    """For each moment: orders with a record at or behind the committed offset and below the mark that was there by then, and
    that are not delivered. Only those may have been begun without anybody knowing how far."""
    history = sorted(commits(rig), key=lambda commit: commit[0])
    records = [record for topic in {topic for _, (topic, _), _, _ in history} for record in read_topic(rig.broker.address, topic)]
    delivered = {}
    for record in list(rig.tails["delivered"].records):
        delivered.setdefault(record.key, record.timestamp_ms / 1000)
    counts = []
    for moment in moments:
        last = {place: (offset, mark) for at, place, offset, mark in history if at <= moment}
        orders = set()
        for record in records:
            offset, mark = last.get((record.topic, record.partition), (0, 0))
            if offset <= record.offset < (float("inf") if mark is None else mark) and record.timestamp_ms / 1000 <= moment < \
                    delivered.get(record.key, float("inf")):
                orders.add(record.key)
        counts.append(len(orders))
    return counts


class Losses:
    """What the losses of one part cost, and what they may cost."""

    def __init__(self, rig):
        self.rig, self.count = rig, 0
        self.withheld, self.lookups, self.ended = rig.withheld(), rig.lookups(), rig.rebuilds("ended")

    def judge(self, trial, name):
        rig = self.rig
        withheld, lookups = rig.withheld() - self.withheld, rig.lookups() - self.lookups
        ended = sorted(map(instant, rig.all_log_lines(" rebuild ended")))[self.ended:]
        most = max(in_hand(rig, ended), default=0)
        bound = self.count * len(PUSHERS) * (WORKERS + most)
        trial.expect(ended, f"{name}: the ledger was not rebuilt")
        trial.expect(withheld <= bound, f"{name}: {withheld} goals were withheld, at most {bound} may be")
        trial.expect(lookups <= bound, f"{name}: {lookups} look-ups, at most {bound} may be")
        trial.count(goals_withheld=withheld, lookups=lookups, bound=bound)
        trial.fact(f"{name}: losses={self.count} rebuilds={len(ended)} in_hand={most} goals_withheld={withheld}"
                   f" lookups={lookups} bound={bound}")


# -- the ways to lose it -------------------------------------------------------------------------------------------


def flushed(rig, _flow):
    assert rig.redis.command("FLUSHALL") == b"OK"


def promoted(rig, flow):
    """A replica takes the place of its master, which is killed."""
    rig.add_replica()
    flow()
    rig.redis.process.kill()
    rig.promote()
    rig.other = None


def older_copy(rig, flow):
    """Replaced by a copy of itself: what was acknowledged since is gone, and it does not know."""
    folder = os.path.join(rig.redis.run, "redis")
    copy = folder + "-copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    before = rig.delivered()
    flow()
    rig.wait_delivered(before + 1)
    rig.redis.process.kill()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    rig.redis.start()


WAYS = {"emptied": flushed, "promoted": promoted, "older copy": older_copy, "emptied again": flushed, "emptied a third time": flushed}


def prepare(rig, trial, waiting, later):
    """Orders of a closed account, and orders that failed and come back: they stay where they are through all losses."""
    for store in ("abc123", "abc124"):
        rig.put("warm" if store == "abc123" else "warmer", 5, store)
    rig.wait_delivered(10)
    rig.door.refuse()
    rig.door.cut()
    rig.put("waiting", waiting, "abc124")
    rig.wait_for(lambda: rig.written("waiting.other") >= waiting, 120, lambda: f"orders to wait; {rig.trouble()}")
    # a look-up that fails leaves nothing in doubt; good orders in between keep the account open
    rig.fault(side="is", method="GET", path="/contacts", match="later.", kind="status", status=503)
    for _ in range(later):
        rig.put("later")
        rig.put("between", 2)
    rig.wait_for(lambda: rig.written("retry-1m") >= later, 120, lambda: f"orders to fail; {rig.trouble()}")
    trial.fact(f"before the losses: {rig.written('waiting.other')} in waiting.other, {rig.written('retry-1m')} in retry-1m")


def lose(rig, trial, total, per_s):
    """Losses of all kinds while the rest of the orders arrives, then everything that waits goes on."""
    losses, ways = Losses(rig), list(WAYS.items())[:trial.pick(3, 5, 5)]
    share = max(1, (total - rig.placed) // (2 * len(ways)))
    for name, way in ways:
        ended = rig.rebuilds("ended")
        rig.put("flow", share, per_s=per_s)
        way(rig, lambda: rig.put("flow", max(1, share // 5), per_s=per_s))
        losses.count += 1
        trial.faults += 1
        rig.wait_for(lambda n=ended: rig.rebuilds("ended") > n, 60, lambda n=name: f"the rebuild, {n}; {rig.trouble()}")
        rig.put("flow", share, per_s=per_s)
    rig.put("flow", total - rig.placed, per_s=per_s)
    rig.clear_faults()
    rig.door.refuse(False)
    rig.restart_pushers("1,2,3")
    rig.drain(240)
    rig.wait_for(rig.is_idle, 120, lambda: f"nothing to be left; {rig.trouble()}")
    losses.judge(trial, ", ".join(name for name, _ in ways))


def lines_since(rig, word, marks):
    """How many lines of that word the pushers' logs got since marks: {service: size}."""
    count = 0
    for name, mark in marks.items():
        with open(os.path.join(rig.run, f"{name}.log"), "rb") as file:
            file.seek(mark)
            count += file.read().count(word)
    return count


def log_sizes(rig):
    return {name: os.path.getsize(os.path.join(rig.run, f"{name}.log")) for name in PUSHERS}


def lose_often(rig, trial, count, during, per_s):
    """One loss after the other, some of them while a rebuild runs."""
    losses, hits = Losses(rig), 0
    marks = log_sizes(rig)
    while losses.count < count:
        rig.put("often", 20, per_s=per_s)
        marks, ended = log_sizes(rig), rig.rebuilds("ended")
        flushed(rig, None)
        losses.count += 1
        if hits < during and losses.count < count:
            rig.wait_for(lambda m=marks: lines_since(rig, b" rebuild started", m), 30, "the rebuild to start")
            flushed(rig, None)
            losses.count += 1
        rig.wait_for(lambda n=ended: rig.rebuilds("ended") > n, 60, lambda: f"the rebuild; {rig.trouble()}")
        # a rebuild that was emptied under its hands is started again before it ends
        hits += lines_since(rig, b" rebuild started", marks) > lines_since(rig, b" rebuild ended", marks)
    trial.faults += losses.count
    trial.expect(hits >= during, f"only {hits} losses met a rebuild, {during} should have")
    rig.drain(240)
    rig.wait_for(rig.is_idle, 120, lambda: f"nothing to be left; {rig.trouble()}")
    losses.judge(trial, f"in a row, {hits} of them during a rebuild")


def row_12(trial):
    """Redis killed, away, out of memory, replaced; then emptied, promoted and put back while orders wait, come back and arrive."""
    redis_faults(trial)
    waiting, later, total = trial.pick((30, 15, 150), (1000, 500, 5000), (1000, 500, 20000))
    per_s = trial.pick(30, 40, 40)
    with trial.rig("loss", kind=LossRig, stores=STORES, settings=SETTINGS, sandbox=("--answer-delay-ms", "10")) as rig:
        rig.start()
        rig.bring_up("pusher-2")
        prepare(rig, trial, waiting, later)
        lose(rig, trial, total, per_s)
        lose_often(rig, trial, *trial.pick((4, 1), (16, 2), (16, 2)), per_s)
        trial.judge(rig, stall=False)
        trial.lookups = trial.counts["lookups"]  # the first part's have no bound


ROWS = {12: row_12}
