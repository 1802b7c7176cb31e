"""A whole private bigfusion: Redis, a broker, the sandbox and the services, in one run folder build/out/<run>/.

    with Stack("try", orders=100) as stack:
        stack.start()
        stack.wait_drained()
        assert stack.judge().line() == "..."

Used by the end-to-end tests, the demo, make dev and the fault runs. Settings are those of the configuration file;
settings={"pusher": {"workers": 4}} changes the file, env={"BIGFUSION_..."} the environment of every service.
Everything ends with the stack, also when the test fails.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle  # noqa: E402
import reference  # noqa: E402
from processes import (RUNS, DevBroker, Process, Redis, Tail, binary, free_port, http_call,  # noqa: E402
                       read_topic, wait_until)

SERVICES = ("poller", "filter", "mapper", "pusher")
TOKEN, KEY = "sandbox-bc-token", "KeapAK-sandbox"

# Short times, so that a test waits for conditions and not for defaults. Every one is a documented setting.
FAST = {
    "kafka": {"partitions": 4, "replication": 1, "session_timeout_ms": 6000},
    "poller": {"settle_s": 0, "lease_s": 10},
    "pusher": {"workers": 8, "lease_s": 12, "http_timeout_s": 3, "visibility_delay_s": 3, "retry_delays_s": "1,2,3"},
}


class Stack:
    redis_class = Redis

    def __init__(self, run, stores=1, orders=0, seed=1, broker=None, settings=None, sandbox=(), store=None,
                 account=None, prefix="bigfusion", env=None, partitions=4):
        """
        stores: how many, or a list of {"name", "code", "hash", ...settings of [store NAME]};
        store, account: settings for every [store] and for [infusionsoft main]; sandbox: more of its flags;
        broker: one that is shared and outlives this stack (then prefix must be its own), else a DevBroker is started.
        """
        self.run = os.path.join(RUNS, run)
        shutil.rmtree(self.run, ignore_errors=True)
        os.makedirs(self.run)
        if isinstance(stores, int):
            stores = [{"name": f"s{i}" if i else "main", "code": f"S{i}" if i else "BC", "hash": f"abc{123 + i}"}
                      for i in range(stores)]
        self.stores = [{"start_from": "all", "poll_interval_s": 1, "contacts": "off", "products": "off", **(store or {}), **one} for one in stores]
        self.account = {"rate_per_s": 0, "currency": "USD", "shipping_region": "code", **(account or {})}
        self.sandbox_flags = ["--stores", str(len(self.stores)), "--orders", str(orders), "--seed", str(seed), *sandbox]
        self.settings, self.prefix, self.env = settings or {}, prefix, env or {}
        self.partitions = partitions
        self.broker, self.own_broker = broker, broker is None
        self.redis = self.sandbox = None
        self.services, self.ports, self.tails = {}, {}, {}
        self.config = os.path.join(self.run, "bigfusion.conf")

    # -- start and stop --------------------------------------------------------------------------------------------

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def topics(self):
        names = [f"{lane}.{stage}" for lane in ("orders", "contacts", "products", "history")
                 for stage in ("raw", "eligible", "payloads")]
        names += ["retry-1m", "retry-10m", "retry-1h", "skipped", "delivered", "dead", "cursors", "audit", "paused",
                  "waiting.main", "waiting-orders.main"]
        return [f"{self.prefix}.{name}" for name in names]

    def topic(self, name):
        return f"{self.prefix}.{name}"

    def start(self, services=SERVICES, setup=True):
        """Servers first, then the configuration, topics and custom field, then the services."""
        self.start_servers()
        return self.start_services(services, setup)

    def start_services(self, services=SERVICES, setup=True):
        """The second half of start(), for runs that put something between servers and services."""
        self.write_config()
        if self.broker.real:
            self.command("topics", "create")
        if setup:
            self.command("setup")
        self.follow()
        for name in services:
            self.start_service(name)
        for name in services:
            self.wait_ready(name)
        return self

    def start_servers(self):
        self.redis = self.redis_class(self.run)
        if self.broker is None:
            self.broker = DevBroker(self.run, self.topics(), self.partitions)
        self.start_sandbox()
        self.collect_orders("-start")

    def start_sandbox(self):
        self.sandbox = Process("sandbox", self.sandbox_command("127.0.0.1:0"), self.run, stdout_line="listening on ")
        self.url = self.sandbox.address
        self.address = self.url.removeprefix("http://")

    def sandbox_command(self, listen):
        return [binary("bigfusion-sandbox"), "--listen", listen, "--journal", f"{self.run}/journal.jsonl", *self.sandbox_flags]

    def write_config(self):
        for name, secret in (("bc_token", TOKEN), ("infusionsoft_key", KEY)):
            with open(os.open(f"{self.run}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secret + "\n")
        sections = {
            "kafka": {"brokers": self.broker.address, "topic_prefix": self.prefix},
            "redis": {"url": self.redis.url},
        }
        for one in self.stores:
            values = {k: v for k, v in one.items() if k not in ("name", "backfill_from")}
            sections[f"store {one['name']}"] = {"token_file": f"{self.run}/bc_token", "account": "main",
                                                "api_url": self.url, **values}
        sections["infusionsoft main"] = {"api_url": f"{self.url}/crm/rest/v2", "auth": "key",
                                         "key_file": f"{self.run}/infusionsoft_key", **self.account}
        for extra in (FAST, {"kafka": {"partitions": self.partitions}}, self.settings):
            for name, values in extra.items():
                sections.setdefault(name, {}).update(values)
        with open(self.config, "w", encoding="utf-8") as file:
            for name, values in sections.items():
                file.write(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) + "\n")
        self.write_expectation()

    def write_expectation(self, **more):
        """What the judge must know: the settings, in its own words."""
        stores = {}
        for one in self.stores:
            about = {k: one[k] for k in ("code", "start_from", "opt_in", "backfill_from", "payments", "payment_type",
                                         "order_notes", "goal_call_names", "lead_affiliate_id", "sku_tag", "coupon_tag",
                                         "group_tag", "after_sync", "after_sync_tag", "contacts", "products",
                                         "existing_contact") if k in one}
            about["fields"] = {name[len("field."):]: path for name, path in one.items() if name.startswith("field.")}
            if "statuses" in one:
                about["statuses"] = [int(s) for s in str(one["statuses"]).split(",")]
            for name in ("currency", "discount_sign", "shipping_region", "opt_in_reason"):
                if name in self.account:
                    about[name] = self.account[name]
            stores[one["hash"]] = about
        with open(f"{self.run}/expect.json", "w", encoding="utf-8") as file:
            json.dump({"stores": stores, **more}, file, indent=1)

    def environment(self, name=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith("BIGFUSION_")}
        env.update(self.env)
        env["BIGFUSION_CONFIG"] = self.config
        if name:
            env["BIGFUSION_HEALTH_LISTEN"] = f"127.0.0.1:{self.ports[name]}"
        return env

    def command(self, *words, check=True, timeout=60):
        """Runs `bigfusion WORDS --config FILE`."""
        answer = subprocess.run([binary("bigfusion"), *words, "--config", self.config], env=self.environment(),
                                capture_output=True, text=True, timeout=timeout, check=False)
        if check and answer.returncode != 0:
            raise RuntimeError(f"bigfusion {' '.join(words)}: {answer.returncode} {answer.stdout}{answer.stderr}")
        return answer

    def start_service(self, name, env=None):
        """name is a service, or a further copy of one: pusher-2."""
        program = f"bigfusion-{name.split('-')[0]}"
        self.ports.setdefault(name, free_port())
        self.services[name] = Process(name, [binary(program), "--config", self.config], self.run,
                                      env={**self.environment(name), **(env or {})})
        return self.services[name]

    def wait_ready(self, name, timeout=30):
        def ready():
            if not self.services[name].alive():
                raise RuntimeError(f"{name} ended with {self.services[name].popen.returncode}: {self.services[name].tail()}")
            try:
                return http_call(f"127.0.0.1:{self.ports[name]}", "GET", "/readyz", timeout=2)[0] == 200
            except OSError:
                return False
        wait_until(ready, timeout, lambda: f"{name} to be ready: {self.services[name].tail()}")

    def kill(self, name):
        self.services[name].kill()

    def restart(self, name, wait=True):
        """Starts a service again, after a kill or a stop (it is stopped first when it still runs)."""
        if self.services[name].alive():
            self.services[name].stop()
        self.start_service(name)
        if wait:
            self.wait_ready(name)

    def poll_at(self, part):
        """Makes the poller's next round, and so those after it, begin at this part of a second: it is frozen until every store's
        round is overdue."""
        self.services["poller"].signal(signal.SIGSTOP)
        frozen, longest = time.monotonic(), max(int(one["poll_interval_s"]) for one in self.stores)
        try:
            wait_until(lambda: time.monotonic() - frozen > longest and (time.time() - part) % 1 < 0.02, longest + 5,
                       "that part of a second", interval=0.005)
        finally:
            self.services["poller"].signal(signal.SIGCONT)

    def metrics(self, name):
        return http_call(f"127.0.0.1:{self.ports[name]}", "GET", "/metrics")[1].decode()

    def follow(self):
        for name in ("delivered", "skipped", "dead"):
            self.tails[name] = Tail(self.broker.address, self.topic(name), name)

    def stop(self):
        """Stops everything. Returns {service: exit status}."""
        running = [p for p in self.services.values() if p.alive()]
        for process in running:
            process.terminate()
        statuses = {process.name: process.wait() for process in running}
        for tail in self.tails.values():
            tail.stop()
        self.tails = {}
        for process in (self.sandbox, self.redis):
            if process is not None:
                process.stop()
        if self.own_broker and self.broker is not None:
            self.broker.stop()
            self.broker = None
        return statuses

    def cursors(self):
        """{store hash: the newest record of the topic cursors}"""
        return {r.key: r.json() for r in read_topic(self.broker.address, self.topic("cursors"))}

    def expect_resolved_starts(self):
        """Tells the judge what `start_from = now` came to: the poller saved it beside the cursor."""
        hashes = {one["hash"] for one in self.stores}
        cursors = wait_until(lambda: hashes <= set(found := self.cursors()) and found, 30, "the pollers' first cursors")
        for one in self.stores:
            if one["start_from"] == "now":
                seconds = int(cursors[one["hash"]]["start_from"]) // 1000
                one["start_from"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        self.write_expectation()

    # -- the sandbox -----------------------------------------------------------------------------------------------

    def address_of(self, store):
        """host:port of the sandbox that has this store; None: the one of the account main."""
        return self.address

    def call(self, method, path, body=None):
        store = re.match(r"/sandbox/stores/([a-z0-9]+)/", path)
        status, answer = http_call(self.address_of(store and store[1]), method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return reference.load_json(answer) if answer.strip() else None

    def infusionsoft(self, method, path, body=None):
        """A call of somebody else into the account."""
        status, answer = http_call(self.address, method, f"/crm/rest/v2{path}", body, {"X-Keap-API-Key": KEY})
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer) if answer.strip() else None

    def place(self, order, store="abc123"):
        """Puts an order into a store; returns it as the store has it."""
        return self.call("POST", f"/sandbox/stores/{store}/orders", order)

    def change(self, number, store="abc123", **members):
        return self.call("PATCH", f"/sandbox/stores/{store}/orders/{number}", members)

    def orders(self, store="abc123"):
        return self.call("GET", f"/sandbox/stores/{store}/orders")

    def raw(self, number, store="abc123"):
        return http_call(self.address_of(store), "GET", f"/sandbox/stores/{store}/orders/{number}/raw")[1]

    def fault(self, **members):
        return self.call("POST", "/sandbox/faults", members)

    def clear_faults(self):
        self.call("DELETE", "/sandbox/faults")

    def sandbox_settings(self, **members):
        return self.call("PUT", "/sandbox/settings", members)

    def journal(self):
        """Every complete line of the journal so far."""
        with open(f"{self.run}/journal.jsonl", "rb") as file:
            data = file.read()
        return [reference.load_json(line) for line in data[:data.rfind(b"\n") + 1].splitlines()]

    # -- fates -----------------------------------------------------------------------------------------------------

    def fate_records(self, key):
        return [r for tail in self.tails.values() for r in list(tail.records) if r.key == key]

    def fate(self, number, store="abc123"):
        """(topic, reason) of the order's answer as it is now, or None."""
        return self.fate_of(f"{store}/order/{number}")

    def fate_of(self, key):
        """The same of a record of any kind, by its key."""
        return oracle.final_fate([as_fate(record) for record in self.fate_records(key)])

    def wait_fate(self, number, store="abc123", timeout=30, wanted=None):
        """Waits for the order to have a fate (or the wanted one) and returns it."""
        def there():
            fate = self.fate(number, store)
            return fate if fate and (wanted is None or fate == wanted) else None
        return wait_until(there, timeout, lambda: f"{wanted or 'a fate'} of {store}/order/{number},"
                                                  f" it has {self.fate(number, store)}; {self.trouble()}")

    def raw_records(self):
        """Every order as the poller published it."""
        return read_topic(self.broker.address, self.topic("orders.raw"))

    def wanted_fates(self):
        """{record key: the answer that the rules ask for} of every order, as the stores have it now, that polls can see."""
        wanted, settings = {}, self.judge_settings()
        for one in self.stores:
            for order in self.complete_orders(one["hash"]):
                if reference.is_out_of_reach(order, settings[one["hash"]]):
                    continue
                stage, reason, _ = reference.fate_of(order, one["hash"], settings[one["hash"]])
                wanted[f"{one['hash']}/order/{order['id']}"] = (stage, reason)
        return wanted

    def pending_fates(self, wanted):
        """Those of the wanted ones that are not there yet. What was delivered stays delivered."""
        fates = {}
        for tail in self.tails.values():
            for record in list(tail.records):
                fates.setdefault(record.key, []).append(record)
        answers = {key: oracle.final_fate([as_fate(r) for r in fates.get(key, [])]) for key in wanted}
        return {key: want for key, want in wanted.items() if answers[key] not in (want, ("delivered", None))}

    def wait_drained(self, timeout=60, progress=None):
        """Waits until every order of every store has the answer that the rules ask for. Returns their number."""
        state = {"asked": 0}

        def drained():
            if time.monotonic() - state["asked"] > 3 or not state["pending"]:  # a store may change meanwhile
                state["wanted"], state["asked"] = self.wanted_fates(), time.monotonic()
            state["pending"] = self.pending_fates(state["wanted"])
            if progress:
                progress(len(state["wanted"]) - len(state["pending"]), len(state["wanted"]))
            if state["pending"]:
                return False
            state["wanted"], state["asked"] = self.wanted_fates(), time.monotonic()
            return not self.pending_fates(state["wanted"])
        wait_until(drained, timeout, lambda: f"{len(state['pending'])} of {len(state['wanted'])} orders, e.g."
                                             f" {list(state['pending'].items())[:5]}; {self.trouble()}", interval=0.2)
        return len(state["wanted"])

    def trouble(self):
        """What the services complain about, for the message of a failed wait."""
        words = []
        for name, process in self.services.items():
            bad = [line for line in process.text().splitlines() if " error " in line or " warn " in line
                   or "ERROR: AddressSanitizer" in line or "runtime error" in line]
            words.append(f"{name} {'runs' if process.alive() else 'ended'}: {' | '.join(bad[-3:])}")
        return "; ".join(words)

    # -- judging ---------------------------------------------------------------------------------------------------

    def judge_settings(self):
        return oracle.Judge.settings(self.run)

    def complete_orders(self, store, orders=None):
        """Every order of a store (or these) with all its lines and coupons, whatever a list call leaves out."""
        orders = self.orders(store) if orders is None else orders
        for order in orders:
            lines = reference.line_items(order)
            count = sum(int(line.get("quantity") or 0) for line in lines if not line.get("parent_order_product_id"))
            short = b"__warning__" in json.dumps(order.get("consignments"), default=str).encode()
            extra = {}
            if short or (count < (order.get("items_total") or 0)):
                extra["products"] = self.all_pages(store, f"/orders/{order['id']}/products")
            if reference.money(order.get("coupon_discount")):
                extra["coupons"] = self.all_pages(store, f"/orders/{order['id']}/coupons")
            if extra:
                order["bigfusion"] = extra
        return orders

    def all_pages(self, store, path):
        found, page = [], 1
        while True:
            status, answer = http_call(self.address_of(store), "GET", f"/stores/{store}/v2{path}?limit=250&page={page}",
                                       headers={"X-Auth-Token": TOKEN, "Accept": "application/json"})
            rows = reference.load_json(answer) if status == 200 and answer else []
            found += rows
            if not rows:  # a short page may be all that the store gives at once
                return found
            page += 1

    def collect_orders(self, when=""):
        for one in self.stores:
            lanes = ["customers", "customer_groups"] if one.get("contacts") == "on" else []
            lanes += ["products"] if one.get("products") == "on" else []
            for what in lanes:
                with open(f"{self.run}/{what}-{one['hash']}{when}.json", "wb") as file:
                    path = f"/sandbox/stores/{one['hash']}/{what}"
                    file.write(http_call(self.address_of(one["hash"]), "GET", path)[1])
            with open(f"{self.run}/orders-{one['hash']}{when}.json", "w", encoding="utf-8") as file:
                json.dump(self.complete_orders(one["hash"]), file, default=str)

    def collect(self):
        """Writes what a judge needs beside the journal: orders and fates."""
        self.collect_orders()
        with open(f"{self.run}/fates.jsonl", "w", encoding="utf-8") as file:
            for tail in self.tails.values():
                for record in list(tail.records):
                    if record.key and record.key.count("/") == 2:
                        file.write(json.dumps(as_fate(record)) + "\n")

    def judge(self):
        """The judge's finding on what happened so far; prints its line and violations."""
        self.collect()
        judge = oracle.Judge(self.run)
        judge.judge()
        print(f"{os.path.basename(self.run)}: {judge.line()}")
        for violation in judge.violations[:20]:
            print("  " + violation)
        return judge

    def assert_right(self, **expected):
        """Judges and asserts: nothing lost, doubled or wrong. A fate that is missing is waited for: a test may have seen what the
        record made, and its fate comes a moment later."""
        def judged():
            judge = self.judge()
            return None if any(": no fate, " in one for one in judge.violations) else judge
        judge = wait_until(judged, 30, "every fate", interval=0.2)
        assert judge.violations == [], "\n".join(judge.violations[:10])
        for name, value in expected.items():
            assert getattr(judge, name) == value
        return judge


def as_fate(record):
    value = record.json() if record.topic != "dead" or record.value is None else {}
    return {"topic": record.topic, "key": record.key, "timestamp_ms": record.timestamp_ms,
            "headers": record.headers, "value": value}


def run_name(name):
    """A run folder's name for this moment."""
    return f"{name}-{time.strftime('%H%M%S')}-{os.getpid()}"
