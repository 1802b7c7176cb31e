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

# number: (what is attacked, its tests). FILE::BEGINNING stands for all tests of the file test_FILE in tests/e2e whose name begins so,
# unit:NAME for a test of tests/unit.
ATTACKS = {
    1: ("memory of the poller", ["attack_memory::test_attack_1_"]),
    2: ("old TLS, other certificates", ["vendor_tls::test_attack_a_server", "kafka_tls::test_attack_a_broker"]),
    3: ("numbers and dates out of range", ["security::test_03_"]),
    4: ("records that name another account", ["security::test_04_", "kafka_acl::test_a_program_without"]),
    5: ("quota, by a shopper's address", ["attack_search::test_attack_5_"]),
    6: ("proxies, keys, redirects, plain http", ["vendor_tls::test_attack_neither", "vendor_tls::test_attack_no_redirect",
                                                 "config::test_attack_plain_http"]),
    7: ("the token state file", ["unit:test_token_file", "config::test_a_secret_file", "config::test_a_folder_of_the_token"]),
    8: ("passwords", ["kafka_tls::test_a_wrong_password"]),
    9: ("personal data in answers", ["attack_personal::test_attack_9_", "unit:test_infusionsoft"]),
    10: ("secrets in --check", ["config::test_attack_check", "config::test_brokers_that_are_not"]),
    11: ("bytes in flight, ids of the vendors", ["security::test_11_", "unit:test_infusionsoft", "unit:test_page"]),
    12: ("programs, core files", ["binaries::test_", "unit:test_common", "attack_core::test_attack_12_"]),
}


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
    names = {name for _, tests in ATTACKS.values() for name in tests}
    results = run_unit({name for name in names if name.startswith("unit:")})
    results.update(run_pytest({name for name in names if not name.startswith("unit:")}))
    held = 0
    for number, (what, tests) in ATTACKS.items():
        ran = [[passed for name, passed in results.items() if name.startswith(test)] for test in tests]
        good = all(ran) and all(passed for one in ran for passed in one)
        held += good
        count = sum(map(len, ran))
        print(f"attack {number}: {what}: {'held' if good else 'NOT HELD'} ({count} tests)")
    print(f"security: attacks={len(ATTACKS)} held={held}")
    return 0 if held == len(ATTACKS) else 1


if __name__ == "__main__":
    sys.exit(main())
