"""The passes over one file: which functions are read before anybody asks, and that each is read once."""

import gc
import weakref

import libcst as cst
import pytest

from torchlint.program import analysis
from torchlint.program.analysis import FileAnalysis
from torchlint.values.flow import Flow
from torchlint.values.interpreter import run

TRAINING = """
def step(loss):
    loss.backward()

def apart(x):
    return (lambda y: y + 1)(x)

class Meter:
    def add(self, value):
        self.total += value
"""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every function whose pass was run, in order."""
    found: list[object] = []

    def noted(flow: Flow) -> None:
        found.append(flow.node)
        run(flow)

    monkeypatch.setattr(analysis, "run", noted)
    return found


def test_every_function_of_a_file_that_trains_is_read_once_before_anybody_asks(read: list[object]) -> None:
    file = FileAnalysis(TRAINING)
    file.evaluate()
    functions = [file.module, *file.nodes(cst.FunctionDef), *file.nodes(cst.Lambda)]
    for function in functions:
        file.flow(function)

    assert len(read) == len(functions) == 5
    assert set(read) == set(functions)


def test_file_that_neither_trains_nor_builds_is_read_as_far_as_it_is_asked(read: list[object]) -> None:
    file = FileAnalysis("import torch\n\ndef size(x):\n    return x.shape\n\ndef other(x):\n    return torch.zeros(x)\n")
    file.evaluate()
    assert read == []

    file.value(file.nodes(cst.Return)[1].value)
    assert read == [file.nodes(cst.FunctionDef)[1]]


def test_what_is_found_out_about_a_file_is_found_out_once() -> None:
    asked: list[FileAnalysis] = []

    def lengths(file: FileAnalysis) -> list[int]:
        asked.append(file)
        return [len(file.text)]

    file = FileAnalysis(TRAINING)

    assert file.once(lengths) is file.once(lengths)
    assert asked == [file]


def test_what_was_read_of_a_file_is_freed_without_the_garbage_collector() -> None:
    text = (
        "import torch\nfrom torch import nn\n\n\nclass Base(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.other = Net()\n\n\nclass Net(Base):\n    def forward(self, x):\n        return self.other(x)\n"
    )
    gc.disable()
    try:
        file = FileAnalysis(text)
        file.evaluate()
        for each in file.classes():
            assert each.ancestry
            each.attribute("other")
        tree = weakref.ref(file.parsed)
        file.release()
        del file, each
        assert tree() is None
    finally:
        gc.enable()
