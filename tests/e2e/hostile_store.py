"""A store that answers chosen requests itself, as a hostile one would, and passes all others on to the sandbox."""

import http.server
import re
import threading
import urllib.error
import urllib.request


class HostileStore:
    def __init__(self, target, path, answer):
        """target: the sandbox's address. A path that matches the pattern `path` is answered with answer(path), a list of
        byte strings that are sent one after the other. `asked` counts these requests; `requests` has the method and path of
        each request, whoever answers it. Only GET is passed on."""
        self.asked, self.requests = 0, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.requests.append((self.command, self.path))
                self.answer(403, [b"{}"])

            do_PATCH = do_PUT = do_DELETE = do_POST

            def do_GET(self):
                outer.requests.append((self.command, self.path))
                if re.search(path, self.path):
                    outer.asked += 1
                    self.answer(200, answer(self.path))
                    return
                request = urllib.request.Request(target + self.path, headers=dict(self.headers))
                try:
                    with urllib.request.urlopen(request, timeout=30) as reply:
                        self.answer(reply.status, [reply.read()])
                except urllib.error.HTTPError as error:
                    self.answer(error.code, [error.read()])

            def answer(self, status, parts):
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(sum(len(part) for part in parts)))
                self.end_headers()
                try:
                    for part in parts:
                        self.wfile.write(part)
                except OSError:  # the client has read enough
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
