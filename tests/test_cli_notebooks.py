"""Notebooks on the command line: found, checked cell by cell, fixed in place, shown in every format."""

import json
from pathlib import Path

import pytest
from cli_cases import SAFE, found, read, write
from commands import Torchlint
from notebook_cases import cell, notebook, sources

CONCISE = ("--output-format", "concise")
IMPORT = "%matplotlib inline\nimport torch"
MOVED = "w = torch.zeros(2).cuda()\nprint(w)"
MOVED_FIXED = 'w = torch.zeros(2, device="cuda")\nprint(w)'


def test_notebooks_of_a_folder_are_checked_with_what_earlier_cells_define(torchlint: Torchlint) -> None:
    write("sub/a.ipynb", notebook(cell("# torch", "markdown"), IMPORT, "!ls", MOVED))

    result = torchlint("check", *CONCISE)
    assert (result.status, result.out.splitlines()[0].split(": TL401")[0]) == (1, str(Path("sub/a.ipynb:cell 4:1:5")))


def test_fixing_changes_the_rows_of_the_cell_and_nothing_else(torchlint: Torchlint) -> None:
    before = notebook(IMPORT, cell("# é", "markdown"), MOVED, "%%bash\nls")
    write("a.ipynb", before)

    assert torchlint("check", "--fix").status == 0
    assert Path("a.ipynb").read_bytes() == before.replace(b"zeros(2).cuda()", rb"zeros(2, device=\"cuda\")")
    assert torchlint("check", "--fix").out == "No findings in 1 file.\n"


def test_diff_is_one_of_the_notebooks_own_text(torchlint: Torchlint) -> None:
    data = notebook(IMPORT, MOVED)
    write("a.ipynb", data)

    lines = torchlint("check", "--diff").out.splitlines()
    assert [line for line in lines if line[:1] in "+-"][2:] == [
        '-    "w = torch.zeros(2).cuda()\\n",',
        '+    "w = torch.zeros(2, device=\\"cuda\\")\\n",',
    ]
    assert Path("a.ipynb").read_bytes() == data


def test_notebook_on_standard_input(torchlint: Torchlint) -> None:
    data = notebook(IMPORT, MOVED)

    assert torchlint("check", "--stdin-filename", "x.ipynb", *CONCISE, stdin=data).out.startswith("x.ipynb:cell 2:1:5: TL401")
    assert sources(torchlint("check", "--fix", "--stdin-filename", "x.ipynb", stdin=data).stdout) == [IMPORT, MOVED_FIXED]


def test_what_a_cell_displays_is_not_thrown_away(torchlint: Torchlint) -> None:
    write("a.ipynb", notebook(IMPORT, "x = torch.ones(2)\nx.half()", "x.half()\nprint(x)", "x.half();", "print(x)"))

    assert [each.split(": ")[0] for each in torchlint("check", "--select", "TL404", *CONCISE).out.splitlines()[:-1]] == [
        "a.ipynb:cell 3:1:1",
        "a.ipynb:cell 4:1:1",
    ]


@pytest.mark.parametrize(("code", "row"), [("TL219", "model.eval"), ("TL214", "model.weight.requires_grad == False")])
def test_what_a_cell_asks_for_is_no_mistake(torchlint: Torchlint, code: str, row: str) -> None:
    write(
        "a.ipynb", notebook("import torch\nmodel = torch.nn.Linear(2, 1)", row, f"{row}\nprint(model)", f"# why\n\n{row}  # so\n\n# shown")
    )

    assert [each.split(": ")[0] for each in torchlint("check", "--select", code, *CONCISE).out.splitlines()[:-1]] == ["a.ipynb:cell 3:1:1"]


def test_suppressions_hold_in_their_cell(torchlint: Torchlint) -> None:
    row = MOVED.splitlines()[0]
    write("a.ipynb", notebook(IMPORT, f"{row}  # torchlint: ignore[TL401]", row, f"{row}  # noqa"))
    write("b.ipynb", notebook(f"# torchlint: ignore-file[TL401]\n{IMPORT}", row))

    assert [each.split(": ")[0] for each in torchlint("check", *CONCISE).out.splitlines()[:-1]] == ["a.ipynb:cell 3:1:5"]


def test_suppressions_are_written_into_the_cell(torchlint: Torchlint) -> None:
    write("a.ipynb", notebook(IMPORT, MOVED))

    assert torchlint("check", "--add-suppressions").status == 0
    assert sources(Path("a.ipynb").read_bytes())[1].splitlines()[0] == "w = torch.zeros(2).cuda()  # torchlint: ignore[TL401]"
    assert torchlint("check").status == 0


def test_row_that_ipython_reads_is_reported_on_and_never_edited(torchlint: Torchlint) -> None:
    data = notebook(IMPORT, "%time w = torch.zeros(2).cuda()")
    write("a.ipynb", data)

    for options in (("--fix",), ("--add-suppressions",)):
        assert torchlint("check", *options, *CONCISE).status == 1
        assert Path("a.ipynb").read_bytes() == data
    [line, _] = torchlint("check", *CONCISE).out.splitlines()
    assert line.startswith("a.ipynb:cell 2:1:11: TL401 `torch")


def test_baseline_knows_a_finding_wherever_its_cell_moves(torchlint: Torchlint) -> None:
    write("a.ipynb", notebook(IMPORT, MOVED))
    assert torchlint("check", "--baseline", "b.json", "--write-baseline").status == 0
    write("a.ipynb", notebook(IMPORT, "x = 1", cell("new", "markdown"), MOVED))

    assert torchlint("check", "--baseline", "b.json").status == 0
    write("a.ipynb", notebook(IMPORT, MOVED, "v = torch.zeros(3).cuda()\nprint(v)"))
    assert "cell 3:1:5" in torchlint("check", "--baseline", "b.json", *CONCISE).out


def test_broken_cell_is_reported_and_the_others_are_checked(torchlint: Torchlint) -> None:
    write("a.ipynb", notebook(IMPORT, "def f(:", MOVED))

    result = torchlint("check", *CONCISE)
    assert [each.split(": ")[:2] for each in result.out.splitlines()[:-1]] == [
        ["a.ipynb:cell 2:1:7", "TL001 this cell is not valid Python"],
        ["a.ipynb:cell 3:1:5", "TL401 [*] `torch.zeros(...)` is built on the CPU and then copied"],
    ]
    assert found(torchlint("check", "--ignore", "TL001", "--output-format", "json").out) == ["TL401"]


@pytest.mark.parametrize("data", [b"import torch\n", b'{"torch": 1}', b'{"nbformat": 3, "torch": 1}', b'{"cells": ["torch \xff"]}'])
def test_broken_notebook_is_one_finding_and_the_rest_is_checked(torchlint: Torchlint, data: bytes) -> None:
    write("a.ipynb", data)
    write("b.py", SAFE)

    for options in ((), ("--fix",)):
        result = torchlint("check", "--output-format", "json", *options)
        assert result.status == 1 and found(result.out)[0] == "TL001" and not result.err
    assert Path("a.ipynb").read_bytes() == data and "cuda()" not in read("b.py")


def test_notebook_of_another_language_is_passed_over(torchlint: Torchlint) -> None:
    write("a.ipynb", notebook("library(torch)\nx <- torch_zeros(2)", metadata={"kernelspec": {"language": "R", "name": "ir"}}))

    assert torchlint("check").out == "No findings in 1 file.\n"


class TestFormats:
    @pytest.fixture(autouse=True)
    def folder(self, torchlint: Torchlint) -> None:
        write("a.ipynb", notebook(cell("text", "markdown"), "import torch", "\n" + MOVED))

    def test_full_counts_rows_within_the_cell(self, torchlint: Torchlint) -> None:
        lines = torchlint("check", "--select", "TL401").out.splitlines()

        assert lines[0].startswith("a.ipynb:cell 3:2:5: ")
        assert "2 | w = torch.zeros(2).cuda()" in lines

    def test_evidence_in_another_cell_is_shown_with_its_cell(self, torchlint: Torchlint) -> None:
        made = "model = torch.nn.Linear(2, 1)\nopt = torch.optim.SGD(model.parameters(), lr=0.1)\ndata = torch.ones(3, 2)"
        loop = "for x in data:\n    loss = model(x).sum()\n    loss.backward()\n    opt.step()\n    total += loss"
        write("b.ipynb", notebook("import torch", f"{made}\ntotal = 0", loop, "print(total)"))

        out = torchlint("check", "b.ipynb", "--select", "TL201", "--select", "TL102").out
        assert "b.ipynb:cell 3:3:5: error TL201" in out and "import torch" not in out and "x01" not in out

    def test_json_names_the_cell_of_the_finding_and_of_each_edit(self, torchlint: Torchlint) -> None:
        [entry] = json.loads(torchlint("check", "--select", "TL401", "--output-format", "json").out)

        assert (entry["cell"], entry["location"], entry["noqa_row"]) == (3, {"row": 2, "column": 5}, 2)
        assert {(each["cell"], each["location"]["row"]) for each in entry["fix"]["edits"]} == {(3, 2)}

    def test_grouped(self, torchlint: Torchlint) -> None:
        assert torchlint("check", "--select", "TL401", "--output-format", "grouped").out.splitlines()[1].startswith("  cell 3:2:5  TL401")

    @pytest.mark.parametrize("output_format", ["github", "gitlab", "sarif", "junit"])
    def test_services_are_told_the_row_of_the_file(self, torchlint: Torchlint, output_format: str) -> None:
        row = 1 + next(number for number, line in enumerate(read("a.ipynb").split("\n")) if "zeros(2)" in line)

        out = torchlint("check", "--select", "TL401", "--output-format", output_format).out
        told = {"github": f"line={row},", "gitlab": f'"begin": {row}', "sarif": f'"startLine": {row}', "junit": f'line="{row}"'}
        assert told[output_format] in out
        assert "cell 3:2:5" in out or output_format == "gitlab"
        assert '"fixes": ' not in out

    def test_html_and_statistics(self, torchlint: Torchlint) -> None:
        assert "a.ipynb:cell 3:2:5" in torchlint("check", "--select", "TL401", "--output-format", "html").out
        assert "TL401" in torchlint("check", "--select", "TL401", "--statistics").out
