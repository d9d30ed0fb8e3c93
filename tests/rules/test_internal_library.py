"""Whether there is another way to register an operator depends on the torch that the project supports."""

import pytest

from torchlint.engine import lint
from torchlint.settings import Settings

TEXT = 'from torch.library import Library\n\nlibrary = Library("shop", "DEF")\n'


@pytest.mark.parametrize(("oldest", "fires"), [(None, True), ("2.4", True), ("2.3", False), ("1.13", False)])
def test_library_is_left_to_projects_whose_torch_has_nothing_else(oldest: str | None, fires: bool) -> None:
    assert [each.code for each in lint(TEXT, Settings(select=("TL811",), torch_version=oldest))] == ["TL811"] * fires


def test_library_is_named_by_the_alias_of_its_rule_and_off_by_default() -> None:
    assert lint(TEXT, Settings()) == []
    assert [each.code for each in lint(TEXT, Settings(select=("TOR901",)))] == ["TL811"]
