#!/usr/bin/env python3
"""Runs the attacks that must not succeed, by number. The last line is `security: attacks=N held=N`.

An attack has held when each of its tests passed; one of which no test ran has not. The binaries are those under $BUILD.
"""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")

# number: (what is attacked, tests beside those of tests/e2e that are named after it, test_attack_NUMBER_...). FILE::BEGINNING stands for all
# tests of one file of tests/e2e, test_FILE, whose name begins so, unit:NAME for a test of tests/unit.
ATTACKS = {
    1: ("memory of the poller", []),
    2: ("old TLS, other certificates", []),
    3: ("numbers and dates out of range", []),
    4: ("records that name another account", []),
    5: ("quota, by a shopper's address", []),
    6: ("proxies, keys, redirects, plain http", []),
    7: ("the token state file", ["unit:test_token_file"]),
    8: ("passwords", []),
    9: ("personal data in answers", ["unit:test_infusionsoft"]),
    10: ("secrets in --check", []),
    11: ("bytes in flight, ids of the vendors", ["unit:test_infusionsoft", "unit:test_page"]),
    12: ("programs, core files, images", ["binaries::test_", "unit:test_common"]),
}


def named_after(number):
    """FILE::BEGINNING of each file that has tests of this attack. There is at least one, or the attack has not held."""
    beginning = f"test_attack_{number}_"
    files = [path for path in sorted((ROOT / "tests" / "e2e").glob("test_*.py")) if f"\ndef {beginning}" in path.read_text(encoding="utf-8")]
    return [f"{path.stem.removeprefix('test_')}::{beginning}" for path in files] or [f"none::{beginning}"]


def run_pytest(names):
    """{file::test: passed} of the named tests."""
    report = BUILD / "out" / "security.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    nodes = []
    for file, beginning in sorted({tuple(name.split("::")) for name in names}):
        path = ROOT / "tests" / "e2e" / f"test_{file}.py"
        found = re.findall(rf"^def ({beginning}\w*)", path.read_text(encoding="utf-8"), re.M) if path.exists() else []
        nodes += [f"{path}::{test}" for test in found]
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", os.environ.get("JOBS", "3"), "--dist",
                    "loadfile", f"--junitxml={report}", *nodes], cwd=ROOT, check=False)
    results = {}
    if report.exists():
        for case in ET.parse(report).getroot().iter("testcase"):
            name = f"{case.get('classname').rsplit('.', 1)[-1].removeprefix('test_')}::{case.get('name')}"
            results[name] = results.get(name, True) and all(case.find(k) is None for k in ("failure", "error", "skipped"))
    return results


def run_unit(names):
    return {name: subprocess.run([BUILD / "unit" / name.removeprefix("unit:")], cwd=ROOT, capture_output=True,
                                 check=False).returncode == 0 for name in names}


def main():
    attacks = {number: (what, named_after(number) + more) for number, (what, more) in ATTACKS.items()}
    names = {name for _, tests in attacks.values() for name in tests}
    results = run_unit({name for name in names if name.startswith("unit:")})
    results.update(run_pytest({name for name in names if not name.startswith("unit:")}))
    held = 0
    for number, (what, tests) in attacks.items():
        ran = [[passed for name, passed in results.items() if name.startswith(test)] for test in tests]
        good = all(ran) and all(passed for one in ran for passed in one)
        held += good
        count = sum(map(len, ran))
        print(f"attack {number}: {what}: {'held' if good else 'NOT HELD'} ({count} tests)")
    print(f"security: attacks={len(attacks)} held={held}")
    return 0 if held == len(attacks) else 1


if __name__ == "__main__":
    sys.exit(main())
