"""Kafka over TLS with a login, Redis with an ACL user, both passwords from files: orders arrive, and only so.

In Debian trixie, where tests/trixie/run.sh runs this file, Redis is encrypted too, and the login to Kafka is SCRAM-SHA-512.
"""

import os
import re
import subprocess

import pytest
from processes import RUNS, Process, binary, free_port, wait_until
from secure import SCRAM, USER, SecureKafka, TlsRedis, acl_user, redis_client, write_secret
from shop import mail, order
from shop_stack import Shop
from tls import Certificates, Front

KAFKA_PASSWORD, REDIS_PASSWORD = "kafka-secret-word", "r@d:s/sec#ret w?rd%"

# name: the certificate of a broker that is not the right one
FAULTS = {
    "unknown_authority": {"authority": "other-ca"},
    "other_host": {"san": "DNS:other.test"},
    "expired": {"days": 0},
    "tls_1_1": {"old": True},
}


REDIS_TLS = subprocess.run(["pkg-config", "--exists", "hiredis_ssl"], check=False).returncode == 0


class SecureShop(Shop):
    redis_class = TlsRedis if REDIS_TLS else Shop.redis_class

    def start(self):
        self.start_servers()
        assert self.redis.command(*acl_user(REDIS_PASSWORD)) == b"OK"
        self.settings["redis"] = {"url": self.redis.url.replace("://", f"://{USER}@"),
                                  "password_file": write_secret(f"{self.run}/redis_password", REDIS_PASSWORD)}
        if REDIS_TLS:
            self.settings["redis"].update(self.redis.client_settings())
        self.settings.update(self.broker.client_settings(write_secret(f"{self.run}/kafka_password", KAFKA_PASSWORD)))
        return self.start_services()

    def start_other(self, service, **env):
        """A further copy of a service whose settings are changed: its own log, ended by the caller."""
        name = f"{service}-2"
        self.ports[name] = free_port()
        return Process(name, [binary(f"bigfusion-{service}"), "--config", self.config], self.run,
                       env={**self.environment(name), **env})


@pytest.fixture(scope="module")
def shop():
    folder = os.path.join(RUNS, "e2e-kafka-tls-broker")
    os.makedirs(folder, exist_ok=True)
    certificates = Certificates(f"{folder}/tls-{os.getpid()}")
    certificates.authority("other-ca")
    kafka = SecureKafka(folder, certificates, KAFKA_PASSWORD)
    try:
        with SecureShop("e2e-kafka-tls", broker=kafka) as stack:
            yield stack.start()
            stack.wait_drained(30)
            stack.assert_right(lost=0, duplicated=0)
            assert set(stack.stop().values()) == {0}
            for process in stack.services.values():
                assert KAFKA_PASSWORD not in process.text() and REDIS_PASSWORD not in process.text()
    finally:
        kafka.stop()


def test_orders_arrive_through_kafka_with_tls_and_a_login_and_redis_with_an_acl_user(shop):
    placed = [shop.place(order(mail("secure"))) for _ in range(10)]
    for one in placed:
        assert shop.wait_fate(one["id"], timeout=60) == ("delivered", None)
        assert len(shop.created(one["id"])) == 1
    names = [one["user"] for one in redis_client(shop.redis).client_list()]
    assert names.count(USER) >= 3, "poller and pusher are logged in as the ACL user"


def test_nothing_that_the_programs_do_in_redis_is_refused_to_the_acl_user(shop):
    shop.restart("pusher")
    shop.place_and_wait(order(mail("acl")), timeout=60)
    for name in ("poller", "pusher"):
        assert "NOPERM" not in shop.services[name].text()
    shop.command("setup")
    assert [one for one in redis_client(shop.redis).acl_log() if one["reason"] != "auth"] == []


def test_attack_8_a_wrong_password_of_kafka_is_refused(shop):
    path = write_secret(f"{shop.run}/wrong", "another-word")
    process = shop.start_other("filter", BIGFUSION_KAFKA_SASL_PASSWORD_FILE=path)
    wait_until(lambda: re.search("SASL authentication error|Authentication failed", process.text()), 30, process.tail)
    assert "another-word" not in process.text()
    assert process.stop() == 0


def test_scram_is_warned_of_where_librdkafka_cannot_do_it(shop):
    process = shop.start_other("filter", BIGFUSION_LIBRDKAFKA_SASL_MECHANISM="SCRAM-SHA-512")
    if SCRAM:
        wait_until(lambda: "assigned partitions" in process.text(), 60, process.tail)
    else:
        wait_until(lambda: "SASL authentication error" in process.text(), 30, process.tail)
    assert process.text().count("is refused by newer brokers") == (0 if SCRAM else 1)
    assert process.stop() == 0


def test_attack_8_a_wrong_password_of_redis_is_refused(shop):
    path = write_secret(f"{shop.run}/wrong", "another-word")
    process = shop.start_other("poller", BIGFUSION_REDIS_PASSWORD_FILE=path)
    wait_until(lambda: "redis: AUTH is refused: WRONGPASS" in process.text(), 30, process.tail)
    assert "another-word" not in process.text()
    assert process.stop() == 0


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_attack_2_a_broker_that_is_not_the_right_one_gets_nothing(shop, fault):
    """The first case shows that a right one behind the same front gets something."""
    context = shop.broker.certificates.context(fault or "right", **{"san": "IP:127.0.0.1", **FAULTS.get(fault, {})})
    front = Front(shop.broker.port, context)
    process = shop.start_other("filter", BIGFUSION_KAFKA_BROKERS=f"127.0.0.1:{front.port}",
                               BIGFUSION_LIBRDKAFKA_SECURITY_PROTOCOL="ssl")
    try:
        if fault is None:
            wait_until(lambda: front.bytes > 0, 30, process.tail)
        else:
            wait_until(lambda: "SSL handshake failed" in process.text(), 30, process.tail)
            wait_until(lambda: front.visits >= 3, 30, process.tail)
            assert front.bytes == 0
    finally:
        status = process.stop()
        front.stop()
    assert status == 0
