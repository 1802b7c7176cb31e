"""How the programs are compiled and linked, read from the files themselves."""

import glob
import os
import platform
import re
import subprocess

import pytest
from processes import BUILD, ROOT, binary

PROGRAMS = sorted(os.path.basename(path) for path in glob.glob(f"{BUILD}/bin/bigfusion*"))


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout


def is_sanitized(path):
    return "__asan_" in output("readelf", "-W", "--dyn-syms", path)


def test_all_programs_are_there():
    assert {"bigfusion", "bigfusion-poller", "bigfusion-filter", "bigfusion-mapper", "bigfusion-pusher"} <= set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_linked_hardened(name):
    path = binary(name)
    head, segments, dynamic = (output("readelf", "-W", word, path) for word in ("-h", "-l", "-d"))
    assert re.search(r"Type:\s+DYN", head)
    flags = re.search(r"\(FLAGS_1\).*", dynamic)[0]
    assert "PIE" in flags and "NOW" in flags, flags
    assert "GNU_RELRO" in segments
    stack = re.search(r"GNU_STACK.* (\S+)\s+0x\w+$", segments, re.M)[0]
    assert " RW " in stack and "RWE" not in stack, stack
    assert "RWE" not in segments and " RWX" not in segments
    for word in ("TEXTREL", "RPATH", "RUNPATH"):
        assert f"({word})" not in dynamic, word


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_compiled_hardened(name):
    path = binary(name)
    symbols = output("readelf", "-W", "--dyn-syms", path)
    assert "__stack_chk_fail" in symbols
    if not is_sanitized(path):  # a sanitizer checks more by itself
        assert re.search(r" __\w+_chk@", symbols), "FORTIFY"
    if platform.machine() == "x86_64":
        code = output("objdump", "-d", "--no-show-raw-insn", "--disassemble=main", path)
        assert re.search(r"<main>:\n.*\bendbr64\b", code), "CET"


def test_a_large_frame_touches_each_page_of_the_stack():
    """The pusher's scripts have arrays of several pages."""
    path = binary("bigfusion-pusher")
    if platform.machine() == "x86_64" and not is_sanitized(path):
        code = output("objdump", "-d", "--no-show-raw-insn", "--disassemble=redis_script_queue", path)
        assert re.search(r"sub\s+\$0x1000,%rsp\n.*\b(?:orq|movq)\s+\$0x0,\(?.*%rsp\)", code), code[:3000]


@pytest.mark.parametrize("sanitize, wanted", [("", True), ("-fsanitize=address", False)])
def test_fortify_is_level_3_where_the_compiler_has_it_and_off_beside_a_sanitizer(sanitize, wanted):
    version = int(output("gcc", "-dumpversion").split(".")[0])
    line = output("make", "-C", ROOT, "--always-make", "--dry-run", "CC=gcc", f"SANITIZE={sanitize}", "BUILD=build/try",
                  "build/try/common/base/mem.o")
    level = "3" if version >= 12 else "2"
    assert (f"-D_FORTIFY_SOURCE={level}" in line) == wanted
    assert ("_FORTIFY_SOURCE=" in line) == wanted


def test_attack_12_images_of_others_are_pinned():
    """The name and the digest: whoever can put something else under the same tag does not reach us with it."""
    with open(f"{ROOT}/docker-compose.yml", encoding="utf-8") as compose, open(f"{ROOT}/deploy/Dockerfile", encoding="utf-8") as file:
        names = re.findall(r"^\s+image:\s+(?:\$\{\w+:-)?([^\s}]+)", compose.read(), re.M) + re.findall(r"^ARG BASE=(\S+)", file.read(), re.M)
    others = [name for name in names if not name.startswith("bigfusion")]
    assert len(others) >= 5 and all(re.search(r":\S+@sha256:[0-9a-f]{64}$", name) for name in others), others


def test_attack_8_the_stack_has_logins_to_kafka_and_redis():
    """What docker-compose.yml says of it; `make stack-test` tries it."""
    with open(f"{ROOT}/docker-compose.yml", encoding="utf-8") as file:
        text = file.read()
    listeners = re.search(r"KAFKA_LISTENERS: (\S+)", text)[1].split(",")
    protocols = dict(pair.split(":") for pair in re.search(r"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: (\S+)", text)[1].split(","))
    reachable = [name for name, host in (one.split("://") for one in listeners) if not host.startswith("localhost:")]
    assert len(reachable) == 2 and {protocols[name] for name in reachable} == {"SASL_PLAINTEXT"}
    assert '"--aclfile"' in text and "BIGFUSION_REDIS_PASSWORD_FILE" in text and "BIGFUSION_KAFKA_SASL_PASSWORD_FILE" in text
