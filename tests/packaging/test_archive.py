"""The archive: what is in it, and that the program in it needs nothing else."""

import re
import subprocess
import tarfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import pytest

from kubectl_safe import __version__
from kubectl_safe.cli.main import COMMANDS
from kubectl_safe.sandbox.certificates import CertificateAuthority
from tests.packaging.archive import ROOT
from tests.support.figures import Figures
from tests.support.proxy import Proxy
from tests.support.tls_server import TlsServer, write_config

pytestmark = pytest.mark.timeout(600)  # the first build takes minutes where much else runs

MOST_BYTES = 20_000_000
RUNS = 5


@pytest.fixture(scope="module")
def entries(archive: Path) -> list[tarfile.TarInfo]:
    """What is in the archive."""
    with tarfile.open(archive) as tar:
        return tar.getmembers()


def test_it_is_small(archive: Path, figures: Figures) -> None:
    size = archive.stat().st_size
    figures.add("the archive of this platform", f"{size / 1e6:.1f} MB")
    assert size <= MOST_BYTES


def test_it_has_only_files_and_folders_which_is_all_that_krew_unpacks(entries: list[tarfile.TarInfo]) -> None:
    assert [entry.name for entry in entries if not (entry.isfile() or entry.isdir())] == []


def test_it_tells_nothing_of_who_built_it_and_when(entries: list[tarfile.TarInfo]) -> None:
    assert {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, "", "")}
    assert len({entry.mtime for entry in entries}) == 1
    names = [PurePosixPath(entry.name) for entry in entries]
    assert names == sorted(names)


def test_it_has_the_licenses_of_all_that_is_in_it(unpacked: Path) -> None:
    assert (unpacked / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    for name in ("botocore", "kubernetes", "pydantic_core", "python"):
        assert any((unpacked / "licenses" / name).iterdir())


def test_it_has_no_library_under_the_gpl(entries: list[tarfile.TarInfo]) -> None:
    assert [entry.name for entry in entries if re.search(r"readline|gdbm|libdb[-.]", entry.name)] == []


def test_it_has_the_completions(unpacked: Path) -> None:
    ours = {path.relative_to(ROOT): path.read_bytes() for path in (ROOT / "completions").rglob("*") if path.is_file()}
    theirs = (path for path in (unpacked / "completions").rglob("*") if path.is_file())
    assert {path.relative_to(unpacked): path.read_bytes() for path in theirs} == ours


def test_it_has_what_botocore_asks_for_credentials_and_no_other_services(unpacked: Path) -> None:
    botocore = find_spec("botocore")
    assert botocore
    assert botocore.origin
    sources = [Path(botocore.origin).parent / name for name in ("credentials.py", "tokens.py")]
    asked = re.compile(r"""(?:_client_creator\(|create_nested_client\([^,)]+,)\s*['"]([a-z-]+)['"]""")
    wanted = {name for source in sources for name in asked.findall(source.read_text())}
    assert {"sts", "sso"} <= wanted
    data = unpacked / "lib" / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == wanted | {"elbv2"}
    assert all(list((data / name).glob("*/service-2.json*")) for name in wanted)


@pytest.mark.parametrize("command", [*COMMANDS, "rollout restart", "rollout status"])
def test_every_command_starts_where_there_is_no_python(unpacked: Path, command: str) -> None:
    done = _run([unpacked / "kubectl-safe", *command.split(), "--help"], {})
    assert (done.returncode, done.stderr) == (0, "")
    assert f"kubectl safe {command} " in done.stdout


def test_a_credential_plugin_gets_the_environment_that_we_got(unpacked: Path, tmp_path: Path) -> None:
    plugin, told = tmp_path / "plugin", tmp_path / "environment"
    plugin.write_text(f"#!/bin/sh\n/usr/bin/env >{told}\nexit 1\n")
    plugin.chmod(0o755)
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(KUBECONFIG.format(plugin=plugin))
    given = {"HOME": str(tmp_path), "LD_LIBRARY_PATH": "/theirs", "KUBECONFIG": str(kubeconfig)}
    done = _run([unpacked / "kubectl-safe", "drain", "node-a", "--dry-run"], given)
    assert "getting credentials" in done.stderr
    seen = dict(line.split("=", 1) for line in told.read_text().splitlines())
    assert {name: value for name, value in seen.items() if name not in {"KUBERNETES_EXEC_INFO", "PWD", "_"}} == given


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_it_goes_through_proxies(unpacked: Path, tmp_path: Path, scheme: str) -> None:
    with TlsServer("cluster", CertificateAuthority(tmp_path)) as server, Proxy(server.port) as proxy:
        cluster = {"server": "https://cluster.invalid:6443", "tls-server-name": "localhost"}
        kubeconfig = write_config(
            tmp_path / "config",
            clusters={"far": server.cluster(**cluster, **{"proxy-url": f"{scheme}://{proxy.host}"})},
            contexts={"far": {"cluster": "far"}},
            current="far",
        )
        done = _run([unpacked / "kubectl-safe", "uncordon", "node-a"], {"KUBECONFIG": kubeconfig})
    assert proxy.asked, done.stderr
    assert {told.split()[1] for told in proxy.asked} == {"cluster.invalid:6443"}
    assert {visit.path for visit in server.visits} == {"/api/v1/nodes/node-a"}


def test_an_option_of_pythons_is_none_of_ours(unpacked: Path) -> None:
    done = _run([unpacked / "kubectl-safe", "-m", "http.server"], {})
    assert done.returncode == 2
    assert "unknown flag: -m" in done.stderr


def test_kubectl_runs_it_as_its_plugin(unpacked: Path, kubectl: Path, tmp_path: Path, figures: Figures) -> None:
    for program in (unpacked / "kubectl-safe", kubectl):
        (tmp_path / program.name).symlink_to(program)
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    command = (kubectl, "safe", "version")
    assert _run(command, environment).stdout == f"kubectl-safe {__version__}\n"
    quickest = min(_seconds(command, environment) for _ in range(RUNS))
    figures.add("kubectl safe version, from the archive, on a busy machine", f"{quickest:.3f} s")


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: mine
contexts: [{{name: mine, context: {{cluster: mine, user: mine}}}}]
clusters: [{{name: mine, cluster: {{server: "https://127.0.0.1:1"}}}}]
users:
- name: mine
  user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {plugin}, interactiveMode: Never}}}}
"""


def _run(command: Sequence[str | Path], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def _seconds(command: Sequence[str | Path], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    _run(command, environment)
    return time.perf_counter() - began
