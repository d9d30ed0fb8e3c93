"""What stands in code that is run for every batch: in a hot loop, or in a function that such a loop or a framework calls."""

from __future__ import annotations

import libcst as cst

from torchlint.program.analysis import FileAnalysis
from torchlint.rules.device._called import PerBatch, per_batch
from torchlint.rules.device._guards import is_rare
from torchlint.rules.device._hot import HotLoops, Iteration
from torchlint.syntax.tree import Node


class EachBatch:
    """The code of one file that is run for every batch."""

    def __init__(self, file: FileAnalysis) -> None:
        self.file = file
        self._hot = HotLoops(file)
        self._functions: dict[Node, PerBatch | None] = {}

    def around(self, node: cst.CSTNode) -> Iteration | None:
        """The loop or function that gets to a node for every batch; None where there is none, or only some batches get there."""
        loop = self._hot.around(node)
        if loop is not None:
            return None if is_rare(self.file, node, loop) or self._is_inside_another(node, loop) else loop
        if next(self.file.tree.loops(node), None) is not None:
            return None
        function = self.file.function(node)
        if function not in self._functions:
            self._functions[function] = per_batch(self.file, self._hot, function)
        found = self._functions[function]
        return found.node if found is not None and not is_rare(self.file, node, found.node) else None

    def _is_inside_another(self, node: cst.CSTNode, loop: Iteration) -> bool:
        """Whether a loop over something else stands in between."""
        return next(self.file.tree.loops(node), None) is not loop
