"""A call of an old name as a call of what takes its place, by the recipes of the name's row. What no recipe covers has no fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import libcst as cst

from torchlint import rewrite
from torchlint.facts.changes import NUMBER, Change, Recipe
from torchlint.facts.declared import version_of
from torchlint.facts.signatures import Kind as Passed
from torchlint.model.releases import supported
from torchlint.program.analysis import FileAnalysis
from torchlint.rule import UNSAFE, Fix
from torchlint.rules.api._picked import picked
from torchlint.syntax.literals import literal
from torchlint.values.binding import Bound, bind
from torchlint.values.value import Kind

Spell = Callable[[str], str]
"""How a dotted name is written at the place of a use."""
_DOTTED = re.compile(r"\btorch(?:\.\w+)+")
_ARGUMENT = re.compile(r"\{(\*?)(\w+)\}")
_INFINITE = frozenset(("math.inf", "numpy.inf", "torch.inf"))


@dataclass(frozen=True, slots=True)
class Called:
    """One call of an old name: of the function, or as a method of a tensor."""

    file: FileAnalysis
    change: Change
    call: cst.Call
    receiver: cst.BaseExpression | None = None

    @property
    def bound(self) -> Bound | None:
        signature = self.change.signature
        return bind(self.call, signature.parameters, self.receiver) if signature is not None else None

    def recipe(self) -> Recipe | None:
        """The first one that covers the arguments."""
        return next((each for each in self.change.recipes if self._fits(each)), None)

    def is_meant(self) -> bool:
        """Whether the row is about calls with these arguments."""
        change, bound = self.change, self.bound
        if not change.when and not change.given:
            return True
        if bound is None or any(each.star == "**" for each in self.call.args) or bound.is_spread and not _is_by_keyword(change):
            return False
        return self._has(bound, change.when) and (not change.given or any(self._is_given(bound, name) for name in change.given))

    def _is_given(self, bound: Bound, name: str) -> bool:
        """Whether the call passes more than what its function was not given either: `size_average=size_average`, None by default."""
        node = bound[name]
        if not isinstance(node, cst.Name):
            return name in bound
        bindings = self.file.names.bindings(node)
        return not (len(bindings) == 1 and isinstance(param := self.file.parent(bindings[0].node), cst.Param) and _is_none(param.default))

    def _fits(self, recipe: Recipe) -> bool:
        bound = self.bound
        if recipe.picks and picked(self.file, self.call, recipe.picks) is None:
            return False
        if bound is None:
            return recipe.is_rename
        if not all(name in bound for name in recipe.given):
            return False
        if bound.is_spread:
            named = (
                recipe.when
                and not _is_by_keyword(self.change)
                or recipe.is_template
                or recipe.drops
                or recipe.renames
                or recipe.values
                or recipe.by_keyword
            )
            return not named and self.receiver is None
        if not bound.fits or not self._has(bound, recipe.when):
            return False
        if not recipe.is_template:
            return not (recipe.adds and recipe.drops) or self._frees_a_place(bound, recipe)
        told = {name for _, name in _ARGUMENT.findall(recipe.to)} | set(recipe.when)
        return (len(bound.extra) >= 2 if "{*" in recipe.to else not bound.extra) and set(bound.given) <= told

    def _frees_a_place(self, bound: Bound, recipe: Recipe) -> bool:
        """Whether a keyword can take the place of the first argument that is dropped: no other is passed by position behind it."""
        dropped = [bound[name] for name in recipe.drops]
        places = [place for place, each in enumerate(self.call.args) if any(each.value is node for node in dropped)]
        return all(each.keyword or any(each.value is node for node in dropped) for each in self.call.args[min(places, default=0) :])

    def _has(self, bound: Bound, when: Mapping[str, tuple[object, ...]]) -> bool:
        return all(self._is_one_of(bound, name, allowed) for name, allowed in when.items())

    def _is_one_of(self, bound: Bound, name: str, allowed: tuple[object, ...]) -> bool:
        node, signature = bound[name], self.change.signature
        if node is None:
            return signature is not None and name in signature and signature[name].has_default and signature[name].default in allowed
        value = literal(node)
        if value is not ... and any(value is each or type(value) is type(each) and value == each for each in allowed):
            return True
        return NUMBER in allowed and self._is_number(node, value)

    def _is_number(self, node: cst.BaseExpression, value: object) -> bool:
        if isinstance(value, (int, float)) and not isinstance(value, bool) or self.file.qualname(node) in _INFINITE:
            return True
        if isinstance(node, cst.UnaryOperation):
            return self._is_number(node.expression, ...)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "float":
            return True
        return self.file.value(node).kind is Kind.NUMBER


def rewritten(called: Called, recipe: Recipe, spell: Spell) -> Fix:
    """The edits of one call."""
    file, call = called.file, called.call
    if recipe.is_template:
        text, part = _template(called, recipe, spell), picked(file, call, recipe.picks) if recipe.picks else None
        fix = part.replaced(file, text) if part is not None else rewrite.replace(call, text)
    elif called.receiver is not None and recipe.to != called.change.name:
        arguments = [rewrite.argument(file.source(called.receiver)), *(_argument(called, recipe, each) for each in call.args), *recipe.adds]
        text = f"{spell(recipe.to)}({', '.join(each for each in arguments if each)})"
        fix = rewrite.replace(call, with_names(recipe.wraps, spell).replace("{}", text))
    else:
        fix = _retargeted(called, recipe, spell)
    if not recipe.is_same and not _is_gone_everywhere(called):
        fix = fix.at_most(UNSAFE)
    if not recipe.is_safe or recipe.unless and file.is_written(re.compile(recipe.unless)):
        fix = fix.at_most(UNSAFE)
    return fix


def _is_none(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _is_gone_everywhere(called: Called) -> bool:
    removed = called.change.removed
    return bool(removed) and supported(called.file, called.call).oldest >= version_of(removed)


def _is_by_keyword(change: Change) -> bool:
    """Whether what the row asks about can only be passed by keyword, so that `*` cannot hold it."""
    asked, signature = {*change.when, *change.given}, change.signature
    kinds = {each.kind for each in signature.parameters if each.name in asked} if signature is not None else set()
    return kinds == {Passed.KEYWORD_ONLY}


def _retargeted(called: Called, recipe: Recipe, spell: Spell) -> Fix:
    """Edits of the name and of single arguments: rows and comments stay as they are."""
    call = called.call
    name = spell(recipe.to) if recipe.to != called.change.name else called.file.source(call.func)
    opening, _, closing = with_names(recipe.wraps, spell).partition("{}")
    fix = rewrite.replace(call.func, name) if called.file.source(call.func) != name else Fix(())
    if recipe.front:
        signature = called.change.signature
        fix += rewrite.lead_argument(call, recipe.front, [each.name for each in signature.parameters] if signature is not None else ())
    replaced = _replaced(called, recipe) if recipe.adds else None
    for argument in call.args:
        fix += rewrite.replace_argument(argument, recipe.adds[0]) if argument is replaced else _edited(called, recipe, argument)
    if recipe.adds and not replaced:
        fix += rewrite.insert_argument(call, *recipe.adds)
    return fix + rewrite.wrap(call, f"{opening}{{}}{closing}") if opening else fix


def _replaced(called: Called, recipe: Recipe) -> cst.Arg | None:
    """The dropped argument whose place the added one takes: the one of the same name, else the first."""
    dropped = [each for each in called.call.args if _parameter(called, each) in recipe.drops]
    same = [each for each in dropped if each.keyword is not None and recipe.adds[0].startswith(f"{each.keyword.value}=")]
    return next(iter([*same, *dropped]), None)


def _edited(called: Called, recipe: Recipe, argument: cst.Arg) -> Fix:
    name = _parameter(called, argument)
    if name is None:
        return Fix(())
    if name in recipe.drops:
        return rewrite.remove_argument(argument)
    fix = Fix(())
    keyword = recipe.renames.get(name, name)
    if argument.keyword is not None and keyword != name:
        fix += rewrite.rename_keyword(argument, keyword)
    elif argument.keyword is None and name in recipe.by_keyword:
        fix += rewrite.name_argument(argument, keyword)
    value = _value(recipe, name, argument.value)
    return fix + rewrite.replace(argument.value, value) if value is not None else fix


def _argument(called: Called, recipe: Recipe, argument: cst.Arg) -> str:
    """An argument as the new call passes it; nothing for one that is dropped."""
    name = _parameter(called, argument)
    text = called.file.source(argument.value)
    if name is None:
        return f"{argument.star}{text}"
    if name in recipe.drops:
        return ""
    text = _value(recipe, name, argument.value) or text
    return f"{recipe.renames.get(name, name)}={text}" if argument.keyword is not None or name in recipe.by_keyword else text


def _parameter(called: Called, argument: cst.Arg) -> str | None:
    bound = called.bound
    return next((name for name, node in bound.given.items() if node is argument.value), None) if bound is not None else None


def _value(recipe: Recipe, name: str, node: cst.BaseExpression) -> str | None:
    known, value = recipe.values.get(name, {}), literal(node)
    return known.get(value) if value is not ... and isinstance(value, (str, bool, int, type(None))) else None


def _template(called: Called, recipe: Recipe, spell: Spell) -> str:
    bound = called.bound
    assert bound is not None

    def filled(match: re.Match[str]) -> str:
        if match[1]:
            return ", ".join(f"{each.star}{called.file.source(each.value)}" for each in bound.extra)
        node = bound[match[2]]
        return rewrite.argument(called.file.source(node)) if node is not None else ""

    return _ARGUMENT.sub(filled, with_names(recipe.to, spell))


def with_names(text: str, spell: Spell) -> str:
    return _DOTTED.sub(lambda match: spell(match[0]), text)
