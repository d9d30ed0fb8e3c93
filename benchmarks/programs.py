"""Public programs before and after their fixes: which verdict `torchlint sanity run` comes to, unmodified and without a network.

    python -m benchmarks.programs FOLDER [NAME ...] [--steps 12] [--timeout 150] [--device cuda]

FOLDER holds checkouts as `owner+name`. Data that a program would fetch is made up and laid beside it. torchvision and gymnasium are needed
by some of them; a program that cannot start is reported as that.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import time
from array import array
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple


class Program(NamedTuple):
    folder: str
    command: str


EXAMPLES, GAN = "pytorch+examples", "eriklindernoren+PyTorch-GAN/implementations"
PROGRAMS = {
    "mnist": Program(f"{EXAMPLES}/mnist", "main.py --epochs 1 --no-accel --test-batch-size 100"),
    "vae": Program(f"{EXAMPLES}/vae", "main.py --epochs 2"),
    "dcgan": Program(f"{EXAMPLES}/dcgan", "main.py --dataset fake --imageSize 64 --batchSize 4 --ngf 8 --ndf 8 --niter 1"),
    "word language model": Program(
        f"{EXAMPLES}/word_language_model", "main.py --data data/small --use-optimizer --emsize 32 --nhid 32 --epochs 1"
    ),
    "reinforce": Program(f"{EXAMPLES}/reinforcement_learning", "reinforce.py"),
    "actor critic": Program(f"{EXAMPLES}/reinforcement_learning", "actor_critic.py"),
    "minGPT adder": Program("karpathy+minGPT", "-m projects.adder.adder --model.model_type=gpt-nano"),
    "nanoGPT": Program(
        "karpathy+nanoGPT",
        "train.py --device=cpu --compile=False --eval_iters=2 --block_size=16 --batch_size=4 --n_layer=2 --n_head=2 --n_embd=32"
        " --dropout=0.1 --dataset=shakespeare_char --gradient_accumulation_steps=4 --dtype=float32",
    ),
    "gan": Program(f"{GAN}/gan", "gan.py --n_cpu 2 --batch_size 16 --n_epochs 1"),
    "wgan gp": Program(f"{GAN}/wgan_gp", "wgan_gp.py --n_cpu 2 --batch_size 16 --n_epochs 1"),
    "mnist rnn": Program(f"{EXAMPLES}/mnist_rnn", "main.py --epochs 1 --test-batch-size 100"),
    "siamese network": Program(f"{EXAMPLES}/siamese_network", "main.py --epochs 1 --no-accel --batch-size 8"),
    "regression": Program(f"{EXAMPLES}/regression", "main.py"),
    "forward forward": Program(f"{EXAMPLES}/mnist_forward_forward", "main.py --epochs 60 --train_size 200 --test_size 50"),
    "hogwild": Program(f"{EXAMPLES}/mnist_hogwild", "main.py --epochs 1"),
    "imagenet": Program(f"{EXAMPLES}/imagenet", "main.py --dummy -a resnet18 -b 2 --epochs 1 -j 0"),
}


def data(root: Path) -> None:
    """Digits, text and tokens, all of them noise."""
    noise = random.Random(0)
    for folder in (root / EXAMPLES / "data", root / GAN / "../data/mnist", root / EXAMPLES / "mnist_hogwild/../data"):
        raw = folder / "MNIST" / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        for name, number in (("train", 1600), ("t10k", 400)):
            (raw / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, number, 28, 28) + noise.randbytes(number * 784))
            labels = bytes(noise.randrange(10) for _ in range(number))
            (raw / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, number) + labels)
    text = root / EXAMPLES / "word_language_model" / "data" / "small"
    text.mkdir(parents=True, exist_ok=True)
    for name, number in (("train", 3000), ("valid", 300), ("test", 300)):
        rows = (" ".join(f"word{noise.randrange(300)}" for _ in range(12)) for _ in range(number))
        (text / f"{name}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    tokens = root / "karpathy+nanoGPT" / "data" / "shakespeare_char"
    tokens.mkdir(parents=True, exist_ok=True)
    for name in ("train", "val"):
        (tokens / f"{name}.bin").write_bytes(array("H", (noise.randrange(65) for _ in range(20_000))).tobytes())


def run(program: Program, root: Path, options: argparse.Namespace) -> str:
    """A row of the table."""
    ours = ["--isolated", "--device", options.device, "--unsafe-fixes", "--output-format", "json"]
    ours += ["--steps", str(options.steps), "--timeout", str(options.timeout)]
    started = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-m", "torchlint", "sanity", "run", *ours, *_command(program, options.device)],
        cwd=root / program.folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    try:
        told: dict[str, Any] = json.loads(found.stdout)
    except ValueError:
        return f"no verdict: {found.stderr.strip().splitlines()[-1]} | | | | {seconds:.0f}"
    original, fixed = told["original"], told["fixed"] or {}
    states = Counter(f"{each['code']} {each['state']}" for each in told["findings"])
    findings = ", ".join(f"{number} x {state}" if number > 1 else state for state, number in sorted(states.items()))
    verdict = f"{told['verdict']}{': ' if told['reason'] else ''}{told['reason'] or ''}"
    waits = " -> ".join(f"{each['waits_per_step']:.2f}" for each in (original, fixed) if each.get("waits_per_step") is not None)
    if original.get("milliseconds_per_step") is not None:
        waits += "; with the GPU " + " -> ".join(f"{each['synchronisations_per_step']:.2f}" for each in (original, fixed) if each)
        waits += "; ms " + " -> ".join(f"{each['milliseconds_per_step']:.3g}" for each in (original, fixed) if each)
        waits += "; MiB " + " -> ".join(f"{each['gpu_bytes_most'] / 2**20:.1f}" for each in (original, fixed) if each)
    kind = "steps" if original["optimizers"] else "backwards"
    ended = "" if original["ended"] in ("stopped", "finished") else f", {original['ended']}"
    unseen = "".join(f"; seen in the run alone: {each['kind']}" for each in told["unseen"])
    return f"{verdict} | {original['steps']} {kind}{ended} | {waits} | {findings}{unseen} | {seconds:.0f}"


def _command(program: Program, device: str) -> list[str]:
    """What the program is told; it is kept on the CPU only where it shall run there."""
    words = program.command.split()
    return words if device == "cpu" else [word.replace("--device=cpu", f"--device={device}") for word in words if word != "--no-accel"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--timeout", type=float, default=150)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    root = options.folder.resolve()
    data(root)
    print("| program | verdict | taken | waits per step | findings | seconds |\n|---|---|---|---|---|---|")
    for name in options.names or PROGRAMS:
        print(f"| {name} | {run(PROGRAMS[name], root, options)} |", flush=True)


if __name__ == "__main__":
    main()
