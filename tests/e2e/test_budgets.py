"""Disruption budgets on the real control plane: the Eviction API decides, and a count that is over is renewed."""

from math import inf

import pytest

from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.capacity import PodHistory
from tests.support.claims import assert_evicted_only_when_out, assert_nothing_left
from tests.support.figures import Figures
from tests.support.loop import eventually
from tests.support.stage import Counted, Stage

pytestmark = pytest.mark.controlplane

NAMESPACE = "guarded"
SETTLE_SECONDS = 6.0
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
TOUCH = "kubectl-safe/touch"


def test_a_pod_whose_budget_needs_it_goes_once_its_replacement_counts(shared_stage: Stage, figures: Figures) -> None:
    one = Application(namespace=NAMESPACE, name="one", replicas=1, sigterm="abrupt")
    counted = _restart_under_budget(shared_stage, one, minAvailable=1)
    figures.add("minAvailable 1, one replica", f"restarted; {counted}")
    assert _evicted(shared_stage, one) == 1


def test_a_budget_that_lets_no_pod_be_missing_lets_go_of_one_too_many(shared_stage: Stage, figures: Figures) -> None:
    full = Application(namespace=NAMESPACE, name="full", replicas=2, sigterm="abrupt")
    counted = _restart_under_budget(shared_stage, full, maxUnavailable=0)
    figures.add("maxUnavailable 0, two replicas", f"restarted; {counted}")
    assert _evicted(shared_stage, full) == 2


def test_a_budget_that_pods_have_left_is_counted_anew(shared_stage: Stage, figures: Figures) -> None:
    web = Application(
        namespace=NAMESPACE, name="web", replicas=3, is_load_balanced=True, deregistration_delay=4.0, sigterm="abrupt"
    )
    counted = _restart_under_budget(shared_stage, web, "--max-surge", "100%", maxUnavailable=1)
    writes = [w for w in shared_stage.writes() if TOUCH in w.body.get("metadata", {}).get("annotations", {})]
    touches = [w for w in writes if w.name.startswith("web-") and w.body["metadata"]["annotations"][TOUCH] is not None]
    figures.add("maxUnavailable 1, surge 3", f"restarted; {len(touches)} touches, {counted}")
    assert touches
    assert shared_stage.loop.call(_count(shared_stage, web)) == web.replicas
    assert _evicted(shared_stage, web) == 3


def test_no_pod_is_withdrawn_on_a_count_that_is_over(shared_stage: Stage, figures: Figures) -> None:
    tight = Application(namespace=NAMESPACE, name="tight", replicas=3, sigterm="abrupt")
    # The floor would let two pods be missing, the budget one; which counts a pod as soon as it is Ready.
    flags = ("--max-surge", "0", "--max-unavailable", "2")
    counted = _restart_under_budget(shared_stage, tight, *flags, floor=1, maxUnavailable=1)
    lowest = _lowest_count(shared_stage, tight)
    figures.add("maxUnavailable 1, withdraw-first, two at once", f"restarted; {counted}, lowest {lowest} of 3")
    assert lowest == 2
    assert _evicted(shared_stage, tight) == 3


def _restart_under_budget(
    stage: Stage, application: Application, *flags: str, floor: int | None = None, **allowed: int
) -> Counted:
    """Restart an application that a budget covers, under traffic; nothing is lost, and nothing is left."""
    stage.deploy(application)
    stage.loop.call(stage.rig.api.create(BUDGETS, applications.pod_disruption_budget(application, **allowed)))

    async def is_counted() -> bool:
        return await _count(stage, application) == application.replicas

    stage.loop.call(eventually(is_counted, what="the budget's first count"))
    name = f"deployment/{application.name}"
    with stage.traffic(rate=100, ways=[way.name for way in stage.ways() if way.host == application.name]) as counted:
        stage.safe("rollout", "restart", name, "-n", NAMESPACE, "--settle", "6s", "--timeout", "60s", *flags)
    assert counted.losses == ()
    assert stage.lowest(application, counted) >= (application.replicas if floor is None else floor)
    assert_evicted_only_when_out(stage, settle_seconds=SETTLE_SECONDS)
    assert_nothing_left(stage)
    return counted


def _evicted(stage: Stage, application: Application) -> int:
    return sum(eviction.name.startswith(f"{application.name}-") for eviction in stage.evictions())


def _lowest_count(stage: Stage, application: Application) -> int:
    """Return how many pods of a budget there were at least, by what its controller counts, when one was withdrawn."""
    pods = stage.pods(application)

    def is_counted(pod: PodHistory, at: float) -> bool:
        left = min(pod.withdrawn or inf, pod.terminating or inf)
        return pod.ready is not None and pod.ready <= at < left

    return min(sum(is_counted(pod, its.withdrawn) for pod in pods) for its in pods if its.withdrawn is not None)


async def _count(stage: Stage, application: Application) -> int | None:
    """Return how many healthy pods the budget of an application counts."""
    budget = await stage.rig.api.get(f"{BUDGETS}/{application.name}")
    found = budget.get("status", {}).get("currentHealthy")
    return found if isinstance(found, int) else None
