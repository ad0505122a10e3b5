"""Zip files of functions: the same files give the same bytes."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from runner.errors import Place
from runner.project.packing import (
    MOST_UNZIPPED,
    PackedFile,
    digest_of,
    import_faults,
    merged,
    own_files,
    size_faults,
    zip_of,
)

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "handler.py": "import helper\n",
    "helper/__init__.py": "",
    "helper/tests/data.txt": "kept: only the folder's own tests are left out",
    "ü.txt": "ü",
}
LEFT_OUT = (
    "function.yaml",
    "requirements.txt",
    "tests/test_handler.py",
    "__pycache__/handler.cpython-311.pyc",
    "helper/__pycache__/x.pyc",
    "old.pyc",
    ".git/HEAD",
    ".env",
    "helper/.DS_Store",
)


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def test_what_is_no_code_is_left_out(tmp_path: Path) -> None:
    folder = write(tmp_path, {**FILES, **dict.fromkeys(LEFT_OUT, "x")})
    assert [file.path for file in own_files(folder)] == sorted(FILES)


def test_time_mode_and_order_never_reach_the_bytes(tmp_path: Path) -> None:
    first = write(tmp_path / "a", FILES)
    second = write(tmp_path / "b", dict(reversed(FILES.items())))
    before = os.umask(0o077)
    try:
        third = write(tmp_path / "c", FILES)
    finally:
        os.umask(before)
    for path in second.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    bodies = {zip_of(own_files(folder)) for folder in (first, second, third)}
    assert len(bodies) == 1
    with zipfile.ZipFile(io.BytesIO(bodies.pop())) as archive:
        entries = archive.infolist()
        assert archive.read("ü.txt").decode() == "ü"
    assert [entry.filename for entry in entries] == sorted(FILES)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.filemode(entry.external_attr >> 16) for entry in entries} == {"-rwxr-xr-x"}
    assert {entry.create_system for entry in entries} == {3}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((("a", "b"),), (("a", "c"),)),
        ((("a", "b"),), (("ab", ""),)),
        ((("a", ""), ("b", "")), (("a", "b"),)),
    ],
)
def test_the_digest_tells_contents_apart(
    one: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...]
) -> None:
    first, second = (
        digest_of([PackedFile(path, text.encode()) for path, text in pairs])
        for pairs in (one, other)
    )
    assert first != second


def test_links_are_followed_and_never_in_circles(tmp_path: Path) -> None:
    write(tmp_path / "shared", {"dates.py": "x = 1\n"})
    folder = write(tmp_path / "f", {"handler.py": ""})
    (folder / "common").symlink_to(tmp_path / "shared")
    (folder / "again").symlink_to(folder)
    assert [file.path for file in own_files(folder)] == ["common/dates.py", "handler.py"]


def test_a_functions_own_file_counts_before_a_dependencys() -> None:
    own = [PackedFile("b.py", b"own")]
    vendored = [PackedFile("a.py", b"theirs"), PackedFile("b.py", b"theirs")]
    assert merged(own, vendored) == (PackedFile("a.py", b"theirs"), PackedFile("b.py", b"own"))


def test_a_package_too_large_for_lambda_names_the_largest_parts() -> None:
    half = b"\0" * (MOST_UNZIPPED // 2)
    files = [
        PackedFile("handler.py", b""),
        PackedFile("numpy/core.so", half),
        PackedFile("pandas/a.so", half[: len(half) // 2]),
        PackedFile("pandas/b.so", half[: len(half) // 2]),
    ]
    assert size_faults(files, place=Place("x")) == ()
    (fault,) = size_faults([*files, PackedFile("one.txt", b"1")], place=Place("x"))
    assert fault.code == "package-too-large"
    assert fault.found == (
        "250 MiB of files; the largest are numpy 125 MiB, pandas 125 MiB, one.txt 0 MiB, "
        "handler.py 0 MiB"
    )


def test_a_function_may_not_import_what_is_not_there_on_aws() -> None:
    source = b"import os\nif True:\n    from runner.model import names\nimport runner as r, json\n"
    faults = import_faults([PackedFile("sub/x.py", source)], folder="lambdas/f")
    assert [str(fault.place) for fault in faults] == [
        "lambdas/f/sub/x.py:3:5",
        "lambdas/f/sub/x.py:4:1",
    ]
    assert {fault.code for fault in faults} == {"function-imports-runner"}


@pytest.mark.parametrize(
    "source",
    [b"from .runner import x\n", b"import runners\n", b"def broken(:\n", b"x = 'runner'\n"],
)
def test_other_imports_are_the_functions_business(source: bytes) -> None:
    assert import_faults([PackedFile("handler.py", source)], folder="f") == ()


def test_a_module_of_ones_own_may_be_called_runner() -> None:
    files = [PackedFile("handler.py", b"import runner\n"), PackedFile("runner.py", b"")]
    assert import_faults(files, folder="f") == ()
