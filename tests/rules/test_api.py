"""Changed names by version, import and scope; and rewrites that others are known to get wrong."""

from typing import Any

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.settings import Settings

RULES = ("TL801", "TL802", "TL804", "TL805")


def codes(text: str, torch_version: str | None = None) -> list[str]:
    return [each.code for each in lint(text, Settings(select=RULES, torch_version=torch_version))]


def fixed(text: str, applicability: Applicability = Applicability.SAFE) -> str:
    return fix(text, Settings(select=RULES), applicability=applicability).text


@pytest.mark.parametrize(
    ("version", "found"), [("2.3", ["TL804"]), ("2.2", []), (None, ["TL804"])], ids=["has the new name", "lacks the new name", "not said"]
)
def test_what_the_oldest_supported_torch_lacks_is_not_proposed(version: str | None, found: list[str]) -> None:
    assert codes("import torch\nscaler = torch.cuda.amp.GradScaler()\n", version) == found


def test_what_the_newest_torch_lacks_is_an_error_even_where_an_older_one_is_supported() -> None:
    assert codes("import torch\nx = torch.matrix_rank(a)\n", "1.7") == ["TL801"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import torch\nu = torch.cholesky(S, upper=True)\n", "import torch\nu = torch.linalg.cholesky(S, upper=True)\n"),
        ("import torch\nu = torch.cholesky(S, upper=not flag)\n", "import torch\nu = torch.linalg.cholesky(S, upper=not flag)\n"),
        ("from torch import qr\nq = qr(A)\n", "from torch.linalg import qr\nq = qr(A)\n"),
        ("from torch import qr\nq = qr(A, some=False)\n", 'import torch\nq = torch.linalg.qr(A, mode="complete")\n'),
        ("import functorch\nf = functorch.vmap(g)\n", "import functorch\nimport torch\nf = torch.func.vmap(g)\n"),
        (
            "import torch.cuda.amp as amp\nwith amp.autocast():\n    pass\n",
            'import torch.cuda.amp as amp\nimport torch\nwith torch.amp.autocast("cuda"):\n    pass\n',
        ),
        (
            "from torch.cuda.amp import autocast\nwith autocast(True, d):\n    pass\n",
            'from torch.amp import autocast\nwith autocast("cuda", enabled=True, dtype=d):\n    pass\n',
        ),
        ("from torch import ger, nn\ny = ger(a, b)\n", "from torch import nn\nfrom torch import outer\ny = outer(a, b)\n"),
        ("from torch import ger as g\ny = g(a, b)\n", "from torch import outer as g\ny = g(a, b)\n"),
        (
            "import torch\ny = torch.chain_matmul(torch.ger(a, b), torch.qr(c)[0])\n",
            "import torch\ny = torch.linalg.multi_dot([torch.outer(a, b), torch.linalg.qr(c)[0]])\n",
        ),
    ],
)
def test_rewrites_keep_arguments_and_bring_their_imports(before: str, after: str) -> None:
    assert fixed(before) == after


@pytest.mark.parametrize(
    "call",
    [
        "torch.chain_matmul(*matrices)",
        "torch.chain_matmul(a)",
        "torch.qr(a, some=flag)",
        "torch.qr(a, out=(q, r))",
        "torch.norm(a, p)",
        "torch.norm(a, out=b)",
        "torch.cuda.amp.autocast(*arguments)",
        "nn.MSELoss(size_average=flag)",
        "torch.symeig(a)",
    ],
)
def test_what_the_arguments_leave_open_is_reported_and_left(call: str) -> None:
    text = f"import torch\nfrom torch import nn\nx = {call}\n"

    assert len(codes(text)) == 1
    assert fixed(text, Applicability.UNSAFE) == text


@pytest.mark.parametrize(
    "text",
    [
        "from torch import ger\ndef f(outer):\n    return ger(outer, outer)\n",
        "from torch import qr\nqr = qr\n",
        "from torch.cuda.amp import GradScaler\nclass Scaler(GradScaler):\n    pass\n",
    ],
    ids=["the new name is taken", "bound twice", "inherited from"],
)
def test_an_import_whose_uses_cannot_all_change_stays(text: str) -> None:
    assert codes(text)
    assert fixed(text, Applicability.UNSAFE) == text


def test_the_fix_of_an_import_that_is_exported_is_not_safe() -> None:
    text = "from torch import ger\n__all__ = ['ger']\ny = ger(a, b)\n"

    assert fixed(text) == text


def test_the_default_dtype_that_is_changed_makes_the_new_autocast_unsafe() -> None:
    text = "import torch\ntorch.set_autocast_dtype('cuda', torch.bfloat16)\nwith torch.cuda.amp.autocast():\n    pass\n"

    assert fixed(text) == text
    assert "torch.amp.autocast" in fixed(text, Applicability.UNSAFE)


@pytest.mark.parametrize(
    ("given", "is_safe"), [("", False), ("True", False), ("enabled=False", True), ("False", True), ("dtype=torch.float16", True)]
)
def test_an_autocast_with_another_dtype_may_lie_around_one_that_names_none(given: str, is_safe: bool) -> None:
    text = (
        f"import torch\n\n\ndef layer(x):\n    with torch.cuda.amp.autocast({given}):\n        return x @ x\n\n\n"
        "def run(x):\n    with torch.autocast('cuda', dtype=torch.bfloat16):\n        return layer(x)\n"
    )
    assert ("cuda.amp" not in fixed(text), "cuda.amp" not in fixed(text, Applicability.UNSAFE)) == (is_safe, True)


def test_an_autocast_that_names_no_dtype_in_a_program_without_others_is_changed_freely() -> None:
    text = "import torch\nwith torch.cuda.amp.autocast():\n    y = x @ x\n"

    assert fixed(text) == text.replace("torch.cuda.amp.autocast()", 'torch.amp.autocast("cuda")')


def test_a_scaler_of_whose_class_the_program_asks_is_changed_on_request() -> None:
    text = "import torch\nscaler = torch.cuda.amp.GradScaler()\n"
    asks = "if isinstance(found, torch.cuda.amp.GradScaler):\n    found.step(optimizer)\n"

    assert "cuda.amp" not in fixed(text)
    assert "scaler = torch.cuda.amp" in fixed(text + asks) and "scaler = torch.amp" in fixed(text + asks, Applicability.UNSAFE)


def test_printing_schedulers_are_changed_freely_only_where_no_torch_prints() -> None:
    text = "import torch\ns = torch.optim.lr_scheduler.StepLR(o, 3, verbose=True)\n"

    assert fixed(text) == text.replace(", verbose=True", "")
    assert fix(text, Settings(select=RULES, torch_version="2.4")).text == text


QUIET = [
    ("TL802", "import torch\nmodel = torch.jit.script(model)\n"),
    ("TL802", "import torch\nn = torch.norm(x)\n"),
    ("TL802", "from torch import ger\ny = ger(a, b)\n"),
    ("TL802", "from torch import nn\nup = nn.UpsamplingNearest2d(scale_factor=2)\n"),
    ("TL804", "from torch.utils import model_zoo\nstate = model_zoo.load_url(url)\n"),
    ("TL805", "import torch\nv = torch.var(x, unbiased=False)\n"),
]


@pytest.mark.parametrize(("code", "text"), QUIET)
def test_what_torch_itself_says_nothing_about_is_for_those_who_ask(code: str, text: str) -> None:
    assert lint(text) == lint(text, Settings(select=("TL8",))) == []
    assert [each.code for each in lint(text, Settings(select=(code,)))] == [code]
    assert [each.code for each in lint(text, Settings(below=Settings(extend_select=(code,))))] == [code]


@pytest.mark.parametrize("selector", ["TOR101", "TOR103", "TOR1", "TOR"])
def test_who_asks_in_the_words_of_torchfix_gets_what_it_found(selector: str) -> None:
    text = "import torch\nn = torch.norm(x)\nu, s, v = torch.svd(x)\n"

    assert [each.code for each in lint(text, Settings(select=(selector,)))] == ["TL802", "TL802"]


def test_what_raises_is_for_everybody() -> None:
    text = "import torch\ne = torch.symeig(a, eigenvectors=True)\nm = torch.nn.functional.upsample(x, scale_factor=2)\n"

    assert [each.code for each in lint(text)] == ["TL801", "TL802"]


def test_a_name_of_the_first_versions_is_gone_rather_than_unknown() -> None:
    assert [each.code for each in lint("from torch.utils.serialization import load_lua\nnet = load_lua('net.t7')\n")] == ["TL801"]


STFT = """import torch


def functions(x, window, ones):
    weighted = torch.stft(x, 8, hop_length=4, window=window, center=False)
    return weighted, torch.stft(x, 8, 4, window=ones, center=False, normalized=True)


def method(x: torch.Tensor, ones):
    return x.stft(8, 4, window=ones, center=False, onesided=False)
"""


def test_rewritten_stft_returns_what_torch_once_did() -> None:
    """A real and an imaginary part for each frequency and frame, in a dimension of their own: what torch 1.7 documented."""
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(fixed(STFT, Applicability.UNSAFE), names)
    signal, window = torch.linspace(-1, 2, 20, dtype=torch.float64).sin(), torch.linspace(0.1, 1, 8, dtype=torch.float64)
    frames = torch.stack([signal[start : start + 8] for start in range(0, 13, 4)])
    steps, ones = torch.arange(8, dtype=torch.float64), torch.ones(8, dtype=torch.float64)
    angles = -2 * torch.pi * torch.outer(steps, steps) / 8

    def parts(weights: Any, frequencies: int) -> Any:
        waves = [torch.einsum("tm,km->kt", frames * weights, turn)[:frequencies] for turn in (angles.cos(), angles.sin())]
        return torch.stack(waves, dim=-1)

    weighted, normalized = names["functions"](signal, window, ones)
    torch.testing.assert_close(weighted, parts(window, 5))
    torch.testing.assert_close(normalized, parts(ones, 5) / 8**0.5)
    torch.testing.assert_close(names["method"](signal, ones), parts(ones, 8))
    with pytest.raises(RuntimeError, match="return_complex"):
        torch.stft(signal, 8, window=window)
