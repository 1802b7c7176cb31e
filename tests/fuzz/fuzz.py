#!/usr/bin/python3
"""Runs every fuzz target of a build for some seconds, two at a time.

    python3 tests/fuzz/fuzz.py --build build/fuzzing --seconds 60 [--target payload]

A target starts from tests/fuzz/corpus/<target>; what it finds on its way stays in <build>/out/<target>. An input that
ends it is kept there too, and its place is printed. The last line is `fuzz: targets=N executions=M crashes=N`; exit 1
where there is a crash or a target that ran nothing.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
AT_ONCE = 2


def run(program, folder, seconds):
    """One target: (executions, [places of inputs that end it])."""
    folder.mkdir(parents=True, exist_ok=True)
    found = folder / "corpus"
    found.mkdir(exist_ok=True)
    for old in folder.glob("*-*"):
        old.unlink()
    seeds = ROOT / "tests" / "fuzz" / "corpus" / program.name
    with open(folder / "log", "w", encoding="utf-8", errors="replace") as log:
        done = subprocess.run(
            [program, f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048",
             "-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={folder}/", found, seeds],
            cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False,
            env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1",
                 "ASAN_OPTIONS": "malloc_context_size=4:quarantine_size_mb=16"})
    text = (folder / "log").read_text(encoding="utf-8", errors="replace")
    counted = re.findall(r"^stat::number_of_executed_units:\s*(\d+)", text, re.M)
    executions = int(counted[-1]) if counted else 0
    if not counted:  # it ended by a fault: the last progress line
        shown = re.findall(r"^#(\d+)\s", text, re.M)
        executions = int(shown[-1]) if shown else 0
    crashes = [str(path) for path in sorted(folder.glob("*-*"))]
    if done.returncode != 0 and not crashes:
        crashes = [f"{folder}/log"]
    return executions, crashes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/fuzzing")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--target")
    words = parser.parse_args()
    build = ROOT / words.build
    programs = sorted(path for path in (build / "fuzz").glob(words.target or "*") if os.access(path, os.X_OK))
    total, crashed, failed = 0, 0, not programs
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {pool.submit(run, program, build / "out" / program.name, words.seconds): program
                   for program in programs}
        for done in concurrent.futures.as_completed(waiting):
            executions, crashes = done.result()
            name = waiting[done].name
            total, crashed = total + executions, crashed + len(crashes)
            failed = failed or bool(crashes) or executions == 0
            print(f"fuzz {name}: executions={executions} crashes={len(crashes)}", flush=True)
            for place in crashes:
                print(f"fuzz {name}: crashed by {place}", flush=True)
    print(f"fuzz: targets={len(programs)} executions={total} crashes={crashed}", flush=True)
    return 1 if failed else 0


sys.exit(main())
