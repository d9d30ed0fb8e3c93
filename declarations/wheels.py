"""Where the text comes from: one wheel at a time from the package index, only what is parsed kept of it.

The wheels for macOS on arm64 hold the same declarations as the others and are a fraction of their size.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

PLATFORMS = tuple(f"macosx_{release}_0_arm64" for release in (11, 12, 13, 14))
OLD_PLATFORMS = ("macosx_10_7_x86_64", "macosx_10_9_x86_64")
FIRST = (2, 0)

_READ = re.compile(r"torch/.*\.pyi?|torchgen/packaged/(?:.*/)?(?:native_functions\.yaml|derivatives\.yaml|gen_variable_type\.py)")

Version = tuple[int, int]


def spelled(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def minor(text: str) -> Version:
    """`2.13` and `2.13.0` are the same minor version."""
    major, rest = text.split(".")[:2]
    return int(major), int(rest)


def _python(version: Version) -> str:
    """A Python that the wheels of a version were made for."""
    return "3.11" if version >= FIRST else "3.8" if version >= (1, 4) else "3.7"


def sources(version: Version, cache: Path) -> tuple[str, Mapping[str, str]]:
    """The name of the newest wheel of a minor version, and its texts by their path in it; kept in `cache` once read."""
    kept = sorted(cache.glob(f"torch-{spelled(version)}.*.zip"))
    if not kept:
        with tempfile.TemporaryDirectory() as folder:
            kept = [_reduced(_downloaded(version, Path(folder)), cache)]
    with zipfile.ZipFile(kept[-1]) as archive:
        return kept[-1].stem, {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def _downloaded(version: Version, folder: Path) -> Path:
    """The wheel, fetched by pip. Raises `FileNotFoundError` where the index has none."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += [f"--python-version={_python(version)}"]
    command += [f"--platform={platform}" for platform in (PLATFORMS if version >= FIRST else OLD_PLATFORMS)]
    outcome = subprocess.run([*command, f"--dest={folder}", f"torch=={spelled(version)}.*"], capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("torch-*.whl"))
    if not wheels:
        raise FileNotFoundError(f"no wheel of torch {spelled(version)}: {outcome.stderr.strip().splitlines()[-1:]}")
    return wheels[-1]


def _reduced(wheel: Path, cache: Path) -> Path:
    """What is read of a wheel, in an archive of its own."""
    release = wheel.name.split("-")[1]
    kept = cache / f"torch-{release}.zip"
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as part:
        for name in whole.namelist():
            if _READ.fullmatch(name):
                part.writestr(name, whole.read(name))
    return kept
