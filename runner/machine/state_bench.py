"""The state under test at work: the visit that the interpreter needs, and what is seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.machine.events import MemoryJournal
from runner.machine.faults import FaultPlan
from runner.machine.fibers import Frame, Shared, Visit, iso_millis
from runner.machine.ledger import Ledger
from runner.machine.recorder import Recorder
from runner.machine.redrive import Redrives
from runner.machine.state_contexts import make_execution

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from runner.machine.ports import Clock
    from runner.machine.state_places import StatePlace
    from runner.machine.state_test import StateTest
    from runner.machine.templates import Env
    from runner.model.ports import Json


class _Visit(Visit):
    """The visit of a state whose context object is given."""

    __slots__ = ("given",)

    given: Mapping[str, Json]

    def context(self) -> Mapping[str, Json]:
        return self.given


def _with_context(visit: Visit, context: Mapping[str, Json]) -> Visit:
    """Give the same visit with another context object."""
    made = _Visit.__new__(_Visit)
    for name in Visit.__slots__:
        setattr(made, name, getattr(visit, name))
    made.given = context
    return made


class Bench:
    """One test under way."""

    __slots__ = ("seen", "stages", "test", "visit")

    def __init__(self, test: StateTest, visit: Visit) -> None:
        """Begin with nothing seen."""
        self.test = test
        self.visit = visit
        self.stages: dict[str, Json] = {}
        """The data after each field, by the names of `inspectionData`."""
        self.seen: dict[str, list[Json]] = {}
        """The values of watched fields (state_stages.py)."""

    def env(self) -> Env:
        """Make what expressions of the state can see."""
        return self.visit.env(self.test.data)

    def last(self, field: str) -> Json:
        """Give the last value of a watched field; None when it was not evaluated."""
        values = self.seen.get(field)
        return values[-1] if values else None


def enter(place: StatePlace, test: StateTest, *, clock: Clock, random: Random) -> Bench:
    """Enter the state under test."""
    recorder = Recorder(MemoryJournal(), clock, None)
    shared = Shared(
        recorder,
        clock,
        execution=make_execution(test.data, test.role_arn, iso_millis(recorder.time)),
        seed=f"{random.getrandbits(64):016x}",
        faults=FaultPlan(),
        crash=_no_crash,
        ledger=Ledger(None),
        redrives=Redrives(()),
    )
    item = {"Index": 0, "Value": test.data} if place.is_item() else None
    frame = Frame(shared, "", test.variables, item)
    visit = frame.enter(place.state, test.data)
    if test.context is not None:
        visit = _with_context(visit, test.context)
    return Bench(test, visit)


def _no_crash() -> None:
    """Stand for the crash of a process: no fault is injected here."""
