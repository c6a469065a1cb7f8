"""What AWS says of target groups and their targets, as values of `model`. It only asks; nothing is ever written.

A state that we don't know, or a target that the answer leaves out, is unknown: it is not in what is returned.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from kubectl_safe.aws.client import Connections
from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.groups import Groups
from kubectl_safe.model.target import (
    FoundGroup,
    GroupName,
    Role,
    State,
    Target,
    TargetGroup,
    TargetHealth,
    canonical,
    group_name,
)

_STATES = {state.value: state for state in State}


class TargetHealthApi:
    """Questions to Elastic Load Balancing; boto3 is imported when the first is asked.

    Args:
        profile: of the shared configuration; None means what the environment says.
        region_override: for every call; None means the region in each ARN.
        now: reads the clock.
        has_others: whether to tell of all targets that are registered, whoever is asked for.
    """

    def __init__(
        self,
        *,
        profile: str | None,
        region_override: str | None,
        now: Callable[[], datetime],
        has_others: bool = False,
    ) -> None:
        self._has_others = has_others
        self._connections = Connections(profile=profile, region_override=region_override, now=now)
        self._groups = Groups(self._connections)

    def groups(self, asked: Mapping[str, Role | None]) -> Mapping[str, TargetGroup | AwsError]:
        """Return the settings of each target group by ARN, asked for with a role, or why AWS doesn't tell them."""
        return self._groups.settings(asked)

    def find(
        self, wanted: Iterable[GroupName], *, near: Mapping[str, Role | None]
    ) -> Mapping[GroupName, FoundGroup | AwsError]:
        """Return what is behind each name, or why AWS doesn't tell it; `near` are other groups with their roles."""
        return self._groups.find(wanted, near=near)

    def ask(self, group: str, targets: Collection[Target], role: Role | None = None) -> Mapping[Target, TargetHealth]:
        """Return the health of targets of one group (an ARN), as of the moment before AWS was asked.

        Without naming any, AWS tells of all that are registered or draining: one that is left out is neither.

        Raises:
            AwsError: AWS doesn't answer.
        """
        # Without a zone: a target that is asked for with another zone than it has is answered as not registered.
        named = [{"Id": target.ip, "Port": target.port} for target in sorted(targets)]
        sent, answer = self._connections.call(
            self._connections.place_of(group, role),
            "describe_target_health",
            subject=f"target group {group_name(group)}",
            TargetGroupArn=group,
            **({} if self._has_others else {"Targets": named}),
        )
        descriptions = answer.get("TargetHealthDescriptions") or ()
        try:
            if not self._has_others:
                return _healths(group, descriptions, sent, frozenset(targets))
            mentioned = frozenset(_target(group, its["Target"]) for its in descriptions)
            absent = TargetHealth(state=State.UNUSED, reason="Target.NotRegistered", asked_at=sent)
            missing = dict.fromkeys(frozenset(targets) - mentioned, absent)
            return {**missing, **_healths(group, descriptions, sent, mentioned)}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise AwsError(f"target group {group_name(group)}: the answer can't be read: {error!r}", code="") from error

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()


def _healths(
    group: str, answers: Iterable[Mapping[str, Any]], asked_at: datetime, asked: frozenset[Target]
) -> Mapping[Target, TargetHealth]:
    found: dict[Target, TargetHealth] = {}
    contradicted: set[Target] = set()
    for answer in answers:
        target, health = _target(group, answer["Target"]), answer.get("TargetHealth") or {}
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


def _target(group: str, raw: Mapping[str, Any]) -> Target:
    return Target(group=group, ip=canonical(raw["Id"]), port=raw.get("Port", 0))
