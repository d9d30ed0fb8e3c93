"""Signatures as one line of text: parameters in order, literal defaults, what is returned if that is said in few words.

`name(first, second=1, *, named=..., **rest) -> Tensor`; a default that is no literal is `...`.
"""

import ast
from collections.abc import Iterable, Iterator

from declarations.schemas import split

Def = ast.FunctionDef | ast.AsyncFunctionDef
_LONGEST_DEFAULT = 40
_LONGEST_RESULT = 60


def signatures(nodes: Iterable[ast.AST], name: str) -> list[str]:
    """One line per overload that differs from the others in more than its types, under another name if need be."""
    lines = [function(node, name) for node in nodes if isinstance(node, Def)]
    return list(dict.fromkeys(lines))


def function(node: Def, name: str) -> str:
    marks = {_mark(decorator) for decorator in node.decorator_list}
    prefix = "".join(f"@{mark} " for mark in ("staticmethod", "classmethod", "property") if mark in marks)
    return f"{prefix}{name}({', '.join(_parameters(node.args))}){_result(node.returns)}"


def _mark(decorator: ast.expr) -> str:
    text = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return "property" if text.endswith(("property", ".setter", ".getter")) else text.rsplit(".", 1)[-1]


def _parameters(given: ast.arguments) -> Iterator[str]:
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    # A stub may mark what is positional only by two underscores, as Python once did.
    for index, (parameter, default) in enumerate(zip(positional, defaults, strict=True), 1):
        yield parameter.arg + _default(default)
        if index == len(given.posonlyargs):
            yield "/"
    if given.vararg is not None:
        yield f"*{given.vararg.arg}"
    elif given.kwonlyargs:
        yield "*"
    for parameter, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield parameter.arg + _default(default)
    if given.kwarg is not None:
        yield f"**{given.kwarg.arg}"


def _default(value: ast.expr | None) -> str:
    if value is None:
        return ""
    try:
        text = repr(ast.literal_eval(value))
    except ValueError:
        return "=..."
    return f"={text}" if len(text) <= _LONGEST_DEFAULT else "=..."


def _result(annotation: ast.expr | None) -> str:
    if annotation is None:
        return ""
    text = ast.unparse(annotation).strip("'\"").replace("torch.return_types.", "").replace("torch.Tensor", "Tensor")
    return f" -> {text}" if "Tensor" in text and len(text) <= _LONGEST_RESULT else ""


def parameters(line: str) -> list[str]:
    """The names of the parameters of a line, but for those that take any."""
    inside = line.split("(", 1)[1].split(") -> ")[0].removesuffix(")")
    return [parameter.split("=")[0] for parameter in split(inside) if not parameter.startswith(("*", "/"))]


def members(node: ast.ClassDef, *, stub: bool) -> dict[str, list[ast.AST]]:
    """What a class body binds; the overloads of a source are left out where it has the function itself."""
    found: dict[str, list[ast.AST]] = {}
    for statement in _flat(node.body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                marks = [ast.unparse(mark) for mark in statement.decorator_list]
                if any(mark.endswith((".setter", ".deleter")) for mark in marks):
                    continue
                overloaded = any(mark.endswith("overload") for mark in marks)
                if overloaded and stub:
                    found.setdefault(statement.name, []).append(statement)
                else:
                    found[statement.name] = [statement]
            case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(name)):
                found[name] = [statement]
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        same = found.get(value.id, []) if isinstance(value, ast.Name) else []
                        found[target.id] = same or [statement]
    return found


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _flat([*statement.orelse, *statement.body])
        elif isinstance(statement, ast.Try):
            yield from _flat(statement.body)
        else:
            yield statement


def dataclass_fields(node: ast.ClassDef, name: str) -> str | None:
    """The constructor of a dataclass or named tuple, anything where fields are inherited too; None for a class that is neither."""
    bases = {ast.unparse(base).rsplit(".", 1)[-1].split("[")[0] for base in node.bases} - {"object", "Generic", "ABC"}
    marks = [mark for mark in node.decorator_list if "dataclass" in _mark(mark)]
    if not marks and bases != {"NamedTuple"}:
        return None
    if bases - {"NamedTuple"}:
        return f"{name}(self, *args, **kwargs)"
    fields = ["self", *(["*"] if any("kw_only=True" in ast.unparse(mark) for mark in marks) else [])]
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            default = _field(statement.value)
            if default is not None and "ClassVar" not in ast.unparse(statement.annotation):
                fields.append(statement.target.id + default)
    return f"{name}({', '.join(fields)})"


def _field(value: ast.expr | None) -> str | None:
    """The default of a dataclass's field, None for one that the constructor does not take."""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func).endswith("field")):
        return _default(value)
    said = {word.arg: word.value for word in value.keywords}
    if "init" in said and ast.unparse(said["init"]) == "False":
        return None
    return _default(said["default"]) if "default" in said else "=..." if "default_factory" in said else ""
