"""krew's manifest as a release has it, by the rules that krew publishes.

https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest, and krew's internal/index/validation/validate.go.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from kubectl_safe import __version__
from tests.packaging.archive import run_script

REPOSITORY = "https://git.example/team/kubectl-safe"
PLATFORMS = {("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64")}


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A folder with what stands for the archive of each platform."""
    for system, machine in PLATFORMS:
        (tmp_path / f"kubectl-safe-v{__version__}-{system}-{machine}.tar.gz").write_text(f"{system} {machine}")
    return tmp_path


@pytest.fixture
def manifest(archives: Path) -> dict[str, Any]:
    """The manifest, read."""
    done = _render(archives)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{archives / 'safe.yaml'}\n"
    read = yaml.safe_load((archives / "safe.yaml").read_text())
    assert isinstance(read, dict)
    return read


def _render(archives: Path, *arguments: str) -> Any:
    folders = ("--archives", str(archives), "--into", str(archives))
    return run_script("manifest.py", "--repository", REPOSITORY, *folders, *arguments)


def test_it_is_a_plugin_named_after_its_file(manifest: dict[str, Any]) -> None:
    assert manifest["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert manifest["kind"] == "Plugin"
    assert manifest["metadata"] == {"name": "safe"}


def test_its_version_is_the_packages_with_a_v(manifest: dict[str, Any]) -> None:
    assert re.fullmatch(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?", manifest["spec"]["version"])
    assert manifest["spec"]["version"] == f"v{__version__}"


def test_its_words_fit_into_krews_tables(manifest: dict[str, Any]) -> None:
    short = manifest["spec"]["shortDescription"]
    assert 0 < len(short) <= 50
    assert "\n" not in short
    assert not re.search(r"kubectl|plugin|krew", short, re.IGNORECASE), "says only what it does"
    assert max(len(line) for line in manifest["spec"]["description"].splitlines()) <= 80
    assert manifest["spec"]["homepage"] == REPOSITORY


def test_each_platform_is_selected_once(manifest: dict[str, Any]) -> None:
    selectors = [entry["selector"] for entry in manifest["spec"]["platforms"]]
    assert all(selector.keys() == {"matchLabels"} for selector in selectors)
    assert all(selector["matchLabels"].keys() == {"os", "arch"} for selector in selectors)
    chosen = [(selector["matchLabels"]["os"], selector["matchLabels"]["arch"]) for selector in selectors]
    assert len(chosen) == len(PLATFORMS)
    assert set(chosen) == PLATFORMS


def test_each_platform_names_its_archive_and_what_is_in_it(manifest: dict[str, Any], archives: Path) -> None:
    for entry in manifest["spec"]["platforms"]:
        labels = entry["selector"]["matchLabels"]
        name = f"kubectl-safe-v{__version__}-{labels['os']}-{labels['arch']}.tar.gz"
        assert entry["uri"] == f"{REPOSITORY}/releases/download/v{__version__}/{name}"
        assert entry["uri"].startswith("https://")
        assert entry["sha256"] == hashlib.sha256((archives / name).read_bytes()).hexdigest()
        # No `files`: all of the archive is moved, and so its LICENSE is.
        assert entry.keys() == {"selector", "uri", "sha256", "bin"}
        assert entry["bin"] == "kubectl-safe"


def test_a_platform_whose_archive_is_missing_is_an_error_that_names_it(archives: Path) -> None:
    missing = archives / f"kubectl-safe-v{__version__}-darwin-arm64.tar.gz"
    missing.unlink()
    done = _render(archives)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{missing} is missing: build it on darwin-arm64, or leave the platform out with --platform\n"
    )
    assert not (archives / "safe.yaml").exists()


def test_it_is_rendered_for_one_platform_that_is_named(archives: Path) -> None:
    (archives / f"kubectl-safe-v{__version__}-darwin-arm64.tar.gz").unlink()
    assert _render(archives, "--platform", "linux-arm64").returncode == 0
    (entry,) = yaml.safe_load((archives / "safe.yaml").read_text())["spec"]["platforms"]
    assert entry["selector"]["matchLabels"] == {"os": "linux", "arch": "arm64"}
