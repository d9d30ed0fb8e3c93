"""Fixes a folder in place, as `torchlint check --fix` does without any settings, and prints as JSON what was fixed.

    python -m ecosystem.fixing_child FOLDER safe|unsafe [RULE ...]

The command itself prints what is left. Which rule changed which file is only known inside.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ecosystem.linting import UNCONFIGURED
from torchlint.edits import Applicability
from torchlint.run.many import Outcome, check_all, mentioning
from torchlint.run.one import Mode, Task
from torchlint.settings import Configuration
from torchlint.sources.discovery import discover


def main(folder: Path, level: str, rules: tuple[str, ...]) -> dict[str, object]:
    outcome = Outcome()
    configuration = Configuration({"select": rules} if rules else {}, file=UNCONFIGURED)
    work = mentioning(discover([folder], configuration).files, outcome)
    check_all(work, Task(Mode.FIX, Applicability[level.upper()], (folder,)), outcome, jobs=1, advance=lambda: None)
    reports = [(report.path.relative_to(folder).as_posix(), report) for report in outcome.reports]
    failures = [f"{path}: {each.message}" for path, report in reports for each in report.diagnostics if each.is_internal_error]
    return {
        "fixed": {path: [each.code for each in report.fixed] for path, report in reports if report.fixed},
        "problems": [*outcome.problems, *failures],
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:]))))
