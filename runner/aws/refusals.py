"""Refusals of AWS in plain words: what was wanted, what AWS said, what to do.

In: an exception of botocore.  Out: `CloudRefused` with one fault.  Translated once, here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.errors import CloudRefused, Fault, Place

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def refusals(doing: str, *, place: Place | None = None) -> Iterator[None]:
    """Raise CloudRefused for what botocore raises inside; `doing` is like "read the stack x"."""
    from botocore import exceptions as boto  # noqa: PLC0415 - only what talks to AWS needs it

    try:
        yield
    except boto.ClientError as error:
        said = error.response.get("Error", {})
        code, message = str(said.get("Code", "")), str(said.get("Message", ""))
        raise CloudRefused([_fault(doing, place, code, message)]) from error
    except boto.BotoCoreError as error:
        raise CloudRefused([_fault(doing, place, type(error).__name__, str(error))]) from error


def _fault(doing: str, place: Place | None, code: str, message: str) -> Fault:
    return Fault(
        place or Place("AWS"),
        "aws-refused",
        f"{code}: {message}" if message else code,
        f"to {doing}",
        "see what AWS says",
    )
