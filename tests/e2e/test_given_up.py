"""A request that was given up does not arrive later: neither after a timeout, nor after the death of its process."""

import pytest
from holding_proxy import HoldingProxy
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop

# Long enough that most of its create stays with the sender.
LINES = [item("GIVEN-UP", f"Something with a long name, number {i}, " + "x" * 120) for i in range(40)]


@pytest.fixture(scope="module")
def held():
    """A stack whose pusher reaches the account through a path that dies under the create of an order."""
    short = {"pusher": {"lease_s": 5, "http_timeout_s": 2, "visibility_delay_s": 2}}
    with Shop("e2e-given-up", settings=short) as stack:
        stack.start_servers()
        proxy = HoldingProxy(stack.address, b"POST /crm/rest/v2/orders HTTP")
        stack.account["api_url"] = f"http://{proxy.address}/crm/rest/v2"
        stack.start_services()
        yield stack, proxy
        proxy.stop()



def hold_anew(stack, proxy):
    """The next create is held too."""
    proxy.held.clear()
    proxy.released.clear()
    proxy.over.clear()


def test_a_request_that_timed_out_does_not_arrive_after_its_order_was_made(held):
    stack, proxy = held
    placed = stack.place(order(mail("timeout"), LINES))
    assert proxy.held.wait(30), stack.trouble()
    stack.wait_fate(placed["id"], timeout=60, wanted=("delivered", None))
    assert proxy.release() == "reset"
    assert len(stack.created(placed["id"])) == 1
    stack.assert_right(lost=0, duplicated=0)


def test_a_request_of_a_killed_pusher_does_not_arrive_after_its_order_was_made(held):
    stack, proxy = held
    hold_anew(stack, proxy)
    placed = stack.place(order(mail("killed"), LINES))
    assert proxy.held.wait(30), stack.trouble()
    stack.kill("pusher")
    stack.restart("pusher")
    stack.wait_fate(placed["id"], timeout=60, wanted=("delivered", None))
    assert proxy.release() == "reset"
    assert len(stack.created(placed["id"])) == 1
    stack.assert_right(lost=0, duplicated=0)
