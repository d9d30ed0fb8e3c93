"""The tables as text, of readings of several versions: what they say in common is said once, and the newest version has the word."""

from collections.abc import Iterator, Mapping, Sequence

from declarations import rendering
from declarations.reading import Reading
from declarations.wheels import Version, spelled

Readings = Mapping[Version, Reading]


def names(readings: Readings) -> Iterator[str]:
    """Sections of modules and classes; a name is followed by the versions that have it, unless all have, and by `= ` its usual spelling."""
    versions = sorted(readings)
    preferred: dict[str, str] = {}
    for version in versions:
        preferred |= readings[version].preferred
    for section in sorted({section for reading in readings.values() for section in reading.names}):
        offered, incidental = _entries(readings, section)
        if not offered and not incidental:
            continue
        yield f"[{section}]"
        for name, present in sorted(offered.items()):
            usual = preferred.get(f"{section}.{name}")
            yield name + _spans(present, versions) + (f" = {usual}" if usual is not None else "")
        if incidental:  # there by import, or declared nowhere
            yield f"& {' '.join(sorted(incidental))}"


def _entries(readings: Readings, section: str) -> tuple[dict[str, list[Version]], set[str]]:
    present: dict[str, list[Version]] = {}
    offered: set[str] = set()
    for version in sorted(readings):
        for name, is_offered in readings[version].names.get(section, {}).items():
            present.setdefault(name, []).append(version)
            if is_offered:
                offered.add(name)
    return {name: present[name] for name in offered}, set(present) - offered


def _spans(present: Sequence[Version], versions: Sequence[Version]) -> str:
    """Runs of versions: ` 2.1-` from 2.1 on, ` -2.3` up to 2.3, ` 2.1-2.3,2.5-` with a gap; nothing where all have it."""
    runs: list[list[int]] = []
    for index in (versions.index(version) for version in present):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    if runs == [[0, len(versions) - 1]]:
        return ""
    spans = []
    for first, last in runs:
        start = spelled(versions[first]) if first else ""
        end = spelled(versions[last]) if last < len(versions) - 1 else ""
        spans.append(start if start == end else f"{start}-{end}")
    return " " + ",".join(spans)


def signatures(readings: Readings) -> Iterator[str]:
    """Sections of modules, and of classes with their bases in parentheses; one line per overload, as the newest version declares it.

    Parameters that not all versions of the function know follow in a comment, with the versions that do, those of old times too.
    """
    newest: dict[str, dict[str, list[str]]] = {}
    known: dict[tuple[str, str], dict[Version, set[str]]] = {}
    bases: dict[str, list[str]] = {}
    for version in sorted(readings):
        bases |= readings[version].bases
        for section, found in readings[version].signatures.items():
            newest.setdefault(section, {}).update(found)
            for name, lines in found.items():
                known.setdefault((section, name), {})[version] = {parameter for line in lines for parameter in rendering.parameters(line)}
    for section in sorted(newest):
        if newest[section] or section in bases:
            yield f"[{section}]" + (f"({', '.join(bases[section])})" if section in bases else "")
            for name in sorted(newest[section]):
                first, *others = newest[section][name]
                yield first + _history(known[section, name])
                yield from others


def _history(known: Mapping[Version, set[str]]) -> str:
    versions = sorted(known)
    changed = {name for then in known.values() for name in then if not all(name in other for other in known.values())}
    spans = [name + _spans([version for version in versions if name in known[version]], versions) for name in sorted(changed)]
    return f"  # {'; '.join(spans)}" if spans else ""


def operators(readings: Readings) -> Iterator[str]:
    """Three sections: the schemas of operators, functions that are an operator of another name, modules that are a function."""
    schemas: dict[str, str] = {}
    functions: dict[str, str] = {}
    modules: dict[str, str] = {}
    for version in sorted(readings):
        reading = readings[version]
        renewed = {line.split("(", 1)[0].split(".")[0] for line in reading.schemas.values()}
        schemas = {name: line for name, line in schemas.items() if name.split(".")[0] not in renewed} | reading.schemas
        functions |= reading.operators
        modules |= reading.modules
    yield "[schemas]"
    yield from (schemas[name] for name in sorted(schemas))
    yield "[functions]"
    yield from (f"{name} = {operator}" for name, operator in sorted(functions.items()))
    yield "[modules]"
    yield from (f"{name} = {function}" for name, function in sorted(modules.items()))


def holdings(readings: Readings) -> Iterator[str]:
    """Two sections: constants and their class, the modules of `torch.nn` and what they hold. The newest version has the word."""
    constants: dict[str, str] = {}
    held: dict[str, list[str]] = {}
    for version in sorted(readings):
        constants |= readings[version].constants
        held |= readings[version].held
    yield "[constants]"
    yield from (f"{name} = {declared}" for name, declared in sorted(constants.items()))
    yield "[held]"
    yield from (f"{name} = {' '.join(words)}".rstrip() for name, words in sorted(held.items()))
