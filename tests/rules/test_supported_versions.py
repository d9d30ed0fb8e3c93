"""Findings and fixes that need a newer torch than a project supports."""

import pytest

from torchlint.engine import lint
from torchlint.rule import load_rules
from torchlint.rulebook import fixtures
from torchlint.settings import Settings


def fixes(code: str, oldest: str | None) -> list[bool]:
    """For each finding of a rule in its own cases, whether it can be fixed."""
    (rule,) = (each for each in load_rules() if each.code == code)
    text = (fixtures(rule) / "bad.py").read_text(encoding="utf-8")
    return [each.fix is not None for each in lint(text, Settings(select=(code,), torch_version=oldest), path="train.py")]


@pytest.mark.parametrize("oldest", ["0.4", "1.7", None])
def test_tensors_are_made_in_place_by_every_torch_whose_constructors_take_a_device(oldest: str | None) -> None:
    assert fixes("TL401", oldest)
    assert fixes("TL401", "0.3") == []


def test_buffers_are_registered_by_a_fix_only_where_they_can_stay_out_of_the_state_dict() -> None:
    assert any(fixes("TL303", "1.6")) and fixes("TL303", "1.6") == fixes("TL303", None)
    assert not any(fixes("TL303", "1.5")) and len(fixes("TL303", "1.5")) == len(fixes("TL303", None))
