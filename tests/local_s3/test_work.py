"""Unfinished files of processes that were killed: the next one removes them, and no others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runner.local.s3 import FolderS3
from runner.local.s3_keys import TEMP
from runner.local.s3_work import WorkFolder, sweep

if TYPE_CHECKING:
    from pathlib import Path


def unfinished(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "b" / TEMP).glob("work-*/*.csv"))


def test_what_a_dead_process_left_goes_with_the_next_ones_first_write(tmp_path: Path) -> None:
    dead, living = FolderS3(tmp_path), FolderS3(tmp_path)
    (dead.temporary_folder("b") / "dead.csv").write_text("1")
    (living.temporary_folder("b") / "living.csv").write_text("2")
    living.put_object(Bucket="b", Key="k", Body=b"")
    assert unfinished(tmp_path) == ["dead.csv", "living.csv"]  # both live
    del dead  # its lock goes, as when a process ends
    FolderS3(tmp_path).put_object(Bucket="b", Key="k", Body=b"")
    assert unfinished(tmp_path) == ["living.csv"]
    assert [each["Key"] for each in living.list_objects_v2(Bucket="b")["Contents"]] == ["k"]


def test_a_folder_without_a_lock_is_being_made_unless_it_is_old(tmp_path: Path) -> None:
    for name, age in (("work-new", 60), ("work-old", 7200)):
        folder = tmp_path / name
        folder.mkdir()
        made = folder.stat().st_mtime - age
        os.utime(folder, (made, made))
    sweep(str(tmp_path))
    sweep(str(tmp_path / "nowhere"))
    assert [path.name for path in tmp_path.iterdir()] == ["work-new"]


def test_a_folder_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    s3 = FolderS3(tmp_path)
    s3.put_object(Bucket="b", Key="k", Body=b"")
    s3.delete_object(Bucket="b", Key="k")
    assert s3.buckets.remove("b")
    s3.put_object(Bucket="b", Key="k", Body=b"again")
    other = WorkFolder(str(tmp_path / "b" / TEMP))
    other.make()  # which sweeps: what we made again is locked again
    assert s3.temporary_folder("b").is_dir()
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == b"again"
