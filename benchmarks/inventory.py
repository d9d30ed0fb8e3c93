"""What the tables of torch's names and signatures cost the first file that asks them: time and memory, each in a process of its own.

    python -m benchmarks.inventory

What is read while the rules are loaded is a part of the start, and not counted here. The time is that of the processor; the memory is
what the process holds more at its peak. Figures of some runs are in `benchmarks/results/inventory.md`.
"""

from __future__ import annotations

import json
import statistics
import sys

from benchmarks.measure import run

ROUNDS = 5
QUESTIONS = {
    "rules loaded, nothing asked": "pass",
    "a name that torch has": "from torchlint.facts.absent import is_absent; is_absent('torch.nn.Linear')",
    "a name that torch lacks, and the nearest": (
        "from torchlint.facts.absent import is_absent, near; from torchlint.facts.versions import Range, nearest, versions; "
        "path = 'torch.nn.Modulelist'; is_absent(path); near(path, Range(versions()[-1], versions()[-1])); nearest(path)"
    ),
    "a signature": "from torchlint.facts.signatures import signatures; signatures('torch.nn.Linear')",
}
PROGRAM = """
import json, resource, time
from torchlint import engine
from torchlint.rule import load_rules
load_rules()
held, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
{question}
spent = time.process_time() - start
print(json.dumps([1000 * spent, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / {unit}]))
"""


def main() -> None:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    for name, question in QUESTIONS.items():
        found = [json.loads(run([sys.executable, "-c", PROGRAM.format(question=question, unit=unit)]).output) for _ in range(ROUNDS)]
        milliseconds, mebibytes = (statistics.median(each) for each in zip(*found, strict=True))
        print(f"{name:42}{milliseconds:8.1f} ms{mebibytes:8.1f} MiB")


if __name__ == "__main__":
    main()
