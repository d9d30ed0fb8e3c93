import pytest

from torchlint.facts.declared import presence_of
from torchlint.facts.versions import Range, versions
from torchlint.model import FileModel
from torchlint.program.analysis import FileAnalysis
from torchlint.settings import Settings


def found(text: str, torch_version: str | None) -> Range:
    file = FileModel(FileAnalysis(text, Settings(torch_version=torch_version)))
    return file.torch(file.analysis.module)


@pytest.mark.parametrize(("given", "oldest"), [("2.1", (2, 1)), ("2.1.2", (2, 1)), ("1.7", (1, 7))])
def test_oldest_version_is_the_one_that_the_settings_name(given: str, oldest: tuple[int, int]) -> None:
    assert found("import torch\n", given) == Range(oldest, versions()[-1])


def test_newest_version_stands_for_a_project_that_names_none() -> None:
    assert found("import torch\n", None) == Range(versions()[-1], versions()[-1])


@pytest.mark.parametrize(
    ("oldest", "newest", "spans", "every", "some"),
    [
        ((2, 0), (2, 5), "2.0-", True, True),
        ((2, 0), (2, 5), "2.3-", False, True),
        ((2, 0), (2, 5), "2.6-", False, False),
        ((2, 2), (2, 5), "-2.3,2.5-", False, True),
        ((1, 5), (1, 9), "2.3-", False, False),
        ((1, 5), (1, 9), "", True, True),
    ],
)
def test_range_says_whether_all_of_its_versions_have_something_or_some(
    oldest: tuple[int, int], newest: tuple[int, int], spans: str, every: bool, some: bool
) -> None:
    supported = Range(oldest, newest)

    assert (supported.all_have(presence_of(spans)), supported.any_has(presence_of(spans))) == (every, some)
