"""What the containers of the services do: when each started, was ready and ended, and how much memory it takes.

Memory is that of /proc/PID/status, summed over the processes of a container: VmRSS and its highest value VmHWM, which
count the pages of programs and libraries too (some 13 MB, which all containers share), and RssAnon, the program's own.
What `docker stats` shows is RssAnon, and what the kernel keeps for the container; of the shared pages it counts only those
that this container was the first one to read.
"""

import http.client
import json
import re
import subprocess
import threading
import time

from project import HEALTH_PORT, LABEL, SERVICES, address_of

READY_EVERY_S, MEMORY_EVERY_S = 0.02, 0.5
UNITS_MB = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


class Life:
    """One container from a start to its end."""

    def __init__(self, container, service, started, inspected):
        self.id, self.service, self.started = container, service, started
        self.pid, self.address = inspected["State"]["Pid"], address_of(inspected)
        self.ready = self.asked = self.ended = self.code = None
        self.peak_kb = self.rss_kb = self.own_kb = 0

    def is_ready(self):
        """Whether /readyz says that Kafka can be used, and everything else that the program needs."""
        connection = http.client.HTTPConnection(self.address, HEALTH_PORT, timeout=1)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status == 200 and b"kafka: ready" in answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def look_at_memory(self):
        found = [read_status(pid) for pid in family(self.pid)]
        peak, rss, own = (sum(one.get(name, 0) for one in found) for name in ("VmHWM", "VmRSS", "RssAnon"))
        if rss:
            self.peak_kb, self.rss_kb, self.own_kb = max(self.peak_kb, peak), rss, own


def family(pid):
    """The process and all that it started."""
    found = [pid]
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                found += family(int(child))
    except OSError:
        pass  # it has ended
    return found


def read_status(pid):
    """{name: number} of the lines of /proc/PID/status that are in kB."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return {}
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) == 3 and words[2] == "kB"}


class Watch:
    def __init__(self, engine, project):
        self.engine, self.project = engine, project
        self.lives, self.needs = [], []  # needs: when something that the services wait for became ready
        self.lock, self.stopping = threading.Lock(), False
        self.popen = subprocess.Popen(
            ["docker", "events", "--format", "{{json .}}", "--filter", "type=container", "--filter",
             f"label={LABEL}.project={project.name}"], env=engine.env(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.follow, self.sample)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.popen.terminate()
        self.popen.wait()
        for thread in self.threads:
            thread.join(10)

    # -- what happens ----------------------------------------------------------------------------------------------

    def follow(self):
        for line in self.popen.stdout:
            event = json.loads(line)
            about, action, at = event["Actor"]["Attributes"], event["Action"], event["timeNano"] / 1e9
            service, container = about.get(f"{LABEL}.service"), event["Actor"]["ID"]
            if about.get(f"{LABEL}.oneoff") == "True":
                continue
            if service not in SERVICES:
                if action in ("health_status: healthy", "die"):
                    self.needs.append(at)
            elif action == "start":
                self.on_start(container, service, at)
            elif action == "kill" and about.get("signal") in ("15", "TERM"):
                self.on_change(container, "asked", at)
            elif action == "die":
                self.on_change(container, "code", int(about.get("exitCode", -1)))
                self.on_change(container, "ended", at)

    def on_start(self, container, service, at):
        inspected = self.project.inspect(container)[0]
        if inspected["State"]["Running"]:
            with self.lock:
                self.lives.append(Life(container, service, at, inspected))

    def on_change(self, container, name, value):
        for life in self.alive():
            if life.id == container:
                setattr(life, name, value)

    def sample(self):
        looked = 0.0
        while not self.stopping:
            for life in self.alive():
                if life.ready is None and life.is_ready():
                    life.ready = time.time()
            if time.monotonic() - looked > MEMORY_EVERY_S:
                looked = time.monotonic()
                for life in self.alive():
                    life.look_at_memory()
            time.sleep(READY_EVERY_S)

    # -- what is asked ---------------------------------------------------------------------------------------------

    def alive(self, service=None):
        with self.lock:
            return [life for life in self.lives if life.ended is None and service in (None, life.service)]

    def ready(self, service, count):
        """Whether so many containers of the service run and all of them are ready."""
        lives = self.alive(service)
        return len(lives) == count and all(life.ready for life in lives)

    def seconds_to_ready(self, since):
        """{service: longest time to ready of those that started since then, from the start, or from the moment when the last
        thing that it needs was ready}"""
        return largest((life.service, life.ready - max([life.started] + [at for at in self.needs if at <= life.ready]))
                       for life in self.lives if life.started >= since and life.ready)

    def seconds_to_end(self):
        """(longest time from TERM to the end, {unexpected (service, status)}) of the services' containers."""
        ends = [life for life in self.lives if life.ended is not None]
        return (max((life.ended - life.asked for life in ends if life.asked), default=0.0),
                {(life.service, life.code) for life in ends if life.code != 0})

    def peak_mb(self):
        """{service: VmHWM of the largest container there ever was}"""
        return largest((life.service, life.peak_kb / 1024) for life in self.lives)

    def rest_mb(self):
        """({service: RssAnon}, {service: VmRSS}, {service: what docker stats shows}) of the largest containers now"""
        lives = self.alive()
        for life in lives:
            life.look_at_memory()
        shown = self.shown_mb([life.id for life in lives])
        return (largest((life.service, life.own_kb / 1024) for life in lives),
                largest((life.service, life.rss_kb / 1024) for life in lives),
                largest((life.service, shown[life.id]) for life in lives if life.id in shown))

    def shown_mb(self, containers):
        """{container: MB as docker stats shows them}; empty where the kernel does not count memory."""
        lines = self.engine.docker("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}", *containers)
        found = (re.match(r"(\w+) ([\d.]+)(KiB|MiB|GiB) ", line) for line in lines.splitlines())
        return {one.group(1): float(one.group(2)) * UNITS_MB[one.group(3)] for one in found if one}


def largest(pairs):
    """{service: the largest of its figures}"""
    found = {}
    for service, figure in pairs:
        found[service] = max(found.get(service, 0.0), figure)
    return found
