"""Disruption budgets that let no pod go, or that let it go although they seem not to; and two of them on one pod."""

import re
from typing import Any

import pytest

from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.pod_fault import PodFault
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.loop import eventually
from tests.support.stage import Stage
from tests.support.stuck import (
    as_they_are,
    assert_never_left_service,
    await_in_service,
    bring_up,
    faults,
    small,
    traffic_to,
)
from tests.support.workloads import NODE, is_cordoned

pytestmark = pytest.mark.controlplane

REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SETTLE_SECONDS = 6
OTHERS = ("node-b", "node-c")


def test_a_budget_that_never_lets_go_is_waited_for_until_the_timeout(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    app = small(namespace, "guarded")
    bring_up(shared_stage, app)
    _guard(shared_stage, app, minAvailable=3)
    before = as_they_are(shared_stage, app)
    (old,) = before.values()
    command = ("rollout", "restart", "deployment/guarded", "-n", namespace, "--settle", "6s")
    with traffic_to(shared_stage, app) as counted:
        done = shared_stage.safe(*command, "--timeout", "14s", check=False)
        assert done.returncode == 1
        waits = f'error when evicting pods/"{old["name"]}" -n "{namespace}" (will retry after 5s)'
        facts = f"{REFUSED} The disruption budget guarded needs 3 healthy pods and has 2 currently"
        assert done.stderr.startswith(f"{waits}: {facts}\n")
        told = done.stderr[done.stderr.index("error: ") :]
        remedy = f"see kubectl safe check deployment/guarded -n {namespace}"
        assert f"\nglobal timeout reached: 14s: {facts}; {remedy}\n" in told
        assert f"\n  released, serves on without its controller: {namespace}/{old['name']}\n" in told
        assert told.endswith(f"or end it with: kubectl safe abort deployment/guarded -n {namespace}\n")
        assert_never_left_service(shared_stage, before)
        assert shared_stage.rig.capacity.now(namespace, app.labels) == 2, "the old pod and its replacement"
        _set_budget(shared_stage, app, minAvailable=1)
        shared_stage.safe(*command)
        await_in_service(shared_stage, app)
    figures.add("minAvailable 3 of one pod, then 1", str(counted))
    assert not as_they_are(shared_stage, app).keys() & before.keys()
    assert_nothing_left(shared_stage)


def test_a_budget_that_never_lets_go_is_bypassed_by_a_deletion_and_nothing_else_is(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    app = small(namespace, "bypassed")
    bring_up(shared_stage, app)
    _guard(shared_stage, app, minAvailable=3)
    ((uid, old),) = as_they_are(shared_stage, app).items()
    node, begun = shared_stage.rig.capacity.pods[uid].node, len(shared_stage.writes())
    with traffic_to(shared_stage, app) as counted:
        flags = ("--disable-eviction", "--settle", "6s", "--pod-selector", "app=bypassed")
        done = shared_stage.safe("drain", node, *flags)
        await_in_service(shared_stage, app)
    figures.add("minAvailable 3 of one pod, deleted", str(counted))
    assert f"Warning: --disable-eviction bypasses disruption budgets: {namespace}/bypassed\n" in done.stderr
    assert f"deleting pod {namespace}/{old['name']}\npod/{old['name']} deleted\n" in done.stdout
    writes = [write for write in shared_stage.writes()[begun:] if not write.is_dry_run]
    assert not [write for write in writes if write.resource == "pods/eviction"]
    [deletion] = [write for write in writes if (write.verb, write.resource) == ("delete", "pods")]
    assert (deletion.name, deletion.status, deletion.body["preconditions"]["uid"]) == (old["name"], 200, uid)
    assert deletion.body["preconditions"]["resourceVersion"]
    withdrawn = shared_stage.rig.capacity.pods[uid].withdrawn
    assert withdrawn is not None
    assert deletion.at - withdrawn >= SETTLE_SECONDS
    assert_nothing_left(shared_stage)


def test_a_pod_that_its_budget_holds_is_given_back_where_its_replacement_is_not_ready(
    shared_stage: Stage, namespace: str
) -> None:
    app = small(namespace, "held")
    bring_up(shared_stage, app, progress_deadline=60)
    _guard(shared_stage, app, minAvailable=3)
    before = as_they_are(shared_stage, app)
    (old,) = before.values()
    command = ("rollout", "restart", "deployment/held", "-n", namespace, "--settle", "6s")
    slow = {"held": PodFault.CRASH_LOOP}
    with traffic_to(shared_stage, app), faults(shared_stage, slow):
        done = shared_stage.safe(*command, "--timeout", "5s", check=False)
    assert done.returncode == 1
    assert f"\n  given back, serves on as before: {namespace}/{old['name']}\n" in done.stderr
    assert as_they_are(shared_stage, app) == before
    assert_never_left_service(shared_stage, before)
    shared_stage.safe("abort", "deployment/held", "-n", namespace)
    assert_nothing_left(shared_stage)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [pytest.param("needed", {"minAvailable": 1}, id="minAvailable 1"), pytest.param("full", {"maxUnavailable": 0})],
)
def test_a_budget_that_allows_nothing_before_the_replacement_lets_a_drain_go_on(
    shared_stage: Stage, namespace: str, figures: Figures, name: str, allowed: dict[str, Any]
) -> None:
    app = small(namespace, name)
    shared_stage.kubectl("cordon", *OTHERS)
    bring_up(shared_stage, app)
    shared_stage.kubectl("uncordon", *OTHERS)
    _guard(shared_stage, app, **allowed)
    before = as_they_are(shared_stage, app)
    with traffic_to(shared_stage, app) as counted:
        done = shared_stage.safe("drain", NODE, "--pod-selector", f"app={name}", "--settle", "6s", "--timeout", "60s")
        await_in_service(shared_stage, app)
    figures.add(f"drain under {allowed}, one replica", str(counted))
    assert done.stdout.endswith(f"node/{NODE} drained\n")
    assert "error when evicting" not in done.stderr
    assert shared_stage.lowest(app, counted) == app.replicas
    assert not as_they_are(shared_stage, app).keys() & before.keys()
    assert_nothing_left(shared_stage)


@pytest.mark.parametrize("command", ["drain", "restart"])
def test_two_budgets_on_one_pod_are_named_before_anything_is_written(
    shared_stage: Stage, namespace: str, command: str
) -> None:
    app = small(namespace, f"twice-{command}")
    shared_stage.kubectl("cordon", *OTHERS)
    bring_up(shared_stage, app)
    shared_stage.kubectl("uncordon", *OTHERS)
    _guard(shared_stage, app, minAvailable=1)
    _guard(shared_stage, app, name="every-app", maxUnavailable=1)
    before, writes = as_they_are(shared_stage, app), len(shared_stage.writes())
    drain = ("drain", NODE, "--pod-selector", f"app={app.name}")
    restart = ("rollout", "restart", f"deployment/{app.name}", "-n", namespace)
    with traffic_to(shared_stage, app):
        done = shared_stage.safe(*(drain if command == "drain" else restart), check=False)
    assert done.returncode == 1
    assert re.search(
        rf"Blocked\(two-budgets\): deployment {namespace}/{app.name} is under the disruption budgets every-app and "
        rf"{app.name}, .* \(kubectl edit pdb {app.name} -n {namespace}\)",
        done.stderr,
    )
    assert shared_stage.writes()[writes:] == []
    assert as_they_are(shared_stage, app) == before
    assert not is_cordoned(shared_stage)


def _guard(stage: Stage, app: Application, *, name: str = "", **allowed: Any) -> None:
    """Put an application under a budget, and wait until that is counted."""
    name = name or app.name
    path = f"/apis/policy/v1/namespaces/{app.namespace}/poddisruptionbudgets"
    body = applications.pod_disruption_budget(app, **allowed)
    body["metadata"]["name"] = name

    async def guard() -> None:
        await stage.rig.api.create(path, body)

        async def is_counted() -> bool:
            found = await stage.rig.api.get(f"{path}/{name}")
            return bool(found.get("status", {}).get("currentHealthy") == app.replicas)

        await eventually(is_counted, what="the budget's first count")

    stage.loop.call(guard())


def _set_budget(stage: Stage, app: Application, **allowed: int) -> None:
    path = f"/apis/policy/v1/namespaces/{app.namespace}/poddisruptionbudgets/{app.name}"
    stage.loop.call(stage.rig.api.patch(path, {"spec": allowed}, kind="merge-patch"))
