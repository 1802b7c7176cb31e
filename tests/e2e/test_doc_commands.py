"""tests/doc_commands.py finds the commands of a page, and each one that no test or a false one is said to run."""

import doc_commands
import pytest

PAGE = """# A page

Look at `make help`, or `make` alone.

1. An item:

       make help   # as above

   and more text

    make this, which is no command, because it is not indented enough

Code:

    B=there
    for t in one two; do
        echo "$t # no comment"
    done | sort
    cat >file <<END
    make nothing

    END

Then

    $ make help
    help, a list

    {"n": 1}
"""


def write_page(folder, table):
    for name, text in (("README.md", PAGE), ("CONTRIBUTING.md", ""), ("Makefile", "help: ## this list\n"), ("tests/doc_commands.txt", table),
                       ("tests/test_good.py", 'run("make help")\nread("README.md", "A page")\n'), ("tests/test_bad.py", 'run("make helper")\n')):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


REST = """not run: here
    make help
    B=there; for t in one two; do ...
    cat >file <<END ...
"""


@pytest.mark.parametrize("table, faults", [
    (REST, []),
    (REST.replace("not run: here", "run by tests/test_good.py\n    make help\nnot run: too").replace("too\n    make help", "too"), []),
    ("read from the page by tests/test_good.py\n    all of README.md: A page\n", []),
    ("not run: \n    make help\n", ["neither a head nor indented"]),
    (REST.replace("    make help\n", ""), ["README.md:3: no line", "README.md:7: no line", "README.md:26: no line"]),
    (REST + "    make more\n", ["no page has: make more"]),
    (REST + "    make help\n", ["twice: make help"]),
    (REST.replace("not run: here", "run by tests/test_bad.py"), ["test_bad.py does not have: make help"]),
    (REST.replace("not run: here", "run by tests/test_none.py"), ["there is no tests/test_none.py"]),
    ("read from the page by tests/test_bad.py\n    all of README.md: A page\n", ["does not read the section"]),
    ("read from the page by tests/test_good.py\n    all of README.md: Another\n", ["no line", "no command stands there"]),
], ids=range(11))
def test_a_command_without_a_true_citation_is_found(tmp_path, monkeypatch, table, faults):
    monkeypatch.setattr(doc_commands, "ROOT", tmp_path)
    monkeypatch.setattr(doc_commands, "TABLE", tmp_path / "tests/doc_commands.txt")
    write_page(tmp_path, table)
    found = doc_commands.find_faults()
    assert bool(found) == bool(faults), found
    for fault in faults:
        assert any(fault in line for line in found), (fault, found)
