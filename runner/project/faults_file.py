"""A file of faults to inject: the words of `--fault`, and what words cannot say.

    faults:
      - "Load*:crash-after"                     # as on the command line
      - {state: Charge card, fail: {error: Busy, cause: again}, attempt: 0}
      - {state: Charge card, delay: 30, when: after}

In: a path and what reads a word.  Out: faults that know where they stand, or every mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.errors import Fault, ProjectError
from runner.machine.faults import PLAIN, Delay, Fail, InjectedFault, When
from runner.model.nearest import suggestion
from runner.project.documents import read_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path as FilePath

    from runner.machine.faults import Action
    from runner.model.places import Path, Places

Data = Any

ACTIONS = ("fail", "delay", *PLAIN)
_WHERE = ("state", "attempt", "visit", "when", "first")


def read_faults_file(
    path: FilePath, word: Callable[[str], InjectedFault]
) -> tuple[InjectedFault, ...]:
    """Read a file of faults; ProjectError lists all that is wrong with it."""
    document = read_document(path, option="--faults")
    reader = _Reader(document.places, word)
    reader.faults += document.faults
    found = reader.read(document.data)
    if reader.faults:
        raise ProjectError(reader.faults)
    return found


class _Reader:
    """Takes the file apart and collects mistakes with their places."""

    def __init__(self, places: Places, word: Callable[[str], InjectedFault]) -> None:
        self._places = places
        self._word = word
        self.faults: list[Fault] = []

    def read(self, data: Data) -> tuple[InjectedFault, ...]:
        if not isinstance(data, dict) or not isinstance(data.get("faults"), list):
            self._say((), "no list `faults`", "`faults:` and a list", "write `faults:` first")
            return ()
        for key in data:
            if key != "faults":
                self._say((key,), f"the key {key!r}", "`faults` only", "remove it")
        read = [self._fault(item, ("faults", n)) for n, item in enumerate(data["faults"])]
        return tuple(
            fault._replace(origin=str(self._places.value("faults", n)))
            for n, fault in enumerate(read)
            if fault is not None
        )

    def _say(self, path: Path, found: str, expected: str, advice: str) -> None:
        place = self._places.value(*path)
        self.faults.append(Fault(place, "bad-fault", found, expected, advice))

    def _fault(self, data: Data, path: Path) -> InjectedFault | None:
        if isinstance(data, str):
            try:
                return self._word(data)
            except ValueError as error:
                self._say(path, str(error), "STATE:ACTION[@ATTEMPT]", "see `runner machine run -h`")
                return None
        if not isinstance(data, dict):
            self._say(path, f"{data!r}", "a word or a mapping", "write {state: NAME, fail: ERROR}")
            return None
        before = len(self.faults)
        action = self._action(data, path)
        state = data.get("state")
        if not isinstance(state, str) or not state:
            self._say((*path, "state"), "no state", "a state's name, or a pattern", "add `state:`")
        attempt, visit = (self._count(data, path, *key) for key in (("attempt", 0), ("visit", 1)))
        when = self._when(data, path)
        first = data.get("first", False)
        if not isinstance(first, bool):
            self._say((*path, "first"), f"{first!r}", "true or false", "write true, or leave it")
        if action is None or len(self.faults) > before:
            return None
        return InjectedFault(str(state), action, when, visit, attempt, bool(first))

    def _action(self, data: dict[str, Data], path: Path) -> Action | None:
        for key in data:
            if key not in (*_WHERE, *ACTIONS):
                advice = suggestion(key, (*_WHERE, *ACTIONS), otherwise="remove it")
                place = self._places.key(*path, key)
                expected = f"one of {', '.join((*_WHERE, *ACTIONS))}"
                self.faults.append(Fault(place, "bad-fault", f"the key {key!r}", expected, advice))
        named = [name for name in ACTIONS if name in data]
        if len(named) != 1:
            found = " and ".join(named) or "no action"
            self._say(path, found, f"one of {', '.join(ACTIONS)}", "for example `fail: Busy`")
            return None
        name = named[0]
        value = data[name]
        match name:
            case "fail":
                return self._fail(value, (*path, name))
            case "delay":
                return self._delay(value, (*path, name))
            case _:
                if value is not True:
                    self._say((*path, name), f"{value!r}", "true", f"write `{name}: true`")
                return PLAIN[name]

    def _fail(self, value: Data, path: Path) -> Action | None:
        told = {"error": value} if isinstance(value, str) else value
        if not isinstance(told, dict) or not set(told) <= {"error", "cause"} or "error" not in told:
            self._say(path, f"{value!r}", "an error's name, or {error, cause}", "`fail: Busy`")
            return None
        texts = (told["error"], told.get("cause", Fail("").cause))
        if not all(isinstance(text, str) and text for text in texts):
            self._say(path, f"{value!r}", "text", "quote it")
            return None
        return Fail(*texts)

    def _delay(self, value: Data, path: Path) -> Action | None:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            return Delay(value)
        self._say(path, f"{value!r}", "seconds", "for example `delay: 30`")
        return None

    def _count(self, data: dict[str, Data], path: Path, key: str, least: int) -> int | None:
        value = data.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
        if value is not None and not whole:
            expected = f"a whole number from {least}"
            self._say((*path, key), f"{value!r}", expected, f"for example `{key}: {least}`")
        return value if whole else None

    def _when(self, data: dict[str, Data], path: Path) -> When:
        value = data.get("when", "before")
        if value in list(When):
            return When(value)
        self._say((*path, "when"), f"{value!r}", "before or after", "write `when: after`")
        return When.BEFORE
