#!/usr/bin/python3
"""A Docker engine for tests, and the images that docker-compose.yml and deploy/Dockerfile begin with.

    tests/stacktest/engine.py COMMAND...    runs a command with DOCKER_HOST set, then ends what it started
    tests/stacktest/engine.py bash          a shell: docker build --network host ..., docker-compose up, ...

Where an engine answers already (DOCKER_HOST, or that of the machine) it is used, and only the names of stand-in images
are taken back at the end. Otherwise a dockerd is started as a child of this program, on a socket of its own, without
iptables rules and without a bridge; it ends with this program. That needs root. See images.py for the images.

$BIGFUSION_STACK_CACHE (default /var/tmp/bigfusion-stack) keeps the engine's data for the next run, so that it is fast.
Two engines cannot share it at the same time: the second one waits.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from processes import ROOT, wait_until  # noqa: E402

CACHE = os.environ.get("BIGFUSION_STACK_CACHE") or "/var/tmp/bigfusion-stack"
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A command that had to succeed did not; the text has its last words."""


class Engine:
    """with Engine() as engine: engine.docker("images")"""

    def __init__(self, say=None):
        self.say = say or (lambda text: print(f"stack: {text}", file=sys.stderr, flush=True))
        self.popen, self.lock, self.log = None, None, os.path.join(CACHE, "dockerd.log")
        self.own = not self.answers(os.environ)
        self.host = f"unix://{CACHE}/docker.sock" if self.own else os.environ.get("DOCKER_HOST", "")

    @staticmethod
    def answers(env):
        """Whether an engine can be used as it is."""
        if not shutil.which("docker"):
            return False
        return subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], env=env, timeout=30,
                              capture_output=True, check=False).returncode == 0

    # -- start and stop --------------------------------------------------------------------------------------------

    def __enter__(self):
        if not self.own:
            self.say("using the Docker engine that runs here")
            return self
        if os.geteuid() != 0:
            raise Failed("no Docker engine answers, and only root can start one")
        missing = [name for name in ("docker", "dockerd", "iptables") if not shutil.which(name)]
        if missing:
            raise Failed(f"{', '.join(missing)} not found: run deploy/install-deps.sh stack")
        os.makedirs(CACHE, mode=0o700, exist_ok=True)
        self.take_lock()
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.popen is not None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(60)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
            self.popen = None
            # Of the containers that used the machine's own network dockerd leaves this mounted.
            subprocess.run(["umount", f"{CACHE}/run/netns/default"], stderr=subprocess.DEVNULL, check=False)
        if self.lock is not None:
            self.lock.close()
            self.lock = None

    def take_lock(self):
        self.lock = open(f"{CACHE}/lock", "w", encoding="utf-8")  # pylint: disable=consider-using-with
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.say(f"waiting for another run that uses {CACHE}")
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def start(self):
        """No bridge and no iptables rules: nothing of the machine's network is changed. Containers of one network reach
        each other and the machine reaches them; what needs the Internet is built with --network host."""
        self.say("starting a Docker engine")
        for leftover in ("docker.sock", "docker.pid"):
            if os.path.exists(f"{CACHE}/{leftover}"):
                os.unlink(f"{CACHE}/{leftover}")
        with open(self.log, "wb") as out:
            self.popen = subprocess.Popen(
                ["dockerd", "--host", self.host, "--data-root", f"{CACHE}/data", "--exec-root", f"{CACHE}/run",
                 "--pidfile", f"{CACHE}/docker.pid", "--bridge", "none", "--iptables=false", "--ip6tables=false",
                 "--ip-forward=false", "--ip-masq=false", "--default-address-pool", "base=10.213.0.0/16,size=24"],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))

        def ready():
            if self.popen.poll() is not None:
                raise Failed(f"dockerd ended with {self.popen.returncode}:\n{self.log_tail()}")
            return self.answers(self.env())
        wait_until(ready, 60, lambda: f"dockerd to answer:\n{self.log_tail()}", interval=0.2)

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-15:])

    # -- use -------------------------------------------------------------------------------------------------------

    def env(self, **more):
        """The environment of a program that uses this engine."""
        env = {**os.environ, **more}
        if self.host:
            env["DOCKER_HOST"] = self.host
        # BuildKit is a plugin that Debian's package does not have, and a new docker refuses to build without one of both.
        env.setdefault("DOCKER_BUILDKIT", "0")
        return env

    def docker(self, *words, check=True, timeout=600, stdin=None):
        """Runs docker WORDS and returns its stdout; Failed when it fails and check is set."""
        answer = subprocess.run(["docker", *words], env=self.env(), timeout=timeout, check=False, input=stdin,
                                capture_output=True)
        if check and answer.returncode != 0:
            last = (answer.stdout + answer.stderr).decode("utf-8", "replace").splitlines()[-25:]
            raise Failed(f"docker {' '.join(words[:4])} ...: {answer.returncode}\n" + "\n".join(last))
        return answer.stdout.decode("utf-8", "replace").strip()

    def image_id(self, name):
        """The image's id, or "" where the engine has none of that name."""
        return self.docker("image", "inspect", "--format", "{{.Id}}", name, check=False)

    def build_project(self, tag, *more, source=ROOT):
        """Builds deploy/Dockerfile of the folder source with the images that are here."""
        from images import base_arguments  # pylint: disable=import-outside-toplevel
        self.docker("build", "--network", "host", *base_arguments(self), *more, "-t", tag,
                    "-f", f"{source}/deploy/Dockerfile", source, timeout=1200)


def leave(*_):
    sys.exit(111)


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 100
    signal.signal(signal.SIGTERM, leave)
    from images import Images  # pylint: disable=import-outside-toplevel
    try:
        with Engine() as engine, Images(engine):
            return subprocess.run(sys.argv[1:], env=engine.env(), check=False).returncode
    except Failed as failure:
        print(f"stack: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
