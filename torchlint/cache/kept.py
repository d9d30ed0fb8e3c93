"""What a run takes from the cache, and what it leaves there.

Findings are kept together with facts: this file had this text, this import led there, this question had that answer. They count as long as
all these facts hold. Facts are told one by one and only ever added, so that runs that write at the same time do not disturb each other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from torchlint.cache import findings
from torchlint.cache.identity import told
from torchlint.cache.store import Entry, Store, Writer
from torchlint.cache.world import Look, World, vanished
from torchlint.program.grounds import Answer, Grounds, digest

if TYPE_CHECKING:
    from torchlint.diagnostic import Diagnostic
    from torchlint.settings import Settings

    Found: TypeAlias = Mapping[Path, tuple[Settings, Grounds, Sequence[Diagnostic]]]


class Cache:
    def __init__(self, folder: Path, roots: Sequence[Path], concerns: Callable[[bytes], bool]) -> None:
        self._store = Store(folder)
        self._roots = tuple(map(str, roots))
        self._place = digest("\0".join(self._roots).encode("utf-8", "surrogatepass"))
        self._world = World(concerns, self._store.contents())
        self._truths: dict[int, bool] = {}
        self._again: list[Entry] = []
        """Entries of which it was found that all answers are the same although files around them changed."""
        self._valid: set[str] = set()

    @property
    def problem(self) -> str | None:
        return self._store.problem

    def look(self, path: Path) -> Look:
        """What there is to know of a file without parsing it. Raises `OSError`."""
        return self._world.look(os.path.abspath(path))

    def is_valid(self, settings: Settings) -> bool:
        """Whether the selectors of these settings are known to name rules."""
        return self._store.has_settings(told(settings))

    def validated(self, settings: Iterable[Settings]) -> None:
        self._valid.update(map(told, settings))

    # -- what was found before ------------------------------------------------------------------------------------------

    def findings(self, files: Sequence[tuple[Path, Settings]]) -> dict[Path, tuple[str, tuple[Diagnostic, ...]]]:
        """Of the files whose findings are known and still hold: the digest of the text, and the findings."""
        names = {os.path.abspath(path): (path, self._key(path, settings)) for path, settings in files}
        entries = [each for each in self._store.entries([*names]) if each.path in names and names[each.path][1] == each.key]
        try:
            grounds = [(each, json.loads(each.facts), json.loads(each.asked)) for each in entries]
            numbers = {number for _, facts, asked in grounds for number in (*facts, *asked)}
            self._facts = self._store.facts(sorted(numbers)) if numbers else {}
        except (ValueError, TypeError):
            return {}
        found: dict[Path, tuple[str, tuple[Diagnostic, ...]]] = {}
        for entry, facts, asked in grounds:
            if all(map(self._holds, facts)) and self._is_answered(entry, asked):
                try:
                    found[names[entry.path][0]] = entry.text, findings.findings(entry.findings)
                except ValueError:
                    continue  # not what was written; found anew
        return found

    def _is_answered(self, entry: Entry, asked: list[int]) -> bool:
        if not asked:
            return True
        around = self._world.around(self._roots).digest
        if entry.around == around:
            return True
        if not all(map(self._holds, asked)):
            return False
        self._again.append(entry._replace(around=around))
        return True

    def _holds(self, number: int) -> bool:
        known = self._truths.get(number)
        if known is None:
            known = self._truths[number] = self._is_true(self._facts.get(number, ""))
        return known

    def _is_true(self, fact: str) -> bool:
        try:
            kind, subject, *others, value = json.loads(fact)
            if kind == "text":
                return bool(self._world.text(subject) == value)
            if subject != self._place or kind not in ("import", "answer"):
                return False
            around = self._world.around(self._roots)
            if kind == "import":
                folder, module = others
                return bool(around.imported(folder, module) == value)
            path, question = others
            return bool(_plain(around.answer(path, tuple(question))) == value)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
            return False  # not what was written

    def _key(self, path: Path, settings: Settings) -> str:
        here = "" if path.is_absolute() else os.getcwd()
        return digest("\0".join((told(settings), self._place, here)).encode("utf-8", "surrogatepass"))

    # -- what is found now ----------------------------------------------------------------------------------------------

    def keep(self, found: Found) -> None:
        """Keep what was found in these files, and what it rests on."""
        if not found and not self._world.fresh and not self._again and not self._valid:
            return
        self._store.write(lambda writer: self._write(writer, found))

    def _write(self, writer: Writer, found: Found) -> None:
        writer.contents(self._world.fresh)
        writer.settings(self._valid)
        for entry in self._again:
            writer.entry(entry)
        for path, (settings, grounds, diagnostics) in found.items():
            name = os.path.abspath(path)
            facts = [writer.number(_fact("text", *each)) for each in grounds.texts.items()]
            facts += [writer.number(_fact("import", self._place, *key, place)) for key, place in grounds.imports.items()]
            asked = [writer.number(_fact("answer", self._place, *key, answer)) for key, answer in grounds.answers.items()]
            lists = json.dumps(facts), json.dumps(asked)
            key = self._key(path, settings)
            writer.entry(Entry(name, key, grounds.texts[name], *lists, grounds.around, findings.written(diagnostics)))
        if found and writer.has_grown:
            writer.drop(vanished(writer.paths()))
            writer.shed({number for grounds in writer.grounds() for number in json.loads(grounds)})


def _fact(*parts: Any) -> str:
    return json.dumps(parts, separators=(",", ":"))


def _plain(answer: Answer) -> Any:
    """As JSON gives it back."""
    return [list(each) for each in answer] if isinstance(answer, tuple) else answer
