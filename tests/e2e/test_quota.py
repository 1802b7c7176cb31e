"""The governor: pushers that share a credential use what the account allows, make room for others, and never see a 429."""

import bisect
import os
import re
import subprocess
import time

import pytest
from processes import ROOT, RUNS, Redis, wait_until
from shop import mail, order
from shop_stack import Shop

PER_S = 20
SCRIPT = os.path.join(ROOT, "common", "infusionsoft", "quota.lua")


# -- the stack -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-quota", account={"rate_per_s": PER_S, "rate_per_min": 100000, "rate_per_day": 100000},
              settings={"pusher": {"retry_delays_s": "1,1,1", "http_timeout_s": 10, "visibility_delay_s": 10, "lease_s": 20}}) as stack:
        stack.start(("poller", "filter", "mapper", "pusher", "pusher-2"))
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


def busiest(shop, start, seconds):
    """The most calls that any so many seconds had."""
    times = sorted(float(entry["t"]) for entry in calls(shop, start))
    return max((bisect.bisect_left(times, time + seconds) - n for n, time in enumerate(times)), default=0)


def calls(shop, start=0.0):
    return [entry for entry in shop.journal() if entry["side"] == "is" and float(entry["t"]) >= start]


def limit(shop, **limits):
    shop.sandbox_settings(quota={"per_s": 0, "per_min": 0, "per_day": 0, **limits})


def place(shop, count, seed):
    shop.call("POST", "/sandbox/stores/abc123/orders", {"generate": count, "seed": seed})


def test_two_pushers_use_the_second_and_are_never_refused(shop):
    limit(shop, per_s=PER_S)
    start, seconds = time.time(), 6
    place(shop, 120, 1)
    # On a busy machine some seconds are lost; six in a row that are used, 95 % on a quiet machine, show that they can be.
    wait_until(lambda: busiest(shop, start, seconds) >= 0.85 * PER_S * seconds, 60,
               lambda: f"calls, at most {busiest(shop, start, seconds)} in {seconds} s, see tests/quota.py; {shop.trouble()}", interval=0.5)
    assert [e for e in calls(shop) if e["status"] == 429] == []
    assert busiest(shop, start, seconds) <= 1.01 * PER_S * (seconds + 1)


def forget_calls(shop):
    """The sandbox begins to count when a limit is switched on: so does the governor."""
    for name in ("calls", "next", "pace", "minute", "day-left"):
        shop.redis.command("DEL", f"{shop.prefix}:quota:main:{name}")


def test_others_who_use_the_minute_are_made_room_for(shop):
    """Another integration takes half of the minute: the headers tell, and no call is refused."""
    shop.wait_drained(60)
    limit(shop, per_min=80)
    forget_calls(shop)
    begun = len(calls(shop))
    for _ in range(40):
        shop.infusionsoft("GET", "/businessProfile")
    place(shop, 40, 2)
    wait_until(lambda: len(calls(shop)) >= begun + 50, 60,
               lambda: f"50 calls, {len(calls(shop)) - begun} were made; {shop.trouble()}")
    limit(shop)
    forget_calls(shop)
    shop.wait_drained(60)
    assert [e for e in calls(shop) if e["status"] == 429] == []
    shop.assert_right()


def test_day_that_is_used_up_closes_the_account_and_is_announced_before(shop):
    limit(shop, per_day=100)
    forget_calls(shop)
    place(shop, 60, 3)
    pushers = ("pusher", "pusher-2")
    log = lambda word: [l for n in pushers for l in shop.services[n].text().splitlines() if word in l]  # noqa: E731
    wait_until(lambda: log("day's quota is used up"), 40, lambda: f"the day's end; {shop.trouble()}")
    announced = log("day_quota_low")
    assert len(announced) == 1, "by one pusher, once"
    assert int(re.search(r"left=(\d+)", announced[0])[1]) > 0, "beforehand"
    assert len(re.findall('kind="day_quota_low",account="main"} 1', "".join(map(shop.metrics, pushers)))) == 1
    wait_until(lambda: not calls(shop, time.time() - 1), 30, "the calls under way to end")
    closed_at = len(calls(shop))
    skipped = shop.place(order("", status=11))
    shop.wait_fate(skipped["id"], wanted=("skipped", "no_email"))
    assert len(calls(shop)) <= closed_at + 6, "nothing hammers an account that said no"
    limit(shop)
    forget_calls(shop)
    for name in pushers:  # they wait for midnight otherwise
        shop.restart(name, wait=False)
    shop.wait_drained(60)
    dead = [r for r in shop.tails["dead"].records if r.headers.get("reason") in ("refused", "gave_up")]
    assert dead == []
    shop.assert_right()


# -- the script ----------------------------------------------------------------------------------------------------


class Governor:
    """quota.lua on a private Redis."""

    def __init__(self):
        self.folder = os.path.join(RUNS, "e2e-quota-script")
        os.makedirs(self.folder, exist_ok=True)
        self.redis = Redis(self.folder)
        self.last = 0

    def run(self, *words):
        keys = ["calls", "next", "pace", "pause", "day", "day-left", "minute", "announced", "wanted"]
        answer = subprocess.run(["redis-cli", "-p", str(self.redis.port), "--eval", SCRIPT, *keys, ",", *map(str, words)],
                                capture_output=True, text=True, check=True, timeout=60).stdout
        return [int(number) for number in re.findall(r"-?\d+", answer)]

    def take(self, per_s=0, per_min=0, per_day=0, reserve=0):
        """(ms to wait, day used up, id), as if the call before had been long ago."""
        self.last += 1
        self.redis.command("DEL", "next", "pace", "wanted")
        return (*self.run("take", f"call-{self.last}", per_s, per_min, per_day, reserve, 20000), f"call-{self.last}")

    def done(self, name, minute=(-1, -1), day=(-1, -1), pause=0, per_day=0):
        return self.run("done", name, *minute, *day, pause, per_day)[0]

    def let_through(self, times, **limits):
        return sum(self.take(**limits)[0] == 0 for _ in range(times))


@pytest.fixture
def governor():
    one = Governor()
    one.redis.command("FLUSHALL")
    yield one
    one.redis.stop()


def test_a_call_under_way_holds_its_place(governor):
    wait, _, name = governor.take(per_min=1)
    assert wait == 0
    assert governor.take(per_min=1)[0] > 59000
    governor.done(name)
    assert 50000 < governor.take(per_min=1)[0] <= 60100, "a minute from its end"


def test_calls_are_spaced(governor):
    assert governor.take(per_s=100, per_min=60)[0] == 0
    wait, _ = governor.run("take", "the-next", 100, 60, 0, 0, 20000)
    assert wait <= 0, "who comes late may catch up"
    governor.redis.command("SET", "pace", str(time.time() * 1000 + 9000))
    assert 0 < governor.run("take", "one-more", 100, 6, 0, 0, 20000)[0] <= 9000
    governor.redis.command("SET", "pace", str(time.time() * 1000 + 90000))
    assert governor.run("take", "clock-set-back", 100, 6, 0, 0, 20000)[0] == 0


def test_the_end_of_a_call_tells_what_is_left_of_the_day(governor):
    _, _, name = governor.take(per_day=50)
    tell = lambda limit, left, per_day: governor.run("done", name, -1, -1, limit, left, 0, per_day)[1:]  # noqa: E731
    assert tell(-1, -1, 50) == [49, 50], "our own count"
    assert tell(40, 30, 50) == [30, 40], "the account's, where it is less"
    assert tell(-1, -1, 0) == [-1, -1], "nobody knows"


def test_no_second_holds_more_than_allowed(governor):
    waits = [governor.take(per_s=3)[0] for _ in range(4)]
    assert waits[:3] == [0, 0, 0] and waits[3] > 900


def test_each_lane_leaves_a_reserve(governor):
    assert governor.let_through(20, per_min=10, reserve=30) == 7
    assert governor.let_through(20, per_min=10, reserve=20) == 1
    assert governor.let_through(20, per_min=10, reserve=10) == 1
    assert governor.let_through(20, per_min=10) == 1


def test_a_lane_leaves_a_reserve_of_the_day_without_closing_it_for_the_others(governor):
    assert governor.let_through(20, per_day=10, reserve=30) == 7
    wait, used_up, _ = governor.take(per_day=10, reserve=30)
    assert used_up == 2 and wait > 0, "its part alone"
    assert governor.take(per_day=10)[:2] == (0, 0)
    _, _, name = governor.take(per_day=10)
    governor.done(name, day=(10, 3), per_day=10)
    assert governor.take(per_day=10, reserve=30)[1] == 2, "by what the account says"
    assert governor.take(per_day=10, reserve=20)[1] in (0, 2)


def test_a_lane_waits_where_one_before_it_waits_in_another_process(governor):
    ask = lambda name, reserve: governor.run("take", name, 0, 6, 0, reserve, 20000)[0]  # noqa: E731
    for number in range(60):
        if ask(f"order-{number}", 0) > 0:
            break
    assert number < 59, "the spacing makes an order wait"
    governor.redis.command("DEL", "pace", "calls")
    assert ask("history", 30) > 0, "there is room, and the order that waits gets it"
    assert ask("order-again", 0) == 0


def test_a_lane_with_a_reserve_does_not_catch_up(governor):
    ask = lambda name, reserve: governor.run("take", name, 0, 13, 0, reserve, 20000)[0]  # noqa: E731
    assert ask("first", 30) == 0
    assert 0 < ask("second", 30) <= 6000, "60000 / 10 ms"
    assert ask("order", 0) == 0, "an order may"


def test_what_others_use_is_left_to_them(governor):
    _, _, name = governor.take(per_min=20)
    governor.done(name, minute=(20, 15))  # five are used, one of them is ours
    assert governor.let_through(24, per_min=20) == 15


def test_the_accounts_lower_limit_counts(governor):
    _, _, name = governor.take(per_min=100)
    governor.done(name, minute=(10, 9))
    assert governor.let_through(30, per_min=100) == 9


def test_absent_headers_are_not_zero(governor):
    _, _, name = governor.take(per_min=100)
    governor.done(name)
    assert governor.let_through(3, per_min=100) == 3


def test_the_day_ends(governor):
    assert governor.let_through(10, per_day=4) == 4
    wait, used_up, _ = governor.take(per_day=4)
    assert used_up == 1 and 0 < wait <= 86400000
    governor.redis.command("FLUSHALL")
    _, _, name = governor.take(per_day=1000)
    governor.done(name, day=(1000, 2))
    assert governor.let_through(10, per_day=1000) == 2
    assert governor.take(per_day=1000)[1] == 1


def test_the_days_end_is_announced_once(governor):
    left = [governor.done(governor.take(per_day=100)[2], per_day=100) for _ in range(95)]
    assert [one for one in left if one >= 0] == [10]
    governor.redis.command("FLUSHALL")
    assert [governor.done(governor.take(per_s=9)[2], day=(30000, n)) for n in (3001, 3000, 2999)] == [-1, 3000, -1]


def test_after_a_429_nobody_calls_for_a_while(governor):
    _, _, name = governor.take(per_min=100)
    governor.done(name, pause=60000)
    assert 50000 < governor.take(per_min=100)[0] <= 60000


def test_a_lost_redis_is_corrected_by_the_first_answer(governor):
    governor.redis.command("FLUSHALL")
    _, _, name = governor.take(per_min=240)
    governor.done(name, minute=(240, 2))
    assert governor.let_through(10, per_min=240) == 2
