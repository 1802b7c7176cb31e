#!/usr/bin/env python3
"""Compares docs/mapping.md, "Every member", with what the mapper makes of the orders in tests/cases/mapper.

- A member of an expected payload has a row, and a row has a case in which its member is there (unless it is only of a product of the
  catalogue: those have no such cases).
- Where the last column has the path of a member of the order, the payload has that text, cleaned and cut. Cleaning and cutting are the
  judge's own (reference.py).
(tests/unit/test_mapping_page.c compares the other columns with the code's tables.) Prints its findings, then a line as a unit test does.
"""
import json
import re
import sys
from decimal import Decimal
from pathlib import Path

import reference

ROOT = Path(__file__).resolve().parent.parent
ANY = 10**9


def read_rows():
    """{member: (limit, {address field or None: (path, limit)})} of the table about orders, and which members no order has."""
    page = (ROOT / "docs/mapping.md").read_text(encoding="utf-8")
    section = re.search(r"^### Of an order\n(.*?)^### ", page, re.M | re.S)[1]
    rows, catalogue = {}, set()
    for member, kind, source in re.findall(r"^\| `(\S+)` \| \w+ \| (.*?) \| (.*) \|$", section, re.M):
        limit = int((re.search(r"at most (\d+)", kind) or [0, ANY])[1])
        if source.startswith("only of a product of the catalogue"):
            catalogue.add(member)
        paths = {}
        for field, path, more in re.findall(r"(?:^|; )(BILLING |SHIPPING |)`([a-z_0-9.]+)`(?:, at most (\d+))?(?=;|$)", source):
            paths[field.strip() or None] = (path, int(more or limit))
        rows[member] = (limit, paths)
    return rows, catalogue


def members(value, path=""):
    """(row's name, value, the object that it is in) of each member below an object."""
    for name, one in value.items():
        here = f"{path}{name}"
        if isinstance(one, list):
            yield f"{here}[]", one, value
            for entry in one:
                if isinstance(entry, dict):
                    yield from members(entry, f"{here}[].")
        else:
            yield here, one, value
            if isinstance(one, dict):
                yield from members(one, f"{here}.")


def at(order, path):
    for name in path.split("."):
        order = order[int(name)] if isinstance(order, list) else order.get(name) if isinstance(order, dict) else None
    return order


def wanted(order, path, limit, got):
    """What the payload should have of a member of the order, in the form in which the payload has it."""
    value = at(order, path)
    if path.startswith("date_"):
        when = reference.instant(value)
        return int(when.timestamp()) * 1000 if isinstance(got, int) else when.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(got, str):
        try:
            return reference.clean(value, limit) or ""
        except reference.Malformed:  # of another type: the row says in words what is taken instead
            return got
    return int(value) if isinstance(value, (int, str, Decimal)) else value


def find_faults():
    (rows, catalogue), seen, compared, wrong = read_rows(), set(), set(), []
    for case in sorted((ROOT / "tests/cases/mapper").iterdir()):
        expected = reference.load_json((case / "expected.json").read_text(encoding="utf-8"))
        payload = expected.get("payload", expected)
        if not isinstance(payload, dict) or payload.get("kind") != "order":
            continue
        order = reference.load_json((case / "input.json").read_text(encoding="utf-8"))["order"]
        for member, got, parent in members(payload):
            seen.add(member)
            if member not in rows:
                wrong.append(f"{case.name}: docs/mapping.md has no row {member}")
                continue
            paths = rows[member][1]
            path, limit = paths.get(parent.get("field")) or paths.get(None) or (None, 0)
            if path is None or not isinstance(order, dict):
                continue
            compared.add(member)
            if (right := wanted(order, path, limit, got)) != got:
                wrong.append(f"{case.name}: {member} is {json.dumps(got, default=str)}, by docs/mapping.md it is {right!r}")
    wrong += [f"docs/mapping.md: no case of tests/cases/mapper has {member}" for member in sorted(set(rows) - seen - catalogue)]
    wrong += [f"docs/mapping.md: an order has {member}" for member in sorted(seen & catalogue)]
    wrong += [f"docs/mapping.md: {member} has a path, and nothing was compared" for member, (_, paths) in rows.items()
              if paths and member not in compared]
    return wrong


def main():
    wrong = find_faults()
    print("".join(f"{line}\n" for line in wrong) + ("[  FAILED  ] mapping_page" if wrong else "[       OK ] mapping_page"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
