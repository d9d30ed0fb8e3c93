"""Options of the whole suite, and the command line as tests call it."""

import io
import sys
from pathlib import Path

import pytest
from commands import Result, Torchlint

from torchlint.cli import main
from torchlint.syntax import making

making.by_assignment()
"""As the command line and the language server do: equal blanks are one node in all tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sweep", action="store_true", help="robustness over every file of the installed torch and the standard library, not a sample"
    )


@pytest.fixture
def torchlint(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Torchlint:
    """Calls `torchlint ARGUMENTS` in this process, from the test's own folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["torchlint", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsysbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, captured.out, captured.err)

    return call
