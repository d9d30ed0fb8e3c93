"""The tables that were read off torch's declarations, held against the torch that is installed: what it has, takes and does."""

import importlib
import inspect
import types
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torchlint.facts import versions
from torchlint.facts.classes import constants, held
from torchlint.facts.declared import Version, table, version_of
from torchlint.facts.operations import Overload, operation, overloads_of, schema_names
from torchlint.facts.signatures import former_parameters, own_signatures, signed_in
from torchlint.facts.tensors import DTYPES

INSTALLED: Version = version_of(".".join(torch.__version__.split(".")[:2]))
pytestmark = pytest.mark.skipif(INSTALLED not in versions.versions(), reason="a version of torch that no table was read from")

MODULES = """torch torch.amp torch.autograd torch.backends.cudnn torch.cpu torch.cuda torch.cuda.amp torch.distributed torch.distributions
torch.fft torch.func torch.jit torch.linalg torch.multiprocessing torch.nn torch.nn.functional torch.nn.init torch.nn.parallel
torch.nn.utils torch.nn.utils.rnn torch.nn.utils.parametrizations torch.optim torch.optim.lr_scheduler torch.optim.swa_utils torch.profiler
torch.random torch.sparse torch.special torch.utils torch.utils.checkpoint torch.utils.data torch.utils.data.distributed""".split()

HOMES = """torch.autograd.grad_mode torch.functional torch.nn.modules.activation torch.nn.modules.conv torch.nn.modules.loss
torch.nn.modules.module torch.nn.parallel.distributed torch.nn.parameter torch.optim.adam torch.optim.optimizer
torch.utils.data.dataloader torch.utils.data.dataset""".split()

ELSEWHERE = {
    "torch.distributed": {"ProcessGroupMPI", "ProcessGroupNCCL", "ProcessGroupUCC", "ProcessGroupXCCL"},  # where it was built with them
    "torch.utils": {"tensorboard"},  # where tensorboard is installed
    "torch.sparse": {"solve"},  # listed, and bound nowhere
}


@cache
def imported(name: str) -> Any:
    """The object of a dotted name; None where it cannot be imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            owner = imported(name.rpartition(".")[0]) if "." in name else None
            return getattr(owner, name.rpartition(".")[2], None)


@pytest.mark.parametrize("module", MODULES)
def test_every_name_that_the_table_gives_this_version_is_there(module: str) -> None:
    said = {name for name in versions.names_in(module) if INSTALLED in (versions.presence(f"{module}.{name}") or ())}
    absent = {name for name in said if not hasattr(imported(module), name) and imported(f"{module}.{name}") is None}

    assert said
    assert absent == ELSEWHERE.get(module, set())


@pytest.mark.parametrize("module", [module for module in MODULES if module not in ("torch", "torch.multiprocessing")])
def test_every_name_that_a_module_lists_is_in_the_table(module: str) -> None:
    """But for `torch.multiprocessing`, which offers all that the standard library's module does."""
    listed = {name for name in getattr(imported(module), "__all__", ()) if not name.startswith("_")}

    assert {name for name in listed if INSTALLED not in (versions.presence(f"{module}.{name}") or ())} == set()


def test_every_tensor_method_is_in_the_table() -> None:
    there = {name for name in dir(torch.Tensor) if not name.startswith("_")}

    assert {name for name in there if not versions.may_exist(f"torch.Tensor.{name}")} == set()


def test_every_public_name_of_torch_is_in_the_table() -> None:
    there = {name for name in dir(torch) if not name.startswith("_")}

    assert {name for name in there if not versions.may_exist(f"torch.{name}")} == set()


def test_usual_spellings_name_the_same_thing() -> None:
    compared = 0
    for section in (*MODULES, *HOMES):
        for name in versions.names_in(section):
            spelled, usual = f"{section}.{name}", versions.usual(f"{section}.{name}")
            if usual != spelled and INSTALLED in (versions.presence(spelled) or ()):
                compared += 1
                assert inspect.unwrap(imported(spelled)) is inspect.unwrap(imported(usual)), spelled
    assert compared > 60


def signed() -> Iterator[tuple[str, str, Any]]:
    """Sections of signatures with the Python functions of this torch that they are about."""
    for section in table("signatures.txt").sections():
        owner = imported(section) if section.startswith(CHECKED) else None
        for name in signed_in(section) if owner is not None else ():
            found = vars(owner).get(name)  # of a class its own alone: what it inherits has another history
            found = found.__func__ if isinstance(found, staticmethod | classmethod) else found
            if isinstance(found, types.FunctionType) and not {"args", "kwargs"} <= set(inspect.signature(found).parameters):
                yield section, name, found


CHECKED = (*(set(MODULES) - {"torch", "torch.distributed", "torch.utils"}), "torch.functional", "torch.Tensor")


def test_functions_take_what_the_table_says() -> None:
    """The parameters of this version, by the histories of parameters; in order, with kinds and defaults where no version differs."""
    checked = 0
    for section, name, function in signed():
        signature = own_signatures(section, name)[-1]
        real = list(inspect.signature(function).parameters.values())
        if signature.receiver is not None:
            assert real.pop(0).name == signature.receiver
        told = [parameter for parameter in signature.parameters if INSTALLED in parameter.presence]
        there = [parameter for parameter in real if parameter.name in {each.name for each in told}]
        assert {each.name for each in real} - {each.name for each in told} <= former(section, name), f"{section}.{name}"
        assert [each.name for each in there] == [each.name for each in told], f"{section}.{name}"
        assert [each.kind.name for each in there] == [each.kind.name for each in told], f"{section}.{name}"
        assert [each.default is not each.empty for each in there] == [each.has_default for each in told], f"{section}.{name}"
        checked += 1
    assert checked > 1500


def former(section: str, name: str) -> set[str]:
    return {parameter for parameter, presence in former_parameters(f"{section}.{name}").items() if INSTALLED in presence}


def declared() -> Iterator[tuple[Overload, Any]]:
    """Overloads of the table with the schemas of this torch."""
    there = {f"{each.name}.{each.overload_name}".rstrip("."): each for each in torch._C._jit_get_all_schemas()}
    for name in schema_names():
        for overload in overloads_of(name):
            schema = there.get(f"aten::{overload.name}")
            if schema is not None and not overload.is_undeclared:
                yield overload, schema


def test_operators_take_and_change_what_their_schemas_say() -> None:
    checked = 0
    for overload, schema in declared():
        assert [each.name for each in overload.arguments] == [each.name for each in schema.arguments], overload.name
        assert {each.name for each in overload.arguments if each.is_keyword_only} == {a.name for a in schema.arguments if a.kwarg_only}
        assert {each.name for each in overload.arguments if each.has_default} == {a.name for a in schema.arguments if a.has_default_value()}
        assert overload.changes == {a.name for a in schema.arguments if a.alias_info and a.alias_info.is_write}, overload.name
        assert len([each for each in overload.results if each.type != "()"]) == len(schema.returns), overload.name
        checked += 1
    assert checked > 1000


def test_operators_share_what_their_schemas_say() -> None:
    checked = 0
    for overload, schema in declared():
        returned = set().union(*(each.alias_info.before_set for each in schema.returns if each.alias_info))
        marked = [each for each in schema.arguments if each.alias_info and not each.alias_info.is_write]
        # The schema of an operator that returns views in a list, at run time, does not say so.
        if not any(result.type.endswith("[]") for result in overload.results):
            assert overload.shares == {each.name for each in marked if each.alias_info.before_set & returned}, overload.name
            checked += bool(overload.shares)
    assert checked > 50


def called(name: str, tensor: Any) -> Any:
    """What a method returns that is called without arguments; None where it does not take none, or not such a tensor."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(tensor, name)()
        except (RuntimeError, TypeError, AttributeError, NotImplementedError, ValueError, AssertionError, IndexError):
            return None


def methods() -> Iterator[str]:
    for name in versions.names_in("torch.Tensor"):
        known = operation(f"torch.Tensor.{name}")
        if (
            known is not None
            and known.is_known
            and callable(getattr(torch.Tensor, name, None))
            and name not in ("cuda", "xpu", "ipu", "share_memory_")
        ):
            yield name


def tensors(value: Any) -> list[Any]:
    return [each for each in (value if isinstance(value, list | tuple) else [value]) if isinstance(each, torch.Tensor)]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shape", [(2, 2), (1, 2, 3)])
def test_a_method_shares_memory_only_if_it_may_and_always_if_it_is_a_view(shape: tuple[int, ...], turned: bool) -> None:
    shared = 0
    for name in methods():
        tensor = torch.rand(shape).transpose(-1, -2) if turned else torch.rand(shape)
        known = operation(f"torch.Tensor.{name}")
        assert known is not None
        known = known.narrowed(1, ())
        for result in tensors(called(name, tensor)):
            shares = result.layout is torch.strided and result.untyped_storage().data_ptr() == tensor.untyped_storage().data_ptr()
            assert not shares or known.may_share, name
            assert shares or not known.is_view, name
            assert not (shares and known.copies), name
            shared += shares
    assert shared > 20


def test_a_method_with_an_underscore_changes_its_tensor_and_no_other_does() -> None:
    changed = 0
    for name in methods():
        tensor = torch.rand(2, 2)
        known = operation(f"torch.Tensor.{name}")
        assert known is not None
        result = called(name, tensor)
        if result is None or name in TOUCHES_NO_ELEMENTS:
            continue
        assert (tensor._version > 0) == ("self" in known.changes), name
        changed += tensor._version > 0
    assert changed > 50


TOUCHES_NO_ELEMENTS = frozenset({"requires_grad_", "detach_", "rename_", "set_"})


def test_what_has_no_derivative_leads_to_no_graph() -> None:
    flat = 0
    for name in methods():
        tensor = torch.rand(2, 2, requires_grad=True) * 1
        known = operation(f"torch.Tensor.{name}")
        assert known is not None
        known = known.narrowed(1, ())
        result = called(name, tensor)
        if name.endswith("_") or len(known.overloads) != 1 or not tensors(result):
            continue
        declared_results = known.overloads[0].results
        for each, told in zip(result if isinstance(result, tuple) else [result], declared_results, strict=False):
            assert told.is_differentiable or not each.requires_grad, name
            flat += not told.is_differentiable
    assert flat > 10


@pytest.mark.parametrize(
    ("module", "name"),
    [("ReLU", "relu"), ("Softmax", "softmax"), ("CrossEntropyLoss", "cross_entropy"), ("Conv2d", "conv2d"), ("Flatten", "flatten")],
)
def test_three_forms_are_one_operation(module: str, name: str) -> None:
    known = operation(f"torch.nn.{module}")

    assert known is not None
    assert known.name == name
    places = [place for place in ("torch", "torch.Tensor", "torch.nn.functional") if hasattr(imported(place), name)]
    forms = [operation(f"{place}.{name}") for place in places]
    assert forms
    assert all(form is not None and form.name == name for form in forms)


def test_every_constant_is_of_the_class_that_the_table_gives_it() -> None:
    there = {name: getattr(torch, name.rpartition(".")[2]) for name in constants() if INSTALLED in (versions.presence(name) or ())}
    missing = {name for name, value in vars(torch).items() if isinstance(value, torch.dtype) and f"torch.{name}" not in DTYPES}

    assert {name: f"torch.{type(value).__name__}" for name, value in there.items()} == {name: constants()[name] for name in there}
    assert missing == set()


def test_modules_hold_nothing_that_the_table_does_not_say() -> None:
    tried = []
    for name in versions.names_in("torch.nn"):
        said, module = held(f"torch.nn.{name}"), _made(getattr(torch.nn, name, None))
        if said is None or module is None:
            continue
        tried.append(name)
        found = {"parameters": module._parameters, "buffers": module._buffers, "children": module._modules}
        assert {what for what, entries in found.items() if any(each is not None for each in entries.values())} <= said, name

    assert len(tried) > 100


def _made(kind: Any) -> Any:
    """An instance of a module with numbers for whatever it needs; None where that is not enough."""
    if not (isinstance(kind, type) and issubclass(kind, torch.nn.Module)):
        return None
    needed = [
        each for each in inspect.signature(kind).parameters.values() if each.default is each.empty and each.kind < each.VAR_POSITIONAL
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return kind(*[2 for _ in needed])
    except (TypeError, ValueError, AttributeError, AssertionError, RuntimeError):
        return None
