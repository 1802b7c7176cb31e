"""Test processes that run beside each other have folders of their own; and the lines that a suite promises to end with: figures
that pytest would otherwise keep to itself."""
import os
from pathlib import Path

_figures = []

if "PYTEST_XDIST_WORKER" in os.environ:  # before processes.py is imported, which reads it
    os.environ["BIGFUSION_RUNS"] = str(Path(__file__).resolve().parent.parent / "build" / "out" /
                                       os.environ["PYTEST_XDIST_WORKER"])


def pytest_runtest_logreport(report):
    if report.when == "call":
        _figures.extend(line for line in report.capstdout.splitlines() if line.startswith("ledger-model: "))


def pytest_terminal_summary(terminalreporter):
    for line in _figures:
        terminalreporter.write_line(line)
