"""A function's dependencies, installed for the machine that will run it, once per content.

In: the requirements of a function and a platform.  Out: a folder below the cache that holds what
pip installed, the same on every machine.  pip runs as a process and uses whichever index its own
settings name; what is in the cache needs neither.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ProjectError
from runner.project.packing import REQUIREMENTS
from runner.project.pip_faults import explain_pip
from runner.project.requirements import read_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.project.requirements import Requirements

CACHE = Path(".runner") / "cache" / "packages"
_FORMAT = "1"
_KEPT = 40
"""Folders of the cache."""
_KEY_LENGTH = 64
_WORKER = Path(__file__).with_name("pip_worker.py")
_NOISE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""Files of *.dist-info that tell how and where it was installed."""
_UNWANTED = ("PIP_TARGET", "PIP_USER", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME")
_GLIBC = {"3.11": 26}
"""Minor version of glibc 2 in the runtime: Amazon Linux 2; later runtimes are Amazon Linux 2023."""
_NEWER_GLIBC = 34
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_OLDEST = {"x86_64": 5, "aarch64": 17}


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a function runs on AWS."""

    python: str
    """Such as 3.12."""
    architecture: str
    """x86_64 or arm64."""

    @property
    def machine(self) -> str:
        """Name the processor as Linux does."""
        return "aarch64" if self.architecture == "arm64" else "x86_64"

    def __str__(self) -> str:
        """Write it for people."""
        return f"Python {self.python} on Linux {self.architecture}"


def platform_tags(platform: Platform) -> tuple[str, ...]:
    """Give the wheels' platforms that run there, newest first.

    >>> platform_tags(Platform("3.11", "arm64"))[-2:]
    ('manylinux_2_17_aarch64', 'manylinux2014_aarch64')
    """
    machine = platform.machine
    found: list[str] = []
    newest = _GLIBC.get(platform.python, _NEWER_GLIBC)
    for minor in range(newest, _OLDEST[machine] - 1, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in _OLD_NAMES:
            found.append(f"{_OLD_NAMES[minor]}_{machine}")
    return tuple(found)


def vendor(
    folder: Path,
    platform: Platform | None,
    cache: Path,
    *,
    shown: str,
    environ: Mapping[str, str],
    tell: Callable[[str], None] | None = None,
) -> Path | None:
    """Install what a function's requirements.txt names; gives the folder, None if nothing is.

    Without a platform it is this machine, with the Python that runs now.  `tell` hears of an
    installation before it begins.  Raises ProjectError.
    """
    wanted = read_requirements(folder, shown=shown)
    if wanted is None or not wanted.wanted:
        return None
    target = cache / wanted.key(_FORMAT, *_words(platform))
    if not target.is_dir():
        if tell is not None:
            tell(f"installing {wanted.file} for {_named(platform)}; this is done once")
        _install(wanted, platform, target, environ)
        _forget(cache)
    with contextlib.suppress(OSError):  # a cache that cannot be written still can be read
        os.utime(target)
    return target


def _words(platform: Platform | None) -> tuple[str, ...]:
    if platform is not None:
        return "lambda", platform.python, platform.architecture
    return "here", sys.implementation.cache_tag or "", sysconfig.get_platform()


def _named(platform: Platform | None) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return str(platform) if platform is not None else f"Python {version} on this machine"


def _install(
    wanted: Requirements, platform: Platform | None, target: Path, environ: Mapping[str, str]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_WORKER), *_arguments(platform, temporary.resolve())],
            cwd=wanted.folder,
            env=_environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise ProjectError(explain_pip(done.stdout + done.stderr, wanted, _named(platform)))
        _clean(temporary)
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _arguments(platform: Platform | None, target: Path) -> list[str]:
    """Write the environment of markers and pip's arguments."""
    common = [
        *("install", "--no-input", "--progress-bar", "off", "--disable-pip-version-check"),
        *("--no-compile", "--no-warn-conflicts", "--target", str(target), "-r", REQUIREMENTS),
    ]
    if platform is None:
        return ["null", *common, "--prefer-binary"]
    wheels = ["--only-binary=:all:", "--implementation", "cp", "--python-version", platform.python]
    tags = [word for tag in platform_tags(platform) for word in ("--platform", tag)]
    return [json.dumps(_markers(platform)), *common, *wheels, *tags]


def _markers(platform: Platform) -> dict[str, str]:
    """Give what environment markers are compared with there."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{platform.python}.0",
        "os_name": "posix",
        "platform_machine": platform.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{platform.python}.0",
        "python_version": platform.python,
        "sys_platform": "linux",
    }


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _UNWANTED}
    return {**kept, "PIP_ROOT_USER_ACTION": "ignore"}


def _clean(folder: Path) -> None:
    """Remove what differs from one installation to the next: scripts, records, bytecode."""
    folder.mkdir(exist_ok=True)  # markers may have left nothing to install
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for cached in list(folder.rglob("__pycache__")):
        shutil.rmtree(cached, ignore_errors=True)
    for info in folder.glob("*.dist-info"):
        for name in _NOISE:
            (info / name).unlink(missing_ok=True)


def _forget(cache: Path) -> None:
    """Keep what was used last."""
    with contextlib.suppress(OSError):
        named = [path for path in cache.iterdir() if len(path.name) == _KEY_LENGTH]
        folders = sorted(named, key=lambda path: path.stat().st_mtime)
        for old in folders[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
