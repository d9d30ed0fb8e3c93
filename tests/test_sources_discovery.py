"""Which files a run checks."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from torchlint.settings import Configuration
from torchlint.sources.discovery import Discovered, discover


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write(name: str, text: str) -> None:
    make(name)
    Path(name).write_text(text, encoding="utf-8")


def search(*paths: str, force_exclude: bool = False) -> Discovered:
    return discover(map(Path, paths or ["."]), Configuration(), force_exclude=force_exclude)


def found(*paths: str, force_exclude: bool = False) -> list[str]:
    result = search(*paths, force_exclude=force_exclude)
    assert result.problems == []
    return names(path for path, _ in result.files)


def names(paths: Iterable[Path]) -> list[str]:
    return [path.as_posix() for path in paths]


def test_python_files_are_found_in_order_and_others_are_not() -> None:
    make("b.py", "a.pyi", "c.txt", "d.pyc", "pkg/z.py", "pkg/a/x.py", "script")

    assert found() == ["a.pyi", "b.py", "pkg/a/x.py", "pkg/z.py"]


def test_a_file_that_is_named_is_checked_whatever_it_is_called() -> None:
    make("script", "build/x.py")

    assert found("script", "build/x.py") == ["script", "build/x.py"]


def test_folders_of_tools_are_left_out_unless_they_are_named() -> None:
    make("a.py", ".venv/x.py", "node_modules/x.py", "build/x.py", "pkg/__pycache__/x.py", "venv/lib/site-packages/torch/nn/x.py")

    assert found() == ["a.py"]
    assert found("venv/lib/site-packages/torch") == ["venv/lib/site-packages/torch/nn/x.py"]
    assert found("build") == ["build/x.py"]


def test_nothing_is_checked_twice() -> None:
    make("pkg/a.py", "pkg/b.py")

    assert found("pkg/b.py", "pkg", "./pkg/b.py", str(Path("pkg").absolute())) == ["pkg/b.py", "pkg/a.py"]


def test_patterns_are_relative_to_the_configuration() -> None:
    make("gen/a.py", "pkg/gen/a.py", "pkg/a_pb2.py", "pkg/b.py", "top.py")
    write("torchlint.toml", 'extend-exclude = ["/gen", "*_pb2.py", "top.py"]\n')

    assert found() == ["pkg/b.py", "pkg/gen/a.py"]
    assert found("pkg") == ["pkg/b.py", "pkg/gen/a.py"]


def test_exclude_replaces_the_default_list_and_include_the_default_suffixes() -> None:
    make("build/a.py", "tool.pyw", "x.py", "gone/y.py")
    write("torchlint.toml", 'exclude = ["gone"]\ninclude = ["*.pyw", "build/**"]\n')

    assert found() == ["build/a.py", "tool.pyw"]


def test_a_pattern_that_would_leave_out_a_named_folder_has_no_say_inside() -> None:
    make("vendored/pkg/a.py", "vendored/pkg/skip/b.py")
    write("torchlint.toml", 'extend-exclude = ["vendored/", "skip"]\n')

    assert found("vendored/pkg") == ["vendored/pkg/a.py"]


def test_force_exclude_holds_for_named_paths_too() -> None:
    make("build/a.py", "src/a.py", "gen/x.py")
    write("torchlint.toml", 'extend-exclude = ["/gen/*.py"]\n')

    assert found("build/a.py", "src/a.py", "gen/x.py", "build", force_exclude=True) == ["src/a.py"]


def test_each_folder_has_the_settings_of_its_own_configuration() -> None:
    make("a/x.py", "b/x.py", "b/skip.py")
    write("torchlint.toml", 'ignore = ["TL1"]\n')
    write("b/torchlint.toml", 'ignore = ["TL2"]\nextend-exclude = ["skip.py"]\n')

    assert [(path.as_posix(), settings.ignore) for path, settings in search().files] == [("a/x.py", ("TL1",)), ("b/x.py", ("TL2",))]


def test_gitignore_is_honoured_and_the_nearest_file_decides() -> None:
    make("a.py", "out/x.py", "pkg/out/y.py", "pkg/keep.tmp.py", "pkg/drop.tmp.py", "pkg/deep/z.py")
    write(".gitignore", "out/\n*.tmp.py\n")
    write("pkg/.gitignore", "!keep.tmp.py\n/deep\n")

    assert found() == ["a.py", "pkg/keep.tmp.py"]


def test_gitignore_of_the_repository_holds_in_its_folders() -> None:
    make(".git/HEAD", "sub/pkg/a.py", "sub/pkg/b.py", "sub/pkg/c.py")
    write(".gitignore", "b.py\n")
    write(".git/info/exclude", "# comment\nc.py\n")

    assert found("sub/pkg") == ["sub/pkg/a.py"]


def test_gitignore_above_a_folder_that_is_no_repository_is_not_ours() -> None:
    make("sub/a.py")
    write(".gitignore", "a.py\n")

    assert found("sub") == ["sub/a.py"]


def test_an_ignored_file_or_folder_is_checked_if_it_is_named() -> None:
    make(".git/HEAD", "env/lib/a.py", "env/lib/b.log.py", "x.py")
    write(".gitignore", "env/\nx.py\n*.log.py\n")

    assert found("env/lib", "x.py") == ["env/lib/a.py", "env/lib/b.log.py", "x.py"]


def test_lines_that_git_would_pass_over_do_not_spoil_the_rest() -> None:
    make("a.py", "b.py")
    Path(".gitignore").write_bytes(b"!\n/\n\xff\n\nb.py\n")

    assert found() == ["a.py"]


def test_links_to_folders_are_not_followed_and_links_to_files_not_checked_twice() -> None:
    make("pkg/a.py", "elsewhere.txt")
    Path("pkg/loop").symlink_to(".", target_is_directory=True)
    Path("pkg/again.py").symlink_to("a.py")
    Path("pkg/broken.py").symlink_to("nowhere.py")
    Path("pkg/itself.py").symlink_to("itself.py")
    Path("pkg/other.py").symlink_to("../elsewhere.txt")

    assert found("pkg") == ["pkg/a.py", "pkg/other.py"]


def test_a_link_to_a_folder_is_followed_if_it_is_named() -> None:
    make("pkg/a.py")
    Path("link").symlink_to("pkg", target_is_directory=True)

    assert found("link") == ["link/a.py"]


def test_a_path_that_is_not_there_is_a_problem_and_the_rest_is_found() -> None:
    make("a.py")
    Path("broken.py").symlink_to("nowhere.py")
    result = search("gone.py", "a.py", "broken.py")

    assert names(path for path, _ in result.files) == ["a.py"]
    assert result.problems == ["gone.py: no such file or folder", "broken.py: no such file or folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_file() -> None:
    make("pkg/a.py")
    os.mkfifo("pkg/pipe.py")

    assert found("pkg") == ["pkg/a.py"]
    assert search("pkg/pipe.py").problems == ["pkg/pipe.py: neither a file nor a folder"]


def test_a_folder_that_cannot_be_read_is_a_problem_and_the_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    make("closed/x.py", "open/x.py")
    scan = os.scandir

    def scandir(path: Path) -> "os._ScandirIterator[str]":
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    result = search()

    assert names(path for path, _ in result.files) == ["open/x.py"]
    assert result.problems == ["closed: cannot be read: Permission denied"]


def test_names_with_blanks_and_other_scripts_are_found() -> None:
    make("mit leer zeichen/ä ö.py", "[x]/{a}.py")

    assert found() == ["[x]/{a}.py", "mit leer zeichen/ä ö.py"]
