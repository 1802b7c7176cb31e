"""The most telling fault rows in their shortest form; `make chaos` runs them all, and longer."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

import chaos  # noqa: E402

SEED = int(os.environ.get("SEED", "7"))


@pytest.fixture(scope="module")
def cluster():
    shared = chaos.Cluster("chaos-short-kafka")
    yield shared
    shared.stop()


@pytest.mark.parametrize("row", ["1", "2", "3", "5", "8", "12", "15", "19", "20"])
def test_row(cluster, row):
    trial = chaos.run_row(row, SEED, "short", cluster.get() if row != "8" else None)
    chaos.report(trial)
    assert trial.passed, "\n".join(trial.problems[:10])
    assert trial.orders > 0 and trial.faults > 0, "the row showed nothing"
