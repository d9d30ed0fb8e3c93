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
    "something is registered with a module of torch": net(after="body = nn.Sequential()\nbody.add_module('tail', nn.ReLU())\n"),
    "put in front": net(after="net.layers.insert(0, nn.Linear(4, 4))\n" + ALL),
    "sliced, spread, counted, asked": net(
        """
        def forward(self, x):
            if not self.layers or self.head in self.layers:
                return nn.Sequential(*self.layers)(x)
            for layer in self.layers[:-1]:
                x = layer(x)
            return self.layers[-1](x) / len(self.layers)
        """,
        ALL,
    ),
    "a local list that is only filled": HEAD
    + """
class Net(nn.Module):
    def __init__(self, widths):
        super().__init__()
        layers = []
        for width in widths:
            layers.append(nn.Linear(layers[-1].out_features if len(layers) else 4, width))
        self.layers = layers

net = Net([4, 4])
""",
    "another class reads its own attributes by name": net(
        after="class Options:\n    def get(self, name):\n        return getattr(self, name)"
    ),
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
    "asked from outside by a name that varies": net(after="name = 'lay' + 'ers'\ngetattr(net, name).pop()\n"),
    "set from outside by a name that varies": net(after="setattr(net, 'lay' + 'ers', list(net.layers)[:1])\n"),
    "asked through a function": net(after="first = [*map(getattr, [net], names)]\n"),
    "named in a path": net(after="patch('net.layers', [])\n"),
    "named in a key": net(after="state = load()['layers.0.weight']\n"),
    "registered from outside": net(after="for i, layer in enumerate(net.layers):\n    net.register_module(f'l{i}', layer)\n"),
    "a slice under another name": net("def body(self):\n    body = self.layers[:]\n    body.append(torch.relu)\n    return body"),
    "printed": net(after="print(net.layers)\n"),
    "an own state dict": net("def state_dict(self, *args):\n    return {**super().state_dict(*args), 'depth': 3}"),
    "an own way to load": net("def __setstate__(self, state):\n    self.__dict__.update(state)").replace("self.__dict__.update", "restore"),
    "decorated": net().replace("class Net", "@enlist\nclass Net"),
    "made by a metaclass": net().replace("(nn.Module)", "(nn.Module, metaclass=Registering)"),
    "patched": net(after="Net.__init__ = adopting(Net.__init__)\n"),
    "made by a function that may keep the list": net(layers="many()", before="super().__init__()").replace(
        "class Net", "def many():\n    return [nn.Linear(4, 4), nn.Linear(4, 4)]\n\n\nclass Net"
    ),
    "no instance in sight": net().replace("net = Net()", ""),
    "an own way to the attributes": net("def __delattr__(self, name):\n    super().__delattr__(name)", ALL),
}
NEVER = {
    "put in before the last": net(after="net.layers.insert(-1, nn.Linear(4, 4))\n"),
    "put in behind the end": net("def grow(self):\n    self.layers.insert(99, nn.Linear(4, 4))"),
    "the result of append is used": net(after="print(net.layers.append(nn.Linear(4, 4)) is None)\n"),
    "the result of extend is kept": net(after="added = net.layers.extend([nn.Linear(4, 4)])\n"),
    "a method is taken without a call": net("def last(self):\n    pop = self.layers.pop\n    return pop()"),
    "a method is handed over": net("def pick(self):\n    return list(map(self.layers.get, 'ab'))", layers='{"a": nn.Linear(4, 4)}'),
    "target of a loop": net(after="for net.layers in ([nn.Identity()],):\n    pass\n"),
    "target of a with": net(after="with opened() as net.layers:\n    pass\n"),
    "starred target": net(after="first, *net.layers = nn.Identity(), nn.Identity()\n"),
    "a number as a key from outside": net(after="net.layers[3] = nn.Linear(4, 4)\n", layers='{"a": nn.Linear(4, 4)}'),
    "shortened while it is walked": net("def thin(self):\n    for layer in self.layers:\n        del self.layers[0]"),
    "grown by a method while it is walked": net(
        "def grow(self):\n    self.layers.append(nn.Linear(4, 4))", "for layer in net.layers:\n    net.grow()\n    break\n"
    ),
    "turned around in slices": net("def halves(self):\n    self.layers[:1].reverse()"),
    "deleted": net("def forget(self):\n    del self.layers"),
    "a list that a closure goes on filling": HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Linear(4, 4)]

        def grow():
            layers.append(nn.Linear(4, 4))

        self.layers = layers
        grow()

net = Net()
""",
    "a list that is kept elsewhere": HEAD
    + """
KEPT = {}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Linear(4, 4)]
        KEPT["layers"] = layers
        self.layers = layers

net = Net()
""",
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


DICTS = {
    "keys that vary, from outside": "for name in names:\n    net.layers[name] = nn.Linear(4, 4)\n",
    "another dict": "net.layers.update(more())\n",
    "a formatted key": "net.layers.update({f'{number}': nn.Linear(4, 4)})\n",
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


@pytest.mark.parametrize("after", DICTS.values(), ids=DICTS)
def test_a_dict_is_registered_unasked_only_where_all_its_keys_can_be_read(after: str) -> None:
    seen, unseen = (net(after=each, layers='{"a": nn.Linear(4, 4)}') for each in (ALL, after))

    assert "nn.ModuleDict(" in done(seen, Applicability.SAFE)
    assert [each.code for each in lint(unseen, ONLY)] == ["TL301"]
    assert done(unseen, Applicability.SAFE) == unseen


WALKED = '{name: nn.Linear(4, 4) for name in ("left", "right")}'


def test_keys_that_a_loop_over_literals_yields_can_be_read() -> None:
    refused = net(layers=WALKED.replace("right", "the.right"))

    assert "nn.ModuleDict(" in done(net(layers=WALKED), Applicability.SAFE)
    assert "nn.ModuleDict(" in done(net(after="for n in ['up']:\n    net.layers[n] = nn.Linear(4, 4)\n", layers=WALKED), Applicability.SAFE)
    assert done(refused, Applicability.UNSAFE) == refused


def test_what_a_star_brings_along_is_known(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(4, 4)\n",
        encoding="utf-8",
    )
    text = net(layers="[Block(), Block()]").replace(HEAD, "from layers import *\n")
    path = str(tmp_path / "net.py")
    (tmp_path / "net.py").write_text(text, encoding="utf-8")

    assert [each.code for each in lint(text, ONLY, path=path, project=Project([tmp_path]))] == ["TL301"]
    fixed = fix(text, ONLY, path=path, project=Project([tmp_path]), applicability=Applicability.UNSAFE).text
    assert fixed == text.replace("[Block(), Block()]", "nn.ModuleList([Block(), Block()])")
    assert lint("from unseen import *\n" + text, ONLY, path=path, project=Project([tmp_path]))
    assert not lint(text.replace("layers import *", "layers import *\nfrom unseen import *"), ONLY, path=path, project=Project([tmp_path]))


def test_a_quoted_annotation_is_read() -> None:
    text = HEAD + "class Net(nn.Module):\n    def __init__(self, given: {}):\n        super().__init__()\n        self.experts = given\n"

    for annotation in ('"list[nn.Module]"', 'list["nn.Module"]', "\"list['Part']\""):
        found = lint(text.format(annotation) + "\n\nclass Part(nn.Module):\n    pass\n", ONLY)
        assert [each.code for each in found] == ["TL301"]
    assert not lint(text.format('"list[nn.Modul("'), ONLY)


OTHERS = {
    "train.py": "from net import Net\nmodel = Net()\n",
    "grow.py": "import net\n\ndef grow(n):\n    n.layers.append(torch.relu)\n",
    "name.py": "def shrink(n):\n    getattr(n, 'layers').pop()\n",
    "key.py": "def depth(state):\n    return state['layers.2.weight']\n",
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
        (["train.py", "key.py"], False),
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
