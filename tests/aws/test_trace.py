"""Every call to AWS is seen once, with its error code, and never with what signs it."""

from collections.abc import Iterator

import pytest

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.aws.health import TargetHealthApi
from kubectl_safe.model.target import Target
from kubectl_safe.model.trace import AWS_TRACE, Exchange
from kubectl_safe.render.trace import Tracer
from tests.aws.conftest import ARN, NOON, Serve, a_health, an_error

TARGET = Target(group=ARN, ip="10.0.0.1", port=80)
SESSION = "FwoGZXIvYXdzEXAMPLE"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exchange]]:
    """What is seen of connections that are made meanwhile."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION)
    found: list[Exchange] = []
    token = AWS_TRACE.set(found.append)
    yield found
    AWS_TRACE.reset(token)


@pytest.fixture
def api(seen: list[Exchange]) -> Iterator[TargetHealthApi]:
    """Target health, seen."""
    assert seen == []
    made = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON)
    yield made
    made.close()


def shown(seen: list[Exchange], level: int) -> str:
    lines: list[str] = []
    for exchange in seen:
        Tracer(level, lines.append)(exchange)
    return "\n".join(lines)


def test_a_call_is_a_line_with_the_group_and_its_region(
    serve: Serve, api: TargetHealthApi, seen: list[Exchange]
) -> None:
    serve(lambda _: a_health(("10.0.0.1", 80, "healthy", "")))
    api.ask(ARN, [TARGET])
    assert shown(seen, 6) == "DescribeTargetHealth web (us-east-1) 200 in 0 milliseconds"
    bodies = shown(seen, 8)
    assert f'Request Body: {{"TargetGroupArn": "{ARN}", "Targets": [{{"Id": "10.0.0.1", "Port": 80}}]}}' in bodies
    assert '"TargetHealth": {"State": "healthy"}' in bodies
    assert "ResponseMetadata" not in bodies


def test_a_call_that_fails_is_a_line_with_the_error_code(
    serve: Serve, api: TargetHealthApi, seen: list[Exchange]
) -> None:
    serve(lambda _: an_error(400, "Throttling", "Rate exceeded"))
    with pytest.raises(AwsError):
        api.ask(ARN, [TARGET])
    assert shown(seen, 6) == "DescribeTargetHealth web (us-east-1) 400 Throttling in 0 milliseconds"
    assert "Rate exceeded" in shown(seen, 8)


def test_a_call_without_an_answer_is_a_line_with_the_reason(api: TargetHealthApi, seen: list[Exchange]) -> None:
    with pytest.raises(AwsError):
        api.ask(ARN, [TARGET])
    assert shown(seen, 6).startswith("DescribeTargetHealth web (us-east-1) EndpointConnectionError: Could not connect")


def test_the_session_token_that_aws_repeats_is_shown_nowhere(
    serve: Serve, api: TargetHealthApi, seen: list[Exchange]
) -> None:
    words = f"The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:{SESSION}\n'"
    serve(lambda _: an_error(403, "SignatureDoesNotMatch", words))
    with pytest.raises(AwsError, match="SignatureDoesNotMatch: The Canonical String") as raised:
        api.ask(ARN, [TARGET])
    assert SESSION not in str(raised.value)
    assert SESSION not in shown(seen, 10)


def test_nothing_is_seen_of_connections_that_nobody_wants_to_see(serve: Serve) -> None:
    serve(lambda _: a_health())
    api = TargetHealthApi(profile=None, region_override=None, now=lambda: NOON)
    api.ask(ARN, [TARGET])
    api.close()
    assert api._connections._trace is None
