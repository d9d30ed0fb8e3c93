"""Which of torch's operations a function, tensor method or module is, and what it does to memory, gradients and time.

An operation is one thing in up to three forms: `torch.softmax` and `torch.nn.functional.softmax`, `x.softmax`, `torch.nn.Softmax`.
What it does is read off its schemas, one per overload, in PyTorch's own notation: `Tensor(a!)` is changed in place, a result `Tensor(a)`
shares the memory of the argument so marked. An operation without schemas is known by name only: nothing is sure of it, anything possible.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, cached_property, lru_cache

from torchlint.facts.asked import Asked
from torchlint.facts.declared import table
from torchlint.facts.signatures import Signature, signatures, split
from torchlint.facts.versions import usual


class Form(Enum):
    FUNCTION = "function"
    METHOD = "method"
    MODULE = "module"


_FORMS = frozenset(form.value for form in Form)
_WAITS = frozenset({"data_dependent_output", "dynamic_output_shape", "waits"})

_UNDECLARED: dict[str, tuple[str, ...]] = {
    "tolist": ("tolist(Tensor self) -> Scalar[] | method waits",),
    "numpy": ("numpy(Tensor(a) self, *, bool force=False) -> ndarray(a) | method waits",),
    "cpu": ("cpu(Tensor(a) self, MemoryFormat memory_format=None) -> Tensor(a) | method waits",),
    "cuda": ("cuda(Tensor(a) self, Device device=None, bool non_blocking=False, MemoryFormat memory_format=None) -> Tensor(a) | method",),
    "__bool__": ("__bool__(Tensor self) -> bool | method waits",),
    "__int__": ("__int__(Tensor self) -> int | method waits",),
    "__float__": ("__float__(Tensor self) -> float | method waits",),
    "__index__": ("__index__(Tensor self) -> int | method waits",),
    "__contains__": ("__contains__(Tensor self, Scalar element) -> bool | method waits",),
    "is_nonzero": ("is_nonzero(Tensor self) -> bool | function method waits",),
}
"""Methods that Python code or C code outside the dispatcher defines: no schema says that they fetch elements from the device."""


COPIES_IF_IT_MUST = frozenset(
    "contiguous flatten reshape reshape_as ravel to cpu cuda numpy pin_memory coalesce resolve_conj resolve_neg dequantize to_dense".split()
)
"""Operations whose result is the tensor, or shares its memory, only where that is possible: a schema marks them like views."""


TAKEN_AS_IT_IS = frozenset({"torch.nn.Parameter", "torch.from_numpy", "torch.frombuffer", "torch.from_dlpack"})
"""What makes a tensor of the memory that it is given: only their documentation says so."""

IN_PLACE_MODULES = Asked(lambda path: any("inplace" in signature for signature in signatures(path)))
"""Modules that can be built to write their output over their input."""


@dataclass(frozen=True)
class Argument:
    name: str
    type: str
    is_keyword_only: bool = False
    has_default: bool = False
    alias: str = ""
    """The mark of the memory that it stands for: what carries the same mark shares it."""

    is_changed: bool = False

    @property
    def is_tensor(self) -> bool:
        return self.type.startswith("Tensor")


@dataclass(frozen=True)
class Result:
    type: str
    name: str = ""
    alias: str = ""
    is_differentiable: bool = True

    @property
    def is_tensor(self) -> bool:
        """One tensor, or (`Tensor[]`) several."""
        return self.type.startswith("Tensor")


@dataclass(frozen=True)
class Overload:
    """One schema."""

    name: str
    arguments: tuple[Argument, ...]
    results: tuple[Result, ...]
    forms: frozenset[Form]
    tags: frozenset[str]

    @property
    def is_undeclared(self) -> bool:
        """Whether the schema was written by hand, for want of one that PyTorch declares."""
        return self.name in _UNDECLARED

    @property
    def shares(self) -> frozenset[str]:
        """The arguments whose memory a result shares, or may share: `reshape` copies when it must."""
        marks = {result.alias for result in self.results} - {""}
        return frozenset(argument.name for argument in self.arguments if argument.alias in marks and not argument.is_changed)

    @property
    def changes(self) -> frozenset[str]:
        return frozenset(argument.name for argument in self.arguments if argument.is_changed)

    @property
    def waits(self) -> bool:
        return not self.tags.isdisjoint(_WAITS)

    @property
    def has_graph(self) -> bool:
        """Whether a result can be differentiated."""
        return any(result.is_tensor and result.is_differentiable for result in self.results)

    def takes(self, positional: int, keywords: Collection[str]) -> bool:
        """Whether so many positional arguments (the receiver among them) and such keywords can be meant for it."""
        by_position = [argument.name for argument in self.arguments if not argument.is_keyword_only]
        variadic = any(argument.type.endswith("[]") for argument in self.arguments)
        if positional > len(by_position) and not variadic:
            return False
        free = {argument.name for argument in self.arguments} - set(by_position[:positional])
        return all(word in free or word == "out" for word in keywords)


@dataclass(frozen=True)
class Operation:
    """What a call does. `name` is the same for all forms; the overloads are those of the form asked for."""

    name: str
    path: str
    form: Form
    overloads: tuple[Overload, ...]

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        return signatures(self.path)

    def narrowed(self, positional: int, keywords: Collection[str]) -> "Operation":
        """With only those overloads that take such arguments; with all where none does."""
        fitting = tuple(overload for overload in self.overloads if overload.takes(positional, keywords))
        return replace(self, overloads=fitting) if fitting else self

    @property
    def is_known(self) -> bool:
        """Whether a schema says what it does."""
        return bool(self.overloads)

    @property
    def changes(self) -> frozenset[str]:
        """The arguments that every overload changes in place."""
        return self._common(frozenset(overload.changes for overload in self.overloads))

    @property
    def shares(self) -> frozenset[str]:
        """The arguments whose memory the result of every overload shares, or shares where it can."""
        return self._common(frozenset(overload.shares for overload in self.overloads))

    @property
    def is_view(self) -> bool:
        """Whether a result shares memory with an argument whatever that is like."""
        return bool(self.shares) and self.name not in COPIES_IF_IT_MUST

    @property
    def may_share(self) -> bool:
        """Whether a result may share memory with an argument, for all that is declared."""
        return (
            not self.is_known
            or self.name in COPIES_IF_IT_MUST
            or any(overload.shares or overload.changes or "maybe_aliasing_or_mutating" in overload.tags for overload in self.overloads)
        )

    @property
    def copies(self) -> bool:
        """Whether a result surely has memory of its own, unless the call says where to write it (`out=`)."""
        shares = any(overload.shares or "maybe_aliasing_or_mutating" in overload.tags for overload in self.overloads)
        return self.is_known and not shares and self.name not in COPIES_IF_IT_MUST and not self.name.endswith("_")

    @property
    def waits(self) -> bool:
        """Whether every overload needs to know elements, so that the host waits for a device."""
        return self.is_known and all(overload.waits for overload in self.overloads)

    @property
    def may_wait(self) -> bool:
        return not self.is_known or any(overload.waits for overload in self.overloads)

    @property
    def is_random(self) -> bool:
        """Whether an overload draws from a generator."""
        return any("nondeterministic_seeded" in overload.tags for overload in self.overloads)

    @property
    def may_have_graph(self) -> bool:
        return not self.is_known or any(overload.has_graph for overload in self.overloads)

    @property
    def results(self) -> tuple[Result, ...] | None:
        """What every overload returns, if all return the same; None where they differ or nothing is known."""
        kinds = {tuple(result.type for result in overload.results) for overload in self.overloads}
        return self.overloads[0].results if len(kinds) == 1 else None

    @staticmethod
    def _common(sets: frozenset[frozenset[str]]) -> frozenset[str]:
        return frozenset.intersection(*sets) if sets else frozenset()


@lru_cache(maxsize=4096)
def operation(path: str) -> Operation | None:
    """The operation that a dotted name calls: `torch.add`, `torch.Tensor.add`, `torch.nn.functional.relu`, `torch.nn.ReLU`."""
    path = usual(path)
    modules = _pairs("modules")
    if path in modules:
        function = operation(modules[path])
        return None if function is None else Operation(function.name, path, Form.MODULE, function.overloads)
    owner, _, last = path.rpartition(".")
    form = Form.METHOD if owner == "torch.Tensor" else Form.FUNCTION
    operator = _pairs("functions").get(path, last)
    if owner not in _PACKAGES or not (overloads_of(operator) or signatures(path)):
        return None
    name = last if owner in _PLAIN else operator
    overloads = tuple(overload for overload in overloads_of(operator) if form in overload.forms) or overloads_of(operator)
    if form is Form.FUNCTION:
        overloads = tuple(_as_function(overload) for overload in overloads)
    return Operation(name, path, form, overloads)


_PLAIN = ("torch", "torch.Tensor", "torch.nn.functional")
_PACKAGES = (*_PLAIN, "torch.linalg", "torch.fft", "torch.special", "torch.sparse", "torch.nested")


def forms_of(name: str) -> tuple[Operation, ...]:
    """What a bare name calls: a function of `torch` or `torch.nn.functional`, a method of tensors."""
    found = (operation(f"{owner}.{name}") for owner in _PLAIN)
    return tuple(form for form in found if form is not None)


def modules_of(name: str) -> tuple[str, ...]:
    """The modules of `torch.nn` that do nothing but call an operation."""
    return tuple(module for module, function in _pairs("modules").items() if function.rpartition(".")[2] == name)


def schema_names() -> tuple[str, ...]:
    """All operators that a schema is known of."""
    return tuple(dict.fromkeys([*_lines(), *_UNDECLARED]))


@lru_cache(maxsize=2)
def _pairs(section: str) -> dict[str, str]:
    found = table("operators.txt").section(section)
    return dict(line.split(" = ") for line in found[1].splitlines()) if found is not None else {}


@cache
def _lines() -> dict[str, list[str]]:
    """The lines of schemas by the name of their operator."""
    found = table("operators.txt").section("schemas")
    lines: dict[str, list[str]] = {}
    for line in found[1].splitlines() if found is not None else ():
        lines.setdefault(line.partition("(")[0].partition(".")[0], []).append(line)
    return lines


@lru_cache(maxsize=2048)
def overloads_of(name: str) -> tuple[Overload, ...]:
    """The overloads of an operator in all forms, as schemas name it: `linalg_norm`, `cross_entropy_loss`."""
    lines = _UNDECLARED[name] if name in _UNDECLARED else _lines().get(name, ())
    return tuple(parse(line) for line in lines)


def _as_function(overload: Overload) -> Overload:
    """Functions call the argument `input` that schemas, after methods, call `self`."""
    arguments = tuple(replace(argument, name="input") if argument.name == "self" else argument for argument in overload.arguments)
    return replace(overload, arguments=arguments)


def parse(line: str) -> Overload:
    """A line of the table: a schema, and behind a bar its variants, its tags and which outputs have no derivative."""
    schema, _, said = line.partition(" | ")
    declared, _, returned = schema.rpartition(" -> ")
    name, _, inside = declared.partition("(")
    words = said.split()
    flat: frozenset[int] | None = frozenset()
    for word in words:
        if word.startswith("nondifferentiable"):
            flat = frozenset(int(index) for index in word.partition("=")[2].split(",") if index) or None
    return Overload(
        name,
        tuple(_arguments(inside.rstrip().removesuffix(")"))),
        tuple(_results(returned, flat)),
        frozenset(form for form in Form if form.value in words),
        frozenset(word for word in words if word not in _FORMS and not word.startswith("nondifferentiable")),
    )


def _arguments(text: str) -> Iterator[Argument]:
    keyword_only = False
    for part in split(text):
        if part == "*":
            keyword_only = True
            continue
        declared, equals, _ = part.partition("=")
        typed, _, name = declared.rpartition(" ")
        kind, alias, changed = _marked(typed)
        yield Argument(name, kind, keyword_only, bool(equals), alias, changed)


def _results(text: str, flat: frozenset[int] | None) -> Iterator[Result]:
    """`flat`: which of them have no derivative, None for all."""
    parts = split(text[1:-1]) if text.startswith("(") else [text]
    for index, part in enumerate(parts):
        typed, name = (part, "") if part.endswith((")", "]", "?")) or " " not in part else part.rsplit(" ", 1)
        kind, alias, _ = _marked(typed)
        yield Result(kind, name, alias, is_differentiable=flat is not None and index not in flat)


def _marked(typed: str) -> tuple[str, str, bool]:
    """A type without its mark, the mark, and whether what it marks is changed: `Tensor(a!)[]` is `Tensor[]`, `a`, True."""
    kind, bracket, rest = typed.partition("(")
    if not bracket:
        return typed, "", False
    mark, _, after = rest.partition(")")
    return kind + after, mark[0], "!" in mark
