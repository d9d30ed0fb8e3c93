"""How far the fix of TL301 goes: what it may do unasked, what only on request, and what it must not do at all."""

import textwrap
from pathlib import Path

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint
from torchlint.program.project import Project
from torchlint.settings import Settings

ONLY = Settings(select=("TL301",))
HEAD = "import random\nimport torch\nfrom torch import nn\n"


def net(body: str = "", after: str = "", *, before: str = "super().__init__()", layers: str = "[nn.Linear(4, 4) for _ in range(3)]") -> str:
    """A program with a class that hides its layers; lines for the class, and for the script behind it."""
    return (
        HEAD
        + f"\n\nclass Net(nn.Module):\n    def __init__(self):\n        {before}\n        self.layers = {layers}\n"
        + "        self.head = nn.Linear(4, 1)\n\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
        + "\n\nnet = Net()\n"
        + textwrap.dedent(after)
    )


ALL = "torch.optim.SGD(net.parameters(), lr=0.1)\n"

SAFE = {
    "walked": net("def forward(self, x):\n    for layer in self.layers:\n        x = layer(x)\n    return x", ALL),
    "trainable parameters only": net(after="torch.optim.Adam(filter(lambda p: p.requires_grad, net.parameters()))"),
    "looked at from outside": net(after=ALL + "print(len(net.layers), net.layers[0](torch.ones(1, 4)))"),
    "made by somebody who gets the class": net().replace("net = Net()", "def make(kind):\n    return kind()\n\n\nnet = make(Net)"),
    "a layer added from outside": net(after="net.layers.append(nn.Linear(4, 4))\n" + ALL),
    "built by a method after the base constructor": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self._build()

    def _build(self):
        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]

net = Net()
""",
}
ON_REQUEST = {
    "handed to the optimizer in a sum": net(
        after="ps = list(net.parameters())\nfor l in net.layers:\n    ps += list(l.parameters())\ntorch.optim.SGD(ps, lr=0.1)"
    ),
    "handed to the optimizer in groups": net(
        after="torch.optim.SGD([{'params': net.parameters()}, {'params': net.layers[0].parameters()}], lr=0.1)"
    ),
    "added as a group": net(
        "def hidden(self):\n    return [p for layer in self.layers for p in layer.parameters()]",
        "o = " + ALL + "o.add_param_group({'params': net.hidden()})",
    ),
    "collected where they are made": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 1)
        self.extra = []
        self.layers = []
        for _ in range(2):
            layer = nn.Linear(4, 4)
            self.layers.append(layer)
            self.extra += list(layer.parameters())

net = Net()
torch.optim.SGD(net.parameters(), lr=0.1)
""",
    "layers handed out one by one": net("def layer(self, number):\n    return self.layers[number]", ALL),
    "walked from outside": net("def __iter__(self):\n    return iter(self.layers)", "ps = [p for l in net for p in l.parameters()]"),
    "copied out": net("def all(self):\n    return [layer for layer in self.layers]", ALL),
    "yielded from": net("def __iter__(self):\n    yield from self.layers", ALL),
    "the optimizer gets something unknown": net(after="torch.optim.SGD(collect(net), lr=0.1)"),
    "stepped by hand": net(after="for l in net.layers:\n    l.weight.data -= 0.1 * l.weight.grad"),
    "mapped": net(after="ps = [*map(nn.Module.parameters, net.layers)]\n" + ALL),
    "under another name outside": net(after="layers = net.layers\n" + ALL),
    "found by its name": net(after="ps = getattr(net, 'layers')\n" + ALL),
    "found by a name that varies": net("def all(self, n):\n    return getattr(self, n) + [torch.relu]", ALL),
    "no instance in sight": net().replace("net = Net()", ""),
    "an own way to the attributes": net("def __delattr__(self, name):\n    super().__delattr__(name)", ALL),
}
NEVER = {
    "matched as a sequence": net("def ends(self):\n    match self.layers:\n        case [a, b]:\n            return a, b"),
    "built before the base constructor": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        self._build()
        super().__init__()

    def _build(self):
        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]

net = Net()
""",
    "attributes looked up by the class itself": net("def __getattr__(self, name):\n    return self.__class__.__dict__[name]"),
    "sampled": net("def some(self):\n    return random.sample(self.layers, 3)"),
    "read from the dict of the instance": net("def all(self):\n    return self.__dict__['layers']"),
    "read from its variables": net(after="print(vars(net)['layers'])"),
    "a function put in from outside": net(after="net.layers.append(torch.relu)"),
    "something unknown put in from outside": net(after="net.layers.insert(0, make())"),
    "shortened from outside": net(after="def shorten(n: Net):\n    n.layers.pop()\n"),
    "a function added in passing": net(
        "def forward(self, x):\n    for f in self.layers + (torch.relu,):\n        x = f(x)\n    return x",
        layers="(nn.Linear(4, 4), nn.Linear(4, 4))",
    ),
    "something unknown added in passing": net("def all(self, more):\n    return self.layers + more"),
    "walked backwards as a dict": net("def names(self):\n    return list(reversed(self.layers))", layers='{"a": nn.Linear(4, 4)}'),
}


def done(text: str, applicability: Applicability) -> str:
    return fix(text, ONLY, applicability=applicability).text


@pytest.mark.parametrize("text", SAFE.values(), ids=SAFE)
def test_layers_are_registered_unasked_where_nothing_else_changes(text: str) -> None:
    assert "nn.ModuleList(" in done(text, Applicability.SAFE)


@pytest.mark.parametrize("text", ON_REQUEST.values(), ids=ON_REQUEST)
def test_layers_are_registered_only_on_request_where_somebody_may_look_after_them(text: str) -> None:
    assert done(text, Applicability.SAFE) == text
    assert "nn.ModuleList(" in done(text, Applicability.UNSAFE)


@pytest.mark.parametrize("text", NEVER.values(), ids=NEVER)
def test_layers_are_reported_and_left_alone_where_a_wrap_would_break_something(text: str) -> None:
    assert [each.code for each in lint(text, ONLY)] == ["TL301"]
    assert done(text, Applicability.UNSAFE) == text


OTHERS = {
    "train.py": "from net import Net\nmodel = Net()\n",
    "grow.py": "import net\n\ndef grow(n):\n    n.layers.append(torch.relu)\n",
    "name.py": "def shrink(n):\n    getattr(n, 'layers').pop()\n",
    "sub.py": "from net import Net\nclass Sub(Net):\n    def shrink(self):\n        self.layers.pop()\n",
    "between.py": "from net import Net\nclass Between(Net):\n    pass\n",
    "below.py": "from between import Between\nclass Below(Between):\n    def shrink(self):\n        self.layers.pop()\n",
    "own.py": "class Other:\n    def all(self):\n        return self.layers\n",
}


@pytest.mark.parametrize(
    ("others", "safe"),
    [
        (["train.py"], True),
        (["train.py", "own.py"], True),
        ([], False),
        (["train.py", "grow.py"], False),
        (["train.py", "name.py"], False),
        (["sub.py"], False),
        (["between.py"], True),
        (["between.py", "below.py"], False),
    ],
)
def test_the_other_files_of_the_run_have_a_say(tmp_path: Path, others: list[str], safe: bool) -> None:
    text = net().replace("net = Net()", "")
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    for name in others:
        (tmp_path / name).write_text(OTHERS[name], encoding="utf-8")
    found = lint(text, ONLY, path=str(tmp_path / "net.py"), project=Project([tmp_path]))

    assert [each.fix is not None and each.fix.applicability is Applicability.SAFE for each in found] == [safe]
