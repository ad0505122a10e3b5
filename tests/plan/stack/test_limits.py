"""What fits into a template, how it is made to fit, and what is said where it does not."""

from __future__ import annotations

from runner.plan.stack.facts import TriggerFacts
from runner.plan.stack.limits import Excess, limits
from runner.plan.stack.template import template_of
from tests.support import stacks
from tests.support.stacks import access, function, machine, stack
from tests.support.templates import of_type

MINIMAL = stack(machine("daily"))


def test_a_thousand_tables_fit() -> None:
    template = template_of(stacks.thousand())
    assert limits(template) == ()
    assert len(of_type(template, "StepFunctions::StateMachine")) == 92
    width = template["Metadata"]["Runner"]["permissions"]
    assert width == "by database for workflows in several machines"


def test_permissions_are_exact_where_there_is_room() -> None:
    template = template_of(stacks.thousand(children=8))
    assert template["Metadata"]["Runner"]["permissions"] == "exact"
    assert of_type(template, "IAM::ManagedPolicy")


def test_many_large_workflows_are_widened_too() -> None:
    writes = tuple(access(f"marts.table_with_a_name_of_some_length_{n:03}") for n in range(150))
    query = stacks.call("athena:startQueryExecution.sync", WorkGroup="flights")
    many = [
        machine(f"w{n}", query, writes=writes, reads=writes, definition_uri="s3://l/d.json")
        for n in range(30)
    ]
    template = template_of(stack(*many))
    assert limits(template) == ()
    assert template["Metadata"]["Runner"]["permissions"] == "by database"


def test_what_is_too_much_is_told() -> None:
    many = stack(*(machine(f"workflow_{number:03}") for number in range(210)))
    template = template_of(many)
    resources = len(template["Resources"])
    assert limits(template) == (
        Excess("resources", "", resources, 500),
        Excess("outputs", "", 213, 200),
    )


def test_policies_that_are_too_large_are_told() -> None:
    template = template_of(MINIMAL)
    role = next(iter(of_type(template, "IAM::Role").values()))
    role["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] = "x" * 20_000
    role["ManagedPolicyArns"] = ["arn"] * 11
    role["AssumeRolePolicyDocument"] = {"Statement": ["x" * 3000]}
    template["Resources"]["Large"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Statement": ["x" * 7000]}},
    }
    assert {(one.what, one.most) for one in limits(template)} == {
        ("inline policy", 10240),
        ("managed policies", 10),
        ("managed policy", 6144),
        ("trust policy", 2048),
    }
    template["Metadata"]["text"] = "x" * 2**20
    assert "template bytes" in {one.what for one in limits(template)}


def test_what_users_write_may_be_too_large_as_well() -> None:
    trigger = TriggerFacts("files", {"source": ["x" * 2048]})
    given = function("report", environment=(("TEXT", "x" * 4096),))
    found = limits(template_of(stack(machine("daily", triggers=(trigger,)), functions=(given,))))
    assert [(one.what, one.most) for one in found] == [
        ("environment", 4096),
        ("event pattern", 2048),
    ]
