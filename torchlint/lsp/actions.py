"""What an editor offers for the findings at a place: their fixes, the other good ways to mend them, and to suppress them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from torchlint import suppress
from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability, ResolvedFix, apply
from torchlint.lsp.checking import Found
from torchlint.lsp.conversion import View
from torchlint.selection import OWN_RULES

FIX_ALL = "source.fixAll.torchlint"
FIX_NOTEBOOK = "notebook.source.fixAll.torchlint"
"""Asked for once for a notebook. The other would be asked for in each cell, and what mends a notebook as a whole be done many times."""


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind of action is asked for: named itself, or by a kind that it belongs to."""
    return only is None or any(kind == each or kind.startswith(f"{each}.") for each in only)


def quick_fixes(found: Found, shown: types.Diagnostic, view: View) -> Iterator[types.CodeAction]:
    if found.program is None:
        return
    finding, program = found.diagnostic, view.document.programs[found.program]
    fixes = [each for each in (finding.fix, *finding.alternatives) if each is not None and each.applicability > Applicability.DISPLAY]
    for number, each in enumerate(fixes):
        edit = view.edit_of(found.program, apply(program, [each])[0])
        if edit is not None:
            preferred = number == 0 and each.applicability is Applicability.SAFE
            yield _action(_title(finding, each), shown, edit, preferred)
    if all(finding.code != rule.code for rule in OWN_RULES):
        edit = view.edit_of(found.program, suppress.add(program, [finding]))
        if edit is not None:
            yield _action(f"torchlint: suppress {finding.code} on this line", shown, edit, False)


def _title(finding: Diagnostic, fix: ResolvedFix) -> str:
    doubt = " (unsafe)" if fix.applicability is Applicability.UNSAFE else ""
    return f"torchlint: {fix.message}{doubt} [{finding.code}]"


def _action(title: str, shown: types.Diagnostic, edit: types.WorkspaceEdit, preferred: bool) -> types.CodeAction:
    return types.CodeAction(title, types.CodeActionKind.QuickFix, diagnostics=[shown], edit=edit, is_preferred=True if preferred else None)
