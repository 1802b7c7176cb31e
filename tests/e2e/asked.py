"""A stack with a console, of which `bigfusion why` is asked."""

import json
import subprocess

from processes import binary, free_port, wait_until
from shop_stack import Shop

EXIT = {"synced": 0, "waiting": 10, "retrying": 11, "skipped": 12, "dead": 13, "unknown": 14}


def name_of(placed, code="BC"):
    return f"{code}/{placed['id']}"


def stages(answer):
    return [step["stage"] for step in answer["history"]]


class Asked(Shop):
    def __init__(self, run, settings=None, **arguments):
        super().__init__(run, settings=settings, **arguments)
        address = f"127.0.0.1:{free_port()}"
        self.settings = {**self.settings, "console": {"listen": address, "url": f"http://{address}",
                                                      "index_file": f"{self.run}/index.sqlite"}}

    def start_console(self):
        self.start_service("console")
        self.wait_ready("console")

    def run_why(self, *words, stdin=""):
        return subprocess.run([binary("bigfusion"), "why", *words, "--config", self.config], input=stdin, env=self.environment(),
                              capture_output=True, text=True, timeout=60, check=False)

    def why(self, *words, stdin=""):
        """(exit status, the document)"""
        done = self.run_why(*words, "--json", stdin=stdin)
        assert done.returncode in EXIT.values(), done
        return done.returncode, json.loads(done.stdout)

    def answer(self, name, verdict, reason=None, says="", last=None, timeout=30):
        """Asks until the order's one answer is this one, and its history ends with a record of that stage. Returns the answer."""
        seen = {}

        def there():
            seen["status"], document = self.why(name)
            assert len(document["orders"]) == 1, document
            one = seen["one"] = document["orders"][0]
            assert seen["status"] == EXIT[one["verdict"]]
            return (one["verdict"], one["reason"]) == (verdict, reason) and says in one["sentence"] and last in (None, *stages(one)[-1:])
        wait_until(there, timeout, lambda: f"{name} to be {verdict} {reason} {says} {last}: {seen}; {self.trouble()}", interval=0.1)
        return seen["one"]

    def wait_for_poll(self, store):
        """Waits until the store is asked for orders once more."""
        def polls():
            return [e for e in self.journal() if e["side"] == "bc" and e["path"].startswith(f"/stores/{store}/")]
        before = len(polls())
        wait_until(lambda: len(polls()) > before, 60, lambda: f"a poll of {store}; {self.trouble()}")
