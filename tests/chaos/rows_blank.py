"""Rows in which good answers say nothing, and in which a store's calls hang: 19, 20."""

from processes import ticks
from rows_account import fault_list
from rows_store import check_raw
from shop import item, order


# -- blank answers -------------------------------------------------------------------------------------------------


def make_known(rig, count, existing):
    """Contacts and products that somebody else put into the account: a look-up that says "not there" doubles them."""
    for number in range(count):
        email = f"known.{number}@example.com"
        rig.infusionsoft("POST", "/contacts", {"given_name": "Kept", "family_name": "Name", "email_addresses": [
            {"field": "EMAIL1", "email": email}]})
        rig.infusionsoft("POST", "/products", {"name": f"Known {number}", "short_description": f"Known {number}",
                                               "sku": f"KNOWN-{number}", "price": 1000})
        existing.append(email)


def row_19(trial):
    """1 % of Infusionsoft's good answers are blank or without the list, and of BigCommerce's: never "not there"."""
    count = trial.pick(60, 500, 5000)
    existing = []
    with trial.rig(settings={"poller": {"page_size": 20}, "pusher": {"workers": 16}}) as rig:
        rig.start(services=("poller", "filter", "mapper"))
        make_known(rig, count, existing)
        # Lost answers make look-ups of orders, which are blank at times as well; the first fault that fires counts. The first calls of
        # each kind are taken for certain, the others by chance: calls that are repeated must not meet a fault each time.
        for count_or_share in ({"count": 2}, {"share": 0.05, "seed": trial.seed}):
            rig.fault(side="is", method="POST", path="/orders", kind="drop_after", **count_or_share)
        rig.fault(side="is", kind="blank", share=trial.pick(0.05, 0.01, 0.01), seed=trial.seed + 1)
        for count_or_share in ({"count": 2}, {"share": 0.2, "seed": trial.seed + 2}):
            rig.fault(side="is", method="GET", path="/orders", kind="blank", match="filter", **count_or_share)
        # a poll is one call: of those, more than one in a hundred
        for count_or_share in ({"count": 2}, {"share": trial.pick(0.1, 0.05, 0.02), "seed": trial.seed + 3}):
            rig.fault(side="bc", method="GET", kind="blank", **count_or_share)
        for number in range(count):
            rig.place(order(f"known.{number}@example.com", [item(f"KNOWN-{number}", f"Known {number}"), item("", f"Own {number}")],
                            sandbox={"hide_lines": number % 10 == 0}))
        rig.bring_up("pusher")
        rig.wait_for(lambda: rig.fates() >= count, 180 + count // 5, lambda: f"{count} fates, not {rig.fates()}; {rig.trouble()}")
        faults = fault_list(rig)
        trial.faults = sum(one["fired"] for one in faults)
        rig.clear_faults()
        rig.drain(60)
        rig.write_expectation(existing_contacts=existing)
        judge = trial.judge(rig, stall=False)
        check_raw(rig, trial)
        posts, doubts = len(rig.order_posts()), sum(1 for e in rig.order_posts() if e.get("fault"))
        certain = [one["fired"] for one in faults if one["count"] >= 0]  # what is left of 2; -1: without a limit
        trial.expect(certain == [2, 2, 2], f"a fault was not met: {faults}")
        trial.expect(posts == judge.eligible, f"{posts} POSTs for {judge.eligible} orders")
        renamed = [e for e in rig.account_calls("PATCH") if "given_name" in str(e.get("body"))]
        trial.expect(not renamed, f"{len(renamed)} contacts renamed though they are kept")
        trial.fact(f"blank or lost answers: {trial.faults}; creates without a readable answer: {doubts}; posts={posts}"
                   f" orders={judge.eligible} contacts and products known before: {count}")


# -- calls that hang -----------------------------------------------------------------------------------------------

def publish_delays(rig, numbers):
    """Seconds from placing to the raw topic, of these orders; infinite where one is not there."""
    placed = {e["effect"]["id"]: float(e["t"]) for e in rig.journal() if e["side"] == "store" and e["method"] == "PLACE"}
    found = {}
    for record in rig.raw_records():
        found.setdefault(int(record.key.rsplit("/", 1)[1]), record.timestamp_ms / 1000)
    return [found.get(number, float("inf")) - placed[number] for number in numbers]


def good_flow(rig, seconds):
    """Good orders at an even pace; waits for all of them. Returns how long each took to be published."""
    numbers = []
    for _ in ticks(4, seconds):
        rig.placed += 1
        numbers.append(rig.place(order(f"good.{rig.placed}@example.com"))["id"])
        rig.supervise()
    rig.wait_for(lambda: all(delay != float("inf") for delay in publish_delays(rig, numbers)), 180,
                 lambda: f"good orders to be published; {rig.trouble()}")
    return publish_delays(rig, numbers)


def row_20(trial):
    """The calls that ten orders of a store need for themselves hang: good orders beside them wait for no more than one poll."""
    seconds, poll_s = trial.pick((4, 2), (12, 5), (60, 5))
    with trial.rig(store={"poll_interval_s": poll_s}) as rig:
        rig.start()
        before = good_flow(rig, seconds)
        # one call answers after a minute; the poller gives up on it much sooner, and asks again and again
        hang = rig.fault(side="bc", method="GET", path="/orders/", kind="delay", delay_ms=60000)
        for number in range(10):
            rig.place(order(f"hanging.{number}@example.com", sandbox={"hide_lines": True}))
            trial.faults += 1
        beside = good_flow(rig, seconds)
        met = sum(one["fired"] for one in fault_list(rig) if one["id"] == hang["id"])
        rig.clear_faults()
        rig.drain(240)
        trial.judge(rig, stall=False)
        rise = max(beside) - max(before)
        trial.expect(met > 0, "no call hung")
        trial.expect(rise <= poll_s, f"good orders waited {rise:.1f} s longer than without: {max(before):.1f} s and"
                     f" {max(beside):.1f} s, a poll is {poll_s} s")
        trial.fact(f"longest wait for the raw topic: {max(before):.1f} s without, {max(beside):.1f} s beside 10 orders whose"
                   f" calls hang ({met} such calls); a poll is {poll_s} s")


ROWS = {19: row_19, 20: row_20}
