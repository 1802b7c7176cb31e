"""What the measurements share: figures of a process from /proc, and how much is in a topic."""

import os
import re
import subprocess

from processes import wait_until

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of the process so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid, name):
    """A line of /proc/PID/status: VmHWM, VmRSS, RssAnon."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":")) / 1024


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def count_records(address, topic, partitions):
    """Records in a topic, by its end offsets."""
    command = ["kcat", "-b", address, "-Q"]
    for i in range(partitions):
        command += ["-t", f"{topic}:{i}:-1"]

    def ask():  # a topic that was just made has no leader for a moment
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return found if found.returncode == 0 else None
    answer = wait_until(ask, 20, f"the end of {topic}")
    return sum(int(n) for n in re.findall(r"offset (\d+)", answer.stdout))
