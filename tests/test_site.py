"""The documentation site: it builds without a warning, holds every page once, and every link in it leads somewhere."""

import importlib.util
import os
import posixpath
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

from torchlint.settings import KEYS

ROOT = Path(__file__).parents[1]
HOME = "https://github.com/torchlint/torchlint/blob/main/"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("documentation_pages", ROOT / "docs" / "pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = load()


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.targets |= {value for name in ("href", "src") if (value := given.get(name))}
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder


def test_every_section_of_the_readme_is_on_one_page() -> None:
    written = pages.written()
    _, sections = pages.readme()
    texts = "".join(written.values())

    assert [name for name, text in sections.items() if texts.count(text) != 1] == []
    assert [key for key in KEYS if f"### `{key}`" not in written["configuration.md"]] == []


def test_every_page_of_the_rule_book_is_in_the_navigation() -> None:
    def names(entries: list[object]) -> list[str]:
        parts = [part for entry in entries for part in (entry.values() if isinstance(entry, dict) else [entry])]
        return [name for part in parts for name in (names(part) if isinstance(part, list) else [str(part)])]

    found = names(pages.navigation())

    assert sorted(found) == sorted({*(name for name in pages.copied() if name.endswith(".md")), *pages.written()})


def test_a_list_below_a_paragraph_becomes_one() -> None:
    text = "One:\n- a\n- b\n  more\n- c\n\n```\nkey:\n- x\n```\n"

    assert pages.apart(text) == text.replace("One:\n", "One:\n\n")


def test_every_page_is_built(site: Path) -> None:
    built = {path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")}
    wanted = [*pages.written(), *(name for name in pages.copied() if name.endswith(".md"))]

    assert {re.sub(r"(^|/)README$", "", name.removesuffix(".md")) or "." for name in wanted} == built


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    files = {path.relative_to(site).as_posix(): Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    files.pop("404.html")
    dead = []
    for name, links in files.items():
        for target in links.targets:
            parts = urlsplit(target)
            if target.startswith(HOME) and not (ROOT / target.removeprefix(HOME).partition("#")[0]).exists():
                dead.append((name, target))
            if parts.scheme or parts.netloc:
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
            file = posixpath.normpath(posixpath.join(path, "index.html")) if (site / path).is_dir() else path
            if not (site / file).is_file() or (parts.fragment and file in files and parts.fragment not in files[file].anchors):
                dead.append((name, target))

    assert dead == []


def test_examples_of_a_page_are_shown_as_code(site: Path) -> None:
    page = (site / "rules" / "autograd" / "graph_kept_in_total" / "index.html").read_text(encoding="utf-8")

    assert page.count('class="filename">bad') >= 1 and page.count('class="filename">good') >= 1
    assert "```" not in page
