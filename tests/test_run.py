"""What happens to many files: what is skipped, what is shared among processes, and what goes wrong with one of them only."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from torchlint import engine
from torchlint.edits import Applicability
from torchlint.run import many, progress
from torchlint.run.many import Outcome, check_all, mentioning
from torchlint.run.one import FileReport, Mode, Task, check_bytes, check_file
from torchlint.settings import Settings

FLAWED = "import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n"
FIXED = 'import torch\n\nw = torch.zeros(2, device="cuda")\nprint(w)\n'
forked = pytest.mark.skipif(sys.platform != "linux", reason="what is put in place of the engine reaches other processes only by a fork")


def task(mode: Mode = Mode.CHECK, applicability: Applicability = Applicability.SAFE) -> Task:
    return Task(mode, applicability, ())


def files(folder: Path, texts: dict[str, str]) -> list[Path]:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return [folder / name for name in texts]


def run(paths: list[Path], mode: Mode = Mode.CHECK, jobs: int = 1) -> Outcome:
    outcome = Outcome()
    work = mentioning([(path, Settings()) for path in paths], outcome)
    check_all(work, task(mode), outcome, jobs=jobs, advance=lambda: None)
    return outcome


def codes(report: FileReport) -> list[str]:
    return [each.code for each in report.diagnostics]


@pytest.fixture
def many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "WORK_PER_PROCESS", 1)


def test_files_without_torch_are_read_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str, *rest: object, **options: object) -> None:
        raise AssertionError(text)

    monkeypatch.setattr(engine, "lint", fail)
    outcome = run(files(tmp_path, {"a.py": "print(1\n", "b.py": "", "c.py": "Torch = 1\n"}))

    assert (outcome.checked, outcome.reports, outcome.problems) == (3, [], [])


@pytest.mark.parametrize("jobs", [1, 3])
def test_reports_come_in_the_order_of_the_files(tmp_path: Path, jobs: int, many_processes: None) -> None:
    paths = files(tmp_path, {f"{name}.py": FLAWED + "#" * index * 100 for index, name in enumerate("dacb")})
    outcome = run(paths, jobs=jobs)

    assert [report.path for report in outcome.reports] == paths
    assert [codes(report) for report in outcome.reports] == [["TL401"]] * 4


def test_processes_and_one_process_report_the_same(tmp_path: Path, many_processes: None) -> None:
    paths = files(tmp_path, {f"{index}.py": FLAWED * (index % 3 + 1) for index in range(7)})

    assert run(paths, jobs=3).reports == run(paths, jobs=1).reports


def test_few_files_are_not_worth_a_second_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise AssertionError(arguments)

    monkeypatch.setattr(many, "_shared", fail)

    assert len(run(files(tmp_path, {"a.py": FLAWED, "b.py": FLAWED}), jobs=8).reports) == 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_fixing_writes_the_files_that_change_and_no_others(tmp_path: Path, jobs: int, many_processes: None) -> None:
    paths = files(tmp_path, {"bad.py": FLAWED, "good.py": FIXED, "windows.py": FLAWED.replace("\n", "\r\n")})
    before = paths[1].stat()
    outcome = run(paths, Mode.FIX, jobs)

    assert [path.read_bytes() for path in paths] == [FIXED.encode(), FIXED.encode(), FIXED.replace("\n", "\r\n").encode()]
    assert [len(report.fixed) for report in outcome.reports] == [1, 0, 1]
    assert paths[1].stat() == before


def test_a_diff_changes_nothing_and_can_be_read_by_patch(tmp_path: Path) -> None:
    [path] = files(tmp_path, {"a.py": FLAWED.rstrip("\n").replace("print(w)", "x = 1")})
    before = path.read_bytes()
    [report] = run([path], Mode.DIFF).reports

    assert path.read_bytes() == before
    assert report.diff.splitlines() == [
        f"--- {path.as_posix()}",
        f"+++ {path.as_posix()}",
        "@@ -1,4 +1,4 @@",
        " import torch",
        " ",
        "-w = torch.zeros(2).cuda()",
        '+w = torch.zeros(2, device="cuda")',
        " x = 1",
        "\\ No newline at end of file",
    ]


def test_a_file_that_is_gone_or_closed_is_named_and_the_rest_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = files(tmp_path, {"closed.py": FLAWED, "open.py": FLAWED})
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "closed.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    outcome = run([*paths, tmp_path / "gone.py"])

    assert outcome.problems == [
        f"{tmp_path / 'closed.py'}: cannot be read: Permission denied",
        f"{tmp_path / 'gone.py'}: cannot be read: No such file or directory",
    ]
    assert [report.path.name for report in outcome.reports] == ["open.py"]


def test_a_file_that_vanishes_after_it_was_found_is_named(tmp_path: Path) -> None:
    report = check_file(tmp_path / "a.py", Settings(), task())

    assert report.problem == "cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("data", "row"), [(b"import torch\nx = '\0'\n", 2), (b"import torch\n\nx = '\xff'\n", 3), (b"# coding: klingon\nimport torch\n", 1)]
)
def test_what_is_no_text_is_a_syntax_error(data: bytes, row: int) -> None:
    [found] = check_bytes(data, Path("a.py"), Settings(), task(Mode.FIX)).diagnostics

    assert (found.code, found.location.row) == ("TL001", row)
    assert check_bytes(data, Path("a.py"), Settings(ignore=("TL001",)), task()).diagnostics == ()


@pytest.mark.parametrize("depth", [300, 100_000])
def test_what_is_nested_too_deeply_is_a_syntax_error(depth: int) -> None:
    text = "import torch\nx = " + "(" * depth + ")" * depth + "\n"
    report = check_bytes(text.encode(), Path("a.py"), Settings(), task())

    assert [(each.code, each.location.row) for each in report.diagnostics] == [("TL001", 2)]


def test_a_defect_of_the_engine_is_reported_for_its_file_and_the_rest_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lint = engine.lint

    def sometimes(text: str, *rest: object, path: str, **options: object) -> object:
        if path.endswith("odd.py"):
            raise ZeroDivisionError("a defect\nin two lines")
        return lint(text, *rest, path=path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "lint", sometimes)
    outcome = run(files(tmp_path, {"odd.py": FLAWED, "even.py": FLAWED}))

    assert [codes(report) for report in outcome.reports] == [["TL000"], ["TL401"]]
    assert "ZeroDivisionError: a defect (test_run.py, line" in outcome.reports[0].diagnostics[0].message


@forked
def test_a_file_that_kills_its_process_is_named_and_the_rest_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many_processes: None
) -> None:
    lint = engine.lint

    def deadly(text: str, *rest: object, path: str, **options: object) -> object:
        if Path(path).name.startswith("deadly"):
            os._exit(1)
        return lint(text, *rest, path=path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "lint", deadly)
    names = ["a.py", "deadly1.py", "b.py", "c.py", "deadly2.py", "d.py"]
    outcome = run(files(tmp_path, dict.fromkeys(names, FLAWED)), jobs=2)

    assert outcome.problems == [f"{tmp_path / name}: kills the process that checks it" for name in names if name.startswith("deadly")]
    assert [codes(report) for report in outcome.reports] == [[] if "deadly" in name else ["TL401"] for name in names]


def test_a_file_that_cannot_be_written_keeps_its_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [path] = files(tmp_path, {"a.py": FLAWED})
    fix = engine.fix

    def slow(text: str, *rest: object, **options: object) -> object:
        path.write_text(FLAWED + "# changed\n", encoding="utf-8")
        return fix(text, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "fix", slow)
    outcome = run([path], Mode.FIX)

    assert outcome.problems == [f"{path}: was not changed: it changed while it was checked"]
    assert (codes(outcome.reports[0]), outcome.reports[0].fixed) == (["TL401"], ())
    assert path.read_text(encoding="utf-8") == FLAWED + "# changed\n"


def interrupt_at(number: int) -> Callable[[], None]:
    left = iter(range(number - 1))

    def advance() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return advance


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_leaves_every_file_whole(tmp_path: Path, jobs: int, many_processes: None) -> None:
    paths = files(tmp_path, {f"{index}.py": FLAWED for index in range(12)})
    outcome = Outcome()
    work = mentioning([(path, Settings()) for path in paths], outcome)

    with pytest.raises(KeyboardInterrupt):
        check_all(work, task(Mode.FIX), outcome, jobs=jobs, advance=interrupt_at(3))

    states = [path.read_text(encoding="utf-8") for path in paths]
    assert states.count(FIXED) >= 3 and set(states) <= {FIXED, FLAWED}
    assert jobs > 1 or states.count(FIXED) == 3
    assert sorted(tmp_path.iterdir()) == sorted(paths)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "patience", "shown"), [(Terminal(), 0.0, True), (Terminal(), 1e9, False), (io.StringIO(), 0.0, False)])
def test_progress_is_shown_on_a_terminal_once_a_run_takes_long(
    stream: io.StringIO, patience: float, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", patience)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.Bar(2) as bar:
        bar.advance()
        bar.advance()

    assert ("2/2" in stream.getvalue()) == shown
    assert bool(stream.getvalue()) == shown


TRAINS = b"""from parts import *


def train(net, optimizer, batches):
    for x in batches:
        net(x).backward()
        optimizer.step()
"""


def test_a_training_loop_is_read_even_if_the_file_does_not_mention_torch(tmp_path: Path) -> None:
    for name, data in {"a.py": TRAINS, "b.py": TRAINS.replace(b".step()", b".step(8)"), "c.py": b"import paddle\n" + TRAINS}.items():
        (tmp_path / name).write_bytes(data)
    outcome = Outcome()
    work = mentioning([(path, Settings()) for path in sorted(tmp_path.iterdir())], outcome)

    assert [path.name for path, _, _ in work] == ["a.py"]
    report = check_file(work[0][0], Settings(), Task(Mode.CHECK, Applicability.SAFE, (tmp_path,)))
    assert [each.code for each in report.diagnostics] == ["TL201"]


NET = """from parts import *


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 2), nn.Linear(2, 2)]
"""


def test_modules_are_read_even_if_the_file_does_not_mention_torch(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("import torch\nfrom torch import nn\n", encoding="utf-8")
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    (tmp_path / "other.py").write_text("import jittor\n" + NET, encoding="utf-8")
    work = mentioning([(path, Settings()) for path in sorted(tmp_path.iterdir())], Outcome())

    assert [path.name for path, _, _ in work] == ["net.py", "parts.py"]
    report = check_file(work[0][0], Settings(), Task(Mode.CHECK, Applicability.SAFE, (tmp_path,)))
    assert [each.code for each in report.diagnostics] == ["TL301"]
