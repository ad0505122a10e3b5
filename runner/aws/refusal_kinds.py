"""What AWS's refusals come down to: a few kinds, each with the next action.

In: the code of an error that a service answered with, or the name of an exception of botocore.
Out: its `Kind`.  The tables are checked against botocore's own lists in tests/aws.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of refusal."""

    fault: str
    """Code of the fault."""
    words: str
    """What it means."""
    advice: str
    """What to do."""


DENIED = Kind(
    "aws-denied",
    "these credentials may not do that",
    "allow it in the policies of this user or role, or choose other credentials (AWS_PROFILE)",
)
EXPIRED = Kind(
    "aws-expired",
    "the credentials have expired",
    "log in again (`aws sso login`, or whatever gave them), then type the command again; it is "
    "safe to repeat",
)
UNKNOWN = Kind(
    "aws-credentials",
    "AWS does not know these credentials",
    "see which they are with `aws sts get-caller-identity`, and choose others (AWS_PROFILE)",
)
CLOCK = Kind(
    "aws-clock",
    "the clock of this machine is wrong, and AWS refuses what it signs",
    "set the clock, then type the command again",
)
NO_CREDENTIALS = Kind(
    "aws-credentials",
    "there are no AWS credentials here, or not all of them",
    "log in (`aws sso login`, `aws configure`), or set AWS_PROFILE; in CI give the job its role",
)
SETTINGS = Kind(
    "aws-settings",
    "the AWS settings of this machine are wrong",
    "correct ~/.aws/config, ~/.aws/credentials and the variables AWS_*",
)
REGION = Kind(
    "aws-settings",
    "this Region has no such service, or there is no such Region",
    "correct `region` of the environment in config.yaml; a Region that must be opted in to is "
    "enabled in the account's settings",
)
THROTTLED = Kind(
    "aws-throttled",
    "AWS is asked too much at once, though every call was repeated",
    "wait a minute, then type the command again; ask for a higher quota if it happens often",
)
LIMIT = Kind(
    "aws-limit",
    "a quota of the account is reached",
    "see Service Quotas in the console for what the message names; remove what is not used, or "
    "ask for more",
)
KEY = Kind(
    "aws-key",
    "a KMS key cannot be used",
    "see that the key is enabled, is in this Region, and that its policy lets these credentials "
    "and the service use it; `keys` in config.yaml names it",
)
MISSING = Kind(
    "aws-missing",
    "what is named is not there",
    "see whether it was deleted, and whether config.yaml names the right account and Region",
)
NO_BUCKET = Kind(
    "aws-missing",
    "the bucket does not exist",
    "make the bucket in the environment's Region, or correct its name in config.yaml; no deploy "
    "makes or deletes a bucket",
)
OTHER_REGION = Kind(
    "aws-bucket-region",
    "the bucket is in another Region",
    "name a bucket of the environment's Region in config.yaml",
)
EXISTS = Kind(
    "aws-exists",
    "something of that name exists already",
    "remove or rename what has the name; the environment's resources begin with "
    "`<project>-<environment>`",
)
BUSY = Kind(
    "aws-busy",
    "it is being changed at the moment, or is not ready yet",
    "wait until the other change has ended, then type the command again",
)
UNAVAILABLE = Kind(
    "aws-unavailable",
    "the service has trouble, though the call was repeated",
    "see https://health.aws.amazon.com/, wait, and type the command again",
)
UNREACHABLE = Kind(
    "aws-unreachable",
    "AWS cannot be reached from here",
    "look at the network, the proxy (HTTPS_PROXY) and AWS_ENDPOINT_URL, then type it again",
)
STRANGER = Kind(
    "aws-unreachable",
    "what answered in the place of AWS does not speak as AWS does",
    "look at the proxy (HTTPS_PROXY) and AWS_ENDPOINT_URL: a page to log in at is a usual cause",
)
CERTIFICATE = Kind(
    "aws-certificate",
    "the certificate of the other end cannot be verified",
    "if a proxy opens the connections here, name its certificate authority in AWS_CA_BUNDLE",
)
INVALID = Kind(
    "aws-invalid",
    "AWS takes the request as invalid",
    "correct what the message names: it follows from the project's files, or from config.yaml",
)
CAPABILITY = Kind(
    "aws-invalid",
    "the template needs a capability that was not given",
    "report this, with what `runner compile` says",
)
REFUSED = Kind("aws-refused", "AWS refuses", "see what AWS says")


def _table(*rows: tuple[Kind, str]) -> dict[str, Kind]:
    return {name: kind for kind, names in rows for name in names.split()}


_CODES = _table(
    (DENIED, "403 AllAccessDisabled AccountProblem NotSignedUp"),
    (DENIED, "BlockedException BlockedByOrganizationPolicyException TagPolicy InvalidCredentials"),
    (EXPIRED, "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired"),
    (UNKNOWN, "InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId AuthFailure"),
    (UNKNOWN, "SignatureDoesNotMatch InvalidToken IncompleteSignature MissingAuthenticationToken"),
    (UNKNOWN, "InvalidSignatureException MissingAuthenticationTokenException 401"),
    (UNKNOWN, "IDPCommunicationError IDPRejectedClaim InvalidIdentityToken OptInRequired"),
    (CLOCK, "RequestTimeTooSkewed RequestInTheFuture"),
    (REGION, "RegionDisabledException"),
    (THROTTLED, "429 503 EC2ThrottledException PriorRequestNotComplete"),
    (NO_BUCKET, "NoSuchBucket"),
    (OTHER_REGION, "301 PermanentRedirect TemporaryRedirect AuthorizationHeaderMalformed"),
    (OTHER_REGION, "IllegalLocationConstraintException"),
    (MISSING, "404 ChangeSetNotFound NoPublishedVersionException PlatformUnknownException"),
    (EXISTS, "RepositoryNotEmptyException"),
    (BUSY, "409 412 ConditionalCheckFailed EntityTemporarilyUnmodifiable ExecutionNotRedrivable"),
    (BUSY, "ClusterContainsServicesException ClusterContainsTasksException IllegalStatusException"),
    (BUSY, "DurableExecutionAlreadyStartedException"),
    (BUSY, "InvalidChangeSetStatus QueueDeletedRecently InvalidStateTransition"),
    (BUSY, "ClusterContainsContainerInstancesException NotStabilized"),
    (BUSY, "ClusterContainsCapacityProviderException NoUpdateAvailableException"),
    (UNAVAILABLE, "500 502 504 CFNRegistryException MetadataException RequestTimeout"),
    (UNAVAILABLE, "EC2UnexpectedException FederationSourceRetryableException NetworkFailure"),
    (UNAVAILABLE, "FederationSourceException EFSIOException EFSMountConnectivityException"),
    (UNAVAILABLE, "EFSMountFailureException S3FilesMountConnectivityException SnapStartException"),
    (UNAVAILABLE, "S3FilesMountFailureException SnapStartRegenerationFailureException"),
    (INVALID, "400 411 UserError ClientException EmptyUploadException PublicPolicyException"),
    (INVALID, "PolicyNotAttachable UnmodifiableEntity NotUpdatable NonCompliant"),
    (INVALID, "CodeVerificationFailedException"),
    (INVALID, "PlatformTaskDefinitionIncompatibilityException ObjectNotInActiveTierError"),
    (INVALID, "EndpointDisabled PlatformApplicationDisabled RecursiveInvocationException"),
    (INVALID, "RuntimeAliasDeletedException RuntimeVersionDeletedException"),
    (INVALID, "CodeArtifactUserDeletedException CodeArtifactUserFailedException"),
    (CAPABILITY, "InsufficientCapabilitiesException"),
)
"""Codes whose names alone would mislead or say nothing, those of plain HTTP included."""

_PATTERNS = (
    (KEY, r"(?i)^kms|Encryption|Decrypt"),
    (DENIED, r"AccessDenied|^Unauthorized|AuthorizationError|^Forbidden|NotAuthorized"),
    (THROTTLED, r"Throttl|TooManyRequests|SlowDown|RequestLimitExceeded|TooManyUpdates|Bandwidth"),
    (LIMIT, r"Limit|Quota|TooMany|TooLarge|Exceeded"),
    (MISSING, r"NotFound|NoSuch|DoesNotExist|NotPresent"),
    (EXISTS, r"AlreadyExist|EntityExists|Exists$|^Duplicate|AlreadyOwned|NameConflict"),
    (
        BUSY,
        r"InProgress|InUse|Conflict|Concurrent|Busy|Running|NotReady|Pending|Transition|Stopping",
    ),
    (BUSY, r"Deleting|Stale|OperationAborted|Modified|NotActive|Precondition"),
    (UNAVAILABLE, r"Internal|Unavailable|ServiceFailure|ServerException|^ServiceEx|Timeout"),
    (INVALID, r"Invalid|Malformed|Validation|BadRequest|Unsupported|NotSupported|Mismatch"),
    (INVALID, r"Incompatible|Missing"),
)
"""What the names of all other codes say, the first that fits."""

EXCEPTIONS = _table(
    (NO_CREDENTIALS, "NoCredentialsError PartialCredentialsError CredentialRetrievalError"),
    (NO_CREDENTIALS, "NoAuthTokenError MetadataRetrievalError UnknownCredentialError"),
    (NO_CREDENTIALS, "RefreshWithMFAUnsupportedError UnknownTokenProviderError"),
    (EXPIRED, "TokenRetrievalError SSOError LoginError"),
    (SETTINGS, "ProfileNotFound ConfigParseError ConfigNotFound InvalidConfigError"),
    (SETTINGS, "InvalidRetryConfigurationError InvalidProxiesConfigError InvalidDefaultsMode"),
    (
        SETTINGS,
        "InvalidS3UsEast1RegionalEndpointConfigError InvalidSTSRegionalEndpointsConfigError",
    ),
    (SETTINGS, "InvalidIMDSEndpointError InvalidIMDSEndpointModeError InvalidChecksumConfigError"),
    (SETTINGS, "InvalidS3AddressingStyleError InvalidEndpointConfigurationError"),
    (SETTINGS, "InvalidEndpointDiscoveryConfigurationError MissingDependencyException"),
    (SETTINGS, "UnsupportedS3ConfigurationError MD5UnavailableError"),
    (REGION, "NoRegionError InvalidRegionError UnknownRegionError ServiceNotInRegionError"),
    (REGION, "BaseEndpointResolverError EndpointProviderError"),
    (NO_BUCKET, "InvalidDNSNameError"),
    (INVALID, "UnsupportedS3ArnError InvalidHostLabelError UnsupportedOutpostResourceError"),
    (INVALID, "UnsupportedS3AccesspointConfigurationError"),
    (UNREACHABLE, "ConnectionError HTTPClientError IncompleteReadError"),
    (UNREACHABLE, "ChecksumError FlexibleChecksumError AwsChunkedWrapperError"),
    (CERTIFICATE, "SSLError"),
    (THROTTLED, "CapacityNotAvailableError"),
)
"""Exceptions of botocore by name; a class that is not here counts as the nearest of its bases."""

DEFECTS = frozenset(
    {
        "DataNotFoundError",
        "ApiVersionNotFoundError",
        "MissingParametersError",
        "ValidationError",
        "ParamValidationError",
        "UnknownServiceStyle",
        "PaginationError",
        "OperationNotPageableError",
        "UnseekableStreamError",
        "WaiterError",
        "InvalidExpressionError",
        "WaiterConfigError",
        "UnknownClientMethodError",
        "UnsupportedSignatureVersionError",
        "UnknownSignatureVersionError",
        "UnsupportedS3ControlArnError",
        "UnsupportedS3ControlConfigurationError",
        "StubResponseError",
        "UnsupportedServiceProtocolsError",
    }
)
"""Exceptions that only a mistake of ours can cause: they leave as they are."""


def kind_of_code(code: str) -> Kind:
    """Say what a code that a service answered with comes down to.

    >>> kind_of_code("TooManyRequestsException").fault
    'aws-throttled'
    """
    named = _CODES.get(code)
    if named is not None:
        return named
    return next((kind for kind, pattern in _PATTERNS if re.search(pattern, code)), REFUSED)


def kind_of_exception(names: Iterable[str]) -> Kind | None:
    """Say it of an exception, by the names of its class and bases; None for a defect of ours."""
    for name in names:
        if name in EXCEPTIONS:
            return EXCEPTIONS[name]
        if name in DEFECTS:
            return None
    return REFUSED
