"""`bigfusion help`, the man page, the completion scripts and the pages of docs/ say the same: they come from one table of commands."""

import pathlib
import re
import subprocess

import pytest
from processes import BUILD, ROOT, binary

COMMON = {"--config", "--check", "--version", "--help"}


def say(*words, status=0):
    done = subprocess.run([binary("bigfusion"), *words], capture_output=True, text=True, timeout=20, check=False,
                          env={"PATH": "/usr/bin:/bin", "BIGFUSION_CONFIG": "/nowhere/bigfusion.conf"})
    assert done.returncode == status, (words, done.stderr)
    return done.stdout if status == 0 else done.stderr


def commands():
    """{"topics create": arguments}, as `bigfusion help` lists them."""
    listed = say("help").split("Commands\n")[1].split("\n\n")[0]
    found = {}
    for line in re.findall(r"^  (\S.*?)(?:  +.*|)$", listed, re.M):
        words = re.match(r"(?:[a-z-]+(?: |$))+", line)[0].strip()
        found[words] = line[len(words):].strip()
    return found


COMMANDS = commands()


def options(words):
    """{"--older": "DURATION" or ""} of `bigfusion help WORDS`."""
    part = say("help", *words.split()).split("\nOptions\n")
    return dict(re.findall(r"^  (--[a-z-]+)(?: ([A-Z-]+))?", part[1].split("\n\n")[0], re.M)) if len(part) > 1 else {}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh"):
        (folder / shell).write_text(say("completion", shell))
    return folder


def complete_bash(script, *words):
    """What bash offers for the last of these words; it takes = for a word of its own."""
    parts = [part for word in words for part in re.split(r"(=)", word)] if words[-1] else list(words)
    quoted = " ".join(f"'{word}'" for word in ["bigfusion", *parts])
    done = subprocess.run(["bash", "-uc", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(parts)}; COMPREPLY=();"
                           " _bigfusion; printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True, timeout=20, check=True)
    assert done.stderr == ""
    return set(done.stdout.split("\n")) - {""}


def complete_zsh(script, *words):
    """What the script hands to zsh, in place of whose own functions these stand."""
    quoted = " ".join(f"'{word}'" for word in ["bigfusion", *words])
    done = subprocess.run(["zsh", "-fc", "compdef() { }; _files() { print FILES }; compadd() { shift; print -rl -- $@ };"
                           " _describe() { print -rl -- ${(P)@[-1]%%:*} };"
                           f" source {script}; words=({quoted}); CURRENT={len(words) + 1}; _bigfusion"],
                          capture_output=True, text=True, timeout=20, check=True)
    assert done.stderr == ""
    return {word for word in done.stdout.split("\n") if word.startswith(words[-1])} - {""}


@pytest.mark.parametrize("words", COMMANDS)
def test_help_man_and_completion_agree(words, scripts):
    text = say("help", *words.split())
    assert text.startswith(f"usage: bigfusion {words}")
    assert say(*words.split(), "--help") == text
    own = options(words)
    usage = "".join(f" [{name}{' ' * bool(value)}{value}]" for name, value in own.items())
    arguments = f" {COMMANDS[words]}" if COMMANDS[words] else ""
    assert text.split("\n")[0].removesuffix(" [--config FILE]") == f"usage: bigfusion {words}{arguments}{usage}"
    heading = f'.SS "bigfusion {words}{arguments}{usage}"'.replace("-", r"\-")
    assert heading in say("help", "--man").split("\n")
    for complete, script in ((complete_bash, scripts / "bash"), (complete_zsh, scripts / "zsh")):
        offered = complete(script, *words.split(), "-")
        assert offered == {*own, *COMMON}, (complete.__name__, words)


@pytest.mark.parametrize("shell,complete", [("bash", complete_bash), ("zsh", complete_zsh)])
def test_completion_in_the_shell(shell, complete, scripts):
    script = scripts / shell
    first = {words.split()[0] for words in COMMANDS}
    assert complete(script, "") == first == complete(script, "help", "")
    assert complete(script, "to") == {"topics"} and complete(script, "topics", "") == {"acl", "create"}
    assert complete(script, "completion", "") == {"bash", "zsh"} and complete(script, "completion", "z") == {"zsh"}
    assert complete(script, "stuck", "--older", "") == set()
    assert "--json" in complete(script, "stuck", "--older", "5m", "--j") and complete(script, "--config", "x", "st") >= {"stuck"}
    assert complete(script, "stuck", "--older=5m", "--o") == {"--older"}
    assert complete(script, "nonsense", "") == set()


def test_completion_of_an_unknown_shell_is_refused():
    assert "allowed: bash, zsh" in say("completion", "fish", status=100)


def test_man_page_is_right_for_groff(tmp_path):
    page = tmp_path / "bigfusion.1"
    page.write_text(say("help", "--man"))
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-P-cbou", "-rLL=200n", "-rHY=0", page], capture_output=True, text=True,
                          timeout=60, check=True)
    assert done.stderr == ""
    shown = re.sub(r"\s+", " ", done.stdout)
    for words in COMMANDS:
        text = say("help", *words.split())
        for paragraph in (text.split("\n\n")[1], *(part for part in text.split("\n\n")[2:3])):
            assert re.sub(r"\s+", " ", paragraph.replace("`", "")).strip() in shown, words
        for line in text.split("Examples\n")[1].split("\n\n")[0].splitlines() if "Examples\n" in text else ():
            assert line.strip() in re.sub("’|´", "'", done.stdout), words


def test_pages_name_every_command_and_no_option_that_there_is_not():
    pages = "\n".join(path.read_text() for path in [pathlib.Path(ROOT, "README.md"), *pathlib.Path(ROOT, "docs").glob("*.md")])
    for words in COMMANDS:
        assert re.search(rf"bigfusion {words}\b", pages), f"no page names `bigfusion {words}`"
    for line in re.findall(r"(?:^|[`\s])bigfusion ([a-z][^`\n]*)", pages):
        found = [words for words in COMMANDS if line == words or line.startswith(f"{words} ")]
        if found:
            given = set(re.findall(r"(?<!\S)(--[a-z][a-z-]*)", re.split(r"[|;#(]", line)[0]))
            assert given <= {*options(found[0]), *COMMON}, line


def test_the_documented_ways_to_get_them(tmp_path):
    """docs/inspecting.md; man shows a page without a warning, and names nothing that it could not read."""
    for command, wanted in (("source <(bigfusion completion bash); complete -p bigfusion", "complete -F _bigfusion bigfusion"),
                            ("bigfusion completion zsh >~/.zsh/_bigfusion; head -n 1 ~/.zsh/_bigfusion", "#compdef bigfusion"),
                            ("bigfusion help --man | man -l -", "bigfusion trace ORDER"),
                            ("bigfusion help --man | man --warnings=w -l - 2>&1 >/dev/null", "")):
        (tmp_path / ".zsh").mkdir(exist_ok=True)
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": f"{BUILD}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "MANPAGER": "cat", "MANWIDTH": "120",
                                   "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0 and done.stderr == "" and (wanted in done.stdout if wanted else done.stdout == ""), done
