"""A TCP proxy whose connections can be cut, frozen or refused while both ends believe in them."""

import asyncio
import collections
import threading

from processes import free_port


class Proxy:
    """Listens on its own port and forwards to 127.0.0.1:target, in a thread of its own.

    freeze(): nothing passes any more, nobody is told (half-open); thaw(): what was held back passes
    lead_to(): new connections go to another port, those that are there stay where they are
    cut():    every connection ends with a reset; new ones are served
    refuse(True): new connections are ended at once
    """

    def __init__(self, target, port=None):
        self.target, self.port = target, port or free_port()
        self.loop = asyncio.new_event_loop()
        self.gate = asyncio.Event()
        self.gate.set()
        self.refusing, self.writers, self.open = False, set(), collections.Counter()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        ready.set()
        self.loop.run_forever()
        server.close()

    def _call(self, function, *arguments):
        self.loop.call_soon_threadsafe(function, *arguments)

    def freeze(self):
        self._call(self.gate.clear)

    def thaw(self):
        self._call(self.gate.set)

    def refuse(self, yes=True):
        self.refusing = yes

    def lead_to(self, target):
        self.target = target

    def connections(self, target):
        """How many are open to that port."""
        return self.open[target]

    def cut(self):
        self._call(lambda: [writer.transport.abort() for writer in list(self.writers)])

    def stop(self):
        self.cut()
        self._call(self.loop.stop)
        self.thread.join(5)

    async def _serve(self, reader, writer):
        if self.refusing:
            writer.transport.abort()
            return
        target = self.target
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.transport.abort()
            return
        self.open[target] += 1
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self.open[target] -= 1

    async def _pump(self, reader, writer):
        self.writers.add(writer)
        try:
            while data := await reader.read(65536):
                await self.gate.wait()
                writer.write(data)
                await writer.drain()
            writer.close()
        except OSError:
            writer.transport.abort()
        finally:
            self.writers.discard(writer)
