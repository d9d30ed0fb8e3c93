"""A JUnit report: each file is a suite, and each finding in it a test that failed; a file without one passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from torchlint.output import Report
from torchlint.output.paths import inside
from torchlint.run.one import FileReport

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, in whatever way it is written."""


def render(report: Report) -> Iterator[str]:
    number = str(sum(len(file.diagnostics) for file in report.files))
    root = Element("testsuites", name="torchlint", tests=str(sum(max(1, len(file.diagnostics)) for file in report.files)), failures=number)
    for file in report.files:
        root.append(_suite(file))
    indent(root)
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield from tostring(root, encoding="unicode").split("\n")


def _suite(file: FileReport) -> Element:
    name, failures = _text(inside(file) or file.filename), len(file.diagnostics)
    suite = Element("testsuite", name=name, tests=str(max(1, failures)), failures=str(failures), errors="0", skipped="0")
    if not failures:
        SubElement(suite, "testcase", name=name, classname=name)
    for each in file.diagnostics:
        place, row = file.place(each.location), str(file.row(each.location))
        case = SubElement(suite, "testcase", name=f"{each.code} {each.name}", classname=name, file=name, line=row)
        failure = SubElement(case, "failure", message=_text(each.message), type=each.severity.label)
        failure.text = _text(f"{name}:{place}: {each.code} {each.message}" + (f"\nhelp: {each.help}" if each.help else ""))
    return suite


def _text(text: str) -> str:
    return _FORBIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
