"""A compose project of the test: its own copy of the sources, its own name, and everything of it removed at the end."""

import json
import os
import shutil
import subprocess

from engine import Failed
from images import image_in_compose
from processes import ROOT, free_port, wait_until

SERVICES = ("poller", "filter", "mapper", "pusher")
LABEL = "com.docker.compose"
HEALTH_PORT = 9100
TOOLS = os.environ.get("BIGFUSION_TOOLS") or "/usr/local/lib/bigfusion-tools"  # where deploy/install-deps.sh puts version 2
LEFT_OUT = shutil.ignore_patterns(".git", "build", "node_modules", "__pycache__", ".env", "local")


def copy_sources(folder):
    """The sources as somebody has them who has just fetched them: without what was built, and without settings of this machine."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT, symlinks=True)


def version_2(engine, folder):
    """(command, environment) that make `docker compose` run in its version 2, wherever that is installed."""
    env = {}
    if not answers(["docker", "compose", "version"], engine.env()) and os.path.exists(f"{TOOLS}/docker-compose"):
        plugins = f"{folder}/.docker/cli-plugins"
        os.makedirs(plugins, exist_ok=True)
        if not os.path.lexists(f"{plugins}/docker-compose"):
            os.symlink(f"{TOOLS}/docker-compose", f"{plugins}/docker-compose")
        env = {"DOCKER_CONFIG": f"{folder}/.docker"}
    return ["docker", "compose"], env


def answers(command, env):
    return subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0


class Project:
    """with Project(engine, folder, name) as project: project.up(). version says which docker compose."""

    def __init__(self, engine, folder, name, profile="demo", version=1):
        self.engine, self.folder, self.name, self.profile = engine, folder, name, profile
        self.files, self.port, self.console_port = ["docker-compose.yml"], free_port(), free_port()
        self.program, self.env = ["docker-compose"], {}
        if version == 2 or not shutil.which("docker-compose"):
            self.program, self.env = version_2(engine, folder)

    def __enter__(self):
        self.remove()
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        """Everything that has the project's name: containers, volumes and networks, whatever state they are in."""
        docker = self.engine.docker
        for kind, remove in (("ps -aq", "rm -fv"), ("volume ls -q", "volume rm -f"), ("network ls -q", "network rm")):
            found = docker(*kind.split(), "--filter", f"label={LABEL}.project={self.name}", check=False).split()
            if found:
                docker(*remove.split(), *found, check=False)

    # -- compose ---------------------------------------------------------------------------------------------------

    def environment(self):
        return self.engine.env(COMPOSE_PROJECT_NAME=self.name, COMPOSE_FILE=":".join(self.files), COMPOSE_HTTP_TIMEOUT="200",
                               DEMO_PORT=str(self.port), CONSOLE_PORT=str(self.console_port),
                               KAFKA_IMAGE=image_in_compose(self.engine, "apache/kafka"),
                               REDIS_IMAGE=image_in_compose(self.engine, "redis"), **self.env)

    def compose(self, *words, check=True, timeout=300, profile=None):
        """Runs docker-compose as a person would in the folder. Returns (exit status, stdout, stderr)."""
        profile = self.profile if profile is None else profile
        env = self.environment()
        command = [*self.program, *(["--profile", profile] if profile else []), *words]
        answer = subprocess.run(command, cwd=self.folder, env=env, timeout=timeout, check=False, capture_output=True,
                                stdin=subprocess.DEVNULL)
        out, err = (text.decode("utf-8", "replace") for text in (answer.stdout, answer.stderr))
        if check and answer.returncode != 0:
            raise Failed(f"{' '.join(command)}: {answer.returncode}\n{out[-1500:]}{err[-1500:]}\n{self.last_words()}")
        return answer.returncode, out, err

    def up(self, *words):
        self.compose("up", "-d", *words)

    def bigfusion(self, *words, check=True):
        """The command line, as README.md calls it."""
        return self.compose("run", "--rm", "-T", "bigfusion", *words, check=check, profile="")

    def last_words(self):
        """The last lines of every container that does not run, or that complains."""
        lines = []
        for one in self.inspect(*self.containers(running=False)):
            name, state = one["Name"].strip("/"), one["State"]
            stopped = not state["Running"] or one["RestartCount"]
            bad = [line for line in self.logs(one["Id"]) if stopped or " error " in line or " warn " in line]
            if bad or stopped:
                lines.append(f"{name} {state['Status']} {state['ExitCode']}: " + " | ".join(bad[-3:]))
        return "\n".join(lines)

    def logs(self, container):
        return subprocess.run(["docker", "logs", "--tail", "200", container], env=self.engine.env(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode("utf-8", "replace").splitlines()

    # -- containers ------------------------------------------------------------------------------------------------

    def containers(self, service=None, running=True):
        """Ids of the containers of a service, or of all; not those of `run`."""
        words = ["--filter", f"label={LABEL}.project={self.name}", "--filter", f"label={LABEL}.oneoff=False"]
        if service:
            words += ["--filter", f"label={LABEL}.service={service}"]
        return self.engine.docker("ps", "-q", *([] if running else ["-a"]), "--no-trunc", *words).split()

    def inspect(self, *ids):
        return json.loads(self.engine.docker("inspect", *ids)) if ids else []

    def wait_running(self, service, count, timeout=60):
        wait_until(lambda: len(self.containers(service)) == count, timeout,
                   lambda: f"{count} of {service}: {self.last_words()}", interval=0.2)

    @property
    def network(self):
        return f"{self.name}_default"


def address_of(inspected, network=None):
    """The container's address in that network, or in its first one."""
    networks = inspected["NetworkSettings"]["Networks"]
    one = networks.get(network) or next(iter(networks.values()))
    return one["IPAddress"]
