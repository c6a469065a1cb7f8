"""The demo from its first line to its last, as somebody sees it who runs it."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.conftest import SMALL, Begin, Demo
from tests.support.figures import Figures

LONGEST_SECONDS = 90
WITH_KUBECTL = pytest.mark.controlplane
"""It is built together with the control plane."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the report of the drain goes."""
    return tmp_path_factory.mktemp("report") / "demo.html"


@pytest.fixture(scope="module")
def drained(begin: Begin, report: Path) -> Iterator[Demo]:
    """A drain that was shown where there is no kubectl, with a report."""
    with begin("drain", *SMALL, "--report", str(report)) as demo:
        demo.run.wait(LONGEST_SECONDS)
        yield demo


@pytest.fixture(scope="module")
def restarted(begin: Begin, kubectl: Path) -> Iterator[Demo]:
    """A restart that was shown with the real kubectl."""
    with begin("restart", *SMALL, "--seed", "7", programs={"kubectl": kubectl}) as demo:
        demo.run.wait(LONGEST_SECONDS)
        yield demo


def test_a_drain_loses_requests_the_plain_way_and_none_the_safe_way(drained: Demo, figures: Figures) -> None:
    assert (drained.run.process.returncode, drained.run.stderr) == (0, "")
    rows = drained.rows()
    figures.add("demo drain", str(rows))
    assert rows.keys() == {"like kubectl drain", "kubectl safe drain"}
    assert rows["like kubectl drain"][1] > 0
    assert rows["kubectl safe drain"][0] > 0
    assert rows["kubectl safe drain"][1] == 0


@WITH_KUBECTL
def test_a_restart_loses_requests_the_plain_way_and_none_the_safe_way(restarted: Demo, figures: Figures) -> None:
    assert (restarted.run.process.returncode, restarted.run.stderr) == (0, "")
    rows = restarted.rows()
    figures.add("demo restart", str(rows))
    assert rows.keys() == {"kubectl rollout restart", "kubectl safe rollout restart"}
    assert rows["kubectl rollout restart"][1] > 0
    assert rows["kubectl safe rollout restart"][0] > 0
    assert rows["kubectl safe rollout restart"][1] == 0


def test_without_kubectl_it_says_that_it_does_the_same_in_python(drained: Demo) -> None:
    assert "There is no kubectl on the PATH: what it does is done in Python.\n" in drained.run.stdout


def test_the_closing_table_names_the_lowest_capacity_and_the_time_to_full_strength(drained: Demo) -> None:
    (row,) = re.findall(r"^kubectl safe drain  .*$", drained.run.stdout, re.MULTILINE)
    assert re.search(r"  2/2 web, 2/2 api   +\d+\.\ds$", row)


def test_steps_and_losses_are_told_as_they_happen(drained: Demo) -> None:
    before_the_table = drained.run.stdout.rpartition("REQUESTS")[0]
    assert re.search(r"^ +\d+\.\ds  evicting pod shop/web-", before_the_table, re.MULTILINE)
    assert re.search(
        r"^ +\d+\.\ds  \d+ requests, 0 lost; in service: 2/2 web, 2/2 api$", before_the_table, re.MULTILINE
    )
    assert "\x1b" not in drained.run.stdout


def test_the_report_has_the_plain_way_above_the_safe_way(drained: Demo, report: Path) -> None:
    lost = drained.rows()["like kubectl drain"][1]
    page = report.read_text(encoding="utf-8")
    headlines = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert re.search(rf"like kubectl drain: {lost} of \d+ requests lost", headlines[0])
    assert re.search(r"kubectl safe drain: 0 of \d+ requests lost", headlines[1])
    first, second = page.split(headlines[1], 1)
    assert "cut off, gone" in first
    assert "withdrawn" in second
    assert "cut off, gone" not in second


@pytest.mark.parametrize("run", ["drained", pytest.param("restarted", marks=WITH_KUBECTL)])
def test_nothing_is_left_of_it(run: str, request: pytest.FixtureRequest) -> None:
    demo: Demo = request.getfixturevalue(run)
    assert demo.processes == []
    assert demo.files == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_of_it_after_a_signal_in_the_middle_of_a_handoff(begin: Begin, number: signal.Signals) -> None:
    broken = "echo no such cluster; exit 1"
    with begin("drain", *SMALL, programs={"kubectl": broken}) as demo:
        demo.run.await_line("withdrawn")
        assert len(demo.processes) > 2
        demo.run.process.send_signal(number)
        code = demo.run.wait(20)
        if number is signal.SIGKILL:
            _await_the_supervisor(demo)
        else:
            assert code == 130
            assert demo.run.stderr == f"error: interrupted ({number.name}): nothing of the demo is left\n"
        assert demo.processes == []
        assert demo.files == []
        assert "What kubectl does is done in Python, because '" in demo.run.stdout
        assert "ended with 1: no such cluster.\n" in demo.run.stdout


@WITH_KUBECTL
def test_a_cluster_is_kept_and_the_printed_lines_lead_to_it(begin: Begin, kubectl: Path) -> None:
    with begin("--keep", *SMALL, programs={"kubectl": kubectl}) as demo:
        demo.run.await_line("Ctrl-C here ends it all.")
        lines = [line for line in demo.run.stdout.splitlines() if line.startswith(("export ", "unset "))]
        script = "\n".join([*lines, "kubectl get pods -n shop", "kubectl-safe drain node-a --dry-run"])
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            env={"PATH": f"{kubectl.parent}:/usr/bin:/bin", "HOME": str(demo.temporary), "AWS_PROFILE": "mine"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len(re.findall(r"^(?:web|api)-\S+ +1/1 +Running", done.stdout, re.MULTILINE)) == 4
        assert "node/node-a drained (dry run)" in done.stdout
        counted = demo.run.await_line(" requests, 0 lost, 0 in the last 10s; in service: 2/2 web, 2/2 api")
        assert counted
        demo.run.process.send_signal(signal.SIGINT)
        assert demo.run.wait(20) == 0
        assert demo.run.stderr == ""
        assert demo.processes == []
        assert demo.files == []


def _await_the_supervisor(demo: Demo) -> None:
    """Wait for the end of what outlives a killed demo, by a moment only: it goes once nothing is left to end."""
    import time

    deadline = time.monotonic() + 10
    while demo.processes and time.monotonic() < deadline:
        time.sleep(0.05)  # noqa: TID251 - the processes are not ours to wait for
