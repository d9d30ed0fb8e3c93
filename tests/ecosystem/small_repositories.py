"""What the small repositories contain, git as they are made with it, and the fixtures as types."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

TRAINING = """import torch


def train(model, batches, loss_of):
    total = 0
    for batch in batches:
        loss = loss_of(model(batch))
        loss.backward()
        total += loss
    return total
"""
MOVED = "import torch\n\nweight = torch.zeros(2).cuda()\nprint(weight)\n"


def notebook(*cells: str) -> str:
    """The file of a notebook with these cells, each row of code on a row of its own."""
    written = [{"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": [], "execution_count": None} for cell in cells]
    return json.dumps({"metadata": {}, "nbformat": 4, "nbformat_minor": 4, "cells": written}, indent=1)


Commit = Callable[..., str]
Ecosystem = Callable[..., Result]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout.strip()
