"""Runs the builder stage of an image's Dockerfile without Docker, and starts what it made.

In: kinds of images.  Out: exit status 0 when every line succeeds, the files of the last stage are
there, and the entry script answers as it does in a task without variables.  `/build` and `/opt` are
folders of a scratch directory; lines that call apt-get are passed over.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from runner.app.image import KINDS, write_image

MISCONFIGURED = 78
PLACES = re.compile(r"(?<![\w.])/(build|opt)\b")


def lines_of(dockerfile: str) -> list[tuple[str, str]]:
    """Give the instructions of a Dockerfile, continuation lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    split = (line.split(None, 1) for line in joined.splitlines() if line.strip())
    return [(word, rest) for word, rest in split]


def try_image(kind: str, scratch: Path) -> bool:
    """Build one image's parts below a folder; tells whether they work."""
    context, root = scratch / "context", scratch / "root"
    write_image(kind, context)
    stages = 0
    for word, rest in lines_of((context / "Dockerfile").read_text("utf-8")):
        stages += word == "FROM"
        if stages == 1 and word == "COPY":
            copy(context, root, rest)
        elif stages == 1 and word == "RUN" and not rest.startswith("apt-get"):
            print(f"{kind}: {rest}", flush=True)
            command = PLACES.sub(lambda found: f"{root}/{found[1]}", rest)
            subprocess.run(["/bin/sh", "-c", command], check=True)
        elif stages > 1 and rest.startswith("--from=builder"):
            source = root / rest.split()[1].removeprefix("/")
            if not source.is_dir():
                print(f"{kind}: the builder stage did not make {source}", file=sys.stderr)
                return False
    return starts(kind, root)


def copy(context: Path, root: Path, words: str) -> None:
    """Do what COPY does: a folder's content, or a file into a folder or to a name."""
    source, target = (part.strip() for part in words.split())
    place = root / target.removeprefix("/")
    if (context / source).is_dir():
        shutil.copytree(context / source, place, dirs_exist_ok=True)
        return
    if target.endswith("/"):
        place /= source
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(context / source, place)


def starts(kind: str, root: Path) -> bool:
    """Start the entry script with nothing but its places, by Debian's own Python."""
    work = root / "work"
    work.mkdir()
    environ = {
        "PATH": "/usr/bin:/bin",
        "RUNNER_HOME": f"{root}/opt/runner",
        "RUNNER_WORK": str(work),
    }
    if kind == "embulk":
        environ["EMBULK_HOME"] = f"{root}/opt/embulk"
    entry = root / "opt" / "runner" / "entry.sh"
    done = subprocess.run([str(entry)], env=environ, capture_output=True, text=True, check=False)
    print(f"{kind}: exit status {done.returncode}: {done.stdout}{done.stderr}", end="")
    return done.returncode == MISCONFIGURED and "RUNNER_MART_PASSWORD is not set" in done.stdout


def main() -> int:
    """Try the kinds that are named, or all."""
    failed = []
    for kind in sys.argv[1:] or KINDS:
        with tempfile.TemporaryDirectory(prefix="try-image-") as scratch:
            if not try_image(kind, Path(scratch)):
                failed.append(kind)
    print(f"failed: {', '.join(failed)}" if failed else "every image's parts can be made and start")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
