"""The two import hooks that the stand-ins use: a module where none is found, a call after a module was imported.

Both are table lookups by module name, so they cost nothing while other modules are imported. The classes do not inherit
from ``importlib.abc``, whose import alone takes longer than all of ``mmtube``. They go when the last stand-in goes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Fill = Callable[[ModuleType], None]

_supplied: dict[str, Fill] = {}
_after: dict[str, Fill] = {}


def supply(name: str, fill: Fill) -> None:
    """Let ``import name`` succeed where no real module is found.

    Args:
        name (str): Full module name. It becomes a package when another supplied name lies below it.
        fill (Callable[[ModuleType], None]): Puts the contents into the new, empty module.
    """
    _supplied[name] = fill


def after_import(name: str, patch: Fill) -> None:
    """Call ``patch`` with the module ``name``, once: now if it is imported already, else when it has been executed.

    Args:
        name (str): Full module name.
        patch (Callable[[ModuleType], None]): Changes the module in place.
    """
    if name in _after:
        return
    _after[name] = patch
    # A module that is being executed at this moment is patched when its loader returns, if the hook saw it start.
    if name in sys.modules:
        patch(sys.modules[name])


def install() -> None:
    """Put both finders on ``sys.meta_path``, unless they are there."""
    if not any(isinstance(finder, _AfterImportFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImportFinder())
    if not any(isinstance(finder, _SupplyFinder) for finder in sys.meta_path):
        sys.meta_path.append(_SupplyFinder())


class _SupplyLoader:
    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        _supplied[module.__name__](module)


class _SupplyFinder:
    """Stands last on ``sys.meta_path``, so that it is asked only when the real module is not there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _supplied:
            return None
        is_package = any(name.startswith(f'{fullname}.') for name in _supplied)
        return ModuleSpec(fullname, _SupplyLoader(), origin='supplied by mmtube.compat', is_package=is_package)


class _AfterImportFinder:
    """Stands first on ``sys.meta_path``, finds what the others find, and has the patch follow the execution."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _after:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, 'find_spec'))
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _after[fullname](module)

            # On the instance: everything else that a loader offers (source, resources) stays as it is.
            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
