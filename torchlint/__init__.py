"""torchlint finds the mistakes PyTorch lets people make in silence, fixes them, and proves the fixes by execution.

The core is pure: `lint(text, settings)` and `fix(text, settings)`. Importing this package imports neither LibCST nor torch;
both functions are loaded on first use, so that `torchlint --version` stays as quick as the interpreter allows.
"""

__version__ = "0.1.0"
__all__ = ["__version__", "fix", "lint"]

TYPE_CHECKING = False  # as type checkers take it; `typing` itself could come from a folder that is being checked (see `__main__`)
if TYPE_CHECKING:
    from torchlint.engine import fix, lint


def __getattr__(name: str) -> object:
    if name in ("lint", "fix"):
        from torchlint import engine

        return getattr(engine, name)
    raise AttributeError(f"module 'torchlint' has no attribute {name!r}")
