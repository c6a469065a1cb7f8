"""A cluster without the TargetGroupBinding resource: nothing of AWS is needed, and nothing of it is loaded."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.node import Nodes
from kubectl_safe.sandbox.serviceproxy import ServiceProxy
from kubectl_safe.sandbox.traffic import Traffic, TrafficReport, Way
from tests.support.figures import Figures
from tests.support.loop import LoopThread, eventually

pytestmark = pytest.mark.controlplane

API = Application(namespace="shop", name="api", replicas=3, sigterm="abrupt")

WITHOUT_BOTO3 = """\
import sys
from kubectl_safe.cli.main import run
code = run(sys.argv[1:])
loaded = {"boto3", "botocore"} & sys.modules.keys()
sys.exit(f"{loaded} were imported" if loaded else code)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """A control plane with nodes, one application, and its Service's clients; neither bindings nor gates."""

    control_plane: ControlPlane
    proxy: ServiceProxy

    async def run(self, program: Path, *arguments: str) -> tuple[int, str]:
        """Run a program in the place of `kubectl safe`, without a word of AWS; return its exit code and output."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(program),
            *arguments,
            env=inherited | {"KUBECONFIG": str(self.control_plane.kubeconfig), "NO_PROXY": "127.0.0.1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()


def test_works_without_aws(loop: LoopThread, binaries: Path, tmp_path: Path, figures: Figures) -> None:
    program = tmp_path / "without_boto3.py"
    program.write_text(WITHOUT_BOTO3, encoding="utf-8")
    report = loop.call(_drain_and_restart(binaries, program))
    figures.add("without TargetGroupBindings, drain and restart", f"{report.total} requests, {report.lost} lost")
    assert report.losses == ()


async def _drain_and_restart(binaries: Path, program: Path) -> TrafficReport:
    async with _bare(binaries) as bare:
        way = Way(name="service/api", host="api", dial=bare.proxy.dial)
        async with Traffic([way], rate=100) as traffic:
            drained = await bare.run(program, "drain", "node-a", "--settle", "6s")
            assert drained[0] == 0, drained[1]
            assert drained[1].endswith("node/node-a drained\n")
            restart = ("rollout", "restart", "deployment/api", "-n", "shop", "--settle", "6s", "--max-surge", "100%")
            restarted = await bare.run(program, *restart)
            assert restarted[0] == 0, restarted[1]
            assert restarted[1].endswith("deployment.apps/api restarted\n")
            await traffic.stop()
            return traffic.report()


@asynccontextmanager
async def _bare(binaries: Path) -> AsyncIterator[Bare]:
    async with ControlPlane(binaries) as control_plane, control_plane.api() as api, asyncio.TaskGroup() as tasks:
        network = PodNetwork()
        actors = [tasks.create_task(Nodes(api, network, ["node-a", "node-b"]).run())]
        await api.create("/api/v1/namespaces", applications.namespace(API.namespace))
        await api.create(f"/api/v1/namespaces/{API.namespace}/services", applications.service(API))
        await api.create(applications.collection(API), applications.workload(API))
        proxy = ServiceProxy(api, network, namespace=API.namespace, service=API.name)
        actors.append(tasks.create_task(proxy.run()))
        await eventually(lambda: len(proxy.ready()) == API.replicas, what="the application")
        try:
            yield Bare(control_plane=control_plane, proxy=proxy)
        finally:
            for actor in actors:
                actor.cancel()
