"""The last Warning event of an object, where one can be had."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.events import last_warning
from kubectl_safe.model.event import Subject
from tests.support.builders import NOW, ago

WEB = Subject(kind="TargetGroupBinding", namespace="shop", name="web")


@dataclass
class Events:
    """A client that has these events, or a refusal."""

    items: list[dict[str, Any]] = field(default_factory=list)
    refusal: ApiError | None = None
    clock_offset: timedelta = timedelta(0)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def request(self, method: str, path: str, *, query: Any = None, timeout: float = 0) -> dict[str, Any]:  # noqa: ARG002
        self.asked.append((path, query["fieldSelector"]))
        if self.refusal:
            raise self.refusal
        return {"items": self.items}


def an_event(seconds: float, message: str = "it failed", **changes: Any) -> dict[str, Any]:
    moment = ago(seconds).isoformat()
    known = {"metadata": {"creationTimestamp": moment}, "reason": "Failed", "message": message, "lastTimestamp": moment}
    return known | changes


def test_asks_for_the_warnings_of_the_one_object() -> None:
    client = Events()
    assert last_warning(client, WEB, NOW) == ""
    selector = "involvedObject.kind=TargetGroupBinding,involvedObject.name=web,type=Warning"
    assert client.asked == [("/api/v1/namespaces/shop/events", selector)]


def test_tells_the_last_one_with_its_age_in_one_line() -> None:
    client = Events([an_event(70), an_event(4, "no\n  right"), an_event(90)])
    assert last_warning(client, WEB, NOW) == "Failed 4s ago: no right"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"lastTimestamp": None, "eventTime": ago(9).isoformat()}, id="the one time of a new event"),
        pytest.param(
            {
                "lastTimestamp": None,
                "eventTime": ago(500).isoformat(),
                "series": {"count": 3, "lastObservedTime": ago(9).isoformat()},
            },
            id="the last one of a series",
        ),
        pytest.param(
            {"lastTimestamp": None, "metadata": {"creationTimestamp": ago(9).isoformat()}}, id="when it was written"
        ),
    ],
)
def test_knows_when_an_event_last_happened(changes: dict[str, Any]) -> None:
    assert last_warning(Events([an_event(0) | changes]), WEB, NOW) == "Failed 9s ago: it failed"


def test_an_age_is_by_the_servers_clock() -> None:
    assert last_warning(Events([an_event(4)], clock_offset=timedelta(seconds=3)), WEB, NOW).startswith("Failed 7s ago")
    assert last_warning(Events([an_event(-2)]), WEB, NOW).startswith("Failed 0s ago")


def test_a_complaint_that_was_not_repeated_for_long_is_over() -> None:
    assert last_warning(Events([an_event(1001)]), WEB, NOW) == ""


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(Events(refusal=ApiError("events is forbidden", status=403)), id="without the right"),
        pytest.param(Events([{"metadata": {"creationTimestamp": "yesterday"}}]), id="where they can't be read"),
    ],
)
def test_goes_without_events(client: Events) -> None:
    assert last_warning(client, WEB, NOW) == ""
