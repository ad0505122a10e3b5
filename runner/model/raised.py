"""What a function's handler raised, as Lambda writes it into the cause of an error.

In: the cause, JSON with `errorMessage` and `stackTrace`, or any other text.  Out: words for people.
"""

from __future__ import annotations

import json


def message_of(cause: str) -> str:
    """Give the message of a handler's exception; the cause as it is where it is none.

    >>> message_of('{"errorType": "ValueError", "errorMessage": "no such shop"}')
    'no such shop'
    >>> message_of("Task timed out after 3.00 seconds")
    'Task timed out after 3.00 seconds'
    """
    return _parts(cause)[0]


def traced(cause: str) -> str:
    """Give the message and, in lines below it, where it was raised."""
    return "\n".join(_parts(cause))


def _parts(cause: str) -> tuple[str, ...]:
    try:
        said = json.loads(cause)
        return (str(said["errorMessage"]), *map(str.rstrip, said.get("stackTrace") or ()))
    except (ValueError, TypeError, KeyError, AttributeError):
        return (cause,)
