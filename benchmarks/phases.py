"""Where the time of one file goes: read, parse, model, rules, spans, each against a bare parse of the very same text.

`python -m benchmarks.phases < files` prints one JSON object; `benchmarks.speed` turns it into a table.
"""

from __future__ import annotations

import json
import sys
import time
import tokenize
from collections import Counter, defaultdict

import libcst as cst

from torchlint.engine import lint
from torchlint.settings import Settings


def main() -> None:
    seconds: defaultdict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    settings = Settings()
    for path in sys.stdin.read().splitlines():
        start = time.perf_counter()
        try:
            with tokenize.open(path) as file:
                text = file.read()
        except (SyntaxError, UnicodeDecodeError):
            continue
        seconds["read"] += time.perf_counter() - start
        counts["files"] += 1
        counts["lines"] += text.count("\n")
        if "torch" not in text:
            continue  # nothing in it could concern torchlint, which leaves it unparsed
        timings: dict[str, float] = {}
        found = lint(text, settings, path=path, timings=timings)
        if any(each.code == "TL001" for each in found):
            continue
        start = time.perf_counter()
        cst.parse_module(text)
        seconds["bare parse"] += time.perf_counter() - start
        for phase, spent in timings.items():
            seconds["rules" if phase.startswith("TL") else phase] += spent
        counts["parsed files"] += 1
        counts["parsed lines"] += text.count("\n")
        counts["findings"] += len(found)
    print(json.dumps({"seconds": seconds, "counts": counts}))


if __name__ == "__main__":
    main()
