"""What an expression yields: its kind, its graph and its place, from constructors, annotations, uses, callers and followed helpers."""

import pytest
from probing import model, probed, shown, value

from torchlint.values.value import Graph, Kind, Place

MODEL = "net = nn.Linear(2, 2)\n"
CLASS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.width = 2
        self.scale = nn.Parameter(torch.ones(1))
    def forward(self, x):
        return self.layer(x)
"""
CONSTRUCTED = {
    "module": ("probe = nn.Linear(2, 2)", "module"),
    "imported module": ("from torch.nn import Linear as L\nprobe = L(2, 2)", "module"),
    "loss": ("probe = nn.MSELoss()", "module"),
    "own module": (CLASS + "probe = Net()", "module"),
    "own module, inherited": (CLASS + "class Other(Net): pass\nprobe = Other()", "module"),
    "own class": ("class A: pass\nprobe = A()", "object"),
    "optimizer": (MODEL + "probe = torch.optim.SGD(net.parameters())", "optimizer"),
    "scheduler": (MODEL + "o = torch.optim.SGD(net.parameters())\nprobe = torch.optim.lr_scheduler.StepLR(o, 1)", "scheduler"),
    "scaler": ("probe = torch.amp.GradScaler()", "gradient scaler"),
    "loader": ("from torch.utils.data import DataLoader\nprobe = DataLoader(x)", "data loader"),
    "parameters": (MODEL + "probe = net.parameters()", "parameters"),
    "device": ("probe = torch.device('cuda')", "device"),
    "dtype": ("probe = torch.float16", "dtype"),
    "factory": ("probe = torch.zeros(2)", "tensor plain cpu"),
    "factory on a device": ("probe = torch.zeros(2, device='cuda')", "tensor plain accelerator"),
    "parameter": ("probe = nn.Parameter(torch.zeros(2))", "tensor graph"),
    "number": ("probe = 2 * 3 + 1", "number"),
    "string": ("probe = f'{x}'", "string"),
    "none": ("probe = None", "none"),
    "list": ("probe = [1]", "list"),
    "dict": ("probe = {'a': 1}", "dict"),
    "tuple": ("probe = 1, 2", "tuple"),
    "function": ("def f(): pass\nprobe = f", "function"),
    "lambda": ("probe = lambda x: x", "function"),
    "class": ("class A: pass\nprobe = A", "class"),
    "unknown call": ("probe = load()", ""),
    "unknown import": ("import numbers\nprobe = numbers.load()", ""),
}
EVIDENT = {
    "annotated tensor": ("def f(x: torch.Tensor):\n    probe = x", "tensor"),
    "annotated optional": ("from typing import Optional\ndef f(x: Optional[torch.Tensor]):\n    probe = x", "tensor"),
    "annotated union": ("def f(x: torch.Tensor | None):\n    probe = x", "tensor"),
    "annotated module": ("def f(x: nn.Module):\n    probe = x", "module"),
    "annotated own module": (CLASS + "def f(x: Net):\n    probe = x", "module"),
    "annotated optimizer": ("def f(x: torch.optim.Optimizer):\n    probe = x", "optimizer"),
    "annotated number": ("def f(x: int):\n    probe = x", "number"),
    "annotated variable": ("x: torch.Tensor = load()\nprobe = x", "tensor"),
    "default number": ("def f(x=1.5):\n    probe = x", "number"),
    "backward": ("x = load()\nprobe = x\nx.backward()", "tensor graph"),
    "asked for its mode": ("def f(x):\n    probe = x\n    x.eval()", "module"),
    "given something of that name": ("def f(x):\n    probe = x\n    x.eval = True", ""),
    "zero_grad and step": ("def f(x):\n    probe = x\n    x.zero_grad()\n    x.step()", "optimizer"),
    "zero_grad and step of a variable": ("x = load()\nx.zero_grad()\nx.step()\nprobe = x", "optimizer"),
    "eval": ("def f(x):\n    probe = x\n    x.eval()", "module"),
    "parameters of a parameter": ("def f(x):\n    probe = x\n    for p in x.parameters(): pass", "module"),
    "step alone": ("def f(x):\n    probe = x\n    x.step()", ""),
    "name alone": ("def f(model, optimizer, loss):\n    probe = loss", ""),
    "every caller": (MODEL + "def f(x):\n    probe = x\nf(net)\nf(nn.ReLU())", "module"),
    "callers that disagree": (MODEL + "def f(x):\n    probe = x\nf(net)\nf(1)", ""),
    "a caller that is not known": (MODEL + "def f(x):\n    probe = x\nf(net)\nf(load())", ""),
    "a caller by keyword": ("def f(a, x):\n    probe = x\nf(1, x=nn.ReLU())", "module"),
    "a caller with a moved model": ("def f(x):\n    probe = x\nf(nn.ReLU().to(torch.device('cuda')))", "module accelerator"),
    "a caller's caller": ("def f(x):\n    probe = x\ndef g(y):\n    f(y)\ng(nn.ReLU())", "module"),
    "attribute of the instance": (CLASS + "probe = Net().layer", "module"),
    "attribute of self": (CLASS + "    def g(self):\n        probe = self.layer", "module"),
    "attribute that is a number": (CLASS + "    def g(self):\n        probe = self.width", "number"),
    "attribute that is a parameter": (CLASS + "    def g(self):\n        probe = self.scale", "tensor graph"),
    "inherited attribute": (CLASS + "class Other(Net):\n    def g(self):\n        probe = self.layer", "module"),
    "attribute nobody sets": (CLASS + "    def g(self):\n        probe = self.other", ""),
    "weight": (MODEL + "probe = net.weight", "tensor graph"),
}
COMPUTED = {
    "module call": (MODEL + "probe = net(x)", "tensor graph"),
    "loss of a module": (MODEL + "probe = F.mse_loss(net(x), y)", "tensor graph"),
    "loss module": (MODEL + "probe = nn.MSELoss()(net(x), y)", "tensor graph"),
    "own module": (CLASS + "probe = Net()(x)", "tensor graph"),
    "own module's forward": (CLASS + "probe = Net().forward(x)", "tensor graph"),
    "arithmetic": (MODEL + "probe = 2 * net(x).mean() + 1", "tensor graph"),
    "arithmetic of tensors": ("a = torch.ones(2)\nprobe = a * 2", "tensor plain cpu"),
    "detach": (MODEL + "probe = net(x).detach()", "tensor plain"),
    "data": (MODEL + "probe = net(x).data", "tensor plain"),
    "item": (MODEL + "probe = net(x).sum().item()", "number"),
    "argmax": (MODEL + "probe = net(x).argmax(1)", "tensor plain"),
    "torch.argmax": (MODEL + "probe = torch.argmax(net(x), 1)", "tensor plain"),
    "comparison": (MODEL + "probe = F.relu(net(x)) > 0", "tensor plain"),
    "indices of max": (MODEL + "probe = F.relu(net(x)).max(1)[1]", "tensor plain"),
    "values of max": (MODEL + "probe = F.relu(net(x)).max(1)[0]", "tensor graph"),
    "numpy": (MODEL + "probe = net(x).detach().numpy()", "array"),
    "tolist": (MODEL + "probe = net(x).tolist()", "list"),
    "shape": (MODEL + "probe = net(x).shape", "tuple"),
    "index": (MODEL + "probe = F.relu(net(x))[0]", "tensor graph"),
    "requires_grad_": ("probe = torch.zeros(2).requires_grad_()", "tensor graph cpu"),
    "requires_grad set": ("probe = torch.zeros(2)\nprobe.requires_grad = True", "tensor graph cpu"),
    "requires_grad set to a flag": ("probe = torch.zeros(2)\nprobe.requires_grad = flag", "tensor cpu"),
    "requires_grad taken away": ("probe = torch.zeros(2, requires_grad=True)\nprobe.requires_grad = False", "tensor plain cpu"),
    "gradient": (MODEL + "probe = net.weight.grad", "tensor plain"),
    "list element": (MODEL + "xs = [F.relu(net(x))]\nprobe = xs[0]", "tensor graph"),
    "appended element": (MODEL + "xs = []\nxs.append(F.relu(net(x)))\nprobe = xs[0]", "tensor graph"),
    "dict element": (MODEL + "d = {'a': F.relu(net(x))}\nprobe = d['a']", "tensor graph"),
    "tuple element": (MODEL + "t = 1, F.relu(net(x))\nprobe = t[1]", "tensor graph"),
    "unpacked": (MODEL + "a, b = 1, F.relu(net(x))\nprobe = b", "tensor graph"),
    "comprehension element": (MODEL + "xs = [F.relu(net(x)) for x in y]\nprobe = xs[0]", "tensor graph"),
    "sum of a list": (MODEL + "xs = [F.relu(net(x)) for x in y]\nprobe = sum(xs)", "tensor graph"),
    "mutated attribute": (CLASS + "n = Net()\nn.layer = 1\nprobe = n.layer", "number"),
    "new object forgets": ("x.a = 1\nx = load()\nprobe = x.a", ""),
}
REGIONS = {
    "with no_grad": (MODEL + "with torch.no_grad():\n    probe = net(x)", "tensor plain"),
    "with inference_mode": (MODEL + "with torch.inference_mode():\n    probe = F.relu(net(x))", "tensor plain"),
    "behind the with": (MODEL + "with torch.no_grad():\n    pass\nprobe = net(x)", "tensor graph"),
    "enable_grad inside": (MODEL + "with torch.no_grad():\n    with torch.enable_grad():\n        probe = net(x)", "tensor graph"),
    "decorator": (MODEL + "@torch.no_grad()\ndef f(x):\n    probe = net(x)", "tensor plain"),
    "decorator without a call": (MODEL + "@torch.no_grad\ndef f(x):\n    probe = net(x)", "tensor plain"),
    "set_grad_enabled as a statement": (MODEL + "torch.set_grad_enabled(False)\nprobe = net(x)", "tensor plain"),
    "set_grad_enabled and back": (MODEL + "torch.set_grad_enabled(False)\ntorch.set_grad_enabled(True)\nprobe = net(x)", "tensor graph"),
    "with set_grad_enabled": (MODEL + "with torch.set_grad_enabled(False):\n    probe = net(x)", "tensor plain"),
    "with set_grad_enabled that depends": (MODEL + "with torch.set_grad_enabled(phase == 'train'):\n    probe = F.relu(x)", "tensor"),
    "helper in a region": (MODEL + "def f(x):\n    return F.relu(net(x))\nwith torch.no_grad():\n    probe = f(x)", "tensor plain"),
    "helper that opens one": (MODEL + "@torch.no_grad()\ndef f(x):\n    return F.relu(net(x))\nprobe = f(x)", "tensor plain"),
    "function called in a region only": (MODEL + "def f(x):\n    probe = net(x)\nwith torch.no_grad():\n    f(y)", "tensor plain"),
}
FOLLOWED = {
    "function": (MODEL + "def f(x):\n    return F.relu(net(x))\nprobe = f(x)", "tensor graph"),
    "argument": (MODEL + "def f(a):\n    return a\nprobe = f(F.relu(net(x)))", "tensor graph"),
    "argument by keyword": (MODEL + "def f(a, b):\n    return b\nprobe = f(b=F.relu(net(x)), a=1)", "tensor graph"),
    "function of a function": (MODEL + "def f(x):\n    return g(x)\ndef g(x):\n    return F.relu(net(x))\nprobe = f(x)", "tensor graph"),
    "lambda": (MODEL + "f = lambda x: F.relu(net(x))\nprobe = f(x)", "tensor graph"),
    "method": (CLASS + "    def loss(self, x):\n        return self(x).sum()\nprobe = Net().loss(x)", "tensor graph"),
    "static method": ("class A:\n    @staticmethod\n    def f(x):\n        return x\nprobe = A().f(1)", "number"),
    "property": ("class A:\n    @property\n    def f(self):\n        return 1\nprobe = A().f", "number"),
    "closure": ("def f():\n    net = nn.ReLU()\n    def g():\n        probe = net", "module"),
    "closure called": ("def f(net: nn.Module):\n    def g(x):\n        return F.relu(net(x))\n    probe = g(y)", "tensor graph"),
    "tuple, first": (MODEL + "def f(x):\n    return F.relu(net(x)), 1\na, b = f(x)\nprobe = a", "tensor graph"),
    "tuple, second": (MODEL + "def f(x):\n    return F.relu(net(x)), 1\na, b = f(x)\nprobe = b", "number"),
    "detached inside": (MODEL + "def f(x):\n    return net(x).detach()\nprobe = f(x)", "tensor plain"),
    "item inside": (MODEL + "def f(x):\n    return x.item()\nprobe = f(net(x))", "number"),
    "nothing returned": ("def f(x):\n    print(x)\nprobe = f(x)", "none"),
    "backward inside": ("def f(x):\n    x.backward()\ny = load()\nf(y)\nprobe = y", "tensor graph"),
    "two returns that agree": ("def f(x):\n    if x:\n        return 1\n    return 2\nprobe = f(x)", "number"),
    "two returns that differ": ("def f(x):\n    if x:\n        return 'a'\n    return 2\nprobe = f(x)", "plain"),
}
JOINED = {
    "both branches agree": ("if c:\n    x = 1\nelse:\n    x = 2\nprobe = x", "number"),
    "branches differ": ("if c:\n    x = 1\nelse:\n    x = 'a'\nprobe = x", "plain"),
    "one branch may carry a graph": (MODEL + "if c:\n    x = F.relu(net(y))\nelse:\n    x = torch.zeros(1)\nprobe = x", "tensor"),
    "a branch that leaves": ("x = 1\nif c:\n    x = 'a'\n    raise E\nprobe = x", "number"),
    "conditional expression": ("probe = 1 if c else 2", "number"),
    "None is no evidence": ("x = None\nif c:\n    x = nn.ReLU()\nprobe = x", "module"),
    "total before it is added to": (MODEL + "t = 0\nfor x in y:\n    t += F.relu(net(x))\nprobe = 1", "number"),
    "total in the second iteration": (MODEL + "t = torch.zeros(1)\nfor x in y:\n    probe = t\n    t = t + F.relu(net(x))", "tensor"),
    "loop over parameters": (MODEL + "for p in net.parameters():\n    probe = p", "tensor graph"),
    "loop over a list": ("for m in [nn.ReLU(), nn.Tanh()]:\n    probe = m", "module"),
    "enumerate": ("for i, m in enumerate([nn.ReLU()]):\n    probe = m", "module"),
    "zip": ("for m, n in zip([nn.ReLU()], [1]):\n    probe = n", "number"),
    "try and except agree": ("try:\n    x = 1\nexcept E:\n    x = 2\nprobe = x", "number"),
    "match": ("match c:\n    case 1:\n        x = 1\n    case _:\n        x = 2\nprobe = x", "number"),
}
PLACES = {
    "to a device": ("probe = torch.zeros(2).to(torch.device('cuda'))", "tensor plain accelerator"),
    "to a string": ("probe = torch.zeros(2).to('cuda:0')", "tensor plain accelerator"),
    "to an untyped device": ("def f(device):\n    probe = torch.zeros(2).to(device)", "tensor plain accelerator"),
    "to the CPU": ("probe = torch.zeros(2, device='cuda').to('cpu')", "tensor plain cpu"),
    "to a type": ("probe = torch.zeros(2).to(torch.float16)", "tensor plain cpu"),
    "cuda": ("probe = torch.zeros(2).cuda()", "tensor plain accelerator"),
    "cpu": ("probe = torch.zeros(2).cuda().cpu()", "tensor plain cpu"),
    "device of the CPU": ("d = torch.device('cpu')\nprobe = torch.zeros(2).to(d)", "tensor plain cpu"),
    "device that depends": ("d = 'cuda' if c else 'cpu'\nprobe = torch.zeros(2).to(d)", "tensor plain accelerator"),
    "moved module": (MODEL + "net.cuda()\nprobe = net", "module accelerator"),
    "output of a moved module": (MODEL + "net.cuda()\nprobe = net(x)", "tensor graph accelerator"),
    "computed there": ("a = torch.zeros(2, device='cuda')\nprobe = a + 1", "tensor plain accelerator"),
    "like a tensor there": ("a = torch.zeros(2, device='cuda')\nprobe = torch.zeros(2).to(a)", "tensor plain accelerator"),
    "to a tensor's device": ("a = torch.zeros(2, device='cuda')\nprobe = torch.zeros(2).to(a.device)", "tensor plain accelerator"),
}
DIRECTED = {
    "differentiated beside something else": ("x, y = load(), make()\n(x * y).backward()\nprobe = x", ""),
    "differentiated alone": ("x = load()\n(x / 2).backward()\nprobe = x", "tensor graph"),
    "differentiated beside what is detached": ("x, y = load(), make().detach()\n(x * y).backward()\nprobe = x", "tensor graph"),
    "detached beside what is differentiated": ("x, y = load(), make().detach()\n(x * y).backward()\nprobe = y", "tensor plain"),
    "compared": (MODEL + "y = net(x)\nprobe = (y > 0).float()\n(y * probe).sum().backward()", "tensor plain"),
    "handed to an unknown function": ("x = load()\nf(x).backward()\nprobe = x", ""),
    "divided by a setting": ("def f(config):\n    x = load()\n    (x / config.n).backward()\n    probe = x", "tensor graph"),
    "what every way leads to": ("x = load()\n(x.abs() + 2 * x.exp()).sum().backward()\nprobe = x", "graph"),
    "computed on the way": ("x = load()\nprobe = torch.exp(x)\n(probe + x).sum().backward()", "tensor graph"),
    "a batch beside an output": ("for a, b in data:\n    out = f(a)\n    F.mse_loss(out, b).backward()\n    probe = b", ""),
    "an output beside a batch": ("for a, b in data:\n    out = f(a)\n    F.mse_loss(out, b).backward()\n    probe = out", "graph"),
    "an input returned beside an output": (
        CLASS + "class Both(Net):\n    def forward(self, x):\n        return self.layer(x), x * 2\na, b = Both()(x)\nprobe = b",
        "",
    ),
    "an element drawn by numpy": ("import numpy as np\nprobe = np.random.choice(x)", ""),
}
ENTRIES = {
    "of a display": (MODEL + "d = {'a': F.relu(net(x)), 'b': 1}\nprobe = d['a']", "tensor graph"),
    "beside it": (MODEL + "d = {'a': F.relu(net(x)), 'b': 1}\nprobe = d['b']", "number"),
    "of what a helper returns": (MODEL + "def f(x):\n    return {'a': F.relu(net(x)), 'b': 1}\nd = f(x)\nprobe = d['a']", "tensor graph"),
    "by keyword": (MODEL + "d = dict(a=F.relu(net(x)), b=1)\nprobe = d['b']", "number"),
    "spread": ("c = {'a': 1}\nd = {'b': 'x', **c}\nprobe = d['a']", "number"),
    "of what is handed over": ("def f(d):\n    d['a'] = torch.zeros(3)\n    probe = d['a']", "tensor plain cpu"),
    "beside it in what is handed over": ("def f(d):\n    d['a'] = torch.zeros(3)\n    probe = d['b']", ""),
    "beside it in a dictionary that is handed over": ("def f(d: dict):\n    d['a'] = torch.zeros(3)\n    probe = d['b']", ""),
    "asked for beside it": ("def f(d):\n    d['a'] = torch.zeros(3)\n    probe = d.get('b')", ""),
    "beside others of the same kind": ("def f(d, k):\n    d[k] = torch.zeros(3)\n    probe = d['b']", "tensor plain cpu"),
    "set afterwards": ("d = {}\nd['a'] = 1\nd['b'] = 'x'\nprobe = d['a']", "number"),
    "set to two things": ("def f(c):\n    d = {'a': 1}\n    if c:\n        d['a'] = 'x'\n    return d\ne = f(c)\nprobe = e['a']", "plain"),
    "with a default": (MODEL + "d = {'a': F.relu(net(x))}\nprobe = d.get('a', 0.0)", "graph"),
}
NAMESAKES = {
    "trained in another function": ("def g(m):\n    m.train()\n    m(y)\ndef f(m):\n    probe = m\n    m(x)", "module"),
    "not called": ("def g(m):\n    m.train()\ndef f(m):\n    probe = m", ""),
    "another thing elsewhere": ("def g(m):\n    m.train()\ndef h():\n    m = 1\ndef f(m):\n    probe = m\n    m(x)", ""),
    "made elsewhere": ("def g():\n    m = nn.ReLU()\n    m(y)\ndef f(m):\n    probe = m\n    m(x)", "module"),
    "a loss elsewhere": (
        "def g(m, c):\n    m.train()\n    c(m(x), y).backward()\ndef f(m, c):\n    probe = c(m(x), y)",
        "tensor graph",
    ),
    "a loss elsewhere, of what has no graph": (
        "def g(m, c):\n    m.train()\n    c(m(x), y).backward()\ndef f(c):\n    probe = c(x, y)",
        "",
    ),
}
TABLES = {
    "directed": DIRECTED,
    "entry": ENTRIES,
    "namesake": NAMESAKES,
    "constructed": CONSTRUCTED,
    "evident": EVIDENT,
    "computed": COMPUTED,
    "region": REGIONS,
    "followed": FOLLOWED,
    "joined": JOINED,
    "place": PLACES,
}
EVERY = {f"{title}: {name}": case for title, table in TABLES.items() for name, case in table.items()}


@pytest.mark.parametrize(("code", "expected"), EVERY.values(), ids=EVERY)
def test_value_is_known_as_far_as_the_code_shows(code: str, expected: str) -> None:
    assert shown(value(code)) == expected


TERMINATING = {
    "recursion": "def f(x):\n    return f(x)\nprobe = f(1)",
    "mutual recursion": "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\nprobe = f(1)",
    "recursive method": "class A:\n    def f(self):\n        return self.f()\nprobe = A().f()",
    "recursive lambda": "f = lambda x: f(x)\nprobe = f(1)",
    "recursive closure": "def f():\n    def g():\n        return g()\n    probe = g()",
    "module that calls itself": "class A(nn.Module):\n    def forward(self, x):\n        return self(x)\nprobe = A()(1)",
    "class that holds itself": "class A:\n    def __init__(self):\n        self.a = A()\nprobe = A().a.a.a",
    "attributes of each other": "class A:\n    def __init__(self):\n        self.a = self.b\n        self.b = self.a\nprobe = A().a",
    "class that inherits from itself": "class A(A): pass\nprobe = A()",
    "list in itself": "x = []\nx.append(x)\nprobe = x[0][0]",
    "value made of itself": "while True:\n    x = x + x\nprobe = x",
    "callers of each other": "def f(x):\n    probe = x\n    g(x)\ndef g(y):\n    f(y)",
}


@pytest.mark.parametrize("code", TERMINATING.values(), ids=TERMINATING)
def test_code_that_refers_to_itself_is_read_to_an_end(code: str) -> None:
    assert len(list(value(code).lineage())) < 100


def test_backward_reaches_what_the_loss_was_computed_from() -> None:
    file = model("net = nn.Linear(2, 2)\nout = net(x)\nprobe = out * 2\nloss = probe.mean()\nloss.backward()\nother = net(x)\n")
    (backward,) = file.methods("backward")

    assert file.value(probed(file)).differentiated == (backward,)
    assert file.value(probed(file)).roots == ()
    assert file.value(file.tree.names["loss"][-1]).roots == (backward,)


def test_value_that_may_be_missing_is_marked() -> None:
    assert value("x = None\nif c:\n    x = nn.ReLU()\nprobe = x").optional
    assert not value("probe = nn.ReLU()").optional


def test_batches_are_told_from_outputs() -> None:
    assert value("for x in loader:\n    probe = x").batch
    assert not value("net = nn.Linear(2, 2)\nfor x in loader:\n    probe = net(x)").batch


def test_expression_never_evaluated_is_unknown() -> None:
    file = model("def f():\n    return\n    probe = torch.zeros(2)\n")
    found = file.value(probed(file))

    assert (found.kind, found.graph, found.place) == (Kind.UNKNOWN, Graph.MAYBE, Place.UNKNOWN)
