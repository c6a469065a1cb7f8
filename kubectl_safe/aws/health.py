"""What AWS says of target groups and their targets, as values of `model`. It only asks; nothing is ever written.

A state that we don't know, or a target that the answer leaves out, is unknown: it is not in what is returned.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kubectl_safe.aws.client import Connections
from kubectl_safe.aws.errors import AwsError
from kubectl_safe.model.target import State, Target, TargetGroup, TargetHealth, group_name

_BATCH = 20
"""Target groups in one DescribeTargetGroups call, at most (API reference)."""
_DELAY = "deregistration_delay.timeout_seconds"
_DEFAULT_DELAY = "300"
_STATES = {state.value: state for state in State}


class TargetHealthApi:
    """Questions to Elastic Load Balancing; boto3 is imported when the first is asked.

    Args:
        profile: of the shared configuration; None means what the environment says.
        region_override: for every call; None means the region in each ARN.
        now: reads the clock.
    """

    def __init__(self, *, profile: str | None, region_override: str | None, now: Callable[[], datetime]) -> None:
        self._connections = Connections(profile=profile, region_override=region_override, now=now)

    def groups(self, arns: Iterable[str]) -> Mapping[str, TargetGroup | AwsError]:
        """Return the settings of each target group by ARN, or why AWS doesn't tell them.

        An error that time may cure ends the asking: the groups whose turn did not come have it, too.
        """
        wanted = sorted(set(arns))
        found: dict[str, TargetGroup | AwsError] = {}
        try:
            for batch in self._batches(wanted):
                for arn, settings in self._settings(batch):
                    found[arn] = settings  # noqa: PERF403 - what came before an error is kept
        except AwsError as error:
            return {arn: found.get(arn, error) for arn in wanted}
        return {arn: found.get(arn) or _left_out(arn) for arn in wanted}

    def ask(self, group: str, targets: Collection[Target]) -> Mapping[Target, TargetHealth]:
        """Return the health of targets of one group (an ARN), as of the moment before AWS was asked.

        Raises:
            AwsError: AWS doesn't answer.
        """
        # Without a zone: a target that is asked for with another zone than it has is answered as not registered.
        named = [{"Id": target.ip, "Port": target.port} for target in sorted(targets)]
        sent, answer = self._connections.call(
            group,
            "describe_target_health",
            subject=f"target group {group_name(group)}",
            TargetGroupArn=group,
            Targets=named,
        )
        try:
            return _healths(group, answer.get("TargetHealthDescriptions") or (), sent, frozenset(targets))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise AwsError(f"target group {group_name(group)}: the answer can't be read: {error!r}", code="") from error

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def _batches(self, arns: Iterable[str]) -> list[Sequence[str]]:
        by_region: dict[str, list[str]] = {}
        for arn in sorted(set(arns)):
            by_region.setdefault(self._connections.region_of(arn), []).append(arn)
        return [same[i : i + _BATCH] for same in by_region.values() for i in range(0, len(same), _BATCH)]

    def _settings(self, batch: Sequence[str]) -> Iterator[tuple[str, TargetGroup | AwsError]]:
        """Yield what AWS says of each of some groups of one region.

        Raises:
            AwsError: it says nothing for the moment.
        """
        names = ", ".join(group_name(arn) for arn in batch)
        try:
            _, answer = self._connections.call(
                batch[0], "describe_target_groups", subject=f"target groups {names}", TargetGroupArns=list(batch)
            )
        except AwsError as error:
            if not error.is_lasting:
                raise
            yield from ((arn, error) for arn in batch)
            return
        for raw in answer["TargetGroups"]:
            try:
                yield raw["TargetGroupArn"], self._group(raw)
            except AwsError as error:
                if not error.is_lasting:
                    raise
                yield raw["TargetGroupArn"], error

    def _group(self, raw: Mapping[str, Any]) -> TargetGroup:
        arn = raw["TargetGroupArn"]
        _, answer = self._connections.call(
            arn, "describe_target_group_attributes", subject=f"target group {group_name(arn)}", TargetGroupArn=arn
        )
        attributes = {a["Key"]: a["Value"] for a in answer.get("Attributes") or ()}
        return TargetGroup(
            arn=arn,
            deregistration_delay=timedelta(seconds=int(attributes.get(_DELAY, _DEFAULT_DELAY))),
            health_check_interval=timedelta(seconds=raw.get("HealthCheckIntervalSeconds") or 30),
            healthy_threshold=raw.get("HealthyThresholdCount") or 5,
        )


def _left_out(arn: str) -> AwsError:
    return AwsError(f"target group {group_name(arn)}: AWS answered without it", code="TargetGroupNotFound")


def _healths(
    group: str, answers: Iterable[Mapping[str, Any]], asked_at: datetime, asked: frozenset[Target]
) -> Mapping[Target, TargetHealth]:
    found: dict[Target, TargetHealth] = {}
    contradicted: set[Target] = set()
    for answer in answers:
        raw, health = answer["Target"], answer.get("TargetHealth") or {}
        target = Target(group=group, ip=raw["Id"], port=raw.get("Port", 0))
        state = _STATES.get(health.get("State", ""))
        if target not in asked:
            continue
        if state is None:
            contradicted.add(target)
            continue
        said = TargetHealth(
            state=state,
            reason=health.get("Reason") or "",
            description=health.get("Description") or "",
            asked_at=asked_at,
        )
        # An address may be registered in two zones at once: while they disagree, nothing is known of it.
        if found.setdefault(target, said) != said:
            contradicted.add(target)
    return {target: health for target, health in found.items() if target not in contradicted}
