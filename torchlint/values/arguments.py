"""The arguments of one call: what is given, for which parameter."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from torchlint.values.value import Value


@dataclass(slots=True)
class Arguments:
    """The evaluated arguments of one call."""

    call: cst.Call
    positional: list[Value]
    keywords: dict[str, Value]
    spread: tuple[Value, ...]
    """What is given as `*args` or `**kwargs`: an argument that seems to be missing may be in there."""

    @property
    def values(self) -> tuple[Value, ...]:
        return (*self.positional, *self.keywords.values(), *self.spread)

    def get(self, position: int | None, name: str | None = None) -> Value | None:
        if name is not None and name in self.keywords:
            return self.keywords[name]
        return self.positional[position] if position is not None and position < len(self.positional) else None

    def at(self, position: int) -> cst.BaseExpression | None:
        """The expression given at a position."""
        arg = self.call.args[position] if position < len(self.call.args) else None
        return arg.value if arg is not None and arg.keyword is None and not arg.star else None

    def node(self, name: str) -> cst.BaseExpression | None:
        """The expression given for a keyword."""
        for arg in self.call.args:
            if arg.keyword is not None and arg.keyword.value == name:
                return arg.value
        return None
