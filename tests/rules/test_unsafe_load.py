"""Which versions of torch make a plain `torch.load` unsafe, and which can do otherwise."""

from pathlib import Path

import pytest

from torchlint.engine import fix, lint
from torchlint.program.project import Project
from torchlint.rule import UNSAFE
from torchlint.settings import Settings

TEXT = "import torch\n\n\ndef restore(path):\n    return torch.load(path, map_location='cpu')\n"


def settings(oldest: str | None, newest: str | None = None) -> Settings:
    return Settings(select=("TL9",), torch_version=oldest, newest_torch=newest)


@pytest.mark.parametrize(
    ("oldest", "newest", "fires"),
    [
        (None, None, False),
        ("2.6", None, False),
        ("2.5", None, True),
        ("2.1", "2.3", True),
        ("1.13", None, True),
        ("1.12", None, False),
        ("1.7", "1.7", False),
        (None, "2.2", True),
    ],
)
def test_plain_load_is_unsafe_where_the_project_supports_torch_before_2_6_that_can_do_otherwise(
    oldest: str | None, newest: str | None, fires: bool
) -> None:
    found = lint(TEXT, settings(oldest, newest))

    assert [each.code for each in found] == ["TL901"] * fires
    assert all(f"supports torch {oldest or newest})" in each.message for each in found)


def test_plain_load_is_told_what_to_load() -> None:
    fixed = fix(TEXT.replace("'cpu'", "'cpu', weights_only=None"), settings("2.1"), applicability=UNSAFE).text

    assert fix(TEXT, settings("2.1"), applicability=UNSAFE).text == fixed == TEXT.replace("'cpu'", "'cpu', weights_only=True")


def test_versions_in_which_the_call_is_reached_count() -> None:
    head, body = TEXT.split("    return")
    guarded = f'{head}    if torch.__version__ >= "2.6":\n        return{body}    return None\n'

    assert lint(guarded, settings("2.1")) == []
    assert [each.code for each in lint(guarded.replace(">=", "<"), settings("2.1"))] == ["TL901"]


def test_explicit_false_is_unsafe_in_every_version_that_knows_it() -> None:
    text = TEXT.replace("map_location='cpu'", "weights_only=False")

    assert [len(lint(text, settings(each))) for each in (None, "2.8", "1.13", "1.9")] == [1, 1, 1, 0]


def test_tests_are_left_alone() -> None:
    text = TEXT.replace("map_location='cpu'", "weights_only=False")

    assert lint(text, Settings(), path="tests/test_saving.py") == []
    assert [each.code for each in lint(text, Settings(), path="train.py")] == ["TL901"]


@pytest.mark.parametrize(
    ("use", "fixable"),
    [
        ("model.load_state_dict(torch.load(path))", True),
        ("return torch.load(path)", True),
        ("found = torch.load(path).to('cuda')\n    return found", True),
        ("net = torch.load(path)\n    net.eval()\n    return net(x)", False),
        ("net: torch.nn.Module = torch.load(path)\n    return net", False),
        ("net = torch.load(path).cuda()\n    return [each for each in net.parameters()]", False),
    ],
)
def test_what_is_used_as_a_module_cannot_be_loaded_as_weights(use: str, fixable: bool) -> None:
    (found,) = lint(f"import torch\n\n\ndef f(model, path, x):\n    {use}\n", settings("2.1"))

    assert (found.fix is not None, "state_dict" in (found.help or "")) == (fixable, not fixable)


WRITES = """import torch
from hub import download


def swap(path, state):
    torch.save(state, path)
    return torch.load({}, weights_only=False)
"""


@pytest.mark.parametrize(("path", "fires"), [("path", False), ("download(path)", True)])
def test_what_the_file_writes_itself_is_for_those_who_ask(path: str, fires: bool) -> None:
    text = WRITES.format(path)

    assert [each.code for each in lint(text, Settings(), path="train.py")] == ["TL901"] * fires
    assert [each.code for each in lint(text, Settings(select=("TL901",)), path="train.py")] == ["TL901"]


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("state = torch.load('best.pt')", False),
        ("import os\nstate = torch.load(os.path.join(folder, name))", False),
        ("def read(folder): return torch.load(folder / 'best.pt')", False),
        ("def read(folder): return torch.load(folder / 'vgg.pt')", True),
        ("def read(folder):\n    path = folder / 'runs' / 'best.pt'\n    return torch.load(path)", False),
        ("path = options.add('best.pt')\nargs = options.parse_args()\nstate = torch.load(args.path)", True),
        ("class Run:\n    def read(self): return torch.load(self.best)", False),
        ("args = options.parse_args()\nstate = torch.load(args.weights)", True),
        ("import sys\npath = sys.argv[1]\nstate = torch.load(path)", True),
        ("def read(path): return torch.load(path, weights_only=False)", False),
        ("def read(path): return torch.load(download(path), weights_only=False)", True),
        ("state = torch.load(download('best.pt'))", True),
        ("def read(path):\n    kept = torch.load(path)\n    return kept['net'], kept['step']", False),
        ("def read(path): return torch.load(path)['net']", False),
        ("def read(path):\n    kept = torch.load(path)\n    return kept['net'], kept['params']", True),
        ("def read(path):\n    kept = torch.load(path)\n    return options['net']", True),
        ("def read(path): return torch.load(path)['net']\nread(download('net.pt'))", True),
    ],
)
def test_what_another_file_writes_is_for_those_who_ask_unless_somebody_hands_it_in(tmp_path: Path, text: str, fires: bool) -> None:
    text = f"import torch\nfrom hub import download\n{text}\n"
    main, wanted = tmp_path / "main.py", Settings(torch_version="2.1")
    main.write_text(text)
    assert [each.code for each in lint(text, wanted, path=str(main), project=Project([tmp_path]))] == ["TL901"]

    (tmp_path / "train.py").write_text("import torch\ntorch.save({'net': net, 'step': 1}, 'runs/best.pt')\n")
    assert [each.code for each in lint(text, wanted, path=str(main), project=Project([tmp_path]))] == ["TL901"] * fires
