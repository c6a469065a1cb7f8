"""Where the control plane's binaries come from, and what is said when they can't be had."""

from pathlib import Path

import pytest

from tests.controlplane.build import BINARIES, BinariesError, can_have_binaries, ensure_binaries


@pytest.fixture
def no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither Go, nor a cache, nor a folder that is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


@pytest.mark.usefixtures("no_go")
def test_without_go_the_error_says_how_to_get_it() -> None:
    assert not can_have_binaries()
    with pytest.raises(BinariesError, match=r"https://go.dev/dl.* KUBEBUILDER_ASSETS"):
        ensure_binaries()


def test_a_folder_that_is_named_and_lacks_some_is_an_error_that_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    for name in BINARIES:
        (tmp_path / name).touch(mode=0o755)
    (tmp_path / "etcd").unlink()
    with pytest.raises(BinariesError, match=r"which lacks etcd$"):
        ensure_binaries()


def test_a_folder_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    for name in BINARIES:
        (tmp_path / name).touch(mode=0o755)
    assert ensure_binaries() == tmp_path.resolve()
