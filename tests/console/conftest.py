"""What the tests of the console share: the canned console, the browser, and a whole stack with a real console."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "e2e"), os.path.join(TESTS, "why")]

import canned  # noqa: E402
from canned_console import TOOLS, Canned  # noqa: E402

sys.path.append(os.path.join(TOOLS, "console"))


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
