"""The edits that changed interfaces need: an argument ahead of the others, keywords for positions, names imported from elsewhere."""

import libcst as cst
import pytest
from rewriting import after, find, fixed

from torchlint.rewrite import Unfixable, insert_argument, lead_argument, move_imports, name_argument, replace_target
from torchlint.syntax.file import SourceFile

LED = {
    "none": ("f()\n", "f('d')\n"),
    "keyword": ("f(a=1)\n", "f('d', a=1)\n"),
    "positions": ("f(1, 2, c=3)\n", "f('d', a=1, b=2, c=3)\n"),
    "spread keywords": ("f(1, **k)\n", "f('d', a=1, **k)\n"),
    "rows": ("f(\n    1,  # one\n    b=2,\n)\n", "f(\n    'd',\n    a=1,  # one\n    b=2,\n)\n"),
}
MOVED = {
    "alone": ("from m import a\n", ["a"], "from n import x\n"),
    "all": ("from m import (\n    a,  # c\n    b,\n)\n", ["a", "b"], "from n import (\n    x,  # c\n    x,\n)\n"),
    "first": ("from m import a, b, c\n", ["a"], "from m import b, c\nfrom n import x\n"),
    "last": ("from m import a, b, c  # c\n", ["c"], "from m import a, b  # c\nfrom n import x\n"),
    "two at the end": ("from m import a, b, c\n", ["b", "c"], "from m import a\nfrom n import x, x\n"),
    "apart": ("from m import a, b, c\n", ["a", "c"], "from m import b\nfrom n import x, x\n"),
    "other name": ("from m import a as z, b\n", ["a as z"], "from m import b\nfrom n import x as z\n"),
    "rows": ("from m import (\n    a,\n    b,\n)\n", ["b"], "from m import (\n    a,\n)\nfrom n import x\n"),
    "indented": (
        "def f():\n    from m import a, b\n    return a\n",
        ["a"],
        "def f():\n    from m import b\n    from n import x\n    return a\n",
    ),
}


@pytest.mark.parametrize("case", LED)
def test_argument_leads_and_positions_get_their_names(case: str) -> None:
    before, expected = LED[case]
    file = SourceFile(before)
    call = file.nodes(cst.Call)[0]

    assert fixed(file, lead_argument(call, "'d'", ("a", "b"))) == expected


@pytest.mark.parametrize("before", ["f(*a)\n", "f(1, 2, 3)\n"], ids=["unknown positions", "more than there are names"])
def test_argument_does_not_lead_where_positions_have_no_names(before: str) -> None:
    file = SourceFile(before)
    with pytest.raises(Unfixable):
        fixed(file, lead_argument(file.nodes(cst.Call)[0], "'d'", ("a", "b")))


def test_positional_argument_gets_its_name() -> None:
    file = SourceFile("f(a, b)\n")

    assert fixed(file, name_argument(file.nodes(cst.Arg)[1], "k")) == "f(a, k=b)\n"


@pytest.mark.parametrize("before", ["f(k=b)\n", "f(*b)\n", "f(b, k=1)\n", "f(b, *a)\n"])
def test_argument_gets_no_name_that_it_cannot_have(before: str) -> None:
    file = SourceFile(before)
    with pytest.raises(Unfixable):
        fixed(file, name_argument(file.nodes(cst.Arg)[0], "k"))


def test_keywords_come_together() -> None:
    assert after("f(a)\n", "f(a)", insert_argument, "b=1", "c=2") == "f(a, b=1, c=2)\n"


@pytest.mark.parametrize("case", MOVED)
def test_names_are_imported_from_elsewhere_and_the_others_stay(case: str) -> None:
    before, names, expected = MOVED[case]
    file = SourceFile(before)
    aliases = {find(file, name, cst.ImportAlias): ("n", "x") for name in names}

    assert fixed(file, move_imports(file.nodes(cst.ImportFrom)[0], aliases)) == expected


def test_a_name_is_imported_no_more() -> None:
    file = SourceFile("from m import a, b\n")

    assert fixed(file, move_imports(file.nodes(cst.ImportFrom)[0], {find(file, "a", cst.ImportAlias): None})) == "from m import b\n"


@pytest.mark.parametrize("before", ["from m import a\n", "from .m import a, b\n", "x = 1; from m import a, b\n"])
def test_an_import_that_cannot_be_split_stays(before: str) -> None:
    file = SourceFile(before)
    with pytest.raises(Unfixable):
        fixed(file, move_imports(file.nodes(cst.ImportFrom)[0], {find(file, "a", cst.ImportAlias): None}))


def test_target_of_an_assignment_is_replaced_and_nothing_else_is() -> None:
    assert after("a, b = c, d\n", "a, b", replace_target, "a") == "a = c, d\n"
    with pytest.raises(Unfixable):
        after("a = (c, d)\n", "c, d", replace_target, "c", kind=cst.Tuple)
