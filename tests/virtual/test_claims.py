"""Each invariant can be broken: commands that do what they must not are caught in the same harness."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import HANDOFF
from kubectl_safe.run.session import Session
from tests.support.virtual.process import current
from tests.support.virtual.stage import Running
from tests.virtual.acts import Expected
from tests.virtual.explorer import Explorer, verdict
from tests.virtual.play import Result, play
from tests.virtual.scenario import NAMESPACE, NODE, Scenario, an_application
from tests.virtual.scenarios import SCENARIOS

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Misdeed(Scenario):
    """A command that does one thing, and ends."""

    do: Callable[[Session], object]

    def run(self, session: Session) -> None:
        self.do(session)


def _pod(session: Session, *, on_node: bool = True) -> str:
    return min(pod.name for pod in session.observer.look().pods.values() if (pod.node == NODE) is on_node)


def _evict(session: Session, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
    session.client.request("POST", f"{PODS}/{name}/eviction", body=body)


def _patch(session: Session, path: str, body: object) -> None:
    session.client.request("PATCH", path, body=body, content_type=MERGE)


def _evict_twice(session: Session) -> None:
    name = _pod(session)
    for _ in range(2):
        _evict(session, name)


def _evict_what_came_later(session: Session) -> None:
    """Evict a pod, and the one that came for it."""
    before = {pod.name for pod in session.observer.look().pods.values()}
    _evict(session, _pod(session))
    while not (new := {pod.name for pod in session.observer.look().pods.values()} - before):
        session._pause(timedelta(seconds=1))
    _evict(session, min(new))


def _mark(session: Session) -> None:
    _patch(session, f"{PODS}/{_pod(session)}", {"metadata": {"annotations": {HANDOFF: "{}"}}})


def _roll_out(session: Session) -> None:
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-11-25T00:00:00Z"}
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web"
    _patch(session, path, {"spec": {"template": {"metadata": {"annotations": annotations}}}})


def _scale_down(session: Session) -> None:
    _patch(session, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web", {"spec": {"replicas": 2}})


def _ask_twice(_session: Session) -> None:
    process = current()
    assert isinstance(process, Running)
    [group] = process.elbv2._elbv2.groups
    for _ in range(2):
        process.elbv2.describe_target_health(TargetGroupArn=group, Targets=[])


def _fail(_: Session) -> None:
    raise KubectlSafeError("no")


def _crash(_: Session) -> None:
    raise KeyError("web")


MISDEEDS = [
    pytest.param("drain", lambda session: _evict(session, _pod(session)), r"I1: web had 2 of 3 in service", id="I1"),
    pytest.param("drain", lambda session: _evict(session, _pod(session)), r"I2: web-.* had settled for -", id="I2"),
    pytest.param("drain", _evict_twice, "I4: .* were evicted twice", id="I4-twice"),
    pytest.param(
        "drain",
        lambda session: _evict(session, _pod(session, on_node=False)),
        "I4: web-.* is on node-b, which is not drained",
        id="I4-elsewhere",
    ),
    pytest.param("restart", _evict_what_came_later, "I4: web-.* came after the restart was planned", id="I4-later"),
    pytest.param("drain", _mark, "I5: PATCH .* without a Lease", id="I5"),
    pytest.param("drain", _mark, f"I6: pods web-.* still has {{'{HANDOFF}'}}", id="I6"),
    pytest.param("drain", _scale_down, "I7: .* got requests, and are deleted", id="I7"),
    pytest.param(
        "drain",
        lambda session: session.client.request("DELETE", f"{PODS}/{_pod(session)}"),
        "I11: DELETE .*/pods/web-.* is not ours to write",
        id="I11-deletion",
    ),
    pytest.param("drain", _fail, r"I8: it does not complete: \['no', 'no', 'no'\]", id="I8"),
    pytest.param("drain", _crash, "a bug of ours: KeyError", id="traceback"),
    pytest.param("drain", _roll_out, "I11: PATCH .*/deployments/web is not ours to write", id="I11-write"),
    pytest.param("drain", _ask_twice, r"I11: .* was asked after 0\.\d\d s", id="I11-ask"),
]


@pytest.mark.parametrize(("command", "do", "told"), MISDEEDS)
def test_what_must_not_be_done_is_noticed(command: str, do: Callable[[Session], object], told: str) -> None:
    app = an_application(replicas=3, is_load_balanced=True, pre_stop=5)
    with pytest.raises(AssertionError, match=told):
        play(Misdeed(command=command, applications=(app,), do=do))


def test_a_pod_that_is_touched_before_its_node_has_left_a_group_is_noticed() -> None:
    app = an_application(replicas=3, is_load_balanced=True, targets="instance")
    with pytest.raises(AssertionError, match="I2: node-a was healthy in shop-web"):
        play(Misdeed(command="drain", applications=(app,), do=_mark))


WELL = {"runs": [""], "evicted": 2, "seconds": 60.0, "state": {"pods": [{"name": "web"}]}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"evicted": 3}, "I3: 3 pods were evicted instead of 2", id="one more"),
        pytest.param({"evicted": 1}, "I3: 1 pods were evicted instead of 2", id="one less"),
        pytest.param({"evicted": 4}, "I3: 4 pods were evicted instead of 2", id="twice"),
        pytest.param({"evicted": 4, "is_twice": True}, "", id="twice, as it should"),
        pytest.param({"state": {"pods": [{"name": "api"}]}}, "I3: another final state: ", id="another state"),
        pytest.param({"seconds": 361.0}, "I8: it took 301 s longer", id="too late"),
    ],
)
def test_what_differs_from_the_undisturbed_run_is_noticed(changes: dict[str, object], told: str) -> None:
    explorer = Explorer(families=(), scenario=SCENARIOS["restart-balanced"], directory=Path())
    found = verdict(Result(**(WELL | changes)), Result(**WELL), explorer)["failure"]  # type: ignore[arg-type]  # of one shape
    assert str(found).startswith(told)
    assert bool(found) is bool(told)


def test_what_others_do_excuses_only_what_they_do() -> None:
    explorer = Explorer(families=(), scenario=SCENARIOS["restart-balanced"], directory=Path())
    explorer.expected = Expected(evicts=2)
    told = [
        verdict(Result(**(WELL | {"evicted": count})), Result(**WELL), explorer)["failure"]  # type: ignore[arg-type]  # of one shape
        for count in (2, 3, 4)
    ]
    assert told == ["", "I3: 3 pods were evicted instead of 2", ""]
