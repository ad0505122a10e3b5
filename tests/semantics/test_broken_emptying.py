"""The test of killed runs can fail: with a broken part, its comparison tells so.

Each case breaks one part of the product in the child that continues a killed run, or in both
children, and names what the comparison of `tests/run/test_killed_runs.py` (`Scene.wrong`) finds.
SEMANTICS 2, 4, 5, 6 and 7 say what the parts are for.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import runner.asl.tables.common
import runner.keeper.lease
import runner.keeper.promote
import runner.keeper.publish
import runner.keeper.records
import runner.keeper.storage
from runner.app.run import RunRequest, run
from runner.asl.expressions import expression
from runner.machine import FaultPlan, When
from tests.support.forks import in_child, preload, resume, start, swift_folder
from tests.support.scene import CACHE, WINDOW, Scene, crash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from runner.keeper.storage import Storage


def nothing(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Break nothing: the control."""
    del patch, root


def never_sees_what_is_extra(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Promote without emptying: what lies in a partition stays beside what is put there."""
    del root
    compare = runner.keeper.promote._compare  # noqa: SLF001 - the part to break

    def blind(*arguments: Any) -> Any:  # noqa: ANN401 - it stands in for any signature
        works, etags = compare(*arguments)
        seen = [
            runner.keeper.promote._Work(work.prefix, (), work.missing)  # noqa: SLF001
            for work in works
            if work.missing
        ]
        return seen, etags

    patch.setattr(runner.keeper.promote, "_compare", blind)


def deletes_nothing(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Deletions of published files have no effect, and S3 says that all went well."""
    del root
    delete = runner.keeper.storage.Storage.delete

    def idle(storage: Storage, keys: Sequence[str]) -> Sequence[str]:
        kept = [key for key in keys if key.startswith("_runner/")]
        return delete(storage, kept)

    patch.setattr(runner.keeper.storage.Storage, "delete", idle)


def copies_in_part_and_never_looks(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Skip the look at what was copied, while a file of staging.orders is lost."""
    del root
    compare = runner.keeper.promote._compare  # noqa: SLF001 - the part to break
    copy_all = runner.keeper.storage.Storage.put_in_place
    looked: set[str] = set()

    def once(storage: Storage, base: str, wanted: dict[str, Any]) -> Any:  # noqa: ANN401
        works, etags = compare(storage, base, wanted)
        first = base not in looked
        looked.add(base)
        return (works if first else []), etags

    patch.setattr(runner.keeper.promote, "_compare", once)

    def lossy(storage: Storage, pairs: Sequence[tuple[Any, str]]) -> None:
        lost = any("staging/orders/" in target for _, target in pairs)
        copy_all(storage, pairs[:-1] if lost else pairs)

    patch.setattr(runner.keeper.storage.Storage, "put_in_place", lossy)


def keeps_leases(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Give no lease back."""
    del root
    patch.setattr(runner.keeper.lease.Leases, "release", lambda *_: None)


def leaves_records_begun(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Promote, and never write that it was done."""
    del root
    patch.setattr(runner.keeper.records, "complete", lambda *_: None)


def one_token_for_all(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Send every statement with the same token: Athena takes it for a repeated request."""
    shutil.rmtree(root / CACHE / "bundles")
    token = expression('"' + "t" * 40 + '"')
    patch.setattr(runner.asl.tables.common.Turn, "token", lambda *_: token)


@dataclass(frozen=True, slots=True)
class Case:
    """What is broken, where the first run is killed, how it is continued, what is found."""

    breaks: Callable[[pytest.MonkeyPatch, Path], None]
    state: str
    found: tuple[str, ...]
    anew: bool = True
    both: bool = False
    """Whether the first run is broken too."""


AFTER_PUBLISH, BEFORE_PUBLISH = "staging.orders finish", "staging.orders publish"
DOUBLED = ("tables", "marts", "orphans")
"""The files of the killed run are read again by what comes after; no record lists them."""
CASES = (
    Case(nothing, AFTER_PUBLISH, ()),
    Case(nothing, BEFORE_PUBLISH, (), anew=False),
    Case(never_sees_what_is_extra, AFTER_PUBLISH, DOUBLED),
    Case(deletes_nothing, AFTER_PUBLISH, ("status 1",)),
    Case(
        copies_in_part_and_never_looks,
        BEFORE_PUBLISH,
        ("a published file is missing",),
        anew=False,
    ),
    Case(keeps_leases, BEFORE_PUBLISH, ("leases",), anew=False),
    Case(leaves_records_begun, BEFORE_PUBLISH, ("status 1",), anew=False),
    Case(one_token_for_all, "raw.orders create", ("status 1",), both=True),
)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """The project of the test of killed runs."""
    preload()
    with swift_folder() as folder:
        yield Scene(folder)


def child(case: Case, request: RunRequest, *, broken: bool) -> int:
    """Run in a forked process, which alone is broken."""

    def work() -> int:
        if broken:
            case.breaks(pytest.MonkeyPatch(), request.root)
        return 0 if run(request).status == "SUCCEEDED" else 1

    return in_child(work)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.breaks.__name__}{' anew' if case.anew else ''}"
)
def test_the_comparison_of_killed_runs_finds_what_is_broken(scene: Scene, case: Case) -> None:
    with swift_folder() as folder:
        root = folder / "project"
        shutil.copytree(scene.fresh, root)
        plan = FaultPlan((crash(case.state, When.BEFORE),))
        assert child(case, start(root, WINDOW, plan), broken=case.both) == -9
        continued = start(root, WINDOW) if case.anew else resume(root)
        status = child(case, continued, broken=True)
        assert scene.wrong(root, status) == case.found


def test_a_promotion_that_empties_nothing_doubles_the_rows_of_a_second_run(scene: Scene) -> None:
    """What the files say, whatever the records list: each day is there twice."""
    with swift_folder() as folder:
        root = folder / "project"
        shutil.copytree(scene.ran, root)
        case = CASES[2]
        assert child(case, start(root, WINDOW), broken=True) == 0
        days = sorted((root / ".runner/s3/lake/staging/orders").rglob("*dt=*"))
        assert len(days) == 3
        assert [len([f for f in day.iterdir() if f.is_file()]) for day in days] == [2, 2, 2]
        assert scene.wrong(root, 0) == DOUBLED
