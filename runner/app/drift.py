"""`drift`: what was changed or deleted in an account beside the deploys.

In: an environment on AWS that is deployed.  Out: `Drift`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.app.stack_changes import require_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.app.cloud import Cloud
    from runner.model.stacks import Drift


def find_drift(cloud: Cloud, *, pause: Callable[[], None]) -> Drift:
    """Let CloudFormation compare every resource with what was deployed."""
    from runner.aws.stack_drift import detect_drift  # noqa: PLC0415 - boto3

    state = require_stack(cloud)
    return detect_drift(cloud.session.client("cloudformation"), state.name, pause=pause)
