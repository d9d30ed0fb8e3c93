"""Where settings come from, how they are laid over one another, and what is said about those that make no sense."""

from pathlib import Path

import pytest

from torchlint.settings import FORMATS, KEYS, Configuration, Settings, SettingsError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def complaint(file: Path) -> str:
    with pytest.raises(SettingsError) as raised:
        Configuration(file=file)
    return str(raised.value)


def test_the_nearest_file_with_a_section_of_ours_counts(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[tool.torchlint]\nignore = ["TL1"]\n')
    write(tmp_path / "a/pyproject.toml", '[project]\nname = "a"\n')
    write(tmp_path / "b/pyproject.toml", '[tool.torchlint]\nignore = ["TL2"]\n')
    configuration = Configuration()

    assert configuration.settings(tmp_path / "a" / "deep").ignore == ("TL1",)
    assert configuration.settings(tmp_path / "b").ignore == ("TL2",)
    assert configuration.settings(tmp_path / "a").root == tmp_path


@pytest.mark.parametrize(
    ("present", "wins"),
    [(("pyproject.toml", "torchlint.toml"), "torchlint.toml"), (("torchlint.toml", ".torchlint.toml"), ".torchlint.toml")],
)
def test_a_file_of_our_own_goes_before_a_shared_one(tmp_path: Path, present: tuple[str, ...], wins: str) -> None:
    for name in present:
        section = "[tool.torchlint]\n" if name == "pyproject.toml" else ""
        write(tmp_path / name, f'{section}managed-loops = ["{name}"]\n')

    assert Configuration().settings(tmp_path).managed_loops == (wins,)


def test_a_pyproject_that_does_not_speak_of_us_need_not_even_be_valid(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "this is [not toml")

    assert Configuration().settings(tmp_path).select is None


def test_every_key_is_read_into_the_setting_of_its_name(tmp_path: Path) -> None:
    lists = [name for name, key in KEYS.items() if key.type.startswith("list")]
    text = "".join(f'{name} = ["{name}-1"]\n' for name in lists)
    text += (
        'torch-version = "2.4"\noutput-format = "concise"\nbaseline = "b.json"\ncache-dir = "c"\n[per-file-ignores]\n"tests/*" = ["TL1"]\n'
    )
    settings = Configuration(file=write(tmp_path / "torchlint.toml", text)).settings(tmp_path)

    assert set(lists) | {"torch-version", "output-format", "baseline", "cache-dir", "per-file-ignores"} == set(KEYS)
    assert [getattr(settings, name.replace("-", "_")) for name in lists] == [(f"{name}-1",) for name in lists]
    assert (settings.torch_version, settings.output_format, settings.cache_dir) == ("2.4", "concise", "c")
    assert settings.per_file_ignores == (("tests/*", ("TL1",)),)


def test_an_unknown_key_is_named_with_file_and_nearest_key(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", '[tool.torchlint]\nslect = ["TL1"]\n')

    assert complaint(file) == f"{file}: unknown key `tool.torchlint.slect`; the nearest is `select`, and `torchlint config` lists all"


def test_keys_of_features_that_do_not_exist_are_not_silently_accepted(tmp_path: Path) -> None:
    assert "unknown key `prove`" in complaint(write(tmp_path / "torchlint.toml", 'prove = "x"\n'))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('select = "TL1"', "`select` must be a list of rule selectors, not a string"),
        ("ignore = [1]", "`ignore` must be a list of rule selectors, not a list with an integer in it"),
        ("torch-version = 2.4", "`torch-version` must be a string, not a float"),
        ('torch-version = "new"', '`torch-version` must be a version such as "2.4", not "new"'),
        ('output-format = "xml"', f'`output-format` must be one of {", ".join(FORMATS)}, not "xml"'),
        ('per-file-ignores = ["a"]', "`per-file-ignores` must be a table from a pattern to a list of rule selectors, not a list"),
        ('per-file-ignores = {"a" = "TL1"}', '`per-file-ignores` must hold lists of rule selectors, but "a" holds a string'),
        ("extend = true", "`extend` must be a path, not a boolean"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_should_be(tmp_path: Path, line: str, said: str) -> None:
    file = write(tmp_path / "torchlint.toml", line + "\n")

    assert complaint(file) == f"{file}: {said}"


def test_all_mistakes_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    assert len(complaint(write(tmp_path / "torchlint.toml", "a = 1\nb = 2\nselect = 3\n")).splitlines()) == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"select = [\n", "not valid TOML"), (b"\xff\xfe", "not valid UTF-8 (byte 0)"), (b"[tool]\ntorchlint = 3\n", "unknown key `tool`")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "torchlint.toml"
    file.write_bytes(data)

    assert said in complaint(file)


def test_a_section_that_is_no_table_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool]\ntorchlint = 3\n")

    assert complaint(file) == f"{file}: `tool.torchlint` must be a table, not an integer"


def test_extended_settings_lie_below_those_that_extend_them(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", 'exclude = ["base"]\nextend-exclude = ["one"]\nmanaged-loops = ["a.Base"]\n')
    file = write(tmp_path / "sub/torchlint.toml", 'extend = "../base.toml"\nextend-exclude = ["two"]\nmanaged-loops = ["a.Sub"]\n')
    settings = Configuration(file=file).settings(tmp_path)

    assert (settings.exclude, settings.extend_exclude, settings.managed_loops) == (("base",), ("one", "two"), ("a.Sub",))
    assert settings.root == tmp_path / "sub"


def test_extending_in_a_circle_is_an_error(tmp_path: Path) -> None:
    first = write(tmp_path / "a.toml", 'extend = "b.toml"\n')
    write(tmp_path / "b.toml", 'extend = "a.toml"\n')

    assert complaint(first).endswith("`extend` leads back to this file")


def test_extending_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "gone.toml: cannot be read" in complaint(write(tmp_path / "a.toml", 'extend = "gone.toml"\n'))


def test_the_command_line_lies_on_top_and_isolation_leaves_files_out(tmp_path: Path) -> None:
    write(tmp_path / "torchlint.toml", 'output-format = "json"\nextend-exclude = ["a"]\n')
    overrides = {"output-format": "github"}

    assert Configuration().settings(tmp_path).output_format == "json"
    assert Configuration(overrides).settings(tmp_path).output_format == "github"
    assert Configuration(overrides).settings(tmp_path).extend_exclude == ("a",)
    assert Configuration(isolated=True).settings(tmp_path) == Configuration(isolated=True).settings(Path("/"))


def test_a_later_selection_refines_the_one_below() -> None:
    settings = Settings(select=("TL1",)).over({"extend-select": ("TL2",)}, "a.toml")

    assert (settings.select, settings.extend_select, settings.origin) == (None, ("TL2",), "a.toml")
    assert settings.below == Settings(select=("TL1",))
    assert list(settings.selectors()) == [("a.toml: `extend-select`", "TL2"), ("--select", "TL1")]


def test_settings_without_selectors_say_so() -> None:
    assert list(Settings().selectors()) == []
