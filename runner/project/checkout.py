"""The Git checkout that a project is in: its commit, what is not committed, what it descends from.

In: the project's folder.  Out: what `git` says, asked as a process; it never touches the network
and never writes.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_OURS = ".runner"
"""Caches, journals and the lake of this machine: no part of what is deployed."""
_YES, _NO = 0, 1


@dataclass(frozen=True, slots=True)
class Checkout:
    """A project's folder in Git."""

    commit: str
    dirty: tuple[str, ...]
    """Files in the folder that are changed or not in Git, as paths from the top of the checkout."""
    behind: int
    """Commits that the branch it follows has and this one has not, as of the last fetch."""
    upstream: str
    """The branch that it follows, such as `origin/main`; empty when it follows none."""


class Descent(Enum):
    """Whether a checkout descends from a commit."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """The commit is not in this clone."""


def look(root: Path) -> Checkout | None:
    """Give the checkout that a folder is in; None when it is in none, or `git` is missing."""
    commit = _say(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return None
    status = _say(root, "status", "--porcelain", "-z", "--", ".", f":(exclude){_OURS}") or ""
    upstream = _say(root, "rev-parse", "--abbrev-ref", "--symbolic-full-name", "@{upstream}") or ""
    behind = _say(root, "rev-list", "--count", "HEAD..@{upstream}") if upstream else None
    return Checkout(
        commit=commit.strip(),
        dirty=tuple(_paths(status)),
        behind=int(behind or 0),
        upstream=upstream.strip(),
    )


def descends(root: Path, commit: str) -> Descent:
    """Tell whether what is checked out is a commit or comes after it."""
    if not _COMMIT.fullmatch(commit):
        return Descent.UNKNOWN
    done = _git(root, "merge-base", "--is-ancestor", commit, "HEAD")
    if done is None or done.returncode not in {_YES, _NO}:
        return Descent.UNKNOWN
    return Descent.YES if done.returncode == _YES else Descent.NO


def _paths(status: str) -> list[str]:
    """Read `git status --porcelain -z`: a renamed file's old name follows as a field of its own."""
    fields = iter(status.split("\0"))
    found = []
    for field in fields:
        if not field:
            continue
        found.append(field[3:])
        if "R" in field[:2]:
            next(fields, "")
    return found


def _say(root: Path, *words: str) -> str | None:
    done = _git(root, *words)
    return done.stdout if done is not None and done.returncode == 0 else None


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str] | None:
    command = ["git", "-C", str(root), "--no-optional-locks", *words]
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError:
        return None
