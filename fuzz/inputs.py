"""Which input a number stands for: drawn from programs made here, from the cases of the rules, and from a folder of other code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzz.grafting import grafted
from fuzz.mutations import document, mutated, notebook, spliced, with_odd_bytes
from fuzz.programs import laid_out, program
from fuzz.sources import Input

FIXTURES = Path(__file__).parents[1] / "fixtures"
LONGEST = 3_000
"""Characters of a file that others are made of: more would only be slower."""
_CASE = re.compile(r"^(?=# case:)", re.MULTILINE)


def cases(folder: Path = FIXTURES) -> list[str]:
    """Each case of the fixtures as a text of its own, with what stands above the first case of its file."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        head, *others = _CASE.split(path.read_bytes().decode())
        found += [head + each for each in others] or [head]
    return [each for each in found if len(each) <= LONGEST]


def texts_of(folder: Path) -> list[str]:
    """The Python in a folder, by name; of a long file some of its rows."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        if path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return [_excerpt(each) for each in found if "torch" in each]


def _excerpt(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    rows = text.splitlines(keepends=True)
    starts = [place for place, row in enumerate(rows) if re.match(r"class |def |@", row)] or [0]
    start = starts[len(text) % len(starts)]
    return (
        "".join(each for each in rows[:start] if each.startswith(("import ", "from ")) and "(" not in each)
        + "".join(rows[start:])[:LONGEST]
    )


class Maker:
    """Makes inputs of these texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def input(self, seed: int | str) -> Input:
        random = Random(seed)
        kind = random.choices((".py", ".ipynb", ".md"), (12, 2, 1))[0]
        if kind == ".py":
            text = self._text(random)
            data = text.encode("utf-8", "surrogatepass")
        else:
            several = [self._text(random) for _ in range(random.randint(1, 3))]
            text = (notebook if kind == ".ipynb" else document)(several, random)
            if random.random() < 0.1:
                text = mutated(text, random)
            data = text.encode("utf-8", "surrogatepass")
        if random.random() < 0.04:
            data = with_odd_bytes(data, random)
        return Input(f"input{kind}", data, random.getrandbits(32))

    def _text(self, random: Random) -> str:
        drawn = random.random()
        if drawn < 0.25:
            text = program(random)
        elif drawn < 0.4:
            text = "\n\n".join(random.choice(self._texts) for _ in range(2))
        elif drawn < 0.5:
            text = spliced(self._texts, random)
        else:
            text = random.choice(self._texts)
        if random.random() < 0.5:
            text = grafted(text, program(random) if random.random() < 0.4 else random.choice(self._texts), random)
        if random.random() < 0.3:
            text = laid_out(text, random)
        return mutated(text, random) if random.random() < 0.35 else text
