"""What the tests of the console share: the canned console, the browser, and a whole stack with a real console."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
TOOLS = os.environ.get("BIGFUSION_TOOLS", "/usr/local/lib/bigfusion-tools")
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "e2e"), os.path.join(TESTS, "why")]
sys.path.append(os.path.join(TOOLS, "console"))

import canned  # noqa: E402
from processes import RUNS, Process, binary, wait_until  # noqa: E402

TOKEN = "sesame-open-now"  # noqa: S105


class Canned:
    """The console's server and page in front of answers that the test chooses."""

    def __init__(self, run, token=TOKEN, listen="127.0.0.1:0"):
        self.run = os.path.join(RUNS, run)
        self.answers = os.path.join(self.run, "answers")
        os.makedirs(self.run, exist_ok=True)
        canned.write(self.answers)
        self.process = Process("console-canned", [binary("console-canned"), self.answers, listen, *([token] if token else [])], self.run)
        line = wait_until(lambda: [one for one in self.process.text().splitlines() if "for=console" in one and one.count("=") > 3], 20,
                          lambda: f"the console to listen: {self.process.tail()}")[0]
        self.port = int(line.split("address=")[1].split()[0].rsplit(":", 1)[1])
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def stop(self):
        return self.process.stop()


@pytest.fixture(scope="module")
def console(request):
    server = Canned(f"console-{request.module.__name__}")
    yield server
    assert server.process.alive(), server.process.tail()
    assert server.stop() == 0


@pytest.fixture
def answers(console):
    """answers(status=...) replaces answers for one test."""
    yield lambda **changes: canned.write(console.answers, **changes)
    canned.write(console.answers)
