"""What a drain chooses, leaves and refuses, and in which words, beside the real `kubectl drain` on the same odd pods.

Where we differ on purpose, a test of its own says how and why:

- kubectl tells of each pod only what the last of its filters warns of; we tell all of it
  (`test_no_warning_is_lost_to_the_next_filter`).
- kubectl drains pods of controllers that nobody knows how they replace them; we have to be told to
  (`test_a_pod_of_an_unknown_controller_is_refused_by_name`).
- kubectl tries a pod of two budgets, which can't be evicted, and asks for one that its budget holds for ever; we refuse
  the first before anything is done, and plan the second (`test_budgets_are_looked_at_beforehand`).
- With `--disable-eviction` kubectl's client dry run says that it evicts, its server dry run says nothing; we say that
  we delete (`test_the_same_pods_are_deleted_and_we_say_so`).
- kubectl drains the only pod of a StatefulSet; we have to be told to, as nothing serves then (`ALLOW`).
- A drain that is refused has done nothing with us; kubectl has cordoned its node
  (`test_who_is_refused_has_cordoned_nothing_with_us`).
"""

import re
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path

import pytest

from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.conformance.plane import Plane
from tests.support.loop import LoopThread
from tests.support.odd_pods import NODE, ODD, OLD_SECONDS
from tests.support.parity import TIGHT, Both, Told, populate
from tests.support.stage import OTHER_ADMIN, USER, USERS

pytestmark = pytest.mark.controlplane

ALLOW = ("--allow", "unknown-owner,downtime")
IGNORE, FORCE, DELETE = "--ignore-daemonsets", "--force", "--delete-emptydir-data"
ALL = (IGNORE, FORCE, DELETE)
SKIP = f"--skip-wait-for-delete-timeout={OLD_SECONDS}"
LOCAL_STORAGE = "deleting Pods with local storage"
DELETION = ("delete", "pods")
UNKNOWN = "Blocked(unknown-owner)"


@pytest.fixture(scope="module")
def plane(binaries: Path) -> Iterator[Plane]:
    """A cluster of odd pods, in which no controller changes anything."""
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(binaries, users=USERS, has_controllers=False)) as control_plane,
    ):
        plane = Plane(control_plane)
        populate(plane)
        yield plane


@pytest.fixture
def both(plane: Plane, capsys: pytest.CaptureFixture[str]) -> Iterator[Both]:
    """Both on the cluster; whatever they do, nothing is changed by it."""
    both = Both(plane=plane, capture=capsys)
    before, asked = both.versions(), len(both.writes(USER))
    yield both
    assert both.versions() == before
    assert all(write.is_dry_run for write in both.writes(USER)[asked:])


COMBINATIONS = [chosen for count in range(4) for chosen in combinations(ALL, count)]
SELECTORS = (
    "app=task",
    "app in (web, task)",
    "app=web,app!=task",
    "tier",
    "!odd",
    "odd=yes,app notin (agent,ghost)",
    "guard=open",
    "number>9",
    "number<10,number",
)


@pytest.mark.parametrize(
    "flags",
    [
        *(
            pytest.param([*flags, *skip], id=" ".join([*flags, *skip]) or "none")
            for flags, skip in product(COMBINATIONS, ([], [SKIP]))
        ),
        *(
            pytest.param([*flags, f"--pod-selector={its}"], id=" ".join([its, *flags]))
            for its, flags in product(SELECTORS, ((), (DELETE,), ALL))
        ),
    ],
)
def test_the_same_pods_are_chosen_left_and_refused_for_the_same_reasons(both: Both, flags: list[str]) -> None:
    theirs = both.theirs(*flags, "--dry-run=client")
    ours = both.ours(*flags, *ALLOW, "--dry-run=client")
    assert ours.errors == theirs.errors
    assert ours.code == theirs.code
    assert ours.chosen == (frozenset() if theirs.errors else theirs.chosen)
    if not theirs.errors:
        assert _as_kubectl_tells_it(ours) == theirs.warnings
        assert f"node/{NODE} drained (dry run)\n" in ours.out


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len({str(pod) for pod in ODD}) >= 50
    assert len({pod.namespace for pod in ODD}) == 3


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param([*ALL, SKIP], id="all flags"),
        pytest.param(list(ALL), id="those that should have ended are waited for"),
        pytest.param(["--pod-selector=app=task", DELETE], id="pods of a job"),
        pytest.param([IGNORE, FORCE], id="refused"),
    ],
)
def test_the_same_pods_are_asked_to_be_evicted_in_a_server_dry_run(both: Both, flags: list[str]) -> None:
    before = len(both.writes(OTHER_ADMIN))
    theirs = both.theirs(*flags, "--dry-run=server", "--timeout=20s")
    ours = both.ours(*flags, *ALLOW, "--dry-run=server")
    assert ours.errors == theirs.errors
    assert ours.code == theirs.code
    assert ours.chosen == (frozenset() if theirs.errors else theirs.chosen)
    asked = [write for write in both.writes(OTHER_ADMIN)[before:] if write.resource == "pods/eviction"]
    assert {f"{write.namespace}/{write.name}" for write in asked} == ours.chosen


def test_the_same_pods_are_deleted_and_we_say_so(both: Both) -> None:
    flags = [*ALL, SKIP, "--disable-eviction"]
    in_theory, ours = both.theirs(*flags, "--dry-run=client"), both.ours(*flags, *ALLOW, "--dry-run=client")
    assert ours.chosen == in_theory.chosen
    assert ours.verbs == {"deleting"}
    assert in_theory.verbs == {"evicting"}
    before = len(both.writes(OTHER_ADMIN))
    tried, ours = both.theirs(*flags, "--dry-run=server"), both.ours(*flags, *ALLOW, "--dry-run=server")
    assert (tried.code, tried.chosen) == (0, frozenset())
    deleted = [write for write in both.writes(OTHER_ADMIN)[before:] if (write.verb, write.resource) == DELETION]
    assert {f"{write.namespace}/{write.name}" for write in deleted} == ours.chosen
    assert ours.warnings["--disable-eviction bypasses disruption budgets"] == {"shop/open"}


def test_our_server_dry_run_of_a_deletion_is_a_delete_that_changes_nothing(both: Both) -> None:
    before = len(both.writes(USER))
    both.ours(*ALL, *ALLOW, "--disable-eviction", "--dry-run=server")
    tried = [write for write in both.writes(USER)[before:] if (write.verb, write.resource) == DELETION]
    assert tried
    assert all(write.is_dry_run and write.status == 200 for write in tried)
    assert all(write.body.get("dryRun") == ["All"] for write in tried)


def test_no_warning_is_lost_to_the_next_filter(both: Both) -> None:
    theirs, ours = both.theirs(*ALL, "--dry-run=client"), both.ours(*ALL, *ALLOW, "--dry-run=client")
    assert not any(_is_lost(words) for words in theirs.warnings)
    chosen = [pod for pod in ODD if str(pod) in ours.chosen]
    assert ours.warnings[LOCAL_STORAGE] == {str(pod) for pod in chosen if pod.has_data}
    assert {words for words in ours.warnings if _is_lost(words)} == {
        LOCAL_STORAGE,
        'daemonsets.apps "ghost" not found',
        'daemonsets.apps "agent" not found',
    }


def test_a_pod_of_an_unknown_controller_is_refused_by_name(both: Both) -> None:
    unknown = {str(pod) for pod in ODD if pod.is_of_unknown_owner}
    theirs, ours = both.theirs(*ALL, "--dry-run=client"), both.ours(*ALL, "--dry-run=client")
    assert theirs.chosen > unknown
    assert (ours.code, ours.chosen) == (1, frozenset())
    assert ours.errors == {UNKNOWN: unknown}
    assert "--allow unknown-owner" in ours.err


def test_who_is_refused_has_cordoned_nothing_with_us(both: Both) -> None:
    assert both.theirs("--dry-run=client").out == f"node/{NODE} cordoned (dry run)\n"
    ours = both.ours("--dry-run=client")
    assert ours.out == ""
    assert "nothing was changed: no node was cordoned, no pod was moved" in ours.err


def test_budgets_are_looked_at_beforehand(both: Both) -> None:
    flags = [FORCE, "--timeout=1s"]
    theirs = both.theirs(*flags, "--dry-run=server", node=TIGHT)
    assert theirs.code == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget" in theirs.err
    assert "more than one PodDisruptionBudget, which the eviction subresource does not support" in theirs.err
    for mode in ("client", "server"):
        ours = both.ours(*flags, f"--dry-run={mode}", node=TIGHT)
        assert (ours.code, ours.chosen) == (1, frozenset())
        assert "pod shop/bare-twice is under the disruption budgets twice and twice-more" in ours.err
        ours = both.ours(*flags, f"--dry-run={mode}", "--pod-selector=guard=closed", node=TIGHT)
        assert ours.code == 0
        assert ours.chosen == {"shop/bare-closed"}
        assert "budget shop/closed allows no disruption now" in ours.out
    deleting = (FORCE, "--disable-eviction", "--dry-run=client")
    theirs, ours = both.theirs(*deleting, node=TIGHT), both.ours(*deleting, node=TIGHT)
    assert ours.chosen == theirs.chosen == {"shop/bare-closed", "shop/bare-twice"}


NODES = [
    pytest.param(["-l", f"pool={NODE}"], id="one node"),
    pytest.param(["-l", "pool"], id="all that have a label"),
    pytest.param(["-l", f"pool notin ({NODE}),pool"], id="a set"),
    pytest.param(["-l", "pool=none"], id="no node"),
    pytest.param(["-l", "pool>3"], id="a comparison"),
    pytest.param(["-l", "pool=odd", "-l", "pool=tight"], id="the last one counts"),
]


@pytest.mark.parametrize("flags", NODES)
def test_the_same_nodes_are_chosen_by_their_labels(both: Both, flags: list[str]) -> None:
    further = ["--pod-selector=!odd", "--dry-run=client"]
    theirs, ours = both.by_label(*flags, *further)
    assert ours.code == theirs.code == 0
    ends = [line for line in ours.out.splitlines() if line.startswith("node/")]
    assert ends == [line for line in theirs.out.splitlines() if line.startswith("node/")]
    assert (theirs.err, ours.err) == ("", "" if ends else "No resources found\n")


@pytest.mark.parametrize("selector", ["!!", "a in", "a=b=c", "=a", "a b"])
def test_what_is_no_selector_is_refused_in_the_same_words(both: Both, selector: str) -> None:
    theirs, ours = both.by_label("-l", selector)
    assert ours.code == theirs.code == 1
    found = re.search(r"unable to parse requirement: .*|couldn't parse .*|found .*", theirs.err)
    assert found, theirs.err
    assert found[0] in ours.err


def _is_lost(words: str) -> bool:
    """Tell whether kubectl never tells this warning: the last of its filters has another word, or none."""
    return words == LOCAL_STORAGE or words.endswith("not found")


def _as_kubectl_tells_it(told: Told) -> dict[str, frozenset[str]]:
    return {words: pods for words, pods in told.warnings.items() if not _is_lost(words)}
