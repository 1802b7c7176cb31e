"""The rules of docs/ledger.md on the real scripts: the ordinary way, doubts, look-ups, epochs, hello."""

import pytest

from ledger import DAY, Worker, deliver


# The ordinary way

def test_a_delivery_is_done_once(workers):
    a, b = workers
    assert a.acquire() == "GRANT"
    assert b.acquire() == "BUSY" and 0 < int(b.grant["wait"]) <= 60_000
    deliver(a)
    for worker in (a, b):
        assert worker.acquire() == "DONE"
        assert worker.grant["steps"] == {"contact": "42", "order": "977", "goal:BCORDER/BC": "sent"}
        assert worker.flags == set()
    assert b.step(begin="order") == "FENCED"
    assert a.step(begin="order") == "FENCED", "a finished grant begins nothing"
    assert a.server.client.pttl(a.key) > 399 * DAY


def test_a_retry_goes_on_at_the_missing_step(workers):
    a, b = workers
    a.acquire()
    a.end("contact", "42", begin="order")
    assert a.end("order", "977") == "OK"
    assert a.finish("retry") == "OK"
    assert a.begin("payment") == "FENCED", "given back"
    assert b.acquire() == "GRANT"
    assert b.grant["steps"] == {"contact": "42", "order": "977"}
    assert b.begin("order") == "FENCED", "a step that has its result does not begin again"
    assert b.begin("payment") == "OK"


def test_a_step_with_no_effect_is_free_again(workers):
    a, _ = workers
    a.acquire()
    a.begin("order")
    assert a.end("order") == "OK"
    assert a.begin("order") == "OK"
    assert a.end("order", "", begin="order") == "OK"
    assert a.end("order", "977") == "OK"
    assert a.finish("done") == "OK"
    a.acquire()
    assert a.flags == set(), "its own answer said so: nothing to look up again"


def test_a_contact_is_erased_when_nobody_works_on_it(server):
    """`bigfusion forget`; afterwards the contact is looked up and made as any other."""
    a, b = (Worker(server, name, key="acc:contact/5", kind="contact") for name in "ab")
    assert a.erase() == "LOST", "no rebuild has run yet"
    a.rebuild()
    assert a.erase() == "OK", "there is none"
    assert a.acquire() == "GRANT" and b.erase() == "BUSY"
    assert a.begin("contact") == "OK"
    a.expire_lease()
    assert b.erase() == "BUSY" and a.fields()["doubt"] == "contact"
    assert a.end("contact", "42") == "OK" and a.finish("done") in ("OK", "OK_STALE")
    assert b.erase() == "OK" and a.fields() == {}
    assert b.acquire() == "GRANT" and b.grant["steps"] == {}


# Rule 1: doubt outlives everything

@pytest.mark.parametrize("how", ["lease ran out", "retry", "epoch moved", "newer", "older", "replay", "withdrawn"])
def test_a_doubt_is_asked_first(workers, how):
    a, b = workers
    a.acquire(version=2000)
    a.begin("order")
    version = {"newer": 3000, "older": 1000}.get(how, 2000)
    if how == "retry":
        assert a.finish("retry") == "OK"
    elif how == "epoch moved":
        a.run("distrust", ["t:ledger"])
        assert b.acquire() == "LOST"
        b.rebuild()
    else:
        assert b.acquire(version=version) == "BUSY"
        a.expire_lease()
    assert b.acquire(version=version, digest="other", replay=int(how == "replay"),
                     withdrawn=int(how == "withdrawn")) \
        == "RECONCILE order"
    assert b.begin("order") == "FENCED", "not before it was looked up"
    assert b.begin("payment") == "FENCED"
    assert b.finish("done") == "FENCED" and b.finish("dead", reason="gave_up") == "FENCED"
    assert a.end("order", "977") == "FENCED", "somebody else has it"
    assert b.acquire(version=version) == "RECONCILE order", "and it stays"


def test_the_same_worker_is_not_busy_for_itself(workers):
    a, b = workers
    a.acquire()
    old = a.fence
    assert a.acquire() == "GRANT" and a.fence != old, "the reply of acquire was lost: asked again"
    a.begin("order")
    assert a.acquire() == "RECONCILE order"
    assert b.acquire() == "BUSY"
    a.fence = old
    assert a.begin("order") == "FENCED"


def test_a_lease_that_ran_out_while_nobody_came_is_still_its_owners(workers):
    a, b = workers
    a.acquire()
    a.expire_lease()
    assert a.begin("order") == "OK"
    assert b.acquire() == "BUSY", "begin renewed it"
    a.expire_lease()
    assert a.end("order", "977") == "OK"
    assert a.finish("done") == "OK_STALE"


def test_a_lease_that_ran_out_with_a_taker_is_lost(workers):
    a, b = workers
    a.acquire()
    a.expire_lease()
    assert b.acquire() == "GRANT"
    for answer in (a.begin("order"), a.end("order", "1"), a.finish("done"), a.finish("retry")):
        assert answer == "FENCED"
    assert "s:order" not in b.fields()


@pytest.mark.parametrize("lost", ["entry", "all"])
def test_a_lost_entry_is_fenced(workers, lost):
    a, b = workers
    a.acquire()
    a.begin("order")
    if lost == "entry":
        a.server.client.delete(a.key)
    else:
        a.server.client.flushall()
        assert a.end("order", "977") == "LOST" and a.acquire() == "LOST" and a.hello() == "LOST"
        assert a.finish("done") == "LOST"
        b.rebuild()
        a.hello()
    assert a.begin("order") == "FENCED" and a.end("order", "977") == "FENCED" and a.finish("done") == "FENCED"
    if lost == "all":
        assert a.acquire() == "GRANT", "no record was found that somebody may have begun"


def test_a_begin_does_not_replace_another_doubt(workers):
    a, _ = workers
    a.acquire()
    a.begin("order")
    assert a.begin("payment") == "FENCED"
    assert a.fields()["doubt"] == "order"


# Rule 3: what a look-up says

def test_found_is_adopted(workers):
    a, b = workers
    a.acquire()
    a.begin("order")
    a.expire_lease()
    assert b.acquire() == "RECONCILE order"
    assert b.end("order", "977", begin="goal:x") == "OK"
    assert b.finish("done", "goal:x", "in_doubt") == "OK"
    assert b.acquire() == "DONE" and b.flags == set()


def test_not_found_frees_the_step_and_is_looked_up_again(workers):
    a, b = workers
    a.acquire()
    a.begin("order")
    a.expire_lease()
    assert b.acquire() == "RECONCILE order"
    assert b.end("order", "", begin="order") == "OK"
    assert b.end("order", "978") == "OK"
    assert b.finish("done") == "OK"
    assert b.acquire() == "DONE" and b.flags == {"look_again"}


def test_the_doubts_age_counts_from_begin_and_anew_from_its_own_retry(workers):
    a, b = workers
    a.acquire()
    a.begin("order")
    a.server.client.hset(a.key, "doubt_at", a.server.now() - 90_000)
    assert a.finish("retry") == "OK"
    assert b.acquire() == "RECONCILE order" and int(b.grant["age"]) < 5_000


@pytest.mark.parametrize("kind", ["order", "record", "contact"])
def test_who_looks_a_doubt_up_and_gives_it_back_leaves_its_age(server, kind):
    """Else what is given back after each look, or by each stop, is never old enough for "not there" to count."""
    a, b = (Worker(server, name, kind=kind) for name in "ab")
    a.rebuild()
    a.acquire()
    a.begin("step")
    a.server.client.hset(a.key, "doubt_at", a.server.now() - 90_000)
    a.expire_lease()
    for worker in (b, a, b):
        assert worker.acquire() == "RECONCILE step" and 90_000 <= int(worker.grant["age"]) < 95_000
        assert worker.finish("retry") == "OK"


# Rules 14 and 15: written in another epoch, absent

def test_an_absent_order_is_new_unless_it_is_older_than_what_is_kept(workers):
    a, b = workers
    client, now = a.server.client, a.server.now()
    assert a.acquire(seen=1) == "GRANT" and a.flags == set() and "absent" not in a.fields(), "everything is kept yet"
    client.hset("t:ledger", mapping={"since": now - 10 * DAY, "keep": DAY})
    for seen, answer in ((now - DAY + 60_000, "GRANT"), (now - DAY - 1, "RECONCILE order")):
        client.delete(a.key)
        assert a.acquire(seen=seen) == answer
    assert a.flags == {"goals"} and a.fields()["absent"] == "1"
    assert a.fields()["doubt_at"] == client.hget("t:ledger", "born_at")
    assert a.end("order", "977") == "OK"
    assert a.finish("retry") == "OK"
    assert b.acquire(seen=1) == "GRANT"
    assert b.flags == {"goals"} and b.fields()["absent"] == "1", "until it is done"
    assert b.finish("done") == "OK"
    assert "absent" not in b.fields() and "goals" not in b.fields()


def test_an_older_version_of_the_pusher_fills_in_less(workers):
    """Its rebuild reads the fates alone, and does not write filled_by: what is older than the ledger is looked up."""
    a, _ = workers
    client, born = a.server.client, int(a.server.client.hget("t:ledger", "born_at"))
    client.hdel("t:ledger", "filled_by")
    for seen, answer in ((born + 599_000, "RECONCILE order"), (born + 601_000, "GRANT")):
        client.delete(a.key)
        assert a.acquire(seen=seen) == answer


def test_a_first_ledger_trusts_itself_until_entries_expire(server):
    a = Worker(server, "a")
    keys = ["t:ledger", "t:lock"]
    a.run("lock", keys, "a-token", 60000, 0)
    assert a.run("seal", keys, "a-token", "r", a.keep_ms, 1)[0] == "OK"
    assert a.acquire(seen=server.now() - 5000 * DAY) == "GRANT" and a.flags == set()
    server.client.hset("t:ledger", "since", server.now() - 401 * DAY)
    a.key += "0"
    assert a.acquire(seen=server.now() - 402 * DAY) == "RECONCILE order"


def test_the_shortest_keep_counts(workers):
    a, b = workers
    a.keep_ms = DAY
    assert a.hello() == "OK" and b.hello() == "OK"
    assert a.server.client.hget("t:ledger", "keep") == str(DAY)


@pytest.mark.parametrize("steps", [{}, {"order": "977"}])
def test_an_open_entry_of_another_epoch_is_asked_for(workers, steps):
    a, b = workers
    a.acquire()
    for step, result in steps.items():
        a.begin(step)
        a.end(step, result)
    a.run("distrust", ["t:ledger"])
    b.rebuild()
    assert a.begin("payment") == "FENCED"
    assert b.acquire() == ("GRANT" if steps else "RECONCILE order") and b.flags == {"goals"}, "at once: the lease is void"
    if steps:
        assert b.begin("order") == "FENCED", "a recorded order is not made again"
    else:
        assert b.end("order", "") == "OK" and b.begin("order") == "OK"
        b.end("order", "1")
        b.finish("retry")
        assert a.acquire() == "GRANT" and a.flags == {"goals", "look_again"}


def test_an_older_doubt_does_not_hide_the_order(workers):
    """In doubt about an earlier step when Redis was rolled back: the order step may have begun since."""
    a, b = workers
    a.acquire()
    a.begin("early")
    a.run("distrust", ["t:ledger"])
    b.rebuild()
    assert b.acquire() == "RECONCILE early"
    assert b.end("early", "5", begin="order") == "FENCED"
    assert b.finish("done") == "FENCED"
    assert b.acquire() == "RECONCILE order"
    assert b.end("order", "977") == "OK" and b.finish("done") == "OK"


def test_a_doubt_that_was_rolled_back_is_as_young_as_the_epoch(workers):
    """What is left may be an old doubt, cleared and begun anew in the lost moments (found by the model)."""
    a, b = workers
    a.acquire()
    a.begin("order")
    a.server.client.hset(a.key, "doubt_at", a.server.now() - 90_000)
    a.run("distrust", ["t:ledger"])
    b.rebuild()
    assert b.acquire() == "RECONCILE order" and int(b.grant["age"]) < 5_000


def test_done_outlives_the_epoch(workers):
    a, b = workers
    a.acquire()
    deliver(a)
    a.run("distrust", ["t:ledger"])
    b.rebuild()
    assert b.acquire() == "DONE"


# Rule 8: hello

def test_an_empty_redis_is_lost(server):
    a = Worker(server, "a")
    assert a.hello() == "LOST" and a.acquire() == "LOST" and a.begin("order") == "LOST" and a.forget("1") == "LOST"
    a.rebuild()
    assert a.acquire() == "GRANT"


@pytest.mark.parametrize("vouches, behind, answer",
                         [(1, 0, "OK"), (1, 1, "LOST"), (0, 0, "LOST"), (0, 1, "LOST")])
def test_another_run(workers, vouches, behind, answer):
    a, b = workers
    a.acquire()
    old = a.fence
    a.server.client.hincrby("t:ledger", "writes", -behind)
    assert a.hello(run="second", vouches=vouches) == answer
    if answer == "LOST":
        assert b.acquire() == "LOST", "for everybody"
        b.rebuild(run="second")
        assert a.begin("order") == "FENCED"
        return
    assert a.begin("order") == "OK", "nothing was lost: its lease holds"
    assert b.hello(run="second", vouches=vouches) == "OK", "it saw less than what was kept"
    b.expire_lease()
    b.acquire()
    assert int(b.fence.split("-")[1]) > int(old.split("-")[1]) + 1000, "no fence is ever given twice"


def test_a_loss_is_seen_by_whoever_saw_the_write(workers):
    """The disk lied: the last write is gone, and the first to come back had not seen it."""
    a, b = workers
    a.acquire()
    a.server.client.hincrby("t:ledger", "writes", -1)
    assert b.hello(run="second") == "OK"
    b.key += "0"
    for _ in range(5):
        b.acquire()
        b.finish("retry")
    assert a.hello(run="second") == "LOST", "though the counter is ahead again"


def test_the_same_run_with_a_lower_counter_is_lost(workers):
    a, _ = workers
    a.acquire()
    a.server.client.hincrby("t:ledger", "writes", -1)
    assert a.hello() == "LOST"


def test_the_epoch_only_grows(workers):
    a, _ = workers
    a.server.client.hset("t:ledger", "born_at", a.server.now() + DAY)  # the clock was set back since
    a.hello()
    before = int(a.server.client.hget("t:ledger", "born_at"))
    a.run("distrust", ["t:ledger"])
    a.rebuild()
    assert int(a.server.client.hget("t:ledger", "born_at")) == before + 1


def test_one_rebuilds_and_the_others_wait(server):
    a, b = Worker(server, "a"), Worker(server, "b")
    keys = ["t:ledger", "t:lock"]
    assert a.run("lock", keys, "a-token", 60000, 0) == ["1"]
    assert a.run("lock", keys, "a-token", 60000, 1) == ["1"]
    assert b.run("lock", keys, "b-token", 60000, 0) == ["0"]
    assert b.fill("done", 1) == "FENCED" and a.fill("done", 1) == "FILLED"
    assert a.acquire() == "LOST"
    server.client.delete("t:lock")
    assert a.run("lock", keys, "a-token", 60000, 1) == ["0"], "lost in between: what was filled in may be gone too"
    assert b.run("lock", keys, "b-token", 60000, 0) == ["1"]
    assert a.run("lock", keys, "a-token", 0, 2) == ["0"] and b.run("lock", keys, "b-token", 60000, 1) == ["1"], "not a's"
    assert b.run("lock", keys, "b-token", 0, 2) == ["0"] and not server.client.exists("t:lock"), "given back"
    assert b.run("lock", keys, "b-token", 60000, 0) == ["1"]
    assert a.fill("done", 1) == "FENCED"
    assert a.run("seal", keys, "a-token", "r", 1)[0] == "FENCED"
    assert b.run("seal", keys, "b-token", "r", 1)[0] == "OK"
    assert b.run("seal", keys, "b-token", "r", 1)[0] == "OK", "its reply was lost"
    assert a.run("seal", keys, "a-token", "r", 1)[0] == "FENCED"
    assert a.run("lock", keys, "a-token", 60000, 0) == ["0"], "there is nothing to rebuild"
