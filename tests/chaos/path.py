"""A network path that can die while bytes are on it, and heal: the kernel of the sender keeps them and sends them again.

The process at the far end runs in a network namespace of its own; each path to it is a pair of virtual links. Needs root
and iproute2 (deploy/install-deps.sh test). A proxy cannot stand for this: it takes the bytes over, so that a connection
that is closed with a reset cannot take them back any more.
"""

import os
import subprocess

FIRST, PAIRS_MAX = 0xC6120000, 4096  # 198.18.0.0/15 is set aside for trials of networks (RFC 2544): four addresses a path


class NoNamespaces(Exception):
    """This machine, or this user, cannot have network namespaces."""


def run(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout
    except FileNotFoundError as error:
        raise NoNamespaces(f"{error.filename} is not installed: deploy/install-deps.sh test") from error
    except subprocess.CalledProcessError as error:
        raise NoNamespaces(f"network namespaces need root and a kernel that has them: `{' '.join(command)}` says"
                           f" {error.stderr.strip()}") from error


def far_command(command):
    """The command as it runs in a network namespace of its own, with the same process id as without."""
    run("unshare", "--net", "true")  # says why where it cannot be done
    return ["unshare", "--net", *command]


class Path:
    """One path to a process in its own namespace. Goes away with that process, or with stop()."""

    def __init__(self, pid):
        self.pid = pid
        first = os.getpid() % PAIRS_MAX
        for number in (*range(first, PAIRS_MAX), *range(first)):
            self.link = f"bf{number}"
            try:  # a name that is taken stands for a pair of addresses that is taken
                run("ip", "link", "add", self.link, "type", "veth", "peer", "name", self.link, "netns", str(pid))
                break
            except NoNamespaces as error:
                if "File exists" not in str(error):
                    raise
        near, self.address = (f"{FIRST + 4 * number + i:08x}" for i in (1, 2))
        near, self.address = (".".join(str(byte) for byte in bytes.fromhex(text)) for text in (near, self.address))
        run("ip", "address", "add", f"{near}/30", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        self._far("ip", "address", "add", f"{self.address}/30", "dev", self.link)
        self.heal()
        far = self._far("ip", "-brief", "link", "show", self.link).split()[2]
        # known for good: a dead path must swallow what is sent, not answer that there is no host
        run("ip", "neighbour", "replace", self.address, "lladdr", far, "dev", self.link, "nud", "permanent")

    def _far(self, *command):
        return run("nsenter", f"--net=/proc/{self.pid}/ns/net", *command)

    def die(self):
        """From now on nothing arrives, in either direction, and nobody is told."""
        self._far("ip", "link", "set", self.link, "down")

    def heal(self):
        self._far("ip", "link", "set", self.link, "up")

    def holding(self):
        """How many of our connections hold bytes that were sent and not acknowledged, with or without an owner."""
        lines = run("ss", "--no-header", "--numeric", "--tcp", "--all", "dst", self.address).splitlines()
        return sum(1 for line in lines if int(line.split()[2]) > 0 and not line.startswith("SYN-SENT"))

    def stop(self):
        subprocess.run(["ip", "link", "delete", self.link], check=False, capture_output=True)
