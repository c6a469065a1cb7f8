"""Evictions, as far as no budget has a say in them."""

import pytest

from tests.conformance.ground import Ground
from tests.conformance.manifests import name_of, version
from tests.conformance.plane import Json

PINNED = "the ResourceVersion in the precondition"


def is_terminating(ground: Ground, name: str) -> bool:
    return "deletionTimestamp" in ground.get("pods", name)["metadata"]


def uid(pod: Json) -> str:
    return str(pod["metadata"]["uid"])


def test_eviction_without_a_budget_is_accepted(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    answer = ground.evict(name_of(pod), {"preconditions": {"uid": uid(pod)}})
    assert (answer.code, answer.body["status"]) == (201, "Success")
    assert is_terminating(ground, name_of(pod))


def test_evicted_pod_says_so(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    ground.evict(name_of(pod))
    [told] = [
        its for its in ground.get("pods", name_of(pod))["status"]["conditions"] if its["type"] == "DisruptionTarget"
    ]
    assert (told["status"], told["reason"], told["message"]) == (
        "True",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )


def test_evicted_pod_has_its_grace(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    ground.evict(name_of(pod), {"gracePeriodSeconds": 4})
    assert ground.get("pods", name_of(pod))["metadata"]["deletionGracePeriodSeconds"] == 4


def test_missing_pod_is_not_found(ground: Ground) -> None:
    answer = ground.evict("a")
    assert (answer.code, answer.reason, answer.message) == (404, "NotFound", 'pods "a" not found')


def test_other_uid_conflicts(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    answer = ground.evict(name_of(pod), {"preconditions": {"uid": "other"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert not is_terminating(ground, name_of(pod))


def test_old_version_conflicts(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    answer = ground.evict(name_of(pod), {"preconditions": {"uid": uid(pod), "resourceVersion": "1"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert PINNED in answer.message
    assert not is_terminating(ground, name_of(pod))


def test_newest_version_is_accepted(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    pins = {"uid": uid(pod), "resourceVersion": version(ground.get("pods", name_of(pod)))}
    assert ground.evict(name_of(pod), {"preconditions": pins}).code == 201


@pytest.mark.parametrize("where", ["query", "options", "both"])
def test_dry_run_evicts_nothing(ground: Ground, where: str) -> None:
    [pod] = ground.deploy(replicas=1)
    options = {"dryRun": ["All"]} if where != "query" else {}
    query = {"dryRun": "All"} if where != "options" else {}
    assert ground.evict(name_of(pod), options, **query).code == 201
    after = ground.get("pods", name_of(pod))
    assert "deletionTimestamp" not in after["metadata"]
    assert "DisruptionTarget" not in {its["type"] for its in after["status"]["conditions"]}


def test_other_name_than_the_path_is_refused(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    answer = ground.call("POST", "pods", name_of(pod), {"metadata": {"name": "other"}}, sub="eviction")
    assert (answer.code, answer.reason) == (400, "BadRequest")


def test_second_eviction_is_accepted(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    ground.evict(name_of(pod))
    assert ground.evict(name_of(pod)).code == 201
