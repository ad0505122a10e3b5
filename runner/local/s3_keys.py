r"""Keys of S3 as paths of files, both ways.

In: a key, or the parts of a path below a bucket's folder.  Out: the other.  A component of a key
that no file can be named by (empty, `.`, `..`, too long, with a NUL) or that begins with the
escape `%_` is written with that escape; all others are written as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMP = "%_tmp"
"""Folder of unfinished writes in every bucket; never listed."""
ESCAPE = "%_"
"""Beginning of every component that is written with an escape."""
_SELF = "%_self"
_LONGEST = 200
_NAMED = {"": "%_empty", ".": "%_dot", "..": "%_dotdot"}
_NAMES = {written: plain for plain, written in _NAMED.items()}


def self_name() -> str:
    """Name the file of an object whose key is also a folder of other keys."""
    return _SELF


def encode_key(key: str) -> str:
    """Write a key as a relative path.

    >>> encode_key("a/dt=2013-01-01/x%3Ay")
    'a/dt=2013-01-01/x%3Ay'
    >>> encode_key("a//../b/")
    'a/%_empty/%_dotdot/b/%_empty'
    """
    return key if _is_plain(key) else "/".join(_encode(part) for part in key.split("/"))


def _is_plain(key: str) -> bool:
    """Tell whether the key surely is a path as it stands; a few cheap looks for common keys."""
    return (
        key.isascii()
        and "%" not in key
        and "//" not in key
        and "/." not in key
        and "\0" not in key
        and not key.startswith(("/", "."))
        and not key.endswith("/")
        and key != ""
        and (len(key) <= _LONGEST or max(map(len, key.split("/"))) <= _LONGEST)
    )


def decode_key(parts: Sequence[str]) -> str:
    """Read the key back from the parts of its path.

    >>> decode_key(("a", "%_empty", "%_dotdot", "b", "%_empty"))
    'a//../b/'
    """
    if parts and parts[-1] == _SELF:
        parts = parts[:-1]
    if not any(part.startswith(ESCAPE) for part in parts):
        return "/".join(parts)
    key, joined = "", True
    for part in parts:
        key += "" if joined else "/"
        joined = part.startswith("%_long_")
        key += _decode(part)
    return key


def _encode(part: str) -> str:
    if part in _NAMED:
        return _NAMED[part]
    if part.startswith(ESCAPE) or "\0" in part:
        return ESCAPE + "raw_" + part.replace("%", "%25").replace("\0", "%00")
    if len(part.encode()) > _LONGEST:
        head = part.encode()[:_LONGEST].decode(errors="ignore")
        return f"%_long_{head}/{_encode(part[len(head) :])}"
    return part


def _decode(part: str) -> str:
    if part in _NAMES:
        return _NAMES[part]
    if part.startswith("%_raw_"):
        return part[6:].replace("%00", "\0").replace("%25", "%")
    return part.removeprefix("%_long_")
