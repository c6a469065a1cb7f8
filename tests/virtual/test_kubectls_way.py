"""The invariants can be broken: what `kubectl drain` does breaks them, in the same harness."""

from datetime import timedelta

import pytest

from kubectl_safe.kube.errors import ApiError
from kubectl_safe.run.session import Session
from tests.virtual.play import play
from tests.virtual.scenario import NAMESPACE, NODE, Scenario, an_application


class KubectlDrain(Scenario):
    """Cordons the node, and evicts all of its pods at once, those again that a budget holds back."""

    __slots__ = ()

    def run(self, session: Session) -> None:
        client = session.client
        patch = "application/strategic-merge-patch+json"
        client.request("PATCH", f"/api/v1/nodes/{NODE}", body={"spec": {"unschedulable": True}}, content_type=patch)
        pods = {pod.name for pod in session.observer.look().pods.values() if pod.node == NODE}
        while pods:
            for name in sorted(pods):
                metadata = {"name": name, "namespace": NAMESPACE}
                body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
                try:
                    client.request("POST", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction", body=body)
                except ApiError as error:
                    if error.status not in {404, 429}:
                        raise
            session._pause(timedelta(seconds=5))
            pods &= {pod.name for pod in session.observer.look().pods.values()}


def test_it_breaks_the_invariants() -> None:
    scenario = KubectlDrain(
        command="drain", applications=(an_application(replicas=4, is_load_balanced=True, sigterm="abrupt"),), rate=20
    )
    with pytest.raises(AssertionError) as broken:
        play(scenario)
    told = str(broken.value)
    assert "I1: web had" in told
    assert "I2: web-" in told
    assert "I9: " in told
