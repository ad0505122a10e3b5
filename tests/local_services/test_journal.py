"""The journal: what was appended is read back, whatever happens to the process."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from runner.local.journal import SqliteJournal

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model.ports import Json


@dataclass(frozen=True)
class Said:
    body: Json

    def to_json(self) -> Json:
        return {"said": self.body}


def decode(value: Json) -> Said:
    return Said(value["said"])


def test_events_come_back_in_order_also_from_a_second_reader(tmp_path: Path) -> None:
    path = tmp_path / "r" / "journal.sqlite"
    journal = SqliteJournal(path, decode)
    bodies = [1, "zwei — 二", {"a": [None, True, 1.5]}, None, "line\nbreak"]
    for body in bodies:
        journal.append(Said(body))
    assert [event.body for event in journal.events()] == bodies
    reader = SqliteJournal(path, decode)
    assert [event.body for event in reader.events()] == bodies
    reader.close()
    journal.close()
    journal.close()


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j", decode)
    journal.append_all([Said(1), Said(2)])
    with pytest.raises(TypeError):
        journal.append_all([Said(3), Said(object())])
    assert [event.body for event in journal.events()] == [1, 2]
    journal.append(Said(4))
    assert [event.body for event in journal.events()] == [1, 2, 4]
    journal.close()


def test_threads_may_append_at_once(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j", decode)

    def work(name: int) -> None:
        for number in range(50):
            journal.append(Said([name, number]))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = [event.body for event in journal.events()]
    assert len(seen) == 200
    for name in range(4):
        assert [number for who, number in seen if who == name] == list(range(50))
    journal.close()


def test_an_append_survives_sigkill(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys\n"
        "from runner.local.journal import SqliteJournal\n"
        "class E:\n"
        "    def __init__(self, n): self.n = n\n"
        "    def to_json(self): return {'said': self.n}\n"
        "j = SqliteJournal(pathlib.Path(sys.argv[1]), E)\n"
        "for n in range(7): j.append(E(n))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.run([sys.executable, "-c", script, str(tmp_path / "j")], check=False)
    assert child.returncode == -signal.SIGKILL
    journal = SqliteJournal(tmp_path / "j", decode)
    assert [event.body for event in journal.events()] == list(range(7))
    journal.close()


def test_the_interpreters_events_survive_the_file(tmp_path: Path) -> None:
    import datetime as dt

    from runner.local.journal import open_journal
    from runner.machine.events import Event, EventKind

    event = Event(
        EventKind.TASK_SUCCEEDED,
        "Each#1[3]/Load#1",
        "Load",
        dt.datetime(2013, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
        {"result": {"rows": [1, None, "ü"]}},
    )
    journal = open_journal(tmp_path / "j")
    journal.append(event)
    assert list(journal.events()) == [event]
    journal.close()
