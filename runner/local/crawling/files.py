"""Which objects lie below a folder of S3, by the folder that they lie in.

In: a client of S3 and a location.  Out: a tree of folders with their objects.  What Athena would
not read (names that begin with _ or .), empty objects and what is excluded is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.local.s3 import FolderS3

_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\{[^}]*\}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Object:
    """One object."""

    uri: str
    path: str
    """Its file on this machine."""
    size: int


@dataclass(slots=True)
class Folder:
    """A folder: its objects and the folders below it, in the order of their names."""

    uri: str
    """With a slash at its end."""
    objects: list[Object] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)

    def leaves(self, values: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Folder]]:
        """Give every folder with objects, and the names of the folders down to it."""
        if self.objects:
            yield values, self
        for name, folder in self.folders.items():
            yield from folder.leaves((*values, name))

    def everything(self) -> list[Object]:
        """Give all objects here and below."""
        return [one for _, folder in self.leaves() for one in folder.objects]


def read_folder(s3: FolderS3, location: str, exclude: Sequence[str] = ()) -> Folder:
    """List what lies below a location."""
    root = location if location.endswith("/") else f"{location}/"
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    unwanted = [_pattern(one) for one in exclude]
    top = Folder(root)
    token = ""
    while True:
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, ContinuationToken=token)
        for item in page.get("Contents", ()):
            relative = item["Key"].removeprefix(prefix)
            if (
                item["Size"]
                and _is_data(relative)
                and not any(p.fullmatch(relative) for p in unwanted)
            ):
                uri = f"{root}{relative}"
                _place(top, relative, Object(uri, s3.place_of(uri), item["Size"]))
        token = page.get("NextContinuationToken", "")
        if not token:
            return top


def _is_data(relative: str) -> bool:
    parts = relative.split("/")
    return bool(parts[-1]) and not any(part.startswith(("_", ".")) for part in parts)


def _place(top: Folder, relative: str, found: Object) -> None:
    folder = top
    for name in relative.split("/")[:-1]:
        folder = folder.folders.setdefault(name, Folder(f"{folder.uri}{name}/"))
    folder.objects.append(found)


def _pattern(glob: str) -> re.Pattern[str]:
    """Compile an exclude pattern of Glue: `*` stops at a slash, `**` does not.

    >>> bool(_pattern("**/tmp/*.csv").fullmatch("a/b/tmp/x.csv"))
    True
    >>> bool(_pattern("*.{csv,gz}").fullmatch("a/x.csv"))
    False
    """
    parts = []
    for part in _GLOB.findall(glob):
        match part:
            case "**/":
                parts.append("(?:.*/)?")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _ if part.startswith("{"):
                parts.append(f"(?:{'|'.join(map(re.escape, part[1:-1].split(',')))})")
            case _:
                parts.append(re.escape(part))
    return re.compile("".join(parts), re.DOTALL)


def partition_keys(depths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Name the partition columns of folders, all equally deep: `k` of `k=v`, else `partition_N`.

    >>> partition_keys([("dt=2013-01-01", "aa"), ("dt=2013-01-02", "ab")])
    ('dt', 'partition_1')
    """
    keys = []
    for number, names in enumerate(zip(*depths, strict=True)):
        found = {name.partition("=")[0].lower() if "=" in name else "" for name in names}
        (only,) = found if len(found) == 1 else ("",)
        keys.append(only or f"partition_{number}")
    return tuple(keys)


def partition_value(name: str, key: str) -> str:
    """Give a folder's value of a partition column.

    >>> partition_value("dt=2013-01-01%20x", "dt"), partition_value("aa", "partition_0")
    ('2013-01-01 x', 'aa')
    """
    before, equals, value = name.partition("=")
    return unquote(value) if equals and before.lower() == key else name
