"""Tables and lines of the demo."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from kubectl_safe.sandbox.demo.picture import closing_table, introduction, live_line, live_table, words
from kubectl_safe.sandbox.demo.settings import Settings
from kubectl_safe.sandbox.demo.trial import Trial

LOST = {"502": 18, "refused": 52}


def a_trial(title: str = "kubectl drain", *, seconds: float = 3.14, **changes: Any) -> Trial:
    """Return what the tables read of a trial that is over."""
    lost: dict[str, int] = changes.pop("lost", LOST)
    report = SimpleNamespace(total=815, lost=sum(lost.values()), lost_by_reason=lost)
    now = {"web": 4, "api": 4}
    values: dict[str, Any] = {
        "title": title,
        "report": report,
        "lowest": {"web": 2, "api": 3},
        "stage": SimpleNamespace(in_service=lambda: now),
        "settings": Settings(),
        "seconds": seconds,
        "began": 1.0,
        "is_running": False,
    }
    return cast("Trial", SimpleNamespace(**{**values, **changes}))


def test_the_closing_table_has_a_row_for_each_trial() -> None:
    safe = a_trial("kubectl safe drain", lost={}, seconds=12.0, lowest={"web": 4, "api": 4})
    assert closing_table([a_trial(), safe], 100) == [
        "                    REQUESTS    LOST                     LOWEST CAPACITY    FULL AFTER",
        "kubectl drain       815         70 (52 refused, 18 502)  2/4 web, 3/4 api   3.1s",
        "kubectl safe drain  815         0                        4/4 web, 4/4 api   12.0s",
    ]


@pytest.mark.parametrize("width", [60, 75])
def test_a_table_that_is_too_wide_has_its_enumerations_below_each_other(width: int) -> None:
    assert closing_table([a_trial()], width) == [
        "               REQUESTS    LOST          LOWEST CAPACITY    FULL AFTER",
        "kubectl drain  815         70            2/4 web,           3.1s",
        "                           (52 refused,  3/4 api",
        "                           18 502)",
    ]


def test_a_trial_that_is_to_come_has_an_empty_row() -> None:
    waiting = a_trial("kubectl safe drain", began=None, seconds=0.0)
    assert live_table([a_trial(is_running=True), waiting], 100) == [
        "                    TIME    REQUESTS    LOST                     IN SERVICE",
        "kubectl drain       3.1s    815         70 (52 refused, 18 502)  4/4 web, 4/4 api",
        "kubectl safe drain",
    ]


def test_a_trial_that_is_over_shows_its_lowest_capacity() -> None:
    assert live_table([a_trial()], 100)[1].endswith("  lowest 2/4 web, 3/4 api")


def test_a_line_tells_requests_losses_and_capacity() -> None:
    assert live_line(a_trial()) == "815 requests, 70 lost (52 refused, 18 502); in service: 4/4 web, 4/4 api"


def test_no_loss_has_no_reason() -> None:
    assert words({}) == "0 lost"


def test_the_introduction_says_what_the_settle_time_is_made_of() -> None:
    assert "Pods settle for 5s: proxies hear within 1s, requests take 3s, and 1s more." in introduction(Settings())
