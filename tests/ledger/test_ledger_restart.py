"""A Redis that is really killed, restarted, rolled back."""

import shutil
import socket
import time

import pytest
import redis

from ledger import Worker, deliver

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
    assert a.acquire() == "GRANT" and a.begin("order") == "OK"
    server.kill()
    server.start()
    assert a.hello(vouches=vouches(server)) == "LOST"
    assert a.end("order", "977") == "LOST"
    a.rebuild([("open", 1000)])
    assert a.end("order", "977") == "FENCED"
    assert a.acquire() == "RECONCILE order"


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


def data_of(server, name):
    return server.folder + "/" + name


def copy_back(server, copy):
    """The files of the copy in place of the server's own, in a server that vouches."""
    server.kill()
    shutil.rmtree(data_of(server, "appendonlydir"))
    shutil.copytree(copy, data_of(server, "appendonlydir"))
    server.start()


def test_a_copy_of_before_a_trusted_restart_is_lost(own_server):
    """The copy never heard of the run that acknowledged the delivery; its counter says nothing about that run."""
    server = own_server(*ALWAYS)
    a = Worker(server, "a").rebuild()
    shutil.copytree(data_of(server, "appendonlydir"), data_of(server, "copy"))
    server.kill()
    server.start()
    assert a.hello(vouches=vouches(server)) == "OK"
    assert a.acquire() == "GRANT"
    deliver(a)
    copy_back(server, data_of(server, "copy"))
    assert a.hello(vouches=vouches(server)) == "LOST"
    assert a.acquire() == "LOST", "the delivered order is not granted again"


def test_a_copy_of_before_a_rebuild_is_lost(own_server):
    """Its epoch is an earlier one than what this process saw, also after the emptied Redis had answered LOST."""
    server = own_server(*ALWAYS)
    a = Worker(server, "a").rebuild()
    shutil.copytree(data_of(server, "appendonlydir"), data_of(server, "copy"))
    server.client.flushall()
    assert a.rebuild().acquire() == "GRANT"
    deliver(a)
    copy_back(server, data_of(server, "copy"))
    assert a.hello(vouches=vouches(server)) == "LOST"
    server.client.flushall()
    assert a.hello(vouches=vouches(server)) == "LOST"
    copy_back(server, data_of(server, "copy"))
    assert a.hello(vouches=vouches(server)) == "LOST", "what was seen is not forgotten"


def test_the_next_epoch_is_later_than_what_was_seen_also_when_the_clock_was_set_back(own_server):
    server = own_server(*ALWAYS)
    a = Worker(server, "a").rebuild()
    ahead = server.now() + 86_400_000
    a.seen_epoch, a.seen = ahead, ahead * 100
    server.client.flushall()
    a.rebuild()  # ends with a hello that is OK
    assert int(server.client.hget("t:ledger", "born_at")) == ahead + 1


def test_a_master_that_was_demoted_with_its_connection_alive_answers_no_hello(own_server):
    server = own_server(*ALWAYS)
    a = Worker(server, "a").rebuild()
    server.client.replicaof("127.0.0.1", "1")  # nobody is there: it serves what it has
    assert server.client.hget("t:ledger", "born_at"), "it can still be read"
    with pytest.raises(redis.exceptions.ReadOnlyError):
        a.hello(vouches=vouches(server))
    server.client.replicaof("NO", "ONE")
    before = server.client.hgetall("t:ledger")
    assert a.hello(vouches=1) == "OK" and server.client.hgetall("t:ledger") == before
