"""What a run reads, and what tells it from other runs: found, refused or named before Ray is even started."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cli_cases import GOOD, SAFE, write
from commands import Torchlint

pa = pytest.importorskip("pyarrow")
pytest.importorskip("ray")

import pyarrow.fs
import pyarrow.parquet as pq

from torchlint.corpus import CorpusError
from torchlint.corpus.plan import Options, Plan, prepared
from torchlint.corpus.record import Record
from torchlint.corpus.sources import is_data_set, parquet
from torchlint.settings import Configuration

pytestmark = pytest.mark.usefixtures("torchlint")


def data(name: str, **columns: Any) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns or {"content": [SAFE], "path": ["a.py"]}), path)
    return path


def plan(*names: str, configuration: Configuration | None = None, **more: Any) -> Plan:
    options = Options("out", None, None, None, False, False, 2**20, 300.0, 1000, None, None)
    return prepared(names, options._replace(**more), configuration or Configuration(isolated=True))


def test_a_folder_of_parquet_files_is_a_data_set_and_one_of_code_is_not() -> None:
    data("hub/data/0.parquet")
    write("hub/README.md", "# A data set\n")
    data("repository/tests/data/0.parquet")
    write("repository/a.py", GOOD)

    assert is_data_set(["hub"]) and is_data_set(["hub/data/0.parquet"]) and is_data_set(["s3://bucket/folder"])
    assert not is_data_set(["repository"])
    with pytest.raises(CorpusError, match="hub is a data set and repository is a folder of code"):
        is_data_set(["hub", "repository"])
    assert len(plan("repository", text_column="content").listing.files) == 1


def test_all_parquet_files_are_read_once_and_in_the_same_order() -> None:
    for name in ("b/1", "b/0", "a/2"):
        data(f"hub/{name}.parquet")
    found = parquet(["hub", "hub/b", "hub/b/1.parquet"])

    assert [os.path.relpath(each, "hub") for each in found.files] == ["a/2.parquet", "b/0.parquet", "b/1.parquet"]
    assert found == parquet(["hub"])
    data("hub/b/1.parquet", content=[GOOD])
    assert found.digest != parquet(["hub"]).digest


def test_columns_are_the_usual_ones_or_those_that_are_named() -> None:
    data("usual.parquet")
    data("own.parquet", code=[SAFE], file=["a.py"], number=[1])
    data("bare.parquet", content=[SAFE], path=[1])

    assert plan("usual.parquet").reading[:3] == ("content", "path", ("row_hash", "path"))
    own = plan("own.parquet", text_column="code", path_column="file", id_column="number")
    assert own.reading[:3] == ("code", "file", ("row_hash", "number", "file"))
    assert plan("bare.parquet").reading[:3] == ("content", None, ("row_hash",))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "there is no column `content` (--text-column); there are `code`, `number`, `findings`"),
        (
            {"text_column": "code", "path_column": "file"},
            "there is no column `file` (--path-column); there are `code`, `number`, `findings`",
        ),
        ({"text_column": "code", "id_column": "id"}, "there is no column `id` (--id-column)"),
        ({"text_column": "number"}, "the column `number` (--text-column) holds int64, not text"),
        ({"text_column": "code", "id_column": "findings"}, "the column `findings` (--id-column) has the name of one that is written"),
    ],
)
def test_a_column_that_is_not_there_or_cannot_be_used_is_2(torchlint: Torchlint, more: dict[str, str], expected: str) -> None:
    data("own.parquet", code=[SAFE], number=[1], findings=[1])
    options = [part for name, value in more.items() for part in (f"--{name.replace('_', '-')}", value)]
    result = torchlint("corpus", "own.parquet", "--output", "out", *options)

    assert (result.status, result.out) == (2, "")
    assert expected in result.err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("empty", "no Python files in empty"),
        ("gone", "gone: no such file or folder"),
        ("gone.parquet", "gone.parquet: no such file or folder"),
        ("text.parquet", "text.parquet: no Parquet file"),
        ("nowhere://bucket/a", "nowhere://bucket/a: "),
    ],
)
def test_a_source_without_texts_is_2(torchlint: Torchlint, source: str, expected: str) -> None:
    Path("empty").mkdir()
    write("text.parquet", "no Parquet")
    result = torchlint("corpus", source, "--output", "out")

    assert (result.status, result.out) == (2, "")
    assert expected in result.err


def test_a_folder_is_read_as_check_reads_it() -> None:
    for name in ("a.py", "b.ipynb", "c.md", "build/d.py", "e.txt", "sub/f.py", "ignored.py"):
        write(f"code/{name}", GOOD)
    write("code/.gitignore", "ignored.py\n")
    write("code/sub/torchlint.toml", 'ignore = ["TL401"]\n')
    found = plan("code", configuration=Configuration())

    assert [os.path.relpath(each, "code") for each in found.listing.files] == ["a.py", "b.ipynb", "c.md", "sub/f.py"]
    assert found.reading[:3] == (None, "path", ("path",))
    assert found.standards.settings[str(Path("code/sub").absolute())].ignore == ("TL401",)
    with pytest.raises(CorpusError, match="--path-column and --id-column go with a data set"):
        plan("code", id_column="id")


def test_a_name_that_is_no_unicode_is_left_out_and_said() -> None:
    write("code/a.py", GOOD)
    try:
        Path(os.fsdecode(b"code/\xff.py")).write_text(GOOD, encoding="utf-8")
    except OSError:
        pytest.skip("this file system knows no such names")
    found = plan("code")

    assert [Path(each).name for each in found.listing.files] == ["a.py"]
    assert len(found.problems) == 1


# -- the record of a run ----------------------------------------------------------------------------------------------------------------


def record(name: str = "out") -> Record:
    return Record(name, pyarrow.fs.LocalFileSystem(), str(Path(name).absolute()))


def test_a_run_goes_on_where_it_began_and_a_finished_one_is_known() -> None:
    identity = plan(str(data("a.parquet"))).identity

    assert record().begin(identity) is None
    assert record().begin(identity) is None
    record().finish(identity, {"rules": []})
    assert record().begin(identity) == {"rules": []}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"fix": True}, "fixes"),
        ({"max_bytes": 5}, "limits"),
        ({"id_column": "path"}, None),
        ({"rows_per_block": 5, "concurrency": 9}, None),
    ],
)
def test_another_run_is_not_mixed_in(change: dict[str, Any], expected: str | None) -> None:
    data("a.parquet")
    record().begin(plan("a.parquet").identity)
    other = plan("a.parquet", **change).identity

    if expected is None:
        assert record().begin(other) is None
    else:
        with pytest.raises(CorpusError, match=f"differs from this one in what is here called {expected}; name another --output"):
            record().begin(other)


def test_other_settings_and_other_texts_are_another_run() -> None:
    data("a.parquet")
    record().begin(plan("a.parquet").identity)

    with pytest.raises(CorpusError, match="called settings;"):
        record().begin(plan("a.parquet", configuration=Configuration({"ignore": ("TL4",)}, isolated=True)).identity)
    data("a.parquet", content=[GOOD, GOOD], path=["a.py", "b.py"])
    with pytest.raises(CorpusError, match="called sources;"):
        record().begin(plan("a.parquet").identity)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("out/notes.txt", "mine", "out: is not empty, and holds no run of torchlint corpus"),
        ("out/corpus.json", "[]", "out: its corpus.json is not one that torchlint corpus wrote"),
        ("out/corpus.json", "\xff{", "out: its corpus.json is not one that torchlint corpus wrote"),
        ("out", "a file", "out"),
    ],
)
def test_what_is_somebody_elses_is_left_alone(torchlint: Torchlint, name: str, text: str, expected: str) -> None:
    data("a.parquet")
    file = write(name, text)
    result = torchlint("corpus", "a.parquet", "--output", "out")

    assert (result.status, result.out) == (2, "")
    assert expected in result.err
    assert file.read_text(encoding="utf-8") == text


def test_a_record_that_was_half_written_is_none() -> None:
    data("a.parquet")
    write("out/.corpus.json", '{"torchlint"')

    assert record().begin(plan("a.parquet").identity) is None
    assert json.loads(Path("out/corpus.json").read_text(encoding="utf-8"))["finished"] is None


# -- the command line -------------------------------------------------------------------------------------------------------------------


def test_a_finished_run_is_shown_again_without_ray(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    data("a.parquet")
    rules = [{"code": "TL401", "name": "created-then-moved", "count": 12, "fixable_count": 1}]
    totals = {"texts": 9, "findings": 12, "texts_with_findings": 7, "errors": 1, "fixes": 3, "texts_fixed": 2}
    record().finish(plan("a.parquet", configuration=Configuration()).identity, {"rules": rules, "totals": totals})
    monkeypatch.setitem(__import__("sys").modules, "torchlint.corpus.pipeline", None)
    result = torchlint("corpus", "a.parquet", "--output", "out")

    assert (result.status, result.out) == (0, "12  TL401  [*]  created-then-moved\n")
    assert result.err == "torchlint: 12 findings in 7 of 9 texts; 3 fixed in 2; 1 could not be checked. Written to out.\n"
    assert json.loads(torchlint("corpus", "a.parquet", "--output", "out", "--output-format", "json").out) == rules


@pytest.mark.parametrize(
    "arguments",
    [
        ("corpus",),
        ("corpus", "a.parquet"),
        ("corpus", "a.parquet", "--output", "out", "--isolated", "--config", "torchlint.toml"),
        ("corpus", "a.parquet", "--output", "out", "--select", "TL999"),
        ("corpus", "a.parquet", "--output", "out", "--max-bytes", "0"),
    ],
)
def test_wrong_usage_is_2(torchlint: Torchlint, arguments: tuple[str, ...]) -> None:
    data("a.parquet")

    assert torchlint(*arguments).status == 2
    assert not Path("out").exists()


def test_without_ray_the_extra_is_named(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    monkeypatch.setattr("torchlint.cli.corpus.find_spec", lambda name: None if name == "ray" else find_spec(name))
    result = torchlint("corpus", "a.parquet", "--output", "out")

    assert (result.status, result.out) == (2, "")
    assert 'pip install "torchlint[ray]"' in result.err
