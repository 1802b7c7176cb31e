#!/usr/bin/env python3
"""Turns the compiler lines of `make --dry-run` (standard input) into compile_commands.json (standard output)."""
import json
import os
import shlex
import sys

entries = []
for line in sys.stdin:
    words = line.split(None, 1)
    if words and " -c " in line and line.rstrip().endswith(".c"):
        entries.append({"directory": os.getcwd(), "command": line.strip(), "file": shlex.split(line)[-1]})
json.dump(entries, sys.stdout, indent=1)
