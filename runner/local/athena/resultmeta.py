"""The `.metadata` object beside a result: its columns, as a protocol buffer.

In: columns as GetQueryResults has them.  Out: bytes.  AWS documents the object as its own affair;
the numbers of the fields are those by which a JDBC driver of others reads it
(https://github.com/burtcorp/athena-jdbc, AthenaMetaDataParser).  What else Athena writes into it is
not known, and left out: readers of protocol buffers skip what is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLUMN = 4
_TEXTS = {"CatalogName": 1, "Name": 4, "Label": 5, "Type": 6}
_NUMBERS = {"Precision": 7, "Scale": 8}
_NULLABLE, _CASE_SENSITIVE = 9, 10
_NULLABLES = {"NOT_NULL": 1, "NULLABLE": 2, "UNKNOWN": 3}
_WORD, _BYTES = 0, 2
_SEVEN_BITS = 7


def metadata_of(columns: Sequence[Mapping[str, Any]]) -> bytes:
    r"""Write the columns of a result.

    >>> metadata_of([{"Name": "a", "Type": "integer", "Precision": 300}])
    b'"\x0f"\x01a2\x07integer8\xac\x02'
    """
    return b"".join(_bytes(_COLUMN, _column(each)) for each in columns)


def _column(column: Mapping[str, Any]) -> bytes:
    fields = [
        _bytes(number, str(column[name]).encode())
        for name, number in _TEXTS.items()
        if name in column
    ]
    fields += [
        _number(number, int(column[name])) for name, number in _NUMBERS.items() if name in column
    ]
    if "Nullable" in column:
        fields.append(_number(_NULLABLE, _NULLABLES[column["Nullable"]]))
    if "CaseSensitive" in column:
        fields.append(_number(_CASE_SENSITIVE, int(column["CaseSensitive"])))
    return b"".join(fields)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _WORD) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >> _SEVEN_BITS:
        out.append(value & 0x7F | 0x80)
        value >>= _SEVEN_BITS
    out.append(value)
    return bytes(out)
