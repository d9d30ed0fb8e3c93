"""Batches of texts as columns: what an actor makes of them, and what is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_cases import GOOD, SAFE, SAFE_FIXED, UNSAFE

pa = pytest.importorskip("pyarrow")

from torchlint.corpus.judging import Standards
from torchlint.corpus.tables import Judge, Reading, added_up, counted, exploded
from torchlint.edits import Applicability
from torchlint.settings import Settings

BROKEN = "import torch\nprint 1\n"
LATIN = "# coding: latin-1\nimport torch\n\nw = torch.zeros(2).cuda()  # é\nprint(w)\n"


def judge(root: Path, *, text: str | None = "content", fix: Applicability | None = None, max_bytes: int = 2**20) -> Judge:
    """One that judges in this process: another takes a second to start."""
    standards = Standards({}, Settings(root=root), str(root), fix)
    actor = Judge(Reading(text, "path", ("id", "path"), max_bytes, 60.0), standards)
    actor._process = standards  # type: ignore[assignment]
    return actor


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Any]:
    """Calls an actor on texts."""

    def call(texts: Any, kind: Any = None, **more: Any) -> Any:
        column = pa.array(texts, kind or pa.string())
        batch = {"id": list(range(len(column))), "path": [f"a{number}.py" for number in range(len(column))], "content": column}
        return judge(tmp_path, **more)(pa.table(batch))

    return call


def test_every_row_has_a_row_whatever_is_in_it(judged: Callable[..., Any]) -> None:
    table = judged([SAFE, None, BROKEN, "print(1)\n", GOOD, "x = 1  # torch\n" * 5000], max_bytes=2000)

    assert table["findings"].to_pylist() == [1, 0, 1, 0, 0, 0]
    assert [bool(each) for each in table["error"].to_pylist()] == [False, True, True, False, False, True]
    assert table["error"].to_pylist()[1] == "there is no text"
    assert table["error"].to_pylist()[5] == "is larger than 2000 bytes"
    assert table["path"].to_pylist() == [f"a{number}.py" for number in range(6)]
    assert table.column_names == ["id", "path", "findings", "error", "diagnostics"]


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "binary", "large_binary"])
def test_fixed_texts_have_the_type_of_the_texts(judged: Callable[..., Any], kind: str) -> None:
    text_type = getattr(pa, kind)()
    is_binary = "binary" in kind
    texts = [each.encode() for each in (SAFE, GOOD)] if is_binary else [SAFE, GOOD]
    table = judged(texts, text_type, fix=Applicability.SAFE)

    assert table.schema.field("fixed").type == text_type
    assert table["fixed"].to_pylist() == [SAFE_FIXED.encode() if is_binary else SAFE_FIXED, None]
    assert table["fixes"].to_pylist() == [1, 0]
    assert table["findings"].to_pylist() == [0, 0]


def test_texts_in_a_dictionary_are_read(judged: Callable[..., Any]) -> None:
    table = judged(pa.array([SAFE, SAFE]).dictionary_encode(), pa.dictionary(pa.int32(), pa.string()), fix=Applicability.SAFE)

    assert table["fixed"].to_pylist() == [SAFE_FIXED, SAFE_FIXED]


def test_bytes_that_are_no_text_are_recorded_even_where_text_is_promised(judged: Callable[..., Any]) -> None:
    promised = pa.Array.from_buffers(pa.string(), 1, pa.array([b"import torch\n\xff\n"], pa.binary()).buffers())
    table = judged(promised, fix=Applicability.SAFE)

    assert table["findings"].to_pylist() == [1]
    assert "utf-8" in table["error"].to_pylist()[0]


def test_a_text_that_declares_another_encoding_is_the_text_that_it_was(judged: Callable[..., Any]) -> None:
    table = judged([LATIN], fix=Applicability.SAFE)

    assert table["fixed"].to_pylist() == [LATIN.replace("(2).cuda()", '(2, device="cuda")')]


def test_files_are_read_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(SAFE.encode())
    (tmp_path / "large.py").write_bytes(b"# torch\n" * 1000)
    actor = judge(tmp_path, text=None, max_bytes=2000, fix=Applicability.SAFE)
    names = ["a.py", "large.py", "gone.py"]
    table = actor(pa.table({"id": [0, 1, 2], "path": [str(tmp_path / name) for name in names]}))

    assert table["error"].to_pylist() == [None, "is larger than 2000 bytes", "cannot be read: No such file or directory"]
    assert table["fixed"].to_pylist() == [SAFE_FIXED.encode(), None, None]


def test_each_finding_has_a_row_with_what_tells_its_text(judged: Callable[..., Any]) -> None:
    table = exploded(judged([SAFE, GOOD, SAFE + UNSAFE.replace("import torch\n", "")]), ("id", "path"))

    assert table["id"].to_pylist() == [0, 2, 2]
    assert [each["row"] for each in table["location"].to_pylist()] == [3, 3, 6]
    assert [each["applicability"] for each in table["fix"].to_pylist()] == ["safe", "safe", "unsafe"]
    assert exploded(judged([GOOD]), ("id",)).num_rows == 0


@pytest.mark.parametrize(("least", "fixable"), [(Applicability.SAFE, 1), (Applicability.UNSAFE, 2)])
def test_batches_are_counted_apart_and_added_up(judged: Callable[..., Any], least: Applicability, fixable: int) -> None:
    batches = judged([SAFE, GOOD, BROKEN]), judged([UNSAFE, None])
    found = added_up([row for each in batches for row in counted(each, least).to_pylist()])

    assert found["rules"] == [
        {"code": "TL401", "name": "created-then-moved", "count": 2, "fixable_count": fixable},
        {"code": "TL001", "name": "syntax-error", "count": 1, "fixable_count": 0},
    ]
    assert found["totals"] == {"texts": 5, "findings": 3, "texts_with_findings": 3, "errors": 2, "fixes": 0, "texts_fixed": 0}
    assert added_up(counted(judged([SAFE, GOOD], fix=least), least).to_pylist())["totals"]["texts_fixed"] == 1
