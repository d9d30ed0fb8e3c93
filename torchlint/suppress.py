"""Which findings the author of the checked code has suppressed, and which of these comments suppress nothing.

`# torchlint: ignore[TL101]` counts on any physical row of the statement, `# torchlint: ignore-file[TL101]` above the first statement
(a docstring may stand before it); both take codes, names and TorchFix aliases. `# noqa: TL101` and a bare `# noqa` count as well.
What other tools say in a `# noqa` is theirs: it is neither read nor reported.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torchlint.diagnostic import Diagnostic, Location
from torchlint.edits import Applicability, Edit, Effect, ResolvedFix
from torchlint.selection import OWN_RULES, UNUSED_SUPPRESSION, known_names, named
from torchlint.settings import nearest
from torchlint.sources.reading import declared_encoding
from torchlint.syntax import cells

_DIRECTIVE = re.compile(
    r"#\s*torchlint:\s*ignore(?P<file>-file)?\s*(?:\[(?P<names>[^\]#]*)\])?"
    r"|#\s*(?P<noqa>noqa)(?![\w-])(?P<colon>\s*:\s*(?P<codes>[A-Z]+[0-9]+\b(?:[\s,]+[A-Z]+[0-9]+\b)*)?)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\s,]+")
_OURS = re.compile(r"\b(?:TL|TOR)[0-9]", re.IGNORECASE)


@dataclass(slots=True)
class _Directive:
    """One comment that suppresses, and which of its names have been of use."""

    row: int
    column: int
    """Of its `#`, from 0."""
    start: int
    """Offset of its `#`; `end` likewise is one past its last character."""
    end: int
    comment: tuple[int, int]
    """The offsets of the whole comment, which may hold more than this directive."""
    names: list[tuple[str, int]]
    """What it names, each with its offset. Empty for a bare `# noqa`."""
    is_noqa: bool
    whole_file: bool
    misplaced: bool = False
    used: set[str] = field(default_factory=set)


def is_possible_in(text: str) -> bool:
    """Whether anything in the text looks like a comment that suppresses."""
    return _DIRECTIVE.search(text) is not None


def apply(text: str, diagnostics: Sequence[Diagnostic], enabled_codes: frozenset[str]) -> list[Diagnostic]:
    """The findings that are left, and those about suppressions that suppress nothing, by location."""
    directives = list(_directives(text)) if _may_matter(text, diagnostics) else []
    left = [each for each in diagnostics if not _suppressed(each, directives)]
    if UNUSED_SUPPRESSION.code in enabled_codes:
        unused = (_unused(text, each, enabled_codes) for each in directives)
        left += [each for each in unused if each is not None and not _suppressed(each, directives)]
    return sorted(left, key=lambda each: (each.location, each.code))


def add(text: str, diagnostics: Sequence[Diagnostic]) -> str:
    """The text with a comment for each finding that one can be written to. Where a row has one already, it names one rule more."""
    rows = rows_with_an_end(text)
    wanted: dict[int, set[str]] = {}
    for each in diagnostics:
        row = next((row for row in sorted(each.rows, reverse=True) if row in rows), None)
        if row is not None and all(each.code != rule.code for rule in OWN_RULES):
            wanted.setdefault(row, set()).add(each.code)
    there = {each.row: each for each in _directives(text) if each.names and not each.is_noqa and not each.whole_file}
    edits = []
    for row, codes in wanted.items():
        directive = there.get(row)
        if directive is not None:
            last, offset = directive.names[-1]
            edits.append(Edit(offset + len(last), offset + len(last), "".join(f", {code}" for code in sorted(codes))))
        else:
            start, end = rows[row]
            edits.append(Edit(start, end, f"  # torchlint: ignore[{', '.join(sorted(codes))}]"))
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.content + text[edit.end :]
    return text


def rows_with_an_end(text: str) -> dict[int, tuple[int, int]]:
    """The rows that a comment can be written behind, so none that ends in a string or a backslash: where text and row end."""
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    found = {}
    lines = io.StringIO(re.sub(r"\r\n|\r", "\n", text))
    try:
        for token in tokenize.generate_tokens(lines.readline):
            if token.type in (tokenize.NEWLINE, tokenize.NL):
                row, column = token.start
                end = starts[row - 1] + column
                if cells.is_touched(text, starts[row - 1], end):
                    continue
                found[row] = starts[row - 1] + len(text[starts[row - 1] : end].rstrip()), end
    except (tokenize.TokenError, SyntaxError):
        return {}
    return found


def _may_matter(text: str, diagnostics: Sequence[Diagnostic]) -> bool:
    """Whether anything in the text looks like a comment of concern. Most files are spared the tokenizer, which is not cheap."""
    for match in _DIRECTIVE.finditer(text):
        if match["noqa"] is None or (match["codes"] and _OURS.search(match["codes"])) or (diagnostics and not match["colon"]):
            return True
        if match["codes"] and any(each.code in match["codes"].upper() for each in diagnostics):
            return True  # the code of a plugin
    return False


def _suppressed(diagnostic: Diagnostic, directives: Sequence[_Directive]) -> bool:
    """Every directive that applies is marked as used, not only the first."""
    if diagnostic.is_internal_error:
        return False
    hit = False
    for directive in directives:
        if directive.misplaced or not (directive.whole_file or directive.row in diagnostic.rows):
            continue
        if not directive.names and directive.is_noqa:
            hit = hit or all(diagnostic.code != rule.code for rule in OWN_RULES)
        for name, _ in directive.names:
            if any(rule.code == diagnostic.code for rule in named(_canonical(name, directive))):
                directive.used.add(name)
                hit = True
    return hit


def _canonical(name: str, directive: _Directive) -> str:
    return name.upper() if directive.is_noqa else name


def _directives(text: str) -> Iterator[_Directive]:
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    for token, at_top in _comments(text):
        row, column = token.start
        comment = (starts[row - 1] + column, starts[row - 1] + column + len(token.string))
        for match in _DIRECTIVE.finditer(token.string):
            is_noqa = match["noqa"] is not None
            if is_noqa and match["colon"] and not match["codes"]:
                continue  # neither bare nor followed by codes: somebody's prose
            listed = "codes" if is_noqa else "names"
            begin = comment[0] + max(match.start(listed), 0)
            names = [(name[0], begin + name.start()) for name in _NAME.finditer(match[listed] or "")]
            whole_file = match["file"] is not None
            start, end = comment[0] + match.start(), comment[0] + match.end()
            offset = column + match.start()
            yield _Directive(row, offset, start, end, comment, names, is_noqa, whole_file, misplaced=whole_file and not at_top)


def _comments(text: str) -> Iterator[tuple[tokenize.TokenInfo, bool]]:
    """The comments, each with whether it stands above the first statement that is not a docstring."""
    passive = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.STRING, tokenize.ENCODING, tokenize.INDENT, tokenize.DEDENT}
    at_top = True
    lines = io.StringIO(re.sub(r"\r\n|\r", "\n", text))
    try:
        for token in tokenize.generate_tokens(lines.readline):
            if token.type == tokenize.COMMENT:
                yield token, at_top
            elif token.type not in passive:
                at_top = False
    except (tokenize.TokenError, SyntaxError):
        return  # the rest of a file that Python cannot read holds no findings but the one that says so


def _unused(text: str, directive: _Directive, enabled_codes: frozenset[str]) -> Diagnostic | None:
    """The finding about a directive of which at least one name is of no use."""
    if not directive.names:
        return None if directive.is_noqa else _diagnostic(text, directive, "names no rule and suppresses nothing", None, [])
    useless, unknown = [], []
    for name, _ in directive.names:
        rules = named(_canonical(name, directive))
        if directive.is_noqa and not (rules and name.upper().startswith("TL")):
            continue  # another tool's
        if not rules:
            unknown.append(name)
        elif UNUSED_SUPPRESSION in rules:
            continue  # it speaks of findings such as this one would be
        elif name not in directive.used and (directive.misplaced or any(rule.code in enabled_codes for rule in rules)):
            useless.append(name)
    if not useless and not unknown:
        return None
    if directive.misplaced:
        problem, help = "suppresses nothing: it does not stand above the first statement", "move it to the top of the file, or remove it"
    elif unknown:
        problem, help = f"names no rule: {_listed(unknown)}", f"the nearest is `{nearest(unknown[0], known_names())}`"
    else:
        problem, help = "suppresses nothing: there is " + " and ".join(f"no `{name}`" for name in useless) + " here", None
    return _diagnostic(text, directive, problem, help, [*useless, *unknown])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _diagnostic(text: str, directive: _Directive, problem: str, help: str | None, useless: Sequence[str]) -> Diagnostic:
    rule = UNUSED_SUPPRESSION
    removal = ResolvedFix((_removal(text, directive, useless),), Applicability.SAFE, Effect.KEEPS, "Remove what suppresses nothing")
    start = Location(directive.row, directive.column + 1)
    end = Location(directive.row, directive.column + 1 + directive.end - directive.start)
    message = f"`{text[directive.start : directive.end].strip()}` {problem}"
    return Diagnostic(rule.code, rule.name, message, help or "remove it", rule.severity, start, end, (directive.row,), removal)


def _removal(text: str, directive: _Directive, useless: Sequence[str]) -> Edit:
    """Take the useless names out of the list, or, where none is left, the directive out of the comment, or the comment out of the line."""
    kept = [name for name, _ in directive.names if name not in useless]
    if kept:
        first, last = directive.names[0], directive.names[-1]
        return Edit(first[1], last[1] + len(last[0]), ", ".join(kept))
    start, end = directive.start, directive.end
    before, after = text[directive.comment[0] : start], text[end : directive.comment[1]]
    if after.strip():
        rest = after.lstrip()
        skip = end + len(after) - len(rest)
        return Edit(start, skip, "" if rest.startswith("#") else "# ")
    line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    lead = text[line:start]
    start = line + len(lead.rstrip())
    if before.strip() or lead.strip():
        return Edit(start, directive.comment[1], "")
    newline = re.compile(r"\r\n|\r|\n|").match(text, directive.comment[1])
    end = newline.end() if newline else directive.comment[1]
    if declared_encoding(text[:line] + text[end:]) != declared_encoding(text):
        end = directive.comment[1]  # an empty row stays, else the one below would come to where Python looks for the encoding
    return Edit(line, end, "")
