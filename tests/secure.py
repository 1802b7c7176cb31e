"""Kafka and Redis as they should be run: TLS and a login. For the end-to-end tests here and those inside Debian trixie.

SCRAM is used where this system's librdkafka can do it with a new Kafka (2.6.1, Debian trixie), else PLAIN.
"""

import os
import re
import ssl
import subprocess

import redis
from processes import ROOT, Kafka, Redis, free_port
from tls import Certificates

USER = "bigfusion"
REDIS_NAME = "redis.test"  # what the certificate of TlsRedis is made out to, and nothing else


SCRAM = subprocess.run(["pkg-config", "--atleast-version=2.6.1", "rdkafka"], check=False).returncode == 0
MECHANISM = "SCRAM-SHA-512" if SCRAM else "PLAIN"


class SecureKafka(Kafka):
    """secure_address is for clients with TLS and a login; address is plain, for the tools of the test alone."""

    def __init__(self, run, certificates, password):
        self.certificates, self.password, self.secure_port = certificates, password, free_port()
        self.secure_address = f"127.0.0.1:{self.secure_port}"
        certificates.make("kafka", san="IP:127.0.0.1")
        super().__init__(run)

    def start(self):
        both = self.certificates.path("kafka-both.pem")
        with open(both, "w", encoding="ascii") as file:
            for end in ("key", "pem"):
                with open(self.certificates.path(f"kafka.{end}"), encoding="ascii") as part:
                    file.write(part.read())
        listeners = (f"PLAINTEXT://127.0.0.1:{self.port}", f"SECURE://127.0.0.1:{self.secure_port}",
                     f"CONTROLLER://127.0.0.1:{self.controller_port}")
        self.settings = {
            "listeners": ",".join(listeners), "advertised.listeners": ",".join(listeners[:2]),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.secure.plain.sasl.jaas.config":
                f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{self.password}";',
            "listener.name.secure.scram-sha-512.sasl.jaas.config":
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": both,
        }
        self.env = {"KAFKA_SCRAM": f"SCRAM-SHA-512=[name={USER},password={self.password}]"}
        super().start()

    def client_settings(self, password_file):
        """The sections [kafka] and [librdkafka] of a client."""
        return {"kafka": {"brokers": self.secure_address, "sasl_password_file": password_file},
                "librdkafka": {"security.protocol": "sasl_ssl", "ssl.ca.location": self.certificates.path("ca.pem"),
                               "sasl.mechanism": MECHANISM, "sasl.username": USER}}


class TlsRedis(Redis):
    """Listens with TLS only, and wants a certificate of its clients."""

    certificates = None

    def start(self):
        if self.certificates is None:
            self.certificates = Certificates(os.path.join(self.run, "tls-redis"))
            self.certificates.make("server", san=f"DNS:{REDIS_NAME}")
            self.certificates.make("client", usage="clientAuth")
        path = self.certificates.path
        self.url = f"rediss://127.0.0.1:{self.port}/0"
        self.options = ("--port", "0", "--tls-port", str(self.port), "--tls-cert-file", path("server.pem"), "--tls-key-file",
                        path("server.key"), "--tls-ca-cert-file", path("ca.pem"), "--tls-auth-clients", "yes")
        super().start()

    def client_settings(self):
        """Of the section [redis] of a client, beside url and login."""
        path = self.certificates.path
        return {"tls_ca_file": path("ca.pem"), "tls_cert_file": path("client.pem"), "tls_key_file": path("client.key"),
                "tls_server_name": REDIS_NAME}

    def connect(self):
        path = self.certificates.path
        context = ssl.create_default_context(cafile=path("ca.pem"))
        context.load_cert_chain(path("client.pem"), path("client.key"))
        return context.wrap_socket(super().connect(), server_hostname=REDIS_NAME)


def redis_client(server):
    """The client library, for answers that are more than a line."""
    if not isinstance(server, TlsRedis):
        return redis.Redis(port=server.port)
    path = server.certificates.path
    return redis.Redis(port=server.port, ssl=True, ssl_ca_certs=path("ca.pem"), ssl_certfile=path("client.pem"),
                       ssl_keyfile=path("client.key"), ssl_check_hostname=False)


def acl_user(password):
    """The words of the command in docs/security.md that makes the user of the programs, with this password."""
    with open(f"{ROOT}/docs/security.md", encoding="utf-8") as file:
        words = re.search(r"^ +(ACL SETUSER .+\n +.+)$", file.read(), re.M).group(1).split()
    return [f">{password}" if word == ">PASSWORD" else word for word in words]


def write_secret(path, secret):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(secret + "\n")
    return path
