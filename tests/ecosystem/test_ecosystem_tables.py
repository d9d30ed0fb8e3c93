"""The tables kept in git: what they accept, and that those of the checkout are sound."""

from pathlib import Path

import pytest

import ecosystem
from ecosystem import pins, state, tables, verdicts
from ecosystem.pins import Pin
from ecosystem.places import Place
from ecosystem.verdicts import Verdict

DATA = Path(ecosystem.__file__).parent
COMMIT = "0123456789" * 4


def verdict(label: str = "right", found_by: str = "tool", line: int = 3, reason: str = "it is so") -> Verdict:
    return Verdict(Place("owner/name", "a b.py", line, "TL102"), COMMIT, "12345678", label, found_by, reason)


def test_tables_of_the_checkout_can_be_read() -> None:
    pinned = {each.repository: each for each in pins.read(DATA / "repositories.tsv")}
    known = state.read(DATA / "state")

    assert {each.place.repository for each in verdicts.read(DATA / "verdicts.tsv")} <= pinned.keys()
    assert known.commits.keys() <= pinned.keys()
    assert {place.repository for place in known.marks} <= known.commits.keys()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    pinned = [Pin("owner/name", COMMIT, "fresh", ("gan", "old"))]
    pins.write(tmp_path / "pins.tsv", pinned)
    verdicts.write(tmp_path / "verdicts.tsv", [verdict(line=20), verdict(line=3)])

    assert pins.read(tmp_path / "pins.tsv") == pinned
    assert verdicts.read(tmp_path / "verdicts.tsv") == [verdict(line=3), verdict(line=20)]


@pytest.mark.parametrize("fields", [("name", COMMIT, "fresh", ""), ("a/b", COMMIT[1:], "fresh", ""), ("a/b", COMMIT, "stale", "")])
def test_pin_that_pins_nothing_is_refused_with_its_place(fields: tuple[str, ...], tmp_path: Path) -> None:
    tables.write(tmp_path / "pins.tsv", pins.COLUMNS, [fields])

    with pytest.raises(tables.TableError, match=r"pins\.tsv:2: "):
        pins.read(tmp_path / "pins.tsv")


def test_repository_pinned_twice_is_refused(tmp_path: Path) -> None:
    pins.write(tmp_path / "pins.tsv", [Pin("a/b", COMMIT, "fresh", ())] * 2)

    with pytest.raises(tables.TableError, match="pinned twice: a/b"):
        pins.read(tmp_path / "pins.tsv")


@pytest.mark.parametrize("bad", [verdict(label="good"), verdict(found_by="chance"), verdict(reason=" ")])
def test_verdict_without_label_or_reason_is_refused(bad: Verdict, tmp_path: Path) -> None:
    verdicts.write(tmp_path / "verdicts.tsv", [bad])

    with pytest.raises(tables.TableError, match=r"verdicts\.tsv:2: not a verdict"):
        verdicts.read(tmp_path / "verdicts.tsv")


def test_reason_that_would_break_the_table_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    verdicts.write(tmp_path / "verdicts.tsv", [verdict()])

    with pytest.raises(tables.TableError, match="tab"):
        verdicts.write(tmp_path / "verdicts.tsv", [verdict(), verdict(line=9, reason="one\tother")])
    assert verdicts.read(tmp_path / "verdicts.tsv") == [verdict()]


def test_second_verdict_replaces_the_first_and_both_ways_of_finding_are_kept() -> None:
    assert verdicts.added([verdict()], verdict(label="wrong")) == [verdict(label="wrong")]
    assert verdicts.added([verdict("missed", "reading")], verdict("right", "tool")) == [verdict("right", "both")]


def test_set_is_drawn_by_name_and_not_by_what_else_is_pinned() -> None:
    names = [f"owner/name{number}" for number in range(1000)]
    fresh = {name for name in names if pins.set_of(name, 0.3) == "fresh"}

    assert 250 < len(fresh) < 350
    assert {name for name in names if pins.set_of(name, 0.5) == "fresh"} > fresh


def test_list_adds_repositories_and_moves_pins_only_on_request(tmp_path: Path) -> None:
    other = COMMIT[::-1]
    (tmp_path / "list.tsv").write_text(f"a/b\t{other}\tgan\t12\n\nc/d\t{other}\n", encoding="utf-8")
    old = [Pin("a/b", COMMIT, "practice", ("rl",))]
    new = pins.listed(tmp_path / "list.tsv", 1.0)

    assert pins.merged(old, new, move=False) == [*old, Pin("c/d", other, "fresh", ())]
    assert pins.merged(old, new, move=True)[0] == Pin("a/b", other, "practice", ("rl",))
