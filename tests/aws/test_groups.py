"""What the attributes of target groups mean, and what AWS says of a group that a binding only names."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from moto import mock_aws

from kubectl_safe.aws.attributes import is_zonal, settings_of
from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.health import TargetHealthApi
from kubectl_safe.model.group_details import GroupDetails, HealthCheck
from kubectl_safe.model.target import FoundGroup, GroupName, Role, TargetGroup
from tests.aws.conftest import ARN, NOON, Serve, an_error, an_xml
from tests.support.api_server import Answer, Asked

ELB = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
TERMINATION = "deregistration_delay.connection_termination.enabled"
DNS = "target_group_health.dns_failover.minimum_healthy_targets"
ROUTING = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/edge/50dc6c495c0c9188"


def settings(protocol: str = "HTTP", **attributes: str) -> TargetGroup:
    return settings_of({"TargetGroupArn": ARN, "Protocol": protocol}, attributes, is_zonal=False)


@pytest.mark.parametrize(
    ("attributes", "registered", "expected"),
    [
        pytest.param({}, 10, 1, id="none are told: one"),
        pytest.param({f"{DNS}.count": "off", f"{DNS}.percentage": "off"}, 10, 1, id="off: one"),
        pytest.param({f"{DNS}.count": "3"}, 10, 3, id="a count for DNS"),
        pytest.param({f"{ROUTING}.count": "2"}, 10, 2, id="a count for routing"),
        pytest.param({f"{DNS}.count": "3", f"{ROUTING}.count": "2"}, 10, 3, id="the higher of both"),
        pytest.param({f"{ROUTING}.percentage": "50"}, 5, 3, id="a percentage, rounded up"),
        pytest.param({f"{DNS}.percentage": "10", f"{DNS}.count": "2"}, 10, 2, id="the higher of count and percentage"),
        pytest.param({f"{DNS}.percentage": "50"}, 0, 1, id="of none: one"),
    ],
)
def test_so_many_targets_have_to_be_healthy(attributes: Mapping[str, str], registered: int, expected: int) -> None:
    assert settings(**attributes).minimum_healthy(registered) == expected


@pytest.mark.parametrize(
    ("protocol", "attributes", "expected"),
    [
        ("HTTP", {}, False),
        ("HTTPS", {}, False),
        ("TCP", {}, True),
        ("TCP", {TERMINATION: "false"}, True),
        ("TCP", {TERMINATION: "true"}, False),
        ("TLS", {}, True),
        ("UDP", {TERMINATION: "true"}, False),
        ("TCP_UDP", {TERMINATION: "false"}, True),
    ],
)
def test_flows_outlive_the_delay(protocol: str, attributes: Mapping[str, str], expected: bool) -> None:
    assert settings(protocol, **attributes).keeps_flows is expected


@pytest.mark.parametrize(
    ("protocol", "told", "expected"),
    [
        ("HTTP", "use_load_balancer_configuration", False),
        ("HTTP", "true", False),
        ("HTTP", "false", True),
        ("TCP", "true", False),
        ("TCP", "false", True),
        ("TCP", "use_load_balancer_configuration", None),
        ("TCP", None, None),
    ],
)
def test_cross_zone_load_balancing_is_off(protocol: str, told: str | None, expected: bool | None) -> None:
    assert is_zonal({"Protocol": protocol}, {CROSS_ZONE: told} if told else {}) is expected


WHOLE = {
    "TargetGroupArn": ARN,
    "Protocol": "HTTP",
    "ProtocolVersion": "GRPC",
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "9000",
    "HealthCheckPath": "/up",
    "UnhealthyThresholdCount": 3,
    "LoadBalancerArns": [],
}


def test_what_else_a_group_is_like() -> None:
    attributes = {"slow_start.duration_seconds": "60", "stickiness.enabled": "true", "stickiness.type": "app_cookie"}
    assert settings_of(WHOLE, attributes, is_zonal=False).details == GroupDetails(
        protocol="HTTP",
        version="GRPC",
        check=HealthCheck(protocol="HTTP", path="/up", port="9000", unhealthy_threshold=3),
        slow_start=timedelta(seconds=60),
        stickiness="app_cookie",
        balancers=(),
    )


def test_what_else_a_group_does_not_say() -> None:
    found = settings_of({"TargetGroupArn": ARN}, {"stickiness.enabled": "true"}, is_zonal=False).details
    assert (found.stickiness, found.balancers, found.slow_start) == ("lb_cookie", None, timedelta(0))
    assert (found.check.path, found.check.port, found.check.unhealthy_threshold) == ("", "traffic-port", 2)
    off = {"stickiness.enabled": "false", "stickiness.type": "lb_cookie"}
    assert settings_of(WHOLE, off, is_zonal=False).details.stickiness == ""


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.aws.client.BETWEEN_CALLS", timedelta(0))


@pytest.fixture
def api() -> Iterator[TargetHealthApi]:
    api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON)
    yield api
    api.close()


def answered(action: str, inner: str) -> Answer:
    return an_xml(f'<{action}Response xmlns="{ELB}"><{action}Result>{inner}</{action}Result></{action}Response>')


def a_network_balancer(of_balancer: Callable[[], Answer], *arns: str) -> Callable[[Asked], Answer]:
    """Return an AWS that has these groups behind one Network Load Balancer, and says this of its attributes."""

    def answer(asked: Asked) -> Answer:
        [action] = parse_qs(asked.body.decode())["Action"]
        if action == "DescribeTargetGroups":
            members = "".join(
                f"<member><TargetGroupArn>{arn}</TargetGroupArn><Protocol>TCP</Protocol><LoadBalancerArns><member>"
                f"{BALANCER}</member></LoadBalancerArns></member>"
                for arn in arns
            )
            return answered(action, f"<TargetGroups>{members}</TargetGroups>")
        return of_balancer() if action == "DescribeLoadBalancerAttributes" else answered(action, "")

    return answer


def told_by_the_balancer(value: str) -> Answer:
    member = f"<member><Key>{CROSS_ZONE}</Key><Value>{value}</Value></member>"
    return answered("DescribeLoadBalancerAttributes", f"<Attributes>{member}</Attributes>")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(told_by_the_balancer("true"), (False, ""), id="on"),
        pytest.param(told_by_the_balancer("false"), (True, ""), id="off"),
        pytest.param(answered("DescribeLoadBalancerAttributes", ""), (True, ""), id="not told: off, as by default"),
        pytest.param(an_error(403, "AccessDenied"), (True, "AccessDenied"), id="may not be asked: taken as off"),
        pytest.param(
            an_error(400, "LoadBalancerNotFound"), (True, "LoadBalancerNotFound"), id="is not there: taken as off"
        ),
    ],
)
def test_the_load_balancer_tells_where_the_group_leaves_it_to_that(
    serve: Serve, api: TargetHealthApi, answer: Answer, expected: tuple[bool, str]
) -> None:
    serve(a_network_balancer(lambda: answer, ARN))
    found = api.groups({ARN: None})[ARN]
    assert isinstance(found, TargetGroup)
    is_zonal, code = expected
    assert found.is_zonal is is_zonal
    assert code in found.zones_unknown
    assert bool(found.zones_unknown) is bool(code)


def test_who_has_no_credentials_any_more_learns_that_and_nothing_is_taken_for_granted(
    serve: Serve, api: TargetHealthApi
) -> None:
    serve(a_network_balancer(lambda: an_error(403, "ExpiredToken"), ARN))
    found = api.groups({ARN: None})[ARN]
    assert isinstance(found, AwsError)
    assert found.is_login


def test_a_load_balancer_is_asked_once_for_all_its_groups(serve: Serve, api: TargetHealthApi) -> None:
    other = ARN.replace("/web/", "/api/")
    server = serve(a_network_balancer(lambda: told_by_the_balancer("true"), ARN, other))
    api.groups({ARN: None, other: None})
    assert sum(b"DescribeLoadBalancerAttributes" in asked.body for asked in server.asked) == 1


def test_a_load_balancer_that_is_throttled_is_asked_again(serve: Serve, api: TargetHealthApi) -> None:
    answers = iter([an_error(400, "Throttling"), told_by_the_balancer("true")])
    serve(a_network_balancer(lambda: next(answers), ARN))
    first, second = (api.groups({ARN: None})[ARN] for _ in range(2))
    assert isinstance(first, AwsError)
    assert first.is_throttled
    assert isinstance(second, TargetGroup)
    assert not second.is_zonal


def test_real_attributes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="us-east-1")
        vpc, subnet = ec2.describe_vpcs()["Vpcs"][0]["VpcId"], ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        elb = boto3.client("elbv2", region_name="us-east-1")
        balancer = elb.create_load_balancer(Name="edge", Type="network", Subnets=[subnet])["LoadBalancers"][0]
        group = elb.create_target_group(Name="web", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip")
        arn = group["TargetGroups"][0]["TargetGroupArn"]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="TCP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON)
        found = [api.groups({arn: None})[arn]]
        elb.modify_target_group_attributes(
            TargetGroupArn=arn,
            Attributes=[{"Key": CROSS_ZONE, "Value": "true"}, {"Key": TERMINATION, "Value": "true"}],
        )
        found.append(api.groups({arn: None})[arn])
        for client in (api, ec2, elb):
            client.close()
    assert [(its.is_zonal, its.keeps_flows) for its in found if isinstance(its, TargetGroup)] == [
        (True, True),
        (False, False),
    ]


NAME = GroupName(group="web")
OTHERS = {
    ARN.replace("us-east-1", "sa-east-1").replace("/web/", f"/{n}/"): Role(arn="arn:aws:iam::210987654321:role/targets")
    for n in range(4)
}
"""Groups that another role is assumed for, wherever these are."""


def named(*members: str) -> Answer:
    inner = "".join(f"<member>{member}</member>" for member in members)
    return answered("DescribeTargetGroups", f"<TargetGroups>{inner}</TargetGroups>")


FOUND = f"<TargetGroupArn>{ARN}</TargetGroupArn><TargetType>ip</TargetType><IpAddressType>ipv6</IpAddressType>"


@pytest.mark.parametrize(
    ("near", "flag", "region"),
    [
        pytest.param((ARN,), None, "us-east-1", id="where another group is"),
        pytest.param(
            (ARN, ARN.replace("us-east-1", "eu-central-1"), ARN.replace("/web/", "/api/")),
            None,
            "us-east-1",
            id="where most of them are",
        ),
        pytest.param((ARN,), "eu-west-2", "eu-west-2", id="where the flag says"),
        pytest.param((), None, "sa-east-1", id="where those of other roles are, as there are no others"),
    ],
)
def test_a_name_is_looked_up(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    near: tuple[str, ...],
    flag: str | None,
    region: str,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    server = serve(lambda _: named(FOUND))
    api = TargetHealthApi(profile=None, region_override=flag, now=lambda: NOON)
    assert api.find([NAME], near=dict.fromkeys(near) | OTHERS) == {
        NAME: FoundGroup(arn=ARN, target_type="ip", is_ipv6=True)
    }
    api.close()
    assert parse_qs(server.asked[0].body.decode())["Names.member.1"] == ["web"]
    assert f"/{region}/elasticloadbalancing/" in server.asked[0].headers["Authorization"]


def test_a_name_alone_is_looked_up_where_the_configuration_says(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, api: TargetHealthApi
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    server = serve(lambda _: named(FOUND))
    api.find([NAME], near={})
    assert "/eu-west-1/elasticloadbalancing/" in server.asked[0].headers["Authorization"]


def test_a_name_that_is_not_there_is_looked_up_in_the_next_likely_region(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, api: TargetHealthApi
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    here = {"Authorization": "/eu-west-1/"}
    server = serve(
        lambda asked: (
            named(FOUND)
            if here["Authorization"] in asked.headers["Authorization"]
            else an_error(400, "TargetGroupNotFound")
        )
    )
    assert api.find([NAME], near={ARN: None}) == {NAME: FoundGroup(arn=ARN, target_type="ip", is_ipv6=True)}
    assert len(server.asked) == 2
    here["Authorization"] = "nowhere"
    error = api.find([NAME], near={ARN: None, **OTHERS})[NAME]
    assert isinstance(error, AwsError)
    assert error.code == "TargetGroupNotFound"
    assert len(server.asked) == 2 + 3


def test_without_any_region_the_flag_is_named(api: TargetHealthApi) -> None:
    error = api.find([NAME], near={})[NAME]
    assert isinstance(error, AwsError)
    assert error.is_lasting
    assert str(error).endswith("; give --aws-region")


def test_an_arn_whose_type_is_not_told_is_looked_up_by_itself(serve: Serve, api: TargetHealthApi) -> None:
    server = serve(lambda _: named(FOUND))
    name = GroupName(group=ARN)
    assert api.find([name], near={}) == {name: FoundGroup(arn=ARN, target_type="ip", is_ipv6=True)}
    assert parse_qs(server.asked[0].body.decode())["TargetGroupArns.member.1"] == [ARN]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (an_error(400, "TargetGroupNotFound"), "TargetGroupNotFound"),
        (an_error(403, "AccessDenied"), "AccessDenied"),
        (an_error(400, "Throttling"), "Throttling"),
        (named(), "TargetGroupNotFound"),
    ],
    ids=["not found", "denied", "throttled", "an empty answer"],
)
def test_a_name_that_can_not_be_resolved_is_told_in_aws_s_words(
    serve: Serve, api: TargetHealthApi, answer: Answer, code: str
) -> None:
    serve(lambda asked: named(FOUND) if b"member.1=api" in asked.body else answer)
    other = GroupName(group="api")
    found: Mapping[GroupName, Any] = api.find([NAME, other], near={ARN: None})
    assert found[NAME].code == code
    assert "target group web" in str(found[NAME])
    assert found[other].arn == ARN
