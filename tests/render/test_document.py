"""The account of a run in JSON: what its fields are, and that each of them is promised."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from kubectl_safe.decide.actions import Action, Cordon, Nudge, Release
from kubectl_safe.decide.decision import Blocked, For, Step
from kubectl_safe.decide.estimate import estimate
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from kubectl_safe.render.document import Account, camel, instant, object_of, seconds, wait_name
from kubectl_safe.render.events import NAMES
from tests.render.scenes import BEGAN, a_moment, looked_at
from tests.render.schema import SCHEMA, check, objects
from tests.support.builders import NOW, a_binding, a_cluster, a_deployment, a_pod, ago, an_intent, uid

Moment = tuple[Snapshot, Outcome, Progress]


def an_account(**changes: Any) -> Account:
    """Return the account of a command that was just begun."""
    values: dict[str, Any] = {"command": ("drain", "node-1"), "dry_run": "none", "began": BEGAN}
    return Account(**values | changes)


def of(moment: Moment, **changes: Any) -> Account:
    """Return the account of a run that is at this moment."""
    snapshot, outcome, progress = moment
    account = an_account(plan=(progress.intent, estimate(progress.intent, snapshot)), **changes)
    account.follow(progress, outcome)
    return account


def only_planned() -> Account:
    """Return the account of a dry run."""
    snapshot = a_cluster()
    intent = an_intent(snapshot)
    return an_account(dry_run="server", plan=(intent, estimate(intent, snapshot)))


def written(account: Account, code: int = 0, error: str = "") -> Any:
    """Return the document as a reader gets it; it must be as the schema says."""
    document = json.loads(json.dumps(account.document(code, error, NOW)))
    check(document)
    return document


SCENES = {
    "a command line that can't be read": (an_account(dry_run=None), 2, "unknown flag: --nope"),
    "a refusal": (an_account(), 1, 'nodes "node-1" not found'),
    "a dry run": (only_planned(), 0, ""),
    "in the middle": (of(looked_at(a_moment())), 130, "interrupted"),
    "one that is stuck": (of(looked_at(a_cluster(stale=frozenset({"pods"})))), 1, "global timeout reached"),
    "a pod of no workload": (of(looked_at(a_cluster(a_pod("web-1", owners=())), "web-1")), 0, ""),
    "all gone": (of(looked_at(a_cluster(without=["web-1"]))), 0, ""),
}


@pytest.mark.parametrize(("account", "code", "error"), SCENES.values(), ids=SCENES)
def test_every_document_is_as_the_schema_says_with_nothing_besides(account: Account, code: int, error: str) -> None:
    account.warn("Warning: slow", NOW)
    account.messages.append((NOW, "node/node-1 cordoned"))
    document = written(account, code, error)
    assert (document["exitCode"], document["error"]) == (code, error or None)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("place", [place for place, _ in objects(SCHEMA)])
def test_every_field_is_described_and_always_there(place: str) -> None:
    found = dict(objects(SCHEMA))[place]
    assert found["required"] == list(found["properties"])
    for name, field in found["properties"].items():
        known = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
        assert (field.get("description") or known["description"]).endswith("."), name


def test_the_schema_knows_every_step_wait_and_action() -> None:
    known = SCHEMA["$defs"]
    assert known["step"]["enum"] == [step.value for step in Step]
    assert sorted(known["for"]["enum"]) == sorted(wait_name(on) for on in For)
    assert set(NAMES) == set(get_args(Action))
    assert sorted(known["actionEvent"]["properties"]["action"]["enum"]) == sorted(NAMES.values())


@pytest.mark.parametrize("on", For)
def test_the_schema_explains_every_wait(on: For) -> None:
    assert f" {wait_name(on)}: " in SCHEMA["$defs"]["for"]["description"]


OUTCOMES = [
    pytest.param(an_account(), 1, "refused", id="an end before the plan"),
    pytest.param(an_account(), 2, "refused", id="bad usage"),
    pytest.param(an_account(), 0, "succeeded", id="nothing to do"),
    pytest.param(an_account(), 130, "interrupted", id="an interruption before the plan"),
    pytest.param(of(looked_at(a_moment())), 1, "failed", id="an end after the plan"),
    pytest.param(of(looked_at(a_moment())), 130, "interrupted", id="an interruption"),
    pytest.param(of(looked_at(a_cluster())), 0, "succeeded", id="success"),
]


@pytest.mark.parametrize(("account", "code", "outcome"), OUTCOMES)
def test_a_refusal_is_told_from_a_failure_by_the_plan(account: Account, code: int, outcome: str) -> None:
    assert written(account, code)["outcome"] == outcome


def test_each_pod_has_its_steps_and_what_it_waited_for() -> None:
    account = of(looked_at(a_moment()))
    account.ended_at = NOW + timedelta(seconds=4)
    [web_1, *_] = written(account)["pods"]
    assert web_1 == {
        "namespace": "shop",
        "name": "web-1",
        "uid": "web-1-uid",
        "node": "node-1",
        "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "web-uid"},
        "step": "withdrawn",
        "steps": [{"step": "withdrawn", "time": "2026-11-23T12:00:00.000Z"}],
        "waits": [
            {"for": "targets", "since": "2026-11-23T12:00:00.000Z", "times": 1, "seconds": 4.0, "longestSeconds": 4.0}
        ],
        "evicted": False,
    }


def test_what_is_left_is_told_with_its_step_and_why() -> None:
    left = written(of(looked_at(a_moment(), "web-1", "web-2")), 1)["left"]
    assert [(pod["name"], pod["step"]) for pod in left] == [("web-1", "withdrawn"), ("web-2", "released")]
    assert left[0]["why"].startswith("target 10.244.0.2:8080 in web is draining (Target.DeregistrationInProgress)")


def test_a_pod_that_can_not_be_moved_is_left_with_the_reason() -> None:
    snapshot, outcome, progress = looked_at(a_cluster(), "web-1")
    blocked = Blocked(reason="adoption", why="replicaset other would adopt it")
    account = of((snapshot, replace(outcome, decisions={uid("web-1"): blocked}), progress))
    assert written(account, 1)["left"][0]["why"] == "replicaset other would adopt it"


def test_pods_that_are_gone_are_not_left() -> None:
    _, outcome, _ = gone = looked_at(a_cluster(), "web-1", "web-2")
    progress = Progress(intent=gone[2].intent, began=BEGAN)
    progress.count(a_cluster(), replace(outcome, steps={uid("web-1"): Step.GONE, uid("web-2"): Step.QUEUED}))
    document = written(of((gone[0], outcome, progress), evicted={uid("web-1")}))
    assert [(pod["name"], pod["step"], pod["evicted"]) for pod in document["pods"]] == [
        ("web-1", "gone", True),
        ("web-2", "queued", False),
    ]
    assert [pod["name"] for pod in document["left"]] == ["web-2"]


def test_a_plan_that_was_never_begun_leaves_all_pods_untouched() -> None:
    document = written(only_planned())
    assert {pod["step"] for pod in document["pods"]} == {None}
    assert len(document["left"]) == len(document["plan"]["pods"]) == 6


def test_pods_that_came_in_late_are_pods_of_the_run_and_not_of_the_plan() -> None:
    account = of(looked_at(a_cluster(), "web-1"))
    account.follow(looked_at(a_cluster(), "web-2")[2])
    document = written(account)
    assert [pod["name"] for pod in document["pods"]] == ["web-1", "web-2"]
    assert [pod["name"] for pod in document["plan"]["pods"]] == ["web-1"]


def test_a_warning_that_comes_back_is_one_with_a_count() -> None:
    account = an_account()
    for since in (20, 10, 0):
        account.warn("will retry", ago(since))
    assert written(account)["warnings"] == [
        {
            "message": "will retry",
            "count": 3,
            "firstTime": "2026-11-23T11:59:40.000Z",
            "lastTime": "2026-11-23T12:00:00.000Z",
        }
    ]


def test_the_lowest_capacity_is_told() -> None:
    document = written(of(looked_at(a_cluster(a_pod("web-3", ready=False)))))
    assert document["lowestCapacity"] == [{"workload": "web", "inService": 5, "wanted": 6}]


def test_an_instant_is_in_utc_with_milliseconds() -> None:
    at = datetime(2026, 11, 23, 13, 0, 0, 123999, tzinfo=timezone(timedelta(hours=1)))
    assert instant(at) == "2026-11-23T12:00:00.123Z"


def test_a_duration_is_in_seconds_to_the_millisecond() -> None:
    assert seconds(timedelta(minutes=1, microseconds=1499)) == 60.001


@pytest.mark.parametrize(("words", "name"), [("settle", "settle"), ("draining slot", "drainingSlot")])
def test_names_are_written_as_kubernetes_writes_them(words: str, name: str) -> None:
    assert camel(words) == name


OWNER = reference_to(a_deployment())


@pytest.mark.parametrize(
    ("action", "kind", "namespace", "name"),
    [
        (Release(pod=a_pod(), drop="x", owner=OWNER, targets=(), in_service=6), "pod", "shop", "web-1"),
        (Cordon(node=Node(name="node-1", resource_version="1")), "node", None, "node-1"),
        (Nudge(binding=a_binding()), "targetgroupbinding", "shop", "web"),
    ],
)
def test_the_object_of_an_action_is_told_in_parts(action: Action, kind: str, namespace: str | None, name: str) -> None:
    assert object_of(action) == {"kind": kind, "namespace": namespace, "name": name}
