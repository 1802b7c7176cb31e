"""Orders in every state that an order can be in, made by the real programs on a real Kafka, for the tests of `why`.

A Market is a Stack with five accounts, each in a sandbox of its own: `main` works, `closed` refuses its key, `noshop` lacks
the e-commerce module, `spent` has used up its day's quota, `frozen` was paused by an operator. fill() places the orders phase by phase, waits until nothing
moves any more, and remembers of each order why it was placed (its plan). What is right for it the plan does not say: that
is the work of expected.py.
"""

import collections
import os
import random
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

import reference  # noqa: E402
from processes import Process, Tail, free_port, http_call, wait_until, write_topic  # noqa: E402
from shop import item, mail, order  # noqa: E402
from stack import Stack  # noqa: E402

HOUR_S = 3600
START_FROM = "2026-01-01T00:00:00Z"
LONG_DELAYS = {"BIGFUSION_PUSHER_RETRY_DELAYS_S": "3600,3600,3600"}
OLD = "Wed, 31 Dec 2025 10:00:00 +0000"
POISON, REFUSED, GIVE_UP, RETRY, DOUBT = "poison.mail", "REFUSED", "giveup.mail", "retrying.mail", "DOUBTFUL"

# name, code, hash, account: a sandbox's stores begin with abc123, so each has those of the ones before it, unused
STORES = (
    {"name": "main", "code": "BC", "hash": "abc123"},
    {"name": "late", "code": "LATE", "hash": "abc124", "poll_interval_s": HOUR_S},
    {"name": "dated", "code": "OLD", "hash": "abc125", "start_from": START_FROM},
    {"name": "shut", "code": "SHUT", "hash": "abc126", "account": "closed"},
    {"name": "bare", "code": "BARE", "hash": "abc127", "account": "noshop"},
    {"name": "used", "code": "USED", "hash": "abc128", "account": "spent"},
    {"name": "cold", "code": "COLD", "hash": "abc129", "account": "frozen"},
)
ACCOUNTS = ("main", "closed", "noshop", "spent", "frozen")

# Shares of all orders, in hundredths of a percent. What is left is generated: all statuses, bad e-mails, all shapes.
SHARES = {
    "poison": 1, "too_large": 3, "refused": 150, "gave_up": 30, "odd": 200, "archived": 200, "dated": 150, "unseen": 100,
    "changed": 400, "paid_later": 100, "retrying": 300, "withdrawn": 200, "in_doubt": 30, "closed": 250, "noshop": 250,
    "spent": 100, "frozen": 100, "queued": 600, "queued_again": 60, "next_poll": 250, "unknown": 300,
}


def counts_of(total):
    """{plan: how many orders}; at least two of each kind, one of poison."""
    found = {plan: max(1 if plan == "poison" else 2, total * share // 10000) for plan, share in SHARES.items()}
    found["bulk"] = total - sum(found.values()) + found["queued_again"]  # these are taken from the bulk
    return found


def odd_orders(rng):
    """Orders that only the filter or the mapper finds wrong, in turn."""
    yield order(mail("odd"), tax="5.00", total_inc_tax="99.0000")  # total_mismatch
    yield order(mail("odd"), default_currency_code="EUR", currency_code="EUR")  # currency_mismatch
    yield order(mail("odd"), [item("ZERO", "None of it", quantity=0)])
    yield order(mail("odd"), total_inc_tax="twelve")
    yield order(mail("odd"), consignments=[])
    yield order(mail("odd"), default_currency_code=7)
    yield order(mail("odd"), billing_address=None)
    yield order(mail("odd"), status=rng.choice([77, -1]))


class Market(Stack):
    def __init__(self, run, kafka, total, seed, prefix, settings=None):
        quiet = {"kafka": {"session_timeout_ms": 3000, "partitions": 4},
                 "pusher": {"workers": 16, "lease_s": 4, "max_attempts": 3, "retry_delays_s": "1,1,1", "http_timeout_s": 3,
                            "visibility_delay_s": 3}}
        for section, values in (settings or {}).items():
            quiet.setdefault(section, {}).update(values)
        super().__init__(run, stores=[dict(one) for one in STORES], broker=kafka, seed=seed, prefix=prefix, settings=quiet)
        self.rng, self.total, self.seed = random.Random(seed), total, seed
        self.counts = counts_of(total)
        self.plans = collections.OrderedDict()  # record key -> plan
        self.generated = 0
        self.sandboxes = {}  # account -> Process
        self.further = {}  # stage -> Tail, of topics that hold no fates

    # -- five accounts ---------------------------------------------------------------------------------------------

    def start_sandbox(self):
        self.sandbox_flags = ["--stores", str(len(STORES)), "--orders", "0", "--seed", str(self.seed)]
        for account in ACCOUNTS:
            name = "journal" if account == "main" else f"journal-{account}"
            command = self.sandbox_command("127.0.0.1:0")
            command[command.index("--journal") + 1] = f"{self.run}/{name}.jsonl"
            self.sandboxes[account] = Process(f"sandbox-{account}", command, self.run, stdout_line="listening on ")
        self.sandbox = self.sandboxes["main"]
        self.url = self.sandbox.address
        self.address = self.url.removeprefix("http://")
        for one in self.stores:
            one["api_url"] = self.sandboxes[one.get("account", "main")].address
        for account in ACCOUNTS[1:]:
            self.settings[f"infusionsoft {account}"] = {
                "auth": "key", "key_file": f"{self.run}/infusionsoft_key",
                "api_url": f"{self.sandboxes[account].address}/crm/rest/v2", **self.account}

    def address_of(self, store):
        account = next((one.get("account", "main") for one in self.stores if one["hash"] == store), "main")
        return self.sandboxes[account].address.removeprefix("http://")

    def account_settings(self, account, **members):
        address = self.sandboxes[account].address.removeprefix("http://")
        status, answer = http_call(address, "PUT", "/sandbox/settings", members)
        if status >= 300:
            raise RuntimeError(f"settings of {account}: {status} {answer[:300]!r}")

    def stop(self):
        statuses = super().stop()
        for process in (*self.sandboxes.values(), *self.further.values()):
            process.stop()
        self.further = {}
        return statuses

    # -- orders ----------------------------------------------------------------------------------------------------

    def keep(self, store, plan, ids):
        keys = [f"{store}/order/{number}" for number in ids]
        self.plans.update((key, plan) for key in keys)
        return keys

    def place_all(self, planned, store="abc123"):
        """Places (plan, order) pairs in the order in which they stand. Returns the keys."""
        keys = []
        for begin in range(0, len(planned), 50):
            part = planned[begin:begin + 50]
            ids = self.call("POST", f"/sandbox/stores/{store}/orders", [one for _, one in part])["ids"]
            for (plan, _), number in zip(part, ids):
                keys += self.keep(store, plan, [number])
        return keys

    def generate(self, count, plan="bulk", store="abc123"):
        if count <= 0:
            return []
        self.generated += 1
        seed = self.seed * 1000 + self.generated
        ids = self.call("POST", f"/sandbox/stores/{store}/orders", {"generate": count, "seed": seed})["ids"]
        return self.keep(store, plan, ids)

    def of_plan(self, plan):
        return [key for key, one in self.plans.items() if one == plan]

    def change_order(self, key, **members):
        store, _, number = key.split("/")
        return self.change(int(number), store, **members)

    def complete_orders(self, store, orders=None):
        """As the stack has it, but also of orders that hold no lines at all."""
        orders = self.orders(store) if orders is None else orders
        bare = [one for one in orders if not isinstance(one.get("consignments"), dict)]
        return bare + super().complete_orders(store, [one for one in orders if isinstance(one.get("consignments"), dict)])

    # -- waiting ---------------------------------------------------------------------------------------------------

    def answered(self):
        return {record.key for tail in self.tails.values() for record in list(tail.records) if record.value is not None}

    def wait_answered(self, keys, timeout=300):
        """Waits until each of the orders has some fate."""
        keys = set(keys)
        wait_until(lambda: keys <= self.answered(), timeout, lambda: f"a fate of {len(keys)} orders, e.g."
                   f" {sorted(keys - self.answered())[:5]} of {len(keys - self.answered())}; {self.trouble()}", 0.2)

    def wait_written(self, keys, stage, timeout=120):
        """Waits until each of the orders has a record in that topic."""
        keys, tail = set(keys), self.tail(stage)

        def there():
            return keys <= {record.key for record in list(tail.records)}
        wait_until(there, timeout, lambda: f"{len(keys)} orders in {stage}; {self.trouble()}", 0.2)

    def tail(self, stage):
        if stage not in self.tails and stage not in self.further:
            self.further[stage] = Tail(self.broker.address, self.topic(stage), stage)
        return self.tails.get(stage) or self.further[stage]

    # -- phases ----------------------------------------------------------------------------------------------------

    def fill(self, say=lambda text: None):
        """Every phase; at the end nothing moves, the mapper is stopped, and each plan's orders are where they stay."""
        self.poison()
        say("poison found")
        self.first_batch()
        say(f"{len(self.plans)} orders have their first fate")
        self.second_batch()
        say("retrying, in doubt, withdrawn; four accounts closed in four ways")
        self.without_mapper()
        self.never_seen()
        say(f"steady: {len(self.plans)} orders")

    def poison(self):
        """The pusher is killed three times while it works on this order."""
        self.services["pusher"].stop()
        self.fault(side="is", method="GET", path="/contacts", match=POISON, kind="delay", delay_ms=2500)
        [key] = self.place_all([("poison", order(mail(POISON)))])

        def fired():
            return self.call("GET", "/sandbox/faults")[0]["fired"]
        for _ in range(3):
            before = fired()
            pusher = self.start_service("pusher")
            wait_until(lambda before=before: fired() > before, 60, pusher.tail)
            pusher.signal(signal.SIGKILL)
            pusher.popen.wait()
        self.start_service("pusher")
        self.wait_ready("pusher")
        self.wait_answered([key], 60)
        self.clear_faults()

    def first_batch(self):
        """What ends: refused, given up, odd, archived, too large, throttled on its way; and most of the orders."""
        count = self.counts
        self.fault(side="is", method="POST", path="/orders", kind="status", status=422, match=REFUSED)
        self.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match=GIVE_UP)
        self.fault(side="is", kind="status", status=429, headers={"Retry-After": "1"}, every=max(5, self.total // 100), count=6)
        odd, odds = [], list(odd_orders(self.rng))
        for number in range(count["odd"]):
            odd.append(("odd", {**odds[number % len(odds)]}))
        planned = odd
        planned += [("refused", order(mail("refused"), [item(REFUSED, REFUSED)])) for _ in range(count["refused"])]
        planned += [("archived", order(mail("archived"), is_deleted=True)) for _ in range(count["archived"])]
        planned += [("too_large", order(mail("large"), customer_message="x" * 1200000)) for _ in range(count["too_large"])]
        planned += [("changed", order(mail("changed"))) for _ in range(count["changed"])]
        planned += [("paid_later", order(mail("later"), status=7)) for _ in range(count["paid_later"])]
        self.mix(planned, count["bulk"] * 2 // 3)
        self.give_up()
        dated = [("dated", order(mail("dated"), date_created=OLD if number % 2 else "Thu, 01 Jan 2026 00:00:00 +0000"))
                 for number in range(count["dated"])]
        self.place_all(dated, "abc125")
        self.place_all([("unseen", order(mail("unseen"), date_created=OLD, date_modified=OLD))
                        for _ in range(count["unseen"])], "abc125")
        self.wait_answered(key for key, plan in self.plans.items() if plan != "unseen")
        self.clear_faults()
        for number, key in enumerate(self.of_plan("changed")):
            self.change_order(key, status_id=(4, 5, 10, 2, 13)[number % 5])
        for key in self.of_plan("paid_later"):
            self.change_order(key, status_id=11)
        self.wait_written(self.of_plan("paid_later"), "delivered")

    def give_up(self):
        """A few at a time and good ones behind them: twenty failures in a row would close the account."""
        for begin in range(0, self.counts["gave_up"], 5):
            few = min(5, self.counts["gave_up"] - begin)
            keys = self.place_all([("gave_up", order(mail(GIVE_UP))) for _ in range(few)])
            self.wait_answered(keys)
            self.wait_answered(self.place_all([("bulk", order(mail("good"))) for _ in range(2)]))

    def mix(self, planned, bulk):
        """Places the planned orders in a random order among good ones, so that failures never come twenty in a row."""
        self.rng.shuffle(planned)
        some = 8
        for begin in range(0, len(planned), some):
            self.place_all(planned[begin:begin + some])
            share = min(bulk, max(12, bulk * some // (len(planned) - begin)))
            self.generate(share)
            bulk -= share
        self.generate(bulk)

    def restart_pusher(self, **settings):
        env = {f"BIGFUSION_PUSHER_{name.upper()}": value for name, value in settings.items()}
        self.services["pusher"].stop()
        self.start_service("pusher", env)
        self.wait_ready("pusher")

    def second_batch(self):
        """What stays: retrying for an hour, in doubt, and what waits for its account; and what was withdrawn meanwhile."""
        count = self.counts
        self.env.update({**LONG_DELAYS, "BIGFUSION_PUSHER_MAX_ATTEMPTS": "26"})
        self.restart_pusher()
        self.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match=RETRY)
        self.fault(side="is", method="POST", path="/orders", kind="drop_before", match=DOUBT)
        planned = [("retrying", order(mail(RETRY))) for _ in range(count["retrying"])]
        planned += [("withdrawn", order(mail(RETRY))) for _ in range(count["withdrawn"])]
        planned += [("in_doubt", order(mail("doubt"), [item("PLAIN", DOUBT)], billing={"first_name": DOUBT}))
                    for _ in range(count["in_doubt"])]
        self.doubtful_lookups()
        self.mix(planned, count["bulk"] - len(self.of_plan("bulk")))
        write_topic(self.broker.address, self.topic("paused"), "account/frozen",
                    b'{"since": 1795688741000, "who": "test", "why": "moving", "audit": 1}')
        wait_until(lambda: "paused account/frozen" in self.services["pusher"].text(), 30, self.trouble)
        for plan, hash_, setting in (("closed", "abc126", {"key_accepted": False}), ("noshop", "abc127", {"ecommerce": False}),
                                     ("spent", "abc128", {"quota": {"per_s": 0, "per_min": 0, "per_day": 1}}),
                                     ("frozen", "abc129", {})):
            if setting:
                self.account_settings(plan, **setting)
            self.place_all([(plan, order(mail(plan))) for _ in range(count[plan])], hash_)
        self.wait_written(self.of_plan("retrying") + self.of_plan("withdrawn") + self.of_plan("in_doubt"), "retry-1m", 180)
        for plan, topic in (("closed", "waiting.closed"), ("noshop", "waiting-orders.noshop"), ("spent", "waiting.spent"),
                            ("frozen", "waiting.frozen")):
            self.wait_written(self.of_plan(plan), topic, 120)
        self.wait_answered(self.of_plan("bulk"))
        for number, key in enumerate(self.of_plan("withdrawn")):
            self.change_order(key, status_id=(5, 4, 12)[number % 3])
        self.wait_written(self.of_plan("withdrawn"), "skipped")

    def doubtful_lookups(self):
        """Look-ups of orders fail: what was lost on its way cannot be found."""
        self.fault(side="is", method="GET", path="/orders", kind="status", status=500)

    def without_mapper(self):
        """The mapper is stopped: new orders, and new versions of old ones, go no further than `eligible`."""
        self.services["mapper"].stop()
        skipped = self.skipped_by_status()
        again = [key for key, plan in self.plans.items() if plan == "bulk" and key in skipped]
        for key in self.rng.sample(again, min(len(again), self.counts["queued_again"])):
            self.plans[key] = "queued_again"
            self.change_order(key, status_id=11)
        good = self.counts["queued"] // 2
        keys = self.place_all([("queued", order(mail("queued"))) for _ in range(good)])
        keys += self.generate(self.counts["queued"] - good, "queued")
        keys += self.of_plan("queued_again")
        self.tail("orders.eligible")
        state = {}

        def there():
            stand, seen = self.standing(), self.seen()
            state["missing"] = [key for key in keys if stand[key] > seen.get(key, -1)]
            return not state["missing"]
        wait_until(there, 120, lambda: f"the filter to be done with {state['missing'][:5]}; {self.trouble()}", 0.5)

    def skipped_by_status(self):
        return {record.key for record in list(self.tails["skipped"].records)
                if record.value and (record.json() or {}).get("reason") == "status"}

    def standing(self):
        """{key: when the order was changed last, ms} of the store main."""
        found = {}
        for one in self.orders("abc123"):
            try:
                found[f"abc123/order/{one['id']}"] = int(reference.instant(one.get("date_modified")).timestamp() * 1000)
            except reference.Malformed:
                found[f"abc123/order/{one['id']}"] = 0
        return found

    def seen(self):
        """{key: the newest version that the filter is done with}"""
        newest = {}
        for stage in ("orders.eligible", *self.tails):
            for record in list(self.tail(stage).records):
                version = record.headers.get("modified_at") or (record.json() or {}).get("modified_at") or 0
                newest[record.key] = max(newest.get(record.key, -1), int(version))
        return newest

    def never_seen(self):
        """Orders that the next poll will bring, and orders that no store has."""
        self.place_all([("next_poll", order(mail("next"))) for _ in range(self.counts["next_poll"])], "abc124")
        for number in range(self.counts["unknown"]):
            store = self.stores[number % len(self.stores)]["hash"]
            self.keep(store, "unknown", [5000000 + number])


def console_settings(run):
    """The [console] section of a run, and its address."""
    address = f"127.0.0.1:{free_port()}"
    return {"listen": address, "index_file": f"{run}/index.sqlite", "url": f"http://{address}"}, address
