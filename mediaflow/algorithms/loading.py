"""Loads a file of somebody else's code as a module of its own."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def module_of(file: Path) -> ModuleType:
    """Import a file under a name that no other file has; whatever it raises is raised, and nothing is left of it."""
    name = f"mediaflow_algorithms_{hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:12]}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
