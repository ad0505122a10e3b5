"""What loading remembers between processes: drafts and whole projects, keyed by content.

In: a folder of ours, keys that cover every byte that decides a value.  Out: values, or a miss: a
file that is absent, damaged, of another version or holding anything but our own nouns is a miss.
Unpickling is restricted to classes of this package's values, because a checkout may bring files.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import runner

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION = 1
_MODULES = ("runner.errors", "runner.model.", "runner.query.", "runner.project.")
_LIBRARIES = ("jinja2-", "pydantic-", "pydantic_core-", "pyyaml-", "sqlglot-", "stepfunctions-")
_OWN = (
    "",
    "model",
    "query",
    "project",
    "checks",
    "keeper",
    "asl",
    "asl/tables",
    "asl/steps",
    "app",
    "plan/stack/iam",
)


def versions() -> str:
    """Name everything beside the user's files that decides what loading makes of them."""
    parts = [str(_VERSION), runner.__version__, sys.version, *_installed(), _own_code()]
    return "\n".join(parts)


def _installed() -> list[str]:
    """Name the installed releases of the libraries; importlib.metadata would take 15 ms longer."""
    found: set[str] = set()
    for folder in sys.path:
        with contextlib.suppress(OSError):
            names = os.listdir(folder or ".")  # noqa: PTH208 - names are all that it needs
            found.update(n for n in names if n.lower().startswith(_LIBRARIES) and "-info" in n)
    return sorted(found)


def _own_code() -> str:
    """Fingerprint this package's own modules, so that a changed checkout is another version."""
    root = Path(runner.__file__).parent
    folders = [root / name for name in _OWN]
    stats = []
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    stat = entry.stat()
                    stats.append((folder.name, entry.name, stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(repr(sorted(stats)).encode()).hexdigest()


def key_of(parts: Iterable[str]) -> str:
    """Hash parts into a key; no two lists of parts share one."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


class Cache:
    """One file of a cache folder that holds values by key."""

    def __init__(self, path: Path | None) -> None:
        """Take the file; without one nothing is remembered."""
        self._path = path
        self._values: dict[str, bytes] = _read(path) if path is not None else {}
        self._used: dict[str, bytes] = {}

    def get(self, key: str) -> Any:  # noqa: ANN401 - whatever was put
        """Give the value under a key, or None."""
        data = self._values.get(key)
        if data is None:
            return None
        value = _loads(data)
        if value is not None:
            self._used[key] = data
        return value

    def put(self, key: str, value: object) -> None:
        """Remember a value."""
        if self._path is None:
            return
        with contextlib.suppress(pickle.PicklingError, AttributeError, TypeError):
            self._used[key] = pickle.dumps(value, protocol=5)

    def save(self) -> None:
        """Write what was got or put since the file was read; the rest is forgotten."""
        if self._path is None or self._used == self._values:
            return
        data = pickle.dumps(self._used, protocol=5)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):  # a cache that cannot be written is only slow
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(self._path)


def _read(path: Path) -> dict[str, bytes]:
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    values = _loads(data)
    if not isinstance(values, dict):
        return {}
    return {k: v for k, v in values.items() if isinstance(k, str) and isinstance(v, bytes)}


def _loads(data: bytes) -> Any:  # noqa: ANN401 - whatever was pickled
    try:
        return _Restricted(io.BytesIO(data)).load()
    except (
        pickle.UnpicklingError,
        AttributeError,
        EOFError,
        ImportError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ):
        return None


class _Restricted(pickle.Unpickler):
    """Makes values of our own classes only: no function of any module can be called."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - the base's signature
        """Give one of our classes; UnpicklingError for anything else."""
        if not module.startswith(_MODULES) or "." in name:
            raise pickle.UnpicklingError(f"{module}.{name} is none of our values")
        __import__(module)
        found = getattr(sys.modules[module], name)
        if not isinstance(found, type) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} is none of our values")
        return found
