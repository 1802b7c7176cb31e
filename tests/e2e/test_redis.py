"""Redis as people have it: it fails over, fills up, is a replica, asks for a login, is put back from an older copy."""

import os
import shutil
import socket
import subprocess
import sys

import pytest
from processes import ROOT, Redis, binary, free_port, http_call, wait_until
from shop import item, mail, order
from shop_stack import Shop

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "chaos"))
from proxy import Proxy  # noqa: E402

TOLD_S = 20  # within 5 s /readyz tells, and later on a busy machine; a Redis that nobody watches is never told


@pytest.fixture
def start():
    """Starts a stack whose programs reach Redis through proxy(stack) or as url(stack) says. What was started is ended."""
    stacks, others = [], []

    def begin(name, url=None, proxied=False, services=("poller", "filter", "mapper", "pusher"), setup=True, **arguments):
        stack = Shop(f"e2e-redis-{name}", **arguments)
        stacks.append(stack)
        stack.start_servers()
        if proxied:
            stack.proxy = Proxy(stack.redis.port)
            others.append(stack.proxy)
            stack.redis.url = f"redis://{stack.proxy.address}/0"
        if url:
            stack.redis.url = url(stack)
        stack.start_services(services, setup)
        return stack
    yield begin
    for other in others:
        other.stop()
    for stack in stacks:
        stack.stop()


class ComposeRedis(Redis):
    """With the users that the stack has: those lines of deploy/check.sh are run which write them."""

    def __init__(self, run):
        with open(f"{ROOT}/deploy/check.sh", encoding="utf-8") as file:
            text = file.read()
        lines = text[text.index("echo 'user default"):text.index('} >"$passwords/redis.acl.new"')]
        os.makedirs(f"{run}/passwords", exist_ok=True)
        with open(f"{run}/passwords/redis", "w", encoding="utf-8") as file:
            file.write("secret")
        os.chmod(f"{run}/passwords/redis", 0o600)
        users = subprocess.run(["sh", "-c", f"passwords={run}/passwords\n{lines}"], capture_output=True, text=True, check=True).stdout
        with open(f"{run}/redis.acl", "w", encoding="utf-8") as file:
            file.write(users)
        super().__init__(run, options=["--aclfile", f"{run}/redis.acl"])

    def answers(self):
        try:
            return b"PONG" in self.command_as("health", "any", "PING")
        except OSError:
            return False

    def command_as(self, user, password, *words):
        with self.connect() as line:
            for parts in (("AUTH", user, password), words):
                line.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p.encode()) for p in parts))
                answer = line.recv(4096)
            return answer


class ComposeShop(Shop):
    redis_class = ComposeRedis

    def write_config(self):
        self.settings["redis"] = {"url": self.redis.url.replace("://", "://bigfusion@"), "password_file": f"{self.run}/passwords/redis"}
        super().write_config()


def test_a_restart_of_redis_with_the_users_of_the_stack_loses_nothing():
    with ComposeShop("e2e-redis-compose") as stack:
        stack.start()
        stack.place_and_wait(order(mail("before")))
        for end in (stack.redis.process.stop, stack.redis.process.kill):
            end()
            stack.redis.start()
            stack.place_and_wait(order(mail("after")))
        for word in ("lost: it is rebuilt", "rebuild started"):
            assert word not in stack.services["pusher"].text()
        assert b"NOPERM" in stack.redis.command_as("health", "any", "GET", "x")
        assert b"NOAUTH" in stack.redis.command_as("default", "", "PING")
        stack.assert_right(lost=0, duplicated=0)


def readyz(stack, name):
    try:
        status, body = http_call(f"127.0.0.1:{stack.ports[name]}", "GET", "/readyz", timeout=2)[:2]
    except OSError as error:
        return 0, str(error)
    return status, body.decode()


def wait_told(stack, ready, names=("poller", "pusher")):
    """Every program's /readyz says whether Redis can be used."""
    line = "redis: ready\n" if ready else "redis: not ready: "

    def told():
        return all(line in readyz(stack, name)[1] and (ready or readyz(stack, name)[0] == 503) for name in names)
    wait_until(told, TOLD_S, lambda: f"{line.strip()}: {[readyz(stack, name) for name in names]}; {stack.trouble()}")


def attempts(stack, number):
    return [r for r in stack.fate_records(f"abc123/order/{number}") if r.topic == "delivered"][-1].json()["attempts"]


def created_once(stack, number):
    assert len(stack.created(number)) == 1


# -- failover ------------------------------------------------------------------------------------------------------


def test_a_demoted_master_that_keeps_its_connections_is_left_for_the_new_one(start):
    stack = start("demoted", proxied=True)
    new = Redis(stack.run, "redis-new")
    try:
        stack.place_and_wait(order(mail("before")))
        assert stack.redis.command("CONFIG", "SET", "repl-diskless-sync-delay", "0") == b"OK"
        assert new.command("REPLICAOF", "127.0.0.1", str(stack.redis.port)) == b"OK"
        wait_until(lambda: new.command("EXISTS", "bigfusion:ledger") == b"1", 20, "the replica to follow")
        assert new.command("REPLICAOF", "NO", "ONE") == b"OK"
        assert stack.redis.command("REPLICAOF", "127.0.0.1", str(new.port)) == b"OK"
        stack.proxy.target = new.port  # new connections lead to the new master, open ones stay
        placed = stack.place_and_wait(order(mail("after")))
        created_once(stack, placed["id"])
        wait_told(stack, ready=True)
        assert attempts(stack, placed["id"]) == 1
    finally:
        new.stop()


# -- errors of the server --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop():
    # The end of a call that takes 6 s meets the fault: it is not given up before.
    settings = {"pusher": {"http_timeout_s": 12, "visibility_delay_s": 12, "lease_s": 30}}
    with Shop("e2e-redis", settings=settings) as stack:
        stack.start()
        stack.place_and_wait(order(mail("first")))
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


# name: (commands that make it so, commands that heal it, what /readyz shows)
FAULTS = {
    "a_replica": ([("REPLICAOF", "127.0.0.1", "1")], [("REPLICAOF", "NO", "ONE")], "READONLY"),
    "a_replica_without_its_master": ([("CONFIG", "SET", "replica-serve-stale-data", "no"), ("REPLICAOF", "127.0.0.1", "1")],
                                     [("REPLICAOF", "NO", "ONE"), ("CONFIG", "SET", "replica-serve-stale-data", "yes")],
                                     "MASTERDOWN"),
    "out_of_memory": ([("CONFIG", "SET", "maxmemory", "1")], [("CONFIG", "SET", "maxmemory", "0")], "OOM"),
    "too_few_replicas": ([("CONFIG", "SET", "min-replicas-to-write", "1")], [("CONFIG", "SET", "min-replicas-to-write", "0")],
                         "NOREPLICAS"),
    "a_login_is_asked_for": ([("ACL", "SETUSER", "default", "resetpass", ">other"),
                              ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")],
                             [("ACL", "SETUSER", "default", "nopass")], "NOAUTH"),
    # what the server says before it closes may be lost with the connection
    "too_many_clients": ([("CONFIG", "SET", "maxclients", "1"), ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")],
                         [("CONFIG", "SET", "maxclients", "10000")], ""),
}


class Keeper:
    """One connection that was there before the fault, and so can heal it."""

    def __init__(self, redis):
        self.line = socket.create_connection(("127.0.0.1", redis.port), timeout=10)
        self.answers = self.line.makefile("rb")

    def command(self, *words):
        self.line.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in map(str.encode, words)))
        answer = self.answers.readline()
        assert answer[:1] in b"+:", (words, answer)

    def close(self):
        self.answers.close()
        self.line.close()


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_of_the_server_is_told_waited_out_and_charged_to_nobody(shop, name):
    broken, healed, shown = FAULTS[name]
    wait_told(shop, ready=True)
    keeper = Keeper(shop.redis)
    keeper.command("PING")
    shop.fault(side="is", method="POST", path="/orders", kind="delay", delay_ms=6000)
    placed = shop.place(order(mail("waits")))
    entry = f"bigfusion:ledger:main:abc123/order/{placed['id']}"
    wait_until(lambda: shop.redis.command("HEXISTS", entry, "doubt") == b"1", 30, shop.trouble)
    try:
        for command in broken:  # while its order is being created: its end meets the fault
            keeper.command(*command)
        wait_told(shop, ready=False)
        wait_until(lambda: all(shown in readyz(shop, one)[1] for one in ("pusher", "poller")), 20,  # a connection may end before
                   lambda: f"{shown}: {readyz(shop, 'pusher')}; {readyz(shop, 'poller')}")
        wait_until(lambda: "ledger calls: not ready" in readyz(shop, "pusher")[1], 30, lambda: readyz(shop, "pusher")[1])
    finally:
        for command in healed:
            keeper.command(*command)
        keeper.close()
        shop.clear_faults()
    wait_told(shop, ready=True)
    assert shop.wait_fate(placed["id"], timeout=30) == ("delivered", None)
    created_once(shop, placed["id"])
    assert attempts(shop, placed["id"]) == 1
    assert not [r for r in shop.tails["dead"].records if r.key == f"abc123/order/{placed['id']}"]


def test_readyz_of_idle_programs_tells_that_redis_is_gone_and_that_it_is_back(shop):
    for gone, back in ((shop.redis.process.kill, shop.redis.start),
                       (lambda: shop.redis.process.signal(19), lambda: shop.redis.process.signal(18))):  # STOP, CONT
        wait_told(shop, ready=True)
        gone()
        wait_told(shop, ready=False)
        back()
        wait_told(shop, ready=True)
    shop.place_and_wait(order(mail("after")))


# -- what it says about itself ---------------------------------------------------------------------------------------


def test_redis_cluster_is_refused_at_start(start):
    stack = start("cluster", services=(), setup=False)
    cluster = Redis(stack.run, "redis-cluster", ["--cluster-enabled", "yes", "--cluster-port", str(free_port())])
    try:
        env = {**stack.environment(), "BIGFUSION_REDIS_URL": cluster.url}
        for program, words in (("bigfusion-pusher", ()), ("bigfusion-poller", ()), ("bigfusion", ("setup",)),
                               ("bigfusion", ("ledger", "distrust"))):
            answer = subprocess.run([binary(program), *words], env=env, capture_output=True, text=True, timeout=30, check=False)
            assert answer.returncode == 100, (program, answer.stderr)
            said = [line for line in answer.stderr.splitlines() if "a Redis Cluster, which is not supported" in line]
            assert len([line for line in said if "not ready" not in line]) == 1, answer.stderr
    finally:
        cluster.stop()


def test_an_acl_user_logs_in_and_what_config_does_not_tell_is_said_so(start):
    password = "p@ss w/o:%#?"

    def url(stack):
        assert stack.redis.command("ACL", "SETUSER", "big@fusion", "on", f">{password}", "~bigfusion:*", "+@all",
                                   "-@admin", "-config", "+info") == b"OK"
        return f"redis://big%40fusion:p%40ss%20w%2Fo%3A%25%23%3F@127.0.0.1:{stack.redis.port}/0"
    stack = start("acl", url=url)
    stack.place_and_wait(order(mail("acl")))
    logs = {name: process.text() for name, process in stack.services.items()}
    for name, text in logs.items():
        assert "p@ss" not in text and "p%40ss" not in text and "big@fusion" not in text, name
    said = [line for line in logs["pusher"].splitlines() if "redis settings:" in line]
    assert len(said) == 1 and "could not be read: appendfsync, no-appendfsync-on-rewrite" in said[0], logs["pusher"]
    assert "appendonly is" not in said[0] and "is not always" not in said[0]


# -- an older copy ---------------------------------------------------------------------------------------------------


def test_a_copy_of_before_the_last_trusted_restart_grants_nothing_twice(start):
    stack = start("copy")
    folder = os.path.join(stack.run, "redis", "appendonlydir")

    def restart(between=None):
        stack.redis.process.kill()
        if between:
            between()
        stack.redis.start()
        wait_told(stack, ready=True)

    stack.place_and_wait(order(mail("early"), items=[item("PLUM", "Plum")]))
    shutil.copytree(folder, folder + "-copy")
    restart()
    placed = stack.place_and_wait(order(mail("twice"), items=[item("PLUM", "Plum")]))
    assert stack.services["pusher"].text().count("rebuild started") == 0, "that restart was trusted"

    def older():
        shutil.rmtree(folder)
        shutil.move(folder + "-copy", folder)
    restart(older)
    wait_until(lambda: "rebuild ended" in stack.services["pusher"].text(), 30, stack.trouble)
    stack.change(placed["id"], status_id=10)
    wait_until(lambda: len([r for r in stack.fate_records(f"abc123/order/{placed['id']}") if r.topic == "delivered"]) > 1, 30,
               stack.trouble)
    created_once(stack, placed["id"])
