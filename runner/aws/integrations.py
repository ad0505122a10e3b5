"""Service integrations of Step Functions: which operation of which service answers a task.

In: a task's resource.  Out: its service, by botocore's name, and the operation whose response is
the task's result: for a `.sync` task that is the one which Step Functions polls.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SERVICE_ARN = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:(aws-sdk:)?([^:]+):([A-Za-z0-9]+)(.*)\Z")
_UNCHECKED = frozenset({"http", "apigateway"})
"""Optimized integrations whose mocks TestState does not validate; of EKS, two calls."""
_UNCHECKED_CALLS = frozenset({"eks:call", "eks:runJob"})

SDK_FOLDERS = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "pinpointsmsvoice": "sms-voice",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}
"""Services whose name in the Java SDK is not botocore's without its hyphens."""
_OPTIMIZED_FOLDERS = {
    "elasticmapreduce": "emr",
    "states": "stepfunctions",
}
_RUNTIME_CALLS = {("bedrock", "invokemodel"): "bedrock-runtime"}

POLLED = {
    ("athena", "startqueryexecution"): "GetQueryExecution",
    ("batch", "submitjob"): "DescribeJobs",
    ("bedrock", "createmodelcustomizationjob"): "GetModelCustomizationJob",
    ("codebuild", "startbuild"): "BatchGetBuilds",
    ("codebuild", "startbuildbatch"): "BatchGetBuildBatches",
    ("databrew", "startjobrun"): "DescribeJobRun",
    ("ecs", "runtask"): "DescribeTasks",
    ("eks", "createcluster"): "DescribeCluster",
    ("eks", "createfargateprofile"): "DescribeFargateProfile",
    ("eks", "createnodegroup"): "DescribeNodegroup",
    ("eks", "deletecluster"): "DescribeCluster",
    ("eks", "deletefargateprofile"): "DescribeFargateProfile",
    ("eks", "deletenodegroup"): "DescribeNodegroup",
    ("emr", "addstep"): "DescribeStep",
    ("emr", "createcluster"): "DescribeCluster",
    ("emr", "terminatecluster"): "DescribeCluster",
    ("emr-containers", "deletevirtualcluster"): "DescribeVirtualCluster",
    ("emr-containers", "startjobrun"): "DescribeJobRun",
    ("emr-serverless", "createapplication"): "GetApplication",
    ("emr-serverless", "deleteapplication"): "GetApplication",
    ("emr-serverless", "startapplication"): "GetApplication",
    ("emr-serverless", "startjobrun"): "GetJobRun",
    ("emr-serverless", "stopapplication"): "GetApplication",
    ("glue", "startjobrun"): "GetJobRun",
    ("mediaconvert", "createjob"): "GetJob",
    ("sagemaker", "createhyperparametertuningjob"): "DescribeHyperParameterTuningJob",
    ("sagemaker", "createlabelingjob"): "DescribeLabelingJob",
    ("sagemaker", "createprocessingjob"): "DescribeProcessingJob",
    ("sagemaker", "createtrainingjob"): "DescribeTrainingJob",
    ("sagemaker", "createtransformjob"): "DescribeTransformJob",
    ("stepfunctions", "startexecution"): "DescribeExecution",
}
"""What Step Functions asks until a `.sync` task has ended: its answer is what a mock stands for."""


class Integration(NamedTuple):
    """The parts of a resource such as `arn:aws:states:::ecs:runTask.sync`."""

    service: str
    action: str
    is_sync: bool
    is_sdk: bool


def read_integration(resource: str) -> Integration | None:
    """Read a resource; None where the result is not what an operation answers.

    >>> read_integration("arn:aws:states:::aws-sdk:sfn:startExecution")
    Integration(service='sfn', action='startExecution', is_sync=False, is_sdk=True)
    """
    match = _SERVICE_ARN.match(resource)
    if match is None:
        return None
    sdk, service, action, pattern = match.groups()
    is_unchecked = service in _UNCHECKED or f"{service}:{action}" in _UNCHECKED_CALLS
    if pattern.startswith(".waitForTaskToken") or (is_unchecked and not sdk):
        return None
    return Integration(service, action, pattern.startswith(".sync"), bool(sdk))


def known_folder(integration: Integration) -> str | None:
    """Give botocore's name of a service where it does not follow from Step Functions' name."""
    if integration.is_sdk:
        return SDK_FOLDERS.get(integration.service)
    call = (integration.service, integration.action.lower())
    return _RUNTIME_CALLS.get(call) or _OPTIMIZED_FOLDERS.get(integration.service)


def answering(integration: Integration, folder: str) -> str:
    """Name the operation whose response is the result."""
    action = integration.action
    return POLLED.get((folder, action.lower()), action) if integration.is_sync else action
