"""A page for the browser that needs nothing beside it: findings by rule and by file, with their evidence and fixes, to be filtered.

What is filtered for stands behind the `#` of the address, `#rule=TL102&file=src/train.py&text=loss`, so that a view can be linked to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from torchlint import __version__
from torchlint.diagnostic import Diagnostic
from torchlint.output import Report, count
from torchlint.output.evidence import blocks, sketch
from torchlint.output.excerpt import visible
from torchlint.output.positions import Positions
from torchlint.output.summary import summary
from torchlint.rulebook import url
from torchlint.run.one import FileReport
from torchlint.selection import named
from torchlint.settings import SettingsError

_SEVERITIES = ("error", "warning", "info")


def check_extra() -> None:
    """Raises `SettingsError` where what fills the template is not installed."""
    if find_spec("jinja2") is None:
        raise SettingsError('the format html needs Jinja2, which is not installed: pip install "torchlint[report]"')


def render(report: Report) -> Iterator[str]:
    check_extra()
    yield from filled("output/page.html", _content(report)).splitlines()


def filled(template: str, content: Mapping[str, Any]) -> str:
    """A template of this package, filled. What it includes stands in the package as well, and in the page afterwards."""
    from jinja2 import Environment, FunctionLoader

    loader = FunctionLoader(lambda name: files("torchlint").joinpath(name).read_text(encoding="utf-8"))
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template).render(version=__version__, made=_now(), **content)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _content(report: Report) -> dict[str, Any]:
    found = [(file, each) for file in report.files for each in file.diagnostics]
    levels = Counter(each.severity.label for _, each in found)
    rules = Counter((each.code, each.name, each.severity.label) for _, each in found)
    paths = Counter(_path(file) for file, _ in found)
    return {
        "summary": list(summary(report))[-1],
        "levels": [
            (count(levels[level], level) if level != "info" else f"{levels[level]} info", level) for level in _SEVERITIES if levels[level]
        ],
        "rules": [
            {"code": code, "name": name, "severity": severity, "number": number, "url": _page(code)}
            for (code, name, severity), number in sorted(rules.items(), key=lambda each: (-each[1], each[0]))
        ],
        "files": sorted(paths.items(), key=lambda each: (-each[1], each[0])),
        "findings": [finding(file, each) for file, each in found],
    }


def finding(file: FileReport, found: Diagnostic) -> dict[str, Any]:
    """What `output/finding.html` and the head above it are filled with."""
    positions = Positions(file.text)
    fixes = [fix for fix in (found.fix, *found.alternatives) if fix is not None]
    return {
        "path": _path(file),
        "place": str(file.place(found.location)),
        "code": found.code,
        "name": found.name,
        "severity": found.severity.label,
        "message": visible(found.message),
        "help": None if found.help is None else visible(found.help),
        "url": _page(found.code),
        "blocks": list(blocks(file, found, positions)),
        "fixes": [
            {"message": visible(fix.message), "level": fix.applicability.label, "lines": list(map(visible, sketch(positions, fix.edits)))}
            for fix in fixes
        ],
    }


def _path(file: FileReport) -> str:
    return visible(str(file.path))


def _page(code: str) -> str | None:
    return next((url(rule) for rule in named(code)), None)
