"""A pusher that is stopped gives everything back: what it had set aside waits for nobody's lease."""

import itertools

import pytest
from processes import wait_until
from shop import item, mail, order
from shop_stack import Shop

LEASE_S = 300  # nobody in here waits so long
SETTINGS = {
    "pusher": {"workers": 6, "lease_s": LEASE_S, "http_timeout_s": 1, "visibility_delay_s": 2, "retry_delays_s": "1,1,1"},
}
_prefixes = itertools.count(1)


@pytest.fixture(scope="module")
def shop():
    with Shop("e2e-pusher-restart", settings=SETTINGS) as stack:
        stack.start()
        yield stack
        assert set(stack.stop().values()) == {0}


LEASED = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
    local lease = redis.call('TYPE', key).ok == 'hash' and redis.call('HGET', key, 'lease')
    if lease and lease ~= '0' then found[#found + 1] = key end
end
return {ok = table.concat(found, ' ')}
"""


def leased(shop):
    """The ledger's entries that somebody has."""
    return shop.redis.command("EVAL", LEASED, "0", f"{shop.prefix}:ledger:*").decode().split()


def test_a_graceful_stop_gives_back_every_lease_also_of_what_was_set_aside(shop):
    """Orders and contacts in doubt wait in the pusher until what is not visible yet must be."""
    shop.env["BIGFUSION_PUSHER_VISIBILITY_DELAY_S"] = "60"
    shop.restart("pusher")
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=500, match="ASIDE")
    shop.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match="aside.contact")
    placed = [shop.place(order(mail("aside"), [item("ASIDE-1", "ASIDE")], billing={"first_name": "ASIDE"}))
              for _ in range(3)] + [shop.place(order(mail("aside.contact"))) for _ in range(3)]
    wait_until(lambda: sum("/order/" in key for key in leased(shop)) == len(placed) and
               sum(":contact:" in key for key in leased(shop)) == 3, 30, lambda: f"{leased(shop)}; {shop.trouble()}")
    shop.services["pusher"].stop()
    assert leased(shop) == []
    shop.clear_faults()
    del shop.env["BIGFUSION_PUSHER_VISIBILITY_DELAY_S"]
    shop.start_service("pusher")
    for one in placed:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=30)
        assert len(shop.created(one["id"])) == 1


def test_what_one_worker_set_aside_any_other_goes_on_with(shop):
    """A contact's lease belongs to the process. It was the worker's: whoever came next waited for it to run out."""
    shop.fault(side="is", method="POST", path="/contacts", kind="status", status=500, match="another", count=12)
    emails = [mail("another") for _ in range(12)]
    placed = [shop.place(order(email)) for email in emails for _ in range(2)]
    for one in placed:
        shop.wait_fate(one["id"], wanted=("delivered", None), timeout=40)
        assert len(shop.created(one["id"])) == 1
    for email in emails:
        made = [e for e in shop.requests_since(0, "POST", "/contacts", email) if e["status"] == 201]
        assert len(made) == 1, "one worker at a time"
    wait_until(lambda: leased(shop) == [], 30, lambda: leased(shop))


def test_a_restart_under_load_stalls_deliveries_for_a_moment(kafka):
    with Shop("e2e-pusher-restart-load", broker=kafka, prefix=f"restart{next(_prefixes)}", orders=800,
              settings={"pusher": {"workers": 16, "lease_s": LEASE_S}}, sandbox=["--answer-delay-ms", "25"]) as stack:
        stack.start()

        def creates():
            return [float(e["t"]) for e in stack.journal() if (e.get("effect") or {}).get("made") == "order"]

        for share in (150, 350):
            wait_until(lambda n=share: len(creates()) >= n, 60, lambda: f"{len(creates())}; {stack.trouble()}")
            stack.restart("pusher", wait=False)
        stack.wait_drained(120)
        times = creates()
        longest = max(b - a for a, b in itertools.pairwise(times))
        print(f"longest stall {longest:.2f} s over {len(times)} creates and two restarts")
        assert longest < 30, "about one second, and more on a busy machine; the contacts' lease runs for minutes"
        stack.assert_right(lost=0, duplicated=0)
