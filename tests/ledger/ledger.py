"""The ledger's real scripts against a private redis-server, as a client of theirs sees them."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import redis

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "common" / "ledger"
DAY = 86_400_000


class Server:
    """A redis-server on a unix socket in a folder of its own; with a port too where one is given."""

    def __init__(self, *options, port=0):
        self.port = port
        self.folder = tempfile.mkdtemp(prefix="ledger-")
        self.socket = os.path.join(self.folder, "redis.sock")
        self.options = list(options)
        self.process = None
        self.client = None
        self.start()

    def start(self, *options):
        if options:
            self.options = list(options)
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.socket,
             "--dir", self.folder, "--save", "", *self.options],
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis(unix_socket_path=self.socket, decode_responses=True, encoding_errors="surrogateescape")
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client.ping()
                return
            except redis.exceptions.AuthenticationError:
                return
            except redis.exceptions.RedisError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)

    def now(self):
        seconds, micros = self.client.time()
        return seconds * 1000 + micros // 1000


class Worker:
    """One handle: what ledger.c does, in few lines. Every script is run twice when repeat is set (lost replies)."""

    lease_ms = 60_000
    visibility_ms = 0
    keep_ms = 400 * DAY
    rebuilds = 0

    def __init__(self, server, name, key="acc:abc/order/1", kind="order", repeat=False):
        self.server, self.name, self.kind, self.repeat = server, name, kind, repeat
        self.key = "t:ledger:" + key
        self.fence = ""
        self.connected = ""  # run of the server that hello was said to last
        self.seen_run, self.seen, self.seen_epoch = "", 0, 0
        self.grant, self.note = None, {}
        self.token = name + "-token"

    @staticmethod
    def text(name):
        return (SCRIPTS / "lib.lua").read_text() + (SCRIPTS / f"{name}.lua").read_text()

    def run(self, script, keys, *arguments):
        reply = self.server.client.eval(self.text(script), len(keys), *keys, *arguments)
        if len(reply) > 1 and script not in ("fill", "lock") and int(reply[1]):
            self.seen, self.seen_epoch = int(reply[1]), int(self.server.client.hget("t:ledger", "born_at"))
            self.seen_run = self.connected
        return reply

    def hello(self, run=None, vouches=1):
        run = self.connected = run or self.server.client.info("server")["run_id"]
        reply = self.run("hello", ["t:ledger"], run, vouches, self.seen_run, self.seen, self.keep_ms, self.seen_epoch)
        return reply[0]

    def rebuild(self, fills=(), run=None):
        run = self.connected = run or self.server.client.info("server")["run_id"]
        Worker.rebuilds += 1
        token = self.token = f"{self.name}-token-{Worker.rebuilds}"  # never one that filled something in before
        assert self.run("lock", ["t:ledger", "t:lock"], token, 60000, 0) == ["1"]
        for fill in fills:
            assert self.fill(*fill[:4], **(fill[4] if len(fill) > 4 else {})) != "FENCED"
        assert self.run("seal", ["t:ledger", "t:lock"], token, run, self.keep_ms, "", self.seen_epoch)[0] == "OK"
        self.token = self.name + "-token"
        assert self.hello(run) == "OK"
        return self

    def fill(self, state, modified_at, digest="d", reason="", how=None, note=None, **steps):
        """note: what finish() left in self.note; it is exact unless how says otherwise."""
        fields = {name: value for name, value in (note or {}).items() if not name.startswith("s:")}
        steps = steps | {name[2:]: value for name, value in (note or {}).items() if name.startswith("s:")}
        pairs = [part for pair in (*fields.items(), *steps.items()) for part in pair]
        if how is None:
            how = "exact" if note is not None else "careful" if state == "open" else ""
        call = ("fill", ["t:ledger", self.key, "t:lock"], self.token, state, modified_at, digest, reason, self.keep_ms,
                how, len(fields), *pairs)
        first = self.run(*call)[0]
        if self.repeat:
            before = self.fields()
            assert self.run(*call)[0] == ("KEPT" if before["state"] == "done" else first) and self.fields() == before
        return first

    def acquire(self, version=1000, digest="d", seen=None, withdrawn=0, replay=0):
        if self.kind not in ("order", "record"):
            version, seen = 0, 0
        elif seen is None:
            seen = self.server.now() + 1000  # a record of after the epoch
        reply = self.run("acquire", ["t:ledger", self.key], self.kind, version, seen, digest, withdrawn, replay,
                         self.lease_ms, self.name, self.visibility_ms)
        if reply[0] == "LOST":
            return "LOST"
        names = ("word", "writes", "fence", "version", "doubt", "age", "wait", "flags", "reason")
        self.grant = dict(zip(names, reply))
        self.grant["steps"] = dict(zip(reply[9::2], reply[10::2]))
        if reply[0] in ("GRANT", "RECONCILE"):
            self.fence = reply[2]
        return reply[0] + (" " + reply[4] if reply[0] == "RECONCILE" else "")

    @property
    def flags(self):
        bits = int(self.grant["flags"])
        return {name for bit, name in ((1, "goals"), (2, "look_again"), (4, "newer")) if bits & bit}

    def step(self, end="", result="", begin="", finish="", reason=""):
        def once():
            reply = self.run("step", ["t:ledger", self.key], self.fence, self.lease_ms, self.keep_ms, end, result,
                             begin, finish, reason)
            self.note = dict(zip(reply[2::2], reply[3::2]))
            return reply[0]
        first = once()
        note = self.note
        if self.repeat:
            before = self.fields()
            assert once() == first and self.note == note
            after = self.fields()
            for entry in (before, after):  # a repeated begin may renew its times
                entry.pop("lease", None)
                entry.pop("doubt_at", None)
            assert before == after
        return first

    def begin(self, step):
        return self.step(begin=step)

    def end(self, step, result="", begin=""):
        return self.step(end=step, result=result, begin=begin)

    def finish(self, how, step="", result="", reason=""):
        return self.step(finish=how, end=step, result=result, reason=reason)

    def forget(self, stale):
        return self.run("forget", ["t:ledger", self.key], self.kind, stale)[0]

    def erase(self):
        return self.run("erase", ["t:ledger", self.key])[0]

    def fields(self):
        return self.server.client.hgetall(self.key)

    def expire_lease(self):
        self.server.client.hset(self.key, "lease", self.server.now() - 1)


def deliver(worker, order="977"):
    """acquire was GRANT: the rest of an ordinary delivery."""
    assert worker.end("contact", "42", begin="order") == "OK"
    assert worker.end("order", order, begin="goal:BCORDER/BC") == "OK"
    assert worker.finish("done", "goal:BCORDER/BC", "sent") == "OK"
