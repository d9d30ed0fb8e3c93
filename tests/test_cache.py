"""What is kept between runs: a warm run says what a cold one would, does less, and nothing that happens to the cache is an error."""

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cli_cases import GOOD, SAFE, SAFE_FIXED, UNSAFE, environment, found, write
from commands import Result, Torchlint

from torchlint import engine
from torchlint.cache import FOLDER, identity, store, world

MAIN = """\
import torch
from torch import nn
from helper import measure, step


def train(model: nn.Module, loader):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        total += measure(step(model, x, y, optimizer))
    print(total)
"""
HELPER = """\
import torch.nn.functional as F


def step(model, x, y, optimizer):
    loss = F.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def measure(loss):
    return loss
"""
DEEPER = "import torch\n\n\ndef shown(loss):\n    loss.backward\n    return loss\n"
NET = """\
from package.layers import *


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = [nn.Linear(2, 2)]
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return self.head(x)
"""
LAYERS = "import torch\nfrom torch import nn\n"
VARIANTS: dict[str, tuple[str | None, ...]] = {
    "main.py": (
        MAIN,
        MAIN.replace("optimizer))", "optimizer))  # torchlint: ignore[TL102]"),
        "# torchlint: ignore-file[TL201]\n" + MAIN,
        MAIN.replace("for x", "for (x"),
        MAIN.replace("        optimizer.zero_grad()\n", ""),
    ),
    "helper.py": (
        HELPER,
        HELPER.replace("    loss.backward()", "    optimizer.zero_grad()\n    loss.backward()"),
        HELPER.replace("return loss", "return loss.item()"),
        "from deeper import shown\n" + HELPER.replace("    return loss\n\n\n", "    return shown(loss)\n\n\n"),
        None,
    ),
    "helper/__init__.py": (None, HELPER.replace("return loss", "return loss.detach()")),
    "deeper.py": (DEEPER, DEEPER.replace("return loss", "return float(loss)"), None),
    "package/__init__.py": ("", "from package.net import Net\n", "from .net import *\n"),
    "package/net.py": (NET, NET.replace("[nn.Linear(2, 2)]", "nn.ModuleList([nn.Linear(2, 2)])"), None),
    "package/layers.py": (LAYERS, LAYERS + "from unseen import *\n", "from .more import *\n", None),
    "package/more.py": (None, LAYERS),
    "other.py": ("from package.net import Net\n\nNet()\n", "from package.net import Net\n\nprint(Net().parts)\n", "a = 'parts'\n", None),
    "torchlint.toml": (None, 'ignore = ["TL2"]\n', 'select = ["TL301", "TL001"]\n', 'per-file-ignores = {"main.py" = ["TL102"]}\n'),
    "requirements.txt": (None, "torch>=2.1\n", "torch>=2.6\n"),
}


def checked(torchlint: Torchlint, *arguments: str) -> Result:
    return torchlint("check", "--output-format", "json", *arguments)


def cold(torchlint: Torchlint, *arguments: str) -> Result:
    return checked(torchlint, "--no-cache", *arguments)


def entries() -> list[str]:
    (file,) = Path(FOLDER).glob("*.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        return [path for (path,) in connection.execute("SELECT path FROM entries")]


@pytest.fixture
def linted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read by the engine."""
    names: list[str] = []
    lint = engine.lint

    def noted(text: str, *rest: object, path: str, **options: object) -> object:
        names.append(Path(path).name)
        return lint(text, *rest, path=path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "lint", noted)
    return names


def put(name: str, text: str | None) -> None:
    """Make a file what it is to be, or do away with it, and with the folder that it leaves empty."""
    path = Path(name)
    if text is not None:
        write(name, text)
    elif path.exists():
        path.unlink()
        if path.parent != Path() and not any(path.parent.iterdir()):
            path.parent.rmdir()


@pytest.mark.parametrize("settled", [world.SETTLED, -1], ids=["by text", "by time"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_warm_run_says_what_a_cold_one_says(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch, seed: int, settled: int) -> None:
    monkeypatch.setattr(world, "SETTLED", settled)
    chance = random.Random(seed)
    for name, (first, *_) in VARIANTS.items():
        put(name, first)
    seen = set()
    for step in range(25):
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            name = chance.choice([*VARIANTS])
            text = chance.choice(VARIANTS[name])
            # Each text has a length of its own: two that follow each other in one tick of the clock differ in that at least.
            put(name, text + "\n" * step if text is not None else None)
        arguments = chance.choice(((), (), (), ("main.py", "package"), ("--severity", "error")))
        warm, plain = checked(torchlint, *arguments), cold(torchlint, *arguments)

        assert (warm.status, warm.out, warm.err) == (plain.status, plain.out, plain.err)
        seen.add(plain.out)
    assert len(seen) > 4


def test_what_did_not_change_is_not_read_again(torchlint: Torchlint, linted: list[str]) -> None:
    for name in ("main.py", "helper.py", "package/net.py", "package/layers.py", "other.py"):
        put(name, VARIANTS[name][0])
    first = checked(torchlint)
    assert sorted(linted) == ["helper.py", "layers.py", "main.py", "net.py"]

    linted.clear()
    assert checked(torchlint).out == first.out
    assert linted == []

    write("other.py", f"{VARIANTS['other.py'][0]}  # the same words for all that was asked\n")
    assert checked(torchlint).out == first.out
    assert linted == []

    write("helper.py", HELPER + "\n")
    assert checked(torchlint).out == first.out
    assert sorted(linted) == ["helper.py", "main.py"]


@pytest.mark.parametrize("form", ["full", "concise", "grouped", "json", "sarif", "gitlab", "github", "junit"])
def test_every_format_says_the_same_of_findings_that_are_known(torchlint: Torchlint, form: str) -> None:
    for name in ("main.py", "helper.py", "package/net.py", "package/layers.py"):
        put(name, VARIANTS[name][0])
    write("odd.py", b"import torch\nx = '\xff'\n")
    write("marked.py", b"\xef\xbb\xbf" + SAFE.encode())
    checked(torchlint)
    warm, plain = (torchlint("check", "--output-format", form, *more) for more in ((), ("--no-cache",)))

    assert (warm.out, warm.status) == (plain.out, plain.status)
    assert "TL102" in warm.out


def test_a_known_file_without_anything_to_mend_is_not_read_again_to_be_fixed(torchlint: Torchlint, linted: list[str]) -> None:
    write("good.py", GOOD)
    write("unsafe.py", UNSAFE)
    write("safe.py", SAFE)
    checked(torchlint)

    linted.clear()
    assert torchlint("check", "--diff").status == 1
    assert set(linted) == {"safe.py"}

    linted.clear()
    torchlint("check", "--fix")
    assert (set(linted), Path("safe.py").read_text()) == ({"safe.py"}, SAFE_FIXED)

    linted.clear()
    torchlint("check", "--add-suppressions")
    assert set(linted) == {"unsafe.py", "safe.py"}
    assert "ignore[TL401]" in Path("unsafe.py").read_text()


def test_a_baseline_is_laid_over_what_is_known(torchlint: Torchlint, linted: list[str]) -> None:
    write("a.py", SAFE)
    torchlint("check", "--baseline", "b.json", "--write-baseline")
    linted.clear()

    assert found(checked(torchlint, "--baseline", "b.json").out) == []
    assert found(checked(torchlint).out) == ["TL401"]
    assert linted == []
    write("b.json", json.dumps({"version": 1, "findings": {}}))
    assert found(checked(torchlint, "--baseline", "b.json").out) == ["TL401"]


def test_nothing_is_kept_where_nothing_is_asked_for(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    write("plain/a.py", "print(1)\n")
    cold(torchlint)
    torchlint("check", "-", stdin=SAFE.encode())
    torchlint("check", "plain")

    assert not Path(FOLDER).exists()


def test_the_folder_is_marked_and_may_be_elsewhere(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    checked(torchlint)
    assert Path(FOLDER, ".gitignore").read_text() == "*\n"
    assert Path(FOLDER, "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")

    assert torchlint("clean").status == 0
    write("torchlint.toml", 'cache-dir = "kept/here"\n')
    checked(torchlint)
    checked(torchlint, "--cache-dir", "there")
    assert (Path(FOLDER).exists(), len([*Path("kept/here").glob("*.db")]), len([*Path("there").glob("*.db")])) == (False, 1, 1)


def test_cleaning_leaves_what_is_not_ours(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    write("kept/notes.txt", "mine")
    checked(torchlint, "--cache-dir", "kept")
    assert {each.name for each in Path("kept").iterdir()} > {"notes.txt"}
    assert not Path("kept/.gitignore").exists()

    assert "Removed" in torchlint("clean", "--cache-dir", "kept").out
    assert [each.name for each in Path("kept").iterdir()] == ["notes.txt"]
    assert "There is no cache" in torchlint("clean").out


def test_what_another_torchlint_found_does_not_count(torchlint: Torchlint, linted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.py", SAFE)
    for number in range(6):
        monkeypatch.setattr(store, "torchlint_itself", lambda number=number: f"version-{number}")
        linted.clear()
        assert found(checked(torchlint).out) == ["TL401"]
        assert linted == ["a.py"]
    assert len([*Path(FOLDER).glob("*.db")]) == 3


def test_a_change_of_torchlint_itself_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_PACKAGE", tmp_path)
    identities = set()
    for text in ("", "a = 1\n", "a = 12\n"):
        (tmp_path / "rule.py").write_text(text)
        identity.torchlint_itself.cache_clear()
        identities.add(identity.torchlint_itself())
    identity.torchlint_itself.cache_clear()
    assert len(identities) == 3


def garbage(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def of_other_tables(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE entries(path, something)")
        connection.execute("CREATE TABLE contents(path BLOB)")


def _rewritten(file: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement, values)


def silenced_by_accident(file: Path) -> None:
    _rewritten(file, "UPDATE entries SET findings = ''")


def nonsense_as_findings(file: Path) -> None:
    for text in ("{", "[[1, 2]]", '["TL401"]', "7", "[" * 100_000):
        _rewritten(file, "UPDATE entries SET findings = ?", text)
        with closing(sqlite3.connect(file)) as connection, connection:
            rows = connection.execute("SELECT path, key, text, facts, asked, around, findings FROM entries").fetchall()
            for row in rows:
                connection.execute("UPDATE entries SET seal = ? WHERE path = ?", (store.Entry(*row).seal, row[0]))


def nonsense_as_facts(file: Path) -> None:
    _rewritten(file, "UPDATE facts SET fact = '[\"answer\", ' || id || ']'")


def numbers_as_facts(file: Path) -> None:
    _rewritten(file, "UPDATE facts SET fact = id + 1000000")


def nothing_as_facts(file: Path) -> None:
    _rewritten(file, "DELETE FROM facts")


BROKEN = [
    garbage,
    cut,
    empty,
    of_other_tables,
    silenced_by_accident,
    nonsense_as_findings,
    nonsense_as_facts,
    numbers_as_facts,
    nothing_as_facts,
]


@pytest.mark.parametrize("spoil", BROKEN, ids=lambda each: each.__name__)
def test_a_spoilt_cache_is_passed_over_and_begun_anew(torchlint: Torchlint, linted: list[str], spoil: Callable[[Path], None]) -> None:
    write("a.py", SAFE)
    first = checked(torchlint)
    (file,) = Path(FOLDER).glob("*.db")
    spoil(file)
    linted.clear()

    again = checked(torchlint)
    assert (again.status, again.out, again.err, linted) == (first.status, first.out, "", ["a.py"])
    linted.clear()
    assert checked(torchlint).out == first.out
    assert linted == []


def test_a_fact_about_what_is_no_file_is_not_looked_into(tmp_path: Path) -> None:
    looked = world.World(lambda data: True, {})
    os.mkfifo(tmp_path / "pipe")

    assert [looked.text(str(each)) for each in (tmp_path, tmp_path / "pipe", tmp_path / "none")] == ["", "", ""]


def test_a_locked_cache_is_passed_over(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.01)
    write("a.py", SAFE)
    first = checked(torchlint)
    (file,) = Path(FOLDER).glob("*.db")
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    locked = checked(torchlint, "-v")
    connection.close()

    assert (locked.status, locked.out) == (first.status, first.out)
    assert "no cache: " in locked.err
    assert "locked" in locked.err
    assert entries() == [str(Path("a.py").absolute())]


def test_where_nothing_can_be_kept_a_run_goes_on(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    write("taken", "a file, no folder")
    expected = cold(torchlint)

    for folder in ("taken/below", "/proc/torchlint"):
        silent, told = checked(torchlint, "--cache-dir", folder), checked(torchlint, "--cache-dir", folder, "-v")
        assert (silent.status, silent.out, silent.err) == (expected.status, expected.out, "")
        assert told.out == expected.out
        assert f"{folder}: " in told.err


def test_a_full_disk_is_no_error(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: store.Writer, entry: store.Entry) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    write("a.py", SAFE)
    expected = cold(torchlint)
    monkeypatch.setattr(store.Writer, "entry", fail)
    run = checked(torchlint)

    assert (run.status, run.out, run.err) == (expected.status, expected.out, "")
    assert entries() == []


def test_a_failure_of_ours_is_not_kept(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("for once")

    write("a.py", SAFE)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "lint", fail)
        assert found(checked(torchlint).out) == ["TL000"]
    assert found(checked(torchlint).out) == ["TL401"]


def test_runs_at_the_same_time_say_what_each_says_alone(tmp_path: Path) -> None:
    for number in range(12):
        write(str(tmp_path / f"a{number}.py"), SAFE if number % 2 else GOOD)
    command = [sys.executable, "-m", "torchlint", "check", "--output-format", "concise", "-j", "2", "-v"]
    results: list[subprocess.CompletedProcess[str]] = []

    def run() -> None:
        results.append(subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {(each.returncode, each.stdout.count("TL401"), each.stderr) for each in results} == {(1, 6, "")}


def test_runs_that_fix_the_same_tree_at_the_same_time_leave_it_fixed(tmp_path: Path) -> None:
    for number in range(24):
        write(str(tmp_path / f"a{number}.py"), SAFE)
    command = [sys.executable, "-m", "torchlint", "check", "--fix", "--output-format", "concise", "-j", "1"]
    running = [
        subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [each.communicate()[1] for each in running]
    assert not [each for each in said if "Traceback" in each or "internal" in each]
    assert {(tmp_path / f"a{number}.py").read_text(encoding="utf-8") for number in range(24)} == {SAFE_FIXED}
    assert sorted(each.name for each in tmp_path.iterdir() if each.suffix != ".py") == [".torchlint_cache"]
    again = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")


def test_files_that_are_gone_are_forgotten_in_time(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.Writer, "has_grown", True)
    write("a.py", SAFE)
    write("b/b.py", GOOD)
    checked(torchlint)
    shutil.rmtree("b")
    write("a.py", SAFE + "\n")
    checked(torchlint)

    assert entries() == [str(Path("a.py").absolute())]
    (file,) = Path(FOLDER).glob("*.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        facts = {fact for (fact,) in connection.execute("SELECT fact FROM facts")}
    assert facts
    assert not any("b.py" in each for each in facts)


def test_a_known_selection_is_not_compared_with_the_rules_again(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchlint import selection

    write("a.py", GOOD)
    write("torchlint.toml", 'ignore = ["TL402"]\n')
    checked(torchlint)

    def fail(settings: object) -> None:
        raise AssertionError(settings)

    monkeypatch.setattr(selection, "validate", fail)
    assert checked(torchlint).status == 0


def test_a_warm_run_imports_no_parser(tmp_path: Path) -> None:
    write(str(tmp_path / "a.py"), SAFE)
    code = "import sys; sys.argv = ['torchlint', 'check']\nfrom torchlint.__main__ import main\n"
    code += "try: main()\nexcept SystemExit: print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = [
        set(subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True).stdout.splitlines())
        for _ in range(2)
    ]

    assert "libcst" in loaded[0]
    assert loaded[1].isdisjoint({"libcst", "torchlint.engine", "multiprocessing", "concurrent.futures", "rich"})


def test_a_file_that_an_import_would_have_found_counts_once_it_is_there(torchlint: Torchlint) -> None:
    write("main.py", MAIN)
    assert "TL102" not in found(checked(torchlint).out)
    write("helper.py", HELPER)
    assert "TL102" in found(checked(torchlint).out)
    write("nearer/main.py", MAIN)
    assert found(checked(torchlint, "nearer/main.py", "helper.py").out) == ["TL102"]
    write("nearer/helper.py", VARIANTS["helper.py"][2] or "")
    assert found(checked(torchlint, "nearer/main.py", "helper.py").out) == []


def test_the_folders_of_a_run_are_part_of_what_it_says(torchlint: Torchlint) -> None:
    for name in ("package/net.py", "package/layers.py", "other.py"):
        put(name, VARIANTS[name][0])
    fixes = [json.loads(checked(torchlint, path).out)[0]["fix"]["applicability"] for path in (".", "package/net.py", ".")]

    assert fixes == ["safe", "unsafe", "safe"]


READERS = {"outline.py", "neighbours.py", "searching.py", "project.py"}
"""The modules that look at other files: what they see is noted, so that it is asked again before findings count once more."""


def test_nothing_reads_other_files_behind_the_back_of_the_cache() -> None:
    package = Path(engine.__file__).parent
    looks = re.compile(
        r"\bos\.(?:path\.(?:exists|isfile|isdir)|walk|stat|listdir|scandir)\b|\bopen\(|\.(?:read_text|read_bytes|is_file|iterdir|r?glob)\("
    )
    modules = [each for layer in ("syntax", "values", "program", "model", "rules", "rewrite") for each in (package / layer).rglob("*.py")]
    looking = {each.name for each in modules if looks.search(re.sub(r"[\"'][^\"'\n]*[\"']", "", each.read_text(encoding="utf-8")))}

    assert looking == READERS
