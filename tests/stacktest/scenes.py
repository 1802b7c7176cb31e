"""What happens to the stack: the first start of a new user, then months in minutes."""

import collections
import contextlib
import json
import os
import signal
import statistics
import time

import documented
import oracle
import reference
from demo_stack import Demo, Shoppers
from processes import TimedOut, http_call, wait_until
from project import SERVICES, Project
from watch import Watch

NAME = "bigfusion-stacktest"
DEMO_ORDERS = 500  # of all, in the demo as README.md has it
ONE_EACH = {service: 1 for service in SERVICES}
PER_SECOND, KEPT_BACK = 10, 400  # orders that are placed beside the restarts; orders that are left for the end
STALL_MAX_S, READY_MAX_S = 10.0, 1.0
SERVER_STALL_MAX_S = {"kafka": 60.0, "redis": 10.0}
LOADED_MAX_MB, RESTED_MAX_MB = 40.0, 16.0


def row(figures, unit):
    return " ".join(f"{service}={figures.get(service, float('nan')):.1f}{unit}" for service in SERVICES)


def within(figures, most):
    return set(figures) == set(SERVICES) and max(figures.values()) <= most


# -- the first start -----------------------------------------------------------------------------------------------


def as_the_readme_says(run):
    project = Project(run.engine, run.folder, NAME, version=2)
    with contextlib.ExitStack() as left:
        left.enter_context(project)
        watch = left.enter_context(Watch(run.engine, project))
        demo = Demo("stack-demo", project, watch)
        with run.part(f"{' '.join(project.program)} --profile demo up, until all is ready"):
            project.up()
            demo.wait_ready(**ONE_EACH)
        note_ready(run, watch, 0, "the first start")
        sandbox = project.containers("sandbox")[0]
        demo.find_sandbox(sandbox)
        demo.read_settings()
        kcat = left.enter_context(contextlib.ExitStack())
        kcat.enter_context(demo.kcat())
        with run.part("Kafka and Redis ask for a login"):
            demo.assert_logins_are_needed()
        with run.part("the demo's orders delivered"):
            demo.generate(DEMO_ORDERS - documented.PLACED - len(demo.orders()), seed=1)
            demo.wait_finished()
        doctor(run, project, skips=1)
        with run.part("the commands of README.md and docs/containers.md"):
            asked_why(run, project, demo)
            page_from_outside(run, project)
            documented.on_a_running_demo(run, project, demo)
            documented.new_settings(project)
            demo.wait_ready(**ONE_EACH)
            demo.wait_finished()
        demo.fetch_journal(sandbox)
        run.judge(demo)
        kcat.close()
        documented.its_end(run, project)


def doctor(run, project, skips):
    """Nothing to warn of, and so many checks that cannot be done: before an order was tried again Kafka has told no time."""
    status, out, err = project.bigfusion("doctor", "--json", check=False)
    if not out.startswith("{"):
        run.blame(f"bigfusion doctor: exit status {status}: {err[-500:]}")
        return
    levels = collections.defaultdict(list)
    for finding in json.loads(out)["findings"]:
        levels[finding["level"]].append(finding)
    bad = levels["warn"] + levels["fail"]
    right = status == 0 and levels["ok"] and not bad and len(levels["skip"]) == skips
    run.check(right, f"bigfusion doctor: exit status {status}, "
              + ", ".join(f"{len(found)} {level}" for level, found in levels.items()) + "".join(f"\n  {one}" for one in bad))


def asked_why(run, project, demo):
    """`bigfusion why` for an order of each fate: the console's answer is that of the topics."""
    expected = {"delivered": "synced", "skipped": "skipped", "dead": "dead"}
    demo.read_fates()
    for name, topic in demo.tails.items():
        if not topic.records:
            continue
        key = topic.records[-1].key
        answer = {}

        def answered():
            nonlocal answer
            out = project.bigfusion("why", key, "--json", check=False)[1]
            answer = json.loads(out)["orders"][0] if out.startswith("{") else {"verdict": out}
            return answer["verdict"] == expected[name]
        with contextlib.suppress(TimedOut):
            wait_until(answered, 60, "the console to have read the topics", interval=1)
        run.check(answer["verdict"] == expected[name] and answer["history"],
                  f"bigfusion why {key}, which is {name}: {answer['verdict']} {answer.get('sentence', '')}")


def page_from_outside(run, project):
    """The page is at a port of this machine; about orders it tells something only to those who have the token."""
    address = f"127.0.0.1:{project.console_port}"
    page, closed = (http_call(address, "GET", path)[0] for path in ("/", "/api/v1/orders?list=dead"))
    run.check((page, closed) == (200, 401), f"the console's page: {page}, its lists without the token: {closed}")


def note_ready(run, watch, since, what):
    """How long each service took to be ready after this start of the whole stack."""
    seconds = watch.seconds_to_ready(since)
    run.starts.append(seconds)
    run.check(set(seconds) == set(SERVICES), f"{what}: ready after all that is needed, longest: {row(seconds, ' s')}")


def check_ready(run):
    """Of several starts the median counts: one alone says as much about what else the machine did just then."""
    medians = {service: statistics.median(seconds[service] for seconds in run.starts) for service in SERVICES}
    run.check(within(medians, READY_MAX_S), f"ready after all that is needed, median of {len(run.starts)} starts:"
                                            f" {row(medians, ' s')} (at most {READY_MAX_S:.0f} s)")


# -- months in minutes ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def lasting_sandbox(engine, folder):
    """A sandbox outside of the project, which therefore outlives `down`, with its journal in the folder. Yields its id."""
    network, name = f"{NAME}-outside", f"{NAME}-sandbox"

    def remove():
        engine.docker("rm", "-f", name, check=False)
        engine.docker("network", "rm", network, check=False)
    remove()
    try:
        engine.docker("network", "create", network)
        yield engine.docker("run", "-d", "--name", name, "--network", network, "--user", f"{os.getuid()}:{os.getgid()}",
                            "-v", f"{folder}:/journal", "bigfusion-sandbox:0.1.0", "bigfusion-sandbox", "--listen", "0.0.0.0:8480",
                            "--orders", "0", "--journal", "/journal/journal.jsonl")
    finally:
        remove()


class Months:
    def __init__(self, run, demo):
        self.run, self.demo, self.project, self.watch = run, demo, demo.project, demo.watch
        self.scales, self.limit = dict(ONE_EACH), run.orders - DEMO_ORDERS
        self.rested = ({}, {}, {})  # RssAnon, VmRSS, docker stats

    # Each scene leaves the stack working.

    def scale(self, **counts):
        """As docs/scaling.md says: the scales stand in .env, `up -d` carries them out."""
        self.scales.update(counts)
        with open(f"{self.project.folder}/.env", "w", encoding="utf-8") as file:
            file.writelines(f"{service.upper()}_SCALE={count}\n" for service, count in self.scales.items())
        self.project.up()
        self.wait_ready()

    def wait_ready(self, **counts):
        self.demo.wait_ready(**{**self.scales, **counts})

    def scaling(self):
        """While orders arrive all the time."""
        self.demo.generate(500, seed=1000)
        with Shoppers(self.demo, PER_SECOND, self.limit - KEPT_BACK, seed=10000) as shoppers:
            self.scale(mapper=3, pusher=2)
            self.project.up("--scale", "filter=2")  # takes nothing from the stages that .env names
            self.wait_ready(filter=2)
            self.scale(pusher=3, mapper=2)
            self.scale(poller=2)
            self.scale(poller=1)
            self.scale(filter=1)
            self.demo.wait_delivery()
            shoppers.assert_busy()

    def rolling_restarts(self):
        with Shoppers(self.demo, PER_SECOND, self.limit - KEPT_BACK, seed=20000) as shoppers:
            self.demo.wait_delivery()
            for service in SERVICES:
                begin = time.time()
                for container in self.project.containers(service):
                    self.restart(service, container)
                self.demo.wait_delivery()
                shoppers.assert_busy()
                stall = self.demo.longest_stall(begin, time.time())
                self.run.check(stall < STALL_MAX_S, f"rolling restart of {service}: longest stall {stall:.1f} s"
                                                    f" (less than {STALL_MAX_S:.0f} s)")

    def restart(self, service, container):
        before = time.time()
        self.run.engine.docker("restart", "-t", "60", container)
        self.run.restarts += 1
        wait_until(lambda: any(life.id == container and life.started > before and life.ready for life in
                               self.watch.alive(service)), 60, lambda: f"{service} to be ready: {self.demo.trouble()}")

    def servers(self):
        """Kafka and Redis are restarted as by an operator, and killed as by the kernel. Once the account fails meanwhile, so
        that an order has to wait in a retry topic."""
        self.demo.fault(side="is", method="POST", path="/contacts", kind="status", status=500, count=1)
        with Shoppers(self.demo, PER_SECOND, self.limit - KEPT_BACK, seed=30000) as shoppers:
            for server in ("kafka", "redis"):
                for way in (self.restart_server, self.kill_server):
                    begin = time.time()
                    way(server)
                    self.run.restarts += 1
                    self.demo.wait_delivery()
                    shoppers.assert_busy()
                    stall = self.demo.longest_stall(begin, time.time())
                    self.run.check(stall < SERVER_STALL_MAX_S[server], f"{way.__name__.split('_')[0]} of {server}: longest stall"
                                   f" {stall:.1f} s (less than {SERVER_STALL_MAX_S[server]:.0f} s)")

    def restart_server(self, server):
        self.project.compose("restart", server)

    def kill_server(self, server):
        """Kills it from outside, so that the restart policy of docker-compose.yml has to bring it back."""
        inspected = self.project.inspect(self.project.containers(server)[0])[0]
        pid, started = inspected["State"]["Pid"], inspected["State"]["StartedAt"]
        os.kill(pid, signal.SIGKILL)

        def back():
            state = self.project.inspect(inspected["Id"])[0]["State"]
            return state["Running"] and state["StartedAt"] != started
        wait_until(back, 60, f"{server} to be started again", interval=0.2)

    def mapper_away(self):
        """Without a mapper, exactly the orders of which the account has nothing and that the rule lets pass are stuck."""
        self.demo.wait_finished()
        self.scale(mapper=0)
        placed = set(self.demo.generate(100, seed=40000))
        expected, listed = {(key, "eligible") for key in self.passing(placed)}, set()

        def agree():
            nonlocal listed
            listed = self.demo.stuck()
            return listed == expected
        with contextlib.suppress(TimedOut):
            wait_until(agree, 45, "bigfusion stuck --scan", interval=1)
        self.run.check(listed == expected and len(expected) > 50,
                       f"without a mapper, bigfusion stuck --scan lists {len(listed)} orders, {len(expected)} are expected; too many:"
                       f" {sorted(listed - expected)[:3]}, missing: {sorted(expected - listed)[:3]}")
        self.scale(mapper=2)
        self.demo.wait_finished()
        listed = self.demo.stuck()
        self.run.check(not listed, f"with mappers again, bigfusion stuck --scan lists {len(listed)} orders {sorted(listed)[:3]}")

    def passing(self, placed):
        """Keys of the orders that the filter lets pass and that the account does not have."""
        store = self.demo.stores[0]["hash"]
        settings = self.demo.judge_settings()[store]
        self.demo.collect_orders()
        made = oracle.Judge(self.demo.run).creates
        keys = set()
        for order in self.demo.orders(store):
            stage, _, _ = reference.fate_of(order, store, settings)
            withdrawn = order["status_id"] in reference.WITHDRAWN and reference.usable_email(order) is None
            if order["id"] in placed and (stage != "skipped" or withdrawn) and f"bc-{store}-{order['id']}" not in made:
                keys.add(f"{store}/order/{order['id']}")
        return keys

    def rest(self):
        """Memory when the load is over: of containers that worked, and of those at the end."""
        for kept, now in zip(self.rested, self.watch.rest_mb()):
            for service, mb in now.items():
                kept[service] = max(kept.get(service, 0.0), mb)

    def down_and_up(self, kcat):
        """In the middle of the work: all containers go, the volumes stay."""
        count = self.limit - self.demo.placed
        newest = self.demo.newest
        self.demo.generate(count, seed=50000)
        wait_until(lambda: any(number > newest for _, number in self.demo.creates()), 60, "the first of them")
        kcat.close()
        self.project.compose("down")
        self.run.restarts += 1
        before = len(self.demo.creates())
        since = time.time()
        self.project.up()
        kcat.enter_context(self.demo.kcat())
        self.wait_ready()
        note_ready(self.run, self.watch, since, "down and up")
        self.demo.wait_finished()
        self.run.check(before < len(self.demo.creates()), f"down and up: {before} orders were delivered before"
                                                          f" and {len(self.demo.creates())} at the end")

    def figures(self):
        check_ready(self.run)
        say = self.run.check
        joined = self.watch.seconds_to_ready(0)
        say(True, f"ready beside others, who have to give partitions away first, longest: {row(joined, ' s')}")
        peak = self.watch.peak_mb()
        say(within(peak, LOADED_MAX_MB), f"memory under load with shared libraries (VmHWM), largest: {row(peak, ' MB')}"
                                         f" (at most {LOADED_MAX_MB:.0f} MB)")
        own, rss, shown = self.rested
        say(within(own, RESTED_MAX_MB), f"own memory when it is over (RssAnon): {row(own, ' MB')} (at most"
                                        f" {RESTED_MAX_MB:.0f} MB); as docker stats shows it: {row(shown, ' MB')};"
                                        f" with shared libraries (VmRSS): {row(rss, ' MB')}")
        seconds, wrong = self.watch.seconds_to_end()
        say(not wrong, f"longest time from TERM to the end: {seconds:.1f} s; ended otherwise than with 0:"
                       f" {sorted(wrong) or 'none'}")


def months_in_minutes(run, keep):
    project = Project(run.engine, run.folder, NAME)
    project.files.append("tests/stacktest/override.yml")
    with contextlib.ExitStack() as left:
        watch = Watch(run.engine, project)
        demo = Demo("stack", project, watch)
        sandbox = left.enter_context(lasting_sandbox(run.engine, demo.run))
        left.enter_context(project)
        left.enter_context(watch)
        kcat = left.enter_context(contextlib.ExitStack())
        months = Months(run, demo)
        demo.find_sandbox(sandbox)
        demo.collect_orders("-start")
        with run.part("the stack is up"):
            project.up()
            months.wait_ready()
            note_ready(run, watch, 0, "a second first start")
            demo.read_settings()
            kcat.enter_context(demo.kcat())
        for part in (months.scaling, months.rolling_restarts, months.servers, months.mapper_away):
            with run.part(part.__name__.replace("_", " ")):
                part()
        months.rest()
        with run.part("down and up"):
            months.down_and_up(kcat)
        months.rest()
        doctor(run, project, skips=0)
        asked_why(run, project, demo)
        with run.part("judged"):
            run.judge(demo)
        if keep:
            print(f"left running: project {NAME} in {project.folder}; Ctrl-C ends it", flush=True)
            signal.pause()
        kcat.close()
        with run.part("stopped"):
            project.compose("stop")
        months.figures()
