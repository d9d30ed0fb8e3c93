"""Where a wrapped module is followed to, and what it is found to be there for."""

from pathlib import Path

import pytest

from torchlint.engine import lint
from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project
from torchlint.rules.distributed._trained import Use, uses
from torchlint.settings import Settings

HEAD = "import torch\nfrom torch import nn\n"


def done(text: str) -> set[Use]:
    file = FileAnalysis(HEAD + text)
    (wrap,) = file.calls("torch.nn.DataParallel")
    return uses(file, wrap)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("m = nn.DataParallel(n)", set()),
        ("m = nn.DataParallel(n)\nm.eval()\nprint(m)", set()),
        ("m = nn.DataParallel(n)\nm(x)", {Use.RUN}),
        ("m = nn.DataParallel(n)\nm(x).sum().backward()", {Use.TRAINED}),
        ("m = nn.DataParallel(n)\nm(x).detach().sum().backward()", {Use.RUN}),
        ("m = nn.DataParallel(n)\nwith torch.no_grad(): y = m(x)\n(k(x) - y).sum().backward()", {Use.RUN}),
        ("nn.DataParallel(n)(x).sum().backward()", {Use.TRAINED}),
        ("m = nn.DataParallel(n)\no = torch.optim.SGD(m.parameters())", {Use.STEPPED}),
        ("m = nn.DataParallel(n)\no = torch.optim.SGD(m.module.parameters())", {Use.STEPPED}),
        ("m = nn.DataParallel(n)\nk = m.cuda()\nk(x)", {Use.RUN}),
        ("m = nn.DataParallel(n)\nfit(m)", {Use.HANDED}),
        ("m = nn.DataParallel(n)\nall = {'m': m}", {Use.HANDED}),
        ("def f(k): k(x).sum().backward()\nm = nn.DataParallel(n)\nf(m)", {Use.TRAINED}),
        ("def f(a, k): k(a)\nm = nn.DataParallel(n)\nf(k=m, a=x)", {Use.RUN}),
        ("def f(n): return nn.DataParallel(n)\nm = f(n)\nm(x).sum().backward()", {Use.TRAINED}),
        ("def f(n): return nn.DataParallel(n)", set()),
        ("m = nn.DataParallel(n)\nm(x.unsqueeze(0))", set()),
        ("m = nn.DataParallel(n)\nm(x.unsqueeze(1))", {Use.RUN}),
        ("if a:\n    m = nn.DataParallel(n)\nelse:\n    m(x).sum().backward()", set()),
        ("class T:\n    def __init__(self): self.m = nn.DataParallel(n)\n    def f(self): self.m(x).sum().backward()", {Use.TRAINED}),
        ("class T:\n    def __init__(self): self.m = nn.DataParallel(n)\nclass O:\n    def f(self): self.m(x)", set()),
    ],
)
def test_a_wrapped_module_is_followed_to_where_it_is_trained(text: str, found: set[Use]) -> None:
    assert done(text) == found


def test_it_is_followed_into_other_files(tmp_path: Path) -> None:
    main, other = tmp_path / "main.py", tmp_path / "other.py"
    main.write_text(HEAD + "from other import Trainer\nt = Trainer(nn.DataParallel(n))\nfor x in y: t.step(x)\n")
    other.write_text(
        "import torch\nclass Trainer:\n    def __init__(self, m):\n        self.m = m\n"
        "    def step(self, x):\n        self.m(x).sum().backward()\n"
    )
    (finding,) = lint(main.read_text(), Settings(select=("TL701",)), path=str(main), project=Project([tmp_path]))
    assert "in every step" in finding.message


@pytest.mark.parametrize(("word", "count"), [("build(n).cuda()\noptim.SGD(p)", 1), ("build(n)(x)", 0), ("other(n)\noptim.SGD(p)", 0)])
def test_a_wrap_that_a_function_returns_is_reported_where_its_caller_makes_an_optimizer(tmp_path: Path, word: str, count: int) -> None:
    models, main = tmp_path / "models.py", tmp_path / "main.py"
    models.write_text(HEAD + "def build(n):\n    m = nn.DataParallel(n)\n    return m\n")
    main.write_text(f"from torch import optim\nfrom models import build\nm = {word}\n")
    found = lint(models.read_text(), Settings(select=("TL701",)), path=str(models), project=Project([tmp_path]))
    assert [each.help for each in found] == [
        "leave the wrap to the training program, with `DistributedDataParallel` and one process per GPU"
    ] * count


@pytest.mark.parametrize(
    ("end", "other", "count"),
    [("", "loss.backward()\n", 0), ("if __name__ == '__main__': score(n, x)\n", "loss.backward()\n", 1), ("", "print()\n", 1)],
)
def test_what_only_measures_is_reported_in_a_program_of_its_own(tmp_path: Path, end: str, other: str, count: int) -> None:
    scores, main = tmp_path / "scores.py", tmp_path / "main.py"
    scores.write_text(HEAD + "@torch.no_grad()\ndef score(n, x):\n    m = nn.DataParallel(n).eval()\n    return m(x)\n" + end)
    main.write_text(other)
    found = lint(scores.read_text(), Settings(select=("TL701",)), path=str(scores), project=Project([tmp_path]))
    assert ["that it predicts" in each.message for each in found] == [True] * count


def test_an_option_that_is_one_unless_more_is_asked_for_may_stand_in_another_file(tmp_path: Path) -> None:
    main, options = tmp_path / "main.py", tmp_path / "options.py"
    main.write_text(
        "import torch\nfrom options import args\nfrom torch import nn\nfrom torch.utils.data import DataLoader\n\n\n"
        "def train(model, data):\n    model = nn.DataParallel(model)\n    optimizer = torch.optim.SGD(model.parameters())\n"
        "    for x in DataLoader(data, batch_size=args.batch_size, shuffle=True):\n"
        "        model(x).sum().backward()\n        optimizer.step()\n"
    )

    def found(*defaults: str) -> int:
        rows = [f'parser.add_argument("--batch-size", type=int, default={each})' for each in defaults]
        options.write_text("\n".join(["import argparse", "parser = argparse.ArgumentParser()", *rows, "args = parser.parse_args()", ""]))
        return len(lint(main.read_text(), Settings(select=("TL701",)), path=str(main), project=Project([tmp_path])))

    assert found("1") == 0
    assert [found("16"), found("1", "16"), found()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("other", "count"),
    [
        ("model = DistributedDataParallel(Net(3).cuda())\n", 0),
        ("model = DistributedDataParallel(Other(3).cuda())\n", 1),
        ("model = Net(3)\n", 1),
    ],
)
def test_a_program_that_runs_the_same_model_with_a_process_per_gpu_is_told_to_who_asks(tmp_path: Path, other: str, count: int) -> None:
    main, twin = tmp_path / "main.py", tmp_path / "twin.py"
    main.write_text(
        HEAD + "from nets import Net\nfrom torch.utils.data import DataLoader\n\n\n"
        "def train(data):\n    model = Net(3)\n    model = nn.DataParallel(model)\n    optimizer = torch.optim.SGD(model.parameters())\n"
        "    for x in DataLoader(data, batch_size=8, shuffle=True):\n        model(x).sum().backward()\n        optimizer.step()\n"
    )
    twin.write_text(HEAD + other)
    for settings, wanted in ((Settings(), count), (Settings(select=("TL701",)), 1)):
        found = lint(main.read_text(), settings, path=str(main), project=Project([tmp_path]))
        assert [each.code for each in found].count("TL701") == wanted


FED = "from feeding import loaders\nbatches, _ = loaders(n)\n"
STEPS = (
    "m = nn.DataParallel(n)\no = torch.optim.SGD(m.parameters(), 0.1)\n"
    "for x in batches:\n    o.zero_grad()\n    m(x).sum().backward()\n    o.step()\n"
)
GIVES = "import torch.utils.data as data\ndef loaders(d):\n    return data.DataLoader(d, 8, {options}), None\n"
STARTS = "from main import fit\nfrom torch.utils.data import DataLoader\nfit(DataLoader(d, batch_size={size}, {options}))\n"
FIT = "def fit(batches):\n" + "".join(f"    {line}\n" for line in STEPS.splitlines())


@pytest.mark.parametrize(
    ("text", "others", "count"),
    [
        (FED + STEPS, {"feeding.py": GIVES.format(options="shuffle=True")}, 1),
        (FED + STEPS, {"feeding.py": GIVES.format(options="sampler=s")}, 0),
        (FED + STEPS, {"feeding.py": GIVES.format(options="shuffle=True").replace("8", "1")}, 0),
        (FED + STEPS, {"feeding.py": GIVES.format(options="shuffle=True").replace("(d, 8", "(torchvision.datasets.CIFAR10(d), 8")}, 0),
        (FED + "k = nn.DataParallel(p)\n" + STEPS, {"feeding.py": GIVES.format(options="shuffle=True")}, 0),
        (FIT, {"start.py": STARTS.format(size=8, options="shuffle=True")}, 1),
        (FIT, {"start.py": STARTS.format(size=1, options="shuffle=True")}, 0),
        (FIT, {"start.py": STARTS.format(size=8, options="shuffle=False")}, 0),
        (FIT, {"start.py": STARTS.format(size=8, options="shuffle=True"), "rare.py": "class Rare(data.Sampler): pass\n"}, 0),
        (FIT, {"start.py": STARTS.format(size=8, options="shuffle=True"), "words.py": "sampler = draws_words()\n"}, 1),
        (FIT, {"start.py": "from main import fit\nfit(read())\n"}, 0),
        (FED + STEPS, {"feeding.py": GIVES.format(options="shuffle=True"), "wraps.py": "def wrapped(m): return DDP(m)\n"}, 0),
    ],
)
def test_a_loader_of_another_file_says_whether_processes_would_fit(tmp_path: Path, text: str, others: dict[str, str], count: int) -> None:
    for name, content in {"main.py": HEAD + text, **others}.items():
        (tmp_path / name).write_text(content)
    path = str(tmp_path / "main.py")

    found = [each.code for each in lint(HEAD + text, path=path, project=Project([tmp_path])) if each.code == "TL701"]

    assert found == ["TL701"] * count
