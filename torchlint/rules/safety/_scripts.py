"""Scripts that train: files with an entry point of their own and a loop that takes steps."""

from __future__ import annotations

import re

import libcst as cst

from torchlint.model.program import Program
from torchlint.model.training import loops
from torchlint.program.analysis import FileAnalysis
from torchlint.syntax.tree import Node

_DETERMINISTIC = re.compile(r"use_deterministic_algorithms|set_deterministic|enable_full_determinism|\bdeterministic\s*=\s*True")


def training_entry(file: FileAnalysis) -> cst.If | None:
    """`if __name__ == "__main__":` of a file that trains itself."""
    entry = Program(file).entry
    return entry if entry is not None and loops(file) else None


def unseeded(file: FileAnalysis) -> cst.If | None:
    """The entry point of a script that trains, in a program that seeds torch nowhere."""
    entry = training_entry(file)
    return entry if entry is not None and not Program(file).seeds() else None


def seeded_only(file: FileAnalysis) -> Node | None:
    """The first seed in a script that trains on an accelerator, in a program that asks for deterministic algorithms nowhere."""
    if training_entry(file) is None or file.is_written(_DETERMINISTIC):
        return None
    program = Program(file)
    seeds = program.seeds().here
    return seeds[0] if seeds and program.accelerators.here else None
