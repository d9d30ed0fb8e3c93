"""What the recorder of `torchlint sanity run` costs a program: a small CNN on one thread, step by step, with it and without.

    python -m benchmarks.recorder [--repeats 12] [--steps 24]

Both run in turns, each time in a process forked off one that has imported torch. A ratio is that of the medians over all repeats of the
mean time of a step, so that the steps whose kernels are watched count as often as they do in a run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from torchlint.sanity.own.loading import Files, Served
from torchlint.sanity.own.writing import Writer

PROGRAM = """
import time
import torch
from torch import nn
import torch.nn.functional as F

model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
    nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
total = 0.0
seconds = []
for _ in range(steps + 2):
    x, y = torch.randn(batch, 3, 32, 32), torch.randint(10, (batch,))
    started = time.perf_counter()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    total += loss.item()
    seconds.append(time.perf_counter() - started)
seconds = sum(seconds[2:]) / steps
"""
BATCHES = (4, 32)


def step(batch: int, steps: int, recorded: bool, answer: Connection) -> None:
    """Seconds of a step, sent where they are waited for."""
    import torch

    from torchlint.sanity import child
    from torchlint.sanity.own.recorder import Recorder

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    child.seed()
    scope = {"batch": batch, "steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        files = Files(lambda path: Served(PROGRAM), lambda path: None)
        if recorded:
            Recorder(Writer(Path(folder, "record.jsonl")), files, steps + 9, SystemExit).install()
        exec(files.code(str(Path(folder, "train.py"))), scope)
    answer.send(scope["seconds"])


def measured(batch: int, steps: int, recorded: bool) -> float:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=step, args=(batch, steps, recorded, theirs))
    process.start()
    theirs.close()
    seconds: float = ours.recv()
    process.join()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--steps", type=int, default=24)
    options = parser.parse_args()
    import torch
    import torch._dynamo

    print(f"torch {torch.__version__}, {options.repeats} repeats of {options.steps} steps, one thread")
    for batch in BATCHES:
        plain, recorded = [], []
        for _ in range(options.repeats):
            plain.append(measured(batch, options.steps, False))
            recorded.append(measured(batch, options.steps, True))
        ratio = median(recorded) / median(plain)
        print(
            f"batch {batch:2}: {median(plain) * 1000:6.1f} ms a step, recorded {median(recorded) * 1000:6.1f} ms: {ratio:.2f} times",
            flush=True,
        )


if __name__ == "__main__":
    main()
