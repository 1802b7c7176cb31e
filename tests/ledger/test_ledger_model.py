"""Every interleaving over the real scripts; and each rule switched off must be noticed."""

import pathlib
import re
import subprocess

MODEL = pathlib.Path(__file__).parent / "model.lua"


def run(mode):
    done = subprocess.run(["lua5.1", MODEL, mode], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout.splitlines()[-1]


def test_no_interleaving_breaks_it():
    states, violations, known = map(int, re.fullmatch(
        r"ledger-model: states=(\d+) violations=(\d+) known_window=(\d+)", run("quick")).groups())
    assert states > 100_000 and violations == 0 and known > 0


def test_each_rule_is_needed():
    rules, seen = map(int, re.fullmatch(r"ledger-model: rules=(\d+) seen=(\d+)", run("rules")).groups())
    assert rules == seen >= 15
