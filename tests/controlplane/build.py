"""Builds the control plane that the tests run against, once, into the user's cache folder.

`python -m tests.controlplane.build` prints the folder. The first build takes minutes; the folder's name is a digest of
what goes in, so another Kubernetes version is another folder. Binaries that exist already are used where
KUBEBUILDER_ASSETS names them.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from tests.support.built import BuildError, digest, ensure, folder_of, go_build

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


class BinariesError(BuildError):
    """The binaries of the control plane are neither there nor can be built."""


def ensure_binaries() -> Path:
    """Return the folder with the binaries; build them first where that is needed.

    Raises:
        BinariesError: KUBEBUILDER_ASSETS lacks some of them, Go is missing, or the build failed.
    """
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given:
        return _complete(Path(given))
    if not can_have_binaries():
        raise BinariesError(GO_IS_MISSING)
    return ensure("controlplane", _digest(), _build)


def can_have_binaries() -> bool:
    """Tell whether there is a folder, or the means to build one."""
    return bool(os.environ.get("KUBEBUILDER_ASSETS")) or shutil.which("go") is not None or _is_built()


def _is_built() -> bool:
    return folder_of("controlplane", _digest()).is_dir()


def _complete(folder: Path) -> Path:
    missing = [name for name in BINARIES if not os.access(folder / name, os.X_OK)]
    if missing:
        raise BinariesError(f"KUBEBUILDER_ASSETS is {folder}, which lacks {', '.join(missing)}")
    return folder.resolve()


def _flags() -> list[str]:
    found = re.search(r"^\s*k8s\.io/kubernetes v((\d+)\.(\d+)\.\S+)", (_HERE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise BinariesError(f"{_HERE / 'go.mod'} requires no version of k8s.io/kubernetes")
    version, major, minor = found.groups()
    variables = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    settings = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())
    return ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w {settings}"]


def _digest() -> str:
    return digest(
        (
            (_HERE / "go.mod").read_bytes(),
            (_HERE / "go.sum").read_bytes(),
            "\0".join([*_flags(), *BINARIES.values()]).encode(),
        )
    )


def _build(folder: Path) -> None:
    for name, package in BINARIES.items():
        go_build(_HERE, folder / name, package, _flags())


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{ensure_binaries()}\n")
    except BuildError as error:
        sys.exit(str(error))
