"""The fingerprint of a table: equal when, and only when, the bytes written would be (SEMANTICS 20).

In: rendered SQL and the header.  Out: 64 hex digits over the tokens of the SQL (no comments, white
space or environment names) and the header fields that change what is written.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from runner.query.lexer import is_hive, lex
from runner.query.window_value import PLACEHOLDER

if TYPE_CHECKING:
    from runner.model.header import Header
    from runner.model.sqltext import Mark
    from runner.query.rendered import Rendered

_VERSION = 1
_FIELDS = {"partition", "format", "compression", "bucket", "keys", "properties"}


def fingerprint(rendered: Rendered, header: Header) -> str:
    """Hash what decides the bytes of the table."""
    marks = {printed.plain_offset: _canonical(printed.mark) for printed in rendered.printed}
    tokens: list[str] = []
    for token in lex(rendered.plain, hive=is_hive(rendered.plain)):
        if not token.meaningful:
            continue
        text = token.text
        if marks and not text.isascii():
            text = PLACEHOLDER.sub(lambda m, at=token.start: marks[at + m.start()], text)  # type: ignore[misc] # a default binds it
        tokens.append(text)
    facts = header.model_dump(mode="json", include=_FIELDS)
    document = [_VERSION, header.resolved_kind().value, facts, tokens]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(mark: Mark) -> str:
    steps = "".join(f"{name}{count:+d};" for name, count in mark.steps)
    return f"\x02{mark.base};{steps}{mark.format or ''}\x03"
