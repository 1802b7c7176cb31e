"""The real console beside a whole stack: its API against its own description (schemathesis), and its page with real orders."""

import json
import os
import re
import subprocess
import sys
import urllib.parse

import pytest
from conftest import TOKEN, TOOLS
from playwright.sync_api import expect, sync_playwright
from processes import RUNS, Kafka, Process, binary, free_port, http_call, wait_until
from shop import mail, order
from shop_stack import Shop

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


def test_the_api_keeps_what_its_description_says(real):
    command = ["from schemathesis.cli import schemathesis; schemathesis()", "run", f"{real.url}/api/v1/openapi.json", "--url", real.url,
               "--header", f"Authorization: Bearer {TOKEN}", "--phases", "examples,coverage,fuzzing", "--max-examples", os.environ.get("EXAMPLES", "40"), "--seed", "12",
               "--exclude-checks", "positive_data_acceptance,ignored_auth", "--suppress-health-check", "all", "--no-color", "--max-failures", "5",
               "--exclude-path-regex", "/api/v1/(retry|drop|pause|resume)"]
    done = subprocess.run([sys.executable, "-c", *command], cwd=real.shop.run, capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "PYTHONPATH": os.path.join(TOOLS, "console")})
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    print(re.sub(r"\s+", " ", done.stdout[-300:]))
    assert real.process.alive()


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
        expect(page.locator("article").filter(has=page.get_by_role("heading", name=f"BC #{number}", exact=True))).to_contain_text(answer["sentence"])
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
