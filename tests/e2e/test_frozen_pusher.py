"""A pusher that is frozen, by a pause of its machine say, and wakes up when others have gone on."""

import signal
import time

import pytest
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop

DELAY_MS = 4000  # the poller is stopped meanwhile, and then Redis
IN_DOUBT = """local n = 0
for _, key in ipairs(redis.call('KEYS', '*:contact:*')) do n = n + redis.call('HEXISTS', key, 'doubt') end
return n"""


@pytest.fixture
def stack():
    settings = {"pusher": {"workers": 2, "lease_s": 10, "http_timeout_s": 6, "visibility_delay_s": 6}}
    with Shop("e2e-frozen", settings=settings) as shop:
        shop.start()
        yield shop


def waiting_bytes(redis):
    """Bytes that clients sent to Redis and that it has not read."""
    with open("/proc/net/tcp", encoding="utf-8") as file:
        rows = [line.split() for line in list(file)[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{redis.port:04X}") and row[3] == "01")


def test_pusher_that_was_frozen_while_it_waited_for_a_begin_asks_again_before_it_calls(stack):
    stack.place_and_wait(order(mail("frozen"), [item("KNOWN", "Known")]))
    stack.services["poller"].stop()  # nobody else speaks to Redis
    email = mail("frozen")
    look = stack.fault(side="is", method="GET", path="/contacts", kind="delay", delay_ms=DELAY_MS)
    placed = stack.place(order(email, [item("KNOWN", "Known")]))
    stack.start_service("poller")
    wait_until(lambda: stack.call("GET", f"/sandbox/faults/{look['id']}")["fired"], 30, stack.trouble)
    answered = time.monotonic() + DELAY_MS / 1000 + 0.3
    stack.services["poller"].stop()
    # Redis stops to answer while the contact is looked up, so the pusher waits for its `begin contact` ...
    stack.redis.process.signal(signal.SIGSTOP)
    wait_until(lambda: time.monotonic() > answered and waiting_bytes(stack.redis) > 0, 20, stack.trouble)
    # ... and is frozen then: the OK lies in its socket.
    stack.services["pusher"].signal(signal.SIGSTOP)
    stack.redis.process.signal(signal.SIGCONT)
    wait_until(lambda: stack.redis.command("EVAL", IN_DOUBT, "0") == b"1", 20, "the contact to be begun")
    stack.clear_faults()
    stack.start_service("pusher-2")
    assert stack.wait_fate(placed["id"], timeout=60) == ("delivered", None)
    later = stack.mark()
    stack.services["pusher"].signal(signal.SIGCONT)
    stack.wait_ready("pusher")
    stack.start_service("poller")
    stack.place_and_wait(order(mail("frozen"), [item("KNOWN", "Known")]))  # both have had their time
    assert not stack.requests_since(later, "POST", "/contacts", email), "the call of long ago did not go out"
    stack.contact(email)
    assert "effect=possible" not in stack.services["pusher"].text()
    stack.assert_right()
