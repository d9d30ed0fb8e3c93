"""Programs that train, made of the shapes that people write them in; each follows from a `Random`, whoever drives it.

They need not make sense, only be Python: names are few, so that what one statement makes is used, kept, moved and freed by another.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from random import Random

TENSORS = ("x", "y", "out", "loss", "total", "größe")
IMPORTS = (
    "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F",
    "import torch as th\nfrom torch import nn, optim\nfrom torch.nn import functional as F\ntorch = th",
    "import torch\nfrom torch import nn\nfrom torch.nn.functional import *\nimport torch.nn.functional as F",
    '"""A module."""\nfrom __future__ import annotations\n\nimport torch; import torch.nn as nn; F = nn.functional',
    "try:\n    import torch\n    from torch import nn\nexcept ImportError:\n    torch = nn = None\nimport torch.nn.functional as F",
)
EXPRESSIONS = (
    "{x}.cuda()",
    "{x}.to(device)",
    "{x}.cpu()",
    "{x}.detach()",
    "{x}.data",
    "{x}.item()",
    "{x}.numpy()",
    "{x}.cpu().detach().numpy()",
    "torch.zeros({n}).cuda()",
    "torch.randn({n}, {n}).to('cuda')",
    "torch.tensor({x})",
    "torch.Tensor([{n}])",
    "torch.cat([{x}, {y}], dim=0)",
    "model({x})",
    "model.forward({x})",
    "criterion({x}, {y})",
    "F.cross_entropy({x}, {y})",
    "F.softmax({x})",
    "F.nll_loss(F.softmax({x}, dim=1), {y})",
    "nn.functional.dropout({x}, p=0.5)",
    "({x} == {y}).sum()",
    "{x}.max(1)[1]",
    "{x}.size()[0]",
    "{x} + {y}",
    "-{x} * {n}",
    "{x}[{n}]",
    "{x} if {y} else {z}",
    "lambda {x}: {y}.mean()",
    "[{x} for {x} in {y}]",
    "sum({x} for {x} in {y})",
    "({z} := {x}.sum())",
    "f'{{{x}.item():.3f}} {{{y}=}}'",
    "torch.load('a.pt')",
    "torch.norm({x})",
    "torch.sqrt({x} - {y})",
    "torch.log(F.softmax({x}, dim=-1))",
    "{x}.view(-1, {n})",
    "{x}.T",
    "{x}.type(torch.FloatTensor)",
    "torch.range(0, {n})",
    "torch.autograd.Variable({x}, volatile=True)",
    "{x}.clone().requires_grad_()",
    "torch.arange({n}, device=device)",
    "np.array({x})",
    "nn.Linear({n}, {n})",
    "nn.Sequential(nn.Linear({n}, {n}), nn.ReLU(), nn.Softmax())",
    "[nn.Linear({n}, {n}) for _ in range({n})]",
    "optim.Adam(model.parameters(), lr=1e-3)",
    "torch.utils.data.DataLoader({x}, batch_size={n}, shuffle=True, num_workers=4)",
    "torch.cuda.is_available()",
    "await {x}",
    "(yield {x})",
)
STATEMENTS = (
    "{z} = {e}",
    "{z}: torch.Tensor = {e}",
    "{x}, {y} = {e}, {e}",
    "{z} += {e}",
    "{z} = {z} + {e}",
    "{z}.append({e})",
    "kept.append({x})",
    "print({e}, {x})",
    "{e}",
    "assert {e}, {x}",
    "del {z}",
    "{z}[{n}] = {e}",
    "self.{z} = {e}",
    "self.kept.append({e})",
    "{x}.backward()",
    "{x}.backward(retain_graph=True)",
    "optimizer.step()",
    "optimizer.zero_grad()",
    "model.zero_grad()",
    "scheduler.step()",
    "scaler.scale({x}).backward()",
    "scaler.unscale_(optimizer)",
    "scaler.step(optimizer)",
    "scaler.update()",
    "torch.nn.utils.clip_grad_norm_(model.parameters(), {n})",
    "model.train()",
    "model.eval()",
    "model = model.cuda()",
    "model.to(device)",
    "{x}.cuda()",
    "{x}.requires_grad = False",
    "torch.cuda.synchronize()",
    "torch.save(model, 'a.pt')",
    "model.load_state_dict(torch.load('a.pt'))",
    "torch.manual_seed({n})",
    "pass",
    "import numpy as np",
    "global {z}",
    "writer.add_scalar('loss', {x}, {n})",
    "dist.all_reduce({x})",
    "torch.set_grad_enabled(False)",
    "{x}.add_({y})",
    "{x}.data.copy_({y})",
    "return_ = {e}",
    "raise ValueError({x})",
)
HEADERS = (
    "for {x}, {y} in loader:",
    "for epoch in range({n}):",
    "for i, ({x}, {y}) in enumerate(loader):",
    "while {x}:",
    "if {e}:",
    "if {n} % 2 == 0:",
    "with torch.no_grad():",
    "with torch.autocast('cuda'):",
    "with torch.cuda.amp.autocast(), torch.enable_grad():",
    "with open({x}) as file:",
    "for {x} in tqdm(loader, desc='a'):",
)
DECORATORS = (
    "@torch.no_grad()",
    "@torch.jit.script",
    "@staticmethod",
    "@torch.inference_mode()",
    "@torch.compile",
    "@functools.wraps(step)",
    "@property",
)
FUNCTIONS = (
    "def step({x}, {y}, optimizer):",
    "def train(model, loader, optimizer, criterion, device='cuda'):",
    "async def fetch({x}, /, *{y}, **{z}):",
    "def evaluate(model: nn.Module, loader) -> float:",
    "def helper({x}={n}, *, {y}: torch.Tensor | None = None):",
)
METHODS = (
    "def __init__(self, {x}={n}):",
    "def forward(self, {x}, {y}=None):",
    "def training_step(self, batch, {x}):",
    "def __getitem__(self, {x}):",
    "def reset(self):",
)
BASES = ("(nn.Module)", "(torch.nn.Module)", "(torch.autograd.Function)", "(torch.utils.data.Dataset)", "(pl.LightningModule)", "", "(Net)")
COMMENTS = ("  # a note", "  # type: ignore", "  # noqa", "  # torchlint: ignore[TL101]", "  # größe", "")


class Writer:
    """Draws a program from top to bottom."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def program(self) -> str:
        random = self._random
        parts = [random.choice(IMPORTS)]
        for _ in range(random.randint(1, 3)):
            parts.append(random.choice((self._class, self._function, self._function, self._body))(2))
        return ("\n" * random.randint(1, 3)).join(parts) + random.choice(("\n", "\n", "", "\n\n\n"))

    def _filled(self, template: str) -> str:
        random = self._random
        names = {key: random.choice(TENSORS) for key in "xyz"}
        return template.format(n=random.randint(0, 4), e=self._expression() if "{e}" in template else "", **names)

    def _expression(self) -> str:
        text = self._filled(self._random.choice(EXPRESSIONS))
        if self._random.random() < 0.15:
            text = f"({text}).{self._random.choice(('mean()', 'sum().item()', 'cuda()', 'detach()', 'shape'))}"
        if self._random.random() < 0.05:
            text = f"(\n    {text}  # inside\n)"
        return text

    def _statement(self, depth: int) -> str:
        random = self._random
        drawn = random.random()
        if depth and drawn < 0.22:
            return self._block(random.choice(HEADERS), depth)
        if depth and drawn < 0.26:
            return self._try(depth)
        if depth and drawn < 0.29:
            return self._match(depth)
        if depth and drawn < 0.32:
            return self._function(depth)
        if drawn < 0.36:
            return f"{self._filled(random.choice(STATEMENTS))}; {self._filled(random.choice(STATEMENTS))}"
        return self._filled(random.choice(STATEMENTS)) + random.choice(COMMENTS)

    def _body(self, depth: int) -> str:
        return "\n".join(self._statement(depth) for _ in range(self._random.randint(1, 5)))

    def _block(self, header: str, depth: int, last: str = "") -> str:
        indent = self._random.choice(("    ", "    ", "  ", "\t"))
        text = self._filled(header) + "\n" + textwrap.indent(self._body(depth - 1) + last, indent)
        if header.startswith(("for", "while", "if")) and self._random.random() < 0.2:
            text += "\nelse:\n" + textwrap.indent(self._body(depth - 1), indent)
        return text

    def _try(self, depth: int) -> str:
        end = self._random.choice(("except RuntimeError as error:", "except (ValueError, OSError):", "finally:"))
        return f"{self._block('try:', depth)}\n{self._block(end, depth)}"

    def _match(self, depth: int) -> str:
        cases = [self._block(f"case {pattern}:", depth) for pattern in ("torch.Tensor()", "[a, *_] if a", "{{'loss': y}}", "_")]
        return self._filled("match {x}:\n") + textwrap.indent("\n".join(cases[self._random.randint(0, 3) :]), "    ")

    def _function(self, depth: int) -> str:
        ending = self._random.choice(("", f"\nreturn {self._expression()}", "\nreturn x, loss"))
        return self._decorated(self._block(self._random.choice(FUNCTIONS), depth, ending))

    def _decorated(self, text: str) -> str:
        return f"{self._random.choice(DECORATORS)}\n{text}" if self._random.random() < 0.2 else text

    def _class(self, depth: int) -> str:
        random = self._random
        methods = [self._decorated(self._block(each, depth)) for each in random.sample(METHODS, random.randint(1, 3))]
        if random.random() < 0.5:
            methods[0] = "def __init__(self):\n    super().__init__()\n" + textwrap.indent(self._body(0), "    ")
        return f"class Net{random.choice(BASES)}:\n" + textwrap.indent("\n\n".join(methods), "    ")


def program(random: Random) -> str:
    return Writer(random).program()


# -- other layouts of the same ------------------------------------------------------------------------------------------


def _wrapped(header: str) -> Callable[[str, Random], str]:
    return lambda text, random: header + "\n" + textwrap.indent(text, "    ") if "__future__" not in text else text


LAYOUTS: tuple[Callable[[str, Random], str], ...] = (
    lambda text, random: text.replace("\n", "\r\n"),
    lambda text, random: text.replace("\n", "\r"),
    lambda text, random: text.replace("    ", "\t"),
    lambda text, random: text.replace("\n\n", "\n\x0c\n", 2),
    lambda text, random: text.rstrip("\n"),
    lambda text, random: text.replace("loss", "perte_é").replace("out", "µ"),
    lambda text, random: text.replace("(", "( ").replace(" = ", "=").replace(", ", " ,"),
    lambda text, random: text.replace(" = ", " = \\\n    ", 2),
    lambda text, random: text.replace("(", "(\n", random.randint(1, 3)),
    lambda text, random: text.replace("\n", "  # note\n", random.randint(1, 3)),
    lambda text, random: text.replace("\n", " \t\n"),
    lambda text, random: "# -*- coding: utf-8 -*-\n" + text,
    lambda text, random: "#!/usr/bin/env python\n# coding=latin-1\n" + text,
    lambda text, random: "\ufeff" + text,
    _wrapped("def main():"),
    _wrapped("async def main(self):"),
    _wrapped("class Main:"),
    _wrapped("if True:"),
    _wrapped("with torch.no_grad(): # all of it"),
)


def laid_out(text: str, random: Random) -> str:
    """The text in one or two of the layouts; not always Python any more."""
    for change in random.sample(LAYOUTS, random.choice((0, 1, 1, 2))):
        text = change(text, random)
    return text
