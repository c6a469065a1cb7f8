"""`-v` tells as much as its level says, as kubectl does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_safe.model.trace import Exchange
from kubectl_safe.render.trace import Tracer

TOKEN = "a-token-of-an-admin"

EXCHANGE = Exchange(
    asked="GET https://127.0.0.1:6443/api/v1/nodes/x",
    answered="200 OK",
    took=timedelta(milliseconds=12.4),
    asked_headers={"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"},
    asked_body=b'{"a": 1}',
    answered_headers={"Content-Type": "application/json"},
    answered_body=b'{"b": 2}',
)

LINE = "GET https://127.0.0.1:6443/api/v1/nodes/x 200 OK in 12 milliseconds"
HEADERS = ["Request Headers:", "    Accept: application/json", "    Authorization: Bearer <masked>"]
ANSWERED = ["Response Headers:", "    Content-Type: application/json"]
WITH_BODIES = [LINE, *HEADERS, 'Request Body: {"a": 1}', *ANSWERED, 'Response Body: {"b": 2}']


def shown(exchange: Exchange, level: int) -> list[str]:
    lines: list[str] = []
    Tracer(level, lines.append)(exchange)
    return "\n".join(lines).splitlines()


LEVELS = [(0, []), (5, []), (6, [LINE]), (7, [LINE, *HEADERS, *ANSWERED]), (8, WITH_BODIES), (10, WITH_BODIES)]


@pytest.mark.parametrize(("level", "lines"), LEVELS)
def test_a_level_shows_what_it_shows_with_kubectl(level: int, lines: list[str]) -> None:
    assert shown(EXCHANGE, level) == lines


def test_a_body_is_cut_and_what_is_cut_off_is_counted() -> None:
    body = b'"' + b"x" * 2000 + b'"'
    assert shown(replace(EXCHANGE, answered_body=body), 8)[-1] == (
        f'Response Body: "{"x" * 1023} [truncated 978 chars]'
    )


@pytest.mark.parametrize("level", [6, 8, 10])
def test_what_a_request_was_authenticated_by_is_shown_nowhere(level: int) -> None:
    """Not where the server repeats it in words, either: in a body, in a header, in an error."""
    repeated = replace(
        EXCHANGE,
        answered=f"failed: {TOKEN} is not known",
        asked_body=TOKEN.encode(),
        answered_headers={"Warning": f"{TOKEN} expires"},
        answered_body=f'{{"message": "{TOKEN} expires"}}'.encode(),
    )
    assert TOKEN not in "\n".join(shown(repeated, level))


def test_a_credential_is_masked_before_its_body_is_cut() -> None:
    body = b'{"a": "' + b"x" * 1000 + b'", "token": "hunter2"}'
    assert "hunt" not in "\n".join(shown(replace(EXCHANGE, answered_body=body), 8))


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    assert shown(replace(EXCHANGE, took=timedelta(seconds=-1)), 6)[0].endswith(" in 0 milliseconds")
