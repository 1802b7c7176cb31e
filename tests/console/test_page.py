"""The console's page in a real browser: Debian's Chromium, driven by Playwright. Screenshots are left in build/out/console/."""

import os
import re

import canned
import pytest
from canned_console import TOKEN, TOOLS
from playwright.sync_api import expect, sync_playwright
from processes import RUNS

expect.set_options(timeout=20000)
SHOTS = os.path.join(RUNS, "console")
AXE = os.path.join(TOOLS, "axe-4.14.1.min.js")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 375, "height": 800}


@pytest.fixture(scope="module")
def browser():
    os.makedirs(SHOTS, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, console):
    """Opens a view. Nothing may be written to the browser's console as an error, and nothing may be loaded from elsewhere."""
    contexts, trouble = [], []

    def open_view(view="#/", allowed=(), **options):
        context = browser.new_context(viewport=options.pop("viewport", WIDE), reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20000)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
        page.on("console", lambda message: message.type == "error" and not any(text in message.text for text in allowed) and trouble.append(message.text))
        page.on("request", lambda request: request.url.startswith((console.url, "data:")) or trouble.append(f"loaded {request.url}"))
        page.goto(f"{console.url}/{view}")
        page.wait_for_load_state("networkidle")
        return page
    yield open_view
    for context in contexts:
        context.close()
    assert not trouble, trouble


def shoot(page, name):
    page.screenshot(path=os.path.join(SHOTS, f"{name}.png"), full_page=True)


def sign_in(page, token=TOKEN):
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_label("Token").fill(token)
    page.get_by_label("Token").press("Enter")


def test_the_overview_shows_the_pipeline_trouble_charts_stores_and_accounts(open_page):
    page = open_page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.get_by_role("region", name="Trouble")).to_contain_text("Orders wait for account second")
    cards = page.get_by_role("region", name="Pipeline").get_by_role("listitem")
    expect(cards).to_have_count(5)
    expect(cards.nth(3)).to_contain_text("1,840 records to read")
    expect(cards.nth(3)).to_contain_text("behind")
    expect(page.get_by_role("link", name=re.compile("^Dead"))).to_have_count(2)
    for name in ("From placed to created", "Orders over time"):
        page.get_by_role("img", name=re.compile(name)).wait_for()
    page.get_by_text("Show as table: From placed to created").click()
    expect(page.get_by_role("region", name="Table: From placed to created").get_by_role("row")).to_have_count(49)
    expect(page.get_by_role("region", name="Stores")).to_contain_text("the token is not accepted")
    expect(page.get_by_role("region", name="Accounts")).to_contain_text("the key is not accepted")
    expect(page.get_by_role("contentinfo")).to_contain_text("The index is up to date")
    page.get_by_text("Show as table: From placed to created").click()
    shoot(page, "overview")


def test_the_charts_are_drawn(open_page):
    page = open_page()
    drawn = """() => [...document.querySelectorAll("canvas")].map((canvas) =>
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))"""
    page.wait_for_function(f"({drawn})().length === 2 && ({drawn})().every(Boolean)")


def test_live_numbers_follow_and_the_focus_stays(open_page, answers):
    page = open_page()
    tile = page.get_by_role("region", name="Orders", exact=True).get_by_role("link", name=re.compile("^Dead"))
    tile.focus()
    answers(status={**canned.CALM, "fates": {"last_hour": {}, "total": {"delivered": 5, "dead": 7, "skipped": 0}}})
    expect(page.get_by_role("region", name="Orders", exact=True).get_by_role("link", name=re.compile("^Dead"))).to_contain_text("7")
    expect(page.get_by_role("region", name="Orders", exact=True).get_by_role("link", name=re.compile("^Dead"))).to_be_focused()
    expect(page.get_by_role("region", name="Trouble")).to_have_text("")


def test_search_leads_to_the_timeline(open_page):
    page = open_page()
    page.get_by_role("searchbox").fill("BC/1042")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("BC #1042")
    expect(page.get_by_role("main")).to_contain_text("This order is in Infusionsoft since 26 Nov")
    expect(page.get_by_role("main")).not_to_contain_text("2026-11-26T09:12:13Z")
    steps = page.locator("ol.timeline > li")
    expect(steps).to_have_count(5)
    expect(steps.nth(3)).to_contain_text("POST /orders: timeout after 20 s")
    expect(steps.nth(4)).to_contain_text("delivered/3/88")
    assert page.title().startswith("BC #1042")
    shoot(page, "timeline")


def test_an_email_address_is_in_no_url_and_does_not_stay_on_the_screen(open_page):
    page = open_page()
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url, request.post_data)))
    page.get_by_role("searchbox").fill("ann@example.org")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("BC #1042")
    assert ("POST", '{"email":"ann@example.org"}') in [(method, body) for method, _, body in asked]
    assert not any("ann" in url for _, url, _ in asked) and "ann" not in page.url
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_an_order_that_nobody_knows(open_page):
    page = open_page("#/order/BC%2F404")
    expect(page.get_by_role("main")).to_contain_text("No order found")


def test_lists_have_reasons_in_sentences_filters_and_pages(open_page):
    page = open_page("#/list/dead")
    expect(page.get_by_role("main")).to_contain_text("113 orders")
    expect(page.get_by_role("row")).to_have_count(51)
    expect(page.get_by_role("row").nth(1)).to_contain_text("Infusionsoft refused this order 26 times")
    expect(page.get_by_role("button", name="gave up 90")).to_be_visible()
    shoot(page, "dead")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="gave up 90").click()
    expect(page.get_by_role("button", name="gave up 90")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Store").select_option("abc124")
    page.get_by_label("Older than").select_option("1h")
    page.get_by_role("button", name="Next page").click()
    page.get_by_role("button", name="To the first page").wait_for()
    last = [url for url in asked if "orders?" in url][-1]
    assert all(word in last for word in ("list=dead", "reason=gave_up", "store=abc124", "older=1h", "after=1_2")), last
    page.get_by_role("link", name="Skipped").click()
    expect(page.get_by_role("main")).to_contain_text("The order has no e-mail address")
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("link", name="Retrying").click()
    expect(page.get_by_role("columnheader", name="Next try")).to_be_visible()


def test_retry_counts_first_and_asks(open_page):
    page = open_page("#/list/dead", allowed=("401",))
    bodies = []
    page.on("request", lambda request: "/retry" in request.url and bodies.append(request.post_data_json))
    page.get_by_role("button", name="Try all 113 again").click()
    page.get_by_label("Token").fill("wrong")
    page.get_by_label("Token").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="The token is not right.")).to_be_visible()
    assert not bodies, "nothing is asked before somebody signed in"
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_label("Token").press("Enter")
    dialog = page.get_by_role("dialog", name="Try orders again")
    expect(dialog).to_contain_text("112 orders would be tried again.")
    expect(dialog).to_contain_text("1 order cannot be tried again")
    shoot(page, "retry")
    assert bodies == [{"list": "dead", "dry_run": True}]
    dialog.get_by_role("button", name="Cancel").click()
    assert len(bodies) == 1, "cancelled: nothing was done"
    page.get_by_label("Choose BC #1003").check()
    page.get_by_label("Choose BC #1004").check()
    page.get_by_role("button", name="Try 2 orders again").click()
    dialog.get_by_role("button", name="Try 112 orders again").click()
    expect(dialog).to_contain_text("112 orders are on their way again.")
    assert bodies[1:] == [{"orders": ["abc123/order/1003", "abc123/order/1004"], **more} for more in ({"dry_run": True}, {})]
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("row")).to_have_count(51)


def test_drop_and_pause_need_a_reason(open_page):
    page = open_page("#/list/dead")
    sign_in(page)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    bodies = []
    page.on("request", lambda request: request.method == "POST" and bodies.append(request.post_data_json))
    page.get_by_label("Choose BC #1003").check()
    page.get_by_role("button", name="Drop 1 order").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Drop orders").click()
    assert not bodies, "without a reason nothing is sent"
    dialog.get_by_label("Why").fill("the customer placed it twice")
    dialog.get_by_role("button", name="Drop orders").click()
    expect(dialog).to_contain_text("1 order was dropped.")
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Pause store BC").click()
    dialog.get_by_label("Why").fill("stock-taking")
    dialog.get_by_label("Why").press("Enter")
    expect(dialog).to_contain_text("Store BC is paused.")
    assert bodies == [{"orders": ["abc123/order/1003"], "why": "the customer placed it twice"}, {"store": "BC", "why": "stock-taking"}]


def test_hostile_texts_are_text(open_page):
    page = open_page("#/list/dead")
    row = page.get_by_role("row").last
    expect(row.get_by_role("link")).to_have_text(f"BC {canned.SCRIPT}")
    expect(row).to_contain_text(f"{canned.SCRIPT}{canned.SCRIPT}")
    page.goto(page.url.split("#")[0] + "#/order/BC%2F1042")
    expect(page.get_by_role("main")).to_contain_text("customer <script>document.title='owned'</script>")
    assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
    assert page.title() != "owned"


def test_what_an_inline_script_may_do_is_nothing(open_page):
    page = open_page(allowed=("Content Security Policy", "Content-Security-Policy", "404"))
    page.evaluate("""() => { const script = document.createElement("script"); script.textContent = "document.title = 'owned'"; document.body.append(script);
        const image = document.createElement("img"); image.setAttribute("onerror", "document.title = 'owned'"); image.src = "/nothing"; document.body.append(image); }""")
    page.wait_for_load_state("networkidle")
    assert page.title() != "owned"


@pytest.mark.parametrize("name,changes,text", [
    ("empty", {"orders__dead": canned.page([], {})}, "All is well."),
    ("broken", {"orders__dead": None}, "There is no canned answer for this."),
    ("behind", {"orders__dead": {**canned.DEAD, "index": {**canned.INDEX, "is_caught_up": False, "behind_s": 4200.0}}}, "The index is 70 min behind"),
    ("building", {"orders__dead": {**canned.DEAD, "index": {**canned.INDEX, "is_caught_up": False, "behind_s": None, "as_of": None}}}, "The index is being built"),
    ("disk", {"orders__dead": {**canned.DEAD, "index": {**canned.INDEX, "trouble": "the disk is full"}}}, "the disk is full")])
def test_states_of_a_list(open_page, answers, name, changes, text):
    answers(**changes)
    page = open_page("#/list/dead", allowed=("503",))
    expect(page.locator("body")).to_contain_text(text)
    shoot(page, f"state-{name}")


def test_a_pipeline_without_any_order(open_page, answers):
    answers(status={**canned.CALM, "fates": {"last_hour": {}, "total": {}}}, series=canned.series(is_empty=True))
    page = open_page()
    expect(page.get_by_role("main")).to_contain_text("Nothing in the last 24 hours")
    shoot(page, "state-new")


def test_a_console_that_is_gone_is_said_and_found_again(open_page, console):
    page = open_page(allowed=("ERR_", "Failed to load"))
    page.context.set_offline(True)
    expect(page.get_by_role("region", name="Trouble")).to_contain_text("The console cannot be reached.")
    page.context.set_offline(False)
    expect(page.get_by_role("region", name="Trouble")).not_to_contain_text("cannot be reached")


@pytest.mark.parametrize("view", ["#/", "#/list/dead", "#/order/BC%2F1042", "#/list/stuck?reason=retrying"])
def test_dark_and_narrow(open_page, view):
    dark = open_page(view, color_scheme="dark")
    assert dark.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 29)"
    name = re.sub(r"\W+", "-", view).strip("-") or "overview"
    shoot(dark, f"dark-{name}")
    narrow = open_page(view, viewport=NARROW)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 375
    shoot(narrow, f"narrow-{name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["#/", "#/list/dead", "#/list/skipped", "#/order/BC%2F1042", "#/order/BC%2F404"])
def test_axe_finds_nothing_serious(open_page, view, scheme):
    page = open_page(view, color_scheme=scheme)
    assert_accessible(page)


def assert_accessible(page):
    page.evaluate(open(AXE, encoding="utf-8").read())  # the page's policy allows no script tag for it
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    told = [f"{one['impact']} {one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}" for one in found]
    assert not [line for line in told if not line.startswith(("minor", "moderate"))], "\n".join(told)
    for line in told:
        print(line)


def test_axe_and_the_dialogs(open_page):
    page = open_page("#/list/dead", viewport=NARROW)
    page.get_by_role("button", name="Sign in").click()
    assert_accessible(page)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_label("Token").press("Enter")
    page.get_by_role("button", name="Try all 113 again").click()
    expect(page.get_by_role("dialog")).to_contain_text("112 orders would be tried again.")
    assert_accessible(page)
    shoot(page, "narrow-retry")


def test_everything_can_be_done_with_the_keyboard_alone(open_page):
    page = open_page()
    press, focused = page.keyboard.press, lambda: page.evaluate("document.activeElement.textContent || document.activeElement.id")
    press("Tab")
    assert focused() == "Skip to content"
    press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.reload()
    page.wait_for_load_state("networkidle")
    seen = []
    for _ in range(14):
        press("Tab")
        seen.append(page.evaluate("(document.activeElement.id || document.activeElement.textContent).trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", seen[-1]
        if seen[-1] == "Dead":
            break
    order = ["search-kind", "search-text", "Find", "session", "Overview", "Stuck", "Dead"]
    assert [name for name in seen if name in order] == order, seen
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dead")
    page.get_by_label("Choose BC #1000").focus()
    press("Space")
    page.get_by_role("button", name="Try 1 order again").focus()
    press("Enter")
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type(TOKEN)
    press("Enter")
    expect(page.get_by_role("button", name="Try 112 orders again")).to_be_focused()
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("searchbox").focus()
    page.keyboard.type("BC/1042")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("BC #1042")
    expect(page.get_by_role("status").last).to_contain_text("BC #1042: This order is in Infusionsoft")
