"""A role is assumed for the groups whose bindings name it, with the external id, and renewed before it expires."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import boto3
import pytest
from moto import mock_aws

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.health import TargetHealthApi
from kubectl_safe.model.target import FoundGroup, GroupName, Role, Target, TargetGroup
from tests.aws.conftest import ARN, NOON, Serve, a_health, an_error, an_xml
from tests.support.api_server import Answer, Asked, Cut

ROLE = Role(arn="arn:aws:iam::210987654321:role/targets", external_id="42")
THEIRS = ARN.replace("123456789012", "210987654321")
STS = "https://sts.amazonaws.com/doc/2011-06-15/"

Aws = Callable[[Asked], Answer | Cut]


def a_target(group: str = THEIRS) -> Target:
    return Target(group=group, ip="10.0.0.1", port=8080)


def sent(asked: Asked) -> dict[str, str]:
    """Return the parameters of a call."""
    return {name: value for name, [value] in parse_qs(asked.body.decode()).items()}


def key_of(asked: Asked) -> str:
    """Return the access key that signed a call."""
    return asked.headers["Authorization"].partition("Credential=")[2].partition("/")[0]


def region_of(asked: Asked) -> str:
    return asked.headers["Authorization"].partition("Credential=")[2].split("/")[2]


def credentials(key: str, *, lasts: timedelta = timedelta(hours=1)) -> Answer:
    """Return STS's answer."""
    ends = (datetime.now(UTC) + lasts).isoformat(timespec="seconds").replace("+00:00", "Z")  # noqa: TID251 - botocore's
    return an_xml(
        f'<AssumeRoleResponse xmlns="{STS}"><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>'
        f"<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{ends}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def an_aws(*answers: Answer) -> Aws:
    """Return an AWS whose STS answers so in turn, the last one again and again, and whose targets are healthy."""
    left = list(answers)

    def answer(asked: Asked) -> Answer | Cut:
        if sent(asked)["Action"] == "AssumeRole":
            return left.pop(0) if len(left) > 1 else left[0]
        return a_health(("10.0.0.1", 8080, "healthy", ""))

    return answer


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.aws.client.BETWEEN_CALLS", timedelta(0))


@pytest.fixture
def api() -> Iterator[TargetHealthApi]:
    api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON)
    yield api
    api.close()


def test_a_group_is_asked_with_its_role_which_is_assumed_once(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(an_aws(credentials("ASSUMED")))
    for _ in range(2):
        assert api.ask(THEIRS, {a_target()}, ROLE)[a_target()].is_healthy
    assert [sent(asked)["Action"] for asked in server.asked] == ["AssumeRole", *["DescribeTargetHealth"] * 2]
    assume, describe, _ = server.asked
    assert {name: sent(assume)[name] for name in ("RoleArn", "ExternalId", "RoleSessionName")} == {
        "RoleArn": ROLE.arn,
        "ExternalId": "42",
        "RoleSessionName": "kubectl-safe",
    }
    assert (key_of(assume), region_of(assume)) == ("AKIAIOSFODNN7EXAMPLE", "us-east-1")
    assert key_of(describe) == "ASSUMED"


def test_without_an_external_id_none_is_sent(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(an_aws(credentials("ASSUMED")))
    api.ask(THEIRS, {a_target()}, Role(arn=ROLE.arn))
    assert "ExternalId" not in sent(server.asked[0])


def test_groups_without_a_role_are_asked_with_our_own_credentials(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(an_aws(credentials("ASSUMED")))
    api.ask(THEIRS, {a_target()}, ROLE)
    api.ask(ARN, {a_target(ARN)}, None)
    assert [key_of(asked) for asked in server.asked][1:] == ["ASSUMED", "AKIAIOSFODNN7EXAMPLE"]


@pytest.mark.parametrize(
    ("other", "group"),
    [
        pytest.param(Role(arn=ROLE.arn, external_id="43"), THEIRS, id="another external id"),
        pytest.param(Role(arn=ROLE.arn.replace("targets", "other"), external_id="42"), THEIRS, id="another role"),
        pytest.param(ROLE, THEIRS.replace("us-east-1", "eu-west-1"), id="another region"),
    ],
)
def test_a_role_is_assumed_for_each(serve: Serve, api: TargetHealthApi, other: Role, group: str) -> None:
    server = serve(an_aws(credentials("FIRST"), credentials("SECOND")))
    api.ask(THEIRS, {a_target()}, ROLE)
    api.ask(group, {a_target(group)}, other)
    describing = [asked for asked in server.asked if sent(asked)["Action"] == "DescribeTargetHealth"]
    assert [key_of(asked) for asked in describing] == ["FIRST", "SECOND"]
    assert region_of(describing[1]) == group.split(":")[3]


def test_a_role_is_renewed_before_it_expires(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(an_aws(credentials("FIRST", lasts=timedelta(minutes=5)), credentials("SECOND")))
    for _ in range(3):
        api.ask(THEIRS, {a_target()}, ROLE)
    describing = [asked for asked in server.asked if sent(asked)["Action"] == "DescribeTargetHealth"]
    assert [key_of(asked) for asked in describing] == ["FIRST", "SECOND", "SECOND"]


def test_a_role_that_may_not_be_assumed_is_told_with_what_to_do(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(an_aws(an_error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"), credentials("A")))
    with pytest.raises(AwsError) as raised:
        api.ask(THEIRS, {a_target()}, ROLE)
    assert str(raised.value) == (
        f"sts:AssumeRole on {ROLE.arn} for target group web: AccessDenied: not authorized to perform: sts:AssumeRole; "
        "have sts:AssumeRole allowed, and the role trust you, with the external id of its targetgroupbinding"
    )
    assert raised.value.is_refusal
    # Once it is allowed the next question is answered.
    assert api.ask(THEIRS, {a_target()}, ROLE)[a_target()].is_healthy
    assert len(server.asked) == 3


def test_our_own_credentials_that_have_run_out_are_told_as_such(serve: Serve, api: TargetHealthApi) -> None:
    serve(an_aws(an_error(403, "ExpiredToken"), credentials("A")))
    with pytest.raises(AwsError, match=r"sts:AssumeRole on .* ExpiredToken: .* log in again"):
        api.ask(THEIRS, {a_target()}, ROLE)
    assert api.ask(THEIRS, {a_target()}, ROLE)[a_target()].is_healthy


def test_settings_are_asked_for_with_the_role_of_each_group(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(
        lambda asked: (
            credentials("A") if sent(asked)["Action"] == "AssumeRole" else an_error(400, "TargetGroupNotFound")
        )
    )
    api.groups({ARN: None, THEIRS: ROLE})
    keys = {sent(a)["TargetGroupArns.member.1"]: key_of(a) for a in server.asked if sent(a)["Action"] != "AssumeRole"}
    assert keys == {ARN: "AKIAIOSFODNN7EXAMPLE", THEIRS: "A"}


def test_groups_of_another_account_are_found_by_its_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    role = Role(arn="arn:aws:iam::210987654321:role/targets")
    with mock_aws():
        sts = boto3.client("sts", region_name="us-east-1")
        given = sts.assume_role(RoleArn=role.arn, RoleSessionName="test")["Credentials"]
        keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
        their = boto3.Session(**keys, aws_session_token=given["SessionToken"], region_name="us-east-1")
        ec2, elb = their.client("ec2"), their.client("elbv2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        assert ":210987654321:" in arn
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
        api = TargetHealthApi(profile=None, region_override="us-east-1", now=lambda: NOON)
        assert isinstance(api.groups({arn: role})[arn], TargetGroup)
        assert isinstance(api.groups({arn: None})[arn], AwsError)
        assert api.ask(arn, {a_target(arn)}, role).keys() == {a_target(arn)}
        name = GroupName(group="web", role=role)
        assert api.find([name], near={}) == {name: FoundGroup(arn=arn, target_type="ip", is_ipv6=False)}
        for client in (api, sts, ec2, elb):
            client.close()
