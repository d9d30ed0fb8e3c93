"""`torchlint check`: from options to settings, from a run to output and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import click

from torchlint.cli import FAILURE, FINDINGS
from torchlint.output import HUMAN_FORMATS, Report, count, nothing_found, render
from torchlint.output.excerpt import visible
from torchlint.output.terminal import has_color
from torchlint.plugins import installed
from torchlint.run.many import Outcome, available_processors, check_all, concerns, mentioning
from torchlint.settings import DEFAULT_TEST_FILES, FORMATS, KEYS, SEVERITIES, Configuration, Settings, SettingsError
from torchlint.sources.discovery import discover, is_excluded
from torchlint.sources.patterns import PatternError

if TYPE_CHECKING:
    from torchlint.cache.kept import Cache
    from torchlint.run.one import Task

STANDARD_INPUT = "-"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _selectors(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Repeated or separated by commas."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def version(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else str(KEYS["torch-version"].read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def rules_option(name: str, help: str) -> Callable[[_Command], _Command]:
    return click.option(name, multiple=True, callback=_selectors, metavar="RULES", help=help)


_file = click.Path(dir_okay=False, path_type=Path)


class Options(NamedTuple):
    """What was asked for, beyond what configuration files can say as well."""

    jobs: int
    fix: bool = False
    unsafe: bool = False
    fix_only: bool = False
    diff: bool = False
    prove: bool = False
    show_fixes: bool = False
    statistics: bool = False
    verbose: bool = False
    exit_zero: bool = False
    exit_non_zero_on_fix: bool = False
    force_exclude: bool = False
    output_file: Path | None = None
    baseline: Path | None = None
    write_baseline: bool = False
    add_suppressions: bool = False
    no_cache: bool = False
    cache_dir: Path | None = None
    watch: bool = False


@click.command(short_help="Report mistakes, and fix them.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True, readable=False))
@click.option("--fix", is_flag=True, help="Apply safe fixes, then report what is left.")
@click.option("--unsafe-fixes/--no-unsafe-fixes", default=False, help="Count unsafe fixes as applicable too.")
@click.option("--fix-only", is_flag=True, help="Apply fixes and report nothing.")
@click.option("--diff", is_flag=True, help="Print what fixing would change, and change nothing.")
@click.option("--prove", is_flag=True, help="Apply only fixes whose rules' scenarios prove them here, by running them.")
@click.option("--show-fixes", is_flag=True, help="List what was fixed.")
@rules_option("--select", "The rules to run: codes, prefixes, names, TOR aliases or ALL.")
@rules_option("--extend-select", "Rules to run in addition.")
@rules_option("--ignore", "Rules not to run.")
@click.option("--severity", type=click.Choice(SEVERITIES), default=SEVERITIES[0], help="The lowest severity that is reported.")
@click.option("--output-format", type=click.Choice(FORMATS), help="How findings are shown.")
@click.option("--output-file", type=_file, help="Write the report to this file.")
@click.option("--baseline", type=_file, help="Count only findings that are not in this file.")
@click.option("--write-baseline", is_flag=True, help="Write the findings to the baseline, so that only new ones count from now on.")
@click.option("--add-suppressions", is_flag=True, help="Write a comment to each finding that suppresses it.")
@click.option("--statistics", is_flag=True, help="Count the findings per rule instead of listing them.")
@click.option("-v", "--verbose", is_flag=True, help="With --statistics, also show where the time went.")
@click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if something was fixed, even if nothing is left.")
@click.option("--torch-version", callback=version, metavar="VERSION", help="The oldest torch that the project supports.")
@click.option("--config", type=_file, help="Use this configuration file and no other.")
@click.option("--isolated", is_flag=True, help="Use no configuration file.")
@click.option("-n", "--no-cache", is_flag=True, help="Neither use nor keep what was found in earlier runs.")
@click.option("--cache-dir", type=click.Path(file_okay=False, path_type=Path), help="Where to keep what was found.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@click.option("--force-exclude", is_flag=True, help="Leave excluded files out even if they are named (for pre-commit).")
@click.option("--stdin-filename", type=_file, help="What to call standard input, and where to look for its settings.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many processes to use; by default one per processor.")
@click.pass_context
def check(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    unsafe_fixes: bool,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    severity: str,
    output_format: str | None,
    torch_version: str | None,
    config: Path | None,
    isolated: bool,
    stdin_filename: Path | None,
    jobs: int | None,
    **flags: Any,
) -> None:
    """Check the PATHS (files, folders, `-` for standard input; by default the current folder).

    Exits with 0 if nothing is left to report, 1 if there are findings, 2 after wrong usage or a failure.
    """
    options = Options(unsafe=unsafe_fixes, jobs=jobs or available_processors(), **flags)
    given = {
        "select": select,
        "extend-select": extend_select,
        "ignore": ignore,
        "torch-version": torch_version,
        "output-format": output_format,
    }
    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    from_standard_input = Path(STANDARD_INPUT) in paths or (stdin_filename is not None and not paths)
    if from_standard_input and len(paths) > 1:
        raise click.UsageError("`-` stands alone: standard input cannot be checked together with other paths")
    if stdin_filename is not None and not from_standard_input:
        raise click.UsageError("--stdin-filename names standard input, which is checked with `-`")
    if flags["write_baseline"] and (options.fix or options.fix_only or options.diff or from_standard_input):
        raise click.UsageError("--write-baseline goes with no fixing, and not with standard input")
    if flags["add_suppressions"] and (options.fix or options.fix_only or options.diff or options.write_baseline or from_standard_input):
        raise click.UsageError("--add-suppressions goes with no fixing, with no --write-baseline, and not with standard input")
    if options.prove and (from_standard_input or not (options.fix or options.fix_only or options.diff)):
        raise click.UsageError("--prove goes with --fix, --fix-only or --diff, and not with standard input")
    overrides = {name: value for name, value in given.items() if value}

    def once() -> int:
        configuration = Configuration(overrides, severity=severity, file=config, isolated=isolated)
        return Run(options, configuration).paths(paths or (Path(),))

    if options.watch:
        from torchlint.cli import _watch

        if from_standard_input or options.fix or options.fix_only or options.add_suppressions or options.write_baseline:
            raise click.UsageError("--watch reports and changes nothing: it goes with no fixing, and not with standard input")
        ctx.exit(_watch.watch(paths or (Path(),), config, once))
    with told():
        configuration = Configuration(overrides, severity=severity, file=config, isolated=isolated)
        run = Run(options, configuration)
        status = run.standard_input(stdin_filename) if from_standard_input else run.paths(paths or (Path(),))
    ctx.exit(status)


@contextmanager
def told() -> Iterator[None]:
    """Say what is wrong with a configuration as the command line says it."""
    try:
        yield
    except (SettingsError, PatternError) as error:
        raise click.ClickException("\n".join(map(visible, getattr(error, "lines", (str(error),))))) from error


class Run:
    """One run of the linter over what the command line names."""

    def __init__(self, options: Options, configuration: Configuration) -> None:
        self._options = options
        self._configuration = configuration
        self._outcome = Outcome()
        self._settings = configuration.settings(Path.cwd())
        """Those that hold for the run as a whole, such as the format."""

    def _prepare(self) -> None:
        """Say at once what would fail after all the work."""
        if self._settings.output_format == "html":
            from torchlint.output.html_page import check_extra

            check_extra()
        if self._options.prove:
            from torchlint.cli._proof import check_torch

            check_torch()

    @property
    def _baseline(self) -> Path | None:
        """Where the findings are kept that do not count."""
        if self._options.baseline is not None or self._settings.baseline is None:
            return self._options.baseline
        return self._settings.root / self._settings.baseline

    def paths(self, paths: Sequence[Path]) -> int:
        self._prepare()
        started = perf_counter()
        found = discover(paths, self._configuration, force_exclude=self._options.force_exclude)
        self._outcome.seconds["find files"] = perf_counter() - started
        self._outcome.problems += found.problems
        self._begin([path for path, _ in found.files])
        roots = dict.fromkeys(path if os.path.isdir(path) else path.parent for path in paths)
        with_plugins = bool(installed()) or any(settings.plugins for _, settings in found.files)
        folder = None if with_plugins else self._cache_folder()  # what the rules of others find may rest on anything
        cache = _opened(folder, roots) if folder is not None and folder.is_dir() else None
        validated = check_selectors([self._settings, *(settings for _, settings in found.files)], cache)
        if not found.files and not found.problems:
            click.echo(visible(f"torchlint: no Python files in {', '.join(map(str, paths))}"), err=True)
        work = mentioning(found.files, self._outcome, cache)
        if work:
            from torchlint.run.progress import Bar

            if with_plugins:
                from torchlint.selection import all_rules

                all_rules()  # what is wrong with a plugin is said once, and before the work is shared
            if cache is None and folder is not None:
                cache = _opened(folder, roots)
            if cache is not None:
                cache.validated(validated)
            task = self._task(roots)
            if self._options.prove:
                from torchlint.cli._proof import proofs, proven

                work = proven(work, task, self._options.jobs, proofs(self._options.jobs))
            with Bar(len(work)) as bar:
                check_all(work, task, self._outcome, jobs=self._options.jobs, advance=bar.advance, cache=cache)
        if self._options.verbose and cache is not None and cache.problem is not None:
            click.echo(f"torchlint: no cache: {visible(cache.problem)}", err=True)
        return self._finish(sys.stdout)

    def _cache_folder(self) -> Path | None:
        """Where earlier runs keep what they found; nowhere for one that is asked where its time goes."""
        if self._options.no_cache or self._options.statistics and self._options.verbose:
            return None
        return cache_folder(self._settings, self._options.cache_dir)

    def _begin(self, files: Sequence[Path]) -> None:
        """What is to be done once it is known which files there are."""
        if self._options.verbose:
            for line in _supported([self._configuration.settings(each.absolute().parent) for each in files]):
                click.echo(f"torchlint: {visible(line)}", err=True)

    def standard_input(self, name: Path | None) -> int:
        self._prepare()
        try:
            data = sys.stdin.buffer.read()
        except OSError as error:
            raise click.ClickException(f"standard input cannot be read: {error.strerror}") from error
        path = name if name is not None else Path(STANDARD_INPUT)
        settings = self._settings = self._configuration.settings(path.absolute().parent)
        check_selectors([settings])
        skipped = self._options.force_exclude and name is not None and is_excluded(name, self._configuration)
        result = data
        if not skipped:
            self._outcome.checked = 1
        if not skipped and concerns(data):
            from torchlint.run.one import check_bytes
            from torchlint.selection import all_rules
            from torchlint.sources import kinds

            all_rules()  # what is wrong with a plugin is said before anything is done
            report = check_bytes(data, path, settings, self._task([path.parent]))
            self._outcome.reports.append(report)
            if report.fixed:
                result = kinds.read(data, path).encode(report.became)
        if not self._changes:
            return self._finish(sys.stdout)
        if not self._options.diff:
            sys.stdout.buffer.write(result)
            sys.stdout.buffer.flush()
        return self._finish(sys.stderr)

    @property
    def _changes(self) -> bool:
        return self._options.fix or self._options.fix_only or self._options.diff

    def _task(self, roots: Sequence[Path] | dict[Path, None]) -> Task:
        from torchlint.edits import Applicability
        from torchlint.run.one import Mode, Task

        known = None if self._options.write_baseline else self._baseline
        if known is not None:
            from torchlint import baseline

            baseline.read(known)  # whatever is wrong with it is said once, and before anything is done
        mode = Mode.SUPPRESS if self._options.add_suppressions else Mode.CHECK
        if self._changes:
            mode = Mode.DIFF if self._options.diff else Mode.FIX
        applicability = Applicability.UNSAFE if self._options.unsafe else Applicability.SAFE
        timed = self._options.statistics and self._options.verbose
        return Task(mode, applicability, tuple(root.absolute() for root in roots), timed, known)

    def _finish(self, stream: TextIO) -> int:
        """Say what there is to say, to this stream or the file asked for, and return the exit status."""
        options, outcome = self._options, self._outcome
        for problem in outcome.problems:
            click.echo(f"torchlint: {visible(problem)}", err=True)
        if options.write_baseline:
            return self._keep()
        if options.diff:
            # The diff alone goes to standard output, so that it can be piped into `patch`.
            click.echo("".join(report.diff for report in outcome.reports), nl=False)
            stream = sys.stderr
        color = options.output_file is None and has_color(stream)
        report = Report(outcome.reports, outcome.checked, options.unsafe, color, options.show_fixes)
        self._write("\n".join(self._lines(report)), stream)
        if options.show_fixes and (options.statistics or not self._for_people):
            from torchlint.output.summary import changes

            click.echo("\n".join(changes(report, "Fixed")), err=True)
        return _status(outcome, options)

    def _keep(self) -> int:
        """Write the baseline, and say what it holds."""
        from torchlint import baseline

        file, outcome = self._baseline, self._outcome
        if file is None:
            raise click.UsageError("--write-baseline needs --baseline, or the key `baseline` in the configuration, to know where to write")
        found = [(report.path, report.text, list(report.diagnostics)) for report in outcome.reports]
        baseline.write(file, found)
        number = sum(len(each) for _, _, each in found)
        click.echo(f"Wrote {count(number, 'finding')} of {count(sum(bool(each) for _, _, each in found), 'file')} to {visible(str(file))}.")
        failed = outcome.problems or any(each.is_internal_error for report in outcome.reports for each in report.diagnostics)
        return FAILURE if failed else 0

    @property
    def _for_people(self) -> bool:
        return self._settings.output_format in HUMAN_FORMATS

    def _lines(self, report: Report) -> Iterator[str]:
        options = self._options
        if options.statistics:
            from torchlint.output import statistics

            yield from statistics.render(report, self._settings.output_format)
            if options.verbose:
                yield from statistics.times(report, self._outcome.seconds)
        elif options.diff or options.fix_only or options.add_suppressions:
            from torchlint.output import concise
            from torchlint.output.summary import changes

            yield from concise.failures(report)
            yield from changes(report, "Suppressed" if options.add_suppressions else "Would fix" if options.diff else "Fixed")
        elif self._outcome.reports or not self._for_people:
            yield from render(report, self._settings.output_format)
        else:
            yield nothing_found(report)

    def _write(self, text: str, stream: TextIO) -> None:
        file = self._options.output_file
        if file is None:
            click.echo(text, file=stream, color=True)  # whether it is coloured is decided
            return
        from torchlint.sources import writing

        try:
            writing.save(file, (text + "\n").encode("utf-8", "backslashreplace"))
        except writing.NotWritten as error:
            raise click.ClickException(f"{file}: cannot be written: {error}") from error


def _supported(settings: Sequence[Settings]) -> Iterator[str]:
    """Which torch is taken to be supported, and who says so."""
    for oldest, newest, origin in dict.fromkeys((each.torch_version, each.newest_torch, each.torch_origin) for each in settings):
        if origin is not None:
            versions = f"from {oldest}" if newest is None else newest if oldest in (None, newest) else f"from {oldest} to {newest}"
            yield f"torch {versions}, as {origin} says"


def cache_folder(settings: Settings, given: Path | None) -> Path:
    """Where findings are kept: as the command line says or else the configuration, or in the usual place."""
    from torchlint.cache import FOLDER

    return given.absolute() if given is not None else settings.root / (settings.cache_dir or FOLDER)


def _opened(folder: Path, roots: Iterable[Path]) -> Cache:
    from torchlint.cache.kept import Cache

    return Cache(folder, [root.absolute() for root in roots], concerns)


def check_selectors(settings: Sequence[Settings], cache: Cache | None = None) -> list[Settings]:
    """Compare selectors with the rules, if there are any that the cache does not know to be valid; the settings that have them.

    Loading the rules takes longer than skipping a file without torch.
    """
    validated = []
    for each in dict.fromkeys(settings):
        if each.plugins or each.test_files != DEFAULT_TEST_FILES or any(True for _ in each.selectors()):
            if cache is not None and cache.is_valid(each):
                continue
            from torchlint.selection import SelectorError, validate

            try:
                validate(each)
            except SelectorError as error:
                raise click.ClickException(visible(str(error))) from error
            validated.append(each)
    return validated


def _status(outcome: Outcome, options: Options) -> int:
    left = [each for report in outcome.reports for each in report.diagnostics]
    if outcome.problems or any(each.is_internal_error for each in left):
        return FAILURE
    if options.exit_zero:
        return 0
    fixed = any(report.fixed for report in outcome.reports)
    if options.diff:
        return FINDINGS if fixed else 0
    if fixed and options.exit_non_zero_on_fix:
        return FINDINGS
    return FINDINGS if left and not options.fix_only else 0
