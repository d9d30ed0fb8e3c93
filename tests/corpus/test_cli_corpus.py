"""`torchlint corpus` from end to end, on a local Ray with two workers: it writes what `check` says, whatever happened on the way.

Two stories in two tests: what Ray needs to start takes longer than all else, so each test starts it once.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_cases import GOOD, SAFE, SAFE_FIXED, UNSAFE, environment
from commands import Result, Torchlint

pa = pytest.importorskip("pyarrow")
pytest.importorskip("ray")

import pyarrow.parquet as pq

SHARED = ("code", "name", "message", "severity", "url", "location", "end_location", "noqa_row")
OnRay = Callable[..., Result]
"""Takes a folder and the arguments of `torchlint`."""
BROKEN = "import torch\nprint 1\n"
KINDS = [SAFE, UNSAFE, GOOD, BROKEN, None, "print(1)\n", SAFE + UNSAFE.replace("import torch\n", "")]
ROWS = 60
TEXTS = [None if text is None else f"# {number}\n{text}" for number, text in enumerate((KINDS * ROWS)[:ROWS])]
OPTIONS = ("data", "--output", "out", "--fix", "--id-column", "number", "--rows-per-block", "4", "--concurrency", "2", "--isolated")


@pytest.fixture(scope="module")
def ray_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Ray reports to nobody, and keeps what authenticates its processes in the home of whoever starts it: here it has one of its own.

    It is patient with processes that take long to start, as where all tests run at once: else it starts them over and over.
    """
    home = str(tmp_path_factory.mktemp("home"))
    return environment(HOME=home, RAY_USAGE_STATS_ENABLED="0", RAY_ADDRESS="", RAY_worker_register_timeout_seconds="300")


@pytest.fixture(scope="module")
def on_ray(ray_environment: dict[str, str]) -> Iterator[OnRay]:
    command = [sys.executable, str(Path(__file__).with_name("ray_shell.py"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=ray_environment
    ) as shell:
        assert shell.stdin is not None and shell.stdout is not None
        assert shell.stdout.readline() == "ready\n"

        def call(folder: Path, *arguments: str) -> Result:
            assert shell.stdin is not None and shell.stdout is not None
            print(json.dumps((str(folder), arguments)), file=shell.stdin, flush=True)
            status, out, err = json.loads(shell.stdout.readline())
            return Result(status, out.encode(), err.encode())

        yield call
        shell.stdin.close()


def generate(folder: Path) -> Path:
    """Two Parquet files of texts of every kind."""
    (folder / "data").mkdir(parents=True)
    half = ROWS // 2
    for part, first in enumerate((0, half)):
        numbers = list(range(first, first + half))
        columns = {"number": numbers, "content": [TEXTS[each] for each in numbers], "path": [f"src/{each}.py" for each in numbers]}
        pq.write_table(pa.table(columns), folder / "data" / f"{part}.parquet", row_group_size=10)
    return folder


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    """What was written, without what depends on where the data set is, in an order of its own."""
    rows = pq.read_table(folder / "out" / name).to_pylist()
    for row in rows:
        row.pop("row_hash", None)
    return sorted(rows, key=lambda row: (row.get("number", 0), row["path"], *row.get("location", {}).values()))


def written(folder: Path) -> set[str]:
    """The blocks that are known to be written."""
    return {each.name for each in folder.glob("out/checkpoint/*.parquet") if ".pending" not in each.name}


def killed(folder: Path, environment: dict[str, str]) -> set[str]:
    """The blocks that were written when a run that had written one was killed, and all processes of its Ray with it.

    Those live a second longer than a driver that is killed alone, and still write what they have in hand. Nobody starts Ray again in that
    time but this test, which has one running.
    """
    command = [sys.executable, "-m", "torchlint", "corpus", *OPTIONS]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as run:
        while run.poll() is None and not written(folder):
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == -9
    return written(folder)


def checked(torchlint: Torchlint, text: str | None) -> list[dict[str, Any]]:
    """What is left of the text's findings once it is fixed, as `check` has it."""
    if text is None:
        return []
    Path("one.py").write_text(text, encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(torchlint("check", "--isolated", "-n", "--fix", "--output-format", "json", "one.py").out)
    return [{name: each[name] for name in SHARED} for each in found]


def hold_what_check_says(rows: list[dict[str, Any]], torchlint: Torchlint) -> None:
    expected = [checked(torchlint, text) for text in TEXTS]
    broken = next(each[0]["message"] for each in expected if each and each[0]["code"] == "TL001")

    assert [(row["number"], row["path"]) for row in rows] == [(number, f"src/{number}.py") for number in range(ROWS)]
    assert [[{name: each[name] for name in SHARED} for each in row["diagnostics"]] for row in rows] == expected
    assert [row["findings"] for row in rows] == list(map(len, expected))
    assert Counter(row["error"] for row in rows) == {None: 43, broken: 9, "there is no text": 8}
    assert (rows[0]["fixed"], rows[0]["fixes"]) == (f"# 0\n{SAFE_FIXED}", 1)
    assert {row["number"] % len(KINDS) for row in rows if row["fixed"] is not None} == {0, 6}


def test_a_data_set_is_checked_as_check_does_and_a_run_that_is_killed_goes_on(
    on_ray: OnRay, ray_environment: dict[str, str], torchlint: Torchlint, tmp_path: Path
) -> None:
    whole, cut = generate(tmp_path / "whole"), generate(tmp_path / "cut")
    result = on_ray(whole, "corpus", *OPTIONS)
    files, findings = table(whole, "files"), table(whole, "findings")

    assert result.status == 0
    hold_what_check_says(files, torchlint)
    nested = [(row["number"], row["path"], each) for row in files for each in row["diagnostics"]]
    assert [(row["number"], row["path"], {name: row[name] for name in row if name not in ("number", "path")}) for row in findings] == nested
    ranked = sorted(Counter((row["code"], row["name"]) for row in findings).items(), key=lambda each: (-each[1], each[0]))
    assert result.out == "".join(f"{number:>2}  {code}  [ ]  {name}\n" for (code, name), number in ranked)
    assert f"{len(findings)} findings in " in result.err and f" of {ROWS} texts; " in result.err

    before = killed(cut, ray_environment)
    again = on_ray(cut, "corpus", *OPTIONS)
    assert 0 < len(before) < ROWS // 4
    assert before < written(cut)
    assert (again.status, again.out) == (0, result.out)
    assert (table(cut, "files"), table(cut, "findings")) == (files, findings)


def test_a_folder_is_checked_as_check_does_and_a_data_set_may_be_empty(on_ray: OnRay, torchlint: Torchlint, tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": SAFE.splitlines(keepends=True), "metadata": {}, "outputs": [], "execution_count": None}
    files = {
        "a.py": SAFE,
        "book.ipynb": json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        "notes.md": f"# T\n\n```python\n{SAFE}```\n",
        "old/b.py": SAFE,
        "old/torchlint.toml": 'ignore = ["TL401"]\n',
        "build/c.py": SAFE,
        "latin.py": "# coding: latin-1\n" + SAFE + "# é\n",
    }
    for name, text in files.items():
        (tmp_path / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / name).write_text(text, encoding="latin-1")
    result = on_ray(tmp_path, "corpus", "code", "--output", "out", "--output-format", "json")
    expected = json.loads(torchlint("check", "--no-cache", "--output-format", "json", "code").out)

    assert (result.status, [(each["code"], each["count"]) for each in json.loads(result.out)]) == (0, [("TL401", 4)])
    places = sorted((each["filename"], each["cell"], list(each["location"].values())) for each in expected)
    assert [(each["path"], each["cell"], list(each["location"].values())) for each in table(tmp_path, "findings")] == places
    assert {Path(row["path"]).name for row in table(tmp_path, "files")} == {"a.py", "book.ipynb", "notes.md", "b.py", "latin.py"}

    pq.write_table(pa.table({"content": [GOOD, "print(1)\n"]}), tmp_path / "good.parquet")
    good = on_ray(tmp_path, "corpus", "good.parquet", "--output", "good")
    assert (good.status, good.out) == (0, "")
    assert "0 findings in 0 of 2 texts." in good.err
    findings = pq.read_table(tmp_path / "good" / "findings")
    assert (findings.num_rows, findings.column_names[:3]) == (0, ["row_hash", "code", "name"])

    pq.write_table(pa.table({"content": pa.array([], pa.string())}), tmp_path / "empty.parquet")
    empty = on_ray(tmp_path, "corpus", "empty.parquet", "--output", "empty")
    assert (empty.status, empty.out) == (2, "")
    assert "there are no rows in the source" in empty.err
