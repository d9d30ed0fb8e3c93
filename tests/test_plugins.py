"""Rules of other packages: found by entry point or by name, on where they belong, held to their cases, and refused in one line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from cli_cases import environment, found, read, write
from commands import Torchlint

from torchlint import lint, plugins, selection, testing
from torchlint.edits import Applicability
from torchlint.lsp.checking import Checker
from torchlint.lsp.documents import Part, text_document
from torchlint.rule import load_rules
from torchlint.run.one import Mode, Task, check_file
from torchlint.settings import Settings, SettingsError
from torchlint.sources import toml

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugin"
OURS = ("acme_rules", "broken", "copied_rules", "graph_kept_in_total", "zed_rules")
"""The plugins of these tests."""
SEEDS = "import torch\n\ntorch.manual_seed(0)\n"
SEEDS_FIXED = "import torch\nfrom acme.seeding import seed_everything\n\nseed_everything(0)\n"
RULE = """\
'''Something that `{code}` finds.'''
from torchlint.rule import WARNING, Finding, rule

@rule("{code}", severity=WARNING, mentions=("torch",))
def check(file):
    for call in file.calls("torch.manual_seed"):
        yield Finding(call, "found")
"""


def forget() -> None:
    for each in (plugins.installed, selection.all_rules, selection.named, selection._resolve, selection._selected_codes):
        each.cache_clear()
    for each in (selection._spared_in_tests, selection._file_ignores):
        each.cache_clear()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has loaded no plugin yet."""
    monkeypatch.setattr(plugins, "_loaded", {})
    forget()
    yield
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    forget()


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example can be imported, and nothing says that it holds rules."""
    monkeypatch.syspath_prepend(str(EXAMPLE))


@pytest.fixture
def installed(importable: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example is installed, as far as Python can tell."""
    project = toml.parse((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = tmp_path_factory.mktemp("site")
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in each.items()) for group, each in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    return site


def checked(torchlint: Torchlint, *arguments: str) -> list[str]:
    return found(torchlint("check", "--output-format", "json", *arguments).out)


def test_rules_of_an_installed_package_are_on(torchlint: Torchlint, installed: Path) -> None:
    write("train.py", SEEDS)

    assert "ACME101" in checked(torchlint)
    assert checked(torchlint, "--isolated", "--select", "ACME101") == ["ACME101"]


def test_packages_are_not_read_where_none_announces_rules(monkeypatch: pytest.MonkeyPatch, importable: None) -> None:
    for name in [name for name in sys.modules if name.startswith("importlib.metadata")]:
        monkeypatch.delitem(sys.modules, name)

    assert plugins.installed() == ()
    assert "importlib.metadata" not in sys.modules


def test_a_package_that_is_named_in_the_configuration_is_on_there_alone(torchlint: Torchlint, importable: None) -> None:
    write("a/torchlint.toml", 'plugins = ["acme_rules"]\n')
    for name in ("a/train.py", "b/train.py"):
        write(name, SEEDS)
    result = json.loads(torchlint("check", "--output-format", "json", "a", "b").out)

    assert [Path(each["filename"]).parent.name for each in result if each["code"] == "ACME101"] == ["a"]
    assert "ACME101" not in checked(torchlint, "--isolated", "a")


@pytest.mark.parametrize("selector", ["ACME101", "ACME1", "ACME", "seed-by-hand", "ALL"])
def test_codes_are_selected_and_ignored_like_others(torchlint: Torchlint, installed: Path, selector: str) -> None:
    write("train.py", SEEDS)

    assert "ACME101" in checked(torchlint, "--select", selector)
    assert "ACME101" not in checked(torchlint, "--ignore", selector)
    write("torchlint.toml", f'[per-file-ignores]\n"train.py" = ["{selector}"]\n')
    assert "ACME101" not in checked(torchlint)


@pytest.mark.parametrize("selector", ["ACME2", "ACM", "A", "acme101x"])
def test_what_is_the_beginning_of_no_code_is_refused(torchlint: Torchlint, installed: Path, selector: str) -> None:
    write("train.py", SEEDS)
    result = torchlint("check", "--select", selector)

    assert (result.status, f"no rule is called `{selector}`" in result.err) == (2, True)


@pytest.mark.parametrize(
    "comment", ["torchlint: ignore[ACME101]", "torchlint: ignore[seed-by-hand]", "noqa: ACME101", "noqa: E501, acme101"]
)
def test_findings_are_suppressed_like_others(torchlint: Torchlint, installed: Path, comment: str) -> None:
    write("train.py", SEEDS.replace("(0)", f"(0)  # {comment}"))

    assert checked(torchlint, "--select", "ACME101,TL002") == []


def test_a_suppression_of_no_use_is_reported(torchlint: Torchlint, installed: Path) -> None:
    write("train.py", "import torch\n\nprint(torch.ones(2))  # torchlint: ignore[ACME101]\n")

    assert checked(torchlint) == ["TL002"]


def test_fixes_are_applied_like_others(torchlint: Torchlint, installed: Path) -> None:
    write("train.py", SEEDS)
    torchlint("check", "--select", "ACME", "--fix")
    assert read("train.py") == SEEDS
    torchlint("check", "--select", "ACME", "--fix", "--unsafe-fixes")

    assert read("train.py") == SEEDS_FIXED


def test_the_page_is_in_the_rule_book(torchlint: Torchlint, installed: Path) -> None:
    page = (EXAMPLE / "acme_rules/pages/seed_by_hand.md").read_text(encoding="utf-8")
    [described] = json.loads(torchlint("rule", "acme101", "--output-format", "json").out)

    assert torchlint("rule", "seed-by-hand").out == page + "\n"
    assert (described["family"], described["url"], described["page"]) == ("acme_rules", None, page)
    assert any(line.startswith("ACME101  seed-by-hand") for line in torchlint("rule").out.splitlines())
    assert "ACME101" not in torchlint("rule", "--output-format", "markdown").out


def test_the_rule_book_knows_what_the_configuration_names(torchlint: Torchlint, importable: None) -> None:
    assert torchlint("rule", "ACME101").status == 2
    write("torchlint.toml", 'plugins = ["acme_rules"]\n')

    assert torchlint("rule", "ACME101").out.startswith("# ACME101 seed-by-hand\n")


@pytest.mark.parametrize("form", ["sarif", "html", "gitlab", "junit", "github", "full"])
def test_every_format_shows_findings_of_plugins(torchlint: Torchlint, installed: Path, form: str) -> None:
    if form == "html":
        pytest.importorskip("jinja2")
    write("train.py", SEEDS)
    result = torchlint("check", "--select", "ACME", "--output-format", form)

    assert (result.status, result.err, "ACME101" in result.out) == (1, "", True)


def test_processes_that_share_the_work_load_what_they_need(importable: None, tmp_path: Path) -> None:
    """However they are started: a spawned one knows nothing but what it is handed."""
    file = tmp_path / "train.py"
    file.write_text(SEEDS, encoding="utf-8")
    task = Task(Mode.CHECK, Applicability.SAFE, (tmp_path,))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        report = pool.submit(check_file, file, Settings(select=("ACME101",), plugins=("acme_rules",)), task).result()

    assert [each.code for each in report.diagnostics] == ["ACME101"]


def test_a_run_in_several_processes_finds_what_one_finds(torchlint: Torchlint, importable: None) -> None:
    write("torchlint.toml", 'plugins = ["acme_rules"]\n')
    for number in range(3):
        write(f"train_{number}.py", SEEDS + "# and a long remark\n" * 2500)

    assert checked(torchlint, "--select", "ACME", "--jobs", "3") == ["ACME101"] * 3


def test_linting_a_text_takes_plugins_too(importable: None) -> None:
    assert [each.code for each in lint(SEEDS, Settings(select=("ACME101",), plugins=("acme_rules",)))] == ["ACME101"]


# -- what is wrong with a plugin -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "`broken` cannot be imported: ModuleNotFoundError: No module named 'broken'"),
        ("1 / 0\n", "`broken` cannot be imported: ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)\n", "`broken` cannot be imported: SystemExit: 0"),
        ("def x(:\n", "`broken` cannot be imported: SyntaxError: "),
        ("def check(file): ...\n", "`broken` has no function `check` under `@rule`"),
        (RULE.format(code="TL999"), "`TL999` is no code for it"),
        (RULE.format(code="broken"), "`broken` is no code for it"),
        (RULE.format(code="ACME101"), "a rule of acme_rules is called `ACME101` too"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_2_and_one_line(
    torchlint: Torchlint, installed: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    if text is not None:
        write("lib/broken.py", text)
    monkeypatch.syspath_prepend(str(Path("lib").absolute()))
    write("torchlint.toml", 'plugins = ["broken"]\n')
    write("train.py", SEEDS)

    for arguments in (["check"], ["check", "--fix"], ["check", "-"], ["rule"], ["rule", "TL101"], ["upgrade", "--to", "2.9"]):
        result = torchlint(*arguments, stdin=SEEDS.encode())
        assert (result.status, result.out) == (2, "")
        assert f"the plugin `broken` cannot be used: {said}" in result.err and len(result.err.splitlines()) == 1
    path = Path("train.py").absolute()
    with pytest.raises(SettingsError, match="the plugin `broken` cannot be used"):
        Checker().check(text_document(Part(path.as_uri(), 1, SEEDS), path, "python"))


def test_an_installed_plugin_that_cannot_be_used_is_2_and_one_line(torchlint: Torchlint, installed: Path) -> None:
    [info] = installed.glob("*.dist-info")
    (info / "entry_points.txt").write_text("[torchlint.rules]\nacme = gone_rules\n", encoding="utf-8")
    write("train.py", SEEDS)

    for arguments in (["check"], ["check", "--select", "ACME101"], ["check", "-"], ["rule"], ["upgrade", "--to", "2.9"], ["sanity"]):
        result = torchlint(*arguments, stdin=SEEDS.encode())
        assert (result.status, result.out) == (2, "")
        assert "the plugin `gone_rules` cannot be used" in result.err and len(result.err.splitlines()) == 1


def test_a_name_of_ours_is_not_taken_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [ours] = (rule for rule in load_rules() if rule.code == "TL102")
    (tmp_path / f"{ours.stem}.py").write_text(RULE.format(code="ZED1"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(SettingsError, match=f"a rule of torchlint is called `{ours.name}` too"):
        lint(SEEDS, Settings(plugins=(ours.stem,)))


def test_a_plugin_is_never_looked_for_in_the_folder_that_is_checked(tmp_path: Path) -> None:
    (tmp_path / "torchlint.toml").write_text('plugins = ["local_rules"]\n', encoding="utf-8")
    (tmp_path / "local_rules.py").write_text("open('was_here', 'w')\n", encoding="utf-8")
    (tmp_path / "train.py").write_text(SEEDS, encoding="utf-8")
    command = [sys.executable, "-m", "torchlint", "check"]
    result = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)

    assert (result.returncode, "No module named 'local_rules'" in result.stderr) == (2, True)
    assert not (tmp_path / "was_here").exists()


# -- cases, and the beginning of a rule ----------------------------------------------------------------------------------


def pytest_in(folder: Path, *path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests"]
    variables = environment()
    variables["PYTHONPATH"] = ":".join(map(str, (*path, variables["PYTHONPATH"])))
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_the_tests_of_the_example_pass() -> None:
    result = pytest_in(EXAMPLE, EXAMPLE)

    assert (result.returncode, "2 passed" in result.stdout) == (0, True), result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("good.py", "print(", "torch.random.manual_seed(2)\nprint(", ""),
        ("bad.py", "  # expect: ACME101", "", "and not:"),
        ("bad.py", "seed + 1)", "seed, 1)", "and not:"),
        ("bad.fixed.py", "seed_everything(1)", "seed_everything(2)", "what fixing makes of"),
    ],
)
def test_a_case_that_does_not_hold_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, said: str
) -> None:
    package = tmp_path / "copied_rules"
    for path in (EXAMPLE / "acme_rules").rglob("*.*"):
        if path.suffix in (".py", ".md"):
            text = path.read_text(encoding="utf-8")
            copy = package / path.relative_to(EXAMPLE / "acme_rules")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text.replace(old, new) if path.name == name else text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    failed = []
    for case in testing.cases("copied_rules"):
        try:
            case.hold()
        except AssertionError as error:
            failed.append(str(error))

    assert len(failed) == (0 if not said else 1)
    assert said in "".join(failed)


@pytest.mark.parametrize("gone", ["pages/seed_by_hand.md", "fixtures/seed_by_hand/good.py", "fixtures/seed_by_hand/bad.py"])
def test_a_rule_without_page_or_cases_is_named(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    torchlint("rule", "new", "ZED1", "seed-by-hand", "--folder", "zed_rules")
    Path("zed_rules", gone).unlink()
    monkeypatch.syspath_prepend(str(Path.cwd()))

    with pytest.raises(AssertionError, match="seed_by_hand"):
        testing.cases("zed_rules")


def test_a_new_rule_passes_its_own_test_and_runs(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    first = torchlint("rule", "new", "ZED7", "no-print-options", "--folder", "zed_rules")
    second = torchlint("rule", "new", "ZED8", "another_one", "--folder", "zed_rules")
    result = pytest_in(Path.cwd(), Path.cwd())

    assert (first.status, second.status) == (0, 0)
    assert 'plugins = ["zed_rules"]' in first.out and '"torchlint.rules"' in first.out
    assert (result.returncode, "4 passed" in result.stdout) == (0, True), result.stdout + result.stderr
    monkeypatch.syspath_prepend(str(Path.cwd()))
    write("torchlint.toml", 'plugins = ["zed_rules"]\n')
    assert sorted(checked(torchlint, "--select", "ZED", "zed_rules/fixtures/another_one/bad.py")) == ["ZED7", "ZED8"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("TL101", "mine"), "`TL101` is no code"),
        (("zed7", "mine"), "`zed7` is no code"),
        (("ZED7", "My Rule"), "`My Rule` is no name"),
        (("ZED7", "mine", "--folder", "not-a-package"), "`not-a-package` is no name of a package"),
    ],
)
def test_a_rule_that_could_not_be_loaded_is_not_begun(torchlint: Torchlint, arguments: tuple[str, ...], said: str) -> None:
    result = torchlint("rule", "new", *arguments)

    assert (result.status, said in result.err, list(Path.cwd().iterdir())) == (2, True, [])


def test_a_rule_that_exists_is_not_written_over(torchlint: Torchlint) -> None:
    torchlint("rule", "new", "ZED7", "mine", "--folder", "zed_rules")
    write("zed_rules/mine.py", "changed = True\n")
    result = torchlint("rule", "new", "ZED8", "mine", "--folder", "zed_rules")

    assert (result.status, read("zed_rules/mine.py")) == (2, "changed = True\n")
