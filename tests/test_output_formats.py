"""What findings look like for programs: each format holds what the program that reads it expects."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from test_output import STEPS, TEXT, at_level, finding, lines, report

from torchlint.diagnostic import Location, Related, Severity
from torchlint.edits import Applicability
from torchlint.engine import lint
from torchlint.fingerprint import fingerprints
from torchlint.rulebook import fixtures
from torchlint.selection import named
from torchlint.settings import Settings

SCHEMA = json.loads((Path(__file__).parent / "data" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))


def loaded(output_format: str, *findings: Any, **options: Any) -> Any:
    return json.loads("\n".join(lines(output_format, report(*findings, **options))))


def sarif(*findings: Any, **options: Any) -> Any:
    log = loaded("sarif", *findings, **options)
    jsonschema.validate(log, SCHEMA)
    return log["runs"][0]


def test_grouped_lists_the_findings_beneath_their_file() -> None:
    second = finding(location=Location(12, 1), end_location=Location(12, 2), fix=None)

    assert lines("grouped", report(finding(), second)) == [
        "a.py:",
        "  4:14  TL102 [*] `total` keeps every graph",
        "  12:1  TL102 `total` keeps every graph",
        "",
        "2 findings in 1 of 3 files; 1 fixable with --fix.",
    ]


def test_json_lines_hold_what_the_list_holds() -> None:
    shown = report(finding(), finding(code="TL101"))

    assert [json.loads(line) for line in lines("json-lines", shown)] == json.loads("\n".join(lines("json", shown)))


def test_json_lines_of_nothing_are_no_lines() -> None:
    assert lines("json-lines", report()) == []


class TestSarif:
    def test_run_without_findings_is_valid(self) -> None:
        assert sarif()["results"] == []

    def test_finding_names_its_rule_level_and_place(self) -> None:
        (result,) = sarif(finding())["results"]

        assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("TL102", 0, "warning")
        assert result["message"]["text"] == "`total` keeps every graph\nAdd the detached value."
        assert result["locations"][0]["physicalLocation"] == {
            "artifactLocation": {"uri": "a.py"},
            "region": {"startLine": 4, "startColumn": 14, "endLine": 4, "endColumn": 18},
        }

    def test_rules_are_those_found_each_with_its_page(self) -> None:
        run = sarif(finding(), finding(), finding(code="TL101"))
        rules = run["tool"]["driver"]["rules"]

        assert [rule["id"] for rule in rules] == ["TL101", "TL102"]
        assert rules[1]["help"]["markdown"].startswith("# TL102 graph-kept-in-total")
        assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == ["TL102", "TL102", "TL101"]

    @pytest.mark.parametrize(("severity", "level"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")])
    def test_severities_become_levels(self, severity: Severity, level: str) -> None:
        assert sarif(finding(severity=severity))["results"][0]["level"] == level

    def test_fix_is_a_replacement_in_the_file(self) -> None:
        (fix,) = sarif(finding())["results"][0]["fixes"]

        assert fix["description"]["text"] == "Add the detached value (safe)"
        (change,) = fix["artifactChanges"]
        assert change["artifactLocation"] == {"uri": "a.py"}
        assert change["replacements"] == [
            {
                "deletedRegion": {"startLine": 4, "startColumn": 18, "endLine": 4, "endColumn": 18},
                "insertedContent": {"text": ".detach()"},
            }
        ]

    def test_alternatives_are_further_fixes_and_what_is_only_shown_is_none(self) -> None:
        fix = finding().fix
        assert fix is not None
        other = replace(fix, applicability=Applicability.UNSAFE, message="Add the number")

        assert [each["description"]["text"] for each in sarif(finding(alternatives=(other,)))["results"][0]["fixes"]] == [
            "Add the detached value (safe)",
            "Add the number (unsafe)",
        ]
        assert "fixes" not in sarif(at_level(Applicability.DISPLAY))["results"][0]

    def test_evidence_comes_as_related_locations(self, tmp_path: Path) -> None:
        here = Related("the step", Location(1, 1), Location(1, 2))
        there = Related("the helper", Location(2, 1), Location(2, 2), str(tmp_path / "b c.py"), STEPS)
        (result,) = sarif(finding(related=(here, there)))["results"]

        assert [(each["message"]["text"], each["physicalLocation"]["artifactLocation"]["uri"]) for each in result["relatedLocations"]] == [
            ("the step", "a.py"),
            ("the helper", f"file://{tmp_path.as_posix()}/b%20c.py"),
        ]

    @pytest.mark.parametrize(
        ("path", "uri"), [("a b/c%.py", "a%20b/c%25.py"), ("/x/a,b.py", "file:///x/a%2Cb.py"), ("é.py", "%C3%A9.py"), ("-", "-")]
    )
    def test_paths_become_uris(self, path: str, uri: str) -> None:
        (result,) = sarif(finding(), path=path)["results"]

        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri

    def test_findings_of_the_tool_itself_are_valid(self) -> None:
        broken = lint("def f(:\n")

        assert [each["ruleId"] for each in sarif(*broken, text="def f(:\n")["results"]] == ["TL001"]

    @pytest.mark.parametrize("code", ["TL101", "TL201", "TL301", "TL701"])
    def test_findings_of_real_rules_are_valid(self, code: str) -> None:
        (rule,) = named(code)
        text = (fixtures(rule) / "bad.py").read_text(encoding="utf-8")
        found = lint(text, Settings(select=(rule.code,)))

        assert len(sarif(*found, text=text)["results"]) == len(found) > 0


class TestFingerprints:
    def test_moved_finding_keeps_its_fingerprint(self) -> None:
        moved = finding(location=Location(6, 18), end_location=Location(6, 22))

        assert fingerprints("a.py", TEXT, [finding()]) == fingerprints("a.py", "\n\n" + TEXT.replace("    total", "        total"), [moved])

    def test_changed_row_file_or_rule_changes_the_fingerprint(self) -> None:
        (own,) = fingerprints("a.py", TEXT, [finding()])

        assert fingerprints("a.py", TEXT.replace("loss", "lost"), [finding()]) != [own]
        assert fingerprints("b.py", TEXT, [finding()]) != [own]
        assert fingerprints("a.py", TEXT, [finding(code="TL101")]) != [own]

    def test_findings_that_are_alike_differ_by_their_number(self) -> None:
        first, second = fingerprints("a.py", TEXT, [finding(), finding()])

        assert first != second
        assert fingerprints("a.py", TEXT, [finding()]) == [first]


class TestGitlab:
    def test_entry_has_what_code_quality_asks_for(self) -> None:
        (entry,) = loaded("gitlab", finding())

        assert entry == {
            "check_name": "TL102",
            "description": "TL102 (graph-kept-in-total): `total` keeps every graph",
            "severity": "minor",
            "fingerprint": fingerprints("a.py", TEXT, [finding()])[0],
            "location": {"path": "a.py", "positions": {"begin": {"line": 4, "column": 14}, "end": {"line": 4, "column": 18}}},
        }

    @pytest.mark.parametrize(("severity", "name"), [(Severity.ERROR, "major"), (Severity.WARNING, "minor"), (Severity.INFO, "info")])
    def test_severities_are_those_of_gitlab(self, severity: Severity, name: str) -> None:
        assert loaded("gitlab", finding(severity=severity))[0]["severity"] == name


class TestJunit:
    def test_finding_is_a_test_that_failed(self) -> None:
        root = ElementTree.fromstring("\n".join(lines("junit", report(finding()))).encode())

        (suite,) = root
        (case,) = suite
        assert (root.get("tests"), root.get("failures"), suite.get("name")) == ("1", "1", "a.py")
        assert (case.get("name"), case.get("classname"), case.get("line")) == ("TL102 graph-kept-in-total", "a.py", "4")
        assert case[0].text == "a.py:4:14: TL102 `total` keeps every graph\nhelp: add the detached value"

    def test_file_without_findings_is_a_test_that_passed(self) -> None:
        (suite,) = ElementTree.fromstring("\n".join(lines("junit", report())).encode())

        assert (suite.get("tests"), suite.get("failures"), len(suite[0])) == ("1", "0", 0)

    def test_what_xml_cannot_hold_is_written_out(self) -> None:
        root = ElementTree.fromstring("\n".join(lines("junit", report(finding(message="a\x00<b>\ud800&\uffff")))).encode())

        assert root[0][0][0].get("message") == "a\\x00<b>\\ud800&\\uffff"
