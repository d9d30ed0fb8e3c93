"""What must hold for a place to be reached, which loops are around it, and where libraries are named."""

import libcst as cst
import pytest
from probing import model

from torchlint.model import FileModel

REACHED = {
    "always": ("here()", []),
    "behind a test": ("if a:\n    here()", [("a", True)]),
    "in the other branch": ("if a:\n    pass\nelse:\n    here()", [("a", False)]),
    "negated": ("if not a:\n    here()", [("a", False)]),
    "nested": ("if a:\n    if b:\n        here()", [("a", True), ("b", True)]),
    "behind an early exit": ("if a:\n    return\nhere()", [("a", False)]),
    "behind a skipped iteration": ("for i in x:\n    if i % 2:\n        continue\n    here()", [("i % 2", False)]),
    "after both branches": ("if a:\n    b()\nhere()", []),
    "in one arm of an expression": ("y = here() if a else 0", [("a", True)]),
    "in the other arm": ("y = 0 if a else here()", [("a", False)]),
    "short circuit": ("a and here()", [("a", True)]),
    "short circuit the other way": ("a or here()", [("a", False)]),
    "all of it": ("if a:\n    b and (here() if c else 0)", [("a", True), ("b", True), ("c", True)]),
    "in the test itself": ("if here():\n    pass", []),
}


def place(code: str) -> tuple[FileModel, cst.Call]:
    body = "".join(f"    {line}\n" for line in code.splitlines())
    file = FileModel(model(f"def f(a, b, c, x):\n{body}"))
    (call,) = [each for each in file.nodes(cst.Call) if file.source(each) == "here()"]
    return file, call


@pytest.mark.parametrize("title", REACHED)
def test_what_must_hold_for_a_place_to_be_reached(title: str) -> None:
    code, expected = REACHED[title]
    file, call = place(code)

    assert [(file.source(each.test), each.arm) for each in file.when(call)] == expected


def test_loops_around_a_place_are_those_of_its_function() -> None:
    file, call = place("for i in x:\n    while a:\n        here()")

    assert [type(each) for each in file.loops(call)] == [cst.While, cst.For]


def test_names_of_libraries_are_found_through_every_import() -> None:
    imports = "from torch import ger as outer, zeros\nimport torch.nn.functional as func\n"
    file = FileModel(model(imports + "y = outer(a, b), torch.ger, func.ger, x.ger, zeros(2)\n"))

    assert [(file.source(node), name) for node, name in file.uses_of({"torch.ger"})] == [("outer", "torch.ger"), ("torch.ger", "torch.ger")]
