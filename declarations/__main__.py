"""`python -m declarations`: reads the wheels of torch, one at a time, and writes the tables anew."""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from declarations import former, tables
from declarations.reading import Reading, read
from declarations.wheels import FIRST, Version, minor, sources, spelled

TABLES = Path(__file__).parents[1] / "torchlint" / "facts"
_WRITERS: dict[str, Callable[[tables.Readings], Iterator[str]]] = {
    "names.txt": tables.names,
    "signatures.txt": tables.signatures,
    "operators.txt": tables.operators,
    "holdings.txt": tables.holdings,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m declarations", description=__doc__)
    parser.add_argument("--versions", nargs="+", type=minor, help="minor versions, for instance 2.0 2.13; all from 2.0 on if not given")
    parser.add_argument("--cache", type=Path, help="folder that keeps what is read of the wheels; a temporary one if not given")
    parser.add_argument("--former", action="store_true", help="write former.txt alone: names of torch 1 that the tables lack")
    parser.add_argument("--output", type=Path, default=TABLES, help="folder that the tables are written into")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache = given.cache or Path(folder)
        cache.mkdir(parents=True, exist_ok=True)
        if given.former:
            _write_former(cache, given.output)
            return
        wheels, readings = _readings(given.versions or _following(), cache, everything=given.versions is not None)
    header = f"# What {', '.join(wheels)} declare. Written by `python -m declarations`, not by hand."
    versions = f"# versions: {' '.join(spelled(version) for version in sorted(readings))}"
    for name, write in _WRITERS.items():
        text = "\n".join([header, versions, *write(readings), ""])
        (given.output / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{given.output / name}: {len(text.encode()):,} bytes")


def _write_former(cache: Path, output: Path) -> None:
    found: set[str] = set()
    wheels = []
    for version in former.VERSIONS:
        wheel, texts = sources(version, cache)
        print(f"reading {wheel}")
        wheels.append(wheel)
        found |= set(former.names(texts))
    header = f"# What only {', '.join(wheels)} and older versions have. Written by `python -m declarations --former`, not by hand."
    text = "\n".join([header, *former.lines(found), ""])
    (output / "former.txt").write_text(text, encoding="utf-8", newline="\n")
    print(f"{output / 'former.txt'}: {len(text.encode()):,} bytes")


def _following() -> Iterator[Version]:
    major, first = FIRST
    while True:
        yield major, first
        first += 1


def _readings(versions: Iterator[Version] | list[Version], cache: Path, *, everything: bool) -> tuple[list[str], dict[Version, Reading]]:
    """What each version says; without versions named, as far as the index has any."""
    wheels: list[str] = []
    readings: dict[Version, Reading] = {}
    for version in versions:
        try:
            wheel, texts = sources(version, cache)
        except FileNotFoundError as absent:
            if everything or not readings:
                raise
            print(f"{wheels[-1]} is the newest: {absent}")
            break
        print(f"reading {wheel}")
        wheels.append(wheel)
        readings[version] = read(version, texts)
    return wheels, readings


if __name__ == "__main__":
    main()
