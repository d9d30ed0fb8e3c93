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
kinds = [getattr(cst, name) for name in making._MOST] + list(making.SHARED)
before = repr(cst.parse_module(text)), [inspect.signature(kind) for kind in kinds]
made = [getattr(cst, name).__init__ for name in making._MOST]
making.by_assignment()
assert before == (repr(parse(text)), [inspect.signature(kind) for kind in kinds])
assert before[0] == repr(cst.parse_module(text))
assert parse(text).code == text
assert not [name for name, each in zip(making._MOST, made) if getattr(cst, name).__init__ is each]

parse("x = 1")
try:
    cst.Name("")
except cst.CSTValidationError:
    print("checked")
first, second = (cst.Subscript(cst.Name("x"), [cst.SubscriptElement(cst.Index(cst.Name("i")))]) for _ in range(2))
assert first.lbracket is not second.lbracket
first = cst.Arg(cst.Name("x"))
assert first.with_changes(star="*").star == "*" and first.star == ""
print(len(made))
"""
SHARED = """
import libcst as cst
from torchlint.syntax import making
from torchlint.syntax.parsing import parse

making.by_assignment()
for kind in making.SHARED:
    first = parse("a. b\\n\\n\\nc. d \\n# comment\\n# comment\\ne\\n")
    def found(node, kind=kind):
        return [node] * isinstance(node, kind) + [each for child in node.children for each in found(child)]
    nodes = {id(each): each for each in found(first)}.values()
    assert 0 < len(nodes) < len(found(first)), kind  # each that stands there twice is one
    distinct = [repr(each) for each in nodes if "Comment" not in repr(each)]
    assert len(set(distinct)) == len(distinct), kind
first, second = parse("# comment\\na\\n").header + parse("# comment\\na\\n").header
assert first is not second and first.comment is not second.comment
assert cst.SimpleWhitespace(" ") is cst.SimpleWhitespace(value=" ") is cst.Dot(cst.SimpleWhitespace(" ")).whitespace_before
assert cst.Newline() is cst.TrailingWhitespace().newline is cst.EmptyLine(comment=cst.Comment("#")).newline
assert cst.SimpleWhitespace(" ").with_changes(value="") is cst.SimpleWhitespace("") is not cst.SimpleWhitespace(" ")
for wrong in ("x", "x"):
    try:
        cst.SimpleWhitespace(wrong)
    except cst.CSTValidationError:
        print("checked")
try:
    cst.SimpleWhitespace(" ").value = ""
except AttributeError:
    print("frozen")
for blanks in range(2 * making._DIFFERENT):
    assert cst.SimpleWhitespace(" " * blanks).value == " " * blanks
print(cst.SimpleWhitespace(" " * blanks) is cst.SimpleWhitespace(" " * blanks))
"""


def test_nodes_made_by_assignments_are_those_of_libcst() -> None:
    text = __file__
    done = subprocess.run([sys.executable, "-c", PROGRAM, text], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "checked"
    assert int(done.stdout.split()[1]) > 35


def test_equal_blanks_are_one_node_but_comments_are_not() -> None:
    done = subprocess.run([sys.executable, "-c", SHARED], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["checked", "checked", "frozen", "False"], "")
