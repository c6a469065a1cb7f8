"""Builds krew, and the checker by which krew's own index judges manifests."""

import re
from pathlib import Path

from tests.support.built import digest, ensure, go_build

_HERE = Path(__file__).parent
PROGRAMS = {
    "kubectl-krew": "sigs.k8s.io/krew/cmd/krew",
    "validate-krew-manifest": "sigs.k8s.io/krew/cmd/validate-krew-manifest",
}


def ensure_krew() -> Path:
    """Return the folder with both programs; build them first where that is needed.

    Raises:
        BuildError: they can't be built.
    """
    inputs = [(_HERE / name).read_bytes() for name in ("go.mod", "go.sum")]
    return ensure("krew", digest([*inputs, "\0".join([*_flags(), *PROGRAMS.values()]).encode()]), _build)


def _flags() -> list[str]:
    found = re.search(r"^\s*sigs\.k8s\.io/krew (v\S+)", (_HERE / "go.mod").read_text(), re.MULTILINE)
    assert found, "go.mod requires no krew"
    return ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w -X sigs.k8s.io/krew/internal/version.gitTag={found[1]}"]


def _build(folder: Path) -> None:
    for name, package in PROGRAMS.items():
        go_build(_HERE, folder / name, package, _flags())
