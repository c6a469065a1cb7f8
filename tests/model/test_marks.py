"""What our annotations say, and that another's is told from ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import HANDOFF, OPERATION, Handoff, Operation
from tests.support.builders import HASH, LABELS, a_pod, a_replica_set

words = st.text(max_size=20)
handoffs = st.builds(
    Handoff,
    dropped=st.dictionaries(words, words, max_size=3),
    in_service=st.integers(0, 100),
    annotations=st.dictionaries(words, st.none() | words, max_size=3),
    targets=st.lists(words, max_size=3).map(tuple),
)
operations = st.builds(Operation, id=words, started=words, options=words, pods=st.frozensets(words, max_size=5))


@given(handoff=handoffs)
def test_a_handoff_survives_the_round_trip(handoff: Handoff) -> None:
    assert Handoff.loads(handoff.dumps()) == handoff


@given(operation=operations)
def test_an_operation_survives_the_round_trip(operation: Operation) -> None:
    assert Operation.loads(operation.dumps()) == operation


OTHERS = [
    "",
    "true",
    "[]",
    "null",
    "{}",
    '{"dropped":[],"inService":1,"annotations":{},"targets":[]}',
    '{"dropped":{},"inService":"many","annotations":{},"targets":[]}',
    '{"id":"a","started":"b","options":"c","pods":1}',
]


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("kind", [Handoff, Operation])
def test_an_annotation_of_another_is_rejected_by_name(kind: type[Handoff | Operation], text: str) -> None:
    with pytest.raises(ValueError, match=r"annotation kubectl-safe/.* is not one of ours"):
        kind.loads(text)


def test_an_operation_plans_by_eight_characters() -> None:
    operation = Operation(id="a", started="", options="", pods=frozenset({"1a2b3c4d"}))
    assert operation.plans("1a2b3c4d-5e6f")
    assert not operation.plans("1a2b3c4e-5e6f")


def test_the_labels_of_before_can_be_told_at_every_step() -> None:
    for pod in (a_pod(), a_pod(released=True), a_pod(withdrawn=True)):
        assert pod.original_labels == LABELS
    assert HASH not in a_pod(released=True).labels


def test_a_pod_that_was_not_released_has_no_handoff() -> None:
    assert a_pod().handoff is None
    assert a_pod(released=True).annotations.keys() == {HANDOFF}


def test_a_foreign_annotation_is_told_with_its_object_and_remedy() -> None:
    pod = a_pod(annotations={HANDOFF: "yes"})
    with pytest.raises(KubectlSafeError, match=f"pod shop/web-1: .*kubectl annotate pod web-1 -n shop {HANDOFF}-"):
        _ = pod.handoff
    replica_set = a_replica_set(annotations={OPERATION: "yes"})
    with pytest.raises(KubectlSafeError, match=f"replicaset shop/.*kubectl annotate replicaset .* {OPERATION}-"):
        _ = replica_set.operation
