"""What a run reads: the Parquet files of a data set, or the files of code in folders, which are listed in a Parquet file of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from torchlint.corpus import CorpusError
from torchlint.corpus.tables import RESULTS, is_text
from torchlint.settings import Configuration, Settings
from torchlint.sources.discovery import discover

SUFFIX = ".parquet"
PATH = "path"
"""The column of paths, if the user names no other."""
ROW_HASH = "row_hash"
"""What Ray calls the number that it gives a row for its file and its place there."""


class Listing(NamedTuple):
    """Files, and what tells later whether they are still the same."""

    files: list[str]
    filesystem: pyarrow.fs.FileSystem
    digest: str


class Code(NamedTuple):
    """Files of code, each to be opened by whoever judges it."""

    listing: Listing
    settings: Mapping[str, Settings]
    """Those of the files in each folder."""
    problems: list[str]


def is_data_set(sources: Sequence[str]) -> bool:
    """Whether these are Parquet files. Raises `CorpusError` where some are and others are not."""
    verdicts = {source: _is_data_set(source) for source in sources}
    if len(set(verdicts.values())) > 1:
        data, code = (next(source for source, is_data in verdicts.items() if is_data is wanted) for wanted in (True, False))
        raise CorpusError(f"{data} is a data set and {code} is a folder of code: they cannot be read in one run")
    return all(verdicts.values())


def _is_data_set(source: str) -> bool:
    if "://" in source or source.endswith(SUFFIX):
        return True
    folder = Path(source)
    return folder.is_dir() and any(folder.rglob(f"*{SUFFIX}")) and not any(any(folder.rglob(f"*{kind}")) for kind in (".py", ".ipynb"))


# -- data sets --------------------------------------------------------------------------------------------------------------------------


def parquet(sources: Sequence[str]) -> Listing:
    found: list[pyarrow.fs.FileInfo] = []
    filesystems = []
    for source in sources:
        filesystem, path = located(source)
        filesystems.append(filesystem)
        try:
            found += _files(filesystem, path, source)
        except OSError as error:
            raise CorpusError(f"{source}: cannot be read: {error}") from error
    if any(each != filesystems[0] for each in filesystems):
        raise CorpusError("all sources of one run must be in the same place")
    unique = {info.path: info for info in found}
    return _listing([unique[path] for path in sorted(unique)], filesystems[0])


def located(name: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """The file system of a path or address, and the path there."""
    if "://" not in name:
        return pyarrow.fs.LocalFileSystem(), str(Path(name).absolute())
    try:
        filesystem, path = pyarrow.fs.FileSystem.from_uri(name)
    except (OSError, ValueError) as error:  # Arrow's own errors are among these
        raise CorpusError(f"{name}: {error}") from error
    return filesystem, path


def _files(filesystem: pyarrow.fs.FileSystem, path: str, source: str) -> list[pyarrow.fs.FileInfo]:
    info = filesystem.get_file_info(path)
    if info.type == pyarrow.fs.FileType.File:
        return [info]
    if info.type == pyarrow.fs.FileType.NotFound:
        raise CorpusError(f"{source}: no such file or folder")
    inside = filesystem.get_file_info(pyarrow.fs.FileSelector(path, recursive=True))
    files = [each for each in inside if each.type == pyarrow.fs.FileType.File and each.path.endswith(SUFFIX)]
    if not files:
        raise CorpusError(f"{source}: no Parquet files in this folder")
    return files


def path_column(listing: Listing, *, text: str, path: str | None, id_column: str | None) -> str | None:
    """The column of paths: the one that the user named, or else `path`, if there is one. Raises `CorpusError` for what is not there."""
    first = listing.files[0]
    try:
        schema = pq.read_schema(first, filesystem=listing.filesystem)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{first}: no Parquet file: {error}") from error
    for option, name in (("--text-column", text), ("--path-column", path), ("--id-column", id_column)):
        if name is not None and name not in schema.names:
            raise CorpusError(
                f"{first}: there is no column `{name}` ({option}); there are {', '.join(f'`{each}`' for each in schema.names)}"
            )
    for option, name in (("--text-column", text), ("--path-column", path)):
        if name is not None and not is_text(schema.field(name).type):
            raise CorpusError(f"{first}: the column `{name}` ({option}) holds {schema.field(name).type}, not text")
    for option, name in (("--path-column", path), ("--id-column", id_column)):
        if name in (*RESULTS, ROW_HASH):
            raise CorpusError(f"the column `{name}` ({option}) has the name of one that is written; rename it")
    if path is None and PATH in schema.names and is_text(schema.field(PATH).type):
        return PATH
    return path


# -- folders ----------------------------------------------------------------------------------------------------------------------------


def code(sources: Sequence[str], configuration: Configuration) -> Code:
    """The files that `torchlint check` would check, under the settings that it would use."""
    found = discover([Path(source) for source in sources], configuration)
    settings = {str(path.absolute().parent): each for path, each in found.files}
    problems = list(found.problems)
    infos = []
    local = pyarrow.fs.LocalFileSystem()
    for path, _ in found.files:
        try:
            str(path).encode("utf-8")
        except UnicodeEncodeError:
            problems.append(f"{path}: is left out: its name is no Unicode")
            continue
        infos.append(str(path.absolute()))
    if not infos and not problems:
        raise CorpusError(f"no Python files in {', '.join(sources)}")
    return Code(_listing(local.get_file_info(infos), local), settings, problems)


def write_list(listing: Listing, filesystem: pyarrow.fs.FileSystem, path: str) -> Listing:
    """Write the files down, as a data set with one column."""
    beside = f"{path}.new"
    pq.write_table(pa.table({PATH: pa.array(listing.files, pa.string())}), beside, filesystem=filesystem)
    filesystem.move(beside, path)
    return Listing([path], filesystem, listing.digest)


def _listing(files: Iterable[pyarrow.fs.FileInfo], filesystem: pyarrow.fs.FileSystem) -> Listing:
    digest = sha256()
    paths = []
    for each in files:
        paths.append(each.path)
        digest.update(f"{each.path}\0{each.size}\0{each.mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return Listing(paths, filesystem, digest.hexdigest())
