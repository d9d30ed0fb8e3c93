"""What is said about one text, in this process and in one that may die of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cli_cases import SAFE, SAFE_FIXED, UNSAFE

from torchlint.corpus.isolated import Isolated
from torchlint.corpus.judging import Standards, as_file
from torchlint.edits import Applicability
from torchlint.run import one
from torchlint.settings import Configuration, Settings

BROKEN = "import torch\nprint 1\n"
NET = """\
from layers import Block
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = [Block() for _ in range(4)]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
"""
LAYERS = """\
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)
"""
DEADLY = """\
import os
import time

from torchlint.rule import ERROR, Finding, rule


@rule("ZZ901", severity=ERROR, mentions=("torch",))
def check(file):
    \"\"\"A rule that ends the process, or does not end.\"\"\"
    if "kill" in file.text:
        os.kill(os.getpid(), 9)
    if "stop" in file.text:
        time.sleep(3600)
    print("a rule may say what it likes")
    yield from ()
"""


def standards(root: Path, fix: Applicability | None = None, settings: Settings | None = None) -> Standards:
    return Standards({}, settings or Settings(root=root), str(root), fix)


def test_findings_are_those_of_the_json_format(tmp_path: Path) -> None:
    verdict = standards(tmp_path).judge(SAFE.encode(), "a.py")

    [found] = verdict.diagnostics
    assert (found["code"], found["location"], found["fix"]["applicability"]) == ("TL401", {"row": 3, "column": 5}, "safe")
    assert verdict[1:] == (0, None, None)


def test_fixes_up_to_the_grade_are_applied_and_counted(tmp_path: Path) -> None:
    safe = standards(tmp_path, Applicability.SAFE)

    assert safe.judge(SAFE.encode(), None) == ((), 1, SAFE_FIXED.encode(), None)
    assert safe.judge(UNSAFE.encode(), None)[1:3] == (0, None)
    assert standards(tmp_path, Applicability.UNSAFE).judge(UNSAFE.encode(), None).fixes == 1


@pytest.mark.parametrize("data", [BROKEN.encode(), b"import torch\n\xff\n", b"import torch\n\0\n"])
def test_what_cannot_be_read_is_a_finding_and_an_error(data: bytes, tmp_path: Path) -> None:
    verdict = standards(tmp_path).judge(data, "a.py")

    assert [each["code"] for each in verdict.diagnostics] == ["TL001"]
    assert verdict.error == verdict.diagnostics[0]["message"]


def test_the_path_says_what_kind_of_text_it_is_and_which_settings_hold(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": SAFE.splitlines(keepends=True), "metadata": {}, "outputs": [], "execution_count": None}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    ignoring = Settings(root=tmp_path, per_file_ignores=(("old/*", ("TL401",)),))

    assert standards(tmp_path).judge(notebook.encode(), "a.ipynb").diagnostics[0]["cell"] == 1
    assert len(standards(tmp_path).judge(f"# T\n\n```python\n{SAFE}```\n".encode(), "a.md").diagnostics) == 1
    assert standards(tmp_path, settings=ignoring).judge(SAFE.encode(), "old/a.py").diagnostics == ()
    assert len(standards(tmp_path, settings=ignoring).judge(SAFE.encode(), "new/a.py").diagnostics) == 1


def test_settings_of_a_folder_hold_for_its_files(tmp_path: Path) -> None:
    quiet = replace(Settings(root=tmp_path), ignore=("TL401",))
    both = Standards({str(tmp_path / "quiet"): quiet}, Settings(root=tmp_path), str(tmp_path), None)

    assert both.judge(SAFE.encode(), str(tmp_path / "quiet" / "a.py")).diagnostics == ()
    assert len(both.judge(SAFE.encode(), str(tmp_path / "a.py")).diagnostics) == 1


def test_other_files_are_not_looked_at(tmp_path: Path) -> None:
    """A text is judged alike wherever it is: what lies beside its path there says nothing."""
    (tmp_path / "layers.py").write_text(LAYERS, encoding="utf-8")
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    followed = one.check_bytes(NET.encode(), tmp_path / "net.py", Settings(), one.Task(one.Mode.CHECK, Applicability.SAFE, (tmp_path,)))

    assert [each.code for each in followed.diagnostics] == ["TL301"]
    assert standards(tmp_path).judge(NET.encode(), str(tmp_path / "net.py")).diagnostics == ()


def test_half_a_surrogate_pair_in_a_notebook_is_written_out(tmp_path: Path) -> None:
    source = ["import torch\n", "w = torch.zeros(2, names='\ud800').cuda(\n"]
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    verdict = standards(tmp_path).judge(notebook.encode(), "a.ipynb")

    assert verdict.error
    json.dumps(verdict.diagnostics, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("x = 'é'\n", None, ("x = 'é'\n".encode(), "utf-8")),
        ("# coding: latin-1\nx = 'é'\n", "a.py", (b"# coding: latin-1\nx = '\xe9'\n", "iso8859-1")),
        ("# coding: latin-1\nx = '€'\n", None, ("# coding: latin-1\nx = '€'\n".encode(), "utf-8")),
        ("# coding: nothing\n", None, (b"# coding: nothing\n", "utf-8")),
        ("# coding: utf-8-sig\n", None, (b"# coding: utf-8-sig\n", "utf-8")),
        ("<!-- -->\n# coding: latin-1\né\n", "a.md", ("<!-- -->\n# coding: latin-1\né\n".encode(), "utf-8")),
    ],
)
def test_a_text_becomes_the_file_that_it_was_read_from(text: str, path: str | None, expected: tuple[bytes, str]) -> None:
    assert as_file(text.encode(), path) == expected


def test_digest_changes_with_any_setting(tmp_path: Path) -> None:
    one = standards(tmp_path)

    assert one.digest == standards(tmp_path).digest
    assert one.digest != standards(tmp_path, settings=Settings(root=tmp_path, ignore=("TL401",))).digest
    assert one.digest != Standards({"/a": Settings(root=tmp_path)}, one.others, one.root, None).digest


# -- in a process of its own ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Isolated]:
    """With a rule that kills its process, or never ends, where the text says so."""
    (tmp_path / "deadly_rules.py").write_text(DEADLY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = Configuration({"plugins": ("deadly_rules",), "extend-select": ("ZZ901",)}, isolated=True).settings(tmp_path)
    process = Isolated(Standards({}, settings, str(tmp_path), None), timeout=20.0)
    yield process
    process.close()


def test_a_text_that_kills_the_process_is_recorded_and_the_next_is_judged(isolated: Isolated) -> None:
    assert len(isolated.judge(SAFE.encode(), None).diagnostics) == 1
    assert isolated.judge(b"import torch  # kill\n", None).error == "kills the process that checks it"
    assert len(isolated.judge(SAFE.encode(), None).diagnostics) == 1


def test_a_text_that_takes_too_long_is_recorded_and_the_next_is_judged(isolated: Isolated) -> None:
    isolated._timeout = 0.2

    assert isolated.judge(b"import torch  # stop\n", None).error == "was not judged within 0.2 seconds"
    isolated._timeout = 60.0
    assert len(isolated.judge(SAFE.encode(), None).diagnostics) == 1


def test_nothing_is_imported_from_the_current_folder(isolated: Isolated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "checked"
    here.mkdir()
    for name in ("pickle.py", "libcst.py", "torchlint.py", "signal.py"):
        (here / name).write_text("raise SystemExit('run from the folder that is checked')\n", encoding="utf-8")
    monkeypatch.chdir(here)

    assert len(isolated.judge(SAFE.encode(), None).diagnostics) == 1


def test_a_process_that_does_not_start_is_no_verdict(isolated: Isolated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])

    with pytest.raises(RuntimeError, match="does not start"):
        isolated.judge(SAFE.encode(), None)
