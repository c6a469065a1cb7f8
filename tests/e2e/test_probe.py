"""`--probe`: a request a second through the load balancer; the first that is lost stops new handoffs, and is shown."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kubectl_safe.sandbox.application import Application
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.stage import Stage
from tests.support.stuck import (
    as_they_are,
    assert_never_left_service,
    await_in_service,
    bring_up,
    small,
    traffic_to,
)

pytestmark = pytest.mark.controlplane

BAD = b"upstream connect error"


@dataclass
class Front:
    """A server before everything else, which answers 200 until it is told to answer 502."""

    url: str = ""
    is_failing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def a_front() -> Iterator[Front]:
    """Run such a server on loopback."""
    front = Front()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(502 if front.is_failing.is_set() else 200)
            body = BAD if front.is_failing.is_set() else b"fine"
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        front.url = f"http://127.0.0.1:{server.server_port}/shop"
        try:
            yield front
        finally:
            server.shutdown()
            serving.join()


def test_a_whole_restart_is_probed_through_the_load_balancer(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    app = small(namespace, "probed", replicas=2, is_load_balanced=True)
    bring_up(shared_stage, app)
    command = ("rollout", "restart", "deployment/probed", "-n", namespace, "--settle", "6s")
    with traffic_to(shared_stage, app) as counted:
        done = shared_stage.safe(*command, "--max-surge", "2", "--probe", _url(shared_stage, app))
        await_in_service(shared_stage, app)
    (summary,) = re.findall(r"^probe: (\d+) requests, 0 failed$", done.stdout, re.MULTILINE)
    assert int(summary) >= 6
    assert done.stderr == ""
    assert_nothing_left(shared_stage)
    figures.add("restart with a probe", f"probe: {summary} requests, 0 failed; {counted}")


def test_the_first_request_that_is_lost_stops_new_handoffs_and_finishes_what_is_withdrawn(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    # Slow enough that the second pod is released, and its replacement not Ready, when the probe is lost.
    app = small(namespace, "watched", replicas=3, start_delay=3)
    bring_up(shared_stage, app, progress_deadline=60)
    before = as_they_are(shared_stage, app)
    command = ("rollout", "restart", "deployment/watched", "-n", namespace, "--settle", "8s", "--max-draining", "1")
    with traffic_to(shared_stage, app) as counted, a_front() as front:
        with shared_stage.safe_in_background(*command, "--probe", front.url) as run:
            line = run.await_line(" withdrawn")
            front.is_failing.set()
            assert run.wait() == 1
        shared_stage.wait_until(
            lambda: len(shared_stage.rig.controller.pods.of(namespace)) == app.replicas, what="the end of the surplus"
        )
        after = as_they_are(shared_stage, app)
        (gone,) = {pod["name"] for uid, pod in before.items() if uid not in after}
        assert line.startswith(f"pod/{gone} withdrawn")
        assert f"\npod/{gone} evicted\n" in run.stdout
        kept = {uid: pod for uid, pod in before.items() if uid in after}
        assert {uid: after[uid] for uid in kept} == kept, "what was not withdrawn is as it was"
        assert_never_left_service(shared_stage, kept)
        assert shared_stage.lowest(app, counted) == app.replicas
        lost = rf"probe GET {re.escape(front.url)} failed at \S+: 502 Bad Gateway: {BAD.decode()}"
        assert re.search(rf"^{lost}: no further pod is begun; .*, to be finished$", run.stderr, re.MULTILINE)
        assert re.search(rf"^error: 2 of 3 pods were not handed over\n{lost}\n", run.stderr, re.MULTILINE)
        assert re.search(r"^probe: \d+ requests, [1-9]\d* failed$", run.stdout, re.MULTILINE)
        front.is_failing.clear()
        shared_stage.safe(*command, "--probe", front.url, "--max-draining", "1")
        await_in_service(shared_stage, app)
    assert not as_they_are(shared_stage, app).keys() & before.keys()
    assert_nothing_left(shared_stage)
    figures.add("a probe that failed after the first withdrawal", f"1 of 3 finished; {counted}")


def test_a_request_that_is_lost_while_the_last_pod_drains_is_no_success(shared_stage: Stage, namespace: str) -> None:
    app = small(namespace, "last")
    bring_up(shared_stage, app)
    before = as_they_are(shared_stage, app)
    command = ("rollout", "restart", "deployment/last", "-n", namespace, "--settle", "6s")
    with traffic_to(shared_stage, app), a_front() as front:
        with shared_stage.safe_in_background(*command, "--probe", front.url) as run:
            run.await_line(" withdrawn")
            front.is_failing.set()
            assert run.wait() == 1
        await_in_service(shared_stage, app)
    assert not as_they_are(shared_stage, app).keys() & before.keys()
    told = f"error: all was done, and a request was lost meanwhile: probe GET {front.url} failed at "
    assert told in run.stderr
    assert "deployment.apps/last restarted\n" in run.stdout
    assert_nothing_left(shared_stage)


def test_a_probe_that_fails_at_once_lets_nothing_be_changed(shared_stage: Stage, namespace: str) -> None:
    app = small(namespace, "unprobed")
    bring_up(shared_stage, app)
    before, writes = as_they_are(shared_stage, app), len(shared_stage.writes())
    with traffic_to(shared_stage, app), a_front() as front:
        front.is_failing.set()
        done = shared_stage.safe(
            "rollout", "restart", "deployment/unprobed", "-n", namespace, "--probe", front.url, check=False
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"error: nothing was changed: probe GET {front.url} failed: 502 Bad Gateway: {BAD.decode()}; "
        "a probe has to succeed before any pod is moved\n"
    )
    assert shared_stage.writes()[writes:] == []
    assert as_they_are(shared_stage, app) == before


def _url(stage: Stage, app: Application) -> str:
    balancer = stage.rig.deployed[app.namespace, app.name].balancer
    assert balancer is not None
    return f"{balancer.url}/"
