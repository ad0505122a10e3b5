"""Databases of RDS that workflows export, as an environment on AWS names them."""

from __future__ import annotations

from pydantic import Field, model_validator

from runner.model.fields import Resolved
from runner.model.header import Strict
from runner.model.refusal import RefusedValueError


class RdsSource(Strict):
    """A database of RDS or Aurora, and where its exports go; one of the first four says what."""

    instance: Resolved | None = Field(
        None, description="A DB instance: its newest automatic snapshot is exported."
    )
    cluster: Resolved | None = Field(
        None, description="An Aurora cluster, by name or ARN, which is exported as it is now."
    )
    cluster_snapshot: Resolved | None = Field(
        None, description="An Aurora cluster: its newest automatic snapshot is exported."
    )
    snapshot: Resolved | None = Field(
        None, pattern=r"^(arn:|\$\{)", description="ARN of a snapshot of an instance or cluster."
    )
    to: Resolved = Field(
        pattern=r"^(s3://|\$\{)", description="Bucket and prefix that exports go to."
    )
    role: Resolved = Field(
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/|\$\{)",
        description="ARN of the role by which RDS writes there; trusts export.rds.amazonaws.com.",
    )
    key: Resolved = Field(
        pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/|\$\{)",
        description="ARN of the KMS key that encrypts the exports.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> RdsSource:
        given = (self.instance, self.cluster, self.cluster_snapshot, self.snapshot)
        if sum(one is not None for one in given) != 1:
            raise RefusedValueError(
                "exactly one of `instance`, `cluster`, `cluster_snapshot` and `snapshot`",
                "keep the one that says what is exported",
            )
        return self
