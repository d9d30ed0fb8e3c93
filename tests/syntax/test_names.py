"""What names refer to: through every form of import and in every scope, and nothing where it cannot be told."""

import importlib.util
import sysconfig
import tokenize
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, QualifiedNameProvider, QualifiedNameSource
from probing import probed

from torchlint.facts.names import canonical
from torchlint.syntax.file import SourceFile


def qualname(code: str) -> str | None:
    file = SourceFile(code)
    return file.qualname(probed(file))


IMPORTED = {
    "plain": ("import torch\nprobe = torch.nn.Linear", "torch.nn.Linear"),
    "submodule": ("import torch.nn\nprobe = torch.zeros", "torch.zeros"),
    "submodule under a name": ("import torch.nn as nn\nprobe = nn.Linear", "torch.nn.Linear"),
    "deep submodule under a name": ("import torch.nn.functional as F\nprobe = F.relu", "torch.nn.functional.relu"),
    "several in one statement": ("import os, torch as t, sys\nprobe = t.zeros", "torch.zeros"),
    "from": ("from torch import nn\nprobe = nn.Linear", "torch.nn.Linear"),
    "from under a name": ("from torch import nn as n\nprobe = n.Linear", "torch.nn.Linear"),
    "from, in parentheses": ("from torch.nn import (\n    Linear as L,\n    ReLU,\n)\nprobe = L", "torch.nn.Linear"),
    "the thing itself": ("from torch.nn import Linear\nprobe = Linear", "torch.nn.Linear"),
    "below the use": ("probe = torch.zeros\nimport torch", "torch.zeros"),
    "in the function": ("def f():\n    import torch\n    probe = torch.zeros", "torch.zeros"),
    "of the file, in a function": ("import torch\ndef f():\n    probe = torch.zeros", "torch.zeros"),
    "of the function around": ("def f():\n    import torch\n    def g():\n        probe = torch.zeros", "torch.zeros"),
    "two that agree": ("import torch\nimport torch.nn\nprobe = torch.zeros", "torch.zeros"),
    "relative": ("from .layers import Block\nprobe = Block", ".layers.Block"),
    "relative, two up": ("from ..net.layers import Block as B\nprobe = B.new", "..net.layers.Block.new"),
    "relative module": ("from . import layers\nprobe = layers.Block", ".layers.Block"),
    "relative, two up, module": ("from .. import layers\nprobe = layers", "..layers"),
    "try, else None": ("try:\n    import torch\nexcept ImportError:\n    torch = None\nprobe = torch.zeros", "torch.zeros"),
    "try, either": ("try:\n    from torch import nn\nexcept ImportError:\n    import torch.nn as nn\nprobe = nn.ReLU", "torch.nn.ReLU"),
    "under a condition": ("if a:\n    from torch import nn\nprobe = nn.ReLU", "torch.nn.ReLU"),
    "for type checkers": ("if TYPE_CHECKING:\n    from torch import Tensor\nprobe = Tensor", "torch.Tensor"),
}
ALIASED = {
    "assigned module": ("import torch\nnn = torch.nn\nprobe = nn.Linear", "torch.nn.Linear"),
    "assigned twice over": ("import torch\na = torch.nn\nb = a\nprobe = b.Linear", "torch.nn.Linear"),
    "assigned class": ("import torch\nL = torch.nn.Linear\nprobe = L", "torch.nn.Linear"),
    "annotated": ("import torch\nL: type = torch.nn.Linear\nprobe = L", "torch.nn.Linear"),
    "several targets": ("import torch\na = b = torch.nn\nprobe = b.Linear", "torch.nn.Linear"),
    "walrus": ("import torch\nif (n := torch.nn):\n    probe = n.Linear", "torch.nn.Linear"),
    "of the file, in a function": ("import torch\nL = torch.nn.Linear\ndef f():\n    probe = L", "torch.nn.Linear"),
}
CANONICAL = {
    "module's file": ("from torch.nn.modules.linear import Linear\nprobe = Linear", "torch.nn.Linear"),
    "module's file, attribute": ("import torch\nprobe = torch.nn.modules.linear.Linear", "torch.nn.Linear"),
    "module": ("from torch.nn.modules import Module\nprobe = Module", "torch.nn.Module"),
    "parameter": ("from torch.nn.parameter import Parameter\nprobe = Parameter", "torch.nn.Parameter"),
    "optimizer": ("from torch.optim.adam import Adam\nprobe = Adam", "torch.optim.Adam"),
    "scheduler stays": ("from torch.optim.lr_scheduler import StepLR\nprobe = StepLR", "torch.optim.lr_scheduler.StepLR"),
    "loader": ("from torch.utils.data.dataloader import DataLoader\nprobe = DataLoader", "torch.utils.data.DataLoader"),
    "no_grad": ("from torch.autograd import no_grad\nprobe = no_grad", "torch.no_grad"),
    "no_grad, deeper": ("from torch.autograd.grad_mode import no_grad\nprobe = no_grad", "torch.no_grad"),
    "data parallel": ("from torch.nn.parallel import DataParallel\nprobe = DataParallel", "torch.nn.DataParallel"),
    "lightning": ("import pytorch_lightning as pl\nprobe = pl.LightningModule", "lightning.pytorch.LightningModule"),
    "lightning, short": ("import lightning as L\nprobe = L.LightningModule", "lightning.pytorch.LightningModule"),
}
SCOPED = {
    "parameter": ("import torch\ndef f(torch):\n    probe = torch.zeros", None),
    "parameter of a lambda": ("import torch\nlambda torch: (probe := torch.zeros)", None),
    "keyword-only parameter": ("import torch\ndef f(*, torch):\n    probe = torch.zeros", None),
    "star parameter": ("import torch\ndef f(*torch, **kw):\n    probe = torch.zeros", None),
    "parameter's default": ("import torch\ndef f(torch=(probe := torch.zeros)): pass", "torch.zeros"),
    "lambda's default": ("import torch\nlambda torch=(probe := torch.zeros): 1", "torch.zeros"),
    "decorator": ("import torch\n@(probe := torch.jit.script)\ndef f(torch): pass", "torch.jit.script"),
    "local": ("import torch\ndef f():\n    torch = load()\n    probe = torch.zeros", None),
    "local bound later": ("import torch\ndef f():\n    probe = torch.zeros\n    torch = load()", None),
    "local of another function": ("import torch\ndef f():\n    torch = load()\ndef g():\n    probe = torch.zeros", "torch.zeros"),
    "loop variable": ("import torch\nfor torch in x:\n    probe = torch.zeros", None),
    "with": ("import torch\nwith a as torch:\n    probe = torch.zeros", None),
    "except": ("import torch\ntry:\n    a\nexcept E as torch:\n    probe = torch.zeros", None),
    "unpacked": ("import torch\ntorch, b = x\nprobe = torch.zeros", None),
    "starred": ("import torch\na, (*torch, b) = x\nprobe = torch.zeros", None),
    "match": ("import torch\nmatch x:\n    case {'a': torch}:\n        probe = torch.zeros", None),
    "match, star": ("import torch\nmatch x:\n    case [_, *torch]:\n        probe = torch.zeros", None),
    "added to": ("import torch\ntorch += 1\nprobe = torch.zeros", None),
    "deleted": ("import torch\ndel torch\nprobe = torch.zeros", None),
    "function": ("import torch\ndef torch(): pass\nprobe = torch.zeros", None),
    "class": ("import torch\nclass torch: pass\nprobe = torch.zeros", None),
    "comprehension variable": ("import torch\n[(probe := torch.zeros) for torch in x]", None),
    "behind a comprehension": ("import torch\n[torch for torch in x]\nprobe = torch.zeros", "torch.zeros"),
    "first iterable": ("import torch\n[torch for torch in f(lambda: (probe := torch.zeros))]", "torch.zeros"),
    "second iterable": ("import torch\n[torch for a in x for torch in (probe := torch.zeros)]", None),
    "dict comprehension": ("import torch\n{torch: (probe := torch.zeros) for torch in x}", None),
    "class scope from its body": ("class A:\n    import torch\n    probe = torch.zeros", "torch.zeros"),
    "class scope from its method": ("class A:\n    import torch\n    def f(self):\n        probe = torch.zeros", None),
    "file's, past the class": ("import torch\nclass A:\n    torch = 1\n    def f(self):\n        probe = torch.zeros", "torch.zeros"),
    "global": ("import torch\ndef f():\n    global torch\n    torch = load()\nprobe = torch.zeros", None),
    "global, imported": ("def f():\n    global torch\n    import torch\nprobe = torch.zeros", "torch.zeros"),
    "global, past a local": (
        "import torch\ndef f():\n    torch = 1\n    def g():\n        global torch\n        probe = torch.zeros",
        "torch.zeros",
    ),
    "nonlocal": ("def f():\n    import torch\n    def g():\n        nonlocal torch\n        torch = 1\n    probe = torch.zeros", None),
    "nonlocal, read": ("def f():\n    import torch\n    def g():\n        nonlocal torch\n        probe = torch.zeros", "torch.zeros"),
}
UNKNOWN = {
    "never bound": "probe = torch.zeros",
    "star import": "from torch import *\nprobe = zeros",
    "two that disagree": "if a:\n    import numpy as xp\nelse:\n    import torch as xp\nprobe = xp.zeros",
    "import or call": "import torch\nif a:\n    torch = load()\nprobe = torch.zeros",
    "result of a call": "import torch\nprobe = torch.zeros(2).add",
    "subscript": "import torch\nprobe = torch.nn[0].add",
    "its own definition": "a = a\nprobe = a.b",
    "each other's definition": "a = b\nb = a\nprobe = a.c",
    "builtin": "probe = print",
    "only None": "torch = None\nprobe = torch.zeros",
    "attribute of an object": "import torch\nx.torch = torch\nprobe = x.torch",
}


@pytest.mark.parametrize(("code", "expected"), IMPORTED.values(), ids=IMPORTED)
def test_import_gives_the_dotted_name(code: str, expected: str) -> None:
    assert qualname(code) == expected


@pytest.mark.parametrize(("code", "expected"), ALIASED.values(), ids=ALIASED)
def test_name_assigned_from_an_import_stands_for_it(code: str, expected: str) -> None:
    assert qualname(code) == expected


@pytest.mark.parametrize(("code", "expected"), CANONICAL.values(), ids=CANONICAL)
def test_longer_spellings_come_down_to_one(code: str, expected: str) -> None:
    assert qualname(code) == expected


@pytest.mark.parametrize(("code", "expected"), SCOPED.values(), ids=SCOPED)
def test_scopes_follow_pythons_rules(code: str, expected: str | None) -> None:
    assert qualname(code) == expected


@pytest.mark.parametrize("code", UNKNOWN.values(), ids=UNKNOWN)
def test_what_cannot_be_told_has_no_name(code: str) -> None:
    assert qualname(code) is None


def test_calls_are_found_by_the_name_of_what_they_call() -> None:
    file = SourceFile("import torch as t\nfrom torch import zeros as z\nt.zeros(1)\nz(2)\nt.ones(3)\nzeros(4)\nx.zeros(5)\n")

    assert [file.source(call) for call in file.calls("torch.zeros")] == ["t.zeros(1)", "z(2)"]
    assert [file.source(call) for call in file.calls("torch.ones", "torch.zeros")] == ["t.zeros(1)", "z(2)", "t.ones(3)"]


def test_references_are_those_of_the_scope_that_binds_the_name() -> None:
    code = "x = 1\ndef f(x):\n    return x\ndef g():\n    return x\n[x for x in x]\nclass A:\n    x = 2\n    y = x\n"
    file = SourceFile(code)
    first = file.tree.names["x"][0]

    assert [file.positions.location(file.span(each)[0]) for each in file.references(first)] == [(1, 1), (5, 12), (6, 13)]


def test_attribute_and_keyword_names_are_no_references() -> None:
    file = SourceFile("x = 1\ny.x = f(x=x)\n")

    assert [file.span(each)[0] for each in file.references(file.tree.names["x"][0])] == [0, 16]


# -- against LibCST ------------------------------------------------------------------------------------------------------

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
STANDARD = """
abc ast bisect calendar cmd codeop colorsys contextlib copy csv dis fileinput fnmatch functools getopt gettext glob heapq
json/decoder linecache netrc pprint queue reprlib sched shlex string tempfile textwrap timeit token
"""
TORCH = """
nn/modules/activation nn/modules/batchnorm nn/modules/container nn/modules/dropout nn/modules/linear nn/modules/loss nn/modules/rnn
nn/parallel/data_parallel nn/parallel/replicate nn/parameter optim/adam optim/sgd utils/data/dataset utils/data/sampler
autograd/grad_mode
"""


def torch_folder() -> Path | None:
    spec = importlib.util.find_spec("torch")
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


SAMPLE = [STANDARD_LIBRARY / f"{name}.py" for name in STANDARD.split()]
if (FOLDER := torch_folder()) is not None:
    SAMPLE += [FOLDER / f"{name}.py" for name in TORCH.split()]
SAMPLE = [path for path in SAMPLE if path.is_file()]


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: "/".join(path.parts[-3:]))
def test_names_agree_with_libcst_where_both_know_one(path: Path) -> None:
    with tokenize.open(path) as stream:
        file = SourceFile(stream.read())
    theirs = MetadataWrapper(file.module, unsafe_skip_copy=True).resolve(QualifiedNameProvider)
    differing = []
    for node in [*file.nodes(cst.Attribute), *file.nodes(cst.Name)]:
        names = theirs.get(node, ())
        names = names() if callable(names) else names
        ours = file.qualname(node)
        if ours is None or len(names) != 1 or next(iter(names)).source is not QualifiedNameSource.IMPORT:
            continue
        name = canonical(next(iter(names)).name)
        if name != ours:
            differing.append((file.source(node), name, ours))

    assert differing == []


def test_the_sample_is_large_enough_to_say_something() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SAMPLE]

    assert sum("\nimport " in text or "\nfrom " in text for text in texts) >= 15


def test_nodes_are_one_and_the_same_only_with_themselves() -> None:
    a, b = SourceFile("x\nx\n").nodes(cst.Name)

    assert a == a
    assert a != b
    assert {a: 1, b: 2} == {b: 2, a: 1}
    assert cst.Name.__hash__ is object.__hash__, "asked hundreds of times per node"


def test_nodes_below_another_are_found_without_a_look_at_the_rest() -> None:
    file = SourceFile("x\ndef f(x):\n    x\n    for i in x:\n        x\nx\n")
    (function,) = file.nodes(cst.FunctionDef)
    inside = file.tree.within(file.tree.names["x"], function)

    assert list(inside) == [each for each in file.tree.names["x"] if any(above is function for above in file.ancestors(each))]
    assert len(inside) == 4
