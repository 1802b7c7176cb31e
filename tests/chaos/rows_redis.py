"""The row in which another Redis takes the place of the one that was there: 18."""

import os
import shutil

from processes import Redis, ticks
from proxy import Proxy
from rig import Rig, time
from rows_server import instant
from shop import item, order

PER_S = 10  # orders placed in a second
RECONNECT_S = 5


class PairRig(Rig):
    """A rig whose Redis is reached under an address that can lead to another server, as a failover does it."""

    def start_servers(self):
        super().start_servers()
        self.proxy = Proxy(self.redis.port)
        self.other = None
        self.redis.url = f"redis://{self.proxy.address}/0"

    def add_replica(self):
        folder = os.path.join(self.run, f"server-{time.monotonic_ns()}")
        os.makedirs(folder)
        self.other = Redis(folder)
        assert self.other.command("REPLICAOF", "127.0.0.1", str(self.redis.port)) == b"OK"
        self.wait_for(lambda: self.redis.command("WAIT", "1", "1000") == b"1", 30, "the replica to be as far")

    def promote(self):
        """The replica is the master from now on, and new connections go there."""
        assert self.other.command("REPLICAOF", "NO", "ONE") == b"OK"
        self.redis, self.other = self.other, self.redis
        self.proxy.lead_to(self.redis.port)

    def stop(self):
        statuses = super().stop()
        if self.redis is not None:
            self.proxy.stop()
            if self.other is not None:
                self.other.stop()
        return statuses


def flow(rig, seconds, watch=lambda: None):
    """Orders come in at an even pace: what is under way stays little."""
    for _ in ticks(PER_S, seconds):
        watch()
        rig.placed += 1
        rig.place(order(f"flow.{rig.placed}@example.com", [item("FLOW", "Flow")]))
        rig.supervise()


def demoted(rig, trial):
    """The master becomes a replica of its replica, and keeps the connections that are open."""
    rig.add_replica()
    rig.promote()
    assert rig.other.command("REPLICAOF", "127.0.0.1", str(rig.redis.port)) == b"OK"
    began, left = time.monotonic(), []

    def watch():
        if not left and not rig.proxy.connections(rig.other.port):
            left.append(time.monotonic() - began)
    flow(rig, RECONNECT_S + 1, watch)
    trial.fact(f"demoted: the last connection left the old master after {left[0] if left else -1:.1f} s")
    trial.expect(left, f"{rig.proxy.connections(rig.other.port)} connections stayed with the old master for {RECONNECT_S} s")


def promoted(rig, _trial):
    """The master is killed, its replica takes over: what it had not got yet is lost."""
    rig.redis.process.kill()
    rig.promote()
    rig.other = None


def older_copy(rig, trial):
    """Restarted, which loses nothing; then replaced by a copy of before that."""
    rig.redis.process.kill()
    rig.redis.start()
    flow(rig, trial.pick(2, 4, 20))
    folder = os.path.join(rig.redis.run, "redis")
    copy = folder + "-copy"
    shutil.copytree(folder, copy)
    rebuilt = len(rig.all_log_lines("rebuild ended"))
    rig.redis.process.kill()
    rig.redis.start()
    before = rig.delivered()
    flow(rig, trial.pick(2, 4, 20))
    rig.wait_for(lambda: rig.delivered() > before + PER_S, 60, lambda: f"orders after the restart; {rig.trouble()}")
    trial.expect(len(rig.all_log_lines("rebuild ended")) == rebuilt, "a restart that loses nothing cost a rebuild")
    since = [record.key for record in rig.tails["delivered"].records][before:]
    rig.redis.process.kill()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    rig.redis.start()
    for key in since[:20]:  # a later version of what was delivered after the copy was made
        rig.change(int(key.rsplit("/", 1)[1]), status_id=2)


FAULTS = {"demoted": demoted, "promoted": promoted, "older copy": older_copy}


def row_18(trial):
    """A master demoted with its connections alive, a replica promoted, a copy older than the last restart."""
    seconds = trial.pick(2, 5, 30)
    with trial.rig(kind=PairRig, sandbox=("--answer-delay-ms", "10"), settings={"pusher": {"workers": 4}}) as rig:
        rig.start()
        rig.bring_up("pusher-2")
        flow(rig, 2)
        rig.wait_delivered(10)
        rig.add_replica()
        for name, fault in FAULTS.items():
            flow(rig, seconds)
            rebuilt = len(rig.all_log_lines("rebuild ended"))
            began = time.time()
            fault(rig, trial)
            began = time.time() if name == "older copy" else began
            trial.faults += 1
            flow(rig, seconds)
            rig.drain(240)
            judge_fault(trial, rig, name, rebuilt, began)
        trial.judge(rig, stall=False)


def judge_fault(trial, rig, name, rebuilt, began):
    """It was noticed and rebuilt soon, and nothing but what was under way was looked up or withheld."""
    ended = sorted(map(instant, rig.all_log_lines("rebuild ended")))[rebuilt:]
    trial.expect(ended, f"{name}: the ledger was not rebuilt")
    if not ended:
        return
    creates = [float(e["t"]) for e in rig.order_posts() if float(e["t"]) > ended[-1]]
    took = (creates[0] if creates else time.time()) - began
    # a store tells whole seconds: what was placed in the second of the epoch may be older than it
    under_way = sum(1 for at, done in lifetimes(rig) if int(at) <= ended[-1] and done > began - 1)
    lookups = sum(1 for e in rig.account_calls("GET", "/orders") if "filter" in (e.get("query") or "")
                  and float(e["t"]) > began)
    withheld = len({r.key for r in rig.tails["delivered"].records if r.json()["in_doubt"] and r.timestamp_ms / 1000 > began})
    trial.expect(took < RECONNECT_S + 5, f"{name}: the next order was created only after {took:.1f} s")
    # each at once, when it would be visible, and once more later
    trial.expect(lookups <= 3 * under_way, f"{name}: {lookups} look-ups, {under_way} orders were under way")
    trial.expect(withheld <= under_way, f"{name}: {withheld} orders with withheld goals, {under_way} were under way")
    trial.fact(f"{name}: next order created after {took:.1f} s; under way {under_way}, look-ups {lookups},"
               f" orders with withheld goals {withheld}")


def lifetimes(rig):
    """(placed, fate known) of each order, in seconds; infinite where it has none."""
    placed = {f"abc123/order/{e['effect']['id']}": float(e["t"]) for e in rig.journal()
              if e["side"] == "store" and e["method"] == "PLACE"}
    done = {}
    for record in list(rig.tails["delivered"].records):
        done.setdefault(record.key, record.timestamp_ms / 1000)
    return [(at, done.get(key, float("inf"))) for key, at in placed.items()]


ROWS = {18: row_18}
