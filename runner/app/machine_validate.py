"""`machine validate`: what AWS would refuse in files of Amazon States Language."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import Fault, Place, RunnerError, UsageError
from runner.machine.diagnose import Diagnosis, as_diagnosis, refusals_of
from runner.machine.positions import read_positions
from runner.machine.refusals import (
    BAD_JSON,
    STATE_TWICE,
    Refusal,
    as_fault,
    escape,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.model import places

STANDARD_INPUT = "-"
_SHOWN_INPUT = "<stdin>"
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Validated:
    """One file and what is wrong with it."""

    file: str
    faults: tuple[Fault, ...]
    diagnosis: Diagnosis
    """The same as ValidateStateMachineDefinition answers it."""

    def text(self) -> str:
        """Write the faults the way errors are written, at most 20 and a count."""
        return RunnerError(self.faults).describe()


def validate_files(
    patterns: Sequence[str], *, express: bool, standard_input: str = ""
) -> tuple[Validated, ...]:
    """Validate each file that a name or pattern means; `-` means the given standard input."""
    found: dict[str, str] = {}
    for pattern in patterns:
        if pattern == STANDARD_INPUT:
            found[_SHOWN_INPUT] = standard_input
        else:
            found.update(_texts(pattern))
    return tuple(validate_text(text, file=file, express=express) for file, text in found.items())


def _texts(pattern: str) -> Iterator[tuple[str, str]]:
    names = [pattern] if Path(pattern).exists() else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  (absolute patterns too)
    if not names:
        raise UsageError([_unreadable(pattern, "no such file")])
    for name in names:
        try:
            yield name, Path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError([_unreadable(name, str(error))]) from error


def _unreadable(name: str, found: str) -> Fault:
    expected = "a file in UTF-8 with a definition"
    advice = "name files that are there, or - for standard input"
    return Fault(Place(name), "file-not-found", found, expected, advice)


def validate_text(text: str, *, file: str, express: bool) -> Validated:
    """Validate one definition: JSON, or YAML if the file's name says so."""
    if file.endswith(_YAML):
        return _validate_yaml(text, file=file, express=express)
    refusals = refusals_of(text, express=express)
    read = read_positions(text, file=file)
    if read.broken is not None and refusals and refusals[0].code == BAD_JSON:
        fault = Fault(
            Place(file, *read.broken.position),
            code="definition-json",
            found=read.broken.told,
            expected="a definition in JSON",
            advice="mend the text at that place",
        )
        return Validated(file, (fault,), as_diagnosis(refusals))
    refusals = (*refusals, *map(_twice, read.twice))
    return _validated(file, refusals, read.places)


def _twice(path: places.Path) -> Refusal:
    """Refuse a key that an object has twice, of which json.loads keeps only the last."""
    parts = (f"[{part}]" if isinstance(part, int) else f"/{escape(part)}" for part in path)
    pointer = "".join(parts)
    name = path[-1]
    if path[-2:-1] == ("States",):
        return refuse(STATE_TWICE, pointer, f"Duplicate State name: {name}", "a unique name")
    return refuse(BAD_JSON, pointer, f"Duplicate field '{name}'", "each field once")


def _validate_yaml(text: str, *, file: str, express: bool) -> Validated:
    from runner.project.yamltext import read_yaml  # noqa: PLC0415  (JSON is the rule)

    read = read_yaml(text, file=file)
    if read.faults:
        message = "; ".join(fault.found for fault in read.faults)
        refusal = Refusal(BAD_JSON, message, "", "YAML", None)
        return Validated(file, read.faults, as_diagnosis([refusal]))
    return _validated(file, refusals_of(read.data, express=express), read.places)


def _validated(file: str, refusals: Iterable[Refusal], where: places.Places) -> Validated:
    found = tuple(refusals)
    faults = {as_fault(refusal, where) for refusal in found}
    return Validated(file, tuple(sorted(faults)), as_diagnosis(found))
