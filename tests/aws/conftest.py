"""Elastic Load Balancing on loopback, scripted, and credentials that lead nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.api_server import Answer, ApiServer, Script

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067"

Serve = Callable[[Script], ApiServer]


@pytest.fixture(autouse=True)
def no_real_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave nothing of the machine's own AWS configuration, and no way out of loopback."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server that answers by a script, and lead boto3 there."""
    with ExitStack() as stack:

        def start(script: Script) -> ApiServer:
            server = stack.enter_context(ApiServer(script))
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            return server

        yield start


def an_xml(text: str) -> Answer:
    """Return an answer of the query protocol."""
    return Answer(body=text.encode(), headers={"Content-Type": "text/xml"})


def an_error(status: int, code: str, message: str = "words") -> Answer:
    """Return an error of the query protocol."""
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Answer(status=status, body=text.encode(), headers={"Content-Type": "text/xml"})


def a_health(*answers: tuple[str, int, str, str]) -> Answer:
    """Return an answer of DescribeTargetHealth: address, port, state and reason of each target."""
    members = "".join(
        f"<member><Target><Id>{ip}</Id><Port>{port}</Port></Target><TargetHealth><State>{state}</State>"
        f"{f'<Reason>{reason}</Reason>' if reason else ''}</TargetHealth></member>"
        for ip, port, state, reason in answers
    )
    return an_xml(
        '<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">'
        f"<DescribeTargetHealthResult><TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        "</DescribeTargetHealthResult></DescribeTargetHealthResponse>"
    )
