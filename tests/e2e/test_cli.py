"""`bigfusion why`, `stuck`, `skipped`, `dead`, `waiting`, `retrying`, `status`: the real program against a server that stands in for the
console, so that every answer, also a hostile one, can be given."""

import http.server
import json
import subprocess
import threading
import urllib.parse

import pytest
from processes import binary, free_port

INDEX = {"is_caught_up": True, "behind_s": 0.0, "as_of": "2026-09-21T14:13:20.000Z"}
TOKEN = "sesame-open"  # noqa: S105
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\x7f\u202e<script>"


def verdict(name, number=1042, **more):
    return {"order": f"BC #{number}", "key": f"abc123/order/{number}", "store": "abc123", "code": "BC", "verdict": name, "reason": None,
            "sentence": f"This order is {name}.", "next": None, "account": "main", "infusionsoft": None, "goals": [], "history": [], **more}


def why(*answers):
    return {"orders": list(answers), "index": INDEX}


def entry(number, reason="queued", **more):
    return {"order": f"BC #{number}", "key": f"abc123/order/{number}", "verdict": "waiting", "reason": reason, "sentence": "It waits.",
            "stage": "eligible", "since": "2026-09-21T14:13:20.000Z", "age_s": 7.5, "detail": None, "next_try": None, **more}


class Console(http.server.ThreadingHTTPServer):
    """Answers with what self.answer(method, path, arguments, body) returns: (status, document or bytes)."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.answer = [], None
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        arguments = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True, strict_parsing=True) if url.query else [])
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.seen.append((self.command, self.path, body, self.headers.get("Authorization")))
        status, document = self.server.answer(self.command, url.path, arguments, body)
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET


@pytest.fixture
def console():
    with Console() as server:
        yield server
        server.shutdown()


@pytest.fixture
def settings(console, tmp_path):
    """Kafka is nowhere: these commands ask the console alone."""
    for name in ("secret", "token"):
        (tmp_path / name).write_text(f"{TOKEN}\n")
        (tmp_path / name).chmod(0o400)
    path = tmp_path / "bigfusion.conf"
    path.write_text(f"[kafka]\nbrokers = 127.0.0.1:{free_port()}\n[console]\nurl = {console.url}\ntoken_file = {tmp_path}/token\n"
                    f"[store main]\nhash = abc123\ntoken_file = {tmp_path}/secret\naccount = main\n"
                    f"[infusionsoft main]\nkey_file = {tmp_path}/secret\n")
    return path


@pytest.fixture
def ask(settings):
    def run(*words, status=0, **more):
        done = subprocess.run([binary("bigfusion"), "--config", settings, *words], capture_output=True, timeout=30, check=False, **more)
        assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
        for text in (done.stdout, done.stderr):  # nothing that a terminal could obey
            shown = text.decode()
            assert all(c == "\n" or (c >= " " and not "\x7f" <= c <= "\x9f") for c in shown), ascii(shown)
        return done.stdout.decode() if status not in (100, 111) else done.stderr.decode()
    return run


def give(console, answer, status=200):
    console.answer = lambda *_: (status, answer)


@pytest.mark.parametrize("name,status", [("synced", 0), ("waiting", 10), ("retrying", 11), ("skipped", 12), ("dead", 13), ("unknown", 14)])
def test_the_exit_status_of_why_is_the_verdict(console, ask, name, status):
    give(console, why(verdict(name)))
    assert ask("why", "BC/1042", status=status).startswith(f"BC #1042: This order is {name}.\n")
    assert json.loads(ask("why", "BC/1042", "--json", status=status)) == why(verdict(name))


@pytest.mark.parametrize("words,query", [
    (["BC/1042"], {"order": "BC/1042"}), (["BC #1042"], {"order": "BC #1042"}), (["BC", "#1042"], {"order": "BC #1042"}),
    (["1042"], {"order": "1042"}), (["abc123/order/1042"], {"order": "abc123/order/1042"}), (["--", "-ü&=?"], {"order": "-ü&=?"}),
    (["--infusionsoft", "977"], {"infusionsoft": "977"}),
    (["--infusionsoft=977", "--account", "main"], {"infusionsoft": "977", "account": "main"})])
def test_how_an_order_is_named(console, ask, words, query):
    give(console, why(verdict("synced")))
    ask("why", *words)
    [(method, path, body, token)] = console.seen
    parts = urllib.parse.urlsplit(path)
    assert (method, parts.path, body, token) == ("GET", "/api/v1/why", "", f"Bearer {TOKEN}")
    assert dict(urllib.parse.parse_qsl(parts.query)) == query


@pytest.mark.parametrize("words,given", [(["--email", "ann@example.org"], None), (["--email", "-"], "  ann@example.org \r\nmore"),
                                         (["--email=-"], "ann@example.org")])
def test_an_email_address_is_in_no_url(console, ask, words, given):
    give(console, why(verdict("synced", 3), verdict("dead", 2), verdict("waiting", 1)))
    said = ask("why", *words, status=13, input=(given or "").encode())
    assert [said.index(f"BC #{n}:") for n in (3, 2, 1)] == sorted(said.index(f"BC #{n}:") for n in (3, 2, 1))
    [(method, path, body, _)] = console.seen
    assert (method, path, json.loads(body)) == ("POST", "/api/v1/why", {"email": "ann@example.org"})


def test_no_address_on_standard_input(console, ask):
    assert "no address on standard input" in ask("why", "--email", "-", status=100, input=b"\n")
    assert not console.seen


@pytest.mark.parametrize("known", ["unknown", "ambiguous"])
def test_a_number_that_no_store_has_is_an_id_of_infusionsoft(console, ask, known):
    def answer(_method, _path, arguments, _body):
        if "infusionsoft" in arguments:
            return 200, why(verdict("synced", 5))
        return (200, why(verdict("unknown"))) if known == "unknown" else (400, {"error": "several stores", "code": "several_stores"})
    console.answer = answer
    assert ask("why", "977").startswith("BC #5: This order is synced.")
    assert len(console.seen) == 2
    console.answer = lambda *_: (200, why(verdict("unknown", 977)))
    assert ask("why", "977", status=14).startswith("BC #977: This order is unknown.")
    console.seen.clear()
    ask("why", "BC/977", status=14)
    assert len(console.seen) == 1, "only a number can be an id of Infusionsoft"


def test_the_history_is_a_timeline_and_hostile_texts_stay_texts(console, ask):
    step = {"time": "2026-09-21T14:13:00.000Z", "stage": "dead", "topic": "bigfusion.dead", "partition": 1, "offset": 7, "reason": "refused",
            "answer": f"no {HOSTILE}", HOSTILE: HOSTILE, "attempt": 3}
    give(console, why(verdict("dead", sentence=f"Refused: {HOSTILE}", history=[step], account=HOSTILE,
                              goals=[{"integration": HOSTILE, "call_name": "x", "result": "y"}],
                              next={"what": HOSTILE, "at": HOSTILE}, infusionsoft={"order_id": HOSTILE, "contact_id": "1"})))
    said = ask("why", "1042", status=13)
    assert "2026-09-21T14:13:00.000Z  dead              bigfusion.dead/1/7" in said and r"refused; answer no \x1B]0;owned\x07\x1B[2J" in said
    assert "attempt 3" in said and r"\xC2\x9B31m\x0D\x0A\x7F" in said
    json.loads(ask("why", "1042", "--json", status=13))
    give(console, {"error": HOSTILE, "code": "x"}, 400)
    ask("why", "1042x", status=100)


LISTS = ["stuck", "skipped", "dead", "waiting", "retrying"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_page_by_page(console, ask, name):
    def answer(_method, path, arguments, _body):
        assert path == "/api/v1/orders" and arguments["list"] == name
        at, count = int(arguments.get("after", 0)), min(int(arguments["limit"]), 100)
        orders = [entry(n, detail=HOSTILE) for n in range(at, min(at + count, 250))]
        return 200, {"total": 250, "counts": {"queued": 240, "in_doubt": 10}, "orders": orders,
                     "next": str(at + count) if at + count < 250 else None, "index": INDEX}
    console.answer = answer
    said = ask(name)
    assert said.count("\nBC #") == 250 and said.startswith("ORDER ")
    assert said.endswith("250 orders: queued 240, in_doubt 10\nas of 2026-09-21T14:13:20.000Z\n")
    document = json.loads(ask(name, "--json"))
    assert [one["key"] for one in document["orders"]] == [f"abc123/order/{n}" for n in range(250)]
    assert {k: document[k] for k in ("total", "counts", "next", "index")} == {
        "total": 250, "counts": {"queued": 240, "in_doubt": 10}, "next": None, "index": INDEX}
    said = ask(name, "--limit", "120")
    assert said.count("\nBC #") == 120 and "; the first 120 are listed\n" in said
    document = json.loads(ask(name, "--limit", "120", "--json"))
    assert len(document["orders"]) == 120 and document["next"] == "120"


@pytest.mark.parametrize("name", LISTS)
def test_filters_of_a_list(console, ask, name):
    give(console, {"total": 0, "counts": {}, "orders": [], "next": None, "index": INDEX})
    assert ask(name, "--store", "BC", "--reason", "no_email", "--since", "2026-01-31", "--older", "5m", "--limit", "7") == (
        "0 orders\nas of 2026-09-21T14:13:20.000Z\n")
    assert json.loads(ask(name, "--since=2h", "--json"))["orders"] == []
    first, second = (dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query)) for _, path, _, _ in console.seen)
    assert first == {"list": name, "store": "BC", "reason": "no_email", "since": "2026-01-31T00:00:00.000Z", "older": "5m", "limit": "7"}
    assert second == {"list": name, "since": "2h", "limit": second["limit"]}


def test_a_page_without_orders_ends_a_list(console, ask):
    give(console, {"total": 5, "counts": {}, "orders": [], "next": "again", "index": INDEX})
    ask("dead")
    assert len(console.seen) == 1


@pytest.mark.parametrize("words,says", [
    (["why"], "which order?"), (["why", "1", "--email", "x"], "more than one question"), (["why", "1", "--account", "x"], "--account"),
    (["why", "1", "--limit", "5"], "--limit N is no option of why"), (["dead", "--limit", "0"], "a whole number above 0"),
    (["dead", "--since", "yesterday"], "allowed: a duration"), (["dead", "--reason", "why"], "no such reason"),
    (["dead", "--scan"], "--scan is no option of dead"), (["stuck", "--scan", "--store", "BC"], "--scan takes"), (["dead", "x"], "too much")])
def test_what_is_refused_before_anything_is_asked(console, ask, words, says):
    assert says in ask(*words, status=100)
    assert not console.seen


@pytest.mark.parametrize("words", [["why", "5"], ["why", "--email", "x@y"], *([name] for name in LISTS)])
def test_answers_that_are_none(console, ask, words):
    for status, document, ends, says in (
            (500, {"error": "the index is busy", "code": "busy"}, 111, "the index is busy"), (429, b"", 111, "HTTP 429"),
            (400, {"error": "no store has the code XX", "code": "unknown_store"}, 100, "no store has the code XX"),
            (401, {"error": "token", "code": "token"}, 100, "token_file"), (200, b"<html>", 100, "is it bigfusion-console?"),
            (200, b"[]", 100, "is it bigfusion-console?"), (404, b"\xff", 100, "is it bigfusion-console?")):
        give(console, document, status)
        assert says in ask(*words, status=ends)


@pytest.mark.parametrize("words,instead", [(["why", "5"], "bigfusion trace"), (["stuck"], "bigfusion stuck --scan"),
                                           (["dead"], "start bigfusion-console")])
def test_no_console(console, ask, words, instead):
    console.server_close()
    said = ask(*words, status=111)
    assert f"no console answers at {console.url} (" in said and instead in said


def test_status_from_the_console(console, ask):
    document = {"stages": [{"service": "filter", "stage": "raw", "members": 1, "lag_records": 4, "lag_s": 12.5, "oldest": None, "in_s": 1.0,
                            "done_s": 0.5}],
                "stores": [{"code": "BC", "hash": "abc123", "read_up_to": None, "last_poll": None, "next_poll": None, "quota_left": 9,
                            "trouble": HOSTILE}],
                "accounts": [{"name": "main", "state": "open", "since": None, "why": None, "waiting": 0}],
                "fates": {"last_hour": {"delivered": 3}, "total": {"delivered": 30, "skipped": {"status": 2}}}, "alarms": [], "index": INDEX}
    give(console, document)
    said = ask("status")
    assert "12.5" in said and "alarms: none\n" in said and said.endswith(f"from the console at {console.url}\n")
    answer = json.loads(ask("status", "--json"))
    assert answer["source"] == "console" and answer["stages"] == document["stages"] and answer["fates"] == document["fates"]


PAGES = """bigfusion why BC/1042
bigfusion why BC/118
bigfusion why --infusionsoft 977
bigfusion why --email -
bigfusion stuck
bigfusion stuck --older 15m
bigfusion waiting
bigfusion retrying
bigfusion skipped
bigfusion dead
bigfusion dead --since 1d"""


@pytest.mark.parametrize("command", PAGES.split("\n"))
def test_commands_of_the_pages(console, ask, command):
    """docs/inspecting.md and docs/operations.md."""
    give(console, {**why(verdict("synced")), "total": 1, "counts": {"status": 1}, "next": None})
    assert "BC #1042" in ask(*command.split()[1:], input=b"ann@example.org\n")
