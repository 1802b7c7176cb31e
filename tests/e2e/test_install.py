"""`make install` puts the programs and the commented settings below DESTDIR and PREFIX, and nothing else anywhere."""

import os
import pathlib
import stat
import subprocess

from processes import BUILD, ROOT

PROGRAMS = ("bigfusion", "bigfusion-filter", "bigfusion-mapper", "bigfusion-poller", "bigfusion-pusher", "bigfusion-sandbox")


def install(folder, *words):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("DESTDIR", "PREFIX")}
    done = subprocess.run(["make", "-s", "install", f"BUILD={BUILD}", f"DESTDIR={folder}", *words], cwd=ROOT, env=clean,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def files(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names)


def test_install_puts_programs_and_settings_below_the_prefix(tmp_path):
    install(tmp_path, "PREFIX=/opt/orders")
    assert files(tmp_path) == sorted([f"opt/orders/bin/{name}" for name in PROGRAMS]
                                     + ["opt/orders/share/doc/bigfusion/bigfusion.conf"])
    for name in PROGRAMS:
        path = tmp_path / "opt/orders/bin" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o755
        said = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=20, check=False)
        assert said.returncode == 0 and name in said.stdout
    conf = tmp_path / "opt/orders/share/doc/bigfusion/bigfusion.conf"
    assert stat.S_IMODE(conf.stat().st_mode) == 0o644
    assert conf.read_text() == pathlib.Path(ROOT, "deploy/bigfusion.conf").read_text()


def test_install_goes_to_usr_local_where_no_prefix_is_given_and_may_be_repeated(tmp_path):
    install(tmp_path)
    install(tmp_path)
    assert (tmp_path / "usr/local/bin/bigfusion-pusher").exists()
    assert sorted(os.listdir(tmp_path)) == ["usr"]
