"""A full refresh: a table's whole history in a new generation, behind the published one.

The chunks of a refresh are promoted to `<lake>/<db>/<table>/g=<n+1>/` and noted in a journal,

    _runner/refresh/<database>/<table>/g=<n+1>/<start>_<end>/<at>_<fingerprint>_<run>.json

in the shape of records, while readers and records stay with generation n.  One catalogue update at
the end flips the table's Location; only then does the journal become the table's records (SEMANTICS
10).  A refresh that died is continued from its journal, and one that died between the flip and its
records is settled by the next run of the table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import records

if TYPE_CHECKING:
    from .records import Entry
    from .spec import Spec
    from .storage import Storage

_GENERATION = re.compile(r"/g=([0-9]+)/?\Z")


def generation_of(location: str) -> int:
    """Read the generation of a table's location; 0 for one that we did not choose.

    >>> generation_of("s3://lake/marts/daily/g=2/")
    2
    """
    match = _GENERATION.search(location)
    return int(match[1]) if match else 0


def location(storage: Storage, spec: Spec, generation: int) -> str:
    """Give the location of a generation."""
    return storage.uri(f"{storage.prefix}{spec.database}/{spec.table}/g={generation}/")


def place(storage: Storage, spec: Spec, generation: int) -> str:
    """Give the folder of a generation's journal."""
    return f"{storage.prefix}_runner/refresh/{spec.database}/{spec.table}/g={generation}/"


def entries(storage: Storage, folder: str) -> list[Entry]:
    """List what a journal holds, oldest first."""
    return records.collect(storage, folder, (stored.key for stored in storage.list(folder)))


def settle(storage: Storage, spec: Spec, generation: int) -> int:
    """Turn the journal of the generation that is live into records; gives how many there were.

    Repeated after a crash it does the rest: a record has the name that the journal gave it.
    """
    folder = place(storage, spec, generation)
    found = [entry for entry in entries(storage, folder) if entry.published]
    for entry in found:
        name = entry.key.removeprefix(folder)
        body = records.read(storage, entry)
        storage.write_json(f"{records.folder(storage, spec.name)}{name}", body)
    storage.empty(folder)
    return len(found)
