"""The row in which the way to Infusionsoft dies with bytes on it: 17."""

import collections
import contextlib
import re

from path import Path, far_command
from processes import Process, free_port
from rig import Rig, time
from rows_account import external
from rows_server import pause
from shop import item, order


class FarRig(Rig):
    """A rig whose sandbox can be reached by two paths: the account by one that can die, all else by the other."""

    path = other_path = None

    def start_sandbox(self):
        port = free_port()
        self.sandbox = Process("sandbox", far_command(self.sandbox_command(f"0.0.0.0:{port}")), self.run,
                               stdout_line="listening on ")
        self.path, self.other_path = Path(self.sandbox.pid), Path(self.sandbox.pid)
        self.address = f"{self.other_path.address}:{port}"
        self.url = f"http://{self.address}"
        self.account.update(api_url=f"http://{self.path.address}:{port}/crm/rest/v2", allow_plain_http="yes")
        for store in self.stores:
            store["allow_plain_http"] = "yes"

    def stop(self):
        for path in (self.path, self.other_path):
            if path is not None:
                path.stop()
        return super().stop()


CUSTOMERS, WORKERS = 24, 16


def place(rig, count, known=True):
    """Of customers and a product that the account knows, all that an order costs is itself and its goals."""
    for _ in range(count):
        rig.placed += 1
        name = f"far.{rig.placed % CUSTOMERS}" if known else f"new.{rig.placed}"
        rig.place(order(f"{name}@example.com", [item("FAR", "Far away")]))


def given_up(rig):
    """Creates that got no answer: {external key}."""
    lines = rig.all_log_lines(r" in_doubt key=\S+ trace=\S+ step=order ")
    return {"bc-" + re.search(r" key=(\S+)", line)[1].replace("/order/", "-") for line in lines}


def arrived_late(rig):
    """Those of them that reached the account all the same: each was sent when the path was dead already."""
    posts = collections.Counter(external(entry) for entry in rig.order_posts())
    found = {"bc-" + re.search(r" key=(\S+)", line)[1].replace("/order/", "-") for line in rig.all_log_lines(" adopted key=")}
    return sorted(key for key in given_up(rig) if posts[key] > 1 or key in found)


def row_17(trial):
    """The path to Infusionsoft dies under the pusher's connections and heals: nothing arrives after it was given up."""
    lengths = trial.pick((6,), (5, 14, 30, 60), (5, 14, 30, 60, 100))
    with contextlib.ExitStack() as stack:  # waiting is most of it, so the outages are at the same time
        rigs = {seconds: stack.enter_context(trial.rig(f"{seconds}s", kind=FarRig, settings={"pusher": {"workers": WORKERS}}))
                for seconds in lengths}
        for rig in rigs.values():
            rig.start()
            place(rig, CUSTOMERS)
        for rig in rigs.values():
            rig.wait_delivered(CUSTOMERS)
        healed = {}
        for seconds, rig in rigs.items():
            rig.path.die()
            healed[seconds] = time.monotonic() + seconds
            trial.faults += 1
            place(rig, WORKERS)
            place(rig, 8, known=False)
        for seconds, rig in rigs.items():
            pause(rig, max(0.1, healed[seconds] - time.monotonic()))
            rig.path.heal()
            place(rig, 8)
        for seconds, rig in rigs.items():
            rig.drain(240)
            # what the kernel still holds will come, within as long again as the path was dead
            rig.wait_for(lambda r=rig: not r.path.holding(), seconds + 60, "the kernel to hold nothing any more")
            judge_late(trial, rig, seconds)


def judge_late(trial, rig, seconds):
    judge = trial.judge(rig, stall=False)
    lost, late, posts = given_up(rig), arrived_late(rig), len(rig.order_posts())
    trial.expect(lost, f"{seconds} s: no create was under way")
    trial.expect(not late, f"{seconds} s: {len(late)} creates arrived after they were given up, e.g. {late[:3]}")
    trial.expect(posts == judge.eligible, f"{seconds} s: {posts} POSTs for {judge.eligible} orders")
    trial.fact(f"dead for {seconds} s: creates given up={len(lost)} late={len(late)} posts={posts} orders={judge.eligible}")


ROWS = {17: row_17}
