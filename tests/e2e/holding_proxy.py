"""A TCP proxy that stops reading a connection in the middle of a chosen request, as a network path that died does.

What the proxy has not read stays with the sender's kernel, which goes on trying to deliver it. release() heals the
path: the rest is read and passed on, and `ended` says how the client's side of the held connection ended.
"""

import socket
import threading

from processes import free_port

RECEIVE_BYTES = 2048  # so little is taken in before it is read


class HoldingProxy:
    def __init__(self, target, request):
        """target: host:port; request: the beginning of the one request that is held, as b"POST /orders"."""
        self.target, self.request = target.split(":"), request
        self.held, self.released = threading.Event(), threading.Event()
        self.over, self.ended = threading.Event(), None
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.listener.bind(("127.0.0.1", free_port()))
        self.listener.listen(64)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def release(self):
        """Heals the path. Returns how the held connection ended: "reset", or "closed" when all of it was read."""
        self.released.set()
        assert self.over.wait(30), "the held connection does not end"
        return self.ended

    def stop(self):
        self.released.set()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection((self.target[0], int(self.target[1])))
            threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
            threading.Thread(target=self._to_client, args=(server, client), daemon=True).start()

    def _to_server(self, client, server):
        mine, ended = False, "closed"
        try:
            while data := client.recv(RECEIVE_BYTES):
                if data.startswith(self.request) and not self.held.is_set():
                    mine = True
                    self.held.set()
                    self.released.wait()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            ended = "reset"
            server.close()
        if mine:
            self.ended = ended
            self.over.set()

    @staticmethod
    def _to_client(server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
            client.close()
        except OSError:
            pass
