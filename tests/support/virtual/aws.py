"""The tool's client of Elastic Load Balancing, in place of boto3's."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from kubectl_safe.aws.client import Place
from kubectl_safe.sandbox.elbv2 import ACCOUNT, REGION, Elbv2, Elbv2Error, Target
from tests.support.virtual.calls import Befalling, Question
from tests.support.virtual.process import current

CALLER = "kubectl-safe"


def client_error(code: str, message: str, operation: str) -> ClientError:
    """Return AWS's error as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Elbv2Client:
    """A client of the `elbv2` service."""

    def __init__(self, elbv2: Elbv2, befalling: Befalling, place: Place | None = None) -> None:
        self._elbv2 = elbv2
        self._befalling = befalling
        self._place = place or Place(account=ACCOUNT, region=REGION, role=None)

    def of(self, place: Place) -> "Elbv2Client":
        """Return the client for a place."""
        return Elbv2Client(self._elbv2, self._befalling, place)

    def close(self) -> None:
        pass

    def describe_target_groups(self, **named: list[str]) -> Mapping[str, Any]:
        return self._ask("DescribeTargetGroups", self._groups, **named)

    def describe_load_balancer_attributes(self, *, LoadBalancerArn: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        return self._ask("DescribeLoadBalancerAttributes", self._balancer, LoadBalancerArn=LoadBalancerArn)

    def describe_target_group_attributes(self, *, TargetGroupArn: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        return self._ask("DescribeTargetGroupAttributes", self._attributes, TargetGroupArn=TargetGroupArn)

    def describe_target_health(
        self,
        *,
        TargetGroupArn: str,  # noqa: N803 - boto3's name
        Targets: list[dict[str, Any]],  # noqa: N803 - boto3's name
    ) -> Mapping[str, Any]:
        return self._ask("DescribeTargetHealth", self._health, TargetGroupArn=TargetGroupArn, Targets=Targets)

    def _ask(self, operation: str, answer: Callable[..., Mapping[str, Any]], **parameters: Any) -> Mapping[str, Any]:
        def ask() -> Mapping[str, Any]:
            try:
                self._elbv2.see(parameters.get("TargetGroupArn", ""), within=self._within())
                return answer(**parameters)
            except Elbv2Error as error:
                raise client_error(error.code, error.message, operation) from error

        question = Question(
            process=current(),
            number=self._befalling.next(),
            operation=operation,
            parameters=parameters,
            ask=ask,
        )
        fault = self._befalling.question(question)
        told: Mapping[str, Any] = fault(question) if fault else question.plainly()
        return told

    def _within(self) -> str:
        """Return the region and account that it sees, for which a role may have to be assumed."""
        role = self._place.role
        account = self._elbv2.assume_role(role.arn, role.external_id) if role else ACCOUNT
        return f"{self._place.region}:{account}"

    def _groups(self, TargetGroupArns: Sequence[str] = (), Names: Sequence[str] = ()) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        groups = self._elbv2.describe_target_groups(TargetGroupArns, Names, caller=CALLER, within=self._within())
        return {
            "TargetGroups": [
                {
                    "TargetGroupArn": group.arn,
                    "TargetGroupName": group.name,
                    "TargetType": group.target_type,
                    "Protocol": group.protocol,
                    "LoadBalancerArns": [group.balancer],
                    "HealthCheckIntervalSeconds": max(1, round(group.interval)),
                    "HealthyThresholdCount": group.healthy_threshold,
                }
                for group in groups
            ]
        }

    def _balancer(self, LoadBalancerArn: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        found = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn, caller=CALLER)
        return {"Attributes": [{"Key": key, "Value": value} for key, value in found.items()]}

    def _attributes(self, TargetGroupArn: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        found = self._elbv2.describe_target_group_attributes(TargetGroupArn, caller=CALLER)
        return {"Attributes": [{"Key": key, "Value": value} for key, value in found.items()]}

    def _health(self, TargetGroupArn: str, Targets: list[dict[str, Any]]) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        asked = [Target(target["Id"], target["Port"]) for target in Targets]
        described = self._elbv2.describe_target_health(TargetGroupArn, asked, caller=CALLER)
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": target.id, "Port": target.port},
                    "TargetHealth": {"State": its.state, "Reason": its.reason, "Description": its.description},
                }
                for target, its in described
            ]
        }
