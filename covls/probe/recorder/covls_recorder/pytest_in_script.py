"""Gives pytest the plugin in a program that runs it by its own means."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Optional, Sequence

CONFIGURATION = "_pytest.config"


class _Watch(MetaPathFinder):
    """Finds nothing by itself, but has a hand in loading the one module."""

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        if name != CONFIGURATION:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                _load_with_plugin(spec.loader)
                return spec
        return None


def _load_with_plugin(loader: Any) -> None:
    real = loader.exec_module

    def exec_module(module: Any) -> None:
        real(module)
        prepare = module._prepareconfig

        def prepare_with_plugin(args: Any = None, *more: Any, **named: Any) -> Any:
            # Only the run itself: a test may well run pytest in here, too.
            module._prepareconfig = prepare
            args = sys.argv[1:] if args is None else args
            if isinstance(args, list):
                args = ["-p", "covls_recorder.pytest_plugin", *args]
            return prepare(args, *more, **named)

        module._prepareconfig = prepare_with_plugin

    loader.exec_module = exec_module


def watch_pytest() -> None:
    """Have the plugin loaded by the first pytest that runs in this process."""
    sys.meta_path.insert(0, _Watch())
