"""S3's XML: documents written from nested mappings, and read as trees without surprises.

In: mappings, or bytes of a client.  Out: bytes, or elements whose names have no namespace.
A document type is refused, and with it every entity that could be defined in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeAlias
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
Value: TypeAlias = "str | int | datetime | Mapping[str, Value] | Iterable[Value]"
_CONTROL = re.compile("[\x00-\x1f]")


class BadXml(Exception):
    """A document that is not well-formed, or that has a document type."""


def write_xml(root: str, members: Value, *, namespace: str = NAMESPACE) -> bytes:
    """Write a document; an iterable gives its element once for each value.

    >>> write_xml("A", {"B": [1, {"C": "<"}], "D": ()}, namespace="").decode().splitlines()[1]
    '<A><B>1</B><B><C>&lt;</C></B></A>'
    """
    pieces = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(f'{root} xmlns="{namespace}"' if namespace else root, members, pieces)
    return "".join(pieces).encode(errors="replace")


def _write(name: str, value: Value, pieces: list[str]) -> None:
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        for each in value:
            _write(name, each, pieces)
        return
    pieces.append(f"<{name}>")
    if isinstance(value, Mapping):
        for inner, members in value.items():
            _write(inner, members, pieces)
    else:
        pieces.append(_text(value))
    pieces.append(f"</{name.partition(' ')[0]}>")


def _text(value: str | int | datetime) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    return _CONTROL.sub(_reference, escape(str(value), {'"': "&quot;"}))


def _reference(found: re.Match[str]) -> str:
    return f"&#x{ord(found[0]):x};"


class _Builder(ET.TreeBuilder):
    """Builds the tree; is asked before anything inside a document type is looked at."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise BadXml(f"a document type ({name})")


def read_xml(content: bytes, root: str) -> ET.Element:
    """Read a document whose root has this name; raises BadXml."""
    parser = ET.XMLParser(target=_Builder())  # noqa: S314 - no document types, so no entities
    try:
        parser.feed(content)
        tree = parser.close()
    except (ET.ParseError, ValueError) as error:
        raise BadXml(str(error)) from error
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    if tree.tag != root:
        raise BadXml(f"{tree.tag} where {root} is expected")
    return tree
