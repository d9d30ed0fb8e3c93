"""A call's arguments bound to the parameters of what is called, by Python's rules: asked for by name, whichever way they were given.

Knows no library: parameters come from PyTorch's declarations (`torchlint.facts.signatures`) or from the project's own `def`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from torchlint.facts.signatures import Kind, Parameter, Signature
from torchlint.syntax.literals import literal
from torchlint.syntax.tree import Node


@dataclass(frozen=True, slots=True)
class Bound:
    """What each parameter of one call was given."""

    call: cst.Call
    given: dict[str, cst.BaseExpression]
    """The expression for each parameter that was given one; the receiver of a method counts as its first parameter."""
    extra: tuple[cst.Arg, ...]
    """What no parameter takes by its own name: `*args`, `**kwargs`, and what is spread from elsewhere."""
    is_spread: bool
    """Whether `*` or `**` may hold arguments that seem to be missing."""
    fits: bool
    """Whether Python would take the call: nothing given twice, nothing unknown, nothing missing."""

    def __getitem__(self, name: str) -> cst.BaseExpression | None:
        return self.given.get(name)

    def __contains__(self, name: str) -> bool:
        """Whether the parameter was certainly given."""
        return name in self.given

    def may_have(self, name: str) -> bool:
        """Whether the parameter was given, or may have been in `*` or `**`."""
        return name in self.given or self.is_spread

    def literal(self, name: str) -> object:
        """What the argument spells out; `...` where it is absent or not a literal."""
        return literal(self.given.get(name))


def bind(call: cst.Call, parameters: Sequence[Parameter], first: Node | None = None) -> Bound:
    """The arguments of a call by the names of these parameters; `first` stands for what was bound before, such as a method's receiver."""
    given: dict[str, cst.BaseExpression] = {}
    extra: list[cst.Arg] = []
    spread, fits = False, True
    positional = [each for each in parameters if each.kind in (Kind.POSITIONAL_ONLY, Kind.POSITIONAL_OR_KEYWORD)]
    takes_more = any(each.kind is Kind.VAR_POSITIONAL for each in parameters)
    takes_any = any(each.kind is Kind.VAR_KEYWORD for each in parameters)
    named = {each.name for each in parameters if each.kind in (Kind.POSITIONAL_OR_KEYWORD, Kind.KEYWORD_ONLY)}
    place = 0
    if isinstance(first, cst.BaseExpression) and positional:
        given[positional[0].name] = first
        place = 1
    for arg in call.args:
        if arg.star:
            spread = True
            extra.append(arg)
        elif arg.keyword is not None:
            name = arg.keyword.value
            if name in named:
                fits = fits and name not in given
                given.setdefault(name, arg.value)
            else:
                fits = fits and takes_any
                extra.append(arg)
        elif spread:
            extra.append(arg)  # behind `*args` nobody can tell which place it has
        elif place < len(positional):
            given[positional[place].name] = arg.value
            place += 1
        else:
            fits = fits and takes_more
            extra.append(arg)
    if not spread:
        needed = (each for each in parameters if each.kind not in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD) and not each.has_default)
        fits = fits and all(each.name in given for each in needed)
    return Bound(call, given, tuple(extra), spread, fits)


def bind_any(call: cst.Call, signatures: Sequence[Signature], first: Node | None = None) -> Bound:
    """Bound to the first overload that takes the call, else to the first of all; without any, only keywords are known."""
    found = [bind(call, each.parameters, first) for each in signatures]
    for each in found:
        if each.fits:
            return each
    if found:
        return found[0]
    keywords = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    rest = tuple(arg for arg in call.args if arg.keyword is None)
    return Bound(call, keywords, rest, any(arg.star for arg in call.args), fits=False)


def parameters_of(function: cst.FunctionDef | cst.Lambda) -> tuple[Parameter, ...]:
    """The parameters of a function of the project, the receiver of a method among them."""
    params = function.params
    found = [Parameter(each.name.value, Kind.POSITIONAL_ONLY, _written(each)) for each in params.posonly_params]
    found += [Parameter(each.name.value, Kind.POSITIONAL_OR_KEYWORD, _written(each)) for each in params.params]
    if isinstance(params.star_arg, cst.Param):
        found.append(Parameter(params.star_arg.name.value, Kind.VAR_POSITIONAL))
    found += [Parameter(each.name.value, Kind.KEYWORD_ONLY, _written(each)) for each in params.kwonly_params]
    if params.star_kwarg is not None:
        found.append(Parameter(params.star_kwarg.name.value, Kind.VAR_KEYWORD))
    return tuple(found)


def _written(parameter: cst.Param) -> str | None:
    if parameter.default is None:
        return None
    value = literal(parameter.default)
    return "..." if value is ... else repr(value)
