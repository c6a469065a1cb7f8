"""What AWS says of targets, what it leaves unsaid, and what keeps it from answering."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from moto import mock_aws

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.health import TargetHealthApi
from kubectl_safe.model.target import State, Target, TargetGroup, TargetHealth, group_name
from tests.aws.conftest import ARN, NOON, Serve, a_health, an_error, an_xml
from tests.support.api_server import Answer, Asked, Cut, Feed, Script

A, B = (Target(group=ARN, ip=ip, port=8080) for ip in ("10.0.0.1", "10.0.0.2"))


def an_api(*, profile: str | None = None, region: str | None = None) -> TargetHealthApi:
    return TargetHealthApi(profile=profile, region_override=region, now=lambda: NOON)


@pytest.fixture
def api() -> Iterator[TargetHealthApi]:
    api = an_api()
    yield api
    api.close()


def test_targets_are_asked_for_by_address_and_port_without_a_zone(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(lambda _: a_health(("10.0.0.1", 8080, "healthy", "")))
    assert api.ask(ARN, {A, B}) == {A: TargetHealth(state=State.HEALTHY, asked_at=NOON)}
    sent = parse_qs(server.asked[0].body.decode())
    assert {key: values for key, values in sent.items() if key.startswith("Target")} == {
        "TargetGroupArn": [ARN],
        "Targets.member.1.Id": ["10.0.0.1"],
        "Targets.member.1.Port": ["8080"],
        "Targets.member.2.Id": ["10.0.0.2"],
        "Targets.member.2.Port": ["8080"],
    }
    assert "kubectl-safe" in server.asked[0].headers["User-Agent"]
    assert "/us-east-1/elasticloadbalancing/" in server.asked[0].headers["Authorization"]


def test_a_target_that_the_group_does_not_know_is_gone(serve: Serve, api: TargetHealthApi) -> None:
    serve(lambda _: a_health(("10.0.0.1", 8080, "unused", "Target.NotRegistered")))
    assert api.ask(ARN, {A})[A].is_gone


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [("10.0.0.2", 8080, "healthy", "")],
        [("10.0.0.1", 9090, "healthy", "")],
        [("10.0.0.1", 8080, "brand-new-state", "")],
        [("10.0.0.1", 8080, "healthy", ""), ("10.0.0.1", 8080, "draining", "")],
        [("10.0.0.1", 8080, "brand-new-state", ""), ("10.0.0.1", 8080, "healthy", "")],
    ],
    ids=["left out", "another address", "another port", "an unknown state", "two states", "a state and an unknown one"],
)
def test_unknown_is_not_in_the_answer(
    serve: Serve, api: TargetHealthApi, answers: list[tuple[str, int, str, str]]
) -> None:
    serve(lambda _: a_health(*answers))
    assert api.ask(ARN, {A}) == {}


@pytest.mark.parametrize(
    ("answer", "code", "remedy"),
    [
        (an_error(400, "Throttling"), "Throttling", "more slowly"),
        (an_error(403, "AccessDenied"), "AccessDenied", "have elasticloadbalancing:DescribeTargetHealth allowed"),
        (an_error(403, "ExpiredToken"), "ExpiredToken", "log in again"),
        (an_error(403, "InvalidClientTokenId"), "InvalidClientTokenId", "--aws-profile"),
        (an_error(400, "TargetGroupNotFound"), "TargetGroupNotFound", "was deleted"),
        (an_error(500, "InternalFailure"), "InternalFailure", "words"),
        (Cut(), "ConnectionClosedError", "DescribeTargetHealth"),
    ],
    ids=["throttled", "denied", "expired", "unknown key", "no such group", "broken", "cut"],
)
def test_each_error_names_call_group_and_remedy(
    serve: Serve, api: TargetHealthApi, answer: Answer | Cut, code: str, remedy: str
) -> None:
    server = serve(lambda _: answer)
    with pytest.raises(AwsError) as raised:
        api.ask(ARN, {A})
    assert raised.value.code == code
    assert raised.value.is_throttled == (code == "Throttling")
    assert str(raised.value).startswith("elasticloadbalancing:DescribeTargetHealth on target group web: ")
    assert remedy in str(raised.value)
    assert len(server.asked) == 1, "botocore must not try again by itself: the schedule doesn't count such calls"


def test_without_credentials_the_remedy_is_named(api: TargetHealthApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(AwsError, match="give credentials"):
        api.ask(ARN, {A})


def test_a_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(AwsError, match=r"ProfileNotFound: .*\(nobody\).*--aws-profile"):
        an_api(profile="nobody").ask(ARN, {A})


@pytest.mark.parametrize("text", ["<html>log in</html", "<html>log in</html>"], ids=["no XML", "other XML"])
def test_an_answer_that_cant_be_read_is_an_error(serve: Serve, api: TargetHealthApi, text: str) -> None:
    serve(lambda _: an_xml(text))
    with pytest.raises(AwsError):
        api.ask(ARN, {A})


def test_credentials_that_were_renewed_are_used_by_the_next_call(
    serve: Serve, api: TargetHealthApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda a: a_health() if "AKIANEW" in a.headers["Authorization"] else an_error(403, "ExpiredToken"))
    with pytest.raises(AwsError):
        api.ask(ARN, {A})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANEW")
    assert api.ask(ARN, {A}) == {}
    assert len(server.asked) == 2


def test_the_region_can_be_overridden(serve: Serve) -> None:
    server = serve(lambda _: a_health())
    api = an_api(region="eu-west-1")
    api.ask(ARN, {A})
    api.close()
    assert "/eu-west-1/elasticloadbalancing/" in server.asked[0].headers["Authorization"]


def test_asked_at_is_before_the_answer_came(serve: Serve) -> None:
    ticks = iter(range(1000))
    feed = Feed()
    api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON + timedelta(seconds=next(ticks)))
    before_the_answer: list[int] = []

    def script(_: object) -> Answer | Feed:
        before_the_answer.append(next(ticks))
        feed.end()
        return a_health(("10.0.0.1", 8080, "healthy", ""))

    serve(script)
    found = api.ask(ARN, {A})
    api.close()
    assert found[A].asked_at < NOON + timedelta(seconds=before_the_answer[0])


def test_settings_of_groups_are_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    # Paced, 23 calls take eleven seconds; that they are is claimed elsewhere.
    monkeypatch.setattr("kubectl_safe.aws.client.BETWEEN_CALLS", timedelta(0))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="us-east-1")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        ec2.close()
        elb = boto3.client("elbv2", region_name="us-east-1")
        arns = [
            elb.create_target_group(
                Name=f"web-{n}",
                Protocol="HTTP",
                Port=80,
                VpcId=vpc,
                TargetType="ip",
                HealthCheckIntervalSeconds=7,
                HealthyThresholdCount=3,
            )["TargetGroups"][0]["TargetGroupArn"]
            for n in range(21)
        ]
        elb.modify_target_group_attributes(
            TargetGroupArn=arns[0], Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}]
        )
        api = an_api()
        batches: list[int] = []
        original = api._connections.call

        def call(*args: Any, **parameters: Any) -> Any:
            batches.append(len(parameters.get("TargetGroupArns", ())))
            return original(*args, **parameters)

        monkeypatch.setattr(api._connections, "call", call)
        found = api.groups(dict.fromkeys(arns))
        api.close()
        elb.close()
    assert sorted(batches, reverse=True)[:3] == [20, 1, 0]
    assert set(found) == set(arns)
    first, second = found[arns[0]], found[arns[1]]
    assert isinstance(first, TargetGroup)
    assert isinstance(second, TargetGroup)
    assert first.deregistration_delay == timedelta(seconds=10)
    assert second.deregistration_delay == timedelta(seconds=300)
    assert first.time_to_healthy == timedelta(seconds=14)


API = ARN.replace("/web/", "/api/")
ELB = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


def describing(*arns: str, attributes: Callable[[str], Answer | Cut]) -> Callable[[Asked], Answer | Cut]:
    """Return an AWS that knows these groups, and says this of their attributes."""
    members = "".join(f"<member><TargetGroupArn>{arn}</TargetGroupArn></member>" for arn in arns)

    def answer(asked: Asked) -> Answer | Cut:
        sent = parse_qs(asked.body.decode())
        if sent["Action"] == ["DescribeTargetGroups"]:
            return an_xml(
                f'<DescribeTargetGroupsResponse xmlns="{ELB}"><DescribeTargetGroupsResult><TargetGroups>{members}'
                "</TargetGroups></DescribeTargetGroupsResult></DescribeTargetGroupsResponse>"
            )
        return attributes(sent["TargetGroupArn"][0])

    return answer


def no_attributes(_: str) -> Answer:
    action = "DescribeTargetGroupAttributes"
    return an_xml(f'<{action}Response xmlns="{ELB}"><{action}Result/></{action}Response>')


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.aws.client.BETWEEN_CALLS", timedelta(0))


def told(found: Mapping[str, TargetGroup | AwsError]) -> dict[str, str]:
    """Return what is known of each group by name: `known`, or the code of its error."""
    return {group_name(arn): it.code if isinstance(it, AwsError) else "known" for arn, it in found.items()}


@pytest.mark.usefixtures("unpaced")
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            describing(API, ARN, attributes=no_attributes), {"api": "known", "web": "known"}, id="all are known"
        ),
        pytest.param(
            lambda _: an_error(403, "AccessDenied"), {"api": "AccessDenied", "web": "AccessDenied"}, id="all are denied"
        ),
        pytest.param(
            describing(
                API, ARN, attributes=lambda arn: an_error(403, "AccessDenied") if arn == API else no_attributes(arn)
            ),
            {"api": "AccessDenied", "web": "known"},
            id="one is denied, the next is asked for",
        ),
        pytest.param(
            describing(
                API, ARN, attributes=lambda arn: an_error(400, "Throttling") if arn == ARN else no_attributes(arn)
            ),
            {"api": "known", "web": "Throttling"},
            id="what came before it was throttled is kept",
        ),
        pytest.param(
            describing(API, attributes=no_attributes), {"api": "known", "web": "TargetGroupNotFound"}, id="left out"
        ),
    ],
)
def test_settings_of_each_group_are_known_or_it_is_told_why_not(
    serve: Serve, api: TargetHealthApi, script: Script, expected: dict[str, str]
) -> None:
    serve(script)
    assert told(api.groups(dict.fromkeys([ARN, API]))) == expected


@pytest.mark.usefixtures("unpaced")
def test_after_a_throttled_call_no_other_is_made(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(describing(API, ARN, attributes=lambda _: an_error(400, "Throttling")))
    assert told(api.groups(dict.fromkeys([ARN, API]))) == {"api": "Throttling", "web": "Throttling"}
    assert len(server.asked) == 2


@pytest.mark.usefixtures("unpaced")
def test_after_a_throttled_call_no_other_region_is_asked_either(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(lambda _: an_error(400, "Throttling"))
    found = api.groups(dict.fromkeys([ARN, API.replace("us-east-1", "us-east-2")]))
    assert told(found) == {"api": "Throttling", "web": "Throttling"}
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("code", "is_refusal", "is_lasting"),
    [
        ("AccessDenied", True, True),
        ("UnauthorizedOperation", True, True),
        ("ExpiredToken", True, True),
        ("NoCredentialsError", True, True),
        ("InvalidClientTokenId", True, True),
        ("SSOTokenLoadError", True, True),
        ("TargetGroupNotFound", False, True),
        ("Throttling", False, False),
        ("InternalFailure", False, False),
        ("ConnectionClosedError", False, False),
    ],
)
def test_rights_and_credentials_are_told_from_what_time_may_cure(code: str, is_refusal: bool, is_lasting: bool) -> None:
    error = AwsError("words", code=code)
    assert (error.is_refusal, error.is_lasting) == (is_refusal, is_lasting)


def test_calls_of_one_account_and_region_wait_for_each_other(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("kubectl_safe.aws.client._wait", waited.append)
    serve(lambda _: a_health())
    api = an_api()
    for _ in range(3):
        api.ask(ARN, {A})
    api.close()
    assert waited == [0, 0.5, 1.0]


def test_boto3_is_not_imported_before_something_is_asked() -> None:
    code = (
        "import sys; from datetime import datetime; "
        "from kubectl_safe.aws.health import TargetHealthApi; from kubectl_safe.aws.poller import Poller; "
        "import kubectl_safe.kube.cluster, kubectl_safe.kube.actuator; "
        "TargetHealthApi(profile=None, region_override=None, now=datetime.utcnow).close(); "
        "print([m for m in ('boto3', 'botocore', 'kubernetes', 'urllib3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def whole() -> Iterator[TargetHealthApi]:
    api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON, has_others=True)
    yield api
    api.close()


def test_who_wants_to_know_of_all_targets_names_none(serve: Serve, whole: TargetHealthApi) -> None:
    server = serve(lambda _: a_health(("10.0.0.2", 8080, "draining", ""), ("10.0.0.3", 8080, "healthy", "")))
    found = whole.ask(ARN, {A})
    assert {target.ip: str(its) for target, its in found.items()} == {
        "10.0.0.1": "unused (Target.NotRegistered)",
        "10.0.0.2": "draining",
        "10.0.0.3": "healthy",
    }
    assert not any(key.startswith("Targets") for key in parse_qs(server.asked[0].body.decode()))


def test_of_all_targets_too_one_that_is_not_clear_is_unknown(serve: Serve, whole: TargetHealthApi) -> None:
    serve(lambda _: a_health(("10.0.0.1", 8080, "brand-new-state", "")))
    assert whole.ask(ARN, {A}) == {}
