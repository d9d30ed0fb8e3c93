"""What stands beside the rules about slips in training: methods that are only named, reports of loading, modes that are assigned."""

import pytest
from probing import model

from torchlint.rules.training._frozen_norms import frozen_norms
from torchlint.rules.training._iterators import used_up
from torchlint.rules.training._loaded import taken
from torchlint.rules.training._mode_flags import flags
from torchlint.rules.training._settings import decayed_adams, without_batch_size, without_rate, zeroed
from torchlint.rules.training._shadowed import shadowed
from torchlint.rules.training._snapshots import snapshots
from torchlint.rules.training._totals import never_reset
from torchlint.rules.training._uncalled import needs_argument, uncalled

SETUP = "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), lr=1)\n"

NAMED = {
    "a method of a module": ("net.eval\n", ["eval"]),
    "a method of an optimizer": ("opt.step\n", ["step"]),
    "one that is called": ("net.eval()\n", []),
    "an attribute": ("net.training\n", []),
    "backward of something": ("made().backward\nloss = made()\nloss.backward\n", ["backward"]),
    "train of something": ("data = made()\ndata.train\n", []),
    "in a try": ("try:\n    opt.step\nexcept AttributeError:\n    pass\n", []),
    "in a with statement that is about something else": ("with torch.no_grad():\n    net.eval\n", ["eval"]),
}


@pytest.mark.parametrize(("code", "found"), NAMED.values(), ids=NAMED)
def test_methods_that_are_only_named_are_found_where_they_would_act(code: str, found: list[str]) -> None:
    assert [named.attr.value for named, _ in uncalled(model(SETUP + code))] == found


def test_step_of_a_scheduler_that_follows_a_measure_needs_an_argument() -> None:
    made = "by_loss = torch.optim.lr_scheduler.ReduceLROnPlateau(opt)\nby_loss.step\nopt.step\n"

    assert [needs_argument(held) for _, held in uncalled(model(SETUP + made))] == [True, False]


TAKEN = {
    "under the module's name": ("net = net.load_state_dict(s)\n", ["the names of missing and unexpected keys"]),
    "under the optimizer's name": ("opt = opt.load_state_dict(s)\n", ["None"]),
    "called": ("new = nn.Linear(2, 2).load_state_dict(s)\nnew(x)\n", ["the names of missing and unexpected keys"]),
    "asked for its keys": ("new = net.load_state_dict(s)\nnew.missing_keys.sort()\nnew._asdict()\n", []),
    "kept": ("new = net.load_state_dict(s)\nprint(new)\n", []),
    "unpacked": ("missing, unexpected = net.load_state_dict(s)\n", []),
}


@pytest.mark.parametrize(("code", "found"), TAKEN.values(), ids=TAKEN)
def test_reports_of_loading_are_found_where_they_are_taken_for_the_module(code: str, found: list[str]) -> None:
    assert [each.returned for each in taken(model(SETUP + code))] == found


MODAL = "drop = nn.Sequential(nn.Linear(2, 2), nn.Dropout())\n"
FLAGS = {
    "the flag": (MODAL + "drop.training = False\n", [("eval()", True)]),
    "the flag of what has no such layer": ("flat = nn.Sequential(nn.Linear(2, 2))\nflat.training = False\n", []),
    "the flag of a single layer": ("drop = nn.Dropout()\ndrop.training = False\n", []),
    "beside a call": (MODAL + "drop.training = False\ndrop.eval()\n", []),
    "in the place of a method": (MODAL + "drop.eval = False\ndrop.train = True\n", [("train()", True), ("train()", True)]),
    "what was kept": (MODAL + "old = drop.training\ndrop.eval()\ndrop.training = old\n", [("train(old)", True)]),
    "what was kept of another": (MODAL + "old = other.training\ndrop.eval()\ndrop.training = old\n", []),
    "of an unknown module": ("def f(each: nn.Module):\n    each.training = False\n", [("eval()", False)]),
    "of each in a loop": ("for each in drop.modules():\n    each.training = False\n", []),
}


@pytest.mark.parametrize(("code", "found"), FLAGS.values(), ids=FLAGS)
def test_modes_that_are_assigned_are_found_where_they_do_not_reach_the_layers(code: str, found: list[tuple[str, bool]]) -> None:
    assert [(each.call, each.is_certain) for each in flags(model(code))] == found


ITERATORS = {
    "twice": ("ps = net.parameters()\nlist(ps)\nopt = torch.optim.SGD(ps)\n", 1),
    "once": ("ps = net.parameters()\nlist(ps)\n", 0),
    "in every iteration": ("ps = net.parameters()\nfor x in xs:\n    list(ps)\n", 1),
    "made in every iteration": ("for x in xs:\n    ps = net.parameters()\n    list(ps)\n", 0),
    "in one iteration": ("ps = net.parameters()\nfor x in xs:\n    if x == 1:\n        list(ps)\n", 0),
    "on two ways": ("ps = net.parameters()\nif a:\n    list(ps)\nelse:\n    tuple(ps)\n", 0),
    "a filter": ("ps = filter(f, net.parameters())\nlist(ps)\nsum(p.numel() for p in ps)\n", 1),
    "a list": ("ps = list(net.parameters())\nlist(ps)\nlist(ps)\n", 0),
    "begun, and gone through": ("ps = net.parameters()\nnext(ps)\nlist(ps)\n", 0),
    "a loop that is left": ("ps = net.parameters()\nfor p in ps:\n    break\nlist(ps)\n", 0),
    "of something": ("ps = made.layers()\nlist(ps)\nlist(ps)\n", 0),
}


@pytest.mark.parametrize(("code", "found"), ITERATORS.values(), ids=ITERATORS)
def test_iterators_are_found_where_nothing_is_left_of_them(code: str, found: int) -> None:
    assert len(list(used_up(model(SETUP + code)))) == found


TRAINED = "for x, y in loader:\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n    opt.step()\n"
IMPROVED = "    if loss.item() < 1:\n        "
KEPT = {
    "kept": (TRAINED + IMPROVED + "best = net.state_dict()\nprint(best)\n", [False]),
    "not read": (TRAINED + IMPROVED + "best = net.state_dict()\n", []),
    "copied": (TRAINED + IMPROVED + "best = copy.deepcopy(net.state_dict())\nprint(best)\n", []),
    "copied in the next row": (TRAINED + IMPROVED + "best = net.state_dict()\n        best = clone(best)\nprint(best)\n", []),
    "the last one": (TRAINED + "    best = net.state_dict()\nprint(best)\n", []),
    "the loop ends": (TRAINED + IMPROVED + "best = net.state_dict()\n        break\nprint(best)\n", []),
    "the model itself": (TRAINED + IMPROVED + "best = net\nprint(best)\n", [False]),
    "of another model": (TRAINED + IMPROVED + "best = nn.Linear(2, 2).state_dict()\nprint(best)\n", []),
    "put back": ("old = net.state_dict()\nprint(net)\nnet.load_state_dict(old)\n", [True]),
    "put back where nothing was done": ("old = net.state_dict()\nnet.load_state_dict(old)\n", []),
    "put into another": ("old = net.state_dict()\nprint(net)\nother.load_state_dict(old)\n", []),
    "put back after a move": ("old = net.state_dict()\nnet.cuda()\nnet.load_state_dict(old)\n", []),
    "put back after a change of it": ("old = net.state_dict()\nprint(net)\nold.pop('bias')\nnet.load_state_dict(old)\n", []),
}


@pytest.mark.parametrize(("code", "found"), KEPT.values(), ids=KEPT)
def test_weights_that_are_kept_by_name_are_found_where_they_change(code: str, found: list[bool]) -> None:
    assert [each.is_restored for each in snapshots(model("import copy\n" + SETUP + code))] == found


CALLED = {
    "a loss": ("crit = nn.MSELoss()\nfor x, y in loader:\n    crit = crit(x, y)\n", 1),
    "a model": ("for x in loader:\n    net = net(x)\n", 1),
    "outside of a loop": ("net = net(x)\n", 0),
    "bound again": ("for x in loader:\n    crit = nn.MSELoss()\n    crit = crit(x, x)\n", 0),
    "a loop that is left": ("for x in loader:\n    net = net(x)\n    break\n", 0),
    "under a condition": ("for x in loader:\n    if x:\n        net = net(x)\n", 0),
    "something that may return a function": ("f = made()\nfor x in loader:\n    f = f(x)\n", 0),
}


@pytest.mark.parametrize(("code", "found"), CALLED.values(), ids=CALLED)
def test_callables_are_found_where_a_loop_gives_their_name_to_a_result(code: str, found: int) -> None:
    assert len(list(shadowed(model(SETUP + code)))) == found


DECAYED = {
    "spelt out": ("torch.optim.Adam(net.parameters(), weight_decay=0.1)\n", 1),
    "by a name": ("decay = 0.1\ntorch.optim.Adam(net.parameters(), weight_decay=decay)\n", 1),
    "by a name that is given two numbers": ("decay = 0.1\ndecay = 0\ntorch.optim.Adam(net.parameters(), weight_decay=decay)\n", 0),
    "zero": ("torch.optim.Adam(net.parameters(), weight_decay=0)\n", 0),
    "decoupled": ("torch.optim.Adam(net.parameters(), weight_decay=0.1, decoupled_weight_decay=True)\n", 0),
}


@pytest.mark.parametrize(("code", "found"), DECAYED.values(), ids=DECAYED)
def test_adams_whose_decay_is_part_of_the_gradient_are_found(code: str, found: int) -> None:
    assert len(list(decayed_adams(model(SETUP + code)))) == found


CHOSEN = {
    "no rate": ("torch.optim.Adam(net.parameters())\n", (1, 0)),
    "a rate": ("torch.optim.Adam(net.parameters(), 1)\n", (0, 0)),
    "a rate that is part of the method": ("torch.optim.LBFGS(net.parameters())\n", (0, 0)),
    "groups": ("torch.optim.Adam([{'params': net.parameters()}])\n", (0, 0)),
    "spread": ("torch.optim.Adam(net.parameters(), **given)\nDataLoader(data, **given)\n", (0, 0)),
    "no batch size": ("DataLoader(data)\n", (0, 1)),
    "batches of a sampler": ("DataLoader(data, batch_sampler=s)\n", (0, 0)),
}


@pytest.mark.parametrize(("code", "found"), CHOSEN.values(), ids=CHOSEN)
def test_settings_that_are_left_to_torch_are_found(code: str, found: tuple[int, int]) -> None:
    file = model("from torch.utils.data import DataLoader\n" + SETUP + code)

    assert (len(list(without_rate(file))), len(list(without_batch_size(file)))) == found


ZEROED = {
    "by keyword": ("opt.zero_grad(set_to_none=False)\n", 1),
    "by position": ("net.zero_grad(False)\n", 1),
    "let go": ("opt.zero_grad()\nopt.zero_grad(True)\n", 0),
    "beside a look at gradients": ("opt.zero_grad(False)\nnet.weight.grad.add_(1)\n", 0),
    "of something": ("thing.zero_grad(False)\n", 0),
}


@pytest.mark.parametrize(("code", "found"), ZEROED.values(), ids=ZEROED)
def test_gradients_that_are_set_to_zeros_are_found(code: str, found: int) -> None:
    assert len(list(zeroed(model(SETUP + code)))) == found


NORM = "norm = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))\n"
FROZEN = {
    "put into train mode": (NORM + "norm.requires_grad_(False)\nnorm.train()\n", 1),
    "by a loop": (NORM + "for p in norm.parameters():\n    p.requires_grad = False\nnorm.train()\n", 1),
    "put into eval mode": (NORM + "norm.requires_grad_(False)\nnorm.eval()\n", 0),
    "in train mode before": (NORM + "norm.train()\nnorm.requires_grad_(False)\n", 0),
    "without normalisation": ("net.requires_grad_(False)\nnet.train()\n", 0),
    "thawed": (NORM + "norm.requires_grad_(True)\nnorm.train()\n", 0),
}


@pytest.mark.parametrize(("code", "found"), FROZEN.values(), ids=FROZEN)
def test_frozen_modules_whose_statistics_still_follow_are_found(code: str, found: int) -> None:
    assert len(list(frozen_norms(model(code if "norm =" in code else SETUP + code)))) == found


TOTALS = {
    "never": ("t = 0\nfor e in range(9):\n    for x in xs:\n        t += f(x)\n    print(t / len(xs))\n", 1),
    "in each epoch": ("for e in range(9):\n    t = 0\n    for x in xs:\n        t += f(x)\n    print(t / len(xs))\n", 0),
    "once for all": ("t = 0\nfor e in range(9):\n    for x in xs:\n        t += f(x)\nprint(t / len(xs))\n", 0),
    "by a count that grows": ("t = n = 0\nfor e in range(9):\n    for x in xs:\n        t += f(x)\n        n += 1\n    print(t / n)\n", 0),
    "by the length of something else": ("t = 0\nfor e in range(9):\n    for x in xs:\n        t += f(x)\n    print(t / len(ys))\n", 0),
    "after the average": ("t = 0\nfor e in range(9):\n    for x in xs:\n        t += f(x)\n    print(t / len(xs))\n    t = 0\n", 0),
}


@pytest.mark.parametrize(("code", "found"), TOTALS.values(), ids=TOTALS)
def test_totals_of_an_epoch_are_found_where_they_are_never_reset(code: str, found: int) -> None:
    assert len(list(never_reset(model(code)))) == found
