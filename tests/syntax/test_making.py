"""Nodes made by assignments are those that LibCST makes. It holds for a whole process, so one of its own tries it."""

import subprocess
import sys

PROGRAM = """
import dataclasses
import inspect
import sys
import libcst as cst
from torchlint.syntax import making
from torchlint.syntax.parsing import parse

text = open(sys.argv[1]).read()
before = repr(cst.parse_module(text)), [inspect.signature(getattr(cst, name)) for name in making._MOST]
made = [getattr(cst, name).__init__ for name in making._MOST]
making.by_assignment()
assert before == (repr(parse(text)), [inspect.signature(getattr(cst, name)) for name in making._MOST])
assert before[0] == repr(cst.parse_module(text))
assert not [name for name, each in zip(making._MOST, made) if getattr(cst, name).__init__ is each]

parse("x = 1")
try:
    cst.Name("")
except cst.CSTValidationError:
    print("checked")
first, second = cst.Arg(cst.Name("x")), cst.Arg(cst.Name("x"))
assert first.whitespace_after_star is not second.whitespace_after_star
assert first.with_changes(star="*").star == "*" and first.star == ""
print(len(made))
"""


def test_nodes_made_by_assignments_are_those_of_libcst() -> None:
    text = __file__
    done = subprocess.run([sys.executable, "-c", PROGRAM, text], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "checked"
    assert int(done.stdout.split()[1]) > 40
