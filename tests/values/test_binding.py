"""Arguments by name: the same answers as Python's own binding gives."""

import inspect
from collections.abc import Callable
from typing import Any

import libcst as cst
import pytest

from torchlint.facts.signatures import Kind, Parameter, signatures
from torchlint.values.binding import bind, bind_any, parameters_of

DEFINITIONS = [
    "def f(a, b=1, *, c=2): pass",
    "def f(a, /, b, *rest, c, **more): pass",
    "def f(*, a): pass",
    "def f(a=1, b=2): pass",
    "def f(*rest, **more): pass",
]
CALLS = [
    "f()", "f(1)", "f(1, 2)", "f(1, 2, 3)", "f(1, c=4)", "f(b=1, a=2)", "f(1, a=2)", "f(a=1)", "f(1, 2, c=3, d=4)", "f(c=1, b=2)",
]  # fmt: skip


def parameters(definition: str) -> tuple[Parameter, ...]:
    node = cst.ensure_type(cst.parse_statement(definition), cst.FunctionDef)
    return parameters_of(node)


def called(text: str) -> cst.Call:
    return cst.ensure_type(cst.parse_expression(text), cst.Call)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_binding_agrees_with_python(definition: str, call: str) -> None:
    space: dict[str, Any] = {}
    exec(definition, space)
    function: Callable[..., object] = space["f"]
    bound = bind(called(call), parameters(definition))

    def python(*args: object, **keywords: object) -> dict[str, object] | None:
        try:
            found = inspect.signature(function).bind(*args, **keywords).arguments
        except TypeError:
            return None
        return {name: value for name, value in found.items() if name not in ("rest", "more")}

    expected = eval(call, {"f": python})

    assert bound.fits is (expected is not None)
    if expected is not None:
        assert {name: bound.literal(name) for name in bound.given} == expected


def test_what_is_spread_may_hold_what_seems_to_be_missing() -> None:
    bound = bind(called("f(1, *more, c=3)"), parameters("def f(a, b, c, d): pass"))

    assert "a" in bound
    assert "b" not in bound
    assert bound.may_have("b")
    assert bound.literal("c") == 3


def test_behind_a_star_no_argument_has_a_known_place() -> None:
    bound = bind(called("f(*more, 2)"), parameters("def f(a, b): pass"))

    assert bound.given == {}


def test_a_receiver_is_the_first_parameter() -> None:
    receiver = cst.Name("x")
    bound = bind(called("x.f(3)"), parameters("def f(self, b): pass"), receiver)

    assert bound["self"] is receiver
    assert bound.literal("b") == 3


def test_the_overload_that_takes_the_call_is_chosen() -> None:
    bound = bind_any(called("torch.max(x, 1, keepdim=True)"), signatures("torch.max"))

    assert bound.fits
    assert bound.literal("dim") == 1


def test_without_a_signature_only_keywords_are_known() -> None:
    bound = bind_any(called("unknown(1, a=2)"), ())

    assert bound.literal("a") == 2
    assert not bound.fits


def test_defaults_of_the_project_are_known_by_value() -> None:
    _, b, c = parameters("def f(a, b=1, c=g()): pass")

    assert b.default == 1
    assert c.default is ...
    assert b.kind is Kind.POSITIONAL_OR_KEYWORD
