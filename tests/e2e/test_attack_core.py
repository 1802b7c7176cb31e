"""Attack 12: no core file holds tokens or customers."""

import re
import signal

import pytest
from shop_stack import Shop


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-attack-12") as stack:
        yield stack.start()


@pytest.mark.parametrize("name", ["poller", "filter", "mapper", "pusher"])
def test_attack_12_no_service_leaves_a_core_file(shop, name):
    pid = shop.services[name].pid
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        assert re.search(r"^Max core file size +0 +0 ", file.read(), re.M)
    shop.services[name].signal(signal.SIGSEGV)
    assert shop.services[name].wait(10) == -11
