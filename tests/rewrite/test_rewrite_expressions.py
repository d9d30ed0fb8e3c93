"""Edits of expressions, by cases and over the expressions of the standard library."""

import ast
from collections import Counter

import libcst as cst
import pytest
from rewriting import after, find, fixed, statements_of_the_standard_library

from torchlint.rewrite import Unfixable, method, rename_attribute, rename_function, replace, unwrap_method, wrap
from torchlint.syntax.file import SourceFile

METHOD = {
    "name": ("y = x\n", "x", "y = x.d()\n"),
    "attribute": ("y = x.z\n", "x.z", "y = x.z.d()\n"),
    "call": ("f(a)\n", "f(a)", "f(a).d()\n"),
    "subscript": ("y = x[0]\n", "x[0]", "y = x[0].d()\n"),
    "sum": ("t += a + b\n", "a + b", "t += (a + b).d()\n"),
    "sum with its own parentheses": ("t = (a + b)\n", "a + b", "t = (a + b).d()\n"),
    "operand": ("t = a + b\n", "b", "t = a + b.d()\n"),
    "negated": ("t = -a\n", "-a", "t = (-a).d()\n"),
    "under a minus": ("t = -a\n", "a", "t = -a.d()\n"),
    "comparison": ("t = a < b\n", "a < b", "t = (a < b).d()\n"),
    "boolean": ("t = a and b\n", "a and b", "t = (a and b).d()\n"),
    "not": ("t = not a\n", "not a", "t = (not a).d()\n"),
    "power": ("t = a ** b\n", "a ** b", "t = (a ** b).d()\n"),
    "await": ("async def f():\n    return await a\n", "await a", "async def f():\n    return (await a).d()\n"),
    "lambda": ("t = lambda: a\n", "lambda: a", "t = (lambda: a).d()\n"),
    "conditional": ("t = a if b else c\n", "a if b else c", "t = (a if b else c).d()\n"),
    "yield": ("def f():\n    t = yield a\n", "yield a", "def f():\n    t = (yield a).d()\n"),
    "walrus": ("if (a := b):\n    pass\n", "a := b", "if (a := b).d():\n    pass\n"),
    "walrus without parentheses": ("f(a := b)\n", "a := b", "f((a := b).d())\n"),
    "integer": ("t = 1\n", "1", "t = (1).d()\n"),
    "float": ("t = 1.5\n", "1.5", "t = 1.5.d()\n"),
    "float that ends in its dot": ("t = 1.\n", "1.", "t = 1..d()\n"),
    "string": ("t = 'a'\n", "'a'", "t = 'a'.d()\n"),
    "strings side by side": ("t = 'a' 'b'\n", "'a' 'b'", "t = 'a' 'b'.d()\n"),
    "tuple without parentheses": ("t = a, b\n", "a, b", "t = (a, b).d()\n"),
    "tuple": ("t = (a, b)\n", "a, b", "t = (a, b).d()\n"),
    "generator as the argument": ("f(x for x in y)\n", "x for x in y", "f((x for x in y).d())\n"),
    "generator": ("f((x for x in y))\n", "x for x in y", "f((x for x in y).d())\n"),
    "comprehension": ("t = [x for x in y]\n", "[x for x in y]", "t = [x for x in y].d()\n"),
    "over rows": ("t = (a +\n     b)\n", "a +\n     b", "t = (a +\n     b).d()\n"),
    "over rows, in a call": ("f(\n    a\n    + b,\n)\n", "a\n    + b", "f(\n    (a\n    + b).d(),\n)\n"),
    "over rows by backslash": ("t = a + \\\n    b\n", "a + \\\n    b", "t = (a + \\\n    b).d()\n"),
    "beside a keyword": ("def f(): return-x\n", "-x", "def f(): return(-x).d()\n"),
    "before a keyword": ("t = 1if a else b\n", "1", "t = (1).d()if a else b\n"),
    "with a comment behind": ("t += a  # c\n", "a", "t += a.d()  # c\n"),
    "comment inside parentheses": ("t = (a  # c\n     + b)\n", "a  # c\n     + b", "t = (a  # c\n     + b).d()\n"),
    "in an f-string": ("f'{a + b!r:>{w}}'\n", "a + b", "f'{(a + b).d()!r:>{w}}'\n"),
    "in the format of an f-string": ("f'{a:>{w}}'\n", "w", "f'{a:>{w.d()}}'\n"),
    "receiver": ("a.b(c)\n", "a", "a.d().b(c)\n"),
    "starred": ("f(*a)\n", "a", "f(*a.d())\n"),
    "element": ("t = [a, b]\n", "b", "t = [a, b.d()]\n"),
    "index": ("t = a[b]\n", "b", "t = a[b.d()]\n"),
    "target's object": ("a.b = c\n", "a", "a.d().b = c\n"),
    "windows newlines": ("t = (a +\r\n  b)\r\n", "a +\r\n  b", "t = (a +\r\n  b).d()\r\n"),
}


@pytest.mark.parametrize(("before", "source", "expected"), METHOD.values(), ids=METHOD)
def test_a_method_is_called_on_the_whole_expression(before: str, source: str, expected: str) -> None:
    assert after(before, source, method, "d") == expected


def test_a_method_takes_arguments() -> None:
    assert after("t = a + b\n", "a + b", method, "to", "device", "non_blocking=True") == "t = (a + b).to(device, non_blocking=True)\n"


NOT_VALUES = {
    "target": ("a = b\n", "a"),
    "target in a tuple": ("(a, b) = c\n", "b"),
    "starred target": ("a, *b = c\n", "b"),
    "augmented target": ("a += b\n", "a"),
    "loop variable": ("for a in b: pass\n", "a"),
    "variable of a comprehension": ("t = [c for a in b]\n", "a"),
    "deleted": ("del a\n", "a"),
    "with target": ("with b as a: pass\n", "a"),
    "walrus target": ("f(a := b)\n", "a"),
    "import": ("import a\n", "a"),
    "package": ("import a.b.c\n", "a"),
    "package of a from import": ("from a.b import c\n", "a"),
    "constant of a pattern": ("match b:\n    case a.c: pass\n", "a"),
    "parameter": ("def f(a): pass\n", "a"),
    "function": ("def a(): pass\n", "a"),
    "global": ("def f():\n    global a\n", "a"),
    "pattern": ("match b:\n    case a: pass\n", "a"),
    "class pattern": ("match b:\n    case a(): pass\n", "a"),
    "piece of a string": ("t = 'a' 'b'\n", "'a'"),
    "debug f-string": ("f'{a = }'\n", "a"),
}


@pytest.mark.parametrize(("before", "source"), NOT_VALUES.values(), ids=NOT_VALUES)
def test_what_is_no_value_is_left_alone(before: str, source: str) -> None:
    for build, argument in ((method, "d"), (replace, "c"), (wrap, "f({})")):
        with pytest.raises(Unfixable):
            after(before, source, build, argument)


REPLACE = {
    "name": ("t = a\n", "a", "b", "t = b\n"),
    "with its parentheses": ("t = (a + c)\n", "a + c", "b", "t = b\n"),
    "operator in the open": ("t = a\n", "a", "b + c", "t = b + c\n"),
    "operator as operand": ("t = a * d\n", "a", "b + c", "t = (b + c) * d\n"),
    "operator as receiver": ("t = a.d\n", "a", "-b", "t = (-b).d\n"),
    "integer as receiver": ("t = a.d\n", "a", "1", "t = (1).d\n"),
    "integer as operand": ("t = a + d\n", "a", "1", "t = 1 + d\n"),
    "conditional as argument": ("f(a, d)\n", "a", "b if c else e", "f(b if c else e, d)\n"),
    "conditional in a comprehension": ("t = [x for x in a]\n", "a", "b if c else e", "t = [x for x in (b if c else e)]\n"),
    "conditional in a conditional": ("t = a if x else y\n", "a", "b if c else e", "t = (b if c else e) if x else y\n"),
    "lambda in an f-string": ("f'{a}'\n", "a", "lambda: b", "f'{(lambda: b)}'\n"),
    "walrus": ("if a: pass\n", "a", "b := c", "if (b := c): pass\n"),
    "tuple in a call": ("f(a)\n", "a", "b, c", "f((b, c))\n"),
    "await as receiver": ("async def f(): a.b\n", "a", "await c", "async def f(): (await c).b\n"),
    "rows": ("t = a\n", "a", "b +\nc", "t = (b +\nc)\n"),
    "rows in brackets": ("t = a\n", "a", "f(\n    b,\n)", "t = f(\n    b,\n)\n"),
    "beside a keyword": ("def f(): return(a)\n", "a", "b", "def f(): return b\n"),
    "between keywords": ("t = x if(a)else y\n", "a", "b", "t = x if b else y\n"),
    "string beside a keyword": ("t = x if(a)else y\n", "a", "'b'", "t = x if 'b'else y\n"),
    "generator as the argument": ("f(x for x in y)\n", "x for x in y", "z", "f(z)\n"),
    "in an f-string": ("f'{a}'\n", "a", 'b["c"]', "f'{b[\"c\"]}'\n"),
}


@pytest.mark.parametrize(("before", "source", "text", "expected"), REPLACE.values(), ids=REPLACE)
def test_an_expression_is_replaced(before: str, source: str, text: str, expected: str) -> None:
    assert after(before, source, replace, text) == expected


IMPOSSIBLE = {
    "the f-string's own quotes": ("f'{a}'\n", "a", "b['c']"),
    "the quotes of an f-string around": ("f'''{f\"{a}\"}'''\n", "a", "b['c']"),
    "rows in an f-string": ("f'''{a}'''\n", "a", "f(\nb)"),
    "backslash in an f-string": ("f'{a}'\n", "a", 'b["\\n"]'),
    "brace beside a brace": ("f'{a}'\n", "a", "{b}"),
    "two statements": ("t = a\n", "a", "b; c"),
    "closing parenthesis": ("t = a\n", "a", "b) + (c"),
    "nothing": ("t = a\n", "a", ""),
}


@pytest.mark.parametrize(("before", "source", "text"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_replacement_that_cannot_stand_there_is_refused(before: str, source: str, text: str) -> None:
    with pytest.raises(Unfixable):
        after(before, source, replace, text)


WRAP = {
    "list": ("self.a = [b, c]\n", "[b, c]", "nn.ModuleList({})", "self.a = nn.ModuleList([b, c])\n"),
    "beside a keyword": ("def f(): return[a]\n", "[a]", "g({})", "def f(): return g([a])\n"),
    "over rows": ("a = [\n    b,  # c\n]\n", "[\n    b,  # c\n]", "g({})", "a = g([\n    b,  # c\n])\n"),
    "operator": ("t = a + b\n", "a + b", "g({})", "t = g(a + b)\n"),
    "operator with its parentheses": ("t = (a + b)\n", "a + b", "g({})", "t = g((a + b))\n"),
    "tuple without parentheses": ("t = a, b\n", "a, b", "g({})", "t = g((a, b))\n"),
    "generator as the argument": ("f(x for x in y)\n", "x for x in y", "g({}, 1)", "f(g((x for x in y), 1))\n"),
    "as receiver": ("t = a + b\n", "a + b", "{}.c[0]", "t = (a + b).c[0]\n"),
    "under an operator": ("t = a.b\n", "a", "-{}", "t = (-a).b\n"),
    "operator around an operator": ("t = a + b\n", "a + b", "2 * {}", "t = 2 * (a + b)\n"),
    "keyword argument": ("f(a := b)\n", "a := b", "g(x={})", "f(g(x=(a := b)))\n"),
    "word behind": ("t = [x for x in(a)if b]\n", "a", "{} + c", "t = [x for x in((a) + c)if b]\n"),
    "in an f-string": ("f'{a}'\n", "a", "g({})", "f'{g(a)}'\n"),
}


@pytest.mark.parametrize(("before", "source", "template", "expected"), WRAP.values(), ids=WRAP)
def test_an_expression_is_wrapped(before: str, source: str, template: str, expected: str) -> None:
    assert after(before, source, wrap, template) == expected


@pytest.mark.parametrize("template", ["f()", "f({}, {})", "f(\n{})", "f'{}'"])
def test_a_template_has_one_hole_for_an_expression(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        after("t = a\n", "a", wrap, template)


UNWRAP = {
    "call": ("t = torch.zeros(2).to(d)\n", "torch.zeros(2).to(d)", "t = torch.zeros(2)\n"),
    "no argument": ("t = a.cuda()\n", "a.cuda()", "t = a\n"),
    "chained": ("t = a.b(c).to(d).e()\n", "a.b(c).to(d)", "t = a.b(c).e()\n"),
    "parenthesised receiver": ("t = (a + b).to(d)\n", "(a + b).to(d)", "t = (a + b)\n"),
    "parenthesised call": ("t = (a.to(d))\n", "a.to(d)", "t = (a)\n"),
    "over rows": ("t = (\n    a(2)\n    .to(d)\n)\n", "a(2)\n    .to(d)", "t = (\n    a(2)\n)\n"),
    "over rows, more to come": (
        "t = (\n    a\n    .to(\n        d\n    )\n    .e()\n)\n",
        "a\n    .to(\n        d\n    )",
        "t = (\n    a\n    .e()\n)\n",
    ),
    "over rows by backslash": ("t = a \\\n    .to(d)\n", "a \\\n    .to(d)", "t = a\n"),
    "before a keyword": ("t = a.to(d)if b else c\n", "a.to(d)", "t = a if b else c\n"),
    "awaited": ("async def f(): await a.to(d)\n", "a.to(d)", "async def f(): await a\n"),
    "spaces": ("t = a . to (d)\n", "a . to (d)", "t = a\n"),
    "in an f-string": ("f'{a.to(\"d\")}'\n", 'a.to("d")', "f'{a}'\n"),
}


@pytest.mark.parametrize(("before", "source", "expected"), UNWRAP.values(), ids=UNWRAP)
def test_a_method_call_is_taken_off(before: str, source: str, expected: str) -> None:
    assert after(before, source, unwrap_method, kind=cst.Call) == expected


@pytest.mark.parametrize("source", ["f(x)", "(a.b)(c)", "1 .to(d)"])
def test_only_method_calls_can_be_taken_off(source: str) -> None:
    with pytest.raises(Unfixable):
        after(f"t = {source}\n", source, unwrap_method, kind=cst.Call)


def test_an_attribute_is_renamed() -> None:
    assert after("t = a . old (b) .old\n", "a . old", rename_attribute, "new", kind=cst.Attribute) == "t = a . new (b) .old\n"


def test_renaming_a_function_changes_its_definition_alone() -> None:
    file = SourceFile("@old\ndef old (x):\n    return old(x)\n")
    assert fixed(file, rename_function(file.nodes(cst.FunctionDef)[0], "new")) == "@old\ndef new (x):\n    return old(x)\n"


def test_fixes_inside_a_wrapped_expression_can_be_applied_with_it() -> None:
    file = SourceFile("t = [a.b, c]\n")
    fix = wrap(find(file, "[a.b, c]"), "g({})") + method(find(file, "a.b"), "d")
    assert fixed(file, fix) == "t = g([a.b.d(), c])\n"


# -- over the standard library ------------------------------------------------------------------------------------------

CHANGES = {
    "method": (lambda node: method(node, "detach"), "_.detach()"),
    "call": (lambda node: wrap(node, "g(x, {})"), "g(x, _)"),
    "operator": (lambda node: wrap(node, "-{}"), "-_"),
    "conditional": (lambda node: wrap(node, "{} if a else b"), "_ if a else b"),
    "receiver": (lambda node: wrap(node, "{}.c"), "_.c"),
}


class _Substitution(ast.NodeTransformer):
    """Python's own idea of a change: the expression at these positions put into another one, in place of `_`."""

    def __init__(self, place: tuple[int, int, int, int], change: str) -> None:
        self.place, self.change, self.done = place, change, False

    def visit(self, node: ast.AST) -> ast.AST:
        place = tuple(getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))
        if not isinstance(node, ast.expr) or place != self.place or self.done:
            return self.generic_visit(node)
        self.done = True
        return _Filled(node).visit(ast.parse(self.change, mode="eval").body)


class _Filled(ast.NodeTransformer):
    def __init__(self, filling: ast.expr) -> None:
        self.filling = filling

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.filling if node.id == "_" else node


def _expected(file: SourceFile, node: cst.BaseExpression, change: str) -> str | None:
    """What Python makes of the changed program; None where it does not know the expression by this place."""
    start, end = file.span(node)
    if isinstance(node, (cst.Tuple, cst.GeneratorExp)) and node.lpar:  # these parentheses belong to the node for Python
        start, end = file.positions.span(node.lpar[-1])[0], file.positions.span(node.rpar[0])[1]
    elif isinstance(node, cst.GeneratorExp):  # and so do those of the call
        call = next(each for each in file.ancestors(node) if isinstance(each, cst.Call))
        start, end = file.text.index("(", file.positions.full_span(call.func)[1]), file.span(call)[1]
    (row, column), (last, behind) = file.positions.location(start), file.positions.location(end)
    substitution = _Substitution((row, column - 1, last, behind - 1), change)
    tree = substitution.visit(ast.parse(file.text))
    return ast.dump(tree) if substitution.done else None


@pytest.mark.parametrize("change", CHANGES)
def test_the_standard_library_means_what_it_should_after_a_change(change: str) -> None:
    """Expressions of many kinds are changed, one at a time: Python's tree changes there and nowhere else."""
    build, expected_change = CHANGES[change]
    compared: Counter[str] = Counter()
    for statement in statements_of_the_standard_library():
        file = SourceFile(statement)
        for node in file.tree.order:
            if not isinstance(node, cst.BaseExpression) or compared[type(node).__name__] > 60:
                continue
            if any(isinstance(each, cst.FormattedString) for each in file.ancestors(node)):
                continue  # Python 3.11 does not know the places inside
            try:
                text = fixed(file, build(node))
            except Unfixable:
                continue
            expected = _expected(file, node, expected_change)
            if expected is None and isinstance(node, cst.BooleanOperation):
                continue  # `a and b` of `a and b and c`, which is one operation of three for Python
            assert expected is not None, file.source(node)
            assert ast.dump(ast.parse(text)) == expected, text
            compared[type(node).__name__] += 1
    assert len(compared) >= 20, "hardly any kind of expression was met"
    assert sum(compared.values()) > 700
