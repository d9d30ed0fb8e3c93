"""Bytes of a notebook to one text of Python, and back: what is a cell's, what is IPython's, what must not change."""

import ast
import json
import random
from pathlib import Path

import pytest
from notebook_cases import cell, notebook, sources

from torchlint.diagnostic import Location
from torchlint.sources.notebooks import Notebook
from torchlint.sources.reading import Undecodable


def lines(data: bytes) -> list[str]:
    read = Notebook(data)
    return read.shown(read.text).splitlines()


class TestText:
    def test_cells_with_code_come_in_order_each_before_a_row_that_ends_it(self) -> None:
        data = notebook(cell("# title", "markdown"), "import torch\n", cell("raw", "raw"), "x = 1\n\ny = 2")

        rows = Notebook(data).text.split("\n")
        assert [rows[0], rows[3:6]] == ["import torch", ["x = 1", "", "y = 2"]]
        assert rows[2] == rows[6] and isinstance(ast.literal_eval(rows[2]), str)

    @pytest.mark.parametrize(
        "row",
        [
            *("%matplotlib inline", "!pip install torch", "!!ls", "?print", "torch.nn?", "torch.nn.Linear??", "pip install torch"),
            *("%time x = 1", "%time model(", "%time -p f()", "%%time", "%%bash\nfor x in y; do\n  done", "%%writefile a.py\nclass"),
            *("files = !ls 'a", "a, b = %timeit -o f()", "  !echo it's", "!pip install a \\\n    b", "if True:\n    !ls\n    %cd x"),
            *("    x = 1\n    y = 2", "\n%%html\n<b>", "x = '''\n!ls\n'''\n!ls"),
        ],
    )
    def test_what_only_ipython_reads_is_marked_row_for_row_and_given_back(self, row: str) -> None:
        read = Notebook(notebook(row, "x = 1"))

        ast.parse(read.text)
        assert read.shown(read.text).split("\n")[: row.count("\n") + 1] == row.split("\n")
        assert len(read.text.split("\n")) == len(read.shown(read.text).split("\n"))
        assert not read.broken and read.encode(read.text) == notebook(row, "x = 1")

    @pytest.mark.parametrize(
        "code", ["x = (a\n%b)", "s = '''\n%a\n!b\n'''", "x != y", "x %= 3", "a = b  # what?", "print('?')", "cd = 1\ncd", "await f()"]
    )
    def test_python_is_left_alone(self, code: str) -> None:
        assert Notebook(notebook(code)).text.startswith(code + "\n")

    def test_timed_statement_is_read(self) -> None:
        assert [type(each) for each in ast.parse(Notebook(notebook("%time x = f()")).text).body[:2]] == [ast.Expr, ast.Assign]

    def test_cell_that_is_no_python_is_named_and_left_out(self) -> None:
        read = Notebook(notebook("x = 1", "def f(:\n  pass", "y = 2"))

        [broken] = read.broken
        assert (read.cells.place(broken.location).cell, read.cells.place(broken.location).row) == (2, 1)
        assert [type(each).__name__ for each in ast.parse(read.text).body] == ["Assign", "Expr", "Expr", "Assign", "Expr"]

    @pytest.mark.parametrize(
        "code",
        [
            *(
                "loss = <YOUR CODE>",
                "< a loop of yours >",
                "self.<NAME> = nn.Linear(<IN>, <OUT; see above>)",
                "%%time\nf(<SIZE>)",
                "y = ???",
            ),
            *(
                "x = 1\ny = # TODO",
                "y =\nx = 1",
                "net(size=, bias = )",
                "x += ",
                "def f(a,\n      b):\n    # here\n    <...>",
                "for x in y:\n    # TODO\n\nz = 1",
                "def f(x):  # yours\n    # here\n",
            ),
            *(
                "f(\n    <the rest of them>\n    last=True)",
                "f(first=1,\n    ????  # and so on\n)",
                "x = (y +\n    <what it lacks>\n)",
                "with a:\n\n...\nif b:\n    c()",
                "for x in y:\n...",
            ),
            *("with a:\n    # fill in\n...", "if a:\n    return <b>\nelse:\n    # TODO", "def f():\n\n    '''<text>'''\n    z = "),
        ],
    )
    def test_cell_that_an_exercise_leaves_open_is_left_out_without_a_word(self, code: str) -> None:
        read = Notebook(notebook("x = 1", code, "y = 2"))

        assert not read.broken and read.shown(read.text).split("\n")[2:-4] == code.split("\n")
        assert [type(each).__name__ for each in ast.parse(read.text).body] == ["Assign", "Expr", "Expr", "Assign", "Expr"]

    @pytest.mark.parametrize(
        "code",
        [
            *(
                "x = <YOUR CODE>\nprint x",
                "x = f(a b)",
                "if a\n    # TODO",
                "for x i y:\n    <YOUR CODE>",
                "x = [1, 2\ny = 3",
                "x = (a < b > c",
            ),
            *("  x = 1\ny = # TODO\nelse:", "wget a.zip", "for x in y:\nz = f(x)", "f(<A>\n  last=True)", "x = (\n    y ...\n)"),
            *("with a:\n\nb = ...", "for x in y:\n...\nz = f(x"),
        ],
    )
    def test_mistake_beside_a_gap_is_one(self, code: str) -> None:
        assert Notebook(notebook(code.strip())).broken

    def test_mistake_is_named_where_it_is_and_not_at_the_gap(self) -> None:
        [broken] = Notebook(notebook("x = [\n    <THE REST>\n]\nfirst of = x[0]\n")).broken
        assert broken.location.row == 4

    def test_text_that_looks_like_a_mark_is_no_mark(self) -> None:
        odd = 'x = "\x010"\n"\x01"\n'
        data = notebook("!ls", odd, "y = 2")

        read = Notebook(data)
        assert read.encode(read.text.replace("y = 2", "y = 3")) == notebook("!ls", odd, "y = 3")

    @pytest.mark.parametrize(
        "metadata", [{"kernelspec": {"language": "julia", "name": "j"}}, {"language_info": {"name": "R"}}, {"kernelspec": {"name": "bash"}}]
    )
    def test_other_languages_are_no_code(self, metadata: dict[str, object]) -> None:
        assert Notebook(notebook("x <- 1", metadata=metadata)).text == ""
        assert Notebook(notebook(cell("x <- 1", metadata={"vscode": {"languageId": "r"}}))).text == ""


class TestRefusal:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "not valid JSON"),
            (b"import torch\n", "not valid JSON"),
            (b'{"cells": [', "not valid JSON"),
            (b'{"cells": []} x', "not valid JSON"),
            (b'{"cells": [{"cell_type": "code", "source": ["a", 1]}]}', "not valid JSON"),
            (b'{"cells": [{]}', "not valid JSON"),
            (b'{"cells" []}', "not valid JSON"),
            (b'["cells"]', "not valid JSON"),
            (b"{1: 2}", "not valid JSON"),
            (b'{"cells": [1 2]}', "not valid JSON"),
            (b'{"metadata": {}}', "no list of cells"),
            (b'{"cells": {}}', "no list of cells"),
            (b'{"nbformat": 3, "worksheets": [{"cells": []}]}', "format 3"),
            (b'{"cells": ["\xff"]}', "not valid utf-8"),
            (b'{"a": ' + b"[" * 200_000, "nested too deeply"),
        ],
    )
    def test_bytes_that_are_no_notebook(self, data: bytes, reason: str) -> None:
        with pytest.raises(Undecodable, match=reason):
            Notebook(data)

    def test_change_that_loses_a_cell_or_a_mark(self) -> None:
        read = Notebook(notebook("x = 1", "!ls"))

        for row in (1, 2):
            with pytest.raises(ValueError, match="beyond a cell"):
                read.encode("\n".join(each for place, each in enumerate(read.text.split("\n")) if place != row))


class TestWriting:
    @pytest.mark.parametrize(
        "layout", [{}, {"indent": 2}, {"indent": None}, {"ensure_ascii": True}, {"sort_keys": True}, {"separators": (",", ":")}]
    )
    def test_only_the_changed_row_changes(self, layout: dict[str, object]) -> None:
        def of(row: str) -> bytes:
            return notebook(cell("# é", "markdown"), f"a = '\u2028é\U0001f600\\\\'\n{row}\nb = \"\t\"\n", "c = 3", **layout)

        read = Notebook(of("x = 1"))
        assert read.encode(read.text) == of("x = 1")
        assert read.encode(read.text.replace("x = 1", 'x = "é"  # \\')) == of('x = "é"  # \\')

    def test_rows_come_and_go(self) -> None:
        read = Notebook(notebook("a = 1\nb = 2\nc = 3", "d = 4"))

        assert read.encode(read.text.replace("b = 2\n", "")) == notebook("a = 1\nc = 3", "d = 4")
        assert read.encode(read.text.replace("c = 3", "c = 3\ne = 5")) == notebook("a = 1\nb = 2\nc = 3\ne = 5", "d = 4")
        assert read.encode(read.text.replace("d = 4", "e\nd = 4")) == notebook("a = 1\nb = 2\nc = 3", "e\nd = 4")
        assert sources(read.encode(read.text.replace("d = 4", ""))) == ["a = 1\nb = 2\nc = 3", ""]

    def test_source_as_one_string_stays_one(self) -> None:
        data = notebook({"cell_type": "code", "source": "a = 1\nb = '\u00e9'\n"}, ensure_ascii=True)

        read = Notebook(data)
        assert read.encode(read.text.replace("a = 1", "a = 2")) == data.replace(b"a = 1", b"a = 2")

    def test_rows_that_stay_keep_their_escapes(self) -> None:
        data = notebook("a = '/'\nb = 1 < 2\nc = 3").replace(b"'/'", rb"'\/\u0041'").replace(b"1 < 2", rb"1 \u003c 2")

        read = Notebook(data)
        assert read.encode(read.text.replace("c = 3", "c = 3 < 4")) == data.replace(b"c = 3", rb"c = 3 \u003c 4")

    def test_source_in_odd_pieces_is_still_the_same_code(self) -> None:
        data = notebook(cell(["a = ", "1\nb = 2", "\nc", " = 3"]), "d = 4")

        read = Notebook(data)
        assert read.encode(read.text) == data
        assert read.encode(read.text.replace("d = 4", "d = 5")) == data.replace(b"d = 4", b"d = 5")
        assert sources(read.encode(read.text.replace("b = 2", "b = 5"))) == ["a = 1\nb = 5\nc = 3", "d = 4"]

    def test_newline_written_by_its_number(self) -> None:
        data = notebook("a = 1").replace(b"a = 1", rb"a = 1\u000ab = 2")

        read = Notebook(data)
        assert read.encode(read.text) == data
        assert sources(read.encode(read.text.replace("a = 1", "a = 3"))) == ["a = 3\nb = 2"]

    def test_byte_order_mark_crlf_and_missing_final_newline_stay(self) -> None:
        data = b"\xef\xbb\xbf" + notebook("x = 1\ny = 2").replace(b"\n", b"\r\n").rstrip()

        read = Notebook(data)
        assert read.encode(read.text.replace("x = 1", "x = 3")) == data.replace(b"x = 1", b"x = 3")

    def test_line_ends_of_the_code_stay(self) -> None:
        read = Notebook(notebook(cell(["x = 1\r\n", "y = 2\r\n"])))

        assert read.encode(read.text.replace("x = 1", "x = 3")) == notebook(cell(["x = 3\r\n", "y = 2\r\n"]))

    def test_of_two_keys_of_one_name_the_last_counts(self) -> None:
        data = b'{"cells": [{"cell_type": "code", "source": "a", "source": ["b = 1"]}], "nbformat": 4}'

        read = Notebook(data)
        assert read.text.startswith("b = 1\n") and read.encode(read.text.replace("b = 1", "b = 2")) == data.replace(b"b = 1", b"b = 2")


class TestPlaces:
    def test_rows_are_counted_within_the_cell_among_all_cells(self) -> None:
        read = Notebook(notebook(cell("# title", "markdown"), "a = 1\nb = 2", cell([]), "c = 3"))
        rows = read.text.split("\n")

        assert [str(read.cells.place(Location(rows.index(each) + 1, 5))) for each in ("a = 1", "b = 2", "c = 3")] == [
            "cell 2:1:5",
            "cell 2:2:5",
            "cell 4:1:5",
        ]

    @pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"indent": None}])
    def test_row_of_the_file_is_where_the_code_is_written(self, layout: dict[str, object]) -> None:
        data = notebook("a = 1\n\nb = 2", "c = 3\n", **layout)
        read = Notebook(data)

        for code in ("a = 1", "b = 2", "c = 3"):
            row = read.cells.written(read.text.split("\n").index(code) + 1)
            assert code in data.decode().split("\n")[row - 1]


def test_any_edit_of_any_layout_changes_the_source_as_text_and_nothing_else() -> None:
    chance = random.Random(0)
    bits = ["a", "\n", "\\", '"', "\t", "\u00e9", "\u2028", "\U0001f600", "/", "<", "\\n", "\x7f", "{", "]", ","]

    def code() -> str:
        return "# " + "".join(chance.choices(bits, k=chance.randrange(12))).replace("\n", "\n# ")

    for _ in range(300):
        layout = {"indent": chance.choice([None, 1, 4]), "ensure_ascii": chance.random() < 0.5}
        before = [code() for _ in range(3)]
        given = [cell([each] if chance.random() < 0.5 else each) for each in before]
        data = notebook(*given, **layout)
        read = Notebook(data)
        assert read.encode(read.text) == data
        old, new = f"{before[1]}\n", f"{code()}\n{code()}\n"
        place = read.text.index(old, len(before[0]) + 1)
        document, expected = (json.loads(each) for each in (read.encode(read.text[:place] + new + read.text[place + len(old) :]), data))
        assert "".join(document["cells"][1].pop("source")) == new[:-1]
        del expected["cells"][1]["source"]
        assert document == expected


def test_real_layout_of_jupyter_is_kept(tmp_path: Path) -> None:
    data = notebook("%matplotlib inline\nimport torch", "w = torch.zeros(2)\n")

    assert json.loads(Notebook(data).encode(Notebook(data).text)) == json.loads(data)
