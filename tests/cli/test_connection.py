"""kubectl's global flags are taken by every command that speaks to a cluster, and lead all of it there."""

from datetime import timedelta
from pathlib import Path

import click
import pytest

from kubectl_safe.cli.main import COMMANDS, cli, run
from kubectl_safe.model.connection import Connection
from tests.cli.conftest import CommandLine, EmptyCluster

FLAGS = {
    "--kubeconfig",
    "--context",
    "--cluster",
    "--user",
    "--server",
    "--token",
    "--as",
    "--as-group",
    "--as-uid",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--insecure-skip-tls-verify",
    "--tls-server-name",
    "--request-timeout",
}
WITHOUT = {"demo", "rbac", "version"}
"""What speaks to no cluster."""
OF_NODES = {"uncordon"}
SPEAKING = sorted({*COMMANDS, "rollout restart", "rollout status"} - WITHOUT - {"rollout"})


def command(name: str) -> click.Command:
    found: click.Command | None = cli
    for part in name.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), part)
    assert found is not None
    return found


@pytest.mark.parametrize("name", SPEAKING)
def test_every_command_that_speaks_to_a_cluster_takes_all_of_them(name: str) -> None:
    taken = {flag for param in command(name).params for flag in param.opts}
    wanted = FLAGS | {"-s", "-v"} | (set() if name in OF_NODES else {"-n", "--namespace"})
    assert wanted - taken == set()


ALL = [
    "--kubeconfig=f",
    "--context=c",
    "--cluster=x",
    "--user=u",
    "-s=http://127.0.0.1:1",
    "--token=t",
    "--as=jane",
    "--as-group=a",
    "--as-group=b",
    "--as-uid=7",
    "--certificate-authority=ca",
    "--client-certificate=crt",
    "--client-key=key",
    "--insecure-skip-tls-verify=true",
    "--tls-server-name=name",
    "--request-timeout=1m30s",
]


def test_all_of_them_become_one_connection(safe: CommandLine) -> None:
    assert safe("drain", "n", *ALL).code == 0
    [common] = safe.commons
    assert common.connection == Connection(
        kubeconfig="f",
        context="c",
        cluster="x",
        user="u",
        server="http://127.0.0.1:1",
        token="t",
        as_user="jane",
        as_groups=("a", "b"),
        as_uid="7",
        certificate_authority="ca",
        client_certificate="crt",
        client_key="key",
        is_insecure=True,
        tls_server_name="name",
        request_timeout=timedelta(seconds=90),
    )


EMPTY = [f"{flag.partition('=')[0]}=" for flag in ALL if "insecure" not in flag and "timeout" not in flag]


def test_an_empty_flag_is_as_none(safe: CommandLine) -> None:
    assert safe("drain", "n", *EMPTY, "--insecure-skip-tls-verify=false", "--request-timeout=0").code == 0
    assert safe.commons[0].connection == Connection()


@pytest.mark.parametrize(("value", "seconds"), [("30", 30), ("0", None), ("0s", None), ("1m", 60), ("500ms", 0.5)])
def test_a_timeout_is_seconds_or_a_duration_as_with_kubectl(
    safe: CommandLine, value: str, seconds: float | None
) -> None:
    safe("drain", "n", "--request-timeout", value)
    assert safe.commons[0].connection.request_timeout == (timedelta(seconds=seconds) if seconds else None)


def test_a_cluster_may_be_called_true(safe: CommandLine) -> None:
    safe("drain", "n", "--cluster=true")
    assert safe.commons[0].connection.cluster == "true"


COMMANDS_OF_A_RUN = [
    ["drain", "node-1"],
    ["rollout", "restart", "deployment", "-l", "app=web"],
    ["rollout", "status", "deployment/web", "--watch=false"],
    ["abort", "deployment/web"],
    ["uncordon", "node-1"],
    ["check"],
    ["status"],
]


@pytest.mark.parametrize("arguments", COMMANDS_OF_A_RUN, ids=" ".join)
def test_every_request_of_a_command_goes_there_as_who_it_is_told(
    empty_cluster: EmptyCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    flags = ["-s", empty_cluster.server.url, "--token=of-the-flag", "--as=jane", "--as-group=dev"]
    run([*arguments, *flags])
    assert empty_cluster.server.asked
    who = {("Bearer of-the-flag", "jane", "dev")}
    headers = [asked.headers for asked in empty_cluster.server.asked]
    assert {(h["Authorization"], h["Impersonate-User"], h["Impersonate-Group"]) for h in headers} == who


@pytest.mark.parametrize("arguments", COMMANDS_OF_A_RUN, ids=" ".join)
@pytest.mark.parametrize("level", ["0", "9"])
def test_a_token_is_shown_nowhere(
    empty_cluster: EmptyCluster, tmp_path: Path, arguments: list[str], level: str
) -> None:
    flags = ["--token", "hunter2-hunter2", f"-v={level}"]
    if arguments[0] in {"drain", "rollout"} and "status" not in arguments:
        flags += ["-o", "json", "--report", str(tmp_path / "report.html")]
    ended = empty_cluster(*arguments, *flags)
    page = tmp_path / "report.html"
    told = ended.out + ended.err + (page.read_text() if page.exists() else "")
    assert "hunter2" not in told
    assert {asked.headers["Authorization"] for asked in empty_cluster.server.asked} == {"Bearer hunter2-hunter2"}
