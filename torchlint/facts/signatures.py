"""What torch's functions, methods and constructors take, as the newest version that has them declares it.

A `Signature` is what a call is bound to: its parameters without the receiver. Functions with overloads have several.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from torchlint.facts.declared import ALWAYS, Presence, presence_of, table


class Kind(Enum):
    """How an argument reaches a parameter, in Python's terms."""

    POSITIONAL_ONLY = "positional only"
    POSITIONAL_OR_KEYWORD = "positional or keyword"
    VAR_POSITIONAL = "*"
    KEYWORD_ONLY = "keyword only"
    VAR_KEYWORD = "**"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: Kind = Kind.POSITIONAL_OR_KEYWORD
    written: str | None = None
    """The default as the table writes it: `...` for one that is no literal, None where there is none."""

    presence: Presence = ALWAYS
    """The versions of torch in which the function, where it exists, knows the parameter."""

    @property
    def has_default(self) -> bool:
        return self.written is not None

    @property
    def default(self) -> object:
        """The literal default; `...` where it is no literal. Raises `LookupError` where there is none."""
        if self.written is None:
            raise LookupError(f"{self.name} has no default")
        return ast.literal_eval(self.written)


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    parameters: tuple[Parameter, ...]
    receiver: str | None = None
    """The parameter that the object in front of the dot, or the object under construction, is bound to."""

    result: str | None = None
    """What is returned, where that is said to hold tensors: `Tensor`, `Tensor[]`, `(Tensor values, Tensor indices)`."""

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    def __contains__(self, name: str) -> bool:
        return any(parameter.name == name for parameter in self.parameters)


@lru_cache(maxsize=4096)
def signatures(name: str) -> tuple[Signature, ...]:
    """All signatures of a function, a method (`torch.Tensor.add`, inherited ones too) or a class, by its usual spelling; () if unknown."""
    if bases(name) is not None:
        return _in_class(name, ("__init__", "__new__"), frozenset())
    owner, _, last = name.rpartition(".")
    return _in_class(owner, (last,), frozenset()) if bases(owner) is not None else own_signatures(owner, last)


@lru_cache(maxsize=1024)
def bases(name: str) -> tuple[str, ...] | None:
    """The bases of a class in their usual spelling; None for anything that is no class."""
    found = table("signatures.txt").section(name)
    if found is None or not found[0].startswith("("):
        return None
    inside = found[0][1:-1]
    return tuple(inside.split(", ")) if inside else ()


def signed_in(section: str) -> tuple[str, ...]:
    """The names of a module or class that have signatures of their own there."""
    return tuple(_lines(section))


def own_signatures(section: str, name: str) -> tuple[Signature, ...]:
    """The signatures that stand in a section itself: of a class's own methods, not of those it inherits."""
    is_class = bases(section) is not None
    lines = _lines(section).get(name, ())
    known = _history(lines[0]) if lines else {}
    return tuple(
        parse(
            line.rpartition("@staticmethod ")[2].removeprefix("@classmethod "),
            known,
            receives=is_class and not line.startswith("@staticmethod"),
        )
        for line in lines
    )


def former_parameters(name: str) -> dict[str, Presence]:
    """The parameters that a function, method or class of the newest version has no more, and the versions that had them."""
    owner, _, last = name.rpartition(".")
    lines = _lines(owner).get(last) or _lines(name).get("__init__") or [""]
    return {parameter: presence for parameter, presence in _history(lines[0]).items() if presence.last is not None}


def _history(line: str) -> dict[str, Presence]:
    """What stands in the comment of a line: parameters that not all versions know."""
    known = {}
    for entry in line.partition("  # ")[2].split("; "):
        parameter, _, spans = entry.partition(" ")
        known[parameter] = presence_of(spans)
    return known


@lru_cache(maxsize=64)
def _lines(section: str) -> dict[str, list[str]]:
    """The lines of a section by the name that they are about; properties take nothing and are left out."""
    found = table("signatures.txt").section(section)
    lines: dict[str, list[str]] = {}
    for line in found[1].splitlines() if found is not None else ():
        if not line.startswith("@property"):
            lines.setdefault(line.partition("(")[0].rpartition(" ")[2], []).append(line)
    return lines


def _in_class(owner: str, names: tuple[str, ...], seen: frozenset[str]) -> tuple[Signature, ...]:
    """The first of the names that the class or, after it, one of its bases defines."""
    for name in names:
        found = own_signatures(owner, name)
        if found:
            return found
    for base in bases(owner) or () if owner not in seen else ():
        inherited = _in_class(base, names, seen | {owner})
        if inherited:
            return inherited
    return ()


def parse(line: str, known: Mapping[str, Presence] = MappingProxyType({}), *, receives: bool = False) -> Signature:
    """A line of the table; `receives` says that the first parameter is the receiver, `known` which versions know a parameter."""
    name, _, rest = line.partition("  # ")[0].partition("(")
    end = next(_ends(rest, ")"))
    inside, after = rest[:end], rest[end + 1 :]
    parameters: list[Parameter] = []
    keyword_only = False
    for text in split(inside):
        if text == "*":
            keyword_only = True
        elif text == "/":
            parameters = [replace(before, kind=Kind.POSITIONAL_ONLY) for before in parameters]
        elif text.startswith("**"):
            parameters.append(Parameter(text[2:], Kind.VAR_KEYWORD))
        elif text.startswith("*"):
            parameters.append(Parameter(text[1:], Kind.VAR_POSITIONAL))
            keyword_only = True
        else:
            parameter, equals, default = text.partition("=")
            kind = Kind.KEYWORD_ONLY if keyword_only else Kind.POSITIONAL_OR_KEYWORD
            parameters.append(Parameter(parameter, kind, default if equals else None, known.get(parameter, ALWAYS)))
    receiver = parameters.pop(0).name if receives and parameters and parameters[0].kind is not Kind.VAR_POSITIONAL else None
    return Signature(name, tuple(parameters), receiver, after.removeprefix(" -> ") or None)


def split(text: str) -> list[str]:
    """The parts between the commas that stand in no brackets or quotes."""
    parts, start = [], 0
    for index in _ends(text, ","):
        parts.append(text[start:index].strip())
        start = index + 1
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _ends(text: str, mark: str) -> Iterator[int]:
    """Where a mark stands in no brackets and no quotes; a closing parenthesis that was never opened stands in none."""
    depth, quote = 0, ""
    for index, letter in enumerate(text):
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
        elif letter == mark and depth == 0:
            yield index
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
