"""Every rule of acme_rules over its cases."""

import pytest

from torchlint.testing import Case, cases


@pytest.mark.parametrize("case", cases("acme_rules"), ids=str)
def test_case(case: Case) -> None:
    case.hold()
