"""The parsers that read PyTorch's declarations, on texts as small as what they are asked about."""

import ast

import pytest

pytest.importorskip("yaml")

from declarations import forms, holdings, rendering, schemas, tables
from declarations.reading import Reading
from declarations.sources import Library


def modules(texts: dict[str, str]) -> Library:
    return Library({"torch/__init__.py": "", **texts})


def names(texts: dict[str, str], module: str) -> tuple[set[str], set[str]]:
    """The names that a module offers, and those that are there by import."""
    found = modules(texts)
    parsed = found.module(module)
    assert parsed is not None
    listed = found.names(parsed)
    return {name for name, offered in listed.items() if offered}, {name for name, offered in listed.items() if not offered}


def test_what_a_module_defines_is_offered_and_what_it_imports_is_not():
    text = "import math\nfrom torch import Tensor\ndef f(): ...\nclass C: ...\nLIMIT = 3\n_hidden = 4\nannotated: int = 5\n"
    assert names({"torch/a.py": text}, "torch.a") == ({"f", "C", "LIMIT", "annotated"}, {"math", "Tensor"})


def test_a_package_offers_what_it_imports_from_its_library_and_its_modules():
    texts = {
        "torch/p/__init__.py": "import os\nfrom .m import f\nfrom torch.p.m import g as h\n",
        "torch/p/m.py": "def f(): ...\ndef g(): ...\n",
    }
    assert names(texts, "torch.p") == ({"f", "h", "m"}, {"os"})


def test_a_list_of_offered_names_counts_for_imports_however_it_is_put_together():
    text = "from . import m\nfrom .m import a, b, c, d\n__all__ = ['a']\n__all__ += ['b']\n__all__.extend(m.__all__)\n"
    offered, by_import = names({"torch/p/__init__.py": text, "torch/p/m.py": "a = b = c = d = 1\n__all__ = ['c']"}, "torch.p")
    assert (offered, by_import) == ({"a", "b", "c", "m"}, {"d"})


def test_what_is_listed_is_offered_though_nothing_seen_binds_it():
    assert names({"torch/a.py": "__all__ = ['made', '_hidden']\nglobals()['made'] = 1"}, "torch.a") == ({"made"}, set())


def test_a_star_takes_what_is_listed_or_has_no_underscore():
    texts = {
        "torch/p/__init__.py": "from .m import *\nfrom .n import *\n",
        "torch/p/m.py": "__all__ = ['a']\na = b = 1",
        "torch/p/n.py": "c = _d = 1\n",
    }
    assert names(texts, "torch.p")[0] == {"a", "c", "m", "n"}


def test_what_is_bound_under_a_condition_or_deleted_later():
    text = "try:\n    from torch import x\nexcept ImportError:\n    x = None\n"
    text += "if on:\n    def f(a): ...\nelse:\n    def f(b): ...\ny = 1\ndel y\n"
    found = modules({"torch/a.py": text})
    assert names({"torch/a.py": text}, "torch.a") == ({"f"}, {"x"})
    definition = found.resolve("torch.a.f")
    assert definition is not None
    assert rendering.signatures(definition.nodes, "f") == ["f(a)"]


def test_names_for_the_type_checker_alone_are_not_there():
    text = "if TYPE_CHECKING:\n    from torch import Tensor\nelse:\n    here = 1\n"
    assert names({"torch/a.py": text}, "torch.a") == ({"here"}, set())


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("torch.p.C", "torch.p._m.C"),
        ("torch.p.D", "torch.p._m.C"),
        ("torch.p._m.C", "torch.p._m.C"),
        ("torch.p.Renamed", "torch.p._m.C"),
        ("torch.p.absent", None),
        ("torch.p.external", None),
    ],
)
def test_a_name_is_followed_to_its_definition(name: str, home: str | None):
    texts = {
        "torch/p/__init__.py": "from ._m import C, D\nfrom torch.p._m import C as Renamed\nfrom os import external\n",
        "torch/p/_m.py": "class C: ...\nD = C\n",
    }
    definition = modules(texts).resolve(name)
    assert (definition.home if definition is not None else None) == home


def test_imports_in_a_circle_end():
    texts = {"torch/a.py": "from torch.b import x", "torch/b.py": "from torch.a import x"}
    assert modules(texts).resolve("torch.a.x") is None


def test_a_source_goes_before_its_stub():
    texts = {"torch/a.py": "def f(real): ...", "torch/a.pyi": "def f(declared): ..."}
    definition = modules(texts).resolve("torch.a.f")
    assert definition is not None
    assert rendering.signatures(definition.nodes, "f") == ["f(real)"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def f(a, b=1, *c, d, e=None, **g): ...", "f(a, b=1, *c, d, e=None, **g)"),
        ("def f(a, /, b, *, c=[1, 2]): ...", "f(a, /, b, *, c=[1, 2])"),
        ("def f(a=torch.float32, b=-1, c='sum'): ...", "f(a=..., b=-1, c='sum')"),
        ("def f(x: 'Tensor') -> Tensor: ...", "f(x) -> Tensor"),
        ("def f(x) -> Tuple[torch.Tensor, Optional[Tensor]]: ...", "f(x) -> Tuple[Tensor, Optional[Tensor]]"),
        ("def f(x) -> int: ...", "f(x)"),
        ("@staticmethod\ndef f(x): ...", "@staticmethod f(x)"),
        ("@property\ndef f(self): ...", "@property f(self)"),
    ],
)
def test_a_definition_becomes_a_line(source: str, line: str):
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert rendering.function(node, "f") == line


def test_overloads_that_differ_in_types_only_are_one():
    nodes = ast.parse("def f(a: int): ...\ndef f(a: float): ...\ndef f(a, b): ...").body
    assert rendering.signatures(nodes, "g") == ["g(a)", "g(a, b)"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            "@dataclass\nclass C:\n    a: int\n    b: str = 'x'\n    c: list = field(default_factory=list)\n",
            "__init__(self, a, b='x', c=...)",
        ),
        (
            "@dataclass(kw_only=True)\nclass C:\n    a: int = field(init=False)\n    b: ClassVar[int] = 1\n    c: int\n",
            "__init__(self, *, c)",
        ),
        ("class C(NamedTuple):\n    a: int\n", "__init__(self, a)"),
        ("@dataclass\nclass C(Other):\n    a: int\n", "__init__(self, *args, **kwargs)"),
        ("class C(Other):\n    a: int\n", None),
    ],
)
def test_fields_make_a_constructor(source: str, line: str | None):
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.ClassDef)
    assert rendering.dataclass_fields(node, "__init__") == line


NATIVE = """
- func: max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
  variants: function, method
- func: view(Tensor(a) self, SymInt[] size) -> Tensor(a)
  variants: method
- func: eq.Tensor(Tensor self, Tensor other) -> Tensor
  variants: method, function
- func: eq.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)
- func: argmax(Tensor self, int? dim=None) -> Tensor
- func: isnan(Tensor self) -> Tensor
- func: nonzero(Tensor self) -> Tensor
  tags: [dynamic_output_shape, core]
- func: zeros(SymInt[] size, *, ScalarType? dtype=None, Device? device=None) -> Tensor
- func: split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]
"""
DERIVATIVES = """
- name: max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
  self: value_selecting(grad)
- name: eq.Tensor(Tensor self, Tensor other) -> Tensor
  output_differentiability: [False]
- name: isnan(Tensor self) -> Tensor
  self: non_differentiable
"""
AUTOGRAD = "OTHER = {1}\nDONT_REQUIRE_DERIVATIVE = {\n    # integers\n    'argmax',\n}\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("max.dim", "function method nondifferentiable=1"),
        ("view", "method"),
        ("eq.Tensor", "method function nondifferentiable"),
        ("argmax", "function nondifferentiable"),
        ("isnan", "function nondifferentiable"),
        ("nonzero", "function dynamic_output_shape"),
    ],
)
def test_what_is_declared_of_an_operator(name: str, said: str):
    found = {native.full_name: native for native in schemas.natives(NATIVE, DERIVATIVES, AUTOGRAD)}
    assert found[name].line.split(" | ")[1] == said


def test_operators_without_derivatives_declared_are_not_said_to_have_none():
    assert [native.full_name for native in schemas.natives(NATIVE, None, None) if native.nondifferentiable] == ["max.dim"]


@pytest.mark.parametrize(
    ("name", "method", "lines"),
    [
        ("eq", False, ["eq(input, other, *, out=None) -> Tensor"]),
        ("eq", True, ["eq(self, other) -> Tensor"]),
        ("view", False, []),
        ("zeros", False, ["zeros(size, *, dtype=None, device=None, requires_grad=False) -> Tensor"]),
        ("split", False, ["split(input, split_size, dim=0) -> Tensor[]"]),
    ],
)
def test_python_calls_an_operator(name: str, method: bool, lines: list[str]):
    found = schemas.by_name(schemas.natives(NATIVE, None, None))
    overloads = found[name]
    if name == "split":
        overloads = [schemas.Native(native.schema) for native in overloads]
    assert schemas.python_signatures(overloads, name, method=method) == lines


def test_a_module_is_the_function_that_its_forward_returns():
    texts = {
        "torch/nn/__init__.py": "from .m import *\n",
        "torch/nn/m.py": """
from . import functional as F
class _Base:
    def forward(self, x):
        return self._inner(x)
    def _inner(self, x):
        if x:
            return F.conv(F.pad(x))
        return F.conv(x)
class Conv(_Base): ...
class Flat:
    def forward(self, x):
        return x.flatten(1)
class Mixed:
    def forward(self, x):
        return F.relu(x) if x else x
""",
        "torch/nn/functional.py": "def conv(x): ...\ndef pad(x): ...\ndef relu(x): ...\n",
    }
    assert forms.modules(modules(texts)) == {"torch.nn.Conv": "torch.nn.functional.conv", "torch.nn.Flat": "torch.Tensor.flatten"}


def test_a_function_is_the_operator_that_it_documents_or_returns():
    texts = {
        "torch/linalg/__init__.py": """
from torch._C import _add_docstr, _linalg
eq = _add_docstr(_linalg.eq, "documentation")
other = _add_docstr(_linalg.isnan, "documentation")
""",
        "torch/nn/functional.py": """
import torch
def compare(a, b):
    if has_torch_function(a):
        return handle_torch_function(compare, a)
    return torch._C._nn.eq(a, b)
def both(a):
    if a:
        return torch._C._nn.eq(a, a)
    return torch.isnan(a)
""",
    }
    found = schemas.by_name(schemas.natives(NATIVE, None, None))
    assert forms.operators(modules(texts), found) == {"torch.linalg.other": "isnan", "torch.nn.functional.compare": "eq"}


def test_versions_are_said_where_not_all_have_a_name():
    readings = {
        (2, minor): Reading(names={"torch": {"always": True, **({name: True for name, there in history.items() if minor in there})}})
        for history in [{"new": (1, 2, 3), "gone": (0, 1), "once": (2,), "back": (0, 2, 3)}]
        for minor in range(4)
    }
    assert list(tables.names(readings)) == ["[torch]", "always", "back -2.0,2.2-", "gone -2.1", "new 2.1-", "once 2.2"]


def test_the_newest_version_has_the_word():
    readings = {
        (2, 0): Reading(
            signatures={"torch": {"f": ["f(old)"], "gone": ["gone(a)"]}}, schemas={"f.old": "f.old(Tensor a) -> Tensor | function"}
        ),
        (2, 1): Reading(signatures={"torch": {"f": ["f(new)"]}}, schemas={"f.new": "f.new(Tensor a) -> Tensor | function"}),
    }
    assert list(tables.signatures(readings)) == ["[torch]", "f(new)  # new 2.1-; old -2.0", "gone(a)"]
    assert list(tables.operators(readings)) == ["[schemas]", "f.new(Tensor a) -> Tensor | function", "[functions]", "[modules]"]


def held(body: str) -> list[str] | None:
    """What a class `C` of `torch.nn` holds, beside modules as small as they can be."""
    texts = {
        "torch/nn/__init__.py": "from .modules.module import Module\nfrom .m import C, Part\n",
        "torch/nn/modules/module.py": "class Module:\n    def __init__(self):\n        self._modules = {}\n        self.training = True\n",
        "torch/nn/m.py": f"from torch.nn.modules.module import Module\nT = TypeVar('T', bound=Module)\nclass Part(Module): ...\n{body}",
    }
    library = modules(texts)
    definition = library.resolve("torch.nn.C")
    assert definition is not None
    return holdings.held(library, definition)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("self.size = size", []),
        ("self.weight = Parameter(torch.empty(size))", ["parameters"]),
        ("self.register_buffer('mean', torch.zeros(size))", ["buffers"]),
        ("self.part = Part()", ["children"]),
        ("self.part = part", ["children"]),
        ("self.part: Module = Part() if size else part", ["children"]),
        ("self.parts = [Part() for _ in range(size)]", ["children"]),
        ("return self.training", ["mode"]),
        ("self.training = True", []),
    ],
)
def test_what_a_module_holds_is_read_off_its_methods(line: str, expected: list[str]) -> None:
    assert held(f"class C(Module):\n    def __init__(self, size, part: T):\n        {line}\n") == expected


def test_what_a_base_holds_a_class_holds_and_a_class_without_that_base_holds_nothing() -> None:
    assert held("class B(Module):\n    def f(self):\n        self.w = Parameter(x)\nclass C(B): ...\n") == ["parameters"]
    assert held("class C: ...\n") is None


def test_a_declared_variable_is_an_instance_of_what_its_annotation_names() -> None:
    library = modules(
        {"torch/__init__.py": "from torch._C import *\n", "torch/_C/__init__.pyi": "class dtype: ...\nhalf: dtype = ...\nn: int\n"}
    )
    spelling = {"torch._C.dtype": "torch.dtype"}
    found = [holdings.constant(library, spelling, each) for each in map(library.resolve, ("torch._C.half", "torch._C.n")) if each]

    assert found == ["torch.dtype", None]
