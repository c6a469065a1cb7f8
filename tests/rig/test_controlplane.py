"""The control plane of the sandbox starts in seconds, and leaves nothing behind."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox.api import Api, ApiError, Event
from kubectl_safe.sandbox.certificates import CertificateAuthority
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.processes import ComponentFailedError, Processes
from tests.support.loop import LoopThread, eventually

_CHILD = """
import asyncio, json, signal, sys
from pathlib import Path
from kubectl_safe.sandbox.controlplane import ControlPlane

async def main():
    async with ControlPlane(Path(sys.argv[1])) as running:
        print(json.dumps({"pids": running.pids, "directory": str(running.directory)}), flush=True)
        await asyncio.Event().wait()

# A shell that runs the tests in the background has it ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def are_gone(pids: list[int], directory: Path) -> None:
    await eventually(
        lambda: not any(map(is_alive, pids)) and not directory.exists(), seconds=15, what="the end of all processes"
    )


async def never_fails(processes: Processes, name: str) -> None:
    async def is_failed() -> bool:
        processes.check(name)
        return False

    await eventually(is_failed, seconds=10, what="a failure")


async def controllers_work(api: Api) -> None:
    """Wait until the controller manager has started; until then it ends where it finds no API server."""
    path = "/apis/apps/v1/namespaces/default/deployments"
    labels = {"app": "seen"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    await api.create(path, {"metadata": {"name": "seen"}, "spec": spec})

    async def is_seen() -> bool:
        return bool((await api.get(f"{path}/seen")).get("status", {}).get("observedGeneration"))

    await eventually(is_seen, what="the Deployment controller")


def a_config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.mark.controlplane
def test_no_process_and_no_file_is_left_after_the_context(binaries: Path) -> None:
    async def claim() -> None:
        async with ControlPlane(binaries) as running:
            pids, directory = dict(running.pids), running.directory
            assert set(pids) == {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
            assert all(map(is_alive, pids.values()))
        assert not any(map(is_alive, pids.values()))
        assert not directory.exists()

    asyncio.run(claim())


@pytest.mark.controlplane
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_no_process_is_left_when_its_owner_is_ended_by(number: signal.Signals, binaries: Path) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(binaries)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=root,
    ) as owner:
        try:
            assert owner.stdout is not None
            told = json.loads(owner.stdout.readline())
            pids = list(told["pids"].values())
            assert len(pids) == 4
            assert all(map(is_alive, pids))
        finally:
            owner.send_signal(number)
            try:
                owner.wait(30)
            except subprocess.TimeoutExpired:
                # Else it would outlive the test that it has just failed.
                owner.kill()
                raise
    asyncio.run(are_gone(pids, Path(told["directory"])))


@pytest.mark.controlplane
def test_kubectl_is_served_with_the_kubeconfig(control_plane: ControlPlane) -> None:
    answered = subprocess.run(
        [control_plane.binaries / "kubectl", f"--kubeconfig={control_plane.kubeconfig}", "version", "--output=json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    versions = json.loads(answered.stdout)
    assert versions["serverVersion"]["gitVersion"] == versions["clientVersion"]["gitVersion"] != "v0.0.0"


@pytest.mark.controlplane
def test_without_controllers_there_is_nobody_to_change_what_is_written(loop: LoopThread, binaries: Path) -> None:
    with loop.entered(ControlPlane(binaries, has_controllers=False)) as running:
        assert running.pids.keys() == {"etcd", "kube-apiserver"}


@pytest.mark.controlplane
def test_a_further_user_has_its_groups_rights_and_no_others(loop: LoopThread, binaries: Path) -> None:
    async def claim() -> None:
        async with ControlPlane(binaries, users={"tool": ["system:masters"], "guest": []}) as running:
            assert running.kubeconfig_for("guest") != running.kubeconfig
            async with running.api("tool") as tool, running.api("guest") as guest:
                assert (await tool.get("/api/v1/pods"))["items"] == []
                with pytest.raises(ApiError, match="403 Forbidden"):
                    await guest.get("/api/v1/pods")

    loop.call(claim())


@pytest.mark.controlplane
def test_the_audit_log_has_writes_with_bodies_and_times(control_plane: ControlPlane, loop: LoopThread) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "audited"},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    }

    async def write() -> None:
        async with control_plane.api() as api:
            await api.create("/api/v1/namespaces/default/pods", pod)
            await api.delete("/api/v1/namespaces/default/pods/audited", {"gracePeriodSeconds": 0})

    loop.call(write())
    entries = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]
    created, deleted = [
        entry
        for entry in entries
        if entry["user"]["username"] == "admin" and entry.get("objectRef", {}).get("name") == "audited"
    ]
    assert (created["verb"], deleted["verb"]) == ("create", "delete")
    assert {entry["stage"] for entry in entries} == {"ResponseComplete"}
    assert created["requestObject"]["metadata"]["name"] == "audited"
    assert created["responseObject"]["metadata"]["uid"]
    assert created["requestReceivedTimestamp"] <= created["stageTimestamp"] <= deleted["requestReceivedTimestamp"]


@pytest.mark.controlplane
def test_a_watch_tells_what_is_there_and_then_what_changes(control_plane: ControlPlane, loop: LoopThread) -> None:
    path = "/api/v1/namespaces/default/configmaps"

    async def claim() -> list[tuple[str, str]]:
        seen: list[Event] = []
        async with control_plane.api() as api:
            await api.create(path, a_config_map("first"))

            async def follow() -> None:
                async for event in api.watch(path, fieldSelector="metadata.name!=kube-root-ca.crt"):
                    seen.append(event)  # noqa: PERF401 - it never ends

            follower = asyncio.create_task(follow())
            await eventually(lambda: len(seen) == 2, what="the list")
            await api.create(path, a_config_map("second", big="x" * 500_000))
            await api.patch(f"{path}/first", {"data": {"a": "b"}}, kind="merge-patch")
            await api.delete(f"{path}/first")
            await eventually(lambda: len(seen) == 5, what="the changes")
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
        return [(event.type, event.object.get("metadata", {}).get("name", "")) for event in seen]

    assert loop.call(claim()) == [
        ("ADDED", "first"),
        ("SYNCED", ""),
        ("ADDED", "second"),
        ("MODIFIED", "first"),
        ("DELETED", "first"),
    ]


@pytest.mark.controlplane
def test_a_restarted_api_server_has_its_address_its_users_and_its_data(
    control_plane: ControlPlane, loop: LoopThread
) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    others = ("etcd", "kube-controller-manager", "kube-scheduler")

    async def claim() -> None:
        before, url = dict(control_plane.pids), control_plane.url
        async with control_plane.api() as api:
            await api.create(path, a_config_map("kept", a="b"))
            await controllers_work(api)
            restart = asyncio.create_task(control_plane.restart("kube-apiserver", down=0.5))
            await eventually(lambda: not is_alive(before["kube-apiserver"]), every=0.01, what="the end of the server")
            with pytest.raises(ApiError, match="Unreachable"):
                await api.get(path)
            await restart
            assert (await api.get(f"{path}/kept"))["data"] == {"a": "b"}
        assert control_plane.url == url
        after = control_plane.pids
        assert after["kube-apiserver"] != before["kube-apiserver"]
        assert [after[name] for name in others] == [before[name] for name in others]

    loop.call(claim())


def test_a_process_that_was_ended_can_be_started_again(tmp_path: Path) -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]

    async def claim() -> None:
        async with Processes(tmp_path, removes=False) as processes:
            await processes.start("sleeper", sleeping)
            first = processes.pids["sleeper"]
            await processes.end("sleeper")
            assert not is_alive(first)
            with pytest.raises(ComponentFailedError, match="sleeper ended"):
                processes.check("sleeper")
            await processes.start("sleeper", sleeping)
            processes.check("sleeper")
            second = processes.pids["sleeper"]
            assert is_alive(second)
        assert not is_alive(second)

    asyncio.run(claim())


def test_a_component_that_ends_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    async def claim() -> None:
        async with Processes(tmp_path, removes=False) as processes:
            await processes.start("brief", [sys.executable, "-c", "print('no space left'); raise SystemExit(3)"])
            with pytest.raises(ComponentFailedError, match=r"brief ended with 3(.|\n)*no space left"):
                await never_fails(processes, "brief")

    asyncio.run(claim())


def test_a_binary_that_is_missing_is_an_error_that_names_it(tmp_path: Path) -> None:
    async def claim() -> None:
        async with ControlPlane(tmp_path / "no-such-folder"):
            pytest.fail("it started")

    with pytest.raises(ComponentFailedError, match="no-such-folder/etcd"):
        asyncio.run(claim())


def test_a_process_that_ignores_sigterm_is_ended_too(tmp_path: Path) -> None:
    stubborn = "import signal, pathlib; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()"

    async def claim() -> None:
        async with Processes(tmp_path, removes=False) as processes:
            await processes.start("stubborn", [sys.executable, "-c", stubborn])
            await eventually(lambda: processes.tail("stubborn") == "up")
            pid = processes.pids["stubborn"]
        assert not is_alive(pid)

    asyncio.run(claim())


def test_a_server_with_an_issued_certificate_is_trusted_by_the_strictest_client(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    certificate, key = authority.issue("webhook")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    asked = ssl.create_default_context(cafile=str(authority.ca_file))
    asked.verify_flags |= ssl.VERIFY_X509_STRICT

    async def claim() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
        async with server:
            port = server.sockets[0].getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=asked)
            writer.close()
            await writer.wait_closed()

    asyncio.run(claim())
