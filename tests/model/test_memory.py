"""Who shares memory, who changes it in place, who reads it afterwards: the questions that rules ask."""

import libcst as cst
import pytest
from probing import model, probed

from torchlint.model import FileModel
from torchlint.values.events import Happens


def read(code: str) -> FileModel:
    return FileModel(model(code))


def function(file: FileModel, name: str = "f") -> cst.FunctionDef:
    (found,) = (each for each in file.nodes(cst.FunctionDef) if each.name.value == name)
    return found


# -- what shares memory ------------------------------------------------------------------------------------------------

SURE = """x|x.view(-1)|x.data|x.T|x.detach()|x[0]|x[:, 1]|x[..., None]|x.unsqueeze(0).squeeze()|x.split(2)|x.chunk(2)[0]
|torch.transpose(x, 0, 1)|torch.squeeze(x)|x.add_(1)|F.relu(x, inplace=True)|torch.add(x, 1, out=x)|nn.init.zeros_(x)
|nn.Parameter(x)|[x]|{'a': [x]}|(y, x)
|nn.ReLU(True)(x)|nn.ReLU6(inplace=True)(x)|(x if y else x[0])|x.real"""
UNSURE = """x.reshape(-1)|x.contiguous()|x.to(y)|x[y]|x.float()|y(x)|helper(x)|x.flatten()|torch.as_tensor(x)
|(x if y else y)|x.cpu().numpy()|nn.Sequential(nn.Linear(2, 2), nn.ReLU(True))(x)"""
NEVER = """x.clone()|x + 1|x[[0, 1]]|x[x > 0]|torch.exp(x)|x.sum(0)|torch.zeros(3)|nn.ReLU()(x)|F.relu(x)|x.sub(1)|x.tolist()|x.shape
|[x.clone()]|nn.Linear(2, 2)(x)|x.index_select(0, y)|torch.cat([x, x])"""
GIVEN = "def helper(v):\n    return v.view(-1) if v.dim() else v.clone()\ndef f(x: torch.Tensor, y):\n    probe = "


def shares(made: str) -> tuple[bool, bool]:
    file = read(GIVEN + made)
    value, parameter = file.value(probed(file.analysis)), file.analysis.flow(function(file)).parameters["x"]
    assert file.memory.shares(parameter, value) == file.memory.shares(value, parameter)
    return file.memory.shares(value, parameter), file.memory.may_share(value, parameter)


@pytest.mark.parametrize("made", SURE.replace("\n", "").split("|"))
def test_views_and_containers_share(made: str) -> None:
    assert shares(made) == (True, True)


@pytest.mark.parametrize("made", UNSURE.replace("\n", "").split("|"))
def test_what_may_be_a_copy_is_not_sure(made: str) -> None:
    assert shares(made) == (False, True)


@pytest.mark.parametrize("made", NEVER.replace("\n", "").split("|"))
def test_results_of_their_own_do_not_share(made: str) -> None:
    assert shares(made) == (False, False)


def test_two_parts_of_one_tensor_need_not_overlap() -> None:
    file = read("def f(x: torch.Tensor):\n    a = x[0]\n    b = x[1]\n    c = x.view(-1)\n")
    a, b, c = (file.value(each.value) for each in file.nodes(cst.Assign))

    assert not file.memory.shares(a, b)
    assert file.memory.may_share(a, b)
    assert file.memory.shares(a, c)


def test_a_tensor_that_is_carried_through_a_loop_is_still_the_one_it_began_as() -> None:
    file = read(
        "def f(n):\n    x = start = torch.zeros(3)\n    for _ in range(n):\n        if n:\n            x += 1\n    probe = x, start\n"
    )
    (x, start) = file.value(probed(file.analysis)).items or ()

    assert file.memory.shares(x, start)


def test_buffers_that_change_places_share_nothing_for_sure() -> None:
    file = read(
        "def f(n):\n    x = torch.zeros(3)\n    y = torch.zeros(3)\n    for _ in range(n):\n        x, y = y, x\n    probe = x, y\n"
    )
    (x, y) = file.value(probed(file.analysis)).items or ()

    assert not file.memory.shares(x, y)


def test_thousands_of_changes_are_one_memory_as_far_as_one_can_see() -> None:
    file = read("x = torch.zeros(3)\n" + "x += 1\n" * 3000 + "if x.sum():\n    x += 1\n" * 300 + "probe = x\n")

    assert file.memory.shares(file.value(probed(file.analysis)), file.value(probed(file.analysis)))


# -- what changes it ---------------------------------------------------------------------------------------------------


CHANGES = """x += 1|x[0] = 1|x[0] += 1|x.data[y] = 1|x.add_(1)|x.data = y|x.data.mul_(2)|torch.relu_(x)|nn.init.zeros_(x)
|F.relu(x, inplace=True)|torch.add(y, 1, out=x)|nn.ReLU(inplace=True)(x)|nn.Sequential(nn.ReLU(True), nn.Linear(2, 2))(x)
|x.view(-1)[0] = 1|x.copy_(y)|scale(x)|scale(factor=2, v=x[0])"""


def changes(code: str) -> list[str]:
    file = read(code)
    return [file.source(each.node) for each in file.memory.changes()]


@pytest.mark.parametrize("change", CHANGES.replace("\n", "").split("|"))
def test_changes_in_place_are_seen_in_every_form(change: str) -> None:
    file = read(f"def scale(v, factor=1):\n    w = v.unsqueeze(0)\n    w *= factor\ndef f(x: torch.Tensor, y):\n    {change}\n")
    parameter = file.analysis.flow(function(file)).parameters["x"]

    assert list(file.memory.changes(function(file), of=parameter))


@pytest.mark.parametrize(
    "statement", ["x = x + 1", "x.add(1)", "x.requires_grad_()", "x.shape[0]", "x.clone().add_(1)", "y += x", "F.relu(x)"]
)
def test_other_statements_change_nothing(statement: str) -> None:
    file = read(f"def f(x: torch.Tensor, y):\n    {statement}\n")
    parameter = file.analysis.flow(function(file)).parameters["x"]

    assert not list(file.memory.changes(function(file), of=parameter))


def test_changes_come_in_their_order_with_their_conditions() -> None:
    file = read("def f(x: torch.Tensor, y):\n    x += 1\n    if y:\n        x.mul_(2)\n    x[0] = 3\n")
    found = list(file.memory.changes(function(file)))

    assert [file.source(each.node) for each in found] == ["x += 1", "x.mul_(2)", "x[0]"]
    assert [len(each.when) for each in found] == [0, 1, 0]


def test_a_step_of_an_optimizer_is_no_change_in_place() -> None:
    assert (
        changes("def f(model: nn.Linear, loss):\n    opt = torch.optim.SGD(model.parameters())\n    loss.backward()\n    opt.step()\n")
        == []
    )


@pytest.mark.parametrize(("call", "expected"), [("unknown(x)", True), ("x.reshape(-1).add_(1)", True), ("print(x.sum())", False)])
def test_a_call_out_of_sight_may_change_what_it_is_given(call: str, expected: bool) -> None:
    file = read(f"def f(x: torch.Tensor):\n    {call}\n")

    assert file.memory.may_change(function(file), file.analysis.flow(function(file)).parameters["x"]) is expected


# -- what reads it afterwards ------------------------------------------------------------------------------------------


def reads(body: str) -> list[int]:
    """The lines of the body that read the memory of `x` after its first change."""
    file = read("def f(x: torch.Tensor, y):\n" + "".join(f"    {line}\n" for line in body.splitlines()))
    first = next(file.memory.changes(function(file)))
    assert first.target is not None
    found = file.memory.reads(first.target, first.site)
    lines = file.text.splitlines()
    start = lines.index("def f(x: torch.Tensor, y):")
    return sorted({file.text[: file.span(each)[0]].count("\n") - start for each in found})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x += 1\nprint(x)", [2]),
        ("v = x.view(-1)\nx += 1\nx = y\nprint(x, v)", [4]),
        ("print(x)\nx += 1\nx = x.clone()\nprint(x)", [3]),
        ("x += 1\nprint(x.shape, len(x))\nx is None\nx[0] = 1", []),
        ("for i in y:\n    print(x)\n    x += 1", [2, 3]),
        ("xs = [x]\nx += 1\nreturn xs", [3]),
        ("c = x.clone()\nx += 1\nprint(c)", []),
    ],
)
def test_reads_after_a_change(body: str, expected: list[int]) -> None:
    assert reads(body) == expected


# -- as rules ask ------------------------------------------------------------------------------------------------------


def test_who_writes_through_data() -> None:
    """TL107"""
    file = read(
        "def f(w: torch.Tensor, v):\n    w.data.mul_(2)\n    w.data[0] = 1\n    d = w.data\n    d += 1\n    w.data = v\n    w.mul_(2)\n"
    )
    through = [
        each
        for each in file.memory.changes()
        if isinstance(each.node, cst.Attribute) or each.target is not None and isinstance(each.target.node, cst.Attribute)
    ]

    assert [file.source(each.node) for each in through] == ["w.data.mul_(2)", "w.data[0]", "d += 1", "w.data"]


def test_who_changes_a_leaf_that_is_recorded() -> None:
    """TL113"""
    file = read("""
    w = torch.zeros(3, requires_grad=True)
    v = torch.zeros(3)
    w += 1
    w.data += 2
    v += 3
    with torch.no_grad():
        w += 4
        update(w)
    def update(p):
        p -= 5
    def scratch(net: nn.Linear):
        net.weight.mul_(6)
        nn.init.zeros_(net.weight)
    """)
    leaves = [
        each for each in file.memory.changes() if each.recorded and each.target is not None and each.target.leaf and each.target.has_graph
    ]

    assert [file.source(each.node) for each in leaves] == ["w += 1", "net.weight.mul_(6)"]


def test_whose_result_is_given_a_new_name() -> None:
    """TL114"""
    file = read("""
    def f(x: torch.Tensor):
        z = x.add_(1)
        x = x.mul_(2)
        x.sub_(3)
        y = torch.relu_(x)
        v = torch.zeros(1).add_(2)
    """)
    found = []
    for change in file.memory.changes():
        above = file.parent(change.node)
        if isinstance(above, cst.Assign) and isinstance(change.node, cst.Call):
            names = {each.value for each in file.memory.names(change)}
            found += [file.source(change.node) for each in above.targets if names and file.source(each.target) not in names]

    assert found == ["x.add_(1)", "torch.relu_(x)"]


STATES = {
    "model.state_dict()": True,
    "{k: v for k, v in model.state_dict().items()}": True,
    "dict(best=model.state_dict())": True,
    "model": True,
    "copy.deepcopy(model.state_dict())": False,
    "{k: v.clone() for k, v in model.state_dict().items()}": False,
}


@pytest.mark.parametrize("kept", STATES)
def test_what_is_kept_of_a_model_changes_with_it(kept: str) -> None:
    """TL222"""
    file = read(f"""
    import copy
    def f(model: nn.Linear, opt: torch.optim.SGD, batches):
        for batch in batches:
            loss = model(batch).sum()
            loss.backward()
            opt.step()
            if loss < 1:
                best = {kept}
        model.load_state_dict(best)
    """)
    (assigned,) = (each for each in file.nodes(cst.Assign) if file.source(each.targets[0].target) == "best" and file.loops(each))
    value, flow = file.value(assigned.value), file.analysis.flow(function(file))
    (step,) = (each.site for each in flow.events.values() if each.what is Happens.STEP)

    assert file.memory.shares(value, flow.parameters["model"]) is STATES[kept]
    assert [file.source(file.statement(each)).strip() for each in file.memory.reads(value, step)][-1:] == ["model.load_state_dict(best)"]


FORWARDS = {
    "x += 1\n        return x": True,
    "x[:, 0] = 0\n        return self.layer(x)": True,
    "return self.relu(x)": True,
    "x = self.layer(x)\n        return self.relu(x)": False,
    "x = x + 1\n        x += 1\n        return x": False,
    "x = x.clone()\n        x[0] = 1\n        return x": False,
}


@pytest.mark.parametrize("body", FORWARDS)
def test_whether_forward_changes_its_argument(body: str) -> None:
    """TL320"""
    file = read(f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.relu = nn.ReLU(inplace=True)
    def forward(self, x):
        {body}
def use(batch: torch.Tensor):
    net = Net()
    out = net(batch)
    return out - batch
""")
    forward = function(file, "forward")
    argument = file.analysis.flow(forward).parameters["x"]
    assert bool(list(file.memory.changes(forward, of=argument))) is FORWARDS[body]

    caller = function(file, "use")
    batch = file.analysis.flow(caller).parameters["batch"]
    used = [file.source(name) for event in file.memory.changes(caller, of=batch) for name in file.memory.reads(batch, event.site)]
    assert ("batch" in used) is FORWARDS[body]
