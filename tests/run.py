#!/usr/bin/env python3
"""Runs the test suites and ends with one line: `N passed, N failed`. A skipped test counts as failed.

Usage: tests/run.py [unit] [e2e] [-- pytest arguments]      (both suites when none is named)
The binaries are those under $BUILD (default: build). The end-to-end tests run in as many processes as $JOBS says (default: 3), a
file at a time: they wait more than they work.
"""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")


def run_unit():
    """Runs every cmocka program and the checks of the sources; returns (passed, failed)."""
    passed = failed = 0
    programs = [p for p in sorted((BUILD / "unit").glob("test_*")) if not p.suffix and os.access(p, os.X_OK)]
    commands = [(p.name, [p]) for p in programs] + [
        ("house", [sys.executable, ROOT / "tests" / "house.py"]),
        ("mapping_page", [sys.executable, ROOT / "tests" / "mapping_page.py"]),
        ("doc_commands", [sys.executable, ROOT / "tests" / "doc_commands.py"]),
        ("layers", [sys.executable, ROOT / "tests" / "layers.py", BUILD])]
    for name, command in commands:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=300)
        good = len(re.findall(r"^\[ +OK \]", done.stdout, re.M))
        bad = len(set(re.findall(r"^\[ +(?:FAILED|SKIPPED) +\] (\w+)$", done.stdout, re.M)))
        if done.returncode != 0 and bad == 0:
            bad = 1  # it crashed, or a sanitizer spoke
        if bad or good == 0:
            bad = bad or 1
            print(done.stdout)
        print(f"unit {name}: {good} passed, {bad} failed", flush=True)
        passed, failed = passed + good, failed + bad
    return passed, failed


def run_e2e(arguments):
    """Runs pytest over tests/; returns (passed, failed)."""
    report = BUILD / "out" / "pytest.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x" if os.environ.get("FAIL_FAST") else "-q",
                           "-p", "no:cacheprovider", "-n", os.environ.get("JOBS", "3"), "--dist", "loadfile",
                           f"--junitxml={report}", *(arguments or ["tests"])],
                          cwd=ROOT).returncode
    if not report.exists():
        return 0, 1
    suites = list(ET.parse(report).getroot().iter("testsuite"))
    total = sum(int(s.get("tests", 0)) for s in suites)
    failed = sum(int(s.get(k, 0)) for s in suites for k in ("failures", "errors", "skipped"))
    if code != 0 and failed == 0:
        failed = 1
    return total - failed, failed


def main():
    words = sys.argv[1:]
    arguments = []
    if "--" in words:
        arguments = words[words.index("--") + 1:]
        words = words[:words.index("--")]
    passed = failed = 0
    for suite, run in (("unit", run_unit), ("e2e", lambda: run_e2e(arguments))):
        if words and suite not in words:
            continue
        good, bad = run()
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


sys.exit(main())
