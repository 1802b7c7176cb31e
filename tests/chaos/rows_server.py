"""Rows in which Kafka, Redis or the way to them fail: 8, 9, 13, and what row 12 does to one Redis."""

import calendar
import os
import re
import shutil
import subprocess
import time

from processes import BUILD, ROOT, RUNS, Kafka, free_port
from proxy import Proxy
from rig import HTTP_S, Process


def instant(line):
    """The wall clock of a log line, in seconds."""
    stamp = line.split(" ", 1)[0]
    return calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) + float("0." + stamp[20:23])


def pause(rig, seconds):
    """Time passes, the services are supervised."""
    until = time.monotonic() + seconds
    rig.wait_for(lambda: time.monotonic() > until, seconds + 30, "time to pass")


# -- Redis ---------------------------------------------------------------------------------------------------------


def redis_folder(rig):
    return os.path.join(rig.run, "redis")


def redis_killed(rig, _trial):
    rig.redis.process.kill()
    rig.redis.start()


def redis_emptied(rig, _trial):
    assert rig.redis.command("FLUSHALL") == b"OK"


def redis_down(rig, trial):
    """Away for a while; nothing may be created meanwhile, for nobody can be granted anything."""
    rig.redis.process.kill()
    start = time.time()
    pause(rig, trial.pick(5, 30, 120))
    end = time.time()
    no_creates(rig, trial, start + HTTP_S + 1, end, "while Redis was down")
    rig.redis.start()


def redis_full(rig, trial):
    """Out of memory: it answers, but takes no write."""
    assert rig.redis.command("CONFIG", "SET", "maxmemory", "1") == b"OK"
    start = time.time()
    pause(rig, trial.pick(4, 10, 60))
    end = time.time()
    no_creates(rig, trial, start + HTTP_S + 1, end, "while Redis was out of memory")
    assert rig.redis.command("CONFIG", "SET", "maxmemory", "0") == b"OK"


def redis_replaced(rig, _trial):
    """By an empty one at the same address."""
    rig.redis.process.kill()
    shutil.rmtree(redis_folder(rig))
    rig.redis.start()


def redis_rolled_back(rig, trial):
    """By a copy that is some seconds old: what was acknowledged since is gone, and it does not know."""
    copy = redis_folder(rig) + "-copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(redis_folder(rig), copy)
    before = rig.delivered()
    rig.wait_for(lambda: rig.delivered() >= before + trial.pick(10, 30, 500), 60, "more to be delivered than is in the copy")
    pause(rig, trial.pick(1, 5, 30))
    rig.redis.process.kill()
    shutil.rmtree(redis_folder(rig))
    shutil.copytree(copy, redis_folder(rig))
    rig.redis.start()


def no_creates(rig, trial, start, end, when):
    late = [entry for entry in rig.order_posts() if start < float(entry["t"]) < end]
    trial.expect(not late, f"{len(late)} creates {when}")


REDIS_FAULTS = {"killed": redis_killed, "emptied": redis_emptied, "down": redis_down, "full": redis_full,
                "replaced": redis_replaced, "rolled-back": redis_rolled_back}


def redis_faults(trial):
    """Redis killed, emptied, away, out of memory, replaced by an empty one, by an old copy."""
    count = trial.pick(60, 300, 4000)
    faults = {name: REDIS_FAULTS[name] for name in trial.pick(("down", "full"), REDIS_FAULTS, REDIS_FAULTS)}
    with trial.rig(sandbox=("--answer-delay-ms", "10"), settings={"pusher": {"workers": 4}}) as rig:
        rig.start()
        rig.bring_up("pusher-2")
        for number, (name, fault) in enumerate(faults.items()):
            rebuilt = len(rig.all_log_lines(r"rebuild ended"))
            rig.generate(count, trial.seed + number)
            rig.wait_delivered(rig.delivered() + count // 6)
            fault(rig, trial)
            trial.faults += 1
            rig.generate(20, trial.seed + 100 + number)
            rig.drain(240)
            ended = rig.all_log_lines(r"rebuild ended")
            ended.sort(key=instant)
            if name in ("emptied", "replaced", "rolled-back"):
                trial.expect(len(ended) > rebuilt, f"{name}: the ledger was not rebuilt")
            if len(ended) > rebuilt:
                trial.fact(f"{name}: {ended[-1].split(' pusher ', 1)[-1]}")
        started, ended = (rig.all_log_lines(rf"rebuild {word}") for word in ("started", "ended"))
        for begin, end in zip(sorted(map(instant, started)), sorted(map(instant, ended))):
            no_creates(rig, trial, begin + HTTP_S, end, "during a rebuild")
        trial.judge(rig, stall=False)


# -- Kafka ---------------------------------------------------------------------------------------------------------


class OwnKafka(Kafka):
    """A Kafka of the row's own; outer: also reachable by a proxy that listens there, and leads to inner."""

    def __init__(self, run, outer=None):
        self.inner, self.outer = free_port(), outer
        super().__init__(run)

    def start(self):
        proxied = [str(self.inner), str(self.outer)] if self.outer else []
        self.process = Process("kafka", [f"{ROOT}/tests/kafka/run.sh", f"{self.run}/kafka", str(self.port),
                                         str(self.controller_port), *proxied], self.run)
        self.wait_ready()


def own_folder(trial):
    folder = os.path.join(RUNS, f"chaos-{trial.row}-kafka-seed{trial.seed}")
    os.makedirs(folder, exist_ok=True)
    return folder


def follow_again(rig):
    """The readers of fates start anew: they may have given up while Kafka was away."""
    for tail in rig.tails.values():
        tail.stop()
    rig.follow()


def rss_mb(rig):
    """The largest resident set of any service."""
    sizes = []
    for process in rig.services.values():
        if process.alive():
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                sizes.append(int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) // 1024)
    return max(sizes)


def row_8(trial):
    """Kafka killed and away for a while; stopped and started; killed and started at once (its coordinator begins anew)."""
    count, away = trial.pick(100, 400, 3000), trial.pick(8, 30, 60)
    kafka = OwnKafka(own_folder(trial))
    try:
        with trial.rig(broker=kafka) as rig:
            rig.start()
            pids = {name: process.pid for name, process in rig.services.items()}
            for number, fault in enumerate(("killed", "stopped", "restarted")):
                rig.generate(count, trial.seed + number)
                rig.wait_delivered(rig.delivered() + count // 8)
                if fault == "stopped":
                    kafka.process.stop(30)
                else:
                    kafka.process.kill()
                rig.generate(count, trial.seed + 10 + number)  # the stores go on
                if fault == "killed":
                    pause(rig, away)
                    largest = rss_mb(rig)
                    limit = 600 if "asan" in BUILD else 150  # a sanitizer's shadow memory is not the service's
                    trial.expect(largest < limit, f"{largest} MB while Kafka was away")
                    trial.fact(f"away for {away} s: largest service {largest} MB")
                start = time.monotonic()
                kafka.start()
                follow_again(rig)
                rig.drain(240)
                trial.faults += 1
                trial.fact(f"{fault}: drained {time.monotonic() - start:.0f} s after Kafka was started again")
            trial.judge(rig)
            same = sum(rig.services[name].pid == pid for name, pid in pids.items())
            trial.fact(f"services that lived through all of it: {same} of {len(pids)}, started again by 111: {rig.restarts}")
    finally:
        kafka.stop()


def committed(rig, service):
    """{(topic, partition): offset} that the group has committed."""
    answer = subprocess.run(["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{ROOT}/build/kafka/lib/*",
                             "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server",
                             rig.broker.address, "--describe", "--group", f"{rig.prefix}.{service}"],
                            capture_output=True, text=True, timeout=60, check=True)
    found = {}
    for line in answer.stdout.splitlines():
        words = line.split()
        if len(words) > 3 and words[0] == f"{rig.prefix}.{service}" and words[3].isdigit():
            found[words[1], int(words[2])] = int(words[3])
    return found


def row_9(trial):
    """A pusher's connections to Kafka go silent both ways; it comes back as a member of a generation that is over."""
    seconds = trial.pick(10, 30, 120)
    outer = free_port()
    kafka = OwnKafka(own_folder(trial), outer)
    proxy = Proxy(kafka.inner, outer)
    try:
        with trial.rig(broker=kafka, sandbox=("--answer-delay-ms", "20")) as rig:
            rig.brokers_of["pusher"] = proxy.address
            rig.start()
            rig.bring_up("pusher-2")
            rig.generate(400, trial.seed)
            rig.wait_delivered(60)
            rig.wait_for(lambda: rig.progress("pusher") > 10 and rig.progress("pusher-2") > 10, 60, "both to work")
            proxy.freeze()
            trial.faults += 1
            rig.generate(200, trial.seed + 1)
            pause(rig, seconds)
            before = committed(rig, "pusher")
            commits = rig.metric("bigfusion_commits_total", "pusher")
            assigned = len(rig.log_lines("pusher", r" assigned partitions="))
            proxy.thaw()
            rig.wait_for(lambda: len(rig.log_lines("pusher", r" assigned partitions=")) > assigned or
                         rig.restarts > 0, 60, lambda: f"the silent one to come back: {rig.trouble()}")
            after = committed(rig, "pusher")
            back = {place: (offset, after.get(place, 0)) for place, offset in before.items() if after.get(place, 0) < offset}
            trial.expect(not back, f"committed offsets went back: {back}")
            trial.expect(len(before) > 0, "nothing was committed before")
            rig.drain(240)
            trial.judge(rig)
            trial.fact(f"silent for {seconds} s; partitions with a commit {len(before)}, none went back;"
                       f" commits of the silent one before it came back: {int(commits)}")
    finally:
        proxy.stop()
        kafka.stop()


# -- disks ---------------------------------------------------------------------------------------------------------


class SmallDisk:
    """A file system of its own for a folder, that can be filled and emptied again. Needs root (mount)."""

    def __init__(self, folder, megabytes):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.ballast = folder, os.path.join(folder, "ballast")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def free(self):
        os.unlink(self.ballast)

    def stop(self):
        subprocess.run(["umount", "-l", self.folder], check=False)


def row_13(trial):
    """The disk is full under Redis, then under Kafka: a clear stop, and it goes on when there is room again."""
    count = trial.pick(100, 300, 3000)
    folder = own_folder(trial)
    shutil.rmtree(f"{folder}/kafka", ignore_errors=True)
    disks = [SmallDisk(f"{folder}/kafka", 400)]
    kafka = None
    try:
        kafka = OwnKafka(folder)
        with trial.rig(broker=kafka) as rig:
            disks.append(SmallDisk(f"{rig.run}/redis", 60))
            rig.start()
            for number, (name, disk) in enumerate(zip(("Kafka", "Redis"), disks)):
                rig.generate(count, trial.seed + number)
                rig.wait_delivered(rig.delivered() + count // 8)
                disk.fill()
                rig.generate(count, trial.seed + 10 + number)
                pause(rig, trial.pick(5, 15, 60))
                alive = (kafka if name == "Kafka" else rig.redis).process.alive()
                trial.faults += 1
                quiet = [n for n in rig.services if not rig.log_lines(n, r"not ready|warn|error")]
                trial.expect(not quiet or alive, f"{name}: nothing was said by {quiet}")
                disk.free()
                if not alive:
                    (kafka if name == "Kafka" else rig.redis).start()
                if name == "Kafka":
                    follow_again(rig)
                rig.drain(240)
                trial.fact(f"{name}: {'refused writes' if alive else 'ended itself'} on a full disk; drained afterwards")
            trial.judge(rig)
    finally:
        if kafka is not None:
            kafka.stop()
        for disk in disks:
            disk.stop()


ROWS = {8: row_8, 9: row_9, 13: row_13}
