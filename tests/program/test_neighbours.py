"""Who may get at an attribute, by the text of the files of a run."""

from pathlib import Path

import pytest

from torchlint.program import neighbours
from torchlint.program.neighbours import Neighbours

TEXTS = {
    "net.py": "class Net:\n    def __init__(self):\n        self.layers = []\n",
    "sub/heir.py": "class Heir(net.Net):\n    pass\n",
    "sub/other.py": "class Other:\n    def f(self):\n        return self.layers\n",
    "venv/lib.py": "net.layers\n",
    ".hidden/lib.py": "net.layers\n",
}


def seen(folder: Path, more: dict[str, str]) -> Neighbours:
    for name, text in (TEXTS | more).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Neighbours([str(folder), str(folder)])


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("", False),
        ("layers = 3\n", False),
        ("def f(net):\n    return net.layers\n", True),
        ("def f(net):\n    return net.layers_of\n", False),
        ("def f(net):\n    return getattr(net, 'layers')\n", True),
        ("class Far(Heir):\n    def f(self):\n        return self.layers\n", True),
        ("class Myself:\n    def f(self):\n        return self.layers\n", False),
        ("def f(myself):\n    return myself.layers\n", True),
    ],
)
def test_attribute_is_reached_through_anything_but_self_and_in_heirs(tmp_path: Path, text: str, reached: bool) -> None:
    around = seen(tmp_path, {"asks.py": text})

    assert around.reaches("layers", "Net", str(tmp_path / "net.py")) is reached


def test_name_is_used_where_another_file_has_the_whole_word(tmp_path: Path) -> None:
    around = seen(tmp_path, {"asks.py": "Network()\n"})

    assert around.name("Net", str(tmp_path / "net.py"))  # by its heir
    assert not around.name("Heir", str(tmp_path / "sub" / "heir.py"))


@pytest.mark.parametrize("limit", ["_MOST_FOLDERS", "_MOST_BYTES"])
def test_where_too_much_lies_around_everything_may_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(neighbours, limit, 1)
    around = seen(tmp_path, {})

    assert around.reaches("anything", "Net", str(tmp_path / "net.py"))
    assert around.name("Heir", str(tmp_path / "sub" / "heir.py"))
