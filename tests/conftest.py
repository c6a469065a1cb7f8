"""Fixtures of all tests: an event loop in the background, the control plane's binaries, a control plane."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.controlplane.build import GO_IS_MISSING, can_have_binaries, ensure_binaries
from tests.support.built import BuildError
from tests.support.figures import PROPERTY, Figures
from tests.support.loop import LoopThread


def pytest_configure() -> None:
    """Let signals do what they do: who runs the tests under `nohup`, or in the background, has some ignored.

    Children inherit that, and a command that was started with a signal ignored ignores it on purpose.
    """
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return half as many workers again as there are cores: the longest tests mostly wait for pods to drain."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane before the first test that needs it, for its build takes longer than a test may."""
    wanted = any(item.get_closest_marker("controlplane") for item in session.items)
    if wanted and not session.config.option.collectonly and can_have_binaries():
        try:
            ensure_binaries()
        except BuildError as error:
            raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def binaries() -> Path:
    """The folder with the control plane's binaries; without the means to have one, skips, and fails in CI."""
    if not can_have_binaries():
        if os.environ.get("CI") == "true":
            pytest.fail(GO_IS_MISSING)
        pytest.skip(GO_IS_MISSING)
    return ensure_binaries()


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """An event loop in a thread of its own."""
    with LoopThread() as running:
        yield running


@pytest.fixture
def control_plane(loop: LoopThread, binaries: Path) -> Iterator[ControlPlane]:
    """A control plane of the test's own, without nodes."""
    with loop.entered(ControlPlane(binaries)) as running:
        yield running


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Where a test leaves what it measured."""
    return Figures(record=record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests measured."""
    lines = [
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(lines):
            terminalreporter.write_line(line)
