"""Loaders, what they are told, what their workers run, and the epochs of their samplers."""

from pathlib import Path

import libcst as cst
import pytest

from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project
from torchlint.rules.data._contents import is_in_memory, is_map_style
from torchlint.rules.data._epochs import same_order
from torchlint.rules.data._generators import duplicated
from torchlint.rules.data._handed_out import handed_out
from torchlint.rules.data._loaders import Loader, fetching, loaders
from torchlint.rules.data._workers import cuda_in_workers

HEAD = """import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from torch.utils.data.distributed import DistributedSampler
"""


def made(text: str) -> Loader:
    (loader,) = loaders(FileAnalysis(HEAD + text))
    return loader


@pytest.mark.parametrize(
    ("text", "workers"),
    [
        ("DataLoader(x)", 0),
        ("DataLoader(x, num_workers=2)", 2),
        ("DataLoader(x, 4, True, None, None, 3)", 3),
        ("n = 2\nDataLoader(x, num_workers=n)", 2),
        ("n = 2\nn = 4\nDataLoader(x, num_workers=n)", ...),
        ("def f(n): DataLoader(x, num_workers=n)", ...),
        ("DataLoader(x, **options)", ...),
        ("DataLoader(x, num_workers=1, **options)", 1),
        ("DataLoader(*given)", ...),
        ("class A(DataLoader): pass\nA(x)", 0),
        ("class A(DataLoader):\n    def __init__(self, x): super().__init__(x, num_workers=5)", 5),
        ("from torchdata.stateful_dataloader import StatefulDataLoader\nStatefulDataLoader(x)", ...),
    ],
)
def test_a_setting_is_what_is_given_or_the_default_where_nothing_can_be_hidden(text: str, workers: object) -> None:
    assert made(text).setting("num_workers") == workers


@pytest.mark.parametrize(
    "text",
    [
        "class DataLoader:\n    pass\nDataLoader(x)",
        "class A(DataLoader):\n    def __init__(self, x): self.x = x\nA(x)",
        "import other\nother.DataLoader(x)",
    ],
)
def test_other_classes_make_no_loaders(text: str) -> None:
    assert loaders(FileAnalysis(HEAD + text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("try:\n    DataLoader(x)\nexcept ValueError: pass", True),
        ("try:\n    pass\nexcept ValueError:\n    DataLoader(x)", False),
        ("with pytest.raises(ValueError): DataLoader(x)", True),
        ("with open(path): DataLoader(x)", False),
    ],
)
def test_an_exception_is_expected_where_it_is_caught(text: str, expected: bool) -> None:
    assert made(text).is_expected_to_fail is expected


LOOKED_UP = "class A(Dataset):\n    def __getitem__(self, i): return self.x[i]\n"
COMPUTED = "class A(Dataset):\n    def __getitem__(self, i): return self.f(i)\n    def f(self, i): return open(i)\n"


@pytest.mark.parametrize(
    ("text", "in_memory", "map_style"),
    [
        (LOOKED_UP + "DataLoader(A())", True, True),
        (COMPUTED + "DataLoader(A())", False, True),
        ("class A(IterableDataset):\n    def __iter__(self): return iter(f())\nDataLoader(A())", False, False),
        ("DataLoader(TensorDataset(torch.ones(2)))", True, True),
        ("DataLoader(x)", False, False),
    ],
)
def test_what_lies_behind_a_loader_is_known_by_its_class(text: str, in_memory: bool, map_style: bool) -> None:
    loader = made(text)

    assert (is_in_memory(loader), is_map_style(loader)) == (in_memory, map_style)


def test_a_sample_is_fetched_by_the_methods_that_getitem_calls() -> None:
    methods = ("__getitem__(self, i): return self.f(i)", "f(self, i): return self.g(i)", "g(self, i): return i", "h(self): pass")
    file = FileAnalysis(HEAD + "class A(Dataset):\n" + "".join(f"    def {each}\n" for each in methods))
    (model,) = file.classes()

    assert [each.name.value for each in fetching(model)] == ["__getitem__", "f", "g"]


TRAIN = """
def run(x, model: nn.Module, n):
    {made}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in {epochs}:
        for x in loader:
            optimizer.zero_grad()
            model(x).sum().backward()
            optimizer.step()
"""
SAMPLER = "sampler = DistributedSampler(x); loader = DataLoader(x, sampler=sampler)"


@pytest.mark.parametrize(
    ("text", "asked", "counter"),
    [
        (TRAIN.format(made=SAMPLER, epochs="range(n)"), ("sampler", False), "epoch"),
        (TRAIN.format(made=SAMPLER, epochs="names"), ("sampler", False), None),
        (TRAIN.format(made=SAMPLER.replace("(x);", "(x) if n > 1 else None;"), epochs="range(n)"), ("sampler", True), "epoch"),
        (TRAIN.format(made="loader = DataLoader(x, sampler=DistributedSampler(x))", epochs="range(n)"), ("loader.sampler", False), "epoch"),
    ],
)
def test_the_sampler_is_told_by_a_name_that_it_has_in_the_loop(text: str, asked: tuple[str, bool], counter: str | None) -> None:
    (epochs,) = same_order(FileAnalysis(HEAD + text))

    assert epochs.call == asked
    assert (epochs.counter.value if epochs.counter is not None else None) == counter


def test_whoever_tells_the_epoch_in_another_file_counts(tmp_path: Path) -> None:
    text = HEAD + TRAIN.format(made=SAMPLER, epochs="range(n)")
    main = tmp_path / "main.py"
    main.write_text(text)
    (tmp_path / "hooks.py").write_text("def begin(loader, epoch):\n    loader.sampler.set_epoch(epoch)\n")

    assert len(list(same_order(FileAnalysis(text, path=str(main))))) == 1
    assert list(same_order(FileAnalysis(text, path=str(main), imports=Project([tmp_path])))) == []


GIVES = "def given(data, shuffle):\n    return DistributedSampler(data, shuffle=shuffle)\n"


@pytest.mark.parametrize(
    ("text", "main", "count"),
    [
        (GIVES, "loader = DataLoader(x, sampler=given(x, True))", 1),
        (GIVES, "loader = DataLoader(x, sampler=given(x, False))", 0),
        (GIVES, "loader = DataLoader(x, sampler=given(x, shuffled))", 0),
        (GIVES, "loader = DataLoader(x)\n    given(x, True)", 0),
        (GIVES.replace("shuffle=shuffle", ""), "loader = DataLoader(x, sampler=given(x, 1))", 1),
        (GIVES.replace("(data, shuffle=shuffle)", "(test_data)"), "loader = DataLoader(x, sampler=given(x, 1))", 0),
        (GIVES + "print(DistributedSampler(data, shuffle=False))", "loader = DataLoader(x, sampler=given(x, True))", 1),
        (GIVES, "given(x, True).set_epoch(1)\n    loader = DataLoader(x, sampler=given(x, True))", 0),
    ],
)
def test_a_sampler_that_another_file_asks_for_has_its_epochs_there(tmp_path: Path, text: str, main: str, count: int) -> None:
    source = HEAD + text
    (tmp_path / "giving.py").write_text(source)
    (tmp_path / "main.py").write_text("from giving import given\n" + HEAD + TRAIN.format(made=main, epochs="range(n)"))

    found = list(handed_out(FileAnalysis(source, path=str(tmp_path / "giving.py"), imports=Project([tmp_path]))))

    assert [each.file.path for each in found] == [str(tmp_path / "main.py")] * count


HELD = """import random
class A(Dataset):
    def __init__(self): self.rng = random.Random(0)
    def __getitem__(self, i): return self.rng.random()
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DataLoader(A(), num_workers=2)", ["self.rng"]),
        ("DataLoader(A(), num_workers=0)", []),
        ("DataLoader(A())", []),
        ("DataLoader(A(), num_workers=2, worker_init_fn=f)", []),
        ("a = A()\na.rng = random.Random(1)\nDataLoader(a, num_workers=2)", []),
    ],
)
def test_a_generator_is_repeated_only_where_there_are_workers_and_nobody_seeds_them(text: str, found: list[str]) -> None:
    file = FileAnalysis(HEAD + HELD + text)

    assert [file.source(each.use) for each in duplicated(file)] == found


def test_a_dataset_of_another_file_is_found_from_its_loader(tmp_path: Path) -> None:
    (tmp_path / "numbers.py").write_text(f"{HEAD}class Numbers(Dataset):\n    def __getitem__(self, i): return self.x[i].cuda()\n")
    main = tmp_path / "main.py"
    text = "from torch.utils.data import DataLoader\nfrom .numbers import Numbers\nDataLoader(Numbers(), num_workers=2)\n"
    main.write_text(text)

    (found,) = cuda_in_workers(FileAnalysis(text, path=str(main), imports=Project([tmp_path])))

    assert found.called == "__getitem__"
    assert Path(found.file.path).name == "numbers.py"
    assert isinstance(found.loader.call, cst.Call)
