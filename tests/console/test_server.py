"""The console's HTTP server: limits, refusals, headers; bad, slow and many requests."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import re
import socket
import threading
import time

import canned
import pytest
from canned_console import TOKEN, Canned
from processes import http_call, ticks, wait_until

SLOW, RATE, SECONDS = 200, 200, 5
HOST = b"Host: 127.0.0.1\r\n"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def ask(console, method, path, body=None, headers=None):
    """(status, headers, body) of one request, with just these headers."""
    connection = http.client.HTTPConnection(console.address, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def raw(console, data, shut=True, timeout=15):
    """Everything that the server says to these bytes."""
    said = b""
    with socket.create_connection(("127.0.0.1", console.port), timeout=timeout) as line:
        try:
            line.sendall(data)
            if shut:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may be closed before all was sent; what was said is read all the same
        try:
            while part := line.recv(65536):
                said += part
        except ConnectionError:
            pass
    return said


def test_every_answer_has_the_headers_that_protect_the_page(console):
    for method, path in (("GET", "/"), ("GET", "/console.js"), ("GET", "/api/v1/status"), ("GET", "/nothing"), ("POST", "/api/v1/retry"),
                         ("GET", "/metrics")):
        _, headers, _ = ask(console, method, path)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';") and "unsafe" not in policy, path
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
        assert headers["Cache-Control"] == ("no-cache" if path.endswith(".js") else "no-store")


def test_paths_and_methods(console):
    status, headers, body = ask(console, "GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8") and b"<style" not in body and b"<script>" not in body
    status, headers, _ = ask(console, "GET", "/chart.js")
    assert status == 200
    assert ask(console, "GET", "/chart.js", headers={"If-None-Match": headers["ETag"]})[::2] == (304, b"")
    status, headers, body = ask(console, "HEAD", "/api/v1/status")
    assert (status, body) == (200, b"") and int(headers["Content-Length"]) > 1000
    for method, path, allow in (("POST", "/api/v1/status", "GET, HEAD"), ("GET", "/api/v1/retry", "POST"), ("DELETE", "/api/v1/why", "GET, HEAD, POST"),
                                ("PUT", "/", "GET, HEAD"), ("TRACE", "/healthz", "GET, HEAD"), ("OPTIONS", "/api/v1/status", "GET, HEAD")):
        status, headers, body = ask(console, method, path)
        assert (status, headers["Allow"]) == (405, allow), (method, path)
        assert json.loads(body)["code"] == "wrong_method"
    for path in ("/nothing", "/api/v1/", "/api/v1/status/", "/../etc/passwd", "//", "/console.js/x"):
        status, _, body = ask(console, "GET", path)
        assert (status, json.loads(body)["code"]) == (404, "no_such_path"), path
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(console, "GET", path)[0] == 200


def test_wrong_questions_are_named(console):
    for path, code in (("/api/v1/orders?list=dead&list=dead", "bad_query"), ("/api/v1/orders?lists=dead", "unknown_argument"),
                       ("/api/v1/why?order=%00", "bad_url"), ("/api/v1/status%00", "bad_url"), ("/api/v1/why?order=%0a", "bad_query"),
                       ("/api/v1/why?order=%ff", "bad_query"), (f"/api/v1/why?order={'x' * 600}", "bad_query"), (f"/api/v1/why?{'a=1&' * 40}", "unknown_argument")):
        status, _, body = ask(console, "GET", path)
        assert (status, json.loads(body)["code"]) == (400, code), path


def test_sizes_have_limits(console):
    json_type = {"Content-Type": "application/json", **BEARER}
    status, _, body = ask(console, "POST", "/api/v1/retry", b" " * 70000, json_type)
    assert (status, json.loads(body)["code"]) == (413, "too_large")
    chunked = b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 413 " in raw(console, chunked + b"11170\r\n" + b"x" * 70000 + b"\r\n0\r\n\r\n").split(b"\r\n")[0]
    assert b" 414 " in raw(console, b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HOST + b"\r\n").split(b"\r\n")[0]
    assert b" 431 " in raw(console, b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 20000 + b"\r\n").split(b"\r\n")[0]
    assert ask(console, "GET", "/healthz")[0] == 200


def test_acts_need_the_token(console):
    json_type = {"Content-Type": "application/json"}
    for path in ("retry", "drop", "pause", "resume", "session"):
        for headers, wanted in (({}, (401, "token_needed")), ({"Authorization": "Bearer no"}, (401, "token_wrong")),
                                ({"Authorization": f"Basic {TOKEN}"}, (401, "token_wrong")),
                                ({**BEARER, "Sec-Fetch-Site": "cross-site"}, (403, "other_site")),
                                ({**BEARER, "Origin": "http://evil.example"}, (403, "other_site")),
                                ({**BEARER, "Content-Type": "text/plain"}, (415, "not_json"))):
            status, answer, body = ask(console, "POST", f"/api/v1/{path}", b"{}", {**json_type, **headers})
            assert (status, json.loads(body)["code"]) == wanted, (path, headers)
            assert ("WWW-Authenticate" in answer) == (status == 401)
        assert ask(console, "POST", f"/api/v1/{path}", b"{}", {**json_type, **BEARER})[0] == 200, path
    assert TOKEN not in console.process.text()


def test_other_names_of_this_machine_are_refused(console):
    for host, wanted in (("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:9180", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421)):
        assert ask(console, "GET", "/api/v1/status", headers={"Host": host})[0] == wanted, host
    assert b" 400 " in raw(console, b"GET /api/v1/status HTTP/1.1\r\n\r\n").split(b"\r\n")[0]
    for site, wanted in (("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)):
        assert ask(console, "GET", "/api/v1/status", headers={"Sec-Fetch-Site": site})[0] == wanted


@pytest.mark.parametrize("token,reading,acts", [(None, (403, "closed"), (403, "read_only")), (TOKEN, (401, "token_needed"), (401, "token_needed"))])
def test_on_another_address_reading_needs_the_token_too(token, reading, acts):
    server = Canned("console-open", token, "0.0.0.0:0")
    try:
        json_type = {"Content-Type": "application/json"}
        status, _, body = ask(server, "GET", "/api/v1/status", headers={"Host": "console:9180"})
        assert (status, json.loads(body)["code"]) == reading
        status, _, body = ask(server, "POST", "/api/v1/retry", b"{}", json_type)
        assert (status, json.loads(body)["code"]) == acts
        assert ask(server, "GET", "/api/v1/status", headers=BEARER)[0] == (200 if token else 403)
        assert ask(server, "GET", "/")[0] == ask(server, "GET", "/metrics")[0] == 200
        assert ("console without TLS" if token else "console closed") in server.process.text()
    finally:
        assert server.stop() == 0


def test_no_token_means_read_only():
    server = Canned("console-read-only", None)
    try:
        status, _, body = ask(server, "POST", "/api/v1/retry", b"{}", {"Content-Type": "application/json", "Authorization": "Bearer "})
        assert (status, json.loads(body)["code"]) == (403, "read_only")
        assert json.loads(ask(server, "GET", "/api/v1/session")[2]) == {"acts": False, "reading": "free"}
    finally:
        assert server.stop() == 0


BAD = (
    b"", b"\r\n\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET /healthz HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n" + HOST,
    b"GET /%00%ff HTTP/1.1\r\n" + HOST + b"\r\n", b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100000,
    b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
    b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /x", b"GET /api/v1/why?wrong=%zz HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n", b"\x00" * 5000, b"A" * 200000,
)


def test_bad_requests_are_answered_and_survived(console):
    with concurrent.futures.ThreadPoolExecutor(len(BAD)) as pool:
        for data, said in zip(BAD, pool.map(lambda data: raw(console, data, timeout=30), BAD)):
            assert not said or said.startswith(b"HTTP/1."), data[:50]
            assert b" 200 " not in said.split(b"\r\n")[0], data[:50]
    assert ask(console, "GET", "/api/v1/status")[0] == 200


def test_garbled_requests_are_survived(console):
    rng = random.Random(12)
    good = [b"GET /api/v1/orders?list=dead&limit=3 HTTP/1.1\r\n" + HOST + b"Accept: */*\r\n\r\n",
            b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"email\": \"a@b.c\"}"]
    requests = []
    for _ in range(400):
        data = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 6)):
            where = rng.randrange(len(data))
            if rng.random() < 0.5:
                data[where] = rng.randrange(256)
            elif rng.random() < 0.5:
                del data[where:where + rng.randint(1, 9)]
                data = data or bytearray(b"G")
            else:
                data[where:where] = rng.randbytes(rng.randint(1, 9))
        requests.append(bytes(data))
    with concurrent.futures.ThreadPoolExecutor(100) as pool:  # half a request waits for its end until it is dropped
        for data, said in zip(requests, pool.map(lambda data: raw(console, data, timeout=30), requests)):
            assert not said or said.startswith(b"HTTP/1."), data
    assert ask(console, "GET", "/api/v1/status")[0] == 200


def test_pipelined_requests_are_answered_in_order(console):
    one = b"GET /api/v1/orders?list=%s HTTP/1.1\r\n" + HOST + b"\r\n"
    said = raw(console, one % b"dead" + one % b"skipped" + b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", shut=False)
    assert said.count(b"HTTP/1.1 200 ") == 3
    assert said.index(b"gave_up") < said.index(b"no_email") < said.index(b"alive")


class Slow:
    """Connections that send a byte of a header in each second, and some that fetch nothing of a large answer."""

    def __init__(self, port):
        self.ending, self.lines = threading.Event(), []
        for number in range(SLOW):
            line = socket.create_connection(("127.0.0.1", port), timeout=5)
            line.sendall(b"GET /chart.js HTTP/1.1\r\n" + HOST + (b"X-Slow: " if number % 4 else b"\r\n"))
            self.lines.append(line)
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def drip(self):
        while not self.ending.wait(1):
            for number, line in enumerate(self.lines):
                try:
                    if number % 4:
                        line.sendall(b"x")
                except OSError:
                    pass

    def stop(self):
        self.ending.set()
        self.thread.join()
        for line in self.lines:
            line.close()


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def test_200_slow_connections_beside_200_requests_a_second(console):
    slow, times = Slow(console.port), []
    try:
        connection = http.client.HTTPConnection(console.address, timeout=10)
        for number in ticks(RATE, SECONDS):
            asked = time.monotonic()
            connection.request("GET", ("/api/v1/status", "/metrics", "/api/v1/orders?list=dead", "/")[number % 4])
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            times.append(time.monotonic() - asked)
        connection.close()
        assert http_call(console.address, "GET", "/healthz")[0] == 200
        assert memory_kb(console.process.pid) < 40000
    finally:
        slow.stop()
    times.sort()
    print(f"slow clients: requests={len(times)} p50_ms={times[len(times) // 2] * 1000:.1f} p99_ms={times[len(times) * 99 // 100] * 1000:.1f}"
          f" rss_kb={memory_kb(console.process.pid)}")
    assert times[len(times) * 99 // 100] < 1
    wait_until(lambda: len(os.listdir(f"/proc/{console.process.pid}/fd")) < 50, 30, "the slow connections to be closed")


def test_a_client_that_says_nothing_is_dropped(console):
    begun = time.monotonic()
    assert raw(console, b"GET /api/v1/status HTTP/1.1\r\n", shut=False, timeout=30).count(b"200 OK") == 0
    assert 5 < time.monotonic() - begun < 25


class Dawdlers:
    """More connections than the console has, each with a request that never ends, or with an answer that is hardly fetched.
    One that is closed is opened anew. Behind an answer that is not fetched nobody learns of it: more come each second instead."""

    def __init__(self, port, begin, count=600, receive=None):
        self.port, self.begin, self.receive, self.ending = port, begin, receive, threading.Event()
        self.lines = [self.connect() for _ in range(count)]
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def connect(self):
        line = socket.socket()
        if self.receive:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive)
        line.settimeout(10)
        line.connect(("127.0.0.1", self.port))
        with contextlib.suppress(OSError):  # it may be dropped at once
            line.sendall(self.begin)
        return line

    def drip(self):
        while not self.ending.wait(1):
            if self.receive:
                self.lines += [self.connect() for _ in range(60)]
            for number, line in enumerate(self.lines):
                try:
                    if self.receive:
                        ended = line.recv(1) == b""
                    else:
                        ended = line.sendall(b"x") is not None
                except OSError:
                    ended = True
                if ended and not self.ending.is_set():
                    line.close()
                    self.lines[number] = self.connect()

    def stop(self):
        self.ending.set()
        self.thread.join()
        for line in self.lines:
            line.close()


HEAD = b"GET /api/v1/status HTTP/1.1\r\n" + HOST + b"X-Slow: "
BODY = (b"POST /api/v1/why HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n")
READ = (b"GET /chart.js HTTP/1.1\r\n" + HOST + b"\r\n") * 3  # more than the kernel takes off the console's hands


def no_room(console):
    """How many clients were dropped for want of room."""
    text = ask(console, "GET", "/metrics")[2].decode()
    return float(re.search(r'^bigfusion_slow_clients_total\{why="room"\} (\S+)$', text, re.M)[1])


@pytest.mark.parametrize("begin, receive", [(HEAD, None), (BODY, None), (READ, 2048)], ids=["head", "body", "answer"])
def test_more_dawdlers_than_connections_keep_nobody_from_being_answered(console, begin, receive):
    dawdlers = Dawdlers(console.port, begin, receive=receive)
    try:
        for _ in range(3):
            before = no_room(console)
            for path in ("/healthz", "/api/v1/status", "/"):
                assert ask(console, "GET", path)[0] == 200
            wait_until(lambda: no_room(console) > before, 20, "clients to be dropped for want of room")  # noqa: B023
        assert len(os.listdir(f"/proc/{console.process.pid}/fd")) < 512 + 64
    finally:
        dawdlers.stop()


def test_a_request_has_to_be_whole_in_time_however_often_something_of_it_comes(console):
    """Each second a byte: 10 s of silence would be needed otherwise. Another client shows that time has passed."""
    lines = {}
    for name, begin in (("head", HEAD), ("body", BODY)):
        lines[name] = socket.create_connection(("127.0.0.1", console.port), timeout=10)
        lines[name].sendall(begin)
    begun, ended = time.monotonic(), {}

    def drip():
        for name in set(lines) - set(ended):
            try:
                lines[name].sendall(b"x")
                lines[name].setblocking(False)
                if lines[name].recv(100) == b"":
                    ended[name] = time.monotonic() - begun
            except BlockingIOError:
                pass
            except OSError:
                ended[name] = time.monotonic() - begun
        assert ask(console, "GET", "/healthz")[0] == 200
        return len(ended) == len(lines)
    wait_until(drip, 60, lambda: f"both to be dropped, {ended} are", interval=1)
    for line in lines.values():
        line.close()
    assert min(ended.values()) > 15, ended


def test_answers_that_nobody_fetches_make_room_for_others(console):
    """40 clients leave an answer of 1 MB each where it is; no more than 32 MB of answers may wait."""
    canned.write(console.answers, orders__dead={"filler": "x" * 1_000_000})
    lines, path = [], "/api/v1/orders?list=dead"

    def leave_one():
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        line.connect(("127.0.0.1", console.port))
        line.sendall(b"GET /api/v1/orders?list=dead HTTP/1.1\r\n" + HOST + b"\r\n")
        lines.append(line)

    def is_full():
        """On a busy machine, room may have been made already: one more then."""
        return ask(console, "GET", path)[0] == 503 or leave_one()
    try:
        for _ in range(40):
            leave_one()
        wait_until(is_full, 30, "the limit to be reached", interval=0.01)
        wait_until(lambda: ask(console, "GET", path)[0] == 200, 30, "room to be made")
    finally:
        canned.write(console.answers)
        for line in lines:
            line.close()


def test_it_stops_while_requests_are_under_way():
    server = Canned("console-stopping")
    slow = Slow(server.port)
    try:
        assert server.stop() == 0
    finally:
        slow.stop()
