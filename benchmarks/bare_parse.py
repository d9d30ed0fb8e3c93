"""The yardstick: `libcst.parse_module` over the files named on standard input, one per line, in as many processes as asked for.

`python -m benchmarks.bare_parse 4 < files`. Nothing is done with the trees.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import libcst as cst


def parse(path: str) -> bool:
    """Whether LibCST can read the file at all."""
    try:
        cst.parse_module(Path(path).read_bytes())
    except (cst.ParserSyntaxError, UnicodeDecodeError, SyntaxError, RecursionError):
        return False
    return True


def main() -> None:
    processes, files = int(sys.argv[1]), sys.stdin.read().splitlines()
    if processes == 1:
        parsed = sum(map(parse, files))
    else:
        with ProcessPoolExecutor(processes) as pool:
            parsed = sum(pool.map(parse, files, chunksize=max(1, min(16, len(files) // (4 * processes)))))
    print(parsed)


if __name__ == "__main__":
    main()
