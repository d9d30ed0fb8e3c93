"""What the tests of the model share: a file, and the expression in it that is assigned to `probe`."""

import textwrap
from pathlib import Path

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project
from torchlint.values.value import Graph, Kind, Place, Value

IMPORTS = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def model(code: str, *, path: str = "<text>", project: Project | None = None) -> FileAnalysis:
    """A file with the usual imports at its top."""
    return FileAnalysis(IMPORTS + textwrap.dedent(code), path=path, imports=project)


def probed(file: FileAnalysis) -> cst.BaseExpression:
    """The right side of the one `probe = …` or `probe := …`."""
    nodes = [each.value for each in file.nodes(cst.Assign) if is_probe(each.targets[0].target)]
    nodes += [each.value for each in file.nodes(cst.NamedExpr) if is_probe(each.target)]
    assert len(nodes) == 1
    return nodes[0]


def is_probe(target: cst.CSTNode) -> bool:
    return isinstance(target, cst.Name) and target.value == "probe"


def value(code: str) -> Value:
    """What the probed expression yields."""
    file = model(code)
    return file.value(probed(file))


def value_in(folder: Path, texts: dict[str, str], main: str = "main.py") -> Value:
    """The same in a file of a project that holds these files."""
    for name, text in texts.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(IMPORTS + textwrap.dedent(text), encoding="utf-8")
    file = model(texts[main], path=str(folder / main), project=Project([folder]))
    return file.value(probed(file))


def shown(value: Value) -> str:
    """A value in words: `tensor yes accelerator`; what is not known is left out."""
    words = ["" if value.kind is Kind.UNKNOWN else value.kind.value]
    if value.kind in (Kind.UNKNOWN, Kind.TENSOR):
        words.append({Graph.YES: "graph", Graph.NO: "plain", Graph.MAYBE: ""}[value.graph])
    if value.kind in (Kind.UNKNOWN, Kind.TENSOR, Kind.MODULE):
        words.append({Place.CPU: "cpu", Place.ACCELERATOR: "accelerator", Place.UNKNOWN: ""}[value.place])
    return " ".join(word for word in words if word)
