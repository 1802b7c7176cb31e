"""Every interleaving over the real scripts; and each rule switched off must be noticed."""

import pathlib
import re
import subprocess

MODEL = pathlib.Path(__file__).parent / "model.lua"
RULES = MODEL.parents[2] / "docs" / "ledger.md"


def run(mode):
    done = subprocess.run(["lua5.1", MODEL, mode], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout.splitlines()


def test_no_interleaving_breaks_it():
    states, violations, known = map(int, re.fullmatch(
        r"ledger-model: states=(\d+) violations=(\d+) known_window=(\d+)", run("quick")[-1]).groups())
    assert states > 100_000 and violations == 0 and known > 0


# Rules about customers and products of a store. The model has orders alone; test_ledger_versions.py has these.
OF_RECORDS = {"16"}


def test_each_rule_is_needed():
    lines = run("rules")
    rules, seen = map(int, re.fullmatch(r"ledger-model: rules=(\d+) seen=(\d+)", lines[-1]).groups())
    assert rules == seen
    written = set(re.findall(r"^(\d+)\. ", RULES.read_text(), re.MULTILINE))
    assert written - OF_RECORDS == {line.split()[1] for line in lines[:-1]}, "each rule of docs/ledger.md is switched off"
