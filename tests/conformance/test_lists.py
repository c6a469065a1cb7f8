"""Lists and watches: selection, pages, events."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.ground import Ground
from tests.conformance.manifests import a_pod, name_of, version
from tests.conformance.plane import Json


def config(ground: Ground, name: str, **labels: str) -> Json:
    return ground.create("configmaps", {"metadata": {"name": name, "labels": labels}})


def names(items: list[Json]) -> list[str]:
    return [name_of(its) for its in items if name_of(its) != "kube-root-ca.crt"]


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("app=web", ["a", "b"]),
        ("app==web", ["a", "b"]),
        ("app!=web", ["c", "d"]),
        ("app in (web,api)", ["a", "b", "c"]),
        ("app notin (web)", ["c", "d"]),
        ("app", ["a", "b", "c"]),
        ("!app", ["d"]),
        ("app=web,tier=front", ["a"]),
        ("app=none", []),
    ],
)
def test_labels_select(ground: Ground, selector: str, selected: list[str]) -> None:
    config(ground, "a", app="web", tier="front")
    config(ground, "b", app="web")
    config(ground, "c", app="api")
    config(ground, "d")
    assert names(ground.all("configmaps", labelSelector=selector)) == selected


def test_fields_select(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    ground.create("pods", a_pod("b", schedulerName="none"))
    node = ground.bound("a")["spec"]["nodeName"]
    assert names(ground.all("pods", fieldSelector=f"spec.nodeName={node}")) == ["a"]
    assert names(ground.all("pods", fieldSelector="spec.nodeName!=")) == ["a"]
    assert names(ground.all("pods", fieldSelector="spec.nodeName=")) == ["b"]
    assert names(ground.all("pods", fieldSelector="metadata.name=b")) == ["b"]
    assert names(ground.all("pods", fieldSelector="metadata.name!=b,status.phase=Pending")) == ["a"]


def test_unknown_field_is_refused(ground: Ground) -> None:
    answer = ground.call("GET", "pods", fieldSelector="spec.hostname=x")
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert "field label not supported: spec.hostname" in answer.message


def test_list_tells_its_kind_and_its_items_do_not(ground: Ground) -> None:
    ground.create("pods", a_pod("a"))
    answer = ground.call("GET", "pods")
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("PodList", "v1")
    assert "kind" not in answer.body["items"][0]
    assert int(answer.body["metadata"]["resourceVersion"]) >= int(version(answer.body["items"][0]))


def test_list_is_ordered_by_name(ground: Ground) -> None:
    for name in ("c", "a", "b"):
        config(ground, name)
    assert names(ground.all("configmaps")) == ["a", "b", "c"]


def test_pages_follow_one_another(ground: Ground) -> None:
    for name in "abcde":
        config(ground, name, page="x")
    first = ground.call("GET", "configmaps", limit="2", labelSelector="page=x").body
    assert names(first["items"]) == ["a", "b"]
    config(ground, "aa", page="x")
    token = first["metadata"]["continue"]
    second = ground.call("GET", "configmaps", limit="2", labelSelector="page=x", **{"continue": token}).body
    assert names(second["items"]) == ["c", "d"]
    assert version_of(second) == version_of(first)
    token = second["metadata"]["continue"]
    third = ground.call("GET", "configmaps", limit="2", labelSelector="page=x", **{"continue": token}).body
    assert names(third["items"]) == ["e"]
    assert not third["metadata"].get("continue")


def test_pages_tell_how_much_is_left(ground: Ground) -> None:
    for name in "abc":
        ground.create("leases", {"metadata": {"name": name}})
    assert ground.call("GET", "leases", limit="1").body["metadata"]["remainingItemCount"] == 2


def test_page_that_is_none_is_refused(ground: Ground) -> None:
    answer = ground.call("GET", "configmaps", limit="2", **{"continue": "nonsense"})
    assert (answer.code, answer.reason) == (400, "BadRequest")


def version_of(listed: Json) -> str:
    return str(listed["metadata"]["resourceVersion"])


def watched(ground: Ground, plural: str, version: str, **query: str) -> Iterator[Json]:
    """Yield a watch's events until its second is over."""
    asked: dict[str, Any] = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "1", **query}
    with ground.plane.open("GET", ground.path(plural), **asked) as response:
        assert response.status == 200
        for line in response:
            if line.strip():
                yield json.loads(line)


def told(events: Iterator[Json], count: int) -> list[tuple[str, str]]:
    """Return the first events, as type and name."""
    found = []
    for event in events:
        if event["type"] != "BOOKMARK":
            found.append((event["type"], name_of(event["object"])))
        if len(found) == count:
            break
    return found


def test_watch_tells_what_came_after_a_version(ground: Ground) -> None:
    start = version(config(ground, "a"))
    config(ground, "b")
    ground.patch("configmaps", "b", {"metadata": {"labels": {"x": "y"}}})
    ground.call("DELETE", "configmaps", "b")
    events = watched(ground, "configmaps", start, fieldSelector="metadata.name=b")
    assert told(events, 3) == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]


def test_watch_from_nowhere_begins_with_what_is_there(ground: Ground) -> None:
    config(ground, "a", of="x")
    events = watched(ground, "configmaps", "0", labelSelector="of=x")
    assert told(events, 1) == [("ADDED", "a")]


def test_watch_ends_in_good_order(ground: Ground) -> None:
    start = version(config(ground, "a"))
    assert list(watched(ground, "configmaps", start, labelSelector="of=nothing")) == []


def test_what_leaves_a_selection_is_deleted_for_it(ground: Ground) -> None:
    start = version(config(ground, "a", of="x"))
    left = ground.patch("configmaps", "a", {"metadata": {"labels": {"of": "y"}}}).body
    [event] = list(watched(ground, "configmaps", start, labelSelector="of=x"))
    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"] == {"of": "x"}
    assert version(event["object"]) == version(left)


def test_what_comes_into_a_selection_is_added_for_it(ground: Ground) -> None:
    start = version(config(ground, "a", of="y"))
    ground.patch("configmaps", "a", {"metadata": {"labels": {"of": "x"}}})
    assert told(watched(ground, "configmaps", start, labelSelector="of=x"), 1) == [("ADDED", "a")]


def test_deleted_object_is_told_under_a_version_of_its_own(ground: Ground) -> None:
    before = config(ground, "a", of="x")
    ground.call("DELETE", "configmaps", "a")
    [event] = list(watched(ground, "configmaps", version(before), labelSelector="of=x"))
    assert event["type"] == "DELETED"
    assert int(version(event["object"])) > int(version(before))


def test_watch_that_asks_for_it_gets_the_end_of_the_beginning(ground: Ground) -> None:
    config(ground, "a", of="x")
    query = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "labelSelector": "of=x",
    }
    events = list(watched(ground, "configmaps", "", **query))
    assert [event["type"] for event in events][:2] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_watched_objects_tell_their_kind(ground: Ground) -> None:
    config(ground, "a", of="x")
    [event] = list(watched(ground, "configmaps", "0", labelSelector="of=x"))
    assert (event["object"]["kind"], event["object"]["apiVersion"]) == ("ConfigMap", "v1")


def test_watch_of_pods_of_a_node_begins_with_their_binding(ground: Ground) -> None:
    start = version(config(ground, "a"))
    ground.create("pods", a_pod("a"))
    ground.bound("a")
    assert told(watched(ground, "pods", start, fieldSelector="spec.nodeName!="), 1) == [("ADDED", "a")]


def test_rows_are_for_people(ground: Ground) -> None:
    ground.create("pods", a_pod("a", schedulerName="none"))
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    table = ground.call("GET", "pods", accept=accept).body
    assert table["kind"] == "Table"
    titles = [its["name"] for its in table["columnDefinitions"] if not its["priority"]]
    assert titles == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert table["rows"][0]["cells"][:3] == ["a", "0/1", "Pending"]
