"""What stays the same of a finding while the lines around it move: for services that follow findings over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from torchlint.diagnostic import Diagnostic
from torchlint.output.positions import Positions


def fingerprints(path: str, text: str, findings: Sequence[Diagnostic]) -> list[str]:
    """One for each finding, in order: of the file, the rule and the row that it starts on, without its indentation.

    Of findings that are alike in all of that, each has its number, so that no two of a file have the same fingerprint. `path` should be
    relative to the project, so that it is the same on every machine.
    """
    positions = Positions(text)
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for each in findings:
        alike = each.code, " ".join(positions.row(each.location.row).split())
        number = seen[alike]
        seen[alike] += 1
        # File names need not be valid Unicode.
        found.append(sha256("\0".join((path, *alike, str(number))).encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return found
