"""Operator declarations: native_functions.yaml as it is, what derivatives.yaml says of outputs, and the Python signature of either."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

TAGS = ("data_dependent_output", "dynamic_output_shape", "nondeterministic_seeded", "maybe_aliasing_or_mutating", "inplace_view")
"""The tags that are kept, under PyTorch's own names."""

INTEGRAL_OUTPUTS = frozenset({"indices", "max_indices", "counts", "inverse_indices", "pivots", "info", "rank", "LD_pivots"})
"""Outputs that are of an integer type whenever they are named so; derivatives.yaml need not say that they have no derivative."""

_OPTIONS = ("dtype", "layout", "device", "pin_memory")


@dataclass(frozen=True)
class Native:
    """One overload of an operator."""

    schema: str
    variants: tuple[str, ...] = ("function",)
    module: str | None = None
    tags: tuple[str, ...] = ()
    nondifferentiable: tuple[int, ...] = ()

    @property
    def full_name(self) -> str:
        return self.schema.split("(", 1)[0]

    @property
    def name(self) -> str:
        return self.full_name.split(".")[0]

    @property
    def has_out(self) -> bool:
        """Writes into a result that it is given: the same operator otherwise."""
        arguments, result = self.parts
        return re.search(r"\*, .*\(\w!\) \w+", arguments) is not None and "!" in result

    @property
    def parts(self) -> tuple[str, str]:
        arguments, _, result = self.schema.rpartition(" -> ")
        return arguments.split("(", 1)[1].rstrip().removesuffix(")"), result

    @property
    def line(self) -> str:
        said = [*self.variants, *self.tags]
        if self.nondifferentiable:
            outputs = len(split(self.parts[1].strip("()"))) if self.parts[1].startswith("(") else 1
            every = len(self.nondifferentiable) == outputs
            said.append("nondifferentiable" if every else "nondifferentiable=" + ",".join(map(str, self.nondifferentiable)))
        return f"{self.schema} | {' '.join(said)}"


def natives(functions: str, derivatives: str | None, autograd: str | None) -> list[Native]:
    """All overloads that native_functions.yaml declares, with what the other two (where a wheel ships them) say of their derivatives."""
    without = _without_outputs(derivatives)
    underivable = _underivable(autograd)
    found = []
    for row in _yaml(functions):
        tags = row.get("tags") or []
        native = Native(
            schema=row["func"],
            variants=tuple(part.strip() for part in row.get("variants", "function").split(",")),
            module=row.get("python_module"),
            tags=tuple(tag for tag in TAGS if tag in ([tags] if isinstance(tags, str) else tags)),
        )
        outputs = _outputs(native)
        said = without.get(native.full_name, ())
        every = said is None or native.name in underivable
        lost = {index for index, name in enumerate(outputs) if every or index in (said or ()) or name in INTEGRAL_OUTPUTS}
        tensors = [index for index in sorted(lost) if not native.name.endswith("_")]
        found.append(replace(native, nondifferentiable=tuple(tensors) if "Tensor" in native.parts[1] else ()))
    return found


def _yaml(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return rows


def _outputs(native: Native) -> list[str]:
    result = native.parts[1]
    return [part.split()[-1] for part in split(result[1:-1])] if result.startswith("(") else [""]


def _without_outputs(derivatives: str | None) -> dict[str, tuple[int, ...] | None]:
    """Overloads and which outputs have no derivative; None: none of them has."""
    found: dict[str, tuple[int, ...] | None] = {}
    for row in _yaml(derivatives) if derivatives else ():
        name = row["name"].split("(", 1)[0]
        outputs = row.get("output_differentiability")
        if outputs is not None:
            found[name] = tuple(index for index, yes in enumerate(outputs) if yes is False)
            continue
        formulas = row.get("dispatch", {}).get("Default", row)
        inputs = [text for key, text in formulas.items() if key not in ("name", "dispatch", "output_differentiability")]
        if inputs and all(text == "non_differentiable" for text in inputs):
            found[name] = None
    return found


def _underivable(autograd: str | None) -> frozenset[str]:
    for statement in ast.parse(autograd or "").body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DONT_REQUIRE_DERIVATIVE":
            return frozenset(ast.literal_eval(statement.value))
    return frozenset()


def split(text: str) -> list[str]:
    """The parts between the commas that stand in no brackets or quotes."""
    parts, depth, start, quote = [], 0, 0, ""
    for index, letter in enumerate(text):
        if quote or letter in "'\"":
            quote = "" if letter == quote else quote or letter
        elif letter == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
        else:
            depth += (letter in "([{") - (letter in ")]}")
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def python_signatures(overloads: Sequence[Native], name: str, *, method: bool = False) -> list[str]:
    """How Python's argument parser takes an operator, one line per overload: a function calls `self` `input`, and may take `out`."""
    has_out = any(native.has_out for native in overloads)
    lines = []
    for native in overloads:
        if native.has_out or "Dimname" in native.schema or ("method" if method else "function") not in native.variants:
            continue
        parameters = list(_python_parameters(split(native.parts[0]), method=method, has_out=has_out and not method))
        result = re.sub(r"\([a-z]!?(?: -> \*)?(?:\|[a-z])*\)", "", native.parts[1])
        lines.append(f"{name}({', '.join(parameters)})" + (f" -> {result}" if "Tensor" in result else ""))
    return list(dict.fromkeys(lines))


def _python_parameters(parameters: Iterable[str], *, method: bool, has_out: bool) -> Iterator[str]:
    keyword_only, options = False, False
    listed = list(parameters)
    if method:
        yield "self"
        listed = [parameter for parameter in listed if parameter.split("=")[0].split()[-1] != "self"]
    for parameter in listed:
        if parameter == "*":
            keyword_only = True
            yield "*"
            continue
        declared, _, default = parameter.partition("=")
        name = declared.split()[-1]
        options |= name in _OPTIONS and keyword_only
        yield ("input" if name == "self" and not method else name) + (f"={_literal(default)}" if "=" in parameter else "")
    if has_out:
        yield from ([] if keyword_only else ["*"])
        yield "out=None"
    if options:
        yield "requires_grad=False"


def _literal(text: str) -> str:
    if text in ("True", "False", "None") or re.fullmatch(r"-?[\d.]+(?:e-?\d+)?|'[^']*'", text):
        return text
    if re.fullmatch(r"\[[\d, ]*\]", text):
        return repr(tuple(ast.literal_eval(text)))
    return {"Mean": "'mean'", "Sum": "'sum'"}.get(text, "...")


def by_name(found: Iterable[Native]) -> Mapping[str, list[Native]]:
    grouped: dict[str, list[Native]] = {}
    for native in found:
        grouped.setdefault(native.name, []).append(native)
    return grouped
