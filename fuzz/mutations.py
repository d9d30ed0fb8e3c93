"""Texts, notebooks and documents with something wrong in them: tokens, rows, indentation and bytes that are gone, doubled or elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

_TOKEN = re.compile(r"\w+|[ \t]+|\r\n|.", re.DOTALL)
_ODD = (
    "\x00",
    "\x0c",
    "\\",
    "\t",
    "\r",
    "\ufeff",
    "\u2028",
    "\xa0",
    "é",
    "字",
    "\x01",
    "\x01" + "0",
    "'",
    '"""',
    "#",
    "(",
    ")",
    ":",
    ";",
    "=",
    ":=",
    "*",
    "@",
    "\\\n",
    "0" * 30,
)
_WORDS = (
    "await",
    "yield",
    "lambda",
    "not",
    "in",
    "if",
    "else",
    "async",
    "None",
    "torch",
    "self",
    "loss",
    ".cuda()",
    ".item()",
    "del",
    "match",
    "type",
    "print",
    "nonlocal",
    "%time ",
    "!ls",
)


def _tokens(change: Callable[[list[str], Random], None]) -> Callable[[str, Random], str]:
    def mutate(text: str, random: Random) -> str:
        tokens = _TOKEN.findall(text)
        if tokens:
            change(tokens, random)
        return "".join(tokens)

    return mutate


def _rows(change: Callable[[list[str], Random], None]) -> Callable[[str, Random], str]:
    def mutate(text: str, random: Random) -> str:
        rows = text.splitlines(keepends=True)
        if rows:
            change(rows, random)
        return "".join(rows)

    return mutate


def _delete(parts: list[str], random: Random) -> None:
    del parts[random.randrange(len(parts))]


def _double(parts: list[str], random: Random) -> None:
    place = random.randrange(len(parts))
    parts.insert(random.choice((place, random.randrange(len(parts)))), parts[place])


def _swap(parts: list[str], random: Random) -> None:
    a, b = random.randrange(len(parts)), random.randrange(len(parts))
    parts[a], parts[b] = parts[b], parts[a]


def _replace(parts: list[str], random: Random) -> None:
    parts[random.randrange(len(parts))] = random.choice((*_WORDS, random.choice(parts)))


def _insert(parts: list[str], random: Random) -> None:
    parts.insert(random.randrange(len(parts)), random.choice(_ODD))


def _indent(rows: list[str], random: Random) -> None:
    first = random.randrange(len(rows))
    for place in range(first, min(first + random.randint(1, 4), len(rows))):
        rows[place] = random.choice((" ", "    ", "\t", "\x0c")) + rows[place]


def _dedent(rows: list[str], random: Random) -> None:
    first = random.randrange(len(rows))
    for place in range(first, min(first + random.randint(1, 4), len(rows))):
        rows[place] = rows[place][random.randint(1, 4) :] if rows[place][:1].isspace() else rows[place]


def _join(rows: list[str], random: Random) -> None:
    place = random.randrange(len(rows))
    rows[place] = rows[place].rstrip("\r\n") + random.choice(("; ", " \\\n", " ", ""))


def _truncate(parts: list[str], random: Random) -> None:
    del parts[random.randrange(len(parts)) + 1 :]


MUTATIONS: tuple[Callable[[str, Random], str], ...] = (
    *map(_tokens, (_delete, _double, _swap, _replace, _insert, _truncate)),
    *map(_rows, (_delete, _double, _swap, _indent, _dedent, _join)),
)


def mutated(text: str, random: Random) -> str:
    """The text after one to four of the mutations; most often not Python any more, and often still."""
    for _ in range(random.choice((1, 1, 2, 4))):
        text = random.choice(MUTATIONS)(text, random)
    return text


def spliced(texts: Sequence[str], random: Random) -> str:
    """Rows of one text, and then those of another."""
    first, second = (each.splitlines(keepends=True) for each in random.sample(texts, 2))
    return "".join(first[: random.randint(0, len(first))] + second[random.randint(0, len(second)) :])


def with_odd_bytes(data: bytes, random: Random) -> bytes:
    for _ in range(random.randint(1, 3)):
        place = random.randint(0, len(data))
        data = data[:place] + random.randbytes(random.randint(0, 2)) + data[place + random.randint(0, 2) :]
    return data


# -- notebooks ----------------------------------------------------------------------------------------------------------

MAGICS = (
    "%matplotlib inline\n",
    "!pip install torch\n",
    "%%time\n",
    "%%bash\nls\n",
    "out = !ls\n",
    "x?\n",
    "%time loss.backward()\n",
    "  indented\n",
    "%%writefile a.py\n",
)
_LAYOUTS: tuple[dict[str, Any], ...] = (
    {"indent": 1, "ensure_ascii": False},
    {"indent": 2},
    {},
    {"separators": (",", ":")},
    {"indent": "\t", "sort_keys": True},
)


def notebook(texts: Sequence[str], random: Random) -> str:
    """A notebook of these texts, a cell each, as one of the programs that write such files would lay it out."""
    cells: list[Any] = []
    for text in texts:
        code = random.choice(("", "", "", random.choice(MAGICS))) + text + random.choice(("", "", ";", f"\n{random.choice(MAGICS)}"))
        source: Any = code if random.random() < 0.2 else re.findall(r"[^\n]*\n|[^\n]+", code)
        if random.random() < 0.05 and isinstance(source, list):
            source = [piece for row in source for piece in (row[:3], row[3:])]
        cells.append(
            {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [{"data": {"text/plain": ["é\n"]}}], "source": source}
        )
        if random.random() < 0.3:
            cells.append({"cell_type": "markdown", "metadata": {}, "source": ["# torch\n", "loss = <b>é</b>"]})
    kernel = {"kernelspec": {"name": "python3", "language": "python"}} if random.random() < 0.8 else {}
    content = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    if random.random() < 0.2:
        _spoil(content, random)
    return json.dumps(content, **random.choice(_LAYOUTS)) + random.choice(("\n", "\n", ""))


def _spoil(content: Any, random: Random) -> None:
    """Something that is JSON and yet not what a notebook holds."""
    odd: Any = random.choice((None, 3, [], {}, "code", ["x", None], [["x"]], {"source": "x"}, True, 1e400, "\ud800"))
    place, key = content, random.choice(list(content))
    while isinstance(place[key], (list, dict)) and place[key] and random.random() < 0.8:
        place = place[key]
        key = random.randrange(len(place)) if isinstance(place, list) else random.choice(list(place))
    place[key] = odd


# -- documents ----------------------------------------------------------------------------------------------------------

_FENCES = ("```", "````", "~~~")
_INFOS = ("python", "py", " Python title='a'", "{python echo=False}", "{.python}", "python3", "pycon", "", "bash")
_LEADS = ("", "", "   ", "\t", "> ", "  - ")


def document(texts: Sequence[str], random: Random) -> str:
    """A document with these texts in blocks."""
    pieces = ["# torch\n\nSay `loss.backward()`.\n"]
    for text in texts:
        lead, fence = random.choice(_LEADS), random.choice(_FENCES)
        body = "".join(lead.replace("-", " ") + row for row in text.splitlines(keepends=True))
        if not body.endswith(("\n", "\r")):
            body += "\n"
        end = random.choice((fence, fence, fence, fence + "`", ""))
        pieces.append(f"\n{lead}{fence}{random.choice(_INFOS)}\n{body}{lead.replace('-', ' ')}{end}\n")
        pieces.append(random.choice(("", "prose\n", "* é\n", "<pre>\n")))
    whole = "".join(pieces)
    return whole.replace("\n", "\r\n") if random.random() < 0.2 else whole
