"""Commands of README.md and docs/containers.md on the demo's stack, word for word, at a terminal as a person has one.

tests/doc_commands.txt names those that are run here. The environment gives the test's names of project and port.
"""

import os
import pty
import signal
import subprocess
import threading

from doc_commands import documented
from engine import Failed
from processes import die_with_parent, wait_until

ENDLESS = 60  # seconds for a command that goes on until it is ended
PLACED = 5  # orders that on_a_running_demo() places


class Terminal:
    """A command of the pages with a terminal; what it prints is in text()."""

    def __init__(self, project, command, **env):
        self.command = command
        self.ours, theirs = pty.openpty()
        self.popen = subprocess.Popen(["bash", "-c", documented(command)], cwd=project.folder,
                                      env={**project.environment(), **env}, stdin=theirs, stdout=theirs, stderr=theirs,
                                      start_new_session=True, preexec_fn=die_with_parent)
        os.close(theirs)
        self.pieces = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                piece = os.read(self.ours, 65536)
            except OSError:  # nobody has the other side any more
                return
            self.pieces.append(piece)

    def text(self):
        return b"".join(list(self.pieces)).decode("utf-8", "replace")

    def wait(self, timeout=180):
        """Waits for its end, which must be a success."""
        status = self.popen.wait(timeout)
        self.reader.join(5)
        if status != 0:
            raise Failed(f"{self.command}: {status}\n{self.text()[-1500:]}")
        return self.text()

    def wait_for(self, words):
        wait_until(lambda: words in self.text(), ENDLESS, lambda: f"{words} of {self.command}: {self.text()[-500:]}", interval=0.2)

    def kill(self):
        """Ends a command that goes on, docker's plugin too; the containers stay as they are."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


def on_a_running_demo(run, project, demo):
    """The commands of a person who tries the demo; the stack is up."""
    said = Terminal(project, "docker compose run --rm bigfusion doctor").wait()
    run.check(" 0 fail" in said, f"docker compose run --rm bigfusion doctor: {said.strip().splitlines()[-1]}")
    up = Terminal(project, "docker compose --profile demo up")
    up.wait_for("setup-1 exited with code 0")  # from then on it shows what the services log
    demo.generate(PLACED, seed=7)
    logs = Terminal(project, "docker compose logs -f --tail 100 poller filter mapper pusher")
    for terminal in (up, logs):
        terminal.wait_for(" delivered key=")
        terminal.kill()
    for command, words in (
            ("docker compose version", "ersion"),
            ("docker-compose version", "ersion"),
            ("docker compose run --rm bigfusion help", "doctor"),
            ("docker compose run --rm bigfusion status", "fates of orders"),
            ("docker compose run --rm bigfusion stuck --scan", "without a fate"),
            ("docker compose run --rm bigfusion why 149", "verdict"),
            ("docker compose exec console cat /var/lib/bigfusion-console/token", ""),
            ("docker compose exec pusher cat /run/bigfusion/kafka", ""),
            ("docker compose ps", "pusher"),
            ("docker compose exec pusher bigfusion-pusher --health", "alive"),
            ("docker compose logs check setup", "everything is there"),
            ("make sbom", "librdkafka1")):
        said = Terminal(project, command).wait()
        run.check(words in said, f"{command}: " + ("as its page says" if words in said else said[-500:]))


def new_settings(project):
    """The command after a change of bigfusion.conf. With an .env, as docs/containers.md wants it, the profile is in the environment."""
    Terminal(project, "docker compose up -d --force-recreate poller filter mapper pusher console", COMPOSE_PROFILES="demo").wait()


def its_end(run, project):
    """The command that removes the demo with all its data."""
    Terminal(project, "docker compose --profile demo down -v").wait()
    left = project.containers(running=False) + project.engine.docker("volume", "ls", "-q", "--filter",
                                                                     f"label=com.docker.compose.project={project.name}").split()
    run.check(not left, f"docker compose --profile demo down -v: left over are {left or 'none'}")
