"""`make install` and `make install-systemd` put their files below DESTDIR and PREFIX, and nothing anywhere else. The package's settings."""

import os
import pathlib
import re
import stat
import subprocess

from processes import BUILD, ROOT, binary

PROGRAMS = ("bigfusion", "bigfusion-console", "bigfusion-filter", "bigfusion-mapper", "bigfusion-poller", "bigfusion-pusher", "bigfusion-sandbox")


def install(folder, *words, target="install"):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("DESTDIR", "PREFIX")}
    done = subprocess.run(["make", "-s", target, f"BUILD={BUILD}", f"DESTDIR={folder}", *words], cwd=ROOT, env=clean,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def files(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder) for where, _, names in os.walk(folder) for name in names)


def test_install_puts_programs_and_settings_below_the_prefix(tmp_path):
    install(tmp_path, "PREFIX=/opt/orders")
    assert files(tmp_path) == sorted([f"opt/orders/bin/{name}" for name in PROGRAMS]
                                     + ["opt/orders/share/doc/bigfusion/bigfusion.conf", "opt/orders/share/man/man1/bigfusion.1",
                                        "opt/orders/share/bash-completion/completions/bigfusion",
                                        "opt/orders/share/zsh/site-functions/_bigfusion"])
    for path, begin in (("man/man1/bigfusion.1", ".TH BIGFUSION 1"), ("zsh/site-functions/_bigfusion", "#compdef bigfusion"),
                        ("bash-completion/completions/bigfusion", "# bash completion")):
        assert (tmp_path / "opt/orders/share" / path).read_text().startswith(begin)
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


def test_install_systemd_puts_units_user_and_folders_below_the_prefix(tmp_path):
    install(tmp_path, target="install-systemd")
    found = files(tmp_path / "usr/local/lib")
    units = sorted(p.name for p in pathlib.Path(ROOT, "deploy/systemd").glob("bigfusion*.*") if p.suffix in (".service", ".target"))
    assert "bigfusion-pusher@.service" in units
    assert found == sorted([f"systemd/system/{name}" for name in units]
                           + ["systemd/system/bigfusion-.service.d/10-common.conf", "sysusers.d/bigfusion.conf",
                              "tmpfiles.d/bigfusion.conf"])
    assert files(tmp_path) == [f"usr/local/lib/{name}" for name in found]


def test_settings_of_the_package_are_accepted_as_they_are_and_when_the_example_is_filled_in(tmp_path):
    shipped = subprocess.run(["sed", "-f", f"{ROOT}/deploy/debian/settings.sed", f"{ROOT}/deploy/bigfusion.conf"], check=True,
                             capture_output=True, text=True).stdout
    assert [line for line in shipped.splitlines() if line and line[0] not in "#;["] == []
    filled = "\n".join(line[1:] if line[:1] == "#" and line[:2] != "# " else line for line in shipped.splitlines())
    assert "\n[store main]\n" in filled and "\nkey_file = /etc/bigfusion/secrets/infusionsoft_key\n" in filled
    (tmp_path / "secret").write_text("very-secret-value\n")
    for name, text in (("shipped", shipped), ("filled", re.sub("/etc/bigfusion/secrets/[a-z_]+", f"{tmp_path}/secret", filled))):
        path = tmp_path / name
        path.write_text(text)
        for program in PROGRAMS:
            if program != "bigfusion-sandbox":
                done = subprocess.run([binary(program), "--check", "--config", path], capture_output=True, text=True, timeout=20,
                                      check=False)
                assert done.returncode == 0, (program, name, done.stderr)
