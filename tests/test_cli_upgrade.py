"""`torchlint upgrade` from end to end: what is asked of which torch, what is counted, and what is refused."""

import json

import pytest
from cli_cases import GOOD, SAFE, found, read, write
from commands import Torchlint

from torchlint.facts.versions import versions
from torchlint.rule import load_rules

LOADING = "import torch\n\nfirst = torch.load('a.pt')\nsecond = torch.load('b.pt', map_location='cpu')\n"
LOADED = (
    "import torch\n\nfirst = torch.load('a.pt', weights_only=True)\nsecond = torch.load('b.pt', map_location='cpu', weights_only=True)\n"
)
CHANGE = "TL901 unsafe-load: before 2.6 (this project supports torch 2.4), `torch.load` runs whatever code the file brings along"
NEWEST = ".".join(map(str, versions()[-1]))


def test_changes_are_counted_one_by_one_with_their_files(torchlint: Torchlint) -> None:
    write("one.py", LOADING)
    write("two.py", LOADING + SAFE.replace("import torch\n", ""))
    result = torchlint("upgrade", "--to", "2.4")

    assert result.status == 1
    assert result.out == (
        f"What else torch 2.4 says or does:\n     4 in 2 files  [ ]  {CHANGE}\n\n"
        "4 findings in 2 of 2 files; 4 fixable with --fix --unsafe-fixes.\n"
    )
    assert f"  [*]  {CHANGE}\n" in torchlint("upgrade", "--to", "2.4", "--unsafe-fixes").out


def test_code_is_read_for_the_torch_named_whatever_the_project_needs_now(torchlint: Torchlint) -> None:
    write("one.py", LOADING)
    write("requirements.txt", "torch>=2.1\n")

    assert torchlint("check").status == 1
    assert torchlint("upgrade", "--to", "2.4").status == 1
    assert torchlint("upgrade", "--to", NEWEST).out == "No findings in 1 file.\n"


def test_fix_mends_what_it_may(torchlint: Torchlint) -> None:
    write("one.py", LOADING)

    assert (torchlint("upgrade", "--to", "2.4", "--fix").status, read("one.py")) == (1, LOADING)
    diff = torchlint("upgrade", "--to", "2.4", "--unsafe-fixes", "--diff")
    assert (diff.status, read("one.py")) == (1, LOADING)
    assert "+first = torch.load('a.pt', weights_only=True)\n" in diff.out
    fixed = torchlint("upgrade", "--to", "2.4", "--fix", "--unsafe-fixes", "one.py")
    assert (fixed.status, fixed.out, read("one.py")) == (0, "Fixed 2 findings in 1 file.\nNo findings left in 1 file.\n", LOADED)


def test_a_format_lists_the_findings_as_check_does(torchlint: Torchlint) -> None:
    write("one.py", LOADING)

    assert found(torchlint("upgrade", "--to", "2.4", "--output-format", "json").out) == ["TL901", "TL901"]
    assert torchlint("upgrade", "--to", "2.4", "--output-format", "concise", "--exit-zero").out.startswith("one.py:3:9: TL901 ")


def test_a_file_that_cannot_be_read_is_named(torchlint: Torchlint) -> None:
    write("bad.py", "import torch\nprint 1\n")
    result = torchlint("upgrade", "--to", "2.4")

    assert result.status == 1
    assert result.out.startswith("bad.py:2:")
    assert "breaks" not in result.out


@pytest.mark.parametrize("version", ["1.13", "99.1"])
def test_a_version_that_is_not_known_is_2_and_says_which_are(torchlint: Torchlint, version: str) -> None:
    write("one.py", GOOD)
    result = torchlint("upgrade", "--to", version)

    assert (result.status, result.out) == (2, "")
    assert f"this torchlint knows torch 2.0 to {NEWEST}, and nothing about {version}" in result.err


@pytest.mark.parametrize("arguments", [(), ("--to", "new"), ("--to", "2.4", "--isolated", "--config", "x.toml")])
def test_wrong_usage_is_2(torchlint: Torchlint, arguments: tuple[str, ...]) -> None:
    assert torchlint("upgrade", *arguments).status == 2


def test_a_version_older_than_what_the_project_asks_for_is_2_and_says_where(torchlint: Torchlint) -> None:
    write("one.py", GOOD)
    file = write("requirements.txt", "torch>=2.5\n")
    result = torchlint("upgrade", "--to", "2.4")

    assert (result.status, result.out) == (2, "")
    assert f"{file.absolute()} asks for torch 2.5 or newer: 2.4 would be no upgrade" in result.err
    assert torchlint("upgrade", "--to", "2.5").status == 0
    assert torchlint("upgrade", "--to", "2.4", "--isolated").status == 0


def test_a_patch_release_stands_for_its_minor_version(torchlint: Torchlint) -> None:
    write("one.py", LOADING)

    assert CHANGE in torchlint("upgrade", "--to", "2.4.1").out


def test_rules_about_versions_run_and_no_others() -> None:
    chosen = {rule.code for rule in load_rules() if rule.by_version}

    assert "TL901" in chosen
    assert {rule.code for rule in load_rules() if rule.family == "api" and rule.default} <= chosen
    assert not {rule.code for rule in load_rules() if rule.family in ("autograd", "training", "modules", "device")} & chosen


def test_verbose_check_says_which_torch_is_taken_to_be_supported(torchlint: Torchlint) -> None:
    write("a/one.py", GOOD)
    write("b/two.py", GOOD)
    first = write("a/requirements.txt", "torch>=2.1,<2.4\n").absolute()
    second = write("b/requirements.txt", "torch==1.13.1\n").absolute()

    assert (
        torchlint("check", "--verbose").err
        == f"torchlint: torch from 2.1 to 2.3, as {first} says\ntorchlint: torch 1.13, as {second} says\n"
    )
    assert torchlint("check", "--verbose", "--torch-version", "2.0").err == ""
    assert torchlint("check").err == ""
    assert json.loads(torchlint("check", "--verbose", "--output-format", "json").out) == []
