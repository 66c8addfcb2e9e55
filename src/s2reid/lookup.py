"""The file is the registry: the backbone `sinet` is the module `s2reid.backbones.sinet`."""

import importlib
import pkgutil
from difflib import get_close_matches
from types import ModuleType


def names(package: str) -> list[str]:
    """List what exists in a package of s2reid, sorted.

    >>> "triplet" in names("losses")
    True
    """
    folder = importlib.import_module(f"s2reid.{package}").__path__
    return sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_"))


def find(package: str, name: str) -> ModuleType:
    """Import `s2reid.<package>.<name>` (a dash counts as an underscore); raise `ValueError` that lists what exists."""
    wanted = name.replace("-", "_")
    known = names(package)
    if wanted not in known:
        close = get_close_matches(wanted, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"no {package.rstrip('s')} named {name!r}: there are {', '.join(known)}{hint}")
    return importlib.import_module(f"s2reid.{package}.{wanted}")
