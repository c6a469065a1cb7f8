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
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.cli.main import run
from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.conformance.plane import Plane
from tests.support import odd_pods
from tests.support.audit import Write, writes_by
from tests.support.loop import LoopThread
from tests.support.odd_pods import NODE, ODD, OLD_SECONDS, Odd
from tests.support.stage import OTHER_ADMIN, USER, USERS

pytestmark = pytest.mark.controlplane

TIGHT = "tight"
"""A node with pods of a budget that never lets one go, and of two budgets."""
ALLOW = ("--allow", "unknown-owner,downtime")
IGNORE, FORCE, DELETE = "--ignore-daemonsets", "--force", "--delete-emptydir-data"
ALL = (IGNORE, FORCE, DELETE)
SKIP = f"--skip-wait-for-delete-timeout={OLD_SECONDS}"
LOCAL_STORAGE = "deleting Pods with local storage"
DELETION = ("delete", "pods")
UNKNOWN = "Blocked(unknown-owner)"
LINE = re.compile(r"^(evicting|deleting) pod (\S+) \((?:server )?dry run\)$", re.MULTILINE)
REASON = re.compile(r", (?=cannot delete |Blocked\()")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a drain said, whoever it was."""

    code: int
    chosen: frozenset[str]
    warnings: dict[str, frozenset[str]]
    """The pods, by what is told of them."""
    errors: dict[str, frozenset[str]]
    verbs: frozenset[str]
    out: str
    err: str

    @classmethod
    def read(cls, code: int, out: str, err: str) -> "Told":
        """Read both streams."""
        lines = LINE.findall(out)
        return cls(
            code=code,
            chosen=frozenset(pod for _, pod in lines),
            verbs=frozenset(verb for verb, _ in lines),
            warnings=_by_words(
                part for line in err.splitlines() if line.startswith("Warning: ") for part in line[9:].split("; ")
            ),
            errors=_by_words(_reasons(err)),
            out=out,
            err=err,
        )


def _reasons(err: str) -> Iterator[str]:
    for line in err.splitlines():
        if "unable to drain node" in line:
            told = line.partition("due to error: ")[2].removesuffix(", continuing command...")
            yield from REASON.split(told.removeprefix("[").removesuffix("]"))


def _by_words(parts: Iterator[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for part in parts:
        if blocked := re.match(r"(Blocked\(\S+\)): pod (\S+) ", part):
            found.setdefault(blocked[1], set()).add(blocked[2])
        else:
            words, _, pods = part.rpartition(": ")
            found.setdefault(words, set()).update(pods.split(", "))
    return {words: frozenset(pods) for words, pods in found.items()}


@dataclass(kw_only=True)
class Both:
    """The same cluster, drained by either."""

    plane: Plane
    capture: pytest.CaptureFixture[str]

    def by_label(self, *flags: str) -> tuple[Told, Told]:
        """Drain with the real kubectl and with ours, nodes that these flags choose."""
        return self.theirs(*flags, node=""), self.ours(*flags, node="")

    def ours(self, *flags: str, node: str = NODE) -> Told:
        """Drain with `kubectl safe`, in this process: it would take longer to start than to run."""
        self.capture.readouterr()
        code = run(
            ["drain", *([node] if node else []), *flags, "--kubeconfig", str(self._control_plane.kubeconfig_for(USER))]
        )
        told = self.capture.readouterr()
        return Told.read(code, told.out, told.err)

    def theirs(self, *flags: str, node: str = NODE) -> Told:
        """Drain with the real kubectl."""
        kubeconfig = str(self._control_plane.kubeconfig_for(OTHER_ADMIN))
        kubectl = str(self._control_plane.binaries / "kubectl")
        command = [kubectl, "drain", *([node] if node else []), *flags, "--kubeconfig", kubeconfig]
        done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
        return Told.read(done.returncode, done.stdout, done.stderr)

    def writes(self, user: str) -> list[Write]:
        """Return what one of them has asked to write until now, dry runs among it."""
        return writes_by(user, self._control_plane.audit_log)

    def versions(self) -> dict[str, str]:
        """Return the version of every pod and node."""
        lists = [self.plane.call("GET", f"/api/v1/{kind}").body["items"] for kind in ("pods", "nodes", "namespaces")]
        return {its["metadata"]["uid"]: its["metadata"]["resourceVersion"] for its in chain.from_iterable(lists)}

    @property
    def _control_plane(self) -> ControlPlane:
        assert isinstance(self.plane.control_plane, ControlPlane)
        return self.plane.control_plane


@pytest.fixture(scope="module")
def plane(binaries: Path) -> Iterator[Plane]:
    """A cluster of odd pods, in which no controller changes anything."""
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(binaries, users=USERS, has_controllers=False)) as control_plane,
    ):
        plane = Plane(control_plane)
        _populate(plane)
        yield plane


@pytest.fixture
def both(plane: Plane, capsys: pytest.CaptureFixture[str]) -> Iterator[Both]:
    """Both on the cluster; whatever they do, nothing is changed by it."""
    both = Both(plane=plane, capture=capsys)
    before, asked = both.versions(), len(both.writes(USER))
    yield both
    assert both.versions() == before
    assert all(write.is_dry_run for write in both.writes(USER)[asked:])


def _populate(plane: Plane) -> None:
    for node in (NODE, TIGHT):
        plane.add_node(node, pool=node)
    for namespace in odd_pods.NAMESPACES:
        _create(plane, "/api/v1/namespaces", {"metadata": {"name": namespace}})
    owners = [_create_owner(plane, *owner) for owner in odd_pods.OWNERS]
    owners.append(_create_owner(plane, "apps/v1", "replicasets", "shop", odd_pods.replica_set_of(owners)))
    for pod in ODD:
        _create_pod(plane, pod, odd_pods.manifest(pod, owners))
    _create_budget(plane, "open", "open", allowed=1)
    for name in ("closed", "twice", "twice-more"):
        _create_budget(plane, name, name.partition("-")[0], allowed=0 if name == "closed" else 1)
    for name in ("closed", "twice"):
        pod = Odd(name=f"bare-{name}", labels={"guard": name})
        _create_pod(plane, pod, odd_pods.manifest(pod, owners, node=TIGHT))
    last = max(_deleted_at(plane, pod) for pod in ODD if pod.deleted == "old")
    plane.until(lambda: time.time() - last >= OLD_SECONDS + 2, "a pod that should have ended long ago")


def _create(plane: Plane, path: str, body: Any) -> dict[str, Any]:
    answer = plane.call("POST", path, body)
    assert answer.code == 201, answer
    return answer.body


def _create_owner(plane: Plane, api: str, resource: str, namespace: str, body: Any) -> dict[str, Any]:
    root = "/api/v1" if api == "v1" else f"/apis/{api}"
    return _create(plane, f"{root}/namespaces/{namespace}/{resource}", body)


def _create_pod(plane: Plane, pod: Odd, body: Any) -> None:
    path = f"/api/v1/namespaces/{pod.namespace}/pods"
    _create(plane, path, body)
    merge = "application/merge-patch+json"
    answer = plane.call("PATCH", f"{path}/{pod.name}/status", odd_pods.status(pod), kind=merge)
    assert answer.code == 200, answer
    if pod.deleted:
        grace = 1 if pod.deleted == "old" else 3600
        answer = plane.call("DELETE", f"{path}/{pod.name}", {"gracePeriodSeconds": grace})
        assert answer.code == 200, answer


def _create_budget(plane: Plane, name: str, guard: str, *, allowed: int) -> None:
    path = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"guard": guard}}}
    _create(plane, path, {"metadata": {"name": name}, "spec": spec})
    counts = {"currentHealthy": 1 + allowed, "desiredHealthy": 1, "expectedPods": 2, "disruptionsAllowed": allowed}
    status = {"status": {"observedGeneration": 1, **counts}}
    answer = plane.call("PATCH", f"{path}/{name}/status", status, kind="application/merge-patch+json")
    assert answer.code == 200, answer


def _deleted_at(plane: Plane, pod: Odd) -> float:
    raw = plane.call("GET", f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}").body
    return datetime.fromisoformat(raw["metadata"]["deletionTimestamp"]).timestamp()


COMBINATIONS = [chosen for count in range(4) for chosen in combinations(ALL, count)]
SELECTORS = (
    "app=task",
    "app in (web, task)",
    "app=web,app!=task",
    "tier",
    "!odd",
    "odd=yes,app notin (agent,ghost)",
    "guard=open",
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
