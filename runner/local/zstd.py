"""Texts packed by zstd: unpacked by DuckDB, which does not tell when a file ends too early.

In: the path of a file.  Out: its text, or ValueError if the file is not whole.  The check reads the
headers of frames and blocks (RFC 8878, section 3.1.1) and no content.
"""

from __future__ import annotations

from pathlib import Path

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPED = (0x184D2A50, 0x184D2A5F)
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_REPEATED = 1
"""The type of a block that holds one byte, to be repeated."""
_LONGEST_LINE = 64 * 1024 * 1024


def unpack(path: str) -> str:
    """Read a packed text."""
    import duckdb  # noqa: PLC0415 - only such files need it

    if not is_whole(Path(path).read_bytes()):
        message = "the file ends too early"
        raise ValueError(message)
    query = (
        "SELECT line FROM read_csv(?, columns={'line': 'VARCHAR'}, compression='zstd',"
        " delim='\x01', quote='', escape='', header=false, auto_detect=false,"
        f" max_line_size={_LONGEST_LINE}, buffer_size={_LONGEST_LINE * 4})"
    )
    try:
        with duckdb.connect() as connection:
            lines = connection.execute(query, [path]).fetchall()
    except duckdb.Error as error:
        raise ValueError(str(error)) from error
    return "".join(f"{line or ''}\n" for (line,) in lines)


def is_whole(body: bytes) -> bool:
    """Tell whether the bytes are frames from beginning to end."""
    at = 0
    while at < len(body):
        try:
            at = _after_frame(body, at)
        except IndexError:
            return False
    return at == len(body)


def _after_frame(body: bytes, at: int) -> int:
    """Give where the frame ends that begins there; IndexError if it is none, or not whole."""
    magic = _number(body, at, 4)
    if _SKIPPED[0] <= magic <= _SKIPPED[1]:
        return at + 8 + _number(body, at + 4, 4)
    if body[at : at + 4] != MAGIC:
        raise IndexError
    described = body[at + 4]
    single = described >> 5 & 1
    at += 5 + (1 - single) + _DICTIONARY_BYTES[described & 3]
    at += _SIZE_BYTES[described >> 6] or single
    last = False
    while not last:
        header = _number(body, at, 3)
        last = bool(header & 1)
        at += 3 + (1 if header >> 1 & 3 == _REPEATED else header >> 3)
    return at + (4 if described & 4 else 0)


def _number(body: bytes, at: int, width: int) -> int:
    if at + width > len(body):
        raise IndexError
    return int.from_bytes(body[at : at + width], "little")
