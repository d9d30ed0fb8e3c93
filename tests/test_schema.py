"""The schema of the configuration accepts what is read and refuses what is not, and the file that editors load is the current one."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Torchlint

from torchlint.schema import schema
from torchlint.settings import EXTEND, KEYS, Configuration, SettingsError
from torchlint.sources import toml

jsonschema = pytest.importorskip("jsonschema")

FILE = Path(__file__).parents[1] / "docs" / "torchlint.schema.json"

RIGHT = [
    "",
    'extend = "../base.toml"\nselect = ["TL1", "ALL"]\nignore = ["TL402"]\n',
    'torch-version = "2.4"\noutput-format = "sarif"\nbaseline = "known.json"\n',
    'torch-version = "2.4.1"\nmanaged-loops = ["base.Trainer"]\n[per-file-ignores]\n"tests/*" = ["TL1"]\n',
]
WRONG = [
    'slect = ["TL1"]\n',
    'select = "TL1"\n',
    "ignore = [1]\n",
    "torch-version = 2.4\n",
    'torch-version = "new"\n',
    'torch-version = "2.4 "\n',
    'output-format = "xml"\n',
    'per-file-ignores = ["a"]\n',
    'per-file-ignores = {"a" = "TL1"}\n',
    "extend = true\n",
]


def accepts(document: Any) -> bool:
    return bool(jsonschema.Draft7Validator(schema()).is_valid(document))


def reads(folder: Path, text: str) -> bool:
    (folder / "base.toml").write_text("", encoding="utf-8")
    file = folder / "inner" / "torchlint.toml"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    try:
        Configuration(file=file)
    except SettingsError:
        return False
    return True


def test_file_is_what_the_command_prints(torchlint: Torchlint) -> None:
    """After a change of a key: `torchlint config --output-format json-schema > docs/torchlint.schema.json`"""
    assert torchlint("config", "--output-format", "json-schema").out == FILE.read_text(encoding="utf-8")


def test_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


def test_every_key_is_explained_and_has_a_default_that_it_allows() -> None:
    properties = schema()["properties"]

    assert list(properties) == [EXTEND, *KEYS]
    assert [name for name, each in properties.items() if not each["description"]] == []
    assert accepts({name: each["default"] for name, each in properties.items() if "default" in each})


@pytest.mark.parametrize(("text", "valid"), [*((each, True) for each in RIGHT), *((each, False) for each in WRONG)])
def test_schema_accepts_what_is_read_and_nothing_else(tmp_path: Path, text: str, valid: bool) -> None:
    assert reads(tmp_path, text) is valid
    assert accepts(toml.parse(text)) is valid


def test_a_key_has_no_schema_of_its_own(torchlint: Torchlint) -> None:
    assert torchlint("config", "select", "--output-format", "json-schema").status == 2


def test_schema_names_what_is_wrong(torchlint: Torchlint) -> None:
    [error] = jsonschema.Draft7Validator(json.loads(FILE.read_text(encoding="utf-8"))).iter_errors({"per-file-ignores": {"a": ["TL1", 2]}})

    assert list(error.absolute_path) == ["per-file-ignores", "a", 1]
