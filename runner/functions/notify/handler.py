"""Tells people how a workflow ended: what, which window, why, where to look, how to go on.

In: an execution's event of EventBridge (directly or through SNS), or a `lambda` step's payload.
Out: what was told.  Settings are environment variables, listed in function.yaml.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from .delivery import deliver, read_targets
    from .events import read_events
    from .message import Names, is_bad, write
else:  # in Lambda the folder itself is on the path
    from delivery import deliver, read_targets
    from events import read_events
    from message import Names, is_bad, write

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUILTIN = "-builtin-notify"


def handler(event: Mapping[str, object], context: object) -> dict[str, object]:  # noqa: ARG001
    """Tell people of each thing that an invocation brings."""
    named, targets, always = names(), read_targets(), _always()
    told: list[str] = []
    for one in read_events(event):
        if not always and not is_bad(one):
            continue
        subject, text = write(one, named)
        print(f"{subject}\n{text}")
        deliver(targets, subject, text)
        told.append(subject)
    return {"told": told}


@cache
def names() -> Names:
    """Find the environment's names in the function's own: <project>-<environment>-<folder>."""
    own = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    prefix = own.removesuffix(_BUILTIN) if own.endswith(_BUILTIN) else own.rpartition("-")[0]
    environment = os.environ.get("ENVIRONMENT", "")
    if environment:
        before, found, _ = own.partition(f"-{environment}-")
        return Names(f"{before}-{environment}" if found else prefix, environment)
    return Names(prefix, prefix.rpartition("-")[2] or "prod")


def _always() -> bool:
    said = os.environ.get("TELL") or "always"
    if said not in {"always", "failures"}:
        raise ValueError(f"TELL is {said!r}; expected always or failures")
    return said == "always"
