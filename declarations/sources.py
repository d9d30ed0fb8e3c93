"""What names a library's source texts declare, and where each is defined: read off the syntax, with nothing imported.

`Library.public()` is the answer; `Library.resolve()` follows a dotted name through imports, stars and aliases to its definition.
Names that a module makes at run time (`globals()[...]`, `setattr`) are not seen, except those that torch's stubs declare.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

STUBS_OF_TORCH = ("torch._C", "torch._C._VariableFunctions")
"""What `torch/__init__.py` takes into its own namespace, name by name, when it is imported."""

NOT_IN_TORCH = frozenset(
    """AliasInfo BatchNormBackend CONV_BN_FUSION CapturedTraceback ClassDef ConvBackend Decl Def FUSE_ADD_RELU GreenContext
    HOIST_CONV_PACKED_PARAMS INSERT_FOLD_PREPACK_OPS IValue Ident JitType JitTypeT Module REMOVE_DROPOUT ResolutionCallback SourceRange
    Stack TensorBase TreeView VULKAN_AUTOMATIC_GPU_TRANSFER csan gather_traceback get_num_thread symbolize_tracebacks unique_dim""".split()
)
"""What the stubs declare for the type checker's sake, or for a module below `torch._C`, though `torch` has no such name."""

SMALL_INTEGERS = {f"uint{bits}": (2, 3) for bits in range(1, 8)} | {f"int{bits}": (2, 6) for bits in range(1, 8)}
"""Types of few bits that `torch` has, and since when: made in C, where neither a stub nor a source declares them."""

UNDECLARED = {
    "torch": """AVG ArgumentSpec Capsule Code CompleteArgumentSpec DeepCopyMemoTable ExecutionPlan FatalError Gradient OperatorInfo
    PyObjectType SUM ScriptClass ScriptClassFunction ScriptDictIterator ScriptDictKeyIterator ScriptListIterator ScriptObjectProperty
    StaticModule Storage bit cpp get_autocast_ipu_dtype get_autocast_xla_dtype is_autocast_ipu_enabled is_autocast_xla_enabled
    set_autocast_ipu_dtype set_autocast_ipu_enabled set_autocast_xla_dtype set_autocast_xla_enabled to_dlpack""".split(),
    "torch.Tensor": "cdouble cfloat const_data_ptr ipu is_xla mtia name volatile".split(),
}
"""What is there without a declaration: all that is said of these names is that they may be there."""

Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Binding:
    """What a module binds to a name: a definition of its own, or (`target`) another dotted name."""

    nodes: list[ast.AST] = field(default_factory=list)
    target: str | None = None
    imported: bool = False

    @property
    def node(self) -> ast.AST | None:
        return self.nodes[-1] if self.nodes else None


@dataclass(frozen=True)
class Definition:
    """What a name stands for: `home` is the dotted place of its definition, `module` says that it is a module itself."""

    home: str
    nodes: tuple[ast.AST, ...] = ()
    module: bool = False


class Module:
    """One source text: what it binds, what its stars take in, and what it says is public."""

    def __init__(self, name: str, text: str, *, package: bool, stub: bool = False) -> None:
        self.name, self.package, self.stub = name, package, stub
        self.bindings: dict[str, Binding] = {}
        self.stars: list[str] = []
        self.listed: list[str] | None = None
        self.listings: list[str] = []
        self.deleted: set[str] = set()
        self.unshared: set[str] = set()
        self._statements(ast.parse(text).body, certain=True)

    def _statements(self, body: Iterable[ast.stmt], *, certain: bool) -> None:
        for statement in body:
            self._statement(statement, certain=certain)

    def _statement(self, node: ast.stmt, *, certain: bool) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(node, certain=certain)
            case ast.Import() | ast.ImportFrom():
                self._imports(node, certain=certain)
            case ast.Assign(targets=targets, value=value):
                variable_of_types = self.stub and ast.unparse(value).startswith(("TypeVar", "ParamSpec"))
                for target in targets if not variable_of_types else ():
                    self._assign(target, value)
            case ast.AnnAssign(target=ast.Name(name), value=value):
                if name == "__all__" and value is not None:
                    self._list(value)
                else:
                    self._bind(name, Binding([node]), certain=False)
            case ast.AugAssign(target=ast.Name("__all__"), value=value):
                self._list(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name("__all__"), attr="extend" | "append"), args=[value])):
                self._list(value)
            case ast.If(test=test, body=body, orelse=orelse):
                typing_only = ast.unparse(test).endswith("TYPE_CHECKING") and not ast.unparse(test).startswith("not")
                self._statements([] if typing_only else body, certain=certain)
                self._statements(orelse, certain=certain and typing_only)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self._statements([*body, *orelse], certain=certain)
                for handler in handlers:
                    self._statements(handler.body, certain=False)
                self._statements(finalbody, certain=certain)
            case ast.With(body=body):
                self._statements(body, certain=certain)
            case ast.Delete(targets=targets):
                self.deleted |= {target.id for target in targets if isinstance(target, ast.Name)}
            case _:
                pass

    def _bind(self, name: str, binding: Binding, *, certain: bool) -> None:
        """A later binding replaces an earlier one, unless it stands in an alternative (`else`, `except`) or is but a value."""
        if certain or name not in self.bindings:
            self.bindings[name] = binding
        self.deleted.discard(name)

    def _define(self, node: Def | ast.ClassDef, *, certain: bool) -> None:
        old = self.bindings.get(node.name)
        overloaded = any(ast.unparse(mark).endswith("overload") for mark in node.decorator_list)
        if overloaded and not self.stub:
            self._bind(node.name, Binding([node]), certain=False)
        elif overloaded and old is not None and not old.imported:
            old.nodes.append(node)
        else:
            self._bind(node.name, Binding([node]), certain=certain)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple):
            for part in target.elts:
                self._assign(part, ast.Constant(None))
        elif isinstance(target, ast.Name) and target.id == "__all__":
            self._list(value)
        elif isinstance(target, ast.Name):
            self._bind(target.id, Binding([value], self._dotted(value)), certain=False)

    def _dotted(self, value: ast.expr) -> str | None:
        """The full name of what an expression names, by this module's own bindings."""
        if isinstance(value, ast.Attribute):
            owner = self._dotted(value.value)
            return None if owner is None else f"{owner}.{value.attr}"
        if not isinstance(value, ast.Name):
            return None
        known = self.bindings.get(value.id)
        if known is not None and known.target is not None:
            return known.target
        return f"{self.name}.{value.id}"

    dotted = _dotted

    def _list(self, value: ast.expr) -> None:
        self.listed = self.listed or []
        for part in ast.walk(value):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                self.listed.append(part.value)
            elif isinstance(part, ast.Attribute) and part.attr == "__all__":
                listing = self._dotted(part.value)
                if listing is not None:
                    self.listings.append(listing)

    def _imports(self, node: ast.Import | ast.ImportFrom, *, certain: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if self.stub and alias.asname != alias.name:
                    self.unshared.add(alias.asname or alias.name.split(".")[0])
                whole = alias.name if alias.asname else alias.name.split(".")[0]
                self._bind(alias.asname or whole, Binding(target=whole, imported=True), certain=certain)
            return
        source = self._source(node)
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                if self.stub and alias.asname != alias.name:
                    self.unshared.add(alias.asname or alias.name)
                self._bind(alias.asname or alias.name, Binding(target=f"{source}.{alias.name}", imported=True), certain=certain)

    def _source(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.package]
        return ".".join([*parts, *([node.module] if node.module else [])])


class Library:
    """All the modules of a library, parsed when they are asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        found = dict(_modules(texts))
        self.paths = {name: found[name] for name in sorted(found)}
        self._parsed: dict[str, Module | None] = {}
        self._exported: dict[str, dict[str, str]] = {}

    def module(self, name: str) -> Module | None:
        if name not in self._parsed:
            path = self.paths.get(name)
            package = path is not None and path.rsplit("/", 1)[-1].startswith("__init__.")
            found = None if path is None else Module(name, self.texts[path], package=package, stub=path.endswith(".pyi"))
            if found is not None and name == "torch":
                found.stars = [star for star in found.stars if star not in STUBS_OF_TORCH] + list(STUBS_OF_TORCH)
                found.deleted |= NOT_IN_TORCH
            self._parsed[name] = found
        return self._parsed[name]

    def public_modules(self) -> Iterator[Module]:
        for name in self.paths:
            if not any(part.startswith("_") for part in name.split(".")):
                module = self.module(name)
                if module is not None:
                    yield module

    def resolve(self, dotted: str, seen: frozenset[str] = frozenset()) -> Definition | None:
        """The definition that a dotted name stands for; None where it leaves the library or is defined in no source text."""
        if dotted in seen:
            return None
        owner, _, name = dotted.rpartition(".")
        module = self.module(owner)
        if module is None:
            return Definition(dotted, module=True) if dotted in self.paths else None
        bound = module.bindings.get(name)
        if bound is None or (bound.imported and bound.target == dotted):
            if dotted in self.paths:
                return Definition(dotted, module=True)
            star = self._through_stars(module, name)
            return None if star is None else self.resolve(star, seen | {dotted})
        if bound.target is not None:
            if bound.target == dotted:
                return Definition(dotted, tuple(bound.nodes))
            found = self.resolve(bound.target, seen | {dotted})
            if found is not None or bound.imported:
                return found
        return Definition(dotted, tuple(bound.nodes))

    def _through_stars(self, module: Module, name: str) -> str | None:
        for star in reversed(module.stars):
            if name in self.exported(star):
                return f"{star}.{name}"
        return None

    def exported(self, name: str) -> dict[str, str]:
        """What `from name import *` takes."""
        if name in self._exported:
            return self._exported[name]
        self._exported[name] = {}
        module = self.module(name)
        if module is None:
            return {}
        names = {bound for bound in self.bound(module) if not bound.startswith("_")}
        if module.listed is not None:
            names &= self.listed(module)
        self._exported[name] = dict.fromkeys(sorted(names), name)
        return self._exported[name]

    def bound(self, module: Module) -> set[str]:
        """All the names of a module, but for its submodules."""
        names = set(module.bindings)
        for star in module.stars:
            names |= set(self.exported(star))
        return names - module.deleted - module.unshared

    def listed(self, module: Module) -> set[str]:
        names = set(module.listed or [])
        for listing in module.listings:
            other = self.module(listing)
            if other is not None and other is not module:
                names |= self.listed(other)
        return names

    def submodules(self, module: Module) -> set[str]:
        start = f"{module.name}."
        return {name[len(start) :] for name in self.paths if name.startswith(start) and "." not in name[len(start) :]}

    def names(self, module: Module) -> dict[str, bool]:
        """The names of a module without those in front of which an underscore stands: whether each is offered, or only there by import."""
        offered = self.listed(module) if module.listed is not None else None
        found = {}
        for name in self.bound(module):
            bound = module.bindings.get(name)
            by_import = bound is not None and bound.imported
            if by_import and offered is None:
                target = bound.target if bound is not None else None
                offers = module.package and target is not None and target.split(".")[0] == module.name.split(".")[0]
                offers = offers and target not in self.paths
            else:
                offers = not by_import or name in (offered or ())
            found[name] = offers
        found |= dict.fromkeys((*self.submodules(module), *(offered or set()) - found.keys()), True)
        return {name: offers for name, offers in found.items() if not name.startswith("_")}


def _modules(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Module names and the paths of their texts; a source goes before its stub."""
    for path in sorted(texts, key=lambda path: path.endswith(".py")):
        if path.startswith("torch/") and path.endswith((".py", ".pyi")):
            name = path.rsplit(".", 1)[0].replace("/", ".")
            yield name.removesuffix(".__init__"), path
