"""What patches make of objects, and what they are refused for."""

import pytest

from tests.conformance.ground import JSON_PATCH, MERGE, STRATEGIC, Ground
from tests.conformance.manifests import a_pod, a_service, container, labels, version
from tests.conformance.plane import Json


def owned(ground: Ground) -> Json:
    """Create a ConfigMap with an owner that is there, so that it is not collected."""
    uid = ground.create("configmaps", {"metadata": {"name": "owner"}})["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    return ground.create("configmaps", {"metadata": {"name": "a", "ownerReferences": [reference]}})


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_null_drops_a_label(ground: Ground, kind: str) -> None:
    ground.create("pods", a_pod("a", {"x": "1", "y": "2"}))
    answer = ground.patch("pods", "a", {"metadata": {"labels": {"x": None, "z": "3"}}}, kind=kind)
    assert labels(answer.body) == {"y": "2", "z": "3"}


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_null_of_what_is_not_there_changes_nothing(ground: Ground, kind: str) -> None:
    before = ground.create("configmaps", {"metadata": {"name": "a"}})
    answer = ground.patch("configmaps", "a", {"metadata": {"labels": {"x": None}}}, kind=kind)
    assert (answer.code, version(answer.body)) == (200, version(before))


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_empty_value_of_a_label_is_one(ground: Ground, kind: str) -> None:
    ground.create("pods", a_pod("a", {"x": "1"}))
    answer = ground.patch("pods", "a", {"metadata": {"labels": {"withdrawn": ""}}}, kind=kind)
    assert labels(answer.body) == {"x": "1", "withdrawn": ""}


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_other_uid_is_invalid(ground: Ground, kind: str) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.patch("pods", "a", {"metadata": {"uid": "other", "labels": {"x": "1"}}}, kind=kind)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message == 'Pod "a" is invalid: metadata.uid: Invalid value: "other": field is immutable'


def test_other_uid_of_a_status_is_invalid(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.patch("pods", "a", {"metadata": {"uid": "other"}, "status": {"phase": "Running"}}, sub="status")
    assert (answer.code, answer.reason) == (422, "Invalid")


def test_old_version_of_another_uid_conflicts(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.patch("pods", "a", {"metadata": {"uid": "other", "resourceVersion": "1"}})
    assert (answer.code, answer.reason) == (409, "Conflict")


def test_replacement_of_another_uid_conflicts(ground: Ground) -> None:
    before = ground.create("configmaps", {"metadata": {"name": "a"}})
    other = {**before, "metadata": {**before["metadata"], "uid": "11111111-1111-4111-8111-111111111111"}}
    answer = ground.call("PUT", "configmaps", "a", other)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert f"UID in object meta: {before['metadata']['uid']}" in answer.message


def test_same_uid_is_taken(ground: Ground) -> None:
    pod = ground.create("pods", a_pod("a"))
    answer = ground.patch("pods", "a", {"metadata": {"uid": pod["metadata"]["uid"], "labels": {"x": "1"}}})
    assert answer.code == 200


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE])
def test_old_version_conflicts(ground: Ground, kind: str) -> None:
    old = version(ground.create("pods", a_pod("a")))
    ground.patch("pods", "a", {"metadata": {"labels": {"x": "1"}}})
    patch = {"metadata": {"resourceVersion": old, "labels": {"x": "2"}}}
    answer = ground.patch("pods", "a", patch, kind=kind)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "the object has been modified" in answer.message
    assert labels(ground.get("pods", "a"))["x"] == "1"


def test_old_version_conflicts_in_a_dry_run_too(ground: Ground) -> None:
    old = version(ground.create("pods", a_pod("a")))
    ground.patch("pods", "a", {"metadata": {"labels": {"x": "1"}}})
    assert ground.patch("pods", "a", {"metadata": {"resourceVersion": old}}, dryRun="All").code == 409


def test_newest_version_is_taken(ground: Ground) -> None:
    current = version(ground.create("configmaps", {"metadata": {"name": "a"}}))
    patch = {"metadata": {"resourceVersion": current, "labels": {"x": "1"}}}
    assert ground.patch("configmaps", "a", patch).code == 200


def test_missing_object_is_not_found(ground: Ground) -> None:
    assert ground.patch("pods", "a", {"metadata": {"labels": {"x": "1"}}}).reason == "NotFound"


def test_strategic_merge_adds_an_owner_beside_the_others(ground: Ground) -> None:
    before = owned(ground)["metadata"]["ownerReferences"]
    also = ground.create("configmaps", {"metadata": {"name": "also"}})["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "also", "uid": also, "controller": False}
    after = ground.patch("configmaps", "a", {"metadata": {"ownerReferences": [reference]}}).body
    assert [owner["uid"] for owner in after["metadata"]["ownerReferences"]] in (
        [before[0]["uid"], also],
        [also, before[0]["uid"]],
    )


def test_strategic_merge_changes_an_owner_by_its_uid(ground: Ground) -> None:
    [reference] = owned(ground)["metadata"]["ownerReferences"]
    change = {"uid": reference["uid"], "blockOwnerDeletion": True}
    after = ground.patch("configmaps", "a", {"metadata": {"ownerReferences": [change]}}).body
    assert after["metadata"]["ownerReferences"] == [{**reference, "blockOwnerDeletion": True}]


def test_strategic_merge_deletes_an_owner_by_directive(ground: Ground) -> None:
    [reference] = owned(ground)["metadata"]["ownerReferences"]
    change = {"$patch": "delete", "uid": reference["uid"]}
    after = ground.patch("configmaps", "a", {"metadata": {"ownerReferences": [change]}}).body
    assert "ownerReferences" not in after["metadata"]


def test_merge_patch_replaces_the_owners(ground: Ground) -> None:
    owned(ground)
    also = ground.create("configmaps", {"metadata": {"name": "also"}})["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "also", "uid": also}
    after = ground.patch("configmaps", "a", {"metadata": {"ownerReferences": [reference]}}, kind=MERGE).body
    assert after["metadata"]["ownerReferences"] == [reference]


def test_second_controller_is_invalid(ground: Ground) -> None:
    first, second = (
        {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": name, "controller": True} for name in "xy"
    )
    answer = ground.call("POST", "configmaps", body={"metadata": {"name": "a", "ownerReferences": [first, second]}})
    assert (answer.code, answer.causes[0]["field"]) == (422, "metadata.ownerReferences")
    assert "Only one reference can have Controller set to true" in answer.message


def test_strategic_merge_of_conditions_goes_by_type(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    conditions = [{"type": "gate/one", "status": "False"}, {"type": "gate/two", "status": "False"}]
    ground.patch("pods", "a", {"status": {"conditions": conditions}}, sub="status")
    change = [{"type": "gate/one", "status": "True"}]
    after = ground.patch("pods", "a", {"status": {"conditions": change}}, sub="status").body
    told = {its["type"]: its["status"] for its in after["status"]["conditions"] if its["type"].startswith("gate")}
    assert told == {"gate/one": "True", "gate/two": "False"}


def test_null_in_a_condition_takes_a_field_away(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    condition = {"type": "gate/one", "status": "False", "reason": "Because"}
    ground.patch("pods", "a", {"status": {"conditions": [condition]}}, sub="status")
    change = [{"type": "gate/one", "status": "True", "reason": None}]
    after = ground.patch("pods", "a", {"status": {"conditions": change}}, sub="status").body
    [told] = [its for its in after["status"]["conditions"] if its["type"] == "gate/one"]
    assert "reason" not in told


def test_strategic_merge_of_containers_goes_by_name(ground: Ground) -> None:
    ground.create("pods", a_pod("a", containers=[container(), {"name": "side", "image": "side:1"}]))
    patch = {"spec": {"containers": [{"name": "side", "image": "side:2"}]}}
    after = ground.patch("pods", "a", patch).body["spec"]["containers"]
    assert [(its["name"], its["image"]) for its in after] == [("app", "sandbox.invalid/app:1"), ("side", "side:2")]


def test_strategic_merge_of_ports_goes_by_port(ground: Ground) -> None:
    ground.create("services", a_service("web", ports=[{"name": "http", "port": 80}, {"name": "other", "port": 81}]))
    patch = {"spec": {"ports": [{"port": 81, "targetPort": 9090}]}}
    after = ground.patch("services", "web", patch).body["spec"]["ports"]
    assert {its["port"]: its["targetPort"] for its in after} == {80: 80, 81: 9090}


def test_strategic_merge_of_taints_replaces_them(ground: Ground) -> None:
    name = f"taints-{ground.namespace}"
    taint = {"key": "a", "effect": "NoSchedule"}
    ground.plane.call("POST", "/api/v1/nodes", {"metadata": {"name": name}, "spec": {"taints": [taint]}})
    patch = {"spec": {"taints": [{"key": "b", "effect": "NoSchedule"}]}}
    after = ground.plane.call("PATCH", f"/api/v1/nodes/{name}", patch, kind=STRATEGIC).body
    ground.plane.call("DELETE", f"/api/v1/nodes/{name}")
    assert [its["key"] for its in after["spec"]["taints"]] == ["b"]


def test_strategic_merge_of_selectors_adds_to_them(ground: Ground) -> None:
    ground.create("services", a_service("web"))
    after = ground.patch("services", "web", {"spec": {"selector": {"more": "x"}}}).body
    assert after["spec"]["selector"] == {"app": "web", "more": "x"}


def test_finalizers_are_added_to(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a", "finalizers": ["x.y/one"]}})
    after = ground.patch("configmaps", "a", {"metadata": {"finalizers": ["x.y/two"]}}).body
    assert set(after["metadata"]["finalizers"]) == {"x.y/one", "x.y/two"}
    dropped = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x.y/one"]}}
    assert ground.patch("configmaps", "a", dropped).body["metadata"]["finalizers"] == ["x.y/two"]
    ground.patch("configmaps", "a", {"metadata": {"finalizers": None}})


def test_json_patch_goes_by_path(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a", "labels": {"x.y/z": "1"}}})
    operations = [
        {"op": "test", "path": "/metadata/labels/x.y~1z", "value": "1"},
        {"op": "replace", "path": "/metadata/labels/x.y~1z", "value": "2"},
        {"op": "add", "path": "/metadata/annotations", "value": {"n": "m"}},
    ]
    after = ground.patch("configmaps", "a", operations, kind=JSON_PATCH).body["metadata"]
    assert (after["labels"], after["annotations"]) == ({"x.y/z": "2"}, {"n": "m"})


def test_json_patch_whose_test_fails_is_refused(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a"}})
    operations = [{"op": "test", "path": "/metadata/name", "value": "b"}]
    assert ground.patch("configmaps", "a", operations, kind=JSON_PATCH).code == 422


def test_annotation_of_a_template_is_a_new_revision(ground: Ground) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container()]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    ground.create("deployments", {"metadata": {"name": "web"}, "spec": spec})
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T12:00:00Z"}
    after = ground.patch("deployments", "web", {"spec": {"template": {"metadata": {"annotations": stamp}}}}).body
    assert after["metadata"]["generation"] == 2
    assert after["spec"]["template"]["metadata"] == {"labels": {"app": "web"}, "annotations": stamp}


def test_cordon_is_a_field_of_the_spec(ground: Ground) -> None:
    name = f"cordon-{ground.namespace}"
    ground.plane.call("POST", "/api/v1/nodes", {"metadata": {"name": name}})
    path = f"/api/v1/nodes/{name}"
    assert ground.plane.call("PATCH", path, {"spec": {"unschedulable": True}}, kind=STRATEGIC).body["spec"] == {
        "unschedulable": True
    } | {k: v for k, v in ground.plane.call("GET", path).body["spec"].items() if k != "unschedulable"}
    after = ground.plane.call("PATCH", path, {"spec": {"unschedulable": None}}, kind=STRATEGIC).body
    ground.plane.call("DELETE", path)
    assert "unschedulable" not in after["spec"]
