"""Dependencies of functions: installed by the real pip from a folder of wheels."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

from runner.errors import Fault, ProjectError
from runner.project.packing import digest_of, vendored_files
from runner.project.pip_faults import explain_pip
from runner.project.requirements import read_requirements
from runner.project.vendoring import Platform, platform_tags, vendor
from tests.support.wheels import make_wheel, only_index

LAMBDA = Platform("3.12", "x86_64")


class Kitchen:
    """A function with requirements, an index, a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project" / "lambdas" / "f"
        self.folder.mkdir(parents=True)
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        self.cache = folder / "cache"
        self.told: list[str] = []

    def write(self, text: str, name: str = "requirements.txt") -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def vendor(self, platform: Platform | None = LAMBDA, cache: Path | None = None) -> Path | None:
        return vendor(
            self.folder,
            platform,
            cache or self.cache,
            shown="lambdas/f",
            environ=only_index(self.wheels),
            tell=self.told.append,
        )

    def installed(self, platform: Platform | None = LAMBDA) -> list[str]:
        place = self.vendor(platform)
        assert place is not None
        return [file.path for file in vendored_files(place)]

    def fault(self, platform: Platform | None = LAMBDA) -> Fault:
        with pytest.raises(ProjectError) as caught:
            self.vendor(platform)
        (fault,) = caught.value.faults
        return fault


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


def test_dependencies_are_installed_without_what_differs_between_machines(kitchen: Kitchen) -> None:
    make_wheel(kitchen.wheels, "greeting", "1.0", "words>=2")
    make_wheel(kitchen.wheels, "words", "2.1")
    kitchen.write("greeting == 1.0  # says hello\n")
    assert kitchen.installed() == [
        "greeting-1.0.dist-info/METADATA",
        "greeting-1.0.dist-info/WHEEL",
        "greeting-1.0.dist-info/entry_points.txt",
        "greeting/__init__.py",
        "words-2.1.dist-info/METADATA",
        "words-2.1.dist-info/WHEEL",
        "words-2.1.dist-info/entry_points.txt",
        "words/__init__.py",
    ]
    assert kitchen.told == [
        "installing lambdas/f/requirements.txt for Python 3.12 on Linux x86_64; this is done once"
    ]


def test_two_installations_hold_the_same_bytes(kitchen: Kitchen, tmp_path: Path) -> None:
    make_wheel(kitchen.wheels, "greeting", "1.0")
    kitchen.write("greeting\n")
    places = [kitchen.vendor(cache=tmp_path / name) for name in ("first", "second")]
    assert len({digest_of(vendored_files(place)) for place in places if place is not None}) == 1
    assert None not in places


def test_what_is_cached_needs_no_index(kitchen: Kitchen) -> None:
    wheel = make_wheel(kitchen.wheels, "greeting", "1.0")
    kitchen.write("greeting\n")
    first = kitchen.vendor()
    wheel.unlink()
    kitchen.write("# the same, said otherwise\n\n  greeting\n")
    assert kitchen.vendor() == first
    assert len(kitchen.told) == 1
    assert kitchen.fault(Platform("3.13", "x86_64")).code == "no-wheel"


def test_without_requirements_nothing_is_installed(kitchen: Kitchen) -> None:
    assert kitchen.vendor() is None
    kitchen.write("# nothing yet\n")
    assert kitchen.vendor() is None


RUNS = {
    ("3.12", "x86_64"): (
        "cp312-cp312-manylinux_2_34_x86_64",
        "cp38-abi3-manylinux2014_x86_64",
        "cp312-cp312-manylinux1_x86_64",
        "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
    ),
    ("3.11", "arm64"): (
        "cp311-cp311-manylinux2014_aarch64",
        "cp311-cp311-manylinux_2_26_aarch64",
        "py3-none-manylinux_2_17_aarch64",
    ),
}
RUNS_ELSEWHERE = {
    ("3.12", "x86_64"): (
        "cp311-cp311-manylinux2014_x86_64",
        "cp312-cp312-manylinux_2_35_x86_64",
        "cp312-cp312-manylinux2014_aarch64",
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp312-cp312-macosx_11_0_arm64",
    ),
    ("3.11", "arm64"): (
        "cp311-cp311-manylinux_2_28_aarch64",
        "cp311-cp311-manylinux2014_x86_64",
    ),
}


@pytest.mark.parametrize("where", RUNS)
def test_wheels_are_chosen_for_the_runtime(kitchen: Kitchen, where: tuple[str, str]) -> None:
    """A newer version is taken if it runs there, else the older one."""
    newest = {}
    for index, tag in enumerate((*RUNS[where], *RUNS_ELSEWHERE[where])):
        make_wheel(kitchen.wheels, f"part{index}", "1.0")
        make_wheel(kitchen.wheels, f"part{index}", "2.0", tag=tag)
        newest[f"part{index}"] = "2.0" if tag in RUNS[where] else "1.0"
    kitchen.write("\n".join(newest))
    paths = kitchen.installed(Platform(*where))
    infos = {path.partition(".dist-info")[0] for path in paths if ".dist-info" in path}
    assert dict(info.split("-") for info in infos) == newest


def test_without_a_wheel_that_runs_there(kitchen: Kitchen) -> None:
    make_wheel(kitchen.wheels, "fast", "1.0", tag="cp312-cp312-manylinux_2_28_x86_64")
    kitchen.write("# compiled\nfast\n")
    fault = kitchen.fault(Platform("3.12", "arm64"))
    assert (fault.code, str(fault.place)) == ("no-wheel", "lambdas/f/requirements.txt:2")
    assert fault.found == "no wheel of fast for Python 3.12 on Linux arm64"


def test_the_newest_platform_wins(kitchen: Kitchen) -> None:
    for tag in ("manylinux2014_x86_64", "manylinux_2_28_x86_64"):
        files = {"fast/built.py": f"TAG = '{tag}'\n"}
        make_wheel(kitchen.wheels, "fast", "1.0", tag=f"cp312-cp312-{tag}", files=files)
    kitchen.write("fast\n")
    place = kitchen.vendor()
    assert place is not None
    assert (place / "fast/built.py").read_text() == "TAG = 'manylinux_2_28_x86_64'\n"


def test_markers_are_those_of_the_runtime_not_of_this_python(kitchen: Kitchen) -> None:
    """What only the runtime needs is installed, what only this Python needs is not."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    there = Platform("3.14", "arm64")
    assert here != there.python
    make_wheel(
        kitchen.wheels,
        "greeting",
        "1.0",
        f'only_here; python_version == "{here}"',
        'only_there; python_version == "3.14" and platform_machine == "aarch64"',
    )
    make_wheel(kitchen.wheels, "only_there", "1.0")
    kitchen.write('greeting\nabsent; sys_platform == "win32"\n')
    assert {path.partition("/")[0] for path in kitchen.installed(there)} >= {
        "greeting",
        "only_there",
    }
    make_wheel(kitchen.wheels, "only_here", "1.0")
    assert not (kitchen.vendor(there) or Path() / "x").joinpath("only_here").exists()


def test_this_machine_gets_what_it_can_run(kitchen: Kitchen) -> None:
    make_wheel(kitchen.wheels, "greeting", "1.0")
    kitchen.write("greeting\n")
    assert "greeting/__init__.py" in kitchen.installed(None)
    assert "on this machine; this is done once" in kitchen.told[0]


def test_files_that_requirements_name_count(kitchen: Kitchen) -> None:
    make_wheel(kitchen.wheels, "greeting", "1.0")
    make_wheel(kitchen.wheels, "greeting", "2.0")
    kitchen.write("-r more/base.txt\n-c pins.txt\n")
    kitchen.write("greeting\n", "more/base.txt")
    kitchen.write("greeting==1.0\n", "pins.txt")
    assert "greeting-1.0.dist-info/METADATA" in kitchen.installed()
    kitchen.write("greeting==2.0\n", "pins.txt")
    assert "greeting-2.0.dist-info/METADATA" in kitchen.installed()


def test_a_wheel_beside_the_function_counts_by_its_content(kitchen: Kitchen) -> None:
    make_wheel(kitchen.folder / "wheels", "greeting", "1.0")
    kitchen.write("./wheels/greeting-1.0-py3-none-any.whl\n")
    assert "greeting/__init__.py" in kitchen.installed()
    make_wheel(kitchen.folder / "wheels", "greeting", "1.0", files={"greeting/new.py": ""})
    assert "greeting/new.py" in kitchen.installed()


def test_pinned_hashes_are_respected(kitchen: Kitchen) -> None:
    wheel = make_wheel(kitchen.wheels, "greeting", "1.0")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    kitchen.write(f"greeting==1.0 \\\n    --hash=sha256:{digest}\n")
    assert "greeting/__init__.py" in kitchen.installed()
    kitchen.write(f"# pinned\ngreeting==1.0 --hash=sha256:{digest[::-1]}\n")
    fault = kitchen.fault()
    assert (fault.code, str(fault.place)) == ("requirements-hash", "lambdas/f/requirements.txt:2")
    make_wheel(kitchen.wheels, "words", "1.0")
    kitchen.write(f"greeting==1.0 --hash=sha256:{digest}\nwords==1.0\n")
    assert kitchen.fault().found == "some requirements with a hash and some without"


def test_requirements_that_exclude_each_other(kitchen: Kitchen) -> None:
    make_wheel(kitchen.wheels, "greeting", "1.0", "words<2")
    make_wheel(kitchen.wheels, "words", "2.0")
    make_wheel(kitchen.wheels, "words", "1.0")
    kitchen.write("words==2.0\ngreeting\n")
    fault = kitchen.fault()
    assert fault.code == "requirements-conflict"
    assert fault.place.file == "lambdas/f/requirements.txt"
    assert fault.place.line in {1, 2}
    assert fault.found.startswith("requirements that exclude each other: ")
    causes = fault.found.partition(": ")[2].split("; ")
    assert sorted(causes) == ["The user requested words==2.0", "greeting 1.0 depends on words<2"]


@pytest.mark.parametrize(
    ("text", "code", "place", "found"),
    [
        ("words==9\n", "no-wheel", ":1", "there are 1.0, 2.0"),
        ("words\nnobody-has_this\n", "no-wheel", ":2", "no wheel of nobody-has_this"),
        ("words\n==1.0\n", "bad-requirement", ":2", "==1.0"),
        ("words\n-e ./own\n", "requirement-not-packable", ":2", "-e ./own"),
        ("./own\n", "requirement-not-packable", ":1", "./own"),
        ("words\n\n-r more.txt\n", "file-not-found", ":3", "more.txt"),
        ("words\n--nonsense\n", "bad-requirement", ":2", "--nonsense"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(
    kitchen: Kitchen, text: str, code: str, place: str, found: str
) -> None:
    make_wheel(kitchen.wheels, "words", "1.0")
    make_wheel(kitchen.wheels, "words", "2.0")
    (kitchen.folder / "own").mkdir()
    kitchen.write(text)
    fault = kitchen.fault()
    assert (fault.code, str(fault.place)) == (code, f"lambdas/f/requirements.txt{place}")
    assert found in fault.found


def test_an_index_that_does_not_answer(kitchen: Kitchen) -> None:
    kitchen.write("words\n")
    environ = {
        **only_index(kitchen.wheels),
        "PIP_NO_INDEX": "0",
        "PIP_INDEX_URL": "http://ana:hunter2@127.0.0.1:9/simple",
        "PIP_RETRIES": "1",
        "PIP_TIMEOUT": "1",
    }
    with pytest.raises(ProjectError) as caught:
        vendor(kitchen.folder, LAMBDA, kitchen.cache, shown="lambdas/f", environ=environ)
    (fault,) = caught.value.faults
    assert fault.code == "index-unreachable"
    assert "hunter2" not in str(fault)
    assert [path for path in kitchen.cache.iterdir()] == []  # noqa: C416


def test_a_python_without_pip_and_passwords_in_addresses(kitchen: Kitchen) -> None:
    kitchen.write("words\n")
    wanted = read_requirements(kitchen.folder, shown="lambdas/f")
    assert wanted is not None
    missing = "ModuleNotFoundError: No module named 'pip'\n"
    (fault,) = explain_pip(missing, wanted, "x")
    assert (fault.code, fault.advice) == ("no-pip", "python -m ensurepip")
    (other,) = explain_pip("ERROR: what is https://ana:hunter2@index/simple\n", wanted, "x")
    assert (other.code, other.found) == ("pip-failed", "what is https://index/simple")


@pytest.mark.parametrize("python", ["3.11", "3.12"])
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_platforms_are_named_newest_first_and_once(python: str, architecture: str) -> None:
    tags = platform_tags(Platform(python, architecture))
    assert len(set(tags)) == len(tags)
    minors = [int(found[1]) for tag in tags if (found := re.match(r"manylinux_2_(\d+)_", tag))]
    assert minors == sorted(minors, reverse=True)
    assert minors[0] == (26 if python == "3.11" else 34)
