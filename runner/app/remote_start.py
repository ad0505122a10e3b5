"""Before a deployed machine of ours is started: whether it writes what the files say.

In: an environment on AWS and the tables of a backfill or a load.  Out: nothing, or UsageError.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.app.remote_places import Remote
from runner.errors import Fault, Place, UsageError
from runner.keeper import windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.app.places import Places

_MACHINE = re.compile(r":stateMachine:([A-Za-z0-9_-]+)")
_SHOWN = 5


def as_remote(places: Places) -> Remote:
    """Give an environment as the one on AWS that it is."""
    if not isinstance(places, Remote):
        message = f"{places.bundle.environment_name} is on this machine"
        raise TypeError(message)
    return places


def whole_days(start: str, end: str, grain: str) -> tuple[str, str]:
    """Write a window as the days that the deployed machines are told.

    >>> whole_days("2013-02", "2013-02", "month"), whole_days("2013", "2013", "year")
    (('2013-02-01', '2013-02-28'), ('2013-01-01', '2013-12-31'))
    """
    return (start, end) if grain == "day" else windows.regrain(start, end, grain, "day")


def check_deployed(remote: Remote, machine: str, fingerprints: Mapping[str, str]) -> None:
    """Raise UsageError unless a deployed machine writes today's SQL of the tables.

    `fingerprints` are what their records would carry, by table; a definition names them.
    """
    texts = definitions(remote, machine)
    environment = remote.bundle.environment_name
    deploy = f"runner deploy --env {environment}"
    if not texts:
        found = f"no state machine {remote.machine(machine)}"
        expected = f"a deployed {environment}"
        raise UsageError([Fault(Place("--env"), "not-deployed", found, expected, deploy)])
    other = [
        name for name, print_ in fingerprints.items() if not any(print_ in text for text in texts)
    ]
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        found = f"other SQL of {', '.join(other[:_SHOWN])}{more} is deployed"
        expected = f"what the files say, deployed in {environment}"
        advice = f"{deploy}, or check out what is deployed"
        raise UsageError([Fault(Place("--env"), "not-deployed", found, expected, advice)])


def definitions(remote: Remote, machine: str) -> list[str]:
    """Read the definition of a deployed machine, and of those that it starts."""
    texts: list[str] = []
    wanted = [remote.machine(machine)]
    known = set(wanted)
    prefix = f"{remote.bundle.prefix}-"
    while wanted:
        found = [text or "" for text in remote.storage().each(remote.executions.definition, wanted)]
        texts += [text for text in found if text]
        wanted = [name for name in _names(found, prefix) if name not in known]
        known |= set(wanted)
    return texts


def _names(texts: Iterable[str], prefix: str) -> list[str]:
    names = {name for text in texts for name in _MACHINE.findall(text)}
    return sorted(name for name in names if name.startswith(prefix))
