"""Rows in which Infusionsoft misbehaves: 3, 4, 5, 6."""

import collections

from rig import EVERYTHING, HTTP_S, time


def in_doubt_orders(rig, kind="drop_after"):
    """Creates whose answer was lost: {external key}."""
    return {external(entry) for entry in rig.order_posts() if entry.get("fault") == kind}


def external(entry):
    fields = (entry.get("body") or {}).get("custom_fields") or [{}]
    return fields[0].get("content")


def row_3(trial):
    """The create succeeds, its answer is lost: for 1 % of the orders, and for all of a burst."""
    many, burst = trial.pick(400, 2000, 20000), trial.pick(60, 300, 2000)
    for name, count, share in (("percent", many, 0.01 if trial.size != "short" else 0.03), ("burst", burst, None)):
        with trial.rig(name, store=EVERYTHING, account={"note_user_id": 1}) as rig:
            rig.start(services=("poller", "filter", "mapper"))
            fault = {"side": "is", "method": "POST", "path": "/orders", "kind": "drop_after"}
            rig.fault(**fault, **({"share": share, "seed": trial.seed} if share else {}))
            rig.generate(count, trial.seed)
            rig.bring_up("pusher")
            rig.drain(120 + count // 10)
            judge = trial.judge(rig)
            posts, doubts, lookups = len(rig.order_posts()), len(in_doubt_orders(rig)), rig.lookups()
            trial.faults += doubts
            trial.expect(doubts > 0, "no answer was lost")
            trial.expect(posts == judge.eligible, f"{posts} POSTs for {judge.eligible} orders")
            trial.expect(lookups <= 2 * doubts, f"{lookups} look-ups for {doubts} orders in doubt")
            trial.fact(f"{name}: posts={posts} orders={judge.eligible} in_doubt={doubts} look-ups={lookups}")


# -- storms --------------------------------------------------------------------------------------------------------


def busiest_second(rig, start, end):
    """The most calls of the pushers in any second of the wall clock."""
    seconds = collections.Counter(int(float(entry["t"])) for entry in rig.account_calls()
                                  if start <= float(entry["t"]) <= end)
    return max(seconds.values(), default=0)


def row_4(trial):
    """500, 502 and timeouts for everyone; 429 with and without Retry-After and headers."""
    seconds, limit = trial.pick(5, 15, 300), 100
    storms = {
        "500": ({"kind": "status", "status": 500},),
        "502": ({"kind": "html", "status": 502},),
        "timeout": ({"kind": "delay", "delay_ms": (HTTP_S + 2) * 1000},),
        "429": ({"kind": "status", "status": 429},),
        "429-after": ({"kind": "status", "status": 429, "headers": {"Retry-After": "2"}},),
        "mixed": ({"kind": "status", "status": 503, "share": 0.3}, {"kind": "status", "status": 429, "share": 0.3},
                  {"kind": "drop_before", "share": 0.3}),
    }
    with trial.rig(account={"rate_per_s": limit}) as rig:
        rig.start()
        for number, (name, faults) in enumerate(storms.items()):
            rig.generate(60, trial.seed + number)
            rig.wait_delivered(rig.delivered() + 5)
            for fault in faults:
                rig.fault(side="is", seed=trial.seed + number, **fault)
            start = time.time()
            rig.generate(60, trial.seed + 50 + number)
            until = time.monotonic() + seconds
            rig.wait_for(lambda u=until: time.monotonic() > u, seconds + 10, "the storm")
            end = time.time()
            before = len(rig.order_posts())
            rig.clear_faults()
            rig.generate(20, trial.seed + 90 + number)
            rig.wait_for(lambda n=before: len([e for e in rig.order_posts()[n:] if e["effect"]]) > 0, 90,
                         lambda n=name: f"the first order after {n}; {rig.trouble()}")
            recovery = time.time() - end
            trial.faults += 1
            trial.expect(recovery < 30, f"{name}: recovered after {recovery:.0f} s")
            busiest = busiest_second(rig, start, end)
            # a second of the wall clock may hold the end of one bucket and the start of the next
            trial.expect(busiest <= 2 * limit, f"{name}: {busiest} calls in a second, the limit is {limit}")
            trial.fact(f"{name}: {seconds} s, busiest second {busiest} calls (limit {limit}), recovery {recovery:.1f} s")
        rig.drain(300)
        trial.judge(rig, stall=False)


# -- slow and broken answers ---------------------------------------------------------------------------------------


def row_5(trial):
    """30 s slow, slow-loris, cut in the body, malformed JSON, HTML: nobody is thrown out of the group."""
    share = 0.1
    faults = {
        "slow": {"kind": "delay", "delay_ms": trial.pick(6000, 30000, 30000)},
        "slow-loris": {"kind": "slow", "delay_ms": 1500},
        "cut": {"kind": "cut"},
        "garbage": {"kind": "garbage"},
        "html": {"kind": "html", "status": 502},
        "drop_after": {"kind": "drop_after"},
    }
    with trial.rig(settings={"pusher": {"max_attempts": 100}, "librdkafka": {"max.poll.interval.ms": 10000}}) as rig:
        rig.start()
        for number, (name, fault) in enumerate(faults.items()):
            rig.fault(side="is", share=share, seed=trial.seed + number, **fault)
            rig.generate(trial.pick(30, 100, 1000), trial.seed + number)
            wanted = rig.delivered() + trial.pick(8, 30, 300)
            rig.wait_delivered(wanted, 180)
            trial.faults += sum(one["fired"] for one in fault_list(rig))
            rig.clear_faults()
        rig.drain(240)
        trial.judge(rig)
        thrown = rig.all_log_lines(r"left its group|lost=1|MAXPOLL")
        trial.expect(not thrown, f"thrown out of the group: {thrown[:2]}")
        trial.expect(len(rig.all_log_lines(r" assigned partitions=")) == 1, "the group was formed more than once")
        trial.fact(f"{len(faults)} kinds of bad answers, each for {share:.0%} of the calls; rebalances: 0")


def fault_list(rig):
    answer = rig.call("GET", "/sandbox/faults")
    return answer["faults"] if isinstance(answer, dict) else answer


# -- OAuth ---------------------------------------------------------------------------------------------------------


def oauth(rig_folder):
    """Settings of an account with rotating tokens."""
    return {"auth": "oauth", "client_id": "sandbox-client", "client_secret_file": f"{rig_folder}/client_secret",
            "refresh_token_file": f"{rig_folder}/refresh_token", "token_state_file": f"{rig_folder}/token_state"}


def write_secrets(rig):
    for name, secret in (("client_secret", "sandbox-secret"), ("refresh_token", "sandbox-refresh-1")):
        with open(f"{rig.run}/{name}", "w", encoding="utf-8") as file:
            file.write(secret + "\n")


def refreshes(rig):
    return sum(1 for entry in rig.journal() if (entry.get("effect") or {}).get("made") == "token")


def row_6(trial):
    """Access token expired, refresh fails, refresh answer lost, two pushers refresh at once."""
    count = trial.pick(40, 100, 500)
    with trial.rig(settings={"pusher": {"max_attempts": 100}}) as rig:
        rig.account.update(oauth(rig.run))
        rig.start_servers()
        rig.account["token_url"] = f"{rig.url}/token"
        write_secrets(rig)
        rig.start_services(("poller", "filter", "mapper", "pusher"))
        rig.bring_up("pusher-2")
        rig.generate(count, trial.seed)
        rig.wait_delivered(10)
        # expired, noticed by two pushers at once: one of them refreshes
        made = refreshes(rig)
        rig.sandbox_settings(revoke_access_tokens=True)
        rig.generate(count, trial.seed + 1)
        rig.wait_delivered(rig.delivered() + count // 4)
        first = refreshes(rig) - made
        trial.expect(first == 1, f"{first} refreshes for one expired token")
        # the refresh fails for a while
        fault = rig.fault(side="is", path="/token", kind="status", status=503)
        rig.sandbox_settings(revoke_access_tokens=True)
        rig.generate(count, trial.seed + 2)
        until = time.monotonic() + trial.pick(3, 8, 60)
        rig.wait_for(lambda: time.monotonic() > until, 90, "the outage of the token endpoint")
        rig.clear_faults()
        rig.wait_delivered(rig.delivered() + count // 4, 120)
        # the answer of a refresh is lost: the pair that came with it is unknown, a person must act
        rig.fault(side="is", path="/token", kind="drop_after", count=1)
        rig.sandbox_settings(revoke_access_tokens=True)
        rig.generate(count, trial.seed + 3)
        rig.wait_for(lambda: rig.all_log_lines(r"authorization_lost"), 60, lambda: f"the alarm; {rig.trouble()}")
        trial.faults = 4
        trial.expect(fault is not None, "the fault was taken")
        # the person: a new refresh token, as after authorizing again
        authorize_again(rig)
        rig.drain(240)
        trial.judge(rig, stall=False)
        dead = [r for r in rig.tails["dead"].records if r.headers.get("stage") == "pusher"
                and r.headers.get("reason") in ("refused", "gave_up")]
        trial.expect(not dead, f"{len(dead)} orders are dead for want of a token")
        trial.fact(f"refreshes for one expired token seen by two pushers: {first}; alarms:"
                   f" {len(rig.all_log_lines(r'authorization_lost'))}")


def authorize_again(rig):
    """What docs/configuration.md tells a person to do: put the new refresh token into its file, start again."""
    rig.sandbox_settings(refresh_token="sandbox-refresh-again", revoke_access_tokens=True)
    for name in ("pusher", "pusher-2"):
        rig.take_down(name, 15)
    with open(f"{rig.run}/refresh_token", "w", encoding="utf-8") as file:
        file.write("sandbox-refresh-again\n")
    for name in ("pusher", "pusher-2"):
        rig.bring_up(name)


ROWS = {3: row_3, 4: row_4, 5: row_5, 6: row_6}
