"""The Amazon States Language interpreter.

In: a definition, an input, and ports (service, clock, journal, chance).  Out: an `Outcome`; and in
the journal every event, from which a killed execution continues.
"""

from runner.machine.definition import Definition
from runner.machine.events import Event, EventKind, Journal, MemoryJournal
from runner.machine.execution import SimulatedCrash, run
from runner.machine.failures import InvalidDefinition, JournalMismatch
from runner.machine.faults import (
    Crash,
    Delay,
    Fail,
    FaultPlan,
    Hang,
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
    AnswerLater,
    Clock,
    ExecutionContext,
    NoAnswerYet,
    Outcome,
    Status,
    TaskRequest,
    TaskService,
    VirtualClock,
)

__all__ = [
    "Abort",
    "AnswerLater",
    "Clock",
    "Crash",
    "Definition",
    "Delay",
    "Event",
    "EventKind",
    "ExecutionContext",
    "Fail",
    "FaultPlan",
    "Hang",
    "InjectedFault",
    "InvalidDefinition",
    "Journal",
    "JournalMismatch",
    "Meanwhile",
    "MemoryJournal",
    "NoAnswerYet",
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
    "run",
]
