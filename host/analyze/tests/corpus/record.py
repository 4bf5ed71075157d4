#!/usr/bin/env python3
"""Records what radon and lizard say about the corpus, for the tests to compare with.

    python3 -m venv venv && venv/bin/pip install radon lizard
    venv/bin/python record.py

The values are written to `recorded.json` with the versions of both tools.
"""
import json
import pathlib
from importlib.metadata import version

import lizard
from radon.complexity import cc_visit
from radon.raw import analyze
from radon.visitors import Class, Function

HERE = pathlib.Path(__file__).parent


def functions(blocks, found):
    for block in blocks:
        if isinstance(block, Function):
            found.setdefault(f"{block.name}@{block.lineno}", block.complexity)
            functions(block.closures, found)
        elif isinstance(block, Class):
            functions(block.methods, found)
            functions(block.inner_classes, found)
    return found


def python(path):
    text = path.read_text()
    raw = analyze(text)
    return {
        "functions": functions(cc_visit(text, no_assert=False), {}),
        "lines": raw.loc,
        "comment_lines": raw.comments,
        "blank_lines": raw.blank,
    }


def other(path):
    result = lizard.analyze_file(str(path))
    found = {}
    for function in result.function_list:
        found[f"{function.name.split('::')[-1]}@{function.start_line}"] = {
            "cyclomatic": function.cyclomatic_complexity,
            "code_lines": function.nloc,
            "arguments": function.parameter_count,
        }
    return {"functions": found, "code_lines": result.nloc}


recorded = {
    "radon": {"version": version("radon"), "files": {}},
    "lizard": {"version": version("lizard"), "files": {}},
}
for path in sorted(HERE.iterdir()):
    if path.name.startswith("shapes.py"):
        recorded["radon"]["files"][path.name] = python(path)
    elif path.name.startswith("shapes."):
        recorded["lizard"]["files"][path.name] = other(path)
(HERE / "recorded.json").write_text(json.dumps(recorded, indent=2) + "\n")
