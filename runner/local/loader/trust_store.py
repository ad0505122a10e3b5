"""A Java key store of certificate authorities, made from a PEM file without Java's keytool.

In: PEM text and a password.  Out: the bytes of a JKS file.  keytool takes one certificate a call;
a bundle has more than a hundred.  Format: JavaKeyStore.java of OpenJDK, "KEYSTORE FORMAT".
"""

from __future__ import annotations

import hashlib
import re
import ssl
import struct

from runner.model.ports import ServiceError

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_SALT = b"Mighty Aphrodite"


def trust_store(pem: str, password: str) -> bytes:
    """Write every certificate of a PEM text into a key store; ServiceError when there is none."""
    found = _PEM.findall(pem)
    if not found:
        raise ServiceError("Load.MartFailed", "the mart's `ca` holds no certificate in PEM form")
    entries = b"".join(
        _entry(f"ca{number}", ssl.PEM_cert_to_DER_cert(one)) for number, one in enumerate(found)
    )
    body = struct.pack(">III", _MAGIC, _VERSION, len(found)) + entries
    digest = hashlib.sha1(password.encode("utf-16-be") + _SALT + body, usedforsecurity=False)
    return body + digest.digest()


def _entry(alias: str, certificate: bytes) -> bytes:
    return (
        struct.pack(">I", _TRUSTED)
        + _text(alias)
        + struct.pack(">Q", 0)
        + _text("X.509")
        + struct.pack(">I", len(certificate))
        + certificate
    )


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
