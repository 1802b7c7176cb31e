#!/usr/bin/env python3
"""Every command of README.md, CONTRIBUTING.md and docs/*.md is run by a test, or is marked as not run and why.

doc_commands.txt says for each command who runs it. What counts as a command:
- in a code block, each line of a block whose first word can be the name of a program (small letters). An assignment belongs to the
  command behind it; so do the lines of a loop, of a here document and lines that are further indented. Where the block is a
  session, the lines behind `$ `;
- in running text, `a program of PROGRAMS` with at least one argument.

Prints its findings with file and line, then a line as a unit test does, for tests/run.py. A test that runs commands of the pages
gets their text by documented().
"""
import collections
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "doc_commands.txt"
PROGRAMS = (r"(?:make|bigfusion(?:-\w+)?|docker compose|docker-compose|docker(?! compose)|systemctl|systemd-[a-z]+|journalctl|"
            r"runuser|kcat|curl|apt|apt-get|kubectl|kustomize|helm|git|cp|install|sudo|python3|redis-cli|kafka-[a-z-]+|"
            r"(?:tests|deploy)/[\w/-]+\.(?:py|sh))")
SPAN = re.compile(r"`([^`]+)`")
INLINE = re.compile(rf"(?:[A-Z_]+=\S+ )+{PROGRAMS}\b|{PROGRAMS} \S")
ASSIGNMENTS = re.compile(r"^(?:[A-Za-z_]+=\S*(?:; *|$))+$")
Command = collections.namedtuple("Command", "place heading text")  # place: page:line


def pages():
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def code_blocks(lines):
    """(heading, number of the first line, lines) of each code block, without its indent. Below a list's item the text itself is
    indented, and a block four columns more than that. Blank lines inside belong to it."""
    heading, fence, inside, blank, block, first = "", False, 0, True, [], 0
    for number, line in enumerate([*lines, "."], 1):
        indent, text = len(line) - len(line.lstrip()), line.strip()
        is_code = fence or (text and indent >= inside + 4 and (blank or block)) or (block and not text)
        if text.startswith("```"):
            fence, is_code = not fence, False
        if is_code:
            first = first if block else number
            block.append(line[inside + 4:] if indent >= inside + 4 else line)
        elif block:
            yield heading, first, block
            block = []
        blank = not text
        if line.startswith("#") and not is_code:
            heading = line.lstrip("# ")
        if is_code:
            continue
        if item := re.match(r"\s*(?:[-*]|\d+\.)\s+", line):
            inside = item.end()
        elif text and indent < inside:
            inside = 0


def without_comment(line):
    quote = ""
    for at, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def block_commands(first, block):
    """(line number, text) of the commands of a block."""
    begun, end = [], None  # lines of the command so far; what ends it
    for number, line in enumerate([*block, ""], first):
        text = line if end == "heredoc" else without_comment(line)
        if begun and not end and not ASSIGNMENTS.match(begun[-1]) and not begun[-1].endswith("\\") and not text.startswith(" "):
            yield start, "\n".join(begun)
            begun = []
        if not text:
            continue
        start = start if begun else number
        begun.append(text)
        if end == "heredoc":
            end = None if text == word else end
        elif end == "done":
            end = None if text.startswith("done") else end
        elif here := re.search(r"(?<!<)<<-?['\"]?(\w+)", text):
            end, word = "heredoc", here[1]
        elif re.match(r"(?:for|while) ", text) and not text.endswith("done"):
            end = "done"
    if begun:
        yield start, "\n".join(begun)


def commands(page, others=()):
    """Every command of a page; others are texts that begin blocks of something else."""
    name, lines = str(page.relative_to(ROOT)), page.read_text(encoding="utf-8").splitlines()
    for heading, first, block in list(code_blocks(lines)):
        lines[first - 1:first - 1 + len(block)] = [""] * len(block)
        if block[0].startswith("$ "):
            yield from (Command(f"{name}:{first + n}", heading, line[2:]) for n, line in enumerate(block) if line.startswith("$ "))
        elif re.match(r"[a-z./~]|[A-Z_]+=", block[0]) and not block[0].startswith(tuple(others)):
            for number, text in block_commands(first, block):
                yield Command(f"{name}:{number}", heading, text)
    rest = "\n".join(line.replace("`", " ") if line.startswith(("#", "```")) else line for line in lines)
    for span in SPAN.finditer(rest):
        text = collapsed(span[1]).replace("\\|", "|")
        if INLINE.match(text):
            before = rest[:span.start()]
            headings = [line.lstrip("# ") for line in lines[:before.count("\n") + 1] if line.startswith("#")]
            yield Command(f"{name}:{before.count(chr(10)) + 1}", headings[-1] if headings else "", text)


def collapsed(text):
    return re.sub(r"\s+", " ", text).strip()


def short(text):
    """How the table writes a command: its first line, `...` for more of them; assignments before it stay."""
    lines = text.splitlines()
    count = next(n for n, line in enumerate(lines, 1) if n == len(lines) or not ASSIGNMENTS.match(line))
    return collapsed("; ".join(lines[:count])) + (" ..." if len(lines) > count else "")


class Table:
    """doc_commands.txt. A line that is not indented says what holds for the indented ones below it."""

    def __init__(self):
        self.entries, self.sections, self.others, self.wrong = {}, {}, [], []  # {command: (line, kind, file or reason, words)}
        kind = about = ""
        for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
            place = f"{TABLE.relative_to(ROOT)}:{number}"
            if not line.strip() or line.startswith("#"):
                continue
            if not line.startswith(" "):
                head = re.fullmatch(r"(run by|read from the page by|not run:|no command:) (\S.*)", line)
                kind, about = head.groups() if head else self.wrong.append(f"{place}: neither a head nor indented") or ("", "")
            elif kind == "no command:":
                self.others.append(line.strip())
            elif section := re.fullmatch(r" +all of (\S+\.md): (.*)", line):
                self.sections[section.groups()] = [(place, kind, about, ""), False]
            else:
                command, _, words = line.strip().partition("    <= ")
                if command in self.entries:
                    self.wrong.append(f"{place}: twice: {command}")
                self.entries[command] = (place, kind, about, words.strip())

    def of_section(self, occurrences):
        """The entry of a section in which the command stands, or None."""
        for one in occurrences:
            if section := self.sections.get((one.place.split(":")[0], one.heading)):
                section[1] = True
                return section[0]
        return None


def said_in(path, words):
    """The words stand there as they are, and not as a part of longer ones."""
    text = collapsed(path.read_text(encoding="utf-8"))
    return re.search(rf"(?<![\w-]){re.escape(collapsed(words))}(?![\w-])", text) is not None


def fault_of(entry, occurrences):
    """What is wrong with an entry of the table, or None."""
    (_, kind, about, words), text = entry, occurrences[0].text
    if kind == "not run:":
        return None
    file = ROOT / about
    if not file.is_file():
        return f"there is no {about}"
    if kind == "run by":
        words = words or text.splitlines()[0] if "\n" in text else words or text
        return None if said_in(file, words) else f"{about} does not have: {words}"
    said = file.read_text(encoding="utf-8")
    for one in occurrences:
        if one.place.split(":")[0] in said and any(f'"{one.heading[:n]}"' in said for n in range(5, len(one.heading) + 1)):
            return None
    return f"{about} does not read the section `{occurrences[0].heading}` of that page"


def targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9_.-]+)(?: [a-z0-9_. -]+)?:(?!=)", makefile, re.M)) | {
        name for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.M) for name in line.split()}


def find_faults():
    table, known = Table(), targets()
    wrong, found = list(table.wrong), collections.defaultdict(list)
    for page in pages():
        for command in commands(page, table.others):
            found[short(command.text)].append(command)
    for text, occurrences in found.items():
        for name in re.findall(r"(?:^|&& |sudo )make (?:-\S+ )*([a-z][\w-]*)(?!\S*=)", text):
            if name not in known:
                wrong.append(f"{occurrences[0].place}: the Makefile has no target {name}")
        entry = table.entries.get(text) or table.of_section(occurrences)
        if entry is None:
            wrong += [f"{one.place}: no line of {TABLE.relative_to(ROOT)} says who runs: {text}" for one in occurrences]
        elif fault := fault_of(entry, occurrences):
            wrong.append(f"{entry[0]}: {fault}")
    wrong += [f"{entry[0]}: no page has: {text}" for text, entry in table.entries.items() if text not in found]
    wrong += [f"{entry[0]}: no command stands there" for entry, used in table.sections.values() if not used]
    return wrong


def documented(text):
    """The whole command of the pages that the table writes so."""
    others = Table().others
    for page in pages():
        for command in commands(page, others):
            if short(command.text) == text:
                return command.text
    raise LookupError(f"no page has: {text}")


def main():
    if sys.argv[1:] == ["--list"]:
        for page in pages():
            for command in commands(page, Table().others if TABLE.exists() else ()):
                print(f"{command.place} [{command.heading}]: {short(command.text)}")
        return 0
    wrong = find_faults()
    print("".join(f"{line}\n" for line in wrong) + ("[  FAILED  ] doc_commands" if wrong else "[       OK ] doc_commands"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
