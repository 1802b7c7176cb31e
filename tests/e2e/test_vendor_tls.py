"""Both vendors over https: a server that is not who it should be gets nothing, and the orders wait with the reason."""

import os
import re

import pytest
from processes import http_call, wait_until
from shop import mail, order
from shop_stack import Shop
from tls import Certificates, ConnectProxy, Front, Visitors

FAULTS = {  # name: (its certificate, what the reason says)
    "unknown_authority": ({"authority": "other-ca"}, "unable to get local issuer certificate"),
    "other_host": ({"san": "DNS:other.test"}, "subject name matches target (host name|ipv4 address) '127.0.0.1'"),
    "expired": ({"days": 0}, "certificate has expired"),
    "tls_1_1": ({"old": True}, "alert protocol version|unsupported protocol"),
}


class TlsShop(Shop):
    """Store and account have a front each that speaks https. The environment offers a proxy and a file for the keys."""

    def start(self):
        self.start_servers()
        port = int(self.address.rsplit(":", 1)[1])
        self.certificates = Certificates(f"{self.run}/tls")
        self.certificates.authority("other-ca")
        self.good = self.certificates.context("good", san="IP:127.0.0.1,DNS:vendor.test")
        self.bad = {name: self.certificates.context(name, **{"san": "IP:127.0.0.1", **about})
                    for name, (about, _) in FAULTS.items()}
        self.fronts = {"bc": Front(port, self.good), "is": Front(port, self.good)}
        self.trap, self.keys = Visitors(), f"{self.run}/keys"
        for one in self.stores:
            one["api_url"] = f"https://127.0.0.1:{self.fronts['bc'].port}"
        self.account["api_url"] = f"https://127.0.0.1:{self.fronts['is'].port}/crm/rest/v2"
        self.settings["http"] = {"ca_file": self.certificates.path("ca.pem")}
        for word in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            self.env[word] = f"http://127.0.0.1:{self.trap.port}"
        self.env.update(no_proxy="", NO_PROXY="", SSLKEYLOGFILE=self.keys)
        return self.start_services()

    def heal(self):
        for front in self.fronts.values():
            front.use(self.good)

    def told(self, side):
        return self.services["pusher" if side == "is" else "poller"].text()

    def waits(self, side, text, mark):
        """Places an order and waits until the log names, behind the mark, the reason why it waits. Returns the order."""
        placed = self.place(order(mail("waits")))
        wait_until(lambda: re.search(text, self.told(side)[mark:]), 30, lambda: f"{text}; {self.told(side)[mark:]}")
        assert self.fate(placed["id"]) is None and self.created(placed["id"]) == []
        return placed

    def arrives(self, placed):
        self.heal()
        assert self.wait_fate(placed["id"], timeout=60) == ("delivered", None)
        assert len(self.created(placed["id"])) == 1
        for name in ("poller", "pusher"):  # trouble is logged where it begins: the next test's must not be the same one
            self.wait_ready(name)


@pytest.fixture(scope="module")
def shop():
    with TlsShop("e2e-vendor-tls") as stack:
        yield stack.start()
        stack.heal()
        stack.wait_drained(60)
        stack.assert_right(lost=0, duplicated=0)
        assert set(stack.stop().values()) == {0}


@pytest.fixture(autouse=True)
def healed(shop):
    yield
    shop.heal()


@pytest.mark.parametrize("side", ["is", "bc"])
@pytest.mark.parametrize("fault", FAULTS)
def test_attack_2_a_server_that_is_not_the_vendor_gets_nothing_and_the_order_waits(shop, fault, side):
    front, mark = shop.fronts[side], len(shop.told(side))
    front.use(shop.bad[fault])
    before = front.bytes
    placed = shop.waits(side, FAULTS[fault][1], mark)
    part = "account main" if side == "is" else "store abc123"
    name = "pusher" if side == "is" else "poller"
    readyz = lambda: http_call(f"127.0.0.1:{shop.ports[name]}", "GET", "/readyz")  # noqa: E731
    wait_until(lambda: re.search(f"{part}: not ready: .*({FAULTS[fault][1]})", readyz()[1].decode()), 20, readyz)
    assert readyz()[0] == 503
    assert front.bytes == before, "it was sent something behind the handshake"
    shop.arrives(placed)


@pytest.mark.parametrize("side", ["is", "bc"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_attack_6_no_redirect_is_followed_to_another_host_or_scheme(shop, scheme, side):
    before, mark = shop.trap.visits, len(shop.told(side))
    shop.fronts[side].use(shop.good, redirect=f"{scheme}://127.0.0.1:{shop.trap.port}/crm/rest/v2/orders")
    placed = shop.waits(side, "HTTP 307|status=307| 307", mark)
    assert shop.trap.visits == before
    shop.arrives(placed)


def test_attack_6_neither_a_proxy_nor_a_file_for_keys_is_taken_from_the_environment(shop):
    shop.place_and_wait(order(mail("environment")))
    assert shop.trap.visits == 0
    assert not os.path.exists(shop.keys) or os.path.getsize(shop.keys) == 0


def test_a_proxy_of_the_settings_sees_the_name_of_the_host_alone(shop):
    proxy = ConnectProxy()
    shop.env["BIGFUSION_HTTP_PROXY"] = f"http://127.0.0.1:{proxy.port}"
    shop.env["BIGFUSION_INFUSIONSOFT_MAIN_API_URL"] = f"https://vendor.test:{shop.fronts['is'].port}/crm/rest/v2"
    try:
        assert "is there already" in shop.command("setup").stdout
    finally:
        del shop.env["BIGFUSION_HTTP_PROXY"], shop.env["BIGFUSION_INFUSIONSOFT_MAIN_API_URL"]
        proxy.stop()
    assert proxy.asked and all(one.startswith(f"CONNECT vendor.test:{shop.fronts['is'].port} HTTP/1.1\r\n") for one in proxy.asked)
    assert "KeapAK" not in "".join(proxy.asked)
