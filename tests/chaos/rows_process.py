"""Rows in which our own processes end, stop or are multiplied: 1, 2, 10, 11, 15."""

import collections
import contextlib
import itertools
import re
import signal
import subprocess

from processes import ROOT, Tail, ticks
from rig import EVERYTHING, GROUPS, LEASE_S, SESSION_MS, crash_pusher, time, wait_until
from shop import item, order

SERVICES = ("poller", "filter", "mapper", "pusher")


def row_1(trial):
    """kill -9 of each service at random; back at work within the session timeout + 5 s."""
    kills = trial.pick(8, 30, 200)
    orders = trial.pick(300, 1500, 10000)
    slack_s, slowest = 5, 0.0
    with trial.rig(orders=orders, store=EVERYTHING, account={"note_user_id": 1}) as rig:
        rig.start()
        rig.wait_delivered(orders // 20)
        order_of_kills = [SERVICES[i % 4] for i in range(kills)]
        trial.rng.shuffle(order_of_kills)
        for number, name in enumerate(order_of_kills):
            rig.take_down(name)
            # its inheritance, and work that is new: it has something to do when it is back
            rig.generate(max(20, orders // kills), trial.seed + number)
            rig.bring_up(name)
            start = time.monotonic()
            rig.wait_for(lambda n=name: rig.progress(n) > 0, 60, lambda n=name: f"{n} to be back at work")
            took = time.monotonic() - start
            slowest = max(slowest, took)
            trial.faults += 1
            trial.expect(took <= SESSION_MS / 1000 + slack_s, f"{name} was back at work only after {took:.1f} s")
        rig.drain(300 + orders // 20)
        trial.judge(rig)
    trial.fact(f"back at work: slowest {slowest:.1f} s, allowed {SESSION_MS / 1000 + slack_s:.0f} s")


# -- crash points --------------------------------------------------------------------------------------------------

POINTS = ("acquired", "begun-contact", "called-contact", "ended-contact", "begun-product", "called-product",
          "ended-product", "begun-order", "called-order", "ended-order", "begun-goal", "called-goal", "ended-goal",
          "finishing", "finished", "published", "committing", "committed", "looked_up-order")
# After these the order's create is in doubt: the next one to have the record looks it up.
IN_DOUBT = ("begun-order", "called-order", "looked_up-order")
# The stage's own thread passes these, whatever the delivery is doing at that moment.
BESIDE = ("published", "committing", "committed")


def new_order(trial, number):
    """A customer and a product that nobody knows yet, so that every step is a call."""
    return order(f"crash.{trial.seed}.{number}@example.com", [item(f"CRASH-{trial.seed}-{number}", f"Thing {number}")])


def row_2(trial):
    """The pusher ends itself right before or after each step; creates == orders, look-ups as the model predicts."""
    points = trial.pick(("begun-order", "called-order", "called-goal", "finished"), POINTS, POINTS)
    times = trial.pick(2, 10, 100)
    # what is looked up must have been in doubt before
    lives = [("called-order", point) if point == "looked_up-order" else (point,)
             for _ in range(times) for point in trial.rng.sample(points, len(points))]
    # one worker: just one delivery is under way when the process ends, so the look-ups can be counted; the later look
    # at an order that was not there is put off beyond the run
    settings = {"pusher": {"workers": 1, "lease_s": 3, "retry_delays_s": "1,2,3600"}, "kafka": {"session_timeout_ms": 2000, "poison_after": 0}}
    plans = plans_of(lives, trial.pick(1, 3, 3))
    with contextlib.ExitStack() as stack:  # waiting is most of it, so several rigs wait at once
        # with a governor to be asked, the end of a step and the begin of the next are two places, else they are one
        rigs = [stack.enter_context(trial.rig(str(number), settings=settings, store=EVERYTHING,
                                              account={"rate_per_s": 1000, "note_user_id": 1}))
                for number in range(len(plans))]
        for rig in rigs:
            rig.start(services=("poller", "filter", "mapper"))
            rig.made, rig.crashes, rig.programs = 0, collections.Counter(), {"pusher": crash_pusher()}
        for round_of_lives in itertools.zip_longest(*plans):
            dying = [(rig, at, crash_at(rig, at, trial)) for rig, at in zip(rigs, round_of_lives) if at]
            for rig, at, process in dying:
                wait_dead(rig, at, process)
        for rig in rigs:
            rig.bring_up("pusher")
        for rig in rigs:
            finish_row_2(trial, rig)
    trial.fact(f"crashes={trial.faults} at {len(points)} points, orders={trial.orders}")


def plans_of(lives, rigs):
    """The lives of each rig's pusher: those that end beside a delivery have a rig of their own."""
    inside, beside = [life for life in lives if life[-1] not in BESIDE], [life for life in lives if life[-1] in BESIDE]
    shares = [inside[number::rigs] for number in range(rigs)] + ([beside] if beside else [])
    return [[at for life in share for at in life] for share in shares]


def finish_row_2(trial, rig):
    """Drains and judges one rig."""
    rig.drain(180)
    judge = trial.judge(rig, stall=False)
    lookups, posts = rig.lookups(), len(rig.order_posts())
    predicted = sum(count for point, count in rig.crashes.items() if point in IN_DOUBT)
    trial.expect(judge.created == posts == rig.made, f"{judge.created} creates, {posts} POSTs, {rig.made} orders")
    if any(point in BESIDE for point in rig.crashes):
        # what was under way is not known here: each crash may have left one order in doubt
        most = sum(rig.crashes.values())
        trial.expect(lookups <= most, f"{lookups} look-ups after {most} crashes beside the delivery")
        trial.fact(f"{dict(rig.crashes)}: creates={judge.created} orders={rig.made} look-ups={lookups}")
        return
    trial.expect(lookups == predicted, f"{lookups} look-ups, the model predicts {predicted}")
    trial.fact(f"{sum(rig.crashes.values())} crashes inside a delivery: creates={judge.created} orders={rig.made}"
               f" look-ups={lookups} predicted={predicted}")


def crash_at(rig, point, trial):
    """Starts a pusher that ends at the point, with two new orders before it."""
    for _ in range(2):
        rig.place(new_order(trial, rig.made))
        rig.made += 1
    passage = trial.rng.randint(1, 2) if point not in IN_DOUBT + BESIDE else 1  # one commit may be of both orders
    rig.down.add("pusher")
    rig.crashes[point] += 1
    trial.faults += 1
    return rig.start_service("pusher", {"BIGFUSION_CRASH_AT": f"{point}:{passage}"})


def wait_dead(rig, point, process):
    wait_until(lambda: not process.alive(), 120, lambda: f"the pusher to pass {point}: {process.tail(4)}")
    if process.popen.returncode != -signal.SIGKILL:
        rig.problems.append(f"at {point} the pusher ended with {process.popen.returncode}: {process.tail(4)}")


# -- scaling -------------------------------------------------------------------------------------------------------


def row_10(trial):
    """Each stage scaled 1 -> 4 -> 1 under load; no stall of 10 s."""
    rounds = trial.pick(1, 6, 20)
    with trial.rig(orders=400) as rig:
        rig.start()
        rig.wait_delivered(50)
        start = time.time()
        for number in range(rounds):
            for name in GROUPS if trial.size == "full" else (GROUPS[number % 3],):
                copies = [f"{name}-{i}" for i in (2, 3, 4)]
                rig.generate(120, trial.seed + number)
                for copy in copies:
                    rig.bring_up(copy)
                for copy in copies:
                    rig.wait_ready(copy)
                work(rig, trial, 2.0)
                for copy in copies:
                    rig.take_down(copy, signal.SIGTERM)
                work(rig, trial, 2.0)
                trial.faults += 2
        end = time.time()
        rig.drain(180)
        trial.judge(rig, stall=False)
        trial.longest_stall_ms = trial.stall_ms(rig, start, end)
        trial.expect(trial.longest_stall_ms < 10000, f"nothing was created for {trial.longest_stall_ms} ms")


def work(rig, trial, seconds):
    """Goes on placing orders for that long."""
    for _ in ticks(4, seconds):
        rig.generate(10, trial.rng.randrange(10**6))
        rig.supervise()


# -- stopped and continued -----------------------------------------------------------------------------------------


def row_11(trial):
    """The pusher is stopped for twice its lease, then continued: L, or the late write is detected and alarmed."""
    times = trial.pick(1, 3, 20)
    with trial.rig(orders=100, sandbox=("--answer-delay-ms", "20"), settings={"pusher": {"workers": 4}}) as rig:
        rig.start()
        rig.bring_up("pusher-2")
        for number in range(times):
            # work of its own for each time: what was there may be done, where the other pusher was quick
            before = rig.delivered()
            rig.generate(200, trial.seed + 100 + number)
            rig.wait_delivered(before + 20)
            frozen = ("pusher", "pusher-2")[number % 2]
            rig.services[frozen].signal(signal.SIGSTOP)
            rig.generate(60, trial.seed + number)
            before, until = rig.delivered(), time.monotonic() + 2 * LEASE_S
            rig.wait_for(lambda: time.monotonic() > until, 2 * LEASE_S + 10, "twice the lease")
            trial.expect(rig.delivered() > before, "the other pusher delivered nothing meanwhile")
            rig.services[frozen].signal(signal.SIGCONT)
            trial.faults += 1
        rig.drain(240)
        alarms = rig.all_log_lines(r" (fenced|double_found|lease_ran_out) ")
        judge = trial.judge(rig)
        doubled = {v.split(":")[0] for v in judge.violations if re.search(r"created \d+ times", v)}
        late = {v.split(":")[0] for v in judge.violations if "goals not in line order" in v} | doubled
        silent = late - alarmed(rig, alarms)
        if late and not silent:  # the known window: seen, counted, alarmed
            trial.problems = [p for p in trial.problems if p.split(":")[0] not in late]
            trial.duplicated -= judge.duplicated
        trial.fact(f"late writes: {len(late)}, without an alarm: {len(silent)}, alarms: {len(alarms)}")


def alarmed(rig, alarms):
    """Orders with an alarm, and the contacts of those in which a goal came late: as the judge names them."""
    keys = {re.search(r" key=(\S+)", line)[1] for line in alarms}
    goals = {re.search(r" key=(\S+)", line)[1] for line in alarms if " step=goal:" in line}
    return keys | {f"contact {record.json()['contact_id']}" for record in rig.tails["delivered"].records if record.key in goals}


# -- replay --------------------------------------------------------------------------------------------------------


def reset_groups(rig):
    """The consumer groups start at the beginning again."""
    command = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{ROOT}/build/kafka/lib/*",
               "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", rig.broker.address,
               "--reset-offsets", "--to-earliest", "--all-topics", "--execute"]
    for service in GROUPS:
        answer = subprocess.run(command + ["--group", f"{rig.prefix}.{service}"], capture_output=True, text=True,
                                timeout=60, check=False)
        if answer.returncode != 0 or "Error" in answer.stdout:
            raise RuntimeError(f"groups not reset: {answer.stdout} {answer.stderr[-300:]}")


def row_15(trial):
    """Consumer groups reset to the beginning, everything runs again: new creates == 0."""
    orders = trial.pick(200, 5000, 20000)
    with trial.rig(orders=orders, settings={"pusher": {"workers": 16}}) as rig:
        rig.start()
        rig.drain(120 + orders // 10)
        before = len(rig.order_posts())
        for name in SERVICES:
            rig.take_down(name, signal.SIGTERM)
        reset_groups(rig)
        payloads = Tail(rig.broker.address, rig.topic("orders.payloads"), "payloads")
        for name in SERVICES:
            rig.bring_up(name)
        try:
            def all_again():
                rig.supervise()
                lags = [rig.metric("bigfusion_lag_records", name) for name in GROUPS]
                done = rig.progress("pusher")
                return not any(lags) and payloads.count > before and done >= payloads.count and \
                    rig.progress("filter") >= orders
            wait_until(all_again, 180 + orders // 10, lambda: "everything to run again: " + str(
                [(n, rig.metric("bigfusion_lag_records", n), rig.progress(n)) for n in GROUPS]) + rig.trouble(), 0.5)
        finally:
            payloads.stop()
        after = len(rig.order_posts())
        trial.faults = 1
        trial.judge(rig, stall=False)
        trial.expect(after == before, f"{after - before} new creates in the replay")
        trial.fact(f"creates={before}, records read again by the pusher={int(rig.progress('pusher'))},"
                   f" new creates={after - before}")


ROWS = {1: row_1, 2: row_2, 10: row_10, 11: row_11, 15: row_15}
