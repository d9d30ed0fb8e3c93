"""What a project's own files say about the versions of torch that it works with."""

from pathlib import Path

import pytest

from torchlint.dependencies import declared, files, is_read
from torchlint.dependencies.bounds import Bounds, any_of, specified
from torchlint.settings import Configuration

Said = tuple[str | None, str | None] | None


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(folder: Path) -> Said:
    found = declared(folder)
    return (found.oldest, found.newest) if found is not None else None


@pytest.mark.parametrize(
    ("specifier", "oldest", "newest"),
    [
        (">=2.1", (2, 1), None),
        (">= 2.1.2", (2, 1), None),
        (">2.0", (2, 0), None),
        ("==1.13.1", (1, 13), (1, 13)),
        ("===2.0.1", (2, 0), (2, 0)),
        ("==2.1.0+cu118", (2, 1), (2, 1)),
        ("==2.1.*", (2, 1), (2, 1)),
        ("==2.*", (2, 0), None),
        ("==1.*", (1, 0), (1, 13)),
        ("~=2.0", (2, 0), None),
        ("~=1.8", (1, 8), (1, 13)),
        ("~=2.1.1", (2, 1), (2, 1)),
        ("^2.1", (2, 1), None),
        ("^1.7.1", (1, 7), (1, 13)),
        ("^0.4", (0, 4), (0, 4)),
        ("~2.1", (2, 1), (2, 1)),
        ("~1", (1, 0), (1, 13)),
        ("=2.1", (2, 1), (2, 1)),
        ("=1", (1, 0), (1, 13)),
        ("2.1.0", (2, 1), (2, 1)),
        ("2.1.*", (2, 1), (2, 1)),
        ("<2.3", None, (2, 2)),
        ("<2.3.1", None, (2, 3)),
        ("<=2.3", None, (2, 3)),
        ("<2", None, (1, 13)),
        ("<1.0", None, (0, 4)),
        ("<3", None, None),
        (">=2.1,<2.4", (2, 1), (2, 3)),
        (">=1.8 <2.0", (1, 8), (1, 13)),
        (">=2.1, !=2.2.0", (2, 1), None),
        (">=2.1.0rc1", (2, 1), None),
        ("1.8.*|2.0.*", (1, 8), (2, 0)),
        (">=2.4,<2.1", None, None),
        ("*", None, None),
        ("", None, None),
        ("nonsense", None, None),
        ("==" + "9" * 5000, None, None),
    ],
)
def test_specifier_bounds_minor_versions(specifier: str, oldest: tuple[int, int] | None, newest: tuple[int, int] | None) -> None:
    assert specified(specifier) == Bounds(oldest, newest)


def test_of_several_entries_the_lowest_and_the_highest_bound_count() -> None:
    assert any_of([specified(">=2.2,<2.5"), specified(">=1.13,<2.1"), specified("")]) == Bounds((1, 13), (2, 4))
    assert any_of([specified("==2.2.0"), specified(">=2.1")]) == Bounds((2, 1), None)
    assert any_of([specified("<2.3"), specified(">=2.0,<2.2")]) == Bounds((2, 0), (2, 2))


FILES: dict[str, tuple[str, str, Said]] = {
    "a project's dependencies": ("pyproject.toml", '[project]\ndependencies = ["numpy>=1", "torch>=2.1,<2.4"]\n', ("2.1", "2.3")),
    "extras": (
        "pyproject.toml",
        '[project]\ndependencies = ["torch"]\n[project.optional-dependencies]\ngpu = ["Torch >= 2.2"]\n',
        ("2.2", None),
    ),
    "a dependency group": ("pyproject.toml", '[dependency-groups]\ndev = [{include-group = "x"}, "torch~=2.0"]\n', ("2.0", None)),
    "markers": (
        "pyproject.toml",
        "[project]\ndependencies = [\"torch>=2.2; python_version >= '3.12'\", \"torch>=1.13 ; python_version < '3.12'\"]\n",
        ("1.13", None),
    ),
    "Poetry": ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.9"\ntorch = "^2.1"\n', ("2.1", None)),
    "Poetry's tables": (
        "pyproject.toml",
        '[tool.poetry.dependencies]\ntorch = {version = ">=1.10,<2.1"}\n[tool.poetry.group.dev.dependencies]\ntorch = "2.0.1"\n',
        ("1.10", "2.0"),
    ),
    "Poetry's alternatives": (
        "pyproject.toml",
        '[tool.poetry.dependencies]\ntorch = [{version = "^2.3", platform = "linux"}, {version = "<2.3,>=2.2", platform = "darwin"}]\n',
        ("2.2", None),
    ),
    "an address": ("pyproject.toml", '[project]\ndependencies = ["torch @ https://example.org/torch-2.1.0-cp310.whl"]\n', None),
    "other packages of the family": ("pyproject.toml", '[project]\ndependencies = ["torchvision>=0.15", "torch-geometric==2.3"]\n', None),
    "tables of the wrong type": ("pyproject.toml", 'project = "torch"\ntool = ["torch"]\n', None),
    "a pyproject that is no TOML": ("pyproject.toml", "torch = [", None),
    "setup.cfg": ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    torch>=1.9, <3\n", ("1.9", None)),
    "an extra in setup.cfg": ("setup.cfg", "[options.extras_require]\nnn = torch==2.0.*\n", ("2.0", "2.0")),
    "a setup.cfg that is none": ("setup.cfg", "torch>=2\n", None),
    "setup.py": ("setup.py", 'from setuptools import setup\nsetup(name="x", install_requires=["numpy", "torch>=1.6"])\n', ("1.6", None)),
    "setup.py by names": (
        "setup.py",
        'import setuptools\nBASE = ["torch>=1.4"]\nREQUIRED = BASE + ["numpy"]\nsetuptools.setup(install_requires=[*REQUIRED])\n',
        ("1.4", None),
    ),
    "an extra in setup.py": ("setup.py", 'setup(install_requires=[], extras_require={"nn": ["torch==1.12.1"]})\n', ("1.12", "1.12")),
    "a list that names itself": ("setup.py", "a = b\nb = a\nsetup(install_requires=a)  # torch\n", None),
    "a setup.py that asks at run time": ("setup.py", 'setup(install_requires=[f"torch=={version}"])\n', None),
    "a setup.py for Python 2": ("setup.py", 'print "torch"\n', None),
    "requirements": ("requirements.txt", "# torch==0.4\nnumpy\ntorch==1.7.1  # the last one\n", ("1.7", "1.7")),
    "requirements with an index": ("requirements.txt", "torch==1.13.1+cu117 --extra-index-url https://example.org\n", ("1.13", "1.13")),
    "requirements over several rows": ("requirements.txt", "torch>=2.0 \\\n    --hash=sha256:00\n", ("2.0", None)),
    "requirements without a version": ("requirements.txt", "torch\ntorchvision==0.15\n", None),
    "requirements in parts": ("requirements-train.txt", "torch>=1.11\n", ("1.11", None)),
    "a folder of requirements": ("requirements/base.txt", "torch>=2.3\n", ("2.3", None)),
    "a list of conda's": ("requirements.txt", "pytorch=1.8.1=py3.8_cuda11.1_cudnn8.0.5_0\n", ("1.8", "1.8")),
    "conda": (
        "environment.yml",
        "channels:\n  - pytorch\ndependencies:\n  - python=3.8\n  - pytorch=1.10\n  - torchvision=0.11\n",
        ("1.10", "1.10"),
    ),
    "conda with a build": ("environment.yaml", "dependencies:\n  - pytorch::pytorch=1.9.0=py3.8_cuda10.2_cudnn7.6.5_0\n", ("1.9", "1.9")),
    "conda with blanks": ("environment.yml", 'dependencies:\n- "pytorch >=1.8,<2"\n', ("1.8", "1.13")),
    "pip inside conda": ("environment-gpu.yml", "dependencies:\n  - pip:\n    - torch==2.0.1\n", ("2.0", "2.0")),
    "a channel alone": ("environment.yml", "channels:\n  - pytorch\ndependencies:\n  - pytorch-lightning=1.5\n", None),
    "uv's lock": (
        "uv.lock",
        "\n".join(f'[[package]]\nname = "{each}"\nversion = "2.{minor}.1+cpu"\n' for each, minor in [("torch", 5), ("torch", 6), ("x", 7)]),
        ("2.5", "2.6"),
    ),
}


@pytest.mark.parametrize("title", FILES)
def test_file_says_which_versions_it_asks_for(tmp_path: Path, title: str) -> None:
    name, text, expected = FILES[title]
    write(tmp_path / name, text)

    assert said(tmp_path) == expected


def test_requirements_in_utf_16_are_read(tmp_path: Path) -> None:
    write(tmp_path / "requirements.txt", "torch==2.1.0\r\n".encode("utf-16"))

    assert said(tmp_path) == ("2.1", "2.1")


def test_setup_py_is_not_run(tmp_path: Path) -> None:
    write(tmp_path / "setup.py", f'open({str(tmp_path / "ran")!r}, "w")\nsetup(install_requires=["torch>=1.6"])\n')

    assert said(tmp_path) == ("1.6", None)
    assert not (tmp_path / "ran").exists()


def test_kinds_of_files_have_an_order_and_one_that_says_nothing_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "uv.lock", '[[package]]\nname = "torch"\nversion = "2.5.1"\n')
    assert said(tmp_path) == ("2.5", "2.5")
    write(tmp_path / "environment.yml", "dependencies:\n  - pytorch=1.12\n")
    assert said(tmp_path) == ("1.12", "1.12")
    write(tmp_path / "requirements.txt", "torch>=1.10\n")
    write(tmp_path / "requirements-new.txt", "torch>=2.2\n")
    assert said(tmp_path) == ("1.10", None)
    write(tmp_path / "setup.py", 'setup(install_requires=["torch>=1.9"])\n')
    assert said(tmp_path) == ("1.9", None)
    write(tmp_path / "setup.cfg", "[options]\ninstall_requires = torch>=1.8\n")
    assert said(tmp_path) == ("1.8", None)
    project = write(tmp_path / "pyproject.toml", '[project]\ndependencies = ["torch>=2.0"]\n')
    assert said(tmp_path) == ("2.0", None)
    project.write_text('[project]\ndependencies = ["torch"]\n')
    assert said(tmp_path) == ("1.8", None)


def test_file_is_named_that_asks_for_the_oldest(tmp_path: Path) -> None:
    write(tmp_path / "requirements-a.txt", "torch>=2.2\n")
    oldest = write(tmp_path / "requirements-b.txt", "torch>=1.10\n")
    found = declared(tmp_path)

    assert found is not None and found.file == oldest


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "environment.yml", "uv.lock"])
@pytest.mark.parametrize("data", [b"\xff\xfetorch", b"torch\x00>=2.1\xff", b"torch" + b"[" * 5000], ids=["half", "zero", "deep"])
def test_files_that_make_no_sense_say_nothing(tmp_path: Path, name: str, data: bytes) -> None:
    write(tmp_path / name, data)

    assert said(tmp_path) is None


def test_folders_and_absent_folders_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()

    assert said(tmp_path) is None and said(tmp_path / "absent") is None and said(tmp_path / "\0") is None


def test_files_are_told_by_their_paths() -> None:
    for name, _, _ in FILES.values():
        assert is_read(name) and is_read(f"deep/down/{name}")
    for name in ("requirements.in", "base.txt", "old/base.txt", "my_setup.py", "requirements", "uv.lock/x", ""):
        assert not is_read(name)


def test_every_kind_of_file_has_a_reader() -> None:
    from torchlint import dependencies

    assert all(callable(getattr(files, kind.reader)) for kind in dependencies._KINDS)


# -- what becomes of it in the settings -------------------------------------------------------------------------------------


def versions(configuration: Configuration, folder: Path) -> tuple[str | None, str | None]:
    settings = configuration.settings(folder)
    return settings.torch_version, settings.newest_torch


def test_settings_take_the_versions_from_the_nearest_folder_that_says_something(tmp_path: Path) -> None:
    requirements = write(tmp_path / "requirements.txt", "torch>=1.8,<2.3\n")
    write(tmp_path / "sub/requirements.txt", "pytest\n")
    write(tmp_path / "examples/requirements.txt", "torch==2.1\n")
    configuration = Configuration()

    assert versions(configuration, tmp_path / "sub" / "deep") == ("1.8", "2.2")
    assert configuration.settings(tmp_path / "sub").torch_origin == str(requirements)
    assert versions(configuration, tmp_path / "examples") == ("2.1", "2.1")


def test_search_ends_at_the_root_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path / "requirements.txt", "torch>=1.8\n")
    (tmp_path / "inner" / ".git").mkdir(parents=True)

    assert versions(Configuration(), tmp_path / "inner" / "sub") == (None, None)


def test_settings_that_name_a_version_need_no_dependencies(tmp_path: Path) -> None:
    write(tmp_path / "requirements.txt", "torch>=1.8,<2.3\n")
    write(tmp_path / "a/torchlint.toml", 'torch-version = "2.0"\n')

    assert versions(Configuration(), tmp_path / "a") == ("2.0", None)
    assert versions(Configuration({"torch-version": "2.4"}), tmp_path) == ("2.4", None)
    assert versions(Configuration(isolated=True), tmp_path) == (None, None)


def test_dependencies_count_beside_a_configuration_file(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", '[project]\ndependencies = ["torch>=2.2"]\n[tool.torchlint]\nignore = ["TL1"]\n')

    assert versions(Configuration(), tmp_path / "src") == ("2.2", None)
    assert versions(Configuration(file=file), tmp_path / "src") == ("2.2", None)
