"""Programs that the tests of the command line check, and small things that they share."""

import json
import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAFE = "import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n"
SAFE_FIXED = 'import torch\n\nw = torch.zeros(2, device="cuda")\nprint(w)\n'
UNSAFE = "import torch\n\nw = torch.rand(2).cuda()\nprint(w)\n"
UNSAFE_FIXED = 'import torch\n\nw = torch.rand(2, device="cuda")\nprint(w)\n'
GOOD = "import torch\n\nprint(torch.ones(2))\n"


def write(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(name: str) -> str:
    return Path(name).read_bytes().decode()


def found(output: str) -> list[str]:
    return [each["code"] for each in json.loads(output)]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}
