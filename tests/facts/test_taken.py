"""Which keywords are said to be taken: at least those that the installed torch takes."""

import inspect
import warnings
from collections.abc import Iterator

import pytest

from torchlint.facts.declared import table
from torchlint.facts.signatures import bases, signatures, signed_in
from torchlint.facts.taken import keywords, meant, synonym
from torchlint.facts.versions import Range

NEWEST = Range((2, 13), (2, 13))


def declared() -> Iterator[tuple[str, object]]:
    """What has signatures in the tables, and what it is in the installed torch."""
    import torch

    for section in table("signatures.txt").sections():
        owner: object = torch
        for part in section.split(".")[1:]:
            owner = getattr(owner, part, None)
        for name in signed_in(section):
            if not name.startswith("_"):
                yield f"{section}.{name}", getattr(owner, name, None)
        if bases(section) is not None:
            yield section, owner


def test_every_keyword_of_the_installed_torch_is_taken() -> None:
    pytest.importorskip("torch")
    refused, compared = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, called in declared():
            taken = keywords(name)
            if taken is None or called is None:
                continue
            try:
                parameters = inspect.signature(called).parameters.values()  # type: ignore[arg-type]
            except (TypeError, ValueError):  # made in C
                continue
            compared += 1
            named = {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
            refused += [(name, each) for each in sorted(named - taken - {"self"})]

    assert compared > 2_000
    assert refused == []


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        ("torch.sum", "axis"),
        ("torch.Tensor.std", "keepdims"),
        ("torch.zeros", "pin_memory"),
        ("torch.stack", "out"),
        ("torch.nn.MSELoss", "size_average"),
        ("torch.optim.lr_scheduler.StepLR", "verbose"),
    ],
)
def test_undeclared_and_former_keywords_are_taken(name: str, keyword: str) -> None:
    assert keyword in (keywords(name) or ())


@pytest.mark.parametrize(
    "name", ["torch.hub.load", "torch.nn.Identity", "torch.nothing", "torch.ops.aten.add", "torch._C.zeros", "numpy.zeros"]
)
def test_nothing_is_known_of_what_takes_any_keyword_or_is_not_declared(name: str) -> None:
    assert keywords(name) is None


@pytest.mark.parametrize(
    ("name", "word", "parameters"),
    [
        ("torch.nn.Conv2d", "kernel", ["kernel_size"]),
        ("torch.nn.Conv2d", "channels", []),
        ("torch.utils.data.DataLoader", "batchsize", ["batch_size"]),
        ("torch.nn.functional.cross_entropy", "weights", ["weight"]),
        ("torch.mean", "dims", ["dim"]),
        ("torch.optim.Adam", "learning_rate", []),
    ],
)
def test_meant_are_parameters_of_the_same_word(name: str, word: str, parameters: list[str]) -> None:
    assert meant(word, signatures(name), NEWEST) == parameters


def test_words_of_other_libraries_are_translated_where_the_parameter_is_there() -> None:
    assert synonym("learning_rate", signatures("torch.optim.Adam")) == "lr"
    assert synonym("learning_rate", signatures("torch.nn.Linear")) is None
