"""The demo stack in containers, with the sandbox, the topics and the judge that the tests of native stacks have too."""

import collections
import configparser
import contextlib
import json
import subprocess
import threading
import time

import oracle
from engine import Failed
from images import TOOLS
from processes import TimedOut, http_call, parse_records, read_words, wait_until
from project import address_of
from stack import Stack, as_fate

SANDBOX_PORT = 8480
FATES = ("delivered", "skipped", "dead")


class Topic:
    """The records of a topic as they were when they were last read."""

    def __init__(self):
        self.records = []


class Demo(Stack):
    """What a Stack is for native processes, for those of a compose project. The run folder is build/out/<run>."""

    def __init__(self, run, project, watch):
        super().__init__(run)
        self.project, self.engine, self.watch = project, project.engine, watch
        self.tails = {name: Topic() for name in FATES}
        self.placed = self.newest = 0  # how many orders were placed, and the number of the last one
        self.made, self.made_upto = [], 0  # what creates() has read so far

    # -- the sandbox -----------------------------------------------------------------------------------------------

    def find_sandbox(self, container):
        self.address = f"{address_of(self.project.inspect(container)[0])}:{SANDBOX_PORT}"
        self.url = f"http://{self.address}"

        def answers():
            try:
                return http_call(self.address, "GET", "/sandbox/state", timeout=2)[0] == 200
            except OSError:
                return False
        wait_until(answers, 30, "the sandbox to answer")

    def generate(self, count, seed):
        """Customers buy: so many orders, of every shape where they are fifty or more. Returns their ids."""
        numbers = self.call("POST", "/sandbox/stores/abc123/orders", {"generate": count, "seed": seed})["ids"]
        self.placed, self.newest = self.placed + count, max(numbers)
        return numbers

    def fetch_journal(self, container):
        """The journal of a sandbox that writes it inside its container."""
        words = self.project.inspect(container)[0]
        command = words["Args"] if "--journal" in words["Args"] else words["Config"]["Cmd"]
        path = command[command.index("--journal") + 1]
        with open(f"{self.run}/journal.jsonl", "w", encoding="utf-8") as file:
            file.write(self.engine.docker("exec", container, "cat", path) + "\n")

    # -- settings --------------------------------------------------------------------------------------------------

    def read_settings(self):
        """The judge's knowledge, from the settings that the containers have."""
        poller = self.project.containers("poller")[0]
        parser = configparser.ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))  # as inih reads
        parser.read_string(self.engine.docker("exec", poller, "sh", "-c",
                                              'cat "${BIGFUSION_CONFIG:-/etc/bigfusion/bigfusion.conf}"'))
        self.prefix = parser.get("kafka", "topic_prefix", fallback="bigfusion")
        stores = [(name, parser[name]) for name in parser.sections() if name.startswith("store ")]
        self.stores = [{"name": name.split(" ", 1)[1], "code": values.get("code", "BC"),
                        **{key: values[key] for key in ("hash", "start_from", "statuses", "opt_in") if key in values}}
                       for name, values in stores]
        for one in self.stores:
            one.setdefault("start_from", "now")
        self.account = dict(parser[f"infusionsoft {stores[0][1]['account']}"])
        if "shipping_region" not in self.account:
            self.account["shipping_region"] = "name"
        self.write_expectation()

    # -- topics ----------------------------------------------------------------------------------------------------

    @property
    def tools(self):
        return f"{self.project.name}-tools"

    @contextlib.contextmanager
    def kcat(self):
        """A container with kcat in the project's network, for as long as that network is there."""
        self.engine.docker("rm", "-f", self.tools, check=False)
        self.engine.docker("run", "-d", "--name", self.tools, "--init", "--network", self.project.network, "--volume",
                           f"{self.project.name}_passwords:/run/bigfusion:ro", "--entrypoint", "sleep", TOOLS, "infinity")
        try:
            yield
        finally:
            self.engine.docker("rm", "-f", self.tools, check=False)

    def read(self, name):
        topic = self.topic(name)
        login = 'exec kcat -X security.protocol=sasl_plaintext -X sasl.mechanism=PLAIN -X sasl.username=bigfusion ' \
                '-X sasl.password="$(cat /run/bigfusion/kafka)" -b kafka:9092 "$@"'
        answer = subprocess.run(["docker", "exec", self.tools, "sh", "-c", login, "kcat", *read_words(topic)],
                                env=self.engine.env(), capture_output=True, check=False, timeout=120)
        if answer.returncode != 0:
            raise Failed(f"kcat {topic}: {answer.stderr.decode()[-300:]}")
        return parse_records(answer.stdout, name)

    def assert_logins_are_needed(self):
        """Kafka and Redis tell nothing to whoever has no password, also inside the network."""
        asked = self.engine.docker("exec", self.tools, "timeout", "10", "kcat", "-b", "kafka:9092", "-L", check=False)
        said = self.project.compose("exec", "-T", "redis", "redis-cli", "keys", "*", check=False)[1]
        if "topic" in asked or "NOAUTH" not in said:
            raise Failed(f"without a login: Kafka says {asked[:200]!r}, Redis says {said[:200]!r}")

    def read_fates(self):
        for name, topic in self.tails.items():
            topic.records = self.read(name)

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait_ready(self, timeout=60, **counts):
        """So many containers of each service run and are ready."""
        wait_until(lambda: all(self.watch.ready(service, count) for service, count in counts.items()), timeout,
                   lambda: f"{counts} to be ready: {self.trouble()}")

    def creates(self):
        """(when, order number) of each order made in the account so far; when in seconds since 1970."""
        with open(f"{self.run}/journal.jsonl", "rb") as file:
            file.seek(self.made_upto)
            data = file.read()
        data = data[:data.rfind(b"\n") + 1]
        self.made_upto += len(data)
        for line in data.splitlines():
            entry = json.loads(line) if b'/orders"' in line else {}
            if entry.get("side") == "is" and (entry.get("effect") or {}).get("made") == "order":
                fields = oracle.Judge.body(entry)["custom_fields"]
                self.made.append((float(entry["t"]), int(fields[0]["content"].rsplit("-", 1)[1])))
        return self.made

    def wait_delivery(self, timeout=60):
        """An order that is placed from now on is delivered: the whole way is open again. Others have to be placed meanwhile."""
        newest = self.newest
        wait_until(lambda: any(number > newest for _, number in self.creates()), timeout,
                   lambda: f"the delivery of an order that is newer than {newest}: {self.trouble()}", interval=0.1)

    def wait_finished(self, timeout=120):
        """Every order that is in the store has the answer that the rules ask for."""
        wanted, pending = self.wanted_fates(), {}

        def finished():
            nonlocal pending
            self.read_fates()
            pending = self.pending_fates(wanted)
            return not pending
        try:
            wait_until(finished, timeout, "every order", interval=0.5)
        except TimedOut:
            raise Failed(f"{len(pending)} of {len(wanted)} orders have no answer after {timeout} s, e.g."
                         f" {list(pending.items())[:5]}: {self.trouble()}") from None
        return len(wanted)

    def trouble(self):
        return self.project.last_words()

    # -- figures ---------------------------------------------------------------------------------------------------

    def counts(self):
        """{topic: how many orders have this fate}"""
        fates = collections.defaultdict(list)
        for topic in self.tails.values():
            for record in topic.records:
                fates[record.key].append(as_fate(record))
        return collections.Counter(fate[0] for fate in map(oracle.final_fate, fates.values()) if fate)

    def longest_stall(self, begin, end):
        """The longest time without a delivery that began or ended between the two."""
        moments = sorted(at for at, _ in self.creates())
        gaps = [(before, after) for before, after in zip(moments, moments[1:]) if after > begin and before < end]
        return max((after - before for before, after in gaps), default=float("inf"))

    def stuck(self):
        """What `bigfusion stuck --scan` lists: {(key, stage)}"""
        _, out, _ = self.project.bigfusion("stuck", "--scan", "--json")
        return {(one["key"], one["stage"]) for one in json.loads(out)["orders"]}


class Shoppers(threading.Thread):
    """Customers who buy at an even pace in the background, as long as no more than limit orders are placed in all."""

    BATCH = 5

    def __init__(self, demo, per_second, limit, seed):
        super().__init__(daemon=True)
        self.demo, self.pause_s, self.limit, self.seed = demo, self.BATCH / per_second, limit, seed
        self.leaving, self.failure = threading.Event(), None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.leaving.set()
        self.join(30)

    def run(self):
        started, batches = time.monotonic(), 0
        while self.demo.placed + self.BATCH <= self.limit:
            if self.leaving.wait(max(0.0, started + batches * self.pause_s - time.monotonic())):
                return
            batches += 1
            try:
                self.demo.generate(self.BATCH, self.seed + batches)
            except (OSError, RuntimeError) as failure:
                self.failure = failure
                return

    def assert_busy(self):
        """They still buy; otherwise what was measured meanwhile says nothing."""
        if not self.is_alive():
            raise Failed(f"no customers are left: {self.demo.placed} orders are placed; {self.failure or ''}")
