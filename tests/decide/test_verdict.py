"""Why a pod is not in service, in the words of whoever knows."""

from kubectl_safe.decide.verdict import OutOfService, verdict
from kubectl_safe.model.pod import Condition
from tests.support.builders import a_cluster, a_deployment, a_pod


def test_a_pod_that_no_node_takes_is_told_in_the_words_of_the_scheduler() -> None:
    words = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."
    unscheduled = Condition(is_true=False, since=None, reason="Unschedulable", message=words)
    pod = a_pod("web-7", node=None, phase="Pending", conditions={"PodScheduled": unscheduled})
    found = verdict(pod, a_deployment(), a_cluster(pod))
    assert found == OutOfService(why=f"pod shop/web-7 is not ready: {words}")
