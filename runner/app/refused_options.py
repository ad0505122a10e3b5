"""Options that cannot be followed here: one fault each, all at once.

In: options and what was given for them.  Out: nothing, or UsageError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def refused(
    given: Mapping[str, object], code: str, *, beside: str, expected: str, advice: str
) -> tuple[Fault, ...]:
    """Give a fault for each option that was given; `beside` says what is wrong with having it.

    `advice` may name the option as {option}.
    """
    return tuple(
        Fault(
            Place(option), code, f"{option} {beside}", expected, advice.replace("{option}", option)
        )
        for option, value in given.items()
        if value
    )


def refused_here(environment: str, given: Mapping[str, object]) -> tuple[Fault, ...]:
    """Give a fault for each option that only an environment on AWS can follow."""
    return refused(
        given,
        "not-local",
        beside=f"for {environment}, which is on this machine",
        expected="an environment with engine: aws",
        advice="leave {option} away, or name an environment on AWS with --env",
    )


def refused_on_aws(environment: Mapping[str, object], name: str, advice: str) -> tuple[Fault, ...]:
    """Give a fault for an environment on AWS, where only one on this machine will do."""
    if environment["engine"] == "local":
        return ()
    expected = "an environment with engine: local"
    return (Fault(Place("--env"), "not-local", name, expected, advice),)


def refused_there(
    environment: str, given: Mapping[str, object], *, expected: str, advice: str
) -> tuple[Fault, ...]:
    """Give a fault for each option that a deployed machine cannot be told."""
    beside = f"for {environment}, which is on AWS"
    return refused(given, "not-on-aws", beside=beside, expected=expected, advice=advice)


def raise_any(faults: Iterable[Fault]) -> None:
    """Raise UsageError for faults, if there are any."""
    found = tuple(faults)
    if found:
        raise UsageError(found)
