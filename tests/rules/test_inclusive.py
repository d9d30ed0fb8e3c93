"""`torch.range` against what is written in its place, executed: element by element where the fix is safe."""

import warnings
from itertools import product

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix
from torchlint.settings import Settings

torch = pytest.importorskip("torch")

BOUNDS = [(0, 5), (1, 9), (-3, 4), (5, 0), (0, 1), (0.0, 1.0), (0.0, 0.3), (-1.0, 1.0), (0.0, 1.5)]
STEPS = [1, 2, 3, 0.1, 0.2, 0.3, 0.5, 0.7]
CASES = [(start, end, step if end > start else -step) for (start, end), step in product(BOUNDS, STEPS)]
DTYPES = [torch.float32, torch.float64, torch.bfloat16]


def rewritten(text: str, applicability: Applicability) -> str:
    return fix(f"import torch\n{text}\n", Settings(select=("TL803",)), applicability=applicability).text.splitlines()[-1]


def made(text: str, dtype: torch.dtype = torch.float32, **names: object) -> torch.Tensor:
    known = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return eval(text, {"torch": torch, **names})
    finally:
        torch.set_default_dtype(known)


def is_whole(case: tuple[float, ...]) -> bool:
    return all(isinstance(each, int) for each in case)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_safe_fix_yields_the_same_elements_of_the_same_type(case: tuple[float, ...], dtype: torch.dtype) -> None:
    text = f"torch.range{case}"
    new = rewritten(text, Applicability.SAFE)

    assert (new != text) is is_whole(case)
    assert made(new, dtype).dtype is dtype
    assert torch.equal(made(new, dtype), made(text, dtype))


@pytest.mark.parametrize("case", CASES)
def test_unsafe_fix_yields_as_many_elements_that_differ_by_rounding_alone(case: tuple[float, ...]) -> None:
    text = f"torch.range{case}"
    new, old = made(rewritten(text, Applicability.UNSAFE)), made(text)

    assert new.shape == old.shape
    assert torch.allclose(new, old, rtol=0, atol=1e-6)


def test_all_cases_are_tried_and_some_fractions_are_rewritten() -> None:
    fixed = [case for case in CASES if rewritten(f"torch.range{case}", Applicability.UNSAFE) != f"torch.range{case}"]

    assert len(CASES) == 72
    assert len([case for case in fixed if is_whole(case)]) == 15
    assert len([case for case in fixed if not is_whole(case)]) > 10


@pytest.mark.parametrize("dtype", ["torch.int64", "torch.float64", "torch.float16", "torch.bfloat16"])
@pytest.mark.parametrize(("end", "step"), [(250, 3), (2000, 7), (5000, 1)])
def test_type_that_is_given_is_kept_and_its_rounding_too(dtype: str, end: int, step: int) -> None:
    text = f"torch.range(0, {end}, {step}, dtype={dtype})"
    new = rewritten(text, Applicability.SAFE)

    assert torch.equal(made(new), made(text))
    assert (new != text) is (end <= 256 or dtype.endswith("64"))


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize(
    "text",
    [
        "torch.range(0, n - 1)",
        "torch.range(1, n)",
        "torch.range(0, n >> 1)",
        "torch.range(0, n if n else 1)",
        "torch.range(0, n or 3)",
        "torch.range(9, n, -1)",
        "torch.range(9, n + 1, -1)",
        "torch.range(9, n, -1, dtype=torch.int64)",
        "torch.range(0, n - 1).long()",
        "torch.range(end=n, start=0)",
    ],
)
def test_end_that_is_a_whole_number_goes_one_step_further(text: str, n: int) -> None:
    new = rewritten(text, Applicability.UNSAFE)

    assert "torch.range" not in new
    assert made(new, n=n).dtype is made(text, n=n).dtype
    assert torch.equal(made(new, n=n), made(text, n=n))


@pytest.mark.parametrize(
    "text",
    [
        "torch.range(*args)",
        "torch.range(0, 5, **kw)",
        "torch.range(5, 0)",
        "torch.range(0, 5, 0)",
        "torch.range(0, 1.5)",
        "torch.range(a, b)",
    ],
)
def test_what_is_not_known_is_left_alone(text: str) -> None:
    assert rewritten(text, Applicability.UNSAFE) == text
