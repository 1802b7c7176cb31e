#!/usr/bin/env python3
"""The order of the house: references lead somewhere, files and functions keep their size.

Each check prints its findings, then a line as a unit test does, for tests/run.py. Usage: house.py [CHECK ...], all without one.
"""
import fnmatch
import io
import json
import re
import subprocess
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "requirements"))

import requirements as rows  # noqa: E402

FOLDERS = ("common", "services", "tests", "docs", "deploy")
KINDS = (".c", ".h", ".lua", ".py", ".md", ".sh", ".conf")
FILE_LINES, FUNCTION_LINES = 500, 60

# A C text's strings and comments, in this order of preference, so that neither is looked for inside the other.
C_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|(/\*.*?\*/|//[^\n]*)', re.S)
# A file's name in running text, with or without its folders; `map_*.c` stands for several.
NAMED = re.compile(r"(?<![\w/.<>{}$~-])((?:[\w.*-]+/)*[\w*-]+\.(?:c|h|lua|py|md|sh|conf))(?![\w/*{-]|\.\w)")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def tree():
    """Every text file of the project that people write, without what builds and runs leave behind."""
    found = [p for p in ROOT.iterdir() if p.is_file() and (p.suffix in KINDS or p.name == "Makefile")]
    for folder in FOLDERS:
        found += [p for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix in KINDS
                  and not {"__pycache__", "node_modules"} & set(p.parts)]
    return sorted(found)


def python_comments(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or token.type == tokenize.STRING and token.string.startswith('"""'):
            yield token.start[0], token.string


def comments(path):
    """(line, text) of what is written for people in a file: its comments, or all of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".c", ".h"):
        return [(text.count("\n", 0, m.start()) + 1, m[1]) for m in C_COMMENT.finditer(text) if m[1]]
    if path.suffix == ".py":
        return list(python_comments(text))
    mark = {".lua": "--", ".conf": ";", ".md": ""}.get(path.suffix, "#")
    return [(n, line[line.index(mark):]) for n, line in enumerate(text.splitlines(), 1) if mark in line]


def citations(pattern):
    """(place, number) of each number that a comment or page cites; `rules 1 to 4` cites four."""
    for path in tree():
        for line, text in comments(path):
            for m in re.finditer(pattern, text):
                first, last = int(m[1]), int(m[2] or m[1]) if m.re.groups > 1 else int(m[1])
                for number in range(first, last + 1):
                    yield f"{path.relative_to(ROOT)}:{line + text.count(chr(10), 0, m.start())}", number


def named_tests(letter):
    """(place, number) of each test that carries a number in its name: test_r08_..., test_d02_..."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for m in re.finditer(rf"^def test_{letter}(\d+)_", path.read_text(encoding="utf-8"), re.M):
            yield f"{path.relative_to(ROOT)}: {m[0]}", int(m[1])


def without_text(cited, known, what):
    return [f"{place}: {what} {number} has no text" for place, number in cited if number not in known]


def rules():
    """Rules of the ledger: the numbered paragraphs of docs/ledger.md."""
    page = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
    known = {int(n) for n in re.findall(r"^(\d+)\. ", page, re.M)}
    return without_text(citations(r"\b[Rr]ules? (\d+)(?:(?: to | and |-)(\d+))?"), known, "rule")


def decisions():
    """Decisions: the headings of docs/decisions.md."""
    page = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    known = {int(n) for n in re.findall(r"^## D(\d+) \S", page, re.M)}
    cited = [*citations(r"\bD(\d{1,2})\b"), *named_tests("d")]
    return without_text(cited, known, "decision")


def requirements():
    """Requirements: the rows of docs/requirements.md."""
    page = (ROOT / "docs/requirements.md").read_text(encoding="utf-8")
    known = {int(n) for n in re.findall(r"^\| R(\d+) \| \S", page, re.M)}
    cited = [*citations(r"\bR(\d{1,2})\b"), *named_tests("r")]
    return without_text(cited, known, "requirement")


def rows_tested():
    """Each requirement and decision has a test in tests/requirements, unless its page says that it is not available yet."""
    texts = rows.read_rows()
    tested = {rows.row_of(name.split("::")[1]) for name in rows.tests_of(texts)}
    return [f"{row} has no test in tests/requirements, and its page does not say that it is {rows.MISSING}"
            for row, text in texts.items() if row not in tested and rows.MISSING not in text.lower()]


def files_named():
    """Files that a comment or page names."""
    files = tree()
    paths = ["/" + str(p.relative_to(ROOT)) for p in files]
    known = set(paths)
    wrong = []
    for path in files:
        for line, text in comments(path):
            for m in NAMED.finditer(text):
                name = m[1].lstrip("./")
                pattern = "*/" + name
                if "/" + name not in known and not fnmatch.filter(paths, pattern):
                    wrong.append(f"{path.relative_to(ROOT)}:{line + text.count(chr(10), 0, m.start())}: no file {m[1]}")
            for m in LINK.finditer(text) if path.suffix == ".md" else ():
                if not (path.parent / m[1]).exists():
                    wrong.append(f"{path.relative_to(ROOT)}:{line}: the link leads nowhere: {m[1]}")
    return wrong


def file_size():
    return [f"{p.relative_to(ROOT)}: {n} lines, {FILE_LINES} at most" for p in tree() if p.suffix in (".c", ".h")
            and (n := p.read_text(encoding="utf-8").count("\n")) > FILE_LINES]


def function_size():
    """From the line of a function's name to its closing brace."""
    sources = [str(p.relative_to(ROOT)) for p in tree() if p.suffix in (".c", ".h") and "tests" not in p.parts]
    try:
        told = subprocess.run(["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json", "-f", "-", *sources],
                              cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ["Universal Ctags is needed: deploy/install-deps.sh test"]
    functions = [json.loads(line) for line in told.splitlines()]
    wrong = [f"{f['path']}:{f['line']}: {f['name']}() has {n} lines, {FUNCTION_LINES} at most" for f in functions
             if (n := f["end"] - f["line"] + 1) > FUNCTION_LINES]
    return wrong if functions else ["Universal Ctags found no function"]


def metrics_named():
    """Metrics that a page or the dashboard names; `bigfusion_x_` begins several."""
    known = {m for path in tree() if path.suffix == ".c" for m in re.findall(r'"(bigfusion_[a-z_]+)"', path.read_text(encoding="utf-8"))}
    known |= {f"{k}_{part}" for k, kind in metrics_made().items() if kind == "histogram" for part in ("bucket", "sum", "count")}
    pages = [p for p in tree() if p.suffix == ".md"] + [
        p for folder in ("deploy/monitoring", "tests/monitoring") for p in sorted((ROOT / folder).rglob("*")) if p.suffix in (".json", ".yml")]
    return [f"{p.relative_to(ROOT)}: no metric {m}" for p in pages
            for m in sorted(set(re.findall(r"\bbigfusion_[a-z_]+", p.read_text(encoding="utf-8"))))
            if m not in known and not (m.endswith("_") and any(k.startswith(m) for k in known))]


def metrics_made():
    """{name: kind} of every metric that the code makes."""
    made = {}
    for path in tree():
        if path.suffix == ".c" and "tests" not in path.parts:
            for kind, name in re.findall(r'\w*(counter|gauge|histogram)\w*\([^"();]*"(bigfusion_[a-z_]+)"', path.read_text(encoding="utf-8")):
                made[name] = kind
    return made


def metrics_listed():
    """docs/metrics.md lists every metric with its kind; an alert has an entry in docs/operations.md, where its runbook_url leads."""
    listed = dict(re.findall(r"^\| `(bigfusion_\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(encoding="utf-8"), re.M))
    made = metrics_made()
    wrong = [f"docs/metrics.md: {name} is {listed.get(name)}, in the code it is {made.get(name)}"
             for name in sorted(listed.keys() | made.keys()) if listed.get(name) != made.get(name)]
    rules = (ROOT / "deploy/monitoring/alerts.yml").read_text(encoding="utf-8")
    alerts = re.findall(r"- alert: (\w+)", rules)
    links = re.findall(r"runbook_url: docs/operations\.md#(\S+)", rules)
    wrong += [f"deploy/monitoring/alerts.yml: {alert} has no runbook_url of its own" for alert, link in zip(alerts, links) if alert.lower() != link]
    headings = re.findall(r"^### (Bigfusion\w+)$", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.M)
    wrong += [f"docs/operations.md and deploy/monitoring/alerts.yml: only one of them has {name}" for name in sorted(set(alerts) ^ set(headings))]
    wrong += [f"tests/monitoring/alerts_test.yml: {alert} is not tried" for alert in alerts
              if f"alertname: {alert}\n" not in (ROOT / "tests/monitoring/alerts_test.yml").read_text(encoding="utf-8")]
    return wrong if alerts and len(alerts) == len(links) else wrong + ["an alert without runbook_url"]


def alarms_made():
    """The names of all alarms: kinds of bigfusion_alarms_total, those of the console's status, and lines of the log that say so."""
    made = set()
    for path in tree():
        if path.suffix == ".c" and "tests" not in path.parts and "sandbox" not in path.parts:
            text = path.read_text(encoding="utf-8")
            if "bigfusion_alarms_total" in text:
                made |= set(re.findall(r'kind=\\"(\w+)\\"', text)) | set(re.findall(r'alarm_counter\("(\w+)"\)', text))
            made |= set(re.findall(r'alarm_add\(\w+, "(\w+)"', text))
            made |= {words.strip() for words in re.findall(r'log_(?:error|warn)\("alarm ([a-z ]+?)(?= \w+=)', text)}
            made |= {words.strip() for words in re.findall(r'log_error\("(gap [a-z ]+?)(?= \w+=)', text)}
    return made


def answers_explained():
    """docs/operations.md has an entry for each alarm and for each reason, with what to do, and none besides."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    reasons = {m for m in re.findall(r'^    \[REASON_\w+\] =\s*\{"(\w+)"', (ROOT / "common/record/reason.c").read_text(encoding="utf-8"), re.M)}
    wrong = []
    for heading, wanted in (("Alarms", alarms_made()), ("Reasons", reasons)):
        section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
        rows = [line.strip("| ").split(" | ") for line in section[1].splitlines() if line.startswith("| `")] if section else []
        listed = [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]
        wrong += [f"docs/operations.md, {heading}: no entry for {name}" for name in sorted(wanted - set(listed))]
        wrong += [f"docs/operations.md, {heading}: nothing in the code is called {name}" for name in sorted(set(listed) - wanted)]
        wrong += [f"docs/operations.md, {heading}: twice: {name}" for name in sorted({n for n in listed if listed.count(n) > 1})]
        wrong += [f"docs/operations.md, {heading}: {row[0]} does not say what it means and what to do" for row in rows
                  if len(row) < 3 or min(map(len, row[-2:])) < 5]
        if len(wanted) < 10:
            wrong.append(f"{heading}: only {len(wanted)} were found in the code")
    return wrong


CHECKS = (rules, decisions, requirements, rows_tested, files_named, metrics_named, metrics_listed, answers_explained, file_size, function_size)


def main():
    failed = 0
    for check in CHECKS:
        if sys.argv[1:] and check.__name__ not in sys.argv[1:]:
            continue
        wrong = check()
        for line in wrong:
            print(line)
        print(f"[  FAILED  ] {check.__name__}" if wrong else f"[       OK ] {check.__name__}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
