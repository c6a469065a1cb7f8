"""What clouds leave on Services, as it is read from the API server's JSON."""

import pytest

from kubectl_safe.kube import parse

META = {"namespace": "default", "name": "a", "uid": "u", "resourceVersion": "1"}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        pytest.param({}, False, id="nothing is said"),
        pytest.param({"neg-status": '{"network_endpoint_groups":{"80":"k8s1-x"}}'}, True, id="there are some"),
        pytest.param({"neg": '{"exposed_ports":{"80":{}}}'}, True, id="there are to be some"),
        pytest.param({"neg": '{"ingress":true}'}, False, id="an Ingress may have some, as GKE says of every Service"),
        pytest.param({"neg": '{"exposed_ports":{}}'}, False, id="of no port"),
        pytest.param({"neg": "yes"}, False, id="what nobody can read"),
        pytest.param({"neg": "[1]"}, False, id="what is no object"),
    ],
)
def test_whether_the_pods_of_a_service_are_in_endpoint_groups(annotations: dict[str, str], expected: bool) -> None:
    marks = {f"cloud.google.com/{key}": value for key, value in annotations.items()}
    assert parse.service({"metadata": META | {"annotations": marks}}).is_in_endpoint_group is expected
