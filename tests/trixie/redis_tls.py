#!/usr/bin/env python3
"""One order is delivered with Redis over TLS; a server that is not the right one is refused, and so are we without what it wants.

Run by run.sh inside its system. Last line: `tls_delivered=1 refused=7`.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

from secure import REDIS_NAME, USER, TlsRedis, acl_user, write_secret  # noqa: E402
from shop import mail, order  # noqa: E402
from shop_stack import Shop  # noqa: E402
from tls import Front  # noqa: E402

PASSWORD = "w@rd/of:redis"


class TlsShop(Shop):
    redis_class = TlsRedis


def assert_refused(stack, name, text):
    answer = stack.command("setup", check=False)
    said = answer.stdout + answer.stderr
    assert answer.returncode == 111 and text in said and PASSWORD not in said, f"{name}: {answer.returncode} {said}"
    assert not any((entry.get("effect") or {}).get("made") for entry in stack.journal())
    print(f"refused: {name}: {answer.stderr.strip()}")


def main():
    refused = 0
    with TlsShop("trixie-redis-tls") as stack:
        stack.start_servers()
        made = stack.redis.certificates
        made.authority("other-ca")
        assert stack.redis.command(*acl_user(PASSWORD)) == b"OK"
        right = {**stack.redis.client_settings(), "url": stack.redis.url.replace("://", f"://{USER}@"),
                 "password_file": write_secret(f"{stack.run}/password", PASSWORD)}
        named = f"the certificate of {REDIS_NAME} is refused"
        wrong = {
            "another authority": ({"tls_ca_file": made.path("other-ca.pem")}, named),
            "another name": ({"tls_server_name": "other.test"}, "the certificate of other.test is refused: hostname mismatch"),
            "the url's host is not the name": ({"tls_server_name": ""}, "the certificate of 127.0.0.1 is refused: IP address"),
            "no certificate of ours": ({"tls_cert_file": "", "tls_key_file": ""}, "redis: "),
            "another password": ({"password_file": write_secret(f"{stack.run}/wrong", "another")}, "AUTH is refused: WRONGPASS"),
        }
        for name, (change, text) in wrong.items():
            stack.settings["redis"] = {**right, **change}
            stack.write_config()
            assert_refused(stack, name, text)
            refused += 1
        for name, about, text in (("it has expired", {"days": 0}, f"{named}: certificate has expired"),
                                  ("TLS 1.1 at most", {"old": True}, "redis: TLS: ")):
            front = Front(stack.redis.port, made.context("front", san=f"DNS:{REDIS_NAME}", **about))
            stack.settings["redis"] = {**right, "url": f"rediss://{USER}@127.0.0.1:{front.port}/0"}
            stack.write_config()
            assert_refused(stack, name, text)
            assert front.visits > 0 and front.bytes == 0
            refused += 1
        stack.settings["redis"] = right
        stack.start_services()
        placed = stack.place_and_wait(order(mail("tls")))
        assert len(stack.created(placed["id"])) == 1
        assert int(stack.redis.command("DBSIZE")) > 0
        statuses = stack.stop()
        assert set(statuses.values()) == {0}, statuses
    print(f"tls_delivered=1 refused={refused}")


if __name__ == "__main__":
    main()
