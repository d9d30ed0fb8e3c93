"""Where the time of one file goes: read, parse, model, passes, each rule, spans, against a bare parse of the very same text.

`python -m benchmarks.phases [--select CODES] [ROOT...] < files` prints one JSON object, which `benchmarks.speed` turns into a table. With
roots, imports are followed to the other files under them, as a run of `torchlint check` does. The garbage collector keeps the pace that it
has in such a run. The bare parse has a process of its own, in which LibCST is as it comes: torchlint makes its nodes quicker.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import tokenize
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import libcst as cst

from torchlint.engine import lint
from torchlint.program.project import Project
from torchlint.rule import load_rules
from torchlint.run.many import collect_rarely
from torchlint.settings import Settings
from torchlint.syntax import making


def bare_parse(text: str) -> float | None:
    """What LibCST takes for a text as it comes; None for names of Python 2, which only torchlint reads."""
    collect_rarely()
    start = time.process_time()
    try:
        cst.parse_module(text)
    except cst.ParserSyntaxError:
        return None
    return time.process_time() - start


def main() -> None:
    seconds: defaultdict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", nargs="*", type=Path, help="where the modules that are imported may lie; default: no import is followed")
    parser.add_argument("--select", help="rules by their codes, separated by commas, or ALL; default: those that are on by default")
    options = parser.parse_args()
    settings = Settings() if options.select is None else Settings(select=tuple(options.select.split(",")))
    collect_rarely()
    load_rules()  # a part of the start, which `benchmarks.startup` measures
    making.by_assignment()
    project = Project(options.roots) if options.roots else None
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as elsewhere:
        for path in sys.stdin.read().splitlines():
            start = time.process_time()
            try:
                with tokenize.open(path) as file:
                    text = file.read()
            except (SyntaxError, UnicodeDecodeError):
                continue
            seconds["read"] += time.process_time() - start
            counts["files"] += 1
            counts["lines"] += text.count("\n")
            if "torch" not in text:
                continue  # nothing in it could concern torchlint, which leaves it unparsed
            bare = elsewhere.submit(bare_parse, text).result()
            if bare is None:
                continue
            seconds["bare parse"] += bare
            timings: dict[str, float] = {}
            start = time.process_time()
            found = lint(text, settings, path=path, project=project, timings=timings)
            seconds["lint"] += time.process_time() - start
            for phase, spent in timings.items():
                seconds[phase] += spent
                if phase.startswith("TL"):
                    seconds["rules"] += spent
            counts["parsed files"] += 1
            counts["parsed lines"] += text.count("\n")
            counts["findings"] += len(found)
    print(json.dumps({"seconds": seconds, "counts": counts}))


if __name__ == "__main__":
    main()
