"""Redis loses everything: what Kafka remembers of each order decides whether it is looked up and whether its goals are sent."""

import os
import re
import subprocess

import pytest
from processes import ROOT, binary, read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop

LONG, SHORT = "900,900,900", "1,1,1"  # what is in retry stays there, or comes back at once
# A call may take longer than a busy machine keeps anybody waiting: one that is given up is looked up, or leaves a goal in doubt.
SETTINGS = {"pusher": {"workers": 4, "http_timeout_s": 6, "visibility_delay_s": 6, "retry_delays_s": LONG}}


@pytest.fixture(scope="module")
def shop(kafka):
    with Shop("e2e-redis-loss", broker=kafka, prefix=f"loss{os.getpid()}", settings=SETTINGS) as stack:
        stack.start()
        stack.place_and_wait(order(mail("first")))
        yield stack
        stack.clear_faults()
        start_pusher(stack, SHORT)
        stack.wait_drained(60)
        stack.assert_right(lost=0, duplicated=0)


@pytest.fixture(autouse=True)
def no_faults_left(shop):
    yield
    shop.clear_faults()


def start_pusher(shop, delays=LONG):
    shop.env["BIGFUSION_PUSHER_RETRY_DELAYS_S"] = delays
    shop.restart("pusher")


def key_of(placed):
    return f"abc123/order/{placed['id']}"


def records(shop, topic, placed):
    return [r for r in read_topic(shop.broker.address, shop.topic(topic)) if r.key == key_of(placed)]


def wait_record(shop, topic, placed, wanted=1):
    return wait_until(lambda: len(found := records(shop, topic, placed)) >= wanted and found[-1], 30,
                      lambda: f"{key_of(placed)} in {topic}; {shop.trouble()}")


def wait_committed(shop):
    """The pusher's group has every payload behind it: what is not finished lies in another topic."""
    env = {**shop.environment(), "PLACES_GROUP": shop.topic("pusher"), "PLACES_TOPICS": shop.topic("orders.payloads")}

    def done():
        answer = subprocess.run([binary("kafka-places")], env=env, capture_output=True, text=True, timeout=60, check=True)
        places = [[int(word) for word in line.split()[1:]] for line in answer.stdout.splitlines()]
        return all(end in (0, committed) for _, _, end, committed, _ in places)
    wait_until(done, 30, lambda: f"all payloads to be committed; {shop.trouble()}")


def lose(shop):
    """Redis is emptied under a pusher that runs. Returns the pusher's line about the rebuild.

    The poller, which publishes the last orders once more when Redis is lost, is kept from that until the rebuild is over: what
    is taken in hand before counts as begun.
    """
    shop.services["poller"].stop()
    wait_committed(shop)
    before = shop.services["pusher"].text().count(" rebuild ended ")
    assert shop.redis.command("FLUSHALL") == b"OK"
    line = wait_rebuilt(shop, before)
    shop.start_service("poller")
    return line


def wait_rebuilt(shop, before=0):
    def ended():
        lines = [line for line in shop.services["pusher"].text().splitlines() if " rebuild ended " in line]
        return len(lines) > before and lines[-1]
    return wait_until(ended, 30, lambda: f"the rebuild; {shop.trouble()}")


def lookups(shop, placed):
    return len(shop.requests_since(0, "GET", "/orders", f"bc-abc123-{placed['id']}"))


def goals_of(shop, placed):
    steps = delivered(shop, placed)["steps"]
    return {name.removeprefix("goal:"): result for name, result in steps.items() if name.startswith("goal:")}


def delivered(shop, placed):
    shop.wait_fate(placed["id"], wanted=("delivered", None), timeout=60)
    return [r for r in shop.fate_records(key_of(placed)) if r.topic == "delivered"][-1].json()


def sent(shop, sku):
    """How often the goal of that SKU was asked for, whatever was answered."""
    return len(shop.requests_since(0, "POST", "/goals/achieve", sku))


def assert_all_goals_sent_without_a_look(shop, placed):
    assert set(goals_of(shop, placed).values()) == {"sent"}
    assert delivered(shop, placed)["in_doubt"] == []
    assert lookups(shop, placed) == 0
    assert len(shop.created(placed["id"])) == 1


def assert_looked_up_and_goals_withheld(shop, placed):
    assert set(goals_of(shop, placed).values()) == {"in_doubt"}
    assert lookups(shop, placed) > 0
    assert len(shop.created(placed["id"])) == 1


def half_done(shop, word):
    """An order that is made, its first goal sent, its second one forbidden: the account is closed for it."""
    email = mail(word.lower())
    shop.fault(side="is", method="POST", path="/automations/goals", kind="status", status=403, match=f"{word}-B", count=1)
    return email, shop.place(order(email, [item(f"{word}-A", "A"), item(f"{word}-B", "B")]))


def assert_went_on(shop, word, email, placed, refused):
    """Contact and order are not made again, the goal that was sent is not sent again, the other one is."""
    assert_all_goals_sent_without_a_look(shop, placed)
    assert len(shop.requests_since(0, "POST", "/contacts", email)) == 1
    assert len(shop.requests_since(0, "POST", "/orders", f"bc-abc123-{placed['id']}")) == 1
    assert sent(shop, f"{word}-A") == 1, "it was sent before the loss"
    assert sent(shop, f"{word}-B") == refused + 1


# -- nobody had touched it -----------------------------------------------------------------------------------------


def wait_payload_while_stopped(shop, word):
    shop.services["pusher"].stop()
    placed = shop.place(order(mail(word), [item(word.upper(), word)]))
    wait_record(shop, "orders.payloads", placed)
    return placed


def test_an_order_that_nobody_had_touched_is_like_any_other(shop):
    placed = wait_payload_while_stopped(shop, "untouched")
    assert shop.redis.command("FLUSHALL") == b"OK"
    start_pusher(shop)
    assert " known=0 careful=0 " in wait_rebuilt(shop)
    assert_all_goals_sent_without_a_look(shop, placed)


# -- a pusher wrote how far it was ---------------------------------------------------------------------------------


def test_one_in_retry_goes_on_with_its_steps_known(shop):
    """Its goal is refused when it is tried once more, and the contact cannot be looked up then."""
    shop.fault(side="is", method="GET", path="/contacts", kind="status", status=503, match="retried", every=2)
    email, placed = half_done(shop, "RETRIED")
    shop.fault(side="is", method="POST", path="/automations/goals", kind="status", status=400, match="RETRIED-B", count=1)
    ledger = wait_record(shop, "retry-1m", placed).headers["ledger"]
    assert '"order"' in ledger and "RETRIED-A" in ledger and "RETRIED-B" not in ledger
    assert " known=1 " in lose(shop)
    shop.clear_faults()
    start_pusher(shop, SHORT)
    assert_went_on(shop, "RETRIED", email, placed, refused=2)
    start_pusher(shop)


def test_one_in_waiting_goes_on_with_its_steps_known(shop):
    """No probe opens the account again."""
    shop.fault(side="is", method="GET", path="/oauth", kind="status", status=503)
    email, placed = half_done(shop, "WAITED")
    assert "WAITED-A" in wait_record(shop, "waiting.main", placed).headers["ledger"]
    lose(shop)
    shop.clear_faults()
    assert_went_on(shop, "WAITED", email, placed, refused=1)


def test_a_dead_order_that_is_replayed_goes_on_where_it_was(shop):
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=422, match="REPLAYEDLINE", body='{"message":"no"}')
    email = mail("replayed")
    placed = shop.place_and_wait(order(email, [item("REPLAYED", "REPLAYEDLINE")]), wanted=("dead", "refused"))
    assert '"v":1' in wait_record(shop, "dead", placed).headers["ledger"]
    lose(shop)
    shop.clear_faults()
    payload = records(shop, "orders.payloads", placed)[0]
    write_topic(shop.broker.address, shop.topic("orders.payloads"), payload.key, payload.value,
                {**payload.headers, "source": "replay"})
    assert_all_goals_sent_without_a_look(shop, placed)
    assert len(shop.requests_since(0, "POST", "/contacts", email)) == 1


# -- nobody can say how far it was ---------------------------------------------------------------------------------


def test_one_that_was_in_hand_is_looked_up_and_its_goals_are_withheld(shop):
    shop.fault(side="is", method="POST", path="/orders", kind="delay", delay_ms=10000, match="INHAND", count=1)
    placed = shop.place(order(mail("inhand"), [item("INHAND", "INHAND")]))
    entry = f"{shop.prefix}:ledger:main:{key_of(placed)}"
    wait_until(lambda: shop.redis.command("HEXISTS", entry, "doubt") == b"1", 30, shop.trouble)
    shop.kill("pusher")
    assert shop.redis.command("FLUSHALL") == b"OK"
    start_pusher(shop)
    assert_looked_up_and_goals_withheld(shop, placed)


def test_one_in_retry_without_the_header_is_looked_up_and_its_goals_are_withheld(shop):
    """As a pusher of an earlier version wrote it."""
    shop.fault(side="is", method="GET", path="/contacts", kind="status", status=503, match="headerless")
    placed = shop.place(order(mail("headerless"), [item("HEADERLESS", "H")]))
    record = wait_record(shop, "retry-1m", placed)
    headers = {name: text for name, text in record.headers.items() if name != "ledger"}
    write_topic(shop.broker.address, shop.topic("retry-1m"), record.key, record.value, headers)
    lose(shop)
    shop.clear_faults()
    start_pusher(shop, SHORT)
    assert_looked_up_and_goals_withheld(shop, placed)
    start_pusher(shop)


def test_one_in_retry_whose_entry_is_gone_is_looked_up_and_its_goals_are_withheld(shop):
    """As where the pusher that rebuilt the ledger did not have its account in its settings."""
    shop.fault(side="is", method="GET", path="/contacts", kind="status", status=503, match="entryless")
    placed = shop.place(order(mail("entryless"), [item("ENTRYLESS", "E")]))
    wait_record(shop, "retry-1m", placed)
    assert shop.redis.command("DEL", f"{shop.prefix}:ledger:main:{key_of(placed)}") == b"1"
    shop.clear_faults()
    start_pusher(shop, SHORT)
    assert_looked_up_and_goals_withheld(shop, placed)
    start_pusher(shop)


def forget_marks(shop):
    """Commits where the group stands once more, as a tool does that knows nothing of marks."""
    command = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{ROOT}/build/kafka/lib/*",
               "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", shop.broker.address,
               "--reset-offsets", "--to-current", "--execute", "--group", f"{shop.prefix}.pusher", "--topic",
               shop.topic("orders.payloads")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0 and "Error" not in answer.stdout, answer.stdout + answer.stderr


def test_without_a_mark_an_order_is_looked_up_and_its_goals_are_withheld(shop):
    placed = wait_payload_while_stopped(shop, "unmarked")
    forget_marks(shop)
    assert shop.redis.command("FLUSHALL") == b"OK"
    start_pusher(shop)
    wait_rebuilt(shop)
    line, = [line for line in shop.services["pusher"].text().splitlines() if "rebuild finds no mark" in line]
    assert re.search(r" records=[1-9]", line)
    assert_looked_up_and_goals_withheld(shop, placed)
