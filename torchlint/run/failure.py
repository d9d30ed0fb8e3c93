"""What to say about an exception that nobody expected: one line that helps whoever repairs it."""

from __future__ import annotations

import traceback
from pathlib import Path


def account(error: BaseException) -> str:
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(where[-1].filename).name}, line {where[-1].lineno})" if where else ""
    reason = f"{type(error).__name__}: {error}".rstrip(": ").splitlines()[0]
    return f"{reason}{place}; please report it"
