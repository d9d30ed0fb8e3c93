"""What a safe fix leaves alone: values that may be None, outputs that are no single tensor; and what is no mistake at all."""

import textwrap

import pytest

from torchlint.edits import Applicability
from torchlint.engine import fix, lint

HEAD = """
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
"""

LOOKED_AFTER = """
    class Stack(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.layers = [nn.Linear(width, width)]

        def forward(self, x):
            return self.layers[0](x)

        def train(self, x, y):
            return [layer.fit(x, y) for layer in self.layers]
"""

UNSURE = {
    "a sum over what may be an empty list": """
        def train(model, loader, optimizer, criterion):
            total = 0.0
            for number, (x, y) in enumerate(loader):
                parts = [criterion(model(x), y)] if number else []
                loss = sum(parts)
                if number:
                    loss.backward()
                    optimizer.step()
                    optimizer.zero_grad()
                total += loss
            print(total)
    """,
    "a loss that some batches do not have": """
        def train(model, loader, optimizer, criterion):
            kept = []
            for number, (x, y) in enumerate(loader):
                loss = None
                if number % 2:
                    loss = criterion(model(x), y)
                    loss.backward()
                    optimizer.step()
                    optimizer.zero_grad()
                kept.append(loss)
            return len(kept)
    """,
    "a helper that returns nothing on one path": """
        def step(model, x, y, optimizer):
            if x.shape[0] > 1:
                loss = nn.functional.mse_loss(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                return loss

        def train(model, loader, optimizer):
            kept = []
            for x, y in loader:
                kept.append(step(model, x, y, optimizer))
            return len(kept)
    """,
    "an exception that leaves None": """
        def train(model, loader, optimizer, criterion):
            kept = []
            for x, y in loader:
                try:
                    loss = criterion(model(x), y)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                except RuntimeError:
                    loss = None
                kept.append(loss)
            return len(kept)
    """,
    "one arm of a conditional expression": """
        def train(model, loader, optimizer, criterion):
            kept = []
            for number, (x, y) in enumerate(loader):
                loss = criterion(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                kept.append(loss if number else None)
            return len(kept)
    """,
    "a second output that evaluation lacks": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(4, 1)

            def forward(self, x, extra=False):
                out = self.layer(x)
                return out, out.sum() if extra else None

        def train(loader):
            net = Net()
            optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
            extras = []
            for x, y in loader:
                out, extra = net(x)
                optimizer.zero_grad()
                nn.functional.mse_loss(out, y).backward()
                optimizer.step()
                extras.append(extra)
            return len(extras)
    """,
    "the state of an LSTM, a tuple": """
        def train(loader, criterion):
            lstm = nn.LSTM(4, 2)
            optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
            states = []
            for x, y in loader:
                out, state = lstm(x)
                optimizer.zero_grad()
                criterion(out, y).backward()
                optimizer.step()
                states.append(state)
            return len(states)
    """,
    "a packed sequence": """
        def train(loader):
            rnn = nn.GRU(4, 2)
            optimizer = torch.optim.SGD(rnn.parameters(), lr=0.1)
            outs = []
            for x, lengths in loader:
                out, _ = rnn(pack_padded_sequence(x, lengths))
                optimizer.zero_grad()
                out.data.sum().backward()
                optimizer.step()
                outs.append(out)
            return len(outs)
    """,
    "attention weights that were not asked for": """
        def train(loader, criterion):
            attention = nn.MultiheadAttention(4, 1)
            optimizer = torch.optim.SGD(attention.parameters(), lr=0.1)
            weights = []
            for x, y in loader:
                out, weight = attention(x, x, x, need_weights=False)
                optimizer.zero_grad()
                criterion(out, y).backward()
                optimizer.step()
                weights.append(weight)
            return len(weights)
    """,
}

SURE = {
    "behind a test for None": """
        def train(model, loader, optimizer, criterion):
            kept = []
            loss = None
            for number, (x, y) in enumerate(loader):
                if number % 2:
                    loss = criterion(model(x), y)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                if loss is not None:
                    kept.append(loss)
            return len(kept)
    """,
    "behind a way out for None": """
        def train(model, loader, optimizer, criterion):
            kept = []
            for number, (x, y) in enumerate(loader):
                loss = criterion(model(x), y) if number else None
                if loss is None:
                    continue
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                kept.append(loss)
            return len(kept)
    """,
    "behind a use that None would not survive": """
        def train(model, loader, optimizer, criterion):
            kept = []
            for number, (x, y) in enumerate(loader):
                loss = None
                for scale in (1, 2):
                    loss = criterion(scale * model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                kept.append(loss)
            return len(kept)
    """,
}


def program(body: str) -> str:
    return HEAD + textwrap.dedent(body)


@pytest.mark.parametrize("case", UNSURE)
def test_a_safe_fix_leaves_alone_what_may_be_no_tensor(case: str) -> None:
    text = program(UNSURE[case])

    assert {"TL101", "TL102"} & {each.code for each in lint(text)}
    assert fix(text, applicability=Applicability.SAFE).text == text


def test_layers_that_a_module_looks_after_by_hand_are_registered_only_on_request() -> None:
    text = program(LOOKED_AFTER)

    assert fix(text, applicability=Applicability.SAFE).text == text
    assert "nn.ModuleList" in fix(text, applicability=Applicability.UNSAFE).text


@pytest.mark.parametrize("case", SURE)
def test_what_cannot_be_none_is_fixed(case: str) -> None:
    done = fix(program(SURE[case]), applicability=Applicability.SAFE)

    assert ([each.code for each in done.applied], done.remaining) == (["TL101"], ())


def test_reading_a_method_does_not_hide_its_later_calls() -> None:
    text = program("""
        def train(model, loader, optimizer, criterion):
            clear = optimizer.zero_grad
            for x, y in loader:
                clear()
                criterion(model(x), y).backward()
                optimizer.step()

        def again(model, loader, optimizer, criterion):
            print(optimizer.zero_grad)
            for x, y in loader:
                criterion(model(x), y).backward()
                optimizer.step()
    """)
    done = fix(text)

    assert done.text.count("optimizer.zero_grad()") == len(done.applied) == 1
    assert fix(done.text).text == done.text


@pytest.mark.parametrize(
    "layers", ["[nn.Linear(4, 4), *given]", "[nn.Linear(4, 4)] + given", "[nn.Linear(4, 4)]\n        self.layers += given"]
)
def test_a_container_that_is_partly_filled_from_elsewhere_is_not_wrapped_safely(layers: str) -> None:
    text = f"""
from torch import nn

class Net(nn.Module):
    def __init__(self, given):
        super().__init__()
        self.layers = {layers}

    def forward(self, x):
        return self.layers[0](x)
"""

    assert [each.code for each in lint(text)] == ["TL301"]
    assert fix(text, applicability=Applicability.SAFE).text == text


def test_a_zero_grad_of_ones_own_that_clears_nothing_is_not_called_again_and_again() -> None:
    text = (
        "class Warming:\n    def zero_grad():\n        return None\n    def step():\n        optim.step()\n\n\n"
        "def warm(loader):\n    warming = Warming()\n    for y in loader:\n        loss().backward()\n        warming.step()\n"
    )
    assert {each.code for each in lint(text)} >= {"TL201"}
    assert fix(text, applicability=Applicability.UNSAFE).text == text
