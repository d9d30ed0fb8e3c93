"""The program that a file is a part of: what seeds it, how its processes start, whether it ever speaks of an accelerator.

What this file does is read off its names. What the other files of the run do is looked for in their texts, so that it may be too much: a
name in a comment counts, and so does a second program in the same folder. Who asks wants to be sure that nobody does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import libcst as cst

from torchlint.facts import programs
from torchlint.program.analysis import FileAnalysis
from torchlint.settings import Settings
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node


@dataclass(frozen=True)
class Done:
    """Where a program does something: in this file certainly, in the others perhaps."""

    here: tuple[Node, ...]
    _look: Callable[[], tuple[tuple[str, int], ...] | None]

    @cached_property
    def elsewhere(self) -> tuple[tuple[str, int], ...] | None:
        """The first line in each other file of the run that seems to do it; None where too many lie around to look."""
        return self._look()

    def __bool__(self) -> bool:
        """Whether the program may do it anywhere."""
        return bool(self.here) or self.elsewhere != ()


class Program:
    """What rules may ask of the whole program."""

    def __init__(self, file: FileAnalysis) -> None:
        self._file = file

    @property
    def settings(self) -> Settings:
        """What the project says of itself: the oldest torch that it supports, its test files, its own training loops."""
        return self._file.settings

    @cached_property
    def entry(self) -> cst.If | None:
        """`if __name__ == "__main__":` of this file."""
        for statement in self._file.nodes(cst.If):
            test = statement.test
            if self._file.function(statement) is self._file.module and isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
                sides = (test.left, test.comparisons[0].comparator)
                if isinstance(test.comparisons[0].operator, cst.Equal) and _is_main(*sides) | _is_main(*reversed(sides)):
                    return statement
        return None

    def seeds(self, library: str = "torch") -> Done:
        """What seeds the global generator of `torch`, `numpy` or `random`."""
        return self._called(programs.SEEDING[library], programs.SEEDING_WRITTEN[library])

    @cached_property
    def launches(self) -> Done:
        """What makes the program one of several processes."""
        return self._called(programs.LAUNCHING, _last(programs.LAUNCHING))

    @cached_property
    def distributes(self) -> Done:
        """What lets several processes work on one model: process groups, `DistributedDataParallel`, sharding."""
        return self._named(programs.DISTRIBUTING)

    @cached_property
    def managers(self) -> Done:
        """Frameworks that start the processes, move the data and wrap the model."""
        return self._named(programs.MANAGING)

    @cached_property
    def accelerators(self) -> Done:
        """Where it speaks of an accelerator: `x.cuda()`, `"cuda:0"`, `torch.backends.mps`, `args.gpu`."""
        tree, words = self._file.tree, programs.ACCELERATORS
        found: list[Node] = [each for word in words for each in (*tree.attributes.get(word, ()), *tree.names.get(word, ()))]
        spoken = _words(words)
        for each in self._file.nodes(cst.SimpleString):
            if "\\" in each.value or spoken.search(each.value):
                text = literal(each)
                if isinstance(text, str) and spoken.search(text):
                    found.append(each)
        return self._done(found, spoken)

    # -- how it is looked for -------------------------------------------------------------------------------------------

    def _called(self, names: Container[str], written: Iterable[str]) -> Done:
        calls = (call for call in self._file.nodes(cst.Call) if (self._file.qualname(call.func) or "") in names)
        return self._done(calls, _calls(tuple(written)))

    def _named(self, names: frozenset[str]) -> Done:
        """Named anywhere but in an import: called, inherited from, compared with."""
        file, last = self._file, _last(names)
        known = {name for name, bindings in file.names.module.bindings.items() if any(each.path is not None for each in bindings)}
        candidates: list[cst.Name | cst.Attribute] = [each for name in known for each in file.tree.names.get(name, ())]
        candidates += [each for name in last for each in file.tree.attributes.get(name, ())]
        imports = (cst.Import, cst.ImportFrom)
        found = (
            each
            for each in candidates
            if file.qualname(each) in names and not any(isinstance(above, imports) for above in file.ancestors(each))
        )
        return self._done(found, _words(last))

    def _done(self, nodes: Iterable[Node], pattern: re.Pattern[str]) -> Done:
        order = self._file.tree.order
        return Done(tuple(sorted(nodes, key=order.__getitem__)), partial(self._file.found_elsewhere, pattern))


def _is_main(name: Node, text: Node) -> bool:
    return isinstance(name, cst.Name) and name.value == "__name__" and literal(text) == "__main__"


def _last(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({name.rpartition(".")[2] for name in names}))


@lru_cache(maxsize=32)
def _words(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(words)})(?![A-Za-z])")


@lru_cache(maxsize=32)
def _calls(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\s*\(")
