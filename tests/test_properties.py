"""What holds for every program, notebook and document, tried on some that Hypothesis draws: the same ones each time.

`fuzz` says what is promised and makes the inputs; `nox -s fuzz` tries many more of them.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fuzz import promises, sources
from fuzz.grafting import grafted
from fuzz.inputs import cases
from fuzz.mutations import document, mutated, notebook
from fuzz.programs import laid_out, program
from fuzz.promises import Trial, every_rule
from fuzz.sources import Input
from torchlint.cache.kept import Cache
from torchlint.edits import Applicability
from torchlint.run import many
from torchlint.run.many import Outcome, check_all, concerns, mentioning
from torchlint.run.one import FileReport, Mode, Task
from torchlint.settings import Settings
from torchlint.syntax.nesting import with_room

CASES = cases()
ALL = Settings(select=every_rule())
OF_FILES = [each.__name__ for each in sources.of_files()]


def examples(number: int) -> settings:
    """The same examples in every run, and as many as are worth waiting for."""
    # without its explanations, for which Hypothesis watches every line: early releases of Python 3.12 fail at that
    phases = [each for each in Phase if each is not Phase.explain]
    return settings(
        max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=phases
    )


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A program made here or a case of the fixtures, with parts of another in it, in another layout, or with something wrong in it."""
    random = draw(st.randoms(use_true_random=False))
    text = program(random) if draw(st.booleans()) else draw(st.sampled_from(CASES))
    for change in draw(st.lists(st.sampled_from(("graft", "layout", "mutation")), max_size=2)):
        if change == "graft":
            text = grafted(text, random.choice(CASES), random)
        else:
            text = (laid_out if change == "layout" else mutated)(text, random)
    return text


@pytest.mark.parametrize("promise", [*promises.ALWAYS, *promises.SOMETIMES], ids=lambda each: each.__name__)
@examples(25)
@given(text=texts(), draws=st.integers(0, 99))
def test_promise_holds_for_any_text(promise: Callable[[Trial], promises.Held], text: str, draws: int) -> None:
    assert with_room(lambda: list(promise(Trial(text, ALL, Random(draws))))) == []


@examples(25)
@given(codes=st.lists(texts(), min_size=1, max_size=3), random=st.randoms(use_true_random=False))
def test_a_notebook_stays_one_and_changes_in_its_code_alone(codes: list[str], random: Random) -> None:
    hold("a.ipynb", notebook(codes, random))


@examples(25)
@given(codes=st.lists(texts(), min_size=1, max_size=3), random=st.randoms(use_true_random=False))
def test_a_document_changes_in_its_blocks_alone(codes: list[str], random: Random) -> None:
    hold("a.md", document(codes, random))


@examples(25)
@given(
    text=texts(),
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "latin-1", "cp1252")),
    odd=st.binary(max_size=2),
    place=st.integers(0, 400),
)
def test_a_file_of_any_bytes_is_read_or_said_to_be_unreadable(text: str, encoding: str, odd: bytes, place: int) -> None:
    data = text.encode(encoding, "ignore")
    hold("a.py", data[:place] + odd + data[place:])


def hold(name: str, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    given = Input(name, data, seed=len(data))
    assert with_room(lambda: list(sources.broken(given, OF_FILES))) == []


# -- several files ------------------------------------------------------------------------------------------------------


def reports(folder: Path, names: list[str], jobs: int, cache: Path | None = None) -> list[FileReport]:
    """By name, without what is counted or kept."""
    outcome = Outcome()
    kept = None if cache is None else Cache(cache, [folder], concerns)
    work = mentioning([(folder / name, Settings()) for name in names], outcome, kept)
    check_all(work, Task(Mode.CHECK, Applicability.SAFE, (folder,)), outcome, jobs=jobs, advance=lambda: None, cache=kept)
    return sorted((replace(each, grounds=None) for each in outcome.reports), key=lambda each: each.path)


@examples(6)
@given(parts=st.lists(texts(), min_size=3, max_size=5), order=st.randoms(use_true_random=False))
def test_order_number_of_processes_and_cache_say_the_same(
    parts: list[str], order: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("project")
    names = [f"part{number}.py" for number in range(len(parts))]
    for number, text in enumerate(parts):
        imports = "".join(f"from part{other} import *\n" for other in range(len(parts)) if other != number)
        (folder / names[number]).write_bytes(b"import torch\n" + imports.encode() + text.encode("utf-8", "surrogatepass"))
    alone = reports(folder, names, 1)
    shuffled = order.sample(names, len(names))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many, "WORK_PER_PROCESS", 1)
        assert reports(folder, shuffled, 3) == alone
    assert [reports(folder, shuffled, 1, folder / "kept") for _ in range(2)] == [alone, alone]
    shutil.rmtree(folder)
