"""The Amazon States Language interpreter.

In: a definition, an input, and ports (service, clock, journal, chance; faults and task tokens, if
any).  Out: an `Outcome`; and in the journal every event, from which a killed execution continues,
and one that failed is redriven.
"""

from runner.machine.activities import Activities, Work
from runner.machine.callbacks import Callbacks, TaskDoesNotExist, TaskTimedOut
from runner.machine.definition import Definition
from runner.machine.events import Event, EventKind, Journal, MemoryJournal
from runner.machine.execution import SimulatedCrash, run
from runner.machine.failures import InvalidDefinition, JournalMismatch, NotRedrivable
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
from runner.machine.redrive import redrive

__all__ = [
    "Abort",
    "Activities",
    "AnswerLater",
    "Callbacks",
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
    "NotRedrivable",
    "Outcome",
    "SimulatedCrash",
    "Status",
    "TaskDoesNotExist",
    "TaskRequest",
    "TaskService",
    "TaskTimedOut",
    "Throttle",
    "TimeOut",
    "Unknown",
    "VirtualClock",
    "When",
    "Work",
    "parse_definition",
    "redrive",
    "run",
]
