"""How often a line is run, and whether once is lost beside what the program does then."""

from pathlib import Path

import libcst as cst
import pytest

from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project
from torchlint.rules.device._often import Often, Runs

HEAD = "import torch\nfrom torch import nn\n"


def marked(text: str, **kwargs: object) -> tuple[Runs, cst.Call]:
    """How often a program is run, and its call of `here()`."""
    file = FileAnalysis(HEAD + text, **kwargs)  # type: ignore[arg-type]
    (call,) = (each for each in file.nodes(cst.Call) if isinstance(each.func, cst.Name) and each.func.value == "here")
    return Runs(file), call


@pytest.mark.parametrize(
    ("text", "often"),
    [
        ("here()", Often.ONCE),
        ("if __name__ == '__main__':\n    here()", Often.ONCE),
        ("for x in y: here()", Often.MANY),
        ("for x in here(): pass", Often.ONCE),
        ("for x in y:\n    here()\n    break", Often.ONCE),
        ("z = [here() for _ in y]", Often.MANY),
        ("z = [x for x in here()]", Often.ONCE),
        ("f = lambda: here()", Often.UNKNOWN),
        ("def f(): here()", Often.UNKNOWN),
        ("def f(): here()\nf()", Often.ONCE),
        ("def f(): here()\ndef g(): f()\ng()", Often.ONCE),
        ("def f(): here()\ndef g(): f()\nwhile x: g()", Often.MANY),
        ("def f(): here()\nf()\nfor x in y: f()", Often.MANY),
        ("def f(): here()\nf()\nrun(f)", Often.UNKNOWN),
        ("def f():\n    here()\n    f()\nf()", Often.MANY),
        ("async def f(): here()\nf()", Often.UNKNOWN),
        ("class A(nn.Module):\n    def __init__(self): here()", Often.ONCE),
        ("class A(nn.Module):\n    def __init__(self): self.f()\n    def f(self): here()", Often.ONCE),
        ("class A(nn.Module):\n    def forward(self, x): here()", Often.UNKNOWN),
        ("class A(nn.Module):\n    def forward(self, x):\n        for y in x: self.f()\n    def f(self): here()", Often.MANY),
        ("class A(nn.Module):\n    def __init__(self): here()\nclass B(nn.Module):\n    def forward(self, x): return A()(x)", Often.MANY),
        ("class A:\n    def __init__(self): here()", Often.UNKNOWN),
        ("class A:\n    def __init__(self): here()\n    def f(self): return torch.ones(2)", Often.ONCE),
        ("class A:\n    def __init__(self): here()\n    def f(self): return torch.ones(2)\nfor x in y: A().f()", Often.MANY),
    ],
)
def test_a_line_is_run_as_often_as_its_callers_are(text: str, often: Often) -> None:
    runs, here = marked(text)
    assert runs.how_often(here) is often


@pytest.mark.parametrize(
    ("other", "often"),
    [
        ("def f(): pass\nf()\n", Often.ONCE),
        ("from main import f\n", Often.UNKNOWN),
        ("from main import (\n    g,\n    f,\n)\n", Often.UNKNOWN),
        ("import main\nmain.f()\n", Often.UNKNOWN),
    ],
)
def test_who_imports_a_function_may_call_it_in_a_loop(tmp_path: Path, other: str, often: Often) -> None:
    (tmp_path / "main.py").write_text("")
    (tmp_path / "other.py").write_text(other)
    runs, here = marked("def f(): here()\nf()", path=str(tmp_path / "main.py"), imports=Project([tmp_path]))
    assert runs.how_often(here) is often


LOOP = "for x in loader: torch.relu(x)"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (f"here()\n{LOOP}", True),
        (f"{LOOP}\nhere()", True),
        ("here()", False),
        ("here()\nfor x in loader: print(x)", False),
        (f"def train(loader):\n    {LOOP}\nhere()\ntrain(y)", True),
        (f"def f():\n    here()\n    g(y)\ndef g(loader):\n    {LOOP}\nf()", True),
        (f"def f(): here()\nf()\n{LOOP}", True),
        (f"def f():\n    here()\n    {LOOP}", False),
        ("def f(): pass\nif __name__ == '__main__':\n    here()", True),
    ],
)
def test_what_is_run_once_is_lost_beside_a_loop_in_which_torch_computes(text: str, lost: bool) -> None:
    runs, here = marked(text)
    assert runs.is_lost(here) is lost
