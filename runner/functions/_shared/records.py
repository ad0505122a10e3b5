"""Records of a Firehose event: their data decoded, and the answer to one that is no good."""

from __future__ import annotations

import binascii
from binascii import a2b_base64
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .often import checked
else:
    from often import checked

if TYPE_CHECKING:
    from .reingest import Record


def texts_of(records: list[Record]) -> list[bytes]:
    """Decode records; one that is no text becomes one that is no JSON."""
    try:
        return checked([a2b_base64(record["data"]) for record in records])
    except binascii.Error:
        return checked([_bytes(record["data"]) for record in records])


def _bytes(data: str) -> bytes:
    try:
        return a2b_base64(data)
    except binascii.Error:
        return b"?"


def failed(record: Record) -> Record:
    """Answer for a record that could not be changed: it keeps its data."""
    return {
        "recordId": record["recordId"],
        "result": "ProcessingFailed",
        "data": record["data"],
    }
