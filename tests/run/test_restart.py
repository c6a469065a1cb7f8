"""`rollout restart`: its record comes first and goes last, and a restart is continued with the same options only."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Action, Record, Release, RemoveRecord
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.outcome import Conflict
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import OPERATION, Operation
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.run.restart import Restart, restart
from kubectl_safe.run.terms import DryRun
from tests.run.conftest import OpenSession, Requests
from tests.run.world import Heard, World, a_world
from tests.support.builders import a_deployment, a_pod, a_replica_set, uid

REPLICA_SET = "web-5d4f8c7b9"


def a_request(*names: str, selector: LabelSelector | None = None, **flags: Any) -> Restart:
    """Return a request to restart Deployments in `shop`."""
    wanted = names or (() if selector else ("web",))
    return Restart(namespace="shop", names=wanted, selector=selector, settings=Settings(**flags))


def operation(*names: str, options: str = "") -> dict[str, str]:
    """Return the annotation of a restart of these pods that a dead process left."""
    pods = frozenset(uid(name)[:8] for name in names)
    return {OPERATION: Operation(id="1", started="2026-11-23T11:00:00+00:00", options=options, pods=pods).dumps()}


def a_restart_left_behind(*, options: str = "") -> World:
    """Return a world where a restart of web-1 and web-2 died after web-1 was done; web-9 is its replacement."""
    world = a_world("web-2", "web-9")
    world.replica_sets = {
        uid(REPLICA_SET): a_replica_set(replicas=2, annotations=operation("web-1", "web-2", options=options))
    }
    return world


def test_the_record_is_written_before_the_first_pod_is_touched_and_removed_last(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    restart(a_request(), open_session(world, heard))
    story = world.story()
    assert story[0] == f"Record {REPLICA_SET}"
    assert story[-1] == f"RemoveRecord {REPLICA_SET}"
    assert len(story) == 2 + 3 * 3
    assert heard.lines == ["deployment.apps/web restarted"]


def test_the_record_names_every_planned_pod_the_options_and_the_servers_time(open_session: OpenSession) -> None:
    world = a_world()
    requests = Requests(clock_offset=timedelta(seconds=90))
    restart(a_request(max_surge=2), open_session(world, Heard(), requests=requests))
    [record] = [action for action in world.done if isinstance(action, Record)]
    assert record.operation.pods == {uid(name)[:8] for name in ("web-1", "web-2", "web-3")}
    assert record.operation.options == "--max-surge=2"
    assert record.operation.started == "2026-11-23T12:01:30+00:00"


def test_a_record_is_written_anew_after_a_conflict(open_session: OpenSession) -> None:
    world = a_world(scripted={Record: [Conflict(), Conflict()]})
    # The first is the rehearsal's.
    restart(a_request(), open_session(world, Heard()))
    assert world.story(Record, RemoveRecord) == [f"Record {REPLICA_SET}", f"RemoveRecord {REPLICA_SET}"]


def test_the_same_options_continue_a_restart_and_touch_no_pod_that_is_new(open_session: OpenSession) -> None:
    world = a_restart_left_behind(options="--max-surge=1")
    restart(a_request(max_surge=1), open_session(world, Heard()))
    assert world.story() == ["Release web-2", "Withdraw web-2", "Evict web-2", f"RemoveRecord {REPLICA_SET}"]


def test_other_options_are_refused_with_the_command_that_completes_it(open_session: OpenSession) -> None:
    world = a_restart_left_behind(options="--max-surge=1")
    with pytest.raises(
        KubectlSafeError,
        match=r"is being restarted since .* with --max-surge=1: wait for it; if it died, run that command again",
    ):
        restart(a_request(max_surge=2), open_session(world, Heard()))
    assert world.tried == []


@pytest.mark.parametrize("dry_run", [DryRun.CLIENT, DryRun.SERVER])
def test_a_dry_run_writes_nothing_and_says_so(open_session: OpenSession, dry_run: DryRun) -> None:
    world, heard = a_world(), Heard()
    restart(a_request(), open_session(world, heard, dry_run=dry_run))
    assert world.done == []
    assert heard.lines == [f"deployment.apps/web restarted{dry_run.suffix}"]
    assert bool(world.tried) is (dry_run is DryRun.SERVER)


def test_every_refusal_is_told_at_once_and_nothing_is_tried(open_session: OpenSession) -> None:
    world = a_world()
    other = a_deployment("api", replicas=3, generation=2)
    world.workloads = {uid("web"): a_deployment(replicas=3, is_paused=True), other.uid: other}
    with pytest.raises(KubectlSafeError) as raised:
        restart(a_request("web", "api"), open_session(world, Heard()))
    first, second = str(raised.value).splitlines()
    assert re.match("deployment shop/web is paused: resume it first", first)
    assert re.match("deployment shop/api is in the middle of a rollout: wait for it", second)
    assert world.tried == []


def test_a_deployment_that_is_not_there_is_named(open_session: OpenSession) -> None:
    with pytest.raises(KubectlSafeError, match=r'^Error from server \(NotFound\): deployments.apps "nope" not found$'):
        restart(a_request("web", "nope"), open_session(a_world(), Heard()))


def test_a_selector_chooses_by_the_labels_of_deployments_in_the_namespace(open_session: OpenSession) -> None:
    world, heard = a_world(), Heard()
    world.workloads = {
        uid("web"): a_deployment(replicas=3, labels={"tier": "front"}),
        uid("other"): a_deployment("other", namespace="elsewhere", labels={"tier": "front"}),
        uid("api"): a_deployment("api", labels={"tier": "back"}),
    }
    wanted = LabelSelector(match_labels={"tier": "front"})
    restart(a_request(selector=wanted), open_session(world, heard, dry_run=DryRun.CLIENT))
    assert heard.lines == ["deployment.apps/web restarted (dry run)"]


def test_a_selector_that_finds_nothing_is_no_failure(open_session: OpenSession) -> None:
    heard = Heard()
    nobody = LabelSelector(match_labels={"tier": "none"})
    restart(a_request(selector=nobody), open_session(a_world(), heard))
    assert heard.warnings == ["No resources found in shop namespace."]
    assert heard.lines == []


def test_a_deployment_that_is_named_twice_is_restarted_once(open_session: OpenSession) -> None:
    world, heard = a_world("web-1"), Heard()
    restart(a_request("web", "web"), open_session(world, heard))
    assert world.story(Release) == ["Release web-1"]
    assert heard.lines == ["deployment.apps/web restarted"]


def test_a_deployment_that_is_deleted_during_its_restart_is_told_as_an_error_once_its_pods_are_gone(
    open_session: OpenSession,
) -> None:
    def delete(action: Action) -> None:
        if isinstance(action, Release):
            world.after(3, vanish)

    def vanish() -> None:
        world.workloads, world.replica_sets = {}, {}
        for key in list(world.pods):
            if not world.pods[key].is_released:
                del world.pods[key]

    world, heard = a_world(before=delete, start_seconds=None), Heard()
    with pytest.raises(KubectlSafeError, match=r"^deployment shop/web was deleted meanwhile: nothing of it is left"):
        restart(a_request(), open_session(world, heard))
    assert world.pods == {}
    assert world.story(RemoveRecord) == []
    assert heard.lines == []


def test_a_deployment_that_is_deleted_without_its_pods_ends_its_restart_and_leaves_no_record(
    open_session: OpenSession,
) -> None:
    def orphan(action: Action) -> None:
        if isinstance(action, Release):
            world.workloads = {}
            world.replica_sets = {key: replace(its, owner=None) for key, its in world.replica_sets.items()}
            world.pods |= {key: replace(pod, owners=()) for key, pod in world.pods.items() if pod.is_released}

    world = a_world()
    world.before = lambda action: world.after(0.1, lambda: orphan(action))
    with pytest.raises(KubectlSafeError) as raised:
        restart(a_request(), open_session(world, Heard()))
    assert "Blocked(unknown-owner): deployment shop/web was deleted without its pods" in str(raised.value)
    assert "run the same command again" not in str(raised.value)
    assert world.story() == [f"Record {REPLICA_SET}", "Release web-1", f"RemoveRecord {REPLICA_SET}"]


def test_a_killed_restart_that_had_released_a_pod_finishes_it(open_session: OpenSession) -> None:
    world = a_restart_left_behind()
    released = a_pod("web-2", released=True, in_service=2, gates={})
    world.add(released, replace(a_pod("web-8", gates={})))
    restart(a_request(), open_session(world, Heard()))
    assert world.story() == ["Withdraw web-2", "Evict web-2", f"RemoveRecord {REPLICA_SET}"]
