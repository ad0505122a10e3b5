"""`runner export`: files for pipelines of your own."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.options import find_root, project_option
from runner.errors import Fault, Place, UsageError

_WITHOUT_IDS = (
    "note: tokens of repositories made, renamed or moved since July 2026 name their ids;\n"
    "`gh api repos/OWNER/NAME --jq '.owner.id, .id'` tells them, for --github owner@id/name@id"
)
_environment = click.option(
    "--env", "environment", required=True, help="Environment of config.yaml, with engine: aws."
)
_values = click.option(
    "--value",
    "values",
    multiple=True,
    metavar="REFERENCE=VALUE",
    help="What a reference of the environment stands for, e.g. ssm:/flights/lake=s3://lake/ or "
    "env:NAME=value (repeatable). Nothing asks AWS.",
)
_branch = click.option(
    "--branch", default="main", show_default=True, help="Branch that GitLab deploys from."
)
_host = click.option(
    "--host", default="gitlab.com", show_default=True, help="GitLab's host, if it is your own."
)


@click.group(name="export", short_help="Write what a deploy needs, for a pipeline of your own.")
def command() -> None:
    """Write a deploy's files, an example of a pipeline, or the roles that it takes.

    None of them asks AWS.

    Example: runner export github --env prod > .github/workflows/data.yaml
    """


@command.command(
    name="cloudformation", short_help="Write the template, its artifacts and a README."
)
@_environment
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help="Folder to write into; export-<environment> if absent.",
)
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@_values
@project_option
def cloudformation(
    environment: str,
    target: Path | None,
    values: tuple[str, ...],
    folder: Path | None,
    *,
    force: bool,
) -> None:
    """Write what `runner deploy` would upload and apply; README.md in it has the two commands.

    Example: runner export cloudformation --env prod --to build/prod
    """
    from runner.app.export import export_cloudformation  # noqa: PLC0415 - heavy

    into = target or Path(f"export-{environment}")
    written = export_cloudformation(
        find_root(folder),
        environment,
        into,
        values=_read(values),
        force=force,
        tell=lambda text: click.echo(text, err=True),
    )
    for path in written:
        click.echo(str(into / path))
    click.echo(f"next: {into / 'README.md'}", err=True)


@command.command(name="github", short_help="Print a workflow for GitHub Actions.")
@_environment
@_values
@project_option
def github(environment: str, values: tuple[str, ...], folder: Path | None) -> None:
    """Print a workflow that checks, plans pull requests, and deploys the branch main.

    Its jobs take the roles of `runner export oidc-role`; it holds nothing secret.

    Example: runner export github --env prod > .github/workflows/data.yaml
    """
    from runner.app.pipelines import github_workflow  # noqa: PLC0415 - heavy

    text = github_workflow(find_root(folder), environment, values=_read(values))
    click.echo(text, nl=False)


@command.command(name="gitlab", short_help="Print a pipeline for GitLab CI.")
@_environment
@_branch
@_host
@_values
@project_option
def gitlab(
    environment: str, branch: str, host: str, values: tuple[str, ...], folder: Path | None
) -> None:
    """Print a pipeline that checks, plans merge requests, and deploys a branch.

    Its jobs take the roles of `runner export oidc-role`; it holds nothing secret.

    Example: runner export gitlab --env prod > .gitlab-ci.yml
    """
    from runner.app.pipelines import gitlab_pipeline  # noqa: PLC0415 - heavy

    text = gitlab_pipeline(
        find_root(folder), environment, values=_read(values), branch=branch, host=host
    )
    click.echo(text, nl=False)


@command.command(name="oidc-role", short_help="Print the template of a pipeline's roles.")
@_environment
@click.option(
    "--github",
    metavar="OWNER@ID/REPOSITORY@ID",
    help="Trust this repository of GitHub; without the ids if it is older than July 2026.",
)
@click.option("--gitlab", metavar="GROUP/PROJECT", help="Trust this project of GitLab.")
@_branch
@_host
@_values
@project_option
def oidc_role(  # noqa: PLR0917 - click hands over every option
    environment: str,
    github: str | None,
    gitlab: str | None,
    branch: str,
    host: str,
    values: tuple[str, ...],
    folder: Path | None,
) -> None:
    """Print a CloudFormation template of the roles with which a pipeline plans and deploys.

    One role deploys: GitHub's jobs of the environment that is named like --env, or GitLab's of a
    branch.  The other one plans pull requests and changes nothing.  Both may do what that takes and
    no more; set permissions_boundary in config.yaml to bound the roles that a deploy makes.

    Example: runner export oidc-role --env prod --github shop@123/data@456 > roles.json
    """
    from runner.app.pipelines import has_ids, oidc_template, trust_of  # noqa: PLC0415 - heavy

    trust = trust_of(
        github=github, gitlab=gitlab, environment=environment, branch=branch, host=host
    )
    if github is not None and not has_ids(github):
        click.echo(_WITHOUT_IDS, err=True)
    text = oidc_template(find_root(folder), environment, values=_read(values), trust=trust)
    click.echo(text, nl=False)


def _read(words: tuple[str, ...]) -> dict[str, str]:
    """Read REFERENCE=VALUE words; a value may hold further equals signs."""
    faults = [
        Fault(
            Place("--value"),
            "bad-option",
            repr(word),
            "REFERENCE=VALUE, such as ssm:/flights/lake=s3://lake/",
            "write the reference as config.yaml has it, without ${}",
        )
        for word in words
        if "=" not in word
    ]
    if faults:
        raise UsageError(faults)
    return dict(word.split("=", 1) for word in words)
