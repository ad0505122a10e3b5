"""What steps that decide, repeat and call need of IAM, and nothing else."""

from __future__ import annotations

from tests.plan.stack.test_machine_permissions import STATES, role_of, with_states
from tests.support.stacks import call, machine

CONNECTION = "arn:aws:events:us-east-1:123456789012:connection/crm/0a1b"
OTHER = "arn:aws:events:us-east-1:123456789012:connection/erp/2c3d"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:events!connection/crm/77-aB"
SELF = f"{STATES}stateMachine:flights-prod-daily"


def request(method: str, endpoint: str, connection: str = CONNECTION) -> dict[str, object]:
    return call(
        "http:invoke",
        ApiEndpoint=endpoint,
        Method=method,
        Authentication={"ConnectionArn": connection},
    )


def asked(method: str, endpoint: str) -> dict[str, str]:
    return {"states_HTTPMethod": method, "states_HTTPEndpoint": endpoint}


def test_a_request_is_allowed_by_its_method_and_address_alone() -> None:
    orders, users = "https://api.example.com/orders", "https://api.example.com/users"
    role = role_of(machine("daily", request("POST", orders), request("GET", users)))
    assert role.may("states:InvokeHTTPEndpoint", SELF, **asked("POST", orders))
    assert role.may("states:InvokeHTTPEndpoint", SELF, **asked("GET", users))
    assert not role.may("states:InvokeHTTPEndpoint", SELF, **asked("GET", orders))
    assert not role.may("states:InvokeHTTPEndpoint", SELF, **asked("POST", f"{orders}/1"))
    other = f"{STATES}stateMachine:flights-prod-other"
    assert not role.may("states:InvokeHTTPEndpoint", other, **asked("POST", orders))


def test_an_address_of_run_time_is_any_https_address() -> None:
    role = role_of(machine("daily", request("GET", "{% $item.url %}")))
    assert role.may("states:InvokeHTTPEndpoint", SELF, **asked("GET", "https://a.b/c"))
    assert not role.may("states:InvokeHTTPEndpoint", SELF, **asked("GET", "http://a.b/c"))
    assert not role.may("states:InvokeHTTPEndpoint", SELF, **asked("PUT", "https://a.b/c"))


def test_the_credentials_of_a_connection_may_be_read_and_no_others() -> None:
    role = role_of(machine("daily", request("GET", "https://a.b/c")))
    assert role.may("events:RetrieveConnectionCredentials", CONNECTION)
    assert not role.may("events:RetrieveConnectionCredentials", OTHER)
    for action in ("GetSecretValue", "DescribeSecret"):
        assert role.may(f"secretsmanager:{action}", SECRET)
        assert not role.may(f"secretsmanager:{action}", SECRET.replace("crm", "erp"))


def test_the_results_of_a_map_may_be_written() -> None:
    writer = call("s3:putObject", Bucket="results", Prefix="maps/daily/each")
    one = with_states(machine("daily"), each={"Type": "Map", "ResultWriter": writer})
    role = role_of(one)
    place = "arn:aws:s3:::results/maps/daily/each/x/manifest.json"
    for action in ("PutObject", "GetObject", "AbortMultipartUpload", "ListMultipartUploadParts"):
        assert role.may(f"s3:{action}", place)
        assert not role.may(f"s3:{action}", "arn:aws:s3:::results/maps/other/x")
