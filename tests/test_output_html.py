"""The page for the browser: complete in one file, harmless whatever the sources hold, and filtered by its address."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cli_cases import SAFE, UNSAFE, write
from commands import Torchlint
from test_output import TEXT, finding, lines, report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """The findings of a page, each with whether it is hidden, and all addresses that the browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.articles: list[tuple[str, bool]] = []
        self.loaded: list[str] = []
        self.unnamed: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "article":
            self.articles.append((str(found["data-rule"]), "hidden" in found))
        if "src" in found or tag == "link":
            self.loaded.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def page(*args: object, **options: object) -> Page:
    return Page("\n".join(lines("html", report(*args, **options))))  # type: ignore[arg-type]


def test_page_holds_every_finding_with_source_help_and_fix() -> None:
    shown = page(finding(), finding(code="TL101"))

    assert shown.articles == [("TL102", False), ("TL101", False)]
    for text in (
        "a.py:4:14",
        "`total` keeps every graph",
        "4 |     total += loss",
        "add the detached value",
        "+     total += loss.detach()",
    ):
        assert text in shown.text


def test_page_loads_nothing() -> None:
    text = "\n".join(lines("html", report(finding())))

    assert Page(text).loaded == []
    assert not re.search(r"@import|url\(", text)


def test_sources_cannot_break_out_of_the_page() -> None:
    evil = '</pre><script>alert(1)</script>"'
    text = "\n".join(
        lines("html", report(finding(message=evil, help=evil), text=TEXT.replace("loss", evil), path=f"{evil}.py".replace("/", ":")))
    )

    assert text.count("<script>") == 1


def test_page_without_findings_says_so() -> None:
    assert "No findings in 3 files." in page().text


def test_page_is_written_to_a_file(torchlint: Torchlint) -> None:
    write("a.py", SAFE)
    result = torchlint("check", "--output-format", "html", "--output-file", "report.html")

    assert (result.status, result.out) == (1, "")
    assert Path("report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_missing_extra_is_named_before_anything_is_checked(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SAFE)
    hidden = "import sys; sys.modules['jinja2'] = None; sys.argv = ['torchlint', 'check', '--output-format', 'html', sys.argv[1]]"
    result = subprocess.run(
        [sys.executable, "-c", f"{hidden}; from torchlint.__main__ import main; main()", str(tmp_path)], capture_output=True, text=True
    )

    assert (result.returncode, result.stdout) == (2, "")
    assert 'pip install "torchlint[report]"' in result.stderr and "Traceback" not in result.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize(
    ("address", "visible"),
    [
        ("", ["TL102", "TL101", "TL102"]),
        ("#rule=TL102", ["TL102", "TL102"]),
        ("#file=b.py", []),
        ("#text=THE+STEP", ["TL101"]),
        ("#rule=TL102&text=the+step", []),
        ("#severity=warning", ["TL102", "TL101", "TL102"]),
    ],
)
def test_address_filters_the_findings_in_a_browser(tmp_path: Path, address: str, visible: list[str]) -> None:
    shown = report(finding(), finding(code="TL101", message="the step"), finding())
    (tmp_path / "page.html").write_text("\n".join(lines("html", shown)), encoding="utf-8")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        *quiet,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
    ]
    result = subprocess.run([*command, (tmp_path / "page.html").as_uri() + address], capture_output=True, text=True, timeout=120)
    found = Page(result.stdout)

    assert len(found.articles) == 3
    assert [code for code, hidden in found.articles if not hidden] == visible
    assert f"{len(visible)} of 3 shown" in found.text


def test_unsafe_findings_say_how_far_their_fix_goes(torchlint: Torchlint) -> None:
    write("a.py", UNSAFE)

    assert "Fix (unsafe)" in torchlint("check", "--output-format", "html").out
