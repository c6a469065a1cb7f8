"""What the attributes of target groups and load balancers mean. Pure.

Source of names, values and defaults: Elastic Load Balancing API reference, version 2015-12-01, TargetGroupAttribute and
LoadBalancerAttribute.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kubectl_safe.model.group_details import GroupDetails, HealthCheck
from kubectl_safe.model.target import TargetGroup

_DELAY = "deregistration_delay.timeout_seconds"
_DEFAULT_DELAY = "300"
_TERMINATION = "deregistration_delay.connection_termination.enabled"
_CROSS_ZONE = "load_balancing.cross_zone.enabled"
_MINIMUM = (
    "target_group_health.dns_failover.minimum_healthy_targets",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets",
)
_OF_APPLICATION_BALANCERS = {"HTTP", "HTTPS"}
"""The protocols of an Application Load Balancer's groups: it has no flows, and always sends requests to all zones."""


def attributes_of(answer: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the attributes in an answer by name."""
    return {its["Key"]: its["Value"] for its in answer.get("Attributes") or ()}


def settings_of(
    raw: Mapping[str, Any], attributes: Mapping[str, str], *, is_zonal: bool, zones_unknown: str = ""
) -> TargetGroup:
    """Return the settings of a target group.

    Args:
        raw: it, as DescribeTargetGroups tells it.
        attributes: its attributes.
        is_zonal: whether cross-zone load balancing is off.
        zones_unknown: why that could not be asked.
    """
    ends_flows = raw.get("Protocol") in _OF_APPLICATION_BALANCERS or attributes.get(_TERMINATION) == "true"
    return TargetGroup(
        arn=raw["TargetGroupArn"],
        deregistration_delay=timedelta(seconds=int(attributes.get(_DELAY, _DEFAULT_DELAY))),
        health_check_interval=timedelta(seconds=raw.get("HealthCheckIntervalSeconds") or 30),
        healthy_threshold=raw.get("HealthyThresholdCount") or 5,
        minimum_count=max(_number(attributes.get(f"{name}.count")) for name in _MINIMUM),
        minimum_percentage=max(_number(attributes.get(f"{name}.percentage")) for name in _MINIMUM),
        is_zonal=is_zonal,
        zones_unknown=zones_unknown,
        keeps_flows=not ends_flows,
        details=_details_of(raw, attributes),
    )


def _details_of(raw: Mapping[str, Any], attributes: Mapping[str, str]) -> GroupDetails:
    is_sticky = attributes.get("stickiness.enabled") == "true"
    balancers = raw.get("LoadBalancerArns")
    return GroupDetails(
        protocol=raw.get("Protocol") or "",
        version=raw.get("ProtocolVersion") or "",
        check=HealthCheck(
            protocol=raw.get("HealthCheckProtocol") or "",
            path=raw.get("HealthCheckPath") or "",
            port=raw.get("HealthCheckPort") or "traffic-port",
            unhealthy_threshold=raw.get("UnhealthyThresholdCount") or 2,
        ),
        slow_start=timedelta(seconds=_number(attributes.get("slow_start.duration_seconds"))),
        stickiness=(attributes.get("stickiness.type") or "lb_cookie") if is_sticky else "",
        # An empty list says that there is none; an answer without one says nothing.
        balancers=None if balancers is None else tuple(balancers),
    )


def is_zonal(raw: Mapping[str, Any], attributes: Mapping[str, str]) -> bool | None:
    """Tell whether cross-zone load balancing is off by attributes; None where the load balancer's have to tell.

    Args:
        raw: the target group, or nothing for a load balancer.
        attributes: of either.
    """
    told = attributes.get(_CROSS_ZONE)
    if told in {"true", "false"}:
        return told == "false"
    return False if raw.get("Protocol") in _OF_APPLICATION_BALANCERS else None


def _number(value: str | None) -> int:
    """Return a number, and 0 for what is `off` or not told."""
    return int(value) if value and value.isdecimal() else 0
