"""Connections to Elastic Load Balancing: one a region and role, paced, without botocore's own retries.

Only Describe* calls are ever made, and roles are assumed for them.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubectl_safe.aws.errors import ASSUME_ROLE, aws_error
from kubectl_safe.aws.schedule import BETWEEN_CALLS
from kubectl_safe.model.target import Role, account_and_region, group_name
from kubectl_safe.model.trace import AWS_TRACE

_CONNECT_SECONDS, _READ_SECONDS = 5, 10
_ACTION = "elasticloadbalancing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call goes: the account and region that it counts against, and the role that it is made with."""

    account: str
    """Empty for that of our own credentials, where no ARN tells it."""
    region: str | None
    """None for what the SDK's configuration says."""
    role: Role | None


class Connections:
    """Clients of the `elbv2` service by region and role, safe to share between threads.

    Args:
        profile: of the shared configuration; None means what the environment says.
        region_override: for every call; None means the region in each ARN.
        now: reads the clock.
    """

    def __init__(self, *, profile: str | None, region_override: str | None, now: Callable[[], datetime]) -> None:
        self._profile = profile
        self._region_override = region_override
        self._now = now
        self._trace = AWS_TRACE.get()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str | None, Role | None], tuple[Any, ...]] = {}
        self._free_at: dict[tuple[str, str | None], datetime] = {}

    def place_of(self, group: str, role: Role | None) -> Place:
        """Return where a target group (an ARN) is asked."""
        account, region = account_and_region(group)
        return Place(account=account, region=self._region_override or region, role=role)

    def places_of_name(self, role: Role | None, near: Mapping[str, Role | None]) -> list[Place]:
        """Return where to ask for a target group by its name, the likeliest place first.

        A controller's groups are in the region of its cluster: in that of most others (ARNs) with the same role, or of
        any others; or in the one that the SDK's configuration says.
        """
        account = "".join(role.arn.split(":")[4:5]) if role else ""
        regions = Counter((its == role, account_and_region(arn)[1]) for arn, its in near.items())
        likely = [region for (_, region), _ in sorted(regions.items(), key=lambda it: (not it[0][0], -it[1], it[0][1]))]
        wanted = [self._region_override] if self._region_override else [*dict.fromkeys(likely), None]
        return [Place(account=account, region=region, role=role) for region in wanted]

    def call(
        self, place: Place, operation: str, *, subject: str, **parameters: Any
    ) -> tuple[datetime, Mapping[str, Any]]:
        """Make one call and return when it was sent and its answer.

        Args:
            place: where it goes.
            operation: such as `describe_target_health`.
            subject: what it is about, for errors.
            parameters: of the operation.

        Raises:
            AwsError: there was no answer.
        """
        name = "".join(word.title() for word in operation.split("_"))
        self._take_turn(place)
        with self._explained(place, action=f"{_ACTION}:{name}", subject=subject):
            call = getattr(self._client(place), operation)
            if self._trace is not None:
                from kubectl_safe.aws.trace import traced

                asked = f"{name} {_named(parameters)} ({place.region})"
                call = traced(call, asked, trace=self._trace, now=self._now)
            sent = self._now()
            return sent, call(**parameters)

    def _take_turn(self, place: Place) -> None:
        """Wait until the account and region may be asked again, whoever asked it last."""
        bucket = place.account, place.region
        with self._lock:
            now = self._now()
            turn = max(now, self._free_at.get(bucket, datetime.min.replace(tzinfo=UTC)))
            self._free_at[bucket] = turn + BETWEEN_CALLS
        _wait((turn - now).total_seconds())

    def _client(self, place: Place) -> Any:
        """Return the place's client; boto3 costs 0.4 s, so it is imported when the first group is asked."""
        key = place.region, place.role
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._connect(place)
            return self._clients[key][0]

    def _connect(self, place: Place) -> tuple[Any, ...]:
        """Return a client, and what else has to be closed with it."""
        import boto3
        from botocore.config import Config

        config = Config(
            # Retries are the schedule's: botocore's would be calls that it doesn't count.
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            user_agent_extra="kubectl-safe",
        )
        session = boto3.Session(profile_name=self._profile)
        if place.role is None:
            return (session.client("elbv2", region_name=place.region, config=config),)
        from kubectl_safe.aws.roles import session_of

        sts = session.client("sts", region_name=place.region, config=config)
        session = session_of(place.role, sts, profile=self._profile)
        return session.client("elbv2", region_name=place.region, config=config), sts

    @contextmanager
    def _explained(self, place: Place, *, action: str, subject: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            yield
        except (BotoCoreError, ClientError, ResponseParserError, LookupError) as error:
            # botocore's parser raises a KeyError at XML that isn't AWS's, such as a proxy's.
            if place.role and getattr(error, "operation_name", "") == "AssumeRole":
                action, subject = ASSUME_ROLE, f"{place.role.arn} for {subject}"
            explained = aws_error(error, action=action, subject=subject)
            if explained.is_login:
                # The next call makes a new session, which reads credentials that were renewed meanwhile.
                self._forget((place.region, place.role))
            raise explained from error

    def _forget(self, key: tuple[str | None, Role | None]) -> None:
        with self._lock:
            clients = self._clients.pop(key, ())
        for client in clients:
            client.close()

    def close(self) -> None:
        """Close all connections."""
        for key in list(self._clients):
            self._forget(key)


def _named(parameters: Mapping[str, Any]) -> str:
    """Return what a call is about in short: the names in its ARNs, or the names that it asks for."""
    one = parameters.get("TargetGroupArn") or parameters.get("LoadBalancerArn")
    several = parameters.get("TargetGroupArns") or parameters.get("Names") or [one]
    return ", ".join(group_name(arn) for arn in several)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
