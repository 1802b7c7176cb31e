"""The real console beside a whole stack: its API against its own description (schemathesis), and its page with real orders."""

import json
import os
import re
import subprocess
import sys
import urllib.parse

import pytest
from canned_console import TOKEN, TOOLS
from playwright.sync_api import expect, sync_playwright
from processes import RUNS, Kafka, Process, binary, free_port, http_call, wait_until
from shop import mail, order
from shop_stack import Shop

expect.set_options(timeout=20000)
ACTS = "/api/v1/(retry|drop|pause|resume)"
SCRIPT = "<script>document.title='owned'</script>"


class Real:
    """A shop, some orders of every kind in it, and a console that has caught up."""

    def __init__(self, kafka):
        self.shop = Shop("console-real", stores=2, broker=kafka)
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self.process = None

    def start(self):
        shop = self.shop
        token = os.path.join(shop.run, "console_token")
        with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        shop.settings["console"] = {"listen": self.address, "url": self.url, "index_file": f"{shop.run}/index.sqlite", "token_file": token}
        shop.start()
        self.delivered = shop.place_and_wait(order(mail("real"), billing={"first_name": SCRIPT, "last_name": SCRIPT}))
        self.skipped = shop.place_and_wait(order(mail("real"), status=5), wanted=("skipped", "status"))
        self.dead = shop.place_and_wait(order(mail("real"), total_inc_tax="99999.0000"), wanted=("dead", "total_mismatch"))
        self.process = Process("console", [binary("bigfusion-console"), "--config", shop.config], shop.run, env=shop.environment())
        wait_until(self.is_caught_up, 60, lambda: f"the console to catch up: {self.process.tail()}")
        return self

    def ask(self, path, body=None, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, answer = http_call(self.address, "GET" if body is None else "POST", path, body, headers)
        return status, json.loads(answer)

    def is_caught_up(self):
        assert self.process.alive(), self.process.tail()
        try:
            status, answer = self.ask("/api/v1/orders?list=skipped")
        except OSError:
            return False
        return status == 200 and answer["index"]["is_caught_up"] and answer["total"] >= 1

    def stop(self):
        status = self.process.stop()
        self.shop.stop()
        assert status == 0


@pytest.fixture(scope="module")
def real():
    folder = os.path.join(RUNS, "console-kafka")
    os.makedirs(folder, exist_ok=True)
    kafka = Kafka(folder)  # the in-memory broker cannot tell of a group's members and lag
    stack = Real(kafka)
    with stack.shop:
        yield stack.start()
        stack.stop()
    kafka.stop()


def schemathesis(real, examples, *words):
    command = ["from schemathesis.cli import schemathesis; schemathesis()", "run", f"{real.url}/api/v1/openapi.json", "--url", real.url,
               "--header", f"Authorization: Bearer {TOKEN}", "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", "12",
               "--exclude-checks", "positive_data_acceptance,ignored_auth", "--suppress-health-check", "all", "--no-color", "--max-failures", "5", *words]
    done = subprocess.run([sys.executable, "-c", *command], cwd=real.shop.run, capture_output=True, text=True, timeout=400, check=False,
                          env={**os.environ, "PYTHONPATH": os.path.join(TOOLS, "console")})
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert real.process.alive()
    print(f"schemathesis: {re.search(r'[0-9]+ generated.*', done.stdout)[0]}")


def test_the_api_keeps_what_its_description_says(real):
    schemathesis(real, 40, "--exclude-path-regex", ACTS)


@pytest.fixture(scope="module")
def page(real):
    os.makedirs(os.path.join(RUNS, "console"), exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        view = browser.new_page()
        view.set_default_timeout(20000)
        trouble = []
        view.on("pageerror", lambda error: trouble.append(str(error)))
        view.on("console", lambda message: message.type == "error" and trouble.append(message.text))
        yield view
        browser.close()
        assert not trouble, trouble


def test_the_page_finds_a_real_order_by_each_of_its_names(real, page):
    number, answer = real.delivered["id"], real.ask(f"/api/v1/why?order=BC/{real.delivered['id']}")[1]["orders"][0]
    email = real.delivered["billing_address"]["email"]
    for kind, text in (("order", f"BC/{number}"), ("order", f"abc123/order/{number}"), ("infusionsoft", answer["infusionsoft"]["order_id"]), ("order", email)):
        page.goto(f"{real.url}/#/")
        page.get_by_label("Search for").select_option(kind)
        page.get_by_role("searchbox").fill(text)
        page.get_by_role("button", name="Find").click()
        article = page.locator("article").filter(has=page.get_by_role("heading", name=f"BC #{number}", exact=True))
        before, since = re.fullmatch(r"(.*) since (\S+Z)\.", answer["sentence"]).groups()
        expect(article).to_contain_text(before)
        expect(article.locator("p.sentence time")).to_have_attribute("datetime", since.replace("Z", ".000Z"))
    page.goto(f"{real.url}/#/order/{urllib.parse.quote(f'BC/{number}', safe='')}")
    expect(page.locator("ol.timeline > li")).to_have_count(len(answer["history"]))
    expect(page.get_by_role("main")).to_contain_text("BCORDER")
    assert page.title() != "owned" and SCRIPT not in json.dumps(answer)
    page.screenshot(path=os.path.join(RUNS, "console", "real-timeline.png"), full_page=True)


def test_the_page_shows_a_real_pipeline(real, page):
    page.goto(f"{real.url}/#/")
    cards = page.get_by_role("region", name="Pipeline").get_by_role("listitem")
    expect(cards).to_have_count(5)
    for number in range(1, 4):
        expect(cards.nth(number)).to_contain_text("running")
    expect(page.get_by_role("region", name="Stores")).to_contain_text("abc123")
    page.get_by_role("img", name=re.compile("Orders over time")).wait_for()
    page.screenshot(path=os.path.join(RUNS, "console", "real-overview.png"), full_page=True)


def test_the_page_lists_a_real_dead_order(real, page):
    page.goto(f"{real.url}/#/list/dead")
    expect(page.get_by_role("row").filter(has_text=f"BC #{real.dead['id']}")).to_be_visible()
    page.screenshot(path=os.path.join(RUNS, "console", "real-dead.png"), full_page=True)


def test_an_act_without_token_is_refused(real):
    for path in ("retry", "drop", "pause", "resume", "session"):
        assert real.ask(f"/api/v1/{path}", {})[0] == 401
        assert real.ask(f"/api/v1/{path}", {}, "no")[1]["code"] == "token_wrong"


def test_a_store_is_paused_and_resumed_through_the_page(real, page):
    page.goto(f"{real.url}/#/")
    for act, word in (("Pause", "is paused"), ("Resume", "goes on")):
        page.get_by_role("button", name=f"{act} store S1").click()
        if act == "Pause":
            page.get_by_label("Token").fill(TOKEN)
            page.get_by_label("Token").press("Enter")
            page.get_by_label("Why").fill("stock-taking")
        dialog = page.get_by_role("dialog", name=f"{act} store S1")
        dialog.get_by_role("button", name=f"{act} store S1").click()
        expect(dialog).to_contain_text(f"Store S1 {word}.", timeout=30000)
        dialog.get_by_role("button", name="Close").click()
    said = real.shop.command("audit", "--json").stdout
    assert said.count("stock-taking") == 1 and "console@" in said and '"resume"' in said


def test_a_dead_order_is_tried_again_through_the_page(real, page):
    number = real.dead["id"]
    fates = len(real.shop.fate_records(f"abc123/order/{number}"))
    page.goto(f"{real.url}/#/list/dead")
    page.get_by_label(f"Choose BC #{number}").check()
    page.get_by_role("button", name="Try 1 order again").click()
    dialog = page.get_by_role("dialog", name="Try orders again")
    expect(dialog).to_contain_text("1 order would be tried again.", timeout=30000)
    assert len(real.shop.fate_records(f"abc123/order/{number}")) == fates, "a dry run does nothing"
    dialog.get_by_role("button", name="Try 1 order again").click()
    expect(dialog).to_contain_text("1 order is on its way again.", timeout=30000)
    dialog.get_by_role("button", name="Close").click()
    wait_until(lambda: len(real.shop.fate_records(f"abc123/order/{number}")) > fates, 30, "the order to be tried again")


def test_acts_name_what_is_wrong(real):
    for path, body, status, code in (
            ("retry", {}, 400, "bad_body"), ("retry", {"list": "stuck"}, 400, "bad_body"), ("retry", {"list": "dead", "store": "X9"}, 404, "unknown_store"),
            ("retry", {"list": "dead", "reason": "none"}, 400, "bad_body"), ("retry", {"orders": ["BC/1"], "list": "dead"}, 400, "bad_body"),
            ("retry", {"orders": ["X9/1"]}, 404, "unknown_order"), ("retry", {"list": "dead", "dry_run": 1}, 400, "bad_body"),
            ("drop", {"orders": [f"BC/{real.dead['id']}"]}, 400, "bad_body"), ("drop", {"orders": [], "why": "x"}, 400, "bad_body"),
            ("pause", {"store": "X9"}, 404, "unknown_target"), ("pause", {"store": "BC", "account": "main"}, 400, "bad_body"), ("pause", {"stores": "BC"}, 400, "unknown_member"),
            ("pause", {"store|account": "BC"}, 400, "unknown_member")):
        answer = real.ask(f"/api/v1/{path}", body, TOKEN)
        assert (answer[0], answer[1]["code"]) == (status, code), (path, body, answer)
    status, answer = real.ask("/api/v1/drop", {"orders": [f"BC/{real.delivered['id']}"], "why": "too late"}, TOKEN)
    assert (status, answer["count"], len(answer["refused"])) == (200, 0, 1), answer
    # It was tried again and died again: the index has to know.
    wait_until(lambda: real.ask(f"/api/v1/why?order=BC/{real.dead['id']}")[1]["orders"][0]["verdict"] == "dead", 30, "the order to be dead")
    status, answer = real.ask("/api/v1/drop", {"orders": [f"BC/{real.dead['id']}"], "why": "a test order"}, TOKEN)
    assert (status, answer["count"], answer["refused"]) == (200, 1, []), answer
    wait_until(lambda: real.ask(f"/api/v1/why?order=BC/{real.dead['id']}")[1]["orders"][0]["reason"] == "dropped", 30,
               lambda: "the index to know: " + json.dumps(real.ask(f"/api/v1/why?order=BC/{real.dead['id']}")[1]))


def test_the_acts_keep_what_their_description_says(real):
    schemathesis(real, 5, "--include-path-regex", ACTS)
