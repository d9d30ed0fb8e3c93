"""What the documentation site is made of, as a hook of MkDocs: the pages of the repository under their paths there, so that links hold.

Sections of the README that are long enough become pages of their own. Links to files that are no pages lead to GitHub.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchlint.cli.config import default
from torchlint.rulebook import HOME
from torchlint.settings import KEYS

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
SECTIONS = {
    "Configuration": ("Configuration",),
    "Editors": ("Editors",),
    "CI": ("pre-commit", "CI"),
    "Proof": ("Sanity: proof by running",),
    "Rules of your own": ("Rules of your own",),
}
"""The pages that are made of sections of the README."""
COPIED = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "editors/vscode/README.md",
    "examples/plugin/README.md",
    "rules/**/*.md",
    "docs/*.md",
    "docs/*.svg",
    "docs/*.json",
)
FAMILIES = ("autograd", "training", "modules", "device", "data", "numerics", "distributed", "api", "safety", "tool")
_LINK = re.compile(r"\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
_FENCE = re.compile(r"^```python (bad|good)(?: (raises \w+))?$", re.MULTILINE)
_LISTED = re.compile(r"(?:-|\d+\.) ")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def copied() -> list[str]:
    """The files of the repository that are in the site, from its root."""
    return [path.relative_to(ROOT).as_posix() for pattern in COPIED for path in sorted(ROOT.glob(pattern))]


def written() -> dict[str, str]:
    """The pages that are made here, by their names; the README among them, without what became pages of their own."""
    opening, sections = readme()
    pages = {}
    for title, names in SECTIONS.items():
        own = [sections.pop(name) if len(names) == 1 else f"## {name}\n{sections.pop(name)}" for name in names]
        pages[page_name(title)] = f"# {title}\n\n{''.join(own)}"
    pages[page_name("Configuration")] += "## Keys\n\n" + "\n".join(
        f"### `{key.name}`\n\n{key.help}\n\nA {key.type}; by default {_as_code(default(key))}.\n" for key in KEYS.values()
    )
    pages["README.md"] = opening + "".join(f"## {name}\n{text}" for name, text in sections.items())
    return pages


def _as_code(text: str) -> str:
    return f"`{text}`" if text.startswith(("[", '"')) else text


def readme() -> tuple[str, dict[str, str]]:
    """What stands above the first section of the README, and the sections by their names."""
    opening, *parts = _HEADING.split((ROOT / "README.md").read_text(encoding="utf-8"))
    return opening, dict(zip(parts[::2], parts[1::2], strict=True))


def page_name(title: str) -> str:
    return f"{title.lower().replace(' ', '-')}.md"


def navigation() -> list[Any]:
    rules = [{family: [name for name in copied() if name.startswith(f"rules/{family}/")]} for family in FAMILIES]
    about = ["rules/README.md", *rules, "rules/myths.md", "rules/other-linters.md", page_name("Rules of your own")]
    return [
        {"Start": "README.md"},
        {"Rules": about},
        {"Configuration": page_name("Configuration")},
        {"Editors": [page_name("Editors"), "editors/vscode/README.md"]},
        {"CI": page_name("CI")},
        {"Proof": [page_name("Proof"), "docs/your-own-program.md"]},
        {"Data sets of code": "docs/corpus.md"},
        {"Coming from TorchFix": "docs/coming-from-torchfix.md"},
        {"Contributing": ["CONTRIBUTING.md", "examples/plugin/README.md", "CHANGELOG.md"]},
    ]


def on_config(config: MkDocsConfig) -> None:
    config.nav = navigation()


def on_files(files: Files, config: MkDocsConfig) -> None:
    from mkdocs.structure.files import File

    for each in [each for each in files if each.src_dir == config.docs_dir]:
        files.remove(each)
    pages = written()
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for name in copied():
        if name not in pages:
            files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    folder = posixpath.dirname(page.file.src_uri)

    def led(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, link["target"]))
        if files.get_file_from_path(target) is not None or not (ROOT / target).exists():
            return link[0]
        return f"]({HOME}/blob/main/{target}{link['anchor'] or ''})"

    titled = _FENCE.sub(lambda fence: f'```python title="{", ".join(filter(None, fence.groups()))}"', markdown)
    return _LINK.sub(led, apart(titled))


def apart(markdown: str) -> str:
    """With a row between a paragraph and a list below it, which GitHub does not need."""
    rows: list[str] = []
    fenced = False
    for row in markdown.splitlines():
        above = rows[-1] if rows else ""
        if not fenced and _LISTED.match(row) and above and not above.startswith((" ", "#")) and not _LISTED.match(above):
            rows.append("")
        fenced ^= row.lstrip().startswith("```")
        rows.append(row)
    return "\n".join(rows) + "\n"
