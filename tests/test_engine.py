"""Text in, findings or fixed text out: what the engine guarantees whatever the rules do."""

import gc
import sys
from collections.abc import Callable, Iterator

import libcst as cst
import pytest

import torchlint
from torchlint import engine
from torchlint.diagnostic import Location, Severity
from torchlint.edits import Applicability, Edit, Effect
from torchlint.engine import fix, lint
from torchlint.model import FileModel
from torchlint.program import analysis
from torchlint.rule import Finding, Fix, Rule
from torchlint.settings import Settings
from torchlint.syntax.file import SourceFile
from torchlint.values.flow import Flow
from torchlint.values.interpreter import run

FLAWED = "import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n"
FIXED = 'import torch\n\nw = torch.zeros(2, device="cuda")\nprint(w)\n'
Check = Callable[[FileModel], Iterator[Finding]]
Install = Callable[..., None]


def rule(check: Check, code: str = "TL401", level: Applicability | None = Applicability.SAFE, mentions: str = "a") -> Rule:
    effect = Effect.KEEPS if level is not None else None
    return Rule(code, "tests", "made_up", "Made up.", check, Severity.WARNING, True, level, effect, (), (mentions,))


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lets the engine run these rules only."""

    def put(*rules: Rule) -> None:
        monkeypatch.setattr(engine, "enabled_rules", lambda settings, path, text: rules)

    return put


def edits(*wanted: tuple[int, int, str]) -> Fix:
    return Fix((lambda file: [Edit(*each) for each in wanted],))


def every_name(change: Callable[[str], str]) -> Check:
    """Finds every `a…` and offers to write it otherwise."""

    def check(file: FileModel) -> Iterator[Finding]:
        for node in file.nodes(cst.Name):
            if node.value.startswith("a"):
                start, end = file.span(node)
                yield Finding(node, "a name", fix=edits((start, end, change(node.value))))

    return check


def raises(file: FileModel) -> Iterator[Finding]:
    yield Finding(file.nodes(cst.Name)[0], "never seen")
    raise LookupError("first row\nsecond row")


def test_rule_that_raises_is_reported_and_the_others_still_run(install: Install) -> None:
    install(rule(raises), rule(every_name(str.upper), "TL402"))
    found = lint("a = 1\n")

    assert sorted(each.code for each in found) == ["TL000", "TL402"]
    (failure,) = [each for each in found if each.is_internal_error]
    assert "TL401 (made-up) failed on this file: LookupError: first row (in raises, line" in failure.message
    assert "second row" not in failure.message
    assert (failure.location.row, failure.severity, failure.fix) == (1, Severity.ERROR, None)


def test_failing_fix_is_a_failure_of_its_rule(install: Install) -> None:
    def check(file: FileModel) -> Iterator[Finding]:
        yield Finding(file.nodes(cst.Name)[0], "a name", fix=Fix((lambda file: [][0],)))

    install(rule(check))
    assert [each.code for each in lint("a = 1\n")] == ["TL000"]


@pytest.mark.parametrize(("text", "row"), [("import torch\nx = (\n", 2), ("import torch\nif torch:\nx\n", 3), ("torch is\n", 1)])
def test_text_that_is_not_python_is_one_finding_at_its_place(text: str, row: int) -> None:
    (found,) = lint(text)

    assert (found.code, found.location.row, found.rows, found.fix) == ("TL001", row, (row,), None)
    assert found.message.startswith("this file is not valid Python: ")
    assert lint(text, Settings(ignore=("TL001",))) == []
    assert fix(text).text == text


def test_rule_is_not_asked_about_text_without_its_words(install: Install) -> None:
    install(rule(raises, mentions="torch"))

    assert lint("a = 1\n") == []
    assert [each.code for each in lint("a = 1  # torch\n")] == ["TL000"]


@pytest.mark.parametrize(("text", "is_asked"), [("for ", True), ("x for ", True), ("for\tx", False), ("a_for", False)])
def test_a_word_with_a_blank_in_it_is_looked_for_as_it_is_written(install: Install, text: str, is_asked: bool) -> None:
    install(rule(raises, mentions="for "))

    assert bool(engine._Says(text)["for "]) is is_asked
    assert [each.code for each in lint(f"# {text}\n")] == ["TL000"] * is_asked


@pytest.mark.parametrize(("text", "is_asked"), [("x.cuda(0)", True), ("x.cuda (0)", True), ("x.cuda, (0)", False), ("cuda (0)", False)])
def test_a_call_is_looked_for_with_a_blank_before_its_arguments_too(install: Install, text: str, is_asked: bool) -> None:
    install(rule(raises, mentions=".cuda("))

    assert [each.code for each in lint(f"{text}\n")] == ["TL000"] * is_asked


def test_findings_come_in_document_order(install: Install) -> None:
    def backwards(file: FileModel) -> Iterator[Finding]:
        yield from (Finding(node, "a name") for node in reversed(file.nodes(cst.Name)))

    install(rule(backwards, level=None))
    assert [(each.location.row, each.location.column) for each in lint("a = b\nc\n")] == [(1, 1), (1, 5), (2, 1)]


def test_fix_that_would_not_parse_is_refused_and_its_finding_stays(install: Install) -> None:
    install(rule(every_name(lambda name: "(")))
    result = fix("a = 1\n")

    assert (result.text, result.applied, [each.code for each in result.remaining]) == ("a = 1\n", (), ["TL401"])


def test_bad_fix_does_not_hold_up_a_good_one(install: Install) -> None:
    install(rule(every_name(lambda name: "(" if name == "a" else "b")))
    result = fix("a = 1\nax = 2\n")

    assert (result.text, len(result.applied), len(result.remaining)) == ("a = 1\nb = 2\n", 1, 1)


def test_fixes_are_repeated_until_nothing_is_left(install: Install) -> None:
    install(rule(every_name(lambda name: name[1:])))
    result = fix("aaab = 1\n")

    assert (result.text, len(result.applied), result.remaining) == ("b = 1\n", 3, ())


def test_fix_that_never_settles_comes_to_an_end(install: Install) -> None:
    install(rule(every_name(lambda name: name + "a")))
    result = fix("a = 1\n")

    assert 1 < len(result.applied) < 100
    assert len(result.remaining) == 1


@pytest.mark.parametrize(
    ("level", "asked", "expected"),
    [
        (Applicability.SAFE, Applicability.SAFE, "b = 1\n"),
        (Applicability.UNSAFE, Applicability.SAFE, "ab = 1\n"),
        (Applicability.UNSAFE, Applicability.UNSAFE, "b = 1\n"),
        (Applicability.DISPLAY, Applicability.UNSAFE, "ab = 1\n"),
        (None, Applicability.UNSAFE, "ab = 1\n"),
    ],
)
def test_fix_goes_as_far_as_it_was_asked_to(install: Install, level: Applicability | None, asked: Applicability, expected: str) -> None:
    install(rule(every_name(lambda name: name[1:]), level=level))

    assert fix("ab = 1\n", applicability=asked).text == expected


def test_fix_that_deletes_a_comment_is_never_safe(install: Install) -> None:
    install(rule(lambda file: iter([Finding(file.nodes(cst.Name)[0], "a name", fix=edits((0, len(file.text), "b\n")))])))

    assert [each.fix and each.fix.applicability for each in lint("a  # c\n")] == [Applicability.UNSAFE]
    assert [each.fix and each.fix.applicability for each in lint("a\n")] == [Applicability.SAFE]


def test_settings_keep_fixes_back_or_call_them_unsafe() -> None:
    chosen = Settings(select=("TL401",))
    (plain,) = lint(FLAWED, chosen)
    assert plain.fix is not None
    level = plain.fix.applicability
    (without,) = lint(FLAWED, Settings(select=("TL401",), unfixable=("TL401",)))
    assert without.fix is None
    (demoted,) = lint(FLAWED, Settings(select=("TL401",), extend_unsafe_fixes=("TL4",)))

    assert level is Applicability.SAFE
    assert demoted.fix is not None and demoted.fix.applicability is Applicability.UNSAFE
    assert fix(FLAWED, chosen).text == FIXED
    assert fix(FLAWED, Settings(select=("TL401",), extend_unsafe_fixes=("TL4",))).text == FLAWED
    assert fix(FLAWED, Settings(unfixable=("ALL",)), applicability=Applicability.UNSAFE).text == FLAWED


def test_seconds_are_added_up_per_phase_and_rule() -> None:
    timings: dict[str, float] = {}
    lint(FLAWED, timings=timings)
    once = dict(timings)
    lint(FLAWED, timings=timings)

    assert {"parse", "model", "evaluate", "spans", "suppressions", "TL401"} <= once.keys()
    assert all(0 <= once[name] <= timings[name] for name in once)


def test_rule_that_asks_first_is_not_charged_for_the_pass(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def tick() -> float:
        return now[0]

    def slowly(flow: Flow) -> None:
        now[0] += 1
        run(flow)

    monkeypatch.setattr(engine, "process_time", tick)
    monkeypatch.setattr(analysis, "run", slowly)

    def asks(file: FileModel) -> Iterator[Finding]:
        yield from ()
        now[0] += 2
        file.value(file.nodes(cst.Call)[0])

    install(rule(asks))
    timings: dict[str, float] = {}
    lint(FLAWED, timings=timings)

    assert timings["evaluate"] == 1
    assert timings["TL401"] == 2


def test_pass_that_fails_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(flow: Flow) -> None:
        raise ValueError("no way")

    monkeypatch.setattr(analysis, "run", broken)
    found = lint("import torch.nn as nn\n\nnet = nn.Linear(2, 2)\nnn.DataParallel(net).backward()\n")

    assert [each.code for each in found] == ["TL000"]
    assert "ValueError: no way (in broken" in found[0].message


def test_text_is_linted_and_fixed_from_the_package_itself() -> None:
    assert [each.code for each in torchlint.lint(FLAWED)] == ["TL401"]
    assert torchlint.fix(FLAWED).text == FIXED
    with pytest.raises(AttributeError, match="no attribute 'check'"):
        torchlint.check  # noqa: B018


def test_fix_that_would_change_the_declared_encoding_is_not_taken(install: Install) -> None:
    text = "# a\n\n# coding: latin-1\naaa = 1\n"

    def removes_a_row(file: FileModel) -> Iterator[Finding]:
        yield Finding(file.analysis.module.body[0], "a row too many", fix=edits((3, 4, "")))

    install(rule(removes_a_row))
    result = fix(text)

    assert (result.text, result.applied, len(result.remaining)) == (text, (), 1)


C_IS_SHALLOW = sys.version_info >= (3, 12)
"""What calls itself through C has a fixed depth there, whatever the stack: how deep, differs between the releases of 3.12."""
CHAINS = {
    "branches": "    if a:\n        pass\n" + "    elif a:\n        pass\n" * 1_200,
    "operands": "    y = (a\n" + "        and a\n" * 3_000 + "    )\n",
    "operands of one row": f"    y = a{' and a' * 12_000}\n",
    "strings": "    y = (" + "'a'\n" * 2_000 + "    )\n",
    "terms": "    y = (a" + "\n        + a" * 400 + ")\n",
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_chain_that_python_reads_is_read_whatever_its_length(chain: str) -> None:
    text = "import torch\n\n\ndef f(a):\n    w = torch.zeros(len(a)).cuda()\n" + chain + "    return w\n"

    may_be_too_deep = chain is CHAINS["operands of one row"] and C_IS_SHALLOW
    assert [each.code for each in lint(text)] in ([["TL401"], ["TL001"]] if may_be_too_deep else [["TL401"]])


def test_room_for_deep_code_is_given_back() -> None:
    before = sys.getrecursionlimit()
    lint(FLAWED)

    assert sys.getrecursionlimit() == before


def test_deep_code_is_read_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    from threading import Thread

    def refuse(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)

    assert [each.code for each in lint(FLAWED)] == ["TL401"]


def test_related_place_in_another_file_comes_with_its_text(install: Install) -> None:
    other = SourceFile("b = 1\n\naway\n", path="/x/other.py")

    def points_elsewhere(file: FileModel) -> Iterator[Finding]:
        here, away = file.analysis.tree.names["a"][0], other.tree.names["away"][0]
        yield Finding(here, "odd", related=((away, "there", other), (here, "here", file.analysis), (here, "and here")))

    install(rule(points_elsewhere, level=None))
    (finding,) = lint("a = 1\n")

    assert [(each.message, each.location, each.end_location, each.path, each.text) for each in finding.related] == [
        ("there", Location(3, 1), Location(3, 5), "/x/other.py", other.text),
        ("here", Location(1, 1), Location(1, 2), None, ""),
        ("and here", Location(1, 1), Location(1, 2), None, ""),
    ]


def test_alternatives_are_located_beside_the_fix_and_never_applied(install: Install) -> None:
    def check(file: FileModel) -> Iterator[Finding]:
        for node in file.nodes(cst.Name):
            if node.value == "a":
                start, end = file.span(node)
                others = (edits((start, end, "c")).at_most(Applicability.UNSAFE).saying("write c"), edits())
                yield Finding(node, "a name", fix=edits((start, end, "b")), alternatives=others)

    install(rule(check))
    [found] = lint("\ufeffx = a\n")

    assert found.fix is not None
    assert found.fix.edits == (Edit(5, 6, "b"),)
    assert [(each.edits, each.applicability, each.message) for each in found.alternatives] == [
        ((Edit(5, 6, "c"),), Applicability.UNSAFE, "write c"),
    ]
    assert fix("x = a\n", applicability=Applicability.UNSAFE).text == "x = b\n"


def test_all_nodes_of_a_checked_file_are_freed_without_the_garbage_collector() -> None:
    text = (
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n        return x * 2\n\n\n"
        "model = Net()\nfor x, y in loader:\n    loss = (model(x) - y).pow(2).mean()\n    loss.backward()\n    total += loss\n"
    )

    def kept() -> int:
        return sum(issubclass(type(each), cst.CSTNode) for each in gc.get_objects())  # some warn when asked for their class

    assert lint(text)
    gc.collect()
    gc.disable()
    try:
        before = kept()
        lint(text)
        assert kept() == before
    finally:
        gc.enable()
