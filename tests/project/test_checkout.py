"""What Git says of the folder that a project is in."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from runner.project.checkout import Descent, descends, look
from tests.support.aws_projects import commit, git

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git here")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "--quiet")
    return root


def test_a_clean_checkout(clone: Path) -> None:
    first = commit(clone, "a.sql", "1")
    found = look(clone)
    assert found is not None
    assert (found.commit, found.dirty, found.behind, found.upstream) == (first, (), 0, "")


def test_no_checkout(tmp_path: Path, clone: Path) -> None:
    assert look(tmp_path) is None
    assert look(clone) is None  # without a commit


def test_no_git_on_this_machine(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = commit(clone, "a.sql", "1")
    monkeypatch.setenv("PATH", str(clone))
    assert look(clone) is None
    assert descends(clone, first) is Descent.UNKNOWN


def test_changed_renamed_and_new_files_are_dirty_and_ours_are_not(clone: Path) -> None:
    (clone / "old name.sql").write_text("select a long enough text to be recognized as moved")
    commit(clone, "a.sql", "1")
    (clone / "a.sql").write_text("2")
    (clone / "new.sql").write_text("3")
    (clone / ".runner").mkdir()
    (clone / ".runner" / "cache.json").write_text("{}")
    git(clone, "mv", "old name.sql", "new name.sql")
    found = look(clone)
    assert found is not None
    assert sorted(found.dirty) == ["a.sql", "new name.sql", "new.sql"]


def test_only_the_projects_own_folder_counts(clone: Path) -> None:
    project = clone / "project"
    project.mkdir()
    commit(clone, "project/a.sql", "1")
    (clone / "elsewhere.txt").write_text("changed")
    found = look(project)
    assert found is not None
    assert found.dirty == ()


def test_behind_the_branch_that_it_follows(clone: Path, tmp_path: Path) -> None:
    commit(clone, "a.sql", "1")
    ours = tmp_path / "ours"
    git(tmp_path, "clone", "--quiet", str(clone), str(ours))
    commit(clone, "b.sql", "2")
    commit(clone, "c.sql", "3")
    found = look(ours)
    assert found is not None
    assert (found.behind, found.upstream) == (0, "origin/main")  # nobody has fetched
    git(ours, "fetch", "--quiet")
    found = look(ours)
    assert found is not None
    assert found.behind == 2


def test_descent(clone: Path) -> None:
    first = commit(clone, "a.sql", "1")
    second = commit(clone, "b.sql", "2")
    assert descends(clone, second) is Descent.YES
    assert descends(clone, first) is Descent.YES
    git(clone, "checkout", "--quiet", first)
    assert descends(clone, second) is Descent.NO
    other = commit(clone, "c.sql", "3")
    git(clone, "checkout", "--quiet", second)
    assert descends(clone, other) is Descent.NO


@pytest.mark.parametrize("name", ["f" * 40, "", "--help", "HEAD", "main"])
def test_what_is_no_commit_of_this_clone_is_unknown(clone: Path, name: str) -> None:
    commit(clone, "a.sql", "1")
    assert descends(clone, name) is Descent.UNKNOWN
