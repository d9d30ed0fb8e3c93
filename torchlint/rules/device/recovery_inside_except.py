"""Recovery from a lack of memory inside the `except` block, where what filled the memory is still held."""

from collections.abc import Iterator

import libcst as cst

from torchlint.model import FileModel
from torchlint.rule import INFO, Finding, rule

_OUT_OF_MEMORY = frozenset({"torch.cuda.OutOfMemoryError", "torch.OutOfMemoryError"})
_EMPTYING = frozenset(f"torch.{module}.empty_cache" for module in ("cuda", "cuda.memory", "xpu", "mps"))


@rule("TL414", severity=INFO, default=False, mentions=("OutOfMemoryError", "out of memory"))
def check(file: FileModel) -> Iterator[Finding]:
    for block in file.nodes(cst.Try):
        tried = {file.source(call.func) for call in _calls(file, block.body)}
        for handler in block.handlers:
            if not _catches_lack_of_memory(file, handler):
                continue
            for call in _calls(file, handler.body):
                again = file.source(call.func) in tried
                if not again and file.qualname(call.func) not in _EMPTYING:
                    continue  # it reports, counts, or raises something else
                done = "runs again" if again else "empties the cache"
                yield Finding(
                    call,
                    f"`{file.source(call.func)}` {done} while the exception still holds the frames and tensors that filled the memory",
                    help="note in the `except` block that it failed, and recover behind it",
                    related=((block, "what failed"),),
                )
                break


def _calls(file: FileModel, within: cst.CSTNode) -> Iterator[cst.Call]:
    return (call for call in file.nodes(cst.Call) if any(each is within for each in file.ancestors(call)))


def _catches_lack_of_memory(file: FileModel, handler: cst.ExceptHandler) -> bool:
    """By its class, or as an error whose text says so."""
    if handler.type is None:
        return False
    caught = [each.value for each in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]
    if any(file.qualname(each) in _OUT_OF_MEMORY for each in caught):
        return True
    is_general = any(isinstance(each, cst.Name) and each.value in ("RuntimeError", "Exception") for each in caught)
    return is_general and "out of memory" in file.source(handler)
