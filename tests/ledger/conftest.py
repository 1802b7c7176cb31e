import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from ledger import Server, Worker  # noqa: E402


@pytest.fixture(scope="session")
def shared():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(shared):
    """An empty Redis."""
    shared.client.flushall()
    return shared


@pytest.fixture(params=[False, True], ids=["once", "every reply lost once"])
def workers(server, request):
    """Two workers on one order, in a ledger that is ready."""
    a, b = Worker(server, "a", repeat=request.param), Worker(server, "b", repeat=request.param)
    a.rebuild()
    b.hello()
    return a, b


@pytest.fixture
def own_server():
    """A Redis of its own, which the test may restart."""
    servers = []

    def start(*options, port=0):
        servers.append(Server(*options, port=port))
        return servers[-1]

    yield start
    for one in servers:
        one.close()
