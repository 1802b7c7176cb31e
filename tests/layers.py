#!/usr/bin/env python3
"""Who may know whom: the layers of common/ (docs/architecture.md), from the includes; circles, from the symbols of the objects.

A file may include its own layer and the layers before it. A module is a header with the files that define what it declares;
two modules that need each other, directly or through others, are a circle. Usage: layers.py BUILD. Exit 1 where one is found.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYERS = ['base', 'settings', 'record', 'net', ('stage', 'ledger', 'infusionsoft'), 'mapping', 'history', 'act', 'bigcommerce']
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def rank(folder):
    for i, layer in enumerate(LAYERS):
        if folder == layer or folder in layer and isinstance(layer, tuple):
            return i
    return None


def upward_includes(files):
    found = []
    for path in files:
        mine = path.parent.name if path.parent.parent.name == 'common' else None
        for name in INCLUDE.findall(path.read_text()):
            folder = name.split('/')[0] if '/' in name else None
            theirs = rank(folder) if folder else None
            if mine is None:
                continue
            if theirs is None:
                found.append(f'{path.relative_to(ROOT)}: "{name}" names no layer')
            elif folder != mine and theirs >= rank(mine):
                found.append(f'{path.relative_to(ROOT)}: {mine}/ must not know "{name}"')
    return found


def other_services(files):
    """A service's file that includes a header of another service."""
    found = []
    for path in files:
        parts = path.relative_to(ROOT).parts
        if parts[0] != 'services':
            continue
        for name in INCLUDE.findall(path.read_text()):
            near = (path.parent / name).resolve()
            if near.exists() and near.relative_to(ROOT).parts[:2] != parts[:2]:
                found.append(f'{path.relative_to(ROOT)}: "{name}" is another service\'s')
    return found


def symbols(objects):
    """Of each object: the global symbols that it defines and those that it needs."""
    lines = subprocess.run(['nm', '-A', '-g', *map(str, objects)], check=True, capture_output=True, text=True).stdout
    defined, needed = {}, collections.defaultdict(set)
    for line in lines.splitlines():
        place, rest = line.split(':', 1)
        fields = rest.split()
        kind, name = fields[-2], fields[-1]
        if kind == 'U':
            needed[place].add(name)
        elif kind.isupper():
            defined[name] = place
    return defined, needed


def circles(objects):
    """Strongly connected objects of one group, each as a sorted list of names."""
    defined, needed = symbols(objects)
    uses = {str(o): {defined[n] for n in needed[str(o)] if n in defined and defined[n] != str(o)} for o in objects}
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in sorted(uses[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part = []
            while True:
                other = stack.pop()
                on_stack.discard(other)
                part.append(other)
                if other == node:
                    break
            if len(part) > 1:
                found.append((sorted(part), uses, defined, needed))

    for node in sorted(uses):
        if node not in index:
            visit(node)
    return found


def tell(circle, build):
    part, uses, defined, needed = circle
    short = {o: str(pathlib.Path(o).relative_to(build)).removesuffix('.o') for o in part}
    print('circle: ' + ', '.join(short.values()))
    for one in part:
        for other in sorted(uses[one] & set(part)):
            names = sorted(n for n in needed[one] if defined.get(n) == other)
            print(f'    {short[one]} -> {short[other]}: {", ".join(names)}')


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else 'build')
    sources = sorted(f for folder in ('common', 'services') for f in (ROOT / folder).rglob('*.[ch]'))
    upward = upward_includes(sources) + other_services(sources)
    for line in upward:
        print(line)
    groups = collections.defaultdict(list)
    for path in sources:
        if path.suffix == '.c' and path.name != 'main.c':
            parts = path.relative_to(ROOT).parts
            groups[parts[0] if parts[0] == 'common' else '/'.join(parts[:2])].append(
                build / path.relative_to(ROOT).with_suffix('.o'))
    found = [c for group in groups.values() for c in circles([o for o in group if o.exists()])]
    missing = [str(o) for group in groups.values() for o in group if not o.exists()]
    for name in missing:
        print(f'not built: {name}')
    for circle in found:
        tell(circle, build)
    bad = upward or found or missing
    print('[  FAILED  ] layers' if bad else '[       OK ] layers')
    print(f'layers: files={len(sources)} upward={len(upward)} circles={len(found)}')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
