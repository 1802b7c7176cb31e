"""Commands of README and docs that need no container: word for word as they stand there, beside a stack that runs.

tests/doc_commands.txt names the commands that are run here. What a page has an example for (an address, an order, a folder) is
replaced by what this stack has in its place, in Desk.text and nowhere else.
"""

import json
import os
import re
import shutil
import subprocess

import pytest
from doc_commands import documented, targets
from processes import BUILD, ROOT, Process, free_port, http_call, wait_until
from shop import mail, order
from shop_stack import Shop
from stack import KEY, TOKEN


class Desk(Shop):
    """A stack, and the shell of a person beside it."""

    def environment(self, name=None):
        return {**super().environment(name), "PATH": f"{BUILD}/bin:{os.environ['PATH']}"}

    def text(self, command, **more):
        instead = {"localhost:9092": self.broker.address, "127.0.0.1:8480": self.address,
                   "BC/118": f"BC/{self.delivered}", "-t bigfusion.": f"-t {self.prefix}.", **more}
        text = documented(command)
        for example, real in instead.items():
            text = text.replace(example, real)
        return text

    def shell(self, command, status=0, folder=None, env=None, timeout=120, **more):
        """Runs a command of the pages; returns what it prints to stdout."""
        env = {**self.environment("pusher"), **(env or {})}
        # A make that runs the tests tells a make inside of it that it is not the first one; a person's is.
        env = {name: value for name, value in env.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        answer = subprocess.run(["bash", "-c", self.text(command, **more)], cwd=folder or self.run, env=env, capture_output=True,
                                text=True, timeout=timeout, check=False)
        assert answer.returncode == status, f"{command}: {answer.returncode}\n{answer.stdout}{answer.stderr}"
        return answer.stdout


@pytest.fixture(scope="module")
def desk(kafka):
    with Desk("e2e-documented", broker=kafka, prefix="documented") as stack:
        stack.start()
        stack.delivered = stack.place_and_wait(order(mail("documented")))["id"]
        stack.dead = stack.place_and_wait(order(mail("documented"), tax="5.00", total_inc_tax="99.0000"),
                                          wanted=("dead", "total_mismatch"))["id"]
        yield stack


def test_what_became_of_orders_by_kcat(desk):
    lines = desk.shell("kcat -b localhost:9092 -C -e -t bigfusion.dead -f '%k %h\\n'").splitlines()
    [line] = [line for line in lines if line.startswith(f"abc123/order/{desk.dead} ")]
    assert "reason=total_mismatch" in line


def test_where_orders_are(desk):
    said = desk.shell("bigfusion trace BC/118")
    assert [line.split()[1] for line in said.splitlines() if "Z  " in line] == ["raw", "eligible", "payloads", "delivered"]
    assert desk.shell("bigfusion stuck --scan --older 15m").startswith("0 orders without a fate\n")
    assert re.search(r"^  delivered +\d+$", desk.shell("bigfusion status"), re.M)


def test_what_sets_up_may_be_repeated(desk):
    assert "0 created, 23 were there already" in desk.shell("bigfusion topics create")
    assert "usage" in desk.shell("bigfusion topics create --help").lower()
    assert "custom field" in desk.shell("bigfusion setup")
    desk.shell("bigfusion up-front")


def test_doctor_finds_nothing(desk):
    said = desk.shell("bigfusion doctor")
    assert re.search(r"^\d+ checks: .*\b0 fail", said, re.M), said
    assert desk.shell("bigfusion doctor --json | jq -r '.findings[] | select(.level == \"fail\") | .check'") == ""


def test_a_program_shows_its_settings_and_answers(desk):
    said = desk.shell("bigfusion-pusher --check")
    assert desk.broker.address in said and KEY not in said and TOKEN not in said
    assert desk.shell("bigfusion-pusher --health") == "alive\n"


def test_a_port_of_its_own_for_a_second_poller(desk):
    address = f"127.0.0.1:{free_port()}"
    words = desk.text("BIGFUSION_HEALTH_LISTEN=127.0.0.1:9101 bigfusion-poller", **{"127.0.0.1:9101": address})
    poller = Process("poller-documented", ["bash", "-c", words], desk.run, env=desk.environment("pusher"))

    def answers():
        try:
            return http_call(address, "GET", "/healthz")[0] == 200
        except OSError:
            return False
    wait_until(answers, 30, poller.tail)
    poller.terminate()
    assert poller.wait() == 0, poller.tail()


def test_the_sandbox_by_curl(desk):
    state = json.loads(desk.shell("curl http://127.0.0.1:8480/sandbox/state"))
    assert state
    numbers = json.loads(desk.shell("curl -d '{\"generate\": 5, \"seed\": 7}' http://127.0.0.1:8480/sandbox/stores/abc123/orders"))["ids"]
    assert len(numbers) == 5
    desk.wait_drained()
    desk.shell("curl -d '{\"side\":\"is\",\"method\":\"POST\",\"path\":\"/orders\",\"kind\":\"drop_after\",\"share\":0.05}'"
               " -H 'Content-Type: application/json' \\ ...")
    [fault] = desk.call("GET", "/sandbox/faults")
    assert fault["kind"] == "drop_after" and float(fault["share"]) == 0.05
    desk.clear_faults()


def test_a_sandbox_of_ones_own(desk, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    words = desk.text("bigfusion-sandbox --listen 127.0.0.1:8480 --journal journal.jsonl --orders 500", **{desk.address: address})
    sandbox = Process("sandbox-documented", ["bash", "-c", f"cd {tmp_path}; exec {words}"], desk.run, env=desk.environment(),
                      stdout_line="listening on ")
    assert sandbox.address == f"http://{address}"
    status, body = http_call(address, "GET", "/stores/abc123/v2/orders/count", headers={"X-Auth-Token": TOKEN,
                                                                                      "Accept": "application/json"})
    assert status == 200 and json.loads(body)["count"] == 500
    sandbox.terminate()
    assert sandbox.wait() == 0 and (tmp_path / "journal.jsonl").exists()


def test_a_run_is_judged_again(desk):
    desk.wait_drained()
    desk.assert_right()
    said = desk.shell("python3 tests/oracle.py build/out/chaos-12-seed7", folder=ROOT, **{"build/out/chaos-12-seed7": desk.run})
    assert "lost=0 duplicated=0" in said


def test_make_help_lists_the_targets(desk):
    said = desk.shell("make help", folder=ROOT)
    names = {line.split()[0] for line in said.splitlines()}
    assert {"demo", "test", "install", "chaos"} <= names <= targets()


def test_the_demo(desk):
    """README's first command. What it needs is installed already where the tests run."""
    said = desk.shell("make demo", folder=ROOT, env={"BUILD": BUILD}, timeout=300)
    assert re.search(r"orders=500\b.* lost=0 duplicated=0", said), said[-1500:]


def test_install_below_another_folder(desk, tmp_path):
    desk.shell("make install PREFIX=/usr DESTDIR=/tmp/image", folder=ROOT, env={"BUILD": BUILD},
               **{"/tmp/image": str(tmp_path)})
    assert (tmp_path / "usr/bin/bigfusion-pusher").exists() and os.listdir(tmp_path) == ["usr"]


def test_the_folder_of_a_compose_stack(desk, tmp_path):
    """What is to be prepared for an own store. The secrets become those of user 10001; only root can really do that."""
    shutil.copytree(f"{ROOT}/deploy", tmp_path / "deploy")
    shutil.copy(f"{ROOT}/.env.example", tmp_path)
    (tmp_path / "sudo").write_text('#!/bin/sh\n[ "$(id -u)" = 0 ] || [ "$1" != chown ] || shift 2\n[ -e "$1" ] || exec "$@"\n')
    (tmp_path / "sudo").chmod(0o755)
    shell = {"folder": tmp_path, "env": {"PATH": f"{tmp_path}:{os.environ['PATH']}"}}
    desk.shell("cp .env.example .env", **shell)
    desk.shell("mkdir -p deploy/local/stores deploy/local/accounts deploy/local/tls", **shell)
    desk.shell("cp deploy/bigfusion.conf deploy/local/", **shell)
    secrets = [tmp_path / "deploy/local/stores/bc_token", tmp_path / "deploy/local/accounts/infusionsoft_key"]
    for path in secrets:
        path.write_text("secret\n")
    desk.shell("sudo chown 10001 deploy/local/*/* && sudo chmod 400 deploy/local/*/*", **shell)
    assert [path.stat().st_mode & 0o777 for path in secrets] == [0o400, 0o400]
    checked = (tmp_path / "deploy/local/bigfusion.conf").read_text().replace("/run/secrets/", f"{tmp_path}/deploy/local/")
    (tmp_path / "checked.conf").write_text(checked)
    for program in ("bigfusion-poller", "bigfusion-pusher"):  # as deploy/check.sh does
        subprocess.run([f"{BUILD}/bin/{program}", "--check", "--config", tmp_path / "checked.conf"], check=True, capture_output=True)
    assert os.geteuid() != 0 or {path.stat().st_uid for path in secrets} == {10001}
