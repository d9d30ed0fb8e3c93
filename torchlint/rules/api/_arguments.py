"""Keywords that what is called does not take: which they are, and which parameters were meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.signatures import Kind as Star
from torchlint.facts.signatures import Signature, signatures
from torchlint.facts.taken import keywords, meant, synonym
from torchlint.facts.versions import Range
from torchlint.program.analysis import FileAnalysis
from torchlint.rules.api._guards import is_guarded
from torchlint.values.binding import bind
from torchlint.values.value import Kind

_REQUIRES_GRAD = re.compile(r"re\w*_?grad\w*$")
"""What is meant to be `requires_grad` has a rule of its own."""

_ASYNC = "_sync"
"""What is read for `async=`, a word of Python by now: that such a file does not even parse is told elsewhere, and says how old it is."""

_INSTANCES = frozenset({Kind.MODULE, Kind.OPTIMIZER, Kind.SCHEDULER, Kind.LOADER, Kind.SCALER})


@dataclass(frozen=True)
class Strange:
    """One call with keywords that no version of what is called takes."""

    call: cst.Call
    path: str
    unknown: tuple[cst.Arg, ...]

    @property
    def known(self) -> tuple[Signature, ...]:
        return signatures(self.path)

    @property
    def parameters(self) -> list[str]:
        """What it takes, without what is private."""
        return list(dict.fromkeys(one.name for each in self.known for one in each.parameters if not one.name.startswith("_")))

    def likely(self, argument: cst.Arg, allowed: Range) -> list[str]:
        """The parameters that may have been meant by a keyword, of those that the call does not give yet."""
        given = [bind(self.call, each.parameters).given for each in self.known]
        found = meant(keyword(argument), self.known, allowed) or [*filter(None, [self.synonym(argument)])]
        return [name for name in found if not any(name in each for each in given)]

    def synonym(self, argument: cst.Arg) -> str | None:
        return synonym(keyword(argument), self.known)

    def renamed(self, allowed: Range) -> dict[cst.Arg, str]:
        """The one name that each keyword must have been meant as; only of a call that could be made with these names."""
        found = {each: self.likely(each, allowed) for each in self.unknown}
        names = {each: likely[0] for each, likely in found.items() if len(likely) == 1}
        taken = set(names.values())
        if len(taken) < len(found):
            return {}  # of what is left nobody knows what it is: this may be the call of something else
        return names if any(self._fits(each, taken) for each in self.known) else {}

    def _fits(self, signature: Signature, names: set[str]) -> bool:
        bound = bind(self.call, signature.parameters)
        needed = {
            each.name for each in signature.parameters if not each.has_default and each.kind not in (Star.VAR_POSITIONAL, Star.VAR_KEYWORD)
        }
        return (
            all(each.keyword is not None for each in bound.extra)
            and needed <= {*bound.given, *names}
            and all(name in signature for name in names)
        )


def keyword(argument: cst.Arg) -> str:
    return argument.keyword.value if argument.keyword is not None else ""


def strange(file: FileAnalysis) -> Iterator[Strange]:
    for call in file.nodes(cst.Call):
        named = [each for each in call.args if each.keyword is not None]
        path = _called(file, call) if named else None
        taken = keywords(path) if path is not None else None
        if path is None or taken is None:
            continue
        unknown = tuple(each for each in named if keyword(each) not in taken and not _is_flag(keyword(each), taken))
        if unknown and _ASYNC not in map(keyword, named) and not is_guarded(file, call):
            yield Strange(call, path, unknown)


def _is_flag(word: str, taken: Collection[str]) -> bool:
    return "requires_grad" in taken and _REQUIRES_GRAD.match(word) is not None


def _called(file: FileAnalysis, call: cst.Call) -> str | None:
    """The dotted name of what is called: imported, or a method of a tensor or of an instance of a class of torch."""
    path = file.qualname(call.func)
    if path is not None or not isinstance(call.func, cst.Attribute):
        return path if path is not None and path.startswith("torch.") else None
    value = file.value(call.func.value)
    if value.kind is Kind.TENSOR:
        return f"torch.Tensor.{call.func.attr.value}"
    if value.kind in _INSTANCES and value.cls is None and value.qualname is not None and not value.is_joined:
        return f"{value.qualname}.{call.func.attr.value}" if value.qualname.startswith("torch.") else None
    return None
