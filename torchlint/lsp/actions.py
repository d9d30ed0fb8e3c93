"""What an editor offers for the findings at a place: their fixes, the other good ways to mend them, and to suppress them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from torchlint import suppress
from torchlint.diagnostic import Diagnostic
from torchlint.edits import Applicability, ResolvedFix
from torchlint.lsp.conversion import Converter
from torchlint.selection import OWN_RULES

FIX_ALL = "source.fixAll.torchlint"


def is_wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a kind of action is asked for: named itself, or by a kind that it belongs to."""
    return only is None or any(kind == each or kind.startswith(f"{each}.") for each in only)


def quick_fixes(
    finding: Diagnostic, shown: types.Diagnostic, uri: str, version: int | None, converter: Converter
) -> Iterator[types.CodeAction]:
    fixes = [each for each in (finding.fix, *finding.alternatives) if each is not None and each.applicability > Applicability.DISPLAY]
    for number, each in enumerate(fixes):
        edits = [converter.edit(edit) for edit in each.edits]
        preferred = number == 0 and each.applicability is Applicability.SAFE
        yield _action(_title(finding, each), shown, workspace_edit(uri, version, edits), preferred)
    if all(finding.code != rule.code for rule in OWN_RULES):
        silent = suppress.add(converter.text, [finding])
        if silent != converter.text:
            edit = workspace_edit(uri, version, converter.rewrite(silent))
            yield _action(f"torchlint: suppress {finding.code} on this line", shown, edit, False)


def workspace_edit(uri: str, version: int | None, edits: Sequence[types.TextEdit]) -> types.WorkspaceEdit:
    """For this version of the document and no other: an editor refuses it once somebody has typed on."""
    document = types.OptionalVersionedTextDocumentIdentifier(uri, version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, list(edits))])


def _title(finding: Diagnostic, fix: ResolvedFix) -> str:
    doubt = " (unsafe)" if fix.applicability is Applicability.UNSAFE else ""
    return f"torchlint: {fix.message}{doubt} [{finding.code}]"


def _action(title: str, shown: types.Diagnostic, edit: types.WorkspaceEdit, preferred: bool) -> types.CodeAction:
    return types.CodeAction(title, types.CodeActionKind.QuickFix, diagnostics=[shown], edit=edit, is_preferred=True if preferred else None)
