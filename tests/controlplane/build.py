"""Builds the control plane that the tests run against, once, into the user's cache folder.

Run as a script, it prints the folder. The first build takes minutes; the folder's name is a digest of what goes in, so
another Kubernetes version is another folder. Binaries that exist already are used where KUBEBUILDER_ASSETS names them.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = Path(__file__).parent
BINARIES = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "etcd": "go.etcd.io/etcd/server/v3",
}
GO_IS_MISSING = (
    "the control plane is built with Go, which is not on PATH: install Go 1.26 (https://go.dev/dl, or your package "
    "manager), or set KUBEBUILDER_ASSETS to a folder with " + ", ".join(BINARIES)
)


class BinariesError(Exception):
    """The binaries of the control plane are neither there nor can be built."""


def ensure_binaries() -> Path:
    """Return the folder with the binaries; build them first where that is needed.

    Raises:
        BinariesError: KUBEBUILDER_ASSETS lacks some of them, Go is missing, or the build failed.
    """
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given:
        return _complete(Path(given))
    folder = _cache() / _digest()
    if folder.is_dir():
        return folder
    go = shutil.which("go")
    if go is None:
        raise BinariesError(GO_IS_MISSING)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _build(go, folder)
    return folder


def can_have_binaries() -> bool:
    """Tell whether there is a folder, or the means to build one."""
    return bool(os.environ.get("KUBEBUILDER_ASSETS")) or shutil.which("go") is not None or _is_built()


def _is_built() -> bool:
    return (_cache() / _digest()).is_dir()


def _complete(folder: Path) -> Path:
    missing = [name for name in BINARIES if not os.access(folder / name, os.X_OK)]
    if missing:
        raise BinariesError(f"KUBEBUILDER_ASSETS is {folder}, which lacks {', '.join(missing)}")
    return folder.resolve()


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "kubectl-safe" / "controlplane"


def _flags() -> list[str]:
    found = re.search(r"^\s*k8s\.io/kubernetes v((\d+)\.(\d+)\.\S+)", (_HERE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise BinariesError(f"{_HERE / 'go.mod'} requires no version of k8s.io/kubernetes")
    version, major, minor = found.groups()
    variables = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    settings = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())
    return ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w {settings}"]


def _digest() -> str:
    inputs = (
        (_HERE / "go.mod").read_bytes(),
        (_HERE / "go.sum").read_bytes(),
        "\0".join([*_flags(), *BINARIES.values()]).encode(),
    )
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in inputs)).hexdigest()[:16]


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, so that only one of several test workers builds."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build(go: str, folder: Path) -> None:
    """Build all into a folder beside, which takes its name only when it is complete."""
    for leftover in folder.parent.glob(f"{folder.name}.build-*"):
        shutil.rmtree(leftover)
    building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.build-", dir=folder.parent))
    try:
        for name, package in BINARIES.items():
            _go_build(go, building / name, package)
        building.chmod(0o755)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _go_build(go: str, output: Path, package: str) -> None:
    built = subprocess.run(
        [go, "build", *_flags(), "-o", str(output), package],
        cwd=_HERE,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise BinariesError(f"go build {package} failed:\n{built.stderr[-4000:]}")


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{ensure_binaries()}\n")
    except BinariesError as error:
        sys.exit(str(error))
