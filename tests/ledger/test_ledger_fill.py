"""Filling in: what records of Kafka say about an order, on the real scripts (docs/ledger.md)."""

import itertools

import pytest

from ledger import Worker

KEYS = ["t:ledger", "t:lock"]


def note(version=1000, state="open", **fields):
    """A note: order=977 is a step; the rest are fields."""
    steps = {"s:" + name: value for name, value in fields.items() if name in ("order", "contact", "goal")}
    rest = {name: value for name, value in fields.items() if "s:" + name not in steps}
    return {"state": state, "modified_at": str(version), "digest": f"d{version}", **rest, **steps}


def retry(version=1000, how="exact", **fields):
    """A record of a retry or waiting topic."""
    return "open", version, f"d{version}", "", {"note": note(version, **fields), "how": how}


TOUCHED = "open", 1000, "d1000", "", {}
DEAD = "dead", 1000, "d1000", "refused", {"note": note(1000, "dead", reason="refused")}
WITHDRAWN = "withdrawn", 2000, "d2000", "", {"note": note(2000, "withdrawn")}
DONE = "done", 1000, "d1000", "", {"order": "977"}


# One record

def test_a_record_goes_on_where_it_was(workers):
    a, b = workers
    a.acquire()
    a.end("contact", "42", begin="order")
    a.end("order", "977", begin="goal")
    assert a.finish("retry", reason="evidence") == "OK"
    known = a.note
    assert known == {"state": "open", "modified_at": "1000", "digest": "d", "doubt": "goal", "s:contact": "42",
                     "s:order": "977", "s:evidence": "evidence"}
    a.server.client.flushall()
    b.rebuild([("open", 1000, "d", "", {"note": known})])
    assert b.acquire() == "RECONCILE goal" and b.flags == set() and int(b.grant["age"]) < 5_000
    assert b.grant["steps"] == {"contact": "42", "order": "977", "evidence": "evidence"}
    assert b.server.client.pttl(b.key) == -1
    assert b.finish("done", "goal", "in_doubt") == "OK"


def test_a_final_entry_with_its_note_is_known(workers):
    a, b = workers
    a.acquire()
    a.end("contact", "42")
    assert a.finish("dead", reason="refused") == "OK" and a.note["state"] == "dead" and a.note["reason"] == "refused"
    known = a.note
    a.server.client.flushall()
    b.rebuild([("dead", 1000, "d", "refused", {"note": known})])
    assert b.acquire() == "DEAD" and b.grant["reason"] == "refused"
    assert b.server.client.pttl(b.key) > 0
    assert b.acquire(replay=1) == "GRANT" and b.flags == set() and b.grant["steps"] == {"contact": "42"}
    assert b.finish("withdrawn") == "OK" and b.note["state"] == "withdrawn" and "reason" not in b.note


def test_a_finish_that_is_no_copy_has_no_note(workers):
    a, b = workers
    a.acquire()
    a.begin("order")
    assert a.note == {} and a.finish("dead") == "FENCED" and a.note == {}
    assert a.finish("done", "order", "977") == "OK" and a.note == {}
    assert b.finish("retry") == "FENCED" and b.note == {}


def test_a_doubt_that_was_filled_in_counts_from_the_new_epoch(workers):
    a, b = workers
    a.run("distrust", ["t:ledger"])
    b.rebuild([retry(doubt="order")])
    b.server.client.hset("t:ledger", "born_at", b.server.now() - 70_000)
    assert b.acquire() == "RECONCILE order" and b.flags == set() and 70_000 <= int(b.grant["age"]) < 75_000


# Many records of one order, in every order

@pytest.mark.parametrize("fills, answer, flags, version", [
    ([retry()], "GRANT", set(), 1000),
    ([TOUCHED], "RECONCILE order", {"goals"}, 1000),
    ([retry(how="careful")], "RECONCILE order", {"goals"}, 1000),
    ([retry(doubt="order")], "RECONCILE order", set(), 1000),
    ([retry(doubt="goal", ask="1")], "RECONCILE order", {"goals"}, 1000),
    ([retry(doubt="goal"), retry(doubt="other")], None, {"goals"}, 1000),
    ([retry(doubt="goal"), retry(doubt="order")], "RECONCILE order", {"goals"}, 1000),
    ([retry(doubt="goal"), retry(goal="sent")], "GRANT", set(), 1000),
    ([retry(doubt="order"), retry(order="977")], "GRANT", set(), 1000),
    ([retry(), retry(2000, look_again="1")], "GRANT", {"look_again"}, 2000),
    ([retry(), retry(2000, doubt="order"), TOUCHED], "RECONCILE order", {"goals"}, 2000),
    ([retry(), retry(2000), TOUCHED], "RECONCILE order", {"goals"}, 2000),
    ([retry(order="977"), TOUCHED], "GRANT", {"goals"}, 1000),
    ([retry(how="careful", doubt="goal"), retry()], "RECONCILE order", {"goals"}, 1000),
    ([retry(how="careful", order="977", goal="sent")], "GRANT", {"goals"}, 1000),
    ([DONE, retry(2000, doubt="order"), TOUCHED, WITHDRAWN], "DONE", {"newer"}, 1000),
    ([DEAD, retry(2000)], "GRANT", set(), 2000),
    ([DEAD, retry(1000)], "DEAD", set(), 1000),
    ([DEAD, retry(1000, doubt="order")], "RECONCILE order", set(), 1000),
    ([DEAD, TOUCHED], "RECONCILE order", {"goals"}, 1000),
    ([DEAD, WITHDRAWN], "GRANT", set(), 2000),
    (["dead 1000", retry(2000)], "RECONCILE order", {"goals"}, 2000),
    ([WITHDRAWN, retry(1000)], "GRANT", set(), 2000),
    ([WITHDRAWN, retry(2000)], "GRANT", set(), 2000),
    ([WITHDRAWN, retry(3000), DEAD], "GRANT", set(), 3000),
    ([WITHDRAWN, TOUCHED, retry()], "RECONCILE order", {"goals"}, 2000),
    ([WITHDRAWN, retry(1000, order="977")], "GRANT", set(), 1000),
    ([WITHDRAWN, retry(1000, order="977"), retry(1000, doubt="order")], "GRANT", set(), 1000),
], ids=str)
def test_the_union_in_every_order(server, fills, answer, flags, version):
    """A withdrawal of version 4000 asks: only a doubt, an order that is done, or one that is dead alike stops it."""
    fills = [("dead", 1000, "d1000", "refused", {}) if fill == "dead 1000" else fill for fill in fills]
    a = Worker(server, "a", repeat=True)
    seen = []
    for some in itertools.permutations(fills):
        server.client.flushall()
        a.rebuild(some)
        fields = a.fields()
        assert fields["modified_at"] == str(version) and fields["lease"] == "0"
        got = a.acquire(version=1000, digest="d1000") if "dead" == fields["state"] else a.acquire(version=4000, withdrawn=1)
        assert got == answer if answer else got in ("RECONCILE goal", "RECONCILE other")
        assert a.flags == flags
        for name in ("epoch", "doubt") if not answer else ("epoch",):
            fields.pop(name)
        if fields["state"] == "done":
            assert fields["s:order"] == "977"
            fields = None
        seen.append(fields)
    assert all(fields == seen[0] for fields in seen)


def test_a_version_that_was_withdrawn_is_not_made_after_its_doubt(workers):
    """It may have been handed out, so it is looked up; but its withdrawal was answered. Found by the model."""
    a, b = workers
    a.run("distrust", ["t:ledger"])
    b.rebuild([WITHDRAWN, ("open", 2000)])
    assert a.acquire(version=1000) == "RECONCILE order" and a.finish("retry") == "OK", "an older one opens nothing"
    assert a.note["state"] == "withdrawn"
    assert a.acquire(version=2000) == "RECONCILE order"
    assert a.end("order", "", begin="order") == "FENCED"
    assert b.acquire(version=2000) == "OLD", "given back at once"
    b.run("distrust", ["t:ledger"])
    b.rebuild([WITHDRAWN, ("open", 2000)])
    assert a.acquire(version=2000) == "RECONCILE order" and a.end("order") == "OK"
    assert a.finish("dead", reason="refused") == "FENCED"
    assert b.acquire(version=2000) == "OLD" and b.acquire(version=3000) == "GRANT" and b.begin("order") == "OK"


def test_a_version_that_was_withdrawn_and_is_found_is_delivered(workers):
    a, b = workers
    a.run("distrust", ["t:ledger"])
    b.rebuild([WITHDRAWN, ("open", 2000)])
    assert a.acquire(version=2000) == "RECONCILE order"
    assert a.end("order", "977", begin="payment") == "OK" and a.finish("done", "payment", "1") == "OK"


# Entries that survived, rebuilds that did not end

def test_an_entry_that_survived_is_replaced_by_what_the_record_knows(workers):
    a, b = workers
    a.acquire()
    a.end("contact", "42", begin="order")
    a.server.client.hset(a.key, mapping={"goals": "1", "absent": "1", "ask": "1", "look_again": "1"})
    a.run("distrust", ["t:ledger"])
    b.rebuild([retry(contact="43")])
    assert b.acquire() == "GRANT" and b.flags == set() and b.grant["steps"] == {"contact": "43"}
    assert not {"absent", "ask", "doubt", "held"} & set(b.fields())


def test_an_entry_that_survived_stays_in_doubt_where_a_record_may_have_been_handed_out(workers):
    a, b = workers
    a.acquire()
    a.end("order", "977", begin="goal")
    a.run("distrust", ["t:ledger"])
    b.rebuild([TOUCHED, retry(doubt="goal")])
    assert b.acquire() == "RECONCILE goal" and b.flags == {"goals"} and b.grant["steps"] == {"order": "977"}


def test_a_survivor_that_is_newer_stays_newer(workers):
    a, b = workers
    a.acquire(version=2000, withdrawn=1)
    a.finish("withdrawn")
    a.run("distrust", ["t:ledger"])
    b.rebuild([retry(1000)])
    assert b.acquire(version=1000) == "OLD" and b.server.client.pttl(b.key) > 0


@pytest.mark.parametrize("ended", [False, True])
def test_what_another_rebuild_filled_in_is_not_known_any_more(workers, ended):
    a, b = workers
    a.server.client.flushall()
    if ended:
        a.rebuild([retry()])
        a.run("distrust", ["t:ledger"])
    else:
        assert a.run("lock", KEYS, a.token, 60000, 0) == ["1"] and a.fill(*retry()[:4], **retry()[4]) == "FILLED"
        a.server.client.delete("t:lock")
        assert a.fill(*TOUCHED[:4]) == "FENCED"
    b.rebuild()
    assert b.acquire() == "RECONCILE order" and b.flags == {"goals"}
    a.run("distrust", ["t:ledger"])
    b.rebuild([retry()])
    assert b.acquire() == "GRANT" and b.flags == set(), "unless that one knows it too"
    assert b.begin("order") == "OK"
    a.run("distrust", ["t:ledger"])
    b.rebuild()
    assert b.acquire() == "RECONCILE order" and b.flags == {"goals"}


# Fates

def test_filled_entries(server):
    a = Worker(server, "a")

    def filled(*fills):
        server.client.flushall()
        a.rebuild(fills)
        return a

    filled(("dead", 1000, "d", "refused"), ("done", 900, "d0"), ("withdrawn", 2000))
    assert a.acquire(version=3000) == "DONE" and a.flags == {"newer"}, "done beats everything"
    server.client.flushall()
    a.rebuild([("done", 1000)])
    assert a.acquire() == "DONE"
    filled(("dead", 1000, "d", "refused"))
    assert a.acquire() == "DEAD" and a.grant["reason"] == "refused"
    assert a.acquire(digest="e") == "RECONCILE order" and a.flags == {"goals"}, "filled in: asked for"
    filled(("dead", 1000, "d", "refused"), ("withdrawn", 2000, "w"), ("dead", 1500, "e", "refused"))
    assert a.acquire(version=1999) == "OLD" and a.acquire(version=2000, withdrawn=1) == "RECONCILE order"
    assert a.end("order") == "OK" and a.finish("withdrawn") == "OK"


def test_filling_keeps_a_doubt_unless_it_was_delivered(workers):
    a, b = workers
    a.acquire()
    a.begin("order")
    a.run("distrust", ["t:ledger"])
    assert b.run("lock", ["t:ledger", "t:lock"], "b-token", 60000, 0) == ["1"]
    assert b.fill("dead", 500) == "FILLED" and b.fields()["modified_at"] == "1000"
    assert b.fill("dead", 2000) == "FILLED"
    assert b.fields()["doubt"] == "order" and b.fields()["modified_at"] == "2000"
    assert b.fill("done", 900, **{"order": "977"}) == "FILLED"
    assert "doubt" not in b.fields()
    b.run("seal", ["t:ledger", "t:lock"], "b-token", "r", b.keep_ms)
    assert b.acquire() == "DONE" and b.grant["steps"]["order"] == "977"


def test_a_withdrawal_that_was_rolled_back_under_a_doubt_holds(workers):
    """Found by the model: the old copy is in doubt about a version whose withdrawal was answered since."""
    a, b = workers
    a.acquire(version=1000)
    a.begin("order")
    a.run("distrust", ["t:ledger"])
    b.rebuild([("withdrawn", 2000)])
    assert b.acquire(version=1000) == "RECONCILE order"
    assert b.end("order", "", begin="order") == "FENCED"
    assert b.acquire(version=1000) == "OLD"
