"""How requests are answered: codes, reasons, messages."""

import pytest

from tests.conformance.ground import MERGE, STRATEGIC, Ground
from tests.conformance.manifests import a_pod, deployment, labels, name_of, version


def test_created_object_has_what_the_server_gives(ground: Ground) -> None:
    pod = ground.create("pods", a_pod("a"))
    metadata = pod["metadata"]
    assert metadata["namespace"] == ground.namespace
    assert metadata["generation"] == 1
    assert {"uid", "resourceVersion", "creationTimestamp"} <= metadata.keys()
    assert pod["status"]["phase"] == "Pending"
    assert (pod["kind"], pod["apiVersion"]) == ("Pod", "v1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("restartPolicy", "Always"),
        ("terminationGracePeriodSeconds", 30),
        ("dnsPolicy", "ClusterFirst"),
        ("schedulerName", "default-scheduler"),
        ("securityContext", {}),
    ],
)
def test_pod_has_defaults(ground: Ground, field: str, value: object) -> None:
    assert ground.create("pods", a_pod("a"))["spec"][field] == value


def test_pod_tolerates_lost_nodes_for_five_minutes(ground: Ground) -> None:
    tolerations = ground.create("pods", a_pod("a"))["spec"]["tolerations"]
    assert {(its["key"], its["effect"], its["tolerationSeconds"]) for its in tolerations} == {
        ("node.kubernetes.io/not-ready", "NoExecute", 300),
        ("node.kubernetes.io/unreachable", "NoExecute", 300),
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
        ("progressDeadlineSeconds", 600),
        ("revisionHistoryLimit", 10),
    ],
)
def test_deployment_has_defaults(ground: Ground, field: str, value: object) -> None:
    assert ground.create("deployments", deployment("web", 0))["spec"][field] == value


def test_generated_name_has_five_letters_more(ground: Ground) -> None:
    body = a_pod("x")
    body["metadata"] = {"generateName": "web-"}
    name = name_of(ground.create("pods", body))
    assert name.startswith("web-")
    assert len(name) == len("web-") + 5


def test_missing_object_is_not_found(ground: Ground) -> None:
    answer = ground.call("GET", "pods", "a")
    assert (answer.code, answer.reason, answer.message) == (404, "NotFound", 'pods "a" not found')
    assert answer.body["details"] == {"name": "a", "kind": "pods"}


def test_missing_object_is_named_with_its_group(ground: Ground) -> None:
    answer = ground.call("GET", "deployments", "a")
    assert answer.message == 'deployments.apps "a" not found'
    assert answer.body["details"] == {"name": "a", "group": "apps", "kind": "deployments"}


def test_unknown_resource_is_not_found(ground: Ground) -> None:
    answer = ground.plane.call("GET", "/apis/elbv2.k8s.aws/v1/targetgroupbindings")
    assert answer.code == 404


def test_name_that_is_taken_already_exists(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.call("POST", "pods", body=a_pod("a"))
    assert (answer.code, answer.reason, answer.message) == (409, "AlreadyExists", 'pods "a" already exists')


def test_name_is_taken_for_a_dry_run_too(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    assert ground.call("POST", "pods", body=a_pod("a"), dryRun="All").reason == "AlreadyExists"


def test_dry_run_creates_nothing(ground: Ground) -> None:
    answer = ground.call("POST", "pods", body=a_pod("a"), dryRun="All")
    assert answer.code == 201
    assert "uid" in answer.body["metadata"]
    assert ground.find("pods", "a") is None


def test_missing_namespace_is_not_found(ground: Ground) -> None:
    answer = ground.plane.call("POST", "/api/v1/namespaces/missing/pods", a_pod("a"))
    assert (answer.code, answer.message) == (404, 'namespaces "missing" not found')


def test_other_namespace_than_the_path_is_refused(ground: Ground) -> None:
    body = a_pod("a")
    body["metadata"]["namespace"] = "other"
    answer = ground.call("POST", "pods", body=body)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "does not match the namespace sent on the request" in answer.message


def test_invalid_object_is_told_by_its_field(ground: Ground) -> None:
    answer = ground.call("POST", "pods", body={"metadata": {"name": "a"}, "spec": {"containers": []}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message == 'Pod "a" is invalid: spec.containers: Required value'
    assert answer.causes == [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers"}]


def test_label_that_is_none_is_invalid(ground: Ground) -> None:
    answer = ground.call("POST", "pods", body=a_pod("a", {"app": "not a value"}))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes[0]["field"] == "metadata.labels"


def test_selector_has_to_match_the_template(ground: Ground) -> None:
    body = deployment("web")
    body["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    answer = ground.call("POST", "deployments", body=body)
    assert (answer.code, answer.causes[0]["field"]) == (422, "spec.template.metadata.labels")
    assert "`selector` does not match template `labels`" in answer.message


def test_selector_is_immutable(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 0))
    change = {"spec": {"selector": {"matchLabels": {"more": "x"}}, "template": {"metadata": {"labels": {"more": "x"}}}}}
    answer = ground.patch("deployments", "web", change)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "field is immutable" in answer.message


def test_most_of_a_pod_is_immutable(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.patch("pods", "a", {"spec": {"terminationGracePeriodSeconds": 5}})
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "pod updates may not change fields other than" in answer.message


def test_image_of_a_pod_is_not(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.patch("pods", "a", {"spec": {"containers": [{"name": "app", "image": "sandbox.invalid/app:2"}]}})
    assert answer.code == 200
    assert answer.body["metadata"]["generation"] == 2


def test_replacement_of_an_old_version_conflicts(ground: Ground) -> None:
    old = ground.create("configmaps", {"metadata": {"name": "a"}})
    ground.patch("configmaps", "a", {"metadata": {"labels": {"x": "y"}}})
    answer = ground.call("PUT", "configmaps", "a", {**old, "data": {"x": "y"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_replacement_without_a_version_is_taken(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a", "labels": {"x": "y"}}})
    answer = ground.call("PUT", "configmaps", "a", {"metadata": {"name": "a"}, "data": {"x": "y"}})
    assert answer.code == 200
    assert labels(answer.body) == {}


def test_replacement_has_to_be_of_the_same_name(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a"}})
    answer = ground.call("PUT", "configmaps", "a", {"metadata": {"name": "b"}})
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_status_is_no_matter_of_the_object(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 0))
    answer = ground.patch("deployments", "web", {"status": {"replicas": 7}})
    assert answer.code == 200
    assert answer.body["status"].get("replicas", 0) == 0


def test_spec_is_no_matter_of_the_status(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 0, paused=True))
    answer = ground.patch("deployments", "web", {"spec": {"replicas": 7}}, sub="status")
    assert answer.code == 200
    assert answer.body["spec"]["replicas"] == 0


def test_change_of_the_spec_counts_a_generation(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 0))
    assert ground.patch("deployments", "web", {"spec": {"minReadySeconds": 1}}).body["metadata"]["generation"] == 2


def test_change_of_labels_counts_none(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 0))
    answer = ground.patch("deployments", "web", {"metadata": {"labels": {"x": "y"}}})
    assert answer.body["metadata"]["generation"] == 1


def test_change_of_nothing_keeps_the_version(ground: Ground) -> None:
    pod = ground.create("configmaps", {"metadata": {"name": "a", "labels": {"x": "y"}}})
    answer = ground.patch("configmaps", "a", {"metadata": {"labels": {"x": "y"}}})
    assert version(answer.body) == version(pod)


def test_versions_grow(ground: Ground) -> None:
    first = ground.create("configmaps", {"metadata": {"name": "a"}})
    second = ground.create("configmaps", {"metadata": {"name": "b"}})
    assert int(version(second)) > int(version(first))


def test_server_owned_fields_stay(ground: Ground) -> None:
    before = ground.create("configmaps", {"metadata": {"name": "a"}})
    patch = {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z", "generation": 7}}
    after = ground.patch("configmaps", "a", patch).body
    assert after["metadata"]["creationTimestamp"] == before["metadata"]["creationTimestamp"]


def test_version_on_creation_is_refused(ground: Ground) -> None:
    answer = ground.call("POST", "configmaps", body={"metadata": {"name": "a", "resourceVersion": "5"}})
    assert (answer.code, answer.message) == (500, "resourceVersion should not be set on objects to be created")


def test_dry_run_changes_nothing(ground: Ground) -> None:
    before = ground.create("configmaps", {"metadata": {"name": "a"}})
    answer = ground.patch("configmaps", "a", {"metadata": {"labels": {"x": "y"}}}, dryRun="All")
    assert labels(answer.body) == {"x": "y"}
    assert ground.get("configmaps", "a") == before


def test_field_manager_is_of_no_consequence(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a"}})
    answer = ground.patch("configmaps", "a", {"metadata": {"labels": {"x": "y"}}}, fieldManager="kubectl-safe")
    assert answer.code == 200


def test_custom_resource_knows_no_strategic_merge(ground: Ground) -> None:
    ground.create("targetgroupbindings", a_binding())
    patch = {"metadata": {"annotations": {"x": "y"}}}
    answer = ground.patch("targetgroupbindings", "web", patch, kind=STRATEGIC)
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")
    assert ground.patch("targetgroupbindings", "web", patch, kind=MERGE).code == 200


def test_custom_resource_counts_generations(ground: Ground) -> None:
    ground.create("targetgroupbindings", a_binding())
    noted = ground.patch("targetgroupbindings", "web", {"metadata": {"annotations": {"x": "y"}}}, kind=MERGE)
    assert noted.body["metadata"]["generation"] == 1
    changed = ground.patch("targetgroupbindings", "web", {"spec": {"vpcID": "vpc-1"}}, kind=MERGE)
    assert changed.body["metadata"]["generation"] == 2
    status = ground.patch("targetgroupbindings", "web", {"status": {"observedGeneration": 2}}, kind=MERGE, sub="status")
    assert status.body["metadata"]["generation"] == 2
    assert status.body["status"] == {"observedGeneration": 2}


def test_served_group_is_listed(ground: Ground) -> None:
    answer = ground.plane.call("GET", "/apis/elbv2.k8s.aws/v1beta1")
    assert answer.code == 200
    assert "targetgroupbindings" in {its["name"] for its in answer.body["resources"]}


def test_group_that_is_not_served_is_not_found(ground: Ground) -> None:
    assert ground.plane.call("GET", "/apis/eks.amazonaws.com/v1").code == 404


def test_eviction_is_discovered_with_its_group(ground: Ground) -> None:
    listed = ground.plane.call("GET", "/api/v1").body["resources"]
    eviction = next(its for its in listed if its["name"] == "pods/eviction")
    assert (eviction["kind"], eviction["group"], eviction["version"]) == ("Eviction", "policy", "v1")


def test_delete_answers_with_a_status(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a"}})
    answer = ground.call("DELETE", "configmaps", "a")
    assert (answer.code, answer.body["kind"], answer.body["status"]) == (200, "Status", "Success")
    assert answer.body["details"]["name"] == "a"


def test_scale_is_a_resource_of_its_own(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 0))
    scale = ground.call("GET", "deployments", "web", sub="scale").body
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["status"]["selector"] == "app=web"
    answer = ground.patch("deployments", "web", {"spec": {"replicas": 3}}, sub="scale", kind=MERGE)
    assert answer.body["spec"]["replicas"] == 3
    assert ground.get("deployments", "web")["spec"]["replicas"] == 3


def a_binding(name: str = "web") -> dict[str, object]:
    spec = {"targetGroupARN": "arn", "targetType": "ip", "serviceRef": {"name": "web", "port": 80}}
    return {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": name},
        "spec": spec,
    }
