"""The rules of docs/ledger.md on the real scripts: versions, withdrawals, contacts and products, damaged entries."""

import pytest
import redis

from ledger import DAY, Worker, deliver


# Rule 4: versions

def test_versions_before_the_order_step(workers):
    a, b = workers
    a.acquire(version=1000, digest="one")
    a.finish("retry")
    assert b.acquire(version=2000, digest="two") == "GRANT" and b.fields()["digest"] == "two"
    b.finish("retry")
    assert a.acquire(version=1000, digest="one") == "OLD"
    assert a.acquire(version=2000, digest="two") == "GRANT"


def test_versions_after_the_order_step(workers):
    a, b = workers
    a.acquire(version=1000)
    a.begin("order")
    a.end("order", "977")
    a.finish("retry")
    assert b.acquire(version=2000) == "GRANT" and b.grant["version"] == "1000", "the order stays as it was created"
    assert b.finish("done") == "OK"
    assert b.acquire(version=2000) == "DONE" and b.flags == {"newer"}
    assert b.acquire(version=1000) == "DONE" and b.flags == set()
    assert b.acquire(version=999) == "OLD"


def test_a_newer_version_replaces_once_the_doubt_is_cleared(workers):
    a, b = workers
    a.acquire(version=1000, digest="one")
    a.begin("order")
    a.expire_lease()
    assert b.acquire(version=2000, digest="two") == "RECONCILE order" and b.grant["version"] == "1000"
    assert b.end("order", "", begin="order") == "OK"
    assert (b.fields()["modified_at"], b.fields()["digest"]) == ("2000", "two")
    b.end("order")
    b.finish("retry")
    assert a.acquire(version=1000, digest="one") == "OLD"


def test_a_newer_version_goes_on_with_a_found_order(workers):
    a, b = workers
    a.acquire(version=1000, digest="one")
    a.begin("order")
    a.expire_lease()
    b.acquire(version=2000, digest="two")
    assert b.end("order", "977") == "OK" and b.finish("done") == "OK"
    assert b.acquire(version=2000) == "DONE" and b.flags == {"newer"} and b.grant["version"] == "1000"


def test_an_older_version_clears_the_doubt_and_makes_nothing(workers):
    a, b = workers
    a.acquire(version=2000, digest="two")
    a.begin("order")
    a.expire_lease()
    assert b.acquire(version=1000, digest="one") == "RECONCILE order"
    assert b.end("order", "", begin="order") == "FENCED"
    assert "doubt" not in b.fields() and b.fields()["digest"] == "two"
    assert b.finish("dead", reason="refused") == "FENCED"
    assert b.acquire(version=1000, digest="one") == "OLD"
    assert a.acquire(version=2000, digest="two") == "GRANT" and a.flags == {"look_again"}


def test_dead(workers):
    a, b = workers
    a.acquire(version=1000, digest="one")
    assert a.finish("dead", reason="refused") == "OK"
    assert b.acquire(version=1000, digest="one") == "DEAD" and b.grant["reason"] == "refused"
    assert b.acquire(version=900, digest="one") == "OLD"
    assert b.acquire(version=2000, digest="one") == "DEAD", "the same body is refused again"
    assert b.acquire(version=1500, digest="two") == "OLD", "an older one after that"
    assert b.server.client.pttl(b.key) > 399 * DAY
    assert b.acquire(version=2000, digest="two") == "GRANT" and b.server.client.pttl(b.key) == -1
    assert b.finish("dead", reason="refused") == "OK"
    assert b.acquire(version=2000, digest="two", replay=1) == "GRANT"


# Rule 5: withdrawn

def test_withdrawn_before_anything(workers):
    a, b = workers
    assert a.acquire(version=2000, withdrawn=1) == "GRANT"
    assert a.finish("withdrawn") == "OK"
    assert b.acquire(version=1000) == "OLD" and b.acquire(version=2000) == "OLD"
    assert b.acquire(version=2000, withdrawn=1) == "GRANT", "asked again: the fate again"
    assert a.acquire(version=2000) == "BUSY"
    b.expire_lease()
    assert a.acquire(version=2000) == "OLD", "though that one crashed"
    assert a.acquire(version=3000) == "GRANT", "eligible again"


def test_withdrawn_while_it_waits(workers):
    a, b = workers
    a.acquire(version=1000)
    a.finish("retry")
    assert b.acquire(version=2000, withdrawn=1) == "GRANT" and b.grant["steps"] == {}
    assert b.finish("withdrawn") == "OK"
    assert a.acquire(version=1000) == "OLD"


def test_withdrawn_by_a_person(workers):
    """Whoever reads the version afterwards is told the reason, until the version is withdrawn by the store or there is a newer one."""
    a, b = workers
    a.acquire(version=2000)
    a.finish("retry")
    assert b.acquire(version=2000, withdrawn=1) == "GRANT"
    assert b.finish("withdrawn", reason="dropped") == "OK" and b.note["reason"] == "dropped"
    assert a.acquire(version=2000) == "OLD" and (a.grant["reason"], a.grant["version"]) == ("dropped", "2000")
    assert b.acquire(version=2000, withdrawn=1) == "GRANT"
    b.expire_lease()
    assert a.acquire(version=2000) == "OLD" and a.grant["reason"] == "dropped", "though that one crashed"
    assert b.acquire(version=2000, withdrawn=1) == "GRANT" and b.finish("withdrawn") == "OK"
    assert a.acquire(version=2000) == "OLD" and a.grant["reason"] == ""
    assert b.acquire(version=2000, withdrawn=1) == "GRANT" and b.finish("withdrawn", reason="dropped") == "OK"
    assert a.acquire(version=3000) == "GRANT" and a.grant["reason"] == ""


def test_withdrawn_in_doubt(workers):
    a, b = workers
    a.acquire(version=1000)
    a.begin("order")
    a.expire_lease()
    assert b.acquire(version=2000, withdrawn=1) == "RECONCILE order"
    assert b.finish("withdrawn") == "FENCED"
    assert b.acquire(version=2000, withdrawn=1) == "RECONCILE order"
    assert b.finish("done", "order", "977") == "OK"
    assert a.acquire(version=1000) == "DONE" and a.acquire(version=2000, withdrawn=1) == "DONE"


def test_withdrawn_absent_and_old(workers):
    a, _ = workers
    a.server.client.hset("t:ledger", mapping={"since": a.server.now() - 10 * DAY, "keep": DAY})
    assert a.acquire(version=2000, withdrawn=1, seen=1) == "RECONCILE order"
    assert a.finish("withdrawn", "order", "") == "OK"
    assert a.acquire(version=1000, seen=1) == "OLD"


def test_withdrawn_after_done_and_dead(workers):
    a, b = workers
    a.acquire(version=1000)
    assert a.finish("dead", reason="refused") == "OK"
    assert b.acquire(version=2000, withdrawn=1) == "GRANT" and b.finish("withdrawn") == "OK"
    b.acquire(version=3000)
    deliver(b)
    assert b.acquire(version=4000, withdrawn=1) == "DONE" and b.flags == {"newer"}


# Contacts and products

def test_contacts_are_cached_and_changed(server):
    a, b = Worker(server, "a", "acc:contact:xy", "contact"), Worker(server, "b", "acc:contact:xy", "contact")
    a.rebuild()
    assert a.acquire(digest="one") == "GRANT", "always looked up before it is made: never asked for by age"
    assert b.acquire(digest="one") == "BUSY"
    assert a.begin("contact") == "OK" and a.finish("done", "contact", "42") == "OK"
    assert b.acquire(digest="one") == "DONE" and b.grant["steps"] == {"contact": "42"}
    assert b.acquire(digest="two") == "GRANT" and b.grant["steps"] == {"contact": "42"}
    assert b.server.client.pttl(b.key) == -1
    assert b.finish("done", "contact", "42") == "OK"
    assert a.acquire(digest="two") == "DONE" and a.acquire(digest="one") == "GRANT"
    assert a.finish("retry") == "OK"
    a.run("distrust", ["t:ledger"])
    a.rebuild()
    assert a.acquire(digest="two") == "GRANT", "no age, no epoch for what is looked up anyway"
    a.begin("contact2")
    a.expire_lease()
    assert b.acquire(digest="two") == "RECONCILE contact2", "but a doubt is a doubt"


def test_a_contact_of_the_lost_moments_is_waited_for(server):
    a = Worker(server, "a", "acc:contact:xy", "contact")
    a.rebuild()
    a.visibility_ms = 30_000
    assert a.acquire() == "RECONCILE contact" and int(a.grant["age"]) < 5_000
    assert a.finish("done", "contact", "42") == "OK"
    a.run("distrust", ["t:ledger"])
    a.rebuild()
    assert a.acquire(digest="two") == "GRANT" and a.grant["steps"] == {"contact": "42"}, "its id is known"
    server.client.hset("t:ledger", "born_at", server.now() - 30_001)
    a.key += "0"
    assert a.acquire() == "GRANT"


def test_forget(server):
    a = Worker(server, "a", "acc:product:xy", "product")
    a.rebuild()
    a.acquire()
    a.finish("done", "product", "7")
    assert a.forget("8") == "OK" and a.acquire() == "DONE"
    assert a.forget("7") == "OK" and a.acquire() == "GRANT" and a.grant["steps"] == {}
    assert a.server.client.pttl(a.key) == -1


@pytest.mark.parametrize("kind", ["contact", "product", "tag"])
def test_the_owner_may_forget_and_make_anew(server, kind):
    """The thing changed, and its id is of nobody any more."""
    Worker(server, "o").rebuild()
    a = Worker(server, "a", key=f"acc:{kind}:c1", kind=kind)
    a.hello()
    assert a.acquire(digest="one") == "GRANT" and a.begin(kind) == "OK" and a.finish("done", kind, "7") == "OK"
    assert a.acquire(digest="two") == "GRANT" and a.grant["steps"] == {kind: "7"}
    assert a.begin(kind) == "FENCED"
    assert a.forget("8") == "OK" and a.begin(kind) == "FENCED"
    assert a.forget("7") == "OK" and a.begin(kind) == "OK" and a.finish("done", kind, "9") == "OK"
    assert a.acquire(digest="two") == "DONE" and a.grant["steps"] == {kind: "9"}


# Rule 16: records of contacts and products

@pytest.fixture
def records(server):
    """Two workers on one customer of a store."""
    a, b = (Worker(server, name, key="acc:abc/contact/7", kind="record") for name in ("a", "b"))
    a.rebuild()
    b.hello()
    return a, b


def test_each_version_of_a_record_is_delivered(records):
    a, b = records
    assert a.acquire(version=1000, digest="one", seen=1) == "GRANT", "an absent entry is never looked up"
    assert b.acquire(version=2000, digest="two") == "BUSY"
    assert a.end("tag:t1", "42") == "OK" and a.finish("done", "contact", "42", reason="{}") == "OK"
    assert b.acquire(version=1000, digest="one") == "DONE" and b.grant["steps"]["contact"] == "42"
    assert b.acquire(version=2000, digest="two") == "GRANT"
    assert b.grant["steps"] == {"tag:t1": "42"}, "what was done for the one before says nothing, but for its tags"
    assert b.server.client.pttl(b.key) == -1 and b.fields()["state"] == "open"
    assert b.finish("done", "contact", "42") == "OK"
    assert a.acquire(version=1000, digest="one") == "OLD"
    assert a.acquire(version=2000, digest="two") == "DONE"


def test_a_record_of_the_same_time_with_another_content_is_delivered(records):
    a, b = records
    a.acquire(version=1000, digest="one")
    a.finish("done", "contact", "42")
    assert b.acquire(version=1000, digest="two") == "GRANT" and b.grant["steps"] == {}


def test_a_record_goes_on_where_it_was(records):
    a, b = records
    a.acquire(version=1000, digest="one")
    a.end("contact", "42")
    a.finish("retry")
    assert b.acquire(version=1000, digest="one") == "GRANT" and b.grant["steps"] == {"contact": "42"}


def test_a_dead_record_and_a_newer_version_of_it(records):
    a, b = records
    a.acquire(version=1000, digest="one")
    a.finish("dead", reason="refused")
    assert b.acquire(version=1000, digest="one") == "DEAD" and b.grant["reason"] == "refused"
    assert b.acquire(version=1000, digest="one", replay=1) == "GRANT"
    b.finish("dead", reason="refused")
    assert b.acquire(version=2000, digest="two") == "GRANT" and "reason" not in b.fields()


def test_a_record_after_a_rebuild(records):
    a, b = records
    a.server.client.flushall()
    a.rebuild([("done", 1000, "one", "", {"contact": "42"})])
    b.hello()
    assert a.acquire(version=1000, digest="one") == "DONE" and a.acquire(version=900, digest="x") == "OLD"
    assert a.acquire(version=2000, digest="two", seen=1) == "GRANT" and a.flags == set() and a.grant["steps"] == {}
    a.finish("retry")
    a.server.client.delete("t:ledger")
    a.rebuild()
    assert a.acquire(version=2000, digest="two", seen=1) == "GRANT" and a.flags == set(), "of another epoch: no doubt"


# Somebody else wrote under our keys

@pytest.mark.parametrize("field, value", [("state", "odd"), ("modified_at", "12x"), ("modified_at", ""),
                                          ("lease", "1e9"), ("doubt_at", "nan"), ("held", "-1")])
def test_damaged_fields_are_refused(workers, field, value):
    a, b = workers
    a.acquire()
    a.begin("order")
    a.server.client.hset(a.key, field, value)
    b.fence = ""  # what a worker shows whose acquire was refused: it must not be sent round in circles
    for call in (b.acquire, lambda: a.begin("order"), lambda: a.finish("done"), lambda: b.finish("retry")):
        with pytest.raises(redis.exceptions.ResponseError, match="DAMAGED " + field):
            call()
    b.key += "0"
    assert b.acquire() == "GRANT", "others go on"


def test_fields_of_others_are_refused(workers):
    a, _ = workers
    a.server.client.hset(a.key, "x", "y")
    for call in (a.acquire, lambda: a.finish("retry")):
        with pytest.raises(redis.exceptions.ResponseError, match="DAMAGED state"):
            call()


def test_another_type_is_refused(workers):
    a, _ = workers
    a.server.client.set(a.key, "x")
    for call in (a.acquire, lambda: a.begin("order")):
        with pytest.raises(redis.exceptions.ResponseError, match="WRONGTYPE"):
            call()


@pytest.mark.parametrize("field, value", [(None, "x"), ("born_at", "x"), ("writes", "-"), ("keep", "")])
def test_a_damaged_marker_is_a_lost_one(workers, field, value):
    a, _ = workers
    if field:
        a.server.client.hset("t:ledger", field, value)
    else:
        a.server.client.set("t:ledger", value)
    assert a.acquire() == "LOST" and a.begin("order") == "LOST" and a.hello() == "LOST"
    a.rebuild()
    assert a.acquire() == "GRANT"


def test_a_lease_far_ahead_was_written_before_the_clock_was_set_back(workers):
    a, b = workers
    a.acquire()
    a.server.client.hset(a.key, "lease", a.server.now() + DAY)
    assert b.acquire() == "GRANT"
