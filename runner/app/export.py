"""`export`: what a deploy would upload and apply, as files for somebody else's pipeline.

In: an environment, and by hand what its references stand for.  Out: a folder with the template, the
artifacts, the manifest and a README of the commands.  Nothing asks AWS.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

from runner.app.bundle import open_bundle
from runner.app.cloud import references_of
from runner.errors import Fault, Place, ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from runner.app.bundle import Bundle
    from runner.model.ports import Json
    from runner.plan.stack.facts import StackFacts
    from runner.plan.stack.manifest import Manifest


class Desired(Protocol):
    """The desired state of an environment."""

    @property
    def facts(self) -> StackFacts:
        """Give what the template was computed from."""
        ...

    @property
    def template(self) -> Json:
        """Give the CloudFormation template."""
        ...

    @property
    def artifacts(self) -> Iterable[tuple[str, bytes]]:
        """Give what it names: URIs and bytes."""
        ...

    @property
    def manifest(self) -> Manifest:
        """Give what is deployed, for people."""
        ...


def offline_bundle(
    root: Path,
    environment: str,
    given: Mapping[str, str],
    *,
    environ: Mapping[str, str] | None = None,
) -> Bundle:
    """Load an environment on AWS without asking AWS: `given` are values of its references.

    What `given` lacks of the form `env:NAME` comes from this process's environment.  Raises
    UsageError for values that nothing asks for, ProjectError for references without a value.
    """
    surroundings = os.environ if environ is None else environ
    wanted = [f"{kind}:{name}" for kind, name in references_of(root, environment)]
    strange = [word for word in given if word not in wanted]
    if strange:
        raise UsageError([_not_wanted(word, wanted) for word in strange])
    values = dict(given)
    for word in wanted:
        kind, _, name = word.partition(":")
        if word not in values and kind == "env" and surroundings.get(name):
            values[word] = surroundings[name]
    missing = [word for word in wanted if word not in values]
    if missing:
        raise ProjectError([_missing(word) for word in missing])
    return open_bundle(root, environment, values=values)


def _not_wanted(word: str, wanted: list[str]) -> Fault:
    listed = f"one of {', '.join(wanted)}" if wanted else "none: the environment has no references"
    return Fault(Place("--value"), "bad-option", word, listed, "remove it, or correct the name")


def _missing(word: str) -> Fault:
    kind, _, name = word.partition(":")
    return Fault(
        Place("config.yaml"),
        "parameter-not-found" if kind == "ssm" else "variable-not-set",
        f"${{{word}}}, whose value is not given",
        "a value: an export asks nobody",
        f"add --value {word}=..." + (f", or export {name}=..." if kind == "env" else ""),
    )


def desire(*, say: Callable[[str], None] | None = None) -> Callable[[Path, Bundle], Desired]:
    """Give what computes the desired state of an environment; `say` hears of installations."""
    from runner.app.desired import desired  # type: ignore[import-not-found]  # noqa: PLC0415

    def wanted(root: Path, bundle: Bundle) -> Desired:
        found: Desired = desired(root, bundle, say=say)
        return found

    return wanted


def export_cloudformation(
    root: Path,
    environment: str,
    folder: Path,
    *,
    values: Mapping[str, str],
    desire: Callable[[Path, Bundle], Desired],
    force: bool = False,
) -> tuple[str, ...]:
    """Write what `desire` makes of the environment; gives the files' paths in the folder.

    A folder that holds anything is refused without `force`; with it, only what an older export
    left in artifacts/ goes.
    """
    if not force and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        advice = "name another folder with --to, or overwrite with --force"
        raise UsageError(
            [Fault(Place(str(folder)), "file-exists", "it is not empty", "a new folder", advice)]
        )
    desired = desire(root, offline_bundle(root, environment, values))
    written = exported_files(desired)
    for path, body in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)
    for old in (folder / "artifacts").rglob("*"):
        if old.is_file() and old.relative_to(folder).as_posix() not in written:
            old.unlink()
    return tuple(sorted(written))


def exported_files(desired: Desired) -> dict[str, bytes]:
    """Give the files of an export by their path; the same for the same desired state."""
    facts = desired.facts
    found = {
        "README.md": _readme(facts).encode(),
        "manifest.json": _json(asdict(desired.manifest)),
        "template.json": _json(desired.template),
    }
    for uri, body in desired.artifacts:
        if not uri.startswith(facts.artifacts):
            raise AssertionError(f"{uri} is not below {facts.artifacts}")
        found[f"artifacts/{uri.removeprefix(facts.artifacts)}"] = body
    return found


def _json(value: Json) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _readme(facts: StackFacts) -> str:
    text = (files("runner") / "templates" / "export" / "README.md").read_text("utf-8")
    bucket, _, prefix = facts.artifacts.removeprefix("s3://").partition("/")
    tags = " ".join(f"{shlex.quote(key)}={shlex.quote(value)}" for key, value in facts.tags)
    marks = {
        "STACK": facts.prefix,
        "ENVIRONMENT": facts.environment,
        "VERSION": facts.version,
        "ARTIFACTS": facts.artifacts,
        "BUCKET": bucket,
        "PREFIX": prefix,
        "REGION": facts.region,
        "ACCOUNT": facts.account,
        "TAGS": f" \\\n  --tags {tags}" if tags else "",
    }
    return filled(text, marks)


def filled(text: str, marks: Mapping[str, str]) -> str:
    """Put values in the place of their marks.

    >>> filled("for __ENVIRONMENT__", {"ENVIRONMENT": "prod"})
    'for prod'
    """
    for mark, value in marks.items():
        text = text.replace(f"__{mark}__", value)
    return text
