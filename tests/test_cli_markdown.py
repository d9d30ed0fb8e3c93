"""Markdown on the command line: its blocks of Python are checked and fixed, each alone, and the rest stays as it is."""

from pathlib import Path

import pytest
from cli_cases import read, write
from commands import Torchlint

from torchlint.sources.markdown import Markdown

MOVED = "import torch\nw = torch.zeros(2).cuda()\nprint(w)\n"
FIXED = 'import torch\nw = torch.zeros(2, device="cuda")\nprint(w)\n'
CONCISE = ("--output-format", "concise")


def fenced(code: str, info: str = "python", fence: str = "```") -> str:
    return f"{fence}{info}\n{code}{fence}\n"


def places(output: str) -> list[str]:
    return [line.split(": ")[0] for line in output.splitlines()[:-1]]


@pytest.mark.parametrize(
    "info",
    ["python", "py", "python3", "Python", "{python}", "{.python}", "python title=a", "python,ignore", " python", "{python echo=False}"],
)
def test_blocks_of_python(info: str) -> None:
    assert [each.code for each in Markdown(f"# t\n\n{fenced(MOVED, info)}".encode()).blocks] == [MOVED]


@pytest.mark.parametrize(
    "text",
    [
        *(MOVED, fenced(MOVED, ""), fenced(MOVED, "pycon"), fenced(MOVED, "bash"), fenced(MOVED, "pythonic"), f"```python\n{MOVED}"),
        *(fenced(fenced(MOVED), "md", "````"), fenced(fenced(MOVED), "", "~~~"), f"a ```python\n{MOVED}b\n", fenced(MOVED, "python `x`")),
    ],
)
def test_what_is_no_block_of_python(text: str) -> None:
    assert Markdown(text.encode()).blocks == []


def test_fences_of_either_kind_and_length() -> None:
    text = f"{fenced(MOVED, fence='~~~~')}{fenced(f'x = 1{chr(10)}', fence='`````')}```python\n```\n"

    assert [each.code for each in Markdown(text.encode()).blocks] == [MOVED, "x = 1\n", ""]


def test_findings_are_those_of_the_document(torchlint: Torchlint) -> None:
    write("docs/a.md", f"# A\n\n{fenced(MOVED)}\ntext\n\n- item\n\n" + "".join(f"  {row}\n" for row in fenced(MOVED).splitlines()))

    assert places(torchlint("check", *CONCISE).out) == [f"{Path('docs/a.md')}:5:5", f"{Path('docs/a.md')}:15:7"]


def test_fix_changes_the_code_and_nothing_else(torchlint: Torchlint) -> None:
    listed = f"1. a\n\n   ```py\n   {'   '.join(MOVED.splitlines(keepends=True))}\n\n   # é\n   ```\n  trailing  \n"
    text = f"\ufeff# A\t\n{fenced(MOVED)}text torch.zeros(2).cuda()\n{listed}{fenced(MOVED, 'text')}no end"
    write("a.md", text)
    expected = text.replace(fenced(MOVED), fenced(FIXED)).replace(listed, listed.replace(".zeros(2).cuda()", '.zeros(2, device="cuda")'))

    assert torchlint("check", "--diff").out.count("\n+w") == 1
    assert torchlint("check", "--fix").status == 0
    assert read("a.md") == expected
    assert torchlint("check", "--fix").out == "No findings in 1 file.\n"


def test_line_ends_of_the_document_stay(torchlint: Torchlint) -> None:
    text = f"# A\n{fenced(MOVED)}".replace("\n", "\r\n")
    write("a.md", text)

    assert torchlint("check", "--fix").status == 0
    assert read("a.md") == text.replace(".zeros(2).cuda()", '.zeros(2, device="cuda")')


def test_inserted_rows_are_indented_as_the_block_is(torchlint: Torchlint) -> None:
    rows = ["import torch", "def f(x):", "    return torch.Tensor(x)", "y = torch.ones(2)", "y.clamp(0, 1)", "print(y)"]
    write("b.md", "* b\n\n  ```python\n" + "".join(f"  {row}\n" for row in rows) + "  ```\n")

    assert torchlint("check", "--fix", "--unsafe-fixes", "--select", "TL404", "b.md").status == 0
    assert "  y = y.clamp(0, 1)\n  print(y)\n" in read("b.md")


def test_blocks_that_are_fragments_or_sessions_are_passed_over(torchlint: Torchlint) -> None:
    fragment, session = "import torch\nmodel = torch.nn.Linear(\n    ...\n", ">>> import torch\n>>> torch.zeros(2).cuda()\n"
    write("a.md", fenced(fragment) + fenced(session) + fenced(MOVED))

    assert places(torchlint("check", *CONCISE).out) == ["a.md:12:5"]


def test_block_that_relies_on_the_imports_of_another_is_a_fragment(torchlint: Torchlint) -> None:
    asked = "def answer(model, x):\n    model.eval()\n    with {}no_grad():\n        y = model(x)\n    return y.argmax().item()\n"
    write("a.md", fenced("import torch\n") + fenced(asked.format("torch.")) + fenced("w = torch.zeros(2).cuda()\nprint(w)\n"))
    write("b.md", fenced("from torch import *\n" + asked.format("")))

    assert torchlint("check").status == 0


def test_suppressions_stand_in_the_block(torchlint: Torchlint) -> None:
    silent = MOVED.replace("cuda()", "cuda()  # torchlint: ignore[TL401]")
    write("a.md", fenced(silent) + fenced(f"# torchlint: ignore-file[TL401]\n{MOVED}") + fenced(MOVED))

    assert places(torchlint("check", *CONCISE).out) == ["a.md:14:5"]
    assert torchlint("check", "--add-suppressions").status == 0
    assert read("a.md").count(silent) == 2


def test_suppression_that_is_shown_is_no_unused_one(torchlint: Torchlint) -> None:
    write("a.md", fenced("history.append(loss)  # torchlint: ignore[TL101]\n"))

    assert torchlint("check", "--fix").out == "No findings in 1 file.\n"


def test_baseline_knows_what_stands_in_a_block(torchlint: Torchlint) -> None:
    write("a.md", fenced(MOVED) + fenced(MOVED))
    torchlint("check", "--baseline", "b.json", "--write-baseline")
    write("a.md", "new\n\n" + fenced(MOVED) + fenced(MOVED))

    assert torchlint("check", "--baseline", "b.json").status == 0


def test_document_on_standard_input(torchlint: Torchlint) -> None:
    result = torchlint("check", "--fix", "--stdin-filename", "a.md", stdin=fenced(MOVED).encode())

    assert (result.status, result.out) == (0, fenced(FIXED))


def test_document_that_is_no_text_is_one_finding(torchlint: Torchlint) -> None:
    write("a.md", b"torch\n\xff\n")

    assert torchlint("check", *CONCISE).out.startswith("a.md:2:1: TL001 the document is not valid utf-8")
