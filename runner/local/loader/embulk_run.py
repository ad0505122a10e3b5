"""One run of an assembled Embulk: a configuration with secrets, a process, a log.

In: what writes the configuration, and the values of the secrets.  Out: nothing, or what went wrong
in plain words.  The configuration lies in a file that nobody else can read and goes when Embulk
ends; the log that is kept holds no password (SEMANTICS 32).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.loads.embulk import to_yaml
from runner.local.loader.trust_store import trust_store
from runner.model.ports import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.loads.embulk import MartAt
    from runner.model.ports import Json

START = "run-embulk.sh"
"""What starts Embulk, in its home."""
_PASSED_ON = re.compile(r"(PATH|HOME|LANG|TZ|TMPDIR|JAVA_\w+|AWS_\w+)\Z")
_CAUSE = re.compile(r"^(?:Caused by: |Error: )?(?P<name>[\w.$]*(?:Exception|Error)): (?P<text>.+)$")
_CLASSES = re.compile(r"\A(?:[a-z]\w*(?:\.[\w$]+)+: )+")
"""Names of Java classes before a message."""
_KINDS = (
    (re.compile(r"certificate|trust anchor|server identity", re.IGNORECASE), "Load.MartNotTrusted"),
    (re.compile(r"access denied", re.IGNORECASE), "Load.MartDenied"),
    (
        re.compile(r"communications link failure|unknownhost|connect", re.IGNORECASE),
        "Load.MartUnreachable",
    ),
    (re.compile(r"deadlock|lock wait timeout", re.IGNORECASE), "Load.MartBusy"),
    (re.compile(r"csv|invalid record|no files|amazons3", re.IGNORECASE), "Load.Unreadable"),
)
_MOST_CAUSE = 500
_HIDDEN = "***"
_REFUSED_CONFIGURATION = 2


@dataclass(frozen=True, slots=True)
class EmbulkRun:
    """One run of Embulk."""

    home: Path
    work: Path
    environ: Mapping[str, str]
    timeout_s: float | None

    @contextmanager
    def configuration(
        self, write: Callable[[MartAt], Mapping[str, Json]], *, mart: MartAt, ca: str | None
    ) -> Iterator[Path]:
        """Write the configuration where nobody else can read it; it goes when Embulk ends."""
        store = self.work / "ca.jks"
        path = self.work / "job.yml"
        try:
            if mart.tls and ca is not None:
                password = secrets.token_urlsafe(16)
                _write(store, trust_store(_read(ca), password))
                mart = replace(mart, trust_store=str(store), trust_store_password=password)
            _write(path, to_yaml(write(mart)).encode())
            yield path
        finally:
            path.unlink(missing_ok=True)
            store.unlink(missing_ok=True)

    def start(self, path: Path, *, secret: str) -> ServiceError | None:
        """Run Embulk to its end; gives what went wrong, in plain words."""
        kept = {name: text for name, text in self.environ.items() if _PASSED_ON.match(name)}
        try:
            done = subprocess.run(
                [str(self.home / START), str(path)],
                env=kept,
                cwd=self.work,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            text = f"Embulk was stopped after {self.timeout_s} s"
            return ServiceError("Load.TimedOut", text)
        log = _without(done.stderr.decode(errors="replace"), secret)
        _write(self.work / "embulk.log", log.encode())
        return None if done.returncode == 0 else _failure(done.returncode, log)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _read(ca: str) -> str:
    try:
        with open(ca, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a plain name
            return file.read()
    except OSError as exc:
        raise ServiceError("Load.MartFailed", f"the mart's `ca` cannot be read: {exc}") from exc


def _without(text: str, secret: str) -> str:
    """Take the password out, as it is and as JSON and URLs write it."""
    forms = {secret, json.dumps(secret)[1:-1], secret.replace("'", "''")} - {""}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return text


def _failure(code: int, log: str) -> ServiceError:
    """Find the plain cause in the log: the innermost exception."""
    causes = [match for line in log.splitlines() if (match := _CAUSE.match(line.strip()))]
    text = causes[-1]["text"] if causes else (log.strip().splitlines() or ["no word"])[-1]
    whole = " ".join(f"{cause['name']} {cause['text']}" for cause in causes)
    kind = next((error for pattern, error in _KINDS if pattern.search(whole)), "Load.Rejected")
    if code == _REFUSED_CONFIGURATION:
        kind = "Load.InvalidJob"
    if code < 0 or code > 128:  # noqa: PLR2004 - shells add 128 to a signal's number
        kind, text = "Load.EmbulkKilled", f"Embulk was killed (exit code {code}): {text}"
    return ServiceError(kind, f"Embulk: {_CLASSES.sub('', text)[:_MOST_CAUSE]}")
