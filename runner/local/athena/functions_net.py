"""Functions of URLs, internet addresses and UUIDs; NULL arguments never arrive."""

from __future__ import annotations

import ipaddress
import re
import uuid
from typing import NamedTuple
from urllib.parse import quote_plus, unquote_to_bytes

_MAPPED = bytes(10) + b"\xff\xff"
_BYTES = 16


def _bad(message: str, code: str = "INVALID_FUNCTION_ARGUMENT") -> ValueError:
    return ValueError(f"{code}: {message}")


class _Uri(NamedTuple):
    """A URI's parts as java.net.URI gives them."""

    scheme: str | None
    host: str | None
    port: int
    path: str | None
    query: str | None
    fragment: str | None


_OTHER = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000!-~]"
_PLAIN = r"[A-Za-z0-9_\-!.~'()*,;:$&+=@/]|%[0-9a-fA-F]{2}|" + _OTHER
_FORM = re.compile(
    rf"""
    (?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?
    (?:(?P<opaque>(?!/)(?:{_PLAIN}|[?\[\]])+)
     |(?://(?P<authority>(?:(?![/?])(?:{_PLAIN}|[\[\]]))*))?
      (?P<path>(?:{_PLAIN})*)
      (?:\?(?P<query>(?:{_PLAIN}|[?\[\]])*))?)
    (?:\#(?P<fragment>(?:{_PLAIN}|[?\[\]])*))?
    """,
    re.VERBOSE,
)
_SERVER = re.compile(
    r"(?:(?P<user>[^@]*)@)?(?P<host>\[[0-9a-fA-F:.%a-z]+\]|[^:@\[\]]*)(?::(?P<port>\d*))?"
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(
    rf"(?:{_LABEL}\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?|\d{{1,3}}(?:\.\d{{1,3}}){{3}}"
)


def _parse(url: str) -> _Uri | None:
    """Read a URI as java.net.URI does; None for what it refuses."""
    match = _FORM.fullmatch(url)
    if match is None:
        return None
    if match["scheme"] is None and match["opaque"] is not None:
        return _relative(url)
    if match["opaque"] is not None:
        return _Uri(match["scheme"], None, -1, None, None, match["fragment"])
    if match["scheme"] and not match["path"] and match["authority"] is None:
        return None
    if match["authority"] == "" and not match["path"]:
        return None
    host, port = _server(match["authority"] or "")
    return _Uri(match["scheme"], host, port, match["path"], match["query"], match["fragment"])


def _relative(url: str) -> _Uri | None:
    """Read a path without a scheme and without a leading slash."""
    rest, _, fragment = url.partition("#")
    path, mark, query = rest.partition("?")
    if ":" in path.split("/")[0] or "[" in path or "]" in path:
        return None
    return _Uri(None, None, -1, path, query if mark else None, fragment if "#" in url else None)


def _server(authority: str) -> tuple[str | None, int]:
    match = _SERVER.fullmatch(authority)
    if match is None:
        return None, -1
    host = match["host"]
    if not host.startswith("[") and not _HOST.fullmatch(host):
        return None, -1
    return host, int(match["port"]) if match["port"] else -1


def _decoded(text: str | None) -> str:
    return "" if text is None else unquote_to_bytes(text).decode(errors="replace")


def url_extract_protocol(url: str) -> str | None:
    """Give the scheme."""
    uri = _parse(url)
    return None if uri is None else uri.scheme or ""


def url_extract_host(url: str) -> str | None:
    """Give the host."""
    uri = _parse(url)
    return None if uri is None else uri.host or ""


def url_extract_port(url: str) -> int | None:
    """Give the port, if there is one."""
    uri = _parse(url)
    return None if uri is None or uri.port < 0 else uri.port


def url_extract_path(url: str) -> str | None:
    """Give the path, decoded."""
    uri = _parse(url)
    return None if uri is None else _decoded(uri.path)


def url_extract_query(url: str) -> str | None:
    """Give the query, decoded."""
    uri = _parse(url)
    return None if uri is None else _decoded(uri.query)


def url_extract_fragment(url: str) -> str | None:
    """Give the fragment, decoded."""
    uri = _parse(url)
    return None if uri is None else _decoded(uri.fragment)


def url_extract_parameter(url: str, name: str) -> str | None:
    """Give the first value of a parameter; empty if it has none, NULL if it is not there."""
    uri = _parse(url)
    if uri is None or uri.query is None:
        return None
    for part in uri.query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return url_decode(value)
    return None


def url_encode(text: str) -> str:
    """Escape a text for a query."""
    return quote_plus(text, safe="*-._").replace("~", "%7E")


def url_decode(text: str) -> str:
    """Undo `url_encode`."""
    wrong = re.search(r"%(?![0-9a-fA-F]{2})(.{0,2})", text, re.DOTALL)
    if wrong:
        raise _bad(
            "URLDecoder: Incomplete trailing escape (%) pattern"
            if len(wrong[1]) < 2  # noqa: PLR2004 - two digits
            else f'URLDecoder: Illegal hex characters in escape (%) pattern: "{wrong[1]}"'
        )
    return unquote_to_bytes(text.replace("+", " ")).decode(errors="replace")


def ip_of_text(text: str) -> dict[str, bytes]:
    """Read an address; version 4 is held as version 6 holds it."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise _bad(f"Cannot cast value to IPADDRESS: {text}", "INVALID_CAST_ARGUMENT") from None
    packed = found.packed
    return {"__ipaddress": packed if len(packed) == _BYTES else _MAPPED + packed}


def ip_of_binary(data: bytes) -> dict[str, bytes]:
    """Read an address of 4 or 16 bytes."""
    if len(data) == _BYTES:
        return {"__ipaddress": data}
    if len(data) == _BYTES // 4:
        return {"__ipaddress": _MAPPED + data}
    raise _bad(f"Invalid IP address binary length: {len(data)}", "INVALID_CAST_ARGUMENT")


def ip_text(data: bytes) -> str:
    """Write an address in its shortest form."""
    if data.startswith(_MAPPED):
        return str(ipaddress.IPv4Address(data[-4:]))
    # Like Guava, which Trino uses, Python never writes version 4 within version 6 here.
    return str(ipaddress.IPv6Address(data))


def ip_contains(network: str, data: bytes) -> bool:
    """Tell whether an address is in a network such as 10.0.0.0/8."""
    base, mark, bits = network.partition("/")
    if not mark:
        raise _bad("Invalid CIDR")
    try:
        address = ipaddress.ip_address(base)
    except ValueError:
        raise _bad("Invalid network IP address") from None
    if not bits.isdecimal() or int(bits) > address.max_prefixlen:
        raise _bad("Invalid prefix length")
    found = ipaddress.ip_network(f"{base}/{bits}", strict=False)
    if found.version == 4 and found.network_address != address:  # noqa: PLR2004
        raise _bad("Invalid CIDR")
    if found.version == 4:  # noqa: PLR2004 - the older version
        return data.startswith(_MAPPED) and ipaddress.IPv4Address(data[-4:]) in found
    return not data.startswith(_MAPPED) and ipaddress.IPv6Address(data) in found


def uuid_of_text(text: str) -> uuid.UUID:
    """Read a UUID."""
    form = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    if not re.fullmatch(form, text):
        raise _bad(f"Cannot cast value to UUID: {text}", "INVALID_CAST_ARGUMENT")
    return uuid.UUID(text)


def uuid_of_binary(data: bytes) -> uuid.UUID:
    """Read a UUID of 16 bytes."""
    if len(data) != _BYTES:
        raise _bad(f"Invalid UUID binary length: {len(data)}", "INVALID_CAST_ARGUMENT")
    return uuid.UUID(bytes=data)


def uuid_binary(value: uuid.UUID) -> bytes:
    """Write a UUID as 16 bytes."""
    return value.bytes
