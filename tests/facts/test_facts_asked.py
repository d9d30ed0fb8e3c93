"""What the answers built on the tables say, without torch: spellings, versions, operations, and the sets that the model asks."""

import subprocess
import sys

import pytest

from torchlint.facts import classes, versions
from torchlint.facts.asked import Asked
from torchlint.facts.module_attributes import MODULE_ATTRIBUTES, MODULE_DICT_KEYS_TAKEN
from torchlint.facts.modules import (
    LOSS_MODULES,
    LOSSES_WEIGHTED_FIRST,
    MODAL_MODULES,
    MODULES_THAT_MAY_LEAVE_OUT,
    MODULES_WITH_TWO_STATES,
    NON_MODULES_IN_NN,
    RECURRENT_MODULES,
    STATELESS_MODULES,
    TENSOR_MODULES,
    TUPLE_MODULES,
    WEIGHTLESS_MODULES,
)
from torchlint.facts.operations import Form, modules_of, operation, parse
from torchlint.facts.signatures import Kind, bases, former_parameters, signatures
from torchlint.facts.signatures import parse as parse_signature
from torchlint.facts.tensors import (
    DTYPES,
    FACTORIES,
    FUNCTIONS,
    LISTS_OF_TENSORS,
    LOSSES,
    MEASURES_OF_DISTRIBUTIONS,
    MOVES,
    MOVES_TO_ACCELERATORS,
    NUMBERS,
    OPERATIONS,
    PAIRS,
    VIEWS,
    WITHOUT_GRAPH,
)


@pytest.mark.parametrize(
    ("asked", "members", "others"),
    [
        (PAIRS, "max min sort topk nanmedian cummax", "sum maximum append"),
        (LISTS_OF_TENSORS, "chunk split unbind tensor_split", "stack view split_"),
        (WITHOUT_GRAPH, "argmax eq isnan nonzero long ones_like", "sum relu sort item append"),
        (NUMBERS, "item numel size dim is_contiguous __len__", "sum tolist numpy append"),
        (VIEWS, "view transpose unsqueeze detach split unfold", "reshape contiguous to clone relu flatten"),
        (OPERATIONS, "relu matmul cat softmax interpolate arctan2", "add_ max split append index count copy"),
        (LOSSES, "cross_entropy mse_loss kl_div", "relu softmax"),
        (
            FACTORIES,
            "torch.zeros torch.tensor torch.randn_like torch.linspace torch.hann_window",
            "torch.relu torch.from_numpy zeros torch.nn.functional.relu",
        ),
        (LOSS_MODULES, "torch.nn.CrossEntropyLoss torch.nn.KLDivLoss", "torch.nn.ReLU torch.nn.functional.mse_loss CrossEntropyLoss"),
        (
            NON_MODULES_IN_NN,
            "torch.nn.Parameter torch.nn.UninitializedParameter torch.nn.ParameterList",
            "torch.nn.Linear torch.nn.Conv2d torch.nn.X",
        ),
        (STATELESS_MODULES, "torch.nn.ReLU torch.nn.MaxPool2d torch.nn.L1Loss", "torch.nn.Dropout torch.nn.Linear torch.nn.BCELoss ReLU"),
        (WEIGHTLESS_MODULES, "torch.nn.ReLU torch.nn.Dropout2d torch.nn.RReLU", "torch.nn.BatchNorm1d torch.nn.DataParallel torch.nn.X"),
        (MODAL_MODULES, "torch.nn.Dropout torch.nn.BatchNorm2d torch.nn.AlphaDropout", "torch.nn.ReLU torch.nn.LayerNorm"),
        (LOSSES_WEIGHTED_FIRST, "torch.nn.CrossEntropyLoss torch.nn.BCELoss", "torch.nn.MSELoss torch.nn.MultiMarginLoss torch.nn.Linear"),
        (TENSOR_MODULES, "torch.nn.Linear torch.nn.LazyConv2d torch.nn.GRUCell torch.nn.Dropout", "torch.nn.LSTM torch.nn.ModuleList"),
        (RECURRENT_MODULES, "torch.nn.LSTM torch.nn.GRU torch.nn.RNN", "torch.nn.LSTMCell torch.nn.Linear"),
        (TUPLE_MODULES, "torch.nn.GRU torch.nn.LSTMCell torch.nn.MultiheadAttention", "torch.nn.GRUCell torch.nn.Linear"),
        (MODULES_WITH_TWO_STATES, "torch.nn.LSTM", "torch.nn.GRU torch.nn.LSTMCell"),
        (MODULES_THAT_MAY_LEAVE_OUT, "torch.nn.MultiheadAttention", "torch.nn.LSTMCell torch.nn.GRU"),
        (DTYPES, "torch.float torch.int64 torch.float8_e5m2 torch.int4", "torch.strided torch.zeros float torch.Tensor"),
        (MOVES, "to cuda cpu half type", "long numpy requires_grad_ clone state_dict"),
        (MOVES_TO_ACCELERATORS, "cuda xpu", "cpu to half type"),
        (FUNCTIONS, "torch.relu torch.nn.functional.softmax torch.linalg.norm torch.special.expit", "torch.save relu torch.optim.relu"),
        (MEASURES_OF_DISTRIBUTIONS, "log_prob rsample entropy", "sample expand support mean"),
        (MODULE_ATTRIBUTES, "forward register_buffer training type", "layers keys"),
        (MODULE_DICT_KEYS_TAKEN, "forward keys pop", "layers"),
    ],
)
def test_names_belong_where_the_declarations_put_them(asked: Asked, members: str, others: str) -> None:
    assert [name for name in members.split() if name not in asked] == []
    assert [name for name in others.split() if name in asked] == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("torch.optim.AdamW", classes.OPTIMIZER),
        ("torch.optim.lr_scheduler.StepLR", classes.SCHEDULER),
        ("torch.optim.lr_scheduler._LRScheduler", classes.SCHEDULER),
        ("torch.optim.swa_utils.AveragedModel", classes.MODULE),
        ("torch.optim.swa_utils.SWALR", classes.SCHEDULER),
        ("torch.optim.TooNewToBeKnown", classes.OPTIMIZER),
        ("torch.nn.LazyConv2d", classes.MODULE),
        ("torch.nn.Parameter", classes.TENSOR),
        ("torch.LongTensor", classes.TENSOR),
        ("torch.utils.data.TensorDataset", classes.DATASET),
        ("torch.utils.data.WeightedRandomSampler", classes.SAMPLER),
        ("torch.distributions.Normal", classes.DISTRIBUTION),
        ("torch.cuda.amp.GradScaler", classes.SCALER),
        ("lightning.fabric.Fabric", classes.MANAGER),
        ("torch.optim.lr_scheduler", None),
        ("torch.distributions.AffineTransform", None),
        ("torch.relu", None),
        ("numpy.zeros", None),
    ],
)
def test_what_an_instance_is_follows_from_what_its_class_inherits_from(path: str, expected: str | None) -> None:
    assert classes.root(path) == expected


def test_nothing_is_read_before_something_is_asked() -> None:
    code = "import torchlint.engine, torchlint.facts.tensors, torchlint.facts.names; from torchlint.facts.declared import table; "
    code += (
        "print(table.cache_info().currsize); from torchlint.facts.tensors import PAIRS; 'max' in PAIRS; print(table.cache_info().currsize)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert printed[0] == "0"
    assert int(printed[1]) > 0


def test_rules_are_loaded_without_reading_the_tables() -> None:
    code = "from torchlint.facts.declared import table; from torchlint.rule import load_rules; load_rules(); "
    code += "print(table.cache_info().currsize)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("torch.optim.Muon", (2, 9), None),
        ("torch.optim.Adam", None, None),
        ("torch.optim.adam.Adam", None, None),
        ("torch.optim.Adam.zero_grad", None, None),
        ("torch.nn.RMSNorm", (2, 4), None),
        ("torch.amp.GradScaler", (2, 3), None),
        ("torch.int4", (2, 6), None),
    ],
)
def test_versions_that_have_a_name(name: str, first: versions.Version | None, last: versions.Version | None) -> None:
    presence = versions.presence(name)

    assert presence is not None
    assert (presence.first, presence.last) == (first, last)
    assert (2, 13) in presence
    assert ((2, 0) in presence) == (first is None)


def test_of_an_unknown_name_nothing_is_known_but_what_is_near() -> None:
    assert versions.presence("torch.nn.Linaer") is None
    assert not versions.may_exist("torch.nn.Linaer")
    assert versions.nearest("torch.nn.Linaer") == "torch.nn.Linear"
    assert versions.nearest("torch.optim.Muom", (2, 8)) is None
    assert versions.nearest("torch.optim.Muom", (2, 9)) == "torch.optim.Muon"
    assert versions.nearest("torch.nn.Frobnicator") is None


@pytest.mark.parametrize(
    ("spelled", "usual"),
    [
        ("torch.nn.modules.linear.Linear", "torch.nn.Linear"),
        ("torch.nn.modules.linear.Linear.forward", "torch.nn.Linear.forward"),
        ("torch.autograd.grad_mode.no_grad", "torch.no_grad"),
        ("torch.functional.einsum", "torch.einsum"),
        ("torch.nn.Linear", "torch.nn.Linear"),
        ("torch.nothing.at.all", "torch.nothing.at.all"),
        ("numpy.zeros", "numpy.zeros"),
    ],
)
def test_usual_spelling(spelled: str, usual: str) -> None:
    assert versions.usual(spelled) == usual


def test_a_constructor_takes_what_its_class_or_a_base_declares() -> None:
    (sgd,) = signatures("torch.optim.SGD")
    (dropout,) = signatures("torch.nn.Dropout")

    assert [parameter.name for parameter in sgd.parameters][:3] == ["params", "lr", "momentum"]
    assert sgd.receiver == "self"
    assert sgd["lr"].default == 0.001
    assert sgd["fused"].kind is Kind.KEYWORD_ONLY
    assert not sgd["params"].has_default
    assert [(each.name, each.default) for each in dropout.parameters] == [("p", 0.5), ("inplace", False)]
    assert bases("torch.optim.SGD") == ("torch.optim.Optimizer",)
    assert bases("torch.relu") is None


def test_overloads_are_all_there() -> None:
    assert {tuple(each.name for each in signature.parameters) for signature in signatures("torch.Tensor.max")} == {
        (),
        ("other",),
        ("dim", "keepdim"),
    }
    assert signatures("torch.nothing") == ()


def test_parameters_that_came_and_went() -> None:
    (recorded,) = signatures("torch.utils.data.DataLoader")

    assert recorded["in_order"].presence.first == (2, 6)
    assert recorded["batch_size"].presence is not None
    assert (2, 0) in recorded["batch_size"].presence
    assert (2, 5) in former_parameters("torch.optim.lr_scheduler.LRScheduler")["verbose"]


def test_a_line_of_a_signature() -> None:
    signature = parse_signature("f(self, a, b=(1, 2), /, c=')', *rest, d=..., **more) -> Tensor", receives=True)

    assert [(each.name, each.kind.value, each.written) for each in signature.parameters] == [
        ("a", "positional only", None),
        ("b", "positional only", "(1, 2)"),
        ("c", "positional or keyword", "')'"),
        ("rest", "*", None),
        ("d", "keyword only", "..."),
        ("more", "**", None),
    ]
    assert signature["d"].default is ...
    assert signature.result == "Tensor"
    with pytest.raises(LookupError):
        _ = signature["a"].default


def test_a_line_of_an_operator() -> None:
    overload = parse(
        "f.x(Tensor(a) self, Tensor(b!) other, *, int n=1) -> (Tensor(a) one, Tensor two) | method nondifferentiable=1 inplace_view"
    )

    assert overload.shares == {"self"}
    assert overload.changes == {"other"}
    assert [(each.name, each.is_keyword_only, each.has_default) for each in overload.arguments] == [
        ("self", False, False),
        ("other", False, False),
        ("n", True, True),
    ]
    assert [(each.name, each.is_differentiable) for each in overload.results] == [("one", True), ("two", False)]
    assert overload.forms == {Form.METHOD}
    assert overload.tags == {"inplace_view"}


@pytest.mark.parametrize(
    ("path", "name", "form"),
    [
        ("torch.softmax", "softmax", Form.FUNCTION),
        ("torch.Tensor.softmax", "softmax", Form.METHOD),
        ("torch.nn.functional.softmax", "softmax", Form.FUNCTION),
        ("torch.nn.Softmax", "softmax", Form.MODULE),
        ("torch.nn.modules.loss.CrossEntropyLoss", "cross_entropy", Form.MODULE),
        ("torch.linalg.norm", "linalg_norm", Form.FUNCTION),
    ],
)
def test_which_operation_a_call_is(path: str, name: str, form: Form) -> None:
    known = operation(path)

    assert known is not None
    assert (known.name, known.form) == (name, form)


def test_what_is_no_operation() -> None:
    assert operation("torch.optim.Adam") is None
    assert operation("torch.nn.LSTM") is None
    assert operation("numpy.add") is None


def test_overloads_narrow_by_what_a_call_gives() -> None:
    largest = operation("torch.Tensor.max")
    assert largest is not None

    assert [each.name for each in largest.narrowed(1, ()).overloads if not each.arguments[1:]] == ["max"]
    assert [each.name for each in largest.narrowed(1, {"dim"}).overloads] == ["max.dim"]
    assert largest.results is None
    assert largest.narrowed(1, {"dim"}).results is not None


def test_what_operations_do() -> None:
    def known(path: str):
        found = operation(path)
        assert found is not None
        return found

    assert known("torch.Tensor.add_").changes == {"self"}
    assert known("torch.add").changes == frozenset()
    assert known("torch.Tensor.view").is_view
    assert known("torch.Tensor.reshape").may_share
    assert not known("torch.Tensor.reshape").is_view
    assert [known(f"torch.Tensor.{name}").copies for name in ("clone", "exp", "view", "reshape", "add_")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert known("torch.exp").copies
    assert known("torch.nn.functional.relu").shares == frozenset()
    assert known("torch.nonzero").waits
    assert known("torch.Tensor.item").waits
    assert known("torch.Tensor.tolist").waits
    assert not known("torch.relu").may_wait
    assert known("torch.nn.Dropout").is_random
    assert not known("torch.argmax").may_have_graph
    assert known("torch.nn.functional.interpolate").may_have_graph
    assert "torch.nn.Softmax" in modules_of("softmax")
