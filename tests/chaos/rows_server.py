"""Rows in which Kafka, Redis or the way to them fail: 8, 9, 12, 13."""

import calendar
import os
import re
import shutil
import signal
import time

from rig import HTTP_S, merged, wait_until


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


def row_12(trial):
    """Redis killed, emptied, away, out of memory, replaced by an empty one, by an old copy."""
    count = trial.pick(120, 300, 4000)
    with trial.rig(sandbox=("--answer-delay-ms", "10"), settings={"pusher": {"workers": 4}}) as rig:
        rig.start()
        rig.bring_up("pusher-2")
        for number, (name, fault) in enumerate(REDIS_FAULTS.items()):
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


ROWS = {12: row_12}

__all__ = ["merged", "re", "signal", "wait_until"]
