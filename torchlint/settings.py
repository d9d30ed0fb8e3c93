"""What a run is told: the frozen `Settings`, the keys they are read from, and how files and options are laid over one another.

Which rules follow from the selectors is answered by `torchlint.selection`, which files from the patterns by
`torchlint.sources.discovery`. One table, `KEYS`, drives reading, validation and `torchlint config`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from torchlint import dependencies
from torchlint.sources import regular, toml

FORMATS = ("full", "concise", "grouped", "json", "json-lines", "sarif", "github", "gitlab", "junit", "html")
SEVERITIES = ("info", "warning", "error")
FILE_NAMES = (".torchlint.toml", "torchlint.toml", "pyproject.toml")
"""In order of precedence within one folder."""
DEFAULT_EXCLUDE = (
    *(".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache", ".pytype"),
    *(".ruff_cache", ".svn", ".tox", ".venv", ".vscode", ".torchlint_cache", "__pycache__", "__pypackages__", "_build", "build", "dist"),
    *("node_modules", "site-packages", "venv"),
)
DEFAULT_TEST_FILES = ("tests/", "test_*.py", "*_test.py", "conftest.py")

Options = Mapping[str, Any]
"""Keys of `KEYS` that were given, with their validated values."""


class SettingsError(Exception):
    """A configuration that cannot be used; each line says where and why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Settings:
    select: tuple[str, ...] | None = None
    """None: the rules that are on by default."""
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fixable: tuple[str, ...] = ("ALL",)
    unfixable: tuple[str, ...] = ()
    extend_safe_fixes: tuple[str, ...] = ()
    extend_unsafe_fixes: tuple[str, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ("*.py", "*.pyi", "*.ipynb", "*.md")
    test_files: tuple[str, ...] = DEFAULT_TEST_FILES
    torch_version: str | None = None
    """The oldest torch that the project supports; None where nobody says so."""
    newest_torch: str | None = None
    """The newest one, where the project's dependencies set a limit."""
    torch_origin: str | None = None
    """The file of the project that both were read from; None where the user named them, or nothing does."""
    managed_loops: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    """Modules with further rules, apart from those that installed packages announce."""
    baseline: str | None = None
    cache_dir: str | None = None
    """Where findings are kept between runs; None for the usual folder."""
    output_format: str = "full"
    severity: str = "info"
    """The lowest severity that is reported; rules below it do not run."""
    root: Path = Path()
    """The folder that patterns are relative to: that of the configuration file, or the current one."""
    origin: str | None = None
    """The file that the selectors come from; None for the command line."""
    below: Settings | None = None
    """The settings whose selection this one refines. Later layers win, whatever the precision of their selectors."""

    def over(self, options: Options, origin: str | None) -> Settings:
        """These settings with another layer on top. Keys named `extend-...` add, the others replace."""
        changes: dict[str, Any] = {}
        for name, value in options.items():
            field = name.replace("-", "_")
            changes[field] = getattr(self, field) + value if name.startswith("extend-") else value
        if not options.keys() & _LAYERED:
            return replace(self, **changes)
        fresh = {"select": None, "extend_select": (), "ignore": ()}
        given = {name.replace("-", "_"): options[name] for name in _LAYERED if name in options}
        return replace(self, **{**changes, **fresh, **given, "origin": origin, "below": self})

    def selectors(self) -> Iterator[tuple[str, str]]:
        """Every selector that was given, after the place it comes from. Whether it names a rule is for `torchlint.selection` to say."""
        layer: Settings | None = self
        while layer is not None:
            for key in _SELECTING:
                value = getattr(layer, key.replace("-", "_"))
                if value != KEYS[key].default:
                    given = value if key != "per-file-ignores" else [each for _, selectors in value for each in selectors]
                    place = f"--{key}" if layer.origin is None else f"{layer.origin}: `{key}`"
                    yield from ((place, selector) for selector in given or ())
            layer = layer.below


_LAYERED = {"select", "extend-select", "ignore"}
_SELECTING = ("select", "extend-select", "ignore", "per-file-ignores", "fixable", "unfixable", "extend-safe-fixes", "extend-unsafe-fixes")


class Key(NamedTuple):
    """One key of a configuration file."""

    name: str
    type: str
    help: str
    read: Callable[[Any], Any]
    """The value as `Settings` keeps it; raises `ValueError` if it has the wrong type, with a message if it has the right one."""

    @property
    def default(self) -> Any:
        return getattr(Settings(), self.name.replace("-", "_"))


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError
    return tuple(value)


def _table(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ValueError
    for pattern, selectors in value.items():
        if not isinstance(selectors, list) or not all(isinstance(each, str) for each in selectors):
            raise ValueError(f'must hold lists of rule selectors, but "{pattern}" holds {_described(selectors)}')
    return tuple((pattern, tuple(selectors)) for pattern, selectors in value.items())


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _version(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    if not re.fullmatch(_VERSION, value):
        raise ValueError(f'must be a version such as "2.4", not "{value}"')
    return value


def _format(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    if value not in FORMATS:
        raise ValueError(f'must be one of {", ".join(FORMATS)}, not "{value}"')
    return value


_VERSION = r"\d+\.\d+(\.\d+)?"
_TORCH_VERSION = """\
The oldest torch that the project supports; nothing is suggested that it lacks.

Where it is not given, the project's dependencies say it, in the nearest folder from the checked file up to the root of the repository
that has one of these: pyproject.toml, setup.cfg, setup.py (read, never run), requirements*.txt, environment.yml, or else a lock of uv,
Poetry or PDM. The first of them that says something counts, and of several entries the oldest version.
`torch>=2.1,<2.4` also tells the newest. Where nothing does, the newest torch that torchlint knows is meant."""
_PLUGINS = """\
Packages or modules with rules of your own. They are imported, from where Python finds installed packages.

A package that announces its rules in the entry points `torchlint.rules` need not be named: to install it is enough."""
_CACHE_DIR = "The folder that keeps findings between runs, from the folder of the configuration; by default .torchlint_cache beside it."
_LIST, _PATTERNS = "list of rule selectors", "list of patterns"
EXTEND = "extend"
EXTEND_HELP = "Another configuration file, relative to this one, whose settings hold where this one has none."
"""The one key that is none of the settings."""
KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("select", _LIST, "The rules to run: codes, prefixes (TL1), names (missing-zero-grad), TOR aliases or ALL.", _strings),
        Key("extend-select", _LIST, "Rules to run in addition.", _strings),
        Key("ignore", _LIST, "Rules not to run. Of two selectors that disagree, the more precise one wins.", _strings),
        Key("per-file-ignores", "table from a pattern to a list of rule selectors", "Rules not to run on the files that match.", _table),
        Key("fixable", _LIST, "Rules whose fixes may be applied.", _strings),
        Key("unfixable", _LIST, "Rules whose fixes are never offered.", _strings),
        Key("extend-safe-fixes", _LIST, "Rules whose unsafe fixes count as safe.", _strings),
        Key("extend-unsafe-fixes", _LIST, "Rules whose safe fixes count as unsafe.", _strings),
        Key("exclude", _PATTERNS, "What to leave out, written as in .gitignore. Replaces the default list.", _strings),
        Key("extend-exclude", _PATTERNS, "What to leave out in addition.", _strings),
        Key("include", _PATTERNS, "The files to check in a folder.", _strings),
        Key("test-files", _PATTERNS, "Files in which rules about time and memory alone are quiet, unless selected by code.", _strings),
        Key("torch-version", "string", _TORCH_VERSION, _version),
        Key("managed-loops", "list of qualified names", "Base classes whose methods leave the training loop to a framework.", _strings),
        Key("plugins", "list of modules", _PLUGINS, _strings),
        Key("baseline", "string", "The file that keeps the findings that do not count, from the folder of the configuration.", _string),
        Key("cache-dir", "string", _CACHE_DIR, _string),
        Key("output-format", "string", f"How findings are shown: {', '.join(FORMATS)}.", _format),
    )
}


_LIST_OF_STRINGS = {"type": "array", "items": {"type": "string"}}
SHAPES: dict[Callable[[Any], Any], dict[str, Any]] = {
    _strings: _LIST_OF_STRINGS,
    _table: {"type": "object", "additionalProperties": _LIST_OF_STRINGS},
    _string: {"type": "string"},
    _version: {"type": "string", "pattern": f"^{_VERSION}$"},
    _format: {"type": "string", "enum": list(FORMATS)},
}
"""What each reader of `KEYS` takes, in JSON Schema."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that is most like this one, for messages."""
    from difflib import SequenceMatcher

    return max(valid, key=lambda each: (SequenceMatcher(None, name.lower(), each.lower()).ratio(), each))


class Configuration:
    """The settings of each folder: those of the nearest configuration file, or of the one named, with the command line on top."""

    def __init__(
        self, overrides: Options | None = None, *, severity: str = "info", file: Path | None = None, isolated: bool = False
    ) -> None:
        self._overrides = overrides or {}
        self._start = Settings(severity=severity, root=Path.cwd())
        self._default = self._start.over(self._overrides, None)
        self._isolated = isolated
        self._fixed = self._default if isolated else self._load(file) if file else None
        self._configured: dict[Path, Settings] = {}
        self._dependencies: dict[Path, dependencies.Declared | None] = {}
        self._folders: dict[Path, Settings] = {}

    def settings(self, folder: Path) -> Settings:
        """`folder` is absolute."""
        known = self._folders.get(folder)
        if known is None:
            known = self._fixed if self._fixed is not None else self._nearest(folder)
            if known.torch_version is None and not self._isolated:
                known = _supporting(known, self._declared(folder))
            self._folders[folder] = known
        return known

    def _nearest(self, folder: Path) -> Settings:
        """What the nearest configuration file makes of the settings."""
        known = self._configured.get(folder)
        if known is None:
            file = _file_in(folder)
            known = self._load(file) if file else self._default if folder == folder.parent else self._nearest(folder.parent)
            self._configured[folder] = known
        return known

    def _declared(self, folder: Path) -> dependencies.Declared | None:
        """What the nearest folder says about torch that says anything, up to the root of the repository."""
        if folder not in self._dependencies:
            found = dependencies.declared(folder)
            if found is None and folder != folder.parent and not os.path.exists(folder / ".git"):
                found = self._declared(folder.parent)
            self._dependencies[folder] = found
        return self._dependencies[folder]

    def _load(self, file: Path) -> Settings:
        settings = replace(self._start, root=file.absolute().parent)
        for origin, options in _chain(file):
            settings = settings.over(options, origin)
        return settings.over(self._overrides, None)


def _supporting(settings: Settings, found: dependencies.Declared | None) -> Settings:
    if found is None:
        return settings
    return replace(settings, torch_version=found.oldest, newest_torch=found.newest, torch_origin=str(found.file))


def _file_in(folder: Path) -> Path | None:
    for name in FILE_NAMES:
        file = folder / name
        if file.is_file() and (name != "pyproject.toml" or _section(file, required=False) is not None):
            return file
    return None


def _chain(file: Path) -> list[tuple[str, Options]]:
    """The options of the file and of those that it extends, the furthest first."""
    layers: list[tuple[str, Options]] = []
    seen: set[str] = set()
    following: Path | None = file
    while following is not None:
        identity = os.path.realpath(str(following).replace("\0", "\N{REPLACEMENT CHARACTER}"))
        if identity in seen:
            raise SettingsError(f"{following}: `extend` leads back to this file")
        seen.add(identity)
        section = _section(following, required=True)
        options = _validated(following, {name: value for name, value in (section or {}).items() if name != "extend"})
        layers.append((str(following), options))
        base = (section or {}).get("extend")
        if base is not None and not isinstance(base, str):
            raise SettingsError(f"{following}: `extend` must be a path, not {_described(base)}")
        following = following.parent / os.path.expanduser(base) if base is not None else None
    return layers[::-1]


def _section(file: Path, *, required: bool) -> dict[str, Any] | None:
    """The part of the file that is ours. A `pyproject.toml` that does not speak of us is no concern of ours, valid or not."""
    try:
        data = regular.read(file)
        if not required and b"torchlint" not in data:
            return None
        document = toml.parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not valid UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from error
    if file.name != "pyproject.toml":
        return document
    tools = document.get("tool")
    section = tools.get("torchlint") if isinstance(tools, dict) else None
    if section is None and not required:
        return None
    if not isinstance(section or {}, dict):
        raise SettingsError(f"{file}: `tool.torchlint` must be a table, not {_described(section)}")
    return section or {}


def _validated(file: Path, section: Options) -> Options:
    prefix = "tool.torchlint." if file.name == "pyproject.toml" else ""
    options: dict[str, Any] = {}
    mistakes: list[str] = []
    for name, value in section.items():
        key = KEYS.get(name)
        if key is None:
            hint = f"the nearest is `{nearest(name, (*KEYS, 'extend'))}`, and `torchlint config` lists all"
            mistakes.append(f"{file}: unknown key `{prefix}{name}`; {hint}")
            continue
        try:
            options[name] = key.read(value)
        except ValueError as error:
            wrong = str(error) or f"must be a {key.type}, not {_described(value)}"
            mistakes.append(f"{file}: `{prefix}{name}` {wrong}")
    if mistakes:
        raise SettingsError(*mistakes)
    return options


def _described(value: Any) -> str:
    if isinstance(value, list):
        odd = [each for each in value if not isinstance(each, str)]
        return f"a list with {_described(odd[0])} in it" if odd else "a list"
    names = {str: "a string", bool: "a boolean", int: "an integer", float: "a float", dict: "a table"}
    return names.get(type(value), f"a {type(value).__name__}")
