"""Which handler knows a call: the one for the very name, for a set of facts that holds it, for the kind of its class, for its package.

The modules beside this one register what they know; nothing else decides by the spelling of a name.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Generic, TypeVar

import libcst as cst

from torchlint.values.arguments import Arguments
from torchlint.values.flow import Flow
from torchlint.values.instances import kind_of_instance
from torchlint.values.value import Kind, Value

Maker = Callable[[Flow, cst.Call, str, Arguments], Value]
"""The value of a call of what has this name."""
Method = Callable[[Flow, cst.Call, str, Value, Arguments], Value]
"""The value of a call of the method of this name on a value."""

H = TypeVar("H", bound=Callable[..., object])


class Handlers(Generic[H]):
    """Handlers by the names that they know."""

    def __init__(self) -> None:
        self._named: dict[str, H] = {}
        self._rows: list[tuple[Container[str], H]] = []
        self._found: dict[str, H | None] = {}

    def named(self, *names: str) -> Callable[[H], H]:
        """For these names."""

        def register(handler: H) -> H:
            self._named.update(dict.fromkeys(names, handler))
            return handler

        return register

    def rows(self, *sets: Container[str]) -> Callable[[H], H]:
        """For the names that one of these sets holds; of several handlers, the one that was registered first."""

        def register(handler: H) -> H:
            self._rows.extend((each, handler) for each in sets)
            return handler

        return register

    def find(self, name: str) -> H | None:
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> H | None:
        if name in self._named:
            return self._named[name]
        return next((handler for names, handler in self._rows if name in names), None)


class Makers(Handlers[Maker]):
    """Handlers of imported names."""

    def __init__(self) -> None:
        super().__init__()
        self._constructors: dict[Kind, Maker] = {}
        self._packages: dict[str, Maker] = {}

    def constructors(self, *kinds: Kind) -> Callable[[Maker], Maker]:
        """For the classes whose instances are of these kinds."""

        def register(handler: Maker) -> Maker:
            self._constructors.update(dict.fromkeys(kinds, handler))
            return handler

        return register

    def packages(self, *names: str) -> Callable[[Maker], Maker]:
        """For everything else in these packages, and in those below them."""

        def register(handler: Maker) -> Maker:
            self._packages.update(dict.fromkeys(names, handler))
            return handler

        return register

    def _find(self, name: str) -> Maker | None:
        known = super()._find(name)
        if known is not None:
            return known
        kind = kind_of_instance(name)
        if kind in self._constructors:
            return self._constructors[kind]
        package = name.rpartition(".")[0]
        while package and package not in self._packages:
            package = package.rpartition(".")[0]
        return self._packages.get(package)
