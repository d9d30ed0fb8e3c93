"""The rows of what has changed hold: against torch's declarations, and against each other."""

import importlib
import re
from functools import reduce

import pytest

from torchlint.facts.changes import Change, Kind, changes
from torchlint.facts.declared import version_of
from torchlint.facts.names import canonical
from torchlint.facts.versions import Range, presence, versions
from torchlint.rule import Rule, load_rules
from torchlint.rules.api._changed import arguments, deprecated, moved, removed

ROWS = [pytest.param(each, id=each.name) for each in changes().values()]
NEWEST = Range(versions()[-1], versions()[-1])
WANTED = {"TL801": removed, "TL802": deprecated, "TL804": moved, "TL805": arguments}
RULES: dict[str, Rule] = {each.code: each for each in load_rules() if each.code in WANTED}


@pytest.mark.parametrize("change", ROWS)
def test_row_belongs_to_one_rule_whose_words_the_name_holds(change: Change) -> None:
    rules = [RULES[code] for code, wanted in WANTED.items() if wanted(change, NEWEST)]

    assert len(rules) == 1
    said = change.name.split(".") + list(change.given)
    assert any(word.strip("(_") in part for word in rules[0].mentions for part in (*said, change.name))


@pytest.mark.parametrize("change", ROWS)
def test_versions_of_a_row_are_in_order(change: Change) -> None:
    assert not change.removed or version_of(change.since) < version_of(change.removed)


@pytest.mark.parametrize("change", ROWS)
def test_replacement_is_there_from_the_version_on_that_the_row_says(change: Change) -> None:
    known = presence(canonical(change.replacement)) if change.replacement is not None else None
    if known is None:
        return
    first = known.first

    assert version_of(change.first) <= versions()[0] if first is None else version_of(change.first) == first


@pytest.mark.parametrize("change", ROWS)
def test_name_is_the_one_that_the_model_knows(change: Change) -> None:
    assert canonical(change.name) == change.name


@pytest.mark.parametrize("change", ROWS)
def test_recipes_name_parameters_of_the_old_call_and_functions_that_there_are(change: Change) -> None:
    pytest.importorskip("torch")
    for recipe in change.recipes:
        signature = change.signature
        named = {*recipe.when, *recipe.drops, *recipe.renames, *recipe.values, *recipe.by_keyword, *re.findall(r"{[*]?(\w+)}", recipe.to)}
        assert not named or signature is not None and all(name in signature for name in named)
        for name in re.findall(r"torch(?:\.\w+)+", recipe.to):
            assert found(name) is not None


def found(name: str) -> object:
    """What a dotted name stands for in the torch that is installed."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            module: object = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        return reduce(getattr, parts[end:], module)
    raise AssertionError(name)


def test_a_name_that_is_gone_is_no_more_deprecated() -> None:
    gone = [each for each in changes().values() if each.is_removed(NEWEST)]

    assert gone and not any(each.is_outdated(NEWEST) for each in gone)
    assert not any(each.is_removed(Range((0, 4), (0, 4))) for each in gone)


def test_nothing_is_proposed_that_the_oldest_version_lacks() -> None:
    scaler = changes()["torch.cuda.amp.GradScaler"]

    assert scaler.kind is Kind.MOVED
    assert scaler.is_outdated(Range((2, 3), (2, 14))) and not scaler.is_outdated(Range((2, 2), (2, 14)))
    assert not scaler.is_outdated(Range((2, 3), (2, 3)))
