"""When TL608 copies unasked: only where the reading proves that the old value was wanted, and nobody else holds the memory."""

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.settings import Settings

ONLY = Settings(select=("TL608",))
HEAD = "import torch\nimport torch.nn.functional as F\n\na = torch.zeros(3)\nb = a\n"

SAFE = {
    "subtracted": "a += 1\nprint((a - b).norm())\n",
    "subtracted the other way round": "a[0] = 9\nmoved = b - a\n",
    "several changes, with a look between": "a += 1\nprint(a.sum())\ntorch.nn.init.ones_(a)\nprint(a - b)\n",
    "compared with what it can never be": "a += 1\nprint('moved' if (a - b).abs().sum() > 1 else 'stayed')\n",
    "changed on through the first name": "a += 1\nmoved = a - b\na.zero_()\nprint(a)\n",
}
ON_REQUEST = {
    "changed through the second name": "b[0] = 9\nprint('difference of an alias:', (a - b).sum().item())\n",
    "the mean of one is subtracted": "a -= 1\nprint(a - b.mean())\n",
    "distance": "a.add_(1)\nprint('shared' if torch.dist(a, b) == 0 else 'apart')\n",
    "loss": "a.mul_(2)\nloss = F.mse_loss(b, a)\n",
    "asked whether there is a difference": "a += 1\nprint((a - b).sum() == 0)\n",
    "asked whether the difference is small": "a += 1\nprint((a - b).abs().max() < 1e-6)\n",
    "the difference decides": "a += 1\nprint('apart' if (a - b).any() else 'shared')\n",
    "the difference is thrown away": "a += 1\na - b\n",
    "the second name is used later": "a += 1\nprint((a - b).sum())\nb.zero_()\nprint(a)\n",
    "the second name is used before": "a += 1\nprint(len(b))\nprint((a - b).sum())\n",
    "the memory is asked for later": "a += 1\nmoved = a - b\nprint(len({id(each) for each in (a, b)}))\n",
    "all variables are asked for": "a += 1\nprint(a - b)\nprint(globals())\n",
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
