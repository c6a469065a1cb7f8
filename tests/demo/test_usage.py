"""Flags that can't be meant are refused in one sentence, with exit code 2, and nothing is begun."""

import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.sandbox.demo import play
from kubectl_safe.sandbox.demo.settings import Settings
from kubectl_safe.sandbox.traffic import Loss, TrafficReport

REFUSED = [
    pytest.param(["--pods", "0"], "'0' is not a whole number from 1 to 50", id="no pod"),
    pytest.param(["--pods", "two"], "'two' is not a whole number from 1 to 50", id="a word"),
    pytest.param(["--pods", "1.5"], "'1.5' is not a whole number from 1 to 50", id="half a pod"),
    pytest.param(["--nodes", "1"], "'1' is not a whole number from 2 to 20", id="nowhere to go"),
    pytest.param(["--rate", "0"], "'0' is not a whole number from 1 to 1000", id="no traffic"),
    pytest.param(["--rate", "1001"], "'1001' is not a whole number from 1 to 1000", id="too much traffic"),
    pytest.param(["--seed", "-1"], "'-1' is not a whole number from 0 to 999999999", id="a negative seed"),
    pytest.param(["--deregistration-delay", "4"], "'4' is not a duration", id="a delay without a unit"),
    pytest.param(["--deregistration-delay", "11m"], "'11m' is too long for a demonstration", id="a long delay"),
    pytest.param(["--report", "/no/such/folder/r.html"], "can't be written: no such file", id="nowhere to write"),
    pytest.param(["--keep", "--report", os.devnull], "can't be written: is no regular file", id="no file"),
    pytest.param(["--keep", "--report", "demo.html"], "--keep alone does neither: name one", id="nothing to report"),
    pytest.param(["--node", "3"], "unknown flag: --node", id="an unknown flag"),
    pytest.param(["undo"], "demo shows a drain, a restart or, without a name, both: it knows no 'undo'", id="another"),
    pytest.param(["drain", "restart"], "unexpected extra argument (restart)", id="two of them"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_can_not_be_meant_is_refused_before_anything_starts(
    arguments: list[str], words: str, began: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err.splitlines()[0]
    assert began == []


SHOWN = [
    pytest.param([], ("drain", "restart"), id="both"),
    pytest.param(["drain"], ("drain",), id="a drain"),
    pytest.param(["restart"], ("restart",), id="a restart"),
    pytest.param(["--keep"], (), id="nothing but the cluster"),
    pytest.param(["drain", "--keep"], ("drain",), id="a drain, and then the cluster"),
]


@pytest.mark.parametrize(("arguments", "disruptions"), SHOWN)
def test_what_is_named_is_shown(arguments: list[str], disruptions: tuple[str, ...], began: list[Settings]) -> None:
    assert run(["demo", *arguments]) == 0
    assert [settings.disruptions for settings in began] == [disruptions]


def test_flags_arrive(began: list[Settings]) -> None:
    flags = ["--pods", "5", "--nodes", "2", "--rate", "50", "--deregistration-delay", "1m30s", "--seed", "9"]
    assert run(["demo", *flags]) == 0
    (settings,) = began
    assert (settings.pods, settings.nodes, settings.rate, settings.seed) == (5, 2, 50, 9)
    assert settings.deregistration_delay == 90


def test_it_fails_where_the_safe_way_lost_a_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play, "Demonstration", _stand_in([], lost=["refused", "502", "502"]))
    assert run(["demo", "--seed", "3"]) == 1
    told = "kubectl safe drain: 3 lost (2 502, 1 refused): please report this, with --seed 3"
    assert capsys.readouterr().err == f"error: {told}\n"


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of demonstrations that were begun; none of them does anything."""
    found: list[Settings] = []
    monkeypatch.setattr(play, "Demonstration", _stand_in(found, lost=[]))
    return found


def _stand_in(begun: list[Settings], *, lost: Sequence[str]) -> Callable[..., Any]:
    """Return what stands in for a demonstration: it ends at once, with losses."""
    losses = tuple(Loss(reason=r, way="", pod="", is_stream=False, started=0.0, moment=0.0) for r in lost)
    report = TrafficReport(total=9, ok=9 - len(lost), losses=losses, ok_by_pod={}, ok_by_way={}, latest=0.0)

    def begin(settings: Settings, _: object, *, keeps: bool, **__: object) -> Any:
        async def end() -> None:
            begun.append(settings)

        trial = SimpleNamespace(title="kubectl safe drain", report=report)
        return SimpleNamespace(run=end, safe_trials=[trial], is_kept=keeps)

    return begin
