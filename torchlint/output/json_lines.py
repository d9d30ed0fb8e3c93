"""A JSON object on each line, each as in the list of `json_list`: to be read while it grows, and line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from torchlint.output import Report
from torchlint.output.json_list import entries


def render(report: Report) -> Iterator[str]:
    for file in report.files:
        yield from (json.dumps(each) for each in entries(file))
