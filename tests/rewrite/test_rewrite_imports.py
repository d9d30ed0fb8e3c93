"""Where an import is added, where it is there already, and where it must not go."""

import pytest
from rewriting import fixed

from torchlint.edits import Applicability, Effect, ResolvedFix, apply
from torchlint.rewrite import Unfixable, add_from_import, add_import, resolve
from torchlint.rule import Fix
from torchlint.syntax.file import SourceFile

NN = add_from_import("torch", "nn")

ADDED = {
    "behind the package": (NN, "import torch\n\nx\n", "import torch\nfrom torch import nn\n\nx\n"),
    "behind the block of the package": (NN, "import torch\nimport os\n\nx\n", "import torch\nimport os\nfrom torch import nn\n\nx\n"),
    "not behind later imports": (
        NN,
        "import torch\nx = torch.zeros(1)\nimport os\n",
        "import torch\nfrom torch import nn\nx = torch.zeros(1)\nimport os\n",
    ),
    "not before what prepares the package": (
        NN,
        "import os\nos.environ['A'] = '1'\nimport torch\n\nx\n",
        "import os\nos.environ['A'] = '1'\nimport torch\nfrom torch import nn\n\nx\n",
    ),
    "behind a part of the package": (NN, "from torch.utils import data\n", "from torch.utils import data\nfrom torch import nn\n"),
    "behind an import over rows": (
        NN,
        "from torch import (\n    optim,  # c\n)\nx\n",
        "from torch import (\n    optim,  # c\n)\nfrom torch import nn\nx\n",
    ),
    "behind a comment": (NN, "import torch  # c\nx\n", "import torch  # c\nfrom torch import nn\nx\n"),
    "behind a row of imports": (NN, "import os; import torch\nx\n", "import os; import torch\nfrom torch import nn\nx\n"),
    "no newline at the end": (NN, "import torch", "import torch\nfrom torch import nn"),
    "windows newlines": (NN, "import torch\r\nx\r\n", "import torch\r\nfrom torch import nn\r\nx\r\n"),
    "submodule of what is bound": (add_import("torch.fft"), "import torch\n", "import torch\nimport torch.fft\n"),
    "under another name": (add_import("torch.nn.functional", "F"), "import torch\n", "import torch\nimport torch.nn.functional as F\n"),
    "from, under another name": (
        add_from_import("torch.nn", "functional", "F"),
        "import torch\n",
        "import torch\nfrom torch.nn import functional as F\n",
    ),
    "name of another scope's attribute": (NN, "import torch\nx.nn(nn=1)\n", "import torch\nfrom torch import nn\nx.nn(nn=1)\n"),
    "used but not imported": (NN, "import torch\nnn.Linear\n", "import torch\nfrom torch import nn\nnn.Linear\n"),
    "imported in a function too": (
        NN,
        "import torch\ndef f():\n    from torch import nn\n",
        "import torch\nfrom torch import nn\ndef f():\n    from torch import nn\n",
    ),
    "imported for types only": (
        add_import("math"),
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import os\nx\n",
        "from typing import TYPE_CHECKING\nimport math\nif TYPE_CHECKING:\n    import os\nx\n",
    ),
    "first import": (add_import("math"), "x = 1\n", "import math\n\nx = 1\n"),
    "first import, comments above": (add_import("math"), "#!python\n# c\n\nx = 1\n", "#!python\n# c\n\nimport math\n\nx = 1\n"),
    "first import, decorated": (add_import("math"), "@a\ndef f(): pass\n", "import math\n\n@a\ndef f(): pass\n"),
    "behind the docstring": (add_import("math"), '"""D.\n\nE.\n"""\n\nx = 1\n', '"""D.\n\nE.\n"""\n\nimport math\n\nx = 1\n'),
    "behind the docstring, at the end": (add_import("math"), '"""D."""', '"""D."""\n\nimport math'),
    "behind the future": (
        add_import("math"),
        "from __future__ import annotations\nx\n",
        "from __future__ import annotations\nimport math\nx\n",
    ),
    "behind docstring, future and imports": (
        add_import("math"),
        "'D.'\nfrom __future__ import annotations\n\nimport os\n\nx\n",
        "'D.'\nfrom __future__ import annotations\n\nimport os\nimport math\n\nx\n",
    ),
    "only comments": (add_import("math"), "# c\n", "# c\nimport math\n"),
    "empty": (add_import("math"), "", "import math\n"),
    "relative imports are other packages": (
        add_from_import("torch", "nn"),
        "from .torch import optim\nx\n",
        "from .torch import optim\nfrom torch import nn\nx\n",
    ),
}


@pytest.mark.parametrize(("fix", "before", "expected"), ADDED.values(), ids=ADDED)
def test_an_import_is_added(fix: Fix, before: str, expected: str) -> None:
    assert fixed(SourceFile(before), fix) == expected
    assert resolve(SourceFile(expected), fix) == (), "once is enough"


PRESENT = {
    "the same": (NN, "from torch import nn\n"),
    "in the other form": (NN, "import torch.nn as nn\n"),
    "among others": (NN, "from torch import (\n    optim,\n    nn,\n)\n"),
    "further down": (NN, "import torch\nx\nfrom torch import nn\n"),
    "if it can be imported": (NN, "try:\n    from torch import nn\nexcept ImportError:\n    nn = None\n"),
    "if it is wanted": (NN, "import torch\nif x:\n    from torch import nn\n"),
    "package": (add_import("torch"), "import torch\n"),
    "package of a submodule": (add_import("torch"), "import torch.nn\n"),
    "submodule": (add_import("torch.nn"), "import torch, torch.nn\n"),
    "under another name": (add_import("torch.nn.functional", "F"), "from torch.nn import functional as F\n"),
}


@pytest.mark.parametrize(("fix", "text"), PRESENT.values(), ids=PRESENT)
def test_an_import_that_is_there_is_not_added(fix: Fix, text: str) -> None:
    assert resolve(SourceFile(text), fix) == ()


REFUSED = {
    "imported from elsewhere": (NN, "import torch\nfrom other import nn\n"),
    "relative import": (NN, "import torch\nfrom .torch import nn\n"),
    "another thing under the name": (NN, "import torch\nimport other as nn\n"),
    "assigned": (NN, "import torch\nnn = 1\n"),
    "assigned in a function": (NN, "import torch\ndef f():\n    nn = 1\n"),
    "parameter": (NN, "import torch\ndef f(nn): pass\n"),
    "function": (NN, "import torch\ndef nn(): pass\n"),
    "class": (NN, "import torch\nclass nn: pass\n"),
    "loop variable": (NN, "import torch\nfor a, nn in b: pass\n"),
    "variable of a comprehension": (NN, "import torch\n[nn for nn in b]\n"),
    "with": (NN, "import torch\nwith a as nn: pass\n"),
    "exception": (NN, "import torch\ntry: pass\nexcept E as nn: pass\n"),
    "walrus": (NN, "import torch\nif (nn := a): pass\n"),
    "global": (NN, "import torch\ndef f():\n    global nn\n"),
    "deleted": (NN, "import torch\nfrom torch import nn as other\ndel nn\n"),
    "pattern": (NN, "import torch\nmatch a:\n    case [nn]: pass\n"),
    "star import": (NN, "import torch\nfrom other import *\nnn.Linear\n"),
    "builtin": (add_from_import("torch", "sum"), "import torch\nsum([1])\n"),
    "only in a function": (NN, "def f():\n    import torch\n"),
    "only if it can be imported": (NN, "try:\n    import torch\nexcept ImportError:\n    torch = None\n"),
    "only for types": (NN, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"),
    "behind a backslash": (NN, "import torch; \\\n\nx\n"),
    "beside other code": (NN, "import torch; x = torch.zeros(1)\n"),
}


@pytest.mark.parametrize(("fix", "text"), REFUSED.values(), ids=REFUSED)
def test_an_import_that_could_change_the_program_is_refused(fix: Fix, text: str) -> None:
    with pytest.raises(Unfixable):
        resolve(SourceFile(text), fix)


def test_two_findings_share_an_import_and_two_imports_of_a_fix_stand_in_order() -> None:
    file = SourceFile("import torch\nx\n")
    both = NN + add_import("torch.fft")
    assert fixed(file, both) == "import torch\nfrom torch import nn\nimport torch.fft\nx\n"
    assert fixed(file, NN + NN) == "import torch\nfrom torch import nn\nx\n"
    (shared,) = resolve(file, NN)
    fixes = [ResolvedFix((shared,), Applicability.SAFE, Effect.KEEPS, message) for message in "ab"]
    text, applied = apply(file.text, fixes)
    assert text == "import torch\nfrom torch import nn\nx\n"
    assert len(applied) == 2
