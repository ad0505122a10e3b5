"""What pip says when it fails, in plain words and at a line of requirements.txt.

In: what pip wrote, the requirements, the platform's name.  Out: faults.  Addresses lose what
stands before their @, so that no index's password is shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.errors import Fault, Place
from runner.project.requirements import normalised

if TYPE_CHECKING:
    from runner.project.requirements import Requirements

_PASSWORD = re.compile(r"(\w+://)[^/@\s]+@")
_UNREACHABLE = re.compile(
    r"Retrying \(Retry|NewConnectionError|ConnectTimeoutError|Failed to establish a new connection"
    r"|Max retries exceeded|ReadTimeoutError|SSLError|ProxyError|NameResolutionError"
    r"|HTTP error 40[137] while|Connection(?:Reset)?Error"
)
_NO_VERSION = re.compile(
    r"Could not find a version that satisfies the requirement (\S.*?) \(from ([^)]*)\)"
    r"|No matching distribution found for (\S+)"
)
_VERSIONS = re.compile(r"from versions: ([^)]*)\)")
_CONFLICT = re.compile(r"Cannot install (.+?) because these package versions have conflict")
_CAUSE = re.compile(r"^\s+(The user requested .*|\S.* depends on .*?)\s*$", re.MULTILINE)
_HASH = re.compile(
    r"THESE PACKAGES DO NOT MATCH THE HASHES|Hashes are required in --require-hashes"
)
_HASHED = re.compile(r"^\s+(\S+==\S+|\S+) from ", re.MULTILINE)
_INVALID = re.compile(r"Invalid requirement: (?:'([^']*)'|(\S+))")
_AT_LINE = re.compile(r"requirements\.txt \(line (\d+)\)|line (\d+) of (?:\S*/)?requirements\.txt")
_ERROR = re.compile(r"^ERROR: (.*)$", re.MULTILINE)
_MOST_VERSIONS = 5


def explain_pip(said: str, wanted: Requirements, platform: str) -> tuple[Fault, ...]:
    """Say why pip installed nothing."""
    text = _PASSWORD.sub(r"\1", said)
    if "No module named pip" in text or "No module named 'pip" in text:
        return (
            Fault(
                Place(wanted.file),
                "no-pip",
                "a Python without pip",
                "pip, which installs what a function needs",
                "python -m ensurepip",
            ),
        )
    for explain in (_hash, _invalid, _unreachable, _conflict, _missing):
        fault = explain(text, wanted, platform)
        if fault is not None:
            return (fault,)
    errors = _ERROR.findall(text)
    last = errors[-1] if errors else (text.strip().splitlines() or ["nothing"])[-1]
    return (
        Fault(
            Place(wanted.file),
            "pip-failed",
            last,
            "requirements that pip can install",
            "try it by hand: pip install --target /tmp/try -r requirements.txt",
        ),
    )


def _place(text: str, wanted: Requirements, name: str = "") -> Place:
    """Find the line that a message is about: by the name, else by its number."""
    for line in wanted.lines:
        if name and (line.text.startswith(name) or line.name == (normalised(name) or None)):
            return line.place
    at = _AT_LINE.search(text)
    return Place(wanted.file, int(at[1] or at[2]) if at else 0)


def _hash(text: str, wanted: Requirements, platform: str) -> Fault | None:
    del platform
    if _HASH.search(text) is None:
        return None
    if "Hashes are required" in text:
        found = "some requirements with a hash and some without"
        expected = "a hash for every requirement and everything that it needs, or none at all"
        advice = "write the file with a tool that pins all of it, such as pip-compile"
        return Fault(_place("", wanted), "requirements-hash", found, expected, advice)
    named = _HASHED.search(text)
    name = named[1] if named else ""
    return Fault(
        _place(text, wanted, name),
        "requirements-hash",
        f"another file than the one that was pinned: {name}",
        "a file with one of the hashes of its line",
        "find out why it changed before you pin the new hash",
    )


def _invalid(text: str, wanted: Requirements, platform: str) -> Fault | None:
    del platform
    named = _INVALID.search(text)
    if named is None:
        return None
    what = named[1] or named[2]
    return Fault(
        _place(text, wanted, what),
        "bad-requirement",
        f"`{what}`",
        "a requirement such as requests==2.32.3",
        "correct the line",
    )


def _unreachable(text: str, wanted: Requirements, platform: str) -> Fault | None:
    del platform
    if _UNREACHABLE.search(text) is None:
        return None
    return Fault(
        Place(wanted.file),
        "index-unreachable",
        "a package index that does not answer, or refuses",
        "the index that pip's settings name, or packages that are in the cache",
        "look at the connection, and at what `pip config list` and PIP_INDEX_URL say",
    )


def _conflict(text: str, wanted: Requirements, platform: str) -> Fault | None:
    del platform
    named = _CONFLICT.search(text)
    if named is None:
        return None
    because = "; ".join(" ".join(line.split()) for line in _CAUSE.findall(text))
    return Fault(
        _place(named[1], wanted, named[1].split(" ")[0].rstrip(",")),
        "requirements-conflict",
        f"requirements that exclude each other: {because or named[1]}",
        "versions that fit together",
        "loosen one of these lines",
    )


def _missing(text: str, wanted: Requirements, platform: str) -> Fault | None:
    named = _NO_VERSION.search(text)
    if named is None:
        return None
    requirement = named[1] or named[3]
    versions = _VERSIONS.search(text)
    known = versions[1].split(", ") if versions and versions[1] != "none" else []
    have = f"; there are {', '.join(known[-_MOST_VERSIONS:])}" if known else ""
    return Fault(
        _place("", wanted, requirement),
        "no-wheel",
        f"no wheel of {requirement} for {platform}{have}",
        "a distribution of that name with a wheel that runs there",
        "correct name and version, choose another runtime, or vendor a wheel of your own",
    )
