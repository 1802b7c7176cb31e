"""`bigfusion peek` and `tail`: decoded records, with what is about a person masked, on a real Kafka."""

import json
import os
import re
import signal
import subprocess

import pytest
from processes import Process, binary, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop

PERSON = {"first_name": "Rumpelstilzchen", "last_name": "Miller", "street_1": "Golden Straw 7", "city": "Hamelin", "zip": "31785",
          "phone": "+49 5151 1234"}
SECRETS = re.compile("rumpelstilzchen|miller|golden straw|hamelin|31785|5151 1234|example.com|for grandmother", re.I)
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r"


@pytest.fixture(scope="module")
def shop(kafka):
    with Shop("e2e-peek", broker=kafka, prefix="peek") as stack:
        stack.start()
        stack.refused = stack.fault(side="is", method="POST", path="/orders", kind="status", status=422, match="DEADLINE",
                                    body='{"message":"no such thing","of":"RUMPELSTILZCHEN Miller"}')
        yield stack


@pytest.fixture(scope="module")
def delivered(shop):
    return shop.place_and_wait(order(mail("peek"), billing=PERSON, customer_message="For grandmother"))


def key(placed):
    return f"abc123/order/{placed['id']}"


def peek(shop, placed, *words):
    text = shop.command("peek", key(placed), *words).stdout
    document = json.loads(shop.command("peek", f"BC/{placed['id']}", "--json", *words).stdout)
    assert document["key"] == key(placed) and document["order"] == f"BC #{placed['id']}"
    return text, document


def test_the_newest_record_of_each_topic_is_shown_and_nothing_about_the_customer(shop, delivered):
    text, document = peek(shop, delivered)
    records = {one["stage"]: one for one in document["records"]}
    assert list(records) == ["raw", "eligible", "payloads", "delivered"]
    raw, payload = records["raw"]["value"], records["payloads"]["value"]
    assert raw["id"] == delivered["id"] and raw["status_id"] == 11 and re.fullmatch(r"\d+\.\d+", raw["total_inc_tax"])
    assert raw["billing_address"]["first_name"] == "***" == payload["contact"]["given_name"]
    assert payload["external_key"] == f"bc-abc123-{delivered['id']}" and payload["order"]["order_title"] == f"BC #{delivered['id']}"
    assert records["delivered"]["value"]["order_id"].isdigit()
    assert records["raw"]["headers"]["modified_at"].endswith("Z")
    for output in (text, json.dumps(document)):
        assert not SECRETS.search(output)
    assert text.startswith(f"BC #{delivered['id']} ({key(delivered)})\n\nraw  peek.orders.raw/") and '\n  "external_key": ' in text
    assert "\n*** stands for what may be about a person; --show-personal shows it\n" in text


def test_show_personal_shows_it(shop, delivered):
    for output in map(str, peek(shop, delivered, "--show-personal")):
        assert {"rumpelstilzchen", "miller", "golden straw", "hamelin", "31785", "for grandmother"} <= {
            found.lower() for found in SECRETS.findall(output)}
        assert "***" not in output


def test_a_dead_order_and_its_answer(shop):
    placed = shop.place_and_wait(order(mail("peekdead"), [item("DEADLINE", "DEADLINE")], billing=PERSON), wanted=("dead", "refused"))
    text, document = peek(shop, placed)
    last = document["records"][-1]
    assert (last["stage"], last["headers"]["reason"]) == ("dead", "refused") and last["headers"]["answer"].startswith("HTTP ")
    for output in (text, json.dumps(document)):
        assert not SECRETS.search(output)
    assert peek(shop, placed, "--show-personal")[1]["records"][-1]["headers"]["answer"] == last["headers"]["answer"]


def test_the_newest_of_several(shop, delivered):
    before = peek(shop, delivered)[1]["records"][0]
    record = next(r for r in shop.raw_records() if r.key == key(delivered))
    changed = record.value.replace(b'"status_id":11', b'"status_id":10').replace(b'"status_id": 11', b'"status_id": 10')
    assert changed != record.value
    write_topic(shop.broker.address, shop.topic("orders.raw"), record.key, changed, record.headers, record.partition)
    after = peek(shop, delivered)[1]["records"][0]
    assert after["offset"] > before["offset"] and (before["value"]["status_id"], after["value"]["status_id"]) == (11, 10)


def test_an_order_without_a_record(shop):
    assert "\nno record: " in shop.command("peek", "BC/999999").stdout
    assert json.loads(shop.command("peek", "BC/999999", "--json").stdout)["records"] == []
    assert "something is missing" in shop.command("peek", check=False).stderr


def follow(shop, name, *words):
    """A `bigfusion tail` that has begun to follow."""
    process = Process(name, [binary("bigfusion"), "tail", *words, "--config", shop.config], shop.run, env=shop.environment(),
                      stdout_line="bigfusion: following ")
    return process


def lines(process):
    return process.text().split("from now on\n", 1)[1].splitlines()


def test_tail_follows_all_topics(shop):
    readers = {"text": follow(shop, "tail-text"), "json": follow(shop, "tail-json", "--json"),
               "open": follow(shop, "tail-open", "--show-personal"), "dead": follow(shop, "tail-dead", "dead", "--json"),
               "whole": follow(shop, "tail-whole", "peek.orders.payloads")}
    assert readers["dead"].address == "1 topic from now on" and re.fullmatch(r"\d\d topics from now on", readers["json"].address)
    placed = shop.place_and_wait(order(mail("tail"), billing=PERSON))
    stages = ["raw", "eligible", "payloads", "delivered"]
    found = wait_until(lambda: len(own := [json.loads(line) for line in lines(readers["json"]) if key(placed) in line]) == 4 and own, 30,
                       readers["json"].tail)
    assert sorted(one["stage"] for one in found) == sorted(stages)
    own = wait_until(lambda: len(own := [line for line in lines(readers["text"]) if key(placed) in line]) == 4 and own, 30,
                     readers["text"].tail)
    assert {line.split()[1] for line in own} == set(stages)
    wait_until(lambda: SECRETS.search(readers["open"].text()), 30, readers["open"].tail)
    wait_until(lambda: [line for line in lines(readers["whole"]) if key(placed) in line], 30, readers["whole"].tail)
    # a record that anybody could have written
    write_topic(shop.broker.address, shop.topic("dead"), "abc123/order/5", b"\xff\x1b[31mMiller",
                {"reason": HOSTILE, "answer": f"Miller {HOSTILE}"}, 0)
    [line] = wait_until(lambda: lines(readers["dead"]), 30, readers["dead"].tail)
    dead = json.loads(line)
    assert dead["value"] == "12 bytes that are no JSON" and dead["headers"]["answer"].startswith("not shown")
    wait_until(lambda: "abc123/order/5" in readers["text"].text() and "Miller" in readers["open"].text(), 30, readers["text"].tail)
    for name, number in (("text", signal.SIGTERM), ("json", signal.SIGINT), ("open", signal.SIGTERM), ("dead", signal.SIGINT),
                         ("whole", signal.SIGTERM)):
        readers[name].signal(number)
        assert readers[name].wait() == 0, readers[name].tail()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", readers[name].text()), name
        assert name == "open" or not SECRETS.search(readers[name].text()), name
    assert {line.split()[1] for line in lines(readers["whole"])} == {"payloads"}


def test_tail_ends_when_nobody_reads_any_more(shop):
    read, write = os.pipe()
    log = os.path.join(shop.run, "tail-pipe.log")
    with open(log, "wb") as errors:
        process = subprocess.Popen([binary("bigfusion"), "tail", "--config", shop.config], stdout=write, stderr=errors,
                                   env=shop.environment())
    try:
        os.close(write)
        wait_until(lambda: b"following" in open(log, "rb").read(), 30, "tail to begin")
        os.close(read)
        shop.place_and_wait(order(mail("pipe")))
        assert process.wait(30) == 111
    finally:
        process.kill()


def memory_kb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def test_tail_keeps_nothing(shop):
    """Its memory is the same after many records."""
    reader = follow(shop, "tail-memory", "skipped", "--json")
    path = os.path.join(shop.run, "records")
    value = json.dumps({"detail": "x" * 500})

    def write(first, count):
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"abc123/order/{n}\x1f{value}\n" for n in range(first, first + count))
        subprocess.run(["kcat", "-b", shop.broker.address, "-P", "-t", shop.topic("skipped"), "-K", "\x1f", "-l", path], check=True,
                       capture_output=True, timeout=60)
        wait_until(lambda: f"abc123/order/{first}" in reader.text() and reader.text().count("\n") > first - 10**6 + count, 60, reader.tail)

    write(10**6, 4000)
    before = memory_kb(reader)
    write(10**6 + 4000, 40000)  # 24 MB, of which the client may hold 2 back
    assert memory_kb(reader) < before + 8192
    reader.terminate()
    assert reader.wait() == 0


def test_a_topic_that_there_is_not(shop):
    answer = shop.command("tail", "nonsense", check=False)
    assert answer.returncode == 100 and "there is no topic nonsense" in answer.stderr


@pytest.mark.parametrize("command, seconds", [("bigfusion peek BC/1042", "50"), ("bigfusion tail dead", "10")])
def test_the_commands_of_the_page(shop, command, seconds):
    """docs/inspecting.md. `timeout` ends what ends only when it is told to."""
    done = subprocess.run(["timeout", "--preserve-status", "--signal=INT", seconds, binary("bigfusion"), *command.split()[1:]],
                          env=shop.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
