"""The console's index on a real Kafka: whatever happens to the console, its file says what the topics say."""

import json
import os
import re
import sqlite3
import subprocess
import time

import pytest
from processes import write_topic, wait_until
from shop import item, mail, order
from shop_stack import Shop

ORDERS = 100
LISTS = ("none", "queued", "retrying", "waiting", "skipped", "dead", "delivered")


def index_file(stack, name):
    return f"{stack.run}/{name}.sqlite"


def start_console(stack, name="console", **more):
    return stack.start_service(name, env={"BIGFUSION_CONSOLE_INDEX_FILE": index_file(stack, name), "BIGFUSION_CONSOLE_LISTEN":
                                          "127.0.0.1:0", **more})


def metric(stack, name, which):
    """None where the console does not answer yet."""
    try:
        text = stack.metrics(name)
    except OSError:
        return None
    found = re.search(rf"^bigfusion_console_{which} (\d+)$", text, re.M)
    return int(found[1]) if found else None


def wait_caught_up(stack, name="console", timeout=60):
    """Everything is read, and the batch is written."""
    ends = stack.ends()
    wait_until(lambda: metric(stack, name, "left_records") == 0, timeout, lambda: f"{name} to have read all: {stack.services[name].tail()}")
    wait_until(lambda: is_at(index_file(stack, name), ends), timeout, lambda: f"{name} to be at {ends}")


def rows(path, query):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(query).fetchall()


def positions(path):
    return {(topic, partition, end) for topic, partition, end in rows(
        path, "SELECT name, partition, next FROM positions JOIN topics ON number = topic")}


def is_at(path, ends):
    """Whether the file is at these ends, or beyond them: a poller may save a position meanwhile."""
    found = {(topic, partition): end for topic, partition, end in positions(path)}
    return all(found.get((topic, partition), 0) >= end for topic, partition, end in ends)


def content(path):
    """Everything that the file says, by keys and names, so that two files can be compared."""
    keys = """SELECT orders.number, coalesce(other_keys.key, hash || '/order/' || (orders.number & 17592186044415))
              FROM orders LEFT JOIN other_keys ON other_keys.number = orders.number
              LEFT JOIN stores ON stores.number = orders.number >> 44"""
    names = dict(rows(path, keys))
    found = {"orders": {}, "events": set()}
    for number, *row in rows(path, "SELECT number, list, reason, since_ms, last_ms, latency_ms, email, order_id, state FROM orders"):
        found["orders"][names[number]] = tuple(row)
    for number, *row in rows(path, """SELECT events.number, name, partition, offset, time_ms, version, facts
                                      FROM events JOIN topics ON topics.number = topic"""):
        found["events"].add((names[number], *row))
    found["counts"] = {row for row in rows(path, "SELECT * FROM counts") if row[2]}
    found["cursors"] = set(rows(path, "SELECT * FROM cursors"))
    return found


def assert_same(one, other):
    """As ==, but a difference is told by its keys."""
    for part in one:
        assert one[part] == other[part], f"{part}: {str(set(one[part]) ^ set(other[part]))[:500]}"


def fates(path):
    return {key: LISTS[row[0]] for key, row in content(path)["orders"].items()}


class IndexShop(Shop):
    def ends(self):
        """{(topic, partition, end)} of all partitions that are not empty, by the broker."""
        topics = [t for t in self.topics() if not t.endswith((".audit", ".paused"))]
        words = [word for t in topics for p in range(self.partitions) for word in ("-t", f"{t}:{p}:-1")]
        answer = subprocess.run(["kcat", "-b", self.broker.address, "-Q", *words], capture_output=True, text=True, timeout=30, check=True)
        ends = re.findall(r"^(\S+) \[(\d+)\] offset (\d+)$", answer.stdout, re.M)
        assert len(ends) == len(words) // 2, answer.stdout
        return {(topic, int(partition), int(end)) for topic, partition, end in ends if int(end)}

    def place_many(self, count, first=0):
        for i in range(first, first + count):
            self.place(order(status_id=(5 if i % 7 == 0 else 11), items=[item("A", 10)],
                             email="no address" if i % 11 == 0 else mail(f"index-{i}")))


@pytest.fixture(scope="module")
def shop(kafka):
    with IndexShop("e2e-console-index", broker=kafka, prefix="index1", orders=ORDERS) as stack:
        stack.start()
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


def test_the_index_says_what_the_judge_says_and_a_rebuilt_one_says_the_same(shop):
    start_console(shop)
    shop.wait_ready("console")
    shop.place_many(30)
    shop.wait_drained(90)
    wait_caught_up(shop)
    path = index_file(shop, "console")
    wanted = {key: shop.fate(key.split("/")[2])[0] for key in shop.wanted_fates()}
    assert fates(path) == wanted
    start_console(shop, "console-again")
    wait_caught_up(shop, "console-again")
    assert_same(content(index_file(shop, "console-again")), content(path))
    shop.services["console-again"].stop()


def test_killed_again_and_again_it_says_the_same_as_one_that_never_was(shop):
    start_console(shop, "console-killed")
    for i in range(8):
        shop.place_many(5, 100 + 5 * i)
        wait_until(lambda: shop.services["console-killed"].alive(), 10, "the console to run")
        if i % 2:
            time.sleep(0.1 * i)  # killed at different moments of a batch; nothing is awaited
        shop.kill("console-killed")
        start_console(shop, "console-killed")
    shop.wait_drained(90)
    wait_caught_up(shop)
    wait_until(lambda: positions(index_file(shop, "console-killed")) >= shop.ends(), 60, shop.trouble)
    assert_same(content(index_file(shop, "console-killed")), content(index_file(shop, "console")))
    shop.services["console-killed"].stop()


def test_a_deleted_file_is_rebuilt(shop):
    path = index_file(shop, "console")
    before = content(path)
    shop.services["console"].stop()
    for tail in ("", "-wal", "-shm"):
        if os.path.exists(path + tail):
            os.remove(path + tail)
    start_console(shop)
    wait_caught_up(shop)
    assert_same(content(path), before)


def test_a_damaged_file_is_set_aside_while_it_runs_or_at_the_start(shop):
    path = index_file(shop, "console")
    before = content(path)
    shop.services["console"].stop()
    with open(path, "r+b") as file:
        file.write(os.urandom(8192))
    start_console(shop)
    wait_caught_up(shop)
    assert "index set aside and rebuilt from the topics: the file is damaged" in shop.services["console"].text()
    assert os.path.exists(f"{path}.set-aside")
    assert_same(content(path), before)


def test_a_position_that_the_topic_does_not_have_is_told_and_everything_is_read_again(shop):
    path = index_file(shop, "console")
    before = content(path)
    shop.services["console"].stop()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE positions SET next = next + 1000000")
        db.execute("DELETE FROM events")
    start_console(shop)
    wait_until(lambda: (metric(shop, "console", "records_total") or 0) >= len(before["events"]), 60, shop.trouble)
    wait_caught_up(shop)
    assert re.search(rf"position out of range.* topic={shop.topic('orders.raw')} ", shop.services["console"].text())
    assert_same(content(path), before)


def test_nothing_personal_is_in_the_file(shop):
    people = set()
    for one in shop.call("GET", "/sandbox/stores/abc123/orders"):
        address = one.get("billing_address") or {}
        people |= {str(address.get(name)) for name in ("email", "street_1", "phone") if len(str(address.get(name) or "")) > 5}
    assert len(people) > ORDERS
    data = b"".join(open(index_file(shop, "console") + tail, "rb").read() for tail in ("", "-wal"))
    assert len(data) > 50000
    for text in people:
        assert text.encode() not in data, "somebody's address is in the index"


def test_another_prefix_and_a_second_console_are_noticed(shop):
    second = start_console(shop, "console-second", BIGFUSION_CONSOLE_INDEX_FILE=index_file(shop, "console"))
    assert second.wait() == 100 and "another bigfusion-console has it" in second.text()
    path = index_file(shop, "console")
    shop.services["console"].stop()
    other = start_console(shop, BIGFUSION_KAFKA_TOPIC_PREFIX="index-nobody")
    wait_until(lambda: "the file is of another topic_prefix" in other.text(), 30, other.tail)
    wait_until(lambda: "there is no topic of the pipeline" in other.text(), 30, other.tail)
    assert other.stop() == 0
    start_console(shop)
    wait_caught_up(shop)
    assert len(content(path)["orders"]) > ORDERS


def test_topics_that_come_later_are_read(kafka):
    """The console runs before there is a topic, and more partitions come while it runs."""
    with IndexShop("e2e-console-index-later", broker=kafka, prefix="index2", partitions=1) as stack:
        stack.start_servers()
        stack.write_config()
        start_console(stack)
        wait_until(lambda: "there is no topic of the pipeline" in stack.services["console"].text(), 30, stack.services["console"].tail)
        stack.command("topics", "create")
        value = json.dumps({"id": 7, "billing_address": {"email": mail("later")}}).encode()
        write_topic(kafka.address, stack.topic("orders.raw"), "abc123/order/7", value, {"modified_at": 1}, 0)
        wait_until(lambda: positions(index_file(stack, "console")) >= stack.ends() != set(), 60, stack.services["console"].tail)
        assert fates(index_file(stack, "console")) == {"abc123/order/7": "queued"}
