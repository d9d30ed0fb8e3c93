"""Neovim itself, without a screen: what it shows, what its actions change, and what is then on the disk."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NVIM = shutil.which("nvim")
pytestmark = pytest.mark.skipif(NVIM is None, reason="Neovim is not installed (on Debian and Ubuntu: apt-get install neovim)")

README = Path(__file__).parents[2] / "README.md"
TEXT = "import torch\n\nw = torch.zeros(2).cuda()\nv = torch.ones(2).cuda()\n"
TYPED = "# typed\nimport torch as t\n"


def test_findings_are_shown_fixed_and_saved(tmp_path: Path) -> None:
    document, seen = tmp_path / "train.py", tmp_path / "seen.json"
    document.write_text(TEXT, encoding="utf-8")
    [setup] = re.findall(r"```lua\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    variables = {
        **{name: str(tmp_path / "own") for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")},
        "SERVER": json.dumps([sys.executable, "-m", "torchlint", "server"]),
        "SETUP": setup,
        "DOCUMENT": str(document),
        "SEEN": str(seen),
    }
    command = [str(NVIM), "--headless", "--clean", "-n", "-c", f"luafile {Path(__file__).with_name('session.lua')}"]
    environment = {**os.environ, **variables}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400, check=False)

    told = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else {"error": result.stderr}
    assert (told.get("error"), result.returncode) == (None, 0)
    assert told["first"] == ["TL401", "torchlint", 4, len("w = torch.zeros(2).cuda()"), True]
    assert any("suppress TL401" in title for title in told["[TL401]"])
    assert told["quick"] == TYPED + TEXT.replace("zeros(2).cuda()", 'zeros(2, device="cuda")')
    assert document.read_text(encoding="utf-8") == TYPED + TEXT.replace("(2).cuda()", '(2, device="cuda")')
