#!/usr/bin/python3
"""The Debian package on a machine with systemd, as an operator has it. Started by run.sh.

    package.py ROOT FILE.deb

ROOT is a clean trixie that may be written to. Its systemd is started as process 1 of namespaces of its own, without a network but
its own loopback, where a real Kafka listens too. Then the commands of the README's quick start and of docs/packages.md are
executed as they stand there, and each is followed by a look at what it did.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from processes import ROOT as SOURCES  # noqa: E402
from processes import RUNS, Process, wait_until  # noqa: E402

SERVICES = ("poller", "filter", "mapper", "pusher")
PROGRAMS = ("bigfusion", "bigfusion-console", *(f"bigfusion-{name}" for name in SERVICES))
SETTINGS = "/etc/bigfusion/bigfusion.conf"
KAFKA = "localhost:9092"
ORDERS = 10
EXPOSURE_MOST = 2.0


def step(text):
    print(f"deb: {text}", flush=True)


class Machine:
    """A booted system; ends with this script."""

    def __init__(self, root, run):
        self.root = root
        self.process = Process("machine", ["unshare", "--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net", "--fork",
                                           "--kill-child", f"{HERE}/boot.sh", root], run)
        self.init = wait_until(self.find_init, 20, lambda: f"process 1: {self.process.tail()}")
        wait_until(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded"), 60,
                   lambda: f"the system to be up: {self.process.tail(20)}")

    def find_init(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        if not children:
            return None
        with open(f"/proc/{children[0]}/comm", encoding="ascii") as file:
            return children[0] if file.read().strip() == "systemd" else None

    def inside(self, *words):
        return ["nsenter", "--target", self.init, "--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net", "--root", "--wd", "env",
                "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *words]

    def run(self, *words, check=True, stdin=""):
        done = subprocess.run(self.inside(*words), input=stdin, capture_output=True, text=True, timeout=300, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.journal()}")
        return done

    def shell(self, text, check=True, stdin=""):
        """Runs commands in /root as a person who pastes them into a root shell does; the first failure ends them."""
        return self.run("bash", "-ec", f"cd /root\n{text}", check=check, stdin=stdin)

    def beside(self, *words):
        """Words that run a program of the surrounding machine in the network of this one."""
        return ["nsenter", "--target", self.init, "--net", *words]

    def journal(self):
        return self.run("journalctl", "--no-pager", "-n", "40", "_TRANSPORT=stdout", "_TRANSPORT=journal", check=False).stdout

    def show(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def exists(self, path):
        return os.path.lexists(self.root + path)

    def read(self, path):
        with open(self.root + path, encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text)

    def wait_state(self, unit, state, timeout=90):
        wait_until(lambda: self.show(unit, "ActiveState") == state, timeout,
                   lambda: f"{unit} to be {state}: {self.run('systemctl', 'status', unit, check=False).stdout}")


def blocks(page, heading):
    """The indented commands below a heading, in pieces as blank lines separate them."""
    with open(os.path.join(SOURCES, page), encoding="utf-8") as file:
        text = file.read()
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)[1]
    pieces = re.findall(r"(?:^    .*\n)+", section, re.M)
    return [textwrap.dedent(piece) for piece in pieces]


def start_kafka(machine, run):
    kafka = Process("kafka", machine.beside(f"{SOURCES}/tests/kafka/run.sh", f"{run}/kafka", "9092", "9093"), run)
    wait_until(lambda: subprocess.run(machine.beside("kcat", "-b", KAFKA, "-L", "-m", "1"), capture_output=True,
                                      check=False).returncode == 0, 60, lambda: f"kafka to answer: {kafka.tail()}")


def keys(machine, prefix, topic):
    """Keys of a topic of the pipeline; none where there is no such topic yet."""
    done = subprocess.run(machine.beside("kcat", "-b", KAFKA, "-C", "-e", "-q", "-t", f"{prefix}.{topic}", "-f", "%k\n"),
                          capture_output=True, text=True, check=False)
    return set(done.stdout.split())


def check_installed(machine):
    """What the package made, before anything is configured."""
    for program in PROGRAMS:
        assert machine.run(program, "--version").stdout.startswith(f"{program} "), program
    entry = machine.run("getent", "passwd", "bigfusion").stdout.split(":")
    assert int(entry[2]) < 1000 and entry[6].strip().endswith("nologin"), entry
    modes = machine.run("stat", "-c", "%a %U %G", SETTINGS, "/etc/bigfusion/secrets", "/var/lib/bigfusion").stdout.splitlines()
    assert modes == ["640 root bigfusion", "750 root bigfusion", "750 bigfusion bigfusion"], modes
    assert machine.run("systemctl", "is-enabled", "bigfusion.target").stdout.strip() == "enabled"
    assert machine.run("systemctl", "list-units", "--no-legend", "bigfusion-*").stdout == ""
    checked = 0
    for program in PROGRAMS:
        said = machine.run("runuser", "-u", "bigfusion", "--", program, "--check").stdout
        assert "no [store NAME] section yet" in said, said
        checked += program != "bigfusion"
    return checked


def check_wrong_settings(machine):
    """A fault names file and line, also to somebody who only looks at the unit, and is not tried again."""
    text = machine.read(SETTINGS)
    machine.write("/root/wrong.conf", text.replace("; workers = 32", "workers = many"))
    line = text.splitlines().index("; workers = 32") + 1
    for program in PROGRAMS:
        done = machine.run(program, "--check", "--config", "/root/wrong.conf", check=False)
        assert done.returncode == 100 and f"/root/wrong.conf:{line}: [pusher] workers = many" in done.stderr, done


def check_units(machine):
    """(number of units, the worst exposure); what systemd itself says about them."""
    units = [f"bigfusion-{name}@1.service" for name in SERVICES] + ["bigfusion-console.service", "bigfusion-setup.service"]
    done = machine.run("systemd-analyze", "verify", "--man=no", "bigfusion.target", *units)
    assert done.stdout + done.stderr == "", done
    worst = 0.0
    for unit in units:
        said = machine.run("systemd-analyze", "security", "--offline=yes", "--no-pager", unit).stdout
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
        step(f"systemd-analyze security {unit}: {exposure}")
        worst = max(worst, exposure)
    assert worst <= EXPOSURE_MOST, worst
    return len(units) + 1, worst


def check_ready(machine, instances):
    for name, address in instances.items():
        wait_until(lambda: machine.run("curl", "-sf", f"http://{address}:19100/readyz", check=False).returncode == 0, 60,
                   lambda: f"{name} to be ready: {machine.journal()}")


def instances(pushers):
    return {"poller@1": "127.0.1.1", "filter@1": "127.0.2.1", "mapper@1": "127.0.3.1", "console": "127.0.5.1",
            **{f"pusher@{i}": f"127.0.4.{i}" for i in range(1, pushers + 1)}}


def pids(machine, names):
    return {name: int(machine.show(f"bigfusion-{name}.service", "MainPID")) for name in names}


def check_orders(machine, prefix):
    """Every order of the sandbox has one fate, and what is delivered is in the account."""
    def settled():
        fates = [keys(machine, prefix, topic) for topic in ("delivered", "skipped", "dead")]
        return fates if sum(map(len, fates)) >= ORDERS else None
    delivered, skipped, dead = wait_until(settled, 120, machine.journal, interval=0.5)
    state = json.loads(machine.run("curl", "-sf", "http://127.0.0.1:8480/sandbox/account/orders").stdout)
    made = state["orders"] if isinstance(state, dict) else state
    assert delivered and len(made) == len(delivered), (len(made), delivered, skipped, dead)
    step(f"orders={ORDERS} delivered={len(delivered)} skipped={len(skipped)} dead={len(dead)}")


def check_supervision(machine):
    """Started again after a kill; not started again after 100, when the unit's status shows the fault."""
    unit = "bigfusion-pusher@1.service"
    before = machine.show(unit, "MainPID")
    machine.run("systemctl", "kill", "--signal=KILL", unit)
    wait_until(lambda: machine.show(unit, "NRestarts") == "1" and machine.show(unit, "ActiveState") == "active", 30, f"{unit} again")
    assert machine.show(unit, "MainPID") not in ("0", before)
    check_ready(machine, {"pusher@1": "127.0.4.1"})
    unit = "bigfusion-filter@1.service"
    text = machine.read(SETTINGS)
    machine.write(SETTINGS, text.replace("; workers = 32", "workers = many"))
    machine.run("systemctl", "restart", unit, check=False)
    machine.wait_state(unit, "failed")
    assert machine.show(unit, "ExecMainStatus") == "100" and machine.show(unit, "NRestarts") == "0"
    assert re.search(rf"{SETTINGS}:\d+: \[pusher\] workers = many", machine.run("systemctl", "status", unit, check=False).stdout)
    machine.write(SETTINGS, text)
    machine.run("systemctl", "restart", unit)
    machine.wait_state(unit, "active")


def check_secrets_hidden(machine):
    """Filter and mapper see no secrets; the poller does."""
    for name, seen in (("poller", True), ("filter", False), ("mapper", False)):
        pid = machine.show(f"bigfusion-{name}@1.service", "MainPID")
        listed = machine.run("nsenter", "--target", pid, "--mount", "ls", "/etc/bigfusion/secrets").stdout
        assert ("bc_token" in listed) == seen, (name, listed)


def check_target(machine, names, commands):
    """The commands stop everything, and then start what is enabled."""
    stop, start = commands.splitlines()
    machine.shell(stop)
    for name in names:
        machine.wait_state(f"bigfusion-{name}.service", "inactive")
        ended = (machine.show(f"bigfusion-{name}.service", "ExecMainCode"), machine.show(f"bigfusion-{name}.service", "ExecMainStatus"))
        assert ended == ("1", "0"), (name, ended)  # it exited, with 0
    machine.shell(start)
    for name in names:
        machine.wait_state(f"bigfusion-{name}.service", "active")


def newer_package(package, target):
    """The same package as version -2, with one more line in its settings."""
    folder = f"{target}/newer"
    subprocess.run(["dpkg-deb", "-R", package, folder], check=True)
    for path, change in ((f"{folder}/DEBIAN/control", lambda s: s.replace("-1\n", "-2\n", 1)),
                         (f"{folder}/etc/bigfusion/bigfusion.conf", lambda s: s + "# one more line\n")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(change(text))
    name = os.path.basename(package).replace("-1_", "-2_")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", folder, f"{target}/{name}"], check=True, stdout=subprocess.DEVNULL)
    return f"{target}/{name}"


def check_upgrade(machine, names):
    kept, before = machine.read(SETTINGS), pids(machine, names)
    setup = machine.show("bigfusion-setup.service", "ExecMainStartTimestampMonotonic")
    for piece in blocks("docs/packages.md", "Upgrade"):
        machine.shell(piece)

    def renewed():
        now = pids(machine, names)
        return all(now[name] not in (0, before[name]) for name in names)
    wait_until(renewed, 120, lambda: f"every instance to be started again: {before} {pids(machine, names)}")
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "bigfusion").stdout.endswith("-2")
    assert machine.read(SETTINGS) == kept and machine.exists(f"{SETTINGS}.dpkg-dist")
    assert machine.show("bigfusion-setup.service", "ExecMainStartTimestampMonotonic") != setup
    modes = machine.run("stat", "-c", "%a %U %G", SETTINGS).stdout.strip()
    assert modes == "640 root bigfusion", modes


def check_removal(machine, names):
    remove, purge = blocks("docs/packages.md", "Remove")[0].splitlines()
    machine.shell(remove)
    assert machine.run("pgrep", "-u", "bigfusion", check=False).stdout == "", "a program goes on"
    assert machine.exists(SETTINGS) and machine.exists("/etc/bigfusion/secrets/bc_token")
    assert machine.exists("/var/lib/bigfusion/main.tokens")
    assert not machine.exists("/usr/bin/bigfusion-pusher")
    machine.shell(purge)
    for path in ("/etc/bigfusion", "/var/lib/bigfusion", "/etc/systemd/system/bigfusion.target.wants",
                 "/etc/systemd/system/multi-user.target.wants/bigfusion.target"):
        assert not machine.exists(path), path
    for name in names:
        assert machine.show(f"bigfusion-{name}.service", "ActiveState") == "inactive"
    assert machine.run("getent", "passwd", "bigfusion").returncode == 0


def quick_start(machine):
    """The README's commands; returns how many services accepted the settings as the package installs them."""
    install, *rest = blocks("README.md", "A Debian package")
    step("quick start: " + install.strip())
    machine.shell(install)
    checked = check_installed(machine)
    check_wrong_settings(machine)
    for piece in rest:
        step("quick start: " + piece.strip().splitlines()[0])
        machine.shell(piece)
    check_ready(machine, instances(1))
    check_orders(machine, "trial")
    return checked


def own_store(machine):
    """The README's steps from the trial to an own store: a new sandbox, whose addresses are all that an own store does not need."""
    stop, secrets, start = blocks("README.md", "Your own store, as a package")
    machine.shell(stop)
    example = machine.read(SETTINGS)
    text = re.sub(r"^#(?! )", "", example[:example.rindex("[kafka]")], flags=re.M)
    for section, address in (("store", "http://127.0.0.1:8480\nstart_from = all"), ("infusionsoft", "http://127.0.0.1:8480/crm/rest/v2")):
        text = text.replace(f"[{section} main]", f"[{section} main]\napi_url = {address}")
    machine.write(SETTINGS, text)
    for command, secret in zip(secrets.splitlines(), ("sandbox-bc-token\n", "KeapAK-sandbox\n"), strict=True):
        machine.shell(command, stdin=secret)
    machine.shell(f"systemd-run --unit=sandbox bigfusion-sandbox --orders {ORDERS}")
    machine.shell(start)
    check_ready(machine, instances(1))
    check_orders(machine, "bigfusion")
    machine.shell("systemctl restart bigfusion-setup")  # docs/packages.md: after a new account
    check_ready(machine, instances(1))


def check_credential(machine, commands):
    """The store's token as a credential, without the file."""
    path = "/etc/bigfusion/secrets/bc_token"
    os.rename(machine.root + path, f"{machine.root}/root/bc_token")
    machine.run("systemctl", "restart", "bigfusion-poller@1", check=False)
    machine.wait_state("bigfusion-poller@1.service", "failed")
    machine.shell(commands, stdin="sandbox-bc-token\n")
    machine.run("systemctl", "restart", "bigfusion-poller@1")
    check_ready(machine, {"poller@1": "127.0.1.1"})
    machine.shell("rm -r /etc/systemd/system/bigfusion-.service.d; systemctl daemon-reload")
    os.rename(f"{machine.root}/root/bc_token", machine.root + path)


def check_oauth(machine):
    """The pushers may write token_state_file, and nobody else reads it."""
    text = machine.read(SETTINGS)
    for name, value in (("client_secret", "sandbox-secret"), ("refresh_token", "sandbox-refresh-1")):
        machine.shell(f"install -m 640 -g bigfusion /dev/stdin /etc/bigfusion/secrets/{name}", stdin=value)
    machine.write(SETTINGS, text.replace("\nkey_file = /etc/bigfusion/secrets/infusionsoft_key\n", """
auth = oauth
client_id = sandbox-client
client_secret_file = /etc/bigfusion/secrets/client_secret
refresh_token_file = /etc/bigfusion/secrets/refresh_token
token_state_file = /var/lib/bigfusion/main.tokens
token_url = http://127.0.0.1:8480/token
"""))
    machine.run("runuser", "-u", "bigfusion", "--", "bigfusion-pusher", "--check")
    machine.shell("systemctl restart bigfusion-pusher@{1..3}")
    check_ready(machine, instances(3))
    assert machine.run("stat", "-c", "%a %U", "/var/lib/bigfusion/main.tokens").stdout.strip() == "600 bigfusion"
    machine.write(SETTINGS, text)
    machine.shell("systemctl restart bigfusion-pusher@{1..3}")
    check_ready(machine, instances(3))


def check_console(machine, command):
    """Every order of the trial has its answer there, and the index is where only the console can write."""
    wait_until(lambda: "\n0 orders" in "\n" + machine.shell(command).stdout, 60, lambda: machine.shell(command).stdout)
    assert machine.run("stat", "-c", "%a %U", "/var/lib/bigfusion/index.sqlite").stdout.strip() == "600 bigfusion"
    answer = json.loads(machine.run("runuser", "-u", "bigfusion", "--", "bigfusion", "dead", "--json").stdout)
    assert answer["total"] == len(keys(machine, "bigfusion", "dead")), answer


def check_pages(machine):
    """The commands of docs/packages.md about settings, starting, scaling and watching."""
    page = "docs/packages.md"
    secret, check, credential = blocks(page, "Settings and secrets")
    machine.shell(secret, stdin="sandbox-bc-token\n")
    assert "read, not shown" in machine.shell(check).stdout
    enable, scale, whole, rolling = blocks(page, "Start, scale, stop")
    machine.shell(enable)
    check_ready(machine, instances(3))
    more, fewer = scale.splitlines()
    machine.shell(more)
    check_ready(machine, instances(4))
    machine.shell(fewer)
    machine.wait_state("bigfusion-pusher@4.service", "inactive")
    machine.shell(rolling)
    check_ready(machine, instances(3))
    check_console(machine, blocks(page, "The console")[0])
    watch, ready = blocks(page, "Watch")
    for command in watch.splitlines():
        machine.shell(command, check=False)
    assert machine.shell(ready).stdout.strip() != ""
    check_credential(machine, credential)
    check_oauth(machine)
    return whole


def main():
    root, package = sys.argv[1:]
    run = os.path.join(RUNS, "deb-test")
    shutil.rmtree(run, ignore_errors=True)
    os.makedirs(run)
    with open(f"{root}/etc/hosts", "w", encoding="ascii") as file:
        file.write("127.0.0.1 localhost\n")
    shutil.copy(package, f"{root}/root")
    shutil.copy(newer_package(package, run), f"{root}/root")
    machine = Machine(root, run)
    step("systemd is up")
    start_kafka(machine, run)
    checked = quick_start(machine)
    step("quick start: from the trial to an own store")
    own_store(machine)
    units, exposure = check_units(machine)
    step("commands of docs/packages.md")
    whole = check_pages(machine)
    step("supervision")
    check_secrets_hidden(machine)
    check_supervision(machine)
    check_ready(machine, instances(3))
    check_target(machine, instances(3), whole)
    step("upgrade")
    check_upgrade(machine, instances(3))
    step("removal")
    check_removal(machine, instances(3))
    print(f"deb: package={os.path.basename(package)} size_kb={os.path.getsize(package) // 1024} installed=1 checked={checked}"
          f" units={units} security={exposure:.1f}")


if __name__ == "__main__":
    main()
