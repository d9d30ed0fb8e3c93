"""What is said to be in no version of torch is not in the one that is installed, and what was once there is never said to be absent."""

import importlib
import sys
import warnings

import pytest

from torchlint.facts.absent import elsewhere, is_absent, near, similar
from torchlint.facts.versions import Range

NEWEST = Range((2, 13), (2, 13))
PACKAGES = """torch.nn.utils.parametrizations torch.nn.utils.prune torch.nn.attention torch.distributed.fsdp torch.distributed.tensor
torch.distributed.optim torch.utils.data.datapipes torch.cuda.amp torch.utils.cpp_extension torch.profiler torch.masked torch.hub""".split()
"""Some that `import torch` leaves out."""


def test_nothing_that_torch_has_is_absent() -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for package in PACKAGES:
            importlib.import_module(package)
        modules = {name: module for name, module in sys.modules.items() if name == "torch" or name.startswith("torch.")}
        names = [f"{owner}.{name}" for owner, module in modules.items() for name in dir(module)]
    names += [f"torch.Tensor.{name}" for name in dir(torch.Tensor)]

    assert len(names) > 10_000
    assert [name for name in names if is_absent(name)] == []


@pytest.mark.parametrize(
    "name",
    """torch.nn.Modulelist torch.nn.softmax torch.Tensor.rand torch.nn.functional.Relu torch.DataLoader torch.backends.cudnn.benchmrak
    torch.nn.modules.Modulelist torch.optim.adam.Adan""".split(),
)
def test_no_version_has_what_is_misspelt_or_looked_for_in_the_wrong_place(name: str) -> None:
    assert is_absent(name)


@pytest.mark.parametrize(
    "name",
    """torch.rfft torch.gels torch.potrf torch.legacy torch.legacy.nn torch.utils.ffi torch.utils.ffi.create_extension torch.Tensor.trtrs
    torch.nn.functional.weak_script torch.utils.data.sharding torch.symeig torch.solve torch.nn.quantized.Linear""".split(),
)
def test_names_that_some_version_had_are_not_absent(name: str) -> None:
    assert not is_absent(name)


@pytest.mark.parametrize(
    "name",
    """torch.npu torch.Tensor.is_hpu torch.ops.library.op torch.classes.library.Class torch._C.nothing torch.nn.Linear.nothing
    torch.nothing.nothing torch.multiprocessing.Pool numpy.nothing torchvision.nothing""".split(),
)
def test_nothing_is_said_of_names_that_are_made_at_run_time_or_of_what_the_tables_do_not_tell(name: str) -> None:
    assert not is_absent(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("torch.nn.Modulelist", ("torch.nn.ModuleList",)),
        ("torch.nn.Conv2D", ("torch.nn.Conv2d",)),
        ("torch.nn.functional.Relu", ("torch.nn.functional.relu",)),
        ("torch.tenser", ("torch.tensor",)),
        ("torch.utils.data.DataSet", ("torch.utils.data.Dataset",)),
        ("torch.reshpae", ("torch.reshape",)),
        ("torch.frobnicate", ()),
        ("torch.nn.functional.mul", ()),
    ],
)
def test_near_is_the_same_word_spelt_otherwise(name: str, meant: tuple[str, ...]) -> None:
    assert near(name, NEWEST) == meant


def test_near_are_only_names_that_all_allowed_versions_have() -> None:
    assert near("torch.Accelerator", Range((2, 0), (2, 13))) == ()
    assert near("torch.Accelerator", NEWEST) == ("torch.accelerator",)


def test_elsewhere_is_where_torch_has_the_very_name() -> None:
    assert elsewhere("torch.DataLoader") == ("torch.utils.data.DataLoader",)
    assert elsewhere("torch.backends.mps.empty_cache") == ("torch.mps.empty_cache",)
    assert elsewhere("torch.nn.softmax")[:2] == ("torch.softmax", "torch.nn.functional.softmax")


def test_short_words_are_only_similar_to_themselves() -> None:
    assert similar("Mul", ["mul", "mum", "mull"]) == ["mul"]
    assert similar("mux", ["mul", "max"]) == []
