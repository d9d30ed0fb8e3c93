"""SARIF 2.1.0, which code scanning reads: rules with their pages, findings with their evidence, fixes and fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torchlint import __version__, rulebook
from torchlint.diagnostic import Diagnostic, Location
from torchlint.edits import Applicability, ResolvedFix
from torchlint.fingerprint import fingerprints
from torchlint.output import Report
from torchlint.output.paths import inside, uri, uri_of
from torchlint.output.positions import Positions
from torchlint.rule import Rule
from torchlint.run.one import FileReport
from torchlint.selection import named

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(report: Report) -> Iterator[str]:
    codes = sorted({each.code for file in report.files for each in file.diagnostics})
    driver = {
        "name": "torchlint",
        "version": __version__,
        "informationUri": rulebook.HOME,
        "rules": [_rule(named(code)[0]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [each for file in report.files for each in _results(file, codes)],
    }
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    page, url = rulebook.page(rule), rulebook.url(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.title},
        "help": {"text": page, "markdown": page},
        **({"helpUri": url} if url is not None else {}),
        "defaultConfiguration": {"level": _LEVELS[rule.severity.label], "enabled": rule.default},
        "properties": {"tags": [rule.family]},
    }


def _results(file: FileReport, codes: list[str]) -> Iterator[dict[str, Any]]:
    positions, where = Positions(file.text), uri(file)
    marks = fingerprints(inside(file) or file.filename, file.text, file.diagnostics)
    for each, mark in zip(file.diagnostics, marks, strict=True):
        result: dict[str, Any] = {
            "ruleId": each.code,
            "ruleIndex": codes.index(each.code),
            "level": _LEVELS[each.severity.label],
            "message": {"text": each.message if each.help is None else f"{each.message}\n{_sentence(each.help)}"},
            "locations": [_location(file, where, each)],
            "partialFingerprints": {"torchlint/v1": mark},
        }
        if each.related:
            result["relatedLocations"] = list(_related(file, each, where))
        fixes = [fix for fix in (each.fix, *each.alternatives) if fix is not None and fix.applicability > Applicability.DISPLAY]
        if fixes and file.cells is None:  # they replace code, and a notebook is JSON
            result["fixes"] = [_fix(fix, where, positions) for fix in fixes]
        yield result


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _location(file: FileReport, where: str, finding: Diagnostic) -> dict[str, Any]:
    found: dict[str, Any] = {"physicalLocation": _place(file, where, finding.location, finding.end_location)}
    if file.cells is not None:
        found["logicalLocations"] = [{"name": str(file.place(finding.location)), "kind": "element"}]
    return found


def _related(file: FileReport, finding: Diagnostic, where: str) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(finding.related):
        home = file if each.path is None else FileReport(Path(each.path))
        place = _place(home, where if each.path is None else uri_of(each.path), each.location, each.end_location)
        yield {"id": number, "message": {"text": each.message}, "physicalLocation": place}


def _place(file: FileReport, where: str, start: Location, end: Location) -> dict[str, Any]:
    region = _region(start, end) if file.cells is None else {"startLine": file.row(start), "endLine": file.row(end)}
    return {"artifactLocation": {"uri": where}, "region": region}


def _region(start: Location, end: Location) -> dict[str, int]:
    return {"startLine": start.row, "startColumn": start.column, "endLine": end.row, "endColumn": end.column}


def _fix(fix: ResolvedFix, where: str, positions: Positions) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(positions.location(each.start), positions.location(each.end)), "insertedContent": {"text": each.content}}
        for each in fix.edits
    ]
    return {
        "description": {"text": f"{fix.message} ({fix.applicability.label})"},
        "artifactChanges": [{"artifactLocation": {"uri": where}, "replacements": replacements}],
    }
