"""A newcomer: the installed package, an empty folder, no checkout in sight."""

from __future__ import annotations

import os
import shutil
import site
import sqlite3
import subprocess
import sys
import sysconfig
import venv
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import PATIENCE_S, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    Typed = Callable[..., subprocess.CompletedProcess[str]]

PARTS = ("runner", "pyproject.toml", "README.md", "LICENSE")
DAYS = ("--start", "2024-01-01", "--end", "2024-01-03")


def python(*words: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, and our dependencies without our editable install."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, source / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, source / part)
    offline = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check")
    python("pip", "wheel", *offline, "--no-build-isolation", "-w", "wheels", ".", cwd=source)
    shutil.rmtree(source / "runner")
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    interpreter = environment / "bin" / "python"
    (wheel,) = (source / "wheels").glob("*.whl")
    python("pip", "--python", str(interpreter), "install", *offline, str(wheel), cwd=folder)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    # What a .pth file adds is searched last, and .pth files in there are not followed.
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return environment


@pytest.fixture
def type_at(installed: Path, tmp_path: Path) -> Typed:
    """Type commands of the installed `runner` in a folder."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    environ["PATH"] = f"{installed / 'bin'}{os.pathsep}{environ['PATH']}"
    environ["HOME"] = str(tmp_path)

    def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return typed


def test_a_newcomers_first_ten_minutes(type_at: Typed, tmp_path: Path) -> None:
    where = type_at(tmp_path, "python", "-c", "import runner; print(runner.__file__)").stdout
    assert "environment/lib" in where  # the installed one, not the checkout

    made = type_at(tmp_path, "runner", "init", "my_platform")
    assert made.returncode == 0, made.stderr
    assert "my_platform/config.yaml" in made.stdout
    assert f"runner run daily {' '.join(DAYS)}" in made.stderr
    folder = tmp_path / "my_platform"

    checked = type_at(folder, "runner", "check")
    assert checked.stdout == "4 tables and 1 workflow: no faults in local\n", checked.stderr

    ran = type_at(folder, "runner", "run", "daily", *DAYS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "staging.orders                           table  published    12" in ran.stdout
    with closing(sqlite3.connect(folder / ".runner" / "mart.sqlite")) as mart:
        assert mart.execute("SELECT count(*), sum(orders) FROM daily_orders").fetchone() == (9, 12)

    seen = type_at(folder, "runner", "preview", "marts.daily_orders", "--date", "2024-01-02")
    assert seen.stdout.startswith("product varchar  orders bigint"), seen.stderr
    assert "3 rows" in seen.stdout

    new = type_at(folder, "runner", "new", "sql", "marts.my_table")
    assert new.stdout == "sql/marts/my_table.sql\n"
    again = type_at(folder, "runner", "run", "daily", *DAYS)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "marts.my_table                           table  published     3" in again.stdout
    shown = type_at(folder, "runner", "show", "marts.my_table")
    assert "published: 3 partitions, 3 rows" in shown.stdout


def test_the_package_holds_what_users_projects_need(installed: Path) -> None:
    (package,) = installed.glob("lib/python*/site-packages/runner")
    for path in (
        "py.typed",
        "keeper/handler.py",
        "local/lambda_worker.py",
        "templates/init/config.yaml",
        "templates/init/gitignore",
        "templates/init/data/orders/dt=2024-01-01/orders.json",
        "templates/init/lambdas/report/handler.py",
        "templates/init/tests/sql/marts.daily_orders.yaml",
        "templates/new/windowed.sql",
        "templates/images/common/entry.sh",
        "templates/images/native/dockerignore",
        "templates/images/embulk/input-s3/pom.xml",
    ):
        assert (package / path).is_file(), path
    assert not (package.parent / "tests").exists()


def test_an_image_is_written_and_starts_without_the_checkout(
    type_at: Typed, tmp_path: Path
) -> None:
    for kind in ("native", "embulk"):
        made = type_at(tmp_path, "runner", "image", kind)
        assert made.returncode == 0, made.stderr
        assert f"image-{kind}/Dockerfile\n" in made.stdout
    context = tmp_path / "image-embulk"
    for path in ("embulk/assemble.sh", "embulk/input-s3/pom.xml", "runner/app/load_task.py"):
        assert (context / path).is_file(), path
    work = tmp_path / "work"
    work.mkdir()
    places = (f"RUNNER_HOME={tmp_path}/opt", f"RUNNER_WORK={work}")
    (tmp_path / "opt" / "lib").mkdir(parents=True)
    (tmp_path / "opt" / "lib" / "runner").symlink_to(tmp_path / "image-native" / "runner")
    entry = str(tmp_path / "image-native" / "entry.sh")
    started = type_at(tmp_path, "env", *places, entry)
    assert started.returncode == 78, started.stderr
    assert "RUNNER_MART_PASSWORD is not set" in started.stdout
