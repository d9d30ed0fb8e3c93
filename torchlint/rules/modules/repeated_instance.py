"""A list of layers that holds one layer several times."""

from collections.abc import Iterator

import libcst as cst

from torchlint import rewrite
from torchlint.model import FileModel
from torchlint.rule import ERROR, REPAIRS, UNSAFE, Finding, Fix, rule
from torchlint.rules.modules._repeating import Repetition, repetitions


@rule("TL309", severity=ERROR, fix=UNSAFE, effect=REPAIRS, mentions=("nn.", "Module"))
def check(file: FileModel) -> Iterator[Finding]:
    for each in repetitions(file.analysis):
        yield Finding(
            each.layer,
            f"`{file.source(each.node)}` is one layer over and over: all its places share one set of weights",
            help="make each one with a comprehension",
            fix=_comprehension(file, each),
        )


def _comprehension(file: FileModel, found: Repetition) -> Fix:
    times = f"range({file.source(found.times)})"
    elements = [file.source(each.value, whole=True) for each in found.display.elements]
    inner = elements[0] if len(elements) == 1 else f"layer for _ in {times} for layer in ({', '.join(elements)})"
    text = inner if len(elements) > 1 else f"{inner} for _ in {times}"
    whole = f"[{text}]" if isinstance(found.display, cst.List) else f"tuple({text})"
    return rewrite.replace(found.node, whole).saying("make each layer anew")
