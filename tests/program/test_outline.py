"""What a file offers is found as Python reads it, however the file is laid out."""

from __future__ import annotations

import pytest

from torchlint.program.outline import Outline

DEFINED = {
    "plain": "def step(loss):\n    loss.backward()\n\nother = 1\n",
    "decorated": "@wrap(\n1)\nasync def step(loss):\n    loss.backward()\n",
    "class": "class step(Base):\n\n    def run(self, loss):\n        loss.backward()",
    "on one line": "def step(loss): loss.backward()\n",
    "header of several lines": "def step(\n    loss,\n):\n    loss.backward()\n",
    "what is in brackets at the first column": "def step(\nloss\n):\n    loss.backward()\n",
    "a text at the first column": 'def step(loss):\n    """\nDoc.\n"""\n    text = """\ndef other():\n"""\n    loss.backward()\n',
    "a comment at the first column": "def step(loss):\n# it's \"quoted\n    loss.backward()\n",
    "a line that goes on at the first column": "def step(loss):\n    total = 1 + \\\n2\n    loss.backward()\n",
    "quotes in quotes": "def step(loss):\n    text = 'a \\' # \"' + \"'''\"\n    loss.backward()\n",
    "under a condition": "if True:\n    def step(loss):\n        loss.backward()\nelse:\n    pass\n",
    "the last of two": "def step(loss):\n    pass\n\ndef step(loss):\n    loss.backward()\n",
    "behind a text": 'NOTE = """\nNot code:\n""" + "b"\n\ndef step(loss):\n    loss.backward()\n',
    "behind bytes": 'DATA = b"""\n"""\ndef step(loss):\n    loss.backward()\n',
}
NOT_DEFINED = {
    "in a text": '"""\ndef step(loss):\n    loss.backward()\n"""\n',
    "in a comment": "# def step(loss): loss.backward()\n",
    "behind the end": "def step(loss):\n    pass\n# loss.backward()\n\nloss.backward()\n",
    "in a class": "class Trainer:\n    def step(self, loss):\n        loss.backward()\n",
    "no code": "def step(loss):\n    loss.backward()\n\nelse:\n",
}


@pytest.mark.parametrize("text", DEFINED.values(), ids=DEFINED.keys())
def test_a_definition_is_found(text: str) -> None:
    assert Outline(text).trains("step")
    assert Outline(text).defines("step")


@pytest.mark.parametrize("text", NOT_DEFINED.values(), ids=NOT_DEFINED.keys())
def test_what_defines_nothing_is_not_found(text: str) -> None:
    assert not Outline(text).trains("step")


def test_imports_are_found_between_definitions() -> None:
    above = "import a.b\nfrom .c import (  # d\n    e,\n    f as g,\n)\n"
    text = above + "\ndef h():\n    import i\n\ntry:\n    from j import *\nexcept ImportError:\n    pass\n"
    names = "a", "e", "g", "h", "i"
    assert [Outline(text).leads_to(name) for name in names] == [["a"], [".c.e"], [".c.f"], [], ["j.i"]]
