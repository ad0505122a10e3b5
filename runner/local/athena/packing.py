"""Packed text files whose codec DuckDB does not know, told by their extensions as Hadoop does.

In: a file.  Out: its text, or the file packed.  SNAPPY and LZ4 are those of Hadoop: blocks of
chunks, each with its length in four bytes before it.
"""

from __future__ import annotations

import bz2
import os
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from runner.local.athena.errors import unsupported
from runner.local.athena.foreign import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE = 1 << 20
_BLOCK = 256 * 1024
_LENGTH = 4
_LZ4_GOES_ON, _LZ4_FULL = 15, 255
FOREIGN_SUFFIXES = (".bz2", ".deflate", ".snappy", ".lz4", ".lzo")
"""Extensions of text that DuckDB does not unpack."""
NATIVE_SUFFIXES = (".gz", ".zst")
SUFFIXES = {
    "GZIP": ".gz",
    "ZSTD": ".zst",
    "BZIP2": ".bz2",
    "SNAPPY": ".snappy",
    "LZ4": ".lz4",
}
"""Extensions of the codecs in which text is written."""


def pieces_of(path: str) -> Iterator[bytes]:
    """Give a file's text, unpacked as its extension says; raises what its codec raises."""
    with Path(path).open("rb") as file:
        yield from _unpacked(file, Path(path).suffix.lower())


def is_readable(path: str) -> bool:
    """Tell whether `pieces_of` can unpack a file; the codecs of DuckDB may need no package."""
    if not path.lower().endswith(".zst"):
        return True
    return find_spec("pyarrow") is not None


def _unpacked(file: BinaryIO, suffix: str) -> Iterator[bytes]:
    match suffix:
        case ".bz2":
            with bz2.BZ2File(file) as opened:
                yield from iter(lambda: opened.read(_PIECE), b"")
        case ".gz":
            yield from _inflated(file, 31)
        case ".deflate":
            yield from _inflated(file, zlib.MAX_WBITS)
        case ".zst":
            yield from _zstd(file)
        case ".snappy" | ".lz4":
            yield from _blocks(file, suffix)
        case ".lzo":
            raise unsupported(f"Compression {suffix.removeprefix('.').upper()} of text")
        case _:
            yield from iter(lambda: file.read(_PIECE), b"")


def _inflated(file: BinaryIO, bits: int) -> Iterator[bytes]:
    """Unpack streams of zlib, one after another."""
    stream = zlib.decompressobj(bits)
    while piece := stream.unused_data or file.read(_PIECE):
        if stream.eof:
            stream = zlib.decompressobj(bits)
        yield stream.decompress(piece)
    if not stream.eof:
        raise EOFError("the file ends too early")


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - few files need it
    except ImportError as error:
        raise missing("Compression ZSTD", error) from error
    with pa.input_stream(file, compression="zstd") as opened:
        yield from iter(lambda: opened.read(_PIECE), b"")


def _blocks(file: BinaryIO, suffix: str) -> Iterator[bytes]:
    """Unpack Hadoop's blocks: a block's own length, then chunks until it is reached."""
    codec = _codec(suffix)
    while (size := _number(file)) is not None:
        done = 0
        while done < size:
            length = _number(file)
            packed = file.read(length or 0)
            if length is None or len(packed) < length:
                raise EOFError("the file ends too early")
            piece = codec.unpack(packed, size - done)
            if not piece:
                raise ValueError("a chunk is empty")
            yield piece
            done += len(piece)


def _number(file: BinaryIO) -> int | None:
    found = file.read(_LENGTH)
    if 0 < len(found) < _LENGTH:
        raise EOFError("the file ends too early")
    return int.from_bytes(found, "big") if found else None


class _Codec:
    """A codec of single chunks."""

    def __init__(
        self, pack: Callable[[bytes], bytes], unpack: Callable[[bytes, int], bytes]
    ) -> None:
        self.pack, self.unpack = pack, unpack


def _codec(suffix: str) -> _Codec:
    try:
        import cramjam  # noqa: PLC0415 - few files need it
    except ImportError as error:
        raise missing(f"Compression {suffix.removeprefix('.').upper()} of text", error) from error

    def unpack_snappy(packed: bytes, _: int) -> bytes:
        try:
            return bytes(cramjam.snappy.decompress_raw(packed))
        except cramjam.DecompressionError as error:
            raise ValueError(str(error)) from error

    def unpack_lz4(packed: bytes, most: int) -> bytes:
        size = most if most <= _BLOCK else _lz4_size(packed)
        try:
            return bytes(cramjam.lz4.decompress_block(packed, output_len=size))
        except cramjam.DecompressionError as error:
            raise ValueError(str(error)) from error

    if suffix == ".snappy":
        return _Codec(lambda text: bytes(cramjam.snappy.compress_raw(text)), unpack_snappy)
    return _Codec(
        lambda text: bytes(cramjam.lz4.compress_block(text, store_size=False)), unpack_lz4
    )


def _lz4_size(packed: bytes) -> int:
    """Give the size of what a block of LZ4 unpacks to, which it does not say itself."""
    at = size = 0
    try:
        while at < len(packed):
            token = packed[at]
            literals, at = _lz4_length(packed, token >> 4, at + 1)
            at += literals
            size += literals
            if at >= len(packed):
                break
            matched, at = _lz4_length(packed, token & 15, at + 2)
            size += matched + 4
    except IndexError as error:
        raise ValueError("a chunk of LZ4 is broken") from error
    return size


def _lz4_length(packed: bytes, length: int, at: int) -> tuple[int, int]:
    """Read a length that goes on in further bytes; gives what follows it, too."""
    if length == _LZ4_GOES_ON:
        while True:
            length += packed[at]
            at += 1
            if packed[at - 1] != _LZ4_FULL:
                break
    return length, at


def pack(path: str, compression: str) -> str:
    """Pack a file; gives its new path, with the codec's extension."""
    suffix = SUFFIXES[compression]
    made = f"{path}{suffix}"
    with Path(path).open("rb") as text, Path(made).open("wb") as file:
        file.writelines(_packed(text, suffix))
    os.unlink(path)  # noqa: PTH108 - plain text is what costs least per file
    return made


def _packed(text: BinaryIO, suffix: str) -> Iterator[bytes]:
    if suffix in {".snappy", ".lz4"}:
        codec = _codec(suffix)
        while block := text.read(_BLOCK):
            packed = codec.pack(block)
            yield len(block).to_bytes(_LENGTH, "big") + len(packed).to_bytes(_LENGTH, "big")
            yield packed
        return
    if suffix == ".zst":
        yield from _packed_zstd(text)
        return
    stream = bz2.BZ2Compressor() if suffix == ".bz2" else zlib.compressobj(wbits=31)
    while piece := text.read(_PIECE):
        yield stream.compress(piece)
    yield stream.flush()


def _packed_zstd(text: BinaryIO) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - few files need it

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as opened:
        while piece := text.read(_PIECE):
            opened.write(piece)
    yield sink.getvalue().to_pybytes()
