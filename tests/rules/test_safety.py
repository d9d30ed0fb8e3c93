"""What is read, saved, fetched and made deterministic."""

from pathlib import Path

import pytest

from torchlint.engine import lint
from torchlint.program.analysis import FileAnalysis
from torchlint.program.project import Project
from torchlint.rules.safety._checkpoints import unmapped
from torchlint.rules.safety._determinism import conflicts
from torchlint.rules.safety._libraries import chosen_libraries
from torchlint.rules.safety._saved import whole_modules
from torchlint.rules.safety._scripts import seeded_only, unseeded
from torchlint.settings import Settings
from torchlint.syntax import cells

HEAD = "import os, sys\nimport torch\nfrom torch import nn\nfrom torch.backends import cudnn\n"
LOOKS = "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n"


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ("def f(m: nn.Module): m.load_state_dict(torch.load(p))", [True]),
        ("def f(m: nn.Module):\n    s = torch.load(p)\n    m.load_state_dict(s['model'])", [True]),
        ("def f(m: nn.Module): m.load_state_dict(torch.load(p), assign=True)", [False]),
        ("def f():\n    m = torch.load(p)\n    m.eval()", [False]),
        ("def f(m: nn.Module): m.load_state_dict(torch.load(p, device))", []),
        ("def f(m: nn.Module):\n    m.cuda()\n    m.load_state_dict(torch.load(p))", []),
        ("def f(m: nn.Module, gpu):\n    if gpu: m.load_state_dict(torch.load(p))", []),
        ("def f(): return torch.load(p)", []),
    ],
)
def test_a_checkpoint_is_read_where_it_was_unless_something_says_otherwise(text: str, keeps: list[bool]) -> None:
    assert [each.keeps_devices for each in unmapped(FileAnalysis(HEAD + LOOKS + text))] == keeps


def test_a_file_without_a_look_for_a_gpu_is_left_alone() -> None:
    assert list(unmapped(FileAnalysis(HEAD + "def f(m: nn.Module): m.load_state_dict(torch.load(p))"))) == []


@pytest.mark.parametrize(("body", "count"), [("m(x).sum().backward()", 0), ("return m(x)", 1)])
def test_what_a_function_of_another_file_has_just_trained_is_where_it_is_read(tmp_path: Path, body: str, count: int) -> None:
    text = f"from fitting import fit\n{HEAD}{LOOKS}def f(m: nn.Module):\n    fit(m)\n    m.load_state_dict(torch.load(p))\n"
    main = tmp_path / "main.py"
    main.write_text(text)
    (tmp_path / "fitting.py").write_text(f"import torch\n\n\ndef fit(m: torch.nn.Module, x):\n    {body}\n")

    assert len(list(unmapped(FileAnalysis(text, path=str(main), imports=Project([tmp_path]))))) == count


@pytest.mark.parametrize(
    ("callers", "count"),
    [
        ({"main.py": "from files import keep\nkeep(nn.Linear(2, 1), 'm.pt')\n"}, 1),
        ({"main.py": "import files\nfiles.keep(path='m.pt', what=nn.Linear(2, 1))\n"}, 1),
        ({"main.py": "from files import *\nkeep(nn.Linear(2, 1), 'm.pt')\n"}, 1),
        ({"main.py": "from files import keep\nkeep(nn.Linear(2, 1), 'm.pt')\nkeep(nn.Linear(2, 1).state_dict(), 'm.pt')\n"}, 0),
        ({f"main{n}.py": f"from files import keep\nkeep(nn.Linear(2, 1){'.state_dict()' * (n == 2)}, 'm.pt')\n" for n in range(3)}, 0),
        ({f"main{n}.py": "from files import keep\nkeep(nn.Linear(2, 1), 'm.pt')\n" for n in range(9)}, 0),
        ({"main.py": "from other import keep\nimport files\nkeep(nn.Linear(2, 1), 'm.pt')\n"}, 0),
        ({}, 0),
    ],
)
def test_what_a_helper_saves_is_what_the_other_files_hand_it(tmp_path: Path, callers: dict[str, str], count: int) -> None:
    text = "import torch\n\n\ndef keep(what, path):\n    torch.save(what, path)\n"
    for name, content in {"files.py": text, "other.py": text, **{name: HEAD + content for name, content in callers.items()}}.items():
        (tmp_path / name).write_text(content)
    project = Project([tmp_path])

    assert len(list(whole_modules(FileAnalysis(text, path=str(tmp_path / "files.py"), imports=project)))) == count
    assert count == 0 or str(tmp_path / "main.py") in project.grounds(str(tmp_path / "files.py")).texts


@pytest.mark.parametrize(("reader", "is_read"), [("m = torch.load(p)", True), ("m.load_state_dict(torch.load(p))", False), ("", False)])
def test_who_reads_a_module_as_a_whole_may_stand_in_another_file(tmp_path: Path, reader: str, is_read: bool) -> None:
    text = HEAD + "torch.save(nn.Linear(2, 1), 'm.pt')\n"
    main = tmp_path / "main.py"
    main.write_text(text)
    (tmp_path / "reader.py").write_text(f"import torch\n{reader}\n")

    (saved,) = whole_modules(FileAnalysis(text, path=str(main), imports=Project([tmp_path])))

    assert saved.is_read_whole is is_read


@pytest.mark.parametrize(
    ("reader", "is_told"), [("torch.load(p)", True), ("from torch import load", True), ("import json; json.load(p)", False)]
)
def test_a_module_is_told_of_where_something_in_the_project_reads_files_of_torch(tmp_path: Path, reader: str, is_told: bool) -> None:
    text = HEAD + "torch.save(nn.Linear(2, 1), 'm.pt')\n"
    main = tmp_path / "main.py"
    main.write_text(text)
    (tmp_path / "reader.py").write_text(f"import torch\n{reader}\n")

    assert [each.code for each in lint(text, Settings(), path=str(main), project=Project([tmp_path]))] == ["TL903"] * is_told


ON = "cudnn.benchmark = True"
ASKED = "cudnn.deterministic = True"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"{ON}\n{ASKED}", 1),
        (f"{ASKED}\n{ON}\ncudnn.benchmark = False", 0),
        (f"{ON}\n{ASKED}\ncudnn.deterministic = False", 0),
        (f"if a:\n    {ASKED}\n{ON}", 1),
        (f"{ASKED}\nif a:\n    {ON}", 0),
        (f"if a:\n    {ASKED}\nelse:\n    {ON}", 0),
        (f"def seed():\n    {ASKED}\ndef main():\n    seed()\n    {ON}", 1),
        (f"def seed():\n    {ASKED}\n    cudnn.benchmark = False\ndef main():\n    {ON}\n    seed()", 0),
        (f"def seed():\n    {ASKED}\ndef main():\n    {ON}", 0),
        (f"torch.use_deterministic_algorithms(False)\n{ON}", 0),
    ],
)
def test_the_last_switch_counts_that_is_reached_with_the_other(text: str, count: int) -> None:
    assert len(list(conflicts(FileAnalysis(HEAD + text)))) == count


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("'a.so'", 0),
        ("NAME", 0),
        ("os.path.join(HERE, 'a.so')", 0),
        ("spec.origin", 0),
        ("sys.argv[1]", 1),
        ("os.environ['A']", 1),
        ("anything", 1),
    ],
)
def test_a_library_of_the_program_is_spelt_out_or_lies_beside_it(path: str, count: int) -> None:
    text = f"NAME = 'a.so'\nHERE = os.path.dirname(__file__)\ntorch.ops.load_library({path})\n"

    assert len(list(chosen_libraries(FileAnalysis(HEAD + text)))) == count


TRAINS = """
def train(model: nn.Module, x):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
"""
ENTRY = "if __name__ == '__main__':\n    train(nn.Linear(2, 1).to('cuda'), x)\n"


@pytest.mark.parametrize(
    ("text", "is_unseeded", "is_only_seeded"),
    [
        (TRAINS + ENTRY, True, False),
        (TRAINS, False, False),
        (ENTRY, False, False),
        ("torch.manual_seed(0)" + TRAINS + ENTRY, False, True),
        ("torch.manual_seed(0); torch.use_deterministic_algorithms(True)" + TRAINS + ENTRY, False, False),
    ],
)
def test_scripts_that_train_are_asked_for_seeds(text: str, is_unseeded: bool, is_only_seeded: bool) -> None:
    file = FileAnalysis(HEAD + text)

    assert (unseeded(file) is not None, seeded_only(file) is not None) == (is_unseeded, is_only_seeded)


def test_somebody_is_there_to_answer_in_a_notebook() -> None:
    text = "import torch\nmodel = torch.hub.load('owner/repository', 'net')\n"

    assert [each.code for each in lint(text)] == ["TL908"]
    assert lint(f"{text}{cells.END}\n") == []


@pytest.mark.parametrize(("named", "asked"), [("'me/nets:main'", 0), ('"me/nets"', 0), ("'me/network'", 1), ("'you/nets'", 1)])
def test_what_the_hubconf_of_the_project_offers_is_no_code_of_strangers(tmp_path: Path, named: str, asked: int) -> None:
    (tmp_path / "hubconf.py").write_text(f"import torch\nmodel = torch.hub.load({named}, 'small')\n")
    main = tmp_path / "app.py"
    main.write_text("import torch\nmodel = torch.hub.load('me/nets', 'small')\n")
    found = lint(main.read_text(), Settings(), path=str(main), project=Project([tmp_path]))
    assert [each.code for each in found] == ["TL908"] * asked
