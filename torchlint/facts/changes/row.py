"""One row: what has become of a name of torch, and how calls of it are rewritten."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from torchlint.facts.declared import version_of
from torchlint.facts.signatures import Kind as Passed
from torchlint.facts.signatures import Parameter, Signature, parse, signatures
from torchlint.facts.versions import Range


class Kind(Enum):
    """What has become of a name, up to its removal."""

    DEPRECATED = "deprecated"
    """Something else does its work."""
    MOVED = "moved"
    """The same thing lies elsewhere."""
    ARGUMENT = "argument"
    """The name stays; one of its arguments goes, or is asked for."""


class Does(Enum):
    """What torch does about an old name today."""

    NOTHING = "works without a warning"
    HIDDEN = "warns where Python shows a `DeprecationWarning`"
    WARNS = "warns"
    RAISES = "raises"
    IS_GONE = "is gone"


NUMBER = object()
"""In a guard: anything that is known to be a number."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A call rewritten. What it says holds for calls whose arguments are what `when` says, defaults included."""

    to: str
    """The new function; or, with braces, the new expression: `torch.linalg.multi_dot([{*matrices}])`, where `{name}` is an argument."""
    when: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """The literals that a parameter may have. Of a template, what it does not name must not be given."""
    given: tuple[str, ...] = ()
    """Parameters that the call must pass itself, whatever it is."""
    front: str = ""
    """What is passed first; what was passed by position before is passed by the parameters' names then."""
    adds: tuple[str, ...] = ()
    """Keyword arguments more."""
    drops: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    """Other keywords for parameters."""
    values: Mapping[str, Mapping[object, str]] = field(default_factory=dict)
    """Other literals for those of a parameter."""
    by_keyword: tuple[str, ...] = ()
    """Parameters that are passed by keyword only from now on."""
    wraps: str = "{}"
    """What is made of the new call: `torch.view_as_real({})`."""
    picks: str = ""
    """The field of the old result that the new call returns alone: only where nothing else of the result is used."""
    is_safe: bool = True
    """Whether a call says itself that it is meant so."""
    is_same: bool = True
    """Whether a torch that still takes the old call does the same; where none does, there is nothing to keep."""
    unless: str = ""
    """Where this pattern stands in the program, nobody knows whether the two are the same."""

    @property
    def is_template(self) -> bool:
        return "{" in self.to

    @property
    def is_rename(self) -> bool:
        """Whether nothing but the name changes, whatever the call passes: the one function is the other."""
        return not (
            self.is_template
            or self.when
            or self.front
            or self.adds
            or self.drops
            or self.renames
            or self.values
            or self.by_keyword
            or self.wraps != "{}"
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One row."""

    name: str
    """Dotted, in its usual spelling; a method stands behind `torch.Tensor`."""
    since: str
    """The version that deprecated it or moved it."""
    to: str
    """What takes its place: a dotted name, or what else to do about it."""
    first: str
    """The first version that has what takes its place."""
    reference: str
    removed: str = ""
    """The first version without it, or that raises where it is called."""
    release: str = ""
    """What that version is called, where it is another package's."""
    kind: Kind = Kind.DEPRECATED
    does: Does = Does.WARNS
    takes: str = ""
    """Its parameters, where torch does not declare them (any more)."""
    recipes: tuple[Recipe, ...] = ()
    """How calls are rewritten: the first that fits holds."""
    is_method: bool = False
    """Whether tensors have a method of that name that went the same way."""
    is_call: bool = False
    """Whether the name means something else today where it is not called, as `torch.fft` does."""
    when: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """The calls that the row is about, where it is not about all: those whose parameters have these literals, defaults included."""
    given: tuple[str, ...] = ()
    """The calls that the row is about: those that pass one of these parameters."""
    hint: str = ""
    """What else differs in what takes its place."""
    has_a_price: bool = False
    """Whether who goes over to it writes other files than before, so that nobody does for a warning alone."""

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def replacement(self) -> str | None:
        """What takes its place, if it has a name."""
        return self.to if self.to.partition(".")[0] in ("torch", "torchvision") and " " not in self.to else None

    @property
    def signature(self) -> Signature | None:
        if self.takes:
            return parse(f"{self.last}({self.takes})")
        found = signatures(self.name)
        if len(found) != 1:
            return None
        gone = [name for name in self.given if name not in found[0]]
        return replace(found[0], parameters=(*found[0].parameters, *(Parameter(name, Passed.KEYWORD_ONLY, "False") for name in gone)))

    def is_removed(self, versions: Range) -> bool:
        """Whether the newest of these versions lacks it."""
        return bool(self.removed) and versions.newest >= version_of(self.removed)

    def is_outdated(self, versions: Range) -> bool:
        """Whether the newest of these versions has it as something that is on its way out, and the oldest has what takes its place."""
        return not self.is_removed(versions) and versions.newest >= version_of(self.since) and self.can_be_replaced(versions)

    def is_felt(self, versions: Range) -> bool:
        """Whether who runs it is told, by an error or by a warning that Python shows everywhere, and would do something about it."""
        return self.is_removed(versions) or self.does not in (Does.HIDDEN, Does.NOTHING) and not self.has_a_price

    def can_be_replaced(self, versions: Range) -> bool:
        return versions.oldest >= version_of(self.first)
