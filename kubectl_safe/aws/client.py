"""Connections to Elastic Load Balancing: one a region, paced, without botocore's own retries.

Only Describe* calls are ever made.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from kubectl_safe.aws.errors import aws_error
from kubectl_safe.aws.schedule import BETWEEN_CALLS
from kubectl_safe.model.target import account_and_region, group_name
from kubectl_safe.model.trace import AWS_TRACE

_CONNECT_SECONDS, _READ_SECONDS = 5, 10
_ACTION = "elasticloadbalancing"


class Connections:
    """Clients of the `elbv2` service by region, safe to share between threads.

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
        self._clients: dict[str, Any] = {}
        self._free_at: dict[tuple[str, str], datetime] = {}

    def region_of(self, group: str) -> str:
        """Return the region that a target group (an ARN) is asked in."""
        return self._region_override or account_and_region(group)[1]

    def call(
        self, group: str, operation: str, *, subject: str, **parameters: Any
    ) -> tuple[datetime, Mapping[str, Any]]:
        """Make one call and return when it was sent and its answer.

        Args:
            group: an ARN of the account and region that the call counts against.
            operation: such as `describe_target_health`.
            subject: what it is about, for errors.
            parameters: of the operation.

        Raises:
            AwsError: there was no answer.
        """
        name, region = "".join(word.title() for word in operation.split("_")), self.region_of(group)
        self._take_turn(group)
        with self._explained(region, action=f"{_ACTION}:{name}", subject=subject):
            call = getattr(self._client(region), operation)
            if self._trace is not None:
                from kubectl_safe.aws.trace import traced

                names = ", ".join(group_name(arn) for arn in parameters.get("TargetGroupArns") or [group])
                call = traced(call, f"{name} {names} ({region})", trace=self._trace, now=self._now)
            sent = self._now()
            return sent, call(**parameters)

    def _take_turn(self, group: str) -> None:
        """Wait until the account and region may be asked again, whoever asked it last."""
        bucket = account_and_region(group)
        with self._lock:
            now = self._now()
            turn = max(now, self._free_at.get(bucket, datetime.min.replace(tzinfo=UTC)))
            self._free_at[bucket] = turn + BETWEEN_CALLS
        _wait((turn - now).total_seconds())

    def _client(self, region: str) -> Any:
        """Return the region's client; boto3 costs 0.4 s, so it is imported when the first group is asked."""
        with self._lock:
            if region not in self._clients:
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
                self._clients[region] = session.client("elbv2", region_name=region, config=config)
            return self._clients[region]

    @contextmanager
    def _explained(self, region: str, *, action: str, subject: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            yield
        except (BotoCoreError, ClientError, ResponseParserError, LookupError) as error:
            # botocore's parser raises a KeyError at XML that isn't AWS's, such as a proxy's.
            explained = aws_error(error, action=action, subject=subject)
            if explained.is_login:
                # The next call makes a new session, which reads credentials that were renewed meanwhile.
                self._forget(region)
            raise explained from error

    def _forget(self, region: str) -> None:
        with self._lock:
            client = self._clients.pop(region, None)
        if client is not None:
            client.close()

    def close(self) -> None:
        """Close all connections."""
        for region in list(self._clients):
            self._forget(region)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
