"""`bigfusion topics acl`: with what it prints, on a Kafka that denies everything else, all programs and commands do all their work."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from processes import RUNS, Kafka, Process, binary, free_port, http_call, read_topic, wait_until, write_topic
from shop import item, mail, order
from shop_stack import Shop
from secure import write_secret
from stack import SERVICES

PROGRAMS = ("poller", "filter", "mapper", "pusher", "console", "operator", "setup")
PASSWORD, TOKEN = "acl-secret-word", "t" * 40
DENIED = re.compile("authorization|not authorized|AUTHORIZATION", re.I)


class AclKafka(Kafka):
    """Logins by name on `secure_port`; whoever comes without one, which are the tools of the test, may do everything."""

    def start(self):
        self.secure_port = free_port()
        names = [f"bigfusion-{program}" for program in PROGRAMS] + ["bigfusion-nobody"]
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in names)
        listeners = f"PLAINTEXT://127.0.0.1:{self.port},SECURE://127.0.0.1:{self.secure_port}"
        self.settings = {
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{self.controller_port}", "advertised.listeners": listeners,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_PLAINTEXT",
            "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secure.plain.sasl.jaas.config":
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS", "allow.everyone.if.no.acl.found": "false",
        }
        super().start()

    def acls(self, line, folder):
        """Runs a line of the script, with the kafka-acls of this Kafka."""
        path = f"{folder}/kafka-acls.sh"
        jars = os.environ.get("BUILD_KAFKA") or f"{os.path.dirname(os.path.dirname(os.path.dirname(__file__)))}/build/kafka"
        if not os.path.exists(path):
            with open(os.open(f"{path}.{os.getpid()}", os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nexec java -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.level=error"
                           f" -cp '{jars}/lib/*' org.apache.kafka.tools.AclCommand \"$@\"\n")
            os.rename(f"{path}.{os.getpid()}", path)
        done = subprocess.run(["sh", "-c", line, "acls", "--bootstrap-server", self.address], capture_output=True, text=True,
                              timeout=120, check=False, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        assert done.returncode == 0, (line, done.stdout, done.stderr)


class AclShop(Shop):
    """Every program and command has its own login."""

    def start(self, **_):
        self.start_servers()
        password = write_secret(f"{self.run}/kafka_password", PASSWORD)
        self.settings["kafka"] = {"brokers": f"127.0.0.1:{self.broker.secure_port}", "sasl_password_file": password}
        self.settings["librdkafka"] = {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN",
                                       "sasl.username": "bigfusion-operator"}
        token = write_secret(f"{self.run}/console_token", TOKEN)
        address = f"127.0.0.1:{free_port()}"
        self.settings["console"] = {"listen": address, "url": f"http://{address}", "token_file": token,
                                    "index_file": f"{self.run}/index.sqlite"}
        self.write_config()
        self.apply()
        self.act("setup", "up-front")
        self.follow()
        for name in (*SERVICES, "console"):
            self.start_service(name)
        for name in (*SERVICES, "console"):
            self.wait_ready(name, 60)
        return self

    def apply(self):
        """Applies the lines two at a time; which comes first makes no difference."""
        script = self.command("topics", "acl").stdout
        lines = [line for line in script.splitlines() if line.startswith("kafka-acls.sh ")]
        assert {f"'User:bigfusion-{program}'" for program in PROGRAMS} == {line.split()[4] for line in lines}
        self.broker.acls(lines[0], self.run)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda line: self.broker.acls(line, self.run), lines[1:]))

    def environment(self, name=None):
        program = name.split("-")[0] if name else "operator"
        return {**super().environment(name if name in self.ports else None), "BIGFUSION_LIBRDKAFKA_SASL_USERNAME": f"bigfusion-{program}"}

    def act(self, program, *words, status=0, **more):
        done = subprocess.run([binary("bigfusion"), *words, "--config", self.config], capture_output=True, text=True, timeout=120,
                              check=False, env={**self.environment(program), **more})
        said = done.stdout + done.stderr
        assert done.returncode == status, (words, said)
        assert status != 0 or not DENIED.search(said), (words, said)
        return done.stdout


@pytest.fixture(scope="module")
def shop():
    folder = os.path.join(RUNS, "e2e-kafka-acl-broker")
    os.makedirs(folder, exist_ok=True)
    kafka = AclKafka(folder)
    try:
        with AclShop("e2e-kafka-acl", broker=kafka) as stack:
            yield stack.start()
            for process in stack.services.values():
                assert process.alive(), process.tail()
                assert not DENIED.search(process.text()), process.tail(40)
    finally:
        kafka.stop()


def test_the_whole_pipeline_works_with_these_acls_alone(shop):
    done = [shop.place_and_wait(order(mail("acl")), timeout=60) for _ in range(5)]
    assert all(len(shop.created(one["id"])) == 1 for one in done)
    skipped = shop.place({**order(mail("acl")), "status_id": 7})
    assert shop.wait_fate(skipped["id"], timeout=60) == ("skipped", "status")
    shop.fault(side="is", method="POST", path="/orders", kind="status", status=503, count=1)  # through a retry topic
    shop.place_and_wait(order(mail("acl")), timeout=60)
    for name in SERVICES:  # the poller reads its cursors, the pusher the ledger's epoch, each stage its group and marks
        shop.restart(name)
    shop.redis.command("FLUSHALL")  # the ledger is rebuilt from the topics
    shop.place_and_wait(order(mail("acl")), timeout=60)
    for name in SERVICES:
        assert not DENIED.search(shop.services[name].text()), shop.services[name].tail(40)


def test_the_commands_and_the_console_work_with_these_acls_alone(shop):
    write_topic(shop.broker.address, shop.topic("orders.eligible"), "abc123/order/970001", b"{", {"store": "abc123"})
    assert shop.wait_fate(970001, timeout=60) == ("dead", "malformed")
    shop.fault(side="is", method="POST", path="/orders", match="bc-abc123", kind="status", status=400, count=1)
    dead = shop.place(order(mail("acl"), [item("ACL", "Acl")]))
    assert shop.wait_fate(dead["id"], timeout=60) == ("dead", "refused")
    shop.clear_faults()
    name = f"BC/{dead['id']}"
    for words in (("status", "--scan"), ("stuck", "--scan"), ("trace", name), ("peek", name), ("pause",), ("audit",)):
        shop.act("operator", *words)
    shop.act("operator", "retry", name, "--why", "a test")
    assert shop.wait_fate(dead["id"], wanted=("delivered", None), timeout=60)
    shop.act("operator", "pause", "account:main", "--why", "a test")
    wait_until(lambda: "account_paused account=main" in shop.services["pusher"].text(), 30, shop.trouble)
    waiting = shop.place(order(mail("acl")))
    wait_until(lambda: any(r.key.endswith(f"/{waiting['id']}") for r in read_topic(shop.broker.address, shop.topic("waiting.main"))),
               60, shop.trouble)
    shop.act("operator", "drop", f"BC/{waiting['id']}", "--why", "a test")
    shop.act("operator", "resume", "account:main")
    assert shop.wait_fate(waiting["id"], wanted=("skipped", "dropped"), timeout=60)
    email = mail("forgotten")
    shop.place_and_wait(order(email), timeout=60)
    shop.act("operator", "forget", email, "--why", "a test")
    shop.act("operator", "audit", "verify")
    found = shop.act("operator", "doctor", "--json")
    assert not DENIED.search(found)
    shop.act("setup", "topics", "create")
    wait_until(lambda: '"delivered"' in shop.act("operator", "why", name, "--json"), 60, shop.services["console"].tail)
    for method, path, body in (("GET", "status", None), ("POST", "pause", {"account": "main"}), ("POST", "resume", {"account": "main"})):
        status, said = http_call(shop.settings["console"]["listen"], method, f"/api/v1/{path}", body, {"Authorization": f"Bearer {TOKEN}"})
        assert status == 200, said


@pytest.mark.parametrize("service, login", [("filter", "nobody"), ("filter", "mapper"), ("pusher", "filter")])
def test_attack_4_a_program_without_its_acls_is_refused(shop, service, login):
    """Whoever has no ACLs, or those of another program, gets no record and writes none."""
    port = free_port()
    process = Process(f"{service}-as-{login}", [binary(f"bigfusion-{service}"), "--config", shop.config], shop.run,
                      env={**shop.environment(service), "BIGFUSION_HEALTH_LISTEN": f"127.0.0.1:{port}",
                           "BIGFUSION_LIBRDKAFKA_SASL_USERNAME": f"bigfusion-{login}"})
    try:
        wait_until(lambda: DENIED.search(process.text()), 60, process.tail)
        assert "assigned partitions" not in process.text()
    finally:
        process.stop()


@pytest.mark.parametrize("login, words", [("nobody", ("topics", "create")), ("operator", ("topics", "create")),
                                          ("poller", ("pause", "account:main")), ("setup", ("pause", "account:main"))])
def test_a_command_without_its_acls_is_refused(shop, login, words):
    before = len(read_topic(shop.broker.address, shop.topic("audit")))
    done = subprocess.run([binary("bigfusion"), *words, "--config", shop.config], capture_output=True, text=True, timeout=120,
                          check=False, env={**shop.environment(), "BIGFUSION_LIBRDKAFKA_SASL_USERNAME": f"bigfusion-{login}"})
    assert done.returncode in (100, 111) and DENIED.search(done.stdout + done.stderr), done
    assert len(read_topic(shop.broker.address, shop.topic("audit"))) == before
