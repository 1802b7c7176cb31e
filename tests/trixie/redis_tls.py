#!/usr/bin/env python3
"""One order is delivered with Redis over TLS; another authority, another name and no certificate of ours are refused.

Run by run.sh inside its system. Last line: `tls_delivered=1 refused=4`.
"""

import os
import socket
import ssl
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "e2e")]

import stack as stack_module  # noqa: E402
from processes import Process, Redis, wait_until  # noqa: E402
from shop import mail, order  # noqa: E402
from shop_stack import Shop  # noqa: E402

NAME = "redis.test"  # what the server's certificate is made out to, and nothing else


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_authority(folder, name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
            "keyUsage=critical,keyCertSign,cRLSign", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")


def make_certificate(folder, authority, name, extension):
    with open(f"{folder}/{name}.ext", "w", encoding="utf-8") as file:
        file.write(f"{extension}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out",
            f"{folder}/{name}.csr")
    openssl("x509", "-req", "-days", "2", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/{authority}.pem", "-CAkey",
            f"{folder}/{authority}.key", "-CAcreateserial", "-extfile", f"{folder}/{name}.ext", "-out",
            f"{folder}/{name}.pem")


class TlsRedis(Redis):
    """Listens with TLS only, and wants a certificate of its clients."""

    def start(self):
        self.certificates = os.path.join(self.run, "tls")
        os.makedirs(self.certificates)
        make_authority(self.certificates, "ca")
        make_authority(self.certificates, "other-ca")
        make_certificate(self.certificates, "ca", "server", f"subjectAltName=DNS:{NAME}")
        make_certificate(self.certificates, "ca", "client", "extendedKeyUsage=clientAuth")
        self.url = f"rediss://127.0.0.1:{self.port}/0"
        self.process = Process("redis", [
            "redis-server", "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1", "--dir", self.certificates,
            "--save", "", "--appendonly", "no", "--tls-cert-file", f"{self.certificates}/server.pem", "--tls-key-file",
            f"{self.certificates}/server.key", "--tls-ca-cert-file", f"{self.certificates}/ca.pem", "--tls-auth-clients",
            "yes"], self.run)
        wait_until(self.answers, 10, lambda: f"redis: {self.process.tail()}")

    def command(self, *words):
        context = ssl.create_default_context(cafile=f"{self.certificates}/ca.pem")
        context.load_cert_chain(f"{self.certificates}/client.pem", f"{self.certificates}/client.key")
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=NAME) as line:
                line.sendall((" ".join(words) + "\r\n").encode())
                return line.makefile("rb").readline().strip()[1:]


def main():
    refused = 0
    stack_module.Redis = TlsRedis
    with Shop("trixie-redis-tls") as stack:
        stack.start_servers()
        folder = stack.redis.certificates
        right = {"tls_ca_file": f"{folder}/ca.pem", "tls_cert_file": f"{folder}/client.pem",
                 "tls_key_file": f"{folder}/client.key", "tls_server_name": NAME}
        wrong = {
            "another authority": ({"tls_ca_file": f"{folder}/other-ca.pem"}, "the certificate of redis.test is refused"),
            "another name": ({"tls_server_name": "other.test"}, "the certificate of other.test is refused: hostname mismatch"),
            "the url's host is not the name": ({"tls_server_name": ""}, "the certificate of 127.0.0.1 is refused: IP address"),
            "no certificate of ours": ({"tls_cert_file": "", "tls_key_file": ""}, "redis: "),
        }
        for name, (change, text) in wrong.items():
            stack.settings["redis"] = {**right, **change}
            stack.write_config()
            answer = stack.command("setup", check=False)
            said = answer.stdout + answer.stderr
            assert answer.returncode == 111 and text in said, f"{name}: {answer.returncode} {said}"
            assert not any((entry.get("effect") or {}).get("made") for entry in stack.journal())
            print(f"refused: {name}: {answer.stderr.strip()}")
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
