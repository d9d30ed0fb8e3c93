"""What an import costs and pulls in, and what the source files themselves must keep to."""

import ast
import html
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from torchlint.edits import Applicability
from torchlint.engine import lint
from torchlint.rule import load_rules
from torchlint.selection import all_rules

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "torchlint"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 450, 70

LOADED = "\nimport json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def loaded_after(code: str, folder: Path) -> set[str]:
    """The top-level packages that a fresh interpreter has imported once it ran this code."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}{LOADED}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return set(json.loads(result.stdout.splitlines()[-1]))


def run_cli(*arguments: str) -> str:
    call = f"from torchlint.__main__ import main\nsys.argv = ['torchlint', *{list(arguments)!r}]"
    return call + "\ntry:\n    main()\nexcept SystemExit:\n    pass"


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0}


def test_linting_imports_neither_torch_nor_a_terminal_library(tmp_path: Path) -> None:
    loaded = loaded_after("import torchlint; torchlint.lint('import torch\\nw = torch.zeros(2).cuda()\\n')", tmp_path)

    assert "libcst" in loaded
    assert loaded.isdisjoint({"torch", "numpy", "rich", "click", "pygls"})


def test_version_and_a_file_without_torch_import_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("print(1)\n", encoding="utf-8")

    for arguments in (["--version"], ["check", "plain.py"]):
        assert loaded_after(run_cli(*arguments), tmp_path).isdisjoint({"torch", "numpy", "libcst", "rich"})


def test_checking_a_real_file_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch\n\nweight = torch.zeros(2).cuda()\nprint(weight)\n", encoding="utf-8")
    loaded = loaded_after(run_cli("check", "train.py"), tmp_path)

    assert "libcst" in loaded
    assert loaded.isdisjoint({"torch", "numpy", "rich"})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_sanity_imports_torch(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)}

    assert "torch" not in roots or path.relative_to(PACKAGE).parts[0] == "sanity"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_says_what_it_is_for_and_stays_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {
        each.name: each.end_lineno - each.lineno + 1
        for each in functions
        if each.end_lineno and each.end_lineno - each.lineno >= LONGEST_FUNCTION
    }

    assert ast.get_docstring(tree)
    assert text.count("\n") <= LONGEST_FILE
    assert long == {}


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [path for path in MODULES if path.stem in {"utils", "util", "common", "helpers", "misc"}] == []


@pytest.mark.parametrize("path", [each for each in MODULES if each.parts[-2:][0] in ("values", "library")], ids=lambda path: path.name)
def test_names_of_torch_are_facts_or_register_a_handler(path: Path) -> None:
    """The evaluator decides by what the tables say of a name: it spells one out only where a function says that it handles it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    registered = {id(part) for function in functions for mark in function.decorator_list for part in ast.walk(mark)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))

    assert [node.value for node in texts if id(node) not in registered and re.fullmatch(r"torch(\.\w+)+", node.value)] == []


def test_no_exception_is_swallowed_without_a_word() -> None:
    swallowed = re.compile(r"except( Exception| BaseException)?:\s*\n\s*pass\b")

    assert [path for path in MODULES if swallowed.search(path.read_text(encoding="utf-8"))] == []


def test_picture_in_the_readme_shows_what_the_example_gives() -> None:
    picture = html.unescape((ROOT / "docs" / "terminal.svg").read_text(encoding="utf-8")).replace("\xa0", " ")
    shown = re.sub(r"\s+", " ", " ".join(re.findall(r"<text [^>]*>([^<]*)</text>", picture)))
    found = lint((ROOT / "examples" / "train.py").read_text(encoding="utf-8"))

    assert len(found) >= 4
    assert [each.message for each in found if each.code not in shown or each.message not in shown] == []


def test_rule_shown_to_contributors_is_the_one_that_ships() -> None:
    shown = re.findall(r"^```python\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert shown == [(PACKAGE / "rules" / "autograd" / "graph_kept_in_total.py").read_text(encoding="utf-8")]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_files_that_a_document_links_to_exist(document: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8"))

    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_rules_named_in_the_readme_exist() -> None:
    rows = re.findall(r"^\| (TL\d{3}) \| ([a-z-]+) \|.*\| ([a-z]*) ?\|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    levels = {None: "", Applicability.SAFE: "safe", Applicability.UNSAFE: "unsafe", Applicability.DISPLAY: "shown"}

    assert len(rows) >= 10
    assert set(rows) <= {(rule.code, rule.name, levels[rule.fix]) for rule in load_rules() if rule.default}


def test_first_version_counts_the_rules_that_it_comes_with() -> None:
    """Of an entry that is still open: what was released is history."""
    newest = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    if not newest.startswith("0.1.0 (unreleased)"):
        pytest.skip("0.1.0 is released")
    counts = re.findall(r"(\w+) \((\d+)\)", newest.split("[the rule book](rules/README.md):")[1])

    assert {family: int(count) for family, count in counts} == Counter(rule.family for rule in all_rules())
