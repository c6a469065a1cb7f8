"""Ways into pods that a withdrawal does not close: what a session refuses, bears and tells before the first write."""

import pytest

from kubectl_safe.decide.actions import Evict
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.service import ServicePort
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.restart import Restart, restart
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world
from tests.support.builders import a_service

BARE = a_service("master", selector={})
ALLOWED = Settings(allow=frozenset({"selectorless-service"}))


def a_restart(settings: Settings) -> Restart:
    """Return the restart of `web`."""
    return Restart(namespace="shop", names=("web",), settings=settings)


def test_slices_of_others_are_borne_only_where_that_is_allowed(open_session: OpenSession) -> None:
    world = a_world(services=(a_service(), BARE))
    session = open_session(world, Heard())
    with pytest.raises(KubectlSafeError, match=r"^Blocked\(selectorless-service\): pod shop/web-1 is in"):
        restart(a_restart(Settings()), session)
    assert session.observer.kept_slices == frozenset()
    assert world.tried == []
    restart(a_restart(ALLOWED), session)
    assert session.observer.kept_slices == {("shop", "master-x7k2p")}
    assert sorted(world.story(Evict)) == ["Evict web-1", "Evict web-2", "Evict web-3"]


def test_what_is_let_pass_is_told_once_before_anything_is_tried(open_session: OpenSession) -> None:
    dns = a_service(ports=(ServicePort(name="dns", port=53, target_port=53, protocol="UDP"),))
    heard, world = Heard(), a_world(services=(dns,))
    told = []
    world.before = lambda _: told.append(list(heard.warnings))
    restart(a_restart(Settings()), open_session(world, heard))
    [warning] = told[0]
    assert warning.startswith("Warning: a question to service shop/web (port 53/UDP) may get no answer")
    assert heard.warnings == [warning]


def _local() -> World:
    return a_world(services=(a_service(local_policies=frozenset({"internalTrafficPolicy"})),))


def test_a_node_that_is_drained_gets_no_pod_to_take_the_place_of_its_last_one(open_session: OpenSession) -> None:
    world = _local()
    request = Drain(nodes=("node-1",), options=Options(), settings=Settings())
    with pytest.raises(KubectlSafeError, match="node node-1 would be left without a pod of service shop/web"):
        drain(request, open_session(world, Heard()))
    assert world.tried == []


def test_a_node_to_which_no_replacement_came_keeps_its_last_pod_which_serves_on(open_session: OpenSession) -> None:
    world = _local()
    with pytest.raises(KubectlSafeError) as raised:
        restart(a_restart(Settings()), open_session(world, Heard()))
    assert "1 of 3 pods was not handed over" in str(raised.value)
    assert "answer for it with --allow local-traffic-policy" in str(raised.value)
    assert "released, serves on without its controller: shop/web-" in str(raised.value)
    assert len(world.story(Evict)) == 2
    restart(a_restart(Settings(allow=frozenset({"local-traffic-policy"}))), open_session(world, Heard()))
    assert len(world.story(Evict)) == 3
