"""What a program does to its weights, written down from outside: hooks of torch that no program notices.

Runs in the process of the program. Facts are recorded, nothing is judged: what they mean is left to `align` and `signals`. A step of an
optimizer is an event, and so is a backward as long as nothing steps. Numbers are kept as sums of their bits, which cost little, lose no
difference that matters and are the same whenever the numbers are. What `memory` and `waiting` count goes into the same record.
"""

from __future__ import annotations

import functools
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.process import BaseProcess
from time import monotonic
from types import FrameType
from typing import Any
from weakref import ref

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from torchlint.sanity import observe
from torchlint.sanity.own.gpu import Gpu
from torchlint.sanity.own.loading import Files
from torchlint.sanity.own.memory import Memory, is_watched
from torchlint.sanity.own.naming import Names
from torchlint.sanity.own.waiting import Waits
from torchlint.sanity.own.writing import Writer

_DEEPEST = 80
"""Frames that are looked through for the user's."""
_LEAVES_ASKED = 3
"""Steps in whose backwards the graph is walked for what gets gradients."""
_PATIENCE = 50
"""Backwards for each step asked for, after which an optimizer that has not stepped is not going to."""
_FARTHEST = 100
"""Times as many steps as were asked for that a run takes at most to reach what is not reached yet."""
_OFTEN = 5
"""Times that a finding's statement is noted in the record, at most one a step."""
_NOISY = (torch.nn.modules.dropout._DropoutNd, torch.nn.modules.batchnorm._BatchNorm)
"""Layers that do one thing in training and another in evaluation."""


class _Mark:
    """Lies in a graph, and lives as long as it does."""

    __slots__ = ("__weakref__",)


class Recorder:
    def __init__(
        self,
        writer: Writer,
        files: Files,
        limit: int,
        enough: type[BaseException],
        *,
        further: float = 0.0,
        by_backwards: bool = False,
        device: str = "cpu",
    ) -> None:
        """`further`: the seconds for which it goes on past the limit while statements that were asked for are not reached.
        `by_backwards`: the limit is one of backwards, since nothing is going to step."""
        self._writer, self._files, self._limit, self._enough, self._further = writer, files, limit, enough, further
        self._patience = 1 if by_backwards else _PATIENCE
        self._full: float | None = None
        """When the limit was met."""
        self._memory = Memory(self._line, writer.write)
        self._waits = Waits(files, on_device=device != "cpu")
        self._gpu = Gpu(device == "cuda")
        self._process = os.getpid()
        self._names = Names()
        self._optimizers: list[ref[Any]] = []
        self._steps: Counter[int] = Counter()
        """By optimizer, in the order of their first steps."""
        self._backwards = 0
        self._losses: list[torch.Tensor] = []
        self._lines: dict[str, None] = {}
        """Of the backwards since the last step."""
        self._ended = False
        self._depth = 0
        self._marks: list[tuple[int, ref[_Mark]]] = []
        self._noted = WeakIdKeyDictionary()
        """Gradients as the last step, or a backward after it, left them."""
        self._carried = WeakIdKeyDictionary()
        """Parameters that went into a backward with a gradient that a step had used already."""
        self._held = WeakIdKeyDictionary()
        """Whatever some optimizer has been given."""
        self._loose = WeakIdKeyDictionary()
        """Parameters that a backward gave a gradient to."""
        self._modes: Counter[tuple[str, str, bool]] = Counter()
        self._modes_of_call: set[tuple[str, str, bool]] = set()
        self._within_backward = False
        self._reached: Counter[int] = Counter()
        self._reached_at: dict[int, int] = {}

    # -- what is hooked ------------------------------------------------------------------------------------------------

    def install(self) -> None:
        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)
        register_module_forward_pre_hook(self._before_forward)
        register_module_forward_hook(self._after_forward, always_call=True)
        torch.autograd.backward = self._backward_in_place_of(torch.autograd.backward)
        add = torch.optim.Optimizer.add_param_group

        @functools.wraps(add)
        def adding(optimizer: Any, *arguments: Any, **options: Any) -> None:
            add(optimizer, *arguments, **options)
            self._hold(optimizer)

        torch.optim.Optimizer.add_param_group = adding
        self._waits.install()
        compiling = torch.compile

        @functools.wraps(compiling)
        def compiled(*arguments: Any, **options: Any) -> Any:
            self._memory.never()
            return compiling(*arguments, **options)

        torch.compile = compiled
        start = BaseProcess.start

        @functools.wraps(start)
        def starting(process: BaseProcess) -> None:
            self._started(process)
            start(process)

        setattr(BaseProcess, "start", starting)  # noqa: B010  a method may be replaced, whatever its type says
        sys.addaudithook(self._audit)

    @property
    def _elsewhere(self) -> bool:
        """Whether this is a process that the program has forked off."""
        return os.getpid() != self._process

    @property
    def _step(self) -> int:
        return max(self._steps.values(), default=0)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen" and not self._ended and not self._elsewhere:
            self._writer.write("process")

    def _started(self, process: Any) -> None:
        """Whatever is started, but the workers of a loader."""
        if not getattr(getattr(process, "_target", None), "__module__", "").startswith("torch.utils.data.") and not self._elsewhere:
            self._writer.write("process")

    def reached(self, number: int) -> None:
        """The statement of a finding is about to run."""
        step = self._step if self._steps else self._backwards
        if self._reached[number] < _OFTEN and self._reached_at.get(number) != step:
            self._reached[number] += 1
            self._reached_at[number] = step
            self._writer.write("reach", number=number, step=step)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _before_step(self, optimizer: Any, *_: Any) -> None:
        if self._elsewhere:
            return
        if self._ended:  # it has caught what was to end it
            os._exit(0)
        self._gpu.pause()
        self._backwards_before = self._backwards
        with torch.no_grad():
            self._facts = self._gradients(optimizer)
            self._facts["random"] = _random()
        self._gpu.go_on()

    def _after_step(self, optimizer: Any, *_: Any) -> None:
        if self._elsewhere:
            return
        self._gpu.pause()
        number = self._number(optimizer)
        self._steps[number] += 1
        with torch.no_grad():
            facts = self._facts
            if self._backwards > self._backwards_before:  # a closure computed them meanwhile
                facts |= self._gradients(optimizer)
            parameters = dict(_parameters(optimizer, self._names))
            facts["parameters"] = _sums(parameters)
            if self._steps[number] in (1, self._limit) or is_watched(self._steps[number]):
                facts["norms"] = _norms(parameters)
        carried = [name for name, parameter in parameters.items() if self._carried.pop(parameter, False)]
        for parameter in parameters.values():
            self._note(parameter)
        self._writer.write(
            "step",
            optimizer=number,
            step=self._steps[number],
            line=self._line(),
            backward=list(self._lines),
            losses=self._values(),
            carried=carried,
            kept=self._kept(),
            loose=self._unheld() if self._step <= _LEAVES_ASKED else [],
            **self._gpu.taken(),
            **self._since_step(),
            **facts,
        )
        self._forget()
        if number == 0:
            self._memory.after(self._steps[number])
        self._end_after(self._steps[number])
        self._waits.listen()
        self._gpu.go_on()

    def _number(self, optimizer: Any) -> int:
        for number, each in enumerate(self._optimizers):
            if each() is optimizer:
                return number
        self._optimizers.append(ref(optimizer))
        self._hold(optimizer)
        return len(self._optimizers) - 1

    def _gradients(self, optimizer: Any) -> dict[str, Any]:
        parameters = dict(_parameters(optimizer, self._names))
        wanted = {name: each for name, each in parameters.items() if each.requires_grad}
        with_gradient = {name: each.grad for name, each in wanted.items() if each.grad is not None}
        return {"gradients": _sums(with_gradient), "without": [name for name in wanted if name not in with_gradient]}

    def _values(self) -> list[list[Any]]:
        """Each loss since the last step: its number, and the sum of its bits."""
        bits = _sums({str(index): loss for index, loss in enumerate(self._losses)})
        return [[_number(loss), bits[str(index)]] for index, loss in enumerate(self._losses)]

    def _since_step(self) -> dict[str, Any]:
        return {**self._waits.taken(), "modes": [[*key, count] for key, count in self._modes.items()]}

    def rest(self) -> None:
        """What went on after the last step."""
        self._memory.rest()
        self._writer.write("rest", **self._since_step())

    def _forget(self) -> None:
        self._losses.clear()
        self._lines.clear()
        self._modes.clear()

    def _end_after(self, number: int) -> None:
        if number >= self._limit and not self._goes_on(number):
            self._ended = True
            self._writer.write("end", how="stopped")
            raise self._enough

    def _goes_on(self, number: int) -> bool:
        """Whether there is something left to be reached, and time for it."""
        left = self._files.wanted - self._reached.keys()
        if self._full is None:
            self._full = monotonic()
            if left and self._further:
                self._writer.write("further", left=len(left))
        return bool(left) and number < self._limit * _FARTHEST and monotonic() - self._full < self._further

    def _hold(self, optimizer: Any) -> None:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                self._held[parameter] = True

    # -- backwards -----------------------------------------------------------------------------------------------------

    def _backward_in_place_of(self, backward: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(backward)
        def recorded(tensors: Any, *arguments: Any, **options: Any) -> None:
            if self._elsewhere or self._within_backward:
                return backward(tensors, *arguments, **options)
            if self._ended:
                os._exit(0)
            roots = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
            leaves = self._before_backward(roots)
            self._within_backward = True
            try:
                backward(tensors, *arguments, **options)
            finally:
                self._within_backward = False
            self._after_backward(leaves)
            return None

        return recorded

    def _before_backward(self, roots: list[torch.Tensor]) -> list[torch.Tensor]:
        self._backwards += 1
        self._lines[self._line()] = None
        self._losses += [each.detach().clone() for each in roots if isinstance(each, torch.Tensor)]
        for each in roots:
            self._mark(each)
        for parameter, noted in list(self._noted.items()):
            if noted != _state(parameter):
                self._noted.pop(parameter)  # somebody cleared it
                self._carried.pop(parameter, None)
            else:
                self._carried[parameter] = True
        leaves = list(_leaves(roots)) if self._step < _LEAVES_ASKED else []
        for leaf in leaves:
            if isinstance(leaf, torch.nn.Parameter):
                self._loose[leaf] = True
        if not self._steps:
            with torch.no_grad():
                self._before = {"random": _random(), "parameters": _sums({self._names.of(each): each for each in leaves})}
        return leaves

    def _after_backward(self, leaves: list[torch.Tensor]) -> None:
        for parameter in list(self._noted):
            self._note(parameter)
        if self._steps:
            return
        with torch.no_grad():
            gradients = _sums({self._names.of(each): each.grad for each in leaves if each.grad is not None})
            losses = self._values()[-1:]
        self._writer.write("backward", step=self._backwards, line=self._line(), losses=losses, gradients=gradients, **self._before)
        if self._backwards >= self._limit * (self._patience if len(self._held) else 1):
            self._end_after(self._limit if len(self._held) else self._backwards)

    def _note(self, parameter: Any) -> None:
        state = _state(parameter)
        if state is None:
            self._noted.pop(parameter, None)
        else:
            self._noted[parameter] = state

    def _unheld(self) -> list[str]:
        return [self._names.of(each) for each in list(self._loose.keys()) if each not in self._held]

    # -- modules, graphs and waits ---------------------------------------------------------------------------------------

    def _before_forward(self, module: Any, _: Any) -> None:
        self._depth += 1
        if self._elsewhere:
            return
        if self._depth == 1:
            self._names.root(module)
            self._modes_of_call.clear()
        if isinstance(module, _NOISY):
            key = self._line(), "train" if module.training else "eval", torch.is_grad_enabled()
            if key not in self._modes_of_call:  # a call counts once, however many layers it goes through
                self._modes_of_call.add(key)
                self._modes[key] += 1

    def _after_forward(self, module: Any, _: Any, output: Any) -> None:
        self._depth -= 1
        if self._depth == 0 and not self._elsewhere:
            for each in tree_leaves(output)[:_LEAVES_ASKED]:
                self._mark(each)

    def _mark(self, tensor: Any) -> None:
        if isinstance(tensor, torch.Tensor) and tensor.grad_fn is not None:
            mark = _Mark()
            tensor.grad_fn.metadata.setdefault("torchlint", []).append(mark)
            self._marks.append((self._step, ref(mark)))

    def _kept(self) -> int:
        """Graphs that are alive although a step has been taken since the one that they were for."""
        self._marks = [(step, each) for step, each in self._marks if each() is not None]
        return sum(step < self._step - 1 for step, _ in self._marks)

    def _line(self) -> str:
        """Where in the user's files this was called."""
        frame: FrameType | None = sys._getframe(1)
        for _ in range(_DEEPEST):
            if frame is None:
                break
            if frame.f_code.co_filename in self._files:
                return f"{frame.f_code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back
        return ""


def _state(parameter: Any) -> tuple[int, int] | None:
    gradient = parameter.grad
    return None if gradient is None else (id(gradient), gradient._version)


def _parameters(optimizer: Any, names: Names) -> Iterator[tuple[str, Any]]:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield names.of(parameter), parameter


def _leaves(roots: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """What a backward from here gives gradients to."""
    pending = [each.grad_fn for each in roots if isinstance(each, torch.Tensor) and each.grad_fn is not None]
    seen = set(pending)
    while pending:
        node = pending.pop()
        variable = getattr(node, "variable", None)
        if variable is not None:
            yield variable
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                pending.append(following)


def _sums(tensors: dict[str, Any]) -> dict[str, int]:
    """The sum of each tensor's bits, as integers of its own width; one wait for each device."""
    by_device: dict[torch.device, tuple[list[str], list[torch.Tensor]]] = {}
    for name, tensor in tensors.items():
        names, sums = by_device.setdefault(tensor.device, ([], []))
        names.append(name)
        sums.append(_sum(tensor.detach()))
    return {name: value for names, sums in by_device.values() for name, value in zip(names, torch.stack(sums).tolist(), strict=True)}


def _norms(tensors: dict[str, Any]) -> dict[str, float]:
    """How long each is, in single precision: enough to see how far two runs are apart that do not agree to the bit."""
    real = {name: tensor.detach() for name, tensor in tensors.items() if tensor.layout is torch.strided and tensor.is_floating_point()}
    if not real:
        return {}
    norms = torch._foreach_norm(list(real.values()))
    return dict(zip(real, torch.stack([each.to(norms[0].device, torch.float32) for each in norms]).tolist(), strict=True))


_WIDTHS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def _sum(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
    return tensor.view(_WIDTHS[tensor.element_size()]).sum(dtype=torch.int64)


def _number(loss: torch.Tensor) -> float:
    real = loss.abs() if loss.is_complex() else loss
    return float((real if real.dtype is torch.float64 else real.float()).sum())


def _random() -> str:
    return "-".join(observe.generators("cuda" if torch.cuda.is_initialized() else "cpu").values())
