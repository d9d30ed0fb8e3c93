"""What the tests of the edit builders share: finding a node by its text, and the text that a fix leaves."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import libcst as cst

from torchlint.edits import Applicability, Effect, ResolvedFix, apply
from torchlint.rewrite import resolve
from torchlint.rule import Fix
from torchlint.syntax.file import SourceFile

MODULES = "argparse ast asyncio.tasks collections dataclasses decimal inspect random textwrap typing unittest.mock"
N = TypeVar("N", bound=cst.CSTNode)


def find(file: SourceFile, source: str, kind: type[N] = cst.BaseExpression) -> N:
    """The first, outermost node of this kind that is written so."""
    return next(node for node in file.tree.order if isinstance(node, kind) and file.source(node) == source)


def fixed(file: SourceFile, fix: Fix) -> str:
    """The text with the fix applied; it must be Python again."""
    edits = resolve(file, fix)
    text, _ = apply(file.text, [ResolvedFix(edits, Applicability.SAFE, Effect.KEEPS, "")])
    ast.parse(text)
    return text


def after(before: str, source: str, build: Callable[..., Fix], *arguments: object, kind: type[cst.CSTNode] = cst.BaseExpression) -> str:
    """The text that one builder leaves when it is given the node that is written so."""
    file = SourceFile(before)
    return fixed(file, build(find(file, source, kind), *arguments))


@cache
def statements_of_the_standard_library() -> tuple[str, ...]:
    """Statements of many kinds, each a small file: every simple statement, and every header with an empty body."""
    found: dict[str, None] = {}
    for name in MODULES.split():
        file = SourceFile(inspect.getsource(importlib.import_module(name)))
        for node in file.tree.order:
            if isinstance(node, cst.SimpleStatementLine):
                text = file.source(node)
            elif isinstance(node, (cst.If, cst.For, cst.While, cst.With, cst.FunctionDef, cst.ClassDef)) and isinstance(
                node.body, cst.IndentedBlock
            ):
                first = (*getattr(node.body.body[0], "decorators", ()), node.body.body[0])[0]
                text = re.sub(r":\s*(#.*\s*)*$", ": pass", file.text[file.span(node)[0] : file.span(first)[0]])
            else:
                continue
            if text.isascii() and not text.startswith(("elif", '"""')):  # Python's own tree counts columns in bytes
                found[text + "\n"] = None
    return tuple(found)[::3]
