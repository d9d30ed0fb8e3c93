"""The layers of the code that reads programs: each imports only from those below it, and no module leads back to itself."""

import ast
from pathlib import Path

import pytest

from torchlint.model import FileModel

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "torchlint"
LAYERS = ["facts", "syntax", "values", "program", "model", "rules"]
FREE = {"settings", "edits", "diagnostic"}
"""Plain data without an import of their own that any layer may name."""
VOCABULARY = """text source span nodes parent ancestors statement function is_shown is_after when loops qualname uses_of spelling references
    literal value consumers escapes memory calls methods operations operation discarded classes module_of trainings evaluations program
    torch analysis""".split()
"""What a rule may ask of a file. A question that one family alone asks is answered beside the rule."""


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> set[str]:
    """The package's modules that a module imports anywhere in its text, in functions and for type checking too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.update(f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module for alias in node.names)
    return {each for each in found if each in MODULES and each != name}


def layer(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


LAYERED = [name for name in MODULES if layer(name) in LAYERS]


@pytest.mark.parametrize("name", LAYERED)
def test_module_imports_only_from_its_own_layer_and_those_below(name: str) -> None:
    own = LAYERS.index(layer(name))
    allowed = {*LAYERS[: own + 1], *FREE, *(("rule", "rewrite") if layer(name) == "rules" else ())}

    assert {each for each in imports(name) if layer(each) not in allowed} == set()


@pytest.mark.parametrize("name", [each for each in LAYERED if layer(each) == "rules"])
def test_rule_family_keeps_to_itself(name: str) -> None:
    family = name.split(".")[2:3]

    assert {each for each in imports(name) if layer(each) == "rules" and each.split(".")[2:3] != family} == set()


def test_no_module_leads_back_to_itself() -> None:
    graph = {name: imports(name) for name in LAYERED}
    done: set[str] = set()

    def circle(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done:
            return ()
        for each in sorted(graph.get(name, ())):
            found = circle(each, (*way, name))
            if found:
                return found
        done.add(name)
        return ()

    assert [found for name in graph if (found := circle(name, ()))] == []


def test_vocabulary_of_rules_is_closed() -> None:
    members = {name for name in vars(FileModel) if not name.startswith("_")} | {"analysis"}

    assert members == set(VOCABULARY)


@pytest.mark.parametrize("name", [each for each in LAYERED if layer(each) == "rules" and each.count(".") == 3])
def test_only_the_rooms_beside_a_rule_reach_below_the_vocabulary(name: str) -> None:
    if name.rpartition(".")[2].startswith("_"):
        return
    text = MODULES[name].read_text(encoding="utf-8")

    assert "analysis." not in text
    assert {each for each in imports(name) if layer(each) in ("syntax", "values", "program")} <= {
        "torchlint.values.value",
        "torchlint.values.events",
    }
