"""What the figures count, what is drawn for reading, and where a place is after its file has changed."""

from pathlib import Path

import pytest

from ecosystem.figures import per_rule
from ecosystem.linting import Result, mark
from ecosystem.mirror import Tree
from ecosystem.pins import Pin
from ecosystem.places import Place, moved
from ecosystem.sampling import excerpt, sample
from ecosystem.verdicts import Verdict


def place(line: int, repository: str = "a/b", rule: str = "TL102") -> Place:
    return Place(repository, "a.py", line, rule)


def judged(**labels: tuple[str, str]) -> dict[Place, Verdict]:
    """`line5=("right", "tool")`: a verdict on line 5."""
    places = {place(int(name.removeprefix("line"))): each for name, each in labels.items()}
    return {where: Verdict(where, "", "", label, found_by, "a reason") for where, (label, found_by) in places.items()}


def test_precision_is_of_the_findings_that_were_judged() -> None:
    verdicts = judged(line1=("right", "tool"), line2=("arguable", "tool"), line3=("wrong", "tool"), line9=("wrong", "tool"))
    found = per_rule({place(line): "" for line in (1, 2, 3, 4)}, verdicts)["TL102"]

    assert (found.findings, found.read, found.right, found.arguable, found.wrong) == (4, 3, 1, 1, 1)
    assert (found.precision, found.precision_with_arguable) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_mistake_found_by_reading_counts_for_recall_and_not_for_precision() -> None:
    verdicts = judged(line1=("missed", "reading"), line2=("missed", "reading"), line3=("right", "both"), line4=("right", "tool"))
    found = per_rule({place(1): "", place(3): ""}, verdicts)["TL102"]

    assert (found.read, found.precision) == (1, 1.0)
    assert found.recall_by_reading == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 4)


def test_rule_of_which_nothing_is_known_has_no_share() -> None:
    found = per_rule({place(1): ""}, {})

    assert list(found) == ["TL102", "total"]
    assert (found["TL102"].precision, found["TL102"].recall, found["TL102"].recall_by_reading) == (None, None, None)


def test_sample_takes_every_repository_before_a_second_place_of_any() -> None:
    places = [*(place(line, "big/one") for line in range(50)), place(1, "c/d"), place(1, "e/f")]
    drawn = sample(places, 4, seed=1)

    assert {each.repository for each in drawn[:3]} == {"big/one", "c/d", "e/f"}
    assert drawn[3].repository == "big/one"


def test_sample_depends_on_its_seed_alone() -> None:
    places = [place(line) for line in range(50)]
    others = [place(line, rule="TL101") for line in range(50)]

    assert sample(places, 5, seed=1) == sample(reversed([*places, *others]), 5, seed=1)[5:]
    assert sample(places, 5, seed=1) != sample(places, 5, seed=2)


def test_excerpt_points_at_its_row_and_ends_with_the_file() -> None:
    assert excerpt(["a", "b", "c"], 3, 1) == ["      2 b", ">     3 c"]


def test_place_is_followed_to_the_nearest_row_of_the_same_text(tmp_path: Path) -> None:
    text = "x = 1\n\nif x:\n    x = 1\n"
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    lines = text.split("\n")
    result = Result(Pin("a/b", "new", "practice", ()), "done", tree=Tree(tmp_path, 1, ()))

    assert moved(place(9), "old", mark(lines, 1), result) == place(4)
    assert moved(place(2), "old", mark(lines, 1), result) == place(1)
    assert moved(place(2), "old", "another!", result) is None
    assert moved(place(9), "new", mark(lines, 1), result) == place(9)
