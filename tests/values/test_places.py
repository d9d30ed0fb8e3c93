"""Copies of places hold the same and then change apart, whatever their number and size."""

import random

import pytest

from torchlint.values.places import Places


def test_a_copy_changes_apart() -> None:
    one: Places[int] = Places()
    one["x"] = 1
    other = one.copy()
    other["x"] = 2
    one["y"] = 3

    assert dict(one.items()) == {"x": 1, "y": 3}
    assert dict(other.items()) == {"x": 2}
    assert one.apart([other]) == {"x", "y"}


def test_what_is_forgotten_is_gone_in_this_one_only() -> None:
    one: Places[int] = Places()
    for number in range(100):
        one[f"x{number}"] = number
    other = one.copy()
    other.forget("x7")
    other.forget("never there")

    assert "x7" in one
    assert "x7" not in other
    assert other.get("x7") is None
    with pytest.raises(KeyError):
        other["x7"]
    assert one.apart([other]) == {"x7", "never there"}


@pytest.mark.parametrize("seed", range(20))
def test_places_behave_like_dictionaries(seed: int) -> None:
    chance = random.Random(seed)
    states: list[tuple[Places[int], dict[str, int]]] = [(Places(), {})]
    for step in range(400):
        places, plain = chance.choice(states)
        place = f"x{chance.randrange(60)}"
        action = chance.random()
        if action < 0.6:
            places[place] = plain[place] = step
        elif action < 0.75:
            places.forget(place)
            plain.pop(place, None)
        elif len(states) < 12:
            states.append((places.copy(), dict(plain)))
        assert places.get(place) == plain.get(place)
    for places, plain in states:
        assert dict(places.items()) == plain
        for other, other_plain in states:
            differ = {place for place in plain.keys() | other_plain.keys() if plain.get(place) != other_plain.get(place)}
            assert differ <= places.apart([other])


def test_a_difference_costs_what_changed_and_not_what_is_there() -> None:
    places: Places[int] = Places()
    for number in range(10_000):
        places[f"x{number}"] = number
    seen = []
    for number in range(200):
        branch = places.copy()
        branch[f"y{number}"] = number
        seen.append(len(places.apart([branch])))
        places[f"y{number}"] = number

    assert sum(seen) < 200 * 40
