"""The edits that fixes are made of: every builder takes syntax nodes and returns a `torchlint.rule.Fix` of lazy rewrites.

The builders own parentheses, commas, comments, indentation, rows and imports, so that rules never count characters. A builder
whose edit would not be right at its place raises `Unfixable` when the fix is resolved; the finding is then reported without a fix.
How sure a fix is stays with the rule, except that one that deletes a comment is never safe (`deletes_comment`).
"""

from torchlint.rewrite.arguments import insert_argument, lead_argument, name_argument, remove_argument, rename_keyword, replace_argument
from torchlint.rewrite.expressions import method, rename_attribute, rename_function, replace, replace_target, unwrap_method, wrap
from torchlint.rewrite.imports import add_from_import, add_import, move_imports, rename_import
from torchlint.rewrite.resolving import Unfixable, deletes_comment, resolve
from torchlint.rewrite.slots import argument
from torchlint.rewrite.statements import decorate, delete_statement, insert_after, insert_before, open_block, replace_statement

__all__ = [
    "Unfixable",
    "add_from_import",
    "add_import",
    "argument",
    "decorate",
    "delete_statement",
    "deletes_comment",
    "insert_after",
    "insert_argument",
    "insert_before",
    "lead_argument",
    "method",
    "move_imports",
    "name_argument",
    "open_block",
    "remove_argument",
    "rename_attribute",
    "rename_function",
    "rename_import",
    "rename_keyword",
    "replace",
    "replace_argument",
    "replace_statement",
    "replace_target",
    "resolve",
    "unwrap_method",
    "wrap",
]
