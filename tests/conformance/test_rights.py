"""Who may do what, and how that is asked and refused."""

import pytest

from tests.conformance.ground import Ground
from tests.conformance.manifests import a_pod

RBAC = "rbac.authorization.k8s.io"


def allow(ground: Ground, verbs: list[str], resources: list[str], group: str = "") -> None:
    """Allow the user `reader` something in the namespace, and wait until that counts."""
    rules = [{"apiGroups": [group], "resources": resources, "verbs": verbs}]
    ground.create("roles", {"metadata": {"name": "some"}, "rules": rules})
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "some"}
    subjects = [{"apiGroup": RBAC, "kind": "User", "name": "reader"}]
    ground.create("rolebindings", {"metadata": {"name": "some"}, "roleRef": reference, "subjects": subjects})
    ground.until(lambda: may(ground, verbs[0], resources[0], group) or None, "the right")


def may(ground: Ground, verb: str, resource: str, group: str = "", *, user: str = "reader") -> bool:
    name, _, subresource = resource.partition("/")
    attributes = {
        "namespace": ground.namespace,
        "verb": verb,
        "group": group,
        "resource": name,
        "subresource": subresource,
    }
    answer = ground.plane.call(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
        user=user,
    )
    assert answer.code == 201, answer
    return bool(answer.body["status"]["allowed"])


def test_missing_right_is_told(ground: Ground) -> None:
    answer = ground.call("GET", "pods", user="nobody")
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message == (
        'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" '
        f'in the namespace "{ground.namespace}"'
    )


def test_missing_right_to_one_object_names_it(ground: Ground) -> None:
    answer = ground.patch("deployments", "web", {}, user="nobody")
    assert answer.message == (
        'deployments.apps "web" is forbidden: User "nobody" cannot patch resource "deployments" in API group "apps" '
        f'in the namespace "{ground.namespace}"'
    )


def test_missing_right_to_the_cluster_is_told(ground: Ground) -> None:
    answer = ground.plane.call("GET", "/api/v1/nodes", user="nobody")
    assert answer.message.endswith("at the cluster scope")


def test_missing_right_to_a_subresource_is_told(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.call("POST", "pods", "a", {"metadata": {"name": "a"}}, sub="eviction", user="nobody")
    assert 'cannot create resource "pods/eviction"' in answer.message


@pytest.mark.parametrize("watch", ["false", "true"])
def test_right_is_of_a_verb(ground: Ground, watch: str) -> None:
    allow(ground, ["list"], ["pods"])
    answer = ground.call("GET", "pods", user="reader", watch=watch, timeoutSeconds="1")
    assert answer.code == (200 if watch == "false" else 403)


def test_right_to_a_resource_is_none_to_its_subresource(ground: Ground) -> None:
    allow(ground, ["create"], ["pods"])
    assert not may(ground, "create", "pods/eviction")


def test_right_to_a_subresource_counts(ground: Ground) -> None:
    allow(ground, ["create"], ["pods/eviction"])
    assert may(ground, "create", "pods/eviction")
    assert not may(ground, "create", "pods")


def test_right_is_of_a_namespace(ground: Ground) -> None:
    allow(ground, ["list"], ["pods"])
    assert ground.plane.call("GET", "/api/v1/pods", user="reader").code == 403


def test_masters_may_everything(ground: Ground) -> None:
    assert may(ground, "delete", "nodes", user="admin")


def test_stranger_is_unauthorized(ground: Ground) -> None:
    import http.client
    import ssl
    from urllib.parse import urlsplit

    url = urlsplit(ground.plane.control_plane.url)
    if url.scheme == "https":
        tls = ssl.create_default_context(cafile=str(ground.plane.control_plane.ca_file))  # type: ignore[union-attr]
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(url.netloc, context=tls)
    else:
        connection = http.client.HTTPConnection(url.netloc)
    connection.request("GET", "/api/v1/pods", headers={"Authorization": "Bearer nonsense"})
    assert connection.getresponse().status == 401
    connection.close()


def test_lease_is_taken_by_its_version(ground: Ground) -> None:
    lease = ground.create(
        "leases", {"metadata": {"name": "a"}, "spec": {"holderIdentity": "x", "leaseDurationSeconds": 30}}
    )
    taken = {**lease, "spec": {**lease["spec"], "holderIdentity": "y"}}
    assert ground.call("PUT", "leases", "a", taken).code == 200
    answer = ground.call("PUT", "leases", "a", {**lease, "spec": {**lease["spec"], "holderIdentity": "z"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert ground.get("leases", "a")["spec"]["holderIdentity"] == "y"


def test_lease_that_is_there_is_not_created_twice(ground: Ground) -> None:
    ground.create("leases", {"metadata": {"name": "a"}})
    assert ground.call("POST", "leases", body={"metadata": {"name": "a"}}).reason == "AlreadyExists"


def test_lease_is_deleted_only_by_who_knows_it(ground: Ground) -> None:
    lease = ground.create("leases", {"metadata": {"name": "a"}})
    options = {"preconditions": {"uid": lease["metadata"]["uid"], "resourceVersion": "1"}}
    assert ground.call("DELETE", "leases", "a", options).code == 409
    options["preconditions"]["resourceVersion"] = lease["metadata"]["resourceVersion"]
    assert ground.call("DELETE", "leases", "a", options).code == 200
