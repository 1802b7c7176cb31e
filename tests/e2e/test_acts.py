"""What operators do, on a real Kafka: retry, drop, pause, resume, and the audit of it all."""

import concurrent.futures
import json
import os
import signal
import sqlite3
import stat
import subprocess
import time

import pytest
from processes import binary, read_topic, wait_until, write_topic
from shop import mail, order
from shop_stack import Shop

PLENTY = 600  # more than retry hands over at once
REFUSE = {"side": "is", "method": "POST", "path": "/orders", "kind": "status", "status": 422}


@pytest.fixture(scope="module")
def stack(kafka):
    with Shop("e2e-acts", broker=kafka, prefix="acts", store={"poll_interval_s": 1}) as stack:
        stack.start()
        yield stack
        stack.clear_faults()
        stack.assert_right()


@pytest.fixture(autouse=True)
def left_as_found(request):
    """A test that failed leaves no fault, no stopped program and no pause to those after it."""
    yield
    if "stack" not in request.fixturenames:
        return
    stack = request.getfixturevalue("stack")
    stack.broker.process.signal(signal.SIGCONT)
    stack.redis.process.signal(signal.SIGCONT)
    stack.services["pusher"].signal(signal.SIGCONT)
    stack.clear_faults()
    if "is paused since" in stack.command("pause").stdout:
        for target in ("store:abc123", "account:main"):
            stack.command("resume", target)


def key(placed):
    return f"abc123/order/{placed['id']}"


def name(placed):
    return f"BC/{placed['id']}"


def entries(stack):
    return [one["entry"] for one in json.loads(stack.command("audit", "--json").stdout)["entries"] if one["link"] == "part"]


def last_act(stack):
    """The last act's two entries; the chain is whole."""
    stack.command("audit", "verify")
    begin, end = entries(stack)[-2:]
    assert begin["step"] == "begin" and end["step"] == "end" and end["of"] == begin["n"] and "@" in begin["who"]
    return begin, end


def dead_values(stack):
    """{key: newest value} of what `dead` still has."""
    last = {r.key: r.value for r in read_topic(stack.broker.address, stack.topic("dead"))}
    return {k: v for k, v in last.items() if v is not None}


def make_dead(stack, count=1):
    """Orders that the account refuses; it takes them when this is over."""
    stack.fault(**REFUSE)
    placed = [stack.place(order(mail("acts"))) for _ in range(count)]
    for one in placed:
        assert stack.wait_fate(one["id"], wanted=("dead", "refused"), timeout=60)
    stack.clear_faults()
    return placed


def pause_account(stack, why):
    """Waits until the pusher knows of it, too: it reads the topic of the pauses on its own, and would still make an order before that."""
    said = lambda: stack.services["pusher"].text().count("account_paused account=main")  # noqa: E731
    before = said()
    stack.command("pause", "account:main", "--why", why)
    wait_until(lambda: said() > before, 30, lambda: f"the pusher to be paused; {stack.trouble()}")


def start(stack, *words):
    return subprocess.Popen([binary("bigfusion"), *words, "--config", stack.config], env=stack.environment(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_retry_of_named_orders(stack):
    first, second = make_dead(stack, 2)
    mark = stack.mark()
    trial = json.loads(stack.command("retry", name(first), name(second), "--dry-run", "--json").stdout)
    assert trial["count"] == 2 and trial["reasons"] == {"refused": 2} and trial["dry_run"] and trial["sent"] == 0
    assert entries(stack) == [] or entries(stack)[-1].get("keys") != [key(first), key(second)]
    said = stack.command("retry", name(first), name(second), "--why", "it is repaired").stdout
    assert "2 of 2 orders were sent again" in said
    for one in (first, second):
        stack.wait_fate(one["id"], wanted=("delivered", None))
        assert len(stack.created(one["id"])) == 1
    begin, end = last_act(stack)
    assert begin["act"] == "retry" and begin["why"] == "it is repaired" and begin["keys"] == [key(first), key(second)]
    assert end["outcome"] == "done" and end["sent"] == 2
    assert stack.requests_since(mark, "POST", "/orders")
    wait_until(lambda: not {key(first), key(second)} & set(dead_values(stack)), 20, "the tombstones")
    again = stack.command("retry", name(first), check=False)
    assert again.returncode == 100 and "neither dead nor retrying nor waiting" in again.stderr


def test_retry_says_what_cannot_be_tried(stack):
    write_topic(stack.broker.address, stack.topic("dead"), "abc123/order/990001", b'{"id":"990001","size":5}',
                {"reason": "too_large", "stage": "filter", "modified_at": "1"})
    write_topic(stack.broker.address, stack.topic("dead"), "abc123/order/990002", b'{"id":990002}',
                {"reason": "gave_up", "stage": "poller", "modified_at": "1"})
    said = json.loads(stack.command("retry", "BC/990001", "BC/990002", "--json").stdout)
    whys = {one["key"]: one["why"] for one in said["refused"]}
    assert said["count"] == 0 and said["sent"] == 0
    assert "too large" in whys["abc123/order/990001"] and "did not show" in whys["abc123/order/990002"]
    for number in (990001, 990002):
        write_topic(stack.broker.address, stack.topic("dead"), f"abc123/order/{number}", None)
    assert stack.command("retry", check=False).returncode == 100  # not everything by mistake
    assert stack.command("retry", "--store", "nowhere", check=False).returncode == 100


def test_retry_killed_and_repeated(stack):
    """Many dead orders; the command is killed half-way, interrupted, and repeated: each order is made once."""
    placed = make_dead(stack, PLENTY)
    choice = ("retry", "--store", "BC", "--reason", "refused", "--since", "1h")
    sent = lambda: sum(r.headers.get("source") == "replay"  # noqa: E731
                       for r in read_topic(stack.broker.address, stack.topic("orders.payloads")))
    before = sent()
    stack.services["pusher"].signal(signal.SIGSTOP)  # so that it waits for room half-way
    half = start(stack, *choice)
    wait_until(lambda: sent() > before + 100 or half.poll() is not None, 60, "the first records")
    assert half.poll() is None, "it waits for the pusher"
    half.kill()
    half.communicate()
    second = start(stack, *choice)
    wait_until(lambda: entries(stack)[-1]["step"] == "begin" and entries(stack)[-2]["step"] == "begin", 60, "its entry")
    second.send_signal(signal.SIGINT)
    said = second.communicate(timeout=60)
    assert second.returncode == 0 and "cancelled" in said[0], said
    assert entries(stack)[-1]["outcome"] == "cancelled"
    stack.services["pusher"].signal(signal.SIGCONT)
    stack.command(*choice, timeout=300)
    stack.wait_drained(120)
    wait_until(lambda: not {key(one) for one in placed} & set(dead_values(stack)), 60, "the list to empty itself")
    assert all(len(stack.created(one["id"])) == 1 for one in placed[:20])
    assert not [e for e in stack.journal() if e["side"] == "is" and e["status"] == 429]
    stack.assert_right()
    last_act(stack)


def editor(stack, name, lines):
    path = f"{stack.run}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + lines)
    os.chmod(path, stat.S_IRWXU)
    return path


def test_retry_edit(stack):
    placed, = make_dead(stack)
    seen = f"{stack.run}/seen"
    stack.env["EDITOR"] = editor(stack, "look", f'stat -c "%a %n" "$1" >{seen}\n')
    try:
        said = stack.command("retry", "--edit", name(placed)).stdout
        assert "nothing was changed" in said
        mode, path = open(seen, encoding="utf-8").read().split()
        assert mode == "600" and not os.path.exists(path)
        count = len(entries(stack))
        stack.env["EDITOR"] = editor(stack, "spoil", 'echo "{" >"$1"\n')
        assert stack.command("retry", "--edit", name(placed), check=False).returncode == 100
        stack.env["EDITOR"] = editor(stack, "fail", "exit 1\n")
        assert stack.command("retry", "--edit", name(placed), check=False).returncode == 100
        assert len(entries(stack)) == count and key(placed) in dead_values(stack)
        stack.env["EDITOR"] = editor(stack, "change", 'python3 -m json.tool "$1" "$1.new" && mv "$1.new" "$1"\n')
        stack.command("retry", "--edit", name(placed), "--why", "a name")
    finally:
        del stack.env["EDITOR"]
    stack.wait_fate(placed["id"], wanted=("delivered", None))
    begin, end = last_act(stack)
    assert begin["act"] == "retry --edit" and end["outcome"] == "done"
    assert begin["digest_before"] != begin["digest_after"] and len(begin["digest_after"]) == 64
    assert "Grace" not in json.dumps(entries(stack)) and "example.com" not in json.dumps(entries(stack))
    edited = [r for r in read_topic(stack.broker.address, stack.topic("orders.payloads")) if r.key == key(placed)][-1]
    assert edited.headers["source"] == "replay" and b"\n" in edited.value


def test_retrying_orders_at_once(stack):
    """An order of a retry topic is sent again before its time; the old record then finds it delivered."""
    stack.fault(side="is", method="POST", path="/orders", kind="status", status=500)
    placed = stack.place(order(mail("acts")))
    wait_until(lambda: any(r.key == key(placed) for r in read_topic(stack.broker.address, stack.topic("retry-1m"))), 30,
               stack.trouble)
    stack.clear_faults()
    stack.command("retry", "--retrying", name(placed), check=False)  # it may be through by itself already
    stack.wait_fate(placed["id"], wanted=("delivered", None))
    assert len(stack.created(placed["id"])) == 1


def test_drop_of_a_dead_order(stack):
    placed, = make_dead(stack)
    assert "needs a reason" in stack.command("drop", name(placed), check=False).stderr
    stack.command("drop", name(placed), "--why", "a test order")
    assert stack.fate(placed["id"]) == ("skipped", "dropped") or stack.wait_fate(placed["id"], wanted=("skipped", "dropped"))
    wait_until(lambda: key(placed) not in dead_values(stack), 30, "the tombstone")
    begin, end = last_act(stack)
    assert begin["act"] == "drop" and begin["why"] == "a test order" and begin["keys"] == [key(placed)] and end["outcome"] == "done"
    again = stack.command("drop", name(placed), "--why", "once more", check=False)
    assert again.returncode == 100 and "skipped already" in again.stderr
    change_back(stack, placed)


def change_back(stack, placed):
    """A later change in the store is a newer version, which is delivered; so the judge finds every order where it belongs."""
    stack.change(placed["id"], status_id=10)
    stack.wait_fate(placed["id"], wanted=("delivered", None), timeout=60)
    assert len(stack.created(placed["id"])) == 1


def test_drop_of_an_order_that_waits(stack):
    """Its record is still in the waiting topic, and is not delivered after the pause."""
    pause_account(stack, "try")
    placed = stack.place(order(mail("acts")))
    wait_until(lambda: any(r.key == key(placed) for r in read_topic(stack.broker.address, stack.topic("waiting.main"))), 30,
               stack.trouble)
    stack.command("drop", name(placed), "--why", "not wanted")
    stack.command("resume", "main")
    other = stack.place_and_wait(order(mail("acts")), timeout=60)
    assert stack.wait_fate(placed["id"], wanted=("skipped", "dropped"))
    assert len(stack.created(other["id"])) == 1 and stack.created(placed["id"]) == []
    change_back(stack, placed)


def hold(stack, entry, prefix="acts"):
    """Somebody else has the entry of the ledger in hand, so an act waits for it. @returns what gives it back"""
    name_of = f"{prefix}:ledger:main:{entry}"
    assert stack.redis.command("EXISTS", name_of) == b"1"
    stack.redis.command("HSET", name_of, "lease", str(int(time.time() * 1000) + 25000), "owner", "test")
    return lambda: stack.redis.command("HSET", name_of, "lease", "0")


def state(stack, placed):
    script = "return redis.status_reply(redis.call('HGET', KEYS[1], 'state') or '')"
    return stack.redis.command("EVAL", script, "1", f"acts:ledger:main:{key(placed)}")


def wait_begin(stack, act, process, count):
    wait_until(lambda: len(entries(stack)) > count or process.poll() is not None, 20, f"the entry of {act}")
    assert process.poll() is None, process.communicate()
    assert entries(stack)[-1]["act"] == act and entries(stack)[-1]["step"] == "begin"


@pytest.mark.parametrize("at", ["begin", "withdrawn"])
def test_drop_killed_and_repeated(stack, at):
    """Killed before the ledger knows, and between the ledger and the fate: the same command finishes it."""
    placed, = make_dead(stack)
    count = len(entries(stack))
    give_back = hold(stack, key(placed))
    killed = start(stack, "drop", name(placed), "--why", "killed")
    wait_begin(stack, "drop", killed, count)
    if at == "withdrawn":
        stack.broker.process.signal(signal.SIGSTOP)  # the fate cannot be published
        give_back()
        wait_until(lambda: state(stack, placed) == b"withdrawn", 20, "the ledger to say so")
    killed.kill()
    killed.communicate()
    stack.broker.process.signal(signal.SIGCONT)
    give_back()
    assert key(placed) in dead_values(stack)
    assert not any(r.key == key(placed) for r in read_topic(stack.broker.address, stack.topic("skipped")))
    assert [one["step"] for one in entries(stack)[count:]] == ["begin"]
    stack.command("drop", name(placed), "--why", "once more", timeout=120)
    stack.wait_fate(placed["id"], wanted=("skipped", "dropped"))
    wait_until(lambda: key(placed) not in dead_values(stack), 30, "the tombstone")
    assert last_act(stack)[1]["outcome"] == "done"
    change_back(stack, placed)


def test_drop_killed_and_not_repeated(stack):
    """Killed between the ledger and the fate: whoever reads the record that waits publishes the fate."""
    pause_account(stack, "try")
    placed = stack.place(order(mail("acts")))
    wait_until(lambda: any(r.key == key(placed) for r in read_topic(stack.broker.address, stack.topic("waiting.main"))), 30,
               stack.trouble)
    count = len(entries(stack))
    give_back = hold(stack, key(placed))
    killed = start(stack, "drop", name(placed), "--why", "killed")
    wait_begin(stack, "drop", killed, count)
    stack.broker.process.signal(signal.SIGSTOP)  # the fate cannot be published
    give_back()
    wait_until(lambda: state(stack, placed) == b"withdrawn", 20, "the ledger to say so")
    killed.kill()
    killed.communicate()
    stack.broker.process.signal(signal.SIGCONT)
    assert not any(r.key == key(placed) for r in read_topic(stack.broker.address, stack.topic("skipped")))
    stack.command("resume", "main")
    stack.wait_fate(placed["id"], wanted=("skipped", "dropped"), timeout=60)
    assert stack.created(placed["id"]) == []
    change_back(stack, placed)


def test_drop_while_redis_is_away(stack):
    """The command says so and ends, the audit has it as failed, and nothing is half done."""
    placed, = make_dead(stack)
    stack.redis.process.signal(signal.SIGSTOP)
    failed = stack.command("drop", name(placed), "--why", "no Redis", check=False, timeout=120)
    stack.redis.process.signal(signal.SIGCONT)
    assert failed.returncode == 111 and failed.stderr
    assert last_act(stack)[1]["outcome"] == "failed"
    assert key(placed) in dead_values(stack)
    stack.command("drop", name(placed), "--why", "Redis is back", timeout=120)
    stack.wait_fate(placed["id"], wanted=("skipped", "dropped"))
    change_back(stack, placed)


def test_two_operators_and_one_order(stack):
    """The same order sent again by four at once is made once; dropped by four at once it is skipped."""
    placed, other = make_dead(stack, 2)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda n: stack.command("retry", name(placed), check=False, timeout=120), range(4)):
            pass
        drops = list(pool.map(lambda n: stack.command("drop", name(other), "--why", str(n), check=False, timeout=120), range(4)))
    assert 0 in {one.returncode for one in drops}
    assert all(one.returncode == 0 or one.returncode in (100, 111) and one.stderr for one in drops)
    stack.wait_fate(placed["id"], wanted=("delivered", None))
    assert len(stack.created(placed["id"])) == 1
    stack.wait_fate(other["id"], wanted=("skipped", "dropped"))
    stack.command("audit", "verify")
    change_back(stack, other)


def test_drop_is_refused(stack):
    placed = stack.place_and_wait(order(mail("acts")))
    count = len(entries(stack))
    delivered = stack.command("drop", name(placed), "--why", "too late", check=False)
    assert delivered.returncode == 100 and "delivered already" in delivered.stderr
    unknown = stack.command("drop", "BC/999999", "--why", "?", check=False)
    assert unknown.returncode == 100 and "no topic has a record" in unknown.stderr
    assert len(entries(stack)) == count


def test_paused_account(stack):
    """Nothing is sent, no attempt is counted, a lost Redis does not resume, and nothing is lost."""
    assert "nothing is paused" in stack.command("pause").stdout
    pause_account(stack, "an import")
    assert "account/main is paused since" in stack.command("pause").stdout
    assert "as before" in stack.command("pause", "account:main").stdout
    mark = stack.mark()
    placed = stack.place(order(mail("acts")))

    def waits():
        return [r for r in read_topic(stack.broker.address, stack.topic("waiting.main")) if r.key == key(placed)]
    record = wait_until(waits, 30, stack.trouble)[0]
    assert record.headers["reason"] == "account_closed" and "paused by an operator" in record.headers["detail"]
    assert "attempt" not in record.headers
    stack.redis.command("FLUSHALL")
    stack.restart("pusher", wait=False)
    second = stack.place(order(mail("acts")))
    wait_until(lambda: any(r.key == key(second) for r in read_topic(stack.broker.address, stack.topic("waiting.main"))), 60,
               stack.trouble)
    assert not stack.requests_since(mark, "POST")
    stack.command("resume", "main")
    for one in (placed, second):
        stack.wait_fate(one["id"], wanted=("delivered", None), timeout=60)
        assert len(stack.created(one["id"])) == 1
    assert [one["act"] for one in entries(stack)[-2:]] == ["resume", "resume"]


def test_paused_store(stack):
    """A round of polls that waits for the store's quota ends with the pause, too, and a new poller knows of it."""
    def lists():
        return len([e for e in stack.journal() if e["side"] == "bc" and e["path"].endswith("/orders") and e["method"] == "GET"])
    stack.fault(side="bc", method="GET", path="/orders", kind="status", status=429, headers={"X-Rate-Limit-Time-Reset-Ms": "300000"})
    wait_until(lambda: "store throttled" in stack.services["poller"].text(), 20, "the store to be throttled")
    stack.command("pause", "BC")
    try:
        wait_until(lambda: stack.redis.command("EXISTS", "acts:poller:abc123:lease") == b"0", 20, "the lease to be given back")
        stack.clear_faults()
        before = lists()
        placed = stack.place(order(mail("acts")))
        stack.restart("poller")  # it is ready when it knows what is paused
        wait_until(lambda: "paused store/abc123" in stack.services["poller"].text(), 20, "the new poller to know")
        assert lists() == before and stack.fate(placed["id"]) is None
    finally:
        stack.clear_faults()
        stack.command("resume", "BC")
    stack.wait_fate(placed["id"], wanted=("delivered", None), timeout=60)


def test_audit_of_many_at_once(stack):
    """Eight operators at the same time: each act has its place, and the chain is whole."""
    placed = make_dead(stack, 8)
    before = len(entries(stack))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: stack.command("retry", name(one), "--why", str(one["id"]), timeout=120), placed))
    assert all("1 of 1 orders were sent again" in one.stdout for one in answers)
    found = entries(stack)[before:]
    assert len(found) == 16 and [one["n"] for one in found] == list(range(before + 1, before + 17))
    assert {one["why"] for one in found if one["step"] == "begin"} == {str(one["id"]) for one in placed}
    whole = json.loads(stack.command("audit", "verify", "--json").stdout)
    assert whole["whole"] and whole["entries"] == before + 16
    print(f"audit: entries={whole['entries']} void={whole['void']}")
    for one in placed:
        stack.wait_fate(one["id"], wanted=("delivered", None))


def test_audit_that_was_changed(kafka):
    """An entry that somebody put in, and an act while the audit cannot be written."""
    with Shop("e2e-acts-audit", broker=kafka, prefix="acts2") as stack:
        stack.start(services=[])
        stack.command("pause", "BC")
        assert stack.command("audit", "verify").stdout.startswith("audit: 2 entries, the chain is whole")
        write_topic(kafka.address, stack.topic("audit"), None, b'{"n":3,"before":"00","act":"nothing"}', partition=0)
        broken = stack.command("audit", "verify", check=False)
        assert broken.returncode == 100 and "broken at entry 3 (offset 2)" in broken.stderr
        stack.command("resume", "BC")  # operators can go on
        assert "broken at entry 3" in stack.command("audit", "verify", check=False).stderr


def emails(path):
    """{number of the order: whether the index has an e-mail's digest for it}"""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return {row[0] & (1 << 44) - 1: row[1] is not None for row in db.execute("SELECT number, email FROM orders")}


def start_console(stack, path):
    stack.start_service("console", env={"BIGFUSION_CONSOLE_INDEX_FILE": path, "BIGFUSION_CONSOLE_LISTEN": "127.0.0.1:0"})


def test_forget(kafka):
    """The person's traces are gone, the other person's are not, and no order is made twice."""
    with Shop("e2e-acts-forget", broker=kafka, prefix="acts3") as stack:
        stack.start()
        path = f"{stack.run}/index.sqlite"
        start_console(stack, path)
        email, other = mail("forget"), mail("stay")
        first = stack.place_and_wait(order(email))
        script = "return redis.status_reply(redis.call('KEYS', ARGV[1])[1])"
        contact = stack.redis.command("EVAL", script, "0", "acts3:ledger:main:contact:*").decode().removeprefix("acts3:ledger:main:")
        stack.fault(**REFUSE)
        dead = stack.place_and_wait(order(email), wanted=("dead", "refused"))
        stays = stack.place_and_wait(order(other), wanted=("dead", "refused"))
        stack.clear_faults()
        numbers = {one["id"] for one in (first, dead, stays)}
        wait_until(lambda: os.path.exists(path) and set(emails(path)) >= numbers and all(emails(path).values()), 30, stack.trouble)
        raw = next(r for r in stack.raw_records() if r.key == key(first))
        named = stack.command("forget", email, "--why", f"<{email}> asked", check=False)
        assert named.returncode == 100 and "names the address" in named.stderr and entries(stack) == []
        give_back = hold(stack, contact, "acts3")
        killed = start(stack, "forget", email, "--why", "killed")
        wait_until(lambda: key(dead) in dead_values(stack) and b"forgotten" in dead_values(stack)[key(dead)], 20, "dead to be blanked")
        killed.kill()
        killed.communicate()
        assert [one["step"] for one in entries(stack)] == ["begin"]
        give_back()
        said = subprocess.run([binary("bigfusion"), "forget", "--email", "-", "--why", "ticket 17", "--json", "--config", stack.config],
                              env=stack.environment(), input=email.upper() + "\n", capture_output=True, text=True, timeout=60, check=False)
        assert said.returncode == 0, said.stderr
        receipt = json.loads(said.stdout)
        assert receipt["removed"]["dead"] == [] and receipt["stays"]["on_the_way"] == 0
        assert [one["account"] for one in receipt["stays"]["infusionsoft"]] == ["main"]
        assert email not in said.stdout.lower() and email not in stack.command("audit", "--json").stdout.lower()
        begin, end = last_act(stack)
        assert begin["act"] == "forget" and begin["email_digest"] == receipt["email_digest"] and end["outcome"] == "done"
        assert stack.redis.command("EXISTS", f"acts3:ledger:main:contact:{receipt['email_digest']}") == b"0"
        left = [r for r in read_topic(kafka.address, stack.topic("dead")) if r.key == key(dead)][-1]
        assert left.headers["reason"] == "refused" and left.headers["stage"] == "pusher" and set(left.json()) == {"forgotten", "digest"}
        assert "Grace" in dead_values(stack)[key(stays)].decode()
        assert "forgotten" in stack.command("retry", name(dead)).stdout
        wanted = {first["id"]: False, dead["id"]: False, stays["id"]: True}
        wait_until(lambda: {k: v for k, v in emails(path).items() if k in numbers} == wanted, 20, lambda: str(emails(path)))
        stack.services["console"].stop()
        for name_of in os.listdir(stack.run):
            if name_of.startswith("index.sqlite"):
                os.unlink(f"{stack.run}/{name_of}")
        start_console(stack, path)  # an index that is built anew
        wait_until(lambda: os.path.exists(path) and {k: v for k, v in emails(path).items() if k in numbers} == wanted, 30,
                   lambda: str(emails(path)))
        # the order again, with the contact unknown to Redis: nothing is made twice
        write_topic(kafka.address, stack.topic("orders.raw"), raw.key, raw.value, raw.headers)
        again = stack.place_and_wait(order(email))
        stack.redis.command("FLUSHALL")  # a rebuild reads the blanked record too
        write_topic(kafka.address, stack.topic("orders.raw"), raw.key, raw.value, raw.headers)
        stack.place_and_wait(order(other), timeout=60)
        assert len(stack.created(first["id"])) == 1 and len(stack.created(again["id"])) == 1
        assert stack.contact(email)
        assert stack.fate(dead["id"]) == ("dead", "refused")
        assert stack.command("forget", "nobody", check=False).returncode == 100
