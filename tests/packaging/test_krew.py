"""From a release to a drain as krew's users come to it: an empty home, and kubectl and krew's folder on the PATH."""

import functools
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kubectl_safe import __version__
from tests.packaging.archive import run_script
from tests.packaging.outside import SMALL, Outside, outside
from tests.readme.commands import shown
from tests.support.completion import completed
from tests.support.figures import Figures

pytestmark = [
    pytest.mark.controlplane,  # kubectl is built with it
    pytest.mark.timeout(600),  # the first build of the archive takes minutes where much else runs
]

OTHERS = ("linux-arm64", "darwin-amd64", "darwin-arm64")


@pytest.fixture(scope="module")
def release(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a release's archives and manifest, which are to be had by HTTP."""
    files = tmp_path_factory.mktemp("releases")
    folder = files / "releases" / "download" / f"v{__version__}"
    folder.mkdir(parents=True)
    shutil.copy(archive, folder)
    for platform in OTHERS:
        _stand_in(folder / f"kubectl-safe-v{__version__}-{platform}.tar.gz")
    with _served(files) as address:
        done = run_script(
            "manifest.py", "--repository", address, "--archives", str(folder), "--into", str(files / "plugins")
        )
        assert (done.returncode, done.stderr) == (0, "")
        yield files


def _stand_in(archive: Path) -> None:
    """Make an archive for a platform that this isn't: krew looks for what it names, and doesn't run it."""
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("kubectl-safe", "LICENSE"):
            entry = tarfile.TarInfo(name)
            entry.mode = 0o755
            tar.addfile(entry)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def home(krew: Path, release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home, into which krew has installed from a custom index."""
    index = tmp_path_factory.mktemp("index")
    shutil.copytree(release / "plugins", index / "plugins")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Release"]):
        identity = ["-c", "user.name=Release", "-c", "user.email=release@git.example"]
        subprocess.run([krew / "git", *identity, *arguments], cwd=index, check=True)
    home = tmp_path_factory.mktemp("home")
    for command in (shown("kubectl krew index add "), shown("kubectl krew install kubectl-safe/")):
        _krew(krew, home, command.replace("https://github.com/OWNER/INDEX", str(index)))
    return home


def _krew(krew: Path, home: Path, command: str) -> str:
    """Run a command of krew's, and return what it says."""
    environment = {"HOME": str(home), "PATH": f"{krew}:{home}/.krew/bin", "KREW_NO_UPGRADE_CHECK": "1"}
    # There is no network: nobody but us has the default index.
    environment["KREW_DEFAULT_INDEX_URI"] = str(home / "none")
    done = subprocess.run(
        [krew / "kubectl", *shlex.split(command)[1:]], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def user(home: Path, kubectl: Path, tmp_path: Path) -> Outside:
    """One who has kubectl, and krew's folder on the PATH."""
    return outside(kubectl, home / ".krew" / "bin", tmp_path)


def test_krews_own_checker_takes_the_manifest_and_installs_each_platform(krew: Path, release: Path) -> None:
    done = subprocess.run(
        [krew / "validate-krew-manifest", "-manifest", release / "plugins" / "safe.yaml"],
        env={"PATH": str(krew), "KREW_NO_UPGRADE_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "all 4 spec.platforms installed fine" in done.stderr
    assert "exceeds" not in done.stderr


def test_krew_links_the_one_program(home: Path) -> None:
    store = home / ".krew" / "store" / "safe" / f"v{__version__}"
    assert {path.name for path in (home / ".krew" / "bin").iterdir()} == {"kubectl-safe"}
    assert (home / ".krew" / "bin" / "kubectl-safe").resolve() == (store / "kubectl-safe").resolve()
    assert (store / "LICENSE").is_file()


def test_a_manifest_and_an_archive_do_too_and_by_what_krew_says_then_kubectl_completes_it(
    krew: Path, kubectl: Path, release: Path, archive: Path, tmp_path: Path
) -> None:
    manifest = release / "plugins" / "safe.yaml"
    install = shown("kubectl krew install --manifest=")
    for named, ours in (("safe.yaml", manifest), (f"kubectl-safe-v{__version__}-linux-amd64.tar.gz", archive)):
        install = install.replace(named, str(ours))
    said = _krew(krew, tmp_path, install)
    (command,) = re.findall(r"ln -s .*$", said, re.MULTILINE)
    subprocess.run(["/bin/sh", "-c", command], env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    programs = tmp_path / ".krew" / "bin"
    assert {path.name for path in programs.iterdir()} == {"kubectl-safe", "kubectl_complete-safe"}
    environment = {"HOME": str(tmp_path), "PATH": str(programs)}
    assert completed(kubectl, environment, "dr") == "drain\tDrain nodes without losing a request\n:4\n"
    assert command == shown("ln -s ")


def test_kubectl_runs_it(user: Outside) -> None:
    with user.start("version") as run:
        assert (run.wait(60), run.stdout, run.stderr) == (0, f"kubectl-safe {__version__}\n", "")


def test_it_drains_a_node_of_the_sandbox_and_no_request_is_lost(user: Outside, figures: Figures) -> None:
    figures.add("a drain by what krew installed", user.drain())


def test_its_demo_compares_both_ways(user: Outside, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    with user.start("demo", "drain", *SMALL, "--report", str(report)) as demo:
        assert demo.wait(120) == 0, demo.stderr
    assert "kubectl safe drain" in demo.stdout.rpartition("REQUESTS")[2]
    assert report.read_text().startswith("<!DOCTYPE html>")
