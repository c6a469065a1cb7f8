"""What an accepted command line asks for."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.cli.types import duration, parse_selector
from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.rights import to_drain
from kubectl_safe.decide.settings import Settings
from kubectl_safe.kube.listing import PAGE
from kubectl_safe.run.drain import Drain
from kubectl_safe.run.restart import Restart
from tests.cli.conftest import CommandLine


def drained(safe: CommandLine, *arguments: str) -> Drain:
    """Return the request of a drain that is accepted."""
    ended = safe("drain", *arguments)
    assert (ended.code, ended.err) == (0, "")
    [request] = safe.requests
    assert isinstance(request, Drain)
    return request


def restarted(safe: CommandLine, *arguments: str) -> Restart:
    """Return the request of a restart that is accepted."""
    ended = safe("rollout", "restart", *arguments)
    assert (ended.code, ended.err) == (0, "")
    [request] = safe.requests
    assert isinstance(request, Restart)
    return request


def test_without_flags_everything_is_left_to_the_defaults(safe: CommandLine) -> None:
    assert drained(safe, "node-1") == Drain(nodes=("node-1",), options=Options(), settings=Settings())
    [options] = safe.sessions
    needs = to_drain(("node-1",), writes=True, nudges=True)
    assert options == {"about": "drain node-1", "namespace": None, "grace_period": None, "needs": needs, "page": PAGE}
    [common] = safe.commons
    assert (common.timeout, common.dry_run) == (timedelta(0), "none")


@pytest.mark.parametrize("name", ["node-1", "node/node-1", "nodes/node-1", "no/node-1"])
def test_a_node_may_be_named_with_its_kind(safe: CommandLine, name: str) -> None:
    assert drained(safe, name, "node-2").nodes == ("node-1", "node-2")


def test_nodes_are_chosen_by_their_labels_in_chunks(safe: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def labelled_nodes(_common: object, _client: object, selector: str, *, page: int) -> tuple[str, ...]:
        asked.append((selector, page))
        return ("a", "b")

    monkeypatch.setattr("kubectl_safe.cli.drain.labelled_nodes", labelled_nodes)
    assert drained(safe, "-l", "pool=old", "--chunk-size=7").nodes == ("a", "b")
    assert asked == [("pool=old", 7)]
    [options] = safe.sessions
    assert options["about"] == "drain a b"
    assert options["needs"] == to_drain(("a", "b"), writes=True, nudges=True)
    assert options["page"] == 7


def test_an_empty_selector_beside_names_is_none_as_with_kubectl(safe: CommandLine) -> None:
    assert drained(safe, "node-1", "-l", "").nodes == ("node-1",)


@pytest.mark.parametrize("value", ["", "=true"])
def test_the_flags_of_kubectl_drain_are_taken_in_both_its_forms(safe: CommandLine, value: str) -> None:
    request = drained(safe, "n", f"--ignore-daemonsets{value}", f"--delete-emptydir-data{value}", f"--force{value}")
    assert request.options == Options(ignore_daemon_sets=True, delete_empty_dir_data=True, force=True)


def test_a_flag_may_be_turned_off(safe: CommandLine) -> None:
    assert drained(safe, "n", "--force=false", "--ignore-daemonsets=false").options == Options()


@pytest.mark.parametrize(("value", "seconds"), [("-1", None), ("0", 0), ("30", 30)])
def test_a_negative_grace_period_leaves_it_to_the_pods(safe: CommandLine, value: str, seconds: int | None) -> None:
    drained(safe, "n", "--grace-period", value)
    assert safe.sessions[0]["grace_period"] == seconds


@pytest.mark.parametrize(
    ("value", "wait"), [("-4", None), ("0", None), ("1", timedelta(seconds=1)), ("600", timedelta(minutes=10))]
)
def test_a_pod_is_skipped_after_more_than_no_time(safe: CommandLine, value: str, wait: timedelta | None) -> None:
    request = drained(safe, "n", "--skip-wait-for-delete-timeout", value)
    assert request.settings == Settings(skip_wait_for_delete=wait)


def test_pods_are_deleted_by_whoever_may_do_so(safe: CommandLine) -> None:
    assert drained(safe, "n", "--disable-eviction=true").settings == Settings(disable_eviction=True)
    [options] = safe.sessions
    assert options["needs"] == to_drain(("n",), writes=True, nudges=True, deletes=True)


DRY_RUNS = [
    pytest.param(["--dry-run", "node-1"], "client", ("node-1",), id="alone, before the node"),
    pytest.param(["node-1", "--dry-run"], "client", ("node-1",), id="alone, at the end"),
    pytest.param(["--dry-run", "client"], "client", ("client",), id="a node that is named client"),
    pytest.param(["--dry-run=server", "node-1"], "server", ("node-1",), id="server"),
    pytest.param(["--dry-run=client", "node-1"], "client", ("node-1",), id="client"),
    pytest.param(["--dry-run=none", "node-1"], "none", ("node-1",), id="none"),
    pytest.param(["--dry-run", "--timeout", "5s", "node-1"], "client", ("node-1",), id="before another flag"),
]


@pytest.mark.parametrize(("arguments", "dry_run", "nodes"), DRY_RUNS)
def test_a_dry_run_stands_alone_or_has_its_value_joined_to_it(
    safe: CommandLine, arguments: list[str], dry_run: str, nodes: tuple[str, ...]
) -> None:
    assert drained(safe, *arguments).nodes == nodes
    assert safe.commons[0].dry_run == dry_run


def test_what_follows_two_dashes_is_a_name(safe: CommandLine) -> None:
    assert drained(safe, "--", "--dry-run", "--force=true").nodes == ("--dry-run", "--force=true")


@pytest.mark.parametrize(
    ("flags", "settings"),
    [
        (["--settle", "6s"], {"settle": timedelta(seconds=6)}),
        (["--settle=0"], {"settle": timedelta(0)}),
        (["--max-surge", "25%"], {"max_surge": "25%"}),
        (["--max-surge", "0"], {"max_surge": 0}),
        (["--max-unavailable", "0"], {"max_unavailable": 0}),
        (["--max-surge", "0", "--max-unavailable", "1%"], {"max_surge": 0, "max_unavailable": "1%"}),
        (["--max-draining", "3"], {"max_draining": 3}),
        (["--no-nudge"], {"nudge": False}),
        (
            ["--allow", "unseen-targets", "--drain-wait", "5m"],
            {"allow": frozenset({"unseen-targets"}), "drain_wait": timedelta(minutes=5)},
        ),
        (
            ["--drain-wait=90s", "--allow=unseen-targets, unseen-targets", "--allow", "unseen-targets"],
            {"allow": frozenset({"unseen-targets"}), "drain_wait": timedelta(seconds=90)},
        ),
    ],
)
def test_the_shared_flags_shape_drains_and_restarts_alike(
    safe: CommandLine, flags: list[str], settings: dict[str, Any]
) -> None:
    assert drained(safe, "n", *flags).settings == Settings(**settings)
    safe.requests.clear()
    assert restarted(safe, "deploy/web", *flags).settings == Settings(**settings)


def test_every_name_that_may_be_allowed_is_in_the_help(safe: CommandLine) -> None:
    # A name may be broken at its hyphen.
    text = " ".join(safe("drain", "--help").out.split()).replace("- ", "-")
    assert all(name in text.partition("--allow NAME")[2] for name in ALLOWABLE)


FORMS = [
    (["deployment/web"], ("web",)),
    (["deploy/web"], ("web",)),
    (["deployments.apps/web"], ("web",)),
    (["deployment.v1.apps/web"], ("web",)),
    (["Deployment/web"], ("web",)),
    (["deployment", "web"], ("web",)),
    (["deployment", "web", "api"], ("web", "api")),
    (["deploy/web", "deployment/api"], ("web", "api")),
]


@pytest.mark.parametrize(("arguments", "names"), FORMS)
def test_deployments_are_named_in_every_form_that_kubectl_takes(
    safe: CommandLine, arguments: list[str], names: tuple[str, ...]
) -> None:
    assert restarted(safe, *arguments).names == names


def test_a_restart_is_of_the_namespace_of_the_flag_or_else_of_the_context(safe: CommandLine) -> None:
    assert restarted(safe, "deploy/web").namespace == "shop"
    safe.requests.clear()
    assert restarted(safe, "deploy/web", "-n", "other").namespace == "other"
    assert [session["namespace"] for session in safe.sessions] == ["shop", "other"]


def test_deployments_are_chosen_by_a_selector(safe: CommandLine) -> None:
    request = restarted(safe, "deployment", "-l", "app=web")
    assert request.names == ()
    assert request.selector == parse_selector("app=web")


SELECTORS = [
    ("app=web", {"app": "web"}, True),
    ("app==web", {"app": "web"}, True),
    ("app=web", {"app": "api"}, False),
    ("app=", {"app": ""}, True),
    ("app=", {}, False),
    ("app!=web", {"app": "api"}, True),
    ("app!=web", {}, True),
    ("app", {"app": "x"}, True),
    ("!app", {"app": "x"}, False),
    ("! app", {}, True),
    ("app in (web, api)", {"app": "api"}, True),
    ("app in(web)", {"app": "api"}, False),
    ("app notin (web,api)", {"app": "api"}, False),
    ("app notin (web)", {}, True),
    ("app in (web,api),tier=front", {"app": "web", "tier": "front"}, True),
    ("app in (web,api), tier!=front", {"app": "web", "tier": "front"}, False),
    ("example.com/app=web", {"example.com/app": "web"}, True),
]


@pytest.mark.parametrize(("text", "labels", "matches"), SELECTORS)
def test_a_selector_means_what_it_means_to_kubectl(text: str, labels: dict[str, str], matches: bool) -> None:
    assert parse_selector(text).matches(labels) is matches


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("90s", 90), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25)],
)
def test_a_duration_means_what_it_means_to_kubectl(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("kind", ["statefulset", "statefulsets", "sts", "statefulsets.apps", "statefulset.v1.apps"])
def test_a_stateful_set_is_restarted_under_each_of_its_names(safe: CommandLine, kind: str) -> None:
    request = restarted(safe, f"{kind}/db", f"{kind}/queue")
    assert (request.kind, request.names) == ("StatefulSet", ("db", "queue"))


def test_a_deployment_is_restarted_as_such(safe: CommandLine) -> None:
    assert restarted(safe, "deploy", "web").kind == "Deployment"
