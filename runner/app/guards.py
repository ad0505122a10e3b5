"""What stands between a command and an environment: names to type, checkouts, databases.

In: an environment on AWS.  Out: nothing, or the faults for which nothing is done.  Only an
environment that says `protected: true` is guarded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Fault, Place, UsageError
from runner.project.checkout import Checkout, Descent, descends, look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_glue import GlueClient

    from runner.app.cloud import Cloud

_MOST_NAMED = 5
_DATABASE = "AWS::Glue::Database"


def is_protected(cloud: Cloud) -> bool:
    """Tell whether the environment says `protected: true`."""
    return bool(cloud.environment["protected"])


def refuse_unconfirmed(cloud: Cloud, *, confirm: str | None, can_ask: bool) -> None:
    """Raise UsageError unless a protected environment's name was given, or can still be asked for.

    A name that is given must be the environment's, protected or not.
    """
    name = cloud.bundle.environment_name
    if confirm is not None and confirm != name:
        raise UsageError([_unconfirmed(f"--confirm {confirm}", name)])
    if is_protected(cloud) and confirm is None and not can_ask:
        found = "no --confirm, and no terminal on which to type the name"
        raise UsageError([_unconfirmed(found, name)])


def _unconfirmed(found: str, name: str) -> Fault:
    expected = f"the environment's name, {name}"
    return Fault(Place("--confirm"), "not-confirmed", found, expected, f"say --confirm {name}")


def refuse_checkout(cloud: Cloud, deployed_commit: str | None) -> None:
    """Raise UsageError for a checkout from which no protected environment is deployed.

    A right one is committed, not behind the branch it follows, and comes after what is deployed.
    """
    checkout = look(cloud.root)
    if checkout is None:
        raise UsageError([_no_checkout(cloud.root)])
    faults = list(_faults(cloud.root, checkout, deployed_commit))
    if faults:
        raise UsageError(faults)


def _no_checkout(root: Path) -> Fault:
    return Fault(
        Place(str(root)),
        "checkout-missing",
        "a folder that is no Git checkout with a commit, or no `git` on this machine",
        "a checkout, so that it can be told what is deployed",
        "deploy from a clone, or say --any-checkout",
    )


def _faults(root: Path, checkout: Checkout, deployed: str | None) -> Iterator[Fault]:
    place = Place(str(root))
    if checkout.dirty:
        named = ", ".join(checkout.dirty[:_MOST_NAMED])
        more = len(checkout.dirty) - _MOST_NAMED
        yield Fault(
            place,
            "checkout-dirty",
            f"not committed: {named}" + (f" and {more} more" if more > 0 else ""),
            "a checkout without changes",
            "commit them, or put them away with `git stash --include-untracked`",
        )
    if checkout.behind:
        yield Fault(
            place,
            "checkout-behind",
            f"{checkout.upstream} has {checkout.behind} commits that are not here",
            "the newest commit of the branch",
            "`git pull`, then deploy again",
        )
    if deployed is None:
        yield Fault(
            place,
            "checkout-unknown",
            "nobody knows which commit is deployed: the account of it is gone from the artifacts",
            "a commit that comes after what is deployed",
            "look at what is deployed with `runner plan`, then say --any-checkout",
        )
    if deployed:
        yield from _descent(root, checkout.commit, deployed)


def _descent(root: Path, commit: str, deployed: str) -> Iterator[Fault]:
    descent = descends(root, deployed)
    if descent is Descent.YES:
        return
    known = descent is Descent.NO
    yield Fault(
        Place(str(root)),
        "checkout-older",
        f"{commit[:12]}, which does not come after {deployed[:12]}, which is deployed"
        if known
        else f"a clone that does not know {deployed[:12]}, which is deployed",
        "a commit that holds everything that is deployed",
        "merge what is deployed; to go back on purpose, revert the commits, or say --any-checkout"
        if known
        else "`git fetch --unshallow` or `git fetch`, then deploy again",
    )


def existing_databases(cloud: Cloud) -> frozenset[str]:
    """Name the databases of the catalogue that exist outside the environment's stack."""
    from runner.app.stack_changes import deployed_stack  # noqa: PLC0415 - beside it
    from runner.aws.refusals import refusals  # noqa: PLC0415 - boto3 is for aws environments only
    from runner.aws.stacks import resources  # noqa: PLC0415

    client: GlueClient = cloud.session.client("glue")
    with refusals("list the databases of the catalogue"):
        pages = client.get_paginator("get_databases").paginate()
        names = {one["Name"] for page in pages for one in page["DatabaseList"]}
    state = deployed_stack(cloud)
    if state is None or state.to_be_removed:
        return frozenset(names)
    own = resources(cloud.session.client("cloudformation"), state.id)
    return frozenset(
        names - {one.physical_id for one in own if one.type == _DATABASE and one.there}
    )
