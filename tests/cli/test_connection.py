"""kubectl's global flags are taken by every command that speaks to a cluster, and lead all of it there."""

from datetime import timedelta
from pathlib import Path

import click
import pytest

from kubectl_safe.cli.arguments import BEFORE
from kubectl_safe.cli.main import COMMANDS, cli, run
from kubectl_safe.model.connection import Connection
from kubectl_safe.render.output import echo
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


def options(name: str) -> set[str]:
    return {flag for param in command(name).params if isinstance(param, click.Option) for flag in param.opts}


def test_what_may_stand_before_a_command_is_what_leads_to_a_cluster() -> None:
    values = {"-n", "--namespace", "-s", "-v", "--v", *FLAGS} - {"--insecure-skip-tls-verify"}
    assert values == BEFORE
    assert values <= options("drain")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--context", "b", "-n=shop", "rollout", "restart", "deployment/web"],
        ["--context=b", "rollout", "restart", "-n", "shop", "deployment/web"],
        ["rollout", "-n", "shop", "--context=b", "restart", "deployment/web"],
        ["--context=b", "rollout", "-n=shop", "restart", "deployment", "web"],
        ["--insecure-skip-tls-verify", "-n", "shop", "--context", "b", "rollout", "restart", "--", "deployment/web"],
    ],
    ids=" ".join,
)
def test_it_may_stand_before_the_command_as_with_kubectl(safe: CommandLine, arguments: list[str]) -> None:
    assert safe(*arguments).code == 0
    [common], [request] = safe.commons, safe.requests
    assert (common.connection.context, request.namespace, request.names) == ("b", "shop", ("web",))


@pytest.mark.parametrize("arguments", [["--context", "b"], ["--context"], ["-n", "shop", "--help"]])
def test_without_a_command_it_is_refused(safe: CommandLine, arguments: list[str]) -> None:
    ended = safe(*arguments)
    assert ended.code == 2
    assert ended.err.startswith("error: unknown flag: ")


def test_commands_that_a_reader_is_to_run_lead_to_the_same_cluster(
    safe: CommandLine, empty_cluster: EmptyCluster
) -> None:
    def told(*flags: str) -> str:
        empty_cluster("status", *flags)
        echo(
            "end it with: kubectl safe abort node/a; kubectl safe uncordon worker\n"
            "kubectl safe rollout restart deployment/web -n shop, as kubectl safe drain and abort do"
        )
        return safe.capture.readouterr().out

    flags = "--kubeconfig=" + empty_cluster.kubeconfig
    assert told("--as", "jane doe", "--token=hunter2-hunter2", "-v0") == (
        f"end it with: kubectl safe {flags} '--as=jane doe' abort node/a; "
        f"kubectl safe {flags} '--as=jane doe' uncordon worker\n"
        f"kubectl safe {flags} '--as=jane doe' rollout restart deployment/web -n shop, as kubectl safe drain and abort "
        "do\n"
    )
    # What is said of one command line is not said of the next.
    run(["version"])
    safe.capture.readouterr()
    echo("kubectl safe abort node/a")
    assert safe.capture.readouterr().out == "kubectl safe abort node/a\n"


def test_documents_stay_as_they_are(empty_cluster: EmptyCluster, capsys: pytest.CaptureFixture[str]) -> None:
    empty_cluster("status")
    echo('{"remedy": "kubectl safe abort node/a"}', is_document=True)
    assert capsys.readouterr().out == '{"remedy": "kubectl safe abort node/a"}\n'
