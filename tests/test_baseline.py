"""What a project knows of does not count: baselines, and comments that are written to every finding."""

import json
from pathlib import Path

import pytest
from cli_cases import SAFE, SAFE_FIXED, UNSAFE, read, write
from commands import Torchlint

from torchlint import suppress
from torchlint.engine import lint

TWO = SAFE + "v = torch.zeros(3).cuda()\n"


def kept(file: str = "known.json") -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(read(file))["findings"]
    return found


class TestBaseline:
    def test_what_is_written_does_not_count_and_what_is_new_does(self, torchlint: Torchlint) -> None:
        write("a.py", SAFE)
        written = torchlint("check", "--baseline", "known.json", "--write-baseline")
        known = torchlint("check", "--baseline", "known.json")
        write("a.py", "import os\n\n\n" + TWO)
        new = torchlint("check", "--baseline", "known.json", "--output-format", "concise")

        assert (written.status, written.out) == (0, "Wrote 1 finding of 1 file to known.json.\n")
        assert (known.status, known.out) == (0, "No findings in 1 file.\n")
        assert (new.status, new.out.splitlines()[0].split(":")[:2]) == (1, ["a.py", str(3 + len(TWO.splitlines()))])

    def test_configuration_names_the_file_from_its_own_folder(self, torchlint: Torchlint) -> None:
        write("torchlint.toml", 'baseline = "known.json"\n')
        write("pkg/a.py", SAFE)

        assert torchlint("check", "--write-baseline").status == 0
        assert list(kept()) == ["pkg/a.py"]
        assert torchlint("check", "pkg").status == 0

    def test_fix_leaves_alone_what_is_known(self, torchlint: Torchlint) -> None:
        write("a.py", SAFE)
        torchlint("check", "--baseline", "known.json", "--write-baseline")
        write("a.py", TWO)

        assert torchlint("check", "--fix", "--baseline", "known.json").status == 0
        assert read("a.py") == SAFE + 'v = torch.zeros(3, device="cuda")\n'

    def test_writing_again_keeps_files_that_were_not_checked_and_forgets_those_that_are_gone(self, torchlint: Torchlint) -> None:
        for name in ("a.py", "b.py", "c.py"):
            write(name, SAFE)
        torchlint("check", "--baseline", "known.json", "--write-baseline")
        Path("c.py").unlink()
        write("a.py", SAFE_FIXED)
        torchlint("check", "a.py", "--baseline", "known.json", "--write-baseline")

        assert list(kept()) == ["b.py"]

    def test_internal_errors_and_broken_baselines_are_no_silence(self, torchlint: Torchlint) -> None:
        write("a.py", SAFE)
        write("known.json", "[]")
        broken = torchlint("check", "--baseline", "known.json")
        absent = torchlint("check", "--baseline", "other.json")

        assert (broken.status, absent.status) == (2, 2)
        assert "known.json: is no baseline of this version of torchlint" in broken.err
        assert "other.json: there is no such baseline; --write-baseline makes it" in absent.err

    @pytest.mark.parametrize("text", ["{", '{"version": 2, "findings": {}}', '{"version": 1, "findings": {"a.py": ["x"]}}', "\x00"])
    def test_what_is_no_baseline_is_said_to_be_none(self, torchlint: Torchlint, text: str) -> None:
        write("a.py", SAFE)
        write("known.json", text)
        result = torchlint("check", "--baseline", "known.json")

        assert result.status == 2
        assert "is no baseline" in result.err and "Traceback" not in result.err

    def test_without_a_place_nothing_is_written(self, torchlint: Torchlint) -> None:
        write("a.py", SAFE)
        result = torchlint("check", "--write-baseline")

        assert result.status == 2 and "--write-baseline needs --baseline" in result.err

    def test_file_with_a_byte_order_mark_is_known_again(self, torchlint: Torchlint) -> None:
        Path("a.py").write_bytes(b"\xef\xbb\xbf" + b"import torch; w = torch.zeros(2).cuda()\n")
        torchlint("check", "--baseline", "known.json", "--write-baseline")

        assert torchlint("check", "--baseline", "known.json").status == 0

    @pytest.mark.parametrize("other", ["--fix", "--diff", "--fix-only", "--add-suppressions"])
    def test_writing_goes_with_no_change(self, torchlint: Torchlint, other: str) -> None:
        write("a.py", SAFE)

        assert torchlint("check", "--baseline", "known.json", "--write-baseline", other).status == 2
        assert not Path("known.json").exists()


class TestAddSuppressions:
    def test_every_finding_gets_a_comment_and_nothing_is_left(self, torchlint: Torchlint) -> None:
        write("a.py", TWO)
        write("b.py", UNSAFE)
        result = torchlint("check", "--add-suppressions")

        assert (result.status, result.out) == (0, "Suppressed 3 findings in 2 files.\n")
        assert read("a.py").splitlines()[2] == "w = torch.zeros(2).cuda()  # torchlint: ignore[TL401]"
        assert torchlint("check", "--extend-select", "TL002").status == 0

    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            ("w = torch.zeros(2).cuda()  # here", "w = torch.zeros(2).cuda()  # here  # torchlint: ignore[TL401]"),
            ("w = torch.zeros(2).cuda()   ", "w = torch.zeros(2).cuda()  # torchlint: ignore[TL401]"),
            ("w = torch.zeros(\n    2\n).cuda()", "w = torch.zeros(\n    2\n).cuda()  # torchlint: ignore[TL401]"),
            ("w = torch.zeros(2).cuda()  # torchlint: ignore[TL999]", "w = torch.zeros(2).cuda()  # torchlint: ignore[TL999, TL401]"),
            ("w = torch.zeros(2) \\\n    .cuda()", "w = torch.zeros(2) \\\n    .cuda()  # torchlint: ignore[TL401]"),
            ('w = torch.zeros(2).cuda(); s = """\n"""', 'w = torch.zeros(2).cuda(); s = """\n"""  # torchlint: ignore[TL401]'),
        ],
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_comment_stands_where_the_statement_ends(self, row: str, expected: str, end: str) -> None:
        text = f"import torch\n{row}\n".replace("\n", end)
        silent = suppress.add(text, lint(text))

        assert silent == f"import torch\n{expected}\n".replace("\n", end)
        assert [each.code for each in lint(silent) if each.code != "TL002"] == []

    def test_last_row_without_an_end_gets_its_comment(self) -> None:
        text = "import torch\nw = torch.zeros(2).cuda()"

        assert suppress.add(text, lint(text)) == text + "  # torchlint: ignore[TL401]"

    def test_text_that_is_no_python_is_left_as_it_is(self, torchlint: Torchlint) -> None:
        write("a.py", "import torch\ndef f(:\n")

        assert torchlint("check", "--add-suppressions").status == 1
        assert read("a.py") == "import torch\ndef f(:\n"
