"""What ships: a wheel with the rule book and the cases inside, found there, from an editable install and from a checkout alike."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from torchlint import __version__
from torchlint.rule import load_rules

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.relative_to(ROOT / "rules") for path in (ROOT / "rules").rglob("*.md"))
CASES = sorted(path.relative_to(ROOT / "fixtures") for path in (ROOT / "fixtures").rglob("*.py"))

FIND = """
import json, torchlint
from torchlint.rulebook import fixtures_folder, rulebook_folder
print(json.dumps([torchlint.__file__, *([path.relative_to(folder).as_posix() for path in sorted(folder.rglob(pattern))]
    for folder, pattern in ((rulebook_folder(), "*.md"), (fixtures_folder(), "*.py")))]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def built(target: str, folder: Path) -> Path:
    pytest.importorskip("hatchling")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)], cwd=ROOT, check=True, capture_output=True)
    [archive] = folder.iterdir()
    return archive


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"torchlint-{__version__}.dist-info/METADATA").decode())


def python(code: str, site: Path) -> str:
    """Run code in a fresh interpreter that finds torchlint only through this folder, as if that were its site-packages."""
    start = f"import sys, site; sys.path[:] = [path for path in sys.path if path not in ('', {str(ROOT)!r})]\n"
    start += f"before = len(sys.path); site.addsitedir({str(site)!r}); sys.path[:] = sys.path[before:] + sys.path[:before]\n"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", start + code]
    return subprocess.run(command, cwd=site, env=environment, check=True, capture_output=True, text=True).stdout


def test_wheel_needs_no_torch_and_names_its_command(wheel: Path) -> None:
    needed = {line.split(";")[0].strip() for line in metadata(wheel).get_all("Requires-Dist", []) if "extra ==" not in line}
    names = {"".join(c for c in each.split("<")[0].split(">")[0].split("=")[0] if c.isalnum()) for each in needed}
    with zipfile.ZipFile(wheel) as archive:
        scripts = archive.read(f"torchlint-{__version__}.dist-info/entry_points.txt").decode()

    assert names == {"libcst", "click", "rich", "pathspec", "tomli"}
    assert "torchlint = torchlint.__main__:main" in scripts


def test_wheel_supports_python_3_10_and_says_it_is_typed(wheel: Path) -> None:
    assert metadata(wheel)["Requires-Python"] == ">=3.10"
    assert "torchlint/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_source_archive_can_run_its_own_tests(tmp_path: Path) -> None:
    with tarfile.open(built("sdist", tmp_path)) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}

    assert {"pyproject.toml", "LICENSE", "README.md", ".pre-commit-hooks.yaml", "tests/test_rules.py", ".ci/run"} <= names
    assert {f"rules/{page.as_posix()}" for page in PAGES} | {f"fixtures/{case.as_posix()}" for case in CASES} <= names


def test_pages_and_cases_are_found_in_an_installed_wheel(installed: Path) -> None:
    module, pages, cases = json.loads(python(FIND, installed))

    assert Path(module).is_relative_to(installed)
    assert (pages, cases) == ([page.as_posix() for page in PAGES], [case.as_posix() for case in CASES])


def test_pages_and_cases_are_found_from_an_editable_install(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    code = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    site = tmp_path / "site"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        archive.extractall(site)
    module, pages, cases = json.loads(python(FIND, site))

    assert Path(module).is_relative_to(ROOT)
    assert (pages, cases) == ([page.as_posix() for page in PAGES], [case.as_posix() for case in CASES])


def test_installed_wheel_checks_a_case_that_ships_with_it(installed: Path) -> None:
    case = installed / "torchlint" / "_fixtures" / "modules" / "unregistered_modules" / "bad.py"
    code = f"import json, torchlint; print(json.dumps([each.code for each in torchlint.lint(open({str(case)!r}).read())]))"

    assert set(json.loads(python(code, installed))) == {"TL301"}


def test_every_rule_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert [rule.code for rule in load_rules() if f"torchlint/rules/{rule.family}/{rule.stem}.py" not in names] == []
