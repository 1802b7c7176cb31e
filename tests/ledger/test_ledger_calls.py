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


def test_a_held_lock_is_not_renewed_on_another_server(own_server):
    """A replica that is promoted during a rebuild has the lock, but may lack entries that were filled in."""
    server = own_server()
    program = ROOT / os.environ.get("BUILD", "build") / "bin" / "ledger-calls"
    with subprocess.Popen([program, "unix://" + server.socket, "lose-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout.readline() == "locked\n"
        token = server.client.get("t:ledger-rebuild")
        server.kill()
        server.start()
        server.client.set("t:ledger-rebuild", token, px=60_000)
        told = running.communicate("\n", timeout=60)[0]
    assert running.returncode == 0 and "checks passed" in told, told
