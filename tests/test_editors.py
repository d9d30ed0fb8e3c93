"""The extension for VS Code says of itself what is true, and is installed from where everybody can install it.

What it does is tried by Node.js: `nox -s vscode`.
"""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "editors" / "vscode"


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_settings_are_those_that_are_read_and_explained() -> None:
    declared = {name.removeprefix("torchlint.") for name in read("package.json")["contributes"]["configuration"]["properties"]}

    assert declared == set(re.findall(r"given\.get\(\"(\w+)\"", text("src/extension.ts")))
    assert declared == set(re.findall(r"^\| `torchlint\.(\w+)` \|", text("README.md"), re.MULTILINE))


def test_commands_are_those_that_are_registered() -> None:
    declared = {each["command"] for each in read("package.json")["contributes"]["commands"]}

    assert declared == set(re.findall(r"registerCommand\(\"([\w.]+)\"", text("src/extension.ts")))


def test_no_workspace_is_trusted_unasked() -> None:
    assert read("package.json")["capabilities"]["untrustedWorkspaces"]["supported"] is False


def test_locked_packages_come_from_the_public_registry() -> None:
    manifest, packages = read("package.json"), read("package-lock.json")["packages"]
    addresses = [each["resolved"] for each in packages.values() if "resolved" in each]

    assert [each for each in addresses if not each.startswith("https://registry.npmjs.org/")] == []
    assert [name for name, each in packages.items() if name and "integrity" not in each] == []
    assert {**packages[""]["dependencies"], **packages[""]["devDependencies"]} == {
        **manifest["dependencies"],
        **manifest["devDependencies"],
    }
