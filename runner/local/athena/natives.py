"""Functions that DuckDB lacks, written in Python, and how their names enter a statement.

In: a text of SQL.  Out: the functions to register before it runs; each is imported when first
called.  A name of Athena's that is answered by one of ours is read as `__<name>` by the parser.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.local.athena.macros import MACROS, definition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import duckdb

_CALL = re.compile(r"\b__[a-z_0-9]+(?=\()", re.IGNORECASE)
_PACKAGE = "runner.local.athena"
_PARTS = "STRUCT(gap VARCHAR, groups VARCHAR[])[]"
IP_TYPE = 'STRUCT("__ipaddress" BLOB)'


class Native(NamedTuple):
    """A function: the module and name of its code, and DuckDB's types (None: any arguments)."""

    module: str
    takes: tuple[str, ...] | None
    gives: str


def _natives(module: str, text: str) -> dict[str, Native]:
    """Read lines of `name(types) -> type`."""
    found = {}
    for line in filter(str.strip, text.splitlines()):
        head, gives = line.split("->")
        name, _, inner = head.strip().rstrip(")").partition("(")
        takes = None if inner == "*" else tuple(inner.split())
        found[f"__{name}"] = Native(module, takes, gives.strip())
    return found


NATIVES: dict[str, Native] = {
    **_natives(
        "functions_text",
        """
        chr(BIGINT) -> VARCHAR
        codepoint(VARCHAR) -> INTEGER
        format(*) -> VARCHAR
        format_number(DOUBLE) -> VARCHAR
        hamming_distance(VARCHAR VARCHAR) -> BIGINT
        levenshtein_distance(VARCHAR VARCHAR) -> BIGINT
        lpad(VARCHAR BIGINT VARCHAR) -> VARCHAR
        luhn_check(VARCHAR) -> BOOLEAN
        normalize(VARCHAR VARCHAR) -> VARCHAR
        replace(VARCHAR VARCHAR VARCHAR) -> VARCHAR
        reverse(VARCHAR) -> VARCHAR
        rpad(VARCHAR BIGINT VARCHAR) -> VARCHAR
        soundex(VARCHAR) -> VARCHAR
        split(VARCHAR VARCHAR) -> VARCHAR[]
        split_most(VARCHAR VARCHAR BIGINT) -> VARCHAR[]
        split_part(VARCHAR VARCHAR BIGINT) -> VARCHAR
        split_to_map(VARCHAR VARCHAR VARCHAR) -> MAP(VARCHAR, VARCHAR)
        split_to_multimap(VARCHAR VARCHAR VARCHAR) -> MAP(VARCHAR, VARCHAR[])
        strpos_nth(VARCHAR VARCHAR BIGINT) -> BIGINT
        translate(VARCHAR VARCHAR VARCHAR) -> VARCHAR
        word_stem(VARCHAR) -> VARCHAR
        """,
    ),
    **_natives(
        "functions_regexp",
        f"""
        regexp_count(VARCHAR VARCHAR) -> BIGINT
        regexp_extract(VARCHAR VARCHAR BIGINT) -> VARCHAR
        regexp_extract_all(VARCHAR VARCHAR BIGINT) -> VARCHAR[]
        regexp_like(VARCHAR VARCHAR) -> BOOLEAN
        regexp_parts(VARCHAR VARCHAR) -> {_PARTS}
        regexp_position(VARCHAR VARCHAR BIGINT BIGINT) -> INTEGER
        regexp_replace(VARCHAR VARCHAR VARCHAR) -> VARCHAR
        regexp_split(VARCHAR VARCHAR) -> VARCHAR[]
        """,
    ),
    **_natives(
        "functions_binary",
        """
        crc32(BLOB) -> BIGINT
        from_base32(VARCHAR) -> BLOB
        from_base64(VARCHAR) -> BLOB
        from_base64url(VARCHAR) -> BLOB
        from_big_endian_32(BLOB) -> INTEGER
        from_big_endian_64(BLOB) -> BIGINT
        from_hex(VARCHAR) -> BLOB
        from_ieee754_32(BLOB) -> FLOAT
        from_ieee754_64(BLOB) -> DOUBLE
        from_utf8(BLOB VARCHAR) -> VARCHAR
        hmac_md5(BLOB BLOB) -> BLOB
        hmac_sha1(BLOB BLOB) -> BLOB
        hmac_sha256(BLOB BLOB) -> BLOB
        hmac_sha512(BLOB BLOB) -> BLOB
        lpad_binary(BLOB BIGINT BLOB) -> BLOB
        md5(BLOB) -> BLOB
        murmur3(BLOB) -> BLOB
        reverse_binary(BLOB) -> BLOB
        rpad_binary(BLOB BIGINT BLOB) -> BLOB
        sha1(BLOB) -> BLOB
        sha256(BLOB) -> BLOB
        sha512(BLOB) -> BLOB
        spooky_hash_v2_32(BLOB) -> BLOB
        spooky_hash_v2_64(BLOB) -> BLOB
        substr_binary(BLOB BIGINT BIGINT) -> BLOB
        to_base32(BLOB) -> VARCHAR
        to_base64(BLOB) -> VARCHAR
        to_base64url(BLOB) -> VARCHAR
        to_big_endian_32(INTEGER) -> BLOB
        to_big_endian_64(BIGINT) -> BLOB
        to_hex(BLOB) -> VARCHAR
        to_ieee754_32(FLOAT) -> BLOB
        to_ieee754_64(DOUBLE) -> BLOB
        xxhash64(BLOB) -> BLOB
        """,
    ),
    **_natives(
        "functions_net",
        f"""
        ip_contains(VARCHAR BLOB) -> BOOLEAN
        ip_of_binary(BLOB) -> {IP_TYPE}
        ip_of_text(VARCHAR) -> {IP_TYPE}
        ip_text(BLOB) -> VARCHAR
        uuid_of_binary(BLOB) -> UUID
        uuid_of_text(VARCHAR) -> UUID
        uuid_binary(UUID) -> BLOB
        url_decode(VARCHAR) -> VARCHAR
        url_encode(VARCHAR) -> VARCHAR
        url_extract_fragment(VARCHAR) -> VARCHAR
        url_extract_host(VARCHAR) -> VARCHAR
        url_extract_parameter(VARCHAR VARCHAR) -> VARCHAR
        url_extract_path(VARCHAR) -> VARCHAR
        url_extract_port(VARCHAR) -> BIGINT
        url_extract_protocol(VARCHAR) -> VARCHAR
        url_extract_query(VARCHAR) -> VARCHAR
        """,
    ),
}


def natives_called(sql: str, macros: Iterable[str] = ()) -> tuple[str, ...]:
    """Give the functions that a text calls, by itself or through macros, and that are no macros."""
    texts = [sql, *map(definition, macros)]
    names = (name.lower() for text in texts for name in _CALL.findall(text))
    return tuple(dict.fromkeys(name for name in names if name in NATIVES and name not in MACROS))


def register(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make one function known to a connection's instance."""
    import duckdb  # noqa: PLC0415 - loaded by then
    from duckdb.func import SPECIAL  # noqa: PLC0415 - as above

    native = NATIVES[name]
    code = getattr(import_module(f"{_PACKAGE}.{native.module}"), name.removeprefix("__"))
    takes: list[Any] | None = None if native.takes is None else list(native.takes)
    connection.create_function(
        name,
        _null_if_any(code, len(takes or ())),
        takes,
        duckdb.sqltype(native.gives),
        null_handling=SPECIAL,
    )


def _null_if_any(code: Callable[..., Any], arity: int) -> Callable[..., Any]:
    """Answer NULL where an argument is; DuckDB wants to see how many there are."""

    def one(a: object) -> object:
        return None if a is None else code(a)

    def two(a: object, b: object) -> object:
        return None if a is None or b is None else code(a, b)

    def three(a: object, b: object, c: object) -> object:
        return None if a is None or b is None or c is None else code(a, b, c)

    def four(a: object, b: object, c: object, d: object) -> object:
        return None if None in {a, b, c, d} else code(a, b, c, d)

    return (code, one, two, three, four)[arity]
