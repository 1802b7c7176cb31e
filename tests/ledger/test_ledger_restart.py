"""A Redis that is really killed, restarted, rolled back."""

import shutil
import socket
import time

import pytest

from ledger import Worker

ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")


def vouches(server):
    info = server.client.info()
    return int(info["aof_enabled"] == 1 and server.client.config_get("appendfsync")["appendfsync"] == "always"
               and set(str(info["master_replid2"])) == {"0"})


def test_fsync_always_keeps_every_lease(own_server):
    server = own_server(*ALWAYS)
    a = Worker(server, "a").rebuild()
    assert a.acquire() == "GRANT" and a.begin("order") == "OK"
    server.kill()
    server.start()
    assert a.hello(vouches=vouches(server)) == "OK"
    assert a.end("order", "977") == "OK" and a.finish("done") == "OK"


@pytest.mark.parametrize("options", [(), ("--appendonly", "yes", "--appendfsync", "everysec")])
def test_without_it_everything_is_asked_for(own_server, options):
    server = own_server(*options)
    a = Worker(server, "a").rebuild()
    born = int(server.client.hget("t:ledger", "born_at"))
    assert a.acquire() == "GRANT" and a.begin("order") == "OK"
    server.kill()
    server.start()
    assert a.hello(vouches=vouches(server)) == "LOST"
    assert a.end("order", "977") == "LOST"
    a.rebuild()
    assert a.end("order", "977") == "FENCED"
    assert a.acquire(seen=born + 1) == "RECONCILE order"


def test_a_copy_that_is_behind(own_server):
    """The files of a moment ago come back: the server vouches, the counter tells."""
    server = own_server(*ALWAYS)
    a = Worker(server, "a").rebuild()
    assert a.acquire() == "GRANT"
    shutil.copytree(server.folder + "/appendonlydir", server.folder + "/copy")
    assert a.begin("order") == "OK"
    server.kill()
    shutil.rmtree(server.folder + "/appendonlydir")
    shutil.move(server.folder + "/copy", server.folder + "/appendonlydir")
    server.start()
    assert a.hello(vouches=vouches(server)) == "LOST"
    a.rebuild()
    assert a.acquire() == "RECONCILE order"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_promoted_replica_does_not_vouch(own_server):
    port = free_port()
    first, second = own_server(*ALWAYS, port=port), own_server(*ALWAYS)
    a = Worker(first, "a").rebuild()
    second.client.replicaof("127.0.0.1", port)
    deadline = time.monotonic() + 20
    while second.client.hget("t:ledger", "born_at") is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    second.client.replicaof("no", "one")
    assert vouches(first) and not vouches(second)
    a.server = second
    assert a.hello(vouches=vouches(second)) == "LOST"


def test_a_restart_and_then_an_emptied_redis_is_one_rebuild(own_server):
    """The counter leaps at a restart; the next ledger's begins ahead of it, or it would look like one that lost writes."""
    server = own_server(*ALWAYS)
    a, b = Worker(server, "a").rebuild(), Worker(server, "b")
    server.client.hset("t:ledger", "writes", (server.now() - 20_000) * 100)  # sealed 20 s ago
    server.kill()
    server.start()
    a.seen = 0  # what it saw was before those 20 s
    assert a.hello(vouches=vouches(server)) == "OK" and a.acquire() == "GRANT"
    server.client.flushall()
    b.rebuild()
    assert a.hello(vouches=vouches(server)) == "OK"
