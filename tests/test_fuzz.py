"""That odd inputs find what is wrong: a defect that is put in place is found, made small, kept, and found again by its number."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from fuzz import __main__ as fuzz
from fuzz.grafting import grafted
from fuzz.inputs import Maker, cases
from fuzz.programs import laid_out, program
from fuzz.promises import is_python
from fuzz.shrinking import shrunk
from fuzz.sources import Broken, Input, broken
from torchlint import engine, suppress
from torchlint.rule import Rule


@pytest.fixture
def fails_on_await(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that raises where a text awaits a name."""
    run = engine._run

    def failing(rule: Rule, file: object, *rest: object, **more: object) -> Iterator[object]:
        if rule.code == "TL102" and "await loss" in file.analysis.text:  # type: ignore[attr-defined]
            raise ZeroDivisionError(rule.code)
        return run(rule, file, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "_run", failing)


TEXT = b"import torch\n\n\nasync def train(loss):\n    loss.backward()\n    x = [await loss]\n    return x\n"


@pytest.mark.usefixtures("fails_on_await")
def test_a_failure_is_found_and_shrunk_to_what_it_takes() -> None:
    wrong = list(broken(Input("a.py", TEXT, 7)))

    assert "never_fails" in {each.promise for each in wrong}
    least = shrunk(Input("a.py", TEXT, 7), next(each for each in wrong if each.promise == "never_fails"))
    assert b"await loss" in least.data
    assert len(least.data) < len(TEXT) / 2


@pytest.mark.usefixtures("fails_on_await")
def test_what_fails_is_kept_and_is_found_again_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Maker, "input", lambda self, number: Input("a.py", TEXT if number == 3 else b"", number))
    first = CliRunner().invoke(fuzz.main, ["--inputs", "5", "--output", str(tmp_path)])
    again = CliRunner().invoke(fuzz.main, ["--inputs", "1", "--seed", "3", "--output", str(tmp_path / "again")])

    assert (first.exit_code, again.exit_code) == (1, 1)
    assert "5 inputs (from 0)" in first.stdout
    assert all(b"await loss" in each.read_bytes() for each in tmp_path.glob("3-*.py"))
    kept = [sorted(each.name for each in folder.glob("3-never_fails-*")) for folder in (tmp_path, tmp_path / "again")]
    assert kept[0] == kept[1] != []


@pytest.mark.parametrize("promise", ["a_comment_suppresses_what_it_names_and_no_more", "what_is_suppressed_is_silent"])
def test_suppressions_that_do_not_work_are_found(monkeypatch: pytest.MonkeyPatch, promise: str) -> None:
    monkeypatch.setattr(suppress, "_suppressed", lambda *_: False)
    data = b"import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n"

    assert any(each.promise == promise for seed in range(40) for each in broken(Input("a.py", data, seed), [promise]))


def test_a_fix_that_never_settles_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_ROUNDS", 1)
    data = b"import torch\n\nw = torch.zeros(torch.zeros(2).cuda()).cuda()\nprint(w)\n"
    wrong = [each for seed in range(10) for each in broken(Input("a.py", data, seed), ["fixing_leaves_python_and_settles"])]

    assert any("a second fix changes the text again" in each.how for each in wrong)


def test_an_input_follows_from_its_number_alone() -> None:
    texts = cases()

    assert [Maker(texts).input(number) for number in range(30)] == [Maker(texts).input(number) for number in range(30)]
    assert {Maker(texts).input(number).name for number in range(60)} == {"input.py", "input.ipynb", "input.md"}


def test_programs_that_are_made_are_python_and_stay_so_when_they_are_grafted() -> None:
    made = [program(Random(number)) for number in range(60)]
    joined = [grafted(text, other, Random(number)) for number, (text, other) in enumerate(zip(made, reversed(made), strict=True))]

    assert sum(map(is_python, made)) > 50
    assert sum(map(is_python, joined)) > 40
    assert sum(text != other for text, other in zip(made, joined, strict=True)) > 40
    assert sum(laid_out(text, Random(number)) != text for number, text in enumerate(made)) > 30


def test_what_shrinks_keeps_the_same_complaint() -> None:
    given = Input("a.py", b"import torch\n")

    assert shrunk(given, Broken("never_fails", "nothing of the kind")) == given
