"""Names that are no plain words are quoted, those of expanded stars too."""

from __future__ import annotations

import re

from sqlglot import exp

from runner.local.athena.trees import find_all

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


def apply(tree: exp.Query) -> exp.Query:
    """Quote what could be read as anything but a name."""
    for name in find_all(tree, exp.Identifier):
        if not name.args.get("quoted") and not _PLAIN.fullmatch(name.name):
            name.set("quoted", True)
    return tree
