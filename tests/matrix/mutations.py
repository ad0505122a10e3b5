"""Parts of the product broken on purpose, one each, to see whether the matrix finds it.

A mutation is applied in the child processes of a combination, before they run.  SEMANTICS 1, 2, 4,
5, 6 and 7 say what the parts are for.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import runner.asl.retries
import runner.asl.tables.common
import runner.keeper.core
import runner.keeper.lease
import runner.keeper.promote
import runner.keeper.publish
import runner.keeper.records
import runner.keeper.storage
from runner.asl.expressions import expression
from runner.asl.flow import retrier
from tests.matrix.scenes import CACHE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from runner.keeper.storage import Storage

_promote, _publish = runner.keeper.promote, runner.keeper.publish
_records, _storage = runner.keeper.records, runner.keeper.storage


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is broken, and a few combinations of which at least one must come out wrong."""

    breaks: Callable[[pytest.MonkeyPatch], None]
    slice: tuple[str, ...]
    """Names of combinations: flavour / state / fault / way to go on."""
    finds: str
    """A pattern of what is found."""
    recompiled: bool = False

    def apply(self, root: Path) -> None:
        """Break this process, which ends after its run."""
        if self.recompiled:
            shutil.rmtree(root / CACHE / "bundles", ignore_errors=True)
        self.breaks(pytest.MonkeyPatch())


def nothing(patch: pytest.MonkeyPatch) -> None:
    """Break nothing: the control."""
    del patch


def never_sees_what_is_extra(patch: pytest.MonkeyPatch) -> None:
    """Promote without emptying: what lies in a partition stays beside what is put there."""
    compare = _promote._compare  # noqa: SLF001 - the part to break

    def blind(*arguments: Any) -> Any:  # noqa: ANN401 - it stands in for any signature
        works, etags = compare(*arguments)
        seen = [
            _promote._Work(work.prefix, (), work.missing)  # noqa: SLF001
            for work in works
            if work.missing
        ]
        return seen, etags

    patch.setattr(_promote, "_compare", blind)


def deletes_nothing(patch: pytest.MonkeyPatch) -> None:
    """Deletions of published files have no effect, and S3 says that all went well."""
    delete = _storage.Storage.delete

    def idle(storage: Storage, keys: Sequence[str]) -> Sequence[str]:
        kept = [key for key in keys if key.startswith("_runner/")]
        return delete(storage, kept)

    patch.setattr(_storage.Storage, "delete", idle)


def never_checks_the_lease(patch: pytest.MonkeyPatch) -> None:
    """Go on whoever holds the lease, or nobody."""
    leases = runner.keeper.lease.Leases

    def found(self: Any, table: str, _owner: object) -> Any:  # noqa: ANN401 - of the part to break
        return self.storage.read_json(self.key(table)) or ({}, "")

    patch.setattr(leases, "check", found)
    patch.setattr(leases, "renew", lambda *_: None)


def takes_over_from_the_living(patch: pytest.MonkeyPatch) -> None:
    """Take a lease over without asking whether its owner is still at work."""
    patch.setattr(runner.keeper.lease.Leases, "_refuse_living", lambda *_: None)


def keeps_leases(patch: pytest.MonkeyPatch) -> None:
    """Give no lease back."""
    patch.setattr(runner.keeper.lease.Leases, "release", lambda *_: None)


def one_token_for_all(patch: pytest.MonkeyPatch) -> None:
    """Send every statement with the same token: Athena takes it for a repeated request."""
    token = expression('"' + "t" * 40 + '"')
    patch.setattr(runner.asl.tables.common.Turn, "token", lambda *_: token)


def one_token_for_all_attempts(patch: pytest.MonkeyPatch) -> None:
    """Leave the attempt out of the token: the next one gets the answer of the failed one."""
    token = runner.asl.tables.common.Turn.token

    def constant(turn: Any, salt: str) -> str:  # noqa: ANN401 - of the part to break
        return token(turn, salt).replace("$attempt", "1")

    patch.setattr(runner.asl.tables.common.Turn, "token", constant)


def loses_a_file_and_never_looks(patch: pytest.MonkeyPatch) -> None:
    """Skip the look at what was copied, while a file of each copy is lost."""
    compare = _promote._compare  # noqa: SLF001 - the part to break
    name = next(n for n in ("put_in_place", "copy_all") if hasattr(_storage.Storage, n))
    put = getattr(_storage.Storage, name)
    looked: set[str] = set()

    def once(storage: Storage, base: str, wanted: dict[str, Any]) -> Any:  # noqa: ANN401
        works, etags = compare(storage, base, wanted)
        first = base not in looked
        looked.add(base)
        return (works if first else []), etags

    patch.setattr(_promote, "_compare", once)
    patch.setattr(_storage.Storage, name, lambda storage, pairs: put(storage, pairs[:-1]))


def completes_records_before_promotion(patch: pytest.MonkeyPatch) -> None:
    """Say that a window is published before its files are there."""
    promote: Any = vars(_publish)["promote"]

    def hasty(keeper: Any, attempt: Any, body: dict[str, Any], *more: Any) -> Any:  # noqa: ANN401
        found = _records.entries(keeper.storage, attempt.spec.name)
        entry = _records.own(found, run=attempt.run, start=body["start"], end=body["end"])
        if entry is not None and not entry.published:
            _records.complete(keeper.storage, entry, body)
        return promote(keeper, attempt, body, *more)

    patch.setattr(_publish, "promote", hasty)


def leaves_records_begun(patch: pytest.MonkeyPatch) -> None:
    """Promote, and never write that it was done."""
    patch.setattr(_records, "complete", lambda *_: None)


def retries_the_insert_in_place(patch: pytest.MonkeyPatch) -> None:
    """Send a failed INSERT again into the same stage, as a new request."""
    token = runner.asl.tables.common.Turn.token

    def fresh(turn: Any, salt: str) -> str:  # noqa: ANN401 - of the part to break
        retry = "$string($states.context.State.RetryCount)"
        return token(turn, f"{salt} & {retry}" if salt else retry)

    again = [retrier(("States.TaskFailed",), interval_s=1, attempts=3)]
    patch.setattr(runner.asl.tables.common.Turn, "token", fresh)
    patch.setattr(runner.asl.retries, "athena", lambda: again)


def stages_every_attempt_in_one_place(patch: pytest.MonkeyPatch) -> None:
    """Let the attempts of an execution share a stage."""

    def shared(attempt: Any, storage: Storage) -> str:  # noqa: ANN401 - of the part to break
        return f"{storage.prefix}_runner/stage/{attempt.spec.name}/{attempt.execution[-20:]}/"

    patch.setattr(runner.keeper.core.Attempt, "stage", shared)


_STAGING = "staging.orders"
_RESUMED, _ANEW = "resume", "anew"


def _cell(flavour: str, state: str, fault: str, then: str = _ANEW) -> str:
    return f"{flavour} / {state} / {fault} / {then}"


_REWRITES = (
    _cell("again", f"{_STAGING} insert", "fail after effect"),
    _cell("again", f"{_STAGING} finish", "crash before effect"),
)
_CRASHES = (
    _cell("first", f"{_STAGING} publish", "crash before effect", _RESUMED),
    _cell("again", f"{_STAGING} publish", "crash after effect", _RESUMED),
)
MUTATIONS = (
    Mutation(never_sees_what_is_extra, _REWRITES, "0 recorded files missing, 1 beside them"),
    Mutation(deletes_nothing, _REWRITES, "the last run ended with status 1"),
    Mutation(
        never_checks_the_lease,
        (
            _cell("first", f"{_STAGING} publish", "late call"),
            _cell("first", f"{_STAGING} test", "late call"),
        ),
        finds=r"staging.orders .*: 3 rows lost, 2 too many",
    ),
    Mutation(
        takes_over_from_the_living,
        (
            _cell("first", f"{_STAGING} insert", "overlap before effect"),
            _cell("again", f"{_STAGING} publish", "overlap after effect"),
        ),
        finds="written while another run held its lease",
    ),
    Mutation(keeps_leases, _CRASHES, "lease left: _runner/leases/marts/customers"),
    Mutation(
        one_token_for_all,
        (_cell("first", f"{_STAGING} create", "crash before effect", _RESUMED),),
        finds="the last run ended with status 1",
        recompiled=True,
    ),
    Mutation(
        one_token_for_all_attempts,
        (
            _cell("first", f"{_STAGING} insert", "fail after effect"),
            _cell("again", f"{_STAGING} publish", "fail before effect"),
        ),
        finds="it did not get over the fault",
        recompiled=True,
    ),
    Mutation(loses_a_file_and_never_looks, _CRASHES, "1 recorded files missing, 0 beside them"),
    Mutation(
        completes_records_before_promotion,
        (_cell("first", f"{_STAGING} publish", "crash at the fifth write", _RESUMED),),
        finds="1 recorded files missing, 0 beside them",
    ),
    Mutation(leaves_records_begun, _CRASHES, "records of staging.orders differ"),
    Mutation(
        retries_the_insert_in_place,
        (_cell("first", "marts.running insert", "fail after effect"),),
        finds="0 rows lost, 3 too many",
        recompiled=True,
    ),
    Mutation(
        stages_every_attempt_in_one_place,
        (
            _cell("first", "marts.tenants insert", "fail after effect"),
            _cell("first", f"{_STAGING} insert", "fail after effect"),
        ),
        finds=r"marts.tenants .*: 0 rows lost, \d too many",
    ),
)
