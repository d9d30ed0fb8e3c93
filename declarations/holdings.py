"""What the modules of `torch.nn` hold besides the code of `forward`, and of which type torch's constants are: read off the syntax."""

import ast
from collections.abc import Iterator, Mapping

from declarations.forms import bases, lineage
from declarations.sources import Definition, Library, Module

_MODULE = "torch.nn.modules.module.Module"
_PARAMETERS = frozenset({"Parameter", "UninitializedParameter", "register_parameter"})
_BUFFERS = frozenset({"Buffer", "UninitializedBuffer", "register_buffer"})
_CHILDREN = frozenset({"add_module", "register_module"})


def constant(library: Library, spelling: Mapping[str, str], definition: Definition) -> str | None:
    """The class that a declared variable is an instance of, `torch.dtype` for `torch.float32`; None where no class of torch is named."""
    node = definition.nodes[-1]
    module = library.module(definition.home.rpartition(".")[0])
    if module is None or not isinstance(node, ast.AnnAssign):
        return None
    dotted = module.dotted(node.annotation)
    named = library.resolve(dotted) if dotted is not None else None
    if named is None or not named.nodes or not isinstance(named.nodes[-1], ast.ClassDef):
        return None
    return spelling.get(named.home)


def held(library: Library, definition: Definition) -> list[str] | None:
    """`parameters`, `buffers`, `children`, `mode` (it reads `self.training`), of its bases too; None for a class that is no module."""
    if definition.home == _MODULE or _MODULE not in _ancestors(library, definition):
        return None
    own = [each for each in lineage(library, definition) if each.home != _MODULE]
    found: set[str] = set()
    for each in own:
        module = library.module(each.home.rpartition(".")[0])
        node = each.nodes[-1]
        if module is not None and isinstance(node, ast.ClassDef):
            found.update(_mentioned(library, module, node))
    return sorted(found)


def _ancestors(library: Library, definition: Definition) -> Iterator[str]:
    for each in lineage(library, definition):
        yield each.home
        yield from (found.home for base in bases(library, each) if (found := library.resolve(base)) is not None)


def _mentioned(library: Library, module: Module, node: ast.ClassDef) -> Iterator[str]:
    """What the methods of a class make of itself. Whatever is given to the constructor and kept may be a child."""
    for method in ast.walk(node):
        if not isinstance(method, ast.FunctionDef):
            continue
        given = {each.arg for each in (*method.args.args, *method.args.kwonlyargs) if _may_be_module(library, module, each.annotation)}
        for part in ast.walk(method):
            match part:
                case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)) if name in _PARAMETERS:
                    yield "parameters"
                case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)) if name in _BUFFERS:
                    yield "buffers"
                case ast.Call(func=ast.Attribute(attr=name)) if name in _CHILDREN:
                    yield "children"
                case ast.Attribute(value=ast.Name("self"), attr="training", ctx=ast.Load()):
                    yield "mode"
                case (
                    ast.Assign(targets=[ast.Attribute(value=ast.Name("self"))], value=value)
                    | ast.AnnAssign(target=ast.Attribute(value=ast.Name("self")), value=ast.expr() as value)
                ) if any(_is_module(library, module, each, given) for each in ast.walk(value)):
                    yield "children"
                case _:
                    pass


def _is_module(library: Library, module: Module, node: ast.AST, given: set[str]) -> bool:
    """Whether an expression makes a module, or is one that the method was given."""
    if isinstance(node, ast.Name):
        return node.id in given
    dotted = module.dotted(node.func) if isinstance(node, ast.Call) else None
    return dotted is not None and _derives(library, dotted)


def _may_be_module(library: Library, module: Module, annotation: ast.expr | None) -> bool:
    names = [part for part in ast.walk(annotation) if isinstance(part, (ast.Name, ast.Attribute))] if annotation is not None else []
    return any(dotted is not None and _derives(library, dotted) for dotted in map(module.dotted, names))


def _derives(library: Library, dotted: str) -> bool:
    """Whether a name stands for a class of modules, or for a type variable that is bound to one."""
    found = library.resolve(dotted)
    node = found.nodes[-1] if found is not None and found.nodes else None
    if found is None or node is None:
        return False
    if isinstance(node, ast.Call):
        home = library.module(found.home.rpartition(".")[0])
        bound = [word.value for word in node.keywords if word.arg == "bound"]
        return home is not None and any(_may_be_module(library, home, each) for each in bound)
    return isinstance(node, ast.ClassDef) and _MODULE in _ancestors(library, found)
