"""Which functions of torch are which operator, and which modules do nothing but call one function: read off what they return."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from declarations.rendering import Def, members
from declarations.schemas import Native
from declarations.sources import Definition, Library, Module

_PACKAGES = ("torch.linalg", "torch.fft", "torch.special", "torch.sparse", "torch.nn.functional", "torch.nested")
_OPERATORS = (
    *(f"torch._C.{place}." for place in ("_nn", "_VariableFunctions", "_linalg", "_fft", "_special", "_sparse", "_nested")),
    "torch._VF.",
    "torch.",
)


def operators(library: Library, natives: Mapping[str, Sequence[Native]]) -> dict[str, str]:
    """Public functions and the operators that they are, where the name alone does not say it."""
    found = {}
    for package in _PACKAGES:
        module = library.module(package)
        if module is None:
            continue
        for name in sorted(library.names(module)):
            bound = module.bindings.get(name)
            operator = None if bound is None or bound.node is None else _operator(module, bound.node, name, natives)
            if operator is not None and operator != name:
                found[f"{package}.{name}"] = operator
    return found


def _operator(module: Module, node: ast.AST, name: str, natives: Mapping[str, Sequence[Native]]) -> str | None:
    if module.name == "torch.nn.functional" and name in natives:
        return name
    if isinstance(node, ast.Call) and node.args:  # _add_docstr(torch._C._linalg.linalg_norm, ...)
        targets = [module.dotted(node.args[0])]
    elif isinstance(node, Def):
        targets = list(_returned(module, node))
    else:
        return None
    named = {_native(target, natives) for target in targets}
    return named.pop() if len(named) == 1 else None


def _native(target: str | None, natives: Mapping[str, Sequence[Native]]) -> str | None:
    for prefix in _OPERATORS:
        if target is not None and target.startswith(prefix) and target[len(prefix) :] in natives:
            return target[len(prefix) :]
    return None


def wrapped(module: Module, node: ast.AST) -> str | None:
    """What a value of a module is but another name, or a documented copy, of."""
    if not isinstance(node, ast.Call):
        return None
    for keyword in node.keywords:
        if keyword.arg == "if_false":  # boolean_dispatch: what is called unless asked for indices
            return module.dotted(keyword.value)
    return module.dotted(node.args[0]) if node.args and ast.unparse(node.func).endswith("add_docstr") else None


def _returned(module: Module, node: Def) -> Iterator[str | None]:
    """What the functions are whose results a function returns; None for a result of anything else."""
    for found in ast.walk(node):
        if isinstance(found, ast.Return) and found.value is not None:
            value = found.value
            if isinstance(value, ast.Call) and ast.unparse(value.func).startswith("handle_torch_function"):
                continue
            yield module.dotted(value.func) if isinstance(value, ast.Call) else None


def modules(library: Library) -> dict[str, str]:
    """The classes of `torch.nn` whose `forward` returns the result of one function, and that function."""
    package = library.module("torch.nn")
    found = {}
    for name in sorted(library.names(package) if package else ()):
        definition = library.resolve(f"torch.nn.{name}")
        if definition is None or not definition.nodes or not isinstance(definition.nodes[-1], ast.ClassDef):
            continue
        targets = set(_forwarded(library, definition, "forward"))
        if len(targets) == 1 and None not in targets:
            target = targets.pop()
            if target is not None and target.rpartition(".")[0] in ("torch", "torch.Tensor", "torch.nn.functional"):
                found[f"torch.nn.{name}"] = target
    return found


def _forwarded(library: Library, owner: Definition, method: str) -> Iterator[str | None]:
    """What a method of a class, its own or inherited, returns the results of; calls of the class's own methods are followed."""
    found = method_of(library, owner, method)
    if found is None:
        return
    module, node = found
    first = node.args.args[1].arg if len(node.args.args) > 1 else None
    for part in ast.walk(node):
        if not isinstance(part, ast.Return):
            continue
        match part.value:
            case ast.Call(func=ast.Attribute(value=ast.Name("self"), attr=called)) if called != method:
                yield from _forwarded(library, owner, called)
            case ast.Call(func=ast.Attribute(value=ast.Name(receiver), attr=called)) if receiver == first:
                yield f"torch.Tensor.{called}"
            case ast.Call(func=func):
                yield module.dotted(func)
            case _:
                yield None


def method_of(library: Library, owner: Definition, name: str) -> tuple[Module, Def] | None:
    for definition in lineage(library, owner):
        module = library.module(definition.home.rpartition(".")[0])
        node = definition.nodes[-1]
        if module is not None and isinstance(node, ast.ClassDef):
            found = members(node, stub=module.stub).get(name, [])
            if found and isinstance(found[-1], Def):
                return module, found[-1]
    return None


def bases(library: Library, owner: Definition) -> list[str]:
    """The dotted names of a class's bases, as its module spells them out."""
    module = library.module(owner.home.rpartition(".")[0])
    node = owner.nodes[-1]
    if module is None or not isinstance(node, ast.ClassDef):
        return []
    named = [module.dotted(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases]
    return [name for name in named if name is not None]


def lineage(library: Library, owner: Definition) -> Iterator[Definition]:
    """A class and those it inherits from, depth first: near enough to Python's order where no diamond overrides."""
    yield owner
    for base in bases(library, owner):
        definition = library.resolve(base)
        if definition is not None and definition.nodes and definition.home != owner.home:
            yield from lineage(library, definition)
