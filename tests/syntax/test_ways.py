"""Which places control can come to after another one, on ways that avoid a third."""

import libcst as cst
import pytest

from torchlint.syntax.file import SourceFile
from torchlint.syntax.tree import Node
from torchlint.syntax.ways import reached


def indented(code: str) -> str:
    return "def f():\n" + "".join(f"    {line}\n" for line in code.splitlines())


def reads(code: str) -> list[str]:
    """The names `a…` that are read after the call of `start`, on ways that bind none of the names `kill`."""
    file = SourceFile(indented(code))
    (start,) = (each for each in file.nodes(cst.Call) if isinstance(each.func, cst.Name) and each.func.value == "start")
    goals: list[Node] = [each for name in sorted(file.tree.names) if name.startswith("a") for each in file.tree.names[name]]
    found = reached(file.tree, start, goals, file.tree.names.get("kill", []))
    return [each.value for each in found if isinstance(each, cst.Name)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a1\nstart(a2)\na3", ["a3"]),
        ("g(start(a1), a2)", ["a2"]),
        ("a1 + start() + a2", ["a2"]),
        ("start()\nkill = a1\na2", ["a1"]),
        ("start()\nkill, x = a1\na2", ["a1"]),
        ("start()\nif x:\n    kill = 1\n    a1\na2", ["a2"]),
        ("start()\nif x:\n    kill = 1\nelse:\n    kill = 2\na1", []),
        ("start()\nif a1:\n    a2\nelif a3:\n    a4\nelse:\n    a5", ["a1", "a2", "a3", "a4", "a5"]),
        ("if x:\n    start()\nelse:\n    a1\na2", ["a2"]),
        ("if x:\n    start()\n    return\na1", []),
        ("if x:\n    start()\n    raise a1\na2", ["a1"]),
        ("for x in a1:\n    a2\n    start()\n    a3\na4", ["a3", "a2", "a4"]),
        ("for kill in a1:\n    a2\n    start()\n    a3\na4", ["a3", "a4"]),
        ("for x in y:\n    a1\n    if start():\n        break\n    a2\na3", ["a2", "a1", "a3"]),
        ("for x in y:\n    a1\n    if z:\n        start()\n        break\n    a2\na3", ["a3"]),
        ("for x in y:\n    a1\n    if z:\n        start()\n        continue\n    a2\na3", ["a1", "a2", "a3"]),
        ("start()\nfor x in y:\n    kill = a1\na2", ["a1"]),
        ("start()\nfor x in y:\n    return a1\na2", ["a1", "a2"]),
        ("while a1:\n    start()\nelse:\n    a2", ["a1", "a2"]),
        ("with start() as x:\n    a1\na2", ["a1", "a2"]),
        ("start()\nwith x as kill:\n    a1", []),
        ("try:\n    start()\n    a1\nexcept E:\n    a2\nelse:\n    a3\nfinally:\n    a4\na5", ["a1", "a3", "a2", "a4", "a5"]),
        ("try:\n    start()\nexcept E:\n    return\nkill = 1\na1", []),
        ("start()\ntry:\n    return\nfinally:\n    a1\na2", ["a1"]),
        ("start()\nmatch a1:\n    case 1:\n        kill = 1\n    case 2:\n        a2\na3", ["a1", "a2", "a3"]),
        ("start()\ndef g():\n    a1\na2", ["a2"]),
        ("g((kill := start()), a1)", []),
    ],
)
def test_places_that_follow_another(code: str, expected: list[str]) -> None:
    assert reads(code) == expected


def test_in_a_module_too() -> None:
    file = SourceFile("start()\na\n")

    assert reached(file.tree, file.nodes(cst.Call)[0], file.tree.names["a"]) == file.tree.names["a"]


def test_in_a_lambda_nothing_follows() -> None:
    file = SourceFile("f = lambda: (start(), a)\n")

    assert reached(file.tree, file.nodes(cst.Call)[0], file.tree.names["a"]) == []
