"""What AWS says of target groups themselves: their settings, and what is behind a name. It only asks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubectl_safe.aws.attributes import attributes_of, is_zonal, settings_of
from kubectl_safe.aws.client import Connections, Place
from kubectl_safe.aws.errors import AwsError
from kubectl_safe.model.target import FoundGroup, GroupName, Role, TargetGroup, group_name, is_arn

_BATCH = 20
"""Target groups in one DescribeTargetGroups call, at most (API reference)."""


class Groups:
    """Questions about target groups.

    Args:
        connections: what they are asked through; the caller closes them.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._balancers: dict[str, bool] = {}
        """Whether cross-zone load balancing is on, by the ARN of the load balancer, where it was asked for."""

    def settings(self, asked: Mapping[str, Role | None]) -> Mapping[str, TargetGroup | AwsError]:
        """Return the settings of each target group by ARN, or why AWS doesn't tell them.

        An error that time may cure ends the asking: the groups whose turn did not come have it, too.

        Args:
            asked: with which role, by ARN.
        """
        wanted = sorted(asked)
        found: dict[str, TargetGroup | AwsError] = {}
        try:
            for place, batch in self._batches(asked):
                for arn, settings in self._settings(place, batch):
                    found[arn] = settings  # noqa: PERF403 - what came before an error is kept
        except AwsError as error:
            return {arn: found.get(arn, error) for arn in wanted}
        return {arn: found.get(arn) or _left_out(arn) for arn in wanted}

    def find(
        self, wanted: Iterable[GroupName], *, near: Mapping[str, Role | None]
    ) -> Mapping[GroupName, FoundGroup | AwsError]:
        """Return what is behind each name, or why AWS doesn't tell it; `near` are other groups with their roles.

        Each is asked for by itself, as AWS answers a question with one unknown name by an error for all.
        """
        found: dict[GroupName, FoundGroup | AwsError] = {}
        for name in sorted(wanted, key=lambda name: name.group):
            try:
                found[name] = self._find(name, near)
            except AwsError as error:
                found[name] = error
        return found

    def _find(self, name: GroupName, near: Mapping[str, Role | None]) -> FoundGroup:
        """Return what is behind a name.

        Raises:
            AwsError: AWS doesn't tell.
        """
        if is_arn(name.group):
            return self._find_at(self._connections.place_of(name.group, name.role), name, by="TargetGroupArns")
        errors: list[AwsError] = []
        for place in self._connections.places_of_name(name.role, near):
            try:
                return self._find_at(place, name, by="Names")
            except AwsError as error:
                if error.is_refusal or not error.is_lasting:
                    raise
                errors.append(error)
        raise errors[0]

    def _find_at(self, place: Place, name: GroupName, *, by: str) -> FoundGroup:
        subject = f"target group {group_name(name.group)}"
        _, answer = self._connections.call(place, "describe_target_groups", subject=subject, **{by: [name.group]})
        groups: Sequence[Mapping[str, Any]] = answer.get("TargetGroups") or ()
        if len(groups) != 1:
            raise AwsError(f"{subject}: AWS answered with {len(groups)} of them", code="TargetGroupNotFound")
        [raw] = groups
        return FoundGroup(
            arn=raw["TargetGroupArn"],
            target_type=raw.get("TargetType") or "",
            is_ipv6=raw.get("IpAddressType") == "ipv6",
        )

    def _batches(self, asked: Mapping[str, Role | None]) -> list[tuple[Place, Sequence[str]]]:
        by_place: dict[Place, list[str]] = {}
        for arn in sorted(asked):
            by_place.setdefault(self._connections.place_of(arn, asked[arn]), []).append(arn)
        return [(place, same[i : i + _BATCH]) for place, same in by_place.items() for i in range(0, len(same), _BATCH)]

    def _settings(self, place: Place, batch: Sequence[str]) -> Iterator[tuple[str, TargetGroup | AwsError]]:
        """Yield what AWS says of each of some groups of one place.

        Raises:
            AwsError: it says nothing for the moment.
        """
        names = ", ".join(group_name(arn) for arn in batch)
        try:
            _, answer = self._connections.call(
                place, "describe_target_groups", subject=f"target groups {names}", TargetGroupArns=list(batch)
            )
        except AwsError as error:
            if not error.is_lasting:
                raise
            yield from ((arn, error) for arn in batch)
            return
        for raw in answer["TargetGroups"]:
            try:
                yield raw["TargetGroupArn"], self._group(place, raw)
            except AwsError as error:
                if not error.is_lasting:
                    raise
                yield raw["TargetGroupArn"], error

    def _group(self, place: Place, raw: Mapping[str, Any]) -> TargetGroup:
        arn = raw["TargetGroupArn"]
        _, answer = self._connections.call(
            place, "describe_target_group_attributes", subject=f"target group {group_name(arn)}", TargetGroupArn=arn
        )
        attributes = attributes_of(answer)
        zonal, why = is_zonal(raw, attributes), ""
        if zonal is None:
            zonal, why = self._zonal(place, raw.get("LoadBalancerArns") or ())
        return settings_of(raw, attributes, is_zonal=zonal, zones_unknown=why)

    def _zonal(self, place: Place, balancers: Iterable[str]) -> tuple[bool, str]:
        """Tell whether a load balancer keeps requests within zones; where nobody may know, it is taken to, and why.

        Raises:
            AwsError: AWS doesn't answer, or not with these credentials.
        """
        for balancer in balancers:
            try:
                if not self._crosses_zones(place, balancer):
                    return True, ""
            except AwsError as error:
                if error.is_login or not error.is_lasting:
                    raise
                return True, str(error)
        return False, ""

    def _crosses_zones(self, place: Place, balancer: str) -> bool:
        """Tell whether a load balancer sends requests to targets of other zones.

        Raises:
            AwsError: AWS doesn't tell.
        """
        if balancer not in self._balancers:
            _, answer = self._connections.call(
                place,
                "describe_load_balancer_attributes",
                subject=f"load balancer {balancer.rpartition(':loadbalancer/')[2]}",
                LoadBalancerArn=balancer,
            )
            self._balancers[balancer] = is_zonal({}, attributes_of(answer)) is False
        return self._balancers[balancer]


def _left_out(arn: str) -> AwsError:
    return AwsError(f"target group {group_name(arn)}: AWS answered without it", code="TargetGroupNotFound")
