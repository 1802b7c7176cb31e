"""TLS for tests: authorities and certificates made by openssl, a front that adds TLS to a server, and one that counts visitors.

    made = Certificates(folder)
    front = Front(port_of_the_server, made.context("good", san="IP:127.0.0.1"))
    front.use(made.context("expired", days=0))     # from now on; connections that are open end
"""

import os
import socket
import ssl
import subprocess
import threading
import warnings


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Certificates:
    """Makes what is asked for in a folder: NAME.pem, NAME.key. The authority is ca.pem."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.authority("ca")

    def path(self, name):
        return f"{self.folder}/{name}"

    def authority(self, name):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.pem"))
        return self.path(f"{name}.pem")

    def make(self, name, san=None, authority="ca", days=2, usage="serverAuth"):
        """days 0: it has expired when it is made."""
        lines = [f"extendedKeyUsage={usage}", "authorityKeyIdentifier=keyid", "subjectKeyIdentifier=hash"]
        with open(self.path(f"{name}.ext"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines + ([f"subjectAltName={san}"] if san else [])) + "\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", self.path(f"{name}.key"), "-out",
                self.path(f"{name}.csr"))
        openssl("x509", "-req", "-days", str(days), "-in", self.path(f"{name}.csr"), "-CA", self.path(f"{authority}.pem"),
                "-CAkey", self.path(f"{authority}.key"), "-CAcreateserial", "-extfile", self.path(f"{name}.ext"), "-out",
                self.path(f"{name}.pem"))

    def context(self, name, old=False, **about):
        """What a server needs to speak TLS with a new certificate. old: it speaks nothing newer than TLS 1.1, with a key exchange
        that needs no signature, so that a client that takes TLS 1.1 is served."""
        self.make(name, **about)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(f"{name}.pem"), self.path(f"{name}.key"))
        if old:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            context.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
        return context


class Visitors:
    """Listens on a port of 127.0.0.1 and serves each connection in a thread of its own; here, by counting it and hanging up."""

    def __init__(self):
        self.lock, self.open, self.visits = threading.Lock(), set(), 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.visits += 1
                self.open.add(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line):
        try:
            self.serve(line)
        except OSError:  # ssl.SSLError is one
            pass
        finally:
            with self.lock:
                self.open.discard(line)
            line.close()

    def serve(self, line):
        pass

    def cut(self):
        with self.lock:
            for line in self.open:
                try:
                    line.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()


def pump(source, target, note=None):
    """Passes on what source sends, until it ends."""
    try:
        while data := source.recv(65536):
            if note:
                note(data)
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Front(Visitors):
    """Adds TLS to the server on a port. bytes: how many a client has sent behind a finished handshake."""

    def __init__(self, target, context):
        self.target, self.context, self.redirect, self.bytes = target, context, None, 0
        super().__init__()

    def use(self, context, redirect=None):
        """Serves new connections like this; those that are open end. redirect: each request is answered by 307 to there."""
        self.context, self.redirect = context, redirect
        self.cut()

    def note(self, data):
        self.bytes += len(data)

    def serve(self, line):
        context, redirect = self.context, self.redirect
        with context.wrap_socket(line, server_side=True) as secure:
            with self.lock:  # the wrapped socket has taken the other's place
                self.open.add(secure)
            try:
                if context is self.context:
                    self.answer(secure, redirect)
            finally:
                with self.lock:
                    self.open.discard(secure)

    def answer(self, secure, redirect):
        if redirect:
            self.note(secure.recv(65536))
            secure.sendall(f"HTTP/1.1 307 Moved\r\nLocation: {redirect}\r\nContent-Length: 0\r\n"
                           "Connection: close\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=pump, args=(server, secure), daemon=True)
            back.start()
            pump(secure, server, self.note)
            back.join()


class ConnectProxy(Visitors):
    """An HTTP proxy that takes CONNECT alone and leads every host to this machine. asked: what clients sent to the proxy itself."""

    def __init__(self):
        self.asked = []
        super().__init__()

    def serve(self, line):
        head = b""
        while b"\r\n\r\n" not in head:
            more = line.recv(4096)
            if not more:
                return
            head += more
        self.asked.append(head.decode())
        port = int(head.split(b" ")[1].rsplit(b":", 1)[1])
        with socket.create_connection(("127.0.0.1", port)) as server:
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, line), daemon=True)
            back.start()
            pump(line, server)
            back.join()
