"""What stands in the other files of a run: followed through every form of import, and never more than that is read."""

import ctypes
import sys
from pathlib import Path

import pytest
from probing import IMPORTS, model, probed, shown, value_in

from torchlint.program import project as project_module
from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Files, Project
from torchlint.syntax import returning
from torchlint.syntax.parsing import Parsed
from torchlint.values.value import Kind

LAYERS = """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
    def forward(self, x):
        return self.layer(x)
"""
MEASURE = "def loss_of(net: nn.Module, x):\n    return F.mse_loss(net(x), x)\n"
TRAIN = "def run(loss):\n    loss.backward()\n"
FOUND = {
    "beside": ({"layers.py": LAYERS, "main.py": "from layers import Block\nprobe = Block()"}, "main.py", "module"),
    "whole module": ({"layers.py": LAYERS, "main.py": "import layers\nprobe = layers.Block()"}, "main.py", "module"),
    "under a name": ({"layers.py": LAYERS, "main.py": "import layers as l\nprobe = l.Block()"}, "main.py", "module"),
    "in a package": ({"net/layers.py": LAYERS, "main.py": "from net.layers import Block\nprobe = Block()"}, "main.py", "module"),
    "relative": ({"net/layers.py": LAYERS, "net/main.py": "from .layers import Block\nprobe = Block()"}, "net/main.py", "module"),
    "relative module": ({"net/layers.py": LAYERS, "net/main.py": "from . import layers\nprobe = layers.Block()"}, "net/main.py", "module"),
    "relative, two up": ({"layers.py": LAYERS, "a/b/main.py": "from ...layers import Block\nprobe = Block()"}, "a/b/main.py", "module"),
    "from the root": (
        {"net/layers.py": LAYERS, "scripts/deep/main.py": "from net.layers import Block\nprobe = Block()"},
        "scripts/deep/main.py",
        "module",
    ),
    "re-exported": (
        {"net/__init__.py": "from .layers import Block", "net/layers.py": LAYERS, "main.py": "from net import Block\nprobe = Block()"},
        "main.py",
        "module",
    ),
    "re-exported under a name, twice": (
        {
            "net/__init__.py": "from .parts import B as Part",
            "net/parts.py": "from net.layers import Block as B",
            "net/layers.py": LAYERS,
            "main.py": "from net import Part\nprobe = Part()",
        },
        "main.py",
        "module",
    ),
    "below form feeds": (
        {"layers.py": "\f\n\f\f\f\f\f\f\f\f\f\f\n" + LAYERS, "main.py": "from layers import Block\nprobe = Block()"},
        "main.py",
        "module",
    ),
    "its own package": (
        {"pkg/__init__.py": "from .layers import Block", "pkg/layers.py": LAYERS, "pkg/main.py": "import pkg\nprobe = pkg.Block()"},
        "pkg/main.py",
        "module",
    ),
    "part of its own package": (
        {"pkg/__init__.py": "", "pkg/layers.py": LAYERS, "pkg/main.py": "from pkg import layers\nprobe = layers.Block()"},
        "pkg/main.py",
        "module",
    ),
    "part under a name that the package gives it": (
        {
            "pkg/__init__.py": "from . import layers as nets",
            "pkg/layers.py": LAYERS,
            "main.py": "import pkg\nprobe = pkg.nets.Block()",
        },
        "main.py",
        "module",
    ),
    "part imported from a package that imports it": (
        {
            "pkg/__init__.py": "from .deep import layers",
            "pkg/deep/__init__.py": "",
            "pkg/deep/layers.py": LAYERS,
            "main.py": "from pkg import layers\nprobe = layers.Block()",
        },
        "main.py",
        "module",
    ),
    "re-exported by a star": (
        {"pkg/__init__.py": "from .layers import *", "pkg/layers.py": LAYERS, "main.py": "from pkg import Block\nprobe = Block()"},
        "main.py",
        "module",
    ),
    "re-exported by a star behind another": (
        {
            "pkg/__init__.py": "from .other import *\nfrom .parts import *",
            "pkg/other.py": "def f(loss):\n    loss.backward()",
            "pkg/parts/__init__.py": "from pkg.parts.layers import *",
            "pkg/parts/layers.py": LAYERS,
            "pkg/main.py": "import pkg\nprobe = pkg.Block()",
        },
        "pkg/main.py",
        "module",
    ),
    "imported on one of two ways": (
        {
            "pkg/__init__.py": "try:\n    from .layers import Block\nexcept ImportError:\n    Block = None",
            "pkg/layers.py": LAYERS,
            "main.py": "from pkg import Block\nprobe = Block()",
        },
        "main.py",
        "module",
    ),
    "base class": (
        {"layers.py": LAYERS, "main.py": "from layers import Block\nclass Mine(Block): pass\nprobe = Mine()"},
        "main.py",
        "module",
    ),
    "annotation": ({"layers.py": LAYERS, "main.py": "from layers import Block\ndef f(x: Block):\n    probe = x"}, "main.py", "module"),
    "attribute": ({"layers.py": LAYERS, "main.py": "from layers import Block\nprobe = Block().layer"}, "main.py", "module"),
    "output": ({"layers.py": LAYERS, "main.py": "from layers import Block\nprobe = Block()(x)"}, "main.py", "tensor graph"),
    "function": (
        {"measure.py": MEASURE, "main.py": "from measure import loss_of\nprobe = loss_of(nn.Linear(2, 2), x)"},
        "main.py",
        "tensor graph",
    ),
    "what it does to its argument": (
        {"train.py": TRAIN, "main.py": "from train import run\nprobe = load()\nrun(probe)"},
        "main.py",
        "tensor graph",
    ),
    "function in a region": (
        {"measure.py": MEASURE, "main.py": "import measure\nwith torch.no_grad():\n    probe = measure.loss_of(nn.Linear(2, 2), x)"},
        "main.py",
        "tensor plain",
    ),
}
NOT_FOUND = {
    "no such file": {"main.py": "from layers import Block\nprobe = Block()"},
    "no such name": {"layers.py": LAYERS, "main.py": "from layers import Other\nprobe = Other()"},
    "broken": {"layers.py": LAYERS + "def (\n", "main.py": "from layers import Block\nprobe = Block()"},
    "broken re-export": {
        "net/__init__.py": "from .layers import (\n",
        "net/layers.py": LAYERS,
        "main.py": "import net\nprobe = net.Block()",
    },
    "too far up": {"layers.py": LAYERS, "main.py": "from ....layers import Block\nprobe = Block()"},
    "defined twice": {"layers.py": f"{LAYERS}\nBlock = wrap(Block)\n", "main.py": "from layers import Block\nprobe = Block()"},
}
CIRCLES = {
    "names of each other": {"a.py": "from b import net", "b.py": "from a import net", "main.py": "from a import net\nprobe = net(1)"},
    "itself": {"a.py": "from a import net", "main.py": "from a import net\nprobe = net(1)"},
    "itself as main": {"main.py": "from main import train\ndef train(x):\n    return train(x)\nprobe = train(1)"},
    "stars of each other": {
        "a.py": "from b import *\nfrom a import *",
        "b.py": "from a import *",
        "main.py": "from a import net\nprobe = net(1)",
    },
    "package and part": {
        "p/__init__.py": "from .q import net",
        "p/q.py": "from . import net",
        "main.py": "from p import net\nprobe = net(1)",
    },
    "functions of each other": {
        "a.py": "from b import g\ndef f(loss):\n    loss.backward()\n    return g(loss)",
        "b.py": "from a import f\ndef g(loss):\n    loss.backward()\n    return f(loss)",
        "main.py": "from a import f\nprobe = f(x)",
    },
    "functions of main": {
        "a.py": "from main import f\ndef g(loss):\n    loss.backward()\n    return f(loss)",
        "main.py": "from a import g\ndef f(loss):\n    loss.backward()\n    return g(loss)\nprobe = f(x)",
    },
    "bases of each other": {
        "a.py": "from b import B\nclass A(B):\n    device = 1",
        "b.py": "from a import A\nclass B(A):\n    device = 1",
        "main.py": "from a import A\nprobe = A()",
    },
}


@pytest.mark.parametrize(("texts", "main", "expected"), FOUND.values(), ids=FOUND)
def test_definition_in_another_file_is_as_good_as_one_here(tmp_path: Path, texts: dict[str, str], main: str, expected: str) -> None:
    assert shown(value_in(tmp_path, texts, main)) == expected


@pytest.mark.parametrize("texts", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_is_not_found_is_unknown(tmp_path: Path, texts: dict[str, str]) -> None:
    assert shown(value_in(tmp_path, texts)) == ""


@pytest.mark.parametrize("texts", CIRCLES.values(), ids=CIRCLES)
def test_circular_imports_come_to_an_end(tmp_path: Path, texts: dict[str, str]) -> None:
    found = value_in(tmp_path, texts)

    assert found.kind in (Kind.UNKNOWN, Kind.OBJECT)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"", b"x = 1\n" * 60_000, b"def f(" + b"(" * 300], ids="bytes empty huge deep".split()
)
def test_file_that_cannot_be_read_as_python_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "layers.py").write_bytes(content)

    assert shown(value_in(tmp_path, {"main.py": "from layers import Block\nprobe = Block()"})) == ""


def test_folder_where_a_file_should_be_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "layers.py").mkdir()

    assert shown(value_in(tmp_path, {"main.py": "from layers import Block\nprobe = Block()"})) == ""


def test_without_a_project_no_other_file_is_looked_at(tmp_path: Path) -> None:
    value_in(tmp_path, {"layers.py": LAYERS, "main.py": "from layers import Block\nprobe = Block()"})
    alone = model("from layers import Block\nprobe = Block()", path=str(tmp_path / "main.py"))

    assert shown(alone.value(probed(alone))) == ""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that a project has read."""
    names: list[str] = []
    outline = Files.outline
    monkeypatch.setattr(Files, "outline", lambda self, path: names.append(Path(path).name) or outline(self, path))
    return names


def test_nothing_outside_the_roots_is_read(tmp_path: Path, opened: list[str]) -> None:
    (tmp_path / "layers.py").write_text(f"import torch.nn as nn\n{LAYERS}", encoding="utf-8")
    found = value_in(tmp_path / "a" / "project", {"main.py": "from layers import Block\nprobe = Block()"})

    assert (shown(found), opened) == ("", [])


def test_library_is_never_looked_for_in_the_project(tmp_path: Path, opened: list[str]) -> None:
    texts = {"timm.py": LAYERS, "main.py": "from timm import Block\nprobe = Block()"}

    assert (shown(value_in(tmp_path, texts)), opened) == ("", [])


def test_file_that_nobody_asks_for_is_not_read(tmp_path: Path, opened: list[str]) -> None:
    value_in(tmp_path, {"layers.py": LAYERS, "other.py": LAYERS, "main.py": "import other\nfrom layers import Block\nprobe = Block()"})

    assert set(opened) == {"layers.py"}


def test_nothing_is_imported_or_executed(tmp_path: Path) -> None:
    bad = "raise SystemExit\n" + LAYERS

    assert shown(value_in(tmp_path, {"layers.py": bad, "main.py": "from layers import Block\nprobe = Block()"})) == "module"


def test_tree_of_a_file_is_shared_until_its_text_changes(tmp_path: Path) -> None:
    project = Project([tmp_path])
    first = project.parsed("a.py", "x = 1\n")

    assert project.parsed("a.py", "x = 1\n") is first
    assert project.parsed("a.py", "x = 2\n") is not first


def test_no_file_is_parsed_twice_though_not_all_trees_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"net.py": LAYERS} | {f"script{number}.py": f"from net import Block\nprobe = Block()  # {number}\n" for number in range(20)}
    for name, text in texts.items():
        (tmp_path / name).write_text(IMPORTS + text, encoding="utf-8")
    read: list[str] = []
    made = Parsed.__init__
    monkeypatch.setattr(Parsed, "__init__", lambda self, text: read.append(text) or made(self, text))
    monkeypatch.setattr(project_module, "_KEPT", 2 * len(IMPORTS + LAYERS))
    project = Project([tmp_path])
    for name in sorted(texts, reverse=True):
        path = tmp_path / name
        file = FileAnalysis(
            path.read_text("utf-8"), path=str(path), imports=project, parsed=project.parsed(str(path), path.read_text("utf-8"))
        )
        assert name == "net.py" or shown(file.value(probed(file))) == "module"

    assert sorted(read) == sorted(IMPORTS + text for text in texts.values())


def test_calls_are_found_where_everything_of_another_file_is_imported(tmp_path: Path) -> None:
    main, text = tmp_path / "main.py", "from net import *\nmodel = nn.Linear(2, 2)\ntorch.save(model, 'a.pt')\n"
    (tmp_path / "net.py").write_text("import torch\nfrom torch import nn\n", encoding="utf-8")
    main.write_text(text, encoding="utf-8")
    file = FileAnalysis(text, path=str(main), imports=Project([tmp_path]))

    assert [file.source(each.func) for each in file.calls("torch.save", "torch.nn.Linear")] == ["nn.Linear", "torch.save"]


def test_what_long_texts_took_while_they_were_parsed_is_given_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(returning, "_trim", lambda: asked.append)
    long = "x = 1\n" * (returning.LONG // 6 + 1)
    files = Files()

    for path, text in {"short.py": "x = 1\n", "long.py": long}.items():
        files.parsed(path, text, is_checked=True)
        files.parsed(path, text)

    assert asked == [0]


@pytest.mark.parametrize("platform", ["linux", "another"])
def test_memory_is_given_back_where_the_system_can_be_asked(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())  # a C library without the function
    find = returning._trim.__wrapped__

    assert find() is None
    monkeypatch.undo()
    returning.give_back()
