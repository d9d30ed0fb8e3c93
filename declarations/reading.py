"""All that the tables say, of one version: public names, the members of classes, signatures, operators."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from declarations import forms, holdings, rendering, schemas
from declarations.sources import SMALL_INTEGERS, UNDECLARED, Definition, Library, Module
from declarations.wheels import Version

_PACKAGED = "torchgen/packaged/"
_CALLED = ("__init__", "__new__", "__call__", "__enter__")


@dataclass
class Reading:
    names: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Of each module and class the names in it, and whether they are offered or only there by import."""

    preferred: dict[str, str] = field(default_factory=dict)
    """Dotted names that are but another spelling, and the spelling to prefer."""

    signatures: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Of each module and class the signatures of what can be called in it, by name."""

    bases: dict[str, list[str]] = field(default_factory=dict)
    """Of each class the classes it inherits from, in their preferred spelling."""

    schemas: dict[str, str] = field(default_factory=dict)
    """The lines of operators, by overload."""

    operators: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    """Of the variables of `torch` itself that are declared with a class, that class."""

    held: dict[str, list[str]] = field(default_factory=dict)
    """Of the modules of `torch.nn` what they hold."""


def read(version: Version, texts: Mapping[str, str]) -> Reading:
    library = Library(texts)
    found = Reading()
    natives = schemas.by_name(
        schemas.natives(
            texts[_PACKAGED + "ATen/native/native_functions.yaml"],
            texts.get(_PACKAGED + "autograd/derivatives.yaml"),
            texts.get(_PACKAGED + "autograd/gen_variable_type.py"),
        )
    )
    places: dict[str, list[str]] = {}
    definitions: dict[str, Definition] = {}
    for module in library.public_modules():
        names = found.names[module.name] = library.names(module)
        if module.name == "torch":
            names |= dict.fromkeys((name for name, since in SMALL_INTEGERS.items() if version >= since), True)
        for name, offered in names.items():
            dotted = f"{module.name}.{name}"
            definition = library.resolve(dotted)
            if offered and definition is not None and not definition.module:
                places.setdefault(definition.home, []).append(dotted)
                definitions[definition.home] = definition
    spelling = {home: _preferred(home, names) for home, names in places.items()}
    for home, spellings in places.items():
        found.preferred |= {name: spelling[home] for name in spellings if name != spelling[home]}
    for definition in definitions.values():
        _describe(library, found, spelling, definition, natives)
        _classify(library, found, spelling, definition)
    found.constants |= {f"torch.{name}": "torch.dtype" for name, since in SMALL_INTEGERS.items() if version >= since}
    for section, undeclared in UNDECLARED.items():
        found.names[section] = dict.fromkeys(undeclared, False) | found.names[section]
    found.operators = forms.operators(library, natives)
    found.modules = forms.modules(library)
    _operators(found, natives)
    return found


def _classify(library: Library, found: Reading, spelling: Mapping[str, str], definition: Definition) -> None:
    place = spelling[definition.home]
    if not definition.nodes:
        return
    declared = holdings.constant(library, spelling, definition) if place.rpartition(".")[0] == "torch" else None
    if declared is not None:
        found.constants[place] = declared
    elif place.rpartition(".")[0] == "torch.nn" and isinstance(definition.nodes[-1], ast.ClassDef):
        held = holdings.held(library, definition)
        if held is not None:
            found.held[place] = held


def _preferred(home: str, names: list[str]) -> str:
    """Of several names of one thing, the shortest; of equally short ones that nearest to where it is defined."""

    def distance(name: str) -> tuple[int, int, str]:
        same = 0
        for one, other in zip(name.split("."), home.split("."), strict=False):
            if one != other:
                break
            same += 1
        return name.count("."), -same, name

    return min(names, key=distance)


def _describe(
    library: Library, found: Reading, spelling: Mapping[str, str], definition: Definition, natives: Mapping[str, list[schemas.Native]]
) -> None:
    place = spelling[definition.home]
    owner, _, name = place.rpartition(".")
    module = library.module(definition.home.rpartition(".")[0])
    if module is None or not definition.nodes:
        return
    node = definition.nodes[-1]
    if isinstance(node, ast.ClassDef):
        _describe_class(library, found, spelling, definition, place)
        return
    lines = rendering.signatures(definition.nodes, name)
    if not lines and isinstance(node, ast.expr):
        lines = _wrapped(library, module, node, definition.home, name, natives)
    if lines:
        found.signatures.setdefault(owner, {})[name] = lines


def _wrapped(
    library: Library, module: Module, node: ast.expr, home: str, name: str, natives: Mapping[str, list[schemas.Native]]
) -> list[str]:
    """The signatures of a function that a module makes of another, or only documents."""
    target = forms.wrapped(module, node)
    definition = library.resolve(target) if target is not None else None
    if definition is not None and definition.home != home:
        lines = rendering.signatures(definition.nodes, name)
        if lines:
            return lines
    operator = (target or "").rpartition(".")[2]
    return schemas.python_signatures(natives.get(operator, ()), name)


def _describe_class(library: Library, found: Reading, spelling: Mapping[str, str], definition: Definition, place: str) -> None:
    names, signatures = found.names.setdefault(place, {}), found.signatures.setdefault(place, {})
    for part in _parts(library, definition):
        module, node = part
        for name, nodes in rendering.members(node, stub=module.stub).items():
            if not name.startswith("_"):
                names[name] = True
            if (not name.startswith("_") or name in _CALLED) and name not in signatures:
                lines = rendering.signatures(nodes, name)
                if lines:
                    signatures[name] = lines
        generated = rendering.dataclass_fields(node, "__init__")
        if generated is not None and "__init__" not in signatures:
            signatures["__init__"] = [generated]
    found.bases[place] = list(dict.fromkeys(_public_bases(library, spelling, definition)))


def _parts(library: Library, definition: Definition) -> Iterator[tuple[Module, ast.ClassDef]]:
    """A class's body, and those of its private bases behind it: what they hold is the class's own as far as users see."""
    module = library.module(definition.home.rpartition(".")[0])
    node = definition.nodes[-1]
    if module is None or not isinstance(node, ast.ClassDef):
        return
    yield module, node
    for base in forms.bases(library, definition):
        inherited = library.resolve(base)
        if inherited is not None and inherited.nodes and _is_private(inherited.home) and inherited.home != definition.home:
            yield from _parts(library, inherited)


def _is_private(home: str) -> bool:
    return home.rpartition(".")[2].startswith("_") or home == "torch._C.TensorBase"


def _public_bases(library: Library, spelling: Mapping[str, str], definition: Definition) -> Iterator[str]:
    """The bases of a class as users spell them: for a private base, whose members the class was given, that one's bases."""
    for base in forms.bases(library, definition):
        inherited = library.resolve(base)
        if inherited is None or not inherited.nodes:
            yield base
        elif _is_private(inherited.home) and inherited.home not in spelling and inherited.home != definition.home:
            yield from _public_bases(library, spelling, inherited)
        else:
            yield spelling.get(inherited.home, inherited.home)


def _operators(found: Reading, natives: Mapping[str, list[schemas.Native]]) -> None:
    """The lines of those operators that a public function or method is."""
    reached = {*found.names["torch"], *found.names["torch.Tensor"], *found.names["torch.nn.functional"], *found.operators.values()}
    reached |= {f"{name}_" for name in reached if f"{name}_" in natives}
    for name, overloads in natives.items():
        if name in reached and not name.startswith("__"):
            for native in overloads:
                if not native.has_out and "Dimname" not in native.schema:
                    found.schemas[native.full_name] = native.line
