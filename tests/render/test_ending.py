"""What a run says that did not do everything."""

from kubectl_safe.decide.ending import Ending, LeftPod, Standing
from kubectl_safe.decide.intent import Planned
from kubectl_safe.render.ending import explained


def left(name: str, standing: Standing, why: str = "its image can't be pulled") -> LeftPod:
    pod = Planned(uid=f"{name}-uid", namespace="shop", name=name, node="node-1", workload=None)
    return LeftPod(pod=pod, standing=standing, why=why)


def test_each_reason_stands_once_with_its_pods_by_where_they_stand() -> None:
    ending = Ending(
        planned=4,
        left=(
            left("web-1", Standing.GIVEN_BACK),
            left("web-2", Standing.NOT_BEGUN),
            left("web-3", Standing.NOT_BEGUN),
            left("api-1", Standing.WITHDRAWN, "its target is draining"),
        ),
    )
    assert explained(ending, subject="node/node-1").splitlines() == [
        "4 of 4 pods were not handed over",
        "its image can't be pulled",
        "  not begun, serves on: shop/web-2, shop/web-3",
        "  given back, serves on as before: shop/web-1",
        "its target is draining",
        "  withdrawn, runs on and gets no new requests: shop/api-1",
        "run the same command again to go on, or end it with: kubectl safe abort node/node-1",
    ]


def test_without_a_pod_under_way_there_is_nothing_to_abort() -> None:
    text = explained(Ending(planned=2, left=(left("web-1", Standing.GIVEN_BACK),)), subject="node/node-1")
    assert text.splitlines()[0] == "1 of 2 pods was not handed over"
    assert text.splitlines()[-1] == "run the same command again to go on"


def test_a_restart_leaves_its_record_which_can_be_ended() -> None:
    ending = Ending(planned=2, left=(left("web-1", Standing.NOT_BEGUN),))
    text = explained(ending, subject="deployment/web -n shop", has_record=True)
    assert text.endswith("or end it with: kubectl safe abort deployment/web -n shop")


def test_of_many_pods_some_are_named() -> None:
    ending = Ending(planned=20, left=tuple(left(f"web-{n}", Standing.NOT_BEGUN) for n in range(20)))
    assert "shop/web-7 and 12 more\n" in explained(ending, subject="node/node-1")


def test_where_nothing_can_go_on_nothing_is_said_to() -> None:
    text = explained(Ending(planned=2, left=(left("web-1", Standing.RELEASED),)), subject="", can_go_on=False)
    assert text.splitlines()[-1] == "  released, serves on without its controller: shop/web-1"


def test_an_abort_tells_of_what_it_could_not_end_alone_and_not_to_abort() -> None:
    ending = Ending(
        planned=2, left=(left("web-1", Standing.WITHDRAWN, "aborted; why"), left("web-2", Standing.GIVEN_BACK))
    )
    assert explained(ending, subject="").splitlines() == [
        "1 of 2 pods was neither given back nor handed over",
        "aborted; why",
        "  withdrawn, runs on and gets no new requests: shop/web-1",
        "run the same command again to go on",
    ]
