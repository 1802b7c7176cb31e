#!/usr/bin/python3
"""Load on small HTTP servers, as a process of its own: so many requests a second, slow connections, and bad requests.

    tests/why/attack.py --rate 200 --slow 200 --bad 20 --orders FIRST-LAST HOST:PORT=console HOST:PORT=metrics ...

The rate is that of each kind: 200 a second to the console, 200 a second to all /metrics together; --slow connections to each
address send a byte of a header in every second; --bad requests a second are garbage, halves and too large ones. TERM ends
it; it then prints one JSON line: requests by status, how many had no answer, p99 of the good ones, bad ones answered or
closed or left open for longer than 15 s.
"""

import argparse
import asyncio
import collections
import json
import os
import random
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

from test_slow_clients import BAD  # noqa: E402

LINES = 8  # kept connections for each kind


class Attack:
    def __init__(self, args):
        self.args, self.rng = args, random.Random(1)
        self.statuses, self.took = collections.Counter(), []
        self.unanswered = self.bad = self.bad_open = self.slow_lost = 0
        self.first, self.last = (int(n) for n in args.orders.split("-"))
        self.targets = collections.defaultdict(list)  # kind -> [(host, port)]
        for word in args.target:
            address, kind = word.split("=")
            self.targets[kind].append((address.split(":")[0], int(address.split(":")[1])))

    def path(self, kind):
        if kind == "metrics":
            return "/metrics"
        return self.rng.choice((f"/api/v1/why?order=BC/{self.rng.randint(self.first, self.last)}",) * 6 + (
            "/api/v1/status", "/api/v1/orders?list=stuck&limit=50", "/", "/metrics"))

    async def good(self, kind, lane):
        """One kept connection that asks at an even rate."""
        every = LINES / self.args.rate
        due = time.monotonic() + every * lane / LINES
        lines = {}
        number = lane
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + every, time.monotonic() - 1)
            address = self.targets[kind][number % len(self.targets[kind])]
            number += 1
            start = time.monotonic()
            try:
                if address not in lines:
                    lines[address] = await asyncio.wait_for(asyncio.open_connection(*address), 10)
                status, is_last = await asyncio.wait_for(self.ask(*lines[address], self.path(kind)), 10)
                self.statuses[status] += 1
                self.took.append(time.monotonic() - start)
                if is_last:
                    lines.pop(address)[1].close()
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
                self.unanswered += 1
                if address in lines:
                    lines.pop(address)[1].close()

    @staticmethod
    async def ask(reader, writer, path):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {writer.get_extra_info('peername')[0]}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split()[1])
        length = [line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")]
        if length:
            await reader.readexactly(int(length[0]))
        else:
            while int((await reader.readline()).strip() or b"0", 16) > 0:
                raise ValueError("a chunked answer")
        return status, "connection: close" in head

    async def slow(self, address):
        writer = None
        while True:
            try:
                if writer is None:
                    _, writer = await asyncio.open_connection(*address)
                    writer.write(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-Slow: ")
                writer.write(b"x")
                await asyncio.wait_for(writer.drain(), 10)
            except (OSError, asyncio.TimeoutError):
                self.slow_lost += 1
                if writer is not None:
                    writer.close()
                writer = None
            await asyncio.sleep(1)

    async def throw(self):
        addresses = [address for found in self.targets.values() for address in found]
        for number in range(10**9):
            await asyncio.sleep(1 / self.args.bad)
            asyncio.ensure_future(self.throw_one(addresses[number % len(addresses)], BAD[number % len(BAD)]))

    async def throw_one(self, address, request):
        self.bad += 1
        try:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(request)
            if writer.can_write_eof():
                writer.write_eof()
            await asyncio.wait_for(reader.read(), 15)
            writer.close()
        except asyncio.TimeoutError:
            self.bad_open += 1
        except OSError:
            pass

    async def run(self):
        ending = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
        tasks = [self.good(kind, lane) for kind in self.targets for lane in range(LINES)]
        tasks += [self.slow(address) for found in self.targets.values() for address in found for _ in range(self.args.slow)]
        tasks.append(self.throw())
        running = [asyncio.ensure_future(task) for task in tasks]
        print("attacking: all connections are being opened", flush=True)
        await ending.wait()
        for task in running:
            task.cancel()
        took = sorted(self.took) or [0]
        print(json.dumps({"answered": sum(self.statuses.values()), "statuses": self.statuses, "unanswered": self.unanswered,
                          "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1), "bad": self.bad, "bad_open": self.bad_open,
                          "slow_closed": self.slow_lost}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--bad", type=int, default=20)
    parser.add_argument("--orders", default="1000-2000")
    parser.add_argument("target", nargs="+")
    os.nice(5)  # on the machines of others it would cost the pipeline nothing
    asyncio.run(Attack(parser.parse_args()).run())


if __name__ == "__main__":
    main()
