"""Which labels are taken off a pod."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.labels import label_to_release, labels_to_withdraw
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.governing import POD_NAME
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.service import Service
from tests.support.builders import HASH, a_budget, a_cluster, a_deployment, a_pod, a_service

LABELS = {"app": "web", "tier": "front", HASH: "1"}
SELECTOR = LabelSelector(match_labels=LABELS)


def selecting(*keys: str, name: str = "web") -> Service:
    return a_service(name, selector={key: LABELS[key] for key in keys})


@pytest.mark.parametrize(
    ("services", "label"),
    [
        pytest.param([selecting("app")], HASH, id="pod-template-hash, which is no identity to any network plugin"),
        pytest.param([], HASH, id="pod-template-hash, where there is no Service at all"),
        pytest.param([selecting("app", HASH)], "tier", id="another label, where a Service selects by the hash"),
        pytest.param([selecting(HASH)], "app", id="the first by the alphabet of several others"),
        pytest.param([selecting("app", "tier"), selecting(HASH)], None, id="none, where Services use them all"),
        pytest.param([a_service(selector={"app": "other", HASH: "1"})], HASH, id="Services of other pods don't matter"),
    ],
)
def test_drops_at_release(services: list[Service], label: str | None) -> None:
    pod = a_pod(labels=LABELS)
    assert label_to_release(pod, SELECTOR, a_cluster(pod, services=tuple(services))) == label


@pytest.mark.parametrize(
    ("services", "budgets", "labels"),
    [
        pytest.param([], [], set(), id="none where no Service selects the pod"),
        pytest.param([selecting("app")], [], {"app"}, id="the one by which its Service selects"),
        pytest.param([selecting("app", "tier"), selecting("tier")], [], {"tier"}, id="the fewest for all its Services"),
        pytest.param([selecting("app"), selecting("tier")], [], {"app", "tier"}, id="several where one is not enough"),
        pytest.param(
            [selecting("app", "tier")],
            [a_budget(selector={"app": "web"})],
            {"app"},
            id="one that takes the pod from its budget, or it would count there while it serves nobody",
        ),
        pytest.param(
            [selecting("app", "tier")],
            [a_budget(selector={"tier": "front"})],
            {"tier"},
            id="whichever that is",
        ),
        pytest.param(
            [selecting("app")],
            [a_budget(selector={"tier": "front"})],
            {"app"},
            id="one that leaves it under its budget where there is no other",
        ),
        pytest.param(
            [selecting("app", "tier")],
            [a_budget(selector={"app": "other", "tier": "front"})],
            {"app"},
            id="budgets of other pods don't matter",
        ),
        pytest.param(
            [selecting("app", "tier")],
            [a_budget(selector={"tier": "back"}), replace(a_budget(), selector=None)],
            {"app"},
            id="nor do those of pods with another value, or of none",
        ),
    ],
)
def test_drops_at_withdrawal(services: list[Service], budgets: list[Budget], labels: set[str]) -> None:
    pod = a_pod(labels=LABELS)
    snapshot = a_cluster(pod, services=tuple(services), budgets=tuple(budgets))
    assert labels_to_withdraw(pod, snapshot) == frozenset(labels)


@pytest.mark.parametrize(
    "selector", [{"app": "web"}, {"app": "web", "tier": "front"}, dict(LABELS)], ids=["one", "two", "all"]
)
def test_no_service_selects_a_pod_without_them(selector: Labels) -> None:
    pod, service = a_pod(labels=LABELS), a_service(selector=selector)
    drop = labels_to_withdraw(pod, a_cluster(pod, services=(service,)))
    assert drop is not None
    assert not service.selects("shop", {key: value for key, value in LABELS.items() if key not in drop})


NAMED = {"app": "db", "member-of": "db", POD_NAME: "db-0"}
DB = a_deployment("db", kind="StatefulSet", governing_service="db-members")
MEMBERS = a_service("db-members", selector={"member-of": "db"})
BY_NAME = a_service("db-0", selector={POD_NAME: "db-0"})


@pytest.mark.parametrize(
    ("services", "is_controlled", "labels"),
    [
        pytest.param([MEMBERS, BY_NAME], True, {"app", POD_NAME}, id="its name, and what its StatefulSet knows it by"),
        pytest.param([MEMBERS, BY_NAME], False, {POD_NAME}, id="its name alone, once its StatefulSet has let go of it"),
        pytest.param(
            [MEMBERS, a_service("db-0", selector={"app": "db", POD_NAME: "db-0"})],
            True,
            {"app"},
            id="not its name, where another label does",
        ),
        pytest.param(
            [a_service("db-members", selector={"app": "db"}), BY_NAME],
            True,
            None,
            id="nothing, where it can't leave its StatefulSet without leaving its governing Service",
        ),
    ],
)
def test_a_pod_of_a_stateful_set_leaves_a_service_of_its_own_by(
    services: list[Service], is_controlled: bool, labels: set[str] | None
) -> None:
    owner = replace(reference_to(DB), is_controller=is_controlled)
    pod = a_pod("db-0", labels=NAMED, controller=owner)
    snapshot = a_cluster(pod, services=tuple(services), workloads={DB.uid: DB})
    assert labels_to_withdraw(pod, snapshot) == labels
