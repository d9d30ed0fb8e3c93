"""The evaluator put together: importing this module registers what every kind of expression, statement and call means."""

from torchlint.values import calls, expressions, following
from torchlint.values.library import modules
from torchlint.values.statements import run

__all__ = ["calls", "expressions", "following", "modules", "run"]
