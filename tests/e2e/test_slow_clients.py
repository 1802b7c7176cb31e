"""200 slow connections to each program's small HTTP server, and bad requests beside them: answers and deliveries go on. Then
more slow connections to one than it has."""

import os
import re
import socket
import threading
import time

from processes import http_call, ticks, wait_until
from shop import mail, order
from shop_stack import Shop

SLOW, ORDERS, ROUNDS = 200, 30, 5
MORE = 600  # than the 512 connections that a server has
SERVICES = ("poller", "filter", "mapper", "pusher")

BAD = (
    b"\r\n\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET /healthz HTTP/9.9\r\n\r\n",
    b"DELETE /metrics HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /%00%ff HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    b"POST /readyz HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100000,
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /x",
)


class Attack:
    """Keeps so many connections to each port that send a byte of a header in every second, and sends bad requests, one after
    the other."""

    def __init__(self, ports, count=SLOW):
        self.ports, self.ending, self.lost, self.bad = ports, threading.Event(), 0, 0
        self.lines = [(port, self.connect(port)) for port in ports for _ in range(count)]
        self.threads = [threading.Thread(target=run) for run in (self.drip, self.throw)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def connect(port):
        line = socket.create_connection(("127.0.0.1", port), timeout=30)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-Slow: ")
        return line

    def drip(self):
        for _ in ticks(1):
            if self.ending.is_set():
                return
            for number, (port, line) in enumerate(self.lines):
                try:
                    line.sendall(b"x")
                except OSError:
                    self.lost += 1
                    line.close()
                    self.lines[number] = (port, self.connect(port))

    def throw(self):
        for number in ticks(50):
            if self.ending.is_set():
                return
            port, request = self.ports[number % len(self.ports)], BAD[number % len(BAD)]
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
                    line.sendall(request)
                    line.shutdown(socket.SHUT_WR)
                    line.recv(100)
            except OSError:
                pass
            self.bad += 1

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        for _, line in self.lines:
            line.close()


def deliver(shop):
    """How long it takes until ORDERS orders, placed at once, are delivered."""
    begun = time.monotonic()
    placed = [shop.place(order(mail("slow"))) for _ in range(ORDERS)]
    for one in placed:
        assert shop.wait_fate(one["id"], timeout=120) == ("delivered", None)
    return time.monotonic() - begun


def descriptors(shop, name):
    return len(os.listdir(f"/proc/{shop.services[name].pid}/fd"))


def assert_answers(shop):
    for name in SERVICES:
        for path, text in (("/healthz", b"alive"), ("/readyz", b"kafka: ready"), ("/metrics", b"# TYPE bigfusion_")):
            status, answer = http_call(f"127.0.0.1:{shop.ports[name]}", "GET", path, timeout=10)
            assert status == 200 and text in answer, (name, path, status, answer[:200])


def test_answers_and_deliveries_go_on_beside_200_slow_connections_and_bad_requests():
    with Shop("e2e-slow-clients") as shop:
        shop.start()
        deliver(shop)  # the first orders also make products
        pairs = []
        for _ in range(ROUNDS):
            quiet = deliver(shop)
            attack = Attack([shop.ports[name] for name in SERVICES])
            try:
                assert_answers(shop)
                attacked = deliver(shop)
                assert_answers(shop)
                wait_until(lambda: attack.bad >= 2 * len(BAD), 60, "every bad request to be sent")
            finally:
                attack.stop()
            pairs.append((round(quiet, 2), round(attacked, 2)))
            if attacked <= 1.5 * quiet + 0.5:  # on a busy machine, one round in which both halves had the same luck
                break
        else:
            raise AssertionError(f"deliveries are slower under attack: seconds quiet and attacked {pairs}")
        print(f"slow clients: seconds quiet and attacked {pairs}")
        attack = Attack([shop.ports["mapper"]], MORE)
        try:
            assert_answers(shop)
            wait_until(lambda: attack.lost > 0, 30, "a connection to be dropped")
            assert_answers(shop)
        finally:
            attack.stop()
        dropped = re.findall(r'^bigfusion_slow_clients_total\{why="room"\} (\S+)$', shop.metrics("mapper"), re.M)
        assert float(dropped[0]) > 0
        wait_until(lambda: all(descriptors(shop, name) < SLOW for name in SERVICES), 30,
                   lambda: f"all connections to be closed, {[descriptors(shop, name) for name in SERVICES]} descriptors")
        shop.assert_right(lost=0, duplicated=0)
        assert set(shop.stop().values()) == {0}
