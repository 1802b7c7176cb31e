"""docs/questions.md on a running stack: each question's commands are taken from the page, and the answers say what the page says."""

import re
import subprocess

import pytest
from doc_commands import ROOT, code_blocks
from processes import BUILD, RUNS, free_port, wait_until
from shop import mail, order
from shop_stack import Shop

PAGE = "docs/questions.md"
QUESTIONS = ("1. I do not see an order", "2. A customer has just paid, and the order is not there", "3. An order is not sent at all",
             "4. Orders are late", "5. Infusionsoft did not answer: are orders lost?", "6. An attempt failed: what happens now?",
             "7. Which orders were given up?", "8. I have only an e-mail address, or a number of Infusionsoft",
             "9. An order looks wrong in Infusionsoft: what did the store send?", "10. A campaign did not start")
PREFIX = "questions"
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
PIECE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z)|(\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?)|(\d+)|(\.\.\.)|(.)")


def sessions():
    """{heading: [(command, [lines of its answer])]}"""
    found = {}
    for heading, _, block in code_blocks((ROOT / PAGE).read_text(encoding="utf-8").splitlines()):
        assert block[0].startswith("$ "), f"{PAGE}: {heading}: a block begins with a command"
        for line in block:
            if line.startswith("$ "):
                found.setdefault(heading, []).append((line[2:], []))
            elif line.strip() not in ("", "..."):
                found[heading][-1][1].append(" ".join(line.split()))
    return found


def pattern(line, numbers):
    """A line of the page as a regular expression: 0 is 0, the page's orders are the test's, every other number is any number."""
    text = ""
    for time, duration, number, dots, other in PIECE.findall(line):
        text += (TIME.pattern if time else r"\d+ \w+(?: \d+ \w+)?" if duration else ".*" if dots else
                 re.escape(numbers.get(number, number)) if number in numbers or number == "0" else r"\d+" if number else re.escape(other))
    return re.compile(text)


def missing(said, lines, numbers):
    """The first line of the page that does not follow in what was said, or None."""
    rest = iter([" ".join(line.split()) for line in said.replace(f"{PREFIX}.", "bigfusion.").splitlines()])
    for line in lines:
        if not any(pattern(line, numbers).fullmatch(one) for one in rest):
            return line
    return None


class Asked(Shop):
    """A stack with a console, of which the page's questions are asked."""

    def ask(self, heading, numbers, stdin=None):
        """Runs the commands of a question until each answer says what the page says."""
        numbers = {page: str(here) for page, here in numbers.items()}
        for command, lines in sessions()[heading]:
            assert lines, f"{heading}: no answer of {command}"
            here = re.sub(r"\d+", lambda found: numbers.get(found[0], found[0]), command)
            env = {**self.environment(), "PATH": f"{BUILD}/bin:/usr/bin:/bin"}
            seen = {}

            def answered():
                done = subprocess.run(["bash", "-c", here], env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False)
                seen.update(status=done.returncode, text=done.stdout + done.stderr, lacks=missing(done.stdout, lines, numbers))
                return seen["lacks"] is None and seen["status"] in (0, 10, 11, 12, 13)
            wait_until(answered, 30, lambda: f"{here}: {seen['status']}, the page has: {seen['lacks']}\n{seen['text']}\n{self.trouble()}",
                       interval=0.3)


@pytest.fixture(scope="module")
def shop(kafka):
    address = f"127.0.0.1:{free_port()}"
    settings = {"console": {"listen": address, "url": f"http://{address}", "index_file": f"{RUNS}/e2e-questions/index.sqlite"},
                "pusher": {"retry_delays_s": "600,600,600"}}
    stores = [{"name": "main", "hash": "abc123", "code": "BC"}, {"name": "europe", "hash": "abc124", "code": "EU", "poll_interval_s": 3600}]
    with Asked("e2e-questions", stores=stores, broker=kafka, prefix=PREFIX, settings=settings) as stack:
        stack.start()
        stack.start_service("console")
        stack.wait_ready("console")
        yield stack
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses


@pytest.fixture(scope="module")
def delivered(shop):
    """(the order, its id in Infusionsoft, the customer's address) of an order that is there."""
    email = mail("ann")
    placed = shop.place_and_wait(order(email))
    return placed["id"], shop.fate_records(f"abc123/order/{placed['id']}")[0].json()["order_id"], email


def test_the_page_has_these_questions():
    assert tuple(sessions()) == QUESTIONS


@pytest.mark.parametrize("said,lacks", [
    ("BC #7 is there since 2026-01-02T03:04:05.678Z.\n\nmapper    0   2\nage 5 s  x", None),
    ("more\nBC #7 is there since 2026-01-02T03:04:05Z.\nmapper 0 15\nmore\nage 1 h 3 min and more", None),
    ("BC #8 is there since 2026-01-02T03:04:05Z.\nmapper 0 2\nage 5 s", "BC #42 is there since 2026-09-09T09:09:09Z."),
    ("BC #7 is there since 2026-01-02T03:04:05Z.\nmapper 1 2\nage 5 s", "mapper 0 1"),
    ("mapper 0 2\nBC #7 is there since 2026-01-02T03:04:05Z.\nage 5 s", "mapper 0 1"),
    ("BC #7 is there since 2026-01-02T03:04:05Z.\nmapper 0 2\nages 5 s", "age 12 s..."),
    ("", "BC #42 is there since 2026-09-09T09:09:09Z.")])
def test_an_answer_that_says_something_else_is_noticed(said, lacks):
    assert missing(said, ["BC #42 is there since 2026-09-09T09:09:09Z.", "mapper 0 1", "age 12 s..."], {"42": "7"}) == lacks


def test_an_order_that_is_there(shop, delivered):
    number, there, email = delivered
    shop.ask(QUESTIONS[0], {"1042": number, "300008": there})
    shop.ask(QUESTIONS[7], {"1042": number, "300008": there}, stdin=f"{email}\n")
    shop.ask(QUESTIONS[8], {"1042": number, "300008": there})


def test_an_order_that_no_poll_has_seen(shop):
    """The second store was polled at the start, and is polled once in an hour."""
    shop.ask(QUESTIONS[1], {"1043": shop.place(order(mail()), store="abc124")["id"]})


def test_an_order_that_is_not_sent(shop):
    placed = shop.place_and_wait(order(mail(), status=7), wanted=("skipped", "status"))
    for email in ("", " "):
        shop.place_and_wait(order(email), wanted=("skipped", "no_email"))
    shop.ask(QUESTIONS[2], {"1044": placed["id"]})


def test_late_orders(shop):
    shop.services["mapper"].stop()
    placed = shop.place(order(mail()))
    try:
        shop.ask(QUESTIONS[3], {"1045": placed["id"]})
    finally:
        shop.restart("mapper")
    assert shop.wait_fate(placed["id"]) == ("delivered", None)


def test_an_account_that_refuses(shop):
    shop.fault(side="is", method="POST", path="/contacts", kind="status", status=403)
    placed = shop.place(order(mail()))
    try:
        shop.ask(QUESTIONS[4], {"1046": placed["id"]})
    finally:
        shop.clear_faults()
    assert shop.wait_fate(placed["id"], timeout=60) == ("delivered", None), "it goes on by itself"


def test_an_attempt_that_failed(shop):
    wanted = order(mail())
    shop.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match=wanted["billing_address"]["email"], count=1)
    shop.ask(QUESTIONS[5], {"1047": shop.place(wanted)["id"]})
    shop.clear_faults()


def test_an_order_that_was_given_up(shop):
    placed = shop.place_and_wait(order(mail(), total_inc_tax="999.0000"), wanted=("dead", "total_mismatch"))
    shop.ask(QUESTIONS[6], {"1048": placed["id"]})


def test_a_campaign_that_did_not_start(shop):
    shop.fault(side="is", path="/automations/goals/achieve", kind="status", status=200,
               body='{"results":[{"success":false,"message":"No goal is named so"}]}', count=1)
    shop.ask(QUESTIONS[9], {"1049": shop.place_and_wait(order(mail()))["id"]})
