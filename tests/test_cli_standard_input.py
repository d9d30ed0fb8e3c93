"""`torchlint check -`."""

from cli_cases import GOOD, SAFE, SAFE_FIXED, UNSAFE, found, write
from commands import Torchlint


def test_standard_input_is_checked_under_the_name_given(torchlint: Torchlint) -> None:
    write("sub/torchlint.toml", 'ignore = ["TL401"]\n')
    concise = ("--output-format", "concise")

    assert torchlint("check", "-", *concise, stdin=SAFE.encode()).out.startswith("-:3:5: TL401")
    assert torchlint("check", "--stdin-filename", "x/y.py", *concise, stdin=SAFE.encode()).out.startswith("x/y.py:3:5: TL401")
    assert torchlint("check", "-", "--stdin-filename", "sub/a.py", stdin=SAFE.encode()).status == 0
    assert torchlint("check", "-", stdin=b"print(1").out == "No findings in 1 file.\n"


def test_fixing_standard_input_prints_the_text_and_nothing_else(torchlint: Torchlint) -> None:
    for text, after, status in ((SAFE, SAFE_FIXED, 0), (GOOD, GOOD, 0), (UNSAFE, UNSAFE, 1), ("print(1)\n", "print(1)\n", 0)):
        result = torchlint("check", "--fix", "-", stdin=text.encode())
        assert (result.status, result.out) == (status, after)
    encoded = ("# coding: latin-1\r\n# é\r\n" + SAFE).encode("latin-1")
    assert torchlint("check", "--fix", "-", stdin=encoded).stdout == encoded.replace(b"(2).cuda()", b'(2, device="cuda")')
    broken = torchlint("check", "--fix", "-", stdin=b"import torch\nx = '\xff\n")
    assert (broken.status, broken.stdout) == (1, b"import torch\nx = '\xff\n")


def test_diff_of_standard_input(torchlint: Torchlint) -> None:
    result = torchlint("check", "--diff", "--stdin-filename", "a.py", stdin=SAFE.encode())

    assert (result.status, result.out.splitlines()[:2]) == (1, ["--- a.py", "+++ a.py"])


def test_excluded_standard_input_passes_unchanged(torchlint: Torchlint) -> None:
    result = torchlint("check", "--fix", "--force-exclude", "--stdin-filename", "build/a.py", stdin=SAFE.encode())

    assert (result.status, result.out) == (0, SAFE)


def test_the_configuration_beside_the_named_file_counts(torchlint: Torchlint) -> None:
    write("sub/torchlint.toml", 'output-format = "json"\n')

    assert found(torchlint("check", "-", "--stdin-filename", "sub/a.py", stdin=SAFE.encode()).out) == ["TL401"]
