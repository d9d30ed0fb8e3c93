"""When TL608 copies unasked: only where the reading proves that the old value was wanted, and nobody else holds the memory."""

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.settings import Settings

ONLY = Settings(select=("TL608",))
HEAD = "import torch\nimport torch.nn.functional as F\n\na = torch.zeros(3)\nb = a\n"

SAFE = {
    "subtracted": "a += 1\nprint((a - b).norm())\n",
    "subtracted after a change of the new name": "b[0] = 9\nmoved = a - b\n",
    "distance": "a.add_(1)\nprint(torch.dist(a, b))\n",
    "loss": "a.mul_(2)\nloss = F.mse_loss(b, a)\n",
    "method": "a.mul_(2)\nprint(a.sub(b))\n",
    "several changes, with a look between": "a += 1\nprint(a.sum(), len(b))\ntorch.nn.init.ones_(a)\nprint(a - b)\n",
}
ON_REQUEST = {
    "printed": "b[0] = 9\nprint(a)\n",
    "both printed": "b += 1\nprint(a, b)\n",
    "the old name is what is used": "b.add_(1)\ntotal = a.sum()\n",
    "asserted to differ": "b[0] = 9\nassert not torch.equal(a, b)\n",
    "seen by numpy": "view = a.numpy()\na += 1\nprint(a - b, view)\n",
    "seen through a view": "row = b[:2]\na += 1\nprint(a - b, row)\n",
    "a third name": "c = a\nb += 1\nprint(a - b)\n",
    "kept in a list": "kept = [a]\nb += 1\nprint(a - b)\n",
    "given to somebody": "register(a)\nb += 1\nprint(a - b)\n",
    "written by out=": "torch.add(a, 1, out=b)\nprint(a - b, total(a))\n",
    "under a condition": "if input():\n    a += 1\nprint(a - b)\n",
    "the same name twice": "a += 1\nprint((b - b.mean()).sum())\n",
}


def done(text: str, applicability: Applicability) -> str:
    return fix(text, ONLY, applicability=applicability).text


@pytest.mark.parametrize("rest", SAFE.values(), ids=SAFE)
def test_tensor_is_copied_unasked_where_a_difference_proves_that_a_copy_was_meant(rest: str) -> None:
    assert "b = a.clone()\n" in done(HEAD + rest, Applicability.SAFE)


@pytest.mark.parametrize("rest", ON_REQUEST.values(), ids=ON_REQUEST)
def test_tensor_is_copied_only_on_request_where_the_alias_may_be_meant(rest: str) -> None:
    assert [each.code for each in lint(HEAD + rest, ONLY)] == ["TL608"]
    assert done(HEAD + rest, Applicability.SAFE) == HEAD + rest
    assert "b = a.clone()\n" in done(HEAD + rest, Applicability.UNSAFE)


def test_a_demonstrated_zero_is_no_proof() -> None:
    text = HEAD + "b += 1\nassert (a - b).abs().max() != 0\n"

    assert done(text, Applicability.SAFE) == text
