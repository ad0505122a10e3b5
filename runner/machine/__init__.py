"""The Amazon States Language interpreter.

In: a definition, an input, and ports (service, clock, journal, chance).  Out: an `Outcome`; and in
the journal every event, from which a killed execution continues.
"""

from runner.machine.definition import Definition
from runner.machine.events import Event, EventKind, Journal, MemoryJournal
from runner.machine.execution import SimulatedCrash, run
from runner.machine.failures import InvalidDefinition, JournalMismatch, NotRedrivable
from runner.machine.faults import (
    Crash,
    Fail,
    FaultPlan,
    InjectedFault,
    Meanwhile,
    Throttle,
    TimeOut,
    Unknown,
    When,
)
from runner.machine.parse import parse_definition
from runner.machine.ports import (
    Abort,
    Clock,
    ExecutionContext,
    NoAnswerYet,
    Outcome,
    Status,
    TaskRequest,
    TaskService,
    VirtualClock,
)
from runner.machine.redrive import redrive

__all__ = [
    "Abort",
    "Clock",
    "Crash",
    "Definition",
    "Event",
    "EventKind",
    "ExecutionContext",
    "Fail",
    "FaultPlan",
    "InjectedFault",
    "InvalidDefinition",
    "Journal",
    "JournalMismatch",
    "Meanwhile",
    "MemoryJournal",
    "NoAnswerYet",
    "NotRedrivable",
    "Outcome",
    "SimulatedCrash",
    "Status",
    "TaskRequest",
    "TaskService",
    "Throttle",
    "TimeOut",
    "Unknown",
    "VirtualClock",
    "When",
    "parse_definition",
    "redrive",
    "run",
]
