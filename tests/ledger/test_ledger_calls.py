"""ledger.c itself, through a small program of ours."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_c_interface(server):
    program = ROOT / os.environ.get("BUILD", "build") / "bin" / "ledger-calls"
    done = subprocess.run([program, "unix://" + server.socket], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    assert done.returncode == 0 and "checks passed" in done.stdout, done.stdout


def test_a_password(own_server):
    server = own_server("--requirepass", "s3cr%t")
    program = ROOT / os.environ.get("BUILD", "build") / "bin" / "ledger-calls"
    for password, code in (("s3cr%25t", 0), ("wrong", 1)):
        done = subprocess.run([program, f"unix://:{password}@{server.socket}"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode == code, done.stdout
        assert password not in done.stdout
