"""Target groups of the sandbox behave as those of Elastic Load Balancing, and a real client can ask."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from kubectl_safe.sandbox.elbv2 import Elbv2Error, Target
from kubectl_safe.sandbox.elbv2_api import Elbv2Api
from kubectl_safe.sandbox.elbv2_faults import (
    Refusal,
    access_denied,
    expired_token,
    first_of,
    internal_failure,
    refusing,
    throttling,
)
from tests.support.loop import eventually
from tests.support.rig import PORT, Targets, some_targets

UNKNOWN = Target("10.244.9.9", PORT)


def with_targets(claim: Callable[[Targets], Coroutine[Any, Any, None]], count: int = 1, **group: float) -> None:
    async def scenario() -> None:
        async with some_targets(count, **group) as targets:
            await claim(targets)

    asyncio.run(scenario())


def with_client(claim: Callable[[Targets, Any], None], count: int = 1) -> None:
    """Make a claim with a real boto3 client, in a thread."""

    async def scenario() -> None:
        async with some_targets(count) as targets, Elbv2Api(targets.elbv2) as api:
            client = boto3.client(
                "elbv2",
                endpoint_url=api.url,
                region_name="eu-west-1",
                aws_access_key_id="the-tool",
                aws_secret_access_key="secret",
                config=Config(retries={"total_max_attempts": 1}),
            )
            try:
                await asyncio.to_thread(claim, targets, client)
            finally:
                client.close()

    asyncio.run(scenario())


def states(targets: Targets, target: Target) -> list[tuple[str, str]]:
    return [(told.health.state, told.health.reason) for told in targets.elbv2.transitions if told.target == target]


def test_a_target_is_initial_until_real_checks_found_it_healthy() -> None:
    async def claim(targets: Targets) -> None:
        assert states(targets, next(iter(targets.servers))) == [
            ("initial", "Elb.RegistrationInProgress"),
            ("initial", "Elb.InitialHealthChecking"),
            ("healthy", ""),
        ]

    with_targets(claim)


def test_a_target_is_not_healthy_before_as_many_good_checks_as_its_threshold() -> None:
    async def claim(targets: Targets) -> None:
        [_, checking, healthy] = targets.elbv2.transitions
        # The first check is immediate, so three of them span two intervals.
        assert healthy.time - checking.time >= 2 * 0.2

    with_targets(claim, interval=0.2, healthy_threshold=3)


def test_a_target_is_not_unhealthy_before_as_many_bad_checks_as_its_threshold() -> None:
    async def claim(targets: Targets) -> None:
        [target] = targets.servers
        targets.kill(target)
        killed = time.time()
        await eventually(lambda: targets.health(target)[0] == "unhealthy")
        assert targets.elbv2.transitions[-1].time - killed >= 2 * 0.2

    with_targets(claim, interval=0.2, unhealthy_threshold=3)


def test_a_target_that_dies_becomes_unhealthy_and_gets_no_requests() -> None:
    async def claim(targets: Targets) -> None:
        dead, alive = targets.servers
        targets.kill(dead)
        await eventually(lambda: targets.health(dead) == ("unhealthy", "Target.FailedHealthChecks"))
        assert targets.elbv2.routable(targets.group.arn) == [alive]

    with_targets(claim, count=2)


def test_a_wrong_answer_and_a_late_one_have_reasons_of_their_own() -> None:
    async def claim(targets: Targets) -> None:
        [target] = targets.servers
        targets.group.health_path = "/nothing"
        await eventually(lambda: targets.health(target) == ("unhealthy", "Target.ResponseCodeMismatch"))
        targets.group.health_path = "/stream?seconds=1"
        targets.group.timeout = 0.1
        await eventually(lambda: targets.health(target) == ("unhealthy", "Target.Timeout"))

    with_targets(claim)


def test_a_deregistered_target_drains_for_the_delay_and_is_then_unused_by_name_only() -> None:
    async def claim(targets: Targets) -> None:
        [target] = targets.servers
        arn = targets.group.arn
        targets.elbv2.deregister(arn, [target], caller="test")
        assert targets.health(target) == ("draining", "Target.DeregistrationInProgress")
        await eventually(lambda: targets.health(target) == ("unused", "Target.NotRegistered"))
        assert targets.elbv2.describe_target_health(arn, caller="test") == []
        draining, gone = targets.elbv2.transitions[-2:]
        assert gone.time - draining.time == pytest.approx(0.5, abs=0.2)

    with_targets(claim, deregistration_delay=0.5)


def test_a_group_that_drains_forever_keeps_a_target_draining_until_it_no_longer_does() -> None:
    async def claim(targets: Targets) -> None:
        [target] = targets.servers
        targets.group.drains_forever = True
        targets.elbv2.deregister(targets.group.arn, [target], caller="test")
        await asyncio.sleep(4 * targets.group.deregistration_delay)
        assert targets.health(target) == ("draining", "Target.DeregistrationInProgress")
        targets.group.drains_forever = False
        await eventually(lambda: targets.health(target) == ("unused", "Target.NotRegistered"))

    with_targets(claim, deregistration_delay=0.1)


def test_a_target_that_was_never_registered_is_unused() -> None:
    async def claim(targets: Targets) -> None:
        assert targets.health(UNKNOWN) == ("unused", "Target.NotRegistered")

    with_targets(claim)


def test_a_target_that_is_registered_while_it_drains_is_checked_anew_and_stays() -> None:
    async def claim(targets: Targets) -> None:
        [target] = targets.servers
        arn = targets.group.arn
        targets.elbv2.deregister(arn, [target], caller="test")
        targets.elbv2.register(arn, [target], caller="test")
        assert targets.health(target)[0] == "initial"
        await asyncio.sleep(0.7)  # longer than the delay of the deregistration that was taken back
        assert targets.health(target)[0] == "healthy"

    with_targets(claim, deregistration_delay=0.3)


def test_new_requests_go_on_to_a_draining_target_for_a_moment_and_then_no_more() -> None:
    async def claim(targets: Targets) -> None:
        draining, staying = targets.servers
        targets.elbv2.deregister(targets.group.arn, [draining], caller="test")
        began = time.monotonic()
        assert set(targets.elbv2.routable(targets.group.arn)) == {draining, staying}
        await eventually(lambda: targets.elbv2.routable(targets.group.arn) == [staying])
        assert time.monotonic() - began == pytest.approx(1.5, abs=0.3)
        assert targets.health(draining)[0] == "draining"

    with_targets(claim, count=2)


def test_with_no_healthy_target_requests_go_to_all_that_are_registered() -> None:
    async def claim(targets: Targets) -> None:
        for target in targets.servers:
            targets.kill(target)
        await eventually(lambda: all(targets.health(target)[0] == "unhealthy" for target in targets.servers))
        assert set(targets.elbv2.routable(targets.group.arn)) == set(targets.servers)

    with_targets(claim, count=2)


def test_every_call_is_in_the_journal_with_its_caller_and_its_error() -> None:
    async def claim(targets: Targets) -> None:
        [target] = targets.servers
        arn = targets.group.arn
        targets.elbv2.journal.clear()
        targets.elbv2.deregister(arn, [target], caller="somebody")
        targets.elbv2.throttled_until = time.time() + 60
        with pytest.raises(Elbv2Error, match="Throttling"):
            targets.elbv2.describe_target_health(arn, caller="another")
        assert [call[1:] for call in targets.elbv2.journal] == [
            ("somebody", "DeregisterTargets", arn, (target,), ""),
            ("another", "DescribeTargetHealth", arn, (), "Throttling"),
        ]
        assert all(abs(call.time - time.time()) < 5 for call in targets.elbv2.journal)

    with_targets(claim)


def test_boto3_reads_the_health_of_named_targets_and_of_all() -> None:
    def claim(targets: Targets, client: Any) -> None:
        arn = targets.group.arn
        asked = [{"Id": UNKNOWN.id, "Port": UNKNOWN.port}]
        [unused] = client.describe_target_health(TargetGroupArn=arn, Targets=asked)["TargetHealthDescriptions"]
        assert unused["Target"] == {"Id": UNKNOWN.id, "Port": UNKNOWN.port}
        assert unused["TargetHealth"]["State"] == "unused"
        assert unused["TargetHealth"]["Reason"] == "Target.NotRegistered"
        listed = client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        assert {health["Target"]["Id"] for health in listed} == {target.id for target in targets.servers}
        assert [health["TargetHealth"] for health in listed] == [{"State": "healthy"}] * 2

    with_client(claim, count=2)


def test_boto3_reads_groups_and_their_attributes() -> None:
    def claim(targets: Targets, client: Any) -> None:
        for asked in ({}, {"Names": ["web"]}, {"TargetGroupArns": [targets.group.arn]}):
            [group] = client.describe_target_groups(**asked)["TargetGroups"]
            assert (group["TargetGroupArn"], group["TargetType"]) == (targets.group.arn, "ip")
        attributes = client.describe_target_group_attributes(TargetGroupArn=targets.group.arn)["Attributes"]
        assert {"Key": "deregistration_delay.timeout_seconds", "Value": "2"} in attributes

    with_client(claim)


def test_boto3_reads_what_else_a_group_is_like() -> None:
    def claim(targets: Targets, client: Any) -> None:
        [group] = client.describe_target_groups()["TargetGroups"]
        assert (group["ProtocolVersion"], group["HealthCheckPort"]) == ("HTTP1", "traffic-port")
        assert group["LoadBalancerArns"] == [targets.group.balancer]
        targets.group.protocol, targets.group.health_port, targets.group.is_behind = "TCP", "9000", False
        [group] = client.describe_target_groups()["TargetGroups"]
        assert "ProtocolVersion" not in group
        assert (group["HealthCheckPort"], group["LoadBalancerArns"]) == ("9000", [])

    with_client(claim)


def test_boto3_meets_the_errors_of_aws() -> None:
    def claim(targets: Targets, client: Any) -> None:
        other = targets.group.arn.replace("/web/", "/other/")
        with pytest.raises(client.exceptions.TargetGroupNotFoundException):
            client.describe_target_health(TargetGroupArn=other)
        with pytest.raises(client.exceptions.TargetGroupNotFoundException):
            client.describe_target_groups(Names=["other"])
        targets.elbv2.throttled_until = time.time() + 60
        with pytest.raises(botocore.exceptions.ClientError, match=r"\(Throttling\)"):
            client.describe_target_health(TargetGroupArn=targets.group.arn)

    with_client(claim)


@pytest.mark.parametrize(
    ("refusal", "code", "status", "words"),
    [
        pytest.param(expired_token, "ExpiredToken", 403, "token included in the request is expired", id="expired"),
        pytest.param(access_denied, "AccessDenied", 403, "perform: elasticloadbalancing:DescribeTarget", id="denied"),
        pytest.param(throttling, "Throttling", 400, "Rate exceeded", id="throttled"),
        pytest.param(internal_failure, "InternalFailure", 500, "internal error", id="AWS's own fault"),
    ],
)
def test_boto3_meets_a_refusal_with_the_code_and_the_status_of_aws(
    refusal: Refusal, code: str, status: int, words: str
) -> None:
    def claim(targets: Targets, client: Any) -> None:
        arn = targets.group.arn
        targets.elbv2.fault = refusing(refusal, caller="the-tool")
        calls: list[Callable[[], Any]] = [
            lambda: client.describe_target_health(TargetGroupArn=arn),
            lambda: client.describe_target_groups(TargetGroupArns=[arn]),
            lambda: client.describe_target_group_attributes(TargetGroupArn=arn),
        ]
        for call in calls:
            with pytest.raises(botocore.exceptions.ClientError, match=words) as raised:
                call()
            assert raised.value.response["Error"]["Code"] == code
            assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    with_client(claim)


def test_a_refusal_meets_only_what_it_names() -> None:
    now = time.time()
    named = {"caller": "tool", "action": "DeregisterTargets", "group": "arn:web"}
    call = ("tool", "DeregisterTargets", "arn:web")
    fault = refusing(expired_token, **named, until=now + 60)
    assert fault(*call) is not None
    assert fault("tool", "DeregisterTargets", "arn:other,arn:web") is not None
    assert fault("controller", *call[1:]) is None
    assert fault("tool", "RegisterTargets", "arn:web") is None
    assert fault("tool", "DeregisterTargets", "arn:other") is None
    assert refusing(expired_token, **named, until=now)(*call) is None


def test_of_two_refusals_the_first_that_matches_is_met() -> None:
    fault = first_of(refusing(expired_token, caller="tool"), refusing(throttling))
    met = [fault(caller, "DescribeTargetHealth", "") for caller in ("tool", "other")]
    assert [error.code for error in met if error] == ["ExpiredToken", "Throttling"]


def test_a_write_over_http_is_refused_and_in_the_journal_under_its_key() -> None:
    def claim(targets: Targets, client: Any) -> None:
        [target] = targets.servers
        arn = targets.group.arn
        with pytest.raises(botocore.exceptions.ClientError, match=r"\(AccessDenied\)"):
            client.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": target.id, "Port": target.port}])
        assert targets.elbv2.journal[-1][1:4] == ("the-tool", "DeregisterTargets", arn)
        assert targets.elbv2.journal[-1].error == "AccessDenied"
        assert targets.group.targets[target].health.state == "healthy"

    with_client(claim)
