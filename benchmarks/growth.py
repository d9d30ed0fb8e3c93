"""How time grows with the length of one file: generated programs of many loops, functions and classes, each against a bare parse.

    python -m benchmarks.growth                  # up to 50,000 lines
    python -m benchmarks.growth --largest 500    # a quick look

Read the last column down: it stays about the same where time grows with the length, and doubles with it where it grows with the square.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import libcst as cst

from torchlint.engine import lint

HEAD = """import torch
from torch import nn

net = nn.Linear(2, 2).cuda()
opt = torch.optim.SGD(net.parameters())
total = 0
losses = []
"""
LOOP = """
for x{0}, y{0} in loader:
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x{0}.cuda()), y{0})
    loss.backward()
    opt.step()
    losses.append(loss.item())
    if total > 3:
        total += loss.item()

"""
FUNCTION = """
def train{0}(model, opt, loader, criterion):
    total = 0
    for x, y in loader:
        opt.zero_grad()
        loss = criterion(model(x.cuda()), y)
        loss.backward()
        opt.step()
        total += loss.item()
    return total

"""
CLASS = """
class Net{0}(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 2) for _ in range(3)]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Trainer{0}:
    def __init__(self, model, opt):
        self.model, self.opt = model.cuda(), opt
        self.losses = []

    def train(self, loader):
        for x, y in loader:
            self.step(x.cuda(), y.cuda())

    def step(self, x, y):
        loss = nn.functional.mse_loss(self.model(x), y)
        loss.backward()
        self.opt.step()
        self.losses.append(loss)

"""


def chain(number: int) -> str:
    """Functions that each call the one before."""
    return f"\ndef f{number}(x):\n    return f{number - 1}(x) + 1\n\n" if number else "\ndef f0(x):\n    return x.cuda()\n\n"


SHAPES: dict[str, Callable[[int], str]] = {
    "loops at the top": LOOP.format,
    "functions that train": FUNCTION.format,
    "modules and trainers": CLASS.format,
    "functions in a chain": chain,
}


def sizes(largest: int) -> Iterator[int]:
    size = 250
    while size < largest:
        yield size
        size *= 2
    yield largest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=4000, help="how many loops, functions or classes the longest file holds")
    parser.add_argument("--shape", choices=SHAPES, action="append", help="only this kind of file")
    options = parser.parse_args()
    print(f"{'':24}{'count':>8}{'lines':>8}{'parse s':>9}{'lint s':>8}{'ratio':>7}")
    for name, make in SHAPES.items():
        if options.shape is not None and name not in options.shape:
            continue
        for size in sizes(options.largest):
            text = HEAD + "".join(make(number) for number in range(size))
            start = time.process_time()
            cst.parse_module(text)
            parsed = time.process_time()
            lint(text)
            linted = time.process_time()
            parse, whole = parsed - start, linted - parsed
            print(f"{name:24}{size:8}{text.count(chr(10)):8}{parse:9.2f}{whole:8.2f}{whole / parse:7.1f}", flush=True)


if __name__ == "__main__":
    main()
